"""Ids of categories: 0 is padding, 1 a missing and 2 an unknown one, and 3 + i the name at place i of a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.text import Text
from seqtool.sequences.ragged import Padded, Ragged

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
