"""Few rows of plain numbers grouped at once, without the road that rows of any kind and number take.

It gives what that road gives, or None where it does not know that it would: then the caller takes the road.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from seqtool.arrays.array_likes import is_pandas_frame
from seqtool.arrays.dtypes import Array, dtype_named, first_loss
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.operations.pad import pad_stream, resolved, with_receipt
from seqtool.recipes.columns import own_name
from seqtool.recipes.recipe import Recipe
from seqtool.sequences.keys import name_keys
from seqtool.sequences.padding_values import value_from_json
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.receipts import Entry, Rows
from seqtool.sequences.stream import PaddedStream

_MOST = 10_000  # rows
_LABELS = {"label", "step_label", "label_as", "label_value", "empty_label"}
_OF_TEXT = {"header", "delimiter", "encoding"}
_PADDING = {"maxlen", "padding", "value", "truncating"}
_KNOWN = {"key", "order_by", "features", "dtype", "ragged", "min_len", *_LABELS, *_OF_TEXT, *_PADDING}


@dataclass(frozen=True)
class SmallGroup:
    """The call of `group` that a recipe remembers, where it has one key, and numbers alone for order and features."""

    key: str
    order: tuple[str, ...]
    features: tuple[str, ...]
    labels: tuple[str, ...]
    dtype: np.dtype[Any]
    arguments: Mapping[str, Any]

    @classmethod
    def of(cls, recipe: Recipe) -> Self | None:
        """The call; None where it asks for more."""
        arguments = recipe.first.get("arguments", {})
        key, order = arguments.get("key", []), tuple(arguments.get("order_by", ()))
        named = recipe.features is not None and not recipe.tables.get("static_features")
        if not ({*arguments} <= _KNOWN and len(key) == 1 and named) or any(":" in name for name in order):
            return None
        labels = arguments.get("label") or []
        step_label = arguments.get("step_label")
        return cls(
            key[0],
            order,
            tuple(arguments["features"]),
            (
                *map(own_name, [labels] if isinstance(labels, str) else labels),
                *([step_label] if step_label else []),
            ),
            dtype_named(arguments["dtype"]),
            arguments,
        )

    def grouped(self, rows: Any) -> PaddedStream | Ragged | None:
        """The sequences of a DataFrame or an Arrow table; None of rows that are not plain numbers below a key."""
        if not 0 < len(rows) <= _MOST:
            return None
        columns = _columns(rows, (self.key, *self.order, *self.features), self.labels)
        if columns is None:
            return None
        keys = _keys(columns[self.key])
        values = self._values([columns[name] for name in self.features])
        orders = [columns[name] for name in self.order]
        if keys is None or values is None or any(_has_gaps(order) for order in orders):
            return None
        distinct, codes = np.unique(keys, return_inverse=True)
        order = np.lexsort([*orders[::-1], codes.reshape(-1)])
        offsets = np.zeros(len(distinct) + 1, np.int64)
        np.cumsum(np.bincount(codes.reshape(-1), minlength=len(distinct)), out=offsets[1:])
        if values.dtype.kind == "f" and np.isnan(values).any():
            return None  # they are counted there, and warned of
        return self._padded(Ragged(values[order], offsets, keys=distinct, features=self.features))

    def _values(self, columns: list[Array]) -> Array | None:
        """The features side by side in their dtype; None where one does not fit into it without loss."""
        out = np.empty((len(columns[0]), len(columns)), self.dtype)
        for i, column in enumerate(columns):
            if column.dtype.kind not in "iuf" or (column.dtype != self.dtype and _loses(column, self.dtype)):
                return None
            out[:, i] = column
        return out

    def _padded(self, ragged: Ragged) -> PaddedStream | Ragged:
        arguments = {name: held for name, held in self.arguments.items() if name not in _NOT_TOLD}
        steps, cut = len(ragged.values), 0
        data: PaddedStream | Ragged = ragged
        if not arguments.get("ragged"):
            data = pad_stream(
                ragged,
                maxlen=arguments["maxlen"],
                padding=arguments["padding"],
                truncating=arguments["truncating"],
                value=value_from_json(arguments["value"]),
            )
            cut, arguments = data.steps_cut, {**arguments, **resolved(data)}
        return with_receipt(data, Entry("group", [], arguments, Rows(steps, steps - cut, cut)))


_NOT_TOLD = {*_LABELS, *_OF_TEXT, "min_len"}


def _columns(rows: Any, names: tuple[str, ...], labels: tuple[str, ...]) -> dict[str, Array] | None:
    """Columns as NumPy arrays; None where one is missing, is there twice, or is neither numbers nor text."""
    if is_pandas_frame(rows):
        there = [*rows.columns]
        if (
            rows.index.names != [None]
            or {*labels} & {*there}
            or any(there.count(name) != 1 for name in names)
        ):
            return None
        series = [rows[name] for name in names]
        if any(not isinstance(one.dtype, np.dtype) and one.dtype != "str" for one in series):
            return None
        return {name: one.to_numpy() for name, one in zip(names, series, strict=True)}
    if type(rows).__module__ != "pyarrow.lib":
        return None
    there = rows.schema.names
    if {*labels} & {*there} or any(there.count(name) != 1 for name in names):
        return None
    columns = [rows.column(name) for name in names]
    if any(column.null_count for column in columns):
        return None
    return {name: column.to_numpy() for name, column in zip(names, columns, strict=True)}


def _keys(column: Array) -> Array | None:
    """Keys as `group` has them: int64 where all are plain integers, else text."""
    if column.dtype.kind == "i":
        return column.astype(np.int64)
    if column.dtype != object:
        return None
    held = column.tolist()
    if not all(type(key) is str and key for key in held):
        return None
    try:
        return name_keys(held)
    except DataError:
        return None


def _has_gaps(order: Array) -> bool:
    """Whether an order column holds anything but numbers."""
    return order.dtype.kind not in "iuf" or bool(order.dtype.kind == "f" and np.isnan(order).any())


def _loses(column: Array, dtype: np.dtype[Any]) -> bool:
    if dtype.kind == "f" and column.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return bool((np.isinf(column.astype(dtype)) & ~np.isinf(column)).any())
    return first_loss(column, dtype) is not None
