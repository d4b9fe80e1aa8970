"""What is learnt of sequences: their labels, those of their steps, or the next step; and what a loss ignores."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import replace
from math import prod
from typing import Literal

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.sequences.labels import class_tables, label_arrays
from seqtool.sequences.padding_values import UNLABELLED
from seqtool.sequences.ragged import Ragged

_MOST_CLASSES = 100  # whole numbers without names are classes if they are below


@dataclass(frozen=True)
class LabelOutputs:
    """One of several labels: its `title`, its column of y, the first output for it, and its number of classes.

    `classes` is None for a number, which takes one output.
    """

    title: str
    column: int
    first: int
    classes: int | None

    @property
    def end(self) -> int:
        """The first output for the next label."""
        return self.first + (self.classes or 1)

    @property
    def outputs(self) -> str:
        """The index, as Python code, of its outputs among those of a batch."""
        return f"[:, {self.first}]" if self.classes is None else f"[:, {self.first}:{self.end}]"


@dataclass(frozen=True)
class Target:
    """What is learnt: `y`, a label for each step in `step_y`, or the `next` step from those before it.

    It is one of `outputs` classes, or that many numbers: `flat` if a label is a single number and not a row, of
    `shape` if it is a block, `whole` if its dtype is one of integers. Of several labels, some of which are classes,
    `columns` describes each. `ignored` is the number that stands for no label and is no class: the padding of step_y,
    or -100 in y. With `missing`, some numbers are NaN, which the loss leaves out.
    """

    name: Literal["y", "step_y", "next"]
    classes: bool
    outputs: int
    flat: bool = True
    shape: tuple[int, ...] = ()
    whole: bool = False
    ignored: int | None = None
    missing: bool = False
    columns: tuple[LabelOutputs, ...] = ()


def label_target(real: Ragged) -> Target | None:
    """The labels of sequences, else those of steps; None where there are neither.

    Raises DataError for labels that no loss takes.
    """
    if "y" in real.per_sequence:
        if class_tables(real.names):
            return _target_several(real)
        return _target_y(real.per_sequence["y"], real.names.get("classes"))
    if "step_y" in real.per_step:
        [labels] = [array for array in label_arrays(real) if array.name == "step_y"]
        return _target_step_y(labels.cells, real.per_step["step_y"].value, labels.classes)
    return None


def _target_y(y: AnyArray | Text, names: Sized | None) -> Target:
    labels = _checked_numbers("y", y)
    classes = _count_classes("y", labels, names, unlabelled=True)
    if classes is None:
        return _number_target("y", labels)
    count = sum(int((part == UNLABELLED).sum()) for _, part in chunks(labels))
    if count == len(labels):
        raise DataError(f"y holds nothing but {UNLABELLED}, which is no label, so there is nothing to learn")
    return Target("y", True, classes, ignored=UNLABELLED if count else None)


def _target_several(real: Ragged) -> Target:
    """Several labels, of which some are classes: each has outputs of its own, side by side."""
    columns, first = list[LabelOutputs](), 0
    for array in label_arrays(real):
        if array.column is not None:
            name = f"y of {array.title!r}"
            labels = _checked_numbers(name, array.cells, missing=False)
            classes = None if array.classes is None else _count_classes(name, labels, array.classes)
            columns.append(LabelOutputs(array.title, array.column, first, classes))
            first = columns[-1].end
    return Target("y", False, first, flat=False, whole=True, columns=tuple(columns))


def _target_step_y(y: AnyArray, value: float, names: Sized | None) -> Target:
    labels = _checked_numbers("step_y", y)
    mixed = names is not None and value != UNLABELLED
    if mixed and any((part == UNLABELLED).any() for _, part in chunks(labels)):
        raise DataError(
            f"step_y holds {UNLABELLED}, no label, and {value:g} in padding: a loss ignores one number; group with ",
            Advice("--label-value", UNLABELLED),
        )
    classes = _count_classes("step_y", labels, names, unlabelled=value == UNLABELLED)
    if classes is None:
        return _number_target("step_y", labels)
    return Target("step_y", True, classes, ignored=None if 0 <= value < classes else int(value))


def _number_target(name: Literal["y", "step_y"], labels: AnyArray) -> Target:
    whole, missing = labels.dtype.kind in "biu", missing_numbers(labels)
    if missing == prod(labels.shape):
        raise DataError(f"{name} holds nothing but NaN, so there is nothing to learn")
    target = Target(
        name, False, prod(labels.shape[1:]), flat=labels.ndim == 1, whole=whole, missing=missing > 0
    )
    return replace(target, shape=labels.shape[1:]) if labels.ndim > 2 else target


def _checked_numbers(name: str, labels: AnyArray | Text, *, missing: bool = True) -> AnyArray:
    """The labels, checked to be numbers that a loss takes; unless `missing`, NaN is refused as infinities are."""
    if isinstance(labels, Text) or labels.dtype.kind not in "biuf":
        raise DataError(f"{name} holds text; numbers were expected, with their names in classes")
    if (labels.ndim > 2 and name != "y") or 0 in labels.shape[1:]:
        raise DataError(
            f"a label in {name} has shape {labels.shape[1:]}, which needs a network of your own; the programs learn a "
            "number, or a row of them; to load it: ",
            Advice("--code", "numpy"),
        )
    for begin, part in chunks(labels):
        with np.errstate(over="ignore"):
            small = part.astype(np.float32)
            wrong = np.argwhere(np.isinf(small) if missing else ~np.isfinite(small))
        if len(wrong):
            place = [begin + int(wrong[0, 0]), *map(int, wrong[0, 1:])]
            raise DataError(
                f"{name}{place} is {part[tuple(wrong[0])]}: the loss would be NaN; leave it out, or scale it"
            )
    return labels


def _count_classes(
    name: str, labels: AnyArray, names: Sized | None, *, unlabelled: bool = False
) -> int | None:
    """The number of classes, None if the labels are numbers; with `unlabelled`, -100 is no label."""
    if labels.ndim != 1 or (labels.dtype.kind not in "biu" and names is None):
        return None
    occurs, least, largest = np.zeros(_MOST_CLASSES, bool), 0, -1
    for _, part in chunks(labels):
        known = part[part != UNLABELLED] if unlabelled else part
        if len(known):
            least, largest = min(least, int(known.min())), max(largest, int(known.max()))
            occurs[known[(known >= 0) & (known < _MOST_CLASSES)].astype(np.int64)] = True
    if names is None:
        are_classes = least == 0 and 0 < largest < _MOST_CLASSES and occurs[: largest + 1].all()
        return largest + 1 if are_classes else None
    if least < 0 or largest >= len(names):
        wrong = least if least < 0 else largest
        raise DataError(f"{name} holds {wrong}, but there are {len(names)} classes, counted from 0")
    return len(names)


def missing_numbers(array: AnyArray) -> int:
    """The number of cells that are NaN.

    >>> missing_numbers(np.array([[1, np.nan], [2, 3]]))
    1
    """
    if array.dtype.kind != "f":
        return 0
    return sum(int(np.isnan(part).sum()) for _, part in chunks(array))
