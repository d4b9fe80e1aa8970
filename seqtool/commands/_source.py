"""How a command that reads one file opens it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from seqtool.advice import Advice, Message
from seqtool.commands._options import MemoryOptions
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, NotSequencesError, UsageError
from seqtool.operations import OPERATIONS
from seqtool.words import expanded

if TYPE_CHECKING:
    from seqtool.arrays.spool import Spool
    from seqtool.files.inputs import Input
    from seqtool.sequences.ragged import Ragged
    from seqtool.sources.options import ForeignSpec, Sequences
    from seqtool.system.memory import Memory
    from seqtool.terminal.report import Summary


@dataclass(frozen=True)
class Source:
    """The input of a command, and what there is to work with: memory, and a spool for what it cannot hold.

    There may be several `files` of one sequence each, of which `file` is the first.
    """

    files: Sequence[Input]
    spool: Spool
    memory: Memory

    @property
    def file(self) -> Input:
        """The one file, or the first of several."""
        return self.files[0]

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.file.name if len(self.files) == 1 else self.file.source

    @property
    def base_names(self) -> list[str]:
        """What a receipt calls its files."""
        return [item.base_name for item in self.files]


@contextmanager
def one_source(
    source: str | None, command: str, limits: MemoryOptions, *, several: bool = False
) -> Iterator[Source]:
    """The input behind a name, open for the block; standard input where there is no name; `several` may be meant.

    Raises UsageError for a pattern that matches several files, and what `seqtool.files.inputs.opened` raises.
    """
    from seqtool.arrays.spool import Spool
    from seqtool.files import inputs
    from seqtool.files.temporary import temporary_folder
    from seqtool.system import memory

    limit, folder = memory.allowed(limits.max_memory), temporary_folder(limits.temp_dir)
    names = [source] if source else []
    with Spool(folder) as spool, inputs.opened(names, temp_dir=folder, memory=limit) as found:
        yield Source(found if several else [only(found, source, command)], spool, limit)


@contextmanager
def opened_ours(name: str | None, limits: MemoryOptions) -> Iterator[Ragged | None]:
    """The sequences of a file that seqtool wrote, open for the block; None where no name is given.

    Raises DataError for any other file.
    """
    if name is None:
        yield None
        return
    from seqtool.sources.options import ForeignSpec, SourceOptions
    from seqtool.sources.read import read_files

    with one_source(name, "--using", limits) as opened:
        options = SourceOptions(foreign=ForeignSpec(), spool=opened.spool, memory=opened.memory)
        found = read_files(opened.files, options)
        if not found.ours:
            raise DataError(f"{opened.name}: not written by seqtool, so that nothing was fitted for it")
        yield found.ragged


def only(found: Sequence[Input], source: str | None, command: str) -> Input:
    """The one input behind a name; raises UsageError for a pattern that matches several."""
    if len(found) > 1:
        one = Advice(found[0].name, without=[source or "-"])
        each = ["; or one sequence of each: ", each_file(found)] if command in _TAKE_SEVERAL else []
        raise UsageError(
            f"{source} matches {len(found)} files; {command} takes one at a time, such as ", one, *each
        )
    return found[0]


_TAKE_SEVERAL = ("convert", "pad", *OPERATIONS)


def unquoted_steps(arguments: Sequence[str]) -> Message | None:
    """What to say where the shell made words of `--steps {0..99}`; None where it did not."""
    from seqtool.tables.candidates import numbered

    if "--steps" not in arguments:
        return None
    words = arguments[arguments.index("--steps") + 1 :]
    steps = numbered(words)
    if steps is None or words[: len(expanded(steps))] != expanded(steps):
        return None
    quoted = Advice("--steps", steps, without=["--steps", *expanded(steps)])
    return Message("--steps: the shell made several words of its columns; quote them: ", quoted)


def unquoted(command: str, sources: Sequence[str], key_from: str | None) -> Message | None:
    """What to say of several files where one source was expected: a shell makes them of a pattern without quotes.

    None of other words, or for a command that takes no files of one sequence each.
    """
    try:
        are_files = all(Path(name).is_file() for name in sources)
    except OSError:  # a name that is too long
        are_files = False
    if command not in _TAKE_SEVERAL or not are_files:
        return None
    each = _pattern(sources, "{key}")
    quoted = Advice(_pattern(sources, "*"), *([] if key_from else ["--key-from", each]), without=sources)
    return Message(
        f"{command} takes one source, and here are {len(sources)}; a pattern in quotes takes them all: ",
        quoted,
    )


def each_file(found: Sequence[Input]) -> Advice:
    """How to take one sequence of each file."""
    return Advice("--key-from", _pattern([item.name for item in found], "{key}"))


def _pattern(names: Sequence[str], stem: str) -> str:
    """A pattern of the paths of files, in one folder or in several, that has a part or * for their stems."""
    folders = {str(Path(name).parent) for name in names}
    return str(Path(folders.pop() if len(folders) == 1 else "**") / f"{stem}{Path(names[0]).suffix}")


def only_arrays(found: Sequence[Input], source: str | None, command: str) -> Input:
    """The one input behind a name, which must hold arrays; raises DataError that says how to make one of another."""
    item = only(found, source, command)
    if item.kind in ("npy", "npz"):
        return item
    from seqtool.tables.candidates import key_advice

    hint, key = key_advice([item])
    way_out = (
        Advice("seqtool", "group", item.name, *key.words) if hint else Advice("seqtool", "pad", item.name)
    )
    raise DataError(f"{item.name}: not a file of arrays; .npz or .npy was expected; make one: ", way_out)


def read(
    source: Source,
    described: ForeignSpec,
    summary: Summary,
    *,
    allow_pickle: bool = False,
    dtype: str | None = None,
) -> Sequences:
    """The sequences of a source, and in the summary what was read; errors as in `seqtool.sources.read`."""
    from seqtool.sources.options import SourceOptions
    from seqtool.sources.read import read_files
    from seqtool.words import count

    options = SourceOptions(
        foreign=described, allow_pickle=allow_pickle, dtype=dtype, spool=source.spool, memory=source.memory
    )
    name = source.name
    try:
        found = read_files(source.files, options)
    except NotSequencesError as error:
        from seqtool.tables.candidates import key_advice, steps_advice

        _, key = key_advice([source.file])
        grouped = Advice("seqtool", "group", name if source.file.named_path else "-", *key.words)
        wide = steps_advice(source.file)
        one_a_row = [] if wide is None else ["; or if each row is a sequence: ", wide]
        raise DataError(error, "; if it is a table, group its rows: ", grouped, *one_a_row) from None
    line = f"{count(len(found.ragged), 'sequence')}, {count(found.steps, 'step')} from {name}"
    summary.say("read", "; ".join([line, *found.notes]))
    summary.facts |= {"inputs": [name], "notes": found.notes}
    summary.warnings += found.warnings
    return found
