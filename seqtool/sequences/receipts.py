"""The receipt: what each command did, and what became of every row.

Rows in = steps kept + steps cut + rows dropped, by reason. A receipt holds base names of inputs, arguments
and numbers; no times, engines or thread counts, so that the same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any


@dataclass(frozen=True)
class Rows:
    """What became of the rows that one command read.

    >>> Rows(came=6, kept=4, cut=1, dropped={"empty key": 1}).check()
    """

    came: int
    kept: int
    cut: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)

    def check(self) -> None:
        """Raise AssertionError unless every row is accounted for: then nothing may be written."""
        told = self.kept + self.cut + sum(self.dropped.values())
        if self.came != told:
            raise AssertionError(
                f"{self.came:,} rows came in, but {told:,} are accounted for: this is a bug in seqtool, "
                "and no output was written"
            )


@dataclass(frozen=True)
class Made:
    """One command's part of the receipt, before it is known what padding cuts."""

    command: str
    inputs: list[str]
    arguments: Mapping[str, Any]
    rows: Rows

    def entry(self, *, cut: int) -> dict[str, Any]:
        """The part as the file holds it, its row count checked; arguments that were not given are left out.

        >>> Made("pad", ["in.npy"], {"maxlen": 4, "dtype": None}, Rows(came=2, kept=2)).entry(cut=1)["rows"]
        {'in': 2, 'kept': 1, 'cut': 1, 'dropped': {}}
        """
        rows = replace(self.rows, kept=self.rows.kept - cut, cut=cut)
        rows.check()
        return {
            "command": self.command,
            "inputs": self.inputs,
            "arguments": {name: _as_json(told) for name, told in self.arguments.items() if _was_given(told)},
            "rows": {
                "in": rows.came,
                "kept": rows.kept,
                "cut": rows.cut,
                "dropped": {reason: count for reason, count in rows.dropped.items() if count},
            },
        }


def _was_given(told: Any) -> bool:
    return told is not None and told is not False and told != [] and told != ()


def _as_json(told: Any) -> Any:
    """Strict JSON has no NaN: it is told as text."""
    return str(told) if isinstance(told, float) and not isfinite(told) else told
