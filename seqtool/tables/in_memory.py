"""Tables that are in memory already: NumPy arrays, pandas DataFrames, and whatever gives Arrow data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from seqtool.arrays.array_likes import arrow_chunks, is_arrow, is_pandas_frame, is_struct, kind_of
from seqtool.errors import UsageError, damaged
from seqtool.tables.csv_text import Expected
from seqtool.tables.tables import Table, from_array, from_frame, typed_table

_ROWS = 1 << 17  # of a batch


def table_of(data: Any) -> Table:
    """The rows of a 2-D array, a pandas DataFrame, or what has the Arrow PyCapsule interface.

    The latter are Arrow tables and record batches, polars DataFrames, DuckDB relations: their columns are taken as
    they are, without a copy. Raises UsageError for anything else, and DataError for what cannot be read.

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
            return _from_arrow(rows, f"the {kind_of(data)}")
    raise UsageError(
        f"data is a {kind_of(data)}; a DataFrame (pandas, polars), an Arrow table, a 2-D array or the path of a file "
        "was expected"
    )


def _from_arrow(rows: Any, name: str) -> Table:
    import pyarrow as pa

    table = pa.Table.from_struct_array(rows)

    def read(columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        yield from table.select(list(columns)).to_batches(max_chunksize=_ROWS)

    return typed_table(table.schema, read, name, len(table))
