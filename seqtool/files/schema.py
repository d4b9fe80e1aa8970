"""The arrays of the file format, in shape and dtype: what `seqtool.files.npz` writes, as a table.

A letter stands for each dimension, the same number wherever it stands: N sequences, T slots, F features, S steps.
A `?` behind the last one says that it may be missing, a `*` that there may be more, `?*` both.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from seqtool.errors import DataError

VERSION = 1
VERSION_ONCE = 2  # of files that hold steps once, which older readers refuse by that
NEWEST = VERSION_ONCE
PER_STEP = ("step_y", "row_index", "c", "observed", "weight", "order")
PER_SEQUENCE = ("y", "static", "static_c", "original_lengths", "part", "split", "y_row_index", "y_order")
NAMES = (
    "classes",
    "step_classes",
    "label_names",
    "static_features",
    "categories",
    "static_categories",
    "order_columns",
    "order_units",
)

INT64, BOOL, NUMBERS, TEXT, ANY = "int64", "bool", "numbers", "text", "numbers or text"
_KINDS = {BOOL: "b", NUMBERS: "biuf", TEXT: "U", ANY: "biufU"}

SEQUENCES = {
    "keys": ("NK?", f"{INT64} or text"),
    "features": ("F", TEXT),
    "y": ("N*", ANY),
    "classes": ("c", ANY),
    "step_classes": ("s", ANY),
    "label_names": ("L", TEXT),
    "categories": ("C", TEXT),
    "static": ("NP", NUMBERS),
    "static_features": ("P", TEXT),
    "static_c": ("ND", NUMBERS),
    "static_categories": ("D", TEXT),
    "order_columns": ("R", TEXT),
    "order_units": ("R", TEXT),
    "original_lengths": ("N", INT64),
    "part": ("N", INT64),
    "split": ("N", TEXT),
    "y_row_index": ("NH", NUMBERS),
    "y_order": ("NHR?", NUMBERS),
}
"""The arrays that padded and ragged files have alike, with their dimensions and what they hold."""

_STEPS = {
    "step_y": ("*", NUMBERS),
    "row_index": ("", NUMBERS),
    "c": ("C", NUMBERS),
    "observed": ("F?*", BOOL),
    "weight": ("", NUMBERS),
    "order": ("R?", NUMBERS),
}

LAYOUTS = {
    "padded": {
        "x": ("NTF?*", NUMBERS),
        "lengths": ("N", INT64),
        **{name: (f"NT{more}", kind) for name, (more, kind) in _STEPS.items()},
        "mask": ("NT", BOOL),
        **SEQUENCES,
    },
    "ragged": {
        "values": ("SF?*", NUMBERS),
        "lengths": ("N", INT64),
        "offsets": ("O", INT64),
        "starts": ("N", INT64),
        **{name: (f"S{more}", kind) for name, (more, kind) in _STEPS.items()},
        **SEQUENCES,
    },
}
"""All arrays of a file of either kind; O is N + 1."""


NAME_TABLES: Final = {"classes": ("c", ANY), "vocabulary": ("v", TEXT), "static_vocabulary": ("v", TEXT)}
"""The layout of `classes_0`, `vocabulary_0` and so on, each of which has its own size."""


def check_layout(
    name: str, shape: tuple[int, ...], dtype: np.dtype[Any], layout: tuple[str, str], sizes: dict[str, int]
) -> None:
    """Raise DataError unless an array is as its layout says; sizes that are seen first become known.

    >>> check_layout("y", (3,), np.dtype("int64"), SEQUENCES["y"], {"N": 4})
    Traceback (most recent call last):
    seqtool.errors.DataError: y has shape (3,); (4) was expected, or more dimensions
    """
    dimensions, what = layout
    if not _holds(what, dtype):
        raise DataError(f"{name} is {dtype}; {what} was expected")
    letters = dimensions.rstrip("?*")
    least = len(letters) - ("?" in dimensions)
    most = np.inf if dimensions.endswith("*") else len(letters)
    known = {letter: size for letter, size in sizes.items() if letter in letters}
    fits = least <= len(shape) <= most and all(
        sizes.setdefault(letter, size) == size for letter, size in zip(letters, shape, strict=False)
    )
    if not fits:
        expected = ", ".join(f"{known[letter]:,}" if letter in known else letter for letter in letters)
        more = f", {letters[-1]} if there is one" if "?" in dimensions else ""
        more += ", or more dimensions" if dimensions.endswith("*") else ""
        raise DataError(f"{name} has shape {shape}; ({expected}) was expected{more}")


def _holds(what: str, dtype: np.dtype[Any]) -> bool:
    if what in _KINDS:
        return dtype.kind in _KINDS[what] and (dtype.kind == "U" or dtype.itemsize <= 8)
    return dtype == np.int64 or (what != INT64 and dtype.kind == "U")
