"""Leaving out the sequences that have no label, or a step without one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import sequence_of
from seqtool.arrays.lazy import AnyArray, chunks, span
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.kernel import Grouped
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.take import in_memory_like, take

REASON = "sequence without label"


@dataclass(frozen=True)
class Labelled:
    """The sequences that have all their labels, and the steps of the others by reason; nothing where none was asked."""

    ragged: Ragged
    dropped: dict[str, int]


def labelled(
    ragged: Ragged, grouped: Grouped, plan: EncoderPlan, state: EncoderState, *, spool: Spool
) -> Labelled:
    """Leave out the sequences without a label where that is asked for; `ragged` is made of what was `grouped`."""
    if plan.options.empty_label != "drop" or not plan.labels:
        return Labelled(ragged, {})
    lost = np.zeros(len(ragged), dtype=bool)
    for part in plan.labels:
        codes = grouped.per_step["t"] if part == "t" else grouped.static[part]
        for places in _places(codes, plan.unlabelled(state, part)):
            lost[_sequences(ragged.offsets, places) if part == "t" else places] = True
    if not lost.any():
        return Labelled(ragged, {REASON: 0})
    kept = GrowingArray(spool, np.dtype(np.int64))
    for begin, some in chunks(lost):
        kept.add(np.flatnonzero(~some) + begin)
    taken = in_memory_like(take(ragged, kept.done(), spool=spool), ragged)
    return Labelled(taken, {REASON: span(ragged.lengths).total - span(taken.lengths).total})


def _places(codes: AnyArray, unlabelled: Array) -> Iterator[Array]:
    """Where codes stand that are no labels, a chunk at a time."""
    for begin, some in chunks(codes):
        yield np.flatnonzero(unlabelled[some]) + begin


def _sequences(offsets: AnyArray, steps: Array) -> Array:
    """The sequences of some steps that lie close together."""
    if not len(steps):
        return steps
    first, last = sequence_of(offsets, int(steps[0])), sequence_of(offsets, int(steps[-1]))
    return first + np.searchsorted(offsets[first : last + 2], steps, side="right") - 1
