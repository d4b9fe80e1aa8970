"""Where rows come from: CSV, JSON lines, Parquet, Arrow, NumPy arrays and DataFrames, all as one `Table`.

A table has columns and gives record batches. Text formats give every cell as the text that was written;
typed formats give their own types. Rows are counted here, where bytes become records.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from seqtool import csvtext, jsonlines
from seqtool.casting import Array
from seqtool.errors import DataError
from seqtool.inputs import Input

if TYPE_CHECKING:
    import pandas as pd

_INDEX = re.compile(r"__index_level_\d+__")
_TYPED_ROWS = 1 << 17  # rows in one batch of a typed table


class Batches(Protocol):
    """What a table gives its rows through."""

    def __call__(self, columns: Sequence[int]) -> Iterator[Any]:
        """Record batches with the columns at these positions, in this order."""


@dataclass
class Table:
    """Rows with columns.

    `name` is what a person calls it. `columns` holds a name for each column, None for one without; `named`
    says whether they stand in a header. `text` says that cells are text as written, whose types are still to
    be found; `dtype` is set where all cells share one (arrays). `place` turns a row number into words for an
    error. `rows` counts what was read so far; `notes` tells what was taken for granted.
    """

    name: str
    columns: tuple[str | None, ...]
    named: bool
    read: Batches
    place: Callable[[int], str]
    text: bool = False
    dtype: np.dtype[Any] | None = None
    rows: int = 0
    notes: list[str] = field(default_factory=list)

    def batches(self, columns: Sequence[int]) -> Iterator[Any]:
        """Record batches with the columns at these positions, the rows counted as they come."""
        for batch in self.read(columns):
            self.rows += len(batch)
            yield batch

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
        return first
    begins: list[int] = []

    def read(columns: Sequence[int]) -> Iterator[Any]:
        begins.clear()
        total = 0
        for table in tables:
            begins.append(total)
            for batch in table.read(columns):
                total += len(batch)
                yield batch

    def place(row: int) -> str:
        which = max(i for i, begin in enumerate(begins) if begin <= row)
        return tables[which].place(row - begins[which])

    return replace(first, read=read, place=place)


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
    if source.kind == "parquet":
        return _parquet(source)
    if source.kind in ("arrow", "arrow-stream"):
        return _arrow(source)
    from seqtool.zipped import ZipReader, open_npy

    if source.kind == "npy":
        return from_array(open_npy(source.path, source.name), source.name)
    with ZipReader(source.path, source.name) as archive:
        return from_array(_only_array(archive), source.name)


def _only_array(archive: Any) -> Array:
    names = archive.names
    if "x" not in names and len(names) != 1:
        raise DataError(
            f"{archive.name}: holds {', '.join(names) or 'no array'}; x, or only one array, was expected"
        )
    array: Array = archive.read("x" if "x" in names else names[0])
    return array


def _csv(source: Input, options: TextOptions) -> Table:
    dialect = csvtext.sniff(
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
        lambda columns: csvtext.batches(source, dialect, columns),
        lambda row: f"{source.name}: line {csvtext.line_of(source, dialect, row)}",
        text=True,
        notes=notes,
    )


def _json_lines(source: Input) -> Table:
    columns = jsonlines.names(source)
    return Table(
        source.name,
        columns,
        True,
        lambda wanted: jsonlines.batches(source, columns, wanted),
        lambda row: f"{source.name}: line {jsonlines.line_of(source, row)}",
        text=True,
    )


def _parquet(source: Input) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        file = parquet.ParquetFile(source.path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(source, error) from None

    def read(columns: Sequence[int]) -> Iterator[Any]:
        names = [file.schema_arrow.names[i] for i in columns]
        try:
            for batch in file.iter_batches(batch_size=_TYPED_ROWS, columns=names):
                yield batch.select(names)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(source, error) from None

    return _typed(file.schema_arrow, read, source.name)


def _arrow(source: Input) -> Table:
    import pyarrow as pa

    try:
        mapped = pa.memory_map(str(source.path))
        opener = pa.ipc.open_stream if source.kind == "arrow-stream" else pa.ipc.open_file
        schema = opener(mapped).schema
    except (pa.ArrowException, OSError) as error:
        raise _damaged(source, error) from None

    def read(columns: Sequence[int]) -> Iterator[Any]:
        mapped.seek(0)
        try:
            reader = opener(mapped)
            count = getattr(reader, "num_record_batches", None)
            batches = reader if count is None else (reader.get_batch(i) for i in range(count))
            for batch in batches:
                yield batch.select(list(columns))
        except (pa.ArrowException, OSError) as error:
            raise _damaged(source, error) from None

    return _typed(schema, read, source.name)


def _damaged(source: Input, error: Exception) -> DataError:
    return DataError(
        f"{source.name}: damaged, or not a whole {source.kind} file ({' '.join(str(error).split())})"
    )


def _typed(schema: Any, read: Batches, name: str) -> Table:
    twice = sorted({column for column in schema.names if schema.names.count(column) > 1})
    if twice:
        raise DataError(
            f"{name}: has columns {', '.join(map(repr, twice))} more than once; rename one of them"
        )
    # The index that pandas writes has no name of its own.
    names = tuple(None if not column or _INDEX.fullmatch(column) else column for column in schema.names)
    notes = [_left_out(position) for position, column in enumerate(names) if column is None]
    return Table(name, names, True, read, lambda row: f"{name}: row {row}", notes=notes)


def _left_out(position: int) -> str:
    return f"column {position} has no name and is left out"


def from_array(array: Array, name: str = "the array") -> Table:
    """The rows of a 2-D array of numbers; its columns have positions instead of names.

    >>> from_array(np.zeros((6, 3))).columns
    (None, None, None)
    """
    if array.ndim != 2:
        raise DataError(f"{name}: has shape {array.shape}; rows and columns were expected, (rows, columns)")
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise DataError(f"{name}: an array of {array.dtype}; integers, floats or booleans were expected")

    def read(columns: Sequence[int]) -> Iterator[Any]:
        import pyarrow as pa

        for begin in range(0, len(array), _TYPED_ROWS):
            rows = array[begin : begin + _TYPED_ROWS]
            arrays = [
                pa.array(np.ascontiguousarray(rows[:, i], dtype=rows.dtype.newbyteorder("=")))
                for i in columns
            ]
            yield pa.RecordBatch.from_arrays(arrays, [str(i) for i in columns])

    return Table(
        name, (None,) * array.shape[1], False, read, lambda row: f"{name}: row {row}", dtype=array.dtype
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

    def read(columns: Sequence[int]) -> Iterator[Any]:
        yield from table.select(list(columns)).to_batches(max_chunksize=_TYPED_ROWS)

    if not named:
        return Table(name, (None,) * len(labels), False, read, lambda row: f"{name}: row {row}")
    schema = pa.schema([pa.field(str(label), table.schema.field(i).type) for i, label in enumerate(labels)])
    return _typed(schema, read, name)


def position(table: Table, wanted: str | int) -> int:
    """Which column a person means: a name that matches wins over a position counted from 0.

    Raises DataError that lists the columns there are.
    """
    text = str(wanted)
    if table.named and text in table.columns:
        return table.columns.index(text)
    count = len(table.columns)
    if text.isdecimal():
        if int(text) < count:
            return int(text)
        raise DataError(
            f"column {text} is out of range: there are {count} columns, counted from 0 to {count - 1}"
        )
    if not table.named:
        raise DataError(
            f"no column {text!r}: the columns have no names; use a position from 0 to {count - 1}"
        )
    raise DataError(
        f"no column {text!r}; the columns are {', '.join(name or '(no name)' for name in table.columns)}"
    )
