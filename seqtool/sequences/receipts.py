"""The receipt: what each command did, and what became of every row.

Rows in + rows added = steps kept + steps cut + rows dropped, by reason. A receipt holds base names of inputs,
arguments as they were resolved (the dtype that was taken, the maxlen that was fitted), and numbers; no times,
engines or thread counts, so that the same input gives the same bytes. The same call gives the same entry from
the command line and from Python, so that it can be repeated on other data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from math import isfinite
from typing import Any

from seqtool.dataclass import dataclass

# What commands do to steps, for those who read receipts. A command that is in none of these sets, such as a new
# operation, is taken to change the numbers of steps, and to move them.
SAME = frozenset({"convert"})
"""Commands that change nothing."""
SELECTIONS = frozenset({"split", "filter", "concat"})
"""Commands that choose sequences, or say what they are for, which is not repeated on new data."""
SAME_NUMBERS = SAME | SELECTIONS | {"group", "pad", "truncate", "window"}
"""Commands that leave the numbers of steps as they are."""
SAME_ORDER = SAME | SELECTIONS | {"pad", "truncate", "scale", "fill", "encode"}
"""Commands after which the steps of a sequence that are left follow one another as before."""


@dataclass(frozen=True)
class Rows:
    """What became of the rows that one command read; `dropped` and `added` are counts by reason.

    >>> Rows(rows_in=6, kept=4, cut=1, dropped={"empty key": 1}).check()
    """

    rows_in: int
    kept: int
    cut: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    added: Mapping[str, int] = field(default_factory=dict)

    def check(self) -> None:
        """Raise AssertionError unless every row is accounted for, so that no wrong output is written."""
        sources = self.rows_in + sum(self.added.values())
        ends = self.kept + self.cut + sum(self.dropped.values())
        if sources != ends:
            raise AssertionError(
                f"{sources:,} rows were read or added, but {ends:,} are accounted for: this is a bug in seqtool, "
                "and no output was written"
            )

    def as_json(self) -> dict[str, Any]:
        """The counts for a receipt; `added` is left out where no row was added."""
        rows: dict[str, Any] = {
            "in": self.rows_in,
            "kept": self.kept,
            "cut": self.cut,
            "dropped": _without_zeros(self.dropped),
        }
        added = _without_zeros(self.added)
        return {**rows, "added": added} if added else rows


def with_fewer_kept(entry: Mapping[str, Any], kept: int, reason: str) -> dict[str, Any]:
    """An entry of a file that holds `kept` of the steps alone: all others are dropped for `reason`.

    >>> entry = {"rows": {"in": 5, "kept": 4, "cut": 1, "dropped": {}}}
    >>> with_fewer_kept(entry, 3, "in other files")["rows"]
    {'in': 5, 'kept': 3, 'cut': 1, 'dropped': {'in other files': 1}}
    """
    rows = entry["rows"]
    dropped = _without_zeros({**rows["dropped"], reason: rows["kept"] - kept})
    return {**entry, "rows": {**rows, "kept": kept, "dropped": dropped}}


def _without_zeros(reasons: Mapping[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in reasons.items() if count}


@dataclass(frozen=True)
class Entry:
    """One command's entry in a receipt; `state` is what an operation learned by `fit`, as data."""

    command: str
    inputs: list[str]
    arguments: Mapping[str, Any]
    rows: Rows
    state: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """The entry for a file, its count of rows checked; arguments that are None, False or empty are left out.

        >>> Entry("pad", ["in.npy"], {"maxlen": 4, "label": None}, Rows(rows_in=2, kept=1, cut=1)).as_json()["rows"]
        {'in': 2, 'kept': 1, 'cut': 1, 'dropped': {}}
        """
        self.rows.check()
        entry = {
            "command": self.command,
            "inputs": self.inputs,
            "arguments": {name: _as_json(value) for name, value in self.arguments.items() if _is_set(value)},
            "rows": self.rows.as_json(),
        }
        return entry if self.state is None else {**entry, "state": _as_json(self.state)}


def _is_set(argument: Any) -> bool:
    is_empty = isinstance(argument, (list, tuple)) and not argument
    return argument is not None and argument is not False and not is_empty


def _as_json(argument: Any) -> Any:
    """An argument for strict JSON: NaN and infinities as text, tuples as lists, NumPy's numbers as Python's."""
    argument = argument.item() if hasattr(argument, "item") else argument
    if isinstance(argument, Mapping):
        return {name: _as_json(part) for name, part in argument.items()}
    if isinstance(argument, (list, tuple)):
        return [_as_json(part) for part in argument]
    return str(argument) if isinstance(argument, float) and not isfinite(argument) else argument
