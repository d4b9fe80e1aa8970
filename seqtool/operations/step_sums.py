"""Cumulative sums of the marks of steps, which give any stretch a fingerprint (Karp and Rabin, 1987).

A step has a 64-bit mark. The sums are those of the marks, each times a power of a base by its place; the difference of
two of them gives the fingerprint of a stretch. Only the sums are kept, in a spool.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather, offsets_together
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.dataclass import dataclass
from seqtool.operations.duplicates import mixed, step_marks, steps_together
from seqtool.sequences.ragged import Ragged

_STEPS = 1 << 16  # that are processed together
BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))


@dataclass(frozen=True)
class Sums:
    """Sequences, with the sums of the marks of their steps.

    `sums` is (S + 1,) uint64. `changes` (N, 2) int64 are the first and the last step of a sequence that differ
    from the step before, counted from its first; both are 0 where all steps are equal.
    """

    data: Ragged
    sums: AnyArray
    changes: AnyArray

    @classmethod
    def of(cls, data: Ragged, spool: Spool) -> Sums:
        """Compute the sums; all steps are read once."""
        sums, changes = (
            GrowingArray(spool, np.dtype(np.uint64)),
            GrowingArray(spool, np.dtype(np.int64), (2,)),
        )
        sums.add(np.zeros(1, np.uint64))
        total, before = np.uint64(0), np.zeros(1, np.uint64)
        for _, offsets in offsets_together(data.offsets):
            found = np.zeros((len(offsets) - 1, 2), np.int64)
            for at, to in pieces(int(offsets[0]), int(offsets[-1]), steps_together(data.values)):
                marks = step_marks(data.values[at:to])
                summed = np.cumsum(marks * _powers_in_a_row(BASE, at, to), dtype=np.uint64) + total
                sums.add(summed)
                changed = np.flatnonzero(marks != np.concatenate([before, marks[:-1]])) + at
                _note_changes(found, changed, offsets)
                total, before = summed[-1], marks[-1:]
            changes.add(found)
        return cls(data, sums.done(), changes.done())

    def fingerprints(self, begins: Array, counts: Array | int) -> Array:
        """A number for each stretch of `counts` steps, (n,) uint64, which does not depend on where it begins."""
        return np.asarray(
            (gather(self.sums, begins + counts) - gather(self.sums, begins)) * _powers(_INVERSE, begins)
        )

    def windows(self, begin: int, end: int, size: int) -> Array:
        """The fingerprints of the stretches of `size` steps that begin at the steps from `begin` to `end`."""
        if size < end - begin:
            both = self.sums[begin : end + size]
            found = both[size:] - both[:-size]
        else:
            found = self.sums[begin + size : end + size] - self.sums[begin:end]
        found *= _powers_in_a_row(_INVERSE, begin, end)
        return np.asarray(found)

    def of_sequences(self, spool: Spool) -> AnyArray:
        """The fingerprints of whole sequences, (N,) uint64."""
        growing = GrowingArray(spool, np.dtype(np.uint64))
        for _, offsets in offsets_together(self.data.offsets):
            counts = np.diff(offsets)
            growing.add(mixed(self.fingerprints(offsets[:-1], counts) + counts.astype(np.uint64)))
        return growing.done()

    def holds(self, prints: Array, size: int) -> Array:
        """Which fingerprints are those of some stretch of `size` steps, (n,) bool; all sums are read once."""
        known, which = np.unique(prints, return_inverse=True)
        found, table = np.zeros(len(known) + 1, bool), np.zeros(1 << 20, bool)
        table[known >> np.uint64(44)] = True  # rules out most windows by their first bits
        for at, to in pieces(0, len(self.data.values) - size + 1, _STEPS):
            windows = self.windows(at, to, size)
            windows = windows[table.take((windows >> np.uint64(44)).view(np.int64))]
            places = np.searchsorted(known, windows)
            places[np.append(known, 0)[places] != windows] = len(known)
            found[places] = True
        return np.asarray(found[which])


def _note_changes(found: Array, changed: Array, offsets: Array) -> None:
    """Enter the first and the last change of each sequence in `found`; `changed` are steps that differ, ascending."""
    which = np.searchsorted(offsets, changed, side="right") - 1
    within = changed - offsets[which]
    which, within = which[within > 0], within[within > 0]  # the first step of a sequence is no change
    lasts = np.flatnonzero(np.diff(which, append=-1))
    firsts = np.flatnonzero(np.diff(which, prepend=-1))
    found[which[lasts], 1] = within[lasts]
    new = firsts[found[which[firsts], 0] == 0]
    found[which[new], 0] = within[new]


def pieces(begin: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Begin and end of pieces of `size` each; the last may be shorter."""
    return ((at, min(at + size, end)) for at in range(begin, end, size))


def _powers(base: np.uint64, exponents: Array) -> Array:
    """Powers of an odd base modulo 2^64, (n,) uint64, from two tables."""
    largest = int(exponents.max(initial=0)) >> 16
    low = _first_powers(base)
    high = np.concatenate([np.ones(1, np.uint64), np.full(largest, low[-1])]).cumprod(dtype=np.uint64)
    return np.asarray(low[exponents & 0xFFFF] * high[exponents >> 16])


def _powers_in_a_row(base: np.uint64, begin: int, end: int) -> Array:
    """The powers of an odd base modulo 2^64 with the exponents from `begin` to `end`, (n,) uint64."""
    starts = [pow(int(base), at, 1 << 64) for at in range(begin, end, 1 << 16)]
    low = _first_powers(base)[: min(end - begin, 1 << 16)]
    return np.multiply.outer(np.array(starts, np.uint64), low).reshape(-1)[: end - begin]


@cache
def _first_powers(base: np.uint64) -> Array:
    """The powers with the exponents from 0 to 2^16."""
    return np.concatenate([np.ones(1, np.uint64), np.full(1 << 16, base)]).cumprod(dtype=np.uint64)
