"""Parts of sequences back on the rows that they were cut from, each row once, and predictions on those they are for.

A row is told by its sequence and its place there: `parting` tells where the windows of `window`, or x of
`split --last`, stand, and the steps that follow them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, at
from seqtool.sequences.categories import labels_of_ids
from seqtool.sequences.features import feature_titles, features_named
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.unpadding.columns import Columns, arrow, columns_of, names_of_ids
from seqtool.unpadding.names import Titles, cell_names
from seqtool.unpadding.parting import Parting
from seqtool.unpadding.stretch import Continued, Stretch
from seqtool.unpadding.undoing import undone_features

_BITS = 32  # of the place of a row in its sequence, below those of the number of the sequence


@dataclass(frozen=True, eq=False)
class Landed(Stretch):
    """Rows of sequences that were cut into windows: `codes` (n,) tell where they stand.

    A row that is only predicted is in no window: `absent` (n,) bool. It is `offset` (n,) steps behind the first one
    that follows its window.
    """

    codes: Array = field(default_factory=lambda: np.empty(0, np.int64))
    absent: Array = field(default_factory=lambda: np.empty(0, bool))
    offset: Array = field(default_factory=lambda: np.empty(0, np.int64))

    def of_steps(self, array: AnyArray) -> Array:
        """The rows of an array of steps, (n, ...); those in no window of what is known of the steps that follow."""
        cells = super().of_steps(array)
        if isinstance(array, Continued) and self.absent.any():
            cells[self.absent] = gather(array.behind, self.which[self.absent])[
                np.arange(int(self.absent.sum())), self.offset[self.absent]
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
        own = dict(self.ragged.per_sequence)
        y = own.get("y") if self.parting.command == "split" else None
        for name in ("part", *(["y"] if self.horizon else [])):
            own.pop(name, None)
        bare = self.ragged.replace(per_sequence=own, names=self._names(own))
        found = columns_of(bare, unknown, as_matrix=False)
        if y is None:
            return found
        following = self._landing("y", y, self.ragged, unknown)
        titles = Titles(dict.fromkeys(name for columns in found for name in columns.names))
        return [*found, replace(following, names=titles.all_free(following.names))]

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

    def in_order_of(self, name: str) -> tuple[Ordered, int]:
        """The same by an array (S,) of a number for each step, ascending; and how many rows have none."""
        numbers = self.ragged.per_step[name].data
        known = np.arange(len(self.steps))
        if not isinstance(numbers, Continued):
            known = known[self.steps >= 0]
        of_rows = [stretch.of_steps(numbers) for stretch in self._stretches(known, _TOGETHER)]
        order = known[np.argsort(np.concatenate([np.empty(0, np.int64), *of_rows]), kind="stable")]
        return Ordered(self, order), len(self.steps) - len(known)

    def _stretches(self, order: Array, rows: int) -> Iterator[Stretch]:
        for begin in range(0, len(order), rows):
            part = order[begin : begin + rows]
            steps, which, codes = self.steps[part], self.which[part], self.codes[part]
            offset = codes - self.targets[which]
            yield Landed(np.maximum(steps, 0), which, codes=codes, absent=steps < 0, offset=offset)

    def predicted(self, name: str, array: AnyArray, unknown: Counter[str] | None = None) -> Columns:
        """The columns of predictions of each window, (N, H), or (N, H, F) of several features, on their rows.

        Of x and the step after it they are (N,) or (N, F), and of ids also (N, C). They are taken back as the steps
        are, and ids of a category become names, the unknown ones counted in `unknown`. Where nothing follows windows,
        (N,) and (N, C) stand in the last row of each. Raises DataError for another shape, and for an id without a name.
        """
        with at(f"--add {name}"):
            return self._landing(name, array, self.before, Counter() if unknown is None else unknown)

    def _landing(self, name: str, array: AnyArray, data: Ragged, unknown: Counter[str]) -> Columns:
        """The columns of an array of windows on the rows that it is for; ids are those of the tokens of `data`."""
        targets = self._target_places()
        shape = self._shape(array.shape, len(targets))
        titles = feature_titles(self.ragged)
        features = [titles[i] for i in targets] if len(targets) > 1 else None
        tail = shape[1:] if self.horizon and shape[0] == 1 else shape
        order = np.argsort(self.targets, kind="stable")
        order = order[int(np.searchsorted(self.targets[order], 0)) :]
        known = self.targets[order]
        category = self._category(data)
        are_ids = category is not None and array.dtype.kind in "iu"
        vocabulary = data.names[f"vocabulary_{category}"] if are_ids else None

        def shown(cells: Array) -> list[Any]:
            if vocabulary is not None:
                return [names_of_ids(f"--add {name}", cell, vocabulary, name, unknown) for cell in cells.T]
            if self.horizon and category is None:
                cells = undone_features(cells, targets, self.before, self.parting.earlier)
            return [arrow(cell) for cell in cells.T]

        def read(stretch: Stretch) -> list[Any]:
            codes = stretch.codes if isinstance(stretch, Landed) else np.empty(0, np.int64)
            found = []
            for offset in range(shape[0] if self.horizon else 1):
                wanted = codes - offset
                place = np.minimum(np.searchsorted(known, wanted), max(0, len(known) - 1))
                there = known[place] == wanted if len(known) else np.zeros(len(wanted), bool)
                cells = gather(array, order[place[there]]).reshape(int(there.sum()), *shape)
                cells = cells[:, offset] if self.horizon else cells
                row = np.cumsum(there) - 1
                which = pa.array(row, mask=~there)
                found += [
                    cell.take(which) for cell in shown(cells.reshape(len(cells), prod(cells.shape[1:])))
                ]
            return found

        return Columns(cell_names(name, tail, features), read)

    def __len__(self) -> int:
        return len(self.steps)

    def _category(self, data: Ragged) -> int | None:
        """The place of the category whose ids follow windows; None where none do."""
        return labels_of_ids(data).get("y") if self.horizon else None

    def _target_places(self) -> list[int]:
        """The places of the features that follow windows; a single one where these are ids."""
        if self._category(self.before) is not None:
            return [0]
        return features_named(self.ragged, self.parting.arguments.get("target", []), "--target")

    def _shape(self, shape: tuple[int, ...], features: int) -> tuple[int, ...]:
        """The shape of what is predicted of a window: first the steps ahead, where any are."""
        count, horizon = len(self.ragged), self.horizon
        if not horizon:
            if len(shape) in (1, 2) and shape[0] == count:
                return shape[1:]
            expected = f"({count},) or ({count}, C)"
        elif self.parting.command == "split":
            expected = f"({count},)" if features == 1 else f"({count}, {features})"
            ids = self._category(self.before) is not None
            scores = ids and len(shape) == 2 and shape[0] == count and shape[1] > 1
            if scores or (features > 1 and shape == (count, features)):
                return 1, shape[1]
            if features == 1 and shape in ((count,), (count, 1)):
                return (1,)
        else:
            expected = f"({count}, {horizon})" if features == 1 else f"({count}, {horizon}, {features})"
            if shape == (count, horizon) and features == 1:
                return shape[1:]
            single = shape == (count,) and horizon * features == 1
            if single or shape == (count, horizon, features):
                return (horizon, features)[: 2 if features > 1 else 1]
        of = "the windows" if self.parting.command == "window" else "the step after each sequence"
        raise DataError(f"has shape {shape}; {expected} was expected, for {of}")


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
        lengths = np.diff(offsets[begin : end + 1])
        which = np.repeat(np.arange(begin, end), lengths)
        steps = np.arange(offsets[begin], offsets[end])
        codes = base[which] + (steps - offsets[which]) * parting.rate
        shown, first = np.unique(codes, return_index=True)
        real = np.flatnonzero(targets[begin:end] >= 0) + begin
        predicted = (targets[real, None] + np.arange(parting.horizon)).reshape(-1)
        followed, follower = np.unique(predicted, return_index=True)
        every = np.union1d(shown, followed)
        source, window = np.full(len(every), -1), np.empty(len(every), np.int64)
        place = np.searchsorted(every, followed)
        window[place] = np.repeat(real, parting.horizon)[follower]
        by_window = np.searchsorted(every, shown)
        source[by_window] = first + offsets[begin]
        kept = np.isin(shown, followed) if parting.command == "split" else np.zeros(len(shown), bool)
        window[by_window[~kept]] = which[first[~kept]]
        yield source, window, every
        begin = end


_TOGETHER = 1 << 20  # steps of windows that are compared at once
