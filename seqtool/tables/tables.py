"""Where rows come from: CSV, JSON lines, Parquet, Arrow, NumPy arrays and DataFrames, all as one `Table`.

A table has columns and gives record batches. Text formats give every cell as the text that was written;
typed formats give their own types. Rows are counted here, where bytes become records.
"""

from __future__ import annotations

import mmap
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from seqtool.arrays.lazy import AnyArray
from seqtool.errors import DataError
from seqtool.files.inputs import Input
from seqtool.tables import csv_text, json_lines
from seqtool.tables.csv_text import Expected

if TYPE_CHECKING:
    import pandas as pd

_INDEX = re.compile(r"__index_level_\d+__")
_TYPED_BYTES = 8 << 20  # about what one batch of a typed table takes


class Batches(Protocol):
    """What a table gives its rows through."""

    def __call__(self, columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        """Record batches with the columns at these positions, in this order.

        Text columns that are expected to be numbers or keys may come as such, where it says the same.
        """


@dataclass
class Table:
    """Rows with columns.

    `name` is what a person calls it. `columns` holds a name for each column, None for one without; `named`
    says whether they stand in a header. `text` says that cells are text as written, whose types are still to
    be found; `dtype` is set where all cells share one (arrays). `place` turns a row number into words for an
    error. `rows` counts what was read so far, of at most `at_most`, where that is known, from `sources`; `notes` tells
    what was taken for granted, `dialect` how text was read, for a receipt.
    """

    name: str
    columns: tuple[str | None, ...]
    named: bool
    read: Batches
    place: Callable[[int], str]
    text: bool = False
    dtype: np.dtype[Any] | None = None
    at_most: int | None = None
    sources: tuple[Input, ...] = ()
    rows: int = 0
    notes: list[str] = field(default_factory=list)
    dialect: Mapping[str, Any] = field(default_factory=dict)

    def batches(self, columns: Sequence[int], expected: Expected | None = None) -> Iterator[Any]:
        """Record batches with the columns at these positions, the rows counted as they come."""
        self.rows = 0
        for batch in self.read(columns, expected or Expected()):
            self.rows += len(batch)
            yield batch

    @property
    def size(self) -> int | None:
        """The bytes to be read, packed if they are; None where there is no file."""
        return sum(source.size for source in self.sources) or None

    @property
    def bytes_read(self) -> int:
        """About how many of them were read so far."""
        metered = sum(source.meter.read for source in self.sources)
        return metered or int(self.share_read() * (self.size or 0))

    def share_read(self) -> float:
        """About the share of the rows that were read so far, 0 where nobody knows."""
        if self.text:
            return sum(source.meter.read for source in self.sources) / self.size if self.size else 0.0
        return self.rows / self.at_most if self.at_most else 0.0

    def label(self, column: int) -> str:
        """What a person calls a column: its name, or its position."""
        return self.columns[column] or str(column)


@dataclass(frozen=True)
class TextOptions:
    """How text files are to be read; None: look at the file."""

    delimiter: str | None = None
    header: bool | None = None
    encoding: str = "utf-8"


def open_tables(inputs: Sequence[Input], options: TextOptions | None = None) -> Table:
    """One table from several inputs of the same columns, read one after another.

    Raises DataError for inputs that hold no table, or whose columns differ: both are named.
    """
    options = options or TextOptions()
    tables = [_open(source, options) for source in inputs]
    first = tables[0]
    for source, table in zip(inputs[1:], tables[1:], strict=True):
        if table.columns != first.columns:
            raise DataError(f"{source.name} and {inputs[0].name} differ: {_difference(table, first)}")
    if len(tables) == 1:
        return replace(first, sources=tuple(inputs))
    begins: list[int] = []

    def read(columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        begins.clear()
        total = 0
        for table in tables:
            begins.append(total)
            for batch in table.read(columns, expected):
                total += len(batch)
                yield batch

    def place(row: int) -> str:
        which = max(i for i, begin in enumerate(begins) if begin <= row)
        return tables[which].place(row - begins[which])

    bounds = [table.at_most for table in tables]
    at_most = None if None in bounds else sum(bound for bound in bounds if bound is not None)
    return replace(first, read=read, place=place, at_most=at_most, sources=tuple(inputs))


def _difference(table: Table, first: Table) -> str:
    if table.named != first.named:
        return "one has a header, the other has none"
    new = [name for name in table.columns if name not in first.columns]
    gone = [name for name in first.columns if name not in table.columns]
    if table.named and (new or gone):
        return (
            f"columns {new or 'none'} against {gone or 'none'}; files of one call must have the same header"
        )
    if table.named:
        return "the same columns in another order; files of one call must have the same header"
    return f"{len(table.columns)} columns against {len(first.columns)}"


def _open(source: Input, options: TextOptions) -> Table:
    if source.kind == "text":
        return _csv(source, options)
    if source.kind == "json":
        return _json_lines(source)
    if source.kind in ("parquet", "arrow", "arrow-stream"):
        return _record_table(source)
    from seqtool.files.npy import open_npy
    from seqtool.files.zip_reader import ZipReader

    if source.kind == "npy":
        return from_array(open_npy(source.path, source.name), source.name)
    archive = ZipReader(source.path, source.name)
    archive.verify()
    return from_array(_only_array(archive), source.name)


def _only_array(archive: Any) -> AnyArray:
    names = archive.names
    if "x" not in names and len(names) != 1:
        raise DataError(
            f"{archive.name}: holds {', '.join(names) or 'no array'}; x, or only one array, was expected"
        )
    array: AnyArray = archive.window("x" if "x" in names else names[0])
    return array


def _csv(source: Input, options: TextOptions) -> Table:
    dialect = csv_text.sniff(
        source, delimiter=options.delimiter, header=options.header, encoding=options.encoding
    )
    names: tuple[str | None, ...]
    names = (
        tuple(cell or None for cell in dialect.first_row)
        if dialect.header
        else (None,) * len(dialect.first_row)
    )
    notes = ["the first row is a header" if dialect.header else "the first row is data (no header)"]
    if dialect.delimiter != ",":
        notes.append(f"cells are separated by {dialect.delimiter!r}")
    for position, name in enumerate(names):
        if dialect.header and name is None:
            notes.append(_left_out(position))
    return Table(
        source.name,
        names,
        dialect.header,
        lambda columns, expected: csv_text.batches(source, dialect, columns, expected),
        lambda row: f"{source.name}: line {csv_text.line_of(source, dialect, row)}",
        text=True,
        # Every cell has at least the mark behind it.
        at_most=None if source.packing else source.size // len(names) + 1,
        notes=notes,
        dialect={"header": dialect.header, "delimiter": dialect.delimiter, "encoding": dialect.encoding},
    )


def _json_lines(source: Input) -> Table:
    columns = json_lines.names(source)
    return Table(
        source.name,
        columns,
        True,
        lambda wanted, _: json_lines.batches(source, columns, wanted),
        lambda row: f"{source.name}: line {json_lines.line_of(source, row)}",
        text=True,
        at_most=None if source.packing else source.size // len("{}\n") + 1,
    )


def _record_table(source: Input) -> Table:
    """A table of Parquet or Arrow."""
    schema, batches = record_batches(source)
    return typed_table(schema, lambda columns, _: batches(columns), source.name, _count(source))


def _count(source: Input) -> int | None:
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
            text = _TYPED_BYTES // (4 * _text_bytes(file.metadata, names))  # it is copied as it is encoded
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
    return max(1, min(1 << 17, _TYPED_BYTES // (8 * max(1, len(columns)) * (100 if nested else 1))))


def is_nested(kind: Any) -> bool:
    """Whether the cells of a type hold several values each."""
    import pyarrow as pa

    return bool(pa.types.is_nested(kind))


def _arrow(source: Input) -> tuple[Any, Callable[[Sequence[int]], Iterator[Any]]]:
    import pyarrow as pa

    opener = pa.ipc.open_stream if source.kind == "arrow-stream" else pa.ipc.open_file
    with _mapped(source) as (reading, _):
        schema = opener(reading).schema

    def batches(columns: Sequence[int]) -> Iterator[Any]:
        count = _rows_at_once(schema, columns)
        with _mapped(source) as (reading, pages):
            reader = opener(reading)
            many = getattr(reader, "num_record_batches", None)
            for batch in reader if many is None else map(reader.get_batch, range(many)):
                chosen = batch.select(list(columns))
                if any(is_nested(field.type) for field in chosen.schema):
                    chosen.validate(full=True)  # bad offsets would read past the data: Arrow has no checksums
                for begin in range(0, len(batch), count):
                    yield chosen.slice(begin, count)
                    # Pages that were looked at count as ours until they are given back.
                    pages.madvise(mmap.MADV_DONTNEED)

    return schema, batches


@contextmanager
def _mapped(source: Input) -> Iterator[tuple[Any, mmap.mmap]]:
    """A file as Arrow reads it, and the pages of memory behind it."""
    import pyarrow as pa

    with source.path.open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    yield pa.BufferReader(pa.py_buffer(pages)), pages  # which go when the last array on them does


def _damaged(source: Input, error: Exception) -> DataError:
    return DataError(
        f"{source.name}: damaged, or not a whole {source.kind} file ({' '.join(str(error).split())})"
    )


def typed_table(schema: Any, read: Batches, name: str, at_most: int | None) -> Table:
    """A table of typed columns with names; raises DataError where two have the same."""
    twice = sorted(column for column, count in Counter(schema.names).items() if count > 1)
    if twice:
        raise DataError(
            f"{name}: has columns {', '.join(map(repr, twice))} more than once; rename one of them"
        )
    # The index that pandas writes has no name of its own.
    names = tuple(None if not column or _INDEX.fullmatch(column) else column for column in schema.names)
    notes = [_left_out(position) for position, column in enumerate(names) if column is None]
    return Table(name, names, True, read, lambda row: f"{name}: row {row}", at_most=at_most, notes=notes)


def _left_out(position: int) -> str:
    return f"column {position} has no name and is left out"


def from_array(array: AnyArray, name: str = "the array") -> Table:
    """The rows of a 2-D array of numbers; its columns have positions instead of names. Masked cells are missing.

    >>> from_array(np.zeros((6, 3))).columns
    (None, None, None)
    """
    if array.ndim != 2:
        raise DataError(f"{name}: has shape {array.shape}; rows and columns were expected, (rows, columns)")
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise DataError(f"{name}: an array of {array.dtype}; integers, floats or booleans were expected")

    def read(columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        import pyarrow as pa

        count = max(1, min(1 << 17, _TYPED_BYTES // (8 * max(1, array.shape[1]))))
        for begin in range(0, len(array), count):
            rows = array[begin : begin + count]
            mask = np.ma.getmaskarray(rows) if isinstance(rows, np.ma.MaskedArray) else None
            arrays = [
                pa.array(
                    np.ascontiguousarray(rows[:, i], dtype=rows.dtype.newbyteorder("=")),
                    mask=None if mask is None else np.ascontiguousarray(mask[:, i]),
                )
                for i in columns
            ]
            yield pa.RecordBatch.from_arrays(arrays, [str(i) for i in columns])

    return Table(
        name,
        (None,) * array.shape[1],
        False,
        read,
        lambda row: f"{name}: row {row}",
        dtype=array.dtype,
        at_most=len(array),
    )


def from_frame(frame: pd.DataFrame, name: str = "the DataFrame") -> Table:
    """The rows of a pandas DataFrame; columns numbered from 0 count as having no names.

    Raises DataError for a column whose cells are of several kinds.
    """
    import pyarrow as pa

    labels: list[Any] = list(frame.columns)
    named = labels != [*range(len(labels))]
    bare = frame.set_axis([str(i) for i in range(len(labels))], axis=1)
    try:
        table = pa.Table.from_pandas(bare, preserve_index=False)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        reason = " ".join(str(part) for part in error.args)
        raise DataError(f"{name}: a column cannot be read ({reason}); convert it first") from None

    def read(columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        yield from table.select(list(columns)).to_batches(max_chunksize=1 << 17)

    if not named:
        return Table(
            name, (None,) * len(labels), False, read, lambda row: f"{name}: row {row}", at_most=len(table)
        )
    schema = pa.schema([pa.field(str(label), table.schema.field(i).type) for i, label in enumerate(labels)])
    return typed_table(schema, read, name, len(table))
