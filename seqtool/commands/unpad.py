"""`seqtool unpad`: sequences back to flat rows."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from seqtool.advice import Advice, Message
from seqtool.commands._options import MemoryOptions
from seqtool.commands._row_output import RowOutputOptions
from seqtool.commands._table_options import TableOptions
from seqtool.errors import UsageError, at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from seqtool.commands._source import Source
    from seqtool.files.outputs import Destination
    from seqtool.sources.options import Sequences
    from seqtool.tables.table import Table
    from seqtool.terminal.report import Summary
    from seqtool.unpadding.rows import FlatRows


def unpad(
    *,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE", help="A file of sequences, or - for standard input.", show_default=False
        ),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            metavar="NAME=FILE",
            help="Join predictions, an .npy of (N,) or (N, C) for sequences, of (N, T) or (N, T, C) for their slots, "
            "or of (S,) or (S, C) for real steps, as columns NAME, or NAME_0 and so on. Repeatable.",
            rich_help_panel="Rows",
        ),
    ] = None,
    beside: Annotated[
        str | None,
        typer.Option(
            "--rows",
            metavar="FILE",
            help="Put what --add joins beside the rows of the table that was grouped (with --keep-row-index); those "
            "that were dropped or cut have empty cells.",
            rich_help_panel="Rows",
        ),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help="Take scale, encode, window and split --last back: each row once, and predictions (N, H) of windows, "
            "(N,) of the step after x, or (N, T) after window --next, on the rows that they are for, as numbers before "
            "scale. Of these four numbers a row are held in memory.",
            rich_help_panel="Rows",
        ),
    ] = False,
    text: TableOptions,
    limits: MemoryOptions,
    to: RowOutputOptions,
) -> None:
    """Turn sequences back into flat rows, one for each step.

    Keys, features, labels, static numbers and categories stand under the names of the columns that they came from, with
    the names of classes; `step` is the number of the step. Rows come in the order of the table that was grouped where
    group has kept it (--keep-row-index), else in that of the sequences. Memory does not grow with the file.

    Example: seqtool unpad train.npz --add pred=pred.npy -o rows.csv
    """
    from seqtool.commands._row_output import check_row_output, write_rows
    from seqtool.commands._source import one_source, read
    from seqtool.files.outputs import choose
    from seqtool.sources.options import ForeignSpec
    from seqtool.terminal.report import Summary
    from seqtool.unpadding.predictions import named_file
    from seqtool.unpadding.writing import SUFFIXES
    from seqtool.words import count, listed

    files = [named_file(named) for named in add or ()]
    if beside is not None and not files:
        raise UsageError("--rows puts predictions beside the rows of a table, and none are named")
    unused = text.named if beside is None else ["--missing"] if text.missing else []
    if unused:
        raise UsageError(f"{listed(unused)}: tells how another table is read, and none is read so")
    check_row_output(to, [source, beside, *(str(path) for _, path in files)])
    summary = Summary("unpad")
    with one_source(source, "unpad", limits) as opened:
        destination = choose(
            to.output,
            command="unpad",
            inputs=[opened.file.named_path, *(path for _, path in files)],
            may_replace=lambda _: to.force,
            dry_run=to.dry_run,
            suffixes=SUFFIXES,
            text=True,
        )
        with summary.stage("reading"):
            found = read(opened, ForeignSpec(), summary)
        with at(opened.name):
            rows = _rows(
                found, opened, summary, raw=raw, beside=[] if beside is None else ["--rows", *text.named]
            )
        own = len(rows.names)
        rows = _with_predictions(rows, files, found, opened.memory.limit // 16, summary)
        if beside is not None:
            with _table(beside, text, opened, limits) as table:
                _write_beside(rows, own, table, destination, to, summary)
        else:
            order = "the table that was grouped" if rows.as_in_source else "the sequences"
            summary.say("rows", f"{count(len(rows), 'row')}, in the order of {order}")
            summary.say("columns", f"{len(rows.names)}: {listed(rows.names)}")
            written = write_rows(rows.batches(), rows.schema, destination, to, summary)
            _account(written, len(rows), to)
            summary.facts["rows"] = len(rows)
        shown = rows.names[own if beside is not None else 0 :]
        unknown = {name: rows.unknown[name] for name in shown if rows.unknown[name]}
        if unknown:
            cells = ", ".join(f"{name} {number:,}" for name, number in unknown.items())
            summary.warnings.append(f"unknown categories became empty cells: {cells}")
    summary.show(quiet=to.quiet and not to.dry_run, verbose=to.verbose, as_json=to.as_json)


def _rows(
    found: Sequences, opened: Source, summary: Summary, *, raw: bool, beside: Sequence[str]
) -> FlatRows:
    """The rows of sequences; `raw` ones as they were before scale, encode, window and the like.

    `beside` are the options of the table that they are to stand beside.
    """
    from seqtool.unpadding.landing import WindowRows
    from seqtool.unpadding.rows import FlatRows
    from seqtool.unpadding.undoing import kept_scales, undone
    from seqtool.words import count, join_names

    ragged, room = found.ragged, opened.memory.limit // 4
    if not raw:
        return FlatRows.of(ragged, opened.spool, room=room)
    before, names = undone(ragged, opened.spool)
    windows = WindowRows.of(before, ragged)
    names = [*names, *([windows.parting.command] if windows else [])]
    summary.say("taken back", join_names(names) or "nothing: no command that could be was applied")
    summary.facts["taken_back"] = names
    kept = kept_scales(ragged.receipt)
    if kept:
        summary.warnings.append(
            f"{count(kept, 'call')} of scale took each sequence by its own numbers, which are not kept: these "
            "features stay scaled"
        )
    if windows is None:
        return FlatRows.of(before, opened.spool, room=room)
    rows, left = FlatRows.of_windows(windows, by_source=bool(beside))
    is_split = windows.parting.command == "split"
    if windows.unseen and not beside:
        where = "of steps that follow x, in no x of this file"
        where = where if is_split else "of steps behind the last windows, in no window"
        known = ", ".join(["the key", "the step", *windows.known_behind])
        what = f"of which only {known} and what was predicted are known"
        summary.warnings.append(f"{count(windows.unseen, 'row')} {where}, {what}")
    if left:
        where = "behind the last windows of their sequences are in no window"
        where = "that follow x are in no x of this file" if is_split else where
        summary.warnings.append(
            Message(
                f"{count(left, 'row')} {where}, so that nobody knows which rows of the table they are: left out; to "
                "have them by key and step: ",
                Advice(without=beside),
            )
        )
    return rows


def _account(written: int, expected: int, to: RowOutputOptions) -> None:
    """Raise AssertionError unless as many rows were written as there are."""
    if not to.dry_run and written != expected:
        raise AssertionError(
            f"{expected:,} rows were to be written, and {written:,} were: this is a bug in seqtool"
        )


def _with_predictions(
    rows: FlatRows, files: list[tuple[str, Path]], found: Sequences, room: int, summary: Summary
) -> FlatRows:
    """The same rows with the columns of predictions, which are read at once if they take no more than `room` bytes."""
    from seqtool.unpadding import forecasts
    from seqtool.unpadding.parting import follows
    from seqtool.unpadding.predictions import BlockForm, open_predictions, predicted
    from seqtool.words import listed

    block = BlockForm(found.maxlen, found.padding or "post")
    more, windows = [], rows.windows
    for name, path in files:
        array = open_predictions(path, room=room)
        if windows is None:
            columns = predicted(name, array, found.ragged, block, rows.unknown)
            of = "steps" if columns.of_steps else "sequences, in each of their rows"
            if not columns.of_steps and follows(found.ragged.receipt):
                summary.warnings.append(
                    Message(
                        f"{listed(columns.names)}: in each row of the sequences, whose y is what follows them; for "
                        "the rows that follow: ",
                        Advice("--raw"),
                    )
                )
        else:
            columns = forecasts.predicted(name, array, windows, block, rows.unknown)
            parts = "windows" if windows.parting.command == "window" else "the step after x"
            of = f"{parts}, in the rows that they are for"
        summary.say("added", f"{listed(columns.names)}: of {of}")
        more.append(columns)
    return rows.with_columns(more)


def _write_beside(
    rows: FlatRows, own: int, table: Table, destination: Destination, to: RowOutputOptions, summary: Summary
) -> None:
    """Write the rows of a table with the predictions beside them."""
    from seqtool.commands._row_output import write_rows
    from seqtool.unpadding.beside import Beside
    from seqtool.words import count, listed

    whole = Beside(table, rows, own)
    schema, batches = whole.read()
    summary.say("columns", f"{len(whole.names)}: {listed(whole.names)}")
    written = write_rows(batches, schema, destination, to, summary)
    if to.dry_run:
        return
    _account(written, table.rows, to)
    summary.say("rows", f"{count(written, 'row')} of {table.name}, {whole.empty:,} of them without a step")
    summary.facts |= {"rows": written, "without_step": whole.empty, "repeated": whole.repeated}
    if whole.keys is None:
        summary.warnings.append(
            f"{table.name} has no columns that are known to hold the keys of sequences: rows were found by row_index "
            f"alone, and none of {written:,} was compared"
        )
    if whole.repeated:
        summary.warnings.append(
            f"{count(whole.repeated, 'step')} stand for rows that later steps stand for too; the last one counts"
        )


@contextmanager
def _table(name: str, text: TableOptions, opened: Source, limits: MemoryOptions) -> Iterator[Table]:
    """A table, open for the block."""
    from seqtool.files import inputs
    from seqtool.files.temporary import temporary_folder
    from seqtool.tables.opening import open_tables

    folder = temporary_folder(limits.temp_dir)
    with inputs.opened([name], encoding=text.encoding, temp_dir=folder, memory=opened.memory) as found:
        yield open_tables(found, text.reading, list_cells=False)
