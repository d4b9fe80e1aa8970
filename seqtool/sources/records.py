"""JSON with a sequence in each record: lists, objects, or mappings of keys to either."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Rounding, describe_loss, dtype_named, first_loss, rounding
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, NotSequencesError, UsageError
from seqtool.files.inputs import Input
from seqtool.operations.cast import rounding_warnings, wide_enough
from seqtool.sequences.conversion import MisfitError, NoCommonTypeError, from_lists
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.validation import offsets_of
from seqtool.sources.aligned import Aligned, CategoryColumn, LabelColumn, check_equal_lengths, with_aligned
from seqtool.sources.cells import cells_in_brackets
from seqtool.sources.json_records import NAMED, check_memory, json_records
from seqtool.sources.options import Sequences, SourceOptions
from seqtool.sources.tokens import only_name, without_features
from seqtool.tables.cells import reads_as_missing
from seqtool.tables.cells.cells import whole_number
from seqtool.tables.cells.number_state import is_float
from seqtool.words import count, name_meant


def read_json(source: Input, options: SourceOptions) -> Sequences:
    """The sequences of a JSON document, or of JSON lines: each is a list of numbers or of steps, or an object.

    Several lists of an object stand side by side as features; text may be a list as in a cell of CSV. Whole numbers
    alone give int64; any fraction gives float32 unless a dtype is asked for. Raises DataError that names the record.
    """
    check_memory(source, options.memory)
    records, found, warnings = list(json_records(source, options)), Aligned(), list[str]()
    places = [place for place, _ in records]
    rows = [record for _, record in records]
    if not rows:
        raise DataError(f"{source.name}: holds no sequences")
    spec, features = options.foreign, None
    if spec.rows.keys_from_names:
        found.keys = [json.loads(place.removeprefix(NAMED)) for place in places]
    if isinstance(rows[0], dict):
        named = _named_lists(rows, spec.rows.category)
        names = [name for name in spec.arrays if name not in named]
        if not spec.arrays:
            names = _other_list(source, rows[0], named)
        lists = _lists_of_fields(_Objects(source, records), names, named, options, found)
        features = tuple(names) if len(names) > 1 else None
    elif spec.array or spec.labels or spec.key or spec.step_label or spec.rows.static:
        words = ("--array", "--label", "--step-label", "--key", "--static")
        raise UsageError(
            f"--array, --label and --key name fields of objects; {source.name} holds lists: ",
            spec.without(*words),
        )
    elif spec.rows.category:
        return _lists_of_names(source, records, options, found)
    else:
        lists = [_as_list(source, place, row) for place, row in records]
    if found.categories and not lists:
        lengths = found.lengths
        ragged = without_features(offsets_of(lengths))
        return with_aligned(source.name, ragged, found, spec.rows, int(lengths.sum()), warnings)
    try:
        ragged = from_lists(lists)
    except NoCommonTypeError as error:
        ragged = _rounded(source, lists, options, error, warnings)
    except MisfitError as error:
        hint = _as_names(rows[0], features, spec.array, lists)
        place = places[error.sequence]
        raise DataError(f"{source.name}: {place}: the sequence{error.problem}", *hint) from None
    ragged = _narrowed(source, ragged, places, options, warnings)
    if features is not None and ragged.values.ndim == 1:  # no step at all
        ragged = ragged.replace(values=np.empty((0, len(features)), ragged.values.dtype))
    ragged = ragged.replace(features=features)
    return with_aligned(source.name, ragged, found, spec.rows, sum(map(len, lists)), warnings)


def _named_lists(rows: list[Any], categories: Sequence[str]) -> list[str]:
    """The categories whose fields hold a name for each step, and not one for each sequence."""
    objects = [row for row in rows if isinstance(row, dict)]
    return [name for name in categories if any(isinstance(row.get(name), list) for row in objects)]


def _other_list(source: Input, record: dict[str, Any], named: list[str]) -> list[str]:
    """The only field with a list of numbers; none is needed beside lists of names."""
    rest = {name: cell for name, cell in record.items() if name not in named}
    if named and not any(isinstance(cell, list) for cell in rest.values()):
        return []
    return [_only_list(source, rest)]


def _lists_of_names(
    source: Input, records: list[tuple[str, Any]], options: SourceOptions, found: Aligned
) -> Sequences:
    """Sequences of which each is a list of names."""
    title = only_name(options.foreign.rows, source.name)
    lists = [_as_list(source, place, row) for place, row in records]
    lengths = np.array([len(cells) for cells in lists], np.int64)
    column = found.categories[title] = CategoryColumn(source.name, title, options, holder="step")
    column.add([cell for cells in lists for cell in cells])
    ragged = without_features(offsets_of(lengths))
    return with_aligned(source.name, ragged, found, options.foreign.rows, len(column), [])


def _as_names(row: Any, features: Sequence[str] | None, array: str | None, lists: list[Any]) -> list[object]:
    """The advice to read steps as names, where they are text."""
    if features or not any(isinstance(step, str) for steps in lists for step in steps):
        return []
    title = array or "word"
    if isinstance(row, dict) and array is None:
        title = next(name for name, cell in row.items() if isinstance(cell, list))
    return ["; as ids of names: ", Advice("--category", title)]


@dataclass(frozen=True)
class _Objects:
    """The records of a source that are objects, each behind its place, and what their fields hold."""

    source: Input
    records: list[tuple[str, Any]]

    def place(self, number: int) -> str:
        """Where the record of this number stands, counted from 0."""
        return self.records[number][0]

    def field(self, name: str) -> list[Any]:
        """What every record holds in a field; raises DataError where one lacks it."""
        return [_field(self.source, place, record, name) for place, record in self.records]

    def of_sequences(self, name: str) -> list[Any]:
        """The same, but missing where a record lacks the field, and another has it."""
        absent = [
            isinstance(record, dict) and name not in record and name_meant(name, record) is None
            for _, record in self.records
        ]
        if all(absent):
            return self.field(name)
        pairs = zip(self.records, absent, strict=True)
        return [None if gone else _field(self.source, place, record, name) for (place, record), gone in pairs]

    def lists(self, name: str, *, text: bool) -> list[list[Any]]:
        """The list of every record in a field, or in its text if `text`."""
        cells = zip(self.records, self.field(name), strict=True)
        return [_as_list(self.source, place, cell, text=text) for (place, _), cell in cells]

    def lists_of_names(self, name: str) -> list[list[Any]]:
        """The list of names of every record in a field, or in its text."""
        cells = zip(self.records, self.field(name), strict=True)
        return [_names_in(self.source, place, cell) for (place, _), cell in cells]


def _lists_of_fields(
    objects: _Objects, names: list[str], named_lists: list[str], options: SourceOptions, found: Aligned
) -> list[Any]:
    """The lists of numbers of objects; their keys, labels, static numbers and categories are added to `found`.

    `names` are the fields of numbers, `named_lists` those of names of steps.
    """
    spec = options.foreign
    columns = [objects.lists(name, text=len(spec.arrays) > 0) for name in names]
    of_names = {name: objects.lists_of_names(name) for name in named_lists}
    _add_categories(objects, of_names, options, found)
    for name in spec.labels:
        found.labels[name] = LabelColumn(objects.source.name, name, options, place=objects.place)
        found.labels[name].add(objects.of_sequences(name))
    static = [name for name in map(str, spec.rows.static) if name not in spec.rows.category]
    found.static = {name: objects.of_sequences(name) for name in static}
    if spec.key is not None:
        found.keys = objects.field(spec.key)
    side_by_side = dict(zip(names, columns, strict=True)) | of_names
    if spec.step_label is not None:
        labels = objects.lists(spec.step_label, text=True)
        side_by_side |= {spec.step_label: labels}
        found.step_labels = _step_labels(objects, spec.step_label, labels, options)
    for i in range(len(objects.records)):
        lengths = [len(cells[i]) for cells in side_by_side.values()]
        check_equal_lengths(f"{objects.source.name}: {objects.place(i)}", lengths, [*side_by_side])
    if len(columns) < 2:
        return columns[0] if columns else []
    return [[[*step] for step in zip(*rows, strict=True)] for rows in zip(*columns, strict=True)]


def _step_labels(
    objects: _Objects, name: str, labels: list[list[Any]], options: SourceOptions
) -> LabelColumn:
    """The labels of all steps; an error names the record that a step is in."""
    ends = np.cumsum([len(cells) for cells in labels])

    def place(step: int) -> str:
        return objects.place(int(np.searchsorted(ends, step, side="right")))

    column = LabelColumn(objects.source.name, name, options, holder="step", place=place)
    column.add([cell for cells in labels for cell in cells])
    return column


def _add_categories(
    objects: _Objects, of_steps: dict[str, list[list[Any]]], options: SourceOptions, found: Aligned
) -> None:
    """Add the categories of objects to `found`: lists of names `of_steps`, and names of sequences."""
    for name in options.foreign.rows.category:
        if name in of_steps:
            column = CategoryColumn(objects.source.name, name, options, holder="step")
            column.add([cell for cells in of_steps[name] for cell in cells])
            found.categories[name] = column
            found.lengths = np.array([len(cells) for cells in of_steps[name]], np.int64)
        else:
            column = CategoryColumn(objects.source.name, name, options, place=objects.place)
            column.add(objects.of_sequences(name))
            found.static_categories[name] = column


def _as_list(source: Input, place: str, cell: Any, *, text: bool = False) -> list[Any]:
    """The list in a cell, or in its text if `text`; raises DataError for anything else."""
    if isinstance(cell, list):
        return cell
    if text and isinstance(cell, str):
        return [_number(spelled) for spelled in cells_in_brackets(cell)]
    raise DataError(f"{source.name}: {place}: {str(cell)[:40]!r}; a list of numbers or of steps was expected")


def _names_in(source: Input, place: str, cell: Any) -> list[Any]:
    """The list of names in a field, or in its text; raises DataError for anything else."""
    if isinstance(cell, list):
        return cell
    if isinstance(cell, str):
        return [*cells_in_brackets(cell)]
    raise DataError(f"{source.name}: {place}: {str(cell)[:40]!r}; a list of names was expected")


def _number(cell: str) -> Any:
    """The number that a cell of text spells, None for a missing value; other text as it is."""
    if reads_as_missing(cell):
        return None
    whole = whole_number(cell)
    if whole is not None:
        return whole
    return float(cell) if is_float(cell) else cell


def _narrowed(
    source: Input, ragged: Ragged, places: list[str], options: SourceOptions, warnings: list[str]
) -> Ragged:
    """The sequences with fractions as float32, or as the dtype asked for; it adds to `warnings`."""
    values = np.asarray(ragged.values)
    if values.dtype != np.float64 and (values.dtype != np.uint64 or options.dtype is None):
        return ragged
    target = np.dtype(np.float32) if options.dtype is None else dtype_named(options.dtype)
    explicit = options.dtype is not None and target.kind == "f"
    found = rounding(values, target) if explicit else Rounding(0, first_loss(values, target))
    warnings += rounding_warnings(found.count, target)
    lost = found.overflow
    if lost is not None:
        step = np.unravel_index(lost, values.shape)[0]
        place = places[int(np.searchsorted(ragged.offsets, step, side="right")) - 1]
        raise DataError(
            f"{source.name}: {place}: {describe_loss(values.reshape(-1)[lost].item(), target)}; ",
            wide_enough(values),
        )
    with np.errstate(under="ignore"):
        return ragged.replace(values=values.astype(target))


def _rounded(
    source: Input, lists: list[Any], options: SourceOptions, error: DataError, warnings: list[str]
) -> Ragged:
    """The sequences as float64, which rounds some whole numbers, if it is asked for; it adds to `warnings`.

    Raises DataError with the advice to ask for it.
    """
    lost = 0

    def as_float(cell: Any) -> Any:
        nonlocal lost
        if isinstance(cell, list):
            return [as_float(element) for element in cell]
        if type(cell) is not int:
            return cell
        lost += int(float(cell)) != cell
        return float(cell)

    try:
        ragged = from_lists(as_float(lists))
    except OverflowError:
        raise DataError(f"{source.name}: holds a number that no dtype can hold") from None
    if options.dtype != "float64":
        raise DataError(f"{source.name}: {error}; ", Advice("--dtype", "float64"), " rounds them")
    if lost:
        warnings.append(
            f"{count(lost, 'whole number')} {'was' if lost == 1 else 'were'} rounded to float64, "
            "which cannot hold so large ones exactly"
        )
    return ragged


def _only_list(source: Input, record: dict[str, Any]) -> str:
    """The only field that holds a list; raises DataError where there are none or several."""
    lists = [name for name, cell in record.items() if isinstance(cell, list)]
    if not lists:
        raise NotSequencesError(f"{source.name}: holds no list of steps")
    if len(lists) > 1:
        by_names: list[object] = []
        if len(lists) == len(record):
            by_names = [
                "; or if each of these is a sequence and its name the key: ",
                Advice("--keys-from-names"),
            ]
        raise DataError(
            f"{source.name}: holds several lists; choose one of {', '.join(lists)}, such as ",
            Advice("--array", lists[0]),
            *by_names,
        )
    return lists[0]


def _field(source: Input, place: str, record: Any, name: str) -> Any:
    """A field of a record; raises DataError where it lacks the field, or is no object."""
    field = name_meant(name, record) if isinstance(record, dict) and name not in record else name
    if not isinstance(record, dict) or field is None:
        there = ", ".join(record) if isinstance(record, dict) else type(record).__name__
        raise DataError(f"{source.name}: {place}: no field {name!r} in {there}")
    return record[field]
