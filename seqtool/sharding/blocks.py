"""Encoded rows as engines move them: blocks of bytes, each for one shard, whose content no engine reads or changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.errors import SeqtoolError
from seqtool.grouping.columns import is_numbers
from seqtool.sharding.encoding import Batch
from seqtool.sharding.job import packed, plain, unpacked

_WAITING = 64 << 20  # bytes of rows that wait until a block is worth its overhead


def blocks(batches: Iterable[Batch]) -> Iterator[tuple[int, bytes]]:
    """The rows of batches as blocks, each with its shard: an Arrow stream of one record batch.

    An error goes with them, to the first shard: were it raised here, an engine would try again, and lose its words.
    """
    try:
        yield from _blocks(batches)
    except SeqtoolError as error:
        yield 0, _ERROR + packed(plain(error))


_ERROR = b"error:"


def _blocks(batches: Iterable[Batch]) -> Iterator[tuple[int, bytes]]:
    waiting: dict[int, list[pa.RecordBatch]] = {}
    size = 0
    for batch in batches:
        whole = pa.RecordBatch.from_arrays(
            [pa.array(column) if is_numbers(column) else column for column in batch.values()], [*batch]
        )
        order = np.argsort(batch["shard"], kind="stable")
        sorted_rows = whole.take(pa.array(order))
        shards, begins = np.unique(batch["shard"][order], return_index=True)
        for shard, begin, end in zip(shards.tolist(), begins, [*begins[1:], len(order)], strict=True):
            waiting.setdefault(shard, []).append(sorted_rows.slice(begin, end - begin))
        size += whole.nbytes
        if size >= _WAITING:
            yield from _all(waiting)
            waiting, size = {}, 0
    yield from _all(waiting)


def _all(waiting: dict[int, list[pa.RecordBatch]]) -> Iterator[tuple[int, bytes]]:
    for shard in sorted(waiting):
        together = pa.concat_batches(waiting.pop(shard))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, together.schema) as stream:
            stream.write_batch(together)
        yield shard, sink.getvalue().to_pybytes()


def batches(blocks: Iterable[bytes]) -> Iterator[Batch]:
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
