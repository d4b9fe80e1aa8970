"""Columns that rows are sorted by, or carry along: numbers or text, in memory or a spool, complete or being filled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import CHUNK, AnyArray, Lazy, stretch
from seqtool.arrays.spool import GrowingArray, Spool, spooled
from seqtool.grouping.distinct import distinct
from seqtool.grouping.sorting import ranking_bytes, ranks

_ENCODED = 1 << 20  # rows of text that get their codes together
_STRING = 1 << 31  # bytes: Arrow text holds fewer, large text any number, in twice the time
_MOST_WAITING = _STRING >> 1  # bytes of text that wait to be encoded, and a batch more
_TILE = 1 << 13  # cells that are converted together, so that they stay in the cache


class TextColumn:
    """Text in a spool, whose chunks are Arrow arrays of large strings; `widest` is the most characters of a cell."""

    def __init__(self, data: AnyArray, offsets: AnyArray, widest: int) -> None:
        self.data = data
        self.offsets = offsets
        self.widest = widest

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, window: slice) -> Any:
        begin, end, _ = window.indices(len(self))
        offsets = self.offsets[begin : end + 1]
        data = self.data[int(offsets[0]) : int(offsets[-1])]
        buffers = [None, pa.py_buffer(offsets - offsets[0]), pa.py_buffer(data)]
        return pa.Array.from_buffers(pa.large_string(), end - begin, buffers)


class GrowingText:
    """Text in a spool to which cells are added; `kept` as in `GrowingArray`, for the letters and for the offsets."""

    def __init__(self, spool: Spool, *, kept: int = CHUNK) -> None:
        self._data = GrowingArray(spool, np.dtype(np.uint8), kept=kept)
        self._offsets = GrowingArray(spool, np.dtype(np.int64), kept=kept)
        self._offsets.add(np.zeros(1, np.int64))
        self._end = 0
        self.widest = 0  # characters of the longest cell

    def add(self, cells: Any) -> None:
        """Add an Arrow array of text at the end."""
        cells = cells.cast(pa.large_string())
        if not len(cells):
            return
        offsets = np.frombuffer(cells.buffers()[1], np.int64)[cells.offset : cells.offset + len(cells) + 1]
        if offsets[-1] > offsets[0]:
            self._data.add(np.frombuffer(cells.buffers()[2], np.uint8)[offsets[0] : offsets[-1]].copy())
        self._offsets.add(offsets[1:] - offsets[0] + self._end)
        self._end += int(offsets[-1] - offsets[0])
        self.widest = max(self.widest, pc.max(pc.utf8_length(cells)).as_py())

    def done(self) -> TextColumn:
        """The whole column."""
        return TextColumn(self._data.done(), self._offsets.done(), self.widest)


def is_numbers(column: Any) -> bool:
    """Whether the chunks of a column are NumPy numbers; those of text are Arrow arrays."""
    return isinstance(column, (np.ndarray, Lazy))


def spooled_column(spool: Spool, column: Any, *, kept: int = CHUNK) -> Any:
    """A copy of a column in a spool; `kept` as in `GrowingArray`."""
    if is_numbers(column):
        return spooled(spool, column, kept=kept)
    growing = GrowingText(spool, kept=kept)
    for begin in range(0, len(column), _TILE):
        growing.add(column[begin : begin + _TILE])
    return growing.done()


class _Stretch:
    """Some cells of a column of text."""

    def __init__(self, column: Any, begin: int, end: int) -> None:
        self._column, self._begin, self._count = column, begin, end - begin

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, window: slice) -> Any:
        begin, end, _ = window.indices(self._count)
        return self._column[self._begin + begin : self._begin + max(begin, end)]


def column_stretch(column: Any, begin: int, end: int) -> Any:
    """The cells of a column from `begin` to `end`, read when they are asked for."""
    return stretch(column, begin, end) if is_numbers(column) else _Stretch(column, begin, end)


class Ranked:
    """A column of text as (n,) codes and the sorted texts behind them: a chunk is Arrow text."""

    def __init__(self, codes: AnyArray, texts: Any) -> None:
        self._codes = codes
        self._texts = texts

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, window: slice) -> Any:
        return self._texts.take(pa.array(self._codes[window]))


class Spelled:
    """A column of integers as text: a chunk is Arrow text."""

    def __init__(self, integers: AnyArray) -> None:
        self._integers = integers

    def __len__(self) -> int:
        return len(self._integers)

    def __getitem__(self, window: slice) -> Any:
        return pa.array(self._integers[window]).cast(pa.string())


class FillingNumbers:
    """A column of numbers that is being filled; integers widen to floats when a float comes."""

    bytes = 0

    def __init__(self, capacity: int, kind: np.dtype[Any]) -> None:
        self.data = np.empty(capacity, kind)

    def put(self, at: int, cells: Array) -> None:
        """Fill in the cells from row `at` on."""
        if cells.dtype != self.data.dtype:
            common = np.result_type(cells.dtype, self.data.dtype)
            if common != self.data.dtype:
                before, self.data = self.data, np.empty(len(self.data), common)
                self.data[:at] = before[:at]
        self.data[at : at + len(cells)] = cells

    def codes(self, count: int) -> tuple[Array, Any]:
        """The first `count` cells as numbers in their order, and the sorted texts behind these, if it is text."""
        return self.data[:count], None


class FillingNarrow(FillingNumbers):
    """The same for columns that rows are sorted by: integers take four bytes while all fit into these."""

    def put(self, at: int, cells: Array) -> None:
        """Fill in the cells from row `at` on."""
        if cells.dtype == np.int64 and len(cells) and cells.min() >= -(1 << 31) and cells.max() < 1 << 31:
            cells = cells.astype(np.int32)
        super().put(at, cells)


class FillingTexts:
    """A column of text that is being filled: codes into dictionaries, one for each million rows.

    Where memory holds only `affordable` rows, fewer are encoded together, which takes no more than sorting will.
    """

    def __init__(self, capacity: int, affordable: int) -> None:
        self._together = min(_ENCODED, affordable // 16)
        self._most_waiting = min(2 * affordable, _MOST_WAITING)
        self.data = np.empty(capacity, np.int32)
        self._dictionaries: list[Any] = []
        self._known = 0
        self._waiting: list[Any] = []
        self._waiting_bytes = 0
        self._from = self._until = 0
        self.bytes = 0

    @classmethod
    def of(cls, numbers: FillingNumbers, count: int, affordable: int) -> FillingTexts:
        """A column of integers as text."""
        texts = cls(len(numbers.data), affordable)
        for at in range(0, count, _TILE):
            texts.put(at, numbers.data[at : min(at + _TILE, count)])
        return texts

    def put(self, at: int, cells: Any) -> None:
        """Fill in the cells from row `at` on: text, or integers that become text."""
        if isinstance(cells, np.ndarray):
            cells = pa.array(cells).cast(pa.string())
        self._waiting.append(cells)
        self._until = at + len(cells)
        self._waiting_bytes += cells.nbytes
        self.bytes += cells.nbytes
        if self._until - self._from >= self._together or self._waiting_bytes >= self._most_waiting:
            self._encode()

    def _encode(self) -> None:
        """Turn the waiting texts into codes: many at once, since many of them are then equal."""
        numbers, texts = distinct(self._waiting)
        self.bytes -= self._waiting_bytes
        self._waiting, self._waiting_bytes = [], 0
        np.add(numbers, self._known, out=self.data[self._from : self._until], casting="unsafe")
        self._from = self._until
        pa.default_memory_pool().release_unused()  # Arrow would keep the memory that encoding took
        self._dictionaries.append(texts)
        self._known += len(texts)
        size, count = texts.nbytes, len(texts)
        self.bytes += 2 * size + ranking_bytes(size, count)  # once here, and once more when they become one

    def codes(self, count: int) -> tuple[Array, Any]:
        """The first `count` cells as numbers in their order, and the sorted texts behind these, if it is text."""
        if self._waiting:
            self._encode()
        size = sum(texts.nbytes for texts in self._dictionaries)
        kind = pa.string() if size < _STRING else pa.large_string()
        rank, texts = ranks(pa.concat_arrays([texts.cast(kind) for texts in self._dictionaries]))
        self._dictionaries = []
        pa.default_memory_pool().release_unused()
        codes = self.data[:count]
        for begin in range(0, count, _ENCODED):
            codes[begin : begin + _ENCODED] = rank.take(codes[begin : begin + _ENCODED])
        return codes, texts.cast(pa.large_string())
