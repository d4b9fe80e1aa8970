"""What is known of an order column: of which kind its cells are, and in which order its categories stand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from seqtool.tables.cells.cells import BadCell, earliest, in_file
from seqtool.tables.cells.instants import TIMES
from seqtool.tables.cells.number_state import Loss, NumberState
from seqtool.tables.cells.text_order import TextSample
from seqtool.words import listed

INT64 = np.dtype(np.int64)
_IN_TWO_PARTS = (*TIMES, "times of day", "durations", "times of a format")


@dataclass(frozen=True)
class OrderState:
    """What is known of an order column: what its first cell is, as which all others must be.

    `kind` is what that cell was found to be, `first` its place; `not_numbers` counts missing cells that no number
    stands for; `categories` are those of an ordered categorical, in their order; `sample` is of cells that are sorted
    as text.
    """

    kind: str | None = None
    first: BadCell | None = None
    not_numbers: int = 0
    numbers: NumberState = field(default_factory=NumberState)
    bad: BadCell | None = None
    categories: tuple[Any, ...] = ()
    sample: TextSample = field(default_factory=TextSample)

    def merge(self, other: OrderState) -> OrderState:
        """What is known of the rows of both; where they are of two kinds, the first cell of the later one is bad.

        >>> times = OrderState("times", BadCell(0, "2026-01-31"))
        >>> OrderState("numbers", BadCell(7, "5")).merge(times).bad.row
        7
        """
        first, bad = earliest(self.first, other.first), earliest(self.bad, other.bad)
        kind = (self if first is self.first else other).kind
        if self.kind != other.kind and self.first and other.first:
            bad = earliest(bad, other.first if first is self.first else self.first)
        one, two = (self, other) if first is self.first else (other, self)
        categories = joined(one.categories, two.categories)
        if categories is None and two.first:
            cell, expected = other_categories(one.categories, two.categories)
            bad = earliest(bad, BadCell(two.first.row, cell, expected=expected))
        return OrderState(
            kind,
            first,
            self.not_numbers + other.not_numbers,
            self.numbers.merge(other.numbers),
            bad,
            categories or one.categories,
            self.sample.merge(other.sample),
        )

    def in_file(self, file: int) -> OrderState:
        """The same, its rows counted in one of several files."""
        return replace(
            self,
            first=in_file(self.first, file),
            numbers=self.numbers.in_file(file),
            bad=in_file(self.bad, file),
        )

    @property
    def missing(self) -> int:
        """The cells that hold nothing."""
        return self.not_numbers + self.numbers.missing

    @property
    def parts(self) -> int:
        """The columns that the engine sorts by: times take two, microseconds and the nanoseconds beyond."""
        return 2 if self.kind in _IN_TWO_PARTS else 1

    @property
    def loss(self) -> Loss | None:
        """The first number that cannot be distinguished from its neighbours."""
        return self.numbers.loss(INT64)


def joined(before: tuple[Any, ...], found: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The categories of the rows before and of others that add some at the end, or leave some out; else None.

    >>> joined(("a", "b"), ("a", "b", "c")), joined(("a", "b"), ("b",)), joined(("a", "b"), ("b", "a"))
    (('a', 'b', 'c'), ('a', 'b'), None)
    """
    if found[: len(before)] == before:
        return found
    places = {category: place for place, category in enumerate(before)}
    codes = [places.get(category, -1) for category in found]
    return before if min(codes, default=0) >= 0 and codes == sorted(codes) else None


def other_categories(before: tuple[Any, ...], found: tuple[Any, ...]) -> tuple[str, str]:
    """What stands in a column whose categories are others than before, and what was expected."""
    expected = f"the categories of the rows before, {_few(before)}, were expected, in this order"
    return f"a column of categories {_few(found)}", expected


def _few(categories: tuple[Any, ...]) -> str:
    return listed([str(category)[:20] for category in categories])
