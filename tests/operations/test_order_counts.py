from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError
from seqtool.operations import order_counts
from seqtool.operations.order_counts import bounds_within, steps_before
from seqtool.sequences.orders import OrderColumn, stored
from seqtool.sequences.ragged import Ragged
from tests.cutting import small_windows

sequences = st.lists(st.lists(st.integers(-9, 9), max_size=7).map(sorted), max_size=6)


def of(values: list[list[Any]], dtype: Any = np.int64, unit: str = "") -> tuple[Ragged, OrderColumn]:
    flat = np.array([value for sequence in values for value in sequence], dtype)
    column = OrderColumn("t", unit, flat)
    order, names = stored([column])
    offsets = np.cumsum([0, *map(len, values)])
    return Ragged(np.zeros(len(flat)), offsets, per_step={"order": order}, names=names), column


@given(sequences, st.integers(-10, 10))
def test_steps_before_a_moment_are_counted(values: list[list[int]], limit: int) -> None:
    ragged, column = of(values)
    expected = [sum(value < limit for value in sequence) for sequence in values]
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        small_windows(patch)
        assert np.asarray(steps_before(ragged, column, limit, spool=spool)).tolist() == expected
        each = np.arange(len(values)) + limit
        expected = [sum(value < limit + i for value in sequence) for i, sequence in enumerate(values)]
        assert np.asarray(steps_before(ragged, column, each, spool=spool)).tolist() == expected


@given(sequences, st.integers(0, 9), st.booleans(), st.sampled_from([np.int64, np.float64]))
def test_steps_within_a_distance_are_counted(
    values: list[list[int]], distance: int, of_end: bool, dtype: Any
) -> None:
    ragged, _ = of(values, dtype)
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        small_windows(patch)
        bounds = bounds_within(ragged, str(distance), of_end=of_end, option="--within", spool=spool)
    found = [
        sequence[first:end]
        for sequence, first, end in zip(values, *(np.asarray(edge).tolist() for edge in bounds), strict=True)
    ]
    assert found == [
        [v for v in sequence if (sequence[-1] - v if of_end else v - sequence[0]) <= distance]
        for sequence in values
    ]


def test_values_that_fall_are_an_error_also_from_one_chunk_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order_counts, "rows_per_chunk", lambda _: 2)
    ragged, column = of([[5], [3, 7, 4, 9]])
    with Spool() as spool, pytest.raises(DataError, match="fall within sequence 1, to 4; ascending"):
        steps_before(ragged, column, 5, spool=spool)
    ragged, column = of([[3, 7, 8, 9], [1, 2]])  # another sequence may begin lower
    with Spool() as spool:
        assert np.asarray(steps_before(ragged, column, 5, spool=spool)).tolist() == [1, 2]


def test_order_values_may_be_larger_than_memory() -> None:
    ragged, column = of([[1, 2], [], [3]])
    values = np.asarray(column.values)
    lazy = OrderColumn("t", "", Lazy(values.shape, values.dtype, lambda begin, end: values[begin:end]))
    with Spool() as spool:
        assert np.asarray(steps_before(ragged, lazy, 2, spool=spool)).tolist() == [1, 0, 0]


@pytest.mark.parametrize("of_end", [False, True])
def test_within_a_time_needs_values_that_ascend(of_end: bool) -> None:
    ragged, _ = of([[1, 2], [3, 2, 1]])
    with Spool() as spool, pytest.raises(DataError, match="fall within sequence 1, to 2; ascending"):
        bounds_within(ragged, "1", of_end=of_end, option="--within", spool=spool)
