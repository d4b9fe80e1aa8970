"""Tables that are in memory already: NumPy arrays, pandas DataFrames, and objects that export Arrow data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from seqtool.arrays.array_likes import (
    arrow_chunks,
    is_array_like,
    is_arrow,
    is_pandas_frame,
    is_struct,
    kind_of,
    plain,
)
from seqtool.arrays.lazy import AnyArray
from seqtool.errors import DataError, UsageError, damaged
from seqtool.tables.list_cells import with_list_cells
from seqtool.tables.table import BATCH_BYTES, BATCH_ROWS, Batches, Expected, Table, text_columns, typed_table

if TYPE_CHECKING:
    import pandas as pd


def table_of(data: Any) -> Table:
    """The rows of a 2-D array, a pandas DataFrame, or an object with the Arrow PyCapsule interface.

    The latter are Arrow tables and record batches, polars DataFrames, DuckDB relations: their columns are not copied.
    Raises UsageError for any other object, and DataError for data that cannot be read.

    >>> import pyarrow as pa
    >>> table_of(pa.table({"user": ["a", "b"], "age": [30, 40]})).columns
    ('user', 'age')
    """
    if isinstance(data, np.ndarray):
        return from_array(data)
    if is_pandas_frame(data):
        return from_frame(data)
    if is_arrow(data):
        with damaged(f"the {kind_of(data)}: cannot be read as Arrow data"):
            rows = arrow_chunks(data)
        if is_struct(rows):
            metadata = getattr(getattr(data, "schema", None), "metadata", None)  # the chunks have lost it
            return _from_arrow(rows, f"the {kind_of(data)}", metadata)
    elif is_array_like(data):
        with damaged(f"the {kind_of(data)}: cannot be read as an array"):
            array = np.asarray(plain(data))
        if array.ndim == 2:
            return from_array(array, f"the {kind_of(data)}")
    raise UsageError(
        f"data is a {kind_of(data)}; a DataFrame (pandas, polars), an Arrow table, a 2-D array or the path of a file "
        "was expected"
    )


def _reading(table: Any) -> Batches:
    """Yields record batches of an Arrow table."""

    def read(columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        yield from table.select(list(columns)).to_batches(max_chunksize=BATCH_ROWS)

    return read


def _from_arrow(rows: Any, name: str, metadata: Any) -> Table:
    import pyarrow as pa

    table = pa.Table.from_struct_array(rows)
    schema = table.schema.with_metadata(metadata) if isinstance(metadata, dict) else table.schema
    return with_list_cells(typed_table(schema, _reading(table), name, len(table)))


def from_array(array: AnyArray, name: str = "the array") -> Table:
    """The rows of a 2-D array of numbers, whose columns have positions but no names. Masked cells are missing.

    >>> from_array(np.zeros((6, 3))).columns
    (None, None, None)
    """
    if array.dtype.names is not None or array.dtype == object:
        raise DataError(
            f"{name}: an array of {array.dtype}; pandas.DataFrame(array).infer_objects() has its columns"
        )
    if array.ndim != 2:
        raise DataError(f"{name}: has shape {array.shape}; rows and columns were expected, (rows, columns)")
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise DataError(f"{name}: an array of {array.dtype}; integers, floats or booleans were expected")

    def read(columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        import pyarrow as pa

        count = max(1, min(BATCH_ROWS, BATCH_BYTES // (8 * max(1, array.shape[1]))))
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
    """The rows of a pandas DataFrame; columns that are labelled 0, 1, 2 and so on count as columns without names.

    Named levels of its index become columns at the end, as in the Parquet file that pandas writes, but no features.
    Raises DataError for a column that mixes types which Arrow cannot hold in one column.
    """
    import pyarrow as pa

    labels: list[Any] = list(frame.columns)
    named = labels != [*range(len(labels))]
    bare = frame.set_axis([str(i) for i in range(len(labels))], axis=1)
    index = [level for level in frame.index.names if named and level is not None and level not in labels]
    for level in index:
        bare[str(len(labels))] = frame.index.get_level_values(frame.index.names.index(level))
        labels.append(level)
    bare = _with_plain_uuids(bare)
    try:
        table = pa.Table.from_pandas(bare, preserve_index=False)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        reason = " ".join(str(part) for part in error.args)
        raise DataError(f"{name}: a column cannot be read ({reason}); convert it first") from None

    if not named:
        return Table(
            name,
            (None,) * len(labels),
            False,
            _reading(table),
            lambda row: f"{name}: row {row}",
            texts=text_columns(table.schema),
            types=tuple(table.schema.types),
            at_most=len(table),
        )
    schema = pa.schema([pa.field(str(label), table.schema.field(i).type) for i, label in enumerate(labels)])
    metadata = {"pandas": json.dumps({"index_columns": [str(level) for level in index]})}
    return with_list_cells(typed_table(schema.with_metadata(metadata), _reading(table), name, len(table)))


def _with_plain_uuids(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame with UUID objects as text, which older versions of Arrow do not take."""

    def text(cell: Any) -> Any:
        return str(cell) if isinstance(cell, UUID) else cell

    changed = {}
    for name, column in frame.items():
        categorical = hasattr(column, "cat")
        cells = column.cat.categories if categorical else column
        if cells.dtype != object:
            continue
        first = next((cell for cell in cells if not isinstance(cell, (float, type(None)))), None)
        if isinstance(first, UUID):
            changed[str(name)] = column.cat.rename_categories(text) if categorical else column.map(text)
    return frame.assign(**changed) if changed else frame
