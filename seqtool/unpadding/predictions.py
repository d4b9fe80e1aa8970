"""Arrays that are joined to sequences or to their steps by place: what a model predicted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray, reshaped
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError, at, why
from seqtool.files.npy import open_npy
from seqtool.sequences.categories import labels_of_ids
from seqtool.sequences.labels import label_arrays
from seqtool.sequences.padding_values import Side
from seqtool.sequences.ragged import Ragged
from seqtool.unpadding.columns import Columns, columns_in, names_of_ids
from seqtool.unpadding.names import cell_names
from seqtool.unpadding.stretch import Stretch


@dataclass(frozen=True)
class BlockForm:
    """The form that sequences had in their file: `maxlen` slots with padding at a side; None of ragged sequences."""

    maxlen: int | None = None
    padding: Side = "post"


def named_file(text: str) -> tuple[str, Path]:
    """The name and the file of `--add NAME=FILE`; raises UsageError for other text.

    >>> named_file("pred=out/pred.npy")[0]
    'pred'
    """
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise UsageError(f"--add {text}: NAME=FILE was expected, such as pred=pred.npy")
    return name, Path(file)


def open_predictions(path: Path, *, room: int) -> AnyArray:
    """The array of an `.npy` file, read in chunks if it takes more than `room` bytes.

    Raises DataError for a file that is no `.npy`.
    """
    shown = str(path)
    if path.suffix != ".npy":
        raise UsageError(f"--add {shown}: an .npy file was expected, as np.save writes it")
    try:
        array = open_npy(path, shown)
    except OSError as error:
        raise DataError(f"{shown}: {why(error)}") from None
    except ValueError as error:
        raise DataError(f"{shown}: not an .npy file ({error})") from None
    return np.asarray(array) if array.nbytes <= room else array


def predicted(
    name: str, array: AnyArray, ragged: Ragged, block: BlockForm, unknown: Counter[str] | None = None
) -> Columns:
    """The columns of an array (N,), (N, C), (N, T), (N, T, C), (S,) or (S, C), which belong to N sequences or S steps.

    Several columns are called by the classes of the label that they are of, where there are as many, else by number.
    Ids of a category become names where the label holds such ids; unknown ones are counted in `unknown`.
    Raises DataError for another shape, and for an id without a name.
    """
    with at(f"--add {name}"):
        of_steps, tail, read = _placed(name, array, ragged, block)
    label = "step_y" if of_steps else "y"
    category = labels_of_ids(ragged).get(label)
    if array.dtype.kind in "iu" and not tail and category is not None:
        vocabulary = ragged.names[f"vocabulary_{category}"]
        read = _named(name, read, vocabulary, Counter() if unknown is None else unknown)
    classes = _classes(ragged, of_steps=of_steps)
    named = classes if classes is not None and tail[-1:] == (len(classes),) else None
    return Columns(cell_names(name, tail, named), read, of_steps)


Read = Callable[[Stretch], list[Any]]


def _placed(
    name: str, array: AnyArray, ragged: Ragged, block: BlockForm
) -> tuple[bool, tuple[int, ...], Read]:
    """Whether an array is of steps, the shape of what belongs to one of them or to a sequence, and its reader."""
    count, steps, slots = len(ragged), len(ragged.values), block.maxlen
    shape = array.shape
    if slots is not None and len(shape) in (2, 3) and shape[:2] == (count, slots):
        if len(shape) == 3 or not _may_be_of_sequences(shape[1], ragged):
            return True, shape[2:], _of_slots(array, ragged, block)
        if _may_be_of_steps(ragged):
            raise DataError(
                f"has shape {shape}: a number for each of T = {slots} steps, or one for each of {slots} classes; save "
                f"those of steps as ({count}, {slots}, 1), those of classes as an array ({count},) each"
            )
    if len(shape) in (1, 2) and len(array) == count:
        return False, shape[1:], _of_sequences(array)
    if len(shape) in (1, 2) and len(array) == steps:
        return True, shape[1:], lambda stretch: columns_in(stretch.of_steps(array))
    expected = [f"({count:,},) or ({count:,}, C) for the sequences"]
    if slots is not None:
        expected.append(f"({count:,}, {slots:,}) or ({count:,}, {slots:,}, C) for their slots")
    expected.append(f"({steps:,},) or ({steps:,}, C) for the real steps")
    raise DataError(f"has shape {shape}; {', '.join(expected)} was expected")


def _named(name: str, read: Read, vocabulary: AnyArray | Text, unknown: Counter[str]) -> Read:
    """Reads the names of the ids that another reads."""

    def names(stretch: Stretch) -> list[Any]:
        cells = [np.asarray(column) for column in read(stretch)]
        return [names_of_ids(f"--add {name}", ids, vocabulary, name, unknown) for ids in cells]

    return names


def _of_sequences(array: AnyArray) -> Read:
    def read(stretch: Stretch) -> list[Any]:
        places = pa.array(stretch.places)
        return [cells.take(places) for cells in columns_in(stretch.of_sequences(array))]

    return read


def slots_of_steps(array: AnyArray, ragged: Ragged, block: BlockForm) -> tuple[AnyArray, Array] | None:
    """An array of the slots of a block, (N, T, ...), or of S steps, end to end, and the place there of each step.

    None of an array of another shape.
    """
    offsets, maxlen = np.asarray(ragged.offsets), block.maxlen
    steps = np.arange(len(ragged.values))
    if maxlen is not None and array.shape[:2] == (len(ragged), maxlen):
        lengths = offsets[1:] - offsets[:-1]
        first = np.arange(len(ragged)) * maxlen + (maxlen - lengths if block.padding == "pre" else 0)
        return _end_to_end(array), np.repeat(first - offsets[:-1], lengths) + steps
    if len(array.shape) in (1, 2) and len(array) == len(steps):
        return array, steps
    return None


def _end_to_end(array: AnyArray) -> AnyArray:
    return reshaped(array, array.shape[0] * array.shape[1], *array.shape[2:])


def _of_slots(array: AnyArray, ragged: Ragged, block: BlockForm) -> Read:
    """Reads an array (N, T, ...), of which the real steps stand where they do in the block."""
    assert block.maxlen is not None
    slots = _end_to_end(array)

    def read(stretch: Stretch) -> list[Any]:
        first: Array | int = 0
        if block.padding == "pre":
            first = block.maxlen - stretch.of_sequences(ragged.lengths)[stretch.places]
        rows = stretch.which * block.maxlen + first + stretch.numbers(ragged.offsets)
        return columns_in(gather(slots, rows))

    return read


def _classes(ragged: Ragged, *, of_steps: bool) -> list[str] | None:
    """The names of the classes of the label of steps, or of the one of sequences."""
    wanted = "step_y" if of_steps else "y"
    for labels in label_arrays(ragged):
        if labels.name == wanted and labels.column is None and labels.classes is not None:
            return [*map(str, np.asarray(labels.classes).tolist())]
    return None


def _may_be_of_sequences(width: int, ragged: Ragged) -> bool:
    """Whether so many numbers of a sequence may be one for each class of its label, or for each label."""
    labels = ragged.names.get("label_names")
    classes = _classes(ragged, of_steps=False)
    return width in {len(names) for names in (labels, classes) if names is not None}


def _may_be_of_steps(ragged: Ragged) -> bool:
    return "step_y" in ragged.per_step
