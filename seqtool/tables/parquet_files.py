"""Reads Parquet files, whose footers describe every column of every row group, and may be damaged or large."""

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
from seqtool.tables.parquet_columns import batches_of, few_together
from seqtool.tables.parquet_pages import page_sizes
from seqtool.tables.table import BATCH_BYTES
from seqtool.words import human


def parquet_records(source: Input) -> Records:
    """The record batches of a Parquet file, read page by page, for the whole file may be one row group."""
    import pyarrow.parquet as parquet

    _check_footer(source)
    with parquet.ParquetFile(source.path) as file:
        schema, metadata = file.schema_arrow, file.metadata
    all_names = schema.names

    def batches(columns: Sequence[int]) -> Iterator[Any]:
        names = [all_names[i] for i in columns]
        _check_chunks(source, metadata, names)
        _check_pages(source, metadata, names)
        _check_average_cells(source, metadata, names)
        options = {"metadata": metadata, "buffer_size": _buffer(len(names)), "pre_buffer": False}
        with parquet.ParquetFile(source.path, **options) as file:
            # Text is copied when it is decoded.
            rows_of_text = BATCH_BYTES // (4 * _text_per_row(metadata, names))
            count = max(1, min(rows_at_once(schema, columns), rows_of_text))
            groups = few_together(source.path, metadata, names, source.memory.limit)
            before = 0
            for batch in batches_of(file, groups, count, source.temporary):
                chosen = batch.select(names)
                validate(chosen)
                check_cells(source, chosen, before)
                before += len(chosen)
                yield from in_pieces(chosen)

    return Records(schema, batches, int(metadata.num_rows))


def _check_footer(source: Input) -> None:
    """Raise DataError for a footer that takes more memory than is allowed."""
    with source.path.open("rb") as file:
        file.seek(-min(_FOOTER, source.path.stat().st_size), io.SEEK_END)
        size = int.from_bytes(file.read(4), "little")
    if size <= source.path.stat().st_size:  # else it is damaged, and Arrow says so
        source.memory.check_whole(
            f"{source.name}: the description of its columns",
            _DESCRIBED * size,
            "save it with fewer columns, or as CSV or Arrow",
        )


_FOOTER = 8  # bytes at the end of the file: the size of the footer, and a magic number
_DESCRIBED = 20  # bytes of memory for each byte of a footer: measured


def _check_chunks(source: Input, metadata: Any, names: Sequence[str]) -> None:
    """Raise what Arrow raises for damaged metadata of a column chunk.

    Asking `metadata` itself about such a chunk would crash the process. Arrow's reader looks at the metadata of all
    chunks of a row group before it asks for data, which it does not get here.
    """
    import pyarrow as pa
    import pyarrow.parquet as parquet

    file = _NoData(source.path)
    options = {"metadata": metadata, "buffer_size": _buffer(len(names)), "pre_buffer": False}
    with parquet.ParquetFile(pa.PythonFile(file, "r"), **options) as described:
        for group in range(metadata.num_row_groups):
            try:
                next(described.iter_batches(1, [group], names, use_threads=False), None)
            except OSError:
                if not file.asked:
                    raise
                file.asked = False


class _NoData(OwnFile):
    """A file that refuses to give data, and notes in `asked` that it was asked for some."""

    asked = False

    def read(self, size: int | None = -1) -> bytes:
        self.asked = True
        raise OSError("only the metadata are looked at")


def _check_pages(source: Input, metadata: Any, names: Sequence[str]) -> None:
    """Raise DataError for a page that takes more memory than is allowed, such as one with an enormous text."""
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
                    page = f"{source.name}: column {name!r}: a page of {human(size)}"
                    source.memory.check_whole(
                        page, COPIES * size, "shorten its longest cell, or write smaller pages"
                    )


def _check_average_cells(source: Input, metadata: Any, names: Sequence[str]) -> None:
    """Raise DataError where the cells of a column chunk are too large on average, or its dictionary of texts is.

    No cell can be looked at before Arrow has read it, and a dictionary is only read as a whole.
    """
    wanted, paths = {*names}, _paths(metadata)
    texts = [i for i, path in enumerate(paths) if path in wanted]
    lists = [(i, path.partition(".list.")[0]) for i, path in enumerate(paths) if ".list." in path]
    with source.path.open("rb") as file:
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            rows = max(1, group.num_rows)
            for i, name in lists:
                size = group.column(i).total_uncompressed_size if name in wanted else 0
                if size // rows > source.memory.limit // COPIES:
                    check_list(source, f"column {name!r}", size)
            for chunk in _chunks_of_text(group, texts):
                name, size = chunk.path_in_schema, chunk.total_uncompressed_size
                if not chunk.has_dictionary_page:
                    if size // rows > source.memory.single:
                        check_text(source, f"column {name!r}", size)
                elif size > _LARGE:
                    begin = chunk.dictionary_page_offset
                    check_dictionary(source, name, next(page_sizes(file, begin, begin + 1), 0))


_LARGE = 1 << 20  # bytes: the dictionaries of smaller column chunks are never too large


def _text_per_row(metadata: Any, names: Sequence[str]) -> int:
    """The average bytes of text in a row of these columns, in the row group with the most; at least 1."""
    wanted = {*names}
    texts = [i for i, path in enumerate(_paths(metadata)) if path in wanted]
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    return (
        max(
            (
                sum(chunk.total_uncompressed_size for chunk in _chunks_of_text(group, texts))
                // max(1, group.num_rows)
                for group in groups
            ),
            default=1,
        )
        or 1
    )


def _paths(metadata: Any) -> list[str]:
    """The paths in the schema of all column chunks: the names of columns, except for those of nested ones."""
    return [metadata.schema.column(i).path for i in range(metadata.num_columns)]


def _chunks_of_text(group: Any, columns: Sequence[int]) -> list[Any]:
    return [chunk for chunk in map(group.column, columns) if chunk.physical_type == "BYTE_ARRAY"]


def _buffer(columns: int) -> int:
    """The bytes of each of so many column chunks that are read at a time, for all are read beside one another."""
    return min(1 << 20, max(1 << 16, _BUFFERS // max(1, columns)))


_BUFFERS = 16 << 20  # bytes
