"""Parquet and Arrow: files that hold record batches, with types of their own.

Neither format protects its offsets, so every batch is validated before anybody follows them. No input is mapped:
another process may cut the file meanwhile, and a mapping would end ours then.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from seqtool.arrays.file_array import read_into
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError
from seqtool.files.inputs import Input
from seqtool.files.npy import OwnFile
from seqtool.system.platform import give_back
from seqtool.tables.table import BATCH_BYTES


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
    except MemoryError as error:  # which Arrow raises as an exception of its own, too
        raise _of_memory(source, error) from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(source, error) from None

    def read(columns: Sequence[int]) -> Iterator[Any]:
        try:
            yield from batches(columns)
        except MemoryError as error:
            raise _of_memory(source, error) from None
        except DataError:
            raise
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
            text = BATCH_BYTES // (
                4 * _text_bytes(source, file.metadata, names)
            )  # it is copied as it is encoded
            count = max(1, min(_rows_at_once(schema, columns), text))
            for batch in file.iter_batches(batch_size=count, columns=names):
                chosen = batch.select(names)
                _validate(chosen)
                yield from in_pieces(chosen)

    return schema, batches


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
                    _check_dictionary(source, chunk.path_in_schema, _page_size(file.read(16)))
            size = sum(
                chunk.total_uncompressed_size for chunk in chunks if chunk.physical_type == "BYTE_ARRAY"
            )
            most = max(most, size // max(1, group.num_rows))
    return most


_LARGE = 1 << 20  # bytes of a column chunk from which on its dictionary is looked at
_COPIES = 5  # of a dictionary, that stand in memory at once


def _check_dictionary(source: Input, name: str, size: int) -> None:
    source.memory.check_whole(
        f"{source.name}: the dictionary of column {name!r}", _COPIES * size, "write plain text"
    )


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


def _rows_at_once(schema: Any, columns: Sequence[int]) -> int:
    """The rows of a batch: fewer where there are many columns, or lists, whose lengths nobody knows."""
    nested = any(is_nested(schema.field(i).type) for i in columns)
    return max(1, min(1 << 17, BATCH_BYTES // (8 * max(1, len(columns)) * (100 if nested else 1))))


def in_pieces(batch: Any) -> Iterator[Any]:
    """A batch halved until its text is not too much: what is read from it copies it."""
    if len(batch) < 2 or sum(map(_letters, batch.columns)) <= BATCH_BYTES:
        yield batch
        return
    half = len(batch) // 2
    yield from in_pieces(batch.slice(0, half))
    yield from in_pieces(batch.slice(half))


def _letters(column: Any) -> int:
    """The bytes of text in a column, where it is text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type) and _is_text(column.type.value_type):
        lengths = pc.take(pc.binary_length(column.dictionary), column.indices)
    elif _is_text(column.type):
        lengths = pc.binary_length(column)
    else:
        return 0
    return pc.sum(lengths).as_py() or 0


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    types = pa.types
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
    )


def is_nested(kind: Any) -> bool:
    """Whether the cells of a type hold several values each."""
    import pyarrow as pa

    return bool(pa.types.is_nested(kind))


def _validate(batch: Any, *, once: bool | None = None) -> None:
    """Raise ArrowInvalid where offsets fall or point past their data, or text is not UTF-8.

    Lists and dictionaries are validated as a whole, however small the slice, and of numbers only the count of missing
    ones is: `once` is true for these columns alone, and false for the others.
    """
    import pyarrow as pa

    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        kind = column.type
        whole = is_nested(kind) or pa.types.is_dictionary(kind) or pa.types.is_primitive(kind)
        if once is None or once == whole:
            try:
                # Times past midnight, and dates with a time of day, are odd, but no danger.
                column.validate(full=not (pa.types.is_time(kind) or pa.types.is_date64(kind)))
            except pa.ArrowInvalid as error:
                raise pa.ArrowInvalid(f"column {name!r}: {error}") from None


def _arrow(source: Input) -> tuple[Any, Callable[[Sequence[int]], Iterator[Any]]]:
    import pyarrow as pa

    opener = pa.ipc.open_stream if source.kind == "arrow-stream" else pa.ipc.open_file
    schema = opener(pa.PythonFile(_ArrowFile(source), "r")).schema

    def batches(columns: Sequence[int]) -> Iterator[Any]:
        count = _rows_at_once(schema, columns)
        file = _ArrowFile(source)
        for batch in _record_batches(source, file, columns):
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                if pa.types.is_dictionary(column.type):
                    _check_dictionary(source, name, column.dictionary.nbytes)
            _validate(batch, once=True)
            for begin in range(0, len(batch), count):
                part = batch.slice(begin, count)
                _validate(part, once=False)
                for piece in in_pieces(part):
                    yield piece
                    file.give_back()

    return schema, batches


def _record_batches(source: Input, file: _ArrowFile, columns: Sequence[int]) -> Iterator[Any]:
    """The record batches of a file with these columns; others are not even read, where a batch is small."""
    import pyarrow as pa

    if source.kind == "arrow-stream":
        for batch in pa.ipc.open_stream(pa.PythonFile(file, "r")):
            yield batch.select(list(columns))
        return
    wanted = sorted({*columns})
    small = _SmallParts(source.path)
    options = pa.ipc.IpcReadOptions(included_fields=wanted)
    of_some = pa.ipc.open_file(pa.PythonFile(small, "r"), options=options)
    whole: Any = None
    for i in range(of_some.num_record_batches):
        small.room = _IN_MEMORY
        try:
            batch = of_some.get_batch(i).select([wanted.index(column) for column in columns])
        except (pa.ArrowException, OSError):
            if small.room >= 0:
                raise
            whole = whole or pa.ipc.open_file(pa.PythonFile(file, "r"))
            batch = whole.get_batch(i).select(list(columns))
        yield batch


_IN_MEMORY = 32 << 20  # bytes of a batch that stand in memory at once


class _SmallParts(OwnFile):
    """A file of which Arrow reads parts of record batches, as long as there is `room` in memory."""

    room = _IN_MEMORY

    def read(self, size: int | None = -1) -> bytes:
        self.room -= size or 0
        if self.room < 0:
            raise OSError("a batch takes more than memory should")
        return super().read(size)


class _ArrowFile(OwnFile):
    """A file as Arrow reads it: what is large stands in a copy on disk, and only pages in use are in memory.

    A file may hold all its rows in one batch, which Arrow can only read as a whole.
    """

    def __init__(self, source: Input) -> None:
        super().__init__(source.path)
        self._source = source
        self._copy: mmap.mmap | None = None

    def read_buffer(self, size: int) -> Any:
        """The next bytes, which Arrow uses where they are."""
        import pyarrow as pa

        if size <= _IN_MEMORY:
            return pa.py_buffer(self.read(size))
        begin = self.tell()
        piece = np.empty(_PIECE, np.uint8)
        with Spool(self._source.temporary) as spool:
            for done in range(0, size, _PIECE):
                part = piece[: size - done]
                read_into(self, part, begin + done, self._source.name)
                spool.append(part)
            self._copy = spool.map()
        self.seek(begin + size)
        return pa.py_buffer(self._copy)

    def give_back(self) -> None:
        """Let go of the pages that were looked at, which count as ours until then."""
        if self._copy is not None:
            give_back(self._copy)


_PIECE = 1 << 20  # bytes that are copied at once


def _of_memory(source: Input, error: MemoryError) -> Exception:
    """The error for what does not fit into memory: damage, where no file of this size could hold so much."""
    asked = re.search(r"size (\d+)", str(error))
    damaged = asked is not None and int(asked[1]) > max(_NO_MEMORY, 1000 * source.path.stat().st_size)
    return _damaged(source, error) if damaged else error


_NO_MEMORY = 1 << 42  # bytes that no machine gives at once


def _damaged(source: Input, error: Exception) -> DataError:
    return DataError(
        f"{source.name}: damaged, or not a complete {source.kind} file ({' '.join(str(error).split())})"
    )
