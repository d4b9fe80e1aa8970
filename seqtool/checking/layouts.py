"""Whether the arrays of a file have the names, shapes and dtypes of the format, and its meta is complete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from seqtool.errors import DataError
from seqtool.files import npz
from seqtool.files.schema import LAYOUTS, NAME_TABLES, PER_STEP, check_layout
from seqtool.files.stored import Archive
from seqtool.sequences.labels import check_label_shapes, check_vocabularies, name_tables
from seqtool.sequences.padding_values import Side
from seqtool.words import step_in_words

_NEEDED = {"padded": {"x", "lengths"}, "ragged": {"values", "offsets", "lengths"}}


def check_arrays(archive: Archive) -> str:
    """The kind of a file of ours, padded or ragged; raises DataError where an array does not fit the format."""
    headers = {name: archive.header(name) for name in archive.names}
    kind = "ragged" if "values" in headers else "padded"
    tables = name_tables(headers)
    layout = {**LAYOUTS[kind], **{name: NAME_TABLES[name.rpartition("_")[0]] for name in tables}}
    missing = _NEEDED[kind] - set(headers) - ({"offsets"} if "starts" in headers else set())
    if missing:
        raise DataError(f"{', '.join(sorted(missing))} is missing from the arrays of a {kind} file")
    parts = {f"{name}_{end}" for name in layout for end in ("offsets", "shape") if f"{name}_shape" in headers}
    unknown = sorted({*headers} - {*layout, *parts, "meta"} | {*archive.strangers})
    if unknown:
        raise DataError(f"{unknown[0]} is not an array of a {kind} file of this version")
    sizes: dict[str, int] = {}
    shapes = dict[str, tuple[int, ...]]()
    for name in layout:
        if name in headers:
            shape, dtype = _text_header(archive, name) if f"{name}_shape" in headers else headers[name]
            check_layout(name, shape, dtype, layout[name], {} if name in tables else sizes)
            shapes[name] = shape
            if "N" in sizes:
                sizes["O"] = sizes["N"] + 1
    check_label_shapes(shapes.get("label_names"), shapes.get("y"), tables)
    check_vocabularies(shapes, tables)
    step = shapes["values"][1:] if kind == "ragged" else shapes["x"][2:]
    if "features" in shapes and len(step) != 1:
        raise DataError(f"features names {sizes['F']} features, but a step is {step_in_words(step)}")
    return kind


def _text_header(archive: Archive, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and dtype of a text array that is stored as bytes and offsets."""
    return npz.text_shape(archive, name), np.dtype(np.str_)


def check_meta(archive: Archive, kind: str) -> Mapping[str, Any]:
    """The `meta` of a file whose arrays are sound; raises DataError where it is damaged or contradicts them."""
    meta = npz.read_meta(archive)
    if meta.get("kind") != kind:
        raise DataError(f"kind is {meta.get('kind')!r}, but the arrays are those of a {kind} file")
    tables, stored = meta.get("tables", {}), name_tables(archive.names)
    if not isinstance(tables, dict):
        raise DataError(f"tables is {tables!r}; an object was expected")
    if {*tables} != {*stored}:
        names = ", ".join(tables) or "none", ", ".join(stored) or "none"
        raise DataError(f"tables names {names[0]}, but the arrays are {names[1]}")
    values, receipt = meta.get("step_values"), meta.get("receipt")
    if not isinstance(values, dict) or not isinstance(receipt, list):
        raise DataError("step_values or receipt is missing")
    per_step = [name for name in PER_STEP if name in archive.names]
    numbers = {f"step_values[{name}]": values.get(name) for name in per_step}
    if kind == "padded":
        if meta.get("padding") not in get_args(Side):
            raise DataError(f"padding is {meta.get('padding')!r}; pre or post was expected")
        value = meta.get("value")
        numbers |= (
            {f"value[{i}]": part for i, part in enumerate(value)}
            if isinstance(value, list)
            else {"value": value}
        )
    for entry, number in numbers.items():
        if number not in ("nan", "inf", "-inf") and type(number) not in (int, float):
            raise DataError(f"{entry} is {number!r}; a number was expected")
    return meta
