"""Arrays in the standard zip layout: the container beneath `.npz`, without any idea of sequences.

Members are stored, not deflated, so that writing runs at the speed of a plain file, and each array's data
starts at a multiple of 64 bytes, so that it can be mapped. The same arrays give the same bytes: members
carry the zip epoch, 1980, as their date. Where the file cannot seek, checksums follow their member.
Layout: PKWARE APPNOTE.TXT 6.3 (sections 4.3 and 4.5); headers of arrays: numpy.lib.format.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, Literal, Self

import numpy as np
from isal import isal_zlib

from seqtool.casting import Array
from seqtool.errors import DataError
from seqtool.memory import budget, human

_ALIGN = 64
_MOST_DIMENSIONS = 32  # that every NumPy has
_CHUNK = 4 << 20
_LIMIT = 0xFFFFFFFF  # a 32-bit field that says: look in the zip64 record
_ZIP64_AT = _LIMIT - (1 << 16)
_EPOCH = (0, 1 << 5 | 1)  # time and date of 1980-01-01 00:00
_FOLLOWS = 1 << 3  # flag: checksum and sizes stand behind the data
_PADDING_ID = 0xD935  # extra field that zipalign uses for padding


@dataclass(frozen=True, eq=False)
class Member:
    """An array to be written: its name, dtype and shape, and its data in C-contiguous pieces, in order."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    blocks: Iterable[Array]

    @classmethod
    def of(cls, name: str, array: Array) -> Member:
        """An array that is in memory already."""
        array = np.asarray(array, order="C")
        return cls(name, array.dtype, array.shape, [array])

    @property
    def nbytes(self) -> int:
        """The bytes of the data, without its header."""
        return prod(self.shape) * self.dtype.itemsize


def write_array(file: BinaryIO, member: Member, wrote: Callable[[int], None] | None = None) -> int:
    """Write a member as an `.npy` and return its CRC-32; `wrote` is told the bytes of each block."""
    header = npy_header(member)
    file.write(header)
    crc = isal_zlib.crc32(header)
    written = 0
    for block in member.blocks:
        data = np.ascontiguousarray(block).reshape(-1).view(np.uint8).data
        file.write(data)
        crc = isal_zlib.crc32(data, crc)
        written += len(data)
        if wrote is not None:
            wrote(len(data))
    if written != member.nbytes:
        raise AssertionError(f"{member.name}: {written} bytes came, {member.nbytes} were announced")
    return int(crc)


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


class ZipWriter:
    """Writes arrays one after another into `file`, as a context; what can't seek is written straight through."""

    def __init__(self, file: BinaryIO, *, seekable: bool) -> None:
        self._file = file
        self._seekable = seekable
        self._position = 0
        self._directory: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()

    def add(self, member: Member, wrote: Callable[[int], None] | None = None) -> None:
        """Write one array as the member `<name>.npy`."""
        name = f"{member.name}.npy".encode("ascii")
        size = len(npy_header(member)) + member.nbytes
        begin = self._position
        self._write(self._local_header(name, size, crc=0))
        crc = write_array(self._file, member, wrote)
        self._position += size
        if self._seekable:
            self._file.seek(begin)
            self._file.write(self._local_header(name, size, crc, begin))
            self._file.seek(self._position)
        else:
            form = "<4sLQQ" if size >= _ZIP64_AT else "<4sLLL"
            self._write(struct.pack(form, b"PK\x07\x08", crc, size, size))
        self._directory.append(self._directory_entry(name, size, crc, begin))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._position += len(data)

    def _local_header(self, name: bytes, size: int, crc: int, begin: int | None = None) -> bytes:
        large = size >= _ZIP64_AT
        extra = struct.pack("<HHQQ", 1, 16, size, size) if large else b""
        start = (self._position if begin is None else begin) + 30 + len(name) + len(extra)
        gap = -(start + 6) % _ALIGN
        extra += struct.pack("<HHH", _PADDING_ID, 2 + gap, _ALIGN) + bytes(gap)
        shown = _LIMIT if large else size
        fields = (45 if large else 20, 0 if self._seekable else _FOLLOWS, 0, *_EPOCH, crc, shown, shown)
        return struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields, len(name), len(extra)) + name + extra

    def _directory_entry(self, name: bytes, size: int, crc: int, begin: int) -> bytes:
        large = size >= _ZIP64_AT
        far = begin >= _ZIP64_AT
        wide = ([size, size] if large else []) + ([begin] if far else [])
        extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
        version = 45 if wide else 20
        shown = _LIMIT if large else size
        flags = 0 if self._seekable else _FOLLOWS
        head = (
            3 << 8 | version,
            version,
            flags,
            0,
            *_EPOCH,
            crc,
            shown,
            shown,
            len(name),
            len(extra),
            0,
            0,
            0,
        )
        place = (0o644 << 16, _LIMIT if far else begin)
        return struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *head, *place) + name + extra

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


def checked_dtype(dtype: np.dtype[Any], name: str) -> np.dtype[Any]:
    """`dtype` in this machine's byte order; raises DataError for one that is neither numbers nor text."""
    if dtype.hasobject:
        raise DataError(
            f"{name}: an object array, which only a pickle can hold, and loading one can run code; save it with "
            "np.savez(file, *sequences), or as numbers; your own old .npy file opens with --allow-pickle"
        )
    if dtype.names is not None:
        fields = ", ".join(dtype.names)
        raise DataError(
            f"{name}: a structured array with fields {fields}; a plain array of numbers was expected"
        )
    if dtype.kind not in "biufU":
        raise DataError(f"{name}: an array of {dtype}; integers, floats or booleans were expected")
    return dtype.newbyteorder("=")


def read_header(stream: Any, size: int, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and dtype of the `.npy` of `size` bytes that begins here.

    Raises DataError when the header is damaged, or announces other than `size` bytes.
    """
    with _damage(f"{name}: the header of the array is damaged"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's, about headers that Python 2 wrote
        shape, fortran, dtype = _parsed_header(stream, name)
        if (
            len(shape) > _MOST_DIMENSIONS
            or not all(0 <= size < 1 << 63 for size in shape)
            or not dtype.itemsize
        ):
            raise ValueError(f"{dtype} {shape}")
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
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(stream)


def open_npy(path: Path, name: str) -> Array:
    """The array of an `.npy` file, mapped: pages are read when they are used."""
    with path.open("rb") as file:
        shape, fortran, dtype = read_header(file, path.stat().st_size, name)
        start = file.tell()
    if not prod(shape):
        return np.empty(shape, dtype.newbyteorder("="))
    order: Literal["F", "C"] = "F" if fortran else "C"
    mapped = np.memmap(os.fspath(path), dtype=dtype, mode="r", offset=start, shape=shape, order=order)
    if not dtype.isnative:
        return np.asarray(mapped.astype(dtype.newbyteorder("=")))
    return np.asarray(mapped)


def unpickle(path: Path, name: str) -> Array | None:
    """The array of an `.npy` that holds a pickle, or None if it holds none; loading one can run its code."""
    with path.open("rb") as file, _damage(f"{name}: damaged"):
        if not _parsed_header(file, name)[2].hasobject:
            return None
        file.seek(0)
        return np.asarray(np.lib.format.read_array(file, allow_pickle=True))


class ZipReader:
    """The arrays of an `.npz`: directory first, each array when it is asked for, checksums always.

    Raises DataError for anything damaged, and for more data than memory can take.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        if not path.is_file():
            raise DataError(f"{name}: no such file")
        with _damage(f"{name}: not a whole .npz file"):
            self._zip = zipfile.ZipFile(path)
        self._members = {
            info.filename.removesuffix(".npy"): info
            for info in self._zip.infolist()
            if info.filename.endswith(".npy")
        }
        self.strangers = [
            info.filename for info in self._zip.infolist() if not info.filename.endswith(".npy")
        ]
        total = sum(info.file_size for info in self._members.values())
        if total > budget():
            self.close()
            raise DataError(
                f"{name}: its arrays take {human(total)}, but memory allows {human(budget())}; "
                "use a machine with more memory, or split the file"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    @property
    def names(self) -> list[str]:
        """The arrays in the file, in order."""
        return list(self._members)

    def header(self, member: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and dtype of an array, without reading it."""
        with _damage(f"{self._label(member)}: damaged"), self._reading(member) as stream:
            shape, _, dtype = read_header(stream, self._members[member].file_size, self._label(member))
        return shape, dtype

    def read(self, member: str) -> Array:
        """The whole array, its checksum compared."""
        label = self._label(member)
        with _damage(f"{label}: damaged"), self._reading(member) as stream:
            shape, fortran, dtype = read_header(stream, self._members[member].file_size, label)
            data = np.empty(prod(shape) * dtype.itemsize, dtype=np.uint8)
            _fill(stream, data.data)
        array = data.view(dtype).reshape(shape, order="F" if fortran else "C")
        return array.astype(dtype.newbyteorder("="), copy=False)

    def _label(self, member: str) -> str:
        return f"{self.name}[{member}]"

    def _reading(self, member: str) -> IO[bytes]:
        with _damage(f"{self._label(member)}: cannot be read"):
            return self._zip.open(self._members[member])


def _fill(stream: IO[bytes], data: memoryview) -> None:
    for begin in range(0, len(data), _CHUNK):
        piece = data[begin : begin + _CHUNK]
        while len(piece):
            count = stream.readinto(piece)  # type: ignore[attr-defined]
            if not count:
                raise EOFError("it ends early")
            piece = piece[count:]
    if stream.read(1):  # reaching the end makes zipfile compare the checksum
        raise EOFError("it goes on past its end")


@contextmanager
def _damage(what: str) -> Iterator[None]:
    """Turn whatever a decoder says of bytes that it does not understand into a DataError."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - zipfile, numpy and four decoders raise fifteen kinds
        raise DataError(f"{what} ({' '.join(str(error).split())[:200]})") from None
