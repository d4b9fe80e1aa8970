"""Steps sorted by the number of their row on the disk: every per-step array in the order of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from math import ceil, prod
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.file_array import FileArray
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.sequences.ragged import Ragged, StepArray, exchanged
from seqtool.unpadding.stretch import InRowOrder, Stretch, in_sequence_order

_TOGETHER = 16 << 20  # bytes of steps that are sorted at once


@dataclass(frozen=True)
class Sorted:
    """Sequences whose per-step arrays are in the order of rows; `steps` and `which` (S,) tell where each one was."""

    ragged: Ragged
    steps: AnyArray
    which: AnyArray

    def __len__(self) -> int:
        return len(self.steps)

    def stretches(self, rows: int) -> Iterator[Stretch]:
        """All rows in order, at most `rows` at a time."""
        total = len(self.steps)
        for begin in range(0, total, rows):
            part = slice(begin, min(begin + rows, total))
            yield Stretch(self.steps[part], self.which[part], part)


def sorted_rows(ragged: Ragged, numbers: AnyArray, spool: Spool) -> Sorted:
    """All steps by a number of each, `numbers` (S,), ascending; those of equal ones in the order of the sequences.

    Steps are written to `spool` by ranges of their numbers, and each range is sorted when it is read.

    >>> ragged = Ragged(np.array([7, 8, 9]), np.array([0, 2, 3]))
    >>> with Spool() as spool:
    ...     found = sorted_rows(ragged, np.array([5, 1, 3]), spool)
    ...     np.asarray(found.ragged.values).tolist(), np.asarray(found.steps).tolist()
    ([8, 9, 7], [1, 2, 0])
    """
    arrays = {"": ragged.values, **{name: array.data for name, array in ragged.per_step.items()}}
    width = 24 + sum(prod(array.shape[1:]) * array.dtype.itemsize for array in arrays.values())
    together = max(1, _TOGETHER // width)
    total = len(numbers)
    ranges = _Ranges.of(numbers, max(1, ceil(total / together)))
    ends = np.cumsum(
        sum((ranges.counts(part) for _, part in chunks(numbers)), np.zeros(ranges.count, np.int64))
    )
    at = np.concatenate([[0], ends[:-1]])
    kinds = {name: (array.shape[1:], array.dtype) for name, array in arrays.items()}
    kinds |= {name: ((), np.dtype(np.int64)) for name in ("steps", "which")}
    kinds["numbers"] = ((), numbers.dtype)
    moved = {name: spool.blank((total, *tail), dtype) for name, (tail, dtype) in kinds.items()}
    for stretch in in_sequence_order(ragged, together):
        assert isinstance(stretch.steps, slice)
        found = numbers[stretch.steps]
        into = ranges.places(found)
        order = np.argsort(into, kind="stable")
        edges = np.searchsorted(into[order], np.arange(ranges.count + 1))
        own = {
            "steps": np.arange(stretch.steps.start, stretch.steps.stop),
            "which": stretch.which,
            "numbers": found,
        }
        for name, whole in moved.items():
            cells = (own[name] if name in own else arrays[name][stretch.steps])[order]
            for place in np.flatnonzero(np.diff(edges)).tolist():
                first = int(at[place]) * prod(whole.shape[1:])
                spool.put(cells[edges[place] : edges[place + 1]], whole, first)
        at += np.diff(edges)
    parts = _Parts(moved["numbers"], ends)
    done = {name: InRowOrder(whole.shape, whole.dtype, parts.reader(whole)) for name, whole in moved.items()}
    per_step = {name: StepArray(done[name], array.value) for name, array in ragged.per_step.items()}
    return Sorted(exchanged(ragged, values=done[""], per_step=per_step), done["steps"], done["which"])


@dataclass
class _Parts:
    """The ranges of numbers, of which each ends at one of `ends`; the order of the last that was read is kept."""

    numbers: FileArray
    ends: Array
    _known: tuple[int, Array] = field(default=(-1, np.empty(0, np.int64)), init=False)

    def reader(self, whole: FileArray) -> Any:
        """What reads rows of an array whose ranges are in order, and sorts each range, which it keeps."""
        held: list[tuple[int, Array]] = [(-1, np.empty(0))]

        def read(begin: int, end: int) -> Array:
            found, done = [whole[:0]], begin
            while done < end:
                place = int(np.searchsorted(self.ends, done, side="right"))
                low, high = self._bounds(place)
                if held[0][0] != place:
                    held[0] = (-1, whole[:0])  # which frees what was there
                    held[0] = (place, whole[low:high][self._order(place)])
                found.append(held[0][1][done - low : min(end, high) - low])
                done = min(end, high)
            return np.concatenate(found)

        return read

    def _order(self, place: int) -> Array:
        if self._known[0] != place:
            low, high = self._bounds(place)
            self._known = (place, np.argsort(self.numbers[low:high], kind="stable"))
        return self._known[1]

    def _bounds(self, place: int) -> tuple[int, int]:
        return int(self.ends[place - 1]) if place else 0, int(self.ends[place])


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

    def counts(self, numbers: Array) -> Array:
        """How many numbers are in each range."""
        return np.bincount(self.places(numbers), minlength=self.count)
