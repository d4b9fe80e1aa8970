"""Sequences that overlap with one in another file."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays import gather
from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.operations import duplicates, step_sums, stretches
from seqtool.operations.stretches import overlapping, summed
from seqtool.sequences.ragged import Ragged
from tests import oracles


def ragged(sequences: list[list[Any]], dtype: Any = float) -> Ragged:
    values = np.array([step for sequence in sequences for step in sequence], dtype)
    return Ragged(values, np.cumsum([0, *map(len, sequences)], dtype=np.int64))


def changing(numbers: list[int]) -> list[int]:
    """The same without a number that stands behind itself: then nothing begins in steps that are all the same."""
    return numbers[:1] + [b for a, b in pairwise(numbers) if a != b]


def sawtooth(period: int, length: int, at: int, other: int) -> list[int]:
    """Steps that repeat, with perhaps one other among them."""
    return [other if i == at else i % period for i in range(length)]


any_steps = st.lists(st.integers(0, 9), max_size=14).map(changing)
periodic = st.builds(sawtooth, st.integers(2, 4), st.integers(8, 24), st.integers(0, 40), st.integers(5, 6))
recordings = st.lists(any_steps | periodic, min_size=1, max_size=4)


@st.composite
def cuts(draw: st.DrawFn) -> tuple[list[list[int]], list[list[int]]]:
    """Stretches of the same recordings, twice."""
    whole = draw(recordings)

    def some() -> list[list[int]]:
        count = draw(st.integers(1, 5))
        chosen = [draw(st.sampled_from(whole)) for _ in range(count)]
        edges = [sorted(draw(st.integers(0, len(one))) for _ in range(2)) for one in chosen]
        return [one[begin:end] for one, (begin, end) in zip(chosen, edges, strict=True)]

    return some(), some()


@given(both=cuts(), pieces=st.sampled_from([1 << 16, 3, 1]), per_step=st.sampled_from([0, 1]))
def test_the_same_as_looking_at_every_place(
    both: tuple[list[list[int]], list[list[int]]], pieces: int, per_step: int
) -> None:
    one, other = both
    expected = oracles.begin_within(one, other)
    turned = [(i, j) for j, i in oracles.begin_within(other, one)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stretches, "_TOGETHER", pieces)
        patch.setattr(step_sums, "_STEPS", pieces)
        patch.setattr(gather, "SEQUENCES_TOGETHER", pieces)
        patch.setattr(stretches, "_PER_STEP", per_step)
        patch.setattr(stretches, "_KNOWN", max(pieces, 2))
        found = overlapping(*summed(ragged(one), ragged(other), Spool()), least=3)
    if found is None:
        assert not expected + turned
    elif expected:
        assert (found.count, found.first[1]) == (len(expected), expected[0][1])
        assert found.first in {(i, j) for i in range(len(one)) for j in [expected[0][1]]}
    else:
        assert found.count == len(turned)
        assert found.first[0] == turned[0][0]


NAN = float("nan")
SAME: dict[str, tuple[Any, Any]] = {
    "a stretch": ([[1, 2, 3, 4, 5]], [[2, 3, 4]]),
    "a window that goes on": ([[1, 2, 3, 4, 5]], [[3, 4, 5, 6]]),
    "a window that began before": ([[3, 4, 5, 6]], [[1, 2, 3, 4, 5]]),
    "steps of several features": ([[[1, 0], [2, 0], [3, 0], [4, 9]]], [[[2, 0], [3, 0], [4, 9]]]),
    "missing values": ([[1, NAN, 3, 4]], [[NAN, 3, 4]]),
    "it begins in equal steps": ([[7, 0, 0, 0, 1, 2, 3]], [[0, 0, 1, 2]]),
}
OTHER: dict[str, tuple[Any, Any]] = {
    "whole sequences": ([[1, 2, 3, 4]], [[1, 2, 3, 4]]),
    "two steps": ([[1, 2, 3, 4, 5]], [[2, 3]]),
    "less than half": ([[1, 2, 3, 4, 5]], [[3, 4, 5, 6, 7, 8, 9]]),
    "it ends otherwise": ([[1, 2, 3, 4, 5, 6]], [[2, 3, 4, 9]]),
    "equal steps alone": ([[0, 0, 0, 0, 0, 1]], [[0, 0, 0]]),
    "steps of two sequences": ([[1, 2, 3], [4, 5, 6]], [[2, 3, 4, 5]]),
}


@pytest.mark.parametrize("how", [*SAME, *OTHER])
def test_what_overlaps(how: str) -> None:
    one, other = (SAME | OTHER)[how]
    found = overlapping(*summed(ragged(one), ragged(other), Spool()), least=3)
    assert (found is not None) == (how in SAME)


def test_what_few_different_numbers_share_by_chance_does_not_count() -> None:
    rolls = np.random.default_rng(1)
    coins, others = (Ragged(rolls.integers(0, 2, 4000), np.arange(0, 4001, 10)) for _ in range(2))
    assert overlapping(*summed(coins, others, Spool()), least=3) is not None
    assert overlapping(*summed(coins, others, Spool())) is None
    readings = np.random.default_rng(3).normal(size=4005)
    windows, later = (Ragged(readings[begin : begin + 4000], np.arange(0, 4001, 10)) for begin in (0, 5))
    found = overlapping(*summed(windows, later, Spool()))
    assert found is not None
    assert found.count == 400  # each goes on for five steps


def test_what_repeats_is_compared_with_as_many_places_as_it_has_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not each place with each sequence, which would be millions of pairs."""
    looked_at = 0

    def counted(*given: Any) -> Any:
        nonlocal looked_at
        for pair in pairs(*given):
            looked_at += len(pair[0])
            yield pair

    pairs = stretches._pairs
    monkeypatch.setattr(stretches, "_pairs", counted)
    windows = Ragged(np.arange(40_000) % 7, np.arange(0, 40_001, 100))
    found = overlapping(*summed(windows, windows, Spool()))
    assert found is not None
    assert found.count == 400
    late = Ragged(
        np.where(np.arange(40_000) % 100 == 90, np.arange(40_000), np.arange(40_000) % 100 % 7),
        windows.offsets,
    )
    assert (
        overlapping(*summed(late, Ragged(late.values + 0.5 * (late.values > 7), late.offsets), Spool()))
        is None
    )
    assert looked_at < 10 * 40_000


def test_arrays_that_are_read_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two float types, long beyond a chunk: the narrower counts."""
    monkeypatch.setattr(duplicates, "CHUNK", 1 << 9)
    values = np.random.default_rng(2).normal(size=(3000, 2))
    whole = Lazy(values.shape, values.dtype, lambda begin, end: values[begin:end].copy())
    part = Ragged(values[500:2500].astype(np.float32), np.array([0, 2000]))
    found = overlapping(*summed(Ragged(whole, np.array([0, 10, 3000])), part, Spool()))
    assert found is not None
    assert (found.count, found.first) == (1, (1, 0))


@pytest.mark.parametrize("lengths", [[300] * 100, [*range(300, 400)]])
def test_those_that_differ_late_are_not_compared_with_one_another(
    lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []
    pairs = stretches._pairs

    def counted(*arguments: Any) -> Any:
        for places, others in pairs(*arguments):
            compared.append(len(places))
            yield places, others

    monkeypatch.setattr(stretches, "_pairs", counted)
    ends = iter(range(1000, 2000))
    one, other = (ragged([[*sawtooth(3, n - 1, -1, 0), next(ends)] for n in lengths]) for _ in range(2))
    assert overlapping(*summed(one, other, Spool())) is None
    assert sum(compared) < 4 * len(one.values)
