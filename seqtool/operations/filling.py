"""Filling of missing numbers, NaN, from other steps of their sequence and by constants; read in any order.

Steps are taken in blocks of a fixed size. Before each, the last number of every feature is kept with its step, and
behind it the next one, so that any block is filled without those around it, and nothing depends on how steps are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import SEQUENCES_TOGETHER, sequence_of
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.operations.moments import moments_of
from seqtool.operations.quantiles import FeatureColumns
from seqtool.sequences.features import (
    feature_blocks,
    feature_titles,
    order_of,
    steps_a_block,
    width_of,
)
from seqtool.sequences.ragged import Ragged
from seqtool.words import listed

_NEVER = 1 << 62  # the step of a number that does not come


@dataclass(frozen=True, eq=False)
class Averages:
    """What `fill` learned: the mean or the median of each feature, (F,); NaN where it has no number."""

    features: tuple[str, ...]
    numbers: Array

    def facts(self) -> dict[str, Any] | None:
        """The numbers as JSON data; None where no feature had one."""
        return (
            None
            if np.isnan(self.numbers).all()
            else {"features": [*self.features], "numbers": self.numbers.tolist()}
        )

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Averages:
        """The inverse of `facts`."""
        return cls((*facts["features"],), np.array(facts["numbers"], np.float64))

    def ordered_for(self, ragged: Ragged) -> Averages:
        """The same with the features in the order that sequences have them in."""
        order = order_of(self.features, feature_titles(ragged))
        return Averages((*(self.features[i] for i in order),), self.numbers[order])


def averages(ragged: Ragged, method: str, features: Sequence[int], spool: Spool) -> Averages:
    """The means or medians of some features; NaN for all others. Raises DataError where one is not finite."""
    width, titles = width_of(ragged.values), (*feature_titles(ragged),)
    numbers = np.full(width, np.nan)
    blocks = (block for _, block in feature_blocks(ragged.values))
    if method == "mean":
        moments = moments_of(blocks, width)
        found = np.where(moments.count > 0, moments.mean, np.nan)
    else:
        columns = FeatureColumns(blocks, spool)
        found = np.array([columns.quantiles(i, [0.5])[0] for i in range(width)])
    numbers[[*features]] = found[[*features]]
    infinite = np.flatnonzero(np.isinf(numbers)).tolist()
    if infinite:
        raise DataError(
            f"{listed([titles[i] for i in infinite])}: the {method} is infinite; finite numbers are filled in"
        )
    return Averages(titles, numbers)


class _Edge(NamedTuple):
    """A number of each column and its step, before a block or behind it: (W,) each."""

    step: Array
    number: Array

    def not_below(self, step: int) -> _Edge:
        """The same, with NaN for the numbers of steps before this one, which are of another sequence."""
        return _Edge(self.step, np.where(self.step >= step, self.number, np.nan).astype(self.number.dtype))


class Filled:
    """The values of sequences with missing numbers filled, chunk by chunk.

    `methods` are forward and linear; `limit` is how many steps behind the last number they reach. `chosen` (W,) are the
    columns of a step that are filled, and `constant` (W,) what fills the rest, None for nothing.
    """

    def __init__(
        self,
        ragged: Ragged,
        methods: Sequence[str],
        limit: int | None,
        chosen: Array,
        constant: Array | None,
        spool: Spool,
    ) -> None:
        self._values, self._offsets = ragged.values, ragged.offsets
        self._methods, self._limit = methods, _NEVER if limit is None else limit
        self._chosen, self._constant = chosen, constant
        self._size, self._columns = steps_a_block(ragged.values), prod(ragged.values.shape[1:])
        self._before: tuple[AnyArray, AnyArray] | None = None
        self._behind: tuple[AnyArray, AnyArray] | None = None
        self._last: tuple[int, Array] = (-1, np.empty(0))
        self.missing = self._survey(spool)

    def read(self, begin: int, end: int) -> Array:
        """The steps from `begin` to `end`, filled."""
        shape = (end - begin, *self._values.shape[1:])
        parts = [np.empty((0, self._columns), self._values.dtype)]
        for i in range(begin // self._size, -(-end // self._size)):
            first = i * self._size
            parts.append(self.block(i)[max(begin - first, 0) : end - first])
        return np.concatenate(parts).reshape(shape)

    def whole(self) -> AnyArray:
        """All steps: in memory where the values are."""
        lazy = Lazy(self._values.shape, self._values.dtype, self.read)
        return np.asarray(lazy) if isinstance(self._values, np.ndarray) else lazy

    def still_missing(self) -> int:
        """How many numbers of the chosen columns are missing all the same."""
        if self._constant is not None or not self.missing:
            return 0
        count = -(-len(self._values) // self._size)
        return sum(int(np.isnan(self.block(i)[:, self._chosen]).sum()) for i in range(count))

    def block(self, i: int) -> Array:
        """Block i, (n, W), filled; the last one is kept, for it is often asked for again."""
        known, kept = self._last
        if known == i:
            return kept
        cells = self._cells(i * self._size)
        columns = np.flatnonzero(self._chosen & np.isnan(cells).any(axis=1))
        if len(columns):
            cells[columns] = self._filled(i, cells[columns], columns)
        self._last = (i, np.ascontiguousarray(cells.T))
        return self._last[1]

    def _cells(self, begin: int) -> Array:
        """The cells of a block, (W, n): a row for each column of a step."""
        steps = self._values[begin : begin + self._size]
        return np.array(steps.reshape(len(steps), self._columns).T, order="C")

    def _survey(self, spool: Spool) -> int:
        """Keep what is needed around each block; how many numbers of the chosen columns are missing."""
        kind, tail = self._values.dtype, (self._columns,)
        missing, edges = 0, [(np.dtype(np.int64), tail), (kind, tail)]
        before, firsts = ([GrowingArray(spool, *edge) for edge in edges] for _ in range(2))
        last = _Edge(np.full(self._columns, -1), np.zeros(self._columns, kind))
        for begin in range(0, len(self._values), self._size):
            cells = self._cells(begin)
            seen = ~np.isnan(cells)
            missing += seen[self._chosen].size - int(np.count_nonzero(seen[self._chosen]))
            if self._methods:
                _add(before, last)
                last = _edge(cells, seen, begin, cells.shape[1] - 1 - seen[:, ::-1].argmax(axis=1), last)
            if "linear" in self._methods:
                never = _Edge(np.full(self._columns, _NEVER), np.zeros(self._columns, kind))
                _add(firsts, _edge(cells, seen, begin, seen.argmax(axis=1), never))
        if self._methods:
            self._before = (before[0].done(), before[1].done())
        if "linear" in self._methods:
            self._behind = _next_of((firsts[0].done(), firsts[1].done()), edges, spool)
        return missing

    def _filled(self, i: int, cells: Array, columns: Array) -> Array:
        """Some columns of block i, (w, n), which have missing numbers."""
        begin, missing = i * self._size, np.isnan(cells)
        filled = cells
        if self._before is not None:
            starts = starts_within(self._offsets, begin, begin + cells.shape[1])
            sequence = sequence_of(self._offsets, begin)
            before = self._edge_of(self._before, i, columns).not_below(self._offset(sequence))
            earlier, since = _last_seen(cells, missing, starts, before, begin)
            if self._limit < _NEVER:
                far = np.arange(begin, begin + cells.shape[1]) - since > self._limit
                earlier[far & missing] = np.nan
        for method in self._methods:
            if method == "forward" and filled is cells:
                filled = earlier  # which are the numbers that were there, too
                continue
            numbers = (
                earlier if method == "forward" else self._line(i, cells, columns, starts, earlier, since)
            )
            filled = np.where(np.isnan(filled), numbers, filled)
        if self._constant is not None:
            filled = np.where(np.isnan(filled), self._constant[columns, None], filled)
        return filled

    def _offset(self, sequence: int) -> int:
        return int(self._offsets[sequence : sequence + 1][0])

    def _edge_of(self, kept: tuple[AnyArray, AnyArray], i: int, columns: Array) -> _Edge:
        return _Edge(*(part[i : i + 1][0][columns] for part in kept))

    def _line(
        self, i: int, cells: Array, columns: Array, starts: Array, earlier: Array, since: Array
    ) -> Array:
        """What lies on the line from the last number to the next one; NaN where one of them is not there."""
        assert self._behind is not None
        begin, size = i * self._size, cells.shape[1]
        behind = self._edge_of(self._behind, len(self._behind[0]) - 1 - i, columns)
        # Seen from behind, a sequence starts with its last step, and the next number is the last.
        ends = size - 1 - starts_within(self._offsets, begin + 1, begin + size + 1)[::-1]
        turn = 2 * begin + size - 1
        end = self._offset(sequence_of(self._offsets, begin + size - 1) + 1)
        mirrored = _Edge(turn - behind.step, behind.number).not_below(turn - end + 1)
        later, until = _last_seen(cells[:, ::-1], np.isnan(cells)[:, ::-1], ends, mirrored, begin)
        later, until = later[:, ::-1], turn - until[:, ::-1]
        with np.errstate(all="ignore"):
            share = (np.arange(begin, begin + size) - since) / np.maximum(until - since, 1)
            start = earlier.astype(np.float64)
            return np.asarray((start + (later.astype(np.float64) - start) * share).astype(cells.dtype))


def starts_within(offsets: AnyArray, begin: int, end: int) -> Array:
    """Which of the steps from `begin` to `end` start a sequence, counted from `begin`.

    >>> starts_within(np.array([0, 2, 2, 5]), 1, 5).tolist()
    [1, 1]
    """
    first = sequence_of(offsets, begin)
    parts = [np.empty(0, np.int64)]
    for at in range(max(first, 0), len(offsets), SEQUENCES_TOGETHER):
        edges = offsets[at : at + SEQUENCES_TOGETHER]
        parts.append(edges[(edges >= begin) & (edges < end)] - begin)
        if edges[-1] >= end:
            break
    return np.concatenate(parts)


def _last_seen(cells: Array, missing: Array, starts: Array, before: _Edge, begin: int) -> tuple[Array, Array]:
    """For each cell of a block (w, n) the last number of its row up to it, and the step that has it.

    Where it has none since the start of its sequence, it is NaN, or what stood `before` the block.
    """
    count, size = cells.shape
    places = ~missing * np.arange(1, size + 1)  # faster than choosing: which are missing is not foreseen
    places[:, starts] = starts + 1  # what was before ends here
    np.maximum.accumulate(places, axis=1, out=places)
    numbers = np.concatenate([before.number[:, None], cells], axis=1)
    found = numbers.reshape(-1)[places + (np.arange(count) * (size + 1))[:, None]]
    since = places + (begin - 1)
    np.copyto(since, before.step[:, None], where=places == 0)
    return found, since


def _add(growing: Sequence[GrowingArray], edge: _Edge) -> None:
    for array, part in zip(growing, edge, strict=True):
        array.add(part[None])


def _edge(cells: Array, seen: Array, begin: int, places: Array, otherwise: _Edge) -> _Edge:
    """The number of each row of a block (W, n) at one of its places, where the row has any."""
    some, rows = seen.any(axis=1), np.arange(len(cells))
    return _Edge(
        np.where(some, places + begin, otherwise.step),
        np.where(some, cells[rows, places], otherwise.number),
    )


def _next_of(
    firsts: tuple[AnyArray, AnyArray], edges: Sequence[tuple[Any, Any]], spool: Spool
) -> tuple[AnyArray, AnyArray]:
    """The first number behind each block, from the first within each; the last block comes first."""
    behind = [GrowingArray(spool, *edge) for edge in edges]
    next_one = None
    for i in reversed(range(len(firsts[0]))):
        first = _Edge(*(part[i : i + 1][0] for part in firsts))
        if next_one is None:
            next_one = _Edge(np.full_like(first.step, _NEVER), np.zeros_like(first.number))
        _add(behind, next_one)
        has = first.step < _NEVER
        next_one = _Edge(*(np.where(has, one, other) for one, other in zip(first, next_one, strict=True)))
    return behind[0].done(), behind[1].done()
