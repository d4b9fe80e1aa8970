"""Where bytes go: a file that appears whole or not at all, or standard output."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from seqtool.errors import DataError, UsageError, why
from seqtool.system.platform import sync_folder
from seqtool.system.signals import held


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of `path` when the block ends without an error.

    The bytes are on the disk before the name is. A link stays and its target is replaced; devices and pipes
    are written straight. Raises DataError when the folder is missing or cannot be written.
    """
    if is_special(path):
        with _named(path), path.open("wb") as file:
            yield file
        return
    target = Path(os.path.realpath(path))
    with ExitStack() as clean, _named(path):
        with held():
            handle, temporary = _temporary_beside(target, path)
            clean.callback(temporary.unlink, missing_ok=True)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_mode_for(target))
        temporary.replace(target)
    sync_folder(target.parent)


@contextmanager
def _named(output: Path | str) -> Iterator[None]:
    """Say which output it is that cannot be written."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DataError(f"{output}: cannot be written ({why(error)}); no output was made") from None


def is_special(path: Path) -> bool:
    """Whether `path` is a device, a pipe, or a file that the caller holds open: no rename may replace it."""
    if path.parent in (Path("/dev/fd"), Path("/proc/self/fd")) or path in (
        Path("/dev/stdout"),
        Path("/dev/stderr"),
    ):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _temporary_beside(target: Path, shown: Path) -> tuple[int, Path]:
    _check_folder(target, shown)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".seqtool-", suffix=".tmp")
    except OSError as error:
        raise DataError(f"{shown}: cannot be written ({why(error)})") from None
    return handle, Path(name)


def _check_folder(target: Path, shown: Path) -> None:
    if target.is_dir():
        raise DataError(f"{shown}: a folder; the name of a file was expected")
    if not target.parent.is_dir():
        raise DataError(f"{shown}: the folder {shown.parent} does not exist; create it first")


def _mode_for(target: Path) -> int:
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


class Counted:
    """A file that knows how far it was written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.end = 0
        self._place = 0

    def write(self, data: Any) -> int:
        """Write on; the bytes that were written."""
        count = self._file.write(data)
        self._place += count
        self.end = max(self.end, self._place)
        return count

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go elsewhere."""
        self._place = self._file.seek(offset, whence)
        return self._place

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


SUFFIXES = (".npz", ".npy")


@dataclass(frozen=True)
class Destination:
    """Where a command's output goes; `path` is None for standard output, which gets the first of `suffixes`."""

    path: Path | None
    suffixes: tuple[str, ...] = SUFFIXES

    @property
    def suffix(self) -> str:
        """The suffix that chooses the format: that of the file; that of standard output is the first."""
        return self.suffixes[0] if self.path is None or is_special(self.path) else self.path.suffix

    @property
    def name(self) -> str:
        """How a person is told of it."""
        return "standard output" if self.path is None else str(self.path)

    @contextmanager
    def open(self) -> Iterator[tuple[BinaryIO, bool]]:
        """The open file, and whether it can seek."""
        if self.path is not None:
            with replacing(self.path) as file:
                yield file, not is_special(self.path)
            return
        # Past sys.stdout's own buffer, so that every failure is seen here and not at exit.
        with _named("standard output"), os.fdopen(os.dup(_stdout_handle()), "wb") as file:
            yield file, False


def _stdout_handle() -> int:
    # Python knows whether it was open at the start; by now another file may have got its number.
    try:
        os.fstat(1)
    except OSError:
        closed = True
    else:
        closed = sys.stdout is None
    if closed:
        raise DataError("standard output is closed; use -o FILE")
    return 1


def stdout_is_elsewhere() -> bool:
    """Whether standard output is a pipe or a regular file, so that its reader may be waiting for data."""
    try:
        mode = os.fstat(1).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def choose(
    output: str | None,
    *,
    command: str,
    inputs: list[Path | None],
    may_replace: Callable[[Path], bool],
    dry_run: bool = False,
    suffixes: tuple[str, ...] = SUFFIXES,
) -> Destination:
    """Decide where the output goes: the rule of gzip and xz, whatever is attached to a terminal.

    `inputs` are the files read, None for standard input. Without `-o`, a file gives `<stem>.<command>.npz` in
    the current folder (the suffix is the first of `suffixes`), and standard input gives standard output.
    `may_replace` says whether a file that has the implicit name may go.
    Raises UsageError for binary data on a terminal, for an output that is an input, and for another suffix;
    DataError when an implicit name is taken by a file that may not be replaced.
    """
    first = inputs[0]
    if output == "-" or (output is None and first is None):
        if sys.stdout is not None and sys.stdout.isatty() and not dry_run:
            raise UsageError(
                "the output is binary and standard output is a terminal; add -o FILE, or pipe it to a command"
            )
        return Destination(None, suffixes)
    if output is None:
        assert first is not None
        path = Path(f"{_stem(first)}.{command}{suffixes[0]}")
        if path.exists() and not may_replace(path):
            raise DataError(
                f"{path}: exists and was not written by seqtool; add --force to replace it, or -o FILE"
            )
    else:
        path = Path(output)
        if not path.name or output.endswith("/"):
            raise UsageError(f"{output}: a folder; the name of a file was expected")
    _check_not_an_input(path, inputs)
    _check_folder(path, path)
    destination = Destination(path, suffixes)
    check_suffix(destination.suffix, destination.name, suffixes)
    return destination


def check_suffix(suffix: str, name: str, suffixes: tuple[str, ...] = SUFFIXES) -> None:
    """Raise UsageError for a name whose suffix is no format that is written."""
    if suffix not in suffixes:
        known = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
        raise UsageError(f"{name}: the suffix of the output chooses its format; {known} was expected")


def _stem(path: Path) -> str:
    name = path.name
    for packed in (".gz", ".zst"):
        name = name.removesuffix(packed)
    return Path(name).stem or name


def _check_not_an_input(path: Path, inputs: list[Path | None]) -> None:
    for other in inputs:
        if other is not None and path.exists() and other.exists() and path.samefile(other):
            raise UsageError(f"{path}: is both input and output; choose another -o")
