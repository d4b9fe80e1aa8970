"""Parquet files: their footers describe every column of every group of rows, and may be damaged or large."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from seqtool.files.inputs import Input
from seqtool.files.npy import OwnFile
from seqtool.tables.arrow_batches import (
    COPIES,
    Records,
    check_cells,
    check_dictionary,
    check_list,
    check_text,
    in_pieces,
    rows_at_once,
    validate,
)
from seqtool.tables.parquet_pages import page_sizes, read_page
from seqtool.tables.table import BATCH_BYTES
from seqtool.words import human


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
        _check_pages(source, metadata, names)
        options = {"metadata": metadata, "buffer_size": _PAGES, "pre_buffer": False}
        with parquet.ParquetFile(source.path, **options) as file:
            text = BATCH_BYTES // (4 * _text_bytes(source, metadata, names))  # it is copied as it is encoded
            count = max(1, min(rows_at_once(schema, columns), text))
            before = 0
            for batch in file.iter_batches(batch_size=count, columns=names):
                chosen = batch.select(names)
                validate(chosen)
                check_cells(source, chosen, before)
                before += len(chosen)
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


def _check_pages(source: Input, metadata: Any, names: Sequence[str]) -> None:
    """Raise DataError for a page that takes more memory than is allowed, as one enormous text among small ones does."""
    wanted = {*names}
    with source.path.open("rb") as file:
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            for chunk in map(group.column, range(group.num_columns)):
                name = chunk.path_in_schema.partition(".")[0]
                small = COPIES * chunk.total_uncompressed_size <= source.memory.limit
                if small or not {name, chunk.path_in_schema} & wanted:
                    continue
                begin = chunk.data_page_offset
                end = begin + chunk.total_compressed_size
                for size in page_sizes(file, begin, end):
                    what = f"{source.name}: column {name!r}: a page of {human(size)}"
                    source.memory.check_whole(
                        what, COPIES * size, "shorten its longest cell, or write smaller pages"
                    )


def _text_bytes(source: Input, metadata: Any, names: Sequence[str]) -> int:
    """The bytes of text in a row of these columns on average, at least one: in the row group that has most.

    Raises DataError for a dictionary of texts that takes more memory than is allowed, for it can only be read whole,
    and for cells that do on average: no cell can be looked at before it is read, so that of all is told.
    """
    wanted, most = {*names}, 1
    paths = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
    texts = [i for i, path in enumerate(paths) if path in wanted]
    lists = [(i, path.partition(".list.")[0]) for i, path in enumerate(paths) if ".list." in path]
    with source.path.open("rb") as file:
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            rows = max(1, group.num_rows)
            for i, name in lists:
                size = group.column(i).total_uncompressed_size if name in wanted else 0
                if size // rows > source.memory.limit // COPIES:
                    check_list(source, f"column {name!r}", size)
            chunks = [chunk for chunk in map(group.column, texts) if chunk.physical_type == "BYTE_ARRAY"]
            for chunk in chunks:
                name, size = chunk.path_in_schema, chunk.total_uncompressed_size
                if not chunk.has_dictionary_page:
                    if size // rows > source.memory.single:
                        check_text(source, f"column {name!r}", size)
                elif size > _LARGE:
                    file.seek(chunk.dictionary_page_offset)
                    page = read_page(file.read(_HEADER))
                    check_dictionary(source, name, 0 if page is None else page.unpacked)
            most = max(most, sum(chunk.total_uncompressed_size for chunk in chunks) // rows)
    return most


_HEADER = 1 << 12  # bytes in which the header of a dictionary ends
_LARGE = 1 << 20  # bytes of a column chunk from which on its dictionary is looked at


_PAGES = 1 << 20  # bytes of a Parquet column that are read at once
