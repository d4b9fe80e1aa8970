"""Windows back on the rows that they were cut from, each row once, and predictions on the rows that they are for.

A row is told by its sequence and its place there: the first step of a window stands in `part`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.errors import DataError, at
from seqtool.sequences.features import feature_titles
from seqtool.sequences.ragged import Ragged
from seqtool.unpadding.columns import Columns, arrow, columns_of
from seqtool.unpadding.names import cell_names
from seqtool.unpadding.stretch import Stretch
from seqtool.unpadding.undoing import undone_features

_BITS = 32  # of the place of a row in its sequence, below those of the number of the sequence


@dataclass(frozen=True, eq=False)
class Landed(Stretch):
    """Rows of sequences that were cut into windows: `codes` (n,) tell where they stand.

    A row that is only predicted is in no window: `absent` (n,) bool.
    """

    codes: Array = field(default_factory=lambda: np.empty(0, np.int64))
    absent: Array = field(default_factory=lambda: np.empty(0, bool))

    def numbers(self, offsets: AnyArray) -> Array:
        """The number of each row in its sequence."""
        return np.asarray(self.codes & ((1 << _BITS) - 1))


@dataclass(frozen=True, eq=False)
class Windows:
    """The rows of windows, R of them: the first step that shows each, -1 where none does, its window, and its code.

    `before` is as in `of`. `targets` (N,) is the code of the row that follows each window, or of its last one where
    nothing was predicted; `horizon` is the number of rows from there on. All of it is in memory.
    """

    ragged: Ragged
    before: Ragged
    arguments: Mapping[str, Any]
    steps: Array
    which: Array
    codes: Array
    targets: Array
    horizon: int

    @classmethod
    def of(cls, ragged: Ragged, before: Ragged) -> Windows | None:
        """The rows of sequences that were cut into windows; None of others.

        `before` are the same ones as they were before anything was taken back, as what is predicted still is.
        """
        entries = [entry for entry in ragged.receipt if entry.get("command") == "window"]
        if not entries or "part" not in ragged.per_sequence:
            return None
        arguments = entries[0]["arguments"]
        rate, horizon = arguments.get("rate", 1), arguments.get("horizon", 0)
        base = (_sequence_numbers(ragged) << _BITS) + np.asarray(ragged.per_sequence["part"])
        lengths = np.asarray(ragged.lengths)
        last = base + (lengths - 1) * rate
        targets = last + (1 + arguments.get("lead", 0) if horizon else 0)
        parts = [*_rows(ragged, base, targets, rate, horizon)]
        steps, which, codes = (
            (np.concatenate([np.empty(0, np.int64), *arrays]) for arrays in zip(*parts, strict=True))
            if parts
            else (np.empty(0, np.int64),) * 3
        )
        return cls(
            ragged, before, arguments, steps, which, codes, np.where(lengths > 0, targets, -1), horizon
        )

    def columns(self, unknown: Counter[str]) -> list[Columns]:
        """The columns of the rows, without what was made for windows alone: part, and the steps that follow them."""
        own = dict(self.ragged.per_sequence)
        for name in ("part", *(["y"] if self.horizon else [])):
            own.pop(name, None)
        bare = self.ragged.replace(per_sequence=own, names=self._names(own))
        return columns_of(bare, unknown, as_matrix=False)

    def _names(self, own: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: table
            for name, table in self.ragged.names.items()
            if "y" in own
            or "step_y" in self.ragged.per_step
            or not name.startswith(("classes", "label_names"))
        }

    def stretches(self, rows: int) -> Iterator[Stretch]:
        """All rows, sequence by sequence."""
        return self._stretches(np.arange(len(self.steps)), rows)

    def in_order_of(self, numbers: AnyArray) -> tuple[Ordered, int]:
        """The same by a number of each step, (S,), ascending; and how many rows have none, being in no window."""
        known = np.flatnonzero(self.steps >= 0)
        order = known[np.argsort(gather(numbers, self.steps[known]), kind="stable")]
        return Ordered(self, order), len(self.steps) - len(known)

    def _stretches(self, order: Array, rows: int) -> Iterator[Stretch]:
        for begin in range(0, len(order), rows):
            part = order[begin : begin + rows]
            steps = self.steps[part]
            yield Landed(np.maximum(steps, 0), self.which[part], codes=self.codes[part], absent=steps < 0)

    def predicted(self, name: str, array: AnyArray) -> Columns:
        """The columns of predictions of each window, (N, H), or (N, H, F) of several features, on their rows.

        They are taken back as the steps are. Where nothing follows windows, (N,) and (N, C) stand in the last row of
        each. Raises DataError for another shape.
        """
        targets = self._target_places()
        with at(f"--add {name}"):
            shape = self._shape(array.shape, len(targets))
        titles = feature_titles(self.ragged)
        features = [titles[i] for i in targets] if len(targets) > 1 else None
        tail = shape[1:] if self.horizon and shape[0] == 1 else shape
        order = np.argsort(self.targets, kind="stable")
        known = self.targets[order]

        def read(stretch: Stretch) -> list[Any]:
            codes = stretch.codes if isinstance(stretch, Landed) else np.empty(0, np.int64)
            found = []
            for ahead in range(shape[0] if self.horizon else 1):
                wanted = codes - ahead
                place = np.minimum(np.searchsorted(known, wanted), max(0, len(known) - 1))
                there = known[place] == wanted if len(known) else np.zeros(len(wanted), bool)
                cells = gather(array, order[place[there]]).reshape(int(there.sum()), *shape)
                cells = cells[:, ahead] if self.horizon else cells
                cells = cells.reshape(len(cells), prod(cells.shape[1:]))
                if self.horizon:
                    cells = undone_features(cells, targets, self.before)
                row = np.cumsum(there) - 1
                which = pa.array(row, mask=~there)
                found += [arrow(cells[:, i]).take(which) for i in range(cells.shape[1])]
            return found

        return Columns(cell_names(name, tail, features), read)

    def __len__(self) -> int:
        return len(self.steps)

    def _target_places(self) -> list[int]:
        titles = feature_titles(self.ragged)
        named = self.arguments.get("target", [])
        return [titles.index(name) for name in named] if named else [*range(len(titles))]

    def _shape(self, shape: tuple[int, ...], features: int) -> tuple[int, ...]:
        """The shape of what is predicted of a window."""
        count, horizon = len(self.ragged), self.horizon
        if not horizon:
            if len(shape) in (1, 2) and shape[0] == count:
                return shape[1:]
            expected = f"({count},) or ({count}, C)"
        else:
            expected = f"({count}, {horizon})" if features == 1 else f"({count}, {horizon}, {features})"
            if shape == (count, horizon) and features == 1:
                return shape[1:]
            single = shape == (count,) and horizon * features == 1
            if single or shape == (count, horizon, features):
                return (horizon, features)[: 2 if features > 1 else 1]
        raise DataError(f"has shape {shape}; {expected} was expected, for the windows")


@dataclass(frozen=True, eq=False)
class Ordered:
    """Rows of windows in another order."""

    windows: Windows
    order: Array

    def __len__(self) -> int:
        return len(self.order)

    def stretches(self, rows: int) -> Iterator[Stretch]:
        """All of them."""
        return self.windows._stretches(self.order, rows)


def _sequence_numbers(ragged: Ragged) -> Array:
    """The number of the sequence that each window was cut from, (N,): those of one key follow one another."""
    if ragged.keys is None:
        return np.zeros(len(ragged), np.int64)
    numbers, before = [], None
    for _, part in chunks(ragged.keys):  # type: ignore[arg-type]
        flat = part.reshape(len(part), -1)
        first = flat[:1] if before is None else before
        differs = (np.concatenate([first, flat[:-1]]) != flat).any(axis=1)
        numbers.append(differs)
        before = flat[-1:]
    return np.cumsum(np.concatenate([np.empty(0, bool), *numbers]), dtype=np.int64)


def _rows(
    ragged: Ragged, base: Array, targets: Array, rate: int, horizon: int
) -> Iterator[tuple[Array, Array, Array]]:
    """The rows of each stretch of whole sequences: the first step that shows each, its window and its code."""
    offsets = np.asarray(ragged.offsets)
    numbers = base >> _BITS
    ends = np.append(np.flatnonzero(np.diff(numbers)) + 1, len(numbers))
    begin = 0
    for end in ends.tolist():
        if offsets[end] - offsets[begin] < _TOGETHER and end < len(numbers):
            continue
        lengths = np.diff(offsets[begin : end + 1])
        which = np.repeat(np.arange(begin, end), lengths)
        steps = np.arange(offsets[begin], offsets[end])
        codes = base[which] + (steps - offsets[which]) * rate
        shown, first = np.unique(codes, return_index=True)
        real = np.flatnonzero(lengths > 0) + begin
        ahead = (targets[real, None] + np.arange(horizon)).reshape(-1)
        every = np.union1d(shown, ahead)
        place = np.minimum(np.searchsorted(shown, every), max(0, len(shown) - 1))
        there = shown[place] == every if len(shown) else np.zeros(0, bool)
        source = np.where(there, first[place] if len(first) else 0, -1)
        # A row that no window shows follows one that does, of the same sequence.
        window = which[source[np.maximum.accumulate(np.where(there, np.arange(len(every)), 0))]]
        yield np.where(there, source + offsets[begin], -1), window, every
        begin = end


_TOGETHER = 1 << 20  # steps of windows that are compared at once
