"""The tables of names of several inputs, classes and vocabularies, as one: by name, never by number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, lazy_map
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.sequences.categories import FIRST, all_categories, ids_of, with_new_ids
from seqtool.sequences.padding_values import Value
from seqtool.sequences.ragged import Ragged, StepArray

COLUMNS = {
    "static": "static_features",
    "static_c": "static_categories",
    "y": "label_names",
    "c": "categories",
}
"""The arrays whose columns have names, with the table of these."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One of several inputs, and what messages call it; of a padded one the slots, the side and the value too."""

    name: str
    ragged: Ragged
    slots: int | None = None
    padding: Any = None
    value: Value | None = None


def texts_of(ragged: Ragged, table: str) -> tuple[str, ...] | None:
    """A small table of text; None where there is none."""
    return tuple(np.asarray(ragged.names[table]).tolist()) if table in ragged.names else None


@dataclass(frozen=True)
class NameTable:
    """A table of names, and the array whose numbers they are of: that in a `column`, where it has several.

    Numbers below `first` are none of a name.
    """

    name: str
    array: str
    column: int | None = None
    first: int = 0

    def merged(self, pieces: Sequence[Piece]) -> AnyArray | Text:
        """The names of all inputs: those of the first, then further ones."""
        for piece in pieces:
            if self.name not in piece.ragged.names:
                other = next(one for one in pieces if self.name in one.ragged.names)
                raise DataError(
                    f"{self.array} is a number in {piece.name} and a class in {other.name}; make both of the same kind"
                )
        tables = [piece.ragged.names[self.name] for piece in pieces]
        cells = [np.asarray(table) for table in tables]
        if all(np.array_equal(one, cells[0]) for one in cells):
            return tables[0]
        kinds = {one.dtype.kind in "UT" for one in cells}
        if len(kinds) > 1:
            text = next(
                piece.name for piece, one in zip(pieces, cells, strict=True) if one.dtype.kind in "UT"
            )
            raise DataError(f"the names in {self.name} are text in {text} and numbers in another file")
        known = dict.fromkeys(name for one in cells for name in one.tolist())
        return np.array([*known], dtype=str if True in kinds else np.result_type(*cells))

    def renumbered(self, ragged: Ragged, merged: AnyArray | Text) -> Ragged:
        """The sequences of an input with the numbers that its classes have in the merged table."""
        own = ragged.names[self.name]
        if own is merged or np.array_equal(np.asarray(own), np.asarray(merged)[: len(own)]):
            return ragged
        places = {name: place for place, name in enumerate(np.asarray(merged).tolist())}
        numbers = np.array([places[name] for name in np.asarray(own).tolist()], np.int64)
        if self.array in ("c", "static_c"):
            [category] = [one for one in all_categories(ragged) if one.table == self.name]
            change, dtype = self._change(ids_of(ragged, category).dtype, numbers)
            return with_new_ids(ragged, {self.name: change}, dtype)
        if self.array in ragged.per_step:
            array = ragged.per_step[self.array]
            changed = StepArray(self._renumber(array.data, numbers), array.value)
            return ragged.replace(per_step={**ragged.per_step, self.array: changed})
        cells = self._renumber(ragged.per_sequence[self.array], numbers)
        return ragged.replace(per_sequence={**ragged.per_sequence, self.array: cells})

    def _renumber(self, cells: AnyArray, numbers: Array) -> AnyArray:
        change, dtype = self._change(cells.dtype, numbers)

        def read(part: Array) -> Array:
            if self.column is None:
                return change(part)
            part = part.astype(dtype)
            part[:, self.column] = change(part[:, self.column])
            return part

        return lazy_map(read, cells, dtype=dtype)

    def _change(self, held: np.dtype[Any], numbers: Array) -> tuple[Callable[[Array], Array], np.dtype[Any]]:
        """What gives cells of a dtype their new numbers, and the dtype of these."""
        largest = self.first + int(numbers.max(initial=0))
        dtype = np.promote_types(held, np.min_scalar_type(largest))

        def change(cells: Array) -> Array:
            cells = cells.astype(dtype)
            inside = (cells >= self.first) & (cells < self.first + len(numbers))
            cells[inside] = numbers[cells[inside].astype(np.int64) - self.first] + self.first
            return cells

        return change, dtype


def tables_of(pieces: Sequence[Piece]) -> Iterator[NameTable]:
    """The tables that some of the inputs have, which stand in the same order in all of them."""
    names = {name for piece in pieces for name in piece.ragged.names}
    first = pieces[0].ragged
    of_steps = "y" not in first.per_sequence and "step_y" in first.per_step
    if "classes" in names:
        yield NameTable("classes", "step_y" if of_steps else "y")
    if "step_classes" in names:
        yield NameTable("step_classes", "step_y")
    kinds = (("classes", "y", 0), ("vocabulary", "c", FIRST), ("static_vocabulary", "static_c", FIRST))
    for kind, array, least in kinds:
        for i in range(len(texts_of(first, COLUMNS[array]) or ())):
            if f"{kind}_{i}" in names:
                yield NameTable(f"{kind}_{i}", array, i, least)
