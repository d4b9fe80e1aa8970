"""What a recurrent network can learn from sequences: what it reads of a step, and its target."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.text import Text
from seqtool.codegen.targets import Target, label_target, missing_numbers
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.operations.cast import lost
from seqtool.sequences.categories import categories_of, static_categories_of
from seqtool.sequences.conversion import as_ragged
from seqtool.sequences.lengths import LengthCounts
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.words import step_in_words

Reads = Literal["features", "number", "ids"]

_MOST_IDS = 1_000_000  # rows of an embedding
EMBEDDED = 32  # numbers that an embedding makes of an id


@dataclass(frozen=True)
class Task:
    """What a network reads, and its target.

    A step is a row of `inputs` features, a single number, or an id below `inputs`; `least` is the least id. With
    `column` ids are features of their own, (N, T, 1). `categories` has the rows of an Embedding for each column of c
    beside them, and `static_c` those of each column of the categories of sequences. `shortest` and `longest` are
    lengths of the `count` sequences, each of which has `static` features. `missing` counts NaN in steps, and
    `static_missing` in static features; both are read as 0.
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
    static_c: tuple[int, ...] = ()
    static: int = 0
    missing: int = 0
    static_missing: int = 0

    @property
    def included(self) -> list[str]:
        """The names of the arrays that are read beside the steps and their labels."""
        held = {"c": self.categories, "static": self.static, "static_c": self.static_c}
        return [name for name, is_read in held.items() if is_read]

    @property
    def own(self) -> int:
        """How many numbers of each sequence set the first state of the LSTM."""
        return self.static + EMBEDDED * len(self.static_c)

    @property
    def set_by(self) -> str:
        """What sets the first state of the LSTM, in words."""
        return "what is known of a sequence sets" if self.static_c else "the static features set"

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
    inputs = _all_inputs(real)
    target = label_target(real) or Target(
        "next", inputs.reads == "ids", inputs.inputs, flat=inputs.reads != "features"
    )
    static, static_missing = _static(real.per_sequence.get("static"))
    task = Task(
        count=lengths.count,
        shortest=int(lengths.lengths[0]),
        longest=lengths.longest,
        **inputs._asdict(),
        categories=tuple(one.rows for one in categories_of(real) if one.column is not None),
        static_c=tuple(one.rows for one in static_categories_of(real)),
        target=target,
        static=static,
        missing=0 if inputs.reads == "ids" else missing_numbers(real.values),
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
    if target.name == "next" and task.missing:
        return replace(task, target=replace(target, missing=True))
    return task


def _all_inputs(real: Ragged) -> _Inputs:
    """What a step is, of these sequences and of others with the same vocabulary."""
    has_labels = "y" in real.per_sequence or "step_y" in real.per_step
    categories = categories_of(real)
    beside = any(one.column is not None for one in categories)
    inputs = _inputs(real.values, may_be_empty=beside and has_labels)
    for one in categories:
        if one.column is None:  # some of its ids may stand in other files
            inputs = inputs._replace(inputs=max(inputs.inputs, one.rows))
    return inputs


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
