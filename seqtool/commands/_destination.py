"""Where the output of a command goes, and what of it is wrong before any input is opened."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast, get_args

from seqtool.advice import Advice
from seqtool.arrays.dtypes import dtype_named
from seqtool.commands._options import OutputOptions
from seqtool.errors import UsageError, check_choice
from seqtool.files import npz
from seqtool.files.deflate import Compress
from seqtool.files.outputs import FOLD, Destination, check_not_an_input, choose, named_by
from seqtool.files.writers import WRITERS


def check_output(
    to: OutputOptions,
    *,
    sources: Sequence[str | None] = (),
    mask: bool = False,
    ragged: bool = False,
    index: bool = False,
    dtype: str | None = None,
    folds: int = 0,
) -> None:
    """Raise UsageError for what the options of an output alone show to be wrong, before any input is opened.

    Only several `folds` have a name with '{fold}', and they need one.

    >>> check_output(OutputOptions(output="x.npy"), mask=True)
    Traceback (most recent call last):
    seqtool.errors.UsageError: x.npy: .npy holds x alone; use .npz for a mask, or leave --mask out
    """
    compress = compression(to)
    if dtype is not None:
        dtype_named(dtype)
    _check_fold_name(to.output, folds)
    if to.output is None:
        return
    check_not_an_input(Path(to.output), [Path(source) for source in sources if source])
    destination = named_by(to.output, dry_run=to.dry_run)
    if destination.suffix in WRITERS:  # else it is a folder, which `choose` reports
        writer = WRITERS[destination.suffix]
        writer.check(destination.name, ragged=ragged, mask=mask, compress=bool(compress), index=index)


def _check_fold_name(output: str | None, folds: int) -> None:
    is_named = output is not None and FOLD in Path(output).name
    if folds and not is_named:
        raise UsageError(
            f"--folds {folds} makes a file for each fold: name them all by ",
            Advice("-o", f"{FOLD}.npz"),
            ", or choose one by ",
            Advice("--fold", "0"),
        )
    if is_named and not folds:
        raise UsageError(
            f"{output}: {FOLD} stands for the folds that seqtool split writes, all in one call, and here is one "
            "output; name it otherwise: ",
            Advice("-o", "FILE"),
        )


def compression(to: OutputOptions) -> Compress | None:
    """How the output is compressed; raises UsageError for a way that there is not."""
    return cast("Compress | None", check_choice("--compress", to.compress, get_args(Compress)))


def destination_of(
    to: OutputOptions, *, command: str, inputs: list[Path | None], folder: str | None = None
) -> Destination:
    """Where the output of a command goes; an implicit name replaces only what seqtool wrote, unless forced.

    It is named after the first input, or the `folder` that all of them are in.
    """
    replace = partial(may_replace, to)
    return choose(
        to.output, command=command, inputs=inputs, may_replace=replace, dry_run=to.dry_run, folder=folder
    )


def may_replace(to: OutputOptions, path: Path) -> bool:
    """Whether a file that exists may be replaced though `-o` does not name it."""
    return to.force or npz.written_by_seqtool(path)
