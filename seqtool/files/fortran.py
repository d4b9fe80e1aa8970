"""Arrays in a file column by column, in Fortran order, read row by row as C has them."""

from __future__ import annotations

import mmap
from math import prod
from typing import IO, Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.system.platform import give_back

_SPAN = 8 << 20  # bytes of a mapping that may be resident while columns become rows
_AROUND = 1 << 16  # bytes that Linux maps around a page that is asked for


def column_by_column(shape: tuple[int, ...], *, fortran: bool) -> bool:
    """Whether Fortran order differs from C order."""
    return fortran and prod(shape) > 0 and sum(size > 1 for size in shape) > 1


class Columns:
    """Runs of cells, in C order, of an array that stands in a file in Fortran order."""

    def __init__(self, file: IO[bytes], offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._array: Array = np.ndarray(shape, dtype, self._map, offset, order="F")
        self._base = _address(self._array) - offset

    def __call__(self, begin: int, end: int) -> Array:
        """The cells from `begin` to `end`."""
        out = np.empty(end - begin, self._array.dtype)
        self._gather(self._array, begin, out)
        return out.astype(out.dtype.newbyteorder("="), copy=False)

    def _gather(self, array: Array, begin: int, out: Array) -> None:
        """Fill `out` with cells from `begin` on: the end of a row, whole rows, the front of a row."""
        if not len(out):
            return
        row = prod(array.shape[1:])
        first, skip = divmod(begin, row)
        if array.ndim == 1:
            self._copy(array[begin : begin + len(out)], out)
        elif skip or len(out) < row:
            count = min(row - skip, len(out))
            self._gather(array[first], skip, out[:count])
            self._gather(array, begin + count, out[count:])
        else:
            rows = len(out) // row
            self._copy(array[first : first + rows], out[: rows * row].reshape(rows, *array.shape[1:]))
            self._gather(array, begin + rows * row, out[rows * row :])

    def _copy(self, part: Array, out: Array) -> None:
        """Copy piece by piece, and give the pages of each back: they count as resident memory."""
        if _span(part) <= _SPAN:
            out[...] = part
            self._give_back(part)
        elif part.shape[-1] == 1:
            self._copy(part[..., 0], out[..., 0])
        else:
            count = max(1, _SPAN // part.strides[-1])
            for j in range(0, part.shape[-1], count):
                self._copy(part[..., j : j + count], out[..., j : j + count])

    def _give_back(self, part: Array) -> None:
        begin = _address(part) - self._base
        first = max(0, begin - _AROUND) // mmap.PAGESIZE * mmap.PAGESIZE
        end = min(len(self._map), begin + _span(part) + _AROUND)
        give_back(self._map, first, end - first)


def _span(array: Array) -> int:
    """The bytes from the first cell of a part of a file to its last."""
    steps = zip(array.shape, array.strides, strict=True)
    return int(array.itemsize + sum((size - 1) * stride for size, stride in steps))


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])
