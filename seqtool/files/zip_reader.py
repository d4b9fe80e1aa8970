"""Reading arrays in the standard zip layout: the container beneath `.npz`, without any idea of sequences.

An array is read whole, in chunks of which only a few stand in memory, or mapped. Chunks of stored members
are read at their place; those of compressed ones follow the stream from its front, but where their order is another
than that of C: these are unpacked to the disk first.
Layout: PKWARE APPNOTE.TXT 6.3 (sections 4.3 and 4.5).
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Collection, Iterable
from functools import partial
from math import prod
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray
from seqtool.errors import DataError, damaged
from seqtool.files.inflate import PIECE, Deflated, Forward, Inflated, StoredMember, Stream, Unpacked
from seqtool.files.inputs import Input
from seqtool.files.npy import FlatArray, OwnFile, Readable, in_file, memory_map, read_header
from seqtool.files.stored import ROW_COPIES, TEXT_CELL, check_memory
from seqtool.files.strided import CellOrder
from seqtool.system.memory import Memory, budget
from seqtool.system.platform import bytes_at, reads_in_place

_ENCRYPTED = 1  # flag


class ZipReader:
    """The arrays of an `.npz`: directory first, each array when it is asked for.

    `memory` is what reading may take, by default what arrays may take in all; what is unpacked goes to the folder
    `temporary`. Raises DataError for anything damaged, for text with a cell that is too long, and for an array to be
    read whole that memory cannot take.
    """

    verified = "sizes and checksums"

    def __init__(
        self, path: Path, name: str, *, memory: Memory | None = None, temporary: Path | None = None
    ) -> None:
        self.name = name
        self.memory = memory or Memory(budget())
        self._bounded = memory is not None
        self._temporary = temporary
        self._time_major: frozenset[str] = frozenset()
        if not path.is_file():
            raise DataError(f"{name}: no such file")
        with damaged(f"{name}: not a complete .npz file"):
            self._file = OwnFile(path)  # windows may outlive the archive
            # It reads by way of the position of its file, which must not move meanwhile.
            self._source = self._file if reads_in_place() else path
            self._zip = zipfile.ZipFile(self._source)
        self._members = {
            info.filename.removesuffix(".npy"): info
            for info in self._zip.infolist()
            if info.filename.endswith(".npy")
        }
        self.strangers = [
            info.filename for info in self._zip.infolist() if not info.filename.endswith(".npy")
        ]

    @classmethod
    def of(cls, source: Input) -> Self:
        """The arrays of an input, in the memory that it may take."""
        return cls(source.path, source.name, memory=source.memory, temporary=source.temporary)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the archive; chunks of its members may still be read."""
        self._zip.close()

    @property
    def names(self) -> list[str]:
        """The arrays in the file, in order."""
        return list(self._members)

    @property
    def nbytes(self) -> int:
        """The bytes of all arrays with their headers."""
        return sum(info.file_size for info in self._members.values())

    @property
    def largest(self) -> list[str]:
        """The array that takes most of the file; none where there is no array."""
        return [max(self._members, key=lambda name: self._members[name].file_size)] if self._members else []

    def take_as_time_major(self, member: str) -> None:
        """From now on read an array (T, N, ...) as (N, T, ...), and so all that has as many slots and sequences."""
        stored = {name: self._shape(name) for name in self.names}
        block = stored[member][:2]
        self._time_major = frozenset(
            name for name, shape in stored.items() if shape[:2] == block and block[1:]
        )

    def _shape(self, member: str) -> tuple[int, ...]:
        """The shape of an array in the file; () of one that is neither numbers nor text."""
        try:
            return self._header(member)[0]
        except DataError:
            return ()

    def header(self, member: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and dtype of an array, without reading it."""
        shape, fortran, dtype, _ = self._header(member)
        return self._order(member, fortran=fortran).shape_of(shape), dtype

    def _order(self, member: str, *, fortran: bool) -> CellOrder:
        return CellOrder(fortran, member in self._time_major)

    def read(self, member: str, *, expands: int = 1) -> Array:
        """The whole array, its checksum compared; raises DataError if memory cannot take it.

        What is made of it takes `expands` times the memory of the array itself.
        """
        shape, fortran, dtype, start = self._readable(member)
        info, label = self._members[member], self._label(member)
        if self._bounded:
            each = TEXT_CELL * prod(shape) if dtype.kind == "U" else 0
            self.memory.check_whole(label, expands * (info.file_size + each))
        else:
            check_memory(f"{label}: takes", info.file_size)
        with damaged(f"{label}: damaged"):
            stream = self._stream(info)
            stream.fill(np.empty(start, np.uint8))
            data = np.empty(info.file_size - start, np.uint8)
            if len(data):
                stream.fill(data)
        array = data.view(dtype).reshape(shape, order="F" if fortran else "C")
        array = array.swapaxes(0, 1) if member in self._time_major else array
        return array.astype(dtype.newbyteorder("="), copy=False)

    def check_memory(self) -> None:
        """Raise DataError if memory cannot take all arrays at once."""
        check_memory(f"{self.name}: its arrays take", sum(info.file_size for info in self._members.values()))

    def check_row(self, member: str) -> None:
        """Raise DataError for an array of which a row, all that belongs to a sequence, takes more than is allowed."""
        shape, _, dtype, _ = self._header(member)
        if self._bounded:
            row = ROW_COPIES * prod(shape[1:]) * dtype.itemsize
            self.memory.check_whole(f"{self._label(member)}: a row", row, "save it with shorter rows")

    def window(self, member: str) -> Readable:
        """The array, to be read in chunks; of a deflated one best from the front on.

        The checksum is compared only where a deflated one is read to its end: see `verify`.
        """
        stored, fortran, dtype, start = self._readable(member)
        info, label, order = self._members[member], self._label(member), self._order(member, fortran=fortran)

        def in_place(file: IO[bytes], begin: int) -> Readable:
            return in_file(file, label, begin, stored, dtype, order, self._temporary)

        if _is_plain(info):
            return in_place(self._file, self._begin(info) + start)
        unpacked = Unpacked(
            label,
            lambda: self._stream(info),
            info.file_size,
            partial(in_place, begin=start),
            self._temporary,
        )
        cells: Unpacked | Deflated = unpacked
        if order.is_c(stored):
            cells = Deflated(Forward(label, lambda: self._stream(info), start, dtype), unpacked)
        return FlatArray(order.shape_of(stored), dtype.newbyteorder("="), cells)

    def map(self, member: str) -> Array:
        """The array, mapped and not to be written to, its checksum not compared.

        Raises DataError for one that is compressed.
        """
        shape, fortran, dtype, start = self._header(member)
        info = self._members[member]
        if not _is_plain(info):
            raise DataError(
                f"{self._label(member)}: compressed, so that it cannot be mapped; read it with np.load, or "
                "write the file anew, without --compress: ",
                Advice("seqtool", "pad", self.name),
            )
        return memory_map(self._file, self._begin(info) + start, shape, dtype, fortran=fortran)

    def proving(self, member: str) -> AnyArray:
        """The array, to be read in chunks from its front to its end once, which compares its checksum.

        Where its cells stand in another order, they are read for that here.
        """
        stored, fortran, dtype, start = self._readable(member)
        info, label = self._members[member], self._label(member)
        if not prod(stored) or not self._order(member, fortran=fortran).is_c(stored):
            self._verify([info])
            return self.window(member)
        forward = Forward(label, lambda: self._stream(info), start, dtype)
        return FlatArray(stored, dtype.newbyteorder("="), forward)

    def verify(self, *, but: Collection[str] = (), only: Collection[str] | None = None) -> None:
        """Read every member once and compare its size and checksum.

        Of those of the archive, all are but some, or some are only. Raises DataError at the first that differs.
        """
        self._verify(
            info
            for info in self._zip.infolist()
            if (name := info.filename.removesuffix(".npy")) not in but and (only is None or name in only)
        )

    def _verify(self, members: Iterable[zipfile.ZipInfo]) -> None:
        scratch = np.empty(PIECE, np.uint8)
        for info in members:
            label = self._label(info.filename.removesuffix(".npy"))
            self._open(info, label).close()
            with damaged(f"{label}: damaged"):
                stream = self._stream(info)
                for begin in range(0, max(1, info.file_size), PIECE):
                    piece = scratch[: info.file_size - begin]
                    stream.fill(piece)

    def _label(self, member: str) -> str:
        return f"{self.name}[{member}]"

    def _open(self, info: zipfile.ZipInfo, label: str) -> IO[bytes]:
        """The member as zipfile opens it: its header compared with the directory."""
        with damaged(f"{label}: cannot be read"):
            return self._zip.open(info)

    def _header(self, member: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
        """Shape, Fortran order and dtype of an array, and the bytes in front of its data."""
        info, label = self._members[member], self._label(member)
        with damaged(f"{label}: damaged"), self._open(info, label) as stream:
            return *read_header(stream, info.file_size, label), stream.tell()

    def _readable(self, member: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
        """The same of an array that is to be read; raises DataError for text with too long a cell."""
        shape, fortran, dtype, start = self._header(member)
        if dtype.kind == "U":
            row = prod(shape[1:]) * dtype.itemsize // 4
            self.memory.check_single(f"{self._label(member)}: a cell of text", row, "shorten the text")
        return shape, fortran, dtype, start

    def _stream(self, info: zipfile.ZipInfo) -> Stream:
        take: Callable[[memoryview], int]
        if (
            info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            or info.flag_bits & _ENCRYPTED
        ):
            # Chunks may be read when the archive is closed.
            again = zipfile.ZipFile(self._source)
            take = again.open(info).readinto  # type: ignore[attr-defined]
        else:
            begin = self._begin(info)
            kind = StoredMember if info.compress_type == zipfile.ZIP_STORED else Inflated
            take = kind(self._file, begin, begin + info.compress_size)
        return Stream(take, info)

    def _begin(self, info: zipfile.ZipInfo) -> int:
        """Where the data of a member begins, which only the header in front of it knows."""
        header = bytes_at(self._file, 30, info.header_offset)
        name, extra = struct.unpack_from("<2H", header, 26)
        return int(info.header_offset + 30 + name + extra)


def _is_plain(info: zipfile.ZipInfo) -> bool:
    """Whether the bytes of a member stand in the file as they are."""
    return info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & _ENCRYPTED
