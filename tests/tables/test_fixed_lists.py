"""Columns of the cells of lists of one size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from seqtool.tables.fixed_lists import reading, spread

BATCH = pa.record_batch(
    {"a": [1, 2, 3], "b": pa.array([[1, 2], None, [5, 6]], pa.list_(pa.int8(), 2)), "c": ["x", "y", "z"]}
)


def read(columns: Sequence[int], _: Any) -> Iterator[Any]:
    yield BATCH.slice(1).select(list(columns))


def test_cells_are_read_in_any_order_beside_other_columns() -> None:
    found = spread(BATCH.schema.names, BATCH.schema.types)
    (batch,) = reading(read, found)([4, 0, 3, 1], None)
    assert [column.to_pylist() for column in batch.columns] == [[None, 6], [2, 3], [None, 5], [None, [5, 6]]]
    assert found.types[3:] == (pa.int8(), pa.int8())


def test_lists_of_other_sizes_and_of_lists_have_none() -> None:
    kinds = [pa.list_(pa.int8()), pa.list_(pa.list_(pa.int8(), 2), 2), pa.list_(pa.int8(), 0)]
    assert spread(["a", "b", "c"], kinds).elements == {}
