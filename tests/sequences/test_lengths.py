"""Lengths and how often each occurs, beside NumPy over all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays.lazy import Lazy
from seqtool.sequences.lengths import LengthCounts

some = st.lists(st.integers(0, 60), min_size=1, max_size=60)


@given(some, st.integers(0, 70))
def test_counts_say_what_numpy_says_of_all_lengths(lengths: list[int], maxlen: int) -> None:
    array = np.array(lengths)
    counts = LengthCounts.of(array)
    assert (counts.count, counts.steps, counts.longest) == (len(lengths), sum(lengths), max(lengths))
    assert counts.empty == lengths.count(0)
    assert counts.median() == np.median(array)
    for share in (0.01, 0.5, 0.9, 0.95, 0.99, 1.0):
        assert counts.quantile(share) == np.quantile(array, share, method="inverted_cdf")
    assert counts.beyond(maxlen) == (
        sum(n > maxlen for n in lengths),
        sum(max(0, n - maxlen) for n in lengths),
    )


@given(some, st.integers(1, 30))
def test_the_bars_of_a_histogram_hold_every_sequence(lengths: list[int], most: int) -> None:
    bars = LengthCounts.of(np.array(lengths)).histogram(most)
    assert 1 <= len(bars) <= most
    assert len({last - first for first, last, _ in bars}) == 1
    for first, last, many in bars:
        assert many == sum(first <= n <= last for n in lengths)
    assert sum(many for *_, many in bars) == len(lengths)


def test_counts_are_taken_by_windows() -> None:
    def read(begin: int, end: int) -> np.ndarray:
        assert end - begin <= 1 << 20
        return np.arange(begin, end) % 5

    counts = LengthCounts.of(Lazy((3_000_000,), np.dtype(np.int64), read))
    assert counts.sequences.tolist() == [600_000] * 5


def test_no_sequences() -> None:
    counts = LengthCounts.of(np.empty(0, np.int64))
    assert (counts.count, counts.steps, counts.longest, counts.empty) == (0, 0, 0, 0)
    assert counts.histogram() == []


@pytest.mark.parametrize(("longest", "width"), [(20, 1), (29, 2), (100, 5), (1000, 50), (1001, 100)])
def test_bars_have_round_widths(longest: int, width: int) -> None:
    [(first, last, _), *_] = LengthCounts.of(np.array([1, longest])).histogram(20)
    assert (first, last - first + 1) == (1, width)
