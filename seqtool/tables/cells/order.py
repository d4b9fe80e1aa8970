"""Columns that put steps in order: numbers, ISO dates and times, categories; on request text, or times of a format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array
from seqtool.sequences.iso_writing import DAYS, writing_of
from seqtool.tables.cells.cells import (
    BadCell,
    BadCellError,
    is_text,
    plain,
    row_of,
)
from seqtool.tables.cells.column import Column
from seqtool.tables.cells.instants import (
    TIMES,
    micro_and_beyond,
    missing_texts,
    text_kind,
    text_ticks,
    typed_kind,
    typed_ticks,
)
from seqtool.tables.cells.number_reading import read_numbers
from seqtool.tables.cells.number_state import FLOAT64, INT64, Loss, NumberOptions
from seqtool.tables.cells.order_state import EXPECTED_ORDER, OrderState, joined, other_categories
from seqtool.tables.cells.text_order import sample_of
from seqtool.tables.cells.times import read_times
from seqtool.tables.cells.times import writing_of as text_writing
from seqtool.tables.roles import PLAIN_ORDER, OrderAs


def read_order(
    array: Any,
    rows: int | Array,
    words: tuple[str, ...],
    *,
    read_as: OrderAs = PLAIN_ORDER,
    known: OrderState,
    with_writing: bool = False,
) -> tuple[list[Any], OrderState]:
    """A batch as one or two arrays to sort by, (n,) numbers or Arrow text; and the state of the batch.

    `rows` is its first row, or the row of each cell; `words` are the spellings of a missing value. Raises BadCellError
    for a cell that is of another kind than the first cell of the column. `with_writing` asks how times are written.

    >>> [part.tolist() for part in read_order(pa.array(["1970-01-02"]), 0, (), known=OrderState())[0]]
    [[86400000000], [0]]
    """
    as_stored = not read_as.text and read_as.time_format is None
    if (
        as_stored
        and pa.types.is_dictionary(array.type)
        and array.type.ordered
        and not array.dictionary.null_count
    ):
        return _by_categories(array, rows, known)
    array = plain(array)
    if read_as.text:
        return _as_written(array, rows, known)
    if read_as.time_format is not None:
        return _by_format(array, rows, words, read_as.time_format, known)
    if array.null_count == len(array) and not is_text(array):  # whose kind stays open
        return _all_missing(array, known)
    if is_text(array):
        parts, state = _from_text(pc.fill_null(array, ""), rows, words, known)
        if with_writing and (known.kind or state.kind) == "times" and state.not_numbers < len(array):
            texts = array.filter(pc.invert(pa.array(missing_texts(pc.fill_null(array, ""), words))))
            state = replace(state, writing=writing_of(texts))
        return parts, state
    kind = typed_kind(array.type)
    place = int(np.argmax(np.asarray(array.is_valid()))) if array.null_count else 0
    if known.kind not in (None, kind):
        raise BadCellError(place, str(array[place]))
    state = OrderState(kind, None if known.kind else BadCell(row_of(rows, place), str(array[place])))
    if kind == "numbers":
        return _as_numbers(array, rows, words, known, state)
    writing = None if not with_writing else DAYS if pa.types.is_date(array.type) else ""
    return typed_ticks(array), replace(state, not_numbers=array.null_count, writing=writing)


def _as_written(array: Any, rows: int | Array, known: OrderState) -> tuple[list[Any], OrderState]:
    text = pc.fill_null(array.cast(pa.string()), "")
    empty = np.asarray(pc.equal(text, ""))
    place = int(np.argmin(empty)) if len(empty) else 0
    first = None if known.first or empty.all() else BadCell(row_of(rows, place), text[place].as_py())
    return [text], OrderState("text", first, int(empty.sum()), sample=sample_of(text))


def _by_format(
    array: Any, rows: int | Array, words: tuple[str, ...], time_format: str, known: OrderState
) -> tuple[list[Any], OrderState]:
    if pa.types.is_integer(array.type):
        array = array.cast(pa.string())
    if not is_text(array) and array.null_count < len(array):
        raise BadCellError(
            0, f"a column of {array.type}", "text was expected, for a format says how to read it"
        )
    missing = missing_texts(array, words)
    if missing.all():
        return _all_missing(array, known)
    place = int(np.argmin(missing))
    first = BadCell(row_of(rows, place), array[place].as_py())
    try:
        ticks, factor = read_times(pc.if_else(pa.array(missing), None, array), time_format)
    except BadCellError as error:
        expected = f"text written as {time_format!r} was expected, as --order-by says"
        raise BadCellError(error.row, error.cell, expected) from None
    state = OrderState("times of a format", None if known.first else first, int(missing.sum()))
    return micro_and_beyond(pa.array(ticks), factor), state


def _by_categories(array: Any, rows: int | Array, known: OrderState) -> tuple[list[Any], OrderState]:
    """The cells of an ordered categorical as their places among its categories."""
    of_batch = tuple(array.dictionary.to_pylist())
    before = known.categories or of_batch
    categories = joined(before, of_batch)
    if categories is None:
        raise BadCellError(0, *other_categories(before, of_batch))
    places = {category: place for place, category in enumerate(categories)}
    codes = np.array([places[category] for category in of_batch], dtype=np.int64)
    valid = np.asarray(array.is_valid())
    missing = int(len(valid) - valid.sum())
    if missing == len(array):
        return _all_missing(array, known)
    place = int(np.argmax(valid))
    first = None if known.first else BadCell(row_of(rows, place), str(array[place].as_py()))
    state = OrderState("categories", first, missing, categories=categories)
    return [codes[np.asarray(pc.fill_null(array.indices, 0)).astype(np.int64)]], state


def _all_missing(array: Any, known: OrderState) -> tuple[list[Any], OrderState]:
    return [np.zeros(len(array), np.int64)] * known.parts, OrderState(not_numbers=len(array))


def _as_numbers(
    array: Any, rows: int | Array, words: tuple[str, ...], known: OrderState, state: OrderState
) -> tuple[list[Any], OrderState]:
    options = NumberOptions(FLOAT64, words, text=True)
    numbers, of_numbers = read_numbers(array, rows, options, known=known.numbers)
    return [numbers], replace(state, numbers=of_numbers)


def _from_text(
    array: Any, rows: int | Array, words: tuple[str, ...], known: OrderState
) -> tuple[list[Any], OrderState]:
    missing = pa.array(missing_texts(array, words))
    present = array.filter(pc.invert(missing))
    if not len(present):
        return _all_missing(array, known)
    kind, state = known.kind, OrderState(known.kind)
    if kind is None:
        kind = text_kind(present.slice(0, 1))
        place = int(np.argmin(np.asarray(missing)))
        state = OrderState(kind, BadCell(row_of(rows, place), array[place].as_py()))
    if kind in TIMES and text_ticks(present, kind) is not None:
        parts = text_ticks(pc.if_else(missing, None, array), kind) or []
        return parts, replace(state, not_numbers=len(array) - len(present))
    refused: BadCellError | None = None
    if kind == "numbers":
        try:
            return _as_numbers(array, rows, words, known, state)
        except BadCellError as error:
            refused = error
    for row, cell in enumerate(array):
        if not missing[row].as_py() and (
            kind is None or text_kind(pa.array([cell.as_py()], pa.string())) != kind
        ):
            raise BadCellError(row, cell.as_py(), *_way_out(present, cell.as_py(), known.kind or kind))
    assert refused is not None, "a column that cannot be sorted has a cell that says why"
    raise refused  # such as -nan, which is spelled as a number but is none


def _way_out(cells: Any, cell: str, kind: str | None) -> tuple[str, Sequence[str]]:
    """What was expected instead of a cell, and what may follow the name of such a column so that it can be sorted."""
    if kind is not None:  # as text, 10 would stand before 9
        return f"the cells before it are {kind}; correct it, or leave its row out", ()
    writing = text_writing(cells, cell)
    if writing.time_formats:
        return EXPECTED_ORDER, writing.time_formats
    if writing.day:
        hint = "days of the week do not sort as text: sort by numbers, or by an ordered categorical"
    elif writing.dated:
        hint = "it looks like a date, but others are written in another way: write all of them in one"
    elif writing.month:
        hint = "names of months do not sort as text: sort by numbers, or by a strptime format"
    elif writing.clash:
        first, second = map(repr, writing.clash)
        hint = f"sorted as text, {first} would stand before {second}: sort by a column of numbers"
    else:
        return EXPECTED_ORDER, ("text",)
    return f"{EXPECTED_ORDER}; {hint}", ()


class Order(Column[OrderState]):
    """A column that puts the steps of a sequence in order: numbers, times, categories, or text if asked."""

    def __init__(
        self,
        words: Any,
        *,
        read_as: OrderAs = PLAIN_ORDER,
        state: OrderState | None = None,
        final: bool = False,
        with_writing: bool = False,
    ) -> None:
        self._with_writing = with_writing
        self._words = words if isinstance(words, tuple) else tuple(words.to_pylist())
        self._read_as = read_as
        super().__init__(state or OrderState(), final=final)

    @property
    def kind(self) -> str | None:
        """The kind of the first cell, which all others must share; "text" if the call asks for text."""
        return "text" if self._read_as.text else self.state.kind

    @property
    def missing(self) -> int:
        """The number of missing cells so far."""
        return self.state.missing

    @property
    def parts(self) -> int:
        """The number of arrays to sort by."""
        return self.state.parts

    @property
    def loss(self) -> Loss | None:
        """The first number that cannot be told from its neighbours."""
        return self.state.loss

    def encode(self, array: Any, first_row: int | Array) -> list[Any]:
        """The batch as `parts` arrays, of NumPy numbers or Arrow text; raises BadCellError as `read_order` does."""
        parts, state = read_order(
            array,
            first_row,
            self._words,
            read_as=self._read_as,
            known=self.state,
            with_writing=self._with_writing,
        )
        whole = self.state.numbers.whole
        changes = (state.kind not in (None, self.state.kind)) or (whole and not state.numbers.whole)
        is_new = changes and not self._read_as.text
        self._learn(state, unseen="an order column holds what it did not before" if is_new else "")
        if not self._final or self._read_as.text:
            return parts
        return [part.astype(INT64 if whole else FLOAT64, copy=False) for part in parts]
