"""Ids of categories: 0 is padding, 1 a missing and 2 an unknown one, and 3 + i the name at place i of a vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, lazy_map
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.sequences.ragged import Padded, Ragged, StepArray

PADDING, MISSING, UNKNOWN, FIRST = range(4)


@dataclass(frozen=True, eq=False)
class Category:
    """A category: its name, the array of its ids, its place among the categories of that array, and its names.

    The array is `c` or, where steps are the ids of the only category, `values`; `static_c` has those of sequences.
    """

    name: str
    array: Literal["values", "c", "static_c"]
    place: int
    vocabulary: AnyArray | Text

    @property
    def rows(self) -> int:
        """The rows of an Embedding that reads the ids."""
        return len(self.vocabulary) + FIRST

    @property
    def column(self) -> int | None:
        """Its column in the array, None where the array is the ids."""
        return None if self.array == "values" else self.place

    @property
    def table(self) -> str:
        """The table of its names."""
        return f"{'static_vocabulary' if self.of_sequences else 'vocabulary'}_{self.place}"

    @property
    def of_sequences(self) -> bool:
        """Whether sequences have one name each, and not steps."""
        return self.array == "static_c"


def categories_of(data: Ragged | Padded) -> list[Category]:
    """The categories of steps, in the order of their columns.

    >>> names = {"categories": np.array(["city"]), "vocabulary_0": np.array(["Oslo", "Rome"])}
    >>> [(one.name, one.rows) for one in categories_of(Ragged(np.array([3, 4]), np.array([0, 2]), names=names))]
    [('city', 5)]
    """
    if "categories" not in data.names:
        return []
    titles = np.asarray(data.names["categories"]).tolist()
    array: Literal["values", "c"] = "c" if "c" in data.per_step else "values"
    return [Category(str(title), array, i, data.names[f"vocabulary_{i}"]) for i, title in enumerate(titles)]


def static_categories_of(data: Ragged | Padded) -> list[Category]:
    """The categories of which each sequence has one name, in the order of their columns in `static_c`.

    >>> names = {"static_categories": np.array(["city"]), "static_vocabulary_0": np.array(["Oslo", "Rome"])}
    >>> data = Ragged(np.ones(2), np.array([0, 2]), names=names, per_sequence={"static_c": np.array([[4]])})
    >>> [(one.name, one.table, one.rows) for one in static_categories_of(data)]
    [('city', 'static_vocabulary_0', 5)]
    """
    if "static_categories" not in data.names:
        return []
    titles = np.asarray(data.names["static_categories"]).tolist()
    return [
        Category(str(title), "static_c", i, data.names[f"static_vocabulary_{i}"])
        for i, title in enumerate(titles)
    ]


def all_categories(data: Ragged | Padded) -> list[Category]:
    """The categories of steps, then those of sequences."""
    return [*categories_of(data), *static_categories_of(data)]


def are_tokens(data: Ragged | Padded) -> bool:
    """Whether steps are ids of the one category that there is, instead of numbers beside ids."""
    steps = data.values.ndim if isinstance(data, Ragged) else data.x.ndim - 1
    return "categories" in data.names and "c" not in data.per_step and steps == 1


def labels_of_ids(data: Ragged | Padded) -> dict[str, int]:
    """Which of y and step_y hold ids of a category, and of which one, by its place: what follows steps.

    `split --last` and `window` take it from tokens, or from the category that they name as their target.

    >>> left_out = {"command": "split", "arguments": {"last": 1}}
    >>> names = {"categories": np.array(["item"]), "vocabulary_0": np.array(["a"])}
    >>> labels_of_ids(Ragged(np.array([3]), np.array([0, 1]), names=names, receipt=(left_out,),
    ...                      per_sequence={"y": np.array([3])}))
    {'y': 0}
    """
    titles = [one.name for one in categories_of(data)]
    tokens = are_tokens(data)
    return {
        label: 0 if tokens else titles.index(target[0])
        for label, target in _labels_of_steps(data).items()
        if tokens or (len(target) == 1 and target[0] in titles)
    }


def labels_of_numbers(data: Ragged | Padded) -> list[str]:
    """Which of y and step_y hold numbers of features: what follows steps, unless it is an id."""
    ids = labels_of_ids(data)
    return [label for label in _labels_of_steps(data) if label not in ids]


def _labels_of_steps(data: Ragged | Padded) -> dict[str, list[str]]:
    """What follows steps, by `split --last` or `window`: y or step_y, each with the names of its target."""
    sources = {("split", "last"): "y", ("window", "horizon"): "y", ("window", "next"): "step_y"}
    found: dict[str, list[str]] = {}
    for entry in data.receipt:
        arguments = entry.get("arguments", {})
        for (command, argument), label in sources.items():
            if entry.get("command") == command and argument in arguments:
                found[label] = arguments.get("target", [])
    return {label: target for label, target in found.items() if label in (*data.per_sequence, *data.per_step)}


Change = Callable[[Array], Array]
"""What gives ids (n,) their new numbers."""


def with_new_ids(ragged: Ragged, changes: Mapping[str, Change], dtype: Any) -> Ragged:
    """The same sequences with the ids of some categories changed, by their tables of names, and labels of such ids."""
    per_sequence, per_step, values = dict(ragged.per_sequence), dict(ragged.per_step), ragged.values
    by_array: dict[str, dict[int, Change]] = {"values": {}, "c": {}, "static_c": {}}
    for one in all_categories(ragged):
        if one.table in changes:
            by_array[one.array][one.place] = changes[one.table]
    if by_array["values"]:
        values = lazy_map(by_array["values"][0], values, dtype=dtype)
    if by_array["c"]:
        ids = per_step["c"]
        per_step["c"] = StepArray(_with_columns(ids.data, by_array["c"], dtype), ids.value)
    if by_array["static_c"]:
        per_sequence["static_c"] = _with_columns(per_sequence["static_c"], by_array["static_c"], dtype)
    for name, i in labels_of_ids(ragged).items():
        change = changes.get(f"vocabulary_{i}")
        if change is None:
            continue
        if name == "y":
            per_sequence["y"] = lazy_map(change, per_sequence["y"], dtype=dtype)
        else:
            labels = per_step["step_y"]
            per_step["step_y"] = StepArray(lazy_map(change, labels.data, dtype=dtype), labels.value)
    return ragged.replace(values=values, per_sequence=per_sequence, per_step=per_step)


def _with_columns(ids: AnyArray, changes: Mapping[int, Change], dtype: Any) -> AnyArray:
    def read(rows: Array) -> Array:
        rows = rows.astype(dtype)
        for i, change in changes.items():
            rows[:, i] = change(rows[:, i])
        return rows

    return lazy_map(read, ids, dtype=dtype)


def ids_of(ragged: Ragged, category: Category) -> AnyArray:
    """The ids of a category, (S,), or (N,) where sequences have one each."""
    if category.column is None:
        return ragged.values
    column = category.column
    array = ragged.per_sequence["static_c"] if category.of_sequences else ragged.per_step["c"].data
    return lazy_map(lambda rows: rows[:, column].copy(), array, dtype=array.dtype, shape=array.shape[:1])
