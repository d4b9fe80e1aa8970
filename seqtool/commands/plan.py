"""`seqtool plan`: what each padded length would cost."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqtool.advice import Advice
from seqtool.commands import _completion
from seqtool.commands._arrays import ArrayOptions
from seqtool.commands._call import Call
from seqtool.commands._columns import refuse_columns_as_sources
from seqtool.commands._options import (
    EmptyKey,
    EmptyLabel,
    JsonReport,
    MemoryOptions,
    Traceback,
)
from seqtool.commands._rows import RowOptions
from seqtool.commands._table_options import ColumnOptions, TableOptions, TimeOptions
from seqtool.commands._values import call_without, names_in
from seqtool.errors import UsageError
from seqtool.option_names import option_of
from seqtool.system.memory import check_address_space

if TYPE_CHECKING:
    from seqtool.grouping.spec import GroupSpec
    from seqtool.inspecting.measure import Measured
    from seqtool.inspecting.planning import Recommendation
    from seqtool.sequences.lengths import LengthCounts
    from seqtool.terminal.report import Summary


def plan(
    *,
    call: Call,
    by: ColumnOptions,
    times: TimeOptions,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...", help="A file of sequences, or with --key tables; - for standard input."
        ),
    ] = None,
    empty_key: EmptyKey = "error",
    empty_label: EmptyLabel = "error",
    foreign: ArrayOptions,
    rows: RowOptions,
    allow_pickle: Annotated[
        bool,
        typer.Option(
            "--allow-pickle", help="Open a pickled object .npy that you trust; loading it can run code."
        ),
    ] = False,
    dtype: Annotated[
        str | None,
        typer.Option(
            "--dtype",
            metavar="D",
            help="Type of x. [default: the input's; of tables and text float32]",
            autocompletion=_completion.dtypes,
        ),
    ] = None,
    text: TableOptions,
    limits: MemoryOptions,
    as_json: JsonReport = False,
    traceback: Traceback = False,
) -> None:
    """Show what padding sequences to each length would cost.

    SOURCE is what pad takes, or with --key what group takes: then all rows are read, so that group refuses none of
    them. Change the word plan in a call to group or pad, and the call does what was planned. Nothing is written.

    Example: seqtool plan events.csv --key user
    """
    from seqtool.arrays.dtypes import dtype_named
    from seqtool.files import inputs
    from seqtool.inspecting.planning import plan_lengths
    from seqtool.inspecting.show_plan import show_plan
    from seqtool.terminal.report import Summary, print_json

    inputs.require_any(sources or [])
    refuse_columns_as_sources(sources or [], by, text)
    by_column = bool(by.key) and not rows.steps
    of_table = foreign.array is None and (
        by_column or by.no_key or by.key_blank_lines or _are_tables(sources, by, text)
    )
    described = foreign.described(
        by.label, by.key[0] if by.key else None, by.step_label, key_from=by.key_from
    )
    described = rows.joined(described, text, static=tuple(names_in(by.static)))
    if of_table:
        described.refuse_of_blocks("--key groups the rows of tables", Advice(without=["--key"]), ", or ")
    if not of_table:
        empty = {"empty_key": empty_key, "empty_label": empty_label}
        _refuse_table_options(by, times, text, empty, in_rows=bool(rows.steps or foreign.array))
    asked = None if dtype is None else dtype_named(dtype)
    summary = Summary("plan")
    if of_table:
        spec = by.spec(text, **vars(times), empty_key=empty_key, empty_label=empty_label, dtype=dtype)
        measured, counts, names, base = _of_tables(call, spec, sources, limits, summary, quiet=as_json)
    else:
        options = {"foreign": described, "allow_pickle": allow_pickle, "dtype": dtype}
        base = call
        measured, counts, names = _of_sequences(sources, options, text.encoding, limits)
    x = asked or dtype_named(measured.dtype)
    step = measured.step
    planned = plan_lengths(counts, features=prod(step) if step else None, itemsize=x.itemsize)
    facts: dict[str, Any] = {"inputs": names, "notes": measured.notes}
    facts |= {
        "warnings": measured.warnings,
        "features": step[0] if len(step) == 1 else None,
        **({"step_shape": list(step)} if len(step) > 1 else {}),
        "dtype": x.name,
        **planned.facts(),
    }
    advised = _advised(base, planned.advice, measured, of_table=of_table)
    facts["command"] = None if advised is None else str(advised)
    if as_json:
        print_json(facts)
    else:
        show_plan(facts)
        summary.warnings += measured.warnings
        summary.show(quiet=False, verbose=False, as_json=False)


def _are_tables(sources: list[str] | None, by: ColumnOptions, text: TableOptions) -> bool:
    """Whether the files whose paths hold the key are tables, and not arrays of one sequence each."""
    if by.key_from is None or not sources:
        return False
    from seqtool.files import inputs

    with inputs.opened(sources, encoding=text.encoding) as found:
        return found[0].kind != "npy"


def _of_tables(
    call: Call,
    spec: GroupSpec,
    sources: list[str] | None,
    limits: MemoryOptions,
    summary: Summary,
    *,
    quiet: bool,
) -> tuple[Measured, LengthCounts, list[str], Call | None]:
    """What the rows of tables would be, and the call without what cannot be a feature; None if group refuses it."""
    check_address_space(arrow=True)
    from seqtool.arrays.spool import Spool
    from seqtool.files import inputs
    from seqtool.files.temporary import temporary_folder
    from seqtool.grouping.elsewhere import companions
    from seqtool.grouping.workspace import Workspace
    from seqtool.inspecting import measure
    from seqtool.sequences.lengths import LengthCounts
    from seqtool.system import memory
    from seqtool.tables import opening
    from seqtool.terminal import progress

    allowed, folder = memory.allowed(limits.max_memory), temporary_folder(limits.temp_dir)
    encoding = spec.text.encoding
    with (
        Spool(folder) as spool,
        inputs.opened(sources or [], encoding=encoding, temp_dir=folder, memory=allowed) as found,
    ):
        table = opening.open_tables(found, spec.text, spec.pattern)
        with companions(spec, table, folder=folder, memory=allowed) as (of_table, others, _):
            roles = of_table.roles(table)
            workspace = Workspace(spool, allowed, progress.watch(summary, quiet=quiet))
            measured = measure.of_tables(table, roles, of_table, workspace, others)
        counts = LengthCounts.of(measured.lengths)
    advised = None if measured.left_out is None else call_without(call, spec, measured.left_out)
    return measured, counts, [item.name for item in found], advised


def _of_sequences(
    sources: list[str] | None, options: dict[str, Any], encoding: str, limits: MemoryOptions
) -> tuple[Measured, LengthCounts, list[str]]:
    from seqtool.arrays.spool import Spool
    from seqtool.files import inputs
    from seqtool.files.temporary import temporary_folder
    from seqtool.inspecting import measure
    from seqtool.sequences.lengths import LengthCounts
    from seqtool.sources.options import SourceOptions
    from seqtool.system import memory

    allowed, folder = memory.allowed(limits.max_memory), temporary_folder(limits.temp_dir)
    with (
        Spool(folder) as spool,
        inputs.opened(sources or [], encoding=encoding, temp_dir=folder, memory=allowed) as found,
    ):
        measured = measure.of_sequences(found, SourceOptions(**options, spool=spool, memory=allowed))
        return measured, LengthCounts.of(measured.lengths), [item.name for item in found]


def _refuse_table_options(
    by: ColumnOptions, times: TimeOptions, text: TableOptions, empty: dict[str, str], *, in_rows: bool
) -> None:
    """Raise UsageError for an option that only tables have; key and labels may name fields of sequences.

    Where sequences stand `in_rows`, text may be read as the call says, and static columns may be named.
    """
    values = {**vars(by), **vars(times), **({} if in_rows else vars(text)), **empty}
    usual = {
        **vars(ColumnOptions()),
        **vars(TimeOptions()),
        **vars(TableOptions()),
        **dict.fromkeys(empty, "error"),
    }
    allowed = {"key", "key_from", "label", "step_label", *(["static"] if in_rows else [])}
    for name, held in values.items():
        if held != usual[name] and name not in allowed:
            option = option_of(name)
            raise UsageError(f"{option} is for tables; name the key column: ", Advice("--key", "COLUMN"))


def _advised(call: Call | None, advice: Recommendation, measured: Measured, *, of_table: bool) -> Call | None:
    """The call that does what is advised: that of plan, for another command."""
    if call is None or advice.maxlen is None:
        return None
    call = call.for_command("group" if of_table else "pad")
    if advice.ragged:
        return call.changed(ragged=True)
    # pad keeps the side of a padded file of ours, and puts padding first elsewhere.
    post = None if of_table or measured.padding else True
    return call.changed(maxlen=advice.maxlen, post=post)
