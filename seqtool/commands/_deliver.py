"""The end of every command that makes sequences: check the size, write, tell what was done."""

from __future__ import annotations

import shutil
from math import prod
from pathlib import Path
from typing import BinaryIO, cast, get_args

from seqtool.arrays.dtypes import dtype_named
from seqtool.arrays.lazy import span
from seqtool.commands._options import OutputOptions
from seqtool.errors import DataError, UsageError, check_choice
from seqtool.files import npz
from seqtool.files.deflate import Compress
from seqtool.files.outputs import Counted, Destination, choose, is_special, stdout_is_elsewhere
from seqtool.operations.pad import check_blow_up
from seqtool.sequences.padding_values import value_to_json
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.stream import PaddedStream
from seqtool.terminal.progress import watch
from seqtool.terminal.report import Summary
from seqtool.words import human, listed


def deliver(
    data: PaddedStream | Ragged,
    destination: Destination,
    to: OutputOptions,
    summary: Summary,
    *,
    mask: bool = False,
) -> None:
    """Write `data` to `destination`, unless it is a dry run, with its receipt, and show the summary.

    Raises DataError when the output would be out of all proportion, or larger than the disk has room for;
    UsageError for a suffix that is no format, or a format that cannot hold the data.
    """
    compress = check_choice("--compress", to.compress, get_args(Compress))
    _check_format(destination.suffix, destination.name, mask=mask, compress=compress)
    if isinstance(data, PaddedStream):
        check_blow_up(data)
    size = npz.size(data, mask=mask) if destination.suffix == ".npz" else data_bytes(data)
    whole = data.ragged if isinstance(data, PaddedStream) else data
    rows, steps = whole.receipt[-1]["rows"], len(whole.values)
    if rows["kept"] != steps:
        told = f"{rows['kept']:,}: this is a bug in seqtool, and no output was written"
        raise AssertionError(f"{steps:,} steps are to be written, but the receipt tells of {told}")
    summary.facts["rows"] = rows
    _describe(data, summary)
    left = [*whole.per_step, *data.per_sequence, *(["keys"] if whole.keys is not None else [])]
    if destination.suffix == ".npy":
        summary.say("left out", f"{listed(['lengths', *left])}: .npy holds x alone, .npz everything")
    written = None
    if to.dry_run:
        summary.say(
            "would write", f"{destination.name}, {human(size)}{' before compression' if compress else ''}"
        )
    else:
        if not compress:
            _check_room(destination, size)
        with (
            watch(summary, quiet=to.quiet or to.as_json)("writing", size) as bar,
            destination.open() as (file, seekable),
        ):
            counted = Counted(file)
            npz.write(
                cast(BinaryIO, counted),
                data,
                suffix=destination.suffix,
                seekable=seekable,
                mask=mask,
                compress=compress,
                wrote=bar.advance,
            )
            written = counted.end
        aside = f", {size / max(1, written):.1f} times smaller than its arrays" if compress else ""
        if to.output is None and destination.path is not None and stdout_is_elsewhere():
            aside += "; -o - sends the data to standard output"
        summary.say("wrote", f"{destination.name}, {human(written if compress else size)}{aside}")
    summary.facts |= {
        "output": None if to.dry_run else str(destination.path or "-"),
        "bytes": size,
        "dry_run": to.dry_run,
    }
    if compress and written is not None:
        summary.facts["compressed_bytes"] = written
    summary.show(quiet=to.quiet and not to.dry_run, verbose=to.verbose, as_json=to.as_json)


def destination_of(
    to: OutputOptions, *, command: str, inputs: list[Path | None], ragged: bool = False
) -> Destination:
    """Where the output of a command goes; an implicit name replaces only what seqtool wrote, unless forced.

    Raises UsageError for a format that cannot hold `ragged` sequences.
    """

    def may_replace(path: Path) -> bool:
        return to.force or npz.written_by_seqtool(path)

    destination = choose(
        to.output, command=command, inputs=inputs, may_replace=may_replace, dry_run=to.dry_run
    )
    if ragged and destination.suffix == ".npy":
        raise UsageError(f"{destination.name}: .npy holds x alone, and ragged sequences have none; use .npz")
    return destination


def check_output(to: OutputOptions, *, mask: bool = False, dtype: str | None = None) -> None:
    """Judge what a call says of its output, before anything is read; raises UsageError."""
    check_choice("--compress", to.compress, get_args(Compress))
    if dtype is not None:
        dtype_named(dtype)
    if to.output is not None:
        _check_format(Path(to.output).suffix, to.output, mask=mask, compress=to.compress)


def _check_format(suffix: str, name: str, *, mask: bool, compress: str | None) -> None:
    """Raise UsageError for what a format cannot hold."""
    for what, option, given in (("a mask", "--mask", mask), ("compression", "--compress", compress)):
        if given and suffix == ".npy":
            raise UsageError(f"{name}: .npy holds x alone; use .npz for {what}, or leave {option} out")


def data_bytes(data: PaddedStream | Ragged) -> int:
    """The bytes of the largest array."""
    return data.nbytes if isinstance(data, PaddedStream) else data.values.nbytes


def _describe(data: PaddedStream | Ragged, summary: Summary) -> None:
    """Tell what was made: shape, dtype, lengths, what was cut."""
    whole = data.ragged if isinstance(data, PaddedStream) else data
    if whole.keys is not None:
        summary.facts["keys"] = len(whole.keys)
        summary.say("keys", f"{len(whole.keys):,}, {'integers' if whole.keys.dtype.kind in 'iu' else 'text'}")
    if "classes" in whole.names:
        summary.facts["classes"] = whole.names["classes"].tolist()
        summary.say(
            "classes",
            f"{len(whole.names['classes']):,}: {listed(whole.names['classes'].astype(str).tolist())}",
        )
    lengths = data.span if isinstance(data, PaddedStream) else span(data.lengths)
    told = f"{lengths.least:,} to {lengths.largest:,}" if len(data) else "none"
    if len(data) and lengths.least == lengths.largest:
        told = f"all {lengths.largest:,}"
    bounds = (lengths.least, lengths.largest) if len(data) else (None, None)
    summary.facts["lengths"] = dict(zip(("min", "max"), bounds, strict=True))
    if isinstance(data, Ragged):
        summary.say("made", f"values {_shape(data.values.shape)} {data.values.dtype}, ragged; lengths {told}")
        summary.facts |= {"shape": list(data.values.shape), "dtype": str(data.values.dtype), "kind": "ragged"}
        return
    slots = prod(data.shape[:2])
    share = 1 - lengths.total / slots if slots else 0.0
    value = value_to_json(data.value)
    summary.say(
        "made",
        f"x {_shape(data.shape)} {data.dtype}; lengths {told}; {data.padding} padding with {value}, "
        f"{share:.0%} of all steps",
    )
    for word, text in data.lines:
        summary.say(word, text)
    summary.facts |= {
        "shape": list(data.shape),
        "dtype": str(data.dtype),
        "kind": "padded",
        "padding": data.padding,
        "value": value,
        "steps_cut": data.steps_cut,
    }


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _check_room(destination: Destination, size: int) -> None:
    if destination.path is None or is_special(destination.path):
        return
    folder = Path(destination.path).parent
    if folder.is_dir() and size > shutil.disk_usage(folder).free:
        free = human(shutil.disk_usage(folder).free)
        raise DataError(
            f"{destination.name}: takes {human(size)}, but the disk has {free} left; see --dry-run"
        )
