"""Filling of missing numbers, NaN, from other steps of their sequence and by constants; read in any order.

Steps are taken in blocks of a fixed size. Before each, the last number of every feature is kept with its step, and
behind it the next one, so that any block is filled without those around it, and nothing depends on how steps are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.errors import DataError
from seqtool.operations.moments import moments_of
from seqtool.operations.quantiles import Columns
from seqtool.sequences.features import (
    feature_blocks,
    feature_titles,
    lazily_by_sequence,
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

    def facts(self) -> dict[str, Any]:
        """The numbers as JSON data."""
        return {"features": [*self.features], "numbers": self.numbers.tolist()}

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Averages:
        """The inverse of `facts`."""
        return cls((*facts["features"],), np.array(facts["numbers"], np.float64))


def averages(ragged: Ragged, method: str, features: Sequence[int], spool: Spool) -> Averages:
    """The means or medians of some features; NaN for all others. Raises DataError where one is not finite."""
    width, titles = width_of(ragged.values), (*feature_titles(ragged),)
    numbers = np.full(width, np.nan)
    blocks = (block for _, block in feature_blocks(ragged.values))
    if method == "mean":
        moments = moments_of(blocks, width)
        found = np.where(moments.count > 0, moments.mean, np.nan)
    else:
        columns = Columns(blocks, spool)
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
        begin = i * self._size
        block = self._block(begin)
        columns = np.flatnonzero(self._chosen & np.isnan(block).any(axis=0))
        if len(columns):
            block[:, columns] = self._filled(i, begin, block[:, columns], columns)
        self._last = (i, block)
        return block

    def _block(self, begin: int) -> Array:
        steps = self._values[begin : begin + self._size]
        return np.array(steps.reshape(len(steps), self._columns))

    def _survey(self, spool: Spool) -> int:
        """Keep what is needed around each block; how many numbers of the chosen columns are missing."""
        kind, tail = self._values.dtype, (self._columns,)
        missing, edges = 0, [(np.dtype(np.int64), tail), (kind, tail)]
        before, firsts = ([GrowingArray(spool, *edge) for edge in edges] for _ in range(2))
        last = _Edge(np.full(self._columns, -1), np.zeros(self._columns, kind))
        for begin in range(0, len(self._values), self._size):
            block = self._block(begin)
            seen = ~np.isnan(block)
            missing += int((~seen[:, self._chosen]).sum())
            if self._methods:
                _add(before, last)
                last = _edge(block, seen, begin, len(block) - 1 - seen[::-1].argmax(axis=0), last)
            if "linear" in self._methods:
                never = _Edge(np.full(self._columns, _NEVER), np.zeros(self._columns, kind))
                _add(firsts, _edge(block, seen, begin, seen.argmax(axis=0), never))
        if self._methods:
            self._before = (before[0].done(), before[1].done())
        if "linear" in self._methods:
            self._behind = _next_of((firsts[0].done(), firsts[1].done()), edges, spool)
        return missing

    def _filled(self, i: int, begin: int, block: Array, columns: Array) -> Array:
        """Some columns of block i, which have missing numbers."""
        missing, steps = np.isnan(block), np.arange(begin, begin + len(block))[:, None]
        filled = block.copy()
        if self._before is not None:
            before = _Edge(*(part[i : i + 1][0][columns] for part in self._before))
            starts = lazily_by_sequence(self._offsets, self._offsets, begin, begin + len(block))[:, None]
            since = np.maximum.accumulate(np.where(missing, before.step, steps), axis=0)
            near = missing & (since >= starts) & (steps - since <= self._limit)
            earlier = _taken(block, since - begin, before.number)
        for method in self._methods:
            if method == "forward":
                reached, numbers = near, earlier
            else:
                reached, numbers = self._between(i, begin, block, columns, since, earlier)
                reached &= near
            open_cells = reached & np.isnan(filled)
            filled[open_cells] = numbers[open_cells]
        if self._constant is not None:
            filled = np.where(np.isnan(filled), self._constant[columns], filled)
        return filled

    def _between(
        self, i: int, begin: int, block: Array, columns: Array, since: Array, earlier: Array
    ) -> tuple[Array, Array]:
        """Which missing numbers have a later one in their sequence, and the numbers on the line to it."""
        assert self._behind is not None
        last = len(self._behind[0]) - 1 - i
        behind = _Edge(*(part[last : last + 1][0][columns] for part in self._behind))
        missing, steps = np.isnan(block), np.arange(begin, begin + len(block))[:, None]
        until = np.where(missing, behind.step, steps)[::-1]
        until = np.minimum.accumulate(until, axis=0)[::-1]
        ends = lazily_by_sequence(_ends(self._offsets), self._offsets, begin, begin + len(block))[:, None]
        later = _taken(block, until - begin, behind.number)
        with np.errstate(all="ignore"):
            share = (steps - since) / np.maximum(until - since, 1)
            start = earlier.astype(np.float64)
            line = start + (later.astype(np.float64) - start) * share
        return until < ends, line.astype(block.dtype)


def _add(growing: Sequence[GrowingArray], edge: _Edge) -> None:
    for array, part in zip(growing, edge, strict=True):
        array.add(part[None])


def _edge(block: Array, seen: Array, begin: int, rows: Array, otherwise: _Edge) -> _Edge:
    """The number of each column in one of the rows of a block, where the column has any."""
    some, columns = seen.any(axis=0), np.arange(block.shape[1])
    return _Edge(
        np.where(some, rows + begin, otherwise.step),
        np.where(some, block[rows, columns], otherwise.number),
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


def _taken(block: Array, rows: Array, outside: Array) -> Array:
    """The numbers of a block in some rows of each column; those of other blocks stand `outside`."""
    within = (rows >= 0) & (rows < len(block))
    numbers = np.take_along_axis(block, np.where(within, rows, 0), axis=0)
    return np.where(within, numbers, outside)


def _ends(offsets: AnyArray) -> AnyArray:
    """The end of each sequence, (N,)."""
    if isinstance(offsets, np.ndarray):
        return np.asarray(offsets[1:])
    return Lazy((len(offsets) - 1,), np.dtype(np.int64), lambda begin, end: offsets[begin + 1 : end + 1])
