"""Arrays of which only windows stand in memory: in files, in a spool, or following from others.

Wherever an array may be larger than memory, a `Lazy` may stand instead of a NumPy array: it has a shape and
a dtype, and its windows `lazy[begin:end]` along the first axis are NumPy arrays. Code that takes either goes
through `windows`, and asks for `np.asarray(array)` where it needs all of it.
"""

from __future__ import annotations

import bisect
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, Self, overload

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.errors import DataError, why
from seqtool.words import human

WINDOW = 4 << 20  # bytes: about what stays in a core's cache between reading a window and using it


class Lazy:
    """An array whose windows are read when they are asked for; a window is the caller's own.

    `read(begin, end)` gives the rows from `begin` to `end`, which lie within the array.

    >>> squares = Lazy((5,), np.dtype("int64"), lambda begin, end: np.arange(begin, end) ** 2)
    >>> len(squares), squares[1:3].tolist(), np.asarray(squares).sum()
    (5, [1, 4], np.int64(30))
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], read: Callable[[int, int], Array]
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self._read = read

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of cells, counted without overflow."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of the whole."""
        return self.size * self.dtype.itemsize

    def reshaped(self, *shape: int) -> Lazy:
        """The same cells in another shape, where they lie in a file."""
        raise TypeError(f"an array that is made window by window keeps its shape {self.shape}")

    def __getitem__(self, window: slice) -> Array:
        begin, end, step = window.indices(len(self))
        if step != 1:
            raise ValueError(f"a window has step 1, not {step}")
        return self._read(begin, max(begin, end))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        whole = np.empty(self.shape, self.dtype)
        if not self.shape:  # one cell, and no axis that has windows
            whole[()] = self._read(0, 1)[0]
            return whole if dtype is None else whole.astype(dtype, copy=False)
        for begin, part in windows(self):
            whole[begin : begin + len(part)] = part
        return whole if dtype is None else whole.astype(dtype, copy=False)


AnyArray = Array | Lazy


def windows(array: AnyArray, size: int = WINDOW) -> Iterator[tuple[int, Array]]:
    """The array in pieces of whole rows, about `size` bytes each, with the row where each begins.

    >>> [(begin, part.tolist()) for begin, part in windows(np.arange(5), size=16)]
    [(0, [0, 1]), (2, [2, 3]), (4, [4])]
    """
    count = rows_in(array, size)
    for begin in range(0, len(array), count):
        yield begin, array[begin : begin + count]


def mapped(
    function: Callable[..., Array], *arrays: AnyArray, dtype: Any, shape: tuple[int, ...] | None = None
) -> AnyArray:
    """What a function makes of the rows of some arrays: at once where they are in memory, else by windows.

    >>> mapped(np.minimum, np.array([1, 5]), np.array([3, 3]), dtype=np.int64)
    array([1, 3])
    """
    if all(isinstance(array, np.ndarray) for array in arrays):
        return np.asarray(function(*arrays), dtype=dtype)

    def read(begin: int, end: int) -> Array:
        return np.asarray(function(*(array[begin:end] for array in arrays)), dtype=dtype)

    return Lazy(shape or arrays[0].shape, np.dtype(dtype), read)


def reshaped(array: AnyArray, *shape: int) -> AnyArray:
    """The same cells in another shape."""
    return array.reshape(shape) if isinstance(array, np.ndarray) else array.reshaped(*shape)


@overload
def slots(x: Array) -> Array: ...
@overload
def slots(x: AnyArray) -> AnyArray: ...
def slots(x: AnyArray) -> AnyArray:
    """The slots of a block of sequences, end to end: (N, T, F) as (N * T, F), (N, T) as (N * T,)."""
    return reshaped(x, x.shape[0] * x.shape[1], *x.shape[2:])


@dataclass(frozen=True)
class Span:
    """The least and the largest of some numbers, zero where there are none, and their sum."""

    least: int
    largest: int
    total: int


def span(numbers: AnyArray) -> Span:
    """The least, the largest and the sum of whole numbers.

    >>> span(np.array([3, 1]))
    Span(least=1, largest=3, total=4)
    """
    parts = [(int(part.min()), int(part.max()), int(part.sum())) for _, part in windows(numbers)]
    if not parts:
        return Span(0, 0, 0)
    least, largest, total = zip(*parts, strict=True)
    return Span(min(least), max(largest), sum(total))


def gather(array: AnyArray, starts: Array, counts: Array | None = None) -> Array:
    """Stretches of rows that ascend, end to end, read in windows that cover several of them at once.

    Without `counts` each is one row.

    >>> gather(np.arange(9), np.array([1, 6]), np.array([2, 1])).tolist()
    [1, 2, 6]
    """
    counts = np.ones(len(starts), np.int64) if counts is None else counts
    parts = list(_pieces(array, starts, counts))
    return parts[0] if len(parts) == 1 else np.concatenate([array[:0], *parts])


def rows_in(array: AnyArray, size: int = WINDOW) -> int:
    """How many rows of an array make about `size` bytes, at least one."""
    return max(1, size // max(1, prod(array.shape[1:]) * array.dtype.itemsize))


def joined(parts: list[AnyArray], shape: tuple[int, ...], dtype: np.dtype[Any]) -> AnyArray:
    """Arrays end to end, as one whose rows are of `dtype`; with one part, that part."""
    if len(parts) == 1 and parts[0].dtype == dtype:
        return parts[0]
    ends = np.cumsum([len(part) for part in parts])

    def read(begin: int, end: int) -> Array:
        out = np.empty((end - begin, *shape[1:]), dtype)
        first = int(np.searchsorted(ends, begin, side="right"))
        done = begin
        for part, stop in zip(parts[first:], ends[first:].tolist(), strict=True):
            if done >= end:
                break
            start = stop - len(part)
            out[done - begin : min(end, stop) - begin] = part[done - start : min(end, stop) - start]
            done = min(end, stop)
        return out

    return Lazy(shape, dtype, read)


def expanded(starts: Array, counts: Array) -> Array:
    """The rows of several stretches, end to end: each begins at a start and has a count.

    >>> expanded(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    total = int(counts.sum())
    kind = index_type(int((starts + counts).max(initial=0)))
    shift = starts.astype(np.int64) - np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(starts) else starts
    rows = np.repeat(shift.astype(kind), counts)  # may wrap around, and back when what stands there is added
    rows += np.arange(total, dtype=kind)
    return rows


def index_type(count: int) -> np.dtype[Any]:
    """The narrowest type for the positions of so many rows."""
    return np.dtype(np.uint32 if count < 1 << 32 else np.int64)


def sequence_of(offsets: AnyArray, row: int) -> int:
    """The sequence that a row lies in, by few reads of the offsets.

    >>> sequence_of(np.array([0, 2, 2, 5]), 2)
    2
    """
    return bisect.bisect_right(range(len(offsets) - 1), row, key=lambda i: int(offsets[i : i + 1][0])) - 1


def selected(array: AnyArray, starts: AnyArray, offsets: AnyArray, shape: tuple[int, ...]) -> Lazy:
    """Stretches of rows, end to end: stretch i begins at `starts[i]` and fills `offsets[i]` to `offsets[i + 1]`.

    Stretches ascend and do not overlap; `shape` is that of the result.

    >>> selected(np.arange(9), np.array([1, 6]), np.array([0, 2, 5]), (5,))[1:4].tolist()
    [2, 6, 7]
    """

    def read(begin: int, end: int) -> Array:
        out = np.empty((end - begin, *array.shape[1:]), array.dtype)
        done = begin
        first = sequence_of(offsets, begin)
        while done < end:
            edges = offsets[first : first + _STRETCHES + 1]
            edges = edges[: int(np.searchsorted(edges, end)) + 1]
            count = len(edges) - 1
            low, high = np.maximum(edges[:-1], begin), np.minimum(edges[1:], end)
            sources = starts[first : first + count] + (low - edges[:-1])
            for rows in _pieces(array, sources, high - low):
                out[done - begin : done - begin + len(rows)] = rows
                done += len(rows)
            first += count
        return out

    return Lazy(shape, array.dtype, read)


_STRETCHES = 1 << 16  # looked up together


def _pieces(array: AnyArray, starts: Array, counts: Array) -> Iterator[Array]:
    """The rows of some stretches, read in windows that cover several of them at once."""
    most, ends, at = rows_in(array), starts + counts, 0
    while at < len(starts):
        to = max(at + 1, int(np.searchsorted(ends, starts[at] + most, side="right")))
        block = array[int(starts[at]) : int(ends[to - 1])]
        if len(block) != counts[at:to].sum():
            block = block.take(expanded(starts[at:to] - starts[at], counts[at:to]), axis=0)
        yield block
        at = to


class FileArray(Lazy):
    """An array in an open file, C-contiguous from `offset` on, in this machine's byte order when read."""

    def __init__(
        self, file: IO[bytes], name: str, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        super().__init__(shape, dtype.newbyteorder("="), self._from_file)
        self._file = file
        self._name = name
        self._offset = offset
        self._stored = dtype

    def reshaped(self, *shape: int) -> FileArray:
        """The same cells in another shape."""
        return FileArray(self._file, self._name, self._offset, shape, self._stored)

    def _from_file(self, begin: int, end: int) -> Array:
        row = prod(self.shape[1:]) * self.dtype.itemsize
        out = np.empty((end - begin, *self.shape[1:]), self._stored)
        fill(self._file, out.reshape(-1).view(np.uint8), self._offset + begin * row, self._name)
        return out.astype(self.dtype, copy=False)


def fill(file: IO[bytes], out: Array, offset: int, name: str) -> None:
    """Fill `out`, (n,) uint8, with the bytes of a file from `offset` on, wherever else it is being read."""
    done = 0
    while done < len(out):
        count = os.preadv(file.fileno(), [out[done:].data], offset + done)
        if not count:
            raise DataError(f"{name}: ends early; it was cut short while it was being read")
        done += count


class Spool:
    """A temporary file for what does not fit into memory; it has no name, so it goes with its process.

    >>> with Spool() as spool:
    ...     spool.append(np.arange(5))[1:3]
    array([1, 2])
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(tempfile.gettempdir())
        self._file: IO[bytes] | None = None
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the room on the disk."""
        if self._file is not None:
            self._file.close()

    def check_room(self, needed: int) -> None:
        """Raise DataError unless the folder has room for so many bytes more."""
        free = shutil.disk_usage(self._folder).free
        if needed > free:
            raise DataError(
                f"{self._folder}: sorting needs about {human(needed)} there, but {human(free)} are free; name "
                "a folder with more room: --temp-dir DIR, or allow more memory: --max-memory"
            )

    def append(self, array: Array) -> FileArray:
        """Put an array behind all others; what comes back reads it again."""
        with self._told():
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0, prefix="seqtool-", dir=self._folder)  # noqa: SIM115
            data = np.ascontiguousarray(array)
            begin = self._end
            self._end += write_at(self._file, data.reshape(-1).view(np.uint8), begin)
        return FileArray(self._file, str(self._folder), begin, data.shape, data.dtype)

    def _told(self) -> _Told:
        return _Told(self._folder)


class _Told:
    """Says which folder it is that has no room."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise DataError(
                f"{self._folder}: cannot hold what does not fit into memory ({why(error)}); name a folder with "
                "more room: --temp-dir DIR, or allow more memory: --max-memory"
            ) from None


def write_at(file: IO[bytes], data: Array, offset: int) -> int:
    """Write (n,) uint8 into a file at `offset`; every failure of the disk shows here, or in its fsync."""
    done = 0
    while done < len(data):
        done += os.pwrite(file.fileno(), data[done:].data, offset + done)
    return done


class Growing:
    """An array that grows at its end: in memory while it is small, beyond that in a spool.

    `tail` is the shape of a row. Parts may be of several types: what is read is of the `dtype` of `done`.

    >>> with Spool() as spool:
    ...     growing = Growing(spool, np.dtype("int64"))
    ...     growing.add(np.arange(3))
    ...     growing.add(np.arange(2))
    ...     growing.done()
    array([0, 1, 2, 0, 1])
    """

    def __init__(self, spool: Spool, dtype: np.dtype[Any], tail: tuple[int, ...] = ()) -> None:
        self._spool = spool
        self.dtype = dtype
        self.tail = tail
        self._stored: list[AnyArray] = []
        self._fresh: list[Array] = []
        self._fresh_bytes = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, part: Array) -> None:
        """Put an array at the end."""
        self._fresh.append(part)
        self._fresh_bytes += part.nbytes
        self._count += len(part)
        if self._fresh_bytes > WINDOW:
            self._stored.append(self._spool.append(np.concatenate(self._fresh)))
            self._fresh, self._fresh_bytes = [], 0

    def done(self, dtype: np.dtype[Any] | None = None) -> AnyArray:
        """The whole array; what is added later is not in it."""
        dtype = dtype or self.dtype
        last = np.concatenate([np.empty((0, *self.tail), dtype), *self._fresh])
        parts = [*self._stored, last.astype(dtype, copy=False)]
        if len(parts) == 1:
            return parts[0]
        return joined(parts, (self._count, *self.tail), dtype)


def stored(spool: Spool, array: AnyArray) -> AnyArray:
    """A copy of an array in a spool."""
    growing = Growing(spool, array.dtype, array.shape[1:])
    for _, part in windows(array):
        growing.add(part)
    return growing.done()
