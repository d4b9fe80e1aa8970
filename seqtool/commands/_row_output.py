"""The options of a command that writes rows, and how it writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, cast

import typer

from seqtool.commands._options import Force, JsonSummary, Quiet, Traceback, Verbose
from seqtool.dataclass import dataclass

if TYPE_CHECKING:
    from seqtool.files.outputs import Destination
    from seqtool.terminal.report import Summary


@dataclass(frozen=True)
class RowOutputOptions:
    """Where rows go, and how much is said about it."""

    title = "Output"
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write FILE (.csv, .tsv, .jsonl or .parquet); - is standard output, which gets CSV. "
            "[default: <stem>.<command>.csv here; standard output for standard input]",
        ),
    ] = None
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas",
            help="For spreadsheets: an apostrophe before text that begins with =, +, - or @, numbers aside.",
        ),
    ] = False
    force: Force = False
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")
    ] = False
    quiet: Quiet = False
    verbose: Verbose = False
    as_json: JsonSummary = False
    traceback: Traceback = False


def check_row_output(to: RowOutputOptions, sources: list[str | None]) -> None:
    """Raise UsageError for what the options of an output alone show to be wrong, before any input is opened."""
    from pathlib import Path

    from seqtool.files.outputs import check_not_an_input, named_by
    from seqtool.unpadding.writing import SUFFIXES, check_escape

    if to.output is None:
        return
    check_not_an_input(Path(to.output), [Path(source) for source in sources if source])
    destination = named_by(to.output, suffixes=SUFFIXES, text=True)
    if to.escape_formulas:
        check_escape(destination.suffix, destination.name)


def write_rows(
    batches: Iterator[Any], schema: Any, destination: Destination, to: RowOutputOptions, summary: Summary
) -> int:
    """Write rows and tell of it; their number. Nothing is written in a dry run."""
    from seqtool.advice import Advice
    from seqtool.files.outputs import Counted, stdout_is_elsewhere
    from seqtool.unpadding.writing import writer_of_rows
    from seqtool.words import human

    summary.facts |= {"columns": schema.names, "dry_run": to.dry_run, "output": None, "bytes": None}
    if to.dry_run:
        summary.say("would write", destination.name)
        return 0
    rows = 0
    with summary.stage("writing"), destination.open() as (file, _):
        counted = Counted(file)
        writer = writer_of_rows(
            destination.suffix, cast(BinaryIO, counted), schema, escape_formulas=to.escape_formulas
        )
        for batch in batches:
            writer.write(batch)
            rows += len(batch)
        writer.close()
    aside = ""
    if to.output is None and destination.path is not None and stdout_is_elsewhere():
        aside = f"; {Advice('-o', '-')} sends the data to standard output"
    summary.say("wrote", f"{destination.name}, {human(counted.end)}{aside}")
    summary.facts |= {"output": str(destination.path or "-"), "bytes": counted.end}
    return rows
