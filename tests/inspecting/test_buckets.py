"""Buckets and batches of similar lengths, beside plain Python that tries all of them."""

from __future__ import annotations

from bisect import bisect_left
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seqtool.inspecting.buckets import batch_slots, best_buckets, bucket_slots
from seqtool.sequences.lengths import LengthCounts

SOME = st.lists(st.integers(0, 12), min_size=1, max_size=30) | st.lists(
    st.integers(1, 3) | st.integers(1, 9000), min_size=1, max_size=9
)
MANY = st.integers(0, 2**32 - 1)  # seeds


def counted(lengths: list[int]) -> LengthCounts:
    return LengthCounts.of(np.array(lengths, np.int64))


def slots(lengths: list[int], maxlens: tuple[int, ...]) -> int:
    return sum(maxlens[bisect_left(maxlens, n)] for n in lengths)


def tailed(seed: int) -> LengthCounts:
    """Thousands of distinct lengths with a heavy tail, which are not all tried."""
    random = np.random.default_rng(seed)
    return LengthCounts.of((10 * random.pareto(random.uniform(0.6, 3), 5000) * 100).astype(np.int64) % 10**7)


def quantile_buckets(counts: LengthCounts, many: int) -> tuple[int, ...]:
    """As many sequences in each bucket, as far as that goes."""
    return tuple(sorted({max(1, counts.quantile((i + 1) / many)) for i in range(many)}))


@given(SOME, st.integers(1, 5))
@example([1], 4)
@example([0, 0, 7, 7], 3)
def test_no_other_buckets_take_fewer_slots(lengths: list[int], most: int) -> None:
    if not any(lengths):
        return
    distinct = sorted({*lengths} - {0})
    maxlens = best_buckets(counted(lengths), most=most)
    assert list(maxlens) == sorted({*maxlens})
    assert {*maxlens} <= {*distinct}
    assert maxlens[-1] == distinct[-1]
    assert len(maxlens) == min(most, len(distinct))
    others = [(*ends, distinct[-1]) for ends in combinations(distinct[:-1], len(maxlens) - 1)]
    assert slots(lengths, maxlens) == min(slots(lengths, other) for other in others)


@given(SOME, st.integers(1, 9))
def test_the_slots_of_buckets_are_those_of_each_sequence(lengths: list[int], most: int) -> None:
    if any(lengths):
        maxlens = best_buckets(counted(lengths), most=most)
        assert bucket_slots(counted(lengths), maxlens) == slots(lengths, maxlens)


@pytest.mark.parametrize("many", [2, 4, 8])
@given(seed=MANY)
def test_never_more_slots_than_buckets_of_as_many_sequences(many: int, seed: int) -> None:
    counts = tailed(seed)
    assert len(counts.lengths) > 512
    maxlens = best_buckets(counts, most=many)
    assert len(maxlens) == many
    assert maxlens[-1] == counts.longest
    assert bucket_slots(counts, maxlens) <= bucket_slots(counts, quantile_buckets(counts, many))


def test_a_tail_has_buckets_of_its_own_where_quantiles_give_it_one() -> None:
    counts = LengthCounts(np.arange(1, 100_001), 10**9 // np.arange(1, 100_001) ** 2 + 1)
    best, usual = (
        bucket_slots(counts, ends) for ends in (best_buckets(counts, most=8), quantile_buckets(counts, 8))
    )
    assert 20 * best < usual


@given(SOME, st.integers(1, 40))
def test_batches_are_those_of_the_sorted_sequences(lengths: list[int], size: int) -> None:
    ordered = sorted(lengths)
    batches = [ordered[i : i + size] for i in range(0, len(ordered), size)]
    assert batch_slots(counted(lengths), batch_size=size) == sum(len(b) * max(b) for b in batches)


def test_a_hundred_million_sequences_of_two_lengths_are_no_array() -> None:
    counts = LengthCounts(np.array([3, 7]), np.array([100_000_001, 30]))
    assert batch_slots(counts, batch_size=32) == 3 * 100_000_000 + 7 * 31


def test_numbers_past_64_bits_overflow_nothing() -> None:
    counts = LengthCounts(np.array([1, 10**10]), np.array([10**10, 1]))
    assert best_buckets(counts, most=2) == (1, 10**10)
    assert bucket_slots(counts, (10**10,)) == 10**10 * (10**10 + 1)
