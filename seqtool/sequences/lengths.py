"""How many sequences have each length: all that planning, pictures and summaries need to know of lengths."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.dataclass import dataclass


@dataclass(frozen=True, eq=False)
class LengthCounts:
    """The distinct lengths, ascending (D,) int64, and how many sequences have each, (D,) int64.

    >>> counts = LengthCounts.of(np.array([3, 1, 3]))
    >>> counts.lengths.tolist(), counts.sequences.tolist(), counts.steps, counts.longest
    ([1, 3], [1, 2], 7, 3)
    """

    lengths: Array
    sequences: Array

    @classmethod
    def of(cls, lengths: AnyArray) -> LengthCounts:
        """Count the lengths, (N,), chunk by chunk."""
        found, counts = np.empty(0, np.int64), np.empty(0, np.int64)
        for _, part in chunks(lengths):
            distinct, times = np.unique(part.astype(np.int64, copy=False), return_counts=True)
            together, place = np.unique(np.concatenate([found, distinct]), return_inverse=True)
            summed = np.zeros(len(together), np.int64)
            np.add.at(summed, place, np.concatenate([counts, times]))
            found, counts = together, summed
        return cls(found, counts)

    @property
    def count(self) -> int:
        """The number of sequences, N."""
        return int(self.sequences.sum())

    @property
    def steps(self) -> int:
        """The steps of all sequences, S."""
        return int(self.lengths @ self.sequences)

    @property
    def longest(self) -> int:
        """The length of the longest sequence, 0 where there are none."""
        return int(self.lengths[-1]) if len(self.lengths) else 0

    @property
    def empty(self) -> int:
        """The number of sequences without steps."""
        return int(self.sequences[0]) if len(self.lengths) and self.lengths[0] == 0 else 0

    def quantile(self, share: float) -> int:
        """The least length that at least this share of the sequences does not exceed; N must be at least 1.

        >>> LengthCounts.of(np.array([1, 2, 3, 40])).quantile(0.75)
        3
        """
        ends = np.cumsum(self.sequences)
        least = ceil(
            Fraction(share).limit_denominator(1_000_000) * int(ends[-1])
        )  # exact: 0.95 as a float is a little less
        return int(self.lengths[np.searchsorted(ends, least)])

    def median(self) -> float:
        """The median of the lengths, as `np.median` computes it; N must be at least 1."""
        ends = np.cumsum(self.sequences)
        middle = [(ends[-1] - 1) // 2, ends[-1] // 2]
        return float(self.lengths[np.searchsorted(ends, middle, side="right")].mean())

    def beyond(self, maxlen: int) -> tuple[int, int]:
        """The number of sequences longer than `maxlen`, and of the steps that they have beyond it.

        >>> LengthCounts.of(np.array([1, 5, 7])).beyond(4)
        (2, 4)
        """
        longer = self.lengths > maxlen
        over = self.sequences[longer]
        return int(over.sum()), int((self.lengths[longer] - maxlen) @ over)

    def histogram(self, most: int = 20) -> list[tuple[int, int, int]]:
        """At most `most` bars of one width: the first and last length of each, and its number of sequences.

        >>> LengthCounts.of(np.array([1, 2, 3, 9])).histogram(4)
        [(1, 3, 3), (4, 6, 0), (7, 9, 1)]
        """
        if not len(self.lengths):
            return []
        least = int(self.lengths[0])
        width = _round_up((self.longest - least + 1) / most)
        which = (self.lengths - least) // width
        sizes = np.bincount(which, weights=self.sequences).astype(np.int64)
        return [(least + i * width, least + (i + 1) * width - 1, int(size)) for i, size in enumerate(sizes)]


def _round_up(width: float) -> int:
    """The least of 1, 2, 3, 5, 10, 20, 30, 50, 100 ... that is at least `width`."""
    scale = 1
    while True:
        for step in (1, 2, 3, 5):
            if step * scale >= width:
                return step * scale
        scale *= 10
