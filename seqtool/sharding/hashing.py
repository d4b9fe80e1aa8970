"""The shard of each row by its key: the CRC-32 of `seqtool.files.manifest.shard_of`, for a batch at once."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array
from seqtool.grouping.columns import is_numbers
from seqtool.tables.cells.spelling import text_offsets

_LONG = 48  # bytes of a key, beyond which a call each is faster than a step each


def key_columns(batch: Mapping[str, Any]) -> list[Any]:
    """The key columns of an encoded batch."""
    return [column for name, column in batch.items() if re.fullmatch(r"k\d+", name)]


def shards_of(keys: Sequence[Any], count: int) -> Array:
    """The shard of each row, (n,) int64, by its key columns: NumPy integers or Arrow text.

    >>> from seqtool.files.manifest import shard_of
    >>> shards_of([np.array([7, 8])], 16).tolist() == [shard_of([7], 16), shard_of([8], 16)]
    True
    """
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


def _table() -> Array:
    """What each byte does to the remainder; CRC-32 of ISO 3309, bits reversed, as zlib has it."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(0xEDB88320), table >> 1)
    return table


_TABLE = _table()
