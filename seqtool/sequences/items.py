"""Indexing, iteration and `repr` of a Ragged or Padded."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import CHUNK, AnyArray, chunks, rows_per_chunk, span
from seqtool.sequences.keys import places_of
from seqtool.words import by_size, in_short

if TYPE_CHECKING:
    from seqtool.sequences.ragged import Padded, Ragged

_OFFSETS = 1 << 16  # offsets that are read at a time
_COUNTED = 16 * CHUNK  # bytes of lengths up to which `repr` reads them


def position_of(index: Any, count: int) -> int:
    """The place of `data[index]` among `count` sequences, from 0; a negative index counts from the end.

    Raises IndexError for an index out of range, and TypeError for what is not a whole number.

    >>> position_of(-1, 3)
    2
    """
    try:
        place = operator.index(index)
    except TypeError:
        raise TypeError(
            f"data[{in_short(index)}]: the position of one sequence was expected, a whole number; slices and lists of "
            "positions are not taken"
        ) from None
    if not -count <= place < count:
        raise IndexError(f"data[{in_short(place)}] is out of range: there are {count} sequences")
    return place % count


def ragged_item(values: AnyArray, offsets: AnyArray, index: Any) -> Array:
    """The steps of sequence `index` of a Ragged, (L, ...); no others are read."""
    place = position_of(index, len(offsets) - 1)
    begin, end = offsets[place : place + 2].tolist()
    return values[begin:end]


def ragged_items(values: AnyArray, offsets: AnyArray) -> Iterator[Array]:
    """The steps of each sequence of a Ragged in turn; many short ones are read together."""
    together = rows_per_chunk(values)
    for first in range(0, len(offsets) - 1, _OFFSETS):
        ends = offsets[first : first + _OFFSETS + 1]
        at = 0
        while at < len(ends) - 1:
            until = int(np.searchsorted(ends, ends[at] + together, side="right")) - 1
            until = max(until, at + 1)
            part = values[int(ends[at]) : int(ends[until])]
            bounds = (ends[at : until + 1] - ends[at]).tolist()
            yield from (part[begin:end] for begin, end in pairwise(bounds))
            at = until


def place_of_key(data: Ragged | Padded, key: Any, part: int | None) -> int:
    """The place of the sequence with a key, and part; raises KeyError where there is none, or more than one.

    A key of several columns is a tuple.
    """
    cells = key if isinstance(key, tuple) else (key,)
    found = (
        []
        if data.keys is None
        else [int(place) for places in places_of(data.keys, cells) for place in places]
    )
    parts = data.per_sequence.get("part")
    if part is not None and parts is not None:
        found = [place for place in found if int(parts[place : place + 1][0]) == part]
    if len(found) == 1:
        return found[0]
    shown = f"the key {in_short(key)}" + ("" if part is None else f" and part {part}")
    if not found:
        raise KeyError(f"no sequence has {shown}")
    raise KeyError(f"{len(found)} sequences have {shown}: name a part too")


def padded_item(padded: Padded, index: Any) -> Array:
    """The real steps of sequence `index` of a Padded, (L, ...); no other sequence is read."""
    place = position_of(index, len(padded))
    length = int(padded.lengths[place : place + 1][0])
    return _real(padded.x[place : place + 1][0], length, padded.padding)


def padded_items(padded: Padded) -> Iterator[Array]:
    """The real steps of each sequence of a Padded in turn."""
    for begin, part in chunks(padded.x):
        lengths = padded.lengths[begin : begin + len(part)].tolist()
        yield from (_real(row, length, padded.padding) for row, length in zip(part, lengths, strict=True))


def _real(row: Array, length: int, padding: str) -> Array:
    return row[:length] if padding == "post" else row[len(row) - length :]


def ragged_line(ragged: Ragged) -> str:
    """The `repr` of a Ragged: counts, dtype, and the names of its other arrays."""
    shape = ragged.values.shape
    steps = [_counted(len(ragged), "sequence"), _counted(shape[0], "step")]
    if len(shape) == 2:
        steps.append(_counted(shape[1], "feature"))
    elif len(shape) > 2:
        steps[-1] += f" of {by_size(shape[1:])}"
    steps[-1] += f" {ragged.values.dtype}"
    return f"Ragged({', '.join([*steps, *_aligned(ragged)])})"


def padded_line(padded: Padded) -> str:
    """The `repr` of a Padded: shape, dtype, lengths, padding, and the names of its other arrays."""
    lengths = padded.lengths
    about = "lengths"
    if isinstance(lengths, np.ndarray) and len(lengths) and lengths.nbytes <= _COUNTED:
        found = span(lengths)
        about += f" {found.least}" + (f" to {found.largest}" if found.largest > found.least else "")
    value = padded.value
    shown = f"({', '.join(map(str, value))})" if isinstance(value, tuple) else str(value)
    parts = [
        f"x {padded.x.shape} {padded.x.dtype}",
        about,
        padded.padding,
        f"value {shown}",
        *_aligned(padded),
    ]
    return f"Padded({', '.join(parts)})"


def _aligned(data: Ragged | Padded) -> list[str]:
    keys = (
        [] if data.keys is None else [f"keys {'text' if data.keys.dtype.kind in 'UT' else data.keys.dtype}"]
    )
    return [*keys, *data.per_sequence, *data.per_step]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
