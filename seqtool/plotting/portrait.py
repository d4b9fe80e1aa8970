"""`portrait`: the numbers that a picture of a file shows; `seqtool.plotting.figure` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.plotting.features import feature_names, find_feature
from seqtool.plotting.sampling import (
    Distribution,
    HeatMap,
    by_length,
    cells,
    columns,
    evenly,
    reach,
    some_steps,
    tally,
)
from seqtool.sequences.labels import label_arrays
from seqtool.sequences.lengths import LengthCounts
from seqtool.sequences.padding_values import UNLABELLED, Side
from seqtool.sequences.ragged import Ragged
from seqtool.words import by_size

MOST_SEQUENCES = 600  # rows of a heat map
MOST_SLOTS = 800  # columns of it
MOST_STEPS = 100_000  # read for distributions
MOST_FEATURES = 12  # with a distribution each
MOST_LABELS = 5  # of a sequence, with a panel each
MOST_VALUES = 15  # classes or ids, with a bar each
_MOST_CLASSES = 100_000  # counted
_FEW_NUMBERS = 30  # up to so many distinct whole numbers are classes without names
Labelled = Literal["sequence", "step"]


@dataclass(frozen=True, eq=False)
class ValueCounts:
    """The number of each class or id, for `MOST_VALUES` of them at most.

    The `others`, so many distinct ones, occur `rest` times; `missing` counts NaN and other cells without a label.
    """

    names: tuple[str, ...]
    counts: tuple[int, ...]
    others: int = 0
    rest: int = 0
    missing: int = 0

    @property
    def of(self) -> int:
        """The number of all that were counted."""
        return sum(self.counts) + self.rest


@dataclass(frozen=True, eq=False)
class Cut:
    """The length that sequences were cut to, how many lost steps, and how many; `counts` are the lengths before."""

    maxlen: int
    counts: LengthCounts
    sequences: int
    steps: int


@dataclass(frozen=True, eq=False)
class Portrait:
    """What a picture of N sequences shows.

    `step` is the shape of a step, and `features` their number, None where a step is a number or an array. `maxlen` is
    the padded length, None for ragged sequences, and `padding` the side. `lengths` (R,) are those of the sequences in
    the heat maps, ascending; `heat` holds their `feature` in the `slots` (C,). `distributions` and `ids` are those of
    `steps_read` steps of `looked_at` sequences.

    `labels` are those of sequences, or where these have none, of steps, as `labelled` says; `label_name` is the column
    that they came from, if it is known. Of several labels of a sequence `labels` is the first, and `more_labels` are
    the next ones, each with its name. `over_time` holds labels of steps as `heat` holds the feature, and `step_classes`
    are the first names of their classes. `omitted` says what is not drawn.
    """

    counts: LengthCounts
    steps: int
    features: int | None
    maxlen: int | None
    padding: Side
    cut: Cut | None
    lengths: Array
    feature: str
    slots: Array
    heat: HeatMap | None
    distributions: tuple[Distribution, ...]
    ids: ValueCounts | None
    looked_at: int
    steps_read: int
    labels: ValueCounts | Distribution | None
    labelled: Labelled
    omitted: tuple[str, ...]
    label_name: str | None = None
    over_time: HeatMap | None = None
    step_classes: tuple[str, ...] | None = None
    more_labels: tuple[tuple[str, ValueCounts | Distribution], ...] = ()
    step: tuple[int, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether all sequences have the same length, and were not cut to it."""
        counts = self.counts
        return counts.longest > 0 and self.cut is None and int(counts.lengths[0]) == counts.longest

    @property
    def draws_lengths(self) -> bool:
        """Whether lengths and padding are drawn: not equal lengths, a single bar, where there is more to see."""
        return not self.equal or (self.heat is None and self.labels is None)

    @property
    def width(self) -> int:
        """The padded length: `maxlen`, or for ragged sequences the longest."""
        return self.counts.longest if self.maxlen is None else self.maxlen

    @property
    def share(self) -> float:
        """The share of slots that are padding, 0 to 1."""
        slots = self.width * self.counts.count
        return 1 - self.steps / slots if slots else 0.0

    def facts(self) -> dict[str, Any]:
        """The main numbers, as `--json` shows them."""
        found: dict[str, Any] = {
            "sequences": self.counts.count,
            "steps": self.steps,
            "features": self.features,
            **({"step_shape": list(self.step)} if len(self.step) > 1 else {}),
            "maxlen": self.maxlen,
            "padding": self.padding if self.maxlen is not None else None,
            "padding_share": self.share if self.maxlen is not None else None,
            "lengths": None,
            "cut": None,
            "drawn": {
                "sequences": len(self.lengths),
                "feature": self.feature if self.heat else None,
                "steps": self.steps_read,
            },
        }
        if self.counts.count:
            quantiles = {"median": self.counts.median(), "q95": self.counts.quantile(0.95)}
            found["lengths"] = {
                "min": int(self.counts.lengths[0]),
                **quantiles,
                "max": self.counts.longest,
                "empty": self.counts.empty,
            }
        if self.cut:
            found["cut"] = {"sequences": self.cut.sequences, "steps": self.cut.steps}
        return found


def portrait(
    ragged: Ragged, *, maxlen: int | None = None, padding: Side = "post", feature: str | None = None
) -> Portrait:
    """Count the lengths of all sequences, and read some of their steps, spread evenly.

    `maxlen` and `padding` are those of a padded file. `feature` is the name or position of the feature whose
    heat map is drawn, by default the first. Raises DataError where there is no such feature.

    >>> found = portrait(Ragged(np.arange(6).reshape(3, 2), np.array([0, 1, 3]), features=("a", "b")))
    >>> found.feature, found.lengths.tolist(), found.heat.values.tolist()
    ('a', [1, 2], [[0.0, nan], [2.0, 4.0]])
    """
    position, names = find_feature(ragged, feature), feature_names(ragged)
    counts = LengthCounts.of(ragged.lengths)
    sequences = by_length(ragged.lengths, counts, most=MOST_SEQUENCES)
    width = counts.longest if maxlen is None else maxlen
    usual = reach(counts)
    shown = width if width <= usual * 3 // 2 else usual
    slots = evenly(shown, MOST_SLOTS) + (width - shown if padding == "pre" else 0)
    heat = None
    if len(names) and len(ragged.values):
        heat = cells(ragged, sequences, slots, maxlen=width, padding=padding, feature=position)
    distributions, ids, looked_at, steps_read = _distributions(ragged, names)
    drawn, labelled, omitted = _labels(ragged)
    title, labels = drawn[0] if drawn else ("", None)
    step = ragged.values.shape[1:]
    if len(step) > 1:
        omitted = (f"steps of {by_size(step)}", *omitted)
    over_time = None
    step_labels = _step_labels(ragged)
    if step_labels is not None:
        over_time = cells(step_labels, sequences, slots, maxlen=width, padding=padding, feature=0)
    return Portrait(
        counts=counts,
        steps=counts.steps,
        features=len(names) if len(step) == 1 else None,
        maxlen=maxlen,
        padding=padding,
        cut=_cut(ragged),
        lengths=np.sort(gather(ragged.lengths, np.sort(sequences))),
        feature=names[position] if len(names) else "",
        slots=slots,
        heat=heat,
        distributions=distributions,
        ids=ids,
        looked_at=looked_at,
        steps_read=steps_read,
        labels=labels,
        labelled=labelled,
        omitted=omitted,
        label_name=title or _label_name(ragged, labelled),
        over_time=over_time,
        step_classes=_step_classes(ragged),
        more_labels=tuple(drawn[1:]),
        step=step,
    )


def _step_labels(ragged: Ragged) -> Ragged | None:
    """The same sequences with the label of each step as its value; None without steps that have one label."""
    step_y = ragged.per_step.get("step_y")
    if step_y is None or step_y.data.ndim != 1 or not len(ragged.values):
        return None
    return ragged.replace(values=step_y.data, features=None)


def _cut(ragged: Ragged) -> Cut | None:
    """What was cut, if the file holds the original lengths; it may have been padded to more since."""
    original = ragged.per_sequence.get("original_lengths")
    if original is None:
        return None
    sequences = steps = maxlen = 0
    for begin, part in chunks(original):
        lengths = ragged.lengths[begin : begin + len(part)]
        cut = part > lengths
        sequences += int(cut.sum())
        steps += int((part - lengths)[cut].sum())
        maxlen = max(maxlen, int(lengths[cut].max(initial=0)))
    return Cut(maxlen, LengthCounts.of(original), sequences, steps) if sequences else None


def _distributions(
    ragged: Ragged, names: Sequence[str]
) -> tuple[tuple[Distribution, ...], ValueCounts | None, int, int]:
    """Distributions of the first features, or the most frequent ids; of how many sequences and real steps."""
    if not len(names) or not len(ragged.values):
        return (), None, 0, 0
    rows, looked_at = some_steps(ragged, most=MOST_STEPS)
    if ragged.values.ndim == 1 and ragged.values.dtype.kind in "iu":
        found, counts = np.unique(gather(ragged.values, rows), return_counts=True)
        return (
            (),
            _value_counts([str(name) for name in found.tolist()], counts, by_count=True),
            looked_at,
            len(rows),
        )
    numbers = columns(ragged.values, rows, np.arange(min(len(names), MOST_FEATURES)))
    measured = (Distribution.measure(name, column) for name, column in zip(names, numbers.T, strict=False))
    return tuple(measured), None, looked_at, len(rows)


def _value_counts(names: Sequence[str], counts: Array, *, by_count: bool, missing: int = 0) -> ValueCounts:
    """The counts in their order if they are few, else, or with `by_count`, the most frequent ones first."""
    order = np.arange(len(counts))
    if by_count or len(counts) > MOST_VALUES:
        order = np.argsort(-counts, kind="stable")
    shown, others = order[:MOST_VALUES], order[MOST_VALUES:]
    return ValueCounts(
        tuple(names[i] for i in shown),
        tuple(counts[shown].tolist()),
        others=len(others),
        rest=int(counts[others].sum()),
        missing=missing,
    )


def _label_name(ragged: Ragged, labelled: Labelled) -> str | None:
    """The column that labels came from, if the receipt names it."""
    argument = "label" if labelled == "sequence" else "step_label"
    for entry in reversed(ragged.receipt):
        name = entry.get("arguments", {}).get(argument)
        if isinstance(name, str):
            return name
    return None


def _step_classes(ragged: Ragged) -> tuple[str, ...] | None:
    """The first names of the classes of step labels; None where these are numbers."""
    for array in label_arrays(ragged):
        if array.name == "step_y" and array.classes is not None:
            return tuple(map(str, array.classes[:MOST_VALUES].tolist()))
    return None


def _labels(ragged: Ragged) -> tuple[list[tuple[str, ValueCounts | Distribution]], Labelled, tuple[str, ...]]:
    """The labels that are drawn, whether sequences or steps have them, and why others are not drawn.

    Labels of steps are drawn where sequences have none. Each of several labels has its name, a single one has "".
    """
    omitted, drawn = list[str](), list[tuple[str, ValueCounts | Distribution]]()
    for array in label_arrays(ragged):
        y, several = array.cells, array.column is not None
        name = f"y of {array.title!r}" if several else array.name
        labelled: Labelled = "sequence" if array.name == "y" else "step"
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
            return drawn, labelled, tuple(omitted)
    return drawn, "sequence", tuple(omitted)


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
            return _value_counts(
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
