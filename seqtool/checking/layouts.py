"""Whether the arrays of a file are those that the format has, in name, shape and dtype, and its meta is whole.

The specification is the page of `seqtool.npz`; here it is a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from seqtool import npz
from seqtool.errors import DataError
from seqtool.ragged import Side
from seqtool.zipped import ZipReader

_INT64, _NUMBERS, _TEXT, _ANY = "int64", "numbers", "text", "numbers or text"
_STEPS = {"step_y": ("*", _NUMBERS), "row_index": ("", _NUMBERS), "c": ("C", _NUMBERS)}
# A letter for each dimension, the same number wherever it stands; ? for one that may be missing, * for any more.
_SEQUENCES = {
    "keys": ("NK?", f"{_INT64} or text"),
    "features": ("F", _TEXT),
    "y": ("N*", _ANY),
    "classes": ("c", _ANY),
    "step_classes": ("s", _ANY),
    "static": ("NP", _NUMBERS),
    "static_features": ("P", _TEXT),
    "original_lengths": ("N", _INT64),
}
_LAYOUTS = {
    "padded": {
        "x": ("NTF?", _NUMBERS),
        "lengths": ("N", _INT64),
        **{name: (f"NT{more}", kind) for name, (more, kind) in _STEPS.items()},
        "mask": ("NT", "bool"),
        **_SEQUENCES,
    },
    "ragged": {
        "values": ("SF?", _NUMBERS),
        "lengths": ("N", _INT64),
        "offsets": ("O", _INT64),
        **{name: (f"S{more}", kind) for name, (more, kind) in _STEPS.items()},
        **_SEQUENCES,
    },
}
_NEEDED = {"padded": {"x", "lengths"}, "ragged": {"values", "offsets", "lengths"}}


def check_arrays(archive: ZipReader) -> str:
    """Tell whether a file of ours is padded or ragged; raise DataError where an array is not as it should be."""
    headers = {name: archive.header(name) for name in archive.names}
    kind = "ragged" if "values" in headers else "padded"
    layout = _LAYOUTS[kind]
    missing = _NEEDED[kind] - set(headers)
    if missing:
        raise DataError(f"{', '.join(sorted(missing))} is missing from the arrays of a {kind} file")
    parts = {f"{name}_{end}" for name in layout for end in ("offsets", "shape") if f"{name}_shape" in headers}
    unknown = sorted({*headers} - {*layout, *parts, "meta"} | {*archive.strangers})
    if unknown:
        raise DataError(f"{unknown[0]} is no array of a {kind} file of this version")
    sizes: dict[str, int] = {}
    for name, (dimensions, what) in layout.items():
        if name in headers:
            shape, dtype = _text_header(archive, name) if f"{name}_shape" in headers else headers[name]
            if not _is(what, dtype):
                raise DataError(f"{name} is {dtype}; {what} was expected")
            _check_shape(name, shape, dimensions, sizes)
            if "N" in sizes:
                sizes["O"] = sizes["N"] + 1
    return kind


def _text_header(archive: ZipReader, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The header of text that is stored as bytes."""
    return tuple(archive.read(f"{name}_shape").reshape(-1).tolist()), np.dtype(np.str_)


def _is(what: str, dtype: np.dtype[Any]) -> bool:
    kinds = {"bool": "b", _NUMBERS: "biuf", _TEXT: "U", _ANY: "biufU"}
    if what in kinds:
        return dtype.kind in kinds[what] and (dtype.kind == "U" or dtype.itemsize <= 8)
    return dtype == np.int64 or (what != _INT64 and dtype.kind == "U")


def _check_shape(name: str, shape: tuple[int, ...], dimensions: str, sizes: dict[str, int]) -> None:
    """Raise DataError unless a shape has these dimensions; those that are seen first become known."""
    letters = dimensions.rstrip("?*")
    least = len(letters) - dimensions.endswith("?")
    most = np.inf if dimensions.endswith("*") else len(letters)
    known = {letter: size for letter, size in sizes.items() if letter in letters}
    fits = least <= len(shape) <= most and all(
        sizes.setdefault(letter, size) == size for letter, size in zip(letters, shape, strict=False)
    )
    if not fits:
        expected = ", ".join(f"{known[letter]:,}" if letter in known else letter for letter in letters)
        more = {"?": f", {letters[-1]} if there is one", "*": ", or more dimensions"}.get(dimensions[-1], "")
        raise DataError(f"{name} has shape {shape}; ({expected}) was expected{more}")


def check_meta(archive: ZipReader, kind: str) -> Mapping[str, Any]:
    """The `meta` of a file whose arrays are sound; raises DataError where it is damaged or contradicts them."""
    meta = npz.read_meta(archive)
    if meta.get("kind") != kind:
        raise DataError(f"says kind {meta.get('kind')!r}, but the arrays are those of a {kind} file")
    values, receipt = meta.get("step_values"), meta.get("receipt")
    if not isinstance(values, dict) or not isinstance(receipt, list):
        raise DataError("has no step_values, or no receipt")
    per_step = [name for name in npz.PER_STEP if name in archive.names]
    told = {f"step_values[{name}]": values.get(name) for name in per_step}
    if kind == "padded":
        if meta.get("padding") not in get_args(Side):
            raise DataError(f"says padding {meta.get('padding')!r}; pre or post was expected")
        value = meta.get("value")
        told |= (
            {f"value[{i}]": part for i, part in enumerate(value)}
            if isinstance(value, list)
            else {"value": value}
        )
    for what, number in told.items():
        if number not in ("nan", "inf", "-inf") and type(number) not in (int, float):
            raise DataError(f"says that padding holds {number!r} ({what}); a number was expected")
    return meta
