"""`seqtool pad`: sequences of any lengths into one block of equal ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqtool.commands._options import (
    ArrayOptions,
    KeyName,
    LabelName,
    MemoryOptions,
    OutputOptions,
    PaddingOptions,
    RaggedFlag,
    padding_value,
    parse_value,
)
from seqtool.errors import UsageError

if TYPE_CHECKING:
    from seqtool.sequences.ragged import Ragged
    from seqtool.sources.options import Sequences
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
        int, typer.Option("--multiple-of", metavar="K", min=1, help="Round the padded length up to K.")
    ] = 1,
    min_len: Annotated[
        int, typer.Option("--min-len", metavar="N", min=0, help="Drop sequences of fewer steps.")
    ] = 0,
    strip: Annotated[
        str | None,
        typer.Option(
            "--strip", metavar="V", help="First drop trailing steps that hold V alone (a number, nan)."
        ),
    ] = None,
    strip_side: Annotated[
        str, typer.Option("--strip-side", metavar="post|pre", help="Strip at the end, or at the start.")
    ] = "post",
    given: ArrayOptions,
    label: LabelName = None,
    key: KeyName = None,
    allow_pickle: Annotated[
        bool,
        typer.Option("--allow-pickle", help="Open an old object .npy of your own; loading it can run code."),
    ] = False,
    using: MemoryOptions,
    to: OutputOptions,
) -> None:
    """Pad and truncate sequences to one length, or with --ragged only gather them.

    SOURCE is an .npy of (N, T) or (N, T, F), an .npz, JSON or JSON lines, text with one sequence of numbers a
    line, or Parquet or Arrow with a list column. Arrays are read in windows, so files may be of any size.

    Example: seqtool pad in.npy --maxlen 100 --post
    """
    from seqtool import errors
    from seqtool.arrays.spool import Spool
    from seqtool.commands._deliver import check_output, chosen_side, chosen_value, deliver, destination_of
    from seqtool.files import inputs
    from seqtool.operations.cast import recast
    from seqtool.operations.pad import pad_stream
    from seqtool.operations.select import at_least
    from seqtool.operations.strip import strip as strip_steps
    from seqtool.sequences import receipts
    from seqtool.sequences.padding_values import check_side
    from seqtool.sequences.ragged import Ragged
    from seqtool.sources.options import SourceOptions
    from seqtool.sources.read import read_sequences
    from seqtool.system import memory
    from seqtool.terminal import report

    check_output(to, mask=padding.mask, ragged=ragged, dtype=padding.dtype)
    truncating, side = check_side("--truncating", padding.truncating), check_side("--strip-side", strip_side)
    value, padded_with = padding_value(padding.value), parse_value(strip, "--strip")
    if ragged:
        padding.refuse()
        if multiple_of > 1:
            raise UsageError("--ragged pads nothing: leave --multiple-of out")
    if isinstance(padded_with, tuple):
        raise UsageError(f"--strip is {strip}; one number was expected")
    limit, folder = memory.allowed(using.max_memory), inputs.temporary_folder(using.temp_dir)
    summary = report.Summary("pad")
    with Spool(folder) as spool, inputs.opened([source] if source else [], spool=folder) as found:
        old_value = None if value == "auto" else value
        said = (given.array, label, key, given.lengths, given.side, allow_pickle, padding.dtype, old_value)
        options = SourceOptions(*said, spool=spool, memory=limit)
        if len(found) > 1:
            raise UsageError(f"{source} matches {len(found)} files; pad takes one at a time")
        path = found[0].given
        destination = destination_of(to, command="pad", inputs=[path, *given.files])
        with summary.stage("reading"):
            came = read_sequences(found[0], options)
            real = came.ragged
            if padded_with is not None:
                real = strip_steps(real, padded_with, side=side, spool=spool)
            kept = at_least(real, min_len, spool=spool)
        with errors.at(found[0].name):
            made = (
                recast(kept, padding.dtype or kept.values.dtype)
                if ragged
                else pad_stream(
                    kept,
                    maxlen=padding.maxlen,
                    padding=chosen_side(padding.post, came.padding or "pre"),
                    truncating=truncating,
                    value=next((known for known in (value, came.value) if known is not None), 0),
                    dtype=padding.dtype,
                    multiple_of=multiple_of,
                )
            )
        arguments = {
            **vars(given),
            **vars(padding),
            "post": None,
            "lengths": None if given.lengths is None else Path(given.lengths).name,
            "padding": None if isinstance(made, Ragged) else made.padding,
            "truncating": None if ragged else truncating,
            "value": chosen_value(padding.value, made),
            "ragged": ragged,
            "multiple_of": multiple_of if multiple_of > 1 else None,
            "strip": strip,
            "strip_side": side if strip else None,
            "min_len": min_len or None,
            "label": label,
            "key": key,
        }
        _tell(came, found[0].name, summary)
        if strip is None and came.dense:
            _mention_strip(real, summary)
        dropped = _dropped(came.ragged, real, kept, strip, min_len, summary)
        rows = receipts.Rows(came.steps, len(kept.values), dropped=dropped)
        receipt = receipts.Made("pad", [path.name if path else "-"], arguments, rows)
        deliver(made, receipt, destination, to, summary, mask=padding.mask)


def _tell(came: Sequences, name: str, summary: Summary) -> None:
    from seqtool.words import count

    read = f"{count(len(came.ragged), 'sequence')}, {count(came.steps, 'step')} from {name}"
    summary.say("read", "; ".join([read, *came.notes]))
    summary.facts |= {"inputs": [name], "notes": came.notes}
    summary.warnings += came.warnings


def _dropped(
    came: Ragged, real: Ragged, kept: Ragged, strip: str | None, min_len: int, summary: Summary
) -> dict[str, int]:
    """The steps that stripping and `--min-len` left out, by their reason."""
    from seqtool.words import count

    stripped, short = len(came.values) - len(real.values), len(real.values) - len(kept.values)
    if strip is not None:
        summary.say("stripped", f"{count(stripped, 'step')} that hold {strip} alone")
    if len(kept) < len(real):
        sequences = count(len(real) - len(kept), "sequence")
        summary.say("dropped", f"{sequences} under {count(min_len, 'step')}, {count(short, 'step')} in all")
        if not len(kept):
            summary.warnings.append("no sequence is left")
    return {"stripped": stripped, f"sequence under {min_len} steps": short}


def _mention_strip(ragged: Ragged, summary: Summary) -> None:
    from seqtool.operations.strip import hidden_padding

    hidden = hidden_padding(ragged)
    if hidden:
        summary.say("note", f"{hidden.seen}; if that is old padding, {' '.join(hidden.options)} drops it")
