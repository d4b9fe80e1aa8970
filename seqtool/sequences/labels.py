"""Labels of sequences, one or several each, and of steps, with the names of their classes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.lazy import AnyArray, Lazy, chunks
from seqtool.arrays.text import Text
from seqtool.errors import DataError
from seqtool.sequences.padding_values import UNLABELLED
from seqtool.words import count, shortened

if TYPE_CHECKING:
    from seqtool.sequences.ragged import Padded, Ragged

_TABLE = re.compile(r"(classes|vocabulary|static_vocabulary)_(0|[1-9]\d{0,5})")


def class_tables(names: Iterable[str]) -> dict[str, int]:
    """The arrays named `classes_i` among some names, each with the number i of its label, in the order of i.

    >>> class_tables(["y", "classes_10", "classes_2", "classes", "classes_2_offsets"])
    {'classes_2': 2, 'classes_10': 10}
    """
    return {name: i for name, i in name_tables(names).items() if name.startswith("classes_")}


def name_tables(names: Iterable[str]) -> dict[str, int]:
    """The same with `vocabulary_i` and `static_vocabulary_i`, of the names of category i of steps, or of sequences.

    >>> name_tables(["x", "vocabulary_1", "classes_1", "classes_0"])
    {'classes_0': 0, 'classes_1': 1, 'vocabulary_1': 1}
    """
    found = {name: table for name in names if (table := _TABLE.fullmatch(name))}
    return {name: int(table[2]) for name, table in sorted(found.items(), key=_kind_and_number)}


def _kind_and_number(item: tuple[str, re.Match[str]]) -> tuple[str, int]:
    return item[1][1], int(item[1][2])


def titles_of_tables(names: Mapping[str, AnyArray | Text]) -> dict[str, str]:
    """The label that each table of classes is of, and the category that each vocabulary is of."""
    of = {"classes": "label_names", **VOCABULARIES}
    titles = {kind: np.asarray(names[array]).tolist() for kind, array in of.items() if array in names}
    return {name: titles[name.rpartition("_")[0]][i] for name, i in name_tables(names).items()}


VOCABULARIES = {"vocabulary": "categories", "static_vocabulary": "static_categories"}
"""The tables that name the categories of steps and of sequences, by the kind of their vocabularies."""


def check_vocabularies(shapes: Mapping[str, tuple[int, ...]], names: Iterable[str]) -> None:
    """Raise DataError unless each category has a vocabulary; `shapes` are those of the tables that name them."""
    tables = [*name_tables(names)]
    for kind, array in VOCABULARIES.items():
        expected = [f"{kind}_{i}" for i in range(shapes[array][0] if array in shapes else 0)]
        found = [name for name in tables if name.startswith(f"{kind}_")]
        if found != expected:
            raise DataError(
                f"{array} names {len(expected)} categories, but the vocabularies are {len(found)}"
            )


def check_label_names(names: Mapping[str, AnyArray | Text], y: AnyArray | None) -> None:
    """Raise DataError unless each of several labels has a name, and each table of classes a label."""
    labels = names.get("label_names")
    check_label_shapes(None if labels is None else labels.shape, None if y is None else y.shape, names)


def check_label_shapes(
    labels: tuple[int, ...] | None, y: tuple[int, ...] | None, names: Iterable[str]
) -> None:
    """The same by the shapes of `label_names` and `y`, None for an absent one, and the names of the arrays.

    >>> check_label_shapes((2,), (5, 3), [])
    Traceback (most recent call last):
    seqtool.errors.DataError: label_names has shape (2,), but y has shape (5, 3); (N, 2) was expected
    """
    if labels is not None and (len(labels) != 1 or y is None or y[1:] != labels):
        found = "there is no y" if y is None else f"y has shape {y}"
        expected = ", ".join(map(str, ("N", *labels)))
        raise DataError(f"label_names has shape {labels}, but {found}; ({expected}) was expected")
    count = labels[0] if labels else 0
    wrong = next((name for name, label in class_tables(names).items() if label >= count), None)
    if wrong is not None:
        raise DataError(f"{wrong} names the classes of a label, but label_names holds {count} labels")


def several_labels(data: Ragged | Padded) -> dict[str, AnyArray | Text | None]:
    """Each of several labels by its name, with the names of its classes, None for a label of numbers."""
    titles = data.names.get("label_names")
    labels = [] if titles is None else np.asarray(titles).tolist()
    return {name: data.names.get(f"classes_{i}") for i, name in enumerate(labels)}


def some_classes(classes: AnyArray | Text, most: int | None = None) -> list[Any]:
    """The names of the first `most` classes; by default of all, or of the first 50 if they are not in memory.

    Names that are not in memory may be long, so they are shortened.

    >>> some_classes(np.array(["run", "walk"]), 1)
    ['run']
    """
    if isinstance(classes, np.ndarray):
        return list(classes[:most].tolist())
    return [
        class_name(classes, place) for place in range(min(len(classes), _FIRST if most is None else most))
    ]


_FIRST = 50


def class_name(classes: AnyArray | Text, place: int) -> Any:
    """The name of the class at a place, shortened where it is text."""
    name = classes[place : place + 1].tolist()[0]
    return shortened(name, _LETTERS) if isinstance(name, str) else name


_LETTERS = 200  # characters of a name


class LabelArray(NamedTuple):
    """Labels of sequences or of steps: their array, one for each, and the names of their classes, if any.

    Of several labels a sequence, this is one: column `column` of `y` (N, L), with the name `title`.
    """

    name: Literal["y", "step_y"]
    cells: AnyArray
    classes: AnyArray | Text | None
    column: int | None = None
    title: str = ""


def label_arrays(ragged: Ragged | Padded) -> Iterator[LabelArray]:
    """The labels of sequences: `y`, or its columns where these have names, and `step_y`.

    The table `classes` belongs to the steps where sequences have no label.
    """
    y, step_y, classes = (
        ragged.per_sequence.get("y"),
        ragged.per_step.get("step_y"),
        ragged.names.get("classes"),
    )
    if y is not None:
        names = ragged.names.get("label_names")
        if names is None:
            yield LabelArray("y", y, classes, title="y")
        for i, title in enumerate([] if names is None else np.asarray(names).tolist()):
            yield LabelArray("y", _column(y, i), ragged.names.get(f"classes_{i}"), i, title)
    if step_y is not None:
        of_steps = ragged.names.get("step_classes", classes if y is None else None)
        yield LabelArray("step_y", step_y.data, of_steps, title="step_y")


def _column(array: AnyArray, i: int) -> AnyArray:
    if isinstance(array, np.ndarray):
        return np.asarray(array[:, i])
    return Lazy(array.shape[:1], array.dtype, lambda begin, end: array[begin:end][:, i])


def padded_class(data: Ragged | Padded) -> str | None:
    """A warning where the padding of `step_y` is a class, or number, of real steps too; None elsewhere.

    >>> from seqtool.sequences.ragged import Ragged, StepArray
    >>> walks = StepArray(np.array([1, 0]), 0)
    >>> names = {"classes": np.array(["run", "walk"])}
    >>> padded_class(Ragged(np.ones((2, 1)), np.array([0, 2]), per_step={"step_y": walks}, names=names))
    "step_y holds 0 in padding, which is class 'run' too: losses learn it; group with --label-value -100"
    """
    if "step_y" not in data.per_step:
        return None
    classes = next((labels.classes for labels in label_arrays(data) if labels.name == "step_y"), None)
    value = data.per_step["step_y"].value
    if classes is None:
        return _padded_number(data, value)
    if value not in range(len(classes)):
        return None
    padding = int(value)
    name = str(classes[padding : padding + 1].tolist()[0])
    return Message(
        f"step_y holds {value:g} in padding, which is class {name!r} too: losses learn it; group with ",
        Advice("--label-value", UNLABELLED),
    )


def _padded_number(data: Ragged | Padded, value: float) -> str | None:
    """The same for labels that are numbers."""
    from seqtool.sequences.conversion import as_ragged

    alike, free = 0, True
    for _, part in chunks(as_ragged(data).per_step["step_y"].data):
        alike += int((part == value).sum())
        free = free and not (part == UNLABELLED).any()
    if not alike:
        return None
    return Message(
        f"step_y holds {value:g} in padding, and in {count(alike, 'label')} too: losses learn it; group with ",
        Advice("--label-value", UNLABELLED if free else "nan"),
    )
