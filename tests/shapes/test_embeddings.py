"""Columns of lists of one size, such as embeddings, spread into features."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seqtool
from seqtool.tables import json_lines
from tests.command import Place, succeeded

LISTS = [[1.0, 2.0, 3.0], [4.0, None, 6.0], None, [7.0, 8.0, 9.0]]
TABLE = pa.table(
    {"id": [2, 1, 2, 1], "emb": pa.array(LISTS, pa.list_(pa.float32(), 3)), "v": [0.5, 1.5, 2.5, 3.5]}
)
NAN = float("nan")
CELLS = [[NAN] * 3 if row is None else [NAN if cell is None else cell for cell in row] for row in LISTS]
STEPS = [[*CELLS[1], 1.5], [*CELLS[3], 3.5], [*CELLS[0], 0.5], [*CELLS[2], 2.5]]


VARYING = [pa.list_(pa.float32()), pa.large_list(pa.float64())]


def file_of(suffix: str, table: pa.Table = TABLE) -> bytes:
    stream = io.BytesIO()
    if suffix == "parquet":
        pq.write_table(table, stream, row_group_size=3)
    elif suffix == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in table.to_pylist()).encode()
    elif suffix == "json":
        return json.dumps(
            [{k: v for k, v in row.items() if v is not None} for row in table.to_pylist()]
        ).encode()
    else:
        with pa.ipc.new_file(stream, table.schema) as file:
            file.write_table(table, max_chunksize=3)
    return stream.getvalue()


def typed(kind: pa.DataType, table: pa.Table = TABLE) -> pa.Table:
    """The same table with lists of another type."""
    return table.set_column(1, "emb", pa.array(table["emb"].to_pylist(), kind))


@pytest.mark.thinned
@pytest.mark.parametrize("suffix", ["parquet", "arrow", "jsonl", "json"])
@pytest.mark.parametrize("kind", [TABLE.schema.field(1).type, *VARYING])
def test_each_cell_is_a_feature(suffix: str, kind: pa.DataType, place: Place) -> None:
    place.write(f"e.{suffix}", file_of(suffix, typed(kind)))
    found = place.outputs("group", [f"e.{suffix}", "--key", "id", "--ragged"])[0]
    assert found["features"].tolist() == ["emb_0", "emb_1", "emb_2", "v"]
    np.testing.assert_array_equal(found["values"], np.array(STEPS, np.float32))
    assert b"seqtool group" in succeeded(place.run("plan", f"e.{suffix}", "--key", "id")).out


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("option", "features"),
    [
        ("--drop emb", ["v"]),
        ("--drop 1", ["v"]),
        ("--drop emb_1", ["emb_0", "emb_2", "v"]),
        ("--columns v,emb", ["v", "emb_0", "emb_1", "emb_2"]),
        ("--columns emb_2,v", ["emb_2", "v"]),
        ("--columns 2", ["v"]),
    ],
)
@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_the_column_stands_for_its_cells(suffix: str, option: str, features: list[str], place: Place) -> None:
    place.write(f"e.{suffix}", file_of(suffix))
    found = place.outputs("group", [f"e.{suffix}", "--key", "0", *option.split()])[0]
    assert found["features"].tolist() == features


def test_the_summary_names_the_column_or_its_cells(place: Place) -> None:
    place.write("e.parquet", file_of("parquet"))
    for option, unused in (
        ("--drop=emb", "id, emb"),
        ("--drop=emb_1", "id, emb_1"),
        ("--columns=emb", "id, v"),
    ):
        done = succeeded(place.run("group", "e.parquet", "--key", "id", option, "-o", "o.npz"))
        assert f"not used  as features: {unused}\n" in done.err, done.err


def test_tables_in_memory_have_them_too() -> None:
    with pytest.warns(UserWarning, match="missing values became NaN"):
        padded = seqtool.group(TABLE.slice(1), key="id")
    np.testing.assert_array_equal(padded.x[0], np.array(STEPS[:2], np.float32))


def test_the_same_column_is_sequences_to_pad() -> None:
    whole = TABLE.select(["emb"]).slice(0, 1)
    assert seqtool.pad(whole).x.tolist() == [[1, 2, 3]]


def test_names_that_are_taken_spread_nothing(place: Place) -> None:
    table = TABLE.append_column("emb_1", pa.array([1, 2, 3, 4]))
    stream = io.BytesIO()
    pq.write_table(table, stream)
    place.write("e.parquet", stream.getvalue())
    done = place.run("group", "e.parquet", "--key", "id")
    assert (done.code, "'emb'" in done.err) == (1, True), done.err


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_objects_give_the_same_bytes_from_all_cuts(
    rows: int, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = [None if i % 5 == 1 else [i, i / 8, None if i % 7 == 2 else -i] for i in range(20)]
    place.write("e.jsonl", "".join(json.dumps({"id": i % 3, "emb": e}) + "\n" for i, e in enumerate(lists)))
    whole = place.outputs("group", ["e.jsonl", "--key", "id", "--ragged"])[0]
    cells = [[NAN] * 3 if e is None else [NAN if c is None else c for c in e] for e in lists]
    expected = [cells[i] for key in range(3) for i in range(key, 20, 3)]
    np.testing.assert_array_equal(whole["values"], np.array(expected, np.float32))
    monkeypatch.setattr(json_lines, "_CELLS", rows)
    cut = place.outputs("group", ["e.jsonl", "--key", "id", "--ragged"])[0]
    assert [cut[name].tobytes() for name in whole] == [whole[name].tobytes() for name in whole]


@pytest.mark.thinned
@pytest.mark.parametrize("suffix", ["parquet", "arrow", "jsonl", "json"])
@pytest.mark.parametrize("odd", [[], [1.0], [1.0, 2.0, 3.0]])
def test_a_list_of_another_length_is_an_error(suffix: str, odd: list[float], place: Place) -> None:
    lists = [None, [1.0, 2.0], [3.0, 4.0], odd]
    table = pa.table({"id": [1, 2, 1, 2], "emb": pa.array(lists, pa.list_(pa.float64())), "v": [1, 2, 3, 5]})
    place.write(f"e.{suffix}", file_of(suffix, table))
    done = place.run("group", f"e.{suffix}", "--key", "id")
    where = {"jsonl": "line 4", "json": "line 1"}.get(suffix, "row 3")
    said = f"e.{suffix}: {where}, column 'emb': a list of length {len(odd)}; length 2 was expected"
    assert (done.code, said in done.err) == (1, True), done.err
    assert "seqtool pad" in done.err
    assert "--drop emb" in done.err
    assert place.outputs("group", [f"e.{suffix}", "--key", "id", "--drop", "emb"])[0]["features"] == ["v"]


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_all_files_of_a_call_are_held_to_the_first_list(suffix: str, place: Place) -> None:
    for name, lists in {"a": [None, None], "b": [[1.5, 2.0], None], "c": [[3.0, 4.0], [5.0, 6.0]]}.items():
        table = pa.table({"id": [1, 2], "emb": pa.array(lists, pa.list_(pa.float32()))})
        place.write(f"{name}.{suffix}", file_of(suffix, table))
    found = place.outputs("group", [f"{name}.{suffix}" for name in "abc"] + ["--key", "id", "--ragged"])[0]
    assert found["features"].tolist() == ["emb_0", "emb_1"]
    np.testing.assert_array_equal(
        found["values"], [[NAN] * 2, [1.5, 2], [3, 4], [NAN] * 2, [NAN] * 2, [5, 6]]
    )
    table = pa.table({"id": [1, 2], "emb": pa.array([[1, 2, 3], [4, 5, 6]], pa.list_(pa.float32()))})
    place.write(f"d.{suffix}", file_of(suffix, table))
    done = place.run("group", f"b.{suffix}", f"d.{suffix}", "--key", "id")
    assert (done.code, f"d.{suffix}: " in done.err, "length 3; length 2" in done.err) == (1, True, True), (
        done.err
    )


def test_fields_that_are_no_lists_of_numbers_are_told_with_the_way_out(place: Place) -> None:
    for cell in ('"x"', '["x"]', "[[1, 2]]", '{"a": 1}', "[1, [2]]"):
        place.write("e.jsonl", f'{{"id": 1, "emb": [1, 2], "v": 1}}\n{{"id": 1, "emb": {cell}, "v": 1}}\n')
        done = place.run("group", "e.jsonl", "--key", "id")
        assert (done.code, "e.jsonl: line 2" in done.err, "--drop emb" in done.err) == (1, True, True), (
            done.err
        )
        place.write("t.jsonl", f'{{"id": 1, "emb": {cell}, "v": 1}}\n')
        done = place.run("group", "t.jsonl", "--key", "id")
        assert (done.code, "--drop emb" in done.err) == (1, True), done.err


def test_frames_of_lists_in_python() -> None:
    frame = pd.DataFrame({"id": [1, 1], "emb": [np.array([0.5, 1.0]), np.array([2.0, 3.0])]})
    assert seqtool.group(frame, key="id").x.tolist() == [[[0.5, 1], [2, 3]]]
    with pytest.raises(ValueError, match=r"row 1, column 'emb': a list of length 1.*seqtool.pad"):
        seqtool.group(pd.DataFrame({"id": [1, 1], "emb": [[1.0, 2.0], [3.0]]}), key="id")
