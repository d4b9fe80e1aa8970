"""Masks in the place of lengths: which slots of a block (N, T) are real steps, as attention masks say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy, chunks
from seqtool.errors import DataError, UsageError
from seqtool.files.zip_reader import ZipReader
from seqtool.sequences.padding_values import Side
from seqtool.sequences.validation import step_mask
from seqtool.sources.options import ForeignSpec

MASK = "mask"  # the name of a mask in files of ours, and of many others


def lengths_of(mask: AnyArray, name: str, block: tuple[int, ...]) -> tuple[AnyArray, Side | None]:
    """The lengths, (N,) int64, and the side of padding, from a mask (N, T) of booleans, or of 0 and 1.

    The side is None where every sequence is full or empty. Raises DataError for a mask whose shape is not that of the
    `block`, for other numbers, and where true cells do not stand together at one end, the same in all rows.

    >>> lengths, side = lengths_of(np.array([[0, 1], [1, 1]]), "mask", (2, 2, 5))
    >>> np.asarray(lengths).tolist(), side
    ([1, 2], 'pre')
    """
    if mask.ndim != 2 or mask.shape != block[:2] or mask.dtype.kind not in "biuf":
        raise DataError(
            f"{name} is {mask.dtype} {mask.shape}; a mask of booleans, or of 0 and 1, of shape {block[:2]} was expected"
        )
    rows: dict[Side, int] = {}  # the first row that is padded at this side
    for begin, part in chunks(mask):
        _check_numbers(part, name, begin)
        real = part != 0
        lengths = real.sum(axis=1)
        at_end, at_start = (
            (real == step_mask(lengths, maxlen=block[1], padding=side)).all(axis=1)
            for side in ("post", "pre")
        )
        neither = ~(at_end | at_start)
        if neither.any():
            i = begin + int(neither.argmax())
            raise DataError(
                f"{name}[{i}]: its true cells do not stand together at one end of the row, so that no length follows "
                "from them"
            )
        for side, only in (("post", at_end & ~at_start), ("pre", at_start & ~at_end)):
            if only.any():
                rows.setdefault(side, begin + int(only.argmax()))  # type: ignore[arg-type]
    if len(rows) > 1:
        raise DataError(
            f"{name}: sequence {rows['post']} is padded at its end, but sequence {rows['pre']} at its start; one side "
            "was expected for all"
        )

    def read(begin: int, end: int) -> Array:
        return np.asarray(np.count_nonzero(mask[begin:end], axis=1), np.int64)

    return Lazy((block[0],), np.dtype(np.int64), read), next(iter(rows), None)


def _check_numbers(part: Array, name: str, begin: int) -> None:
    if part.dtype.kind == "b":
        return
    wrong = (part != 0) & (part != 1)
    if wrong.any():
        i, t = np.argwhere(wrong)[0].tolist()
        raise DataError(f"{name}[{begin + i}, {t}] is {part[i, t]}; a mask holds 0 and 1 alone")


def lengths_and_side(
    known: AnyArray | None, name: str, block: tuple[int, ...]
) -> tuple[AnyArray | None, Side | None]:
    """The lengths and the side of padding from an array of either lengths, whose side is None, or a mask (N, T)."""
    is_mask = known is not None and known.ndim == 2 and known.shape == block[:2]
    return lengths_of(known, name, block) if known is not None and is_mask else (known, None)


def check_mask_order(block: tuple[int, ...]) -> None:
    """Raise DataError where a mask beside a time-major array may be (N, T) as well as (T, N): both are in use."""
    if len(block) > 1 and block[0] == block[1] > 1:
        raise DataError(
            f"there are {block[0]:,} sequences of as many slots, so a mask may be (N, T) or (T, N); name lengths: ",
            Advice("--lengths", "NAME"),
        )


def with_side(foreign: ForeignSpec, side: Side | None) -> ForeignSpec:
    """The spec with the side of padding that a mask shows; raises UsageError where the spec names the other side."""
    if side is None:
        return foreign
    if foreign.input_padding not in (None, side):
        raise UsageError(
            f"--input-padding is {foreign.input_padding}, but the mask tells {side}: ",
            Advice(without=["--input-padding"]),
        )
    return replace(foreign, input_padding=side)


def check_same(known: AnyArray, masked: AnyArray, name: str) -> None:
    """Raise DataError unless a mask agrees with the lengths beside it."""
    for begin, part in chunks(known):
        differ = np.flatnonzero(part != masked[begin : begin + len(part)])
        if len(differ):
            i = begin + int(differ[0])
            stored, counted = (int(lengths[i : i + 1][0]) for lengths in (known, masked))
            raise DataError(
                f"lengths[{i}] is {stored}, but {name}[{i}] is true in {counted} slots; name the right one: ",
                Advice("--lengths", "NAME"),
            )


def may_tell_lengths(archive: ZipReader, block: tuple[int, ...], names: Sequence[str]) -> dict[str, str]:
    """A warning for each array that is called like lengths, or a mask, of a block, and has the shape of one."""
    warnings = dict[str, str]()
    for name in names:
        like_mask, like_lengths = "mask" in name.lower(), "len" in name.lower()
        if not (like_mask or like_lengths):
            continue
        try:
            shape, dtype = archive.header(name)
            if like_mask and shape == block[:2]:
                lengths_of(archive.window(name), name, block)
            elif not (like_lengths and shape == block[:1] and dtype.kind in "iu"):
                continue
        except DataError:
            continue
        problem = f"all steps were taken as real, though {name} may tell the lengths: "
        warnings[name] = Message(problem, Advice("--lengths", name))
    return warnings
