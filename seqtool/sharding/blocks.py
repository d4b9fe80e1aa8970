"""Encoded rows as engines move them: blocks of bytes, each for one shard, whose content no engine reads or changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.errors import SeqtoolError
from seqtool.grouping.columns import is_numbers
from seqtool.grouping.row_columns import SHARD
from seqtool.sharding.encoding import EncodedBatch
from seqtool.sharding.job import packed, plain, unpacked
from seqtool.tables.arrow_batches import serialized

_WAITING = 64 << 20  # bytes of rows that wait until a block is worth its overhead
_BLOCK = 8 << 20  # bytes at most, about: an engine holds several blocks at once, in several forms


def blocks(batches: Iterable[EncodedBatch]) -> Iterator[tuple[int, bytes]]:
    """The rows of batches as blocks, each with its shard: an Arrow stream of one record batch.

    An error goes with them, to the first shard: were it raised here, an engine would try again, and lose its words.
    """
    try:
        yield from _blocks(batches)
    except SeqtoolError as error:
        yield 0, _ERROR + packed(plain(error))


_ERROR = b"error:"


def _blocks(batches: Iterable[EncodedBatch]) -> Iterator[tuple[int, bytes]]:
    waiting: list[EncodedBatch] = []
    size = 0
    for batch in batches:
        waiting.append(batch)
        size += sum(column.nbytes for column in batch.values())
        if size >= _WAITING:
            yield from _by_shard(waiting)
            waiting, size = [], 0
    if waiting:
        yield from _by_shard(waiting)


def _by_shard(waiting: list[EncodedBatch]) -> Iterator[tuple[int, bytes]]:
    """All rows of some batches, which are emptied, as blocks."""
    shards = np.concatenate([batch[SHARD] for batch in waiting])
    counts = np.bincount(shards)
    # NumPy sorts numbers of 16 bits in linear time.
    order = pa.array(np.argsort(shards.astype(np.min_scalar_type(len(counts) - 1)), kind="stable"))
    columns = {name: _together([batch.pop(name) for batch in waiting]).take(order) for name in [*waiting[0]]}
    rows = pa.RecordBatch.from_pydict(columns)
    most = max(1, len(rows) * _BLOCK // max(1, rows.nbytes))
    end = 0
    for shard in np.flatnonzero(counts).tolist():
        begin, end = end, end + int(counts[shard])
        for first in range(begin, end, most):
            block = serialized(rows.slice(first, min(most, end - first)))
            yield shard, block.to_pybytes()


def _together(parts: list[Any]) -> Any:
    return pa.array(np.concatenate(parts)) if is_numbers(parts[0]) else pa.concat_arrays(parts)


def batches(blocks: Iterable[bytes]) -> Iterator[EncodedBatch]:
    """The rows of blocks as batches; raises the error that went with them."""
    for block in blocks:
        if block[: len(_ERROR)] == _ERROR:
            (error,) = unpacked([block[len(_ERROR) :]])
            raise error
        with pa.ipc.open_stream(block) as stream:
            for batch in stream:
                yield dict(zip(batch.schema.names, map(_column, batch.columns), strict=True))


def _column(column: Any) -> Any:
    """A column as the kernel takes it: numbers as NumPy has them, text as Arrow has it."""
    return (
        column
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        else column.to_numpy()
    )
