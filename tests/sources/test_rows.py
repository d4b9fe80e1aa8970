"""The reader of rows, on tables in memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from seqtool.errors import DataError
from seqtool.sources.options import ForeignSpec, RowSpec, Sequences, SourceOptions
from seqtool.sources.rows import read_rows
from seqtool.tables.in_memory import table_of


def read(data: object, **foreign: object) -> Sequences:
    return read_rows(table_of(data), SourceOptions(foreign=ForeignSpec(**foreign)))


def test_columns_of_an_array_are_steps_by_their_positions() -> None:
    found = read(np.array([[1.0, 2.0, np.nan], [3.0, np.nan, np.nan]]), rows=RowSpec(steps=(0, 1, 2)))
    assert (found.ragged.values[:].tolist(), found.ragged.lengths[:].tolist()) == ([1, 2, 3], [2, 1])


def test_a_frame_may_hold_lists_and_steps() -> None:
    frame = pd.DataFrame({"s": [[1, 2], [3]], "t0": [4, 5], "t1": [None, 6.5]})
    assert read(frame).ragged.values[:].tolist() == [1, 2, 3]
    assert read(frame, rows=RowSpec(steps=("t0", "t1"))).ragged.values[:].tolist() == [4, 5, 6.5]


def test_no_row_is_no_sequence() -> None:
    table = pa.table({"s": pa.array([], pa.list_(pa.int8())), "t": pa.array([], pa.int64())})
    assert (len(read(table).ragged), read(table).ragged.values.dtype) == (0, np.int8)
    assert len(read(table, rows=RowSpec(steps=("t",))).ragged) == 0


def test_steps_of_several_columns_are_numbers() -> None:
    table = pa.table({"a": [[[1, 2]]], "b": [[3]]})
    with pytest.raises(DataError, match="the steps of 'a' are lists; numbers were expected"):
        read(table, array="a,b")
