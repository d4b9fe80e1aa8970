"""What is known of the columns of a table: one state for each, which merges with those of other pieces and pickles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from seqtool.tables.cells import BadCell, KeyState, LabelState, NumberState, OrderState

K = TypeVar("K", int, str)


@dataclass(frozen=True)
class FoundBadCell:
    """A cell that is not what the part of its column needs."""

    part: str
    column: int
    bad: BadCell


@dataclass(frozen=True)
class EncoderState:
    """What is known of the columns of some rows, each by its position, those of labels as `y` and `t`.

    `rows` counts the rows, `dropped` those that were left out for their empty key, `unnamed` those whose item nobody
    named; `items` are those of a long table.
    """

    rows: int = 0
    dropped: int = 0
    keys: dict[int, KeyState] = field(default_factory=dict)
    orders: dict[int, OrderState] = field(default_factory=dict)
    features: dict[int, NumberState] = field(default_factory=dict)
    statics: dict[int, NumberState] = field(default_factory=dict)
    labels: dict[str, LabelState] = field(default_factory=dict)
    items: dict[str, LabelState] = field(default_factory=dict)
    unnamed: int = 0

    def merge(self, other: EncoderState) -> EncoderState:
        """What is known of the rows of both, whichever of them came first in the table.

        >>> one, two = (EncoderState(rows, keys={0: KeyState(empty=rows)}) for rows in (2, 3))
        >>> one.merge(two) == two.merge(one) == EncoderState(5, keys={0: KeyState(empty=5)})
        True
        """
        return EncoderState(
            self.rows + other.rows,
            self.dropped + other.dropped,
            _merged(self.keys, other.keys),
            _merged(self.orders, other.orders),
            _merged(self.features, other.features),
            _merged(self.statics, other.statics),
            _merged(self.labels, other.labels),
            _merged(self.items, other.items),
            self.unnamed + other.unnamed,
        )

    def in_file(self, file: int) -> EncoderState:
        """The same, its rows counted in one of several files: row 7 becomes (file, 7)."""
        return EncoderState(
            self.rows,
            self.dropped,
            _in_file(self.keys, file),
            _in_file(self.orders, file),
            _in_file(self.features, file),
            _in_file(self.statics, file),
            _in_file(self.labels, file),
            _in_file(self.items, file),
            self.unnamed,
        )


def merge_all(states: Iterable[EncoderState]) -> EncoderState:
    """What is known of the rows of all pieces; of none, that there are no rows.

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
