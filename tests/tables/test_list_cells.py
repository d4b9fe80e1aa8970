"""Columns of the cells of lists of one size."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from seqtool.tables.in_memory import table_of
from seqtool.tables.list_cells import UnequalListsError
from seqtool.tables.table import Table

FIXED = pa.list_(pa.int8(), 2)


def table(kind: Any = FIXED, lists: Any = ([1, 2], None, [5, 6])) -> Table:
    return table_of(pa.table({"a": [1, 2, 3], "b": pa.array(lists, kind), "c": ["x", "y", "z"]}))


@pytest.mark.parametrize("kind", [FIXED, pa.list_(pa.int8()), pa.large_list(pa.int8())])
def test_cells_are_read_in_any_order_beside_other_columns(kind: Any) -> None:
    found = table(kind)
    (batch,) = found.batches([4, 0, 3, 1])
    assert [column.to_pylist() for column in batch.columns] == [
        [2, None, 6],
        [1, 2, 3],
        [1, None, 5],
        [[1, 2], None, [5, 6]],
    ]
    assert found.types[3:] == (pa.int8(), pa.int8())


@pytest.mark.parametrize(
    ("kind", "lists"),
    [
        (pa.list_(pa.list_(pa.int8(), 2), 2), [[[1, 2], [3, 4]]] * 3),
        (pa.list_(pa.int8(), 0), [[]] * 3),
        (pa.list_(pa.int8()), [[], [1], [2]]),
        (pa.list_(pa.int8()), [None] * 3),
        (pa.list_(pa.string()), [["u"]] * 3),
    ],
)
def test_lists_of_lists_of_text_and_of_nothing_have_none(kind: Any, lists: Any) -> None:
    assert table(kind, lists).elements == {}


@pytest.mark.parametrize("odd", [[1], [], [1, 2, 3]])
def test_a_list_of_another_length_is_told_with_both(odd: list[int]) -> None:
    found = table(pa.list_(pa.int8()), [None, [1, 2], odd])
    with pytest.raises(
        UnequalListsError, match=f"row 2, column 'b': a list of length {len(odd)}; length 2 was"
    ):
        next(found.batches([3]))
    assert len(next(found.batches([0, 1]))) == 3
