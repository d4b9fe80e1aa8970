"""The distinct texts of a column, and for each cell which of them it holds.

Arrow finds equal numbers several times as fast as equal texts. Keys such as `user10423` or `P-0042` become numbers here
where that loses nothing: texts of any length that differ in eight bytes at most, and only at their ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.tables.cells.spelling import text_bytes, text_offsets

_WORD = 8  # bytes of a number
_TILE = 1 << 15  # cells that become numbers together, so that they stay in the cache
# By the number of bytes that belong to a cell: those, the first of which is the lowest.
_OWN = np.array([(1 << 8 * size) - 1 for size in range(_WORD + 1)], np.uint64)


def distinct(cells: Any) -> tuple[Array, Any]:
    """Arrow text without nulls as (n,) int32 numbers of its distinct texts, and these, as they appear.

    >>> numbers, texts = distinct(pa.array(["user7", "user12", "user7"]))
    >>> numbers.tolist(), texts.to_pylist()
    ([0, 1, 0], ['user7', 'user12'])
    """
    words = _as_words(cells) if pa.types.is_string(cells.type) else None
    if words is None:
        encoded = cells.dictionary_encode()
        return np.asarray(encoded.indices), encoded.dictionary
    numbers = np.asarray(pa.array(words).dictionary_encode().indices)
    del words
    # Arrow counts them in the order in which they appear: each is larger than all before it where it is new.
    new = np.diff(np.maximum.accumulate(numbers), prepend=np.int32(-1)) > 0
    return numbers, cells.take(pa.array(np.flatnonzero(new)))


def _as_words(cells: Any) -> Array | None:
    """The cells as (n,) uint64 that are equal where their texts are; None where some differ in too many bytes.

    All begin with the same bytes, up to the last eight of the longest cell; what follows in a cell, filled up with
    bytes 0, is its number. A byte 0 in the text would look like that, so then there are none.
    """
    offsets, text = text_offsets(cells), text_bytes(cells)
    if not len(text):
        return None
    begins, sizes = offsets[:-1] - offsets[0], np.diff(offsets)
    shared = max(0, int(sizes.max()) - _WORD)
    alike = int(sizes.min()) >= shared and np.array_equal(text[:shared], text[begins[-1] :][:shared])
    if not alike or not text.all():  # the first and the last cell tell that quickly, of most columns
        return None
    padded = np.zeros(len(text) + _WORD, np.uint8)
    padded[: len(text)] = text
    at = np.ndarray((len(text) + 1,), "<u8", padded, 0, (1,))  # the eight bytes from each byte on
    words = np.empty(len(cells), np.uint64)
    for first in range(0, len(cells), _TILE):
        tile = slice(first, first + _TILE)
        for place in range(0, shared, _WORD):
            own = _OWN[min(_WORD, shared - place)]
            if ((at[begins[tile] + place] ^ at[place]) & own).any():
                return None
        words[tile] = at[begins[tile] + shared] & _OWN[sizes[tile] - shared]
    return words
