"""`seqtool group`: flat rows into one sequence for each key."""

from __future__ import annotations

from typing import Annotated

import typer

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
    limits: MemoryOptions,
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
    from seqtool.commands._deliver import deliver
    from seqtool.commands._destination import check_output, destination_of
    from seqtool.commands._grouped import describe_grouped
    from seqtool.files import inputs
    from seqtool.files.temporary import temporary_folder
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
    allowed, folder = memory.allowed(limits.max_memory), temporary_folder(limits.temp_dir)
    summary = Summary("group")
    with (
        Spool(folder) as spool,
        inputs.opened(sources or [], encoding=text.encoding, temp_dir=folder, memory=allowed) as found,
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
                    limits=limits,
                    summary=summary,
                    describe=lambda result: describe_grouped(
                        result, table, [item.name for item in found], summary
                    ),
                )
                return
            paths = [item.named_path for item in (*found, *files)]
            destination = destination_of(
                to, command="group", inputs=paths, folder=inputs.folder_of(found, spec.pattern)
            )
            workspace = Workspace(spool, allowed, progress.watch(summary, quiet=to.quiet or to.as_json))
            names = [item.base_name for item in (*found, *files)]
            grouped = group_rows(table, of_table, workspace, inputs=names, others=others)
            describe_grouped(grouped.result, table, [item.name for item in found], summary)
            deliver(
                grouped.data,
                destination,
                to,
                summary,
                mask=padding.mask,
                memory=allowed,
                spool=spool,
            )
