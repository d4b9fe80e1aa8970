"""Leaving out sequences that lack a label, or have a step without one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import sequence_of
from seqtool.arrays.lazy import AnyArray, chunks, span
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.dataclass import dataclass
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.kernel import Grouped
from seqtool.grouping.row_columns import STEP_LABEL
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.take import in_memory_like, take

REASON = "sequence without label"


@dataclass(frozen=True)
class Labelled:
    """The sequences that have all labels, and the steps of the others by reason; no reason where all were kept."""

    ragged: Ragged
    dropped: dict[str, int]


def labelled(
    ragged: Ragged, grouped: Grouped, plan: EncoderPlan, state: EncoderState, *, spool: Spool
) -> Labelled:
    """Leave out the sequences without a label where the plan says so; `ragged` was made of `grouped`."""
    if plan.options.empty_label != "drop" or not plan.labels:
        return Labelled(ragged, {})
    unlabelled = np.zeros(len(ragged), dtype=bool)
    for part in plan.labels:
        codes = grouped.per_step[STEP_LABEL] if part == STEP_LABEL else grouped.static[part]
        for places in _places(codes, plan.unlabelled(state, part)):
            unlabelled[_sequences(ragged.offsets, places) if part == STEP_LABEL else places] = True
    if not unlabelled.any():
        return Labelled(ragged, {REASON: 0})
    kept = GrowingArray(spool, np.dtype(np.int64))
    for begin, chunk in chunks(unlabelled):
        kept.add(np.flatnonzero(~chunk) + begin)
    taken = in_memory_like(take(ragged, kept.done(), spool=spool), ragged)
    return Labelled(taken, {REASON: span(ragged.lengths).total - span(taken.lengths).total})


def _places(codes: AnyArray, unlabelled: Array) -> Iterator[Array]:
    """The positions of codes that stand for no label, a chunk at a time; `unlabelled` is by code."""
    for begin, chunk in chunks(codes):
        yield np.flatnonzero(unlabelled[chunk]) + begin


def _sequences(offsets: AnyArray, steps: Array) -> Array:
    """The sequence that each step lies in; the steps ascend."""
    if not len(steps):
        return steps
    first, last = sequence_of(offsets, int(steps[0])), sequence_of(offsets, int(steps[-1]))
    return first + np.searchsorted(offsets[first : last + 2], steps, side="right") - 1
