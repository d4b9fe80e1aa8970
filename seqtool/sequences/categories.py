"""Ids of categories: 0 is padding, 1 a missing and 2 an unknown one, and 3 + i the name at place i of a vocabulary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, lazy_map
from seqtool.arrays.text import Text
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


def labels_of_tokens(data: Ragged | Padded) -> tuple[str, ...]:
    """Which of y and step_y hold ids as the steps do: what follows tokens, by `split --last` or `window`.

    >>> left_out = {"command": "split", "arguments": {"last": 1}}
    >>> names = {"categories": np.array(["item"]), "vocabulary_0": np.array(["a"])}
    >>> labels_of_tokens(Ragged(np.array([3]), np.array([0, 1]), names=names, receipt=(left_out,),
    ...                         per_sequence={"y": np.array([3])}))
    ('y',)
    """
    return labels_of_steps(data) if are_tokens(data) else ()


def labels_of_steps(data: Ragged | Padded) -> tuple[str, ...]:
    """Which of y and step_y hold steps: what follows others, by `split --last` or `window`."""
    made = {("split", "last"): "y", ("window", "horizon"): "y", ("window", "next"): "step_y"}
    found = [
        label
        for entry in data.receipt
        for (command, argument), label in made.items()
        if entry.get("command") == command and argument in entry.get("arguments", {})
    ]
    return tuple(label for label in dict.fromkeys(found) if label in (*data.per_sequence, *data.per_step))


def with_new_tokens(ragged: Ragged, change: Callable[[Array], Array], dtype: Any) -> Ragged:
    """The same sequences with `change` applied to the ids of steps, and to labels that are ids of steps."""
    labels = labels_of_tokens(ragged)
    per_sequence, per_step = dict(ragged.per_sequence), dict(ragged.per_step)
    if "y" in labels:
        per_sequence["y"] = lazy_map(change, ragged.per_sequence["y"], dtype=dtype)
    if "step_y" in labels:
        array = ragged.per_step["step_y"]
        per_step["step_y"] = StepArray(lazy_map(change, array.data, dtype=dtype), array.value)
    values = lazy_map(change, ragged.values, dtype=dtype)
    return ragged.replace(values=values, per_sequence=per_sequence, per_step=per_step)
