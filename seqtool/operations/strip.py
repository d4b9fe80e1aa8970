"""`strip`: drop steps that are really padding, in arrays whose true lengths were lost."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np

from seqtool.arrays.dtypes import Array, first_loss, holds
from seqtool.arrays.gather import SEQUENCES_TOGETHER, offsets_together
from seqtool.arrays.lazy import AnyArray, rows_per_chunk, span
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.dataclass import dataclass
from seqtool.operations.operation import Argument, Operation, Outcome
from seqtool.sequences.padding_values import Side, check_side
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.take import in_memory_like, take
from seqtool.words import count


@dataclass(frozen=True)
class Strip(Operation):
    """Drop the steps at one side in which every feature holds a value: padding whose lengths were lost."""

    value: Annotated[float, Argument("Drop trailing steps that hold V alone (a number, nan).", metavar="V")]
    side: Annotated[Literal["pre", "post"], Argument("Strip at the end, or at the start.")] = "post"

    def apply(self, ragged: Ragged, state: Any, *, spool: Spool) -> Outcome:
        """The sequences without these steps, which are counted as dropped."""
        found = strip(ragged, self.value, side=self.side, spool=spool)
        stripped = len(ragged.values) - len(found.values)
        line = ("stripped", f"{count(stripped, 'step')} that hold {self.value} alone")
        return Outcome(found, dropped={"stripped": stripped}, lines=[line])


def strip(ragged: Ragged, value: float, *, side: Side = "post", spool: Spool | None = None) -> Ragged:
    """Drop the trailing (`side="post"`) or leading (`"pre"`) steps in which every feature equals `value`.

    NaN equals NaN here. Such steps between others stay; a sequence of such steps alone becomes empty. Arrays of a
    number for each sequence go to `spool` where they are large.

    >>> strip(Ragged(np.array([0, 1, 0, 0, 2]), np.array([0, 4, 5])), 0).lengths
    array([2, 1])
    """
    check_side("side", side)
    spool = spool or Spool()
    starts, lengths = (GrowingArray(spool, np.dtype(np.int64)) for _ in range(2))
    for _, offsets in offsets_together(ragged.offsets):
        begins, ends = _real_span(ragged.values, offsets, value, side)
        starts.add(begins - offsets[:-1])
        lengths.add(ends - begins)
    kept = lengths.done()
    if span(kept).total == len(ragged.values):
        return ragged
    return in_memory_like(take(ragged, starts=starts.done(), lengths=kept, spool=spool), ragged)


def _real_span(rows: AnyArray, offsets: Array, value: float, side: Side) -> tuple[Array, Array]:
    """The first of the real steps of each sequence, and their end, (n,) each; `offsets` (n + 1,) are its steps."""
    begins, ends = offsets[:-1].copy(), offsets[1:].copy()
    outermost = np.full(len(begins), -1, np.int64)
    least, most = int(offsets[0]), int(offsets[-1])
    step = rows_per_chunk(rows)
    for at in range(least, most, step):
        real = np.flatnonzero(~steps_equal_to(rows[at : min(at + step, most)], value)) + at
        which = np.searchsorted(offsets, real, side="right") - 1
        if side == "post":
            outermost[which] = real  # of several steps of a sequence the last one is kept
        else:
            new = np.flatnonzero(np.diff(which, prepend=-1))
            new = new[outermost[which[new]] < 0]
            outermost[which[new]] = real[new]
    none = outermost < 0
    if side == "post":
        ends = np.where(none, begins, outermost + 1)
    else:
        begins = np.where(none, ends, outermost)
    return begins, ends


def steps_equal_to(steps: Array, value: float) -> Array:
    """Which steps hold `value` in every feature: (S,) bool."""
    cell = np.asarray(value)
    if cell.dtype == object:  # an integer past 64 bits, which only floats hold, and few of them exactly
        if not holds(int(value), np.dtype(np.float64)):
            return np.zeros(len(steps), bool)
        cell = np.asarray(float(value))
    if steps.dtype.kind == "f" and first_loss(cell, steps.dtype) is None:  # 0.1 as float32 is not 0.1
        cell = cell.astype(steps.dtype)
    same = np.isnan(steps) if np.isnan(cell) and steps.dtype.kind == "f" else steps == cell
    return np.asarray(same.all(axis=tuple(range(1, same.ndim))))


@dataclass(frozen=True)
class Hidden:
    """Padding that sequences seem to end with, or to begin with where `side` is pre.

    `count` of the first `looked_at` sequences have it; `value` is what it holds.
    """

    value: float
    count: int
    looked_at: int
    side: Side = "post"

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `seqtool pad` that drop it, with every digit of the value."""
        whole = abs(self.value) < 2.0**64 and self.value == int(self.value)
        side = ("--strip-side", "pre") if self.side == "pre" else ()
        return "--strip", str(int(self.value) if whole else self.value), *side

    @property
    def seen(self) -> str:
        """How many sequences have it, as part of a message."""
        where = "end" if self.side == "post" else "begin"
        return f"{self.count:,} of {self.looked_at:,} sequences {where} in steps of {self.options[1]} alone"


def likely_padding(ragged: Ragged, *, side: Side = "post") -> Hidden | None:
    """The padding that sequences of a dense array seem to have at one side, judged by the first of them; else None.

    Such a sequence ends (`pre`: begins) with two steps or more that hold one value in every feature. Zero and NaN are
    the usual values of padding. Another value counts only where most such sequences have it, and one in twenty of
    all: two neighbouring numbers are often equal by chance.

    >>> likely_padding(Ragged(np.array([1, 0, 0, 3, 4, 5]), np.array([0, 3, 6])))
    Hidden(value=0, count=1, looked_at=2, side='post')
    """
    check_side("side", side)
    offsets = ragged.offsets[: SEQUENCES_TOGETHER + 1]
    steps = ragged.values[: min(int(offsets[-1]), rows_per_chunk(ragged.values, _LOOKED_AT))]
    looked_at = int(np.searchsorted(offsets, len(steps), side="right")) - 1
    has_two = np.diff(offsets)[:looked_at] >= 2
    outer = offsets[1 : looked_at + 1][has_two] - 1 if side == "post" else offsets[:looked_at][has_two]
    inner = outer + (-1 if side == "post" else 1)
    if not len(outer) or steps.size == 0:
        return None
    outermost, next_to_it = (steps[places].reshape(len(outer), -1) for places in (outer, inner))
    first = outermost[:, :1]
    equal = (outermost == first) & (next_to_it == first)
    same = (equal | (np.isnan(outermost) & np.isnan(next_to_it))).all(axis=1)
    if not same.any():
        return None
    values, counts = np.unique(first[same], return_counts=True)
    usual = (values == 0) | np.isnan(values)
    counts[~usual & ((2 * counts < counts.sum()) | (20 * counts < looked_at))] = 0
    if not counts.any():
        return None
    return Hidden(values[counts.argmax()].item(), int(counts.max()), looked_at, side)


_LOOKED_AT = 32 << 20  # bytes of steps


def hidden_padding(ragged: Ragged) -> Hidden | None:
    """The padding that sequences of a dense array seem to have, at the side where more of them do; else None.

    >>> hidden_padding(Ragged(np.array([0, 0, 1, 3, 4, 5]), np.array([0, 3, 6]))).side
    'pre'
    """
    found = [likely_padding(ragged, side="post"), likely_padding(ragged, side="pre")]
    return max((hidden for hidden in found if hidden), key=lambda hidden: hidden.count, default=None)
