"""Arrays that are read in chunks: from files, from a spool, or computed from other arrays.

Wherever an array may be larger than memory, a `Lazy` may take the place of a NumPy array: it has a shape and
a dtype, and its chunks `lazy[begin:end]` along the first axis are NumPy arrays. Code that takes either goes
through `chunks`, and asks for `np.asarray(array)` where it needs the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any, overload

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.dataclass import dataclass

CHUNK = 4 << 20  # bytes: about what stays in a core's cache between reading a chunk and using it


class Lazy:
    """An array whose chunks are read on demand; the caller may write to a chunk.

    `read(begin, end)` gives the rows from `begin` to `end`, which are within the array.

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
        """The number of cells, as a Python integer, which cannot overflow."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of the whole array."""
        return self.size * self.dtype.itemsize

    def reshaped(self, *shape: int) -> Lazy:
        """The same cells in another shape; raises TypeError unless they are in a file."""
        raise TypeError(f"an array that is made chunk by chunk keeps its shape {self.shape}")

    def __getitem__(self, window: slice) -> Array:
        begin, end, step = window.indices(len(self))
        if step != 1:
            raise ValueError(f"a chunk has step 1, not {step}")
        return self._read(begin, max(begin, end))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        whole = np.empty(self.shape, self.dtype)
        if not self.shape:  # one cell, and no axis that has chunks
            whole[()] = self._read(0, 1)[0]
            return whole if dtype is None else whole.astype(dtype, copy=False)
        for begin, part in chunks(self):
            whole[begin : begin + len(part)] = part
        return whole if dtype is None else whole.astype(dtype, copy=False)


class Watched(Lazy):
    """The same array, of which `on_read(share)` is told how far it was read, from 0 to 1.

    >>> shares = []
    >>> parts = [part for _, part in chunks(Watched(Lazy((4,), np.dtype(bool), np.arange), shares.append), size=2)]
    >>> shares
    [0.5, 1.0]
    """

    def __init__(self, array: Lazy, on_read: Callable[[float], None]) -> None:
        super().__init__(array.shape, array.dtype, self._watched)
        self._array, self._on_read = array, on_read

    def reshaped(self, *shape: int) -> Lazy:
        """The same cells in another shape."""
        return Watched(self._array.reshaped(*shape), self._on_read)

    def _watched(self, begin: int, end: int) -> Array:
        part = self._array[begin:end]
        self._on_read(end / max(1, len(self)))
        return part


AnyArray = Array | Lazy


def chunks(array: AnyArray, size: int = CHUNK) -> Iterator[tuple[int, Array]]:
    """The array in pieces of whole rows, about `size` bytes each, each with the number of its first row.

    >>> [(begin, part.tolist()) for begin, part in chunks(np.arange(5), size=16)]
    [(0, [0, 1]), (2, [2, 3]), (4, [4])]
    """
    pieces = getattr(array, "pieces", None)
    if pieces is not None:  # text of variable width, whose rows differ in size
        yield from pieces(size)
        return
    count = rows_per_chunk(array, size)
    for begin in range(0, len(array), count):
        yield begin, array[begin : begin + count]


def lazy_map(
    function: Callable[..., Array], *arrays: AnyArray, dtype: Any, shape: tuple[int, ...] | None = None
) -> AnyArray:
    """A function of the rows of some arrays: computed at once where all are in memory, else chunk by chunk.

    >>> lazy_map(np.minimum, np.array([1, 5]), np.array([3, 3]), dtype=np.int64)
    array([1, 3])
    """
    if all(isinstance(array, np.ndarray) for array in arrays):
        return np.asarray(function(*arrays), dtype=dtype)

    def read(begin: int, end: int) -> Array:
        return np.asarray(function(*(array[begin:end] for array in arrays)), dtype=dtype)

    return Lazy(shape or arrays[0].shape, np.dtype(dtype), read)


def decoded(codes: AnyArray, values: Array) -> Lazy:
    """The value of each code, looked up when it is read, so that no more than the codes is held.

    >>> decoded(np.array([1, 0]), np.array(["a", "b"]))[:].tolist()
    ['b', 'a']
    """
    return Lazy(codes.shape, values.dtype, lambda begin, end: values[codes[begin:end]])


def side_by_side(columns: Sequence[AnyArray], dtype: np.dtype[Any] | None = None) -> AnyArray:
    """C columns of (n,) as (n, C), of the dtype of the first or of another: at once where all are in memory.

    >>> side_by_side([np.array([1, 2]), np.array([3, 4])]).tolist()
    [[1, 3], [2, 4]]
    """
    to = columns[0].dtype if dtype is None else dtype

    def stacked(*parts: Array) -> Array:
        return np.stack(parts, axis=1).astype(to, copy=False)

    return lazy_map(stacked, *columns, dtype=to, shape=(len(columns[0]), len(columns)))


def reshaped(array: AnyArray, *shape: int) -> AnyArray:
    """The same cells in another shape, without a copy."""
    return array.reshape(shape) if isinstance(array, np.ndarray) else array.reshaped(*shape)


@overload
def slots(x: Array) -> Array: ...
@overload
def slots(x: AnyArray) -> AnyArray: ...
def slots(x: AnyArray) -> AnyArray:
    """The slots of a block of sequences, end to end: (N, T, F) as (N * T, F), (N, T) as (N * T,)."""
    return reshaped(x, x.shape[0] * x.shape[1], *x.shape[2:])


def as_items(array: Array, dims: int) -> Array:
    """An array with all but its first `dims` dimensions as one opaque item: a step is then copied at once.

    >>> as_items(np.zeros((2, 3, 5)), 2).shape
    (2, 3)
    """
    size = prod(array.shape[dims:])
    if array.ndim == dims or size == 0:
        return array
    return array.reshape(*array.shape[:dims], size).view(f"V{size * array.itemsize}")[..., 0]


@dataclass(frozen=True)
class Span:
    """The least, the largest and the sum of some whole numbers; all 0 where there are none."""

    least: int
    largest: int
    total: int


def span(numbers: AnyArray) -> Span:
    """The least, the largest and the sum of whole numbers.

    >>> span(np.array([3, 1]))
    Span(least=1, largest=3, total=4)
    """
    parts = [Span(int(part.min()), int(part.max()), int(part.sum())) for _, part in chunks(numbers)]
    if len(parts) < 2:
        return parts[0] if parts else Span(0, 0, 0)
    return Span(
        min(part.least for part in parts),
        max(part.largest for part in parts),
        sum(part.total for part in parts),
    )


def rows_per_chunk(array: AnyArray, size: int = CHUNK) -> int:
    """How many rows of an array make about `size` bytes, at least one."""
    return max(1, size // max(1, prod(array.shape[1:]) * array.dtype.itemsize))


def stretch(array: AnyArray, begin: int, end: int) -> AnyArray:
    """The rows of an array from `begin` to `end`: a view, or read when they are asked for.

    >>> stretch(np.arange(5), 1, 3)
    array([1, 2])
    """
    if isinstance(array, np.ndarray):
        return array[begin:end]
    shape = (end - begin, *array.shape[1:])
    return Lazy(shape, array.dtype, lambda first, last: array[begin + first : begin + last])


def concatenated(parts: list[AnyArray], shape: tuple[int, ...], dtype: np.dtype[Any]) -> AnyArray:
    """Arrays end to end, as one array of `shape` and `dtype`, read in chunks; a single part of `dtype` as it is."""
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
            if begin >= start and end <= stop and isinstance(part, Lazy):
                return part[begin - start : end - start].astype(dtype, copy=False)
            out[done - begin : min(end, stop) - begin] = part[done - start : min(end, stop) - start]
            done = min(end, stop)
        return out

    return Lazy(shape, dtype, read)
