"""`describe`: what is in a file of arrays, as data."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqtool import npz
from seqtool.casting import Array
from seqtool.inputs import Input
from seqtool.ragged import Padded, Ragged
from seqtool.zipped import ZipReader, checked_dtype, open_npy

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
        # Reading compares the checksums; a file of ours is read below, all but the mask.
        for name in archive.names if not ours else ["mask"] if "mask" in archive.names else []:
            archive.read(name)
        arrays = [_array(name, *archive.header(name)) for name in archive.names]
        found: dict[str, Any] = {"file": source.name, "arrays": arrays}
        if ours:
            found["sequences"] = _sequences(npz.read(archive))
        return found


def _array(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> dict[str, Any]:
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    return {"name": name, "shape": list(shape), "dtype": str(dtype), "bytes": size}


def _sequences(data: Ragged | Padded) -> dict[str, Any]:
    lengths = data.lengths
    found: dict[str, Any] = {
        "kind": "padded" if isinstance(data, Padded) else "ragged",
        "count": len(data),
        "steps": int(lengths.sum()),
        "empty": int((lengths == 0).sum()),
        "lengths": _quantiles(lengths),
    }
    if isinstance(data, Padded):
        slots = data.x.shape[0] * data.x.shape[1]
        found["padding"] = data.padding
        found["value"] = npz.value_to_json(data.value)
        found["padding_share"] = 1 - int(lengths.sum()) / slots if slots else 0.0
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


def _quantiles(lengths: Array) -> dict[str, float] | None:
    if not len(lengths):
        return None
    return {"min": int(lengths.min()), "median": float(np.median(lengths)), "max": int(lengths.max())}


def _preview(data: Ragged | Padded, i: int) -> dict[str, Any]:
    if isinstance(data, Padded):
        begin = 0 if data.padding == "post" else data.x.shape[1] - int(data.lengths[i])
        steps = data.x[i, begin : begin + int(data.lengths[i])]
    else:
        steps = data.values[data.offsets[i] : data.offsets[i + 1]]
    found: dict[str, Any] = {"length": len(steps)}
    if data.keys is not None:
        found["key"] = data.keys[i].tolist() if data.keys.ndim > 1 else data.keys[i : i + 1].tolist()[0]
    if "y" in data.per_sequence:
        label = data.per_sequence["y"][i]
        found["y"] = (
            str(label) if label.dtype.kind == "f" and not np.isfinite(label).all() else label.tolist()
        )
    found["steps"] = [[str(n) for n in np.atleast_1d(step)] for step in steps[:_STEPS]]
    return found
