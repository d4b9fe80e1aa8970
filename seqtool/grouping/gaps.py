"""Sequences cut where the order column jumps: the gap that a call names, and the cut of sorted rows."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.dataclass import dataclass
from seqtool.errors import UsageError
from seqtool.grouping.columns import GrowingText, is_numbers
from seqtool.grouping.runs import ChangingError, Run
from seqtool.grouping.sorting import changes
from seqtool.sequences.orders import DURATIONS, size_in, size_text
from seqtool.words import in_short

_MOST = (1 << 64) - 1  # that uint64 holds: no two order values are further apart
_LARGEST = 10**308  # about where floats end
_ROWS = 1 << 16  # looked at together


@dataclass(frozen=True)
class Gap:
    """A sequence ends where the order column jumps by more than `size`, which is in nanoseconds if `is_time`.

    `text` is the gap as the call writes it.
    """

    text: str
    size: Fraction
    is_time: bool

    @classmethod
    def of(cls, gap: Any, option: str = "--gap") -> Gap:
        """The gap of a number, a text such as 30m, or a timedelta; raises UsageError for anything else.

        >>> Gap.of("30m").size == 30 * 60 * 10**9, Gap.of(0.1).size, Gap.of("2s").text
        (True, Fraction(1, 10), '2s')
        """
        text, found = size_text(gap), size_in(gap)
        if found is None:
            raise UsageError(
                f"{option} is {in_short(text)}; a number of 0 or more was expected, or of times a duration such as 30m "
                f"(units {', '.join(DURATIONS)})"
            )
        return cls(text, *found)


@dataclass(frozen=True)
class GapCut:
    """How the rows of a run are cut: at jumps of the order column `order` (its parts) by more than `gap`.

    `static` are the columns that must be constant within each piece. `alone` says that no key was named, so that the
    number of the piece is the whole key. With `keeps_order` the order columns stay among the per-step columns.
    """

    gap: Gap
    order: Sequence[str]
    static: Sequence[str]
    alone: bool = False
    keeps_order: bool = False

    def of(self, run: Run, spool: Spool) -> Run:
        """The same rows in more groups, with a further key column that counts the groups of a key from 0.

        The run is read in chunks, and the groups go to `spool`. Raises ChangingError for a static column that changes
        within a group.
        """
        found = _Groups(run, spool, self)
        for begin in range(0, len(run), _ROWS):
            found.look(begin, min(begin + _ROWS, len(run)))
        return found.run()

    def jumps(self, parts: Sequence[Array]) -> Array:
        """Whether a jump stands before each of n + 1 sorted rows but the first, (n,) bool.

        `parts` are the order columns: numbers, or microseconds of times and the nanoseconds beyond these.
        """
        first = parts[0]
        if first.dtype.kind == "f":
            return _float_jumps(first, float(min(self.gap.size, Fraction(_LARGEST))))
        distance = _distance(first)
        if len(parts) == 1:
            return np.asarray(distance > np.uint64(min(int(self.gap.size), _MOST)))
        # The nanoseconds beyond microseconds may fall where microseconds rise.
        rest = np.diff(parts[1].astype(np.int64))
        rest = np.where(first[1:] >= first[:-1], rest, -rest)
        whole, beyond = divmod(int(self.gap.size), 1000)
        limit = np.uint64(min(whole, _MOST))
        borrowed = distance - (rest < 0)
        return np.asarray(
            (distance > 0) & (borrowed > limit)
            | (borrowed == limit) & (np.where(rest < 0, rest + 1000, rest) > beyond) & (distance > 0)
            | (distance == 0) & (np.abs(rest) > int(min(self.gap.size, Fraction(1000))))
        )


def _distance(cells: Array) -> Array:
    """The distance of neighbours as uint64, which holds that of any two int64, where int64 would overflow."""
    wide = cells.astype(np.int64).view(np.uint64)
    rises = cells[1:] >= cells[:-1]
    return np.where(rises, wide[1:] - wide[:-1], wide[:-1] - wide[1:])


def _float_jumps(cells: Array, size: float) -> Array:
    """The same for floats, apart from rounding: 0.3 is no more than 0.1 from 0.2, although their doubles are."""
    cells = cells.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(np.diff(cells))
        largest = np.maximum(np.abs(cells[1:]), np.abs(cells[:-1]))
        rounding = 2 * np.spacing(np.where(np.isfinite(largest), largest, 0))
        return np.asarray(distance - size > rounding)


class _Groups:
    """The groups of a run after the cut, found in one pass over its rows."""

    def __init__(self, run: Run, spool: Spool, cut: GapCut) -> None:
        self._run, self._cut, self._spool = run, cut, spool
        self._known = [] if cut.alone else run.keys
        self._keys: list[Any] = [
            GrowingArray(spool, column.dtype) if is_numbers(column) else GrowingText(spool)
            for column in self._known
        ]
        self._counter = GrowingArray(spool, np.dtype(np.int64))
        self._starts = GrowingArray(spool, np.dtype(np.int64))
        self._static = {name: GrowingArray(spool, run.per_step[name].dtype) for name in cut.static}
        self._group = -1  # the group of the run in which the last row so far lies
        self._count = 0  # the pieces of that group so far

    def look(self, begin: int, end: int) -> None:
        """Look at the rows from `begin` to `end`, which follow those of the call before."""
        run, before = self._run, max(begin - 1, 0)
        new = np.zeros(end - begin, dtype=bool)
        parts = [run.per_step[name][before:end] for name in self._cut.order]
        new[begin == 0 :] = self._cut.jumps(parts)
        starts = self._group_starts(begin, end)
        new[starts - begin] = True
        places = np.flatnonzero(new)
        group = self._group + np.searchsorted(starts, places + begin, side="right")
        self._check_static(before, begin, end, new, starts)
        if not len(places):
            return
        self._starts.add(places + begin)
        counter = self._counted(group)
        self._counter.add(counter)
        low = max(self._group, 0)
        for column, growing in zip(self._known, self._keys, strict=True):
            cells, rows = column[low : int(group[-1]) + 1], group - low
            growing.add(cells[rows] if is_numbers(column) else cells.take(pa.array(rows)))
        for name, growing in self._static.items():
            growing.add(run.per_step[name][begin:end][places])
        self._count, self._group = int(counter[-1]) + 1, int(group[-1])

    def _group_starts(self, begin: int, end: int) -> Array:
        """The rows from `begin` to `end` that begin a group of the run; each group has a row or more."""
        first = self._group  # the ends of this group and of those that follow are the next starts
        ends = self._run.ends[max(first, 0) : first + 1 + end - begin]
        starts = np.concatenate([[0], ends]) if first < 0 else ends
        return np.asarray(starts[starts < end], dtype=np.int64)

    def _counted(self, group: Array) -> Array:
        """The number of each piece within its group, (n,); it continues the count of the last call."""
        first = np.searchsorted(group, group, side="left")
        return np.asarray(np.arange(len(group)) - first + np.where(group == self._group, self._count, 0))

    def _check_static(self, before: int, begin: int, end: int, new: Array, starts: Array) -> None:
        for name in self._cut.static:
            cells = self._run.per_step[name][before:end]
            changed = np.concatenate([piece for _, piece in changes([cells])])[begin - before :]
            wrong = np.flatnonzero(changed & ~new)
            if len(wrong):
                at = int(wrong[0]) + begin - before
                group = self._group + int(np.searchsorted(starts, wrong[0] + begin, side="right"))
                key = tuple(str(column[group : group + 1][0]) for column in self._known)
                raise ChangingError(name, key, cells[at - 1].item(), cells[at].item())

    def run(self) -> Run:
        """All rows as a run of the groups that were found."""
        run, starts = self._run, self._starts.done()
        ends = GrowingArray(self._spool, np.dtype(np.int64))
        for begin in range(1, len(starts), _ROWS):
            ends.add(starts[begin : begin + _ROWS])
        ends.add(np.array([len(run)]))
        of_cut = {*self._cut.static, *(() if self._cut.keeps_order else self._cut.order)}
        return Run(
            run.values,
            ends.done(),
            [*(growing.done() for growing in self._keys), self._counter.done()],
            run.order,
            {name: growing.done() for name, growing in self._static.items()},
            {name: column for name, column in run.per_step.items() if name not in of_cut},
            run.ties,
        )
