"""The values of labels, classes or numbers, which follow from how all of them are spelled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from math import isfinite

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, first_loss, holds
from seqtool.arrays.many_texts import ManyTexts
from seqtool.arrays.text import Text, in_order
from seqtool.errors import DataError
from seqtool.tables.cells.cells import whole_number
from seqtool.words import shortened


def meaning_of(texts: list[str], how: str | None, *, with_nan: bool) -> tuple[Array, Array | None]:
    """The value of each label, and the names of the classes, None for numbers; `with_nan`: numbers must be floats."""
    numbers = [label_number(text) for text in texts]
    whole = (
        _integers(texts) if all(number is not None and number == int(number) for number in numbers) else None
    )
    if how == "number" or (how is None and whole is None and all(number is not None for number in numbers)):
        return _label_numbers(texts, numbers, None if with_nan else whole), None
    labels = np.array(texts, dtype=str) if whole is None else np.array(whole, dtype=np.int64)
    classes, ids = np.unique(labels, return_inverse=True)
    return ids.astype(np.int64), classes


def meaning_of_many(
    texts: ManyTexts, present: Array, how: str | None, *, with_nan: bool
) -> tuple[Array, Array | Text | None]:
    """The same for texts that are too many for memory; only those that are `present`, (codes,) bool, are labels."""

    def pieces() -> Iterator[list[str]]:
        for begin, piece in texts.pieces():
            yield [text for text, is_label in zip(piece, present[begin:], strict=False) if is_label]

    spelled = _Spelled()
    for labels in pieces():
        spelled.add(labels)
    if how == "number" or (how is None and not spelled.whole and spelled.numbers):
        whole = spelled.whole and not with_nan
        values = []
        for labels in pieces():
            numbers = [label_number(text) for text in labels]
            values.append(_label_numbers(labels, numbers, _integers(labels) if whole else None))
        return np.concatenate(values), None
    if spelled.whole:
        classes, ids = np.unique(np.concatenate(spelled.integers), return_inverse=True)
        return ids.astype(np.int64), classes
    order, names = in_order(texts.text(), np.flatnonzero(present), texts.spool)
    ids = np.empty(len(present), np.int64)
    ids[order] = np.arange(len(order))
    return ids[present], names


class _Spelled:
    """Whether all labels so far are `numbers`, and `whole` ones that int64 holds; the latter are kept as `integers`."""

    def __init__(self) -> None:
        self.numbers = self.whole = True
        self.integers: list[Array] = []

    def add(self, texts: list[str]) -> None:
        """Take further labels into account."""
        if not self.numbers:
            return
        numbers = [label_number(text) for text in texts]
        self.numbers = all(number is not None for number in numbers)
        self.whole &= all(number is not None and number == int(number) for number in numbers)
        integers = _integers(texts) if self.whole else None
        self.whole = integers is not None
        self.integers = [*self.integers, np.array(integers, np.int64)] if self.whole else []


def _label_numbers(texts: list[str], numbers: list[float | None], whole: list[int] | None) -> Array:
    """Labels as int64 if they are `whole`, else as float32; raises DataError for one that it cannot hold."""
    if whole is not None:
        return np.array(whole, dtype=np.int64)
    single = np.dtype(np.float32)
    for text, number in zip(texts, numbers, strict=True):
        if number is None:
            raise DataError(f"label {shortened(text)!r} is not a number; use ", Advice("--label-as", "class"))
        if abs(number) <= _SINGLES:
            continue
        spelled = whole_number(text)
        if first_loss(np.array([number]), single) is not None or (
            spelled is not None and not holds(spelled, single)
        ):
            raise DataError(
                f"label {shortened(text)} is a number that float32 cannot hold; use ",
                Advice("--label-as", "class"),
            )
    return np.array(numbers, dtype=single)


_SINGLES = 2**24  # up to this, a float32 holds every whole number


def label_number(text: str) -> float | None:
    """The finite number that a label spells; None for any other text.

    >>> label_number("1e3"), label_number("1_000")
    (1000.0, None)
    """
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) and "_" not in text else None


def are_numbers(texts: Iterable[str]) -> bool:
    """Whether there are labels, and all of them spell numbers.

    >>> are_numbers(["1", "2.5"]), are_numbers(["1", "a"]), are_numbers([])
    (True, False, False)
    """
    number: float | None = None
    for text in texts:
        number = label_number(text)
        if number is None:
            return False
    return number is not None


def _integers(texts: list[str]) -> list[int] | None:
    """The integers that labels of whole numbers spell; None if int64 does not hold all of them."""
    integers = [_integer(text) for text in texts]
    inside = all(-(2**63) <= integer < 2**63 for integer in integers)
    return integers if inside else None


def _integer(text: str) -> int:
    """The integer that the text of a whole number spells, such as 1e18, exactly."""
    whole = whole_number(text)
    if whole is not None:
        return whole
    try:
        return int(Decimal(text))
    except (
        InvalidOperation
    ):  # an exponent beyond those of Decimal: only zero has one, for other numbers would be infinite floats
        return 0
