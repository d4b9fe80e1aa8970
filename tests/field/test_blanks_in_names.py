"""Names of a header with blanks around them, `id , v`: options name their columns without, whatever holds them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import seqtool
from tests.command import Place, succeeded

NAMES = ["id ", " t", "  v ", "y  "]
ROWS = [[2, 1, 5, 0], [1, 2, 6, 1], [1, 1, 7, 1]]
FRAME = pd.DataFrame(ROWS, columns=NAMES)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Files with such names, and a table of labels that has none."""
    place = Place(tmp_path)
    for name, mark in (("t.csv", ","), ("t.tsv", "\t")):
        place.write(name, "".join(mark.join(map(str, row)) + "\n" for row in [NAMES, *ROWS]))
    place.write("t.jsonl", "".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in ROWS))
    FRAME.to_parquet(place.folder / "t.parquet")
    place.write("l.csv", "id,died\n1,no\n2,yes\n")
    return place


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_any_option_of_columns(suffix: str, place: Place) -> None:
    rest = ["--order-by", "t:desc", "--columns", "v", "--label", "y", "--static", "y", "--where"]
    found = place.outputs("group", [f"t.{suffix}", "--key", "id", *rest, "v > 5", "--ragged"])[0]
    assert found["keys"].tolist() == [1]
    assert found["values"].tolist() == [[6], [7]]
    assert (found["y"].tolist(), found["static"].tolist()) == ([0], [[1]])
    assert found["features"].tolist() == ["  v "]  # as the file has it
    found = place.outputs("group", [f"t.{suffix}", "--key", " id", "--drop", "t,y", "--label", "l.csv:died"])[
        0
    ]
    assert found["y"].tolist() == [0, 1]
    long = ["--key", "id", "--order-by", "t", "--pivot", "y=v", "--ragged"]
    assert place.outputs("group", [f"t.{suffix}", *long])[0]["features"].tolist() == ["0", "1"]
    found = place.outputs("pad", [f"t.{suffix}", "--steps", "t,v", "--label", "y"])[0]
    assert found["x"].tolist() == [[1, 5], [2, 6], [1, 7]]


def test_fields_of_sequences(place: Place) -> None:
    place.write("s.jsonl", '{"id ": 7, " v": [1, 2]}\n{"id ": 8, " v": [3]}\n')
    assert place.outputs("pad", ["s.jsonl", "--array", "v", "--key", "id"])[0]["keys"].tolist() == [7, 8]


def test_a_second_table_and_frames(place: Place) -> None:
    place.write("rows.csv", "id,v\n1,2\n2,3\n")
    place.write("l.csv", "id , died\n1,no\n2,yes\n")
    succeeded(place.run("group", "rows.csv", "--key", "id", "--label", "l.csv:died"))
    assert seqtool.group(FRAME, key="id", order_by="t", columns="v").x.tolist() == [[[7], [6]], [[5], [0]]]


def test_the_name_as_written_comes_first_and_two_of_them_are_told_apart(place: Place) -> None:
    place.write("two.csv", "id, id,v\n1,2,3\n1,3,4\n")
    found = place.outputs("group", ["two.csv", "--key", "id", "--columns", "v"])[0]
    assert found["keys"].tolist() == [1]
    place.write("two.csv", '"id "," id",v\n1,2,3\n1,3,4\n')
    done = place.run("group", "two.csv", "--key", "id")
    assert (done.code, '"id ", " id", v' in done.err) == (1, True), done.err
