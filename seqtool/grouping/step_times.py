"""The times of sorted rows: differences between rows in a unit, and the time since each feature was last observed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import sequence_of
from seqtool.arrays.lazy import CHUNK, AnyArray
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.dataclass import dataclass
from seqtool.errors import DataError

_BEYOND = 2.0**63


@dataclass(frozen=True)
class StepTimes:
    """Order values of rows, (S,) int64 or float64, and by how much a difference is multiplied to be in its unit."""

    name: str
    values: AnyArray
    scale: Fraction = Fraction(1)

    def between(self, later: Array, earlier: Array) -> Array:
        """The differences of order values: int64 if all are whole, else float64, each rounded once.

        Raises DataError for one that int64 does not hold.

        >>> seconds = StepTimes("t", np.arange(0), Fraction(1, 10**6))
        >>> seconds.between(np.array([3_000_000]), np.array([0])), seconds.between(np.array([5]), np.array([0]))
        (array([3]), array([5.e-06]))
        """
        if later.dtype.kind == "f":
            return np.asarray((later - earlier) * float(self.scale))
        about = np.subtract(later, earlier, dtype=np.float64) * self.scale.numerator
        if len(about) and np.abs(about).max() >= _BEYOND:
            raise DataError(
                f"order column {self.name!r}: two values of one sequence are further apart than int64 holds"
            )
        whole, rest = np.divmod((later - earlier) * self.scale.numerator, self.scale.denominator)
        return np.asarray(whole + rest / self.scale.denominator if rest.any() else whole)


def first_rows(offsets: AnyArray, begin: int, end: int) -> Array:
    """The first row of the sequence of each row from `begin` to `end`, (n,) int64.

    >>> first_rows(np.array([0, 2, 5]), 1, 4).tolist()
    [0, 2, 2]
    """
    if end <= begin:
        return np.empty(0, np.int64)
    at = sequence_of(offsets, begin)
    starts = np.asarray(offsets[at : at + 1 + end - begin])
    starts = starts[starts < end]
    return np.asarray(starts[np.searchsorted(starts, np.arange(begin, end), side="right") - 1])


class SinceObserved:
    """For each feature the time since the last step before at which it was observed, or since the first step.

    `values` (S, F) of rows in sequences that `offsets` part; NaN was not observed. The cells of a block of rows follow
    from the rows and the times that each feature is measured from where the block begins: `first_pass` finds these, so
    that later any rows can be read.
    """

    def __init__(self, values: AnyArray, offsets: AnyArray, times: StepTimes, spool: Spool) -> None:
        self._values, self._offsets, self._times = values, offsets, times
        width = values.shape[1]
        self._block = max(
            16, CHUNK // (64 * width)
        )  # rows: few marks, and little to compute again for a read
        self._growing = [
            GrowingArray(spool, dtype, (width,)) for dtype in (np.dtype(np.int64), times.values.dtype)
        ]
        self._marks: list[AnyArray] = []

    def first_pass(self) -> Iterator[Array]:
        """The cells of all rows in order, (n, F) at a time."""
        rows, width = self._values.shape
        marks = [np.zeros(width, np.int64), np.zeros(width, self._times.values.dtype)]
        for begin in range(0, rows, self._block):
            for growing, mark in zip(self._growing, marks, strict=True):
                growing.add(mark[None])
            cells, *marks = self._cells(begin, min(begin + self._block, rows), *marks)
            yield cells
        self._marks = [growing.done() for growing in self._growing]

    def cells(self, begin: int, end: int) -> Array:
        """The cells of some rows, (n, F); after `first_pass` is through."""
        block = begin // self._block
        marks = [mark[block : block + 1][0] for mark in self._marks]
        parts, at = [], block * self._block
        while at < end:
            to = min(at + self._block, end)
            part, *marks = self._cells(at, to, *marks)
            parts.append(part[max(begin - at, 0) :])
            at = to
        return np.concatenate(parts) if parts else np.empty((0, self._values.shape[1]))

    def _cells(self, begin: int, end: int, row: Array, time: Array) -> tuple[Array, Array, Array]:
        """The cells of a block, which are measured from `row` and `time` at first; and those of the next block."""
        values, times = self._values[begin:end], self._times.values[begin:end]
        seen = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(values.shape, dtype=bool)
        rows = np.arange(begin, end)[:, None]
        since = np.repeat(first_rows(self._offsets, begin, end)[:, None], values.shape[1], axis=1)
        since[0] = np.maximum(since[0], row)
        since[1:] = np.maximum(since[1:], np.where(seen[:-1], rows[:-1], -1))
        np.maximum.accumulate(since, axis=0, out=since)
        last = np.where(seen[-1], end - 1, since[-1])

        def time_at(of_rows: Array) -> Array:
            return np.where(of_rows < begin, time, times[np.maximum(of_rows - begin, 0)])

        return self._times.between(times[:, None], time_at(since)), last, time_at(last)

    def warnings(self, _plan: object) -> list[str]:
        """None: a feature that is always, or never, observed is reported elsewhere."""
        return []
