"""What a file of ours holds: every array of some sequences, listed once, in the order that the format has.

Nothing is read or padded before it is written: a listed array is a promise of its pieces. Text that is in
memory is encoded here, once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy, chunks
from seqtool.arrays.text import Text
from seqtool.errors import DataError, UsageError
from seqtool.files.deflate import PIECE
from seqtool.files.schema import NAMES, PER_SEQUENCE, PER_STEP, VERSION, VERSION_ONCE
from seqtool.files.zip_writer import Member
from seqtool.sequences.labels import name_tables, titles_of_tables
from seqtool.sequences.once import stored_once
from seqtool.sequences.padding_values import Side, value_to_json
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sequences.stream import PaddedStream
from seqtool.sequences.validation import step_mask

_WIDEST_TEXT = 64_000_000  # bytes of fixed-width text in one array


def x_alone(data: Padded | PaddedStream) -> Member:
    """The padded block, (N, T, F), (N, T) or (N, T, H, W, C).

    >>> from seqtool.sources.pad import pad
    >>> x_alone(pad([[1], [2, 3]])).shape
    (2, 2)
    """
    if isinstance(data, PaddedStream):
        return Member("x", data.dtype, data.shape, data.blocks)
    return Member.of("x", data.x)


def members(data: Ragged | Padded | PaddedStream, *, mask: bool = False) -> Iterator[Member]:
    """Every array of a file of ours, in its order: the largest first, the description last.

    Raises UsageError for an array that the format has no name for, DataError for text that it cannot hold.

    >>> [member.name for member in members(Ragged(np.arange(3), np.array([0, 1, 3])))]
    ['values', 'offsets', 'lengths', 'meta']
    """
    whole = data.ragged if isinstance(data, PaddedStream) else data
    per_sequence = data.per_sequence
    check_names(whole)
    once = stored_once(data) if isinstance(data, Ragged) else None
    if once is not None:
        yield from (Member.of(name, array) for name, array in once.arrays.items())
        yield Member.of("starts", once.starts)
    else:
        yield from _steps(data, whole)
    if isinstance(data, Ragged) and once is None:
        yield Member.of("offsets", data.offsets)
    elif not isinstance(data, Ragged) and mask:
        slots = data.shape[1] if isinstance(data, PaddedStream) else data.x.shape[1]
        cells = _mask(data.lengths, slots, data.padding)
        yield Member("mask", np.dtype(bool), (len(data), slots), cells)
    yield Member("lengths", np.dtype(np.int64), (len(data),), _lengths(data))
    small = {"keys": whole.keys, **per_sequence, **whole.names}
    if whole.features is not None:
        small["features"] = np.array(whole.features, dtype=str)
    for name, content in small.items():
        if content is not None:
            yield from text_or_numbers(name, content)
    about = description(data) | ({} if once is None else {"version": VERSION_ONCE})
    yield Member.of("meta", np.array(json.dumps(about, allow_nan=False)))


def _steps(data: Ragged | Padded | PaddedStream, whole: Ragged | Padded) -> Iterator[Member]:
    """The arrays of steps."""
    yield Member.of("values", data.values) if isinstance(data, Ragged) else x_alone(data)
    for name, array in whole.per_step.items():
        if isinstance(data, PaddedStream):
            shape = (*data.shape[:2], *array.data.shape[1:])
            yield Member(name, array.data.dtype, shape, data.step_blocks(name))
        else:
            yield Member.of(name, array.data)


def check_names(whole: Ragged | Padded) -> None:
    """Raise UsageError for an array that the format has no name for, DataError for a feature with a NUL in its name."""
    tables = (*NAMES, *name_tables(whole.names))
    for arrays, known in (
        (whole.per_step, PER_STEP),
        (whole.per_sequence, PER_SEQUENCE),
        (whole.names, tables),
    ):
        for name in arrays:
            if name not in known:
                raise UsageError(f"{name!r} is not a name of the file format; {', '.join(known)} are")
    if whole.features is not None:
        _refuse_nul("features", whole.features)


def _lengths(data: Ragged | Padded | PaddedStream) -> Iterator[Array]:
    """The lengths in pieces; those of ragged sequences are computed when they are written, not when listed."""
    for _, part in chunks(data.lengths, PIECE):
        yield part.astype(np.int64, copy=False)


def _mask(lengths: AnyArray, slots: int, padding: Side) -> Iterator[Array]:
    """The mask in pieces: of some sequences each, or of a part of one."""
    together = max(1, _MASK // max(1, slots))
    for begin in range(0, len(lengths), together):
        part = lengths[begin : begin + together].astype(np.int64, copy=False)
        if slots <= _MASK:
            yield step_mask(part, maxlen=slots, padding=padding)
            continue
        for first in range(0, slots, _MASK):
            places = np.arange(first, min(first + _MASK, slots))
            yield places < part if padding == "post" else places >= slots - part


_MASK = 1 << 20  # cells that are computed together


def text_or_numbers(name: str, content: AnyArray | Text) -> Iterator[Member]:
    """What a file of arrays holds of one: itself, or of much text its bytes, their offsets and its shape."""
    if isinstance(content, Text):
        yield from _text(name, content)
        return
    if content.dtype.kind in "biuf" or isinstance(content, Lazy):  # a Lazy of text is that of a file of ours
        yield Member.of(name, content)
        return
    if content.dtype.kind not in "UT":
        raise DataError(f"{name} is {content.dtype}; numbers or text were expected")
    yield from _text(name, encoded(name, content))


def encoded(name: str, content: Array) -> Text:
    """An array of text in memory as UTF-8 bytes; raises DataError for what cannot be stored."""
    cells: list[str] = content.reshape(-1).tolist()
    _refuse_nul(name, cells)
    try:
        encoded = [cell.encode() for cell in cells]
    except UnicodeEncodeError:
        raise DataError(f"{name} holds text with a lone surrogate, which is not valid text") from None
    ends = np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)))
    data = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    widest = max(map(len, cells), default=0)
    return Text(data, np.concatenate([[0], ends]), content.shape, widest=widest)


def _text(name: str, text: Text) -> Iterator[Member]:
    """Text of fixed width, where that is not too much, else as bytes and offsets."""
    if text.widest is not None and 4 * text.widest * prod(text.shape) <= _WIDEST_TEXT:
        dtype = np.dtype(f"U{max(text.widest, 1)}")
        yield Member.of(name, Lazy(text.shape, dtype, lambda begin, end: text[begin:end].astype(dtype)))
        return
    yield Member.of(name, text.data)
    yield Member.of(f"{name}_offsets", text.offsets)
    yield Member.of(f"{name}_shape", np.array(text.shape))


def _refuse_nul(name: str, cells: Sequence[str]) -> None:
    if any("\0" in cell for cell in cells):
        raise DataError(f"{name} holds text with a NUL character, which NumPy would strip")


def description(data: Ragged | Padded | PaddedStream) -> dict[str, Any]:
    """What `meta` says of some sequences, as JSON data.

    >>> description(Ragged(np.arange(3), np.array([0, 1, 3])))["kind"]
    'ragged'
    """
    meta: dict[str, Any] = {"format": "seqtool", "version": VERSION, "kind": "ragged"}
    whole = data.ragged if isinstance(data, PaddedStream) else data
    if not isinstance(data, Ragged):
        meta |= {"kind": "padded", "padding": data.padding, "value": value_to_json(data.value)}
    meta["step_values"] = {name: value_to_json(array.value) for name, array in whole.per_step.items()}
    tables = titles_of_tables(whole.names)
    if tables:
        meta["tables"] = tables
    return meta | {"receipt": [dict(entry) for entry in whole.receipt]}
