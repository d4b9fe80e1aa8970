"""From the columns of a table to what the kernel groups: each column encoded by the part it plays.

`EncoderPlan` says what is to be done with which column, `EncoderState` what is known of their cells, and `Encoder`
turns batches into arrays by both. All three pickle, and none knows where the rows come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
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
    missing_words,
    read_labels,
    row_of,
)
from seqtool.tables.roles import PLAIN_ORDER


class TextKeyError(Exception):
    """A key column of a table without names holds text, so it is no feature; `column` is its position."""

    def __init__(self, column: int) -> None:
        super().__init__(f"column {column} holds text")
        self.column = column


@dataclass(frozen=True)
class _Batch:
    """Some rows: their columns by position, and their numbers: that of the first row, or all of them."""

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
        return _Batch(
            arrays, self.rows + places if isinstance(self.rows, int) else self.rows[places], len(places)
        )


class Encoder:
    """Turns the columns of a table into those of the kernel, batch by batch, by a plan and a state.

    The state grows with each batch; columns widen meanwhile, from integers to floats, and keys to text. With a
    `final` state it stays as it is: every batch of every piece comes out as the same types, features as those of
    `EncoderPlan.dtype`, and a cell that the state has not seen is an UnseenError.

    `faulty` tells that a bad cell was found, `has_text_keys` that a key of a table without names is no feature.

    Columns are named in what comes out by their part and position: `k0` for the key, `o` order, `f` feature, `s`
    static, `y` label, `t` step label, `row` the row's number.
    """

    def __init__(self, plan: EncoderPlan, state: EncoderState | None = None, *, final: bool = False) -> None:
        known = state or EncoderState()
        plan = plan.settled(known) if final else plan
        self.plan = plan
        self._final = final
        self.faulty = self.has_text_keys = False
        roles, options = plan.roles, plan.options
        words = tuple(missing_words(options.missing).to_pylist())
        single = np.dtype(np.float32)
        target = plan.asked_dtype or single
        keep = plan.array_dtype is not None
        self._rows, self._dropped = known.rows, known.dropped
        self._keys = {
            column: Keys(
                keep_empty=options.empty_key == "keep",
                missing=options.missing,
                state=known.keys.get(column),
                final=final,
            )
            for column in roles.key
        }
        self._orders = {
            column: Order(
                words,
                read_as=roles.order_as.get(column, PLAIN_ORDER),
                state=known.orders.get(column),
                final=final,
            )
            for column in roles.order
        }
        self._features = {
            column: Numbers(
                target,
                words,
                text=plan.text,
                keep=keep,
                rounds=options.dtype is not None,
                time_as=options.time_as,
                state=known.features.get(column),
                final=final,
            )
            for column in roles.features
        }
        self._statics = {
            column: Numbers(
                single,
                words,
                text=plan.text,
                time_as=options.time_as,
                state=known.statics.get(column),
                final=final,
            )
            for column in roles.static
        }
        self._labels = {
            part: Labels(options.missing, state=known.labels.get(part), final=final) for part in plan.labels
        }
        self._items = {} if roles.item is None else {"p": Labels(state=known.items.get("p"), final=final)}
        self._unnamed = known.unnamed
        self._dtype = plan.dtype(known) if final else None

    @property
    def labels(self) -> dict[str, LabelState]:
        """What is known of the labels by now, which still grow in it."""
        return _states(self._labels)

    def spool_labels(self, spool: Spool, memory: Memory, share: float) -> None:
        """Let labels that take much memory stand in a spool; raises DataError where even their digests take too much.

        `share` is that of the rows that were read; the others are taken to hold as many.
        """
        for part, labels in self._labels.items():
            labels.bound(spool, memory, f"column {self.plan.label(self.plan.labels[part])!r}", share)

    @property
    def state(self) -> EncoderState:
        """What is known by now; labels still grow in it."""
        return EncoderState(
            self._rows,
            self._dropped,
            _states(self._keys),
            _states(self._orders),
            _states(self._features),
            _states(self._statics),
            _states(self._labels),
            _states(self._items),
            self._unnamed,
        )

    def encode(
        self, arrays: Mapping[int, Any], first_row: int | Array, pool: Executor | None = None
    ) -> dict[str, Any]:
        """The columns of a batch of rows, without those that have no key; nothing where no row has one.

        `arrays` are Arrow arrays by column. A bad cell is noted in its column's state, and nothing comes out, nor for
        later batches: see `EncoderPlan.first_bad_cell`. Where the state is final, it is an UnseenError instead.
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
        if self.plan.options.keep_row_index:
            rows = batch.rows
            out["row"] = np.arange(rows, rows + count) if isinstance(rows, int) else rows
        return out

    def _choose_items(self, batch: _Batch, out: dict[str, Any], _: Executor | None) -> _Batch:
        """The rows whose items were named, if any were: what the others hold does not matter."""
        column, named = self.plan.roles.item, self.plan.roles.items
        if column is None or named is None:
            return batch
        try:
            encoded = read_labels(batch.arrays[column])
        except (BadCellError, pa.ArrowException):  # noted when it is read
            return batch
        known = np.array([text in named for text in encoded.dictionary.to_pylist()], dtype=bool)
        keep = known[np.asarray(encoded.indices)]
        if keep.all():
            return batch
        self._unnamed += int(len(keep) - keep.sum())
        return batch.kept(keep)

    def check_items(self, memory: Memory) -> None:
        """Raise DataError where there are more items than steps of as many features fit into memory."""
        for items in self._items.values():
            known = len(items.state.codes)
            if _EACH_ITEM * known > memory.limit and self.plan.roles.item is not None:
                raise DataError(
                    f"column {self.plan.label(self.plan.roles.item)!r} holds {known:,} items and more, each of which "
                    "becomes a feature: too many for the memory allowed; name those that are wanted: ",
                    Advice("--columns", "A,B"),
                )

    def _encode_keys(self, batch: _Batch, out: dict[str, Any], _: Executor | None) -> _Batch:
        if not self._keys:  # all rows are one sequence
            out["k0"] = np.zeros(batch.count, np.int64)
        keep = np.ones(batch.count, dtype=bool)
        for i, (column, keys) in enumerate(self._keys.items()):
            found, batch = self._read(keys, column, batch)
            if found is None:
                return batch
            out[f"k{i}"], empty = found
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
                out[f"o{column}_{i}"] = part
        return batch

    def _encode_features(self, batch: _Batch, out: dict[str, Any], pool: Executor | None) -> _Batch:
        """All features of the same rows, so that an error can name all columns that hold no numbers."""

        def read(column: int) -> Array | BadCellError | pa.ArrowException:
            try:
                return self._features[column].encode(batch.arrays[column], batch.rows)
            except (BadCellError, pa.ArrowException) as error:
                return error

        columns = [column for column, numbers in self._features.items() if not numbers.state.bad]
        # Text takes time, and lets other threads run; numbers are only looked at.
        heavy = pool is not None and any(is_text(batch.arrays[column]) for column in columns)
        coded = pool.map(read, columns) if pool is not None and heavy else map(read, columns)
        good = batch.count
        for column, found in zip(columns, coded, strict=True):
            if not isinstance(found, np.ndarray):
                place = self._note(self._features[column], column, found, batch)
                good = good if column in self.plan.roles.spare_features else min(good, place)
            elif self._dtype is None:
                out[f"f{column}"] = found
            else:
                with np.errstate(all="ignore"):  # what does not fit is refused before it is used
                    out[f"f{column}"] = found.astype(self._dtype, copy=False)
        return batch if good == batch.count else batch.until(good)

    def _encode_others(self, batch: _Batch, out: dict[str, Any], _: Executor | None) -> _Batch:
        for column, numbers in self._statics.items():
            out[f"s{column}"], batch = self._read(numbers, column, batch)
        for part, labels in self._labels.items():
            out[part], batch = self._read(labels, self.plan.labels[part], batch)
        for part, items in self._items.items():
            assert self.plan.roles.item is not None
            out[part], batch = self._read(items, self.plan.roles.item, batch)
        return batch

    def _read(self, encoder: _Column, column: int, batch: _Batch) -> tuple[Any, _Batch]:
        """What a column's cells become, and the batch: cut before a bad cell, so that only an earlier one is found."""
        while batch.count:
            cells = batch.arrays[column]
            try:
                found = (
                    encoder.encode(cells) if isinstance(encoder, Keys) else encoder.encode(cells, batch.rows)
                )
            except (BadCellError, pa.ArrowException) as error:
                batch = batch.until(self._note(encoder, column, error, batch))
            else:
                return found, batch
        return None, batch

    def _note(
        self, encoder: _Column, column: int, error: BadCellError | pa.ArrowException, batch: _Batch
    ) -> int:
        """Put a bad cell into the state of its column; its place in the batch."""
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
    """The columns of a batch as the kernel takes them, by a final state, and by nothing else; it changes nothing.

    `arrays` are Arrow arrays by column. Raises UnseenError for a cell that is not what the state says.
    """
    return Encoder(plan, state, final=True).encode(arrays, first_row)
