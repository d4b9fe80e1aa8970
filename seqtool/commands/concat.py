"""`seqtool concat`: the sequences of several files in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from seqtool.advice import Advice
from seqtool.commands._options import MemoryOptions, OutputOptions, choice
from seqtool.errors import DataError, NotSequencesError, UsageError

if TYPE_CHECKING:
    from seqtool.arrays.spool import Spool
    from seqtool.files.inputs import Input
    from seqtool.operations.name_tables import Piece
    from seqtool.sources.options import Sequences
    from seqtool.system.memory import Memory
    from seqtool.terminal.report import Summary


def concat(
    *,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...", help="Files of the same features, or patterns in quotes.", show_default=False
        ),
    ] = None,
    on_clash: Annotated[
        str,
        choice(
            "--on-clash",
            ("error", "first", "last", "both"),
            help="Of sequences of one key keep the first, the last, or both, told apart by part.",
            section="Sequences",
        ),
    ] = "error",
    limits: MemoryOptions,
    to: OutputOptions,
) -> None:
    """Put the sequences of several files into one.

    They stand in the order of the files. Padded files get the largest of their lengths. Features, labels and static
    columns are matched by their names, and so are classes and categories: those of the first file keep their numbers,
    new ones follow. Files that were scaled or encoded by other numbers, or padded in other ways, are refused.

    Example: seqtool concat monday.npz tuesday.npz -o week.npz
    """
    from seqtool.arrays.spool import Spool
    from seqtool.commands._deliver import deliver
    from seqtool.commands._destination import check_output, destination_of
    from seqtool.files import inputs
    from seqtool.files.temporary import temporary_folder
    from seqtool.files.writers import writer_of
    from seqtool.operations.clashes import OnClash
    from seqtool.operations.concat import UnlikeError, concatenated
    from seqtool.system import memory
    from seqtool.terminal.report import Summary

    check_output(to, sources=sources or [])
    summary = Summary("concat")
    limit, folder = memory.allowed(limits.max_memory), temporary_folder(limits.temp_dir)
    with Spool(folder) as spool, inputs.opened(sources or [], temp_dir=folder, memory=limit) as opened:
        destination = destination_of(to, command="concat", inputs=[item.named_path for item in opened])
        _allow_open(len(opened))
        with summary.stage("reading"):
            found = _read_all(opened, spool, limit, summary)
        pieces = [_piece(item, one) for item, one in zip(opened, found, strict=True)]
        names = [item.base_name for item in opened]
        try:
            done = concatenated(pieces, names, on_clash=cast(OnClash, on_clash), spool=spool)
        except UnlikeError as error:
            alike = Advice("seqtool", "pad", error.name, *error.options)
            raise UsageError(error, "; make it alike: ", alike) from None
        _tell(opened, pieces, summary)
        for word, text in done.lines:
            summary.say(word, text)
        mask = any(one.mask for one in found) and writer_of(destination.suffix, destination.name).mask
        deliver(done.data, destination, to, summary, mask=mask, memory=limit, spool=spool)


def _allow_open(count: int) -> None:
    """Raise DataError where the system does not let so many files be open at once."""
    from seqtool.system.platform import allow_open_files

    allowed = allow_open_files(count + _OTHERS)
    if allowed is not None and allowed < count + _OTHERS:
        raise DataError(
            f"{count:,} files, and the system lets a process have {allowed:,} open; concat some of them at a time, or "
            f"allow more: ulimit -n {count + _OTHERS}"
        )


_OTHERS = 100  # files that are open beside the inputs


def _read_all(opened: list[Input], spool: Spool, limit: Memory, summary: Summary) -> list[Sequences]:
    """The sequences of each file; raises DataError that proposes to group tables together, which makes them one."""
    try:
        return [_read(item, spool, limit, summary) for item in opened]
    except NotSequencesError as error:
        from seqtool.tables.candidates import key_advice  # which loads Arrow

        _, key = key_advice(opened)
        names = [item.name if item.named_path else "-" for item in opened]
        grouped = Advice("seqtool", "group", *names, *key.words)
        raise DataError(error, "; if these are tables, group their rows together: ", grouped) from None


def _read(item: Input, spool: Spool, limit: Memory, summary: Summary) -> Sequences:
    """The sequences of one file."""
    from seqtool.sources.options import SourceOptions
    from seqtool.sources.read import read_sequences

    found = read_sequences(item, SourceOptions(spool=spool, memory=limit))
    summary.warnings += [f"{item.name}: {text}" for text in found.warnings]
    return found


def _piece(item: Input, found: Sequences) -> Piece:
    from seqtool.operations.name_tables import Piece

    if found.maxlen is None:
        return Piece(item.name, found.ragged)
    value = 0 if found.value is None else found.value
    return Piece(item.name, found.ragged, found.maxlen, found.padding or "post", value)


def _tell(opened: list[Input], pieces: list[Piece], summary: Summary) -> None:
    from seqtool.words import count, listed

    sequences = sum(len(piece.ragged) for piece in pieces)
    steps = sum(len(piece.ragged.values) for piece in pieces)
    names = [item.name for item in opened]
    summary.say(
        "read", f"{count(sequences, 'sequence')}, {count(steps, 'step')} from {listed(names, most=3)}"
    )
    summary.facts["inputs"] = names
