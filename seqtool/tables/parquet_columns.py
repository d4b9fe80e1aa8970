"""Reads very many columns of a Parquet file a few at a time: each that is being read has a page in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from seqtool.arrays.file_array import FileArray
from seqtool.arrays.spool import Spool
from seqtool.tables.arrow_batches import serialized
from seqtool.tables.parquet_pages import page_sizes

_SHARE = 4  # of the memory that is allowed: so much of it may the pages of all columns take
_AT_A_TIME = 16  # the same of the columns that are read at a time
_OF_A_PAGE = 2  # times its bytes: as it is stored, and unpacked


def few_together(path: Path, metadata: Any, names: Sequence[str], limit: int) -> list[list[str]]:
    """Columns in groups whose pages fit into memory together; all in one group where they do.

    `limit` are the bytes that are allowed in all. Of each column the first page of the largest row group is looked at.
    """
    if not metadata.num_row_groups:
        return [[*names]]
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    largest = max(groups, key=lambda group: int(group.total_byte_size))
    if _OF_A_PAGE * largest.total_byte_size <= limit // _SHARE:  # as in small files: no page is looked at
        return [[*names]]
    needed = dict.fromkeys(names, 0)
    with path.open("rb") as file:
        for chunk in map(largest.column, range(largest.num_columns)):
            column = chunk.path_in_schema
            name = column if column in needed else column.partition(".")[0]
            if name in needed:
                needed[name] += _OF_A_PAGE * min(_first_pages(file, chunk), chunk.total_uncompressed_size)
    if sum(needed.values()) <= limit // _SHARE:
        return [[*names]]
    found, taken = list[list[str]](), 0
    for name, size in needed.items():
        if not found or taken + size > limit // _AT_A_TIME:
            found.append([])
            taken = 0
        found[-1].append(name)
        taken += size
    return found


def _first_pages(file: IO[bytes], chunk: Any) -> int:
    """The bytes of the first page of data of a column chunk, unpacked, and of the dictionary that it may have."""
    begin, count = chunk.data_page_offset, 1
    if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
        begin, count = chunk.dictionary_page_offset, 2
    return sum(islice(page_sizes(file, begin, begin + chunk.total_compressed_size), count))


def batches_of(
    file: Any, groups: Sequence[Sequence[str]], count: int, temporary: Path | None
) -> Iterator[Any]:
    """The record batches of a ParquetFile with the columns of all groups, of at most `count` rows each.

    Several groups are read one after another, a row group at a time, by way of a spool in the folder `temporary`.
    """
    if len(groups) == 1:
        yield from file.iter_batches(batch_size=count, columns=groups[0])
        return
    for row_group in range(file.num_row_groups):
        with Spool(temporary) as spool:
            stored = [
                [_stored(batch, spool) for batch in file.iter_batches(count, [row_group], columns=columns)]
                for columns in groups
            ]
            yield from with_all_columns([map(_loaded, batches) for batches in stored])


def _stored(batch: Any, spool: Spool) -> FileArray:
    """The bytes of a record batch in a spool."""
    return spool.append(np.frombuffer(serialized(batch), np.uint8))


def _loaded(stored: FileArray) -> Any:
    import pyarrow as pa

    return pa.ipc.open_stream(pa.py_buffer(stored[:])).read_next_batch()


def with_all_columns(streams: Sequence[Iterator[Any]]) -> Iterator[Any]:
    """The rows of several streams of record batches, which are cut in places of their own, as batches of all columns.

    >>> import pyarrow as pa
    >>> a, b = pa.record_batch({"a": [1, 2, 3]}), pa.record_batch({"b": [4, 5, 6]})
    >>> streams = [iter([a]), iter([b.slice(0, 1), b.slice(1)])]
    >>> [batch.to_pydict() for batch in with_all_columns(streams)]
    [{'a': [1], 'b': [4]}, {'a': [2, 3], 'b': [5, 6]}]
    """
    import pyarrow as pa

    left: list[Any] = [next(stream, None) for stream in streams]
    while all(batch is not None for batch in left):
        rows = min(map(len, left))
        columns = {
            name: column
            for batch in left
            for name, column in zip(batch.schema.names, batch.slice(0, rows).columns, strict=True)
        }
        yield pa.RecordBatch.from_arrays([*columns.values()], names=[*columns])
        left = [
            batch.slice(rows) if len(batch) > rows else next(stream, None)
            for batch, stream in zip(left, streams, strict=True)
        ]
