"""The columns of flat rows: what belongs to steps and to their sequences, under the names that it had as rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.sequences.categories import (
    FIRST,
    UNKNOWN,
    Category,
    are_tokens,
    ids_of,
    labels_of_ids,
    static_categories_of,
)
from seqtool.sequences.labels import LabelArray, label_arrays
from seqtool.sequences.orders import OrderColumn, order_columns
from seqtool.sequences.ragged import Ragged
from seqtool.unpadding.names import SourceNames, Titles, by_position, cell_names
from seqtool.unpadding.stretch import Continued, Stretch, distinct
from seqtool.words import by_size


@dataclass(frozen=True)
class Columns:
    """Some columns that are read together: `read` gives the cells of each for a stretch, as Arrow arrays.

    `of_steps` says that they belong to steps, and not to the sequences; `goes_on` that they are known of the steps that
    follow parts, too.
    """

    names: list[str]
    read: Callable[[Stretch], list[Any]]
    of_steps: bool = False
    goes_on: bool = False


def columns_of(
    ragged: Ragged, unknown: Counter[str] | None = None, *, as_matrix: bool = True
) -> list[Columns]:
    """The columns of sequences: key, order, features, labels, static numbers, categories, and the step's number.

    Arrays of whole sequences stand in each of their rows. Those of a bare matrix stand in its order, if `as_matrix`
    says so. What is read of unknown categories is counted in `unknown`. Raises DataError for steps that are arrays.
    """
    unknown = Counter() if unknown is None else unknown
    if ragged.values.ndim > 2:
        raise DataError(
            f"a step is an array of {by_size(ragged.values.shape[1:])}, which is no row of a table; np.load reads it"
        )
    names, titles = SourceNames.of(ragged.receipt), Titles()
    found = [
        *_keys(ragged, names, titles),
        *_orders(ragged, names, titles),
        *_features(ragged, names, titles, unknown),
        *_labels(ragged, names, titles),
        *_static(ragged, titles),
        *_categories(ragged, titles, unknown),
        *_static_categories(ragged, titles, unknown),
        *(
            _sequences(ragged.per_sequence[name], name, titles)
            for name in _PER_SEQUENCE
            if name in ragged.per_sequence
        ),
        Columns([titles.free("step")], lambda stretch: [pa.array(stretch.numbers(ragged.offsets))]),
        *(columns for name in ("row_index", "weight") for columns in _steps(ragged, name, [], titles)),
        *_observed(ragged, names, titles),
    ]
    bare = as_matrix and ragged.features is None and names.features
    return _as_in_a_matrix(found, names) if bare else found


_PER_SEQUENCE = ("split", "part")


def arrow(cells: Array) -> Any:
    """An array (n,) as an Arrow array; NaN is a missing cell."""
    if cells.dtype.kind == "T":
        return pa.array(cells.tolist(), pa.string())
    return pa.array(np.ascontiguousarray(cells), from_pandas=True)


def columns_in(cells: Array) -> list[Any]:
    """The columns of an array (n, ...), one for each cell of a row."""
    flat = cells.reshape(len(cells), prod(cells.shape[1:]))
    return [arrow(flat[:, i]) for i in range(flat.shape[1])]


def _keys(ragged: Ragged, names: SourceNames, titles: Titles) -> Iterator[Columns]:
    """The columns of the key; without keys the number of the sequence."""
    keys = ragged.keys
    if keys is None:
        yield Columns([titles.free("sequence")], lambda stretch: [pa.array(stretch.which)])
        return
    width = keys.shape[1] if keys.ndim > 1 else 1
    known = [*names.key[:width]]
    more = [f"key_{i}" if width > 1 else "key" for i in range(len(known), width)]
    yield _sequences(keys, "key", titles, [*known, *more])


def _sequences(
    array: AnyArray | Text, name: str, titles: Titles, named: Sequence[str] | None = None
) -> Columns:
    """An array of sequences, in each of their rows."""

    def read(stretch: Stretch) -> list[Any]:
        places = pa.array(stretch.places)
        return [cells.take(places) for cells in columns_in(stretch.of_sequences(array))]

    return Columns(titles.all_free(named or cell_names(name, array.shape[1:])), read)


def _steps(ragged: Ragged, name: str, named: Sequence[str], titles: Titles) -> Iterator[Columns]:
    """A per-step array, if there is one."""
    if name not in ragged.per_step:
        return
    array = ragged.per_step[name].data
    plain = cell_names(name, array.shape[1:])
    names = [*named] if len(named) == len(plain) else plain
    yield Columns(
        titles.all_free(names),
        lambda stretch: columns_in(stretch.of_steps(array)),
        of_steps=True,
        goes_on=isinstance(array, Continued),
    )


def _orders(ragged: Ragged, names: SourceNames, titles: Titles) -> Iterator[Columns]:
    """The order values, if they were kept; times are written as they were, or as ISO has them."""
    columns = order_columns(ragged, "unpad") if "order" in ragged.per_step else []
    writings = names.order_writing if len(names.order_writing) == len(columns) else [""] * len(columns)
    for i, (column, writing) in enumerate(zip(columns, writings, strict=True)):
        stored = ragged.per_step["order"].data
        reader = _order_reader(stored, i, column, writing)
        yield Columns(
            [titles.free(column.name)], reader, of_steps=True, goes_on=isinstance(stored, Continued)
        )


def _order_reader(
    stored: AnyArray, place: int, column: OrderColumn, writing: str
) -> Callable[[Stretch], list[Any]]:
    """Reads one column of order values from the array that all of them are stored in."""

    def read(stretch: Stretch) -> list[Any]:
        cells = stretch.of_steps(stored)
        values = cells if cells.ndim == 1 else cells[:, place]
        return [
            arrow(values) if column.tick is None else pa.array(column.texts(values, writing), pa.string())
        ]

    return read


def feature_names(ragged: Ragged, names: SourceNames) -> list[str]:
    """The names of the features of steps, or of the one number that a step is."""
    width = ragged.values.shape[1] if ragged.values.ndim > 1 else 1
    if ragged.features is not None:
        return [*ragged.features]
    if len(names.features) == width:
        return [*names.features]
    return [f"x_{i}" for i in range(width)] if ragged.values.ndim > 1 else ["x"]


def _features(ragged: Ragged, names: SourceNames, titles: Titles, unknown: Counter[str]) -> Iterator[Columns]:
    """The features, but those that stand there as a key already; of tokens the names of the category."""
    values = ragged.values
    if are_tokens(ragged):
        title = str(np.asarray(ragged.names["categories"])[0])
        yield _category(values, None, ragged.names["vocabulary_0"], titles.free(title), unknown)
        return
    found = feature_names(ragged, names)
    again = set() if names.changed else {*titles.taken}
    chosen = [i for i, name in enumerate(found) if name not in again]

    def read(stretch: Stretch) -> list[Any]:
        cells = stretch.of_steps(values)
        by_column = np.ascontiguousarray(cells.reshape(len(cells), -1).T) if len(cells) else None
        if by_column is None:
            return [arrow(np.empty(0, values.dtype)) for _ in chosen]
        return [arrow(by_column[i]) for i in chosen]

    yield Columns(titles.all_free([found[i] for i in chosen]), read, of_steps=True)


def _labels(ragged: Ragged, names: SourceNames, titles: Titles) -> Iterator[Columns]:
    """The labels of steps, and those of sequences for each of their steps, as the names of classes if there are any."""
    ids = labels_of_ids(ragged)
    for labels in sorted(label_arrays(ragged), key=lambda labels: labels.name != "step_y"):
        title = labels.title
        if labels.name == "step_y":
            title = names.step_label or title
        elif labels.column is None and len(names.label) == 1:
            title = names.label[0]
        if not names.changed and title in titles.taken:
            continue  # it is a feature too
        yield Columns(
            titles.all_free(cell_names(title, labels.cells.shape[1:])),
            _label_reader(
                labels, ragged.names[f"vocabulary_{ids[labels.name]}"] if labels.name in ids else None
            ),
            labels.name == "step_y",
        )


def _label_reader(labels: LabelArray, vocabulary: AnyArray | Text | None) -> Callable[[Stretch], list[Any]]:
    def read(stretch: Stretch) -> list[Any]:
        of_steps = labels.name == "step_y"
        cells = (stretch.of_steps if of_steps else stretch.of_sequences)(labels.cells)
        columns = columns_in(cells)
        if vocabulary is not None:
            columns = [named(np.asarray(column), vocabulary, FIRST) for column in columns]
        elif labels.classes is not None:
            columns = [named(np.asarray(column), labels.classes) for column in columns]
        return columns if of_steps else [column.take(pa.array(stretch.places)) for column in columns]

    return read


def named(places: Array, names: AnyArray | Text, first: int = 0) -> Any:
    """The names at some places, of which `first` is that of the first name; none where there is no such place."""
    known, which = distinct(places)
    known = known - first
    inside = (known >= 0) & (known < len(names))
    table = Stretch(slice(0, 0), known[inside].astype(np.int64)).of_sequences(names)
    row = np.cumsum(inside) - 1
    return arrow(table).take(pa.array(row[which], mask=~inside[which]))


def names_of_ids(
    where: str, ids: Array, vocabulary: AnyArray | Text, title: str, unknown: Counter[str]
) -> Any:
    """The names of ids of a category (n,), none of a missing or an unknown one; these are counted in `unknown`.

    Raises DataError, which begins with `where`, for an id that no name has.
    """
    most = FIRST + len(vocabulary)
    wrong = (ids < 0) | (ids >= most)
    if wrong.any():
        raise DataError(
            f"{where}: holds {ids[wrong][0]}, which is no id; ids of the vocabulary are from 0 to {most - 1}, the "
            f"first name being {FIRST}: save what is none as fractions"
        )
    unknown[title] += int((ids == UNKNOWN).sum())
    return named(ids.astype(np.int64), vocabulary, FIRST)


def _static(ragged: Ragged, titles: Titles) -> Iterator[Columns]:
    if "static" in ragged.per_sequence:
        names = ragged.names.get("static_features")
        title = None if names is None else [*map(str, np.asarray(names).tolist())]
        yield _sequences(ragged.per_sequence["static"], "static", titles, title)


def _categories(ragged: Ragged, titles: Titles, unknown: Counter[str]) -> Iterator[Columns]:
    """The names of categories; of a missing and of an unknown one none."""
    if "c" not in ragged.per_step:
        return
    array = ragged.per_step["c"].data
    if "categories" not in ragged.names:
        yield from _steps(ragged, "c", [], titles)
        return
    for i, title in enumerate(np.asarray(ragged.names["categories"]).tolist()):
        yield _category(array, i, ragged.names[f"vocabulary_{i}"], titles.free(str(title)), unknown)


def _static_categories(ragged: Ragged, titles: Titles, unknown: Counter[str]) -> Iterator[Columns]:
    """The names of categories of sequences, in each of their rows."""
    for one in static_categories_of(ragged):
        title = titles.free(one.name)
        yield Columns([title], partial(_static_names, ids_of(ragged, one), one, title, unknown))


def _static_names(
    ids: AnyArray, category: Category, title: str, unknown: Counter[str], stretch: Stretch
) -> list[Any]:
    cells = stretch.of_sequences(ids)[stretch.places]
    unknown[title] += int((cells == UNKNOWN).sum())
    return [named(cells.astype(np.int64), category.vocabulary, FIRST)]


def _category(
    array: AnyArray, column: int | None, vocabulary: AnyArray | Text, title: str, unknown: Counter[str]
) -> Columns:
    def read(stretch: Stretch) -> list[Any]:
        ids = stretch.of_steps(array)
        ids = ids if column is None else ids[:, column]
        unknown[title] += int((ids == UNKNOWN).sum())
        return [named(ids.astype(np.int64), vocabulary, FIRST)]

    return Columns([title], read, of_steps=True)


def _observed(ragged: Ragged, names: SourceNames, titles: Titles) -> Iterator[Columns]:
    """Which features of each step were seen, and not filled."""
    if "observed" in ragged.per_step:
        features = [f"{name}_observed" for name in feature_names(ragged, names)]
        yield from _steps(ragged, "observed", features, titles)


def _as_in_a_matrix(found: Sequence[Columns], names: SourceNames) -> list[Columns]:
    """The columns of a bare matrix in their order, before all others."""
    every = [name for columns in found for name in columns.names]
    own = sorted((name for name in every if name.isdecimal()), key=int)
    if not by_position([*names.key, *names.features]):
        return [*found]
    order = [every.index(name) for name in [*own, *(name for name in every if not name.isdecimal())]]

    def read(stretch: Stretch) -> list[Any]:
        cells = [cell for columns in found for cell in columns.read(stretch)]
        return [cells[place] for place in order]

    return [Columns([every[place] for place in order], read)]
