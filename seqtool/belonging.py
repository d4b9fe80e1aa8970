"""What belongs to the sequences of a file that seqtool did not write: labels, keys and names, called as in ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from seqtool.casting import Array
from seqtool.errors import DataError
from seqtool.npy import cellwise
from seqtool.ragged import Padded, Ragged, StepArray, exchanged
from seqtool.shapes import LAYOUTS, check_layout
from seqtool.windows import AnyArray, windows
from seqtool.zipped import ZipReader

PARTS = ("keys", "features", "y", "step_y", "classes", "step_classes", "static", "static_features")
_TABLES = ("features", "classes", "step_classes", "static_features")
_OWNERS = {"classes": ("y", "step_y"), "step_classes": ("step_y",), "static_features": ("static",)}
_NEVER_LOST = ("keys", "y", "step_y")
_NO_LABEL = -100  # what losses pass over: whatever padding held in labels of steps, it holds this now


@dataclass
class Belonging:
    """What belongs to the sequences of a file, as parts of one of ours; by each part the array it is of.

    `misfits` tells of arrays that are called as one of them, and are none.
    """

    parts: dict[str, AnyArray] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    misfits: dict[str, str] = field(default_factory=dict)

    def joined(self, data: Ragged | Padded) -> Ragged | Padded:
        """The sequences with all of it."""
        parts = self.parts
        per_step = {"step_y": StepArray(parts["step_y"], _NO_LABEL)} if "step_y" in parts else {}
        tables = ("classes", "step_classes", "static_features")
        return cast(
            Ragged | Padded,
            exchanged(
                data,
                keys=parts.get("keys"),
                features=tuple(np.asarray(parts["features"]).tolist()) if "features" in parts else None,
                per_step=per_step,
                per_sequence={name: parts[name] for name in ("y", "static") if name in parts},
                names={name: parts[name] for name in tables if name in parts},
            ),
        )


def belonging(
    archive: ZipReader,
    data: Ragged | Padded,
    taken: Sequence[str],
    said: Mapping[str, str | None],
    *,
    strict: bool,
) -> Belonging:
    """The arrays that are called as they would be in a file of ours, or as is `said`; not those that are `taken`.

    Labels of text become class ids and `classes`. Raises DataError for a misfit that was said and, if `strict`,
    for labels and keys that misfit: they would be lost.
    """
    found = Belonging()
    sizes = _sizes(data)
    way_out = f"; --array {taken[0]} alone leaves it out" if isinstance(data, Padded) else ""
    for part in PARTS:
        name = said.get(part) or part
        owners = _OWNERS.get(part)
        absent = name not in archive.names or name in [*taken, *found.used.values()] or part in found.parts
        if absent or (owners and not {*owners} & {*found.parts}):
            continue
        try:
            made = _part(archive, name, part, sizes)
        except DataError as error:
            if said.get(part) or (strict and part in _NEVER_LOST):
                raise DataError(f"{error}{way_out}") from None
            found.misfits[name] = str(error)
            continue
        found.parts |= made
        found.used["step_y" if "step_y" in made else part] = name
    return found


def _sizes(data: Ragged | Padded) -> dict[str, int]:
    """How large the dimensions of what belongs to sequences must be."""
    if isinstance(data, Padded):
        cells, steps = data.x.shape[2:], {"T": data.x.shape[1]}
    else:
        cells, steps = data.values.shape[1:], {"S": len(data.values)}
    return {"N": len(data), "F": cells[0] if cells else 0, **steps}


def _part(archive: ZipReader, name: str, part: str, sizes: dict[str, int]) -> dict[str, AnyArray]:
    """An array as a part of a file of ours; of labels that are text, class ids and classes."""
    try:
        shape, dtype = archive.header(name)
    except DataError:
        raise DataError(
            f"{name} holds neither numbers nor text: save it as one of these, such as {name}.astype(str)"
        ) from None
    if part == "y" and _is_per_step(shape, sizes):
        part = "step_y"
    is_whole = dtype.kind in "biu" and np.can_cast(dtype, np.int64)
    as_text = part in ("y", "step_y") and dtype.kind == "U"
    kind = "padded" if "T" in sizes else "ragged"
    check_layout(
        name, shape, np.dtype(np.int64) if is_whole or as_text else dtype, LAYOUTS[kind][part], sizes
    )
    if part in _TABLES:
        return {part: archive.read(name)}
    cells: AnyArray = archive.window(name)
    if as_text:
        return _class_ids(part, cells)
    if part in ("keys", "step_y") and is_whole:
        return {part: cellwise(_whole, cells, dtype=np.int64)}
    return {part: cells}


def _is_per_step(shape: tuple[int, ...], sizes: dict[str, int]) -> bool:
    """Whether labels are those of steps: (N, T, ...) in a block of several steps, (S, ...) behind one another."""
    if "T" in sizes:
        return sizes["T"] > 1 and shape[:2] == (sizes["N"], sizes["T"])
    return sizes["S"] != sizes["N"] and shape[:1] == (sizes["S"],)


def _class_ids(part: str, labels: AnyArray) -> dict[str, AnyArray]:
    """Labels of text, (N, ...), as class ids; the classes in sorted order."""
    classes = labels[:0].reshape(-1)
    for _, some in windows(labels):
        classes = np.union1d(classes, some)

    def ids(some: Array) -> Array:
        return np.asarray(np.searchsorted(classes, some))

    return {part: cellwise(ids, labels, dtype=np.int64), "classes": classes}


def _whole(numbers: Array) -> Array:
    return numbers.astype(np.int64)
