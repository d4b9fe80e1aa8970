"""Arrays in memory that the processes of one program share: forked ones, and spawned ones too where the system can."""

from __future__ import annotations

import mmap
import weakref
from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import IO, Any

import numpy as np

from seqtool.arrays.dtypes import Array, first_loss
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.spool import write_at
from seqtool.dataclass import dataclass
from seqtool.system.platform import memory_file, opened_for_spawned

_ALIGNED = 64  # bytes: what vector instructions like


@dataclass(frozen=True)
class Place:
    """Where an array stands in shared memory."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class SharedArrays(Mapping[str, Array]):
    """Arrays by name in one piece of memory, each filled once with `add`.

    What a process writes to them afterwards is its own. Pickled for a process that is being spawned they are a handle;
    nothing is copied.

    >>> shared = SharedArrays()
    >>> shared.add("a", np.arange(3), np.dtype("float32"))
    >>> shared["a"]
    array([0., 1., 2.], dtype=float32)
    """

    def __init__(
        self, file: IO[bytes] | None = None, places: Mapping[str, Place] | None = None, end: int = 0
    ) -> None:
        self._file = memory_file() if file is None else file
        weakref.finalize(self, self._file.close)  # arrays that were taken stay
        self._places = dict(places or {})
        self._end = end
        self._mapped: mmap.mmap | None = None

    def add(self, name: str, array: AnyArray, dtype: np.dtype[Any], *, spare: int = 0) -> None:
        """Copy an array, as `dtype` where that loses nothing and else as it is; `spare` rows of zeros go behind it."""
        begin = -(-self._end // _ALIGNED) * _ALIGNED
        if not self._write(array, dtype, begin):
            dtype = array.dtype
            self._write(array, dtype, begin)
        self._places[name] = Place(begin, (len(array) + spare, *array.shape[1:]), dtype)
        self._end = begin + prod(self._places[name].shape) * dtype.itemsize
        self._file.truncate(max(1, self._end))
        self._mapped = None

    def _write(self, array: AnyArray, dtype: np.dtype[Any], begin: int) -> bool:
        for _, part in chunks(array):
            if part.dtype != dtype and first_loss(part, dtype) is not None:
                return False
            cells = np.ascontiguousarray(part.astype(dtype, copy=False))
            begin += write_at(self._file, cells.reshape(-1).view(np.uint8), begin)
        return True

    def __getitem__(self, name: str) -> Array:
        place = self._places[name]
        if self._mapped is None:
            self._mapped = mmap.mmap(self._file.fileno(), max(1, self._end), access=mmap.ACCESS_COPY)
        return np.ndarray(place.shape, place.dtype, self._mapped, place.offset)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def for_spawned(self) -> Handle | None:
        """What a process that is being spawned calls for the same arrays; None where there is none, or no way to."""
        opened = opened_for_spawned(self._file)
        return None if opened is None else Handle(opened, self._places, self._end)


@dataclass(frozen=True)
class Handle:
    """The way of a spawned process to the arrays of the process that started it."""

    opened: Callable[[], IO[bytes]]
    places: dict[str, Place]
    end: int

    def __call__(self) -> SharedArrays:
        """The arrays, in the process that was spawned."""
        return SharedArrays(self.opened(), self.places, self.end)
