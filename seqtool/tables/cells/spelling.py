"""How cells of text are spelled: plain integers, numbers, UUIDs; and the buffers of Arrow text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array

_FIRST = 16  # cells that are tried before all others


def plain_integers(array: Any) -> Any:
    """Text as int64 if writing each integer gives back its text, else None: 007, +7, 0x7 and -0 do not.

    >>> plain_integers(pa.array(["7", "-12"])).to_pylist(), plain_integers(pa.array(["7", "07"]))
    ([7, -12], None)
    >>> plain_integers(pa.array(["0xFFFFFFFFFFFF", "07"])) is None
    True
    """
    try:
        pc.cast(array.slice(0, _FIRST), pa.int64())  # to fail early: Arrow is slow where many cells fail
        integers = pc.cast(array, pa.int64())
    except pa.ArrowInvalid:
        return None
    return integers if _plainly_written(text_bytes(array), text_offsets(array)) else None


def _plainly_written(text: Array, offsets: Array) -> bool:
    """Whether none of the cells, all of which read as integers, has a letter, a plus sign or a leading zero."""
    if not len(text):
        return True
    if text.max() > ord("9") or text.min() < ord("-"):
        return False
    begins = offsets[:-1] - offsets[0]
    first = text[begins]
    signed = begins[first < ord("0")]
    if (text[signed + 1] == ord("0")).any():  # -0 and -07
        return False
    return not (np.diff(offsets)[first == ord("0")] > 1).any()


def text_offsets(array: Any) -> Array:
    """Where the cells of an Arrow array of text begin in its bytes, and where the last ends: (n + 1,) int32."""
    if not len(array):
        return np.zeros(1, np.int32)
    return np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]


def text_bytes(array: Any) -> Array:
    """The bytes of all cells of an Arrow array of text, end to end."""
    offsets, data = text_offsets(array), array.buffers()[2]
    if data is None or offsets[0] == offsets[-1]:
        return np.empty(0, np.uint8)
    return np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]


def spelled_whole(array: Any) -> bool:
    """Whether no cell has a point or an exponent. Arrow does not read +5 as an integer, although it is one."""
    return not any(_has_letter(array, letter) for letter in (b".", b"e", b"n"))


def _has_letter(array: Any, letter: bytes) -> bool:
    """Whether a letter stands in any cell, as a capital or not."""
    text = text_bytes(array)
    return bool((text == ord(letter)).any() or (text == ord(letter.upper())).any())


def parsed_as(array: Any, target: Any) -> Any:
    """Text as numbers of an Arrow type if every cell is spelled as one, else None."""
    try:
        parsed = pc.cast(array, target)
    except pa.ArrowInvalid:
        return None
    # Arrow reads 0x1F as an integer, but in a table it is text.
    return None if pa.types.is_integer(target) and _has_letter(array, b"x") else parsed


def is_uuid(kind: Any) -> bool:
    """Whether an Arrow type holds UUIDs: Arrow's own type, or 16 bytes, as databases write them to Parquet.

    >>> is_uuid(pa.uuid()), is_uuid(pa.binary(16)), is_uuid(pa.binary(4))
    (True, True, False)
    """
    return bool(kind == pa.uuid() or (pa.types.is_fixed_size_binary(kind) and kind.byte_width == _UUID_BYTES))


def uuid_text(array: Any) -> Any:
    """UUIDs as text with hyphens.

    >>> uuid_text(pa.array([bytes(range(16)), None], pa.binary(16))).to_pylist()
    ['00010203-0405-0607-0809-0a0b0c0d0e0f', None]
    """
    stored = array.storage if isinstance(array, pa.ExtensionArray) else array
    count, data = len(stored), stored.buffers()[1]
    if not count or data is None:
        return pa.nulls(count, pa.string())
    first = stored.offset * _UUID_BYTES
    cells = np.frombuffer(data, np.uint8)[first : first + count * _UUID_BYTES].reshape(count, _UUID_BYTES)
    text = np.full((count, _UUID_LETTERS), ord("-"), np.uint8)
    text[:, _UUID_DIGITS] = _HEXADECIMAL[cells].reshape(count, -1)
    ends = np.arange(0, (count + 1) * _UUID_LETTERS, _UUID_LETTERS, dtype=np.int32)
    texts = pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(ends), pa.py_buffer(text)])
    return pc.if_else(stored.is_valid(), texts, None) if stored.null_count else texts


_UUID_BYTES, _UUID_LETTERS = 16, 36
_UUID_DIGITS = [place for place in range(_UUID_LETTERS) if place not in (8, 13, 18, 23)]
_HEXADECIMAL = np.array([[*f"{byte:02x}".encode()] for byte in range(256)], np.uint8)
