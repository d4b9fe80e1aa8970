"""The labels that a picture shows, of sequences or of steps: their counts or distribution, and their column."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.plotting.sampling import MOST_STEPS, MOST_VALUES, Distribution, ValueCounts, evenly, tally
from seqtool.sequences.labels import label_arrays
from seqtool.sequences.padding_values import UNLABELLED
from seqtool.sequences.ragged import Ragged

MOST_LABELS = 5  # of a sequence, with a panel each
_MOST_CLASSES = 100_000  # counted
_FEW_NUMBERS = 30  # up to so many distinct whole numbers are classes without names
LabelHolder = Literal["sequence", "step"]


@dataclass(frozen=True, eq=False)
class DrawnLabels:
    """The `labels` that are drawn, of sequences or of steps (`labelled`), each with its name: "" for a single one.

    `omitted` says why others are not drawn.
    """

    labels: tuple[tuple[str, ValueCounts | Distribution], ...]
    labelled: LabelHolder
    omitted: tuple[str, ...]


def drawn_labels(ragged: Ragged) -> DrawnLabels:
    """The labels of sequences or, where these have none, of steps."""
    omitted, drawn = list[str](), list[tuple[str, ValueCounts | Distribution]]()
    for array in label_arrays(ragged):
        y, several = array.cells, array.column is not None
        name = f"y of {array.title!r}" if several else array.name
        labelled: LabelHolder = "sequence" if array.name == "y" else "step"
        if not len(y) or (drawn and not several):
            continue
        if y.ndim != 1:
            omitted.append(f"{name} of shape {y.shape}: only one label per {labelled} can be drawn")
            continue
        if len(drawn) == MOST_LABELS:
            omitted.append(f"{name}: the first {MOST_LABELS} labels are drawn")
            continue
        found = _counts_or_distribution(name, y, array.classes)
        if found is None:
            omitted.append(f"{name}, which has no values to count")
            continue
        drawn.append((array.title if several else "", found))
        if not several:
            return DrawnLabels(tuple(drawn), labelled, tuple(omitted))
    return DrawnLabels(tuple(drawn), "sequence", tuple(omitted))


def step_labels(ragged: Ragged) -> Ragged | None:
    """The same sequences with the label of each step as its value; None without steps that have one label."""
    step_y = ragged.per_step.get("step_y")
    if step_y is None or step_y.data.ndim != 1 or not len(ragged.values):
        return None
    return ragged.replace(values=step_y.data, features=None)


def step_classes(ragged: Ragged) -> tuple[str, ...] | None:
    """The first names of the classes of step labels; None where these are numbers."""
    for array in label_arrays(ragged):
        if array.name == "step_y" and array.classes is not None:
            return tuple(map(str, array.classes[:MOST_VALUES].tolist()))
    return None


def label_name(ragged: Ragged, labelled: LabelHolder) -> str | None:
    """The column that labels came from, if the receipt names it."""
    argument = "label" if labelled == "sequence" else "step_label"
    for entry in reversed(ragged.receipt):
        name = entry.get("arguments", {}).get(argument)
        if isinstance(name, str):
            return name
    return None


def _counts_or_distribution(
    name: str, y: AnyArray, classes: AnyArray | Text | None
) -> ValueCounts | Distribution | None:
    """The counts of classes or few whole numbers, or the distribution of other numbers; None where neither applies."""
    numbers = y.dtype.kind in "biuf"
    found = tally(y, most=_FEW_NUMBERS + 1 if numbers and classes is None else _MOST_CLASSES)
    if found is None and not numbers:
        return None
    if found is not None:
        values, counts = found
        present = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(len(values), bool)
        if classes is not None and numbers:
            present &= values != UNLABELLED
        missing = int(counts[~present].sum())
        values, counts = values[present], counts[present]
        if not len(counts):
            return None
        if not numbers or values.dtype.kind != "f" or (values == np.trunc(values)).all():
            return ValueCounts.most_frequent(
                [_class_name(value, classes) for value in values.tolist()],
                counts,
                by_count=False,
                missing=missing,
            )
    sample = gather(y, evenly(len(y), MOST_STEPS)).astype(np.float64)
    return Distribution.measure(name, sample)


def _class_name(value: Any, classes: AnyArray | Text | None) -> str:
    """The name of the class that a label stands for, or the label itself where it has none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if classes is not None and isinstance(value, int) and 0 <= value < len(classes):
        return str(classes[value : value + 1][0])
    return str(value)
