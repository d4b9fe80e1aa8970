"""The shard of each row by its key: the CRC-32 of `seqtool.files.manifest.shard_of`, for a batch at once."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array
from seqtool.grouping.columns import is_numbers
from seqtool.grouping.row_columns import is_key
from seqtool.tables.cells.spelling import text_offsets

_LONG = 48  # bytes of a key, beyond which a call each is faster than a step each


def key_columns(batch: Mapping[str, Any]) -> list[Any]:
    """The key columns of an encoded batch."""
    return [column for name, column in batch.items() if is_key(name)]


def shards_of(keys: Sequence[Any], count: int) -> Array:
    """The shard of each row, (n,) int64, by its key columns: NumPy integers or Arrow text.

    >>> from seqtool.files.manifest import shard_of
    >>> shards_of([np.array([7, 8])], 16).tolist() == [shard_of([7], 16), shard_of([8], 16)]
    True
    """
    if len(keys) == 1 and is_numbers(keys[0]):
        return crc32_of_integers(keys[0]).astype(np.int64) % count
    columns = [pa.array(column).cast(pa.string()) if is_numbers(column) else column for column in keys]
    text = columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, "\0")
    return crc32(text.cast(pa.string())).astype(np.int64) % count


def crc32(text: Any) -> Array:
    """The CRC-32 of each cell of an Arrow array of strings without nulls, (n,) uint32.

    >>> int(crc32(pa.array(["a", ""]))[0]) == zlib.crc32(b"a")
    True
    """
    if not len(text):
        return np.empty(0, np.uint32)
    offsets = text_offsets(text).astype(np.int64)
    data = text.buffers()[2]
    data = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    lengths = np.diff(offsets)
    found = np.full(len(lengths), 0xFFFFFFFF, np.uint32)
    for place in range(min(int(lengths.max()), _LONG)):
        rows: Any = np.flatnonzero(lengths > place)
        rows = slice(None) if len(rows) == len(lengths) else rows
        cells = found[rows]
        found[rows] = _TABLE[(cells ^ data[offsets[:-1][rows] + place]) & 0xFF] ^ (cells >> 8)
    found = ~found
    for row in np.flatnonzero(lengths > _LONG).tolist():
        found[row] = zlib.crc32(data[offsets[row] : offsets[row + 1]].tobytes())
    return found


def crc32_of_integers(numbers: Array) -> Array:
    """The CRC-32 of each integer as text, (n,) uint32, without making the text.

    The remainder of a text is that of as many zeros, changed by what each digit adds in its place: four are looked up
    at once.

    >>> crc32_of_integers(np.array([-70000])).tolist() == [zlib.crc32(b"-70000")]
    True
    """
    # The absolute value of -2**63 overflows to itself, whose bits are the right unsigned number.
    size = (np.abs(numbers) if numbers.dtype.kind == "i" else numbers).astype(np.uint64)
    longer = np.zeros(len(size), np.uint8)  # digits after the first
    for power in _POWERS[: np.searchsorted(_POWERS, size.max(initial=0), side="right")]:
        longer += size >= power
    found = _ZEROS[(numbers < 0).view(np.uint8), longer]
    for added in _ADDED[: int(longer.max(initial=0)) // 4 + 1]:
        rest = size // _FOUR
        found ^= added[(size - rest * _FOUR).astype(np.intp)]
        size = rest
    return found


_DIGITS = 20  # of the greatest uint64
_FOUR = np.uint64(10**4)
_POWERS = 10 ** np.arange(1, _DIGITS, dtype=np.uint64)
_ZEROS = np.array(
    [[zlib.crc32(sign + b"0" * digits) for digits in range(1, _DIGITS + 1)] for sign in (b"", b"-")],
    np.uint32,
)


def _added() -> Array:
    """What four digits, as a number, do to the remainder of zeros, by their place from the end, (5, 10000)."""
    found = np.zeros((_DIGITS // 4, 10, 10, 10, 10), np.uint32)
    for place in range(_DIGITS):
        zeros = zlib.crc32(bytes(1 + place))
        digit = [zlib.crc32(bytes([digit]) + bytes(place)) ^ zeros for digit in range(10)]
        axes = [1] * 4
        axes[3 - place % 4] = 10
        found[place // 4] ^= np.array(digit, np.uint32).reshape(axes)
    return found.reshape(_DIGITS // 4, -1)


_ADDED = _added()


def _table() -> Array:
    """What each byte does to the remainder; CRC-32 of ISO 3309, bits reversed, as zlib has it."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(0xEDB88320), table >> 1)
    return table


_TABLE = _table()
