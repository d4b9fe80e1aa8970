"""The distinct texts of a column, and for each cell which of them it holds.

Arrow finds equal numbers several times as fast as equal texts. Keys such as `user10423` or `P-0042` become numbers here
where that loses nothing: texts of any length that differ in eight bytes at most, and only at their ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.tables.cells.spelling import text_bytes, text_offsets

_WORD = 8  # bytes of a number
_TILE = 1 << 15  # cells that become numbers together, so that they stay in the cache
# By the number of bytes that belong to a cell: those, the first of which is the lowest.
_OWN = np.array([(1 << 8 * size) - 1 for size in range(_WORD + 1)], np.uint64)


def distinct(arrays: Sequence[Any]) -> tuple[Array, Any]:
    """Arrow texts without nulls as (n,) int32 numbers of the distinct ones, and these, as they appear.

    >>> numbers, texts = distinct([pa.array(["user7", "user12"]), pa.array(["user7"])])
    >>> numbers.tolist(), texts.to_pylist()
    ([0, 1, 0], ['user7', 'user12'])
    """
    chunked = pa.chunked_array(arrays)
    words = _as_words(arrays) if pa.types.is_string(chunked.type) else None
    if words is None:
        encoded = chunked.dictionary_encode().unify_dictionaries().combine_chunks()
        return np.asarray(encoded.indices), encoded.dictionary
    codes = np.asarray(pa.array(words).dictionary_encode().indices)
    del words
    # Arrow counts them in the order in which they appear: each is larger than all before it where it is new.
    new = np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=np.int32(-1)) > 0)
    return codes, chunked.take(pa.array(new)).combine_chunks()


def _as_words(arrays: Sequence[Any]) -> Array | None:
    """The cells as (n,) uint64 that are equal where their texts are; None where some differ in too many bytes.

    All begin with the same bytes, up to the last eight of the longest cell; what follows in a cell, filled up with
    bytes 0, is its number. A byte 0 in the text would look like that, so then there are none.
    """
    full = [array for array in arrays if len(array)]
    sizes = [np.diff(text_offsets(array)) for array in full]
    shared = max(0, max(int(size.max()) for size in sizes) - _WORD) if full else 0
    start = text_bytes(full[0])[:shared] if full else np.empty(0, np.uint8)
    if any(int(size.min()) < shared for size in sizes):
        return None
    words, done = np.empty(sum(map(len, full)), np.uint64), 0
    for array, size in zip(full, sizes, strict=True):
        for first in range(0, len(array), _TILE):
            found = _words_of(array[first : first + _TILE], size[first : first + _TILE], start)
            if found is None:
                return None
            words[done : done + len(found)] = found
            done += len(found)
    return words


def _words_of(cells: Any, sizes: Array, start: Array) -> Array | None:
    """What follows the `start` in each cell as a number; None where one starts otherwise, or has a byte 0."""
    offsets, text = text_offsets(cells), text_bytes(cells)
    begins, shared = offsets[:-1] - offsets[0], len(start)
    if (
        not np.array_equal(text[begins[-1] :][:shared], start) or not text.all()
    ):  # the last cell tells that quickly
        return None
    padded = np.zeros(len(text) + _WORD, np.uint8)
    padded[: len(text)] = text
    at = np.ndarray((len(text) + 1,), "<u8", padded, 0, (1,))  # the eight bytes from each byte on
    if len(cells) < shared // _WORD:  # a few long ones, such as texts of megabytes
        same = all(np.array_equal(text[begin : begin + shared], start) for begin in begins)
    else:
        same = not any(
            ((at[begins + place] ^ at[begins[-1] + place]) & _OWN[min(_WORD, shared - place)]).any()
            for place in range(0, shared, _WORD)
        )
    if not same:
        return None
    return np.asarray(at[begins + shared] & _OWN[sizes - shared])
