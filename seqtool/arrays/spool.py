"""A temporary file for what does not fit into memory, and arrays that grow in it."""

from __future__ import annotations

import mmap
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array
from seqtool.arrays.file_array import FileArray
from seqtool.arrays.lazy import CHUNK, AnyArray, chunks, concatenated
from seqtool.errors import DataError, why
from seqtool.system import platform
from seqtool.system.signals import held
from seqtool.words import human


class Spool:
    """A temporary file for what does not fit into memory; it has no name, so it disappears with its process.

    >>> with Spool() as spool:
    ...     spool.append(np.arange(5))[1:3]
    array([1, 2])
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._named = folder
        self._file: IO[bytes] | None = None
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _folder(self) -> Path:
        if self._named is None:
            with held():  # when it is first asked, Python tries folders by creating a file in each
                self._named = Path(tempfile.gettempdir())
        return self._named

    def close(self) -> None:
        """Close the file, which frees its room on the disk."""
        if self._file is not None:
            self._file.close()

    def check_room(self, needed: int) -> None:
        """Raise DataError unless the folder has room for `needed` more bytes."""
        if not self.has_room(needed):
            free = shutil.disk_usage(self._folder).free
            raise DataError(
                f"{self._folder}: sorting needs about {human(needed)} there, but {human(free)} are free; ",
                _more_room(),
            )

    def has_room(self, needed: int) -> bool:
        """Whether the folder has room for `needed` more bytes."""
        return needed <= shutil.disk_usage(self._folder).free

    def append(self, array: Array) -> FileArray:
        """Write an array behind all others, and return one that reads it from there."""
        with self._explained():
            if self._file is None:
                with held():  # where a file cannot be created without a name, it has one for a moment
                    self._file = tempfile.TemporaryFile(buffering=0, prefix="seqtool-", dir=self._folder)  # noqa: SIM115
            data = np.ascontiguousarray(array)
            begin = self._end
            self._end += write_at(self._file, data.reshape(-1).view(np.uint8), begin)
        return FileArray(self._file, str(self._folder), begin, data.shape, data.dtype)

    def blank(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> FileArray:
        """Room for an array behind all others, which `put` fills in any order.

        >>> with Spool() as spool:
        ...     whole = spool.blank((4,), np.dtype("int64"))
        ...     spool.put(np.array([7, 8]), whole, 2)
        ...     whole[2:4]
        array([7, 8])
        """
        empty = self.append(np.empty(0, dtype))
        whole = FileArray(self.file, str(self._folder), self._end, shape, empty.dtype)
        self._end += whole.nbytes
        return whole

    def put(self, cells: Array, whole: FileArray, place: int) -> None:
        """Write cells into an array of `blank`, from its cell number `place` on."""
        with self._explained():
            write_at(self.file, cells.reshape(-1).view(np.uint8), whole.offset + place * whole.dtype.itemsize)

    @property
    def file(self) -> IO[bytes]:
        """The open file, for code that reads its bytes in another order; raises ValueError before the first append."""
        if self._file is None:
            raise ValueError("nothing was appended yet")
        return self._file

    def map(self) -> mmap.mmap:
        """All of its bytes, mapped; the mapping outlives `close`, and no other process can cut the file short."""
        if self._file is None:
            raise ValueError("an empty file cannot be mapped")
        return mmap.mmap(self._file.fileno(), self._end, access=mmap.ACCESS_READ)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn an OSError of the block into a DataError that names the folder and the ways out."""
        try:
            yield
        except OSError as error:
            raise DataError(
                f"{self._folder}: cannot hold what does not fit into memory ({why(error)}); ", _more_room()
            ) from None


def _more_room() -> Message:
    """What to do where the folder of a spool has no room."""
    folder, memory = Advice("--temp-dir", "DIR"), Advice("--max-memory", "SIZE")
    return Message("name a folder with more room: ", folder, ", or allow more memory: ", memory)


def write_at(file: IO[bytes], data: Array, offset: int) -> int:
    """Write all of (n,) uint8 into a file at `offset`, and return n; raises OSError where the disk fails."""
    done = 0
    while done < len(data):
        done += platform.write_at(file, data[done:].data, offset + done)
    return done


class GrowingArray:
    """An array that grows at its end: in memory while it is small, and in a spool when it is larger.

    `tail` is the shape of a row. Parts may have several dtypes; the array that `done` gives has one. Of what is
    made again and again, less than by default may stay in memory: `kept` bytes.

    >>> with Spool() as spool:
    ...     growing = GrowingArray(spool, np.dtype("int64"))
    ...     growing.add(np.arange(3))
    ...     growing.add(np.arange(2))
    ...     growing.done()
    array([0, 1, 2, 0, 1])
    """

    def __init__(
        self, spool: Spool, dtype: np.dtype[Any], tail: tuple[int, ...] = (), *, kept: int = CHUNK
    ) -> None:
        self._spool = spool
        self._kept = kept
        self.dtype = dtype
        self.tail = tail
        self._stored: list[AnyArray] = []
        self._fresh: list[Array] = []
        self._fresh_bytes = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, part: Array) -> None:
        """Append an array."""
        self._fresh.append(part)
        self._fresh_bytes += part.nbytes
        self._count += len(part)
        if self._fresh_bytes > CHUNK:
            self._stored.append(self._spool.append(np.concatenate(self._fresh)))
            self._fresh, self._fresh_bytes = [], 0

    def done(self, dtype: np.dtype[Any] | None = None) -> AnyArray:
        """The array of all parts so far, as `dtype`, by default the one that it was made with."""
        dtype = dtype or self.dtype
        last = np.concatenate([np.empty((0, *self.tail), dtype), *self._fresh]).astype(dtype, copy=False)
        parts = [*self._stored, self._spool.append(last) if self._fresh_bytes > self._kept else last]
        if len(parts) == 1:
            return parts[0]
        return concatenated(parts, (self._count, *self.tail), dtype)


def spooled(spool: Spool, array: AnyArray, *, kept: int = CHUNK) -> AnyArray:
    """A copy of an array, in memory or in the spool, as `GrowingArray` decides."""
    growing = GrowingArray(spool, array.dtype, array.shape[1:], kept=kept)
    for _, part in chunks(array):
        growing.add(part)
    return growing.done()


def at_hand(array: AnyArray, spool: Spool) -> AnyArray:
    """The same array, of which any chunk can be read at any time for little: in memory if small, else in a file.

    Chunks of other lazy arrays may be costly, as those of compressed ones, or of what is computed from many rows.
    """
    in_place = isinstance(array, np.ndarray) or (isinstance(array, FileArray) and array.nbytes > CHUNK)
    return array if in_place else spooled(spool, array)


def running_sums(sizes: AnyArray, spool: Spool) -> AnyArray:
    """The sums of the first i of some whole numbers, (N + 1,) int64, in memory or in the spool: offsets of lengths.

    >>> running_sums(np.array([1, 2, 2]), Spool())
    array([0, 1, 3, 5])
    """
    sums, end = GrowingArray(spool, np.dtype(np.int64)), 0
    sums.add(np.zeros(1, np.int64))
    for _, part in chunks(sizes):
        ends = np.cumsum(part, dtype=np.int64) + end
        sums.add(ends)
        end = int(ends[-1])
    return sums.done()
