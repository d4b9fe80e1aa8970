"""Parts of sequences back on the rows that they were cut from, each row once, and predictions on those they are for.

A row is told by its sequence and its place there: `parting` tells where the windows of `window`, or x of
`split --last`, stand, and the steps that follow them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import field, replace

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray
from seqtool.dataclass import dataclass
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.unpadding.columns import Columns, columns_of
from seqtool.unpadding.forecasts import forecast_columns
from seqtool.unpadding.names import Titles
from seqtool.unpadding.parting import Parting
from seqtool.unpadding.stretch import Continued, Stretch

_BITS = 32  # of the place of a row in its sequence, below those of the number of the sequence


@dataclass(frozen=True, eq=False)
class Landed(Stretch):
    """Rows of sequences that were cut into windows: `codes` (n,) tell where they stand.

    A row that is only predicted is in no window: `absent` (n,) bool. It is `offset` (n,) steps behind the first one
    that follows its window; its number and order are known of the first `horizon` of these alone.
    """

    codes: Array = field(default_factory=lambda: np.empty(0, np.int64))
    absent: Array = field(default_factory=lambda: np.empty(0, bool))
    offset: Array = field(default_factory=lambda: np.empty(0, np.int64))
    horizon: int = 0

    @property
    def unnumbered(self) -> Array:
        """The absent rows of which not even that is known, (n,) bool."""
        return self.absent & ~_within(self.offset, self.horizon)

    def of_steps(self, array: AnyArray) -> Array:
        """The rows of an array of steps, (n, ...); those in no window of what is known of the steps that follow."""
        cells = super().of_steps(array)
        if isinstance(array, Continued) and self.absent.any():
            known = self.absent & ~self.unnumbered
            cells[known] = gather(array.behind, self.which[known])[
                np.arange(int(known.sum())), self.offset[known]
            ]
        return cells

    def numbers(self, offsets: AnyArray) -> Array:
        """The number of each row in its sequence."""
        return np.asarray(self.codes & ((1 << _BITS) - 1))


@dataclass(frozen=True, eq=False)
class WindowRows:
    """The rows of windows, R of them: the first step that shows each, -1 where none does, its window, and its code.

    `before` is as in `of`. `targets` (N,) is the code of the row that follows each window, or of its last one where
    nothing was predicted; -1 where there is none. All of it is in memory.
    """

    ragged: Ragged
    before: Ragged
    parting: Parting
    steps: Array
    which: Array
    codes: Array
    targets: Array

    @classmethod
    def of(cls, ragged: Ragged, before: Ragged) -> WindowRows | None:
        """The rows of sequences that were cut into windows, or into x and the step after it; None of others.

        `before` are the same ones as they were before anything was taken back, as what is predicted still is. Raises
        DataError where a later cut hides which steps are left.
        """
        parting = Parting.of(ragged)
        if parting is None:
            return None
        ragged = _continued(ragged)
        whole = parting.numbers << _BITS
        targets = np.where(parting.targets < 0, -1, whole + parting.targets)
        parts = [*_rows(ragged, whole + parting.first, targets, parting)]
        steps, which, codes = (
            (np.concatenate([np.empty(0, np.int64), *arrays]) for arrays in zip(*parts, strict=True))
            if parts
            else (np.empty(0, np.int64),) * 3
        )
        return cls(ragged, before, parting, steps, which, codes, targets)

    @property
    def horizon(self) -> int:
        """The number of rows from the target of a window on that are predicted; 0 where none follow it."""
        return self.parting.horizon

    @property
    def unseen(self) -> int:
        """How many rows are in no window, but predicted."""
        return int((self.steps < 0).sum())

    @property
    def known_behind(self) -> list[str]:
        """The arrays of steps that are known of the rows that are in no window, too."""
        return [name for name, array in self.ragged.per_step.items() if isinstance(array.data, Continued)]

    def columns(self, unknown: Counter[str]) -> list[Columns]:
        """The columns of the rows, without what was made for windows alone: part, and the steps that follow them.

        The step after x, which may be in no other x, stands in its own row as y.
        """
        own, of_steps = dict(self.ragged.per_sequence), dict(self.ragged.per_step)
        y = own.get("y") if self.parting.command == "split" else None
        for name in ("part", *(["y"] if self.horizon and not self.parting.each else [])):
            own.pop(name, None)
        if self.parting.arguments.get("next"):
            of_steps.pop("step_y", None)
        labelled = "y" in own or "step_y" in of_steps
        names = {
            name: table
            for name, table in self.ragged.names.items()
            if labelled or not name.startswith(("classes", "label_names"))
        }
        bare = self.ragged.replace(per_sequence=own, per_step=of_steps, names=names)
        found = columns_of(bare, unknown, as_matrix=False)
        if y is None:
            return found
        following = forecast_columns("y", y, self, self.ragged, unknown)
        titles = Titles(dict.fromkeys(name for columns in found for name in columns.names))
        return [*found, replace(following, names=titles.all_free(following.names))]

    def stretches(self, rows: int) -> Iterator[Stretch]:
        """All rows, sequence by sequence."""
        return self._stretches(np.arange(len(self.steps)), rows)

    def in_order_of(self, name: str) -> tuple[Ordered, int]:
        """The same by an array (S,) of a number for each step, ascending; and how many rows have none."""
        numbers = self.ragged.per_step[name].data
        has_number = self.steps >= 0
        if isinstance(numbers, Continued):
            has_number |= _within(self.codes - self.targets[self.which], self.horizon)
        known = np.flatnonzero(has_number)
        of_rows = [stretch.of_steps(numbers) for stretch in self._stretches(known, _TOGETHER)]
        order = known[np.argsort(np.concatenate([np.empty(0, np.int64), *of_rows]), kind="stable")]
        return Ordered(self, order), len(self.steps) - len(known)

    def codes_of(self, stretch: Stretch) -> Array:
        """The codes of the rows of a stretch."""
        return stretch.codes if isinstance(stretch, Landed) else np.empty(0, np.int64)

    def codes_of_steps(self) -> Array:
        """The code of each step of the windows, (S,)."""
        offsets, parting = np.asarray(self.ragged.offsets), self.parting
        return _codes(offsets, (parting.numbers << _BITS) + parting.first, parting.rate)

    def _stretches(self, order: Array, rows: int) -> Iterator[Stretch]:
        for begin in range(0, len(order), rows):
            part = order[begin : begin + rows]
            steps, which, codes = self.steps[part], self.which[part], self.codes[part]
            offset = codes - self.targets[which]
            yield Landed(
                np.maximum(steps, 0),
                which,
                codes=codes,
                absent=steps < 0,
                offset=offset,
                horizon=self.horizon,
            )

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True, eq=False)
class Ordered:
    """Rows of windows in another order."""

    windows: WindowRows
    order: Array

    def __len__(self) -> int:
        return len(self.order)

    def stretches(self, rows: int) -> Iterator[Stretch]:
        """All of them."""
        return self.windows._stretches(self.order, rows)


def _continued(ragged: Ragged) -> Ragged:
    """The same parts, whose row numbers and order values go on in the rows that follow each, where kept."""
    per_step = dict(ragged.per_step)
    for name in ("row_index", "order"):
        behind = ragged.per_sequence.get(f"y_{name}")
        if name in per_step and behind is not None:
            per_step[name] = StepArray(Continued(per_step[name].data, behind), per_step[name].value)
    return ragged.replace(per_step=per_step)


def _rows(
    ragged: Ragged, base: Array, targets: Array, parting: Parting
) -> Iterator[tuple[Array, Array, Array]]:
    """The rows of each stretch of whole sequences: the first step that shows each, its window and its code.

    The window of a row that none shows is the first one that it follows; so is that of each step after x.
    """
    offsets, numbers = np.asarray(ragged.offsets), parting.numbers
    ends = np.append(np.flatnonzero(np.diff(numbers)) + 1, len(numbers))
    begin = 0
    for end in ends.tolist():
        if offsets[end] - offsets[begin] < _TOGETHER and end < len(numbers):
            continue
        edges = offsets[begin : end + 1]
        which = np.repeat(np.arange(begin, end), np.diff(edges))
        codes = _codes(edges, base[begin:end], parting.rate)
        shown, first = np.unique(codes, return_index=True)
        real = np.flatnonzero(targets[begin:end] >= 0) + begin
        predicted = (targets[real, None] + np.arange(parting.horizon)).reshape(-1)
        follows = np.repeat(real, parting.horizon)
        if parting.each:
            predicted, follows = np.concatenate([predicted, codes + 1]), np.concatenate([follows, which])
        followed, follower = np.unique(predicted, return_index=True)
        every = np.union1d(shown, followed)
        source, window = np.full(len(every), -1), np.empty(len(every), np.int64)
        place = np.searchsorted(every, followed)
        window[place] = follows[follower]
        by_window = np.searchsorted(every, shown)
        source[by_window] = first + offsets[begin]
        kept = np.isin(shown, followed) if parting.command == "split" else np.zeros(len(shown), bool)
        window[by_window[~kept]] = which[first[~kept]]
        yield source, window, every
        begin = end


def _codes(offsets: Array, first: Array, rate: int) -> Array:
    """The code of each step of some parts, (n,), of which the first ones have these codes."""
    steps = np.arange(offsets[0], offsets[-1])
    return np.asarray(np.repeat(first - offsets[:-1] * rate, np.diff(offsets)) + steps * rate)


def _within(offset: Array, horizon: int) -> Array:
    return (offset >= 0) & (offset < horizon)


_TOGETHER = 1 << 20  # steps of windows that are compared at once
