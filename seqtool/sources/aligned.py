"""What belongs to sequences that are read record by record: keys, labels, static numbers, labels of steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy, chunks
from seqtool.arrays.text import Text
from seqtool.errors import DataError
from seqtool.grouping.kernel import key_array
from seqtool.sequences.padding_values import check_step_value
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sources.options import RowSpec, Sequences
from seqtool.tables.cells import (
    BadCellError,
    Keys,
    Labels,
    LabelState,
    Numbers,
    missing_words,
    several_meanings,
)
from seqtool.words import count


@dataclass
class Aligned:
    """The cells of what belongs to sequences, one each: lists of Python, or Arrow arrays.

    `step_labels` has learned the labels of all steps, whose codes are `step_codes` (S,).
    """

    keys: Any = None
    labels: dict[str, Any] = field(default_factory=dict)
    static: dict[str, Any] = field(default_factory=dict)
    step_labels: Labels = field(default_factory=Labels)
    step_codes: AnyArray | None = None


def with_aligned(
    name: str, ragged: Ragged, found: Aligned, spec: RowSpec, steps: int, warnings: list[str]
) -> Sequences:
    """The sequences of a source of this name with their keys, labels and static numbers."""
    per_sequence, names, per_step = dict[str, AnyArray](), dict[str, Array | Text](), dict[str, StepArray]()
    try:
        if found.keys is not None:
            ragged = ragged.replace(keys=keys_of(name, found.keys, warnings))
        if found.labels:
            per_sequence["y"], tables = labels_of(name, found.labels, warnings)
            names |= tables
    except UnicodeEncodeError:
        raise DataError(f"{name}: a key or a label holds a lone surrogate, which is not valid text") from None
    except (BadCellError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"{name}: the key and the label must be one text or number each ({error})") from None
    if found.static:
        per_sequence["static"] = static_of(name, found.static, spec.missing, warnings)
        names["static_features"] = np.array([*found.static], dtype=str)
    if found.step_codes is not None:
        step_y, classes = _of_steps(name, found.step_labels, found.step_codes, spec)
        per_step["step_y"] = step_y
        if classes is not None:
            names["step_classes" if found.labels else "classes"] = classes
    ragged = ragged.replace(per_sequence=per_sequence, names=names, per_step=per_step)
    is_float = ragged.values.dtype.kind == "f"
    missing = sum(int(np.isnan(part).sum()) for _, part in chunks(ragged.values)) if is_float else 0
    warnings += [f"{missing:,} missing values became NaN"] if missing else []
    return Sequences(ragged, steps, warnings=warnings)


def check_equal_lengths(place: str, lengths: Sequence[int], names: Sequence[str]) -> None:
    """Raise DataError, which begins with a place, where lists that belong to the same steps are not of one length."""
    for length, name in zip(lengths, names, strict=True):
        if length != lengths[0]:
            raise DataError(
                f"{place}: {names[0]!r} holds {lengths[0]:,} steps, but {name!r} {length:,}; equal lengths were "
                "expected"
            )


def keys_of(name: str, cells: Any, warnings: list[str]) -> AnyArray | Text:
    """The keys of sequences, one each, as `group` would have them; it adds to `warnings`."""
    column = Keys()
    keys, empty = column.encode(one_kind(cells))
    warnings += _kept("key", column.state.words)
    if empty is not None:
        raise DataError(f"{name}: {int(empty.sum()):,} sequences have no key")
    if not isinstance(keys, np.ndarray) and pa.types.is_dictionary(keys.type):
        keys = keys.dictionary_decode()
    return key_array([keys])


def _kept(what: str, words: Mapping[str, int]) -> list[str]:
    """Warnings of keys or labels that are words for missing values."""
    return [
        f"{what} {text!r} of {count(rows, 'sequence')} reads as a missing value; it was kept as it is written"
        for text, rows in words.items()
    ]


def labels_of(
    name: str, fields: dict[str, Any], warnings: list[str]
) -> tuple[Array, dict[str, Array | Text]]:
    """The labels of records, (N,), or (N, L) of several, with the names of their classes; it adds to `warnings`."""
    labels, codes = dict[str, LabelState](), list[Array]()
    for label, cells in fields.items():
        column = Labels()
        codes.append(column.encode(one_kind(cells)))
        if column.missing:
            without = count(column.missing, "sequence")
            have, of = "has" if column.missing == 1 else "have", f" {label!r}" if len(fields) > 1 else ""
            raise DataError(f"{name}: {without} {have} no label{of}")
        labels[label] = column.state
        warnings += _kept("label", column.state.doubtful)
    if len(labels) > 1:
        meanings, tables = several_meanings(labels, None)
        return np.stack([one[some] for one, some in zip(meanings, codes, strict=True)], axis=1), tables
    meaning, classes = next(iter(labels.values())).finish(None)
    return np.asarray(meaning[codes[0]]), {} if classes is None else {"classes": classes}


def static_of(name: str, fields: dict[str, Any], missing: Sequence[str], warnings: list[str]) -> Array:
    """The static numbers of sequences, (N, P): int64 where all are whole, else float32, or float64 where it must be."""
    columns, read, single = list[Array](), list[Numbers](), np.dtype(np.float32)
    for field_name, cells in fields.items():
        numbers = Numbers(single, missing_words(missing), text=True)
        try:
            columns.append(numbers.encode(one_kind(cells), 0))
        except BadCellError as bad:
            raise DataError(
                f"{name}: sequence {bad.row}: {field_name!r} is {bad.cell[:40]!r}; a static number was expected"
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


def _of_steps(
    name: str, labels: Labels, codes: AnyArray, spec: RowSpec
) -> tuple[StepArray, Array | Text | None]:
    if labels.missing:
        have = "step has" if labels.missing == 1 else "steps have"
        raise DataError(f"{name}: {labels.missing:,} {have} no label")
    meaning, classes = labels.finish(None)
    check_step_value("step_y", spec.label_value, meaning.dtype, "--label-value")
    step_y = Lazy(codes.shape, meaning.dtype, lambda begin, end: meaning[codes[begin:end]])
    return StepArray(step_y, spec.label_value), classes


def one_kind(column: Any) -> Any:
    """The cells of records as an Arrow array of one kind; integers past 64 bits as text."""
    if not isinstance(column, list):
        return column
    kinds = {float if type(cell) is int else type(cell) for cell in column if cell is not None}
    if len(kinds) > 1 or not kinds <= {str, float, bool}:
        raise pa.ArrowInvalid("lists, objects or mixed types")
    if any(type(cell) is int and not -(2**63) <= cell < 2**63 for cell in column):
        column = [None if cell is None else str(cell) for cell in column]
    return pa.array(column)
