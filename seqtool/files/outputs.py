"""Where a command's output goes: a file, several, or standard output; and in which format."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from seqtool.advice import Advice
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.files.atomic import check_folder, check_set, is_special, naming, replacing_all
from seqtool.files.held_back import held_back
from seqtool.files.kinds import bare_name
from seqtool.files.writers import FOLDER, SUFFIXES, check_suffix
from seqtool.system import signals


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


@dataclass(frozen=True)
class Destination:
    """Where a command's output goes; `path` is None for standard output, which gets the first of `suffixes`.

    `inputs` are the files that it must not replace. One `is_folder`: of a file for each array.
    """

    path: Path | None
    suffixes: tuple[str, ...] = SUFFIXES
    inputs: tuple[Path | None, ...] = ()
    is_folder: bool = False

    @property
    def is_of_splits(self) -> bool:
        """Whether its name stands for several files, one of each split."""
        return self.path is not None and _SPLIT in self.path.name

    def of_split(self, name: str) -> Destination:
        """Where the sequences of one split go; raises UsageError where that would replace an input.

        >>> Destination(Path("out/{split}.npz")).of_split("train").name
        'out/train.npz'
        """
        return self._of(_SPLIT, name)

    def of_fold(self, fold: int) -> Destination:
        """Where one fold goes; raises UsageError where that would replace an input.

        >>> Destination(Path("cv/{fold}-{split}.npz")).of_fold(2).of_split("val").name
        'cv/2-val.npz'
        """
        return self._of(FOLD, str(fold))

    def _of(self, word: str, name: str) -> Destination:
        assert self.path is not None
        path = self.path.with_name(self.path.name.replace(word, name))
        check_not_an_input(path, self.inputs)
        return replace(self, path=path)

    @property
    def suffix(self) -> str:
        """The suffix that chooses the format: that of the file; that of standard output is the first."""
        if self.is_folder:
            return FOLDER
        return self.suffixes[0] if self.path is None or is_special(self.path) else self.path.suffix

    @property
    def name(self) -> str:
        """How people read of it."""
        return "standard output" if self.path is None else f"{self.path}{FOLDER * self.is_folder}"

    @contextmanager
    def open(self) -> Iterator[tuple[BinaryIO, bool]]:
        """The open file, and whether it can seek."""
        if self.path is not None:
            with replacing_all([self.path], folders=self.is_folder) as (file,):
                yield file, not is_special(self.path)
            return
        # Past sys.stdout's own buffer, so that every failure is seen here and not at exit.
        with (
            naming("standard output"),
            os.fdopen(os.dup(_stdout_handle()), "wb") as file,
            held_back(file) as held,
        ):
            yield held, False
        signals.finished(["standard output"])


_SPLIT, FOLD = "{split}", "{fold}"  # in the name of an output


@contextmanager
def open_all(destinations: Sequence[Destination]) -> Iterator[list[tuple[BinaryIO, bool]]]:
    """Open one output as it wants to be, or several that appear together or not at all; errors as in `replacing_all`.

    With each file comes whether it can seek.
    """
    if len(destinations) == 1:
        with destinations[0].open() as opened:
            yield [opened]
        return
    with replacing_all(paths_of(destinations), folders=destinations[0].is_folder) as files:
        yield [(file, True) for file in files]


def paths_of(destinations: Sequence[Destination]) -> list[Path]:
    """The files of several outputs; raises UsageError where they cannot appear together."""
    paths = [destination.path for destination in destinations if destination.path is not None]
    if len(paths) < len(destinations):
        raise UsageError("standard output cannot be one of several outputs; name a file for each")
    check_set(paths)
    return paths


def _stdout_handle() -> int:
    # Python knows whether it was open at the start; by now another file may have got its number.
    try:
        os.fstat(1)
    except OSError:
        closed = True
    else:
        closed = sys.stdout is None
    if closed:
        raise DataError("standard output is closed; name a file: ", Advice("-o", "FILE"))
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
    folder: str | None = None,
    text: bool = False,
) -> Destination:
    """Decide where the output goes: the rule of gzip and xz, whatever is attached to a terminal.

    `inputs` are the files read, None for standard input. Without `-o`, a file gives `<stem>.<command>.npz` in
    the current folder (the suffix is the first of `suffixes`), and standard input, also beside files, gives standard
    output. Where one `folder` was named for all of them, its name is the stem.
    `may_replace` says whether a file that has the implicit name may go; `text` may be shown on a terminal.
    Raises UsageError for binary data on a terminal, for an output that is an input, and for another suffix;
    DataError when an implicit name is taken by a file that may not be replaced, unless nothing is to be written.
    """
    if output is not None:
        destination = named_by(output, suffixes=suffixes, dry_run=dry_run, text=text)
    elif inputs[0] is None or None in inputs:
        _refuse_terminal(allowed=dry_run or text)
        destination = Destination(None, suffixes)
    else:
        destination = Destination(Path(f"{folder or _stem(inputs[0])}.{command}{suffixes[0]}"), suffixes)
    path = destination.path
    if path is None:
        return destination
    if output is None and not dry_run and path.exists() and not may_replace(path):
        raise DataError(
            f"{path}: exists and was not written by seqtool; add ",
            Advice("--force"),
            " to replace it, or ",
            Advice("-o", "FILE"),
        )
    check_not_an_input(path, inputs)
    check_folder(path, path, is_folder=destination.is_folder)
    return replace(destination, inputs=tuple(inputs))


def named_by(
    output: str, *, suffixes: tuple[str, ...] = SUFFIXES, dry_run: bool = False, text: bool = False
) -> Destination:
    """What `-o` names, judged by the call alone, before any input is opened.

    Raises UsageError for binary data on a terminal, for a folder, and for a suffix that is not among `suffixes`.

    >>> named_by("train.npz").suffix
    '.npz'
    """
    if output == "-":
        _refuse_terminal(allowed=dry_run or text)
        return Destination(None, suffixes)
    is_folder = output.endswith(("/", os.sep)) and FOLDER in suffixes
    destination = Destination(Path(output), suffixes, is_folder=is_folder)
    if not Path(output).name or (output.endswith("/") and not is_folder):
        raise UsageError(f"{output}: a folder; the name of a file was expected")
    if not is_folder and not Path(output).is_dir():
        check_suffix(destination.suffix, output, suffixes)
    return destination


def _refuse_terminal(*, allowed: bool) -> None:
    if sys.stdout is not None and sys.stdout.isatty() and not allowed:
        raise UsageError(
            "the output is binary and standard output is a terminal; add ",
            Advice("-o", "FILE"),
            ", or pipe it to a command",
        )


def _stem(path: Path) -> str:
    name = bare_name(path.name)
    return Path(name).stem or name


def check_not_an_input(path: Path, inputs: Sequence[Path | None]) -> None:
    """Raise UsageError for an output that would replace what is read."""
    for other in inputs:
        if other is None or not path.exists() or not other.exists():
            continue
        within = bool(path.name) and path.is_dir() and path.resolve() in other.resolve().parents
        if path.samefile(other) or within:
            raise UsageError(f"{path}: is both input and output; name another: ", Advice("-o", "FILE"))
