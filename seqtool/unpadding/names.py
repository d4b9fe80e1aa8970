"""The names of the columns that sequences came from, as their receipts remember them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Any

from seqtool.dataclass import dataclass
from seqtool.sequences.columns import without_file
from seqtool.sequences.ragged import Receipt
from seqtool.sequences.receipts import SAME_NUMBERS
from seqtool.words import split_names

_NEW_LABELS = {"window": {"label": "horizon", "step_label": "next"}, "split": {"label": "last"}}
"""The arguments with which commands make labels of steps."""


@dataclass(frozen=True)
class SourceNames:
    """The columns of each part, empty or None where a receipt does not tell; `features` name those of a bare matrix.

    `order_writing` tells how times of order columns were written; `changed` that a command has changed the numbers
    since, so that a feature no longer is what its column was.
    """

    key: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    step_label: str | None = None
    features: tuple[str, ...] = ()
    order_writing: tuple[str, ...] = ()
    changed: bool = False

    @classmethod
    def of(cls, receipt: Receipt) -> SourceNames:
        """The names that the entries of a receipt tell, the last one where several do.

        >>> SourceNames.of([{"command": "group", "arguments": {"key": ["user"], "label": "labels.csv:died"}}]).label
        ('died',)
        """
        named: dict[str, Any] = {}
        for entry in receipt:
            arguments = entry.get("arguments", {})
            named |= {part: arguments[part] for part in _PARTS if part in arguments}
            for part, argument in _NEW_LABELS.get(str(entry.get("command")), {}).items():
                if argument in arguments:
                    named.pop(part, None)
        step_label = _texts(named.get("step_label"))
        return cls(
            key=_keys(named.get("key")),
            label=tuple(map(without_file, _texts(named.get("label")))),
            step_label=step_label[0] if step_label else None,
            features=_texts(named.get("features")),
            order_writing=_texts(named.get("order_writing")),
            changed=not {entry.get("command") for entry in receipt} <= SAME_NUMBERS,
        )


_PARTS = ("key", "label", "step_label", "features", "order_writing")


def _texts(names: Any) -> tuple[str, ...]:
    """Names that stand in a receipt as one text or as a list."""
    listed = [names] if isinstance(names, str) else names if isinstance(names, list) else []
    return tuple(name for name in listed if isinstance(name, str))


def _keys(names: Any) -> tuple[str, ...]:
    """The columns of a key; the text of one option may hold several."""
    return tuple(split_names(names)) if isinstance(names, str) else _texts(names)


@dataclass
class Titles:
    """Names of columns that are given once each; `taken` are those that were given so far."""

    taken: dict[str, None] = field(default_factory=dict)

    def free(self, name: str) -> str:
        """The name, or where it is taken, with a number behind it."""
        title, number = name, 0
        while title in self.taken:
            number += 1
            title = f"{name}_{number}"
        self.taken[title] = None
        return title

    def all_free(self, names: Iterable[str]) -> list[str]:
        """The same of several names."""
        return [self.free(name) for name in names]


def cell_names(name: str, shape: Sequence[int], of_last: Sequence[str] | None = None) -> list[str]:
    """A name for each cell of an array of this shape: the name with the place of the cell behind it.

    `of_last` are the names along the last dimension.

    >>> cell_names("y", ()), cell_names("y", (2,)), cell_names("y", (2, 1), ["a"])
    (['y'], ['y_0', 'y_1'], ['y_0_a', 'y_1_a'])
    """
    names = [name]
    for i, size in enumerate(shape):
        last = of_last if of_last is not None and i == len(shape) - 1 else [*map(str, range(size))]
        names = [f"{before}_{part}" for before in names for part in last]
    return names


def by_position(names: Iterable[str]) -> bool:
    """Whether all columns of a source are called by their positions, since it names none.

    >>> by_position(["2", "0"]), by_position(["0", "a"])
    (True, False)
    """
    return all(name.isdecimal() and name.isascii() for name in names)
