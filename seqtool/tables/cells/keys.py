"""Columns that tell sequences apart: integers as they are, all else as it was written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array
from seqtool.tables.cells.cells import EXACT, BadCellError, is_text, plain
from seqtool.tables.cells.spelling import plain_integers, text_bytes, text_offsets


class Keys:
    """A column that tells sequences apart: int64 while every cell is a plain integer, else text.

    Cells are compared as written: 007, 07 and 7 are three keys. `empty` counts cells that hold nothing; with
    `keep_empty` they are a key of text like others, else their rows are to be left out.
    """

    def __init__(self, *, keep_empty: bool = False) -> None:
        self._keep_empty = keep_empty
        self.integer = True
        self.empty = 0

    def encode(self, array: Any) -> tuple[Any, Array | None]:
        """The batch as NumPy int64, or as Arrow text; and which rows have no key, or None."""
        array = spelled(plain(array))
        if pa.types.is_integer(array.type) and not array.null_count:
            return (np.asarray(array), None) if self.integer else (array.cast(pa.string()), None)
        if not is_text(array):
            array = array.cast(pa.string())
        array = pc.fill_null(array, "")
        refuse_nul(array)
        empty = np.diff(text_offsets(array)) == 0
        count = int(empty.sum())
        self.empty += count
        left_out = empty if count and not self._keep_empty else None
        if self.integer:
            integers = plain_integers(array if left_out is None else pc.if_else(pa.array(empty), "0", array))
            if integers is not None:
                return np.asarray(integers), left_out
            self.integer = False
        return array, left_out


def spelled(array: Any) -> Any:
    """A typed key column as its integers, or as the text that a person would write."""
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
    """Raise BadCellError for text with a NUL, which NumPy would strip: two keys would become one."""
    if text_bytes(array).all():  # no byte is 0
        return
    with_nul = np.asarray(pc.match_substring(array, "\0"))
    row = int(np.argmax(with_nul))
    raise BadCellError(row, array[row].as_py())
