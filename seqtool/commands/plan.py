"""`seqtool plan`: what each padded length would cost."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqtool.commands import _completion
from seqtool.commands._options import ArrayOptions, ColumnOptions, EmptyKey, MemoryOptions, TableOptions
from seqtool.errors import UsageError, check_choice

if TYPE_CHECKING:
    from seqtool.inspecting.measure import Measured
    from seqtool.inspecting.planning import Advice


def plan(
    *,
    by: ColumnOptions,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...", help="A file of sequences, or with --key tables; - for standard input."
        ),
    ] = None,
    empty_key: EmptyKey = "error",
    given: ArrayOptions,
    allow_pickle: Annotated[
        bool,
        typer.Option("--allow-pickle", help="Open an old object .npy of your own; loading it can run code."),
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
    using: MemoryOptions,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where in seqtool an error arose.")
    ] = False,
) -> None:
    """Show how long sequences are, and what padding them to each length would cost.

    SOURCE is what pad takes, or with --key what group takes: then only the key is read. Change the word plan in a
    call to group or pad, and the call does what was planned. Nothing is written.

    Example: seqtool plan events.csv --key user
    """
    from seqtool.arrays.dtypes import dtype_named
    from seqtool.arrays.spool import Spool
    from seqtool.files import inputs
    from seqtool.grouping.encoder import GroupOptions
    from seqtool.inspecting import measure, show_plan
    from seqtool.inspecting.planning import plan_lengths
    from seqtool.sequences.lengths import LengthCounts
    from seqtool.sources.options import SourceOptions
    from seqtool.system import memory
    from seqtool.tables import roles, tables
    from seqtool.terminal import progress, report

    inputs.require_any(sources or [])
    of_table = bool(by.key) and given.array is None
    check_choice("--empty-key", empty_key, ("error", "drop", "keep"))
    if of_table and (given.lengths or given.input_padding):
        raise UsageError(
            "--lengths and --input-padding describe padded arrays; --key groups the rows of tables"
        )
    if not of_table:
        _refuse_table_options(by, text, empty_key)
    asked = None if dtype is None else dtype_named(dtype)
    allowed, folder = memory.allowed(using.max_memory), inputs.temporary_folder(using.temp_dir)
    summary = report.Summary("plan")
    with Spool(folder) as spool, inputs.opened(sources or [], encoding=text.encoding, spool=folder) as found:
        if of_table:
            table = tables.open_tables(found, tables.TextOptions(text.delimiter, text.header, text.encoding))
            came = measure.of_tables(
                table,
                roles.resolve_call(table, **vars(by)),
                GroupOptions(
                    empty_key=check_choice("--empty-key", empty_key, ("error", "drop", "keep")),
                    missing=text.missing or (),
                ),
                spool=spool,
                memory=allowed,
                watch=progress.watch(summary, quiet=as_json),
            )
        else:
            options = SourceOptions(
                array=given.array,
                label=by.label,
                key=by.key[0] if by.key else None,
                lengths=given.lengths,
                input_padding=given.side,
                allow_pickle=allow_pickle,
                dtype=dtype,
                spool=spool,
                memory=allowed,
            )
            came = measure.of_sequences(found, options)
        counts = LengthCounts.of(came.lengths)
    x = asked or dtype_named(came.dtype)
    notes = [*came.notes, *([f"x is taken to be {x} (--dtype)"] if of_table and not asked else [])]
    planned = plan_lengths(counts, features=came.features, itemsize=x.itemsize)
    facts: dict[str, Any] = {"inputs": [item.name for item in found], "notes": notes}
    facts |= {"warnings": came.warnings, "features": came.features, "dtype": x.name, **planned.facts()}
    facts["command"] = _call(sys.argv[1:], planned.advice, came, of_table=of_table)
    if as_json:
        report.print_json(facts)
    else:
        show_plan.show_plan(facts)
        summary.warnings += came.warnings
        summary.show(quiet=False, verbose=False, as_json=False)


def _refuse_table_options(by: ColumnOptions, text: TableOptions, empty_key: str) -> None:
    """Raise UsageError for an option that only tables have; key and label may name fields of sequences."""
    given = {**vars(by), **vars(text), "empty_key": empty_key}
    usual = {**vars(ColumnOptions()), **vars(TableOptions()), "empty_key": "error"}
    for name, held in given.items():
        if held != usual[name] and name not in ("key", "label"):
            option = "--" + name.replace("_", "-")
            raise UsageError(f"{option} is for tables; say with --key which column tells sequences apart")


def _call(arguments: Sequence[str], advice: Advice, came: Measured, *, of_table: bool) -> str | None:
    """The call that does what is advised, ready to paste: that of plan with another word in front."""
    if advice.maxlen is None:
        return None
    words = [word for word in arguments[1:] if word not in ("--json", "--traceback")]
    choice = ["--ragged"] if advice.ragged else ["--maxlen", str(advice.maxlen)]
    if not (of_table or advice.ragged or came.padding):
        choice.append(
            "--post"
        )  # pad keeps the side of a padded file of ours, and puts padding first elsewhere
    end = words.index("--") if "--" in words else len(words)
    words[end:end] = choice
    return shlex.join(["seqtool", "group" if of_table else "pad", *words])
