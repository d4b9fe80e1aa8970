"""The kernel: record batches in which the rows of one key stand together become one `Ragged`.

Engines put the rows in order; this module alone turns them into sequences. What comes out does not depend
on which engine ran, nor on how the batches were cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.casting import Array


@dataclass(frozen=True)
class Layout:
    """What the columns of the batches are, by name, and what becomes of them.

    `dtype` is that of all `features`. `constant` are columns that must not
    change within a key; they come out one a sequence. `riding` are per-step arrays and their padding.
    """

    keys: Sequence[str]
    order: Sequence[str]
    features: Sequence[str]
    dtype: np.dtype[Any]
    constant: Sequence[str] = ()
    riding: Sequence[str] = ()


@dataclass(frozen=True)
class Grouped:
    """What the kernel found: S rows in N groups.

    `keys` holds one Arrow array for each key column, (N,) each; `constant` (N,) and `riding` (S,) arrays by
    column; `ties` counts neighbours of one key whose order columns are equal.
    """

    values: Array
    offsets: Array
    keys: list[Any]
    constant: dict[str, Array]
    riding: dict[str, Array]
    ties: int


class ChangingError(Exception):
    """A column that must be constant within a key is not: the column, the key, and both contents."""

    def __init__(self, column: str, key: str, before: Any, after: Any) -> None:
        super().__init__(f"{column} changes from {before!r} to {after!r} within key {key}")
        self.column = column
        self.key = key
        self.before = before
        self.after = after


def group_adjacent(batches: Iterable[Any], layout: Layout, *, rows: int) -> Grouped:
    """Gather `rows` rows, of which equal keys are neighbours, into groups; features become (S, F) values.

    Raises ChangingError when a constant column changes within a key.

    >>> batch = pa.record_batch({"k": [1, 1, 2], "a": [5, 6, 7], "b": [0, 1, 2]})
    >>> grouped = group_adjacent([batch], Layout(["k"], [], ["a", "b"], np.dtype("int64")), rows=3)
    >>> grouped.values.shape, grouped.offsets.tolist()
    ((3, 2), [0, 2, 3])
    """
    values = np.empty((rows, len(layout.features)), layout.dtype)
    riding: dict[str, list[Array]] = {name: [] for name in layout.riding}
    constant: dict[str, list[Array]] = {name: [] for name in layout.constant}
    keys: list[list[Any]] = [[] for _ in layout.keys]
    starts: list[Array] = []
    done = ties = 0
    for batch, previous in _with_row_before(batches):
        new = _changes(batch, previous, layout.keys)
        begin = np.flatnonzero(new)
        starts.append(begin + done)
        for parts, name in zip(keys, layout.keys, strict=True):
            parts.append(batch[name].take(pa.array(begin)))
        if layout.order:
            ties += int((~(new | _changes(batch, previous, layout.order))).sum())
        for name in layout.constant:
            changed = _changes(batch, previous, [name]) & ~new
            if changed.any():
                raise _changing(batch, previous, layout, name, int(np.argmax(changed)))
            constant[name].append(np.asarray(batch[name])[begin])
        for name, parts in riding.items():
            parts.append(np.asarray(batch[name]))
        block = values[done : done + len(batch)]
        for column, name in enumerate(layout.features):
            block[:, column] = np.asarray(batch[name])
        done += len(batch)
    if done != rows:
        raise AssertionError(f"{rows:,} rows were sent to be grouped, but {done:,} came back")
    return Grouped(
        values,
        np.concatenate([*starts, [rows]]).astype(np.int64) if rows else np.zeros(1, np.int64),
        [pa.chunked_array(parts or [pa.array(np.empty(0, np.int64))]) for parts in keys],
        {name: _joined(parts) for name, parts in constant.items()},
        {name: _joined(parts) for name, parts in riding.items()},
        ties,
    )


def _with_row_before(batches: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Each batch that is not empty, with the last row before it as a batch of its own."""
    previous = None
    for batch in batches:
        if len(batch):
            yield batch, previous
            previous = batch.slice(len(batch) - 1)


def _changes(batch: Any, previous: Any, names: Sequence[str]) -> Array:
    """Where a row differs from the one before it in any of the columns: (n,) bool."""
    changed = np.zeros(len(batch), dtype=bool)
    changed[0] = previous is None
    for name in names:
        column = batch[name]
        changed[1:] |= _differ(column.slice(1), column.slice(0, len(column) - 1))
        if previous is not None:
            changed[0] |= _differ(column.slice(0, 1), previous[name])[0]
    return changed


def _differ(left: Any, right: Any) -> Array:
    if pa.types.is_floating(left.type):  # NaN is like NaN here: it is a missing value
        a, b = np.asarray(left), np.asarray(right)
        return np.asarray((a != b) & ~(np.isnan(a) & np.isnan(b)))
    return np.asarray(pc.fill_null(pc.not_equal(left, right), True))


def _changing(batch: Any, previous: Any, layout: Layout, name: str, row: int) -> ChangingError:
    key = ", ".join(str(batch[key][row]) for key in layout.keys)
    before = batch[name][row - 1] if row else previous[name][0]
    return ChangingError(name, key, before.as_py(), batch[name][row].as_py())


def _joined(parts: list[Array]) -> Array:
    return np.concatenate(parts) if parts else np.empty(0)


def key_array(columns: Sequence[Any]) -> Array:
    """The keys of N groups from their key columns: (N,) for one column, (N, K) for several; int64 or text.

    Columns of integers alone give integers; with a column of text among them, all become text.

    >>> key_array([pa.chunked_array([["a", "b"]]), pa.chunked_array([[1, 2]])])
    array([['a', '1'],
           ['b', '2']], dtype='<U1')
    """
    if all(pa.types.is_integer(column.type) for column in columns):
        parts = [column.to_numpy() for column in columns]
    else:
        parts = [text_array(column.cast(pa.string()).to_pylist()) for column in columns]
    return parts[0] if len(parts) == 1 else np.stack(parts, axis=1)


def text_array(cells: Sequence[str]) -> Array:
    """Text of fixed width, or of variable width where one long cell would make all others as wide."""
    widest = max(map(len, cells), default=1)
    if widest * len(cells) > 4 * sum(map(len, cells)) + (1 << 20):
        return np.array(cells, dtype=np.dtypes.StringDType())
    return np.array(cells, dtype=f"U{max(widest, 1)}")
