"""Arrays in a file in another order than C has: by columns, as Fortran writes, or time-major, the steps of all first.

Nothing is mapped: another process may cut the file meanwhile, and a mapping would give zeros then, or end ours.
"""

from __future__ import annotations

import threading
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.file_array import FileArray, read_into
from seqtool.arrays.lazy import chunks
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass

_SPAN = 2 << 20  # bytes of a file that are read at once, of which only some cells may be wanted
_CACHE_BYTES = 16 << 20  # bytes of cells that are kept of runs that follow one another
_GAP = 1 << 14  # bytes between two runs of cells that take longer to read than to ask for the next one
_SHORT = 1 << 12  # bytes of a run that take longer to ask for than to read


@dataclass(frozen=True)
class CellOrder:
    """In which order the cells of an array stand in a file.

    A `time_major` one is (T, N, ...) there, and to be read as (N, T, ...).
    """

    fortran: bool = False
    time_major: bool = False

    def shape_of(self, stored: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that an array is read in."""
        return (*stored[1::-1], *stored[2:]) if self.time_major else stored

    def strides_of(self, stored: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
        """The bytes from a cell to the next one along each axis of the shape that it is read in."""
        sides = (stored[:axis] if self.fortran else stored[axis + 1 :] for axis in range(len(stored)))
        return self.shape_of(tuple(itemsize * prod(side) for side in sides))

    def is_c(self, stored: tuple[int, ...]) -> bool:
        """Whether the cells stand in the file as C has those that are read."""
        shape = self.shape_of(stored)
        strides = zip(shape, self.strides_of(stored, 1), CellOrder().strides_of(shape, 1), strict=True)
        return not prod(shape) or all(size == 1 or own == usual for size, own, usual in strides)


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

    @property
    def near_to_far(self) -> list[int]:
        """The axes along which there is more than one cell, those first whose cells stand closest."""
        axes = (axis for axis, size in enumerate(self.shape) if size > 1)
        return sorted(axes, key=lambda axis: self.strides[axis])

    @property
    def steps(self) -> int:
        """The bytes from the first cell to the last one."""
        return sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))


class Strided:
    """Runs of cells, in C order, of an array whose cells stand in a file in another one.

    `shape` is that which is read. Of runs that follow one another, many are read at once: each run of cells has some
    in every column.
    """

    def __init__(
        self,
        file: IO[bytes],
        name: str,
        offset: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
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
        """Read a block in pieces, along the axis whose cells stand farthest apart, that are small enough."""
        item = self._dtype.itemsize
        dense = self._is_dense(block)
        if (block.steps + item if dense else prod(block.shape) * item) <= _SPAN:
            out[...] = self._stretch(block) if dense else self._runs(block)
            return
        far = block.near_to_far[-1]
        size = block.shape[far]
        count = max(1, _SPAN // (block.strides[far] if dense else prod(block.shape) // size * item))
        for j in range(0, size, count):
            piece = block.part(far, j, min(j + count, size))
            self._copy(piece, out[(slice(None),) * far + (slice(j, j + count),)])

    def _is_dense(self, block: _Block) -> bool:
        """Whether no wide gap stands among the cells of a block."""
        run = self._dtype.itemsize
        for axis in block.near_to_far:
            if block.strides[axis] - run > _GAP:
                return False
            run += (block.shape[axis] - 1) * block.strides[axis]
        return True

    def _stretch(self, block: _Block) -> Array:
        """All bytes from the first cell of a block to its last, and the block among them."""
        data = self._scratch[: block.steps + self._dtype.itemsize]
        read_into(self._file, data, block.offset, self._name)
        return np.ndarray(block.shape, self._dtype, data, 0, block.strides)

    def _runs(self, block: _Block) -> Array:
        """A block whose runs of cells stand far apart, each read by itself."""
        run, together, axes = self._dtype.itemsize, 0, block.near_to_far
        while together < len(axes) and block.strides[axes[together]] == run:  # whose cells stand side by side
            run *= block.shape[axes[together]]
            together += 1
        begins = np.zeros(1, np.int64) + block.offset
        for axis in axes[together:]:
            begins = (np.arange(block.shape[axis])[:, None] * block.strides[axis] + begins).reshape(-1)
        data = self._scratch[: len(begins) * run].reshape(-1, run)
        for cells, begin in zip(data, begins.tolist(), strict=True):
            read_into(self._file, cells, begin, self._name)
        single = [axis for axis, size in enumerate(block.shape) if size == 1]
        order = [*single, *reversed(axes)]  # in which the cells stand in `data`
        found = data.reshape(-1).view(self._dtype).reshape([block.shape[axis] for axis in order])
        return found.transpose(np.argsort(order))


class Turned:
    """Runs of cells of a time-major array whose cells of one sequence stand too far apart to be looked up each.

    When first asked for, it is read once from its front on, and written to the disk sequence by sequence. `shape` is
    (N, T, ...), and what stands in the file (T, N, ...), in C order.
    """

    def __init__(
        self,
        file: IO[bytes],
        name: str,
        offset: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        folder: Path | None,
    ) -> None:
        self._stored = FileArray(file, name, offset, (shape[1], shape[0], prod(shape[2:])), dtype)
        self._spool = Spool(folder)
        self._cells: FileArray | None = None
        self._lock = threading.Lock()

    def __call__(self, begin: int, end: int) -> Array:
        """The cells from `begin` to `end`."""
        with self._lock:
            if self._cells is None:
                self._cells = self._turned()
        return self._cells[begin:end]

    def _turned(self) -> FileArray:
        slots, _, width = self._stored.shape
        whole = self._spool.blank((self._stored.size,), self._stored.dtype)
        for t, part in chunks(self._stored, _CACHE_BYTES):
            for i, steps in enumerate(np.ascontiguousarray(part.swapaxes(0, 1))):
                self._spool.put(steps, whole, (i * slots + t) * width)
        return whole

    def __del__(self) -> None:
        self._spool.close()


def are_far_apart(shape: tuple[int, ...], itemsize: int) -> bool:
    """Whether a time-major array, read as (N, T, ...), is better turned on the disk first.

    Else as many sequences as stand in memory at once are read, a run of their cells for each slot: in so few passes
    that no time is lost by it where runs are long.
    """
    row = prod(shape[1:]) * itemsize
    together = _CACHE_BYTES // max(1, row)
    run = max(1, together) * row // max(1, shape[1])
    return together < shape[0] < shape[1] and run < _SHORT
