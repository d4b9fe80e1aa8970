"""`describe`: what is in a file of arrays, as data."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqtool import npz
from seqtool.counting import LengthCounts
from seqtool.inputs import Input
from seqtool.npy import checked_dtype, open_npy
from seqtool.ragged import Padded, Ragged
from seqtool.windows import slots
from seqtool.zipped import ZipReader

_PREVIEWED = 2  # sequences
_STEPS = 5  # of each
_NAMES = 50  # of features and classes


def describe(source: Input) -> dict[str, Any]:
    """The arrays of an `.npz` or `.npy` and, in a file of ours, its sequences.

    Keys of the result: `file`, `arrays` (name, shape, dtype, bytes), and for files of ours `sequences`
    (lengths, padding, keys, features, receipt, preview). Raises DataError for a damaged file.
    """
    if source.kind == "npy":
        array = open_npy(source.path, source.name)
        checked_dtype(array.dtype, source.name)
        return {"file": source.name, "arrays": [_array("(the array)", array.shape, array.dtype)]}
    with ZipReader(source.path, source.name) as archive:
        ours = npz.is_ours(archive)
        archive.verify()
        arrays = [_array(name, *archive.header(name)) for name in archive.names]
        found: dict[str, Any] = {"file": source.name, "arrays": arrays}
        if ours:
            found["sequences"] = _sequences(npz.read(archive))
        return found


def _array(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> dict[str, Any]:
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    return {"name": name, "shape": list(shape), "dtype": str(dtype), "bytes": size}


def _sequences(data: Ragged | Padded) -> dict[str, Any]:
    lengths = LengthCounts.of(data.lengths)
    found: dict[str, Any] = {
        "kind": "padded" if isinstance(data, Padded) else "ragged",
        "count": len(data),
        "steps": lengths.steps,
        "empty": lengths.empty,
        "lengths": _summary(lengths),
    }
    if isinstance(data, Padded):
        slots = data.x.shape[0] * data.x.shape[1]
        found["padding"] = data.padding
        found["value"] = npz.value_to_json(data.value)
        found["padding_share"] = 1 - lengths.steps / slots if slots else 0.0
    if data.keys is not None:
        found["keys"] = {
            "count": len(data.keys),
            "kind": "integers" if data.keys.dtype.kind in "iu" else "text",
        }
    if data.features is not None:
        found["features"] = list(data.features[:_NAMES])
    if "classes" in data.names:
        found["classes"] = data.names["classes"][:_NAMES].tolist()
    found["receipt"] = [dict(entry) for entry in data.receipt]
    found["preview"] = [_preview(data, i) for i in range(min(len(data), _PREVIEWED))]
    return found


def _summary(lengths: LengthCounts) -> dict[str, float] | None:
    if not lengths.count:
        return None
    return {"min": int(lengths.lengths[0]), "median": lengths.median(), "max": lengths.longest}


def _preview(data: Ragged | Padded, i: int) -> dict[str, Any]:
    if isinstance(data, Padded):
        length = int(data.lengths[i : i + 1][0])
        begin = i * data.x.shape[1] + (0 if data.padding == "post" else data.x.shape[1] - length)
        steps = slots(data.x)[begin : begin + min(length, _STEPS)]
    else:
        begin, end = data.offsets[i : i + 2].tolist()
        length = end - begin
        steps = data.values[begin : begin + min(length, _STEPS)]
    found: dict[str, Any] = {"length": length}
    if data.keys is not None:
        found["key"] = data.keys[i : i + 1].tolist()[0]
    if "y" in data.per_sequence:
        label = data.per_sequence["y"][i : i + 1][0]
        found["y"] = (
            str(label) if label.dtype.kind == "f" and not np.isfinite(label).all() else label.tolist()
        )
    found["steps"] = [[str(n) for n in np.atleast_1d(step)] for step in steps]
    return found
