"""Sorting with DuckDB: for files, of any size, for it spills to disk what does not fit."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, Self

import duckdb

from seqtool.engines import widest
from seqtool.signals import held

_SQL = {
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
}
_ROWS = 1 << 16  # rows in one batch of the result
# No extension is ever fetched: seqtool works without a network.
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class DuckDBEngine:
    """Holds rows in temporary tables, one for each schema that comes; see `seqtool.engines.Engine`.

    >>> import pyarrow as pa
    >>> with DuckDBEngine() as engine:
    ...     engine.add(pa.record_batch({"k": [2, 1], "a": [5, 6]}))
    ...     [batch["a"].to_pylist() for batch in engine.sorted(["k"])]
    [[6, 5]]
    """

    def __init__(self, *, memory: int | None = None) -> None:
        self._limit = {} if memory is None else {"memory_limit": f"{memory >> 20}MiB"}
        self._schemas: list[Any] = []
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with held():
            spill = self._open.enter_context(tempfile.TemporaryDirectory(prefix="seqtool-"))
        config = {**_SETTINGS, **self._limit, "temp_directory": spill}
        self._database = self._open.enter_context(duckdb.connect(":memory:", config=config))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, batch: Any) -> None:
        """Take a record batch."""
        self._database.register("incoming", batch)
        if not self._schemas or self._schemas[-1] != batch.schema:
            self._schemas.append(batch.schema)
            self._run(f"CREATE TEMP TABLE rows{len(self._schemas)} AS FROM incoming LIMIT 0")
        self._run(f"INSERT INTO rows{len(self._schemas)} BY NAME FROM incoming")

    def sorted(self, by: Sequence[str]) -> Iterator[Any]:
        """The rows in order."""
        if not self._schemas:
            return
        # The sort is not stable by itself, so the place of a row decides last. Each table's columns widen to hold all.
        tables = [
            f"SELECT {self._columns(schema)}, {number} AS _table, rowid AS _row FROM rows{number}"
            for number, schema in enumerate(self._schemas, 1)
        ]
        order = ", ".join(f'"{name}"' for name in (*by, "_table", "_row"))
        query = (
            f"SELECT * EXCLUDE (_table, _row) FROM ({' UNION ALL BY NAME '.join(tables)}) ORDER BY {order}"
        )
        try:
            yield from self._database.sql(query).to_arrow_reader(_ROWS)
        except RuntimeError as error:
            raise _meant(error) from None

    def _columns(self, schema: Any) -> str:
        """The columns of one table, cast where another table needs a wider type."""
        parts = []
        for name in self._schemas[0].names:
            wide = widest([other.field(name).type for other in self._schemas])
            if wide == schema.field(name).type:
                parts.append(f'"{name}"')
            else:
                parts.append(f'CAST("{name}" AS {_SQL[str(wide)]}) AS "{name}"')
        return ", ".join(parts)

    def _run(self, statement: str) -> None:
        try:
            self._database.execute(statement)
        except RuntimeError as error:
            raise _meant(error) from None


def _meant(error: RuntimeError) -> BaseException:
    """Ctrl-C inside a query comes out of DuckDB as a RuntimeError."""
    return KeyboardInterrupt() if "interrupt" in str(error).lower() else error
