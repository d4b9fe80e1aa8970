"""Compressed files: the bytes in them as a stream, of which little stands in memory."""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, cast

from isal.igzip_lib import IsalError

from seqtool.errors import DataError
from seqtool.files.kinds import Packing

READ_AT_ONCE = 1 << 20  # bytes, or letters, of a stream

# What reading packed bytes may raise.
BROKEN: tuple[Any, ...] = (
    *(OSError, EOFError, ValueError, IsalError),  # isal comes without types
    *(lzma.LZMAError, zipfile.BadZipFile, zlib.error, NotImplementedError),
)


def damaged_packing(name: str, packing: str, error: Exception) -> DataError:
    """The error for compressed bytes that do not unpack."""
    return DataError(f"{name}: the {packing} data is damaged or cut short ({' '.join(str(error).split())})")


def open_bytes(path: Path, packing: Packing | None, raw: IO[bytes] | None = None) -> IO[bytes]:
    """The bytes of a file as a stream, unpacked, the checksums of gzip, bzip2, xz and zip compared at their end.

    `raw` is the open file, if it is open already; closing the stream closes it.
    """
    raw = path.open("rb", buffering=0) if raw is None else raw
    if packing == "gzip":
        from isal import igzip

        unpacked: Any = igzip.IGzipFile(fileobj=raw, mode="rb")  # type: ignore[no-untyped-call] # it has no types
        unpacked.myfileobj = raw  # so that it closes it
        return cast(IO[bytes], unpacked)
    if packing == "zstd":
        import pyarrow as pa

        # It gives bytes, but no lines: the reader around it does.
        raw = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
    elif packing == "bzip2":
        raw = _Unpacked(bz2.BZ2File(raw), raw)
    elif packing == "xz":
        raw = _Unpacked(lzma.LZMAFile(raw), raw)  # noqa: SIM115 - closed with what is around it
    elif packing == "zip":
        raw = _Unpacked(_only_member(raw), raw)
    return cast(IO[bytes], io.BufferedReader(cast(io.RawIOBase, raw), 1 << 16))


class _Unpacked(io.RawIOBase, IO[bytes]):
    """What a decompressor gives, and the file that it reads, which it leaves open."""

    def __init__(self, stream: Any, raw: IO[bytes]) -> None:
        super().__init__()
        self._stream, self._raw = stream, raw

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what comes next; the number of bytes, none at the end."""
        return int(self._stream.readinto(buffer))

    def close(self) -> None:
        """Close the file too."""
        self._stream.close()
        self._raw.close()
        super().close()


def _only_member(raw: IO[bytes]) -> IO[bytes]:
    archive = zipfile.ZipFile(raw)
    [name] = file_members(archive)
    if archive.getinfo(name).flag_bits & _ENCRYPTED:
        raise ValueError("it is encrypted")
    return archive.open(name)


_ENCRYPTED = 1


def file_members(archive: zipfile.ZipFile) -> Sequence[str]:
    """The files in a zip archive, without folders and what macOS adds of its own."""
    return [
        name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")
    ]


def first_member(head: bytes) -> bytes | None:
    r"""The name of the first member of a zip archive that begins so; None for what is no archive, or cut short.

    >>> first_member(b"a,b"), first_member(b"PK\x03\x04")
    (None, None)
    """
    begin = 30  # behind the fixed part of the header of a member, whose last fields are the lengths of name and extra
    if not head.startswith(b"PK\x03\x04") or len(head) < begin:
        return None
    return head[begin : begin + int.from_bytes(head[26:28], "little")]


def is_packed_in_zip(path: Path, head: bytes) -> bool:
    """Whether a file that begins so is a zip archive of one file that is no array, as `.csv.zip` is.

    >>> is_packed_in_zip(Path("in.csv"), b"a,b")
    False
    """
    first = first_member(head)
    if first is None or first.endswith(b".npy"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = file_members(archive)
    except BROKEN:
        return False
    return len(names) == 1 and not names[0].endswith((".npy", "[Content_Types].xml"))  # an array, a workbook
