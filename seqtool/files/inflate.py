"""The bytes of a member of a zip from its front on: as they stand there, or inflated."""

from __future__ import annotations

import threading
import zipfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from isal import igzip_lib, isal_zlib

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.errors import damaged
from seqtool.system.platform import bytes_at, read_at

PIECE = 1 << 20  # bytes that are read, or made of deflated ones, at once
_PACKED = 1 << 17  # deflated bytes that are read at once


class Stream:
    """The bytes of a member from its front on; at their end the checksum is compared.

    `take` puts what comes next into a buffer and says how many bytes that were: none at the end.
    """

    def __init__(self, take: Callable[[memoryview], int], info: zipfile.ZipInfo) -> None:
        self.position = 0
        self._take = take
        self._info = info
        self._crc = 0

    def fill(self, out: Array) -> None:
        """Fill `out`, (n,) uint8, with the next bytes."""
        for begin in range(0, len(out), PIECE):
            piece = out[begin : begin + PIECE].data
            done = 0
            while done < len(piece):
                count = self._take(piece[done:])
                if not count:
                    raise EOFError("ends early")
                done += count
            self._crc = isal_zlib.crc32(piece, self._crc)
            self.position += done
        if self.position == self._info.file_size:
            self._finish()

    def skip_to(self, position: int) -> None:
        """Pass over the bytes in front of `position`."""
        scratch = np.empty(min(PIECE, position - self.position), np.uint8)
        while self.position < position:
            self.fill(scratch[: position - self.position])

    def _finish(self) -> None:
        if self._take(memoryview(bytearray(1))):
            raise EOFError("trailing bytes")
        if self._crc != self._info.CRC:
            raise zipfile.BadZipFile(f"Bad CRC-32 for file {self._info.filename!r}")


class StoredMember:
    """Takes bytes of a file from `begin` to `end`."""

    def __init__(self, file: IO[bytes], begin: int, end: int) -> None:
        self._file, self._at, self._end = file, begin, end

    def __call__(self, out: memoryview) -> int:
        """Put the next bytes into `out` and say how many."""
        count = read_at(self._file, out[: self._end - self._at], self._at)
        self._at += count
        return count


class Inflated:
    """Takes what the bytes of a file from `begin` to `end` are deflated from."""

    def __init__(self, file: IO[bytes], begin: int, end: int) -> None:
        self._file, self._at, self._end = file, begin, end
        self._inflate = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)

    def __call__(self, out: memoryview) -> int:
        """Put the next bytes into `out` and say how many."""
        while not self._inflate.eof:
            packed = b""
            if self._inflate.needs_input:
                packed = bytes_at(self._file, min(_PACKED, self._end - self._at), self._at)
                self._at += len(packed)
                if not packed:
                    raise EOFError("ends early")
            found = self._inflate.decompress(packed, len(out))
            if found:
                out[: len(found)] = found
                return len(found)
        return 0


class Forward:
    """Runs of cells of a member, read from its front on; for what lies behind, it begins again."""

    def __init__(self, label: str, begin: Callable[[], Stream], start: int, dtype: np.dtype[Any]) -> None:
        self._label = label
        self._begin = begin
        self._start = start
        self._dtype = dtype
        self._stream: Stream | None = None
        self._lock = threading.Lock()

    def __call__(self, begin: int, end: int) -> Array:
        """The cells from `begin` to `end`."""
        out = np.empty(end - begin, self._dtype)
        position = self._start + begin * self._dtype.itemsize
        with self._lock, damaged(f"{self._label}: damaged"):
            stream, self._stream = self._stream, None  # after an error, from the front
            if stream is None or stream.position > position:
                stream = self._begin()
            stream.skip_to(position)
            stream.fill(out.view(np.uint8))
            self._stream = stream
        return out.astype(self._dtype.newbyteorder("="), copy=False)


class Deflated:
    """Runs of cells of a deflated member, for which `forward` begins again as seldom as can be.

    The last cells are kept, for runs that begin a little before the end of the last one. Where runs lie farther behind
    often, as in no order at all, the cells of `unpacked`, on the disk, are taken instead.
    """

    def __init__(self, forward: Forward, unpacked: Unpacked) -> None:
        self._forward = forward
        self._unpacked = unpacked
        self._next = 0  # the cell behind the last one that was read
        self._kept: deque[Array] = deque()  # cells in front of it
        self._returns = 0
        self._lock = threading.Lock()

    def __call__(self, begin: int, end: int) -> Array:
        """The cells from `begin` to `end`."""
        with self._lock:
            behind = self._next - begin
            if 0 < behind <= sum(map(len, self._kept)):
                kept = np.concatenate(self._kept)[-behind:][: end - begin]
                return kept if end <= self._next else np.concatenate([kept, self._read(self._next, end)])
            self._returns += behind > 0
            if self._returns <= _RETURNS or not self._unpacked.has_room():
                return self._read(begin, end)
        return self._unpacked(begin, end)

    def _read(self, begin: int, end: int) -> Array:
        cells = self._forward(begin, end)
        if begin != self._next:
            self._kept.clear()
        most = max(1, _KEPT // cells.itemsize)
        self._kept.append(cells[-most:].copy())  # for what is given away is the caller's own
        while sum(map(len, self._kept)) - len(self._kept[0]) >= most:
            self._kept.popleft()
        self._next = end
        return cells


_KEPT = 4 << 20  # bytes: about what is read at once, some of which the next run may want again
_RETURNS = 3  # to the front, after which unpacking to the disk takes less time than another one


class Unpacked:
    """Runs of cells of a member that cannot be read from its front on: it is unpacked to the disk when first asked for.

    `size` is its bytes with the header; `array` makes an array of the open file that they stand in.
    """

    def __init__(
        self,
        label: str,
        begin: Callable[[], Stream],
        size: int,
        array: Callable[[IO[bytes]], Lazy],
        folder: Path | None,
    ) -> None:
        self._label = label
        self._begin = begin
        self._size = size
        self._array = array
        self._spool = Spool(folder)
        self._cells: Lazy | None = None
        self._lock = threading.Lock()

    def __call__(self, begin: int, end: int) -> Array:
        """The cells from `begin` to `end`."""
        with self._lock:
            if self._cells is None:
                self._unpack()
                array = self._array(self._spool.file)
                self._cells = array.reshaped(array.size)
        return self._cells[begin:end]

    def has_room(self) -> bool:
        """Whether it is unpacked, or the disk has room for it."""
        return self._cells is not None or self._spool.has_room(self._size)

    def _unpack(self) -> None:
        piece = np.empty(PIECE, np.uint8)
        with damaged(f"{self._label}: damaged"):
            stream = self._begin()
            for done in range(0, self._size, PIECE):
                part = piece[: self._size - done]
                stream.fill(part)
                self._spool.append(part)

    def __del__(self) -> None:
        self._spool.close()
