"""The one road from a table to sequences: read, encode, sort, group.

`group_table` is behind `seqtool group` and `seqtool.group`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from seqtool.ahead import ahead
from seqtool.casting import Array, dtype_named
from seqtool.encoding import BadCellError, Keys, Labels, Loss, Numbers, Order, missing_words
from seqtool.engines import Engine
from seqtool.errors import DataError, UsageError
from seqtool.faults import bad_cell, text_columns
from seqtool.grouping import ChangingError, Grouped, Layout, group_adjacent, key_array
from seqtool.inputs import Input
from seqtool.memory import budget
from seqtool.ragged import Ragged, StepArray
from seqtool.receipts import Rows
from seqtool.roles import LabelKind, Roles
from seqtool.tables import Table

# Bytes of memory for each byte of a file: columns of 8-byte numbers, once as they came and once sorted.
_EXPANDS = {
    "gzip": 40,
    "zstd": 40,
    "parquet": 20,
    "arrow": 4,
    "arrow-stream": 4,
    "text": 8,
    "json": 4,
    "npy": 8,
    "npz": 8,
}
EmptyKey = Literal["error", "drop", "keep"]


@dataclass(frozen=True)
class GroupOptions:
    """What `group_table` is asked for beside the roles of the columns.

    `dtype` is that of the features; None: int64 if all are whole numbers, else float32. `missing` adds
    spellings of a missing value. Sequences below `min_len` steps are dropped.
    """

    dtype: str | None = None
    label_as: LabelKind | None = None
    label_value: float = -100
    keep_row_index: bool = False
    min_len: int = 0
    empty_key: EmptyKey = "error"
    missing: Sequence[str] = ()


@dataclass(frozen=True)
class Tabular:
    """What came of a table: the sequences, what became of its rows, and what a person should know.

    `missing` counts missing values by feature; `ties` neighbours that `--order-by` could not tell apart;
    `features` names the features also where the table has no names; `coarse` are those of numbers so large that
    float32 has no room for their fractions.
    """

    ragged: Ragged
    rows: Rows
    features: list[str]
    missing: dict[str, int]
    ties: int
    coarse: list[str]


def group_table(
    table: Table,
    roles: Roles,
    engine: Engine,
    options: GroupOptions,
    *,
    rows_read: Callable[[int], None] | None = None,
) -> Tabular:
    """Gather the rows of a table into one sequence for each key, keys sorted, rows in order.

    `rows_read` is told the rows of each batch.

    Raises DataError for cells that are not what their column needs, empty keys, labels that change within a
    key, and numbers that the dtype cannot hold; each names the place and the way out.
    """
    if options.min_len < 0:
        raise UsageError(f"min_len is {options.min_len}; 0 or more was expected")
    if options.missing and not table.text:
        raise UsageError("missing: words for missing values are for text; a table with types has its own")
    encoder = _Encoder(table, roles, options)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for batch in encoder.batches(pool):
            engine.add(batch)
            if rows_read is not None:
                rows_read(len(batch))
    encoder.finish()
    layout = encoder.layout()
    try:
        grouped = group_adjacent(
            engine.sorted([*layout.keys, *layout.order]), layout, rows=table.rows - encoder.dropped
        )
    except ChangingError as error:
        raise encoder.changing(error) from None
    ragged = encoder.ragged(grouped)
    long_enough = ragged.lengths >= options.min_len
    kept = ragged if long_enough.all() else ragged.keep_sequences(long_enough)
    dropped = {
        "empty key": encoder.dropped,
        f"sequence under {options.min_len} steps": len(ragged.values) - len(kept.values),
    }
    rows = Rows(came=table.rows, kept=len(kept.values), dropped=dropped)
    rows.check()
    return Tabular(
        kept,
        rows,
        [table.label(column) for column in encoder.features],
        encoder.missing(),
        grouped.ties,
        encoder.coarse(layout.dtype),
    )


@dataclass
class _Encoder:
    """The columns of one table on their way into an engine.

    Columns are named in the engine by their part and position: `k0` for the key, `o` order, `f` feature,
    `s` static, `y` label, `t` step label, `row` the row's number.
    """

    table: Table
    roles: Roles
    options: GroupOptions
    dropped: int = 0
    features: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        table, roles = self.table, self.roles
        words = missing_words(self.options.missing)
        asked = None if self.options.dtype is None else dtype_named(self.options.dtype)
        self.asked = asked or table.dtype
        target = self.asked or np.dtype(np.float32)
        self.features = list(roles.features)
        self.keys = {column: Keys(keep_empty=self.options.empty_key == "keep") for column in roles.key}
        self.orders = {column: Order(words, as_text=column in roles.text_order) for column in roles.order}
        self.numbers = {
            column: Numbers(target, words, text=table.text, keep=table.dtype is not None)
            for column in roles.features
        }
        single = np.dtype(np.float32)
        self.statics = {column: Numbers(single, words, text=table.text) for column in roles.static}
        self.labels = {
            part: (column, Labels(self.options.missing))
            for part, column in (("y", roles.label), ("t", roles.step_label))
            if column is not None
        }

    def batches(self, pool: Executor) -> Iterator[Any]:
        """The rows of the table as engines take them; rows with an empty key are left out if so asked."""
        columns = self.roles.used
        first_row = 0
        for raw in ahead(self.table.batches(columns)):
            if not len(raw):
                continue
            arrays = dict(zip(columns, raw.columns, strict=True))
            encoded = self._encode(arrays, first_row, pool)
            first_row += len(raw)
            if encoded:
                yield pa.RecordBatch.from_arrays(list(encoded.values()), list(encoded))

    def _encode(self, arrays: dict[int, Any], first_row: int, pool: Executor) -> dict[str, Any]:
        """The columns of a batch, without its rows that have no key; nothing where no row has one."""
        out: dict[str, Any] = {}
        rows: int | Array = first_row
        count = len(next(iter(arrays.values())))
        keep = np.ones(count, dtype=bool)
        for i, (column, keys) in enumerate(self.keys.items()):
            with bad_cell(self.table, column, "key", rows):
                out[f"k{i}"], empty = keys.encode(arrays[column])
            if empty is not None:
                keep &= ~np.asarray(empty)
        if not keep.all():
            self.dropped += int(count - keep.sum())
            rows = first_row + np.flatnonzero(keep)
            kept = pa.array(keep)
            arrays = {column: array.filter(kept) for column, array in arrays.items()}
            out = {name: array.filter(kept) for name, array in out.items()}
            if not len(rows):
                return {}
        for column, order in self.orders.items():
            with bad_cell(self.table, column, "order", rows):
                for i, part in enumerate(order.encode(arrays[column], rows)):
                    out[f"o{column}_{i}"] = part
        self._encode_features(arrays, rows, out, pool)
        for column, numbers in self.statics.items():
            with bad_cell(self.table, column, "static", rows):
                out[f"s{column}"] = numbers.encode(arrays[column], rows)
        for part, (column, labels) in self.labels.items():
            with bad_cell(self.table, column, "label", rows):
                out[part] = labels.encode(arrays[column])
        if self.options.keep_row_index:
            out["row"] = np.arange(first_row, first_row + count)[keep]
        return {name: pa.array(part) if isinstance(part, np.ndarray) else part for name, part in out.items()}

    def _encode_features(
        self, arrays: dict[int, Any], rows: int | Array, out: dict[str, Any], pool: Executor
    ) -> None:
        def encode(column: int) -> Array | BadCellError:
            try:
                return self.numbers[column].encode(arrays[column], rows)
            except BadCellError as bad:
                return bad

        for column, found in zip(self.features, pool.map(encode, self.features), strict=True):
            if isinstance(found, BadCellError) and column not in self.roles.spare_features:
                sure = [c for c in self.features if c not in self.roles.spare_features]
                text_columns(self.table, sure, arrays, self.numbers)
                with bad_cell(self.table, column, "feature", rows):
                    raise found
            out[f"f{column}"] = found if isinstance(found, BadCellError) else self._as_sorted(found)
        # A key of text in a table without names is no feature, wherever its first word stands.
        self.features = [c for c in self.features if not isinstance(out[f"f{c}"], BadCellError)]
        for column in sorted({*self.roles.features} - {*self.features}):
            out[f"f{column}"] = np.zeros(len(arrays[column]), np.int64)

    def _as_sorted(self, numbers: Array) -> Array:
        """Features in the type that an engine sorts: the final one where that is a single, for half the memory."""
        if numbers.dtype == np.float16:  # which engines do not know; the kernel makes halves of it again
            return numbers.astype(np.float32)
        if numbers.dtype == np.float64 and (self.asked is None or self.asked == np.float32):
            with np.errstate(over="ignore"):  # what does not fit is refused before it is used
                return numbers.astype(np.float32)
        return numbers

    def finish(self) -> None:
        """Raise DataError for what only shows once all rows were read."""
        table = self.table
        if not table.rows:
            raise DataError(f"{table.name}: holds a header, but no rows; rows were expected")
        for column, keys in self.keys.items():
            if keys.empty and self.options.empty_key == "error":
                raise DataError(
                    f"key column {table.label(column)!r} is empty in {keys.empty:,} of {table.rows:,} rows; "
                    "say what to do with them: --empty-key drop, or --empty-key keep"
                )
        if table.rows == self.dropped:
            raise DataError(f"all {table.rows:,} rows have an empty key; nothing is left to group")
        for column, order in self.orders.items():
            if order.missing:
                raise DataError(
                    f"order column {table.label(column)!r} is empty in {order.missing:,} of {table.rows:,} rows; "
                    "fill them in, or remove these rows"
                )
            _check_loss(table, column, order.loss)
        for column, labels in self.labels.values():
            if labels.missing:
                raise DataError(
                    f"label column {table.label(column)!r} is empty in {labels.missing:,} of {table.rows:,} "
                    "rows; fill them in, or remove these rows"
                )
        if not self.features:
            raise DataError(f"{table.name}: no column is left to be a feature: none holds numbers")
        dtype, statics = self._dtype(self.features, self.numbers, self.asked), self._static_dtype()
        for column in self.features:
            _check_loss(table, column, self.numbers[column].loss(dtype))
        for column in self.statics:
            _check_loss(table, column, self.statics[column].loss(statics))

    @staticmethod
    def _dtype(
        columns: Sequence[int], numbers: dict[int, Numbers], asked: np.dtype[Any] | None
    ) -> np.dtype[Any]:
        if asked is not None:
            return asked
        return np.dtype(np.int64 if all(numbers[column].whole for column in columns) else np.float32)

    def _static_dtype(self) -> np.dtype[Any]:
        return self._dtype(list(self.statics), self.statics, None)

    def missing(self) -> dict[str, int]:
        """The columns of features and static numbers that have missing values, and how many."""
        columns = {**{c: self.numbers[c] for c in self.features}, **self.statics}
        return {self.table.label(c): numbers.missing for c, numbers in columns.items() if numbers.missing}

    def coarse(self, dtype: np.dtype[Any]) -> list[str]:
        """The features that become float32 although some of their numbers have no room for a fraction there."""
        if dtype != np.float32:
            return []
        return [self.table.label(c) for c in self.features if self.numbers[c].coarse]

    def layout(self) -> Layout:
        """How the kernel is to read the engine's rows."""
        riding = [
            name for name, on in (("t", "t" in self.labels), ("row", self.options.keep_row_index)) if on
        ]
        return Layout(
            keys=[f"k{i}" for i in range(len(self.keys))],
            order=[f"o{column}_{i}" for column, order in self.orders.items() for i in range(order.parts)],
            features=[f"f{column}" for column in self.features],
            dtype=self._dtype(self.features, self.numbers, self.asked),
            constant=[*(f"s{column}" for column in self.statics), *(["y"] if "y" in self.labels else [])],
            riding=riding,
        )

    def changing(self, error: ChangingError) -> DataError:
        """The error for a label or static column that changes within a key."""
        if error.column == "y":
            column, labels = self.labels["y"]
            name = self.table.label(column)
            before, after = (labels.text(code) for code in (error.before, error.after))
            option = f"use --step-label {name} for one label per step"
        else:
            name = self.table.label(int(error.column[1:]))
            before, after = error.before, error.after
            option = f"leave --static {name} out, and it is a feature of each step"
        return DataError(
            f"column {name!r} changes from {before!r} to {after!r} within key {error.key}; {option}"
        )

    def ragged(self, grouped: Grouped) -> Ragged:
        """The sequences with all that belongs to them."""
        table, per_step, per_sequence, names = self.table, {}, {}, {}
        if "y" in self.labels:
            meaning, classes = self.labels["y"][1].finish(self.options.label_as)
            per_sequence["y"] = meaning[grouped.constant["y"]]
            if classes is not None:
                names["classes"] = classes
        if "t" in self.labels:
            meaning, classes = self.labels["t"][1].finish(self.options.label_as)
            per_step["step_y"] = StepArray(meaning[grouped.riding["t"]], self.options.label_value)
            if classes is not None:
                names["step_classes" if "classes" in names else "classes"] = classes
        if self.statics:
            columns = [grouped.constant[f"s{column}"] for column in self.statics]
            per_sequence["static"] = np.stack(columns, axis=1).astype(self._static_dtype())
            names["static_features"] = np.array([table.label(column) for column in self.statics], dtype=str)
        if self.options.keep_row_index:
            per_step["row_index"] = StepArray(grouped.riding["row"], -1)
        return Ragged(
            grouped.values,
            grouped.offsets,
            keys=key_array(grouped.keys),
            features=tuple(table.label(c) for c in self.features) if table.named else None,
            per_step=per_step,
            per_sequence=per_sequence,
            names=names,
        )


def _check_loss(table: Table, column: int, loss: Loss | None) -> None:
    if loss is not None:
        raise DataError(f"{table.place(loss.row)}, column {table.label(column)!r}: {loss.reason}")


def engine_for(inputs: Sequence[Input]) -> Engine:
    """The engine for some inputs: in memory what surely fits there, with DuckDB what may be of any size."""
    expected = sum(item.path.stat().st_size * _EXPANDS[item.packing or item.kind] for item in inputs)
    if expected <= budget() // 4:
        from seqtool.engines.memory import MemoryEngine

        return MemoryEngine()
    from seqtool.engines.duckdb import DuckDBEngine

    return DuckDBEngine(memory=budget() // 2)
