"""What pictures are made of, against plain Python that reads everything."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays import lazy as lazy_module
from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.plotting.sampling import (
    Distribution,
    aligned_bars,
    by_length,
    cells,
    columns,
    covered,
    evenly,
    limits,
    reach,
    some_steps,
    tally,
    unit,
)
from seqtool.sequences.lengths import LengthCounts
from seqtool.sequences.padding_values import Side
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.validation import offsets_of

LENGTHS = st.lists(st.integers(0, 9), max_size=40).map(lambda lengths: np.array(lengths, np.int64))


def lazy(array: AnyArray) -> Lazy:
    return Lazy(array.shape, array.dtype, lambda begin, end: np.array(array[begin:end]))


def ragged(lengths: Array, features: int = 2) -> Ragged:
    steps = int(lengths.sum())
    return Ragged(np.arange(steps * features).reshape(steps, features), offsets_of(lengths))


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays are read a few rows at a time."""
    monkeypatch.setattr(lazy_module.chunks, "__defaults__", (24,))
    monkeypatch.setattr(lazy_module.rows_per_chunk, "__defaults__", (24,))


@given(st.integers(0, 10**12), st.integers(1, 50))
def test_evenly_takes_the_ends_and_what_lies_between(count: int, most: int) -> None:
    found = evenly(count, most).tolist()
    assert len(found) == min(count, most)
    assert found == sorted(set(found))
    if len(found) > 1:
        assert (found[0], found[-1]) == (0, count - 1)
        gaps = np.diff(found)
        assert gaps.max() - gaps.min() <= 1


@given(LENGTHS, st.integers(1, 50), st.booleans())
def test_by_length_is_a_stable_sort_thinned(lengths: Array, most: int, in_windows: bool) -> None:
    ranked = sorted(range(len(lengths)), key=lambda i: lengths[i])
    expected = [ranked[rank] for rank in evenly(len(lengths), most)]
    given_lengths = lazy(lengths) if in_windows else lengths
    assert by_length(given_lengths, LengthCounts.of(lengths), most=most).tolist() == expected


@pytest.mark.usefixtures("small_windows")
def test_by_length_counts_on_from_window_to_window() -> None:
    lengths = np.random.default_rng(0).integers(0, 5, 200)
    expected = np.argsort(lengths, kind="stable")[evenly(200, 30)].tolist()
    assert by_length(lazy(lengths), LengthCounts.of(lengths), most=30).tolist() == expected


@pytest.mark.usefixtures("small_windows")
@pytest.mark.parametrize("padding", ["pre", "post"])
def test_cells_are_those_of_the_padded_array(padding: Side) -> None:
    lengths = np.array([2, 0, 5, 1, 3])
    data = ragged(lengths, features=3)
    expected = np.full((5, 7), np.nan)
    for i, (begin, end) in enumerate(zip(data.offsets[:-1], data.offsets[1:], strict=True)):
        place = slice(0, end - begin) if padding == "post" else slice(7 - (end - begin), 7)
        expected[i, place] = data.values[begin:end][:, 1]
    for order, slots in [
        ([3, 2, 0], np.arange(7)),
        ([4, 1, 2, 0, 3], np.array([0, 2, 5, 6])),
        ([], np.arange(7)),
    ]:
        sequences = np.array(order, np.int64)
        in_file = Ragged(lazy(data.values), lazy(data.offsets))
        found = cells(in_file, sequences, slots, maxlen=7, padding=padding, feature=1)
        np.testing.assert_array_equal(found.values, expected[sequences][:, slots])
        np.testing.assert_array_equal(found.real, ~np.isnan(expected[sequences][:, slots]))


def test_a_real_nan_is_no_padding() -> None:
    found = cells(
        Ragged(np.array([[np.nan], [1.0]]), np.array([0, 2])),
        np.array([0]),
        np.arange(3),
        maxlen=3,
        padding="post",
        feature=0,
    )
    assert found.real.tolist() == [[True, True, False]]
    assert np.isnan(found.values).tolist() == [[True, False, True]]


@pytest.mark.usefixtures("small_windows")
@pytest.mark.parametrize("values", [np.arange(40), np.arange(40).reshape(20, 2), np.ones((20, 2), bool)])
def test_columns_and_rows_that_are_picked(values: Array) -> None:
    rows = np.array([0, 1, 7, 19])
    assert gather(lazy(values), rows).tolist() == values[rows].tolist()
    matrix = values.reshape(len(values), -1)
    place = np.array([matrix.shape[1] - 1])
    assert columns(lazy(values), rows, place).tolist() == matrix[rows][:, place].astype(float).tolist()
    assert columns(lazy(values), rows[:0], place).shape == (0, 1)


@given(LENGTHS, st.integers(1, 60))
def test_some_steps_are_those_of_whole_evenly_spread_sequences(lengths: Array, most: int) -> None:
    data = ragged(lengths)
    rows, count = some_steps(data, most=most)
    total = int(lengths.sum())
    if total <= most:
        assert (rows.tolist(), count) == (list(range(total)), len(lengths))
        return
    chosen = evenly(len(lengths), max(1, most * len(lengths) // total))
    whole = [row for i in chosen for row in range(data.offsets[i], data.offsets[i + 1])]
    assert count == len(chosen)
    if len(whole) <= 2 * most:
        assert rows.tolist() == whole
    else:
        assert rows.tolist() == [whole[i] for i in evenly(len(whole), most)]


def test_some_steps_of_one_endless_sequence_are_spread_over_it() -> None:
    rows, count = some_steps(ragged(np.array([10_000])), most=11)
    assert count == 1
    assert rows.tolist() == [0, 1000, 2000, 3000, 4000, 5000, 5999, 6999, 7999, 8999, 9999]


@given(LENGTHS.filter(len), st.integers(1, 12), st.integers(0, 9) | st.none())
def test_aligned_bars_hold_every_sequence_and_keep_to_the_edge(
    lengths: Array, most: int, edge: int | None
) -> None:
    counts = LengthCounts.of(lengths)
    first, bars, width = aligned_bars(counts, longest=counts.longest, most=most, edge=edge)
    assert bars.sum() == len(lengths)
    assert len(bars) <= most + 1
    assert first[0] <= lengths.min() < first[0] + width
    assert first[-1] <= lengths.max() < first[-1] + width
    for begin, bar in zip(first.tolist(), bars.tolist(), strict=True):
        assert bar == sum(begin <= length < begin + width for length in lengths)
        assert edge is None or not begin <= edge < begin + width - 1


def test_the_last_of_the_bars_is_whole_where_longer_ones_are_left_out() -> None:
    lengths = np.array([*range(1, 15), 500])
    first, bars, width = aligned_bars(LengthCounts.of(lengths), longest=10, most=4)
    assert (first.tolist(), bars.tolist(), width) == ([1, 4, 7, 10], [3, 3, 3, 3], 3)


@pytest.mark.parametrize("edge", [None, *range(20, 100, 9)])
def test_outer_bars_are_no_dips(edge: int | None) -> None:
    """Each length from 7 on has one sequence, so that each bar should be as high as it is wide."""
    counts = LengthCounts.of(np.arange(7, 120))
    _, bars, width = aligned_bars(counts, longest=119, most=48, edge=edge)
    assert bars[1:-1].tolist() == [width] * (len(bars) - 2)
    assert 2 * bars[0] > width
    assert 2 * bars[-1] > width


def test_outer_bars_are_whole_where_a_width_allows_it() -> None:
    counts = LengthCounts.of(np.arange(1, 101))
    _, bars, width = aligned_bars(counts, longest=100, most=36, edge=50)
    assert (width, bars.tolist()) == (5, [5] * 20)


@pytest.mark.parametrize(
    ("lengths", "expected"), [([], 0), ([0, 0], 0), ([7], 7), ([1] * 99 + [4], 4), ([1] * 99 + [5], 2)]
)
def test_reach_looks_past_a_few_far_longer_ones(lengths: list[int], expected: int) -> None:
    assert reach(LengthCounts.of(np.array(lengths, np.int64))) == expected


@given(LENGTHS, st.integers(1, 12), st.sampled_from(["pre", "post"]))
def test_covered_adds_up_to_the_lengths(lengths: Array, columns: int, padding: Side) -> None:
    found = covered(lengths, width=9, columns=columns, padding=padding)
    assert found.shape == (len(lengths), columns)
    np.testing.assert_allclose(found.sum(axis=1) * 9 / columns, lengths)
    steps = np.diff(found, axis=1)
    assert ((steps <= 1e-12) if padding == "post" else (steps >= -1e-12)).all()


HUGE = [-1.7e308, -1e300, -1.0, -5e-324, 0.0, 5e-324, 1e-300, 2.0, 1e300, 1.7e308]


@given(st.sampled_from(HUGE), st.sampled_from(HUGE), st.sampled_from([*HUGE, np.inf, -np.inf]))
def test_unit_lies_from_0_to_1_for_every_float(one: float, other: float, value: float) -> None:
    low, high = sorted((one, other))
    [found] = unit(np.array([value]), low, high).tolist()
    assert 0 <= found <= 1
    if low < high and value >= high:
        assert found == 1
    if value <= low:
        assert found == 0


def test_limits_cut_a_few_that_are_far_out() -> None:
    numbers = np.concatenate([np.linspace(0, 1, 1000), [1e300, -1e300]])
    low, high = limits(numbers, 0.01)
    assert 0 < low < 0.02
    assert 0.98 < high < 1
    assert limits(np.array([4.0]), 0.01) == (4.0, 4.0)
    assert limits(np.array([-1.7e308, 0, 1.7e308]), 0.01) == (-1.7e308, 1.7e308)


NUMBERS = st.lists(
    st.sampled_from([np.nan, np.inf, -np.inf, *HUGE]) | st.integers(-3, 3).map(float), max_size=30
)


@given(NUMBERS)
def test_a_distribution_accounts_for_every_number(numbers: list[float]) -> None:
    found = Distribution.measure("a", np.array(numbers))
    assert found.of == len(numbers)
    assert found.missing + found.infinite + found.beyond + sum(found.bins) == len(numbers)
    finite = sorted(number for number in numbers if np.isfinite(number))
    assert found.infinite == sum(map(np.isinf, numbers))
    assert bool(found.bins) == bool(finite)
    if finite:
        assert (found.least, found.largest) == (finite[0], finite[-1])
        assert found.median == finite[(len(finite) - 1) // 2]


@pytest.mark.parametrize(
    ("numbers", "bins", "whole"),
    [
        ([5.0, 5.0], (2,), True),
        ([0.5, 0.5, 0.5], (3,), False),
        ([2.0**60] * 2, (2,), False),
        ([0, 1, 1, 3], (1, 2, 0, 1), True),
        ([True, False, True], (1, 2), True),
    ],
)
def test_few_whole_numbers_have_a_bin_each(numbers: list[Any], bins: tuple[int, ...], whole: bool) -> None:
    found = Distribution.measure("a", np.array(numbers, float))
    assert (found.bins, found.whole) == (bins, whole)


@pytest.mark.usefixtures("small_windows")
def test_a_tally_over_windows() -> None:
    numbers = np.random.default_rng(1).integers(0, 6, 100)
    found = tally(lazy(numbers), most=6)
    assert found is not None
    assert dict(zip(found[0].tolist(), found[1].tolist(), strict=True)) == {
        n: int((numbers == n).sum()) for n in range(6)
    }
    assert tally(lazy(numbers), most=5) is None
    words = tally(np.array(["b", "a", "b"]), most=5)
    assert words is not None
    assert (words[0].tolist(), words[1].tolist()) == (["a", "b"], [1, 2])
    missing = tally(np.array([np.nan, 1.0, np.nan]), most=2)
    assert missing is not None
    assert missing[1].tolist() == [1, 2]
