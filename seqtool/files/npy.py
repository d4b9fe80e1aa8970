"""One array in a file, as `.npy` has it: read in chunks of which only a few stand in memory, or mapped.

Headers: numpy.lib.format.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.file_array import FileArray
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.errors import DataError, damaged
from seqtool.files.strided import CellOrder, Strided, Turned, are_far_apart

MOST_DIMENSIONS = 32  # that every NumPy has
_LONGEST_HEADER = 1 << 16  # bytes; NumPy reads no more than 10,000
_MOST_EMPTY = 10**8  # sequences, or steps, of an array without cells: nothing in the file bears them out


class FlatArray(Lazy):
    """An array of which any run of cells, in C order, can be asked for: it may take any shape.

    >>> squares = FlatArray((4,), np.dtype("int64"), lambda begin, end: np.arange(begin, end) ** 2)
    >>> squares.reshaped(2, 2)[1:2].tolist()
    [[4, 9]]
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], cells: Callable[[int, int], Array]
    ) -> None:
        super().__init__(shape, dtype, self._rows)
        self._cells = cells

    def reshaped(self, *shape: int) -> FlatArray:
        """The same cells in another shape."""
        return FlatArray(shape, self.dtype, self._cells)

    def _rows(self, begin: int, end: int) -> Array:
        row = prod(self.shape[1:])
        if not row or begin == end:
            return np.empty((end - begin, *self.shape[1:]), self.dtype)
        return self._cells(begin * row, end * row).reshape(end - begin, *self.shape[1:])


class _Cellwise(Lazy):
    """What a function makes of each cell of an array: in any shape that the array can take."""

    def __init__(self, function: Callable[[Array], Array], array: Lazy, dtype: np.dtype[Any]) -> None:
        super().__init__(
            array.shape, dtype, lambda begin, end: np.asarray(function(array[begin:end]), dtype=dtype)
        )
        self._function, self._array = function, array

    def reshaped(self, *shape: int) -> _Cellwise:
        return _Cellwise(self._function, self._array.reshaped(*shape), self.dtype)


def cellwise(function: Callable[[Array], Array], array: AnyArray, *, dtype: Any) -> AnyArray:
    """What a function makes of each cell, whatever rows it comes in: at once, or by chunks of any shape.

    >>> cellwise(np.negative, np.array([1, 5]), dtype=np.int64)
    array([-1, -5])
    """
    if isinstance(array, np.ndarray):
        return np.asarray(function(array), dtype=dtype)
    return _Cellwise(function, array, np.dtype(dtype))


Readable = FileArray | FlatArray


def checked_dtype(dtype: np.dtype[Any], name: str) -> np.dtype[Any]:
    """`dtype` in this machine's byte order; raises DataError for one that is neither numbers nor text."""
    if dtype.hasobject:
        raise DataError(
            f"{name}: an object array, which is pickled, and loading a pickle can run code; save it with "
            "np.savez(file, *sequences), or as numbers; an .npy that you trust opens with ",
            Advice("seqtool", "pad", "FILE", "--allow-pickle"),
        )
    if dtype.names is not None:
        fields = ", ".join(dtype.names)
        raise DataError(
            f"{name}: a structured array with fields {fields}; a plain array of numbers was expected"
        )
    if dtype.kind not in "biufU":
        as_text = "; save text as text: array.astype(str)" if dtype.kind == "S" else ""
        raise DataError(f"{name}: an array of {dtype}; integers, floats or booleans were expected{as_text}")
    return dtype.newbyteorder("=")


def read_header(stream: Any, size: int, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and dtype of the `.npy` of `size` bytes that begins here.

    Raises DataError when the header is damaged, or announces other than `size` bytes.
    """
    with damaged(f"{name}: the header of the array is damaged"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's, about headers that Python 2 wrote
        shape, fortran, dtype = _parsed_header(stream, name)
        if (
            len(shape) > MOST_DIMENSIONS
            or not all(0 <= size < 1 << 63 for size in shape)
            or not dtype.itemsize
        ):
            raise ValueError(f"{dtype} {shape}")
    if not prod(shape) and max(shape) > _MOST_EMPTY:
        raise DataError(
            f"{name}: the header asks for {dtype} {shape}, an array without cells; at most {_MOST_EMPTY:,} of nothing "
            "along an axis are read"
        )
    checked_dtype(dtype, name)
    found, announced = size - stream.tell(), prod(shape) * dtype.itemsize
    if found != announced:
        raise DataError(
            f"{name}: the header asks for {dtype} {shape}, {announced:,} bytes, but {found:,} follow; "
            "the file is cut short or damaged"
        )
    return shape, fortran, dtype


def _parsed_header(stream: Any, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (3, 0):  # for names of fields that are not ASCII
        raise DataError(f"{name}: a structured array; a plain array of numbers was expected")
    width = 2 if version == (1, 0) else 4
    at = stream.tell()
    length = int.from_bytes(stream.read(width), "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"{length:,} bytes; an array of numbers or text needs a few hundred")
    stream.seek(at)
    return _parsed_text(stream.read(width + length), width)


@lru_cache(maxsize=256)
def _parsed_text(header: bytes, width: int) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type: NumPy parses Python for them, and the headers of a file are read more than once."""
    read = np.lib.format.read_array_header_1_0 if width == 2 else np.lib.format.read_array_header_2_0
    return read(io.BytesIO(header))


def open_npy(path: Path, name: str, *, time_major: bool = False, temporary: Path | None = None) -> Readable:
    """The array of an `.npy` file, to be read in chunks; a `time_major` one (T, N, ...) as (N, T, ...).

    What has to be turned on the disk for that goes to the folder `temporary`.
    """
    file = OwnFile(path)
    shape, fortran, dtype = read_header(file, path.stat().st_size, name)
    return in_file(file, name, file.tell(), shape, dtype, CellOrder(fortran, time_major), temporary)


def open_npy_each_time(path: Path, name: str) -> Lazy:
    """The same, but that the file is open only while it is read: the system allows a process but some hundreds."""
    with OwnFile(path) as file:
        header = read_header(file, path.stat().st_size, name)

    def read(begin: int, end: int) -> Array:
        with OwnFile(path) as file:
            if read_header(file, path.stat().st_size, name) != header:
                raise DataError(f"{name}: holds another array than before; it was changed meanwhile")
            shape, fortran, dtype = header
            return in_file(file, name, file.tell(), shape, dtype, CellOrder(fortran))[begin:end]

    return Lazy(header[0], header[2].newbyteorder("="), read)


class OwnFile(io.FileIO):
    """A file for windows that closes when the last of them is gone."""

    def __del__(self) -> None:
        self.close()


def memory_map(
    file: IO[bytes], offset: int, shape: tuple[int, ...], dtype: np.dtype[Any], *, fortran: bool
) -> Array:
    """The array whose bytes stand in a file as they are, mapped."""
    if not prod(shape):
        return np.empty(shape, dtype.newbyteorder("="))
    pages = np.memmap(file, dtype, "r", offset, shape, "F" if fortran else "C")
    return np.asarray(pages if dtype.isnative else pages.astype(dtype.newbyteorder("=")))


def in_file(
    file: IO[bytes],
    name: str,
    offset: int,
    stored: tuple[int, ...],
    dtype: np.dtype[Any],
    order: CellOrder,
    temporary: Path | None = None,
) -> Readable:
    """The chunks of an array of a `stored` shape whose bytes stand in a file as they are, in some order."""
    shape = order.shape_of(stored)
    if order.is_c(stored):
        return FileArray(file, name, offset, shape, dtype)
    cells: Callable[[int, int], Array]
    if order == CellOrder(time_major=True) and are_far_apart(shape, dtype.itemsize):
        cells = Turned(file, name, offset, shape, dtype, temporary)
    else:
        cells = Strided(file, name, offset, shape, order.strides_of(stored, dtype.itemsize), dtype)
    return FlatArray(shape, dtype.newbyteorder("="), cells)


def unpickle(path: Path, name: str) -> Array | None:
    """The array of an `.npy` that holds a pickle, or None if it holds none; loading one can run its code."""
    with path.open("rb") as file, damaged(f"{name}: damaged"):
        if not _parsed_header(file, name)[2].hasobject:
            return None
        file.seek(0)
        return np.asarray(np.lib.format.read_array(file, allow_pickle=True))
