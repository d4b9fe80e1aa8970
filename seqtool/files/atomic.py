"""Files that appear whole or not at all, one or several together."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError, why
from seqtool.files.held_back import held_back
from seqtool.files.traces import may_be_replaced
from seqtool.system import signals
from seqtool.system.platform import sync_folder
from seqtool.words import listed


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of `path` when the block ends without an error.

    The bytes are on the disk before the name is. A link stays and its target is replaced; devices and pipes
    are written straight. Raises DataError when the folder is missing or cannot be written.
    """
    with replacing_all([path]) as (file,):
        yield file


@contextmanager
def replacing_all(paths: Sequence[Path], *, folders: bool = False) -> Iterator[list[Any]]:
    """Open files that take the places of `paths` together when the block ends without an error, or none does.

    With `folders` each is a `NewFolder`. As `replacing` in all else. A rename that fails undoes those before it; a
    signal that asks us to end waits until the set stands. Raises UsageError for a set that holds a device, a pipe, or
    the same file twice.

    What cannot be caught, such as SIGKILL or a power cut, leaves `.seqtool-*.tmp`, and between two renames of a set
    `.seqtool-*-NAME.old` too: what NAME held before. Move it back, or delete it; no later call does so, which cannot
    know whether another one is at work there.
    """
    if len(paths) == 1 and is_special(paths[0]) and not folders:
        with naming(paths[0]), paths[0].open("wb") as file, held_back(file) as held:
            yield [held]
        signals.finished([str(paths[0])])
        return
    check_set(paths)
    shown = [str(path) for path in paths]
    with ExitStack() as clean:
        with naming(listed(shown, paths=True)), ExitStack() as opened:
            parts = _parts(paths, clean, opened, folders=folders)
            yield [part.file for part in parts]
            for part in parts:
                part.finish()
        with signals.held():
            _rename(parts)
            signals.finished(shown)
            for folder in dict.fromkeys(part.target.parent for part in parts):
                sync_folder(folder)


def check_set(paths: Sequence[Path]) -> None:
    """Raise UsageError for outputs that cannot appear together: what no rename replaces, and one file twice."""
    seen: dict[str, Path] = {}
    for path in paths:
        if is_special(path):
            raise UsageError(f"{path}: a device or a pipe cannot be one of several outputs; name a file")
        other = seen.setdefault(os.path.realpath(path), path)
        if other is not path:
            raise UsageError(f"{path}: two outputs go to this file; give each its own name")


class NewFolder:
    """A folder that is being filled; it gets its name when all files in it are on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a new file in it for writing, whose bytes are on the disk at the end of the block."""
        with (self.path / name).open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())


_ENOUGH = 40  # letters of a name, in as many bytes as a file system allows beside those of the temporary one


@dataclass(frozen=True)
class _Part:
    """A file on its way to the name that it will have."""

    shown: Path
    target: Path
    temporary: Path
    file: BinaryIO

    @property
    def aside(self) -> Path:
        """Where the old file stays until the whole set stands; the end of its name tells whose it is."""
        return self.temporary.with_name(f"{self.temporary.stem}-{self.target.name[-_ENOUGH:]}.old")

    def finish(self) -> None:
        """Bring the bytes to the disk, all but the name."""
        with naming(self.shown):
            self.file.flush()
            os.fsync(self.file.fileno())
            self.temporary.chmod(_mode_for(self.target))

    def keep_old(self) -> None:
        """Give the old file a second name, or where files have but one, that name alone."""
        if not self.target.exists():
            return
        try:
            os.link(self.target, self.aside)
        except OSError:
            os.replace(self.target, self.aside)  # noqa: PTH105

    def put_back(self) -> bool:
        """Leave the target as it was before; whether that worked."""
        with suppress(OSError):
            if self.aside.exists():
                os.replace(self.aside, self.target)  # noqa: PTH105
                self.aside.unlink(missing_ok=True)  # nothing was renamed where both are one file
            elif not self.temporary.exists():
                self.target.unlink(missing_ok=True)
            return True
        return False

    def discard(self) -> None:
        """Remove what was written, if it has not got its name."""
        self.temporary.unlink(missing_ok=True)

    def forget_old(self) -> None:
        """Remove the old file, now that the whole set stands."""
        self.aside.unlink(missing_ok=True)

    def left(self) -> str:
        """What to report of a target that could not be put back."""
        old = f", its previous content is in {self.aside}" if self.aside.exists() else ""
        return f"{self.shown} is already replaced{old}"


@dataclass(frozen=True)
class _FolderPart(_Part):
    """The same of a folder: a rename replaces none that holds files, so the old one goes aside first."""

    file: Any

    def finish(self) -> None:
        with naming(self.shown):
            self.temporary.chmod(_mode_for(self.target, new=0o777))
            sync_folder(self.temporary)

    def keep_old(self) -> None:
        if self.target.exists():
            os.replace(self.target, self.aside)  # noqa: PTH105

    def put_back(self) -> bool:
        with suppress(OSError):
            if not self.temporary.exists():
                os.replace(self.target, self.temporary)  # noqa: PTH105
            if self.aside.exists():
                os.replace(self.aside, self.target)  # noqa: PTH105
            return True
        return False

    def discard(self) -> None:
        shutil.rmtree(self.temporary, ignore_errors=True)

    def forget_old(self) -> None:
        shutil.rmtree(self.aside, ignore_errors=True)


def _parts(paths: Sequence[Path], clean: ExitStack, opened: ExitStack, *, folders: bool) -> list[_Part]:
    """A temporary file, or folder, beside each target, open; `opened` closes it and `clean` removes it."""
    parts: list[_Part] = []
    for path in paths:
        target = Path(os.path.realpath(path))
        with signals.held():
            if folders:
                temporary = _temporary_folder(target, path)
                parts.append(_FolderPart(path, target, temporary, NewFolder(temporary)))
            else:
                handle, temporary = _temporary_beside(target, path)
                parts.append(_Part(path, target, temporary, opened.enter_context(os.fdopen(handle, "wb"))))
            clean.callback(parts[-1].discard)
    return parts


def _rename(parts: Sequence[_Part]) -> None:
    """Give all files their names, or none."""
    if len(parts) == 1 and not parts[0].target.is_dir():
        with naming(parts[0].shown):
            parts[0].temporary.replace(parts[0].target)
        return
    at = parts[0]
    try:
        for at in parts:
            at.keep_old()
            at.temporary.replace(at.target)
    except BaseException as error:
        stuck = [part.left() for part in reversed(parts) if not part.put_back()]
        if not isinstance(error, OSError):
            raise
        raise _cannot_write(at.shown, error, "; ".join(stuck) or "no output was written") from None
    for part in parts:
        with suppress(OSError):  # one file too many, but all outputs stand
            part.forget_old()


@contextmanager
def naming(output: Path | str) -> Iterator[None]:
    """Say which output it is that cannot be written."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _cannot_write(output, error, "no output was written") from None


def _cannot_write(output: Path | str, error: OSError, outcome: str) -> DataError:
    return DataError(f"{output}: cannot be written ({why(error)}); {outcome}")


_DESCRIPTORS = (Path("/dev/fd"), Path("/proc/self/fd"))
_STREAMS = (Path("/dev/stdout"), Path("/dev/stderr"))


def is_special(path: Path) -> bool:
    """Whether `path` is a device, a pipe, or a file that the caller holds open: no rename may replace it."""
    if path.parent in _DESCRIPTORS or path in _STREAMS:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _temporary_beside(target: Path, shown: Path) -> tuple[int, Path]:
    check_folder(target, shown)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".seqtool-", suffix=".tmp")
    except OSError as error:
        raise DataError(f"{shown}: cannot be written ({why(error)})") from None
    return handle, Path(name)


def _temporary_folder(target: Path, shown: Path) -> Path:
    check_folder(target, shown, is_folder=True)
    try:
        return Path(tempfile.mkdtemp(dir=target.parent, prefix=".seqtool-", suffix=".tmp"))
    except OSError as error:
        raise DataError(f"{shown}: cannot be written ({why(error)})") from None


def check_folder(target: Path, shown: Path, *, is_folder: bool = False) -> None:
    """Raise DataError where a target is a folder, or its own folder is missing.

    A target that `is_folder` may be one, if it holds nothing that seqtool did not write.
    """
    if is_folder and target.is_dir():
        if not may_be_replaced(target):
            raise DataError(f"{shown}/: holds files that seqtool did not write; name a new folder")
    elif is_folder and target.exists():
        raise DataError(f"{shown}/: there is a file of this name; name another folder")
    elif target.is_dir():
        raise DataError(f"{shown}: a folder; the name of a file was expected")
    if not target.parent.is_dir():
        raise DataError(f"{shown}: the folder {shown.parent} does not exist; create it first")


def _mode_for(target: Path, new: int = 0o666) -> int:
    return stat.S_IMODE(target.stat().st_mode) if target.exists() else mode_of_new(new)


def mode_of_new(wanted: int = 0o666) -> int:
    """The mode of a new file, or folder, as the umask has it."""
    mask = os.umask(0)
    os.umask(mask)
    return wanted & ~mask
