"""What every task of a job knows: the files, and what is to be done with their columns. It pickles."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from seqtool.dataclass import dataclass
from seqtool.errors import DataError, SeqtoolError, UsageError
from seqtool.files import inputs
from seqtool.files.inputs import Input
from seqtool.files.remote import is_remote
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.system.memory import Memory
from seqtool.tables import opening
from seqtool.tables.file_columns import FileColumn
from seqtool.tables.table import Table, TextOptions


@dataclass(frozen=True)
class TaskInput:
    """A file as tasks find it: its path, or its address, and how messages call it."""

    path: str
    name: str

    @classmethod
    def of(cls, source: Input, *, here: bool) -> TaskInput:
        """An input of the call; `here` says that tasks run in this process, where it may be read already."""
        elsewhere = not here and source.named_path is not None and is_remote(source.name)
        return cls(source.name if elsewhere else str(source.path.absolute()), source.name)


@dataclass(frozen=True)
class Job:
    """What every task knows: `sources` in the order of the call, and the plan for their columns.

    `of_files` are the columns that paths give, each with the cells of all files; `list_sizes` the lengths of lists in
    columns of text. A task may take `memory` and so many `threads`, and puts what does not fit there into the folder
    `temporary`. Keys go to one of `shards`.
    """

    sources: tuple[TaskInput, ...]
    text: TextOptions
    plan: EncoderPlan
    of_files: tuple[FileColumn, ...]
    list_sizes: Mapping[int, int]
    shards: int
    memory: Memory
    threads: int = 1
    temporary: Path | None = None
    version: str = field(default_factory=lambda: _version())

    @contextmanager
    def opened(self, file: int) -> Iterator[Table]:
        """The table in one of the files, with the columns that the table of all files has.

        Raises DataError where this is another version of seqtool than that of the driver.
        """
        if _version() != self.version:
            raise DataError(
                f"a worker has seqtool {_version()}, and this is {self.version}: install the same on both"
            )
        source, folder = self.sources[file], self.temporary
        with inputs.opened(
            [source.path], encoding=self.text.encoding, temp_dir=folder, memory=self.memory
        ) as found:
            if len(found) != 1:
                raise DataError(f"{source.name}: is a folder now; a file was expected")
            named = replace(found[0], name=source.name)
            yield opening.open_file(named, self.text, self.of_files, file, self.list_sizes)

    @contextmanager
    def pool(self) -> Iterator[Executor | None]:
        """The threads of a task, to which it gives what they can do at once; None where it has one."""
        if self.threads == 1:
            yield None
            return
        with ThreadPoolExecutor(self.threads) as pool:
            yield pool

    def stamp(self, file: int) -> tuple[int, int] | None:
        """The size of a file and when it was written, by which a change is noticed; None of one elsewhere."""
        path = self.sources[file].path
        if is_remote(path):
            return None
        status = Path(path).stat()
        return status.st_size, status.st_mtime_ns


def _version() -> str:
    """The version of seqtool that is installed here; none where it runs from its sources."""
    with suppress(PackageNotFoundError):
        return version("seqtool")
    return ""


def plain(error: SeqtoolError) -> SeqtoolError:
    """An error as it crosses processes: some kinds hold more than they are made from."""
    crossing = UsageError(str(error)) if isinstance(error, UsageError) else DataError(str(error))
    crossing.advice = error.advice
    return crossing


def packed(result: Any) -> bytes:
    """What a task found, as the engine carries it."""
    return pickle.dumps(result)


def unpacked(results: Iterable[bytes]) -> list[Any]:
    """What tasks found."""
    return [pickle.loads(bytes(result)) for result in results]
