"""`seqtool pad`: sequences of any lengths into one block of equal ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqtool.advice import Advice, Message
from seqtool.commands._arrays import SequenceOptions
from seqtool.commands._options import (
    SIDES,
    MemoryOptions,
    MinLen,
    OutputOptions,
    PaddingOptions,
    RaggedFlag,
    choice,
)
from seqtool.commands._rows import SequenceRowOptions
from seqtool.commands._table_options import TableOptions
from seqtool.commands._values import padding_value, parse_value
from seqtool.errors import UsageError, refuse_without_subject

if TYPE_CHECKING:
    from seqtool.operations.operation import Operation
    from seqtool.sequences.ragged import Ragged
    from seqtool.sequences.stream import PaddedStream
    from seqtool.terminal.report import Summary


def pad(
    *,
    padding: PaddingOptions,
    source: Annotated[
        str | None,
        typer.Argument(metavar="SOURCE", help="A file, or - for standard input.", show_default=False),
    ] = None,
    ragged: RaggedFlag = False,
    multiple_of: Annotated[
        int,
        typer.Option(
            "--multiple-of",
            metavar="K",
            min=1,
            help="Round the padded length up to K.",
            rich_help_panel="Padding",
        ),
    ] = 1,
    min_len: MinLen = 0,
    strip: Annotated[
        str | None,
        typer.Option(
            "--strip",
            metavar="V",
            help="First drop trailing steps that hold V alone (a number, nan).",
            rich_help_panel="Sequences",
        ),
    ] = None,
    strip_side: Annotated[
        str, choice("--strip-side", SIDES, help="Strip at the start, or at the end.", section="Sequences")
    ] = "post",
    foreign: SequenceOptions,
    rows: SequenceRowOptions,
    allow_pickle: Annotated[
        bool,
        typer.Option(
            "--allow-pickle",
            help="Open a pickled object .npy that you trust; loading it can run code.",
            rich_help_panel="Input",
        ),
    ] = False,
    text: TableOptions,
    limits: MemoryOptions,
    to: OutputOptions,
) -> None:
    """Pad and truncate sequences to one length.

    SOURCE is an .npy of (N, T), (N, T, F) or (N, T, H, W, C), an .npz, JSON or JSON lines, text with one sequence of
    numbers a line, Parquet or Arrow with a list column or, with --steps or --array, a table with one row a sequence.
    With --ragged sequences are gathered and truncated, and not padded. Arrays are read in chunks, so files may be of
    any size.

    Example: seqtool pad in.npy --maxlen 100 --post
    """
    from seqtool import errors
    from seqtool.commands._deliver import deliver
    from seqtool.commands._destination import check_output, destination_of
    from seqtool.commands._source import one_source, read
    from seqtool.commands._transform import show_outcome
    from seqtool.files.inputs import folder_of
    from seqtool.operations.pad import pad_stream, with_pad_entry
    from seqtool.operations.run import apply_all
    from seqtool.terminal.report import Summary

    value, operations = padding_value(padding.value), _operations(padding, strip, strip_side, min_len, ragged)
    if ragged:
        padding.refuse(may_cut=True)
        if multiple_of > 1:
            raise UsageError("--ragged pads nothing: ", Advice(without=["--multiple-of"]))
    check_output(to, sources=[source], mask=padding.mask, ragged=ragged, dtype=padding.dtype)
    summary = Summary("pad")
    several = foreign.pattern is not None
    with one_source(source, "pad", limits, several=several) as opened:
        paths = [opened.file.named_path, *foreign.files, *rows.files]
        folder = folder_of(opened.files, foreign.pattern)
        destination = destination_of(to, command="pad", inputs=paths, folder=folder)
        with summary.stage("reading"):
            described = rows.spec(foreign.spec(None if value == "auto" else value), text)
            found = read(opened, described, summary, allow_pickle=allow_pickle, dtype=padding.dtype)
            outcome = apply_all(operations, found.ragged, spool=opened.spool)
        show_outcome(outcome, summary)
        if strip is None and found.dense:
            _mention_strip(outcome.ragged, summary)
        with errors.at(opened.name):
            data: PaddedStream | Ragged = (
                _converted(outcome.ragged, padding.dtype, summary)
                if ragged
                else pad_stream(
                    outcome.ragged,
                    maxlen=padding.maxlen,
                    padding=padding.side(found.padding or "pre"),
                    truncating=padding.cut_side,
                    value=next((known for known in (value, found.value) if known is not None), 0),
                    dtype=padding.dtype,
                    multiple_of=multiple_of,
                    spool=opened.spool,
                )
            )
        arguments: dict[str, Any] = {**foreign.resolved, **rows.resolved, **text.resolved, "ragged": ragged}
        arguments |= {"min_len": min_len or None, "strip": strip, "strip_side": strip_side if strip else None}
        arguments["multiple_of"] = multiple_of if multiple_of > 1 else None
        if padding.maxlen or not ragged:
            arguments |= {"maxlen": padding.maxlen, "truncating": padding.cut_side}
        done = with_pad_entry(data, opened.base_names, arguments, steps=found.steps, outcome=outcome)
        deliver(
            done,
            destination,
            to,
            summary,
            mask=padding.mask,
            memory=opened.memory,
            spool=opened.spool,
        )


def _operations(
    padding: PaddingOptions, strip: str | None, strip_side: str, min_len: int, ragged: bool
) -> list[Operation]:
    """What is done to sequences before they are padded; raises UsageError for arguments that cannot be."""
    from seqtool.operations.select import AtLeast
    from seqtool.operations.strip import Strip
    from seqtool.operations.truncate import Truncate
    from seqtool.sequences.padding_values import check_side

    if strip is None and strip_side != "post":
        refuse_without_subject("--strip-side", "--strip", Advice("--strip", "V"))
    operations: list[Operation] = []
    stripped, side = parse_value(strip, "--strip"), check_side("--strip-side", strip_side)
    if isinstance(stripped, tuple):
        raise UsageError(f"--strip is {strip}; one number was expected")
    if stripped is not None:
        operations.append(Strip(stripped, side))
    if min_len:
        operations.append(AtLeast(min_len))
    if ragged and padding.maxlen:
        operations.append(Truncate(padding.maxlen, padding.cut_side))
    return operations


def _converted(ragged: Ragged, dtype: str | None, summary: Summary) -> Ragged:
    """Ragged sequences whose numbers have another type, if one is named; warns of those that are rounded."""
    from seqtool.arrays.dtypes import dtype_named
    from seqtool.operations.cast import check_cast, rounded, rounding_warnings

    target = dtype_named(dtype or ragged.values.dtype)
    summary.warnings += rounding_warnings(check_cast(ragged, target), target)
    return rounded(ragged, target)


def _mention_strip(ragged: Ragged, summary: Summary) -> None:
    from seqtool.operations.strip import hidden_padding

    hidden = hidden_padding(ragged)
    if hidden:
        summary.say("note", Message(f"{hidden.seen}; if that is leftover padding: ", Advice(*hidden.options)))
