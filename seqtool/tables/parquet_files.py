"""Parquet files: their footers describe every column of every group of rows, and may be damaged or large."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from seqtool.files.inputs import Input
from seqtool.files.npy import OwnFile
from seqtool.tables.arrow_batches import Records, check_dictionary, in_pieces, rows_at_once, validate
from seqtool.tables.table import BATCH_BYTES


def parquet_records(source: Input) -> Records:
    """What a Parquet file holds; whole column chunks are never held, for a file may be one single row group."""
    import pyarrow.parquet as parquet

    _check_footer(source)
    with parquet.ParquetFile(source.path) as file:
        schema, metadata = file.schema_arrow, file.metadata
    all_names = schema.names

    def batches(columns: Sequence[int]) -> Iterator[Any]:
        names = [all_names[i] for i in columns]
        _check_chunks(source, metadata, names)
        options = {"metadata": metadata, "buffer_size": _PAGES, "pre_buffer": False}
        with parquet.ParquetFile(source.path, **options) as file:
            text = BATCH_BYTES // (4 * _text_bytes(source, metadata, names))  # it is copied as it is encoded
            count = max(1, min(rows_at_once(schema, columns), text))
            for batch in file.iter_batches(batch_size=count, columns=names):
                chosen = batch.select(names)
                validate(chosen)
                yield from in_pieces(chosen)

    return Records(schema, batches, int(metadata.num_rows))


def _check_footer(source: Input) -> None:
    """Raise DataError for a footer that takes more memory than is allowed: it describes each column of each group."""
    with source.path.open("rb") as file:
        file.seek(-min(_FOOTER, source.path.stat().st_size), io.SEEK_END)
        size = int.from_bytes(file.read(4), "little")
    if size <= source.path.stat().st_size:  # else it is damaged, and Arrow says so
        source.memory.check_whole(
            f"{source.name}: the description of its columns",
            _DESCRIBED * size,
            "save it with fewer columns, or as CSV or Arrow",
        )


_FOOTER = 8  # bytes: the size of what stands in front of them, and a mark
_DESCRIBED = 20  # bytes that each byte of a footer takes once it is read: measured


def _check_chunks(source: Input, metadata: Any, names: Sequence[str]) -> None:
    """Raise what Arrow raises for a damaged description of a column chunk, of which its metadata end the process.

    Before its reader asks for any data it looks at the descriptions of all chunks of a row group.
    """
    import pyarrow as pa
    import pyarrow.parquet as parquet

    file = _NoData(source.path)
    options = {"metadata": metadata, "buffer_size": _PAGES, "pre_buffer": False}
    with parquet.ParquetFile(pa.PythonFile(file, "r"), **options) as described:
        for group in range(metadata.num_row_groups):
            try:
                next(described.iter_batches(1, [group], names, use_threads=False), None)
            except OSError:
                if not file.asked:
                    raise
                file.asked = False


class _NoData(OwnFile):
    """A file that gives no data, and knows whether it was asked for some."""

    asked = False

    def read(self, size: int | None = -1) -> bytes:
        self.asked = True
        raise OSError("only what describes the data is looked at")


def _text_bytes(source: Input, metadata: Any, names: Sequence[str]) -> int:
    """The bytes of text in a row of these columns on average, at least one: in the row group that has most.

    Raises DataError for a dictionary of texts that takes more memory than is allowed: it can only be read whole.
    """
    wanted, most = {*names}, 1
    places = [i for i in range(metadata.num_columns) if metadata.schema.column(i).path in wanted]
    with source.path.open("rb") as file:
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            chunks = [group.column(i) for i in places]
            for chunk in chunks:
                if chunk.has_dictionary_page and chunk.total_uncompressed_size > _LARGE:
                    file.seek(chunk.dictionary_page_offset)
                    check_dictionary(source, chunk.path_in_schema, _page_size(file.read(16)))
            size = sum(
                chunk.total_uncompressed_size for chunk in chunks if chunk.physical_type == "BYTE_ARRAY"
            )
            most = max(most, size // max(1, group.num_rows))
    return most


_LARGE = 1 << 20  # bytes of a column chunk from which on its dictionary is looked at


def _page_size(header: bytes) -> int:
    """The bytes of a Parquet page once it is unpacked, by its header: two numbers in Thrift's compact form.

    >>> _page_size(bytes([0x15, 0x04, 0x15, 0x90, 0x03]))
    200
    """
    at = header.index(0x15, 2) + 1  # behind the type of the page, which takes one byte
    size, shift = 0, 0
    for byte in header[at:]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return size >> 1


_PAGES = 1 << 20  # bytes of a Parquet column that are read at once
