"""What a look at a file finds, and what is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import sequence_of
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.spool import Spool, spooled
from seqtool.arrays.text import Text
from seqtool.operations.duplicates import key_cells, repeated
from seqtool.operations.strip import Hidden, hidden_padding, strip
from seqtool.sequences.conversion import as_ragged
from seqtool.sequences.padding_values import Side, Value, mask_number
from seqtool.sequences.ragged import Padded, Ragged, exchanged
from seqtool.words import join_names, shortened

Verdict = Literal["ok", "warning", "fails"]
Reader = Literal["keras", "keras-cudnn", "torch", "dynamic-rnn"]


@dataclass(frozen=True)
class Finding:
    """What one look found: how often, where first, and the command that fixes it, where one does.

    Findings that are `ok` say what was looked at. `advice` is what this one asks of `seqtool pad`, without words where
    padding anew is enough, and None where that does not fix it; `cured` makes one command of all, the `cure`.
    """

    name: str
    verdict: Verdict
    message: str
    count: int = 0
    place: str | None = None
    advice: Advice | None = None
    cure: str | None = None


@dataclass(frozen=True)
class Subject:
    """The sequences of a file, not yet checked, and what is known of it.

    `file` is how a command names it, `options` those for an external one. `lengths` and `mask` are as
    they stand in the file: `lengths` beside offsets, or None where an external file has none. It is not `curable`
    where padding anew would lose what could not be read.
    """

    file: str
    data: Ragged | Padded
    ours: bool
    reader: Reader | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    lengths: AnyArray | None = None
    mask: AnyArray | None = None
    curable: bool = True

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
        """What is probably leftover padding among the real steps of an external block, at the side with more of it.

        Where lengths are given, what seems to be padding must be what padding holds, at its side.
        """
        if not isinstance(self.data, Padded) or self.ours:
            return None
        found = hidden_padding(self.real)
        if found is None or self.lengths is None:
            return found
        is_padding = mask_number(self.value) == found.value and self.padding == found.side
        return found if is_padding else None

    @property
    def stripped(self) -> Hidden | None:
        """The same where it is surely that: lengths are unknown, and not so few sequences hold it."""
        found = self.hidden if self.lengths is None else None  # given lengths may be wrong
        return found if found is not None and _OF_ALL * found.count >= found.looked_at else None

    def without_hidden(self, spool: Spool) -> Subject:
        """The same with the lengths that are left without hidden padding, where there surely is some."""
        found = self.stripped
        if found is None:
            return self
        lengths = spooled(spool, strip(self.real, found.value, side=found.side, spool=spool).lengths)
        # not checked, for the cells of the leftover padding need not hold the new one
        return replace(self, data=exchanged(self.data, lengths=lengths, padding=found.side))

    @property
    def doubtful(self) -> bool:
        """Whether lengths are known, but nobody says at which side padding is."""
        return not self.ours and self.lengths is not None and "--input-padding" not in self.options

    @cached_property
    def negative(self) -> Seen | None:
        """The negative ones of steps that are single whole numbers, which can be no ids then."""
        values = self.real.values
        return None if values.ndim != 1 or values.dtype.kind != "i" else seen(lambda part: part < 0, values)

    @property
    def is_ids(self) -> bool:
        """Whether steps are single whole numbers, which are taken for ids of an embedding."""
        values = self.real.values
        return values.ndim == 1 and values.dtype.kind in "biu" and self.negative is None

    def cure(self, *options: str) -> Message:
        """The command that pads the file anew, with these options, and keeps the side that it has."""
        known = self.ours and isinstance(self.data, Padded)
        side = [] if known or self.padding == "pre" or "--post" in options else ["--post"]
        others = {option: value for option, value in self.options.items() if option not in options}
        kept = [word for option, value in others.items() for word in (option, value) if word]
        return Message(Advice("seqtool", "pad", self.file, *kept, *side, *options))

    def cured(self, findings: Sequence[Finding]) -> list[Finding]:
        """The same findings, of which each that has advice names the command that cures all of them together."""
        if not self.curable:
            return [replace(found, advice=None) for found in findings]
        asked = dict.fromkeys(found.advice for found in findings if found.advice is not None)
        command = self.cure(*(word for advice in asked for word in advice.words))
        return [found if found.advice is None else replace(found, cure=command) for found in findings]

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


_OF_ALL = 4  # where less than one sequence in so many ends like padding, these may be real steps


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
    """Where a test of chunks of some arrays, row by row, is true; None where it never is.

    >>> seen(lambda part: part < 0, np.array([1, -2, -3]))
    Seen(count=2, cell=(1,))
    """
    count, cell = 0, tuple[int, ...]()
    for begin, part in chunks(array):
        found = test(part, *(other[begin : begin + len(part)] for other in others))
        times = int(np.count_nonzero(found))
        if times and not count:
            row, *within = np.unravel_index(int(np.argmax(found)), found.shape)
            cell = (begin + int(row), *map(int, within))
        count += times
    return Seen(count, cell) if count else None


def failing(name: str, message: str, where: Seen, array: str) -> Finding:
    """The finding that something fails in the cells of an array."""
    return Finding(name, "fails", message, where.count, f"{array}{[*where.cell]}")


def filling(subject: Subject, name: str, array: AnyArray) -> Iterator[object]:
    """What to do about numbers that are none: leave out the features that have them, or fill them in."""
    names = subject.real.features if name == "values" else None
    if names:
        odd = np.zeros(len(names), bool)
        for _, part in chunks(array):
            odd |= ~np.isfinite(part).all(axis=0)
        if not odd.all():
            wrong = [one for one, is_odd in zip(names, odd, strict=True) if is_odd]
            yield Message("group without these features: ", Advice("--drop", join_names(wrong)), ", or ")
    yield "fill them in before, as numpy.nan_to_num does"


def shown(step: Any) -> str:
    """A step as a person reads it: of many features the first ones, of long fractions the first digits.

    >>> shown([1.5, 2.0, 1 / 3, 4.0, 5.0]), shown(7)
    ('[1.5, 2.0, 0.333333, ...]', '7')
    """
    if not isinstance(step, list):
        return str(step) if len(str(step)) <= _LONG else f"{step:g}"
    more = ", ..." if len(step) > _SHOWN else ""
    return f"[{', '.join(map(shown, step[:_SHOWN]))}{more}]"


_LONG = 12  # letters
_SHOWN = 3


def unique_names(name: str, names: Sequence[str]) -> Finding:
    """No name stands twice."""
    first: dict[str, int] = {}
    twice = [(i, known) for i, known in enumerate(names) if first.setdefault(known, i) < i]
    if twice:
        i, known = twice[0]
        message = f"duplicate names, the first {shortened(known)!r}"
        return Finding(name, "fails", message, len(twice), f"{name}[{i}]")
    return Finding(
        name,
        "ok",
        f"{len(names):,}: {', '.join(map(shortened, names[:_NAMED]))}{', ...' if len(names) > _NAMED else ''}",
    )


_NAMED = 8


def unique_classes(name: str, classes: AnyArray | Text, spool: Spool) -> Finding:
    """The same of the names of classes, which may be millions."""
    if isinstance(classes, np.ndarray):
        return unique_names(name, [*map(str, classes.tolist())])
    if twice := repeated(key_cells(classes, spool), spool):
        return Finding(name, "fails", "duplicate names", twice.count, f"{name}[{twice.first[1]}]")
    return Finding(name, "ok", f"{len(classes):,}")
