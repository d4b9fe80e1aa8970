"""Plans of lengths, beside plain Python over all of them."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seqtool.errors import UsageError
from seqtool.inspecting.buckets import batch_slots, best_buckets
from seqtool.inspecting.planning import LengthPlan, Saving, length_bars, plan_lengths
from seqtool.sequences.lengths import LengthCounts
from seqtool.sources.pad import pad
from seqtool.words import percent

ORDINARY = st.lists(st.integers(0, 60), min_size=1, max_size=60)
TAILED = st.lists(st.integers(0, 5) | st.integers(0, 5000), min_size=1, max_size=40)
LENGTHS = ORDINARY | TAILED


def planned(lengths: list[int], *, features: int | None = 3, itemsize: int = 4) -> LengthPlan:
    return plan_lengths(LengthCounts.of(np.array(lengths, np.int64)), features=features, itemsize=itemsize)


def quantile(lengths: list[int], share: int) -> int:
    """The least length that at least so many percent of the sequences do not exceed."""
    return next(n for n in sorted(lengths) if 100 * sum(m <= n for m in lengths) >= share * len(lengths))


@given(LENGTHS, st.none() | st.integers(0, 9), st.sampled_from([1, 2, 4, 8]))
def test_each_candidate_has_the_price_that_all_lengths_tell(
    lengths: list[int], features: int | None, itemsize: int
) -> None:
    plan = planned(lengths, features=features, itemsize=itemsize)
    maxlens = [found.maxlen for found in plan.candidates]
    assert maxlens == sorted(set(maxlens))
    assert len(maxlens) <= 10
    if not sum(lengths):
        assert (plan.candidates, plan.savings, plan.advice.maxlen) == ((), (), None)
        return
    assert maxlens[-1] == max(lengths)
    assert {max(1, quantile(lengths, share)) for share in (50, 75, 90, 95, 99)} <= set(maxlens)
    for found in plan.candidates:
        kept = [min(n, found.maxlen) for n in lengths]
        assert found.cut == sum(n > found.maxlen for n in lengths)
        assert found.lost == sum(lengths) - sum(kept)
        assert found.slots == len(lengths) * found.maxlen
        assert found.padding == sum(found.maxlen - n for n in kept)
        assert found.nbytes == found.slots * (1 if features is None else features) * itemsize


@given(LENGTHS)
@example([3] * 99 + [10_000])
def test_one_candidate_is_the_least_that_keeps_99_percent_of_the_steps(lengths: list[int]) -> None:
    plan = planned(lengths)
    if plan.candidates:
        least = next(n for n in range(1, max(lengths) + 1) if 100 * lost(lengths, n) <= sum(lengths))
        assert least in [found.maxlen for found in plan.candidates]


def lost(lengths: list[int], maxlen: int) -> int:
    return sum(max(0, n - maxlen) for n in lengths)


@given(LENGTHS)
def test_what_else_would_save(lengths: list[int]) -> None:
    plan = planned(lengths)
    if not plan.candidates:
        return
    *others, packed = plan.savings
    assert packed == Saving("packed", sum(lengths), 0)
    for saving in others:
        assert sum(lengths) <= saving.slots < plan.candidates[-1].slots
        assert saving.padding == saving.slots - sum(lengths)
    counts, distinct = LengthCounts.of(np.array(lengths)), len({*lengths} - {0})
    buckets = [saving.maxlens for saving in others if saving.way == "buckets"]
    wanted = [best_buckets(counts, most=4)] if distinct > 1 else []
    assert buckets == wanted + ([best_buckets(counts, most=8)] if distinct > 4 else [])
    batches = batch_slots(counts, batch_size=32)
    assert [(saving.batch_size, saving.slots) for saving in others if saving.way == "batches"] == (
        [(32, batches)] if batches < plan.candidates[-1].slots else []
    )


@given(LENGTHS)
@example([7] * 5)
@example(list(range(1, 200)))
@example([14] * 96 + [40] * 4)
@example([3] * 1000 + [1_000_000])
def test_the_advice_follows_the_rule(lengths: list[int]) -> None:
    plan = planned(lengths)
    if not plan.candidates:
        return
    longest = plan.candidates[-1]
    least = next(found for found in plan.candidates if 100 * found.lost <= sum(lengths))
    if longest.padding * 3 <= longest.slots:
        wanted, ragged = longest, False
    else:
        wanted = least if least.maxlen * 10 <= longest.maxlen * 9 else longest
        ragged = wanted.padding * 2 > wanted.slots
    assert (plan.advice.maxlen, plan.advice.ragged) == (wanted.maxlen, ragged)


@pytest.mark.parametrize(
    ("lengths", "maxlen", "ragged", "words"),
    [
        ([7] * 5, 7, False, "nothing is padded or cut"),
        ([7], 7, False, "nothing is padded or cut"),
        ([8, 9, 10], 10, False, "Nothing is cut"),
        (list(range(1, 200)), 199, False, "less than a tenth"),
        ([14] * 985 + [17] * 15 + [40], 17, False, "smallest maxlen that loses at most 1%"),
        ([3] * 1_000 + [1_000_000], 1_000_000, True, "keep the sequences ragged"),
        ([1] * 99 + [50, 50], 50, True, "If it must be one block, maxlen 50 cuts nothing"),
        ([1] * 900 + [*range(10, 60)], 53, True, "maxlen 53 cuts 6 of the sequences (0.6%)"),
        ([0, 0], None, False, "every sequence is empty"),
        ([], None, False, "no sequences"),
    ],
)
def test_what_is_advised(lengths: list[int], maxlen: int | None, ragged: bool, words: str) -> None:
    advice = planned(lengths).advice
    assert words in advice.reason
    assert advice.ragged is ragged
    if maxlen is None or ragged or maxlen == max(lengths):
        assert advice.maxlen == maxlen
    else:
        assert advice.maxlen is not None
        assert advice.maxlen < max(lengths)


def test_a_million_short_sequences_and_one_long_one() -> None:
    plan = plan_lengths(
        LengthCounts(np.array([3, 1_000_000]), np.array([1_000_000, 1])), features=20, itemsize=8
    )
    assert plan.candidates[-1].nbytes == 1_000_001 * 1_000_000 * 20 * 8
    assert [found.maxlen for found in plan.candidates] == [3, 960_000, 1_000_000]
    assert plan.advice.ragged
    assert plan.savings[0].slots == 4_000_000
    assert plan.savings[1].slots == 3 * 1_000_000 + 1_000_000


def test_lengths_beyond_every_round_number() -> None:
    plan = plan_lengths(LengthCounts.of(np.array([1, 1 << 50])), features=0, itemsize=4)
    assert plan.candidates[-1].maxlen == 1 << 50


def test_bytes_are_exact_past_64_bits() -> None:
    plan = plan_lengths(LengthCounts(np.array([1, 10**9]), np.array([10**9, 1])), features=10**4, itemsize=8)
    assert plan.candidates[-1].nbytes == (10**9 + 1) * 10**9 * 10**4 * 8


@given(LENGTHS)
def test_the_slots_are_those_that_padding_makes(lengths: list[int]) -> None:
    sequences = [[[0.5, 1.5]] * n for n in lengths[:6]]
    for found in planned(lengths[:6], features=2, itemsize=8).candidates[:3]:
        x = pad(sequences, maxlen=found.maxlen, dtype="float64").x
        assert x.nbytes == found.nbytes or x.ndim == 2  # without a step nobody knows the features


@pytest.mark.parametrize(("features", "itemsize"), [(-1, 4), (3, 0)])
def test_arguments_are_checked(features: int, itemsize: int) -> None:
    with pytest.raises(UsageError, match=r"itemsize is .* and features"):
        planned([1], features=features, itemsize=itemsize)


@given(st.lists(st.integers(0, 60), max_size=60) | st.lists(st.integers(0, 5) | st.integers(0, 10**6)))
def test_bars_hold_every_sequence_once(lengths: list[int]) -> None:
    bars = length_bars(LengthCounts.of(np.array(lengths, np.int64)))
    assert len(bars) <= 16
    for (_, end, _), (begin, _, _) in pairwise(bars):
        assert begin == end + 1
    for begin, end, count in bars:
        assert count == sum(begin <= n <= end for n in lengths)
    assert sum(count for _, _, count in bars) == len(lengths)


def test_far_longer_sequences_share_the_last_bar() -> None:
    bars = length_bars(LengthCounts(np.array([3, 4, 1_000_000]), np.array([500, 500, 1])))
    assert bars == [(3, 3, 500), (4, 4, 500), (5, 1_000_000, 1)]


@given(LENGTHS)
def test_the_facts_are_plain_data(lengths: list[int]) -> None:
    plan = planned(lengths)
    facts = json.loads(json.dumps(plan.facts(), allow_nan=False))
    assert (facts["sequences"], facts["steps"]) == (len(lengths), sum(lengths))
    assert [found["maxlen"] for found in facts["candidates"]] == [found.maxlen for found in plan.candidates]
    assert facts["advice"]["maxlen"] == plan.advice.maxlen


def test_a_share_tells_nothing_and_all_apart_from_nearly_so() -> None:
    assert [percent(part, 10_000) for part in (0, 1, 5, 150, 5000, 9_999, 10_000)] == [
        "0%",
        "<0.1%",
        "0.1%",
        "1.5%",
        "50.0%",
        ">99.9%",
        "100.0%",
    ]
