"""`portrait`: the numbers that a picture of a file shows; `seqtool.plotting.figure` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import chunks
from seqtool.dataclass import dataclass
from seqtool.plotting.drawn_labels import LabelHolder, drawn_labels, label_name, step_classes, step_labels
from seqtool.plotting.features import feature_names, find_feature
from seqtool.plotting.sampling import (
    MOST_STEPS,
    Distribution,
    HeatMap,
    ValueCounts,
    by_length,
    cells,
    columns,
    evenly,
    reach,
    some_steps,
)
from seqtool.sequences.lengths import LengthCounts
from seqtool.sequences.padding_values import Side
from seqtool.sequences.ragged import Ragged
from seqtool.words import by_size

MOST_SEQUENCES = 600  # rows of a heat map
MOST_SLOTS = 800  # columns of it
MOST_FEATURES = 12  # with a distribution each


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
    labelled: LabelHolder
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
    slots = _slots(counts, width, padding)

    def heat_map(drawn: Ragged, column: int) -> HeatMap:
        return cells(drawn, sequences, slots, maxlen=width, padding=padding, feature=column)

    labels, of_steps = drawn_labels(ragged), step_labels(ragged)
    title, first = labels.labels[0] if labels.labels else ("", None)
    step, sampled = ragged.values.shape[1:], _sampled(ragged, names)
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
        heat=heat_map(ragged, position) if len(names) and len(ragged.values) else None,
        distributions=sampled.distributions,
        ids=sampled.ids,
        looked_at=sampled.sequences,
        steps_read=sampled.steps,
        labels=first,
        labelled=labels.labelled,
        omitted=(*([f"steps of {by_size(step)}"] if len(step) > 1 else []), *labels.omitted),
        label_name=title or label_name(ragged, labels.labelled),
        over_time=None if of_steps is None else heat_map(of_steps, 0),
        step_classes=step_classes(ragged),
        more_labels=labels.labels[1:],
        step=step,
    )


def _slots(counts: LengthCounts, width: int, padding: Side) -> Array:
    """The slots that are drawn of so many (`width`), ascending: those that real steps of usual lengths may fill."""
    usual = reach(counts)
    shown = width if width <= usual * 3 // 2 else usual
    return evenly(shown, MOST_SLOTS) + (width - shown if padding == "pre" else 0)


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


@dataclass(frozen=True, eq=False)
class _Sampled:
    """What the real `steps` that were read, of so many `sequences`, hold: distributions of features, or ids."""

    distributions: tuple[Distribution, ...] = ()
    ids: ValueCounts | None = None
    sequences: int = 0
    steps: int = 0


def _sampled(ragged: Ragged, names: Sequence[str]) -> _Sampled:
    """Distributions of the first features, or the most frequent ids, of some steps."""
    if not len(names) or not len(ragged.values):
        return _Sampled()
    rows, sequences = some_steps(ragged, most=MOST_STEPS)
    if ragged.values.ndim == 1 and ragged.values.dtype.kind in "iu":
        found, counts = np.unique(gather(ragged.values, rows), return_counts=True)
        ids = ValueCounts.most_frequent([str(name) for name in found.tolist()], counts, by_count=True)
        return _Sampled(ids=ids, sequences=sequences, steps=len(rows))
    numbers = columns(ragged.values, rows, np.arange(min(len(names), MOST_FEATURES)))
    measured = (Distribution.measure(name, column) for name, column in zip(names, numbers.T, strict=False))
    return _Sampled(tuple(measured), sequences=sequences, steps=len(rows))
