"""Rows that are gathered in memory, sorted, and kept there or in a spool as a sorted run.

A run is a stretch of the input whose rows are sorted by key, then by the order columns; rows that are equal in all
of these keep their order. `seqtool.grouping.merging` makes one run of several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy, lazy_map, stretch
from seqtool.arrays.spool import Spool, spooled
from seqtool.dataclass import dataclass
from seqtool.grouping.columns import (
    FillingNarrow,
    FillingNumbers,
    FillingTexts,
    Ranked,
    column_stretch,
    is_numbers,
    spooled_column,
)
from seqtool.grouping.sorting import changes, falling, stable_order, taken

SORTING = 24  # bytes a row that sorting takes beside the rows themselves
_AS_TEXT = 250  # bytes that an integer takes as text, while its rank is found
_KEPT = 1 << 12  # bytes of each array of a run that may stay in memory: of many rows there are many runs
_TILE = 1 << 13  # rows turned from columns into rows together, so that they stay in the cache


@dataclass(frozen=True)
class RowSchema:
    """What each column of the batches is, by name.

    `dtype` is that of all `features`; None: int64 until a float comes, then `floats`. `static` columns must be constant
    within a key and have one value a sequence in the result, `per_step` columns one a step. The `order` columns that
    are among `descending` put the highest first. The last `unique` of them, such as the number of the row, only put
    rows in order that are equal in all others, and are not compared for ties.
    """

    keys: Sequence[str]
    order: Sequence[str]
    features: Sequence[str]
    dtype: np.dtype[Any] | None = None
    static: Sequence[str] = ()
    per_step: Sequence[str] = ()
    descending: Sequence[str] = ()
    unique: int = 0
    floats: np.dtype[Any] = np.dtype(np.float32)

    @property
    def falls(self) -> list[bool]:
        """Whether each order column descends."""
        return [name in self.descending for name in self.order]

    @property
    def tied(self) -> int:
        """How many order columns, from the first on, are compared for ties."""
        return len(self.order) - self.unique

    @property
    def singles(self) -> list[str]:
        """All columns but the features: each is kept as an array of its own."""
        return [*dict.fromkeys([*self.keys, *self.order, *self.static, *self.per_step])]


class ChangingError(Exception):
    """A column that must be constant within a key changes: the column, and the values before and after.

    `key` holds a text for each column of the key.
    """

    def __init__(self, column: str, key: tuple[str, ...], before: Any, after: Any) -> None:
        super().__init__(f"{column} changes from {before!r} to {after!r} within key {', '.join(key)}")
        self.column = column
        self.key = key
        self.before = before
        self.after = after


@dataclass(frozen=True)
class Run:
    """R sorted rows in G groups.

    `values` is (R, F). Group i ends before row `ends[i]`; `keys` holds a column (G,) for each key column,
    `static` columns (G,), `order` and `per_step` columns (R,). `ties` counts neighbours of one key that are equal
    in all order columns.
    """

    values: AnyArray
    ends: AnyArray
    keys: list[Any]
    order: list[Any]
    static: Mapping[str, AnyArray]
    per_step: Mapping[str, AnyArray]
    ties: int

    def __len__(self) -> int:
        return len(self.values)

    @property
    def nbytes(self) -> int:
        """About the bytes that it takes in a spool."""
        wide = 8 * (len(self.order) + len(self.per_step)) * len(self)
        return self.values.nbytes + wide + 8 * (1 + len(self.keys) + len(self.static)) * len(self.ends)

    def groups(self, begin: int, end: int) -> Run:
        """The groups from `begin` to `end`, as views of this run; ties are not counted again."""
        first = int(self.ends[begin - 1 : begin][0]) if begin else 0
        last = int(self.ends[end - 1 : end][0]) if end > begin else first
        return Run(
            stretch(self.values, first, last),
            lazy_map(lambda ends: ends - first, stretch(self.ends, begin, end), dtype=np.int64),
            [column_stretch(column, begin, end) for column in self.keys],
            [column_stretch(column, first, last) for column in self.order],
            {name: stretch(column, begin, end) for name, column in self.static.items()},
            {name: stretch(column, first, last) for name, column in self.per_step.items()},
            ties=0,
        )

    def spilled(self, spool: Spool) -> Run:
        """The same run in a spool."""

        def numbers(column: AnyArray) -> AnyArray:
            return spooled(spool, column, kept=_KEPT)

        def cells(column: Any) -> Any:
            return spooled_column(spool, column, kept=_KEPT)

        return Run(
            numbers(self.values),
            numbers(self.ends),
            [cells(column) for column in self.keys],
            [cells(column) for column in self.order],
            {name: numbers(column) for name, column in self.static.items()},
            {name: numbers(column) for name, column in self.per_step.items()},
            self.ties,
        )


class RowBuffer:
    """Rows in memory in the order in which they came; `sorted_run` sorts them.

    There is room for as many as `memory` bytes hold, and for no more than `at_most` if that is known.
    """

    def __init__(self, layout: RowSchema, memory: int, at_most: int | None = None) -> None:
        self._layout = layout
        self._memory = memory
        self._at_most = at_most
        self._clear()

    def _clear(self) -> None:
        self.count = 0
        self._values: Array | None = None
        self._columns: dict[str, Any] = {}

    def row_bytes(self, dtype: np.dtype[Any]) -> int:
        """The bytes that a row takes until it is sorted, without its text."""
        step = dtype.itemsize * len(self._layout.features)
        reversed_codes = 8 * len(self._layout.descending)
        return step + 8 * len(self._layout.singles) + reversed_codes + SORTING

    @property
    def room(self) -> int:
        """How many more rows there is memory for; without limit while there is none, for the first fixes the type."""
        if self._values is None:
            return 1 << 62
        used: int = sum(column.bytes for column in self._columns.values())
        affordable = (self._memory - used) // self.row_bytes(self._values.dtype)
        return max(0, min(affordable, len(self._values)) - self.count)

    def too_many_for(self, batch: Mapping[str, Any]) -> bool:
        """Whether a batch brings text to columns of so many integers that these do not fit into memory as text."""
        if self._values is None:
            return False
        turned = sum(
            isinstance(column, FillingNumbers) and not is_numbers(batch[name])
            for name, column in self._columns.items()
        )
        return turned * self.count * _AS_TEXT > self._memory - self.count * self.row_bytes(self._values.dtype)

    def add(self, batch: Mapping[str, Any], pool: Executor | None = None) -> int:
        """Add as many rows of a batch as there is room for, and return their number.

        A batch has a column for each name of the layout: of NumPy numbers, or of Arrow text.
        """
        features = [batch[name] for name in self._layout.features]
        floats = self._layout.dtype is None and any(column.dtype.kind == "f" for column in features)
        if self._values is None:
            dtype = self._layout.dtype or (self._layout.floats if floats else np.dtype(np.int64))
            capacity = max(1, self._memory // self.row_bytes(dtype))
            capacity = capacity if self._at_most is None else min(capacity, self._at_most)
            # Memory that is never written to costs nothing.
            self._values = np.empty((capacity, len(features)), dtype)
        elif floats:
            self._values = _as_floats(self._values, self.count, self._layout.floats)
        taken_now = min(len(batch[self._layout.keys[0]]), self.room)
        for name in self._layout.singles:
            self._put(name, batch[name][:taken_now])
        _fill(self._values[self.count : self.count + taken_now], [c[:taken_now] for c in features], pool)
        self.count += taken_now
        return taken_now

    def _put(self, name: str, cells: Any) -> None:
        column = self._columns.get(name)
        assert self._values is not None
        capacity, affordable = len(self._values), self._memory // self.row_bytes(self._values.dtype)
        if column is None:
            by = name in self._layout.keys or name in self._layout.order
            if not is_numbers(cells):
                column = FillingTexts(capacity, affordable)
            elif by and cells.dtype == np.int64:
                column = FillingNarrow(capacity, np.dtype(np.int32))
            else:
                column = (FillingNarrow if by else FillingNumbers)(capacity, cells.dtype)
        elif isinstance(column, FillingNumbers) and not is_numbers(cells):
            column = FillingTexts.of(column, self.count, affordable)
        self._columns[name] = column
        column.put(self.count, cells)

    def sorted_run(self) -> Run:
        """All rows so far, sorted, as a run; they move to it without a copy, so that none is left here."""
        layout, count, values = self._layout, self.count, self._values
        assert values is not None
        values = values[:count]
        pa.default_memory_pool().release_unused()  # sorting needs the memory that reading had
        codes = {name: column.codes(count) for name, column in self._columns.items()}
        self._clear()
        keys, by = [codes[name] for name in layout.keys], [codes[name] for name in layout.order]
        ranked = [falling(c) if falls else c for (c, _), falls in zip(by, layout.falls, strict=True)]
        order = stable_order([*(column for column, _ in keys), *ranked])
        del ranked
        static = {name: codes[name][0] for name in layout.static}
        starts, ties = _groups(keys, by[: layout.tied], static, order)
        first = starts if order is None else order[starts]
        return Run(
            in_order(values, order),
            np.append(starts[1:], count),
            [_decoded(_wide(column.take(first)), texts) for column, texts in keys],
            [_ordered(column, texts, order) for column, texts in by],
            {name: column.take(first) for name, column in static.items()},
            {name: in_order(codes[name][0], order) for name in layout.per_step},
            ties,
        )


def _groups(
    keys: Sequence[Any],
    by: Sequence[Any],
    static: Mapping[str, Array],
    order: Array | None,
) -> tuple[Array, int]:
    """The first row of each group of sorted rows, and the number of ties; raises ChangingError.

    A tie is a row whose order columns all equal those of the row before, of the same key.
    """
    starts, ties = [], 0
    same = [changes([column for column, _ in by], order)] if by else []
    fixed = [(name, changes([column], order)) for name, column in static.items()]
    for begin, new in changes([column for column, _ in keys], order):
        starts.append(np.flatnonzero(new) + begin)
        for differing in same:
            ties += int((~(new | next(differing)[1])).sum())
        for name, differing in fixed:
            wrong = next(differing)[1] & ~new
            if wrong.any():
                row = begin + int(np.argmax(wrong))
                before, at = (row - 1, row) if order is None else (int(order[row - 1]), int(order[row]))
                cells = (_decoded(column[at : at + 1], texts) for column, texts in keys)
                key = tuple(str(cell[0]) for cell in cells)
                raise ChangingError(name, key, static[name][before].item(), static[name][at].item())
    return np.concatenate(starts), ties


def _wide(numbers: Array) -> Array:
    return numbers.astype(np.int64) if numbers.dtype.kind == "i" else numbers


def _decoded(codes: Array, texts: Any) -> Any:
    return codes if texts is None else texts.take(pa.array(codes))


def _ordered(column: Array, texts: Any, order: Array | None) -> Any:
    ordered = in_order(column, order)
    return ordered if texts is None else Ranked(ordered, texts)


def in_order(rows: Array, order: Array | None) -> AnyArray:
    """The rows in this order, chunk by chunk: no second copy of them is made."""
    if order is None:
        return rows
    return Lazy((len(order), *rows.shape[1:]), rows.dtype, lambda begin, end: taken(rows, order[begin:end]))


def _as_floats(whole: Array, count: int, dtype: np.dtype[Any]) -> Array:
    """The first `count` rows of int64 as floats, in the same memory: each is written after it was read."""
    if whole.dtype != np.int64:
        return whole
    cells, width = whole.reshape(-1), whole.shape[1]
    floats = cells.view(dtype)
    for begin in range(0, count * width, _TILE):
        end = min(begin + _TILE, count * width)
        floats[begin:end] = cells[begin:end].astype(dtype)  # a copy first, for the two overlap
    return floats[: len(cells)].reshape(whole.shape)


def _fill(rows: Array, columns: Sequence[Array], pool: Executor | None) -> None:
    """Turn columns into rows: (n, F) from F columns of n."""
    tiles = range(0, len(rows), _TILE)

    def transpose(begins: Sequence[int]) -> None:
        with np.errstate(all="ignore"):  # what does not fit is refused before it is used
            for begin in begins:
                for i, column in enumerate(columns):
                    rows[begin : begin + _TILE, i] = column[begin : begin + _TILE]

    if pool is None or rows.size < 1 << 20:
        transpose(tiles)
    else:
        half = len(tiles) // 2
        list(pool.map(transpose, (tiles[:half], tiles[half:])))
