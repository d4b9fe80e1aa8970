"""Stretches of rows: which steps they are, in the order of the sequences or in that of the source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.spool import Spool
from seqtool.arrays.text import Text
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.take import taken_rows

_SEQUENCES = 1 << 16  # whose offsets are read together
_SORTED = 1 << 20  # rows that are sorted in memory, 24 MB


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some steps: `steps`, a slice or (n,), and the number of the sequence of each, `which` (n,) int64."""

    steps: slice | Array
    which: Array

    def __len__(self) -> int:
        return len(self.which)

    def of_steps(self, array: AnyArray) -> Array:
        """The rows of an array of steps, (n, ...)."""
        if isinstance(self.steps, slice):
            return array[self.steps]
        return gather(array, self.steps)

    def of_sequences(self, array: AnyArray | Text) -> Array:
        """The rows of an array of sequences for those that `places` tells of, each once, (m, ...)."""
        known = self._known
        if isinstance(array, Text):
            return np.asarray(taken_rows(array, known, Spool()))
        return gather(array, known)

    @property
    def places(self) -> Array:
        """The place of the sequence of each row among those of `of_sequences`, (n,)."""
        return self._places[1]

    @property
    def _known(self) -> Array:
        return self._places[0]

    @cached_property
    def _places(self) -> tuple[Array, Array]:
        return distinct(self.which)

    def numbers(self, offsets: AnyArray) -> Array:
        """The number of each step in its sequence, from 0, (n,) int64."""
        begins = gather(offsets, self._known)[self.places]
        steps = self.steps
        rows = np.arange(steps.start, steps.stop) if isinstance(steps, slice) else steps
        return np.asarray(rows - begins, dtype=np.int64)


def distinct(numbers: Array) -> tuple[Array, Array]:
    """The distinct numbers, ascending, and the place of each among them.

    >>> distinct(np.array([7, 7, 9]))
    (array([7, 9]), array([0, 0, 1]))
    """
    if (numbers[1:] >= numbers[:-1]).all():  # as the sequences of consecutive steps
        first = np.concatenate([np.ones(min(1, len(numbers)), bool), numbers[1:] != numbers[:-1]])
        return numbers[first], np.cumsum(first) - 1
    known, places = np.unique(numbers, return_inverse=True)
    return known, places.reshape(-1)


def in_sequence_order(ragged: Ragged, rows: int) -> Iterator[Stretch]:
    """All steps, those of the first sequence first, at most `rows` at a time.

    >>> ragged = Ragged(np.arange(3), np.array([0, 2, 2, 3]))
    >>> [(stretch.steps.start, stretch.which.tolist()) for stretch in in_sequence_order(ragged, 2)]
    [(0, [0, 0]), (2, [2])]
    """
    for first in range(0, len(ragged), _SEQUENCES):
        edges = ragged.offsets[first : first + _SEQUENCES + 1]
        for begin in range(int(edges[0]), int(edges[-1]), rows):
            end = min(begin + rows, int(edges[-1]))
            low = int(np.searchsorted(edges, begin, side="right")) - 1
            high = int(np.searchsorted(edges, end, side="left"))
            counts = np.diff(np.clip(edges[low : high + 1], begin, end))
            yield Stretch(slice(begin, end), np.repeat(np.arange(first + low, first + high), counts))


def in_order_of(ragged: Ragged, numbers: AnyArray, rows: int, spool: Spool) -> Iterator[Stretch]:
    """All steps by a number of each, `numbers` (S,), ascending; those of equal ones in the order of the sequences.

    Many steps are sorted by parts: those of a range of numbers together, which wait in `spool`.

    >>> ragged = Ragged(np.arange(3), np.array([0, 2, 3]))
    >>> [stretch.steps.tolist() for stretch in in_order_of(ragged, np.array([5, 1, 3]), 2, Spool())]
    [[1, 2], [0]]
    """
    total = len(numbers)
    ranges = _Ranges.of(numbers, max(1, ceil(total / _SORTED)))
    waiting: list[tuple[AnyArray, Array]] = []
    for stretch in in_sequence_order(ragged, min(_SORTED, max(1, total))):
        assert isinstance(stretch.steps, slice)
        found = numbers[stretch.steps]
        into = ranges.places(found)
        order = np.argsort(into, kind="stable")
        edges = np.searchsorted(into[order], np.arange(ranges.count + 1))
        packed = np.stack([order + stretch.steps.start, stretch.which[order]], axis=1)
        waiting.append((packed if ranges.count == 1 else spool.append(packed), edges))
    for place in range(ranges.count):
        parts = [packed[int(edges[place]) : int(edges[place + 1])] for packed, edges in waiting]
        both = np.concatenate([np.empty((0, 2), np.int64), *parts])
        both = both[np.argsort(gather(numbers, both[:, 0]), kind="stable")]
        for begin in range(0, len(both), rows):
            part = np.ascontiguousarray(both[begin : begin + rows].T)
            yield Stretch(part[0], part[1])


@dataclass(frozen=True)
class _Ranges:
    """`count` ranges of equal width from `least` to `largest`."""

    least: float
    largest: float
    count: int

    @classmethod
    def of(cls, numbers: AnyArray, count: int) -> _Ranges:
        parts = [(float(part.min()), float(part.max())) for _, part in chunks(numbers)]
        least = min((low for low, _ in parts), default=0.0)
        return cls(least, max((high for _, high in parts), default=0.0), count)

    def places(self, numbers: Array) -> Array:
        """The range of each number; a larger one never stands in an earlier range."""
        width = max(1.0, self.largest - self.least)
        share = (numbers.astype(np.float64) - self.least) / width
        return np.clip(share * self.count, 0, self.count - 1).astype(np.int64)
