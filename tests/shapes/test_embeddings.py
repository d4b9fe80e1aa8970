"""Columns of lists of one size, such as embeddings, spread into features."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seqtool
from tests.command import Place, succeeded

LISTS = [[1.0, 2.0, 3.0], [4.0, None, 6.0], None, [7.0, 8.0, 9.0]]
TABLE = pa.table(
    {"id": [2, 1, 2, 1], "emb": pa.array(LISTS, pa.list_(pa.float32(), 3)), "v": [0.5, 1.5, 2.5, 3.5]}
)
NAN = float("nan")
CELLS = [[NAN] * 3 if row is None else [NAN if cell is None else cell for cell in row] for row in LISTS]
STEPS = [[*CELLS[1], 1.5], [*CELLS[3], 3.5], [*CELLS[0], 0.5], [*CELLS[2], 2.5]]


def file_of(suffix: str) -> bytes:
    stream = io.BytesIO()
    if suffix == "parquet":
        pq.write_table(TABLE, stream, row_group_size=3)
    else:
        with pa.ipc.new_file(stream, TABLE.schema) as file:
            file.write_table(TABLE, max_chunksize=3)
    return stream.getvalue()


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_each_cell_is_a_feature(suffix: str, place: Place) -> None:
    place.write(f"e.{suffix}", file_of(suffix))
    found = place.outputs("group", [f"e.{suffix}", "--key", "id", "--ragged"])[0]
    assert found["features"].tolist() == ["emb_0", "emb_1", "emb_2", "v"]
    np.testing.assert_array_equal(found["values"], np.array(STEPS, np.float32))
    assert b"seqtool group" in succeeded(place.run("plan", f"e.{suffix}", "--key", "id")).out


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
def test_the_column_stands_for_its_cells(option: str, features: list[str], place: Place) -> None:
    place.write("e.parquet", file_of("parquet"))
    found = place.outputs("group", ["e.parquet", "--key", "0", *option.split()])[0]
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
