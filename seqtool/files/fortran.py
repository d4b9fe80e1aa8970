"""Arrays in a file column by column, in Fortran order, read row by row as C has them.

Nothing is mapped: another process may cut the file meanwhile, and a mapping would give zeros then, or end ours.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import prod
from typing import IO, Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.file_array import read_into

_SPAN = 2 << 20  # bytes of a file that are read at once, of which only some cells may be wanted
_CACHE_BYTES = 16 << 20  # bytes of cells that are kept of runs that follow one another
_GAP = 1 << 14  # bytes between two columns that take longer to read than to ask for the next column


def column_by_column(shape: tuple[int, ...], *, fortran: bool) -> bool:
    """Whether Fortran order differs from C order."""
    return fortran and prod(shape) > 0 and sum(size > 1 for size in shape) > 1


@dataclass(frozen=True)
class _Block:
    """Cells of a file, evenly spaced along each axis: where the first one stands, and bytes from one to the next."""

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def part(self, axis: int, begin: int, end: int) -> _Block:
        """The cells from `begin` to `end` along an axis."""
        shape = (*self.shape[:axis], end - begin, *self.shape[axis + 1 :])
        return _Block(self.offset + begin * self.strides[axis], shape, self.strides)

    def row(self, i: int) -> _Block:
        """The cells at one place of the first axis, without that axis."""
        return _Block(self.offset + i * self.strides[0], self.shape[1:], self.strides[1:])

    def without_last(self) -> _Block:
        """The same cells without the last axis, along which there is only one."""
        return _Block(self.offset, self.shape[:-1], self.strides[:-1])

    @property
    def steps(self) -> int:
        """The bytes from the first cell to the last one."""
        return sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))


class Columns:
    """Runs of cells, in C order, of an array that stands in a file in Fortran order.

    Of runs that follow one another, many are read at once: each run of cells has some in every column.
    """

    def __init__(
        self, file: IO[bytes], name: str, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        strides = tuple(dtype.itemsize * prod(shape[:axis]) for axis in range(len(shape)))
        self._file, self._name, self._dtype = file, name, dtype
        self._block = _Block(offset, shape, strides)
        self._cached, self._begin = np.empty(0, dtype), 0  # cells that were read, and the place of the first
        self._next = 0  # where the run after the last one begins
        self._lock = threading.Lock()
        self._scratch = np.empty(max(_SPAN, dtype.itemsize), np.uint8)

    def __call__(self, begin: int, end: int) -> Array:
        """The cells from `begin` to `end`; raises DataError where the file ends before them."""
        with self._lock:
            if not (self._begin <= begin and end <= self._begin + len(self._cached)):
                far = max(end, self._far(begin)) if begin == self._next else end
                self._cached, self._begin = np.empty(0, self._dtype), begin  # which frees what was there
                self._cached = self._cells(begin, far)
            found = self._cached[begin - self._begin : end - self._begin]
            # What is given away is the caller's own.
            self._cached, self._begin = self._cached[end - self._begin :], end
            self._next = end
        return found.astype(found.dtype.newbyteorder("="), copy=False)

    def _far(self, begin: int) -> int:
        """Where to stop reading ahead: at the end of a row, if one is near enough."""
        size, row = prod(self._block.shape), prod(self._block.shape[1:])
        far = min(size, begin + _CACHE_BYTES // self._dtype.itemsize)
        return far // row * row

    def _cells(self, begin: int, end: int) -> Array:
        out = np.empty(end - begin, self._dtype)
        self._gather(self._block, begin, out)
        return out

    def _gather(self, block: _Block, begin: int, out: Array) -> None:
        """Fill `out` with cells from `begin` on: the end of a row, whole rows, the front of a row."""
        if not len(out):
            return
        row = prod(block.shape[1:])
        first, skip = divmod(begin, row)
        if len(block.shape) == 1:
            self._copy(block.part(0, begin, begin + len(out)), out)
        elif skip or len(out) < row:
            count = min(row - skip, len(out))
            self._gather(block.row(first), skip, out[:count])
            self._gather(block, begin + count, out[count:])
        else:
            rows = len(out) // row
            some = block.part(0, first, first + rows)
            self._copy(some, out[: rows * row].reshape(some.shape))
            self._gather(block, begin + rows * row, out[rows * row :])

    def _copy(self, block: _Block, out: Array) -> None:
        """Read a block in pieces along its last axis that are small enough."""
        item = self._dtype.itemsize
        dense = self._is_dense(block)
        if (block.steps + item if dense else prod(block.shape) * item) <= _SPAN:
            out[...] = self._stretch(block) if dense else self._runs(block)
        elif block.shape[-1] == 1:
            self._copy(block.without_last(), out[..., 0])
        else:
            last = len(block.shape) - 1
            count = max(1, _SPAN // (block.strides[-1] if dense else prod(block.shape[:-1]) * item))
            for j in range(0, block.shape[-1], count):
                piece = block.part(last, j, min(j + count, block.shape[-1]))
                self._copy(piece, out[..., j : j + count])

    def _is_dense(self, block: _Block) -> bool:
        """Whether no wide gap stands among the cells of a block."""
        run = self._dtype.itemsize
        for size, stride in zip(block.shape, block.strides, strict=True):
            if size > 1:
                if stride - run > _GAP:
                    return False
                run += (size - 1) * stride
        return True

    def _stretch(self, block: _Block) -> Array:
        """All bytes from the first cell of a block to its last, and the block among them."""
        data = self._scratch[: block.steps + self._dtype.itemsize]
        read_into(self._file, data, block.offset, self._name)
        return np.ndarray(block.shape, self._dtype, data, 0, block.strides)

    def _runs(self, block: _Block) -> Array:
        """A block whose runs of cells stand far apart, each read by itself."""
        item = self._dtype.itemsize
        together = 1 if block.strides[0] == item else 0  # axes whose cells stand side by side
        run = prod(block.shape[:together]) * item
        begins = np.zeros(1, np.int64) + block.offset
        for size, stride in zip(block.shape[together:], block.strides[together:], strict=True):
            begins = (np.arange(size)[:, None] * stride + begins).reshape(-1)
        data = self._scratch[: len(begins) * run].reshape(-1, run)
        for cells, begin in zip(data, begins.tolist(), strict=True):
            read_into(self._file, cells, begin, self._name)
        return data.reshape(-1).view(self._dtype).reshape(block.shape, order="F")
