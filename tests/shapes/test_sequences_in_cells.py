"""Sequences in cells: text such as `[5, 6, 7]`, JSON fields and list columns, several of them side by side."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.command import Place, succeeded

TEXT = """id,open,close,tags,age
a,5 6 7,"[1, 2, 3]","['B', 'I', 'O']",3
b,[5],[0.5],B,4
c,,[],,5
"""
OBJECTS = """{"id": "a", "open": [5, 6, 7], "close": [1, 2, 3], "tags": ["B", "I", "O"], "age": 3}
{"id": "b", "open": [5], "close": "[0.5]", "tags": "B", "age": 4}
{"id": "c", "open": [], "close": [], "tags": [], "age": 5}
"""
LISTS = pa.table(
    {
        "id": ["a", "b", "c"],
        "open": [[5, 6, 7], [5], []],
        "close": [[1, 2, 3], [0.5], []],
        "tags": [["B", "I", "O"], ["B"], []],
        "age": [3, 4, 5],
    }
)
STEPS = [[[5, 1], [6, 2], [7, 3]], [[5, 0.5], [0, 0], [0, 0]], [[0, 0]] * 3]


def parquet_of(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


FILES: dict[str, Any] = {"c.csv": TEXT, "c.jsonl": OBJECTS, "c.parquet": parquet_of(LISTS)}


@pytest.mark.parametrize("name", FILES)
def test_lists_side_by_side_are_features(name: str, place: Place) -> None:
    place.write(name, FILES[name])
    call = [name, "--array", "open,close", "--key", "id", "--static", "age", "--post", "--dtype", "float32"]
    labelled = ["--step-label", "tags", "--label-value", "-1"]
    found = place.outputs("pad", [*call, *labelled])[0]
    assert (found["x"].tolist(), found["lengths"].tolist()) == (STEPS, [3, 1, 0])
    assert found["features"].tolist() == ["open", "close"]
    assert found["step_y"].tolist() == [[0, 1, 2], [0, -1, -1], [-1, -1, -1]]
    assert found["classes"].tolist() == ["B", "I", "O"]
    assert (found["keys"].tolist(), found["static"].tolist()) == (["a", "b", "c"], [[3], [4], [5]])


@pytest.mark.parametrize(
    ("cells", "expected", "dtype"),
    [
        (["5 6 7", "[8, 9]"], [[5, 6, 7], [8, 9]], np.int64),
        (["(1,)", "[1. 2.5]"], [[1], [1, 2.5]], np.float32),
        (["1,,3", "NA"], [[1, np.nan, 3], [np.nan]], np.float32),
    ],
)
def test_text_is_read_as_people_write_lists(
    cells: list[str], expected: list[list[float]], dtype: Any, place: Place
) -> None:
    place.write("c.csv", "s\n" + "".join(f'"{cell}"\n' for cell in cells))
    found = place.outputs("pad", ["c.csv", "--array", "s", "--ragged", "--header"])[0]
    np.testing.assert_array_equal(found["values"], np.concatenate(expected))
    assert found["values"].dtype == dtype
    assert np.diff(found["offsets"]).tolist() == [*map(len, expected)]


def test_text_in_columns_of_parquet_is_read_too(place: Place) -> None:
    place.write("c.parquet", parquet_of(pa.table({"s": ["1 2", None], "t": [["a", "b"], None]})))
    found = place.outputs("pad", ["c.parquet", "--array", "s", "--step-label", "t", "--ragged"])[0]
    assert (found["values"].tolist(), found["step_y"].tolist()) == ([1, 2], [0, 1])


def test_lists_of_decimals_are_lists_of_numbers(place: Place) -> None:
    lists = pa.array([[Decimal("0.50"), Decimal("1.25")], [Decimal("2.00")]], pa.list_(pa.decimal128(5, 2)))
    place.write("c.parquet", parquet_of(pa.table({"s": lists})))
    assert place.outputs("pad", ["c.parquet", "--post"])[0]["x"].tolist() == [[0.5, 1.25], [2, 0]]


@pytest.mark.parametrize(
    ("name", "where"),
    [("c.csv", "c.csv: line 3"), ("c.jsonl", "c.jsonl: line 2"), ("c.parquet", "c.parquet: row 1")],
)
def test_lists_of_one_row_are_of_one_length(name: str, where: str, place: Place) -> None:
    lists = pa.table({"a": [[1], [1, 2]], "b": [[1], [1]]})
    files = {"c.csv": "a,b\n1,1\n1 2,1\n", "c.parquet": parquet_of(lists)}
    files["c.jsonl"] = '{"a": [1], "b": [1]}\n{"a": [1, 2], "b": [1]}\n'
    place.write(name, files[name])
    for option in (["--array", "a,b"], ["--array", "a", "--step-label", "b"]):
        done = place.run("pad", name, *option)
        assert done.code == 1
        assert f"{where}: 'a' holds 2 steps, but 'b' 1; equal lengths were expected" in done.err


def test_a_cell_that_holds_no_number_is_named(place: Place) -> None:
    place.write("c.csv", "k,s\n1,5 6\n2,5 x 6\n")
    done = place.run("pad", "c.csv", "--array", "s")
    assert (done.code, "c.csv: line 3, column 's': 'x'; a number was expected" in done.err) == (1, True)
    place.write("c.jsonl", '{"s": "5 x"}\n')
    done = place.run("pad", "c.jsonl", "--array", "s")
    assert (done.code, "c.jsonl: line 1" in done.err) == (1, True), done.err


def test_labels_of_steps_of_an_npz_are_padded_with_what_is_asked_for(place: Place) -> None:
    np.savez(place.folder / "a.npz", values=np.arange(3.0), offsets=[0, 1, 3], tags=[4, 5, 6])
    succeeded(
        place.run("pad", "a.npz", "--step-label", "tags", "--label-value", "-7", "--post", "-o", "o.npz")
    )
    assert place.arrays("o.npz")["step_y"].tolist() == [[4, -7], [5, 6]]


def test_what_stands_beside_sequences_may_be_absent_from_some_records(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("r.jsonl", '{"id": 1, "seq": [1, 2], "s": 1, "y": "a"}\n{"seq": [4]}\n')
    assert np.isnan(place.outputs("pad", ["r.jsonl", "--array=seq", "--static=s"])[0]["static"][1, 0])
    label = place.run("pad", "r.jsonl", "--array", "seq", "--label", "y").err
    assert "1 sequence has no label 'y', the first at line 2; give each one" in label
    assert "line 2: no field 'id' in seq" in place.run("pad", "r.jsonl", "--array", "seq", "--key", "id").err
    assert (
        "line 1: no field 'z' in id, seq, s, y"
        in place.run("pad", "r.jsonl", "--array", "seq", "--label", "z").err
    )


def test_lists_written_as_text_are_proposed_as_sequences(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("t.csv", 'u,c,y\nu1,"[1, 2]",yes\nu2,[],no\n')
    for command in ("pad", "plan"):
        assert "seqtool pad t.csv --array c" in place.run(command, "t.csv").err
