"""Arrays of text whose cells are names, such as the words of texts: ids in their place, beside the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, cast

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, lazy_map
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.files.zip_reader import ZipReader
from seqtool.operations.strip import strip
from seqtool.sequences.categories import MISSING, PADDING
from seqtool.sources.aligned import CategoryColumn, ids_of_names
from seqtool.sources.chosen_arrays import Chosen
from seqtool.sources.options import Sequences, SourceOptions
from seqtool.sources.tokens import only_name
from seqtool.words import count


@dataclass
class WordArray:
    """An array of names as ids of the category `title`; an empty cell is that of padding until steps are known."""

    title: str
    options: SourceOptions
    tables: Mapping[str, Array | Text] = field(default_factory=dict, init=False)
    warnings: list[str] = field(default_factory=list, init=False)

    @classmethod
    def wanted(cls, name: str, options: SourceOptions) -> WordArray | None:
        """Where the call names a category; None where the array is to hold numbers."""
        rows = options.foreign.rows
        return cls(only_name(rows, name), options) if rows.category else None

    def ids(self, name: str, names: AnyArray) -> Array:
        """The id of each cell, in the shape of the array; raises DataError where it does not hold text."""
        if names.dtype.kind != "U":
            numbers = Advice(without=["--category"])
            raise DataError(f"{name} is {names.dtype}; text was expected, of which ids are made: ", numbers)
        self.options.memory.check_whole(
            name, 3 * names.nbytes, "save ids as numbers, and their names beside them"
        )
        import pyarrow as pa

        cells = np.asarray(names)
        is_name = cells != ""
        words = CategoryColumn(name, self.title, self.options, holder="step")
        words.add(pa.array(cells[is_name].tolist(), pa.string()))
        (ids,), self.tables = ids_of_names({self.title: words}, "", self.warnings)
        found = np.full(cells.shape, PADDING, np.int64)
        found[is_name] = np.asarray(ids)
        return found

    def within(self, archive: ZipReader, chosen: Chosen) -> ZipReader:
        """The same arrays, of which the one with sequences holds ids."""
        if chosen.form in ("numbered", "named"):
            raise DataError("each array is a sequence; one that holds the names of all steps was expected")
        return cast(ZipReader, _WithIds(archive, chosen.names[0], self))

    def named(self, found: Sequences) -> Sequences:
        """The sequences with the names of ids; without lengths the empty cells at the end of a row are no steps."""
        ragged, notes, total = found.ragged, list(found.notes), len(found.ragged.values)
        if found.dense:
            ragged = strip(ragged, PADDING, spool=self.options.spool)
            dropped = total - len(ragged.values)
            notes += [f"{count(dropped, 'empty cell')} at the end of rows are padding"] if dropped else []
        empty = int((np.asarray(ragged.values) == PADDING).sum())
        if empty:
            self.warnings.append(f"{count(empty, 'step')} without {self.title}: id {MISSING}")
        values = lazy_map(lambda ids: np.where(ids == PADDING, MISSING, ids), ragged.values, dtype=np.int64)
        return replace(
            found,
            ragged=ragged.replace(values=values, features=None, names={**ragged.names, **self.tables}),
            steps=len(ragged.values),
            dense=False,
            notes=notes,
            warnings=[*found.warnings, *self.warnings],
        )


class _WithIds:
    """A zip of arrays, one of which holds names, and is read as their ids."""

    def __init__(self, archive: ZipReader, name: str, words: WordArray) -> None:
        self._archive, self._name, self._words = archive, name, words

    def window(self, name: str) -> Any:
        """An array, to be read in chunks."""
        found = self._archive.window(name)
        return self._words.ids(name, found) if name == self._name else found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._archive, name)
