"""What is known of a column of numbers: how it is to be read, and what was found in it so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.tables.cells.cells import MISSING, BadCell, Row, earliest, in_file

_FLOAT = np.dtype(np.float64)


@dataclass(frozen=True)
class Loss:
    """A number that a type cannot hold: its row in the table, and why.

    `number` is set where that is an integer which float64 would change.
    """

    row: Row
    reason: str
    number: str = ""


@dataclass(frozen=True)
class NumberOptions:
    """How a column of numbers is read: plain values, which pickle.

    `target` is the type that it is likely to become, `words` are the spellings of a missing value; `text` says that
    numbers may come as text, `keep` that the columns of an array keep its own type, `rounds` that somebody asked for
    the target, a float type: then whole numbers are rounded to it, and counted. Times are numbers of a unit where
    `time_as` names it.
    """

    target: np.dtype[Any]
    words: tuple[str, ...]
    text: bool
    keep: bool = False
    rounds: bool = False
    time_as: Literal["seconds", "days"] | None = None

    @property
    def careful(self) -> bool:
        """Whether a missing value is spelled as a number, such as -1: it must be found before numbers are read."""
        return _careful(self.words)

    def is_missing(self, cell: str) -> bool:
        """Whether a cell of text is one of the spellings of a missing value."""
        return cell.strip() in self.words


@dataclass(frozen=True)
class NumberState:
    """What is known of a column of numbers.

    `whole`: all are integers so far. `missing` counts missing values, `seen` all cells; `doubles`: there are
    fractions of float64, `large`: there are numbers past 2^24. `losses` hold the first number that each type which
    the column may become cannot hold; `rounded` counts the whole numbers that are rounded to a type asked for.
    Where times may be numbers, `kind` is what its first cell is, as which all others must be, and `first` its place.
    """

    whole: bool = True
    missing: int = 0
    seen: int = 0
    doubles: bool = False
    large: bool = False
    losses: Mapping[np.dtype[Any], Loss] = field(default_factory=dict)
    bad: BadCell | None = None
    rounded: int = 0
    kind: str | None = None
    first: BadCell | None = None

    def merge(self, other: NumberState) -> NumberState:
        """What is known of the rows of both.

        >>> NumberState(seen=3).merge(NumberState(whole=False, missing=1, seen=2)).whole
        False
        """
        first, bad = earliest(self.first, other.first), earliest(self.bad, other.bad)
        before, behind = (self, other) if first is self.first else (other, self)
        if before.kind != behind.kind and behind.first is not None:
            like = f"the cells before it are {before.kind}, and another was expected"
            bad = earliest(bad, replace(behind.first, expected=like))
        losses = self.losses or other.losses
        if self.losses and other.losses:
            both = [*self.losses, *other.losses]
            losses = {dtype: _earlier_loss(dtype, self, other) for dtype in both}
        return NumberState(
            self.whole and other.whole,
            self.missing + other.missing,
            self.seen + other.seen,
            self.doubles or other.doubles,
            self.large or other.large,
            losses,
            bad,
            self.rounded + other.rounded,
            before.kind,
            first,
        )

    def in_file(self, file: int) -> NumberState:
        """The same, its rows counted in one of several files."""
        losses = {dtype: in_file(loss, file) for dtype, loss in self.losses.items()}
        return replace(self, losses=losses, bad=in_file(self.bad, file), first=in_file(self.first, file))

    @property
    def coarse(self) -> bool:
        """Whether there are fractions, or gaps, beside numbers so large that a float32 holds none there."""
        return self.doubles and self.large

    @property
    def of_times(self) -> bool:
        """Whether the numbers are those of times."""
        return self.kind not in (None, "numbers")

    @property
    def unsigned(self) -> bool:
        """Whether a column that has a type holds whole numbers past int64, so that none is negative."""
        loss = self.losses.get(_FLOAT)
        return loss is not None and loss.reason.endswith("which int64 cannot hold")

    @property
    def no_numbers(self) -> bool:
        """Whether the column as a whole holds something else, rather than single bad cells among numbers."""
        bad = self.bad
        if bad is None:
            return False
        return bool(bad.kind) or 2 * bad.odd > bad.sampled + self.seen - self.missing

    def loss(self, dtype: np.dtype[Any], *, rounds: bool = False) -> Loss | None:
        """The first number that does not survive if the column becomes `dtype`: the target, or int64.

        Where `rounds` says that somebody asked for this float dtype, only what becomes an infinity does not.
        """
        if self.whole or rounds:
            return self.losses.get(dtype)
        # Beside a fraction or a missing value, whole numbers are held as float64 on their way.
        found = earliest(self.losses.get(_FLOAT), self.losses.get(dtype))
        if found is None or not found.number:
            return found
        # No type for integers is a way out here.
        return Loss(found.row, f"{found.number}, which float64 cannot hold exactly")


def _earlier_loss(dtype: np.dtype[Any], *states: NumberState) -> Loss:
    found = earliest(*(state.losses.get(dtype) for state in states))
    assert found is not None
    return found


def is_float(cell: str) -> bool:
    """Whether Arrow reads a cell of text as a float.

    >>> is_float("1e3"), is_float("0x1F")
    (True, False)
    """
    try:
        pc.cast(pa.array([cell], pa.string()), pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


@lru_cache(maxsize=32)
def _careful(words: tuple[str, ...]) -> bool:
    return any(is_float(word) for word in words if word.lower() not in MISSING)
