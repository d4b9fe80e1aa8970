"""`seqtool group`: flat rows into one sequence for each key."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from seqtool.commands._options import (
    ColumnOptions,
    MemoryOptions,
    OutputOptions,
    PaddingOptions,
    RaggedFlag,
    TableOptions,
    padding_value,
)
from seqtool.errors import DataError, NotNumbersError, UsageError, check_choice

if TYPE_CHECKING:
    from seqtool.grouping.group import GroupResult
    from seqtool.tables.tables import Table
    from seqtool.terminal.report import Summary


def group(
    *,
    by: ColumnOptions,
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE...", help="Files of the same columns, or - for standard input."),
    ] = None,
    label_as: Annotated[
        str | None,
        typer.Option("--label-as", metavar="class|number", help="What labels are. [default: by content]"),
    ] = None,
    label_value: Annotated[
        float, typer.Option("--label-value", metavar="V", help="What padding holds in step_y.")
    ] = -100,
    keep_row_index: Annotated[
        bool, typer.Option("--keep-row-index", help="Add row_index: each step's row in the input, from 0.")
    ] = False,
    ragged: RaggedFlag = False,
    min_len: Annotated[
        int, typer.Option("--min-len", metavar="N", min=0, help="Drop sequences of fewer steps.")
    ] = 0,
    empty_key: Annotated[
        str,
        typer.Option("--empty-key", metavar="error|drop|keep", help="What to do with rows without a key."),
    ] = "error",
    padding: PaddingOptions,
    text: TableOptions,
    using: MemoryOptions,
    to: OutputOptions,
) -> None:
    """Group flat rows by a key into padded sequences with their lengths.

    SOURCE is CSV or TSV (also .gz, .zst), Parquet, Arrow, JSON lines of objects, or a 2-D array. Rows need not
    be sorted. The file is parsed once; what does not fit into --max-memory is sorted on the disk, so files may be
    of any size.

    Example: seqtool group events.csv --key user --order-by time --maxlen 100 -o train.npz
    """
    from seqtool.arrays.spool import Spool
    from seqtool.commands._deliver import check_output, chosen_side, chosen_value, deliver, destination_of
    from seqtool.files import inputs
    from seqtool.grouping.encoder import GroupOptions
    from seqtool.grouping.group import group_table
    from seqtool.operations.pad import pad_stream
    from seqtool.sequences import receipts
    from seqtool.sequences.padding_values import check_side
    from seqtool.system import memory
    from seqtool.tables import roles, tables
    from seqtool.terminal import progress, report

    check_output(to, mask=padding.mask, ragged=ragged, dtype=padding.dtype)
    truncating, value = check_side("--truncating", padding.truncating), padding_value(padding.value)
    options = GroupOptions(
        dtype=padding.dtype,
        label_as=check_choice("--label-as", label_as, ("class", "number")),
        label_value=label_value,
        keep_row_index=keep_row_index,
        min_len=min_len,
        empty_key=check_choice("--empty-key", empty_key, ("error", "drop", "keep")),
        missing=text.missing or (),
    )
    inputs.require_any(sources or [])
    if not by.key:
        raise UsageError("no key: say with --key which column tells sequences apart, such as --key 0")
    if ragged:
        padding.refuse()
    allowed, folder = memory.allowed(using.max_memory), inputs.temporary_folder(using.temp_dir)
    summary = report.Summary("group")
    with Spool(folder) as spool, inputs.opened(sources or [], encoding=text.encoding, spool=folder) as found:
        given = [item.given for item in found]
        destination = destination_of(to, command="group", inputs=given)
        table = tables.open_tables(found, tables.TextOptions(text.delimiter, text.header, text.encoding))
        parts = roles.resolve_call(table, **vars(by))
        watch = progress.watch(summary, quiet=to.quiet or to.as_json)
        try:
            came = group_table(table, parts, options, spool=spool, memory=allowed, watch=watch)
        except NotNumbersError as error:
            call = _corrected(sys.argv[1:], error.columns)
            raise DataError(f"{error}: {call}" if call else str(error)) from None
        side = chosen_side(padding.post, "post")
        made = (
            came.ragged
            if ragged
            else pad_stream(
                came.ragged, maxlen=padding.maxlen, padding=side, truncating=truncating, value=value or 0
            )
        )
        arguments = {
            **vars(by),
            **vars(padding),
            **vars(text),
            **{name: value for name, value in vars(options).items() if name != "missing"},
            "features": came.features,
            "columns": None,
            "drop": None,
            "post": None,
            "padding": None if ragged else side,
            "value": chosen_value(padding.value, made),
            "ragged": ragged,
        }
        names = [path.name if path else "-" for path in given]
        _tell(came, table, [item.name for item in found], summary)
        receipt = receipts.Made("group", names, arguments, came.rows)
        deliver(made, receipt, destination, to, summary, mask=padding.mask)


def _tell(came: GroupResult, table: Table, names: list[str], summary: Summary) -> None:
    from seqtool.words import count, listed

    read = f"{count(came.rows.came, 'row')} from {listed(names, most=3)}"
    summary.say("read", "; ".join([read, *table.notes]))
    summary.say("features", f"{len(came.features)}: {listed(came.features)}")
    summary.detail("features", ", ".join(came.features))
    features = set(came.features)
    others = [table.label(column) for column in range(len(table.columns))]
    others = [name for name in others if name not in features]
    if others:
        summary.say("no features", listed(others))
    for reason, number in came.rows.dropped.items():
        if number:
            summary.say("dropped", f"{count(number, 'row')}: {reason}")
    if came.ties:
        summary.say(
            "ties", f"{count(came.ties, 'step')} in the same place as the one before; they keep file order"
        )
    if came.missing:
        detail = ", ".join(f"{name} {number:,}" for name, number in came.missing.items())
        summary.warnings.append(f"missing values became NaN: {detail}")
    if came.coarse:
        summary.warnings.append(
            f"{listed(came.coarse)}: numbers past 16,777,216 lose their fraction in float32; --dtype float64 keeps it"
        )
    if not len(came.ragged):
        summary.warnings.append("no sequence is left")
    summary.facts |= {"inputs": names, "notes": table.notes, "no_features": others}
    summary.facts |= {"features": came.features, "missing": came.missing, "ties": came.ties}


def _corrected(arguments: list[str], columns: Sequence[str]) -> str | None:
    """The same call without these columns among its features, ready to paste."""
    from seqtool.words import join_names, split_names

    rest: list[str] = []
    chosen: list[str] | None = None
    words = iter(arguments)
    for word in words:
        if word == "--columns" or word.startswith("--columns="):
            names = next(words) if word == "--columns" else word.removeprefix("--columns=")
            chosen = [*(chosen or ()), *split_names(names)]
        else:
            rest.append(word)
    if "--" in arguments:
        return None
    if chosen is None:
        return shlex.join(["seqtool", *arguments, "--drop", join_names(columns)])
    kept = [name for name in chosen if name not in columns]
    if not kept:
        return None
    return shlex.join(["seqtool", *rest, "--columns", join_names(kept)])
