"""Labels, static numbers and categories of new sequences as the recipe has them: the same names, numbers and dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array, first_loss
from seqtool.arrays.lazy import AnyArray, chunks, lazy_map
from seqtool.errors import DataError
from seqtool.recipes.recipe import Recipe
from seqtool.sequences.categories import FIRST, UNKNOWN, Change, all_categories, with_new_ids
from seqtool.sequences.labels import class_tables
from seqtool.sequences.ragged import Ragged, StepArray, exchanged
from seqtool.words import in_short, listed


def as_in_recipe(ragged: Ragged, recipe: Recipe) -> Ragged:
    """The same sequences with the classes and dtypes of the recipe.

    Raises DataError for a class that it does not know, and for numbers that its dtype does not hold.
    """
    names, per_sequence, per_step = dict(ragged.names), dict(ragged.per_sequence), dict(ragged.per_step)
    for table, of_recipe in _class_tables(ragged, recipe).items():
        found = names.get(table)
        if found is None:
            known = listed([*map(str, recipe.tables[of_recipe])])
            raise DataError(f"labels are numbers, and {recipe.name} has classes: {known}")
        ids = _ids(np.asarray(found).tolist(), recipe, of_recipe)
        if table == "step_classes" or (table == "classes" and "y" not in per_sequence):
            array = per_step["step_y"]
            per_step["step_y"] = StepArray(_renumbered(array.data, ids), array.value)
        elif table == "classes":
            per_sequence["y"] = _renumbered(per_sequence["y"], ids)
        else:
            place = class_tables([table])[table]
            per_sequence["y"] = _with_column(per_sequence["y"], place, ids)
        names[table] = recipe.arrays[of_recipe]
    for name, dtype in recipe.dtypes.items():
        if name in per_sequence:
            per_sequence[name] = _cast(name, per_sequence[name], np.dtype(dtype), recipe.name)
    same_shapes: Ragged = exchanged(ragged, names=names, per_sequence=per_sequence, per_step=per_step)
    return same_shapes


def _class_tables(ragged: Ragged, recipe: Recipe) -> dict[str, str]:
    """The tables of classes, each with that of the recipe: where y is absent, `classes` are those of steps."""
    found = dict[str, str]()
    if "y" in ragged.per_sequence:
        found = {name: name for name in class_tables([*recipe.tables])}
        found |= {"classes": "classes"} if "classes" in recipe.tables and "y" in recipe.dtypes else {}
    if "step_y" in ragged.per_step:
        of_steps = (
            "classes" if "step_classes" not in recipe.tables and "y" not in recipe.dtypes else "step_classes"
        )
        if of_steps in recipe.tables:
            found["step_classes" if "y" in ragged.per_sequence else "classes"] = of_steps
    return found


def _ids(names: list[Any], recipe: Recipe, table: str) -> Array:
    """The number that each class has in a table of the recipe."""
    place = recipe.places[table]
    unseen = [str(name) for name in names if str(name) not in place]
    if unseen:
        raise DataError(
            f"label {listed([*map(in_short, unseen)])} is none of the classes of {recipe.name}: "
            f"{listed([*map(str, recipe.tables[table])])}"
        )
    return np.array([place[str(name)] for name in names] or [0], dtype=np.int64)


def _renumbered(codes: AnyArray, ids: Array) -> AnyArray:
    """Class numbers by another table; what is no class stays."""

    def read(part: Array) -> Array:
        inside = (part >= 0) & (part < len(ids))
        with np.errstate(invalid="ignore"):
            return np.where(inside, ids[np.where(inside, part, 0).astype(np.int64)], part).astype(part.dtype)

    return lazy_map(read, codes, dtype=codes.dtype)


def _with_column(labels: AnyArray, place: int, ids: Array) -> AnyArray:
    def read(part: Array) -> Array:
        part = part.copy()
        part[:, place] = _renumbered(part[:, place], ids)
        return part

    return lazy_map(read, labels, dtype=labels.dtype)


def _cast(name: str, array: AnyArray, dtype: np.dtype[Any], recipe: str) -> AnyArray:
    """The same numbers in another dtype; raises DataError for one that it does not hold."""
    if array.dtype == dtype or dtype.kind not in "biuf" or array.dtype.kind not in "biuf":
        return array
    for begin, part in chunks(array):
        place = first_loss(part, dtype)
        if place is not None:
            row, *_ = np.unravel_index(place, part.shape)
            raise DataError(
                f"{name} of sequence {begin + int(row)} is {part.reshape(-1)[place].item()!r}, and {recipe} has "
                f"{dtype} there: the column is another than it was"
            )
    return lazy_map(lambda part: part.astype(dtype), array, dtype=dtype)


def with_vocabularies(ragged: Ragged, recipe: Recipe) -> Ragged:
    """The same sequences with the ids that categories have in the recipe; those it does not know are unknown."""
    names, changes = dict(ragged.names), dict[str, Change]()
    for category in all_categories(ragged):
        place = recipe.places.get(category.table)
        if place is None:
            continue
        found = np.asarray(category.vocabulary).tolist()
        ids = np.array([0, 1, UNKNOWN, *(place.get(str(name), UNKNOWN - FIRST) + FIRST for name in found)])
        changes[category.table] = ids.__getitem__
        names[category.table] = recipe.arrays[category.table]
    return with_new_ids(ragged, changes, np.int64).replace(names=names) if changes else ragged
