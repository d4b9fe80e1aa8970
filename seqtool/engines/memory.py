"""Sorting in memory: for arrays and DataFrames, which are there already, and for files that fit with ease."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.casting import Array

_ROWS = 1 << 16  # rows in one batch of the result


class MemoryEngine:
    """Holds all rows at once; see `seqtool.engines.Engine`.

    >>> with MemoryEngine() as engine:
    ...     engine.add(pa.record_batch({"k": [2, 1], "a": [5, 6]}))
    ...     [batch["a"].to_pylist() for batch in engine.sorted(["k"])]
    [[6, 5]]
    """

    def __init__(self) -> None:
        self._batches: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._batches = []

    def add(self, batch: Any) -> None:
        """Take a record batch."""
        self._batches.append(batch)

    def sorted(self, by: Sequence[str]) -> Iterator[Any]:
        """The rows in order."""
        if not self._batches:
            return
        names = self._batches[0].schema.names
        columns = {}
        for name in names:
            columns[name] = _joined([batch[name] for batch in self._batches])
        self._batches = []
        order = stable_order([_ranks(columns[name]) for name in by])
        for begin in range(0, len(order), _ROWS):
            rows = order[begin : begin + _ROWS]
            yield pa.RecordBatch.from_arrays([_take(columns[name], rows) for name in names], names)


def stable_order(columns: Sequence[Array]) -> Array:
    """The order that sorts rows by the first column, then the next; rows equal in all keep their order.

    >>> stable_order([np.array([1, 0, 1, 0]), np.array([5, 9, 4, 9])])
    array([1, 3, 2, 0])
    """
    order: Array | None = None
    for column in reversed(columns):  # least significant first: every pass is stable
        for digits in _digits(column):
            if order is None:
                order = np.argsort(digits, kind="stable")
            else:
                order = order[np.argsort(digits[order], kind="stable")]
    assert order is not None
    return order


def _digits(column: Array) -> Iterator[Array]:
    """Integers in a range below 2^32 as 16-bit digits, lowest first: NumPy sorts those in linear time."""
    if column.dtype.kind not in "iu" or not len(column):
        yield column
        return
    low, high = int(column.min()), int(column.max())
    if high - low >= 1 << 32:
        yield column
        return
    distance = (column - low).astype(np.uint32)
    yield (distance & 0xFFFF).astype(np.uint16)
    if high - low >= 1 << 16:
        yield (distance >> 16).astype(np.uint16)


def _joined(parts: Sequence[Any]) -> Any:
    """All cells of a column, with the widest type among its parts: a NumPy array, or Arrow text."""
    kinds = {part.type for part in parts}
    if pa.string() in kinds:
        # 64-bit offsets: all keys of a table may be more than 2 GB of text.
        return pa.concat_arrays([part.cast(pa.string()).cast(pa.large_string()) for part in parts])
    return np.concatenate([np.asarray(part) for part in parts])


def _ranks(column: Any) -> Array:
    """A column as numbers in the same order; text compares by code point, as UTF-8 bytes do."""
    if isinstance(column, np.ndarray):
        return column
    encoded = column.dictionary_encode()
    places = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(places), np.int64)
    rank[places] = np.arange(len(places))
    return np.asarray(rank[encoded.indices.to_numpy()])


def _take(column: Any, rows: Array) -> Any:
    if isinstance(column, np.ndarray):
        return pa.array(column[rows])
    return column.take(pa.array(rows)).cast(pa.string())
