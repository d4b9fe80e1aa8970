"""The receipt: what each command did, and what became of every row.

Rows in + rows added = steps kept + steps cut + rows dropped, by reason. A receipt holds base names of inputs,
arguments as they were resolved (the dtype that was taken, the maxlen that was fitted), and numbers; no times,
engines or thread counts, so that the same input gives the same bytes. The same call gives the same entry from
the command line and from Python, so that it can be done again to other data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any


@dataclass(frozen=True)
class Rows:
    """What became of the rows that one command read; `dropped` and `added` tell why.

    >>> Rows(rows_in=6, kept=4, cut=1, dropped={"empty key": 1}).check()
    """

    rows_in: int
    kept: int
    cut: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    added: Mapping[str, int] = field(default_factory=dict)

    def check(self) -> None:
        """Raise AssertionError unless every row is accounted for: then nothing may be written."""
        sources = self.rows_in + sum(self.added.values())
        ends = self.kept + self.cut + sum(self.dropped.values())
        if sources != ends:
            raise AssertionError(
                f"{sources:,} rows were read or added, but {ends:,} are accounted for: this is a bug in seqtool, "
                "and no output was written"
            )

    def as_json(self) -> dict[str, Any]:
        """The counts as a receipt holds them; `added` where there are any."""
        rows: dict[str, Any] = {
            "in": self.rows_in,
            "kept": self.kept,
            "cut": self.cut,
            "dropped": _counted(self.dropped),
        }
        return {**rows, "added": _counted(self.added)} if _counted(self.added) else rows


def _counted(reasons: Mapping[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in reasons.items() if count}


@dataclass(frozen=True)
class Entry:
    """One command's entry in a receipt."""

    command: str
    inputs: list[str]
    arguments: Mapping[str, Any]
    rows: Rows

    def as_json(self) -> dict[str, Any]:
        """The entry as the file holds it, its row count checked; arguments that were not given are left out.

        >>> Entry("pad", ["in.npy"], {"maxlen": 4, "label": None}, Rows(rows_in=2, kept=1, cut=1)).as_json()["rows"]
        {'in': 2, 'kept': 1, 'cut': 1, 'dropped': {}}
        """
        self.rows.check()
        return {
            "command": self.command,
            "inputs": self.inputs,
            "arguments": {name: _as_json(held) for name, held in self.arguments.items() if _is_set(held)},
            "rows": self.rows.as_json(),
        }


def _is_set(held: Any) -> bool:
    return held is not None and held is not False and not (isinstance(held, (list, tuple)) and not held)


def _as_json(held: Any) -> Any:
    """Strict JSON has no NaN: they are text there; nor has it tuples and the numbers of NumPy."""
    held = held.item() if hasattr(held, "item") else held
    if isinstance(held, (list, tuple)):
        return [_as_json(part) for part in held]
    return str(held) if isinstance(held, float) and not isfinite(held) else held
