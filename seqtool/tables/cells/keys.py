"""Key columns, which tell sequences apart: plain integers as int64, all other keys as text."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import EXACT, Array
from seqtool.dataclass import dataclass
from seqtool.tables.cells.cells import (
    BadCell,
    BadCellError,
    added_counts,
    earliest,
    in_file,
    is_text,
    plain,
    reads_as_missing,
    word_set,
)
from seqtool.tables.cells.column import Column
from seqtool.tables.cells.spelling import plain_integers, text_bytes, text_offsets


@dataclass(frozen=True)
class KeyState:
    """What is known of a key column: whether every cell is a plain integer, and how many are empty.

    `words` counts the rows of each key that is a usual word for a missing value, such as NA, or was named as one.
    """

    integer: bool = True
    empty: int = 0
    bad: BadCell | None = None
    words: Mapping[str, int] = field(default_factory=dict)

    def merge(self, other: KeyState) -> KeyState:
        """What is known of the rows of both.

        >>> KeyState(empty=2).merge(KeyState(integer=False, empty=1))
        KeyState(integer=False, empty=3, bad=None, words={})
        """
        return KeyState(
            self.integer and other.integer,
            self.empty + other.empty,
            earliest(self.bad, other.bad),
            added_counts(self.words, other.words),
        )

    def in_file(self, file: int) -> KeyState:
        """The same, its rows as those of the file with this number."""
        return replace(self, bad=in_file(self.bad, file))


def read_keys(
    array: Any, *, keep_empty: bool = False, integer: bool = True, missing: tuple[str, ...] = ()
) -> tuple[Any, Array | None, KeyState]:
    """A batch of keys as (n,) NumPy int64 or Arrow text; which rows have none, (n,) bool or None; and its state.

    Keys are compared as they are written: 007, 07 and 7 are three keys. An empty cell is no key, nor is a text among
    those that are `missing`, unless `keep_empty` makes them keys of text. With `integer=False` all keys are text.
    Raises BadCellError for a cell that cannot be a key.

    >>> keys, left_out, state = read_keys(pa.array(["7", "", "12"]))
    >>> keys, left_out, state.integer, state.empty
    (array([ 7,  0, 12]), array([False,  True, False]), True, 1)
    """
    array = spelled(plain(array))
    integer_is_missing = any(_INTEGER.fullmatch(word) for word in missing)
    if pa.types.is_integer(array.type) and not array.null_count and not integer_is_missing:
        return (np.asarray(array) if integer else array.cast(pa.string())), None, KeyState()
    if not is_text(array):
        array = array.cast(pa.string())
    array = pc.fill_null(array, "")
    refuse_nul(array)
    empty = np.diff(text_offsets(array)) == 0
    words = _words(array, empty)
    if missing:
        absent = pc.is_in(array, value_set=word_set(missing))
        words = added_counts(words, _counts(array.filter(absent), but=words))
        empty |= np.asarray(absent)
    count = int(empty.sum())
    left_out = empty if count and not keep_empty else None
    if integer:
        integers = plain_integers(array if left_out is None else pc.if_else(pa.array(empty), "0", array))
        if integers is not None:
            return np.asarray(integers), left_out, KeyState(empty=count, words=words)
    return array, left_out, KeyState(False, count, words=words)


_INTEGER = re.compile(r"0|-?[1-9]\d*")


def _words(array: Any, empty: Array) -> dict[str, int]:
    """The number of rows of each key that is a usual word for a missing value: all begin with an n, or a blank."""
    offsets, rows = text_offsets(array), np.flatnonzero(~empty)
    first = text_bytes(array)[offsets[rows] - offsets[0]]
    likely = ((first | 0x20) == ord("n")) | (first <= ord(" "))
    if not likely.any():
        return {}
    counts = _counts(array.take(pa.array(rows[likely])))
    return {text: number for text, number in counts.items() if reads_as_missing(text)}


def _counts(array: Any, but: Container[str] = ()) -> dict[str, int]:
    """The number of rows of each text in an array, `but` some texts."""
    counted = pc.value_counts(array)
    pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    return {text: number for text, number in pairs if text not in but}


class Keys(Column[KeyState]):
    """A column that identifies sequences: int64 while every cell is a plain integer, else text."""

    def __init__(
        self,
        *,
        keep_empty: bool = False,
        missing: Sequence[str] = (),
        state: KeyState | None = None,
        final: bool = False,
    ) -> None:
        super().__init__(state or KeyState(), final=final)
        self._missing = tuple(missing)
        self._keep_empty = keep_empty

    @property
    def integer(self) -> bool:
        """Whether every cell so far is a plain integer."""
        return self.state.integer

    @property
    def empty(self) -> int:
        """The number of empty cells so far."""
        return self.state.empty

    def encode(self, array: Any) -> tuple[Any, Array | None]:
        """The batch as NumPy int64 or Arrow text, and which rows have no key, (n,) bool, or None if all have."""
        keys, left_out, state = read_keys(
            array, keep_empty=self._keep_empty, integer=self.state.integer, missing=self._missing
        )
        turns_to_text = self.state.integer and not state.integer
        self._learn(state, unseen="text stands where all keys were integers" if turns_to_text else "")
        return keys, left_out


def spelled(array: Any) -> Any:
    """A typed key column as int64 where it fits, else as text; raises BadCellError for nested and binary types."""
    types = pa.types
    if types.is_integer(array.type):
        try:
            return array.cast(pa.int64())
        except pa.ArrowInvalid:
            return array.cast(pa.string())
    if types.is_floating(array.type):
        numbers = array.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
        missing = np.isnan(numbers)
        whole = np.where(missing, 0, numbers)
        if (np.abs(whole) < EXACT).all() and (whole == np.trunc(whole)).all():
            return pa.array(whole.astype(np.int64), mask=missing)
        return pa.array([_float_key(number) for number in numbers.tolist()], pa.string())
    binary = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary)
    if types.is_nested(array.type) or any(is_binary(array.type) for is_binary in binary):
        raise BadCellError(0, f"a column of {array.type}")
    return array


def _float_key(number: float) -> str:
    if number != number:
        return ""
    return str(int(number)) if abs(number) < EXACT and number == int(number) else repr(number)


def refuse_nul(array: Any) -> None:
    """Raise BadCellError for text with a NUL, which NumPy strips: two keys could become one."""
    if text_bytes(array).all():  # no byte is 0
        return
    with_nul = np.asarray(pc.match_substring(array, "\0"))
    row = int(np.argmax(with_nul))
    raise BadCellError(row, array[row].as_py())
