"""`strip`: drop steps that somebody else's padding left behind, where the true lengths were lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

from seqtool.arrays.dtypes import Array, first_loss, holds
from seqtool.arrays.lazy import AnyArray, rows_per_chunk, span
from seqtool.arrays.spool import GrowingArray, Spool
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
        """The sequences without these steps, and how many there were."""
        found = strip(ragged, self.value, side=self.side, spool=spool)
        stripped = len(ragged.values) - len(found.values)
        line = ("stripped", f"{count(stripped, 'step')} that hold {self.value} alone")
        return Outcome(found, dropped={"stripped": stripped}, lines=[line])


def strip(ragged: Ragged, value: float, *, side: Side = "post", spool: Spool | None = None) -> Ragged:
    """Drop the trailing (`side="post"`) or leading (`"pre"`) steps in which every feature equals `value`.

    NaN equals NaN here. Steps between others stay, whatever they hold; a sequence of such steps alone
    becomes empty. Where each sequence begins and ends goes to `spool` where that is much.

    >>> strip(Ragged(np.array([0, 1, 0, 0, 2]), np.array([0, 4, 5])), 0).lengths
    array([2, 1])
    """
    check_side("side", side)
    spool = spool or Spool()
    starts, lengths = (GrowingArray(spool, np.dtype(np.int64)) for _ in range(2))
    for begin in range(0, len(ragged), _TOGETHER):
        offsets = ragged.offsets[begin : begin + _TOGETHER + 1]
        begins, ends = _real_span(ragged.values, offsets, value, side)
        starts.add(begins - offsets[:-1])
        lengths.add(ends - begins)
    kept = lengths.done()
    if span(kept).total == len(ragged.values):
        return ragged
    return in_memory_like(take(ragged, starts=starts.done(), lengths=kept, spool=spool), ragged)


_TOGETHER = 1 << 16  # sequences looked at together


def _real_span(rows: AnyArray, offsets: Array, value: float, side: Side) -> tuple[Array, Array]:
    """Where the real steps of some sequences begin and end."""
    begins, ends = offsets[:-1].copy(), offsets[1:].copy()
    outermost = np.full(len(begins), -1, np.int64)
    least, most = int(offsets[0]), int(offsets[-1])
    step = rows_per_chunk(rows)
    for at in range(least, most, step):
        real = np.flatnonzero(~steps_equal_to(rows[at : min(at + step, most)], value)) + at
        which = np.searchsorted(offsets, real, side="right") - 1
        if side == "post":
            outermost[which] = real  # of several the last one stays
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
    held = np.asarray(value)
    if (
        held.dtype == object
    ):  # an integer past 64 bits, which no cell holds unless it is a power of two or the like
        if not holds(int(value), np.dtype(np.float64)):
            return np.zeros(len(steps), bool)
        held = np.asarray(float(value))
    if steps.dtype.kind == "f" and first_loss(held, steps.dtype) is None:  # 0.1 as float32 is not 0.1
        held = held.astype(steps.dtype)
    same = np.isnan(steps) if np.isnan(held) and steps.dtype.kind == "f" else steps == held
    return np.asarray(same.all(axis=tuple(range(1, same.ndim))))


@dataclass(frozen=True)
class Hidden:
    """Old padding that sequences seem to end (`pre`: begin) in: its value, how many do, of how many looked at."""

    value: float
    count: int
    looked_at: int
    side: Side = "post"

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `seqtool pad` that drop it; the value stands there to its last digit."""
        whole = abs(self.value) < 2.0**64 and self.value == int(self.value)
        side = ("--strip-side", "pre") if self.side == "pre" else ()
        return "--strip", str(int(self.value) if whole else self.value), *side

    @property
    def seen(self) -> str:
        """What was seen, in words."""
        where = "end" if self.side == "post" else "begin"
        return f"{self.count:,} of {self.looked_at:,} sequences {where} in steps of {self.options[1]} alone"


def likely_padding(ragged: Ragged, *, side: Side = "post") -> Hidden | None:
    """The value in which sequences of a dense array seem to be padded at one side, by the first of them.

    Such a sequence ends (`pre`: begins) in two steps or more that hold this value, and no other, in every feature.
    Zeros and NaN are what padding usually holds. Another value counts where it is that of most such sequences,
    and of one in twenty of all: single numbers are the same twice by chance.

    >>> likely_padding(Ragged(np.array([1, 0, 0, 3, 4, 5]), np.array([0, 3, 6])))
    Hidden(value=0, count=1, looked_at=2, side='post')
    """
    check_side("side", side)
    offsets = ragged.offsets[: _TOGETHER + 1]
    steps = ragged.values[: min(int(offsets[-1]), rows_per_chunk(ragged.values, _LOOKED_AT))]
    looked_at = int(np.searchsorted(offsets, len(steps), side="right")) - 1
    known = np.diff(offsets)[:looked_at] >= 2
    outer = offsets[1 : looked_at + 1][known] - 1 if side == "post" else offsets[:looked_at][known]
    inner = outer + (-1 if side == "post" else 1)
    if not len(outer) or steps.size == 0:
        return None
    last, before = (steps[places].reshape(len(outer), -1) for places in (outer, inner))
    first = last[:, :1]
    same = (((last == first) & (before == first)) | (np.isnan(last) & np.isnan(before))).all(axis=1)
    if not same.any():
        return None
    found, counts = np.unique(first[same], return_counts=True)
    usual = (found == 0) | np.isnan(found)
    counts[~usual & ((2 * counts < counts.sum()) | (20 * counts < looked_at))] = 0
    if not counts.any():
        return None
    return Hidden(found[counts.argmax()].item(), int(counts.max()), looked_at, side)


_LOOKED_AT = 32 << 20  # bytes


def hidden_padding(ragged: Ragged) -> Hidden | None:
    """Old padding that sequences of a dense array seem to hold, at the side where more of them do; None without.

    >>> hidden_padding(Ragged(np.array([0, 0, 1, 3, 4, 5]), np.array([0, 3, 6]))).side
    'pre'
    """
    found = [likely_padding(ragged, side="post"), likely_padding(ragged, side="pre")]
    return max((some for some in found if some), key=lambda some: some.count, default=None)
