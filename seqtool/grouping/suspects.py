"""Columns that a network should rather not read: copies of the label, counters of rows, and what never changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import sequence_of
from seqtool.grouping.advising import without_features, without_static
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.kernel import Grouped
from seqtool.tables.cells import LabelState, label_number, reads_as_missing
from seqtool.words import listed

_FIRST = 16  # rows that clear most columns of suspicion
_FEW = 3  # rows, below which nothing is suspected
_COUNTED = 10  # rows that no column of measurements counts by chance
_COUNTERS = ("rownames", "row.names", "rowname", "unnamed: 0")  # of R and pandas


class Suspects:
    """Watches the columns of rows as they come; the first row that speaks against a suspicion ends it.

    So nearly all columns are looked at in the first rows alone. Key columns are never suspected.
    """

    def __init__(self, plan: EncoderPlan) -> None:
        self._plan = plan
        self._rows = 0
        parts = {f"f{column}": column for column in plan.features}
        parts |= {f"s{column}": column for column in plan.roles.static}
        self._columns = {name: column for name, column in parts.items() if column not in plan.roles.key}
        self._constant: dict[str, Any] = {}  # the one value
        self._counting: dict[str, Any] = {}  # the number of the first row
        self._copies = {
            part: [name for name, column in self._columns.items() if column != label]
            for part, label in plan.labels.items()
        }
        self._numbers = {part: np.empty(0) for part in plan.labels}  # behind the codes of a label

    def look(self, batch: Mapping[str, Any], labels: Mapping[str, LabelState]) -> None:
        """Look at some rows, encoded; `labels` tell the texts behind the codes in them."""
        if not self._rows:
            self._constant = {name: batch[name][0].item() for name in self._columns if name in batch}
            self._counting = {name: first for name, first in self._constant.items() if name[0] == "f"}
        self._constant = {
            name: value
            for name, value in self._constant.items()
            if _holds(lambda cells: cells == value, batch[name])  # noqa: B023 - called at once
        }
        count = len(next(iter(batch.values())))
        with np.errstate(over="ignore"):  # of numbers near the end of their type, which count nothing
            self._counting = {
                name: first
                for name, first in self._counting.items()
                if batch[name][0] == first + self._rows
                and batch[name][-1] == first + self._rows + count - 1
                and (np.diff(batch[name]) == 1).all()
            }
        for part, names in self._copies.items():
            self._copies[part] = [name for name in names if self._is_copy(part, batch, name, labels[part])]
        self._rows += count

    def _is_copy(self, part: str, batch: Mapping[str, Any], name: str, labels: LabelState) -> bool:
        """Whether a column holds the number of the label in each row, NaN where that is missing."""

        def same(cells: Array, codes: Array) -> Array:
            return _same(cells, self._behind(part, codes, labels))

        return _holds(same, batch[name], batch[part])

    def _behind(self, part: str, codes: Array, labels: LabelState) -> Array:
        """The numbers behind codes of labels: NaN for a missing one, and what equals no number for text."""
        known, needed = self._numbers[part], int(codes.max()) + 1
        if needed > len(known):
            texts = labels.texts(len(known), needed)
            self._numbers[part] = known = np.concatenate([known, [*map(_number, texts)]])
        return np.asarray(known[codes])

    def cautions(self, labels: Mapping[str, LabelState]) -> Iterator[str]:
        """A sentence for each suspicion that no row spoke against, with the option that leaves the column out."""
        plan = self._plan
        for part, column in plan.labels.items():
            name = plan.label(column)
            if column in plan.features:
                leaks = f"label {name!r} is a feature too, which leaks the label"
                yield _with(leaks, without_features(plan, [column]))
            if column in plan.roles.static:
                leaks = f"label {name!r} is static too, which leaks the label"
                yield _with(leaks, plan.without_static([column]))
            if self._rows > 1 and len(labels[part].codes) > 1:
                for copy in self._copies[part]:
                    yield self._suspicion(
                        [copy], f"leaks the label: it equals {name!r} in all {self._rows:,} rows"
                    )
        if self._rows < _FEW:
            return
        for name, first in self._counting.items():
            if self._rows >= _COUNTED or self._is_named_so(name):
                yield self._suspicion(
                    [name], f"counts rows, from {int(first):,} to {int(first) + self._rows - 1:,}"
                )
        for name in self._columns:
            if name[0] == "f" and name not in self._counting and self._is_named_so(name):
                yield self._suspicion([name], "holds the names of rows, as it is called")
        for kind in "fs":
            same = [name for name in self._constant if name[0] == kind]
            if same:
                yield self._suspicion(same, f"the same in all {self._rows:,} rows")

    def _is_named_so(self, name: str) -> bool:
        """Whether a column is called as R and pandas call the names of rows."""
        return self._plan.label(self._columns[name]).lower() in _COUNTERS

    def _suspicion(self, names: Sequence[str], what: str) -> str:
        """What is suspected of some columns, and how they are left out, if that leaves any feature."""
        columns = [self._columns[name] for name in names]
        labels = [self._plan.label(column) for column in columns]
        many = len(labels) > 1
        shown = f"columns {listed([*map(repr, labels)])}" if many else f"column {labels[0]!r}"
        verb = "" if what.split()[0] in ("leaks", "counts", "holds") else "are " if many else "is "
        without = without_static if names[0][0] == "s" else without_features
        return _with(f"{shown} {verb}{what}", without(self._plan, columns), "them" if many else "it")


def joined_leaks(
    grouped: Grouped, plan: EncoderPlan, state: EncoderState, known: EncoderPlan
) -> Iterator[str]:
    """A sentence for each feature that equals a label from another table, which is not among those `known` before."""
    total = len(grouped.values)
    for part in plan.labels.keys() - known.labels.keys():
        labels, column = state.labels[part], plan.labels[part]
        columns = [*range(len(plan.features))] if total > 1 and len(labels.codes) > 1 else []
        numbers, at = np.empty(0), 0
        while at < total and columns:
            to = min(total, at + (_ROWS if at else _FIRST))  # most columns fail in the first rows
            first, last = sequence_of(grouped.offsets, at), sequence_of(grouped.offsets, to - 1)
            which = np.searchsorted(grouped.offsets[first : last + 2], np.arange(at, to), side="right") - 1
            codes = grouped.static[part][first : last + 1][which]
            if at == 0:
                wanted = np.array([_number(labels.text(code)) for code in codes.tolist()])
            else:
                numbers = numbers if len(numbers) else np.array([*map(_number, labels.codes)])
                wanted = numbers[codes]
            cells = grouped.values[at:to]
            columns = [i for i in columns if _same(cells[:, i], wanted).all()]
            at = to
        for i in columns:
            name = plan.label(plan.features[i])
            equal = f"column {name!r} leaks the label: it equals {plan.label(column)!r} in all {total:,} rows"
            yield _with(equal, without_features(known, [plan.features[i]]))


_ROWS = 1 << 16  # looked at together


def _same(cells: Array, numbers: Array) -> Array:
    """Which cells hold a number, NaN where that is missing."""
    return np.asarray((cells == numbers) | (np.isnan(cells) & np.isnan(numbers)))


def _with(problem: str, advice: Advice | None, them: str = "it") -> Message:
    """A sentence about columns, and how to leave them out, where that is possible."""
    if advice is None:
        return Message(problem)
    return Message(problem, "; ", advice, f" leaves {them} out" if advice.words else "")


def _holds(test: Callable[..., Array], *columns: Array) -> bool:
    """Whether a test is true in all rows; most columns fail in the first."""
    return bool(test(*(cells[:_FIRST] for cells in columns)).all() and test(*columns).all())


def _number(text: str) -> float:
    number = {"true": 1.0, "false": 0.0}.get(text.lower(), label_number(text))
    return number if number is not None else np.nan if reads_as_missing(text) else np.inf
