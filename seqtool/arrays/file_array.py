"""An array in an open file, which is read in chunks."""

from __future__ import annotations

from math import prod
from typing import IO, Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy, concatenated
from seqtool.errors import DataError
from seqtool.system.platform import read_at


class FileArray(Lazy):
    """An array in an open file, C-contiguous from `offset` on, in this machine's byte order when read.

    `stored` is its dtype in the file.
    """

    def __init__(
        self, file: IO[bytes], name: str, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        super().__init__(shape, dtype.newbyteorder("="), self._from_file)
        self.file = file
        self.name = name
        self.offset = offset
        self.stored = dtype

    def reshaped(self, *shape: int) -> FileArray:
        """The same cells in another shape."""
        return FileArray(self.file, self.name, self.offset, shape, self.stored)

    def end_to_end(self, begins: Array, ends: Array) -> Array:
        """Some stretches of rows, `begins[i]` to `ends[i]` each, end to end."""
        counts = ends - begins
        sums = np.cumsum(counts)
        out = np.empty((int(sums[-1]) if len(sums) else 0, *self.shape[1:]), self.stored)
        self.read_stretches(begins, counts, out, sums - counts)
        return out.astype(self.dtype, copy=False)

    def read_stretches(self, begins: Array, counts: Array, out: Array, places: Array) -> None:
        """Read `counts` rows each, from `begins` on, into rows of a contiguous array, as stored, from `places` on."""
        row = prod(self.shape[1:]) * self.stored.itemsize
        if not row:
            return
        data = out.reshape(-1).view(np.uint8).data
        sources, firsts, lasts = self.offset + begins * row, places * row, (places + counts) * row
        for source, first, last in zip(sources.tolist(), firsts.tolist(), lasts.tolist(), strict=True):
            read_into(self.file, data[first:last], source, self.name)

    def _from_file(self, begin: int, end: int) -> Array:
        row = prod(self.shape[1:]) * self.dtype.itemsize
        out = np.empty((end - begin, *self.shape[1:]), self.stored)
        read_into(self.file, out.reshape(-1).view(np.uint8), self.offset + begin * row, self.name)
        return out.astype(self.dtype, copy=False)


class FilesArray(Lazy):
    """Arrays of several files end to end: any stretch of rows can be read at any time, at little cost."""

    def __init__(self, parts: list[AnyArray]) -> None:
        shape = (sum(map(len, parts)), *parts[0].shape[1:])
        joined = concatenated(parts, shape, parts[0].dtype)
        super().__init__(shape, parts[0].dtype, lambda begin, end: joined[begin:end])
        self.stored = parts[0].dtype


def read_into(file: IO[bytes], out: Array | memoryview, offset: int, name: str) -> None:
    """Fill `out`, (n,) uint8, with the bytes of a file from `offset` on; other threads may read it meanwhile.

    Raises DataError where the file ends before that.
    """
    left = out if isinstance(out, memoryview) else out.data
    while left:
        count = read_at(file, left, offset)
        if count == len(left):
            return
        if not count:
            raise DataError(f"{name}: ends early; it was cut short while it was being read")
        left, offset = left[count:], offset + count
