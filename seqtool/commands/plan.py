"""`seqtool plan`: what each padded length would cost."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqtool.errors import DataError, UsageError, check_choice
from seqtool.options import ArrayOptions, ColumnOptions, MemoryOptions, TableOptions

if TYPE_CHECKING:
    from seqtool.inputs import Input
    from seqtool.memory import Memory
    from seqtool.planning import Advice
    from seqtool.sequences import SourceOptions
    from seqtool.tabular import Watch
    from seqtool.windows import AnyArray, Spool


def plan(
    *,
    by: ColumnOptions,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...", help="A file of sequences, or with --key tables; - for standard input."
        ),
    ] = None,
    empty_key: Annotated[
        str,
        typer.Option("--empty-key", metavar="error|drop|keep", help="What to do with rows without a key."),
    ] = "error",
    given: ArrayOptions,
    allow_pickle: Annotated[
        bool,
        typer.Option("--allow-pickle", help="Open an old object .npy of your own; loading it can run code."),
    ] = False,
    dtype: Annotated[
        str | None,
        typer.Option(
            "--dtype", metavar="D", help="Type of x. [default: the input's; of tables and text float32]"
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
    from seqtool import bars, inputs, memory, prices, report
    from seqtool.casting import dtype_named
    from seqtool.counting import LengthCounts
    from seqtool.planning import plan_lengths
    from seqtool.sequences import SourceOptions
    from seqtool.windows import Spool

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
            watch = bars.watch(summary, quiet=as_json)
            came = _of_table(found, by, text, empty_key, spool=spool, memory=allowed, watch=watch)
            if dtype is None:
                came.notes.append(f"x is taken to be {came.dtype} (--dtype)")
        else:
            key = by.key[0] if by.key else None
            came = _of_sequences(
                found,
                SourceOptions(
                    given.array,
                    by.label,
                    key,
                    given.lengths,
                    given.side,
                    allow_pickle,
                    dtype,
                    None,
                    spool,
                    allowed,
                ),
            )
        counts = LengthCounts.of(came.lengths)
    x_dtype = asked or dtype_named(came.dtype)
    planned = plan_lengths(counts, features=came.features, itemsize=x_dtype.itemsize)
    facts: dict[str, Any] = {"inputs": [item.name for item in found], "notes": came.notes}
    facts |= {"warnings": came.warnings, "features": came.features, "dtype": x_dtype.name, **planned.facts()}
    facts["command"] = _call(sys.argv[1:], planned.advice, of_table=of_table)
    if as_json:
        report.print_json(facts)
    else:
        prices.show_plan(facts)
        summary.warnings += came.warnings
        summary.show(quiet=False, verbose=False, as_json=False)


@dataclass(frozen=True)
class _Came:
    """The lengths of the sequences, (N,), their features, None where a step is a number, and the type of x."""

    lengths: AnyArray
    features: int | None
    dtype: Any
    notes: list[str]
    warnings: list[str]


def _refuse_table_options(by: ColumnOptions, text: TableOptions, empty_key: str) -> None:
    """Raise UsageError for an option that only tables have; key and label may name fields of sequences."""
    given = {**vars(by), **vars(text), "empty_key": empty_key}
    usual = {**vars(ColumnOptions()), **vars(TableOptions()), "empty_key": "error"}
    for name, held in given.items():
        if held != usual[name] and name not in ("key", "label"):
            option = "--" + name.replace("_", "-")
            raise UsageError(f"{option} is for tables; say with --key which column tells sequences apart")


def _of_table(
    found: Sequence[Input],
    by: ColumnOptions,
    text: TableOptions,
    empty_key: Any,
    *,
    spool: Spool,
    memory: Memory,
    watch: Watch,
) -> _Came:
    from seqtool import report, roles, tables
    from seqtool.coding import GroupOptions
    from seqtool.tabular import count_table

    table = tables.open_tables(found, tables.TextOptions(text.delimiter, text.header, text.encoding))
    parts = roles.resolve_call(table, **vars(by))
    options = GroupOptions(empty_key=empty_key, missing=text.missing or ())
    counted = count_table(table, parts, options, spool=spool, memory=memory, watch=watch)
    notes, warnings = [*table.notes], []
    for reason, rows in counted.rows.dropped.items():
        if rows:
            notes.append(f"{report.count(rows, 'row')} dropped: {reason}")
    if counted.rows.kept == len(counted.lengths) > 1:
        warnings.append("every key has one row; where steps stand in a list column, name it with --array")
    return _Came(counted.lengths, len(counted.features), table.dtype or "float32", notes, warnings)


def _of_sequences(found: Sequence[Input], options: SourceOptions) -> _Came:
    from seqtool.sources import read_sequences
    from seqtool.stripping import likely_padding

    if len(found) > 1:
        raise UsageError(f"{len(found)} files of sequences; plan takes one at a time, but tables with --key")
    try:
        came = read_sequences(found[0], options)
    except DataError as error:
        if found[0].kind in ("npy", "npz"):
            raise
        raise DataError(f"{error}; if it is a table, say which column tells sequences apart: --key") from None
    warnings, values = [*came.warnings], came.ragged.values
    hidden = likely_padding(came.ragged) if came.dense else None
    if hidden:
        warnings.append(
            f"sequences end in steps that hold {hidden.options[1]} alone; if that is old padding, seqtool pad "
            f"{' '.join(hidden.options)} drops it, and what that writes can be planned"
        )
    features = None if values.ndim == 1 else values.shape[1]
    return _Came(came.ragged.lengths, features, values.dtype, came.notes, warnings)


def _call(arguments: Sequence[str], advice: Advice, *, of_table: bool) -> str | None:
    """The call that does what is advised, ready to paste: that of plan with another word in front."""
    if advice.maxlen is None:
        return None
    words = [word for word in arguments[1:] if word not in ("--json", "--traceback")]
    choice = ["--ragged"] if of_table and advice.ragged else ["--maxlen", str(advice.maxlen)]
    side = [] if of_table else ["--post"]
    end = words.index("--") if "--" in words else len(words)
    words[end:end] = [*choice, *side]
    return shlex.join(["seqtool", "group" if of_table else "pad", *words])
