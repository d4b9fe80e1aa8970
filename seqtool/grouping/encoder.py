"""From the columns of a table to what the kernel groups: each column encoded by the part it plays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array, dtype_named
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.errors import DataError
from seqtool.grouping.kernel import ChangingError, Grouped, Layout
from seqtool.sequences.padding_values import check_step_value
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.system.prefetch import prefetched
from seqtool.tables.cell_errors import bad_cell, text_columns
from seqtool.tables.cells import BadCellError, Keys, Labels, Loss, Numbers, Order, is_text, missing_words
from seqtool.tables.csv_text import Expected
from seqtool.tables.roles import LabelKind, Roles
from seqtool.tables.tables import Table

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


class TextKeyError(Exception):
    """A key column of a table without names holds text, so it is no feature; `column` is its position."""

    def __init__(self, column: int) -> None:
        super().__init__(f"column {column} holds text")
        self.column = column


@dataclass
class Encoder:
    """The columns of one table on their way into the kernel.

    Columns are named there by their part and position: `k0` for the key, `o` order, `f` feature, `s` static,
    `y` label, `t` step label, `row` the row's number.
    """

    table: Table
    roles: Roles
    options: GroupOptions
    dropped: int = 0

    def __post_init__(self) -> None:
        table, roles = self.table, self.roles
        words = missing_words(self.options.missing)
        asked = None if self.options.dtype is None else dtype_named(self.options.dtype)
        self.asked = asked or table.dtype
        target = self.asked or np.dtype(np.float32)
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

    @property
    def features(self) -> tuple[int, ...]:
        """The columns of features."""
        return self.roles.features

    def expected(self) -> Expected:
        """What the columns of text are likely to hold."""
        numbers = {**self.numbers, **self.statics}
        as_written = {*self.keys, *(column for column, _ in self.labels.values())}
        words = [found.words for found in numbers.values()]
        missing = words[0] if words else []
        if missing is None:
            return Expected(keys=frozenset(self.keys))

        times = {column for column, order in self.orders.items() if order.kind == "text"}
        likely = {*numbers, *self.orders} - as_written - times
        return Expected(frozenset(likely), missing, frozenset(self.keys))

    def batches(self, pool: Executor) -> Iterator[dict[str, Any]]:
        """The rows of the table as the kernel takes them; rows with an empty key are left out if so asked."""
        columns = self.roles.used
        first_row = 0
        for raw in prefetched(self.table.batches(columns, self.expected())):
            if not len(raw):
                continue
            arrays = dict(zip(columns, raw.columns, strict=True))
            encoded = self._encode(arrays, first_row, pool)
            first_row += len(raw)
            if encoded:
                yield encoded

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
                keep &= ~empty
        if not keep.all():
            self.dropped += int(count - keep.sum())
            rows = first_row + np.flatnonzero(keep)
            kept = pa.array(keep)
            arrays = {column: array.filter(kept) for column, array in arrays.items()}
            out = {
                name: cells[keep] if isinstance(cells, np.ndarray) else cells.filter(kept)
                for name, cells in out.items()
            }
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
        return out

    def _encode_features(
        self, arrays: dict[int, Any], rows: int | Array, out: dict[str, Any], pool: Executor
    ) -> None:
        def encode(column: int) -> Array | BadCellError:
            try:
                return self.numbers[column].encode(arrays[column], rows)
            except BadCellError as bad:
                return bad

        # Text takes time, and lets other threads run; numbers are only looked at.
        heavy = any(is_text(arrays[column]) for column in self.features)
        coded = (pool.map if heavy else map)(encode, self.features)
        for column, found in zip(self.features, coded, strict=True):
            if isinstance(found, BadCellError):
                if column in self.roles.spare_features:
                    raise TextKeyError(column)
                sure = [c for c in self.features if c not in self.roles.spare_features]
                text_columns(self.table, sure, arrays, self.numbers)
                with bad_cell(self.table, column, "feature", rows):
                    raise found
            out[f"f{column}"] = found

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
        dtype, statics = self.dtype, self._static_dtype()
        for column in self.features:
            _check_loss(table, column, self.numbers[column].loss(dtype))
        for column in self.statics:
            _check_loss(table, column, self.statics[column].loss(statics))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the features, once all rows were read."""
        return self._dtype(self.features, self.numbers, self.asked)

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

    def coarse(self) -> list[str]:
        """The features that become float32 although some of their numbers have no room for a fraction there."""
        if self.dtype != np.float32:
            return []
        return [self.table.label(c) for c in self.features if self.numbers[c].coarse]

    def layout(self) -> Layout:
        """What the columns are to the kernel."""
        riding = [
            name for name, on in (("t", "t" in self.labels), ("row", self.options.keep_row_index)) if on
        ]
        return Layout(
            keys=[f"k{i}" for i in range(len(self.keys))],
            order=[f"o{column}_{i}" for column, order in self.orders.items() for i in range(order.parts)],
            features=[f"f{column}" for column in self.features],
            dtype=self.asked,
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
            per_sequence["y"] = _meant(grouped.constant["y"], meaning)
            if classes is not None:
                names["classes"] = classes
        if "t" in self.labels:
            meaning, classes = self.labels["t"][1].finish(self.options.label_as)
            check_step_value("step_y", self.options.label_value, meaning.dtype, "--label-value")
            per_step["step_y"] = StepArray(_meant(grouped.riding["t"], meaning), self.options.label_value)
            if classes is not None:
                names["step_classes" if "classes" in names else "classes"] = classes
        if self.statics:
            columns = [grouped.constant[f"s{column}"] for column in self.statics]
            per_sequence["static"] = _side_by_side(columns, self._static_dtype())
            names["static_features"] = np.array([table.label(column) for column in self.statics], dtype=str)
        if self.options.keep_row_index:
            per_step["row_index"] = StepArray(grouped.riding["row"], -1)
        return Ragged(
            grouped.values,
            grouped.offsets,
            keys=grouped.keys,
            features=tuple(table.label(c) for c in self.features) if table.named else None,
            per_step=per_step,
            per_sequence=per_sequence,
            names=names,
        )


def _meant(codes: AnyArray, meaning: Array) -> AnyArray:
    """What the codes of labels stand for."""
    return Lazy(codes.shape, meaning.dtype, lambda begin, end: meaning[codes[begin:end]])


def _side_by_side(columns: Sequence[AnyArray], dtype: np.dtype[Any]) -> AnyArray:
    def read(begin: int, end: int) -> Array:
        return np.stack([column[begin:end] for column in columns], axis=1).astype(dtype)

    return Lazy((len(columns[0]), len(columns)), dtype, read)


def _check_loss(table: Table, column: int, loss: Loss | None) -> None:
    if loss is not None:
        raise DataError(f"{table.place(loss.row)}, column {table.label(column)!r}: {loss.reason}")
