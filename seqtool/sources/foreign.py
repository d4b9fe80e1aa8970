"""The sequences in arrays that seqtool did not write, with their lengths and what belongs to them.

The sequences are not checked here: `seqtool pad` refuses them if they are damaged, `seqtool check` reports all damage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import cast

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.lazy import AnyArray, Lazy, lazy_map
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.files.npy import checked_dtype
from seqtool.files.zip_reader import ZipReader
from seqtool.sequences.conversion import from_lists
from seqtool.sequences.keys import name_keys
from seqtool.sequences.padding_values import Side, check_value_shape
from seqtool.sequences.ragged import Padded, Ragged, unchecked
from seqtool.sources.chosen_arrays import Chosen, lengths_file
from seqtool.sources.companions import are_whole_floats, as_int64, companions
from seqtool.sources.masks import (
    MASK,
    check_mask_order,
    check_same,
    lengths_and_side,
    lengths_of,
    may_tell_lengths,
    with_side,
)
from seqtool.sources.options import ForeignSpec
from seqtool.system.memory import Memory
from seqtool.words import by_size


@dataclass(frozen=True)
class ForeignData:
    """The sequences of a foreign file, not yet checked, with their labels, keys and the like.

    `lengths` are those of the file, or follow from a mask; `side` is the side of padding that the mask shows, and
    `spec` the options with that side. `used` are the arrays that were read, `others` those that were not. `misfits`
    describes arrays that have the name of a part, but do not fit; `notes` say how it was read, `warnings` what is odd.
    """

    data: Ragged | Padded
    lengths: AnyArray | None = None
    used: Sequence[str] = ()
    others: Sequence[str] = ()
    misfits: dict[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    side: Side | None = None
    spec: ForeignSpec = field(default_factory=ForeignSpec)
    warnings: Sequence[str] = ()


def take(
    archive: ZipReader,
    chosen: Chosen,
    foreign: ForeignSpec,
    memory: Memory,
    spool: Spool,
    *,
    strict: bool = True,
) -> ForeignData:
    """The sequences in the chosen arrays, with their labels, keys and the like.

    Raises DataError for arrays that hold no sequences and, if `strict` and no array is named, misfit labels and keys.
    """
    if chosen.form == "named":
        keyed = _each_a_sequence(archive, archive.names, memory).replace(keys=name_keys(archive.names))
        notes = ["the name of each array is its key"]
        return ForeignData(keyed, used=archive.names, notes=notes, spec=foreign)
    names, used = archive.names, list(chosen.names)
    lengths: AnyArray | None = None
    misfits: dict[str, str] = {}
    side: Side | None = None
    if chosen.form == "numbered":
        data: Ragged | Padded = _each_a_sequence(archive, [f"arr_{i}" for i in range(len(names))], memory)
    elif chosen.form == "ragged":
        data = _offset_values(archive)
        if "lengths" in names and archive.header("lengths")[0] == (len(data),):
            used, lengths = [*used, "lengths"], archive.window("lengths")
    else:
        if foreign.time_major:
            archive.take_as_time_major(used[0])
        x = archive.window(used[0])
        known = _known_lengths(archive, x, chosen, foreign, strict=strict and foreign.array is None)
        lengths, side, misfits = known.lengths, known.side, known.misfits
        used += [MASK] if known.by_mask else []
        foreign = with_side(foreign, side)
        data = dense(x, lengths, foreign)
    beside = companions(archive, data, used, foreign, spool, strict=strict and foreign.array is None)
    used += beside.used.values()
    misfits |= beside.misfits
    if chosen.form == "block" and lengths is None and foreign.array is None:
        unread = [name for name in names if name not in used]
        misfits |= may_tell_lengths(archive, cast(Padded, data).x.shape, unread)
    others = [name for name in names if name not in used and name not in misfits]
    notes = [f"{name} holds a label for each step" for part, name in beside.used.items() if part == "step_y"]
    if chosen.form == "numbered":
        notes.append(_each_array(data))
    if MASK in used:
        notes.append(f"{MASK} tells the lengths" + (f", padded {side}" if side else ""))
    data = beside.joined(data, foreign.rows.label_value)
    return ForeignData(data, lengths, used, others, misfits, notes, side, foreign, beside.warnings)


@dataclass(frozen=True)
class _KnownLengths:
    """The lengths and the side of a block, if known; whether a mask was read, or what is wrong with it."""

    lengths: AnyArray | None
    side: Side | None
    by_mask: bool = False
    misfits: dict[str, str] = field(default_factory=dict)


def _known_lengths(
    archive: ZipReader, x: AnyArray, chosen: Chosen, foreign: ForeignSpec, *, strict: bool
) -> _KnownLengths:
    """The lengths of a block from an array of lengths, or from a mask.

    Raises DataError for a named array that is neither and, if `strict`, for an array called mask that is none where
    there are no lengths, or that contradicts lengths which the call does not name.
    """
    names = chosen.names
    known: AnyArray | None = archive.window(names[1]) if len(names) > 1 else None
    if known is None and foreign.lengths is not None:
        known = lengths_file(foreign.lengths, x.shape, foreign)
    by_mask = MASK in archive.names if known is None else known.ndim > 1
    if foreign.time_major and by_mask:
        check_mask_order(x.shape)
    known, side = lengths_and_side(known, foreign.lengths or "lengths", x.shape)
    if MASK not in archive.names or MASK in (*names, *(name for _, name in foreign.named)):
        return _KnownLengths(known, side)
    try:
        masked, mask_side = lengths_of(archive.window(MASK), MASK, x.shape)
    except DataError as error:
        if known is not None:  # then no mask is needed
            return _KnownLengths(known, side)
        if strict:
            named, alone = Advice("--lengths", "NAME"), Advice("--array", names[0])
            raise DataError(
                error, "; name lengths: ", named, "; or to take all steps as real: ", alone
            ) from None
        return _KnownLengths(known, side, misfits={MASK: str(error)})
    if known is None:
        return _KnownLengths(masked, mask_side, by_mask=True)
    if known.shape != masked.shape:  # which is refused with the block
        return _KnownLengths(known, side)
    try:
        check_same(known, masked, MASK)
    except DataError as error:
        if strict and foreign.lengths is None:
            raise
        return _KnownLengths(known, side, misfits={MASK: str(error)})
    return _KnownLengths(known, side or mask_side, by_mask=True)


def dense(x: AnyArray, known: AnyArray | None, foreign: ForeignSpec) -> Padded:
    """A block (N, T), (N, T, F) or (N, T, H, W, C) with its lengths; T for each row where `known` is None."""
    if x.ndim < 2:
        raise DataError(f"the array has shape {x.shape}; (N, T), (N, T, F) or (N, T, H, W, C) was expected")
    _check_numbers(x, "the array")
    check_value_shape(foreign.value or 0, x.shape[2:])
    if known is None:
        if foreign.input_padding:
            raise UsageError(
                "--input-padding has no effect without lengths: add ",
                Advice("--lengths", "NAME"),
                ", or ",
                Advice(without=["--input-padding"]),
            )
        slots = x.shape[1]
        lengths: AnyArray = Lazy(x.shape[:1], np.dtype(np.int64), lambda a, b: np.full(b - a, slots))
    elif known.shape != x.shape[:1] or not (known.dtype.kind in "iu" or are_whole_floats(known)):
        steps_first: list[object] = []
        if known.shape[:1] == x.shape[1:2] and not foreign.time_major:
            steps_first = [
                "; if the array holds the first steps of all sequences first: ",
                Advice("--time-major"),
            ]
        raise DataError(
            f"lengths is {known.dtype} {known.shape}; whole numbers of ({len(x):,},) were expected, or a mask of "
            f"{x.shape[:2]}",
            *steps_first,
        )
    else:
        lengths = lazy_map(as_int64, known, dtype=np.int64)
    side, value = foreign.input_padding or "post", foreign.value or 0
    return cast(Padded, unchecked(Padded, x=x, lengths=lengths, padding=side, value=value))


def _offset_values(archive: ZipReader) -> Ragged:
    """The sequences in values and offsets, not yet checked; raises DataError for arrays that cannot be such."""
    values, offsets = archive.window("values"), archive.window("offsets")
    _check_numbers(values, "values")
    if not values.ndim:
        raise DataError(f"values has shape {values.shape}; (S, F), (S,) or (S, H, W, C) was expected")
    if offsets.dtype.kind not in "iu" or offsets.ndim != 1 or not len(offsets):
        raise DataError(
            f"offsets is {offsets.dtype} {offsets.shape}; whole numbers of (N + 1,) were expected"
        )
    whole = lazy_map(as_int64, offsets, dtype=np.int64)
    return cast(Ragged, unchecked(Ragged, values=values, offsets=whole))


def _each_a_sequence(archive: ZipReader, names: Sequence[str], memory: Memory) -> Ragged:
    """The arrays of a file as one sequence each, in memory; raises DataError where steps differ in shape."""
    memory.check_whole(archive.name, 3 * archive.nbytes, "save values and offsets instead")
    arrays = [archive.read(name) for name in names]
    # An empty list is a sequence without steps, whatever a step is in the others.
    full = [i for i, array in enumerate(arrays) if array.shape != (0,)]
    for i, array in enumerate(arrays):
        checked_dtype(array.dtype, f"sequence {i}")
        like = arrays[full[0]] if full else array
        if not array.ndim or (array.shape != (0,) and array.shape[1:] != like.shape[1:]):
            block = max((array.ndim, -i) for i, array in enumerate(arrays))
            whole: list[object] = []
            if block[0] > 2:
                whole = ["; if one of them holds all sequences: ", Advice("--array", names[-block[1]])]
            raise DataError(
                f"sequence {i} has shape {array.shape}, but sequence {full[0]} {like.shape}; (steps,), "
                "(steps, features) or (steps, ...) was expected, the same for all",
                *whole,
            )
    return from_lists(arrays)


def _each_array(data: Ragged | Padded) -> str:
    """A note that each array is one sequence; an array of more than two dimensions might be a block of sequences."""
    if len(step := cast(Ragged, data).values.shape[1:]) < 2:
        return "each array is one sequence"
    as_block = Message(" (if one of them holds all sequences: ", Advice("--array", "arr_0"), ")")
    return Message(f"each array is one sequence of steps of {by_size(step)}", as_block)


def _check_numbers(array: AnyArray, name: str) -> None:
    checked_dtype(array.dtype, name)
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        ids = ["; as ids of names: ", Advice("--category", "word")] if array.dtype.kind == "U" else []
        raise DataError(f"{name} is {array.dtype}; integers, floats or booleans were expected", *ids)
