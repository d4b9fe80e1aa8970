"""From the columns of a table to what the kernel groups: each column encoded by the part it plays.

`EncoderPlan` says what to do with each column, `EncoderState` holds what is known of the cells so far, and `Encoder`
turns batches into arrays by both. Plan and state pickle, and none of the three knows where the rows come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.grouping.encoder_columns import feature_columns, key_columns, order_columns, static_columns
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.row_columns import ITEM, ROW, feature_name, key_name, order_name, static_name
from seqtool.system.memory import Memory
from seqtool.tables.cells import (
    BadCell,
    BadCellError,
    Keys,
    Labels,
    LabelState,
    Numbers,
    Order,
    UnseenError,
    bad_number,
    earliest,
    is_text,
    read_labels,
    row_of,
)


class TextKeyError(Exception):
    """A key column of a table without names holds text, so it is no feature; `column` is its position."""

    def __init__(self, column: int) -> None:
        super().__init__(f"column {column} holds text")
        self.column = column


@dataclass(frozen=True)
class _Batch:
    """Some rows: their columns by position; `rows` is the number of the first row, or holds that of each."""

    arrays: Mapping[int, Any]
    rows: int | Array
    count: int

    def until(self, count: int) -> _Batch:
        """The first rows."""
        arrays = {column: array.slice(0, count) for column, array in self.arrays.items()}
        return _Batch(arrays, self.rows if isinstance(self.rows, int) else self.rows[:count], count)

    def kept(self, keep: Array) -> _Batch:
        """The rows that are marked."""
        marks = pa.array(keep)
        arrays = {column: array.filter(marks) for column, array in self.arrays.items()}
        places = np.flatnonzero(keep)
        rows = self.rows + places if isinstance(self.rows, int) else self.rows[places]
        return _Batch(arrays, rows, len(places))


class Encoder:
    """Turns the columns of a table into those of the kernel, batch by batch, by a plan and a state.

    The state grows with each batch, and columns widen: integers to floats, keys to text. With `final` the state is
    fixed: every batch of every piece has the same types, that of the features is `EncoderPlan.dtype`, and a cell that
    the state does not cover is an UnseenError. Then every row has its number, which tells the rows of pieces apart.

    `faulty` is true once a bad cell was found; `has_text_keys` once a key of a table without names turned out to be
    text, so that it is no feature.

    `row_columns` names the arrays by the part that their column plays, such as "feature 3".
    """

    def __init__(self, plan: EncoderPlan, state: EncoderState | None = None, *, final: bool = False) -> None:
        known = state or EncoderState()
        self.plan = plan.settled(known) if final else plan
        self.faulty = self.has_text_keys = False
        self._final = final
        self._rows, self._dropped, self._unnamed = known.rows, known.dropped, known.unnamed
        self._keys = key_columns(self.plan, known, final)
        self._orders = order_columns(self.plan, known, final)
        self._features = feature_columns(self.plan, known, final)
        self._statics = static_columns(self.plan, known, final)
        self._labels = {
            part: Labels(self.plan.options.missing, state=known.labels.get(part), final=final)
            for part in self.plan.labels
        }
        long = self.plan.roles.item is not None
        self._items = {ITEM: Labels(state=known.items.get(ITEM), final=final)} if long else {}
        self._categories = {
            part: Labels(self.plan.options.missing, state=known.categories.get(part), final=final)
            for part in self.plan.all_categories
        }
        self._dtype = self.plan.dtype(known) if final else None

    @property
    def labels(self) -> dict[str, LabelState]:
        """The state of each label by its part; later batches add to these same objects."""
        return _states(self._labels)

    def spool_labels(self, spool: Spool, memory: Memory, share: float) -> None:
        """Move labels and categories that take much memory to a spool; DataError where their digests take too much.

        `share` is the share of the rows that were read; the rest is taken to hold as many distinct labels.
        """
        for part, labels in self._labels.items():
            labels.bound(spool, memory, f"column {self.plan.label(self.plan.labels[part])!r}", share)
        for part, names in self._categories.items():
            names.bound(spool, memory, f"column {self.plan.label(self.plan.all_categories[part])!r}", share)

    @property
    def state(self) -> EncoderState:
        """What is known so far; later batches add to the labels in it."""
        return EncoderState(
            rows=self._rows,
            dropped=self._dropped,
            keys=_states(self._keys),
            orders=_states(self._orders),
            features=_states(self._features),
            statics=_states(self._statics),
            labels=_states(self._labels),
            items=_states(self._items),
            categories=_states(self._categories),
            unnamed=self._unnamed,
        )

    def encode(
        self, arrays: Mapping[int, Any], first_row: int | Array, pool: Executor | None = None
    ) -> dict[str, Any]:
        """The columns of a batch, without the rows that have no key; an empty dict where no row is left.

        `arrays` are Arrow arrays by column. A bad cell is noted in the state of its column, and this batch and all
        later ones give an empty dict: see `EncoderPlan.first_bad_cell`. Raises UnseenError instead with a final state.
        """
        count = len(next(iter(arrays.values())))
        self._rows += count
        batch, out = _Batch(arrays, first_row, count), dict[str, Any]()
        for encode in (
            self._choose_items,
            self._encode_keys,
            self._encode_orders,
            self._encode_features,
            self._encode_others,
        ):
            batch = encode(batch, out, pool)
            if not batch.count:
                break
        if self.faulty or not batch.count:
            return {}
        if self.plan.options.keep_row_index or self._final:
            rows = batch.rows
            out[ROW] = np.arange(rows, rows + count) if isinstance(rows, int) else rows
        return out

    def _choose_items(self, batch: _Batch, out: dict[str, Any], _: Executor | None) -> _Batch:
        """The rows of the items that `--columns` names; all rows where it names none."""
        column, named = self.plan.roles.item, self.plan.roles.items
        if column is None or named is None:
            return batch
        try:
            encoded = read_labels(batch.arrays[column])
        except (BadCellError, pa.ArrowException):  # `_encode_others` notes the bad cell
            return batch
        is_named = np.array([text in named for text in encoded.dictionary.to_pylist()], dtype=bool)
        keep = is_named[np.asarray(encoded.indices)]
        if keep.all():
            return batch
        self._unnamed += int(len(keep) - keep.sum())
        return batch.kept(keep)

    def check_items(self, memory: Memory) -> None:
        """Raise DataError where steps of as many features as there are items would not fit into memory."""
        for items in self._items.values():
            known = len(items.state.codes)
            if _EACH_ITEM * known > memory.limit and self.plan.roles.item is not None:
                raise DataError(
                    f"column {self.plan.label(self.plan.roles.item)!r} holds {known:,} items and more, each of which "
                    "becomes a feature: too many for the memory allowed; name those that are wanted: ",
                    Advice("--columns", "A,B"),
                )

    def _encode_keys(self, batch: _Batch, out: dict[str, Any], _: Executor | None) -> _Batch:
        """The rows that have a key."""
        if not self._keys:  # all rows are one sequence
            out[key_name(0)] = np.zeros(batch.count, np.int64)
        keep = np.ones(batch.count, dtype=bool)
        for i, (column, keys) in enumerate(self._keys.items()):
            encoded, batch = self._read(keys, column, batch)
            if encoded is None:
                return batch
            out[key_name(i)], empty = encoded
            keep = keep[: batch.count]
            if empty is not None:
                keep &= ~empty
        if keep.all():
            return batch
        self._dropped += int(batch.count - keep.sum())
        for name, column in out.items():
            cells = column[: len(keep)]
            out[name] = cells[keep] if isinstance(cells, np.ndarray) else cells.filter(pa.array(keep))
        return batch.kept(keep)

    def _encode_orders(self, batch: _Batch, out: dict[str, Any], _: Executor | None) -> _Batch:
        for column, order in self._orders.items():
            parts, batch = self._read(order, column, batch)
            for i, part in enumerate(parts or ()):
                out[order_name(column, i)] = part
        return batch

    def _encode_features(self, batch: _Batch, out: dict[str, Any], pool: Executor | None) -> _Batch:
        """The rows before the first bad cell; each feature reads all, so that an error can name every bad column."""

        def read(column: int) -> Array | BadCellError | pa.ArrowException:
            try:
                return self._features[column].encode(batch.arrays[column], batch.rows)
            except (BadCellError, pa.ArrowException) as error:
                return error

        columns = [column for column, numbers in self._features.items() if not numbers.state.bad]
        # Parsing text takes time and releases the interpreter lock; numbers are only inspected.
        parallel = pool is not None and any(is_text(batch.arrays[column]) for column in columns)
        results = pool.map(read, columns) if pool is not None and parallel else map(read, columns)
        good = batch.count
        for column, result in zip(columns, results, strict=True):
            if not isinstance(result, np.ndarray):
                place = self._note(self._features[column], column, result, batch)
                good = good if column in self.plan.roles.spare_features else min(good, place)
            elif self._dtype is None:
                out[feature_name(column)] = result
            else:
                with np.errstate(all="ignore"):  # what does not fit is refused before it is used
                    out[feature_name(column)] = result.astype(self._dtype, copy=False)
        return batch if good == batch.count else batch.until(good)

    def _encode_others(self, batch: _Batch, out: dict[str, Any], _: Executor | None) -> _Batch:
        for column, numbers in self._statics.items():
            out[static_name(column)], batch = self._read(numbers, column, batch)
        for part, labels in self._labels.items():
            out[part], batch = self._read(labels, self.plan.labels[part], batch)
        for part, items in self._items.items():
            assert self.plan.roles.item is not None
            out[part], batch = self._read(items, self.plan.roles.item, batch)
        for part, names in self._categories.items():
            out[part], batch = self._read(names, self.plan.all_categories[part], batch)
        return batch

    def _read(self, encoder: _Column, column: int, batch: _Batch) -> tuple[Any, _Batch]:
        """The encoded cells of a column, and the batch, cut before a bad cell: later ones need not be found."""
        while batch.count:
            cells = batch.arrays[column]
            try:
                if isinstance(encoder, Keys):
                    return encoder.encode(cells), batch
                return encoder.encode(cells, batch.rows), batch
            except (BadCellError, pa.ArrowException) as error:
                batch = batch.until(self._note(encoder, column, error, batch))
        return None, batch

    def _note(
        self, encoder: _Column, column: int, error: BadCellError | pa.ArrowException, batch: _Batch
    ) -> int:
        """Put a bad cell into the state of its column, and return its place in the batch."""
        if self._final:
            raise UnseenError(f"column {self.plan.label(column)!r}: {error}") from error
        spare = encoder is self._features.get(column) and column in self.plan.roles.spare_features
        self.faulty |= not spare
        self.has_text_keys |= spare
        place = error.row if isinstance(error, BadCellError) else 0
        if not isinstance(error, BadCellError):
            bad = BadCell(row_of(batch.rows, 0), "", reason=" ".join(str(error).split()))
        elif isinstance(encoder, Numbers):
            bad = bad_number(error, batch.arrays[column], batch.rows, encoder.options)
        else:
            bad = BadCell(
                row_of(batch.rows, place), error.cell, expected=error.expected, readings=error.readings
            )
        state: Any = encoder.state
        encoder.state = replace(state, bad=earliest(state.bad, bad))
        return place


_Column = Keys | Order | Numbers | Labels
_EACH_ITEM = 4096  # bytes: a few hundred steps stand in memory at once


def _states(columns: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: column.state for name, column in columns.items()}


def encode(
    arrays: Mapping[int, Any], plan: EncoderPlan, state: EncoderState, first_row: int
) -> dict[str, Any]:
    """The columns of a batch as the kernel takes them, by a final state, which does not change.

    `arrays` are Arrow arrays by column. Raises UnseenError for a cell that the state does not cover.
    """
    return Encoder(plan, state, final=True).encode(arrays, first_row)
