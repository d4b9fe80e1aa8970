"""Where bytes come from: paths, globs and standard input, recognised by what they hold."""

from __future__ import annotations

import contextlib
import glob
import io
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import IO, Any, Literal

from seqtool.advice import Advice
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, NoInputError, UsageError, why
from seqtool.files.kinds import (
    PACKED,
    SUFFIXES,
    Kind,
    Packing,
    recognise,
)
from seqtool.files.line_rewriting import Rewriting
from seqtool.files.packing import BROKEN, damaged_packing, is_packed_in_zip, open_bytes
from seqtool.files.path_parts import PathPattern, files_below, folder_name, is_partitioned
from seqtool.files.refusals import is_a_folder, no_such_file, refuse_file_name, refuse_foreign
from seqtool.files.remote import RemoteFile, is_remote, is_remote_folder_with, remote_files
from seqtool.files.temporary import spooled
from seqtool.files.traces import MANIFEST, holds_our_rows, is_our_folder, is_our_shards
from seqtool.files.workbooks import is_workbook
from seqtool.system.memory import LEAST, Memory, allowed, check_address_space
from seqtool.words import STDIN

_RECOGNISED_BY = 1 << 16  # bytes that are read, unpacked, to recognise an input
_KEPT = 1 << 13  # of these, as `Input.head`: most first rows, and thousands of files take little memory


@dataclass
class Meter:
    """How many bytes of a file were read so far."""

    read: int = 0


Container = Literal["zip", "folder", "shards", "safetensors", "rows"]


@dataclass(frozen=True)
class Input:
    """One source: what a person calls it, where its bytes are, and what they hold.

    `named_path` is the path as named, None for standard input, whose bytes were spooled to `path`. `head` are the first
    bytes of text or JSON, unpacked, as they were read to recognise it; `head_is_all` says that no more follow.
    `memory` is what reading it may take.
    `temporary` is the folder for what does not fit into memory, None for the system's; `source` is the name in the call
    that it was found by. Where there is `rewriting`, lines are rewritten as they are read.
    The arrays of the kind npz are those that an `.npz` holds, whatever they are `stored_as`: `seqtool.files.archives`
    opens them all; `held` is the kind of a file that is stored as rows.
    """

    name: str
    path: Path
    named_path: Path | None
    kind: Kind
    packing: Packing | None = None
    rewriting: Rewriting | None = field(default=None, compare=False)
    meter: Meter = field(default_factory=Meter, compare=False)
    head: bytes = field(default=b"", compare=False, repr=False)
    head_is_all: bool = field(default=False, compare=False, repr=False)
    memory: Memory = field(default=Memory(LEAST), compare=False, repr=False)
    temporary: Path | None = field(default=None, compare=False, repr=False)
    source: str = field(default="-", compare=False, repr=False)
    stored_as: Container = field(default="zip", compare=False)
    held: Kind | None = field(default=None, compare=False, repr=False)

    @property
    def base_name(self) -> str:
        """What a receipt calls it: the name of the file without its folder, - for standard input."""
        return "-" if self.named_path is None else self.named_path.name

    @property
    def size(self) -> int:
        """The bytes of the file, packed if it is."""
        return self.path.stat().st_size

    def open_metered(self) -> IO[bytes]:
        """The bytes as `open_bytes` gives them, while `meter` counts how far the file was read."""
        self.meter.read = 0
        return self._rewritten(open_bytes(self.path, self.packing, _Metered(self.path, self.meter)))

    def open(self) -> IO[bytes]:
        """The same, unmetered."""
        return self._rewritten(open_bytes(self.path, self.packing))

    def _rewritten(self, stream: IO[bytes]) -> IO[bytes]:
        return stream if self.rewriting is None else self.rewriting.of(stream)


class _Metered(io.FileIO):
    """A file that reports to a meter how much of it was read."""

    def __init__(self, path: Path, meter: Meter) -> None:
        super().__init__(path, "rb")
        self._meter = meter

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(-1 if size is None else size)
        self._meter.read += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer)
        self._meter.read += count or 0
        return count


@contextlib.contextmanager
def opened(
    sources: Sequence[str],
    *,
    encoding: str = "utf-8",
    temp_dir: Path | None = None,
    memory: Memory | None = None,
) -> Iterator[list[Input]]:
    """The inputs behind the names of a call; copies in `temp_dir` are removed at the end of the block.

    A name that exists is a path; only one that does not may be a glob; `-`, or no name at all, is standard
    input; the address of a file elsewhere, such as s3://bucket/a.csv, is read by fsspec. `encoding` is that of text,
    `memory` what reading may take. Raises NoInputError where nobody sends anything, UsageError or DataError for what
    cannot be read.
    """
    with contextlib.ExitStack() as stack:
        if list(sources).count("-") > 1:
            raise UsageError("- (standard input) can be read once; name it once")
        found = [
            replace(stack.enter_context(opening), source=source)
            for source in sources or ["-"]
            for opening in _openings(source, temp_dir)
        ]
        if not encoding.lower().replace("-", "_").startswith(("utf_16", "utf_32")):
            for item in found:
                _refuse_binary(item)
        _refuse_twice(found)
        allowance = memory or allowed(None)
        yield [_without_head(replace(item, memory=allowance), len(found)) for item in found]


def folder_of(found: Sequence[Input], pattern: PathPattern | None) -> str | None:
    """The name of the folder that an output is named after: that of a pattern, or one that was named as the source."""
    if pattern is not None:
        return folder_name(pattern.text, found[0].source)
    source = found[0].source
    is_folder = source != "-" and not glob.has_magic(source) and Path(source) != found[0].named_path
    return (Path(source).name or folder_name(source)) if is_folder else None


def _without_head(item: Input, count: int) -> Input:
    """One of so many inputs: the first bytes of all of thousands would take their memory, so they are read again."""
    return replace(item, head=b"", head_is_all=False) if count * _KEPT > _HEADS else item


_HEADS = 8 << 20  # bytes


def _refuse_twice(found: Sequence[Input]) -> None:
    seen: dict[tuple[int, int], str] = {}
    for item in found:
        status = item.path.stat()
        file = (status.st_dev, status.st_ino)
        if file in seen:
            raise UsageError(
                f"{item.name} and {seen[file]} are the same file; name it once, or its rows count twice"
            )
        seen[file] = item.name


def _openings(source: str, temp_dir: Path | None) -> Iterator[contextlib.AbstractContextManager[Input]]:
    """What opens each of the inputs that a source names."""
    if source == "-":
        return iter([_standard_input(temp_dir)])
    if is_remote(source) and not os.path.lexists(source):
        if is_remote_folder_with(source, MANIFEST):
            return iter([_remote_shards(source)])
        return (_remote_file(file, temp_dir) for file in remote_files(source, SUFFIXES))
    return (_file(path, source, temp_dir) for path in _paths(source))


@contextlib.contextmanager
def _remote_shards(source: str) -> Iterator[Input]:
    """A data set elsewhere, whose shards are copied to a temporary folder when they are read."""
    with tempfile.TemporaryDirectory(prefix="seqtool-") as cache:
        yield Input(source.rstrip("/"), Path(cache), Path(source), "npz", stored_as="shards")


@contextlib.contextmanager
def _remote_file(file: RemoteFile, folder: Path | None) -> Iterator[Input]:
    with contextlib.ExitStack() as stack:
        with file.open() as stream:
            copy = stack.enter_context(spooled(stream, folder))
        yield _input(file.name, copy, Path(file.name), folder)


def _paths(source: str) -> list[Path]:
    if os.path.lexists(source):
        folder = Path(source)
        # A partitioned folder is a table; any other may hold anything.
        below = files_below(folder, SUFFIXES) if folder.is_dir() and is_partitioned(folder) else []
        return below or [folder]
    found = (
        [Path(name) for name in sorted(glob.glob(source, recursive=True))] if glob.has_magic(source) else []
    )
    if not found:
        raise no_such_file(source, SUFFIXES)
    return found


@contextlib.contextmanager
def _file(path: Path, source: str, folder: Path | None) -> Iterator[Input]:
    if path.is_dir():
        shards = is_our_shards(path)
        if not shards and not is_our_folder(path):
            raise is_a_folder(source, SUFFIXES)
        stored_as: Container = "shards" if shards else "folder"
        yield Input(str(path), path, path, "npz", temporary=folder, stored_as=stored_as)
        return
    if path.is_file():
        yield _input(str(path), path, path, folder)
        return
    # A named pipe or /dev/fd/63 is read once, from front to back.
    with _open_file(str(path), path) as stream, spooled(stream, folder) as spool:
        yield _input(str(path), spool, path, folder)


def _open_file(name: str, path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({why(error)})") from None


def _input(name: str, path: Path, named_path: Path | None, temporary: Path | None) -> Input:
    """Recognise an input by its first bytes, for which its file is opened once."""
    with _open_file(name, path) as file:
        head = file.read(_RECOGNISED_BY)
        if not head:
            raise _empty(name)
        if named_path is None:
            refuse_file_name(head)
        packing = next((packing for magic, packing in PACKED if head.startswith(magic)), None)
        workbook = is_workbook(path, head)
        packing = "zip" if not workbook and is_packed_in_zip(path, head) else packing
        if packing:
            file.seek(0)
            head = _unpacked_head(name, path, packing, file)
    kind = recognise(name, packing, head, workbook=workbook)
    if kind != "workbook":
        refuse_foreign(name, path, head)
    check_address_space(arrow=kind not in ("npy", "npz"))
    if kind == "safetensors":
        return Input(name, path, named_path, "npz", temporary=temporary, stored_as="safetensors")
    if holds_our_rows(path, kind, head):
        return Input(name, path, named_path, "npz", packing, temporary=temporary, stored_as="rows", held=kind)
    if kind not in ("text", "json"):
        return Input(name, path, named_path, kind, packing, temporary=temporary)
    front, is_all = head[:_KEPT], len(head) <= _KEPT
    return Input(name, path, named_path, kind, packing, head=front, head_is_all=is_all, temporary=temporary)


def recognised(path: Path) -> Input:
    """The input at a path: a file, or a folder that seqtool wrote; raises DataError for any other folder."""
    with _file(path, str(path), None) as found:
        return replace(found, name=path.name, memory=allowed(None))


def _empty(name: str) -> DataError:
    hint = ["; if the command before the pipe wrote a file instead, add to it: ", Advice("-o", "-")]
    return DataError(f"{name}: empty; rows or sequences were expected", *(hint if name == STDIN else []))


def _refuse_binary(item: Input) -> None:
    """A NUL among the first bytes of what ought to be text."""
    if b"\x00" in item.head[:4096] and not item.head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{item.name}: neither text nor a format that seqtool reads (it holds NUL bytes)")


def _unpacked_head(name: str, path: Path, packing: Packing, file: IO[bytes]) -> bytes:
    try:
        with open_bytes(path, packing, file) as stream:
            head = bytes(stream.read(_RECOGNISED_BY))
    except BROKEN as error:
        raise damaged_packing(name, packing, error) from None
    if not head:
        raise _empty(name)
    return head


def require_any(sources: Sequence[str]) -> None:
    """Raise NoInputError where no source is named and nobody sends anything: a terminal, or /dev/null."""
    if sources and list(sources) != ["-"]:
        return
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        mode = stat.S_IFCHR
    if sys.stdin is None or stat.S_ISCHR(mode):
        raise NoInputError("no input: name a file, or send data to standard input")
    if stat.S_ISDIR(mode):
        raise DataError(f"{STDIN}: a folder; data was expected")


@contextlib.contextmanager
def _standard_input(folder: Path | None) -> Iterator[Input]:
    require_any([])
    with spooled(sys.stdin.buffer, folder) as spool:
        yield _input(STDIN, spool, None, folder)
