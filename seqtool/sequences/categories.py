"""Ids of categories: 0 is padding, 1 a missing and 2 an unknown one, and 3 + i the name at place i of a vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, lazy_map
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.sequences.ragged import Padded, Ragged, StepArray

PADDING, MISSING, UNKNOWN, FIRST = range(4)


@dataclass(frozen=True, eq=False)
class Category:
    """A category of steps: its name, its column in the array `c`, None where steps are its ids, and its names."""

    name: str
    column: int | None
    vocabulary: AnyArray | Text

    @property
    def rows(self) -> int:
        """The rows of an Embedding that reads the ids."""
        return len(self.vocabulary) + FIRST


def categories_of(data: Ragged | Padded) -> list[Category]:
    """The categories of sequences, in the order of their columns.

    >>> names = {"categories": np.array(["city"]), "vocabulary_0": np.array(["Oslo", "Rome"])}
    >>> [(one.name, one.rows) for one in categories_of(Ragged(np.array([3, 4]), np.array([0, 2]), names=names))]
    [('city', 5)]
    """
    if "categories" not in data.names:
        return []
    titles = np.asarray(data.names["categories"]).tolist()
    inside = "c" in data.per_step
    return [
        Category(str(title), i if inside else None, data.names[f"vocabulary_{i}"])
        for i, title in enumerate(titles)
    ]


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


def with_new_ids(ragged: Ragged, changes: Mapping[int, Callable[[Array], Array]], dtype: Any) -> Ragged:
    """The same sequences with the ids of some categories, by their places, changed: in steps, and in labels of ids."""
    per_sequence, per_step, values = dict(ragged.per_sequence), dict(ragged.per_step), ragged.values
    if are_tokens(ragged):
        values = lazy_map(changes[0], values, dtype=dtype)
    else:

        def change_columns(rows: Array) -> Array:
            rows = rows.astype(dtype)
            for i, change in changes.items():
                rows[:, i] = change(rows[:, i])
            return rows

        ids = per_step["c"]
        per_step["c"] = StepArray(lazy_map(change_columns, ids.data, dtype=dtype), ids.value)
    for name, i in labels_of_ids(ragged).items():
        if i not in changes:
            continue
        if name == "y":
            per_sequence["y"] = lazy_map(changes[i], per_sequence["y"], dtype=dtype)
        else:
            labels = per_step["step_y"]
            per_step["step_y"] = StepArray(lazy_map(changes[i], labels.data, dtype=dtype), labels.value)
    return ragged.replace(values=values, per_sequence=per_sequence, per_step=per_step)


def ids_of(ragged: Ragged, category: Category) -> AnyArray:
    """The ids of a category, (S,)."""
    if category.column is None:
        return ragged.values
    column, array = category.column, ragged.per_step["c"].data
    return lazy_map(lambda rows: rows[:, column].copy(), array, dtype=array.dtype, shape=array.shape[:1])
