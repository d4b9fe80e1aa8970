"""Columns of labels: classes, or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import Array, first_loss
from seqtool.errors import DataError
from seqtool.tables.cells.cells import INTEGER, is_text, plain
from seqtool.tables.cells.keys import refuse_nul, spelled
from seqtool.tables.cells.numbers import holds


class Labels:
    """A column of labels: each distinct text gets a code in the order of appearance.

    `finish` tells the codes' final meaning. `missing` counts cells that hold nothing.
    """

    def __init__(self, missing: Sequence[str] = ()) -> None:
        # A label may well be called none or NA: only what holds nothing, and what a person names, is missing.
        self._words = pa.array(["", *missing], pa.string())
        self._codes: dict[str, int] = {}
        self.missing = 0

    def encode(self, array: Any) -> Array:
        """The batch as (n,) int64 codes."""
        array = spelled(plain(array))
        if not is_text(array):
            array = array.cast(pa.string())
        array = pc.fill_null(array, "")
        refuse_nul(array)
        encoded = array.dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        codes = np.array(
            [self._codes.setdefault(text, len(self._codes)) for text in distinct], dtype=np.int64
        )
        self.missing += pc.sum(pc.is_in(array, value_set=self._words)).as_py() or 0
        return np.asarray(codes[np.asarray(encoded.indices)])

    def text(self, code: int) -> str:
        """The label behind a code."""
        return list(self._codes)[code]

    def finish(self, how: str | None) -> tuple[Array, Array | None]:
        """What each code becomes, and the names of the classes; (codes,) numbers and None for plain numbers.

        Text and whole numbers become class ids, 0 to C - 1 in sorted order; fractions stay numbers, float32;
        `how` is "class" or "number" where a person decides. Raises DataError for numbers that are none, or
        that would change.
        """
        texts = list(self._codes)
        numbers = [_number(text) for text in texts]
        whole = (
            _integers(texts)
            if all(number is not None and number == int(number) for number in numbers)
            else None
        )
        if how == "number" or (
            how is None and whole is None and all(number is not None for number in numbers)
        ):
            return _label_numbers(texts, numbers, whole), None
        names = np.array(texts, dtype=str) if whole is None else np.array(whole, dtype=np.int64)
        classes, ids = np.unique(names, return_inverse=True)
        return ids.astype(np.int64), classes


def _label_numbers(texts: list[str], numbers: list[float | None], whole: list[int] | None) -> Array:
    if whole is not None:
        return np.array(whole, dtype=np.int64)
    single = np.dtype(np.float32)
    for text, number in zip(texts, numbers, strict=True):
        if number is None:
            raise DataError(f"label {text!r} is not a number; use --label-as class")
        spelled = int(text) if INTEGER.fullmatch(text) else None
        if first_loss(np.array([number]), single) is not None or (
            spelled is not None and not holds(spelled, single)
        ):
            raise DataError(f"label {text} is a number that float32 cannot hold; use --label-as class")
    return np.array(numbers, dtype=single)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) and "_" not in text else None


def _integers(texts: list[str]) -> list[int] | None:
    integers = [int(text) if INTEGER.fullmatch(text) else int(Decimal(text)) for text in texts]
    inside = all(-(2**63) <= integer < 2**63 for integer in integers)
    return integers if inside else None
