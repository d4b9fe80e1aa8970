"""Sequences that `split --at` parted at a moment, and what of the steps before it windows need.

With `--context` a part of val or test begins with the steps before it, its history, whose weight is 0. A window there
may begin in the history, but what follows it, or its last step, is the part's own, so that no window of test is one of
train too.
"""

from __future__ import annotations

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy, lazy_map
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.operations.order_counts import steps_before
from seqtool.sequences.orders import OrderColumn
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.take import take


@dataclass(frozen=True, eq=False)
class Parts:
    """Parts of sequences, and the step of the whole sequence that each begins with, (N,) int64."""

    ragged: Ragged
    first: AnyArray


def parted_at_moment(ragged: Ragged) -> bool:
    """Whether the sequences are parts that a split at a moment made, so that `part` is the first step of each."""
    parting = [entry for entry in ragged.receipt if entry.get("command") in ("split", "window")]
    return bool(parting) and "at" in parting[-1].get("arguments", {})


def without_far_history(ragged: Ragged, needed: int, *, spool: Spool) -> Parts:
    """The parts with their last `needed` steps of history alone, by their `weight`; those without it as they are.

    >>> from seqtool.sequences.ragged import StepArray
    >>> weight = {"weight": StepArray(np.array([0, 0, 1, 1]), 0)}
    >>> data = Ragged(np.arange(4), np.array([0, 4]), per_step=weight, per_sequence={"part": np.array([7])})
    >>> parts = without_far_history(data, 1, spool=Spool())
    >>> np.asarray(parts.ragged.values), parts.first
    (array([1, 2, 3]), array([6]))
    """
    own = ragged.per_sequence["part"]
    weight = ragged.per_step.get("weight")
    if weight is None:
        return Parts(ragged, own)
    histories = steps_before(ragged, OrderColumn("weight", "", weight.data), 0.5, spool=spool)
    left = lazy_map(lambda history: np.maximum(history - needed, 0), histories, dtype=np.int64)
    first = lazy_map(lambda part, history, out: part - history + out, own, histories, left, dtype=np.int64)
    return Parts(take(ragged, starts=left, spool=spool), first)


def steps_in_whole(first: AnyArray, which: AnyArray, starts: AnyArray) -> Lazy:
    """The step of the whole sequence that each stretch begins with, (M,): `starts` count from the part at `which`."""

    def read(begin: int, end: int) -> Array:
        if begin == end:
            return np.empty(0, np.int64)
        of = which[begin:end]  # ascending
        low = int(of[0])
        return np.asarray(first[low : int(of[-1]) + 1][of - low] + starts[begin:end])

    return Lazy((len(which),), np.dtype(np.int64), read)
