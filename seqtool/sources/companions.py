"""Labels, keys and names in a file that seqtool did not write, recognised by the array names of our own files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import cast

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, first_loss
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.spool import Spool
from seqtool.arrays.text import Text, check_text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.files.npy import cellwise
from seqtool.files.schema import ANY, LAYOUTS, NAME_TABLES, check_layout
from seqtool.files.zip_reader import ZipReader
from seqtool.sequences.labels import check_label_shapes, class_tables
from seqtool.sequences.padding_values import UNLABELLED
from seqtool.sequences.ragged import Padded, Ragged, StepArray, exchanged
from seqtool.sources.labels import (
    are_of_steps,
    as_classes,
    labels_together,
)
from seqtool.sources.options import ForeignSpec

PARTS = (
    *("keys", "part", "split", "features", "y", "label_names", "step_y"),
    *("classes", "step_classes", "static", "static_features"),
)
NEVER_LOST = ("keys", "y", "step_y")
"""Parts whose loss is an error: it is not enough to warn that they could not be read."""
_PER_SEQUENCE = ("y", "static", "part", "split")
_TABLES = ("classes", "step_classes", "label_names", "static_features")
_OWNERS = {
    "classes": ("y", "step_y"),
    "step_classes": ("step_y",),
    "label_names": ("y",),
    "static_features": ("static",),
}
_INT64 = np.dtype(np.int64)


@dataclass
class Companions:
    """What belongs to the sequences of a file, by the part that it is in a file of ours.

    `used` has the array of each part; `misfits` describes arrays that have the name of a part, but do not fit;
    `warnings` what may be wrong with others.
    """

    parts: dict[str, AnyArray | Text] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    misfits: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def lacks(self, part: str, name: str) -> bool:
        """Whether an array may become this part: neither is in use, and what the part describes is there."""
        if part in self.parts or name in self.used.values():
            return False
        if part == "classes" and "label_names" in self.parts:  # each of several labels has its own
            return False
        owners = _OWNERS.get(part)
        return owners is None or not {*owners}.isdisjoint(self.parts)

    def joined(self, data: Ragged | Padded, label_value: float = UNLABELLED) -> Ragged | Padded:
        """The sequences with all parts; `label_value` pads labels of steps."""
        parts = self.parts
        per_step = (
            {"step_y": StepArray(cast(AnyArray, parts["step_y"]), label_value)} if "step_y" in parts else {}
        )
        features = tuple(np.asarray(parts["features"]).tolist()) if "features" in parts else None
        changes = {
            "keys": parts.get("keys"),
            "features": features,
            "per_step": per_step,
            "per_sequence": {name: parts[name] for name in _PER_SEQUENCE if name in parts},
            "names": {name: parts[name] for name in (*_TABLES, *class_tables(parts)) if name in parts},
        }
        return cast(Ragged | Padded, exchanged(data, **changes))


def companions(
    archive: ZipReader,
    data: Ragged | Padded,
    taken: Sequence[str],
    foreign: ForeignSpec,
    spool: Spool,
    *,
    strict: bool,
) -> Companions:
    """The arrays that are named as in a file of ours, or by `foreign`, apart from those already `taken`.

    Labels of text become class ids and classes; several labels become the columns of `y`. Raises DataError for an
    array that `foreign` names and that does not fit and, if `strict`, for labels and keys that do not, since they
    would be lost.
    """
    found, sizes = Companions(), _sizes(data)
    named = {"y": next(iter(foreign.labels), None), "keys": foreign.key, "step_y": foreign.step_label}
    if len(foreign.labels) > 1:
        several = {name: _checked(archive, name, ("N", ANY), sizes) for name in foreign.labels}
        found.parts |= labels_together(several, archive.memory, spool, found.warnings)
        found.used |= {f"y of {name}": name for name in foreign.labels}
    for part in PARTS:
        name, is_named = named.get(part) or part, named.get(part) is not None
        if name in taken or name not in archive.names or not found.lacks(part, name):
            continue
        if not is_named and name in named.values():  # it is another part
            continue
        try:
            open_question = part == "y" and not is_named and "label_names" not in archive.names
            kind = "step_y" if open_question and are_of_steps(_window(archive, name), name, data) else part
            added = _part(archive, name, kind, sizes, data, spool, found)
        except DataError as error:
            if is_named or (strict and part in NEVER_LOST):
                options = {"--label": "y", "--step-label": "step_y", "--key": "keys"}
                without = [option for option, of in options.items() if named.get(of)]
                raise DataError(
                    error, "; to leave it out: ", Advice("--array", taken[0], without=without)
                ) from None
            found.misfits[name] = str(error)
            continue
        found.parts |= added
        found.used[kind] = name
        found.used |= {table: table for table in class_tables(added)}
    return found


def _sizes(data: Ragged | Padded) -> dict[str, int]:
    """The sizes of the dimensions N, F, and T or S, which arrays beside the sequences must have."""
    if isinstance(data, Padded):
        cells, steps = data.x.shape[2:], {"T": data.x.shape[1]}
    else:
        cells, steps = data.values.shape[1:], {"S": len(data.values)}
    return {"N": len(data), "F": cells[0] if len(cells) == 1 else 0, **steps}


def _part(
    archive: ZipReader,
    name: str,
    part: str,
    sizes: dict[str, int],
    data: Ragged | Padded,
    spool: Spool,
    found: Companions,
) -> dict[str, AnyArray | Text]:
    """An array as a part of a file of ours, beside those `found`; labels of text give class ids and their classes."""
    shape, dtype = _header(archive, name)
    cells: AnyArray = archive.window(name)
    as_text = part in ("y", "step_y") and dtype.kind == "U"
    has_classes = part == "y" and "classes" in archive.names
    if part in _PER_SEQUENCE:
        archive.check_row(name)
    as_whole = part in (*NEVER_LOST, "part") and _are_whole(cells, floats=part == "keys" or has_classes)
    layout = LAYOUTS["padded" if isinstance(data, Padded) else "ragged"][part]
    _checked(archive, name, layout, sizes, dtype=_INT64 if as_text or as_whole else dtype)
    if part == "features" or part in _TABLES:
        if part == "label_names":
            check_label_shapes(shape, _header(archive, "y")[0], archive.names)
        tables = class_tables(archive.names) if part == "label_names" else {}
        for table in tables:
            check_layout(table, *_header(archive, table), NAME_TABLES["classes"], {})
        return {part: _distinct(archive, name), **{table: _distinct(archive, table) for table in tables}}
    if as_text:
        block = data if part == "step_y" else None
        ids, classes = as_classes(cells, block, name, archive.memory, spool, found.warnings)
        return {part: ids, "step_classes" if "y" in found.parts else "classes": classes}
    return {part: cellwise(as_int64, cells, dtype=_INT64) if as_whole else cells}


def _distinct(archive: ZipReader, name: str) -> Array:
    """The names in an array; raises DataError for a duplicate."""
    names = archive.read(name)
    if len(np.unique(names)) < len(names):
        raise DataError(f"{name} holds a name twice")
    return names


def _checked(
    archive: ZipReader,
    name: str,
    layout: tuple[str, str],
    sizes: dict[str, int],
    *,
    dtype: np.dtype[np.generic] | None = None,
) -> AnyArray:
    """An array whose shape and type fit a layout; `dtype` is the type that it becomes. Raises DataError otherwise."""
    shape, stored = _header(archive, name)
    check_layout(name, shape, stored if dtype is None else dtype, layout, sizes)
    cells = archive.window(name)
    if stored.kind == "U":
        check_text(name, cells)
    return cells


def _window(archive: ZipReader, name: str) -> AnyArray:
    """An array, read in chunks; raises DataError as `_header` does."""
    _header(archive, name)
    return archive.window(name)


def _header(archive: ZipReader, name: str) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """The shape and the type of an array; raises DataError for one of objects."""
    try:
        return archive.header(name)
    except DataError:
        raise DataError(
            f"{name} holds neither numbers nor text: save it as one of these, such as {name}.astype(str)"
        ) from None


def _are_whole(cells: AnyArray, *, floats: bool) -> bool:
    """Whether int64 holds all of these numbers; `floats` says that floats may be whole numbers too."""
    if cells.dtype.kind in "biu":
        return all(first_loss(part, _INT64) is None for _, part in chunks(cells))
    return floats and are_whole_floats(cells)


def are_whole_floats(cells: AnyArray) -> bool:
    """Whether these are floats and each is a whole number that int64 holds."""
    return cells.dtype.kind == "f" and all(first_loss(part, _INT64) is None for _, part in chunks(cells))


def as_int64(numbers: Array) -> Array:
    """The numbers as int64."""
    return numbers.astype(_INT64)
