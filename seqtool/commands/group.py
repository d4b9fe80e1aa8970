"""`seqtool group`: flat rows into one sequence for each key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from seqtool.advice import Advice, Message
from seqtool.commands._columns import refuse_columns_as_sources, require_key
from seqtool.commands._options import (
    EmptyKey,
    EmptyLabel,
    MemoryOptions,
    MinLen,
    OutputOptions,
    PaddingOptions,
    RaggedFlag,
    choice,
)
from seqtool.commands._shards import ShardOptions, group_into_shards
from seqtool.commands._table_options import ColumnOptions, TableOptions, TimeOptions
from seqtool.system.memory import check_address_space

if TYPE_CHECKING:
    from seqtool.grouping.group import GroupResult
    from seqtool.tables.table import Table
    from seqtool.terminal.report import Summary


def group(
    *,
    by: ColumnOptions,
    times: TimeOptions,
    padding: PaddingOptions,
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE...", help="Files of the same columns, or - for standard input."),
    ] = None,
    label_as: Annotated[
        str | None,
        choice(
            "--label-as",
            ("class", "number"),
            help="What labels are. [default: by content]",
            section="Columns",
        ),
    ] = None,
    label_value: Annotated[
        float,
        typer.Option(
            "--label-value", metavar="V", help="What padding holds in step_y.", rich_help_panel="Padding"
        ),
    ] = -100,
    keep_row_index: Annotated[
        bool,
        typer.Option(
            "--keep-row-index",
            help="Add row_index: each step's row in the input, from 0.",
            rich_help_panel="Rows",
        ),
    ] = False,
    ragged: RaggedFlag = False,
    min_len: MinLen = 0,
    empty_key: EmptyKey = "error",
    empty_label: EmptyLabel = "error",
    text: TableOptions,
    shards: ShardOptions,
    using: MemoryOptions,
    to: OutputOptions,
) -> None:
    """Group flat rows by a key into padded sequences with lengths.

    SOURCE is CSV or TSV, JSON objects (lines, or one array; all these also as .gz, .zst, .bz2, .xz or .zip), Parquet,
    Arrow, a workbook (.xlsx), or a 2-D array; a folder that is partitioned as Hive does it; or the address of one of
    these, such as s3://bucket/a.csv. Rows need not be sorted. The file is parsed once; what does not fit into
    --max-memory is sorted on the disk, so files may be of any size.

    Example: seqtool group events.csv --key user --order-by time --maxlen 100 -o train.npz
    """
    check_address_space(arrow=True)
    from seqtool.arrays.spool import Spool
    from seqtool.commands._deliver import check_output, deliver, destination_of
    from seqtool.files import inputs
    from seqtool.grouping.elsewhere import companions
    from seqtool.grouping.group import group as group_rows
    from seqtool.grouping.workspace import Workspace
    from seqtool.system import memory
    from seqtool.tables import opening
    from seqtool.terminal import progress
    from seqtool.terminal.report import Summary

    shards.check(to, padding, sources or [])
    if not shards.asked:
        check_output(to, sources=sources or [], mask=padding.mask, ragged=ragged, dtype=padding.dtype)
    inputs.require_any(sources or [])
    refuse_columns_as_sources(sources or [], by, text)
    require_key(sources or [], by, text)
    spec = by.spec(
        text,
        **vars(times),
        label_as=label_as,
        label_value=label_value,
        keep_row_index=keep_row_index,
        min_len=min_len,
        empty_key=empty_key,
        empty_label=empty_label,
        ragged=ragged,
        **padding.for_group(ragged=ragged),
    )
    allowed, folder = memory.allowed(using.max_memory), inputs.temporary_folder(using.temp_dir)
    summary = Summary("group")
    with (
        Spool(folder) as spool,
        inputs.opened(sources or [], encoding=text.encoding, spool=folder, memory=allowed) as found,
    ):
        table = opening.open_tables(found, spec.text, spec.pattern)
        with companions(spec, table, folder=folder, memory=allowed) as (of_table, others, files):
            if shards.asked:
                shards.refuse_other_tables(others)
                group_into_shards(
                    table,
                    found,
                    of_table,
                    shards=shards,
                    to=to,
                    using=using,
                    summary=summary,
                    tell=lambda result: _tell(result, table, [item.name for item in found], summary),
                )
                return
            paths = [item.named_path for item in (*found, *files)]
            destination = destination_of(
                to, command="group", inputs=paths, folder=inputs.folder_of(found, spec.pattern)
            )
            workspace = Workspace(spool, allowed, progress.watch(summary, quiet=to.quiet or to.as_json))
            names = [item.base_name for item in (*found, *files)]
            grouped = group_rows(table, of_table, workspace, inputs=names, others=others)
            _tell(grouped.result, table, [item.name for item in found], summary)
            deliver(
                grouped.data,
                destination,
                to,
                summary,
                mask=padding.mask,
                memory=allowed,
                spool=spool,
            )


def _tell(result: GroupResult, table: Table, names: list[str], summary: Summary) -> None:
    from dataclasses import asdict

    from seqtool.grouping.options import COMBINED
    from seqtool.sequences.categories import categories_of
    from seqtool.words import count, listed

    read = f"{count(result.rows.rows_in, 'row')} from {listed(names, most=3)}"
    features = [*result.features, *result.computed]
    summary.say("read", "; ".join([read, *table.notes]))
    if features:
        summary.say("features", f"{len(features)}: {listed(features)}")
    summary.detail("features", ", ".join(features))
    categories = [one.name for one in categories_of(result.ragged)]
    others = _not_used(table, [*result.features, *categories])
    if others:
        summary.say("not used", f"as features: {listed(others)}")
    if "order" in result.ragged.per_step:
        from seqtool.sequences.orders import order_titles

        summary.say("order", listed(order_titles(result.ragged)))
    if result.times:
        summary.say("times", "; ".join(f"{name}: {what}" for name, what in result.times.items()))
        summary.facts["times"] = dict(result.times)
    if result.grid is not None:
        summary.say("grid", result.grid)
        summary.facts["grid"] = result.grid
    if result.pivoted is not None:
        summary.say("pivoted", result.pivoted.line())
        summary.facts["pivoted"] = asdict(result.pivoted)
    for file in result.joined:
        summary.say("joined", file.line())
    for reason, number in result.rows.dropped.items():
        if number and reason != COMBINED:
            summary.say("dropped", f"{count(number, 'row')}: {reason}")
    for name, number in result.unlabelled.items():
        summary.say("kept", f"{count(number, 'row')} without {name}")
    _tell_of_names(result, summary)
    if result.ties:
        tie, keep = ("ties", "it keeps") if result.ties == 1 else ("tie", "they keep")
        summary.say("ties", f"{count(result.ties, 'row')} {tie} in --order-by; {keep} file order")
    if result.missing:
        counts = [f"{name} {number:,}" for name, number in result.missing.items()]
        detail = ", ".join(counts) if result.pivoted is None else listed(counts)
        summary.warnings.append(f"missing values became NaN: {detail}")
    if result.coarse:
        summary.warnings.append(
            Message(
                f"{listed(result.coarse)}: float32 loses fractional precision past 16,777,216; keep it with ",
                Advice("--dtype", "float64"),
            )
        )
    summary.warnings += result.warnings
    if not len(result.ragged):
        summary.warnings.append("no sequence is left")
    summary.facts |= {"inputs": names, "notes": table.notes, "no_features": others}
    if result.joined:
        summary.facts["joined"] = [asdict(file) for file in result.joined]
    summary.facts |= {"features": features, "missing": result.missing, "ties": result.ties}


def _tell_of_names(result: GroupResult, summary: Summary) -> None:
    """How many rows, or steps of several rows, have no name of a category."""
    from seqtool.sequences.categories import MISSING
    from seqtool.words import count

    for what, names in (("row", result.missing_categories), ("step", result.unnamed)):
        for name, number in names.items():
            summary.say("missing", f"{count(number, what)} without {name}: id {MISSING}")


def _not_used(table: Table, features: list[str]) -> list[str]:
    """The columns that are no features; of a column of lists itself, or its elements where none of them is one."""
    names = set(features)
    used = {column for column in range(len(table.columns)) if table.label(column) in names}
    hidden = used if table.counter is None else {*used, table.counter}
    for column, elements in table.elements.items():
        hidden |= {column} if used.intersection(elements) else {*elements}
    return [table.label(column) for column in range(len(table.columns)) if column not in hidden]
