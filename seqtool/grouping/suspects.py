"""Columns that a network should not read: copies of the label, row counters, and columns that never change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import sequence_of
from seqtool.grouping.advising import without_features
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.kernel import Grouped
from seqtool.grouping.row_columns import feature_name, static_name
from seqtool.grouping.static_columns import no_longer_static, without_static
from seqtool.tables.cells import LabelState, label_number, reads_as_missing
from seqtool.words import listed

_FIRST = 16  # rows that clear most columns of suspicion
_LEAST_ROWS = 3  # rows; a shorter table raises no suspicion
_COUNTED = 10  # rows; no column of measurements counts so many by chance
_COUNTERS = ("rownames", "row.names", "rowname", "unnamed: 0")  # of R and pandas


class Suspects:
    """Looks at the columns of each batch; the first row that speaks against a suspicion ends it.

    So most columns are only looked at in the first rows. Key columns are never suspected.
    """

    def __init__(self, plan: EncoderPlan) -> None:
        self._plan = plan
        self._rows = 0
        keys = plan.roles.key
        self._features = {feature_name(column): column for column in plan.features if column not in keys}
        self._static = {static_name(column): column for column in plan.roles.static if column not in keys}
        self._columns = {**self._features, **self._static}
        self._constant: dict[str, Any] = {}  # the value that all rows have
        self._counting: dict[str, Any] = {}  # the number in the first row
        self._copies = {
            part: [name for name, column in self._columns.items() if column != label]
            for part, label in plan.labels.items()
        }
        self._label_numbers = {part: np.empty(0) for part in plan.labels}  # by code

    def look(self, batch: Mapping[str, Any], labels: Mapping[str, LabelState]) -> None:
        """Look at an encoded batch; `labels` hold the text of each label code in it."""
        if not self._rows:
            self._constant = {name: batch[name][0].item() for name in self._columns if name in batch}
            self._counting = {
                name: first
                for name, first in self._constant.items()
                if name in self._features and np.isfinite(first)
            }
        self._constant = {
            name: value
            for name, value in self._constant.items()
            if _all_rows(lambda cells: cells == value, batch[name])  # noqa: B023 - called at once
        }
        count = len(next(iter(batch.values())))
        # Differences of infinite numbers, and of those near the end of their type, count nothing.
        with np.errstate(over="ignore", invalid="ignore"):
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

    def merge(self, other: Suspects) -> Suspects:
        """What both leave suspected, where the rows of `other` follow these."""
        if not (self._rows and other._rows):
            return self if self._rows else other
        merged = Suspects(self._plan)
        merged._rows = self._rows + other._rows
        merged._constant = dict(self._constant.items() & other._constant.items())
        merged._counting = {
            name: first
            for name, first in self._counting.items()
            if other._counting.get(name) == first + self._rows
        }
        merged._copies = {
            part: [name for name in names if name in other._copies[part]]
            for part, names in self._copies.items()
        }
        return merged

    def _is_copy(self, part: str, batch: Mapping[str, Any], name: str, labels: LabelState) -> bool:
        """Whether a column equals the label as a number in each row, NaN where the label is missing."""

        def equal(cells: Array, codes: Array) -> Array:
            return _equal(cells, self._numbers_of(part, codes, labels))

        return _all_rows(equal, batch[name], batch[part])

    def _numbers_of(self, part: str, codes: Array, labels: LabelState) -> Array:
        """The labels of some rows as numbers: NaN for a missing one, infinity for text."""
        known, needed = self._label_numbers[part], int(codes.max()) + 1
        if needed > len(known):
            texts = labels.texts(len(known), needed)
            self._label_numbers[part] = known = np.concatenate([known, [*map(_number, texts)]])
        return np.asarray(known[codes])

    def cautions(self, labels: Mapping[str, LabelState]) -> Iterator[str]:
        """A sentence for each suspicion that no row spoke against, with the option that leaves the column out."""
        yield from self._leaks(labels)
        if self._rows < _LEAST_ROWS:
            return
        for name, first in self._counting.items():
            if self._rows >= _COUNTED or self._names_rows(name):
                yield self._suspicion(
                    [name], f"counts rows, from {int(first):,} to {int(first) + self._rows - 1:,}"
                )
        for name in self._features:
            if name not in self._counting and self._names_rows(name):
                yield self._suspicion([name], "holds the names of rows, as it is called")
        for columns in (self._features, self._static):
            constant = [name for name in columns if name in self._constant]
            if constant:
                yield self._suspicion(constant, f"the same in all {self._rows:,} rows")

    def _leaks(self, labels: Mapping[str, LabelState]) -> Iterator[str]:
        """A sentence for each label that is a feature or static too, and for each column that equals a label."""
        plan = self._plan
        for part, column in plan.labels.items():
            name = plan.label(column)
            if column in plan.features:
                leaks = f"label {name!r} is a feature too, which leaks the label"
                yield _with(leaks, without_features(plan, [column]))
            if column in plan.roles.static:
                leaks = f"label {name!r} is static too, which leaks the label"
                yield _with(leaks, no_longer_static(plan, [column]))
            if self._rows > 1 and len(labels[part].codes) > 1:
                for copy in self._copies[part]:
                    yield self._suspicion(
                        [copy], f"leaks the label: it equals {name!r} in all {self._rows:,} rows"
                    )

    def _names_rows(self, name: str) -> bool:
        """Whether a column is called as R and pandas call the names of rows."""
        return self._plan.label(self._columns[name]).lower() in _COUNTERS

    def _suspicion(self, names: Sequence[str], problem: str) -> str:
        """A sentence about some columns, and how to leave them out, if that leaves any feature."""
        columns = [self._columns[name] for name in names]
        labels = [self._plan.label(column) for column in columns]
        many = len(labels) > 1
        shown = f"columns {listed([*map(repr, labels)])}" if many else f"column {labels[0]!r}"
        verb = "" if problem.split()[0] in ("leaks", "counts", "holds") else "are " if many else "is "
        without = without_static if names[0] in self._static else without_features
        return _with(f"{shown} {verb}{problem}", without(self._plan, columns), "them" if many else "it")


def joined_leaks(
    grouped: Grouped, plan: EncoderPlan, state: EncoderState, before: EncoderPlan
) -> Iterator[str]:
    """A sentence for each feature that equals a label of another table; `before` is the plan without these."""
    total = len(grouped.values)
    for part in plan.labels.keys() - before.labels.keys():
        if total < 2 or len(state.labels[part].codes) < 2:
            continue
        label = plan.label(plan.labels[part])
        for column in _columns_equal(grouped, plan, state.labels[part], part):
            name = plan.label(column)
            equal = f"column {name!r} leaks the label: it equals {label!r} in all {total:,} rows"
            yield _with(equal, without_features(before, [column]))


def _columns_equal(grouped: Grouped, plan: EncoderPlan, labels: LabelState, part: str) -> list[int]:
    """The features that equal the label of their sequence as a number in all rows."""
    total, left = len(grouped.values), [*range(len(plan.features))]
    numbers, begin = np.empty(0), 0
    while begin < total and left:
        end = min(total, begin + (_ROWS if begin else _FIRST))  # most columns fail in the first rows
        first, last = sequence_of(grouped.offsets, begin), sequence_of(grouped.offsets, end - 1)
        rows = np.arange(begin, end)
        sequences = np.searchsorted(grouped.offsets[first : last + 2], rows, side="right") - 1
        codes = grouped.static[part][first : last + 1][sequences]
        if begin == 0:  # so that most often few of the labels are parsed
            expected = np.array([_number(labels.text(code)) for code in codes.tolist()])
        else:
            numbers = numbers if len(numbers) else np.array([*map(_number, labels.codes)])
            expected = numbers[codes]
        cells = grouped.values[begin:end]
        left = [i for i in left if _equal(cells[:, i], expected).all()]
        begin = end
    return [plan.features[i] for i in left]


_ROWS = 1 << 16  # looked at together


def _equal(cells: Array, numbers: Array) -> Array:
    """Whether each cell holds the number beside it: NaN equals NaN here, and infinity nothing, for it is text."""
    return np.asarray((cells == numbers) & np.isfinite(numbers) | np.isnan(cells) & np.isnan(numbers))


def _with(problem: str, advice: Advice | None, them: str = "it") -> Message:
    """A sentence about columns, and how to leave them out, where that is possible."""
    if advice is None:
        return Message(problem)
    return Message(problem, "; ", advice, f" leaves {them} out" if advice.words else "")


def _all_rows(test: Callable[..., Array], *columns: Array) -> bool:
    """Whether a test is true in all rows; the first ones are tried alone, for most columns fail there."""
    return bool(test(*(cells[:_FIRST] for cells in columns)).all() and test(*columns).all())


def _number(text: str) -> float:
    """A label as a number: NaN for a missing one, infinity for text."""
    number = {"true": 1.0, "false": 0.0}.get(text.lower(), label_number(text))
    return number if number is not None else np.nan if reads_as_missing(text) else np.inf
