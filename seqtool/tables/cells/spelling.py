"""Text that is written as plainly as can be, and what lies behind text in Arrow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array

_FIRST = 16  # cells that mostly tell what the others are


def plain_integers(array: Any) -> Any:
    """Text as int64 if writing each integer gives back its text, else None: 007, +7, 0x7 and -0 do not.

    >>> plain_integers(pa.array(["7", "-12"])).to_pylist(), plain_integers(pa.array(["7", "07"]))
    ([7, -12], None)
    >>> plain_integers(pa.array(["0xFFFFFFFFFFFF", "07"])) is None
    True
    """
    try:
        pc.cast(array.slice(0, _FIRST), pa.int64())  # Arrow notes every cell that fails, which takes long
        integers = pc.cast(array, pa.int64())
    except pa.ArrowInvalid:
        return None
    # Of digits and signs no spelling of an integer is shorter than the plain one, so no cell makes up for another, and
    # the letters in all tell; 0xDEADBEEF, which Arrow takes for one, may be shorter.
    if text_bytes(array).max(initial=0) > ord("9"):
        return None
    return integers if len(text_bytes(array)) == _plain_letters(np.asarray(integers)) else None


def _plain_letters(integers: Array) -> int:
    """The letters that it takes to write some integers plainly."""
    if not len(integers):
        return 0
    low, high = int(integers.min()), int(integers.max())
    total, least = len(integers) + int((integers < 0).sum()), 10
    while least <= max(high, -low):
        if high >= least:
            total += int((integers >= least).sum())
        if low <= -least:
            total += int((integers <= -least).sum())
        least *= 10
    return total


def text_offsets(array: Any) -> Array:
    """Where each cell of an Arrow array of text begins in its bytes, and the end of the last: (n + 1,) int32."""
    if not len(array):
        return np.zeros(1, np.int32)
    return np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]


def text_bytes(array: Any) -> Array:
    """The bytes of all cells of an Arrow array of text, end to end."""
    offsets, data = text_offsets(array), array.buffers()[2]
    if data is None or offsets[0] == offsets[-1]:
        return np.empty(0, np.uint8)
    return np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]
