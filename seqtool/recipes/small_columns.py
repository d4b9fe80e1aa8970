"""Columns of few rows as NumPy arrays, in the plain cases alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqtool.arrays.array_likes import is_pandas_frame
from seqtool.arrays.dtypes import Array, first_loss
from seqtool.sequences.keys import name_keys
from seqtool.tables.cells import LabelState
from seqtool.tables.cells.cells import reads_as_missing


class NotPlainError(Exception):
    """Rows that only the road of all rows can judge."""


def names_in(rows: Any) -> list[Any]:
    """The columns of a DataFrame or an Arrow table."""
    if is_pandas_frame(rows) and rows.index.names == [None]:
        return [*rows.columns]
    if type(rows).__module__ != "pyarrow.lib":
        raise NotPlainError
    return list(rows.schema.names)


def columns_of(rows: Any, names: Sequence[str]) -> dict[str, Array]:
    """Columns of a DataFrame or an Arrow table by their names, each of numbers, times or text."""
    if is_pandas_frame(rows):
        series = [rows[name] for name in names]
        if any(
            not isinstance(one.dtype, np.dtype) and one.dtype not in ("str", "category") for one in series
        ):
            raise NotPlainError
        return {name: one.to_numpy() for name, one in zip(names, series, strict=True)}
    columns = [rows.column(name) for name in names]
    if any(column.null_count for column in columns):
        raise NotPlainError
    return {name: column.to_numpy() for name, column in zip(names, columns, strict=True)}


def keys_in(column: Array) -> Array:
    """Keys as `group` has them: int64 where all are plain integers, else text."""
    if column.dtype.kind == "i":
        return column.astype(np.int64)
    held = column.tolist() if column.dtype == object else [None]
    if not all(type(key) is str and key for key in held):
        raise NotPlainError
    return name_keys(held)


def check_order(column: Array) -> None:
    """Raise NotPlainError for an order column that holds anything but numbers, or times."""
    kind = column.dtype.kind
    if kind not in "iufM" or (kind in "fM" and (column != column).any()):
        raise NotPlainError


def features_in(columns: Sequence[Array], dtype: np.dtype[Any]) -> Array:
    """Numbers side by side in a dtype, (n, F), in which fractions may be rounded."""
    for column in columns:
        if column.dtype.kind == "f" and dtype.kind == "f":
            with np.errstate(over="ignore"):
                lost = column.dtype != dtype and (np.isinf(column.astype(dtype)) & ~np.isinf(column)).any()
        else:
            lost = column.dtype.kind not in "iuf" or (
                column.dtype != dtype and first_loss(column, dtype) is not None
            )
        if lost:
            raise NotPlainError
    return np.stack(columns, axis=1).astype(dtype)


def static_in(columns: Sequence[Array], dtype: np.dtype[Any]) -> Array:
    """Numbers side by side in a dtype, (n, P), where none is missing and whole ones stay whole."""
    for column in columns:
        whole = column.dtype.kind in "iu"
        if not (whole or (column.dtype.kind == "f" == dtype.kind and not np.isnan(column).any())):
            raise NotPlainError
        if first_loss(column, dtype) is not None:
            raise NotPlainError
    return np.stack([column.astype(dtype) for column in columns], axis=1)


def labels_in(column: Array) -> tuple[Array, LabelState]:
    """The codes of labels or of names, (n,), and what is known of them; none may be missing."""
    texts = [*map(str, column.tolist())] if column.dtype.kind in "iu" else column.tolist()
    codes = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    if column.dtype.kind not in "iuO" or not all(map(_is_name, codes)):
        raise NotPlainError
    return np.array([codes[text] for text in texts], np.int64), LabelState(codes, [*range(len(codes))])


def _is_name(cell: Any) -> bool:
    return type(cell) is str and "\0" not in cell and not reads_as_missing(cell)
