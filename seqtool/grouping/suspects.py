"""Columns that a network should rather not read: copies of the label, counters of rows, and what never changes."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.tables.cells import LabelState, label_number, reads_as_missing
from seqtool.words import join_names, listed

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
            self._constant = {name: batch[name][0] for name in self._columns if name in batch}
            self._counting = {name: first for name, first in self._constant.items() if name[0] == "f"}
        self._constant = {
            name: value
            for name, value in self._constant.items()
            if _holds(lambda cells: cells == value, batch[name])  # noqa: B023 - called at once
        }
        count = len(next(iter(batch.values())))
        self._counting = {
            name: first
            for name, first in self._counting.items()
            if batch[name][-1] == first + (self._rows + count - 1)
            and (batch[name] == first + np.arange(self._rows, self._rows + count)).all()
        }
        for part, names in self._copies.items():
            self._copies[part] = [name for name in names if self._is_copy(part, batch, name, labels[part])]
        self._rows += count

    def _is_copy(self, part: str, batch: Mapping[str, Any], name: str, labels: LabelState) -> bool:
        """Whether a column holds the number of the label in each row, NaN where that is missing."""

        def same(cells: Array, codes: Array) -> Array:
            numbers = self._behind(part, codes, labels)
            return np.asarray((cells == numbers) | (np.isnan(cells) & np.isnan(numbers)))

        return _holds(same, batch[name], batch[part])

    def _behind(self, part: str, codes: Array, labels: LabelState) -> Array:
        """The numbers behind codes of labels: NaN for a missing one, and what equals no number for text."""
        known, needed = self._numbers[part], int(codes.max()) + 1
        if needed > len(known):
            texts = islice(labels.codes, len(known), needed)
            self._numbers[part] = known = np.concatenate([known, [*map(_number, texts)]])
        return np.asarray(known[codes])

    def cautions(self, labels: Mapping[str, LabelState]) -> Iterator[str]:
        """A sentence for each suspicion that no row spoke against, with the option that leaves the column out."""
        plan = self._plan
        for part, column in plan.labels.items():
            name = plan.label(column)
            if column in plan.features:
                yield f"label {name!r} is a feature too, which leaks the label; leave it out of --columns"
            if column in plan.roles.static:
                yield f"label {name!r} is static too, which leaks the label; leave --static {shlex.quote(name)} out"
            if self._rows > 1 and len(labels[part].codes) > 1:
                for copy in self._copies[part]:
                    yield self._said(
                        [copy], f"leaks the label: it equals {name!r} in all {self._rows:,} rows"
                    )
        if self._rows < _FEW:
            return
        for name, first in self._counting.items():
            if self._rows >= _COUNTED or plan.label(self._columns[name]).lower() in _COUNTERS:
                yield self._said([name], f"counts rows, from {first:g} to {first + self._rows - 1:g}")
        for kind in "fs":
            same = [name for name in self._constant if name[0] == kind]
            if same:
                yield self._said(same, f"the same in all {self._rows:,} rows")

    def _said(self, names: Sequence[str], what: str) -> str:
        """What is suspected of some columns, and how they are left out, if that leaves any feature."""
        plan, labels = self._plan, [self._plan.label(self._columns[name]) for name in names]
        many = len(labels) > 1
        shown = f"columns {listed([*map(repr, labels)])}" if many else f"column {labels[0]!r}"
        verb = "" if what.split()[0] in ("leaks", "counts") else "are " if many else "is "
        them = "them" if many else "it"
        option = f"--drop {shlex.quote(join_names(labels))} leaves {them} out"
        if names[0][0] == "s":
            option = f"leave {' '.join(f'--static {shlex.quote(label)}' for label in labels)} out"
        elif plan.roles.chosen:
            option = f"leave {them} out of --columns"
        if names[0][0] == "f" and len(names) == len(plan.features):
            return f"{shown} {verb}{what}"
        return f"{shown} {verb}{what}; {option}"


def _holds(test: Callable[..., Array], *columns: Array) -> bool:
    """Whether a test is true in all rows; most columns fail in the first."""
    return bool(test(*(cells[:_FIRST] for cells in columns)).all() and test(*columns).all())


def _number(text: str) -> float:
    number = {"true": 1.0, "false": 0.0}.get(text.lower(), label_number(text))
    return number if number is not None else np.nan if reads_as_missing(text) else np.inf
