"""Files of rows, made block by block, so that none is ever held whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

ROWS_A_KEY = 50  # on average
_BLOCK = 250_000  # rows


def make_codes(rows: int, *, in_order: bool) -> np.ndarray:
    """The number of the key of each row."""
    import numpy as np

    codes = np.random.default_rng(0).integers(0, max(rows // ROWS_A_KEY, 1), rows)
    return np.sort(codes) if in_order else codes


def write_rows(path: Path, codes: np.ndarray, *, text: bool, columns: int, digits: int = 4) -> None:
    """A CSV or Parquet file with the column `key` and as many columns of doubles of so many digits.

    Text keys are in the order of their codes, as integer keys are.
    """
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv, parquet

    names = pa.array(np.sort([f"user{i}" for i in range(int(codes.max()) + 1)])) if text else None
    values = [pa.field(f"v{i}", pa.float64()) for i in range(columns)]
    schema = pa.schema([pa.field("key", pa.string() if text else pa.int64()), *values])
    random = np.random.default_rng(1)
    with path.open("wb") as file:
        if path.suffix == ".csv":
            file.write(",".join(schema.names).encode() + b"\n")
            writer = csv.CSVWriter(
                file, schema, write_options=csv.WriteOptions(include_header=False, quoting_style="none")
            )
        else:
            writer = parquet.ParquetWriter(file, schema)
        with writer:
            for begin in range(0, len(codes), _BLOCK):
                keys = pa.array(codes[begin : begin + _BLOCK])
                keys = keys if names is None else names.take(keys)
                writer.write_table(_block(keys, schema, random, digits))


def _block(keys: pa.Array, schema: pa.Schema, random: np.random.Generator, digits: int) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    values = [pa.array(np.round(random.normal(size=len(keys)), digits)) for _ in schema.names[1:]]
    return pa.table([keys, *values], schema=schema)
