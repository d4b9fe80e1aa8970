"""One sequence a file: an array (L, F), (L,) or (L, H, W, C) in each `.npy`; paths give keys, labels and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.lazy import AnyArray, concatenated, side_by_side
from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import Input
from seqtool.files.npy import open_npy_each_time
from seqtool.files.path_parts import PathPattern, parts_of
from seqtool.sequences.ragged import Ragged
from seqtool.sources.options import Sequences, SourceOptions


def read_array_files(inputs: Sequence[Input], options: SourceOptions) -> Sequences:
    """The arrays of some files, one sequence each, in the order of the files; `foreign.key_from` names path parts.

    Headers are read here, steps later in chunks, with one file open at a time. Raises DataError for a file that holds
    no such array, and for parts that cannot be labels or static numbers.
    """
    spec = options.foreign
    assert spec.key_from is not None, "the caller knows that there is a pattern"
    pattern = PathPattern(spec.key_from)
    others = {*spec.rows.options} - {"--category"}
    if spec.array or spec.named or spec.of_blocks or others:
        names = ("--array", "--label", "--step-label", "--key", *spec.of_blocks, *others)
        raise UsageError("--key-from takes one sequence of each file, whole: ", spec.without(*names))
    strange = [name for name in spec.rows.category if name not in pattern.names or name in ("key", "label")]
    if strange:
        raise UsageError(
            f"--category and --key-from: the paths have no part {{{strange[0]}}} that tells of sequences: ",
            spec.without("--category"),
        )
    parts = parts_of([item.name for item in inputs], pattern)
    arrays = [_array(item, spec.key_from) for item in inputs]
    offsets = np.concatenate([[0], np.cumsum([len(array) for array in arrays], dtype=np.int64)])
    values = concatenated(arrays, (int(offsets[-1]), *arrays[0].shape[1:]), _common_dtype(inputs, arrays))
    columns = {name: [of_file[name] for of_file in parts] for name in pattern.names}
    warnings: list[str] = []
    files = [item.name for item in inputs]
    ragged = Ragged(values, offsets, **_described(columns, pattern, files, options, warnings))
    return Sequences(ragged, int(offsets[-1]), notes=["each file is one sequence"], warnings=warnings)


def _array(item: Input, pattern: str) -> AnyArray:
    if item.kind != "npy":
        as_table = Advice("seqtool", "group", item.source, "--key-from", pattern)
        raise DataError(
            f"{item.name}: no .npy, of which --key-from takes one a file; rows of tables are grouped: ",
            as_table,
        )
    array = open_npy_each_time(item.path, item.name)
    if not array.shape or array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise DataError(
            f"{item.name}: holds {array.dtype} {array.shape}; numbers of (L,), (L, F) or (L, H, W, C) were expected, "
            "one sequence a file"
        )
    return array


def _common_dtype(inputs: Sequence[Input], arrays: Sequence[AnyArray]) -> np.dtype[Any]:
    """The type that holds the steps of all files; raises DataError where none does, or steps differ in shape."""
    first, dtype = arrays[0].shape, np.result_type(*(array.dtype for array in arrays))
    for item, array in zip(inputs, arrays, strict=True):
        if array.shape[1:] != first[1:]:
            raise DataError(
                f"{item.name} has shape {array.shape}, but {inputs[0].name} {first}; the same features were expected "
                "of all"
            )
        if dtype.kind == "f" and array.dtype.kind in "iu" and array.dtype.itemsize == 8:
            raise DataError(
                f"{item.name} is {array.dtype}, and others hold floats; no type holds both to the last digit: save all "
                "in one type"
            )
    return dtype


def _described(
    columns: dict[str, list[str]],
    pattern: PathPattern,
    files: Sequence[str],
    options: SourceOptions,
    warnings: list[str],
) -> dict[str, Any]:
    """Keys, labels and static numbers from the parts of paths, as arguments of `Ragged`; it adds to `warnings`."""
    from seqtool.sources.aligned import (
        CategoryColumn,
        LabelColumn,
        ids_of_names,
        keys_of,
        labels_of,
        static_of,
    )

    place, keys = f"--key-from {pattern.text!r}", None
    per_sequence, names = dict[str, AnyArray](), dict[str, Any]()
    if "key" in columns:
        keys = keys_of(place, columns["key"], warnings)
    if "label" in columns:
        labels = LabelColumn(place, "label", options, place=files.__getitem__)
        labels.add(columns["label"])
        per_sequence["y"], classes = labels_of({"label": labels}, warnings)
        names |= classes
    categories = {name: columns[name] for name in options.foreign.rows.category if name in columns}
    if categories:
        of_names = {name: CategoryColumn(place, name, options) for name in categories}
        for name, cells in categories.items():
            of_names[name].add(cells)
        ids, tables = ids_of_names(of_names, "static_", warnings)
        per_sequence["static_c"] = side_by_side(ids)
        names |= tables
    apart = {"key", "label", *categories}
    static = {name: cells for name, cells in columns.items() if name not in apart}
    if static:
        _check_numbers(static, pattern)
        per_sequence["static"] = static_of(place, static, (), warnings)
        names["static_features"] = np.array([*static], dtype=str)
    return {"keys": keys, "per_sequence": per_sequence, "names": names}


def _check_numbers(static: dict[str, list[str]], pattern: PathPattern) -> None:
    """Raise DataError for a part of a path that would be a static number and is text."""
    from seqtool.tables.csv_dialect import is_number
    from seqtool.tables.file_columns import refuse_part

    for name, cells in static.items():
        wrong = next((cell for cell in cells if not is_number(cell)), None)
        if wrong is not None:
            raise refuse_part(name, wrong, pattern)
