"""What a recurrent network can learn from sequences: its inputs, its outputs, and what its loss ignores."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import replace
from math import prod
from typing import Literal, NamedTuple

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.operations.cast import lost
from seqtool.sequences.categories import categories_of
from seqtool.sequences.conversion import as_ragged
from seqtool.sequences.labels import class_tables, label_arrays
from seqtool.sequences.lengths import LengthCounts
from seqtool.sequences.padding_values import UNLABELLED
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.words import step_in_words

Reads = Literal["features", "number", "ids"]

_MOST_CLASSES = 100  # whole numbers without names are classes if they are below
_MOST_IDS = 1_000_000  # rows of an embedding
EMBEDDED = 32  # numbers that an embedding makes of an id


@dataclass(frozen=True)
class LabelColumn:
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
    columns: tuple[LabelColumn, ...] = ()


@dataclass(frozen=True)
class Task:
    """What a network reads, and its target.

    A step is a row of `inputs` features, a single number, or an id below `inputs`; `least` is the least id. With
    `column` ids are features of their own, (N, T, 1). `categories` has the rows of an Embedding for each column of c
    beside them; `static_c` of sequences is not read. `shortest` and `longest` are lengths of the `count` sequences,
    each of which has `static` features. `missing` counts NaN in steps, and `static_missing` in static features; both
    are read as 0.
    """

    count: int
    shortest: int
    longest: int
    reads: Reads
    inputs: int
    least: int
    target: Target
    column: bool = False
    categories: tuple[int, ...] = ()
    static_c: bool = False
    static: int = 0
    missing: int = 0
    static_missing: int = 0

    @property
    def included(self) -> list[str]:
        """The names of the arrays that are read beside the steps and their labels."""
        return [*(["c"] if self.categories else []), *(["static"] if self.static else [])]

    @property
    def width(self) -> int:
        """How many numbers the LSTM reads of a step."""
        return (EMBEDDED if self.reads == "ids" else self.inputs) + EMBEDDED * len(self.categories)

    @property
    def needed(self) -> int:
        """The least length of a sequence from which something can be learnt."""
        return 2 if self.target.name == "next" else 1


def task_of(data: Ragged | Padded) -> Task:
    """The task of sequences with y, else with step_y, else without labels; the arrays are read in chunks.

    Labels are classes if they are whole numbers with names, or few whole numbers from 0 on without a gap. Steps
    that are single whole numbers, (S,), are ids, and so is a column of them, (S, 1), that an Embedding has rows for.
    NaN is no label, and the loss leaves it out. Raises DataError where there is nothing to learn.

    >>> data = Ragged(np.ones((5, 3)), np.array([0, 2, 5]), per_sequence={"y": np.array([0, 1])})
    >>> task = task_of(data)
    >>> task.inputs, task.longest, task.target.classes, task.target.outputs
    (3, 3, True, 2)
    """
    real = as_ragged(data)
    lengths = LengthCounts.of(real.lengths)
    if not lengths.longest:
        raise DataError("no sequence has a step, so there is nothing to learn")
    categories = tuple(one.rows for one in categories_of(real) if one.column is not None)
    has_labels = "y" in real.per_sequence or "step_y" in real.per_step
    inputs = _inputs(real.values, may_be_empty=bool(categories) and has_labels)
    for category in categories_of(real):
        if category.column is None:  # some of its ids may stand in other files
            inputs = inputs._replace(inputs=max(inputs.inputs, category.rows))
    static, static_missing = _static(real.per_sequence.get("static"))
    if "y" in real.per_sequence:
        several = class_tables(real.names)
        target = (
            _target_several(real) if several else _target_y(real.per_sequence["y"], real.names.get("classes"))
        )
    elif "step_y" in real.per_step:
        [labels] = [array for array in label_arrays(real) if array.name == "step_y"]
        target = _target_step_y(labels.cells, real.per_step["step_y"].value, labels.classes)
    else:
        target = Target("next", inputs.reads == "ids", inputs.inputs, flat=inputs.reads != "features")
    missing = 0 if inputs.reads == "ids" else missing_numbers(real.values)
    if target.name == "next" and missing:
        target = replace(target, missing=True)
    task = Task(
        count=lengths.count,
        shortest=int(lengths.lengths[0]),
        longest=lengths.longest,
        **inputs._asdict(),
        categories=categories,
        static_c="static_c" in real.per_sequence,
        target=target,
        static=static,
        missing=missing,
        static_missing=static_missing,
    )
    if task.longest < task.needed:
        raise DataError(
            "there are no labels, and no sequence has a second step to predict, so there is nothing to learn; "
            "to add labels, group with ",
            Advice("--label", "C"),
        )
    if target.classes and target.outputs < 2:
        labelled = "steps" if target.name == "next" else target.name
        raise DataError(f"{labelled}: all of one class, so there is nothing to learn")
    return task


def missing_numbers(array: AnyArray) -> int:
    """The number of cells that are NaN.

    >>> missing_numbers(np.array([[1, np.nan], [2, 3]]))
    1
    """
    if array.dtype.kind != "f":
        return 0
    return sum(int(np.isnan(part).sum()) for _, part in chunks(array))


def _static(static: AnyArray | Text | None) -> tuple[int, int]:
    """The number of static features, and of their cells that are NaN."""
    if static is None:
        return 0, 0
    numbers = np.asarray(static)
    if numbers.dtype.kind not in "biuf" or numbers.ndim != 2:
        raise DataError(f"static is {numbers.dtype} {numbers.shape}; numbers of shape (N, P) were expected")
    with np.errstate(over="ignore"):
        infinite = np.argwhere(np.isinf(numbers.astype(np.float32)))
    if len(infinite):
        place = [*map(int, infinite[0])]
        raise DataError(
            f"static{place} is {numbers[tuple(place)]}: the loss would be NaN; leave it out, or scale it"
        )
    return numbers.shape[1], missing_numbers(numbers)


class _Inputs(NamedTuple):
    """The fields of a `Task` that steps alone determine."""

    reads: Reads
    inputs: int
    least: int = 0
    column: bool = False


def _inputs(values: AnyArray, *, may_be_empty: bool = False) -> _Inputs:
    """What a network reads in steps (S, F) or (S,); raises DataError where no LSTM can read them.

    Steps may have no features where categories stand beside them.
    """
    if values.ndim > 2:
        raise DataError(
            f"a step is {step_in_words(values.shape[1:])}, which needs a network of your own, such as ConvLSTM2D or "
            "TimeDistributed of Keras; the programs train LSTMs, which read (N, T, F); to load it: ",
            Advice("--code", "numpy"),
        )
    column = values.ndim == 2 and values.shape[1] == 1
    if values.dtype.kind in "iu" and (values.ndim == 1 or column):
        least, largest = _extremes(values)
        if values.ndim == 1:
            _check_ids(least, largest)
        if least >= 0 and largest < _MOST_IDS:
            return _Inputs("ids", largest + 1, least, column)
    cell = lost(values, np.dtype(np.float32))
    if cell is not None:
        step, *feature = cell
        raise DataError(
            f"step {step} of all holds {values[step : step + 1][0][*feature]}, which float32, the type of networks, "
            "cannot hold; scale the feature, or leave it out"
        )
    if values.ndim == 1:
        return _Inputs("number", 1)
    if not values.shape[1] and not may_be_empty:
        raise DataError("a step has no features, so there is nothing to read")
    return _Inputs("features", values.shape[1])


def _extremes(values: AnyArray) -> tuple[int, int]:
    """The least and the largest of whole numbers."""
    extremes = [(int(part.min()), int(part.max())) for _, part in chunks(values)]
    return min(low for low, _ in extremes), max(high for _, high in extremes)


def _check_ids(least: int, largest: int) -> None:
    """Raise DataError for ids that an embedding has no rows for."""
    if least < 0:
        raise DataError(
            f"steps are whole numbers down to {least}, but ids of an Embedding start at 0; renumber them from 0, "
            "or if they are measurements, convert them: ",
            Advice("seqtool", "pad", "FILE", "--dtype", "float32"),
        )
    if largest >= _MOST_IDS:
        raise DataError(
            f"steps are ids up to {largest:,}, more than an Embedding has rows for ({_MOST_IDS:,}); renumber them "
            "from 0, or if they are measurements, convert them: ",
            Advice("seqtool", "pad", "FILE", "--dtype", "float32"),
        )


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
    columns, first = list[LabelColumn](), 0
    for array in label_arrays(real):
        if array.column is not None:
            name = f"y of {array.title!r}"
            labels = _checked_numbers(name, array.cells, missing=False)
            classes = None if array.classes is None else _count_classes(name, labels, array.classes)
            columns.append(LabelColumn(array.title, array.column, first, classes))
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
