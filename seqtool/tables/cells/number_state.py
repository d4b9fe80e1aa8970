"""The options and the state of a column of numbers: how it is to be read, and what was found in it so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.dataclass import dataclass
from seqtool.tables.cells.cells import MISSING, BadCell, Row, earliest, in_file, unlike_before

FLOAT64, INT64 = np.dtype(np.float64), np.dtype(np.int64)


@dataclass(frozen=True)
class Loss:
    """A number that a dtype cannot hold: its row in the table, and why.

    `number` is its text where it is an integer that float64 would change; `past_int64` says that it is an integer of a
    typed column beyond int64.
    """

    row: Row
    reason: str
    number: str = ""
    past_int64: bool = False


@dataclass(frozen=True)
class NumberOptions:
    """How a column of numbers is read; plain values, so that it pickles.

    `target` is the dtype that the column will probably become, `words` are the spellings of a missing value, `text`
    allows numbers as text, and with `keep` the columns of an array keep its dtype. `rounds`: the call asked for the
    target, a float dtype, so whole numbers are rounded to it, and counted. `time_as` is the unit in which times become
    numbers, if they may.
    """

    target: np.dtype[Any]
    words: tuple[str, ...]
    text: bool
    keep: bool = False
    rounds: bool = False
    time_as: Literal["seconds", "days"] | None = None

    @property
    def careful(self) -> bool:
        """Whether a missing value is spelled as a number, such as -1, and must be found before numbers are parsed."""
        return _careful(self.words)

    def is_missing(self, cell: str) -> bool:
        """Whether a cell of text is one of the spellings of a missing value."""
        return cell.strip() in self.words


@dataclass(frozen=True)
class NumberState:
    """What is known of a column of numbers.

    `whole`: all are integers so far. `missing` counts missing values, `seen` all cells. `doubles`: some batch became
    float64; `large`: there are numbers past 2^24. `losses` holds for each dtype that the column may become the first
    number that it cannot hold; `rounded` counts the whole numbers that are rounded to the dtype asked for. Where times
    may be numbers, `first` is the first cell, and `kind` its kind, which all others must share.
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
        before, after = (self, other) if first is self.first else (other, self)
        if before.kind != after.kind and after.first is not None:
            bad = earliest(bad, replace(after.first, expected=unlike_before(before.kind)))
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
        """The same, its rows as those of the file with this number."""
        losses = {dtype: in_file(loss, file) for dtype, loss in self.losses.items()}
        return replace(self, losses=losses, bad=in_file(self.bad, file), first=in_file(self.first, file))

    @property
    def coarse(self) -> bool:
        """Whether there are fractions, or gaps, and numbers so large that float32 holds no fractions there."""
        return self.doubles and self.large

    @property
    def of_times(self) -> bool:
        """Whether the numbers were read from times."""
        return self.kind not in (None, "numbers")

    @property
    def unsigned(self) -> bool:
        """Whether a typed column holds whole numbers past int64, as only one of uint64 can."""
        loss = self.losses.get(FLOAT64)
        return loss is not None and loss.past_int64

    @property
    def no_numbers(self) -> bool:
        """Whether the column as a whole is not numeric, rather than single bad cells among numbers."""
        bad = self.bad
        if bad is None:
            return False
        return bool(bad.kind) or 2 * bad.odd > bad.sampled + self.seen - self.missing

    def loss(self, dtype: np.dtype[Any], *, rounds: bool = False) -> Loss | None:
        """The first number that changes if the column becomes `dtype`: the target, or int64.

        With `rounds` the call asked for this float dtype, and only a number that becomes infinite counts.
        """
        if self.whole or rounds:
            return self.losses.get(dtype)
        # Beside a fraction or a missing value, whole numbers pass through float64.
        loss = earliest(self.losses.get(FLOAT64), self.losses.get(dtype))
        if loss is None or not loss.number:
            return loss
        # The reason of the loss proposes an integer dtype, which is no way out here.
        return Loss(loss.row, f"{loss.number}, which float64 cannot hold exactly")


def _earlier_loss(dtype: np.dtype[Any], *states: NumberState) -> Loss:
    loss = earliest(*(state.losses.get(dtype) for state in states))
    assert loss is not None, "one of the states has such a loss"
    return loss


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
