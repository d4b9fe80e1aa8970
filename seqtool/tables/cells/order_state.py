"""The state of an order column: the kind of its cells, and the order of its categories."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any

from seqtool.dataclass import dataclass
from seqtool.tables.cells.cells import BadCell, earliest, in_file
from seqtool.tables.cells.instants import TIMES
from seqtool.tables.cells.number_state import INT64, Loss, NumberState
from seqtool.tables.cells.text_order import TextSample
from seqtool.words import listed

EXPECTED_ORDER = "a number, or an ISO date or time such as 2026-01-31T12:00:00, was expected"
_IN_TWO_PARTS = (*TIMES, "times of day", "durations", "times of a format")


@dataclass(frozen=True)
class OrderState:
    """What is known of an order column.

    `first` is its first cell, and `kind` the kind of that cell, which all others must share. `not_numbers` counts the
    missing cells that are not among those of `numbers`; `categories` are those of an ordered categorical, in order;
    `sample` is of cells that are sorted as text; `writing` is that of all times, if it was asked for, "" where they
    have none in common.
    """

    kind: str | None = None
    first: BadCell | None = None
    not_numbers: int = 0
    numbers: NumberState = field(default_factory=NumberState)
    bad: BadCell | None = None
    categories: tuple[Any, ...] = ()
    sample: TextSample = field(default_factory=TextSample)
    writing: str | None = None

    def merge(self, other: OrderState) -> OrderState:
        """What is known of the rows of both; where their kinds differ, the first cell of the later one is bad.

        >>> times = OrderState("times", BadCell(0, "2026-01-31"))
        >>> OrderState("numbers", BadCell(7, "5")).merge(times).bad.row
        7
        """
        first, bad = earliest(self.first, other.first), earliest(self.bad, other.bad)
        before, after = (self, other) if first is self.first else (other, self)
        if before.kind != after.kind and before.first and after.first:
            bad = earliest(bad, after.first)
        categories = joined(before.categories, after.categories)
        if categories is None and after.first:
            cell, expected = other_categories(before.categories, after.categories)
            bad = earliest(bad, BadCell(after.first.row, cell, expected=expected))
        return OrderState(
            before.kind,
            first,
            self.not_numbers + other.not_numbers,
            self.numbers.merge(other.numbers),
            bad,
            categories or before.categories,
            self.sample.merge(other.sample),
            _common(self.writing, other.writing),
        )

    def in_file(self, file: int) -> OrderState:
        """The same, its rows as those of the file with this number."""
        return replace(
            self,
            first=in_file(self.first, file),
            numbers=self.numbers.in_file(file),
            bad=in_file(self.bad, file),
        )

    @property
    def missing(self) -> int:
        """The number of missing cells."""
        return self.not_numbers + self.numbers.missing

    @property
    def parts(self) -> int:
        """The number of arrays to sort by: times need two, microseconds and the nanoseconds beyond."""
        return 2 if self.kind in _IN_TWO_PARTS else 1

    @property
    def loss(self) -> Loss | None:
        """The first number that cannot be distinguished from its neighbours."""
        return self.numbers.loss(INT64)


def _common(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return other if one is None else one
    return one if one == other else ""


def joined(before: tuple[Any, ...], found: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The categories of the rows before and of a batch; None where their orders differ.

    The batch may add categories at the end, or leave some out.

    >>> joined(("a", "b"), ("a", "b", "c")), joined(("a", "b"), ("b",)), joined(("a", "b"), ("b", "a"))
    (('a', 'b', 'c'), ('a', 'b'), None)
    """
    if found[: len(before)] == before:
        return found
    places = {category: place for place, category in enumerate(before)}
    codes = [places.get(category, -1) for category in found]
    return before if min(codes, default=0) >= 0 and codes == sorted(codes) else None


def other_categories(before: tuple[Any, ...], found: tuple[Any, ...]) -> tuple[str, str]:
    """The text for a column whose categories differ from those before, and what was expected of it."""
    expected = f"the categories of the rows before, {_few(before)}, were expected, in this order"
    return f"a column of categories {_few(found)}", expected


def _few(categories: tuple[Any, ...]) -> str:
    return listed([str(category)[:20] for category in categories])
