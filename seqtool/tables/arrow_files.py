"""Parquet and Arrow: files that hold record batches, with types of their own."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seqtool.errors import DataError
from seqtool.files.inputs import Input
from seqtool.system.platform import give_back
from seqtool.tables.table import BATCH_BYTES

if TYPE_CHECKING:
    pass


def row_count(source: Input) -> int | None:
    """The rows of a Parquet file, which says so itself."""
    if source.kind != "parquet":
        return None
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(source.path) as file:
        return int(file.metadata.num_rows)


def record_batches(source: Input) -> tuple[Any, Callable[[Sequence[int]], Iterator[Any]]]:
    """The schema of a Parquet or Arrow file, and what gives batches of the columns at some positions."""
    import pyarrow as pa

    try:
        schema, batches = (_parquet if source.kind == "parquet" else _arrow)(source)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(source, error) from None

    def read(columns: Sequence[int]) -> Iterator[Any]:
        try:
            yield from batches(columns)
        except (pa.ArrowException, OSError, ValueError, IndexError) as error:
            raise _damaged(source, error) from None

    return schema, read


def _parquet(source: Input) -> tuple[Any, Callable[[Sequence[int]], Iterator[Any]]]:
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(source.path) as file:
        schema = file.schema_arrow

    def batches(columns: Sequence[int]) -> Iterator[Any]:
        names = [schema.names[i] for i in columns]
        # Whole column chunks are never held: a file may be one single row group.
        with parquet.ParquetFile(source.path, buffer_size=_PAGES, pre_buffer=False) as file:
            text = BATCH_BYTES // (4 * _text_bytes(file.metadata, names))  # it is copied as it is encoded
            count = max(1, min(_rows_at_once(schema, columns), text))
            for batch in file.iter_batches(batch_size=count, columns=names):
                yield batch.select(names)

    return schema, batches


def _text_bytes(metadata: Any, names: Sequence[str]) -> int:
    """The bytes of text in a row of these columns on average, at least one: in the row group that has most."""
    most = 1
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        chunks = map(group.column, range(group.num_columns))
        texts = (c for c in chunks if c.physical_type == "BYTE_ARRAY" and c.path_in_schema in names)
        size = sum(chunk.total_uncompressed_size for chunk in texts)
        most = max(most, size // max(1, group.num_rows))
    return most


_PAGES = 1 << 20  # bytes of a Parquet column that are read at once


def _rows_at_once(schema: Any, columns: Sequence[int]) -> int:
    """The rows of a batch: fewer where there are many columns, or lists, whose lengths nobody knows."""
    nested = any(is_nested(schema.field(i).type) for i in columns)
    return max(1, min(1 << 17, BATCH_BYTES // (8 * max(1, len(columns)) * (100 if nested else 1))))


def is_nested(kind: Any) -> bool:
    """Whether the cells of a type hold several values each."""
    import pyarrow as pa

    return bool(pa.types.is_nested(kind))


def _arrow(source: Input) -> tuple[Any, Callable[[Sequence[int]], Iterator[Any]]]:
    import pyarrow as pa

    opener = pa.ipc.open_stream if source.kind == "arrow-stream" else pa.ipc.open_file
    with _memory_mapped(source) as (reading, _):
        schema = opener(reading).schema

    def batches(columns: Sequence[int]) -> Iterator[Any]:
        count = _rows_at_once(schema, columns)
        with _memory_mapped(source) as (reading, pages):
            reader = opener(reading)
            many = getattr(reader, "num_record_batches", None)
            for batch in reader if many is None else map(reader.get_batch, range(many)):
                chosen = batch.select(list(columns))
                if any(is_nested(field.type) for field in chosen.schema):
                    chosen.validate(full=True)  # bad offsets would read past the data: Arrow has no checksums
                for begin in range(0, len(batch), count):
                    yield chosen.slice(begin, count)
                    # Pages that were looked at count as ours until they are given back.
                    give_back(pages)

    return schema, batches


@contextmanager
def _memory_mapped(source: Input) -> Iterator[tuple[Any, mmap.mmap]]:
    """A file as Arrow reads it, and the pages of memory behind it."""
    import pyarrow as pa

    with source.path.open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    yield pa.BufferReader(pa.py_buffer(pages)), pages  # which go when the last array on them does


def _damaged(source: Input, error: Exception) -> DataError:
    return DataError(
        f"{source.name}: damaged, or not a complete {source.kind} file ({' '.join(str(error).split())})"
    )
