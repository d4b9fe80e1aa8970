"""Times of order columns come back from `unpad` as they were written."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.sequences.iso_writing import writing_of, written
from tests.command import Place, succeeded

FORMATS = ["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"]


@given(st.lists(st.datetimes(datetime.datetime(1000, 1, 1)), min_size=1), st.sampled_from(FORMATS))
def test_a_writing_gives_its_cells_back(times: list[datetime.datetime], form: str) -> None:
    cells = [time.strftime(form) for time in times]
    writing = writing_of(pa.array(cells))
    held = [datetime.datetime.strptime(cell, form) for cell in cells]
    plain = [
        (one.isoformat(timespec="seconds"), f"{one.microsecond:06}" if one.microsecond else "")
        for one in held
    ]
    assert [written(second, fraction, writing) for second, fraction in plain] == cells


@pytest.mark.thinned
@pytest.mark.parametrize(
    "cells",
    [
        ("2024-01-02", "2024-01-03"),
        ("2024-01-02 10:00", "2024-01-03 00:00"),
        ("2024-01-02T10:00:00", "2024-01-03T11:00:00"),
        ("2024-01-02 10:00:00.5", "2024-01-03 00:00:00.0"),
        ("2024-01-02T10:00:00Z", "2024-01-03T10:00:00Z"),
        ("2024-01-02", "2024-01-03T10:00:00"),
        ("", "2024-01-03"),
    ],
)
def test_rows_come_back_as_they_were(place: Place, cells: tuple[str, str]) -> None:
    rows = [f"a,{cell},1" for cell in cells if cell]
    place.write("t.csv", "\n".join(["k,t,x", *rows]) + "\n")
    call = ("group", "t.csv", "--key", "k", "--order-by", "t", "--keep-order", "-o", "t.npz")
    succeeded(place.run(*call))
    found = succeeded(place.run("unpad", "t.npz", "-o", "-")).out.decode().splitlines()[1:]
    mixed = len({len(cell) for cell in cells if cell}) > 1
    expected = [row.replace("02,1", "02T00:00:00,1") for row in rows] if mixed else rows
    assert [row.rsplit(",", 1)[0] for row in found] == expected


def test_days_of_typed_tables_and_of_joined_files(place: Place) -> None:
    days = pa.table(
        {"k": ["a", "b"], "t": [datetime.date(2024, 1, 2), datetime.date(2024, 1, 3)], "x": [1, 2]}
    )
    pq.write_table(days, place.folder / "d.parquet")
    place.write("t.csv", "k,t,x\nc,2024-01-02 10:00,1\n")
    for name in ("d.parquet", "t.csv"):
        call = ("group", name, "--key", "k", "--order-by", "t", "--keep-order", "--ragged")
        succeeded(place.run(*call, "-o", f"{name}.npz"))
    alone = succeeded(place.run("unpad", "d.parquet.npz", "-o", "-")).out.decode().splitlines()
    assert alone[1:] == ["a,2024-01-02,1,0", "b,2024-01-03,2,0"]
    succeeded(place.run("concat", "d.parquet.npz", "t.csv.npz", "-o", "all.npz"))
    rows = succeeded(place.run("unpad", "all.npz", "-o", "-")).out.decode().splitlines()[1:]
    assert rows == [*alone[1:], "c,2024-01-02T10:00:00,1,0"]  # which days alone would not hold
    grid = ("group", "d.parquet", "--key", "k", "--order-by", "t", "--keep-order", "--every", "12h")
    succeeded(place.run(*grid, "-o", "g.npz"))
    assert b"2024-01-02T00:00:00" in succeeded(place.run("unpad", "g.npz", "-o", "-")).out
