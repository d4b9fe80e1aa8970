"""Sums of the marks of steps, by which any stretch of sequences has a fingerprint (Karp and Rabin, 1987).

A step has a 64-bit mark. With the sums of marks, each times a power of its place, any stretch has a fingerprint that
two look-ups give, so that nothing but these sums is kept, in a spool.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.operations.duplicates import step_marks, steps_together
from seqtool.sequences.ragged import Ragged

_TOGETHER = 1 << 16  # sequences or steps that are looked at together
BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))


@dataclass(frozen=True)
class Sums:
    """Sequences, with the sums of the marks of their steps.

    `sums` is (S + 1,) uint64. `changes` (N, 2) int64 is the first and the last step of a sequence that differs
    from the one before it, counted from its first; both 0 where all are the same.
    """

    data: Ragged
    sums: AnyArray
    changes: AnyArray

    @classmethod
    def of(cls, data: Ragged, spool: Spool) -> Sums:
        """Read all steps once."""
        sums, changes = (
            GrowingArray(spool, np.dtype(np.uint64)),
            GrowingArray(spool, np.dtype(np.int64), (2,)),
        )
        sums.add(np.zeros(1, np.uint64))
        total, before = np.uint64(0), np.zeros(1, np.uint64)
        for first in range(0, len(data), _TOGETHER):
            offsets = data.offsets[first : first + _TOGETHER + 1]
            found = np.zeros((len(offsets) - 1, 2), np.int64)
            for at, to in pieces(int(offsets[0]), int(offsets[-1]), steps_together(data.values)):
                marks = step_marks(data.values[at:to])
                summed = np.cumsum(marks * _powers(BASE, np.arange(at, to)), dtype=np.uint64) + total
                sums.add(summed)
                changed = np.flatnonzero(marks != np.concatenate([before, marks[:-1]])) + at
                _note_changes(found, changed, offsets)
                total, before = summed[-1], marks[-1:]
            changes.add(found)
        return cls(data, sums.done(), changes.done())

    def fingerprints(self, begins: Array, counts: Array | int) -> Array:
        """A number for each of some stretches, the same wherever its steps stand."""
        return np.asarray(
            (gather(self.sums, begins + counts) - gather(self.sums, begins)) * _powers(_INVERSE, begins)
        )

    def windows(self, begin: int, end: int, size: int) -> Array:
        """The fingerprints of the stretches of `size` steps that begin at the steps from `begin` to `end`."""
        sums = self.sums[begin + size : end + size] - self.sums[begin:end]
        return np.asarray(sums * _powers(_INVERSE, np.arange(begin, end)))

    def holds(self, prints: Array, size: int) -> Array:
        """Which of some fingerprints are those of `size` steps anywhere, (n,) bool; all steps are read once."""
        known, which = np.unique(prints, return_inverse=True)
        found, table = np.zeros(len(known) + 1, bool), np.zeros(1 << 20, bool)
        table[known >> np.uint64(44)] = True  # sorts out most windows at once
        for at, to in pieces(0, len(self.data.values) - size + 1, _TOGETHER):
            windows = self.windows(at, to, size)
            windows = windows[table[windows >> np.uint64(44)]]
            places = np.searchsorted(known, windows)
            places[np.append(known, 0)[places] != windows] = len(known)
            found[places] = True
        return np.asarray(found[which])


def _note_changes(found: Array, changed: Array, offsets: Array) -> None:
    """Put the first and the last change of each sequence where it belongs; steps that change ascend."""
    which = np.searchsorted(offsets, changed, side="right") - 1
    within = changed - offsets[which]
    which, within = which[within > 0], within[within > 0]  # the first step of a sequence is no change
    lasts = np.flatnonzero(np.diff(which, append=-1))
    firsts = np.flatnonzero(np.diff(which, prepend=-1))
    found[which[lasts], 1] = within[lasts]
    new = firsts[found[which[firsts], 0] == 0]
    found[which[new], 0] = within[new]


def pieces(begin: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """From and to of parts of `size` each."""
    return ((at, min(at + size, end)) for at in range(begin, end, size))


def _powers(base: np.uint64, exponents: Array) -> Array:
    """The powers of an odd number, (n,) uint64, from two tables."""
    largest = int(exponents.max(initial=0)) >> 16
    low = np.concatenate([np.ones(1, np.uint64), np.full(1 << 16, base)]).cumprod(dtype=np.uint64)
    high = np.concatenate([np.ones(1, np.uint64), np.full(largest, low[-1])]).cumprod(dtype=np.uint64)
    return np.asarray(low[exponents & 0xFFFF] * high[exponents >> 16])
