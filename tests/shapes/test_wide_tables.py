"""Wide tables: each row is a sequence, whose steps stand in columns."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from tests import oracles
from tests.command import Place, succeeded

WIDE = "id,label,age,t0,t1,t2\na,x,3,1,2,\nb,y,4,4,,6\nc,x,5,,,\nd,y,6.5,7,8,9\n"
Rows = list[list[float | None]]


def names_of(rows: Rows) -> list[str]:
    return [f"t{i}" for i in range(len(rows[0]))]


def csv_of(rows: Rows) -> bytes:
    lines = [names_of(rows), *([str("" if cell is None else cell) for cell in row] for row in rows)]
    return "".join(",".join(line) + "\n" for line in lines).encode()


def json_of(rows: Rows) -> bytes:
    return "".join(json.dumps(dict(zip(names_of(rows), row, strict=True))) + "\n" for row in rows).encode()


def table_of(rows: Rows) -> pa.Table:
    columns = [pa.array(column) for column in zip(*rows, strict=True)]
    return pa.table(columns, names_of(rows))


def parquet_of(rows: Rows) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table_of(rows), stream, row_group_size=3)
    return stream.getvalue()


def arrow_of(rows: Rows) -> bytes:
    stream = io.BytesIO()
    table = table_of(rows)
    with pa.ipc.new_file(stream, table.schema) as file:
        file.write_table(table)
    return stream.getvalue()


FORMATS: dict[str, Callable[[Rows], bytes]] = {
    "csv": csv_of,
    "jsonl": json_of,
    "parquet": parquet_of,
    "arrow": arrow_of,
}


@pytest.mark.thinned
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("suffix", FORMATS)
def test_rows_are_sequences_in_every_format(suffix: str, keep: bool, place: Place) -> None:
    chance = random.Random(7)
    cells = [None, 0.5, 2.0, -7.25, 3.0]
    rows: Rows = [[chance.choice(cells) for _ in range(5)] for _ in range(40)]
    place.write(f"w.{suffix}", FORMATS[suffix](rows))
    kept = ["--trailing-missing", "keep"] if keep else []
    found = place.outputs("pad", [f"w.{suffix}", "--steps", "t{0..4}", "--ragged", *kept])[0]
    expected = [oracles.steps_of_row(row, keep=keep) for row in rows]
    parts = np.split(found["values"], found["offsets"][1:-1])
    np.testing.assert_array_equal(found["offsets"], np.cumsum([0, *map(len, expected)]))
    for steps, wanted in zip(parts, expected, strict=True):
        np.testing.assert_array_equal(steps, wanted)
    assert found["values"].dtype == np.float32


def test_what_belongs_to_a_row_stands_in_other_columns(place: Place) -> None:
    place.write("w.csv", WIDE)
    call = ["w.csv", "--steps", "t{0..2}", "--label", "label", "--key", "id", "--static", "age", "--post"]
    done = succeeded(place.run("pad", *call, "-o", "o.npz"))
    found = place.arrays("o.npz")
    np.testing.assert_array_equal(found["x"], [[1, 2, 0], [4, np.nan, 6], [0, 0, 0], [7, 8, 9]])
    assert found["lengths"].tolist() == [2, 3, 0, 3]
    assert (found["keys"].tolist(), found["y"].tolist()) == (["a", "b", "c", "d"], [0, 1, 0, 1])
    assert (found["static"].tolist(), found["classes"].tolist()) == ([[3], [4], [5], [6.5]], ["x", "y"])
    assert "1 row without a step" in done.err
    assert "1 missing value became NaN" in done.err
    arguments = json.loads(str(found["meta"]))["receipt"][0]["arguments"]
    assert arguments["steps"] == ["t{0..2}"]
    assert json.loads(str(found["meta"]))["receipt"][0]["rows"] == {
        "in": 8,
        "kept": 8,
        "cut": 0,
        "dropped": {},
    }


def test_whole_numbers_stay_whole_where_only_the_end_is_empty(place: Place) -> None:
    place.write("w.csv", "a,b\n9007199254740993,\n2,3\n")
    found = place.outputs("pad", ["w.csv", "--steps", "a,b", "--post"])[0]
    assert found["x"].tolist() == [[9007199254740993, 0], [2, 3]]
    assert found["x"].dtype == np.int64


def test_positions_stand_for_columns_without_names(place: Place) -> None:
    place.write("w.tsv", "1\t0.5\t1.5\n-1\t2.5\tNaN\n")  # as the UCR archive has them
    found = place.outputs("pad", ["w.tsv", "--steps", "{1..2}", "--label", "0", "--post"])[0]
    assert (found["x"].tolist(), found["lengths"].tolist()) == ([[0.5, 1.5], [2.5, 0]], [2, 1])
    assert (found["y"].tolist(), found["classes"].tolist()) == ([1, 0], [-1, 1])


def test_how_text_is_read_may_be_said(place: Place) -> None:
    place.write("w.csv", "a;b\n1;?\n2;3\n".encode("utf-16"))
    call = ["w.csv", "--steps", "a,b", "--missing", "?", "--delimiter", ";", "--encoding", "utf-16", "--post"]
    assert place.outputs("pad", call)[0]["lengths"].tolist() == [1, 2]


def test_plan_and_truncate_take_them(place: Place) -> None:
    place.write("w.csv", WIDE)
    steps = ["--steps", "t{0..2}", "--key", "id"]
    planned = json.loads(succeeded(place.run("plan", "w.csv", *steps, "--json")).out)
    assert (planned["sequences"], planned["steps"]) == (4, 8)
    cut = place.outputs("truncate", ["w.csv", *steps, "--maxlen", "2"])[0]
    assert np.diff(cut["offsets"]).tolist() == [2, 2, 0, 2]


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        ("--steps t0,id", 1, "w.csv: line 2, column 'id': 'a'; a number was expected"),
        ("--steps t0,t9", 1, "no column 't9'"),
        ("--steps t0,t0", 2, "names column 't0' twice"),
        ("--steps t0 --array t1", 2, "--array and --steps both say"),
        ("--steps t0 --lengths n", 2, "leave --lengths out"),
        ("--steps t0,t1,t2 --dtype int8 --key nokey", 1, "no column 'nokey'"),
        ("", 1, "seqtool pad w.csv --steps 't{0..2}'"),
    ],
)
def test_what_is_wrong_is_named(call: str, code: int, words: str, place: Place) -> None:
    place.write("w.csv", WIDE)
    done = place.run("pad", "w.csv", *call.split())
    assert (done.code, words in done.err) == (code, True), done.err
    assert [*place.files()] == ["w.csv"]


def test_a_number_that_does_not_fit_is_named_by_line_and_column(place: Place) -> None:
    place.write("w.csv", "a,b\n1,2\n3,300\n")
    done = place.run("pad", "w.csv", "--steps", "a,b", "--dtype", "int8")
    assert (done.code, "line 3, column 'b': 300" in done.err) == (1, True), done.err


def test_many_rows_come_in_batches(place: Place) -> None:
    at = np.arange(150_000)
    frame = pd.DataFrame({"t0": at, "t1": at + 1, "t2": np.where(at % 2, np.nan, at + 2)})
    frame.to_parquet(place.folder / "w.parquet", row_group_size=40_000)
    found = place.outputs("pad", ["w.parquet", "--steps", "t{0..2}", "--post", "--max-memory", "256M"])[0]
    assert found["lengths"].tolist() == (3 - at % 2).tolist()
    assert found["x"][149_999].tolist() == [149_999, 150_000, 0]
