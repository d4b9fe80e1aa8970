"""`Finding`, the result of one check, and `Subject`, the file that is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import sequence_of
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.spool import Spool, spooled
from seqtool.arrays.text import Text
from seqtool.checking.scan import Scan
from seqtool.dataclass import dataclass
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
    """The result of one check: its verdict, how many cells or sequences it is about, and the first `place`.

    The message of an `ok` one says what was checked. `advice` holds the options that `seqtool pad` needs to mend the
    file, with no words where padding again is enough; it is None where padding mends nothing. `Subject.cured` joins
    the advice of all findings into one command, the `cure`.
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
    """A file whose sequences are to be checked.

    `file` is its name, and `options` those that describe an external file. `ours` says whether seqtool
    wrote it. `lengths` and `mask` are the arrays in the file (a ragged file may hold lengths beside its offsets), None
    where it has none. It is not `curable` where padding it again would lose an array that could not be read. `block` is
    the name of the array that holds the steps, and `scan` what a look at all of it told; None where there was none.
    """

    file: str
    data: Ragged | Padded
    ours: bool
    reader: Reader | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    lengths: AnyArray | None = None
    mask: AnyArray | None = None
    curable: bool = True
    block: str | None = None
    scan: Scan | None = None

    @property
    def padding(self) -> Side:
        """The side that is padded; ragged sequences are judged as `seqtool pad --post` would pad them."""
        return self.data.padding if isinstance(self.data, Padded) else "post"

    @property
    def value(self) -> Value:
        """The padding value; 0 for ragged sequences."""
        return self.data.value if isinstance(self.data, Padded) else 0

    @cached_property
    def real(self) -> Ragged:
        """The real steps, end to end."""
        return as_ragged(self.data)

    @cached_property
    def hidden(self) -> Hidden | None:
        """What is probably leftover padding among the real steps of an external array, at the side with more of it.

        Where lengths are known, it counts only if it equals the padding value and lies at the padded side.
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
        """The hidden padding that is beyond doubt: lengths are unknown, and many sequences have some."""
        found = (
            self.hidden if self.lengths is None else None
        )  # where lengths are known, these may be wrong instead
        return found if found is not None and found.count >= _LEAST_SHARE * found.looked_at else None

    def without_hidden(self, spool: Spool) -> Subject:
        """The subject with lengths that leave out hidden padding, where it is beyond doubt."""
        found = self.stripped
        if found is None:
            return self
        lengths = spooled(spool, strip(self.real, found.value, side=found.side, spool=spool).lengths)
        # not checked, for the cells of the leftover padding need not hold the new one
        return replace(self, data=exchanged(self.data, lengths=lengths, padding=found.side))

    @property
    def doubtful(self) -> bool:
        """Whether lengths are known, but not which side is padded."""
        return not self.ours and self.lengths is not None and "--input-padding" not in self.options

    @cached_property
    def negative(self) -> Matches | None:
        """Negative steps, where a step is a single whole number: such numbers are no ids."""
        values = self.real.values
        return (
            None
            if values.ndim != 1 or values.dtype.kind != "i"
            else find_matches(lambda part: part < 0, values)
        )

    @property
    def is_ids(self) -> bool:
        """Whether a step is a single whole number, which is taken for an id of an embedding."""
        values = self.real.values
        return values.ndim == 1 and values.dtype.kind in "biu" and self.negative is None

    def cure(self, *options: str) -> Message:
        """The command that pads the file again, at the side that it has, with these options."""
        keeps_side = self.ours and isinstance(self.data, Padded)  # `seqtool pad` reads it from the file
        side = [] if keeps_side or self.padding == "pre" or "--post" in options else ["--post"]
        described = {option: value for option, value in self.options.items() if option not in options}
        kept = [word for option, value in described.items() for word in (option, value) if word]
        return Message(Advice("seqtool", "pad", self.file, *kept, *side, *options))

    def cured(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings; each that has advice gets the one command that cures all of them as its `cure`."""
        if not self.curable:
            return [replace(found, advice=None) for found in findings]
        asked = dict.fromkeys(found.advice for found in findings if found.advice is not None)
        command = self.cure(*(word for advice in asked for word in advice.words))
        return [found if found.advice is None else replace(found, cure=command) for found in findings]

    def place(self, row: int, *within: int, name: str | None = None) -> str:
        """The place of a real step, counted over all: `x[i, t, f]`, or `values[row, f]` and its sequence."""
        offsets = self.real.offsets
        i = sequence_of(offsets, row)
        begin, end = offsets[i : i + 2].tolist()
        t = row - begin
        if not isinstance(self.data, Padded):
            return f"{name or 'values'}{[row, *within]} (sequence {i}, step {t})"
        slot = t if self.padding == "post" else self.data.x.shape[1] - (end - begin) + t
        return f"{name or 'x'}{[i, slot, *within]}"


_LEAST_SHARE = 0.25  # of the sequences: where fewer end like padding, these may be real steps


@dataclass(frozen=True)
class Matches:
    """The cells of an array that pass a test: their number, and the first one."""

    count: int
    cell: tuple[int, ...]

    @property
    def row(self) -> int:
        """The row of the first cell."""
        return self.cell[0]


def find_matches(test: Callable[..., Array], array: AnyArray, *others: AnyArray) -> Matches | None:
    """The cells of `array` that pass a test, None if no cell does; read in chunks.

    `test` takes a chunk of `array`, and the rows of `others` beside it, and gives an array of bool.

    >>> find_matches(lambda part: part < 0, np.array([1, -2, -3]))
    Matches(count=2, cell=(1,))
    """
    count, cell = 0, tuple[int, ...]()
    for begin, part in chunks(array):
        passed = test(part, *(other[begin : begin + len(part)] for other in others))
        matches = int(np.count_nonzero(passed))
        if matches and not count:
            row, *within = np.unravel_index(int(np.argmax(passed)), passed.shape)
            cell = (begin + int(row), *map(int, within))
        count += matches
    return Matches(count, cell) if count else None


def failure(name: str, message: str, cells: Matches, array: str) -> Finding:
    """The finding that some cells of an array are wrong."""
    return Finding(name, "fails", message, cells.count, f"{array}{[*cells.cell]}")


def remedy_for_missing(subject: Subject, name: str, array: AnyArray) -> Iterator[object]:
    """What to do about NaN and infinities: leave out the features that have them, or fill them in."""
    if name != "values":
        yield "fill them in before"
        return
    names = subject.real.features
    if names:
        incomplete = np.zeros(len(names), bool)
        for _, part in chunks(array):
            incomplete |= ~np.isfinite(part).all(axis=0)
        if not incomplete.all():
            dropped = [names[i] for i in np.flatnonzero(incomplete)]
            yield Message("group without these features: ", Advice("--drop", join_names(dropped)), ", or ")
    if find_matches(np.isinf, array):
        yield "leave out the steps with infinities"
        return
    yield Message("fill them in: ", Advice("seqtool", "fill", subject.file, "--method", "forward,mean"))


def step_in_digits(step: Any) -> str:
    """A step as text: the first three of many features, and six digits of long fractions.

    >>> step_in_digits([1.5, 2.0, 1 / 3, 4.0, 5.0]), step_in_digits(7)
    ('[1.5, 2.0, 0.333333, ...]', '7')
    """
    if not isinstance(step, list):
        return str(step) if len(str(step)) <= _MOST_CHARACTERS else f"{step:g}"
    more = ", ..." if len(step) > _MOST_FEATURES else ""
    return f"[{', '.join(map(step_in_digits, step[:_MOST_FEATURES]))}{more}]"


_MOST_CHARACTERS = 12
_MOST_FEATURES = 3


def unique_names(name: str, names: Sequence[str]) -> Finding:
    """No name occurs twice."""
    first: dict[str, int] = {}
    repeats = [(i, text) for i, text in enumerate(names) if first.setdefault(text, i) < i]
    if repeats:
        i, text = repeats[0]
        message = f"duplicate names, the first {shortened(text)!r}"
        return Finding(name, "fails", message, len(repeats), f"{name}[{i}]")
    more = ", ..." if len(names) > _MOST_NAMES else ""
    return Finding(name, "ok", f"{len(names):,}: {', '.join(map(shortened, names[:_MOST_NAMES]))}{more}")


_MOST_NAMES = 8


def unique_classes(name: str, classes: AnyArray | Text, spool: Spool) -> Finding:
    """No class has the name of another; there may be millions."""
    if isinstance(classes, np.ndarray):
        return unique_names(name, [*map(str, classes.tolist())])
    if duplicates := repeated(key_cells(classes, spool), spool):
        return Finding(name, "fails", "duplicate names", duplicates.count, f"{name}[{duplicates.first[1]}]")
    return Finding(name, "ok", f"{len(classes):,}")
