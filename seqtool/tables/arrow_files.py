"""Reads Parquet and Arrow: files of record batches with types of their own.

Neither format protects its offsets by checksums, so every batch is validated before they are followed. Inputs are not
mapped into memory: if another process truncated the file, reading the mapping would end ours.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from seqtool.arrays.file_array import read_into
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError
from seqtool.files.inputs import Input
from seqtool.files.npy import OwnFile
from seqtool.files.packing import READ_AT_ONCE
from seqtool.system.platform import give_back
from seqtool.tables.arrow_batches import (
    Records,
    check_cells,
    check_dictionary,
    in_pieces,
    rows_at_once,
    validate,
)
from seqtool.tables.parquet_files import parquet_records


def record_batches(source: Input) -> Records:
    """The record batches of a Parquet or Arrow file, which are read lazily; raises DataError for a damaged one."""
    import pyarrow as pa

    try:
        records = (parquet_records if source.kind == "parquet" else _arrow_records)(source)
    except DataError:
        raise
    except MemoryError as error:  # the base class of Arrow's own
        raise _memory_error(source, error) from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(source, error) from None

    def read(columns: Sequence[int]) -> Iterator[Any]:
        try:
            yield from records.batches(columns)
        except MemoryError as error:
            raise _memory_error(source, error) from None
        except DataError:
            raise
        except (pa.ArrowException, OSError, ValueError, IndexError) as error:
            raise _damaged(source, error) from None

    return records._replace(batches=read)


def _arrow_records(source: Input) -> Records:
    import pyarrow as pa

    opener = pa.ipc.open_stream if source.kind == "arrow-stream" else pa.ipc.open_file
    schema = opener(pa.PythonFile(_SpooledFile(source), "r")).schema

    def batches(columns: Sequence[int]) -> Iterator[Any]:
        count = rows_at_once(schema, columns)
        file = _SpooledFile(source)
        before = 0
        for batch in _record_batches(source, file, columns):
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                if pa.types.is_dictionary(column.type):
                    column.dictionary.validate()  # else its size may be read past its bytes
                    check_dictionary(source, name, column.dictionary.nbytes)
            validate(batch, once=True)
            for begin in range(0, len(batch), count):
                part = batch.slice(begin, count)
                validate(part, once=False)
                check_cells(source, part, before + begin)
                for piece in in_pieces(part):
                    yield piece
                    file.give_back()
            before += len(batch)

    return Records(schema, batches, None)


def _record_batches(source: Input, file: _SpooledFile, columns: Sequence[int]) -> Iterator[Any]:
    """The record batches of a file with these columns; of small batches the other columns are not even read."""
    import pyarrow as pa

    if source.kind == "arrow-stream":
        for batch in pa.ipc.open_stream(pa.PythonFile(file, "r")):
            yield batch.select(list(columns))
        return
    wanted = sorted({*columns})
    places = {column: place for place, column in enumerate(wanted)}
    limited = _LimitedFile(source.path)
    options = pa.ipc.IpcReadOptions(included_fields=wanted)
    of_columns = pa.ipc.open_file(pa.PythonFile(limited, "r"), options=options)
    whole: Any = None
    for i in range(of_columns.num_record_batches):
        limited.room = _IN_MEMORY
        try:
            batch = of_columns.get_batch(i).select([places[column] for column in columns])
        except (pa.ArrowException, OSError):
            if limited.room >= 0:
                raise
            # The batch is large: it is read as a whole, by way of a spool.
            whole = whole or pa.ipc.open_file(pa.PythonFile(file, "r"))
            batch = whole.get_batch(i).select(list(columns))
        yield batch


_IN_MEMORY = 32 << 20  # bytes of a batch in memory at the same time


class _LimitedFile(OwnFile):
    """A file that refuses to read more than `room` bytes, so that Arrow reads only small record batches from it."""

    room = _IN_MEMORY

    def read(self, size: int | None = -1) -> bytes:
        self.room -= size or 0
        if self.room < 0:
            raise OSError("a batch takes more than memory should")
        return super().read(size)


class _SpooledFile(OwnFile):
    """A file whose large buffers are copied to a spool and mapped, so that only pages in use are in memory.

    A file may hold all its rows in one batch, which Arrow can only read as a whole.
    """

    def __init__(self, source: Input) -> None:
        super().__init__(source.path)
        self._source = source
        self._copy: mmap.mmap | None = None

    def read_buffer(self, size: int) -> Any:
        """The next bytes, as a buffer that Arrow uses without a copy; Arrow calls this where it can."""
        import pyarrow as pa

        if size <= _IN_MEMORY:
            return pa.py_buffer(self.read(size))
        begin = self.tell()
        piece = np.empty(READ_AT_ONCE, np.uint8)
        with Spool(self._source.temporary) as spool:
            for done in range(0, size, READ_AT_ONCE):
                part = piece[: size - done]
                read_into(self, part, begin + done, self._source.name)
                spool.append(part)
            self._copy = spool.map()
        self.seek(begin + size)
        return pa.py_buffer(self._copy)

    def give_back(self) -> None:
        """Release the pages that have been read, which count as memory of this process until then."""
        if self._copy is not None:
            give_back(self._copy)


def _memory_error(source: Input, error: MemoryError) -> Exception:
    """The error for a lack of memory: the file is damaged where it asks for more than a file of its size could hold."""
    asked = re.search(r"size (\d+)", str(error))
    damaged = asked is not None and int(asked[1]) > max(_MOST_MEMORY, 1000 * source.path.stat().st_size)
    return _damaged(source, error) if damaged else error


_MOST_MEMORY = 1 << 42  # bytes, more than any machine allocates at once


def _damaged(source: Input, error: Exception) -> DataError:
    return DataError(
        f"{source.name}: damaged, or not a complete {source.kind} file ({' '.join(str(error).split())})"
    )
