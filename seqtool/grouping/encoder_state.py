"""What is known of the columns of a table: one state for each; states of several pieces merge, and pickle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field, replace
from typing import Any, TypeVar

from seqtool.dataclass import dataclass
from seqtool.tables.cells import BadCell, KeyState, LabelState, NumberState, OrderState

K = TypeVar("K", int, str)


@dataclass(frozen=True)
class FoundBadCell:
    """A cell that does not fit the part of its column: key, order, feature, static, label, item or category."""

    part: str
    column: int
    bad: BadCell


@dataclass(frozen=True)
class EncoderState:
    """What is known of the columns of some rows: each by its position, or labels and categories by their names in them.

    These names are those of `row_columns`. `rows` counts all rows, `dropped` the rows left out for an empty key,
    `unnamed` those left out because `--columns` does not name their item; `items` are the items of a long table.
    """

    rows: int = 0
    dropped: int = 0
    keys: dict[int, KeyState] = field(default_factory=dict)
    orders: dict[int, OrderState] = field(default_factory=dict)
    features: dict[int, NumberState] = field(default_factory=dict)
    statics: dict[int, NumberState] = field(default_factory=dict)
    labels: dict[str, LabelState] = field(default_factory=dict)
    items: dict[str, LabelState] = field(default_factory=dict)
    categories: dict[str, LabelState] = field(default_factory=dict)
    unnamed: int = 0

    def merge(self, other: EncoderState) -> EncoderState:
        """What is known of the rows of both; it does not matter which of them came first in the table.

        >>> one, two = (EncoderState(rows, keys={0: KeyState(empty=rows)}) for rows in (2, 3))
        >>> one.merge(two) == two.merge(one) == EncoderState(5, keys={0: KeyState(empty=5)})
        True
        """
        return EncoderState(
            rows=self.rows + other.rows,
            dropped=self.dropped + other.dropped,
            keys=_merged(self.keys, other.keys),
            orders=_merged(self.orders, other.orders),
            features=_merged(self.features, other.features),
            statics=_merged(self.statics, other.statics),
            labels=_merged(self.labels, other.labels),
            items=_merged(self.items, other.items),
            categories=_merged(self.categories, other.categories),
            unnamed=self.unnamed + other.unnamed,
        )

    def in_file(self, file: int) -> EncoderState:
        """The same state with rows numbered within one of several files: row 7 becomes (file, 7)."""
        return replace(
            self,
            keys=_in_file(self.keys, file),
            orders=_in_file(self.orders, file),
            features=_in_file(self.features, file),
            statics=_in_file(self.statics, file),
            labels=_in_file(self.labels, file),
            items=_in_file(self.items, file),
            categories=_in_file(self.categories, file),
        )


def merge_all(states: Iterable[EncoderState]) -> EncoderState:
    """The states of all pieces merged into one; without pieces, a state of no rows.

    >>> merge_all([]).rows
    0
    """
    merged = EncoderState()
    for state in states:
        merged = merged.merge(state)
    return merged


def _merged(left: dict[K, Any], right: dict[K, Any]) -> dict[K, Any]:
    both = left | right
    return {
        name: left[name].merge(right[name]) if name in left and name in right else state
        for name, state in both.items()
    }


def _in_file(states: dict[K, Any], file: int) -> dict[K, Any]:
    return {name: state.in_file(file) for name, state in states.items()}
