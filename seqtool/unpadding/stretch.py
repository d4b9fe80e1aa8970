"""Stretches of rows: which steps they are, in the order of the sequences or in that of the source."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.arrays.spool import Spool
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.take import taken_rows

_SEQUENCES = 1 << 16  # whose offsets are read together


class InRowOrder(Lazy):
    """An array of steps in the order of rows, and not in that of the sequences."""


class Continued(Lazy):
    """An array of steps, which goes on in the rows that follow parts of sequences: `behind` is (N, H, ...)."""

    def __init__(self, steps: AnyArray, behind: AnyArray) -> None:
        super().__init__(steps.shape, steps.dtype, lambda begin, end: steps[begin:end])
        self.behind = behind


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some steps: `steps`, a slice or (n,), and the number of the sequence of each, `which` (n,) int64.

    In arrays that are in the order of rows they are the `rows`.
    """

    steps: slice | Array
    which: Array
    rows: slice | None = None

    def __len__(self) -> int:
        return len(self.which)

    def of_steps(self, array: AnyArray) -> Array:
        """The rows of an array of steps, (n, ...)."""
        if isinstance(array, InRowOrder):
            return array[self.rows or slice(0, 0)]
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


def in_order_of(ragged: Ragged, numbers: AnyArray, rows: int) -> Iterator[Stretch]:
    """All steps by a number of each, `numbers` (S,), ascending; those of equal ones in the order of the sequences.

    They are sorted in memory; `seqtool.unpadding.sorting` does it on the disk.

    >>> ragged = Ragged(np.arange(3), np.array([0, 2, 3]))
    >>> [stretch.steps.tolist() for stretch in in_order_of(ragged, np.array([5, 1, 3]), 2)]
    [[1, 2], [0]]
    """
    order = np.argsort(np.asarray(numbers), kind="stable")
    parts = [stretch.which for stretch in in_sequence_order(ragged, max(1, len(order)))]
    which = np.concatenate([np.empty(0, np.int64), *parts])
    for begin in range(0, len(order), rows):
        steps = order[begin : begin + rows]
        yield Stretch(steps, which[steps])
