"""What a look at a file finds, and what is looked at."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from seqtool.building import as_ragged
from seqtool.casting import Array
from seqtool.ragged import Padded, Ragged, Side, Value
from seqtool.stripping import Hidden, likely_padding
from seqtool.texts import Text
from seqtool.windows import AnyArray, sequence_of, windows

Verdict = Literal["ok", "warning", "fails"]
Reader = Literal["keras", "keras-cudnn", "torch", "dynamic-rnn"]


@dataclass(frozen=True)
class Finding:
    """What one look found: how often, where first, and the command that cures it, where one does.

    Findings that are `ok` tell what was looked at.
    """

    name: str
    verdict: Verdict
    message: str
    count: int = 0
    place: str | None = None
    cure: str | None = None


@dataclass(frozen=True)
class Subject:
    """The sequences of a file, not yet checked, and what is known of it.

    `file` is how a command names it, `given` what a person said of a foreign one. `lengths` and `mask` are as
    they stand in the file: `lengths` beside offsets, or None where a foreign file tells none.
    """

    file: str
    data: Ragged | Padded
    ours: bool
    reader: Reader | None = None
    given: tuple[str, ...] = ()
    lengths: AnyArray | None = None
    mask: AnyArray | None = None

    @property
    def padding(self) -> Side:
        """The side that is padded; ragged sequences are judged as they will be, at the end."""
        return self.data.padding if isinstance(self.data, Padded) else "post"

    @property
    def value(self) -> Value:
        """What padding holds; 0 in what is still ragged."""
        return self.data.value if isinstance(self.data, Padded) else 0

    @cached_property
    def real(self) -> Ragged:
        """The real steps, end to end."""
        return as_ragged(self.data)

    @cached_property
    def hidden(self) -> Hidden | None:
        """Old padding that seems to stand in a block whose lengths nobody knows, at the side where more of it is."""
        if not isinstance(self.data, Padded) or self.lengths is not None:
            return None
        sides: tuple[Side, ...] = ("post", "pre")
        found = [likely_padding(self.real, side=side) for side in sides]
        return max((some for some in found if some), key=lambda some: some.count, default=None)

    def cure(self, *options: str) -> str:
        """The command that pads the file anew, with these options, and keeps the side that it has."""
        known = self.ours and isinstance(self.data, Padded)
        side = [] if known or self.padding == "pre" or "--post" in options else ["--post"]
        pairs = zip(self.given[::2], self.given[1::2], strict=True)
        given = [word for option, told in pairs if option not in options for word in (option, told)]
        return shlex.join(["seqtool", "pad", self.file, *given, *side, *options])

    def place(self, row: int, *within: int, name: str | None = None) -> str:
        """Where a real step stands: `x[i, t, f]`, or `values[row, f]` and its sequence."""
        offsets = self.real.offsets
        i = sequence_of(offsets, row)
        begin, end = offsets[i : i + 2].tolist()
        t = row - begin
        if not isinstance(self.data, Padded):
            return f"{name or 'values'}{[row, *within]} (sequence {i}, step {t})"
        slot = t if self.padding == "post" else self.data.x.shape[1] - (end - begin) + t
        return f"{name or 'x'}{[i, slot, *within]}"


@dataclass(frozen=True)
class Seen:
    """What a test is true for: how often, and the first cell."""

    count: int
    cell: tuple[int, ...]

    @property
    def row(self) -> int:
        """The row of the first cell."""
        return self.cell[0]


def seen(test: Callable[..., Array], array: AnyArray, *others: AnyArray) -> Seen | None:
    """Where a test of windows of some arrays, row by row, is true; None where it never is.

    >>> seen(lambda part: part < 0, np.array([1, -2, -3]))
    Seen(count=2, cell=(1,))
    """
    count, cell = 0, tuple[int, ...]()
    for begin, part in windows(array):
        found = test(part, *(other[begin : begin + len(part)] for other in others))
        times = int(np.count_nonzero(found))
        if times and not count:
            row, *within = np.unravel_index(int(np.argmax(found)), found.shape)
            cell = (begin + int(row), *map(int, within))
        count += times
    return Seen(count, cell) if count else None


def seems(hidden: Hidden) -> str:
    """What old padding looks like, in words."""
    where = "end" if hidden.side == "post" else "begin"
    value = hidden.options[1]
    return f"{hidden.count:,} of {hidden.looked_at:,} rows {where} in steps of {value} alone, old padding it seems"


def failing(name: str, message: str, where: Seen, array: str) -> Finding:
    """The finding that something fails in the cells of an array."""
    return Finding(name, "fails", message, where.count, f"{array}{[*where.cell]}")


def shown_key(keys: AnyArray | Text, i: int) -> str:
    """A key as a person reads it, its columns with blanks between them."""
    key = keys[i : i + 1].tolist()[0]
    return " ".join(map(str, key)) if isinstance(key, list) else str(key)
