"""Writing arrays in the standard zip layout: the container beneath `.npz`, without any idea of sequences.

Members are stored, so that writing runs at the speed of a plain file, and each begins at a multiple of 64
bytes, so that it can be mapped; or they are deflated, in chunks on all cores. The same arrays give the same
bytes, however many cores there are: members carry the zip epoch, 1980, as their date, and where chunks end
does not depend on how the data was cut. Where the file cannot seek, checksums follow their member.
Layout: PKWARE APPNOTE.TXT 6.3 (sections 4.3 and 4.5); headers of arrays: numpy.lib.format.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from math import prod
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from isal import isal_zlib

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy, chunks
from seqtool.dataclass import dataclass
from seqtool.files.deflate import PIECE, Compress, deflated
from seqtool.system.platform import cpu_count, reserve
from seqtool.system.prefetch import prefetched

_ALIGN = 64
_LARGE = 8 << 20  # bytes that are worth a thread, and a call for room on the disk
_LIMIT = 0xFFFFFFFF  # a 32-bit field that says: look in the zip64 record
_ZIP64_AT = _LIMIT - (1 << 16)
_EPOCH = (0, 1 << 5 | 1)  # time and date of 1980-01-01 00:00
_FOLLOWS = 1 << 3  # flag: checksum and sizes stand behind the data
_PADDING_ID = 0xD935  # extra field that zipalign uses for padding


@dataclass(frozen=True, eq=False)
class Member:
    """An array to be written: its name, dtype and shape, and its data in C-contiguous pieces, in order.

    A piece may have any shape: only its bytes count. It is the writer's from then on, so that the next one can
    be made while it is written.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    blocks: Iterable[Array]

    @classmethod
    def of(cls, name: str, array: AnyArray) -> Member:
        """An array that is in memory already, or whose chunks are read one after another."""
        if isinstance(array, Lazy) and array.shape:
            return cls(name, array.dtype, array.shape, (part for _, part in chunks(array, PIECE)))
        array = np.asarray(array)
        return cls(name, array.dtype, array.shape, [array])

    @property
    def nbytes(self) -> int:
        """The bytes of the data, without its header."""
        return prod(self.shape) * self.dtype.itemsize


def npy_header(member: Member) -> bytes:
    """The header of the array as `.npy` version 1 has it, a multiple of 64 bytes long."""
    header = io.BytesIO()
    description = {
        "descr": np.lib.format.dtype_to_descr(member.dtype),
        "fortran_order": False,
        "shape": member.shape,
    }
    np.lib.format.write_array_header_1_0(header, description)
    return header.getvalue()


def write_array(
    file: BinaryIO, member: Member, on_written: Callable[[int], None] | None = None, *, seekable: bool = False
) -> int:
    """Write a member as an `.npy` and return its CRC-32; `on_written` is called with the bytes of each piece.

    In a file that can seek, room for all of it is asked for first.
    """
    if seekable and member.nbytes >= _LARGE:
        reserve(file, member.nbytes)  # no room is reported before the work
    crc = 0
    with closing(_pieces(member, on_written)) as pieces:
        for piece in pieces:
            crc = isal_zlib.crc32(piece, crc)
            write_all(file, piece)
    return crc


def write_all(file: BinaryIO, data: bytes | memoryview) -> None:
    """Write all of some bytes."""
    rest = memoryview(data)
    while len(rest):  # a file without a buffer may take less than it is given
        rest = rest[file.write(rest) :]


def _pieces(
    member: Member, on_written: Callable[[int], None] | None = None
) -> Generator[memoryview, None, None]:
    """The bytes of the `.npy`: its header, then its data."""
    yield memoryview(npy_header(member))
    yield from data_pieces(member, on_written)


def data_pieces(
    member: Member, on_written: Callable[[int], None] | None = None
) -> Generator[memoryview, None, None]:
    """The bytes of the data of an array, in pieces of a size that suits a cache."""
    written = 0
    for block in member.blocks if isinstance(member.blocks, list) else _prefetched(member):
        data = np.ascontiguousarray(block).reshape(-1).view(np.uint8).data
        for begin in range(0, len(data), PIECE):
            piece = data[begin : begin + PIECE]
            yield piece
            written += len(piece)
            if on_written is not None:
                on_written(len(piece))
    if written != member.nbytes:
        raise AssertionError(f"{member.name}: {written} bytes were written, {member.nbytes} were expected")


def _prefetched(member: Member) -> Iterator[Array]:
    """The blocks of a member, the next one made while the last is used if that is worth a thread."""
    if member.nbytes < _LARGE:
        yield from member.blocks
        return
    with closing(prefetched(member.blocks)) as blocks:  # type: ignore[type-var]
        yield from blocks


@dataclass
class _Entry:
    """What a zip says of a member."""

    name: bytes
    begin: int
    deflated: bool
    follows: bool
    large: bool
    size: int = 0
    packed: int = 0
    crc: int = 0

    def local_header(self) -> bytes:
        """What stands in front of the data, which begins at a multiple of 64 bytes."""
        extra = struct.pack("<HHQQ", 1, 16, self.size, self.packed) if self.large else b""
        gap = -(self.begin + 30 + len(self.name) + len(extra) + 6) % _ALIGN
        extra += struct.pack("<HHH", _PADDING_ID, 2 + gap, _ALIGN) + bytes(gap)
        lengths = struct.pack("<2H", len(self.name), len(extra))
        return b"PK\x03\x04" + self._fields(45 if self.large else 20) + lengths + self.name + extra

    def descriptor(self) -> bytes:
        """What stands behind the data where the header could not be filled in."""
        form = "<4sLQQ" if self.large else "<4sLLL"
        return struct.pack(form, b"PK\x07\x08", self.crc, self.packed, self.size)

    def directory_entry(self) -> bytes:
        """The line of the directory at the end of the file."""
        far = self.begin >= _ZIP64_AT
        wide = ([self.size, self.packed] if self.large else []) + ([self.begin] if far else [])
        extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
        version = 45 if wide else 20
        place = (len(self.name), len(extra), 0, 0, 0, 0o644 << 16, _LIMIT if far else self.begin)
        made_by = struct.pack("<4sH", b"PK\x01\x02", 3 << 8 | version)
        return made_by + self._fields(version) + struct.pack("<5H2L", *place) + self.name + extra

    def _fields(self, version: int) -> bytes:
        flags, method = _FOLLOWS if self.follows else 0, 8 if self.deflated else 0
        sizes = (_LIMIT, _LIMIT) if self.large else (self.packed, self.size)
        return struct.pack("<5H3L", version, flags, method, *_EPOCH, self.crc, *sizes)


class ZipWriter:
    """Writes arrays one after another into `file`, as a context; what can't seek is written straight through.

    `compress` deflates them: "fast" at many times the speed of np.savez_compressed, "small" to its size.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        seekable: bool,
        compress: Compress | None = None,
        threads: int | None = None,
    ) -> None:
        self._file = file
        self._seekable = seekable
        self._compress = compress
        self._threads = threads or cpu_count()
        self._position = 0
        self._directory: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()

    def add(self, member: Member, on_written: Callable[[int], None] | None = None) -> None:
        """Write one array as the member `<name>.npy`."""
        size = len(npy_header(member)) + member.nbytes
        packing = self._compress is not None
        # Deflated, data that cannot be made smaller grows by less than 1/256.
        large = (size + (size >> 8) if packing else size) >= _ZIP64_AT
        name = f"{member.name}.npy".encode("ascii")
        entry = _Entry(name, self._position, packing, not self._seekable, large)
        if not packing:
            entry.size = entry.packed = size
        self._write(entry.local_header())
        if self._compress is None:
            entry.crc = write_array(self._file, member, on_written, seekable=self._seekable)
        else:
            entry.crc, entry.packed = self._write_deflated(member, on_written, self._compress)
        entry.size = size
        self._position += entry.packed
        if self._seekable:
            self._file.seek(entry.begin)
            write_all(self._file, entry.local_header())
            self._file.seek(self._position)
        else:
            self._write(entry.descriptor())
        self._directory.append(entry.directory_entry())

    def _write_deflated(
        self, member: Member, on_written: Callable[[int], None] | None, how: Compress
    ) -> tuple[int, int]:
        """Write a member's data; its checksum and its bytes in the file."""
        crc = packed = 0
        threads = self._threads if member.nbytes > PIECE else 1
        with (
            closing(_pieces(member, on_written)) as pieces,
            closing(deflated(pieces, how, threads)) as chunks,
        ):
            for chunk, small in chunks:
                crc = isal_zlib.crc32(chunk, crc)
                write_all(self._file, small)
                packed += len(small)
        return crc, packed

    def _write(self, data: bytes) -> None:
        write_all(self._file, data)
        self._position += len(data)

    def _finish(self) -> None:
        begin = self._position
        for entry in self._directory:
            self._write(entry)
        size, count = self._position - begin, len(self._directory)
        if begin >= _ZIP64_AT:
            end = self._position
            fields = (44, 3 << 8 | 45, 45, 0, 0, count, count, size, begin)
            self._write(struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", *fields))
            self._write(struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1))
            begin = _LIMIT
        self._write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, begin, 0))
