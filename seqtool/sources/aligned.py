"""Keys, labels, static numbers and labels of steps of sequences that are read record by record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, chunks, lazy_map, side_by_side
from seqtool.arrays.spool import GrowingArray
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.grouping.kernel import key_array
from seqtool.sequences.categories import MISSING, PADDING
from seqtool.sequences.padding_values import check_step_value
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sources.options import RowSpec, Sequences, SourceOptions
from seqtool.tables.cells import (
    BadCellError,
    Keys,
    Labels,
    LabelState,
    Numbers,
    missing_words,
    several_meanings,
)
from seqtool.tables.cells.label_doubts import category_doubts, doubts
from seqtool.words import count, join_names


class LabelColumn:
    """The labels of the sequences, or of the steps, of a source, added piece by piece and held as codes.

    `holder` is the word for what has one label each, and `place(i)` says where the i-th stands. Labels that are too
    many for memory go to the spool.
    """

    what = "label"

    def __init__(
        self,
        source: str,
        name: str,
        options: SourceOptions,
        *,
        holder: str = "sequence",
        place: Callable[[int], str] | None = None,
    ) -> None:
        self.source, self.name, self.holder = source, name, holder
        self.place = place or (lambda row: f"{holder} {row}")
        self._options = options
        self._labels = Labels(options.foreign.rows.missing)
        self._codes = GrowingArray(options.spool, np.dtype(np.int64))

    def add(self, cells: Any) -> None:
        """Add further labels; raises DataError for cells that cannot be labels."""
        with _one_each(self.source, self.what):
            self._codes.add(self._labels.encode(one_kind(cells), len(self._codes)))
        what = f"{self.source}: {self.what} {self.name!r}"
        self._labels.bound(self._options.spool, self._options.memory, what)

    def __len__(self) -> int:
        return len(self._codes)

    def state(self, warnings: list[str]) -> LabelState:
        """The state of all labels; it adds to `warnings` what may be wrong. Raises DataError if one is missing."""
        state = self._labels.state
        if state.missing:
            have = "has" if state.missing == 1 else "have"
            first = self.place(min(map(state.row, state.without)))
            raise DataError(
                f"{self.source}: {count(state.missing, self.holder)} {have} no label {self.name!r}, the first at "
                f"{first}; give each one, or leave what has none out of the input"
            )
        warnings += doubts(state, f"label {self.name!r}", self.place, row=self.holder)
        return state

    def decoded(self, values: Array) -> AnyArray:
        """The value of each label, in the order of the sequences or steps; `values` has one for each code."""
        return lazy_map(lambda codes: values[codes], self._codes.done(), dtype=values.dtype)


class CategoryColumn(LabelColumn):
    """The names of a category, of the sequences or of the steps of a source: the same, but none need be there."""

    what = "category"

    def ids(self, warnings: list[str]) -> tuple[AnyArray, Array | Text]:
        """The id of each, (n,), and the names that have ids; it adds to `warnings` what is missing or may be so."""
        state = self._labels.state
        warnings += category_doubts(f"category {self.name!r}", state, self.holder)
        if state.missing:
            warnings.append(f"{count(state.missing, self.holder)} without {self.name}: id {MISSING}")
        of_codes, names = state.vocabulary()
        return self.decoded(of_codes), names


@dataclass
class Aligned:
    """The cells that belong to sequences, one each: Python lists or Arrow arrays; labels as `LabelColumn`.

    `categories` are those of steps, `static_categories` those of sequences; `lengths` (N,) count the steps of lists of
    names.
    """

    keys: Any = None
    labels: dict[str, LabelColumn] = field(default_factory=dict)
    static: dict[str, Any] = field(default_factory=dict)
    step_labels: LabelColumn | None = None
    categories: dict[str, CategoryColumn] = field(default_factory=dict)
    static_categories: dict[str, CategoryColumn] = field(default_factory=dict)
    lengths: Array = field(default_factory=lambda: np.zeros(0, np.int64))


def with_aligned(
    name: str, ragged: Ragged, found: Aligned, spec: RowSpec, steps: int, warnings: list[str]
) -> Sequences:
    """The sequences of the source `name` with their keys, labels and static numbers; it adds to `warnings`.

    Raises DataError for keys, labels and static numbers that cannot be such.
    """
    per_sequence, names, per_step = dict[str, AnyArray](), dict[str, Array | Text](), dict[str, StepArray]()
    if found.keys is not None:
        with _one_each(name):
            ragged = ragged.replace(keys=keys_of(name, found.keys, warnings))
    if found.labels:
        per_sequence["y"], tables = labels_of(found.labels, warnings)
        names |= tables
    warnings += [
        f"label {label!r} is static too, which leaks the label"
        for label in found.labels
        if label in found.static
    ]
    if found.static:
        per_sequence["static"] = static_of(name, found.static, spec.missing, warnings)
        names["static_features"] = np.array([*found.static], dtype=str)
        if len(found.labels) == 1:
            warnings += _copied(per_sequence, names, next(iter(found.labels)))
    if found.step_labels is not None:
        step_y, classes = _of_steps(found.step_labels, spec, warnings)
        per_step["step_y"] = step_y
        if classes is not None:
            names["step_classes" if found.labels else "classes"] = classes
    if found.static_categories:
        ids, tables = ids_of_names(found.static_categories, "static_", warnings)
        per_sequence["static_c"] = side_by_side(ids)
        names |= tables
    if found.categories:
        ids, tables = ids_of_names(found.categories, "", warnings)
        names |= tables
        if len(ids) == 1 and ragged.values.shape[1:] == (0,):  # then an Embedding reads the steps themselves
            ragged = ragged.replace(values=ids[0], features=None)
        else:
            per_step["c"] = StepArray(side_by_side(ids), PADDING)
    ragged = ragged.replace(per_sequence=per_sequence, names=names, per_step=per_step)
    is_float = ragged.values.dtype.kind == "f"
    missing = sum(int(np.isnan(part).sum()) for _, part in chunks(ragged.values)) if is_float else 0
    warnings += [f"{count(missing, 'missing value')} became NaN"] if missing else []
    return Sequences(ragged, steps, warnings=warnings)


def ids_of_names(
    columns: Mapping[str, CategoryColumn], kind: str, warnings: list[str]
) -> tuple[list[AnyArray], dict[str, Array | Text]]:
    """The ids of each category, and the tables of their names, which begin with `kind`: nothing, or "static_"."""
    ids, names = list[AnyArray](), dict[str, Array | Text]()
    names[f"{kind}categories"] = np.array([*columns], dtype=str)
    for i, column in enumerate(columns.values()):
        found, names[f"{kind}vocabulary_{i}"] = column.ids(warnings)
        ids.append(found)
    return ids, names


@contextmanager
def _one_each(name: str, what: str = "key") -> Iterator[None]:
    """Turn errors of cells that cannot be keys or labels into a DataError that names the source."""
    try:
        yield
    except UnicodeEncodeError:
        raise DataError(f"{name}: a {what} holds a lone surrogate, which is not valid text") from None
    except (BadCellError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"{name}: the {what} must be one text or number each ({error})") from None


def check_equal_lengths(place: str, lengths: Sequence[int], names: Sequence[str]) -> None:
    """Raise DataError, which begins with `place`, where lists for the same steps differ in length."""
    for length, name in zip(lengths, names, strict=True):
        if length != lengths[0]:
            raise DataError(
                f"{place}: {names[0]!r} holds {lengths[0]:,} steps, but {name!r} {length:,}; equal lengths were "
                "expected"
            )


def keys_of(name: str, cells: Any, warnings: list[str]) -> AnyArray | Text:
    """The keys of sequences, (N,), read as `group` reads keys; it adds to `warnings`."""
    column = Keys()
    keys, empty = column.encode(one_kind(cells))
    warnings += [
        f"key {text!r} of {count(rows, 'sequence')} reads as a missing value; it was kept as it is written"
        for text, rows in column.state.words.items()
    ]
    if empty is not None:
        have = "has" if empty.sum() == 1 else "have"
        raise DataError(f"{name}: {count(int(empty.sum()), 'sequence')} {have} no key")
    if not isinstance(keys, np.ndarray) and pa.types.is_dictionary(keys.type):
        keys = keys.dictionary_decode()
    return key_array([keys])


def labels_of(
    columns: Mapping[str, LabelColumn], warnings: list[str]
) -> tuple[AnyArray, dict[str, Array | Text]]:
    """The labels of sequences, (N,), or (N, L) of several, with the names of their classes; it adds to `warnings`."""
    states = {name: column.state(warnings) for name, column in columns.items()}
    if len(states) > 1:
        values, tables = several_meanings(states, None)
        parts = [column.decoded(of_codes) for column, of_codes in zip(columns.values(), values, strict=True)]
        return side_by_side(parts), tables
    ((name, state),) = states.items()
    of_codes, classes = state.finish(None)
    return columns[name].decoded(of_codes), {} if classes is None else {"classes": classes}


def static_of(name: str, fields: dict[str, Any], missing: Sequence[str], warnings: list[str]) -> Array:
    """The static numbers of sequences, (N, P): int64 where all are whole, else float32, or float64 where it must be."""
    columns, read, single = list[Array](), list[Numbers](), np.dtype(np.float32)
    for field_name, cells in fields.items():
        numbers = Numbers(single, missing_words(missing), text=True)
        try:
            columns.append(numbers.encode(one_kind(cells), 0))
        except BadCellError as bad:
            as_names = ["; as ids of names: ", Advice("--category", join_names([field_name]))]
            raise DataError(
                f"{name}: sequence {bad.row}: {field_name!r} is {bad.cell[:40]!r}; a static number was expected",
                *(as_names if bad.cell[:1].isalpha() else []),
            ) from None
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise DataError(f"{name}: {field_name!r} must be one number each ({error})") from None
        if numbers.missing:
            warnings.append(f"{count(numbers.missing, 'missing value')} of {field_name!r} became NaN")
        read.append(numbers)
    if all(numbers.whole for numbers in read):
        dtype: np.dtype[Any] = np.dtype(np.int64)
    else:
        dtype = single if all(one.loss(single) is None for one in read) else np.dtype(np.float64)
    return np.stack(columns, axis=1).astype(dtype)


def _copied(
    per_sequence: Mapping[str, AnyArray], names: Mapping[str, Array | Text], label: str
) -> Iterator[str]:
    """A warning for each static column that equals the label, unless it has the same name."""
    y, static, classes = per_sequence["y"], per_sequence["static"], names.get("classes")
    is_number = classes is None or classes.dtype.kind == "i"
    if not is_number or all((chunk == y[:1]).all() for _, chunk in chunks(y)):
        return
    equal = {
        i: str(name) for i, name in enumerate(np.asarray(names["static_features"]).tolist()) if name != label
    }
    for begin, chunk in chunks(y):
        numbers = chunk if classes is None else np.asarray(classes[:])[chunk]
        cells = static[begin : begin + len(chunk)]
        equal = {i: name for i, name in equal.items() if (cells[:, i] == numbers).all()}
    for name in equal.values():
        yield f"static {name!r} equals {label!r} in all {count(len(y), 'sequence')}, which leaks the label"


def _of_steps(
    labels: LabelColumn, spec: RowSpec, warnings: list[str]
) -> tuple[StepArray, Array | Text | None]:
    """The labels of steps, and the names of their classes; it adds to `warnings`."""
    values, classes = labels.state(warnings).finish(None)
    check_step_value("step_y", spec.label_value, values.dtype, "--label-value")
    return StepArray(labels.decoded(values), spec.label_value), classes


def one_kind(column: Any) -> Any:
    """The cells of records as an Arrow array of one type, integers past 64 bits as text.

    Raises ArrowInvalid for lists, objects, and text among numbers.
    """
    if not isinstance(column, list):
        return column
    kinds = {float if type(cell) is int else type(cell) for cell in column if cell is not None}
    if len(kinds) > 1 or not kinds <= {str, float, bool}:
        raise pa.ArrowInvalid("lists, objects or mixed types")
    if any(type(cell) is int and not -(2**63) <= cell < 2**63 for cell in column):
        column = [None if cell is None else str(cell) for cell in column]
    return pa.array(column)
