"""What is in a file of arrays, as data; and one of its sequences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from seqtool.arrays.lazy import AnyArray, Lazy, chunks, slots
from seqtool.errors import DataError
from seqtool.files import npz
from seqtool.files.inputs import Input
from seqtool.files.npy import checked_dtype, open_npy
from seqtool.files.zip_reader import ZipReader
from seqtool.inspecting.planning import length_bars
from seqtool.sequences.lengths import LengthCounts
from seqtool.sequences.padding_values import value_to_json
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.words import join_names, split_names

_PREVIEWED = 2  # sequences
_STEPS = 5  # of each
_NAMES = 50  # of features and classes
_KEYS = 10_000  # that are compared with one that is not found


@contextmanager
def described(source: Input) -> Iterator[tuple[dict[str, Any], Ragged | Padded | None]]:
    """The facts of an `.npz` or `.npy` and, of a file of ours, its sequences, which can be read within the block.

    Keys of the facts: `file`, `arrays` (name, shape, dtype, bytes), and for files of ours `sequences` (lengths,
    histogram, padding, keys, features, receipt, preview). Raises DataError for a damaged file.
    """
    if source.kind == "npy":
        array = open_npy(source.path, source.name)
        checked_dtype(array.dtype, source.name)
        yield {"file": source.name, "arrays": [_array("(the array)", array.shape, array.dtype)]}, None
        return
    with ZipReader(source.path, source.name) as archive:
        ours = npz.is_ours(archive)
        archive.verify()
        arrays = [_array(name, *archive.header(name)) for name in archive.names]
        facts: dict[str, Any] = {"file": source.name, "arrays": arrays}
        data = npz.read(archive) if ours else None
        if data is not None:
            facts["sequences"] = _sequences(data)
        yield facts, data


@dataclass(frozen=True)
class Slots:
    """Where one sequence stands: `slots` is (T, F) or (T,), of which those from `begin` to `end` are its steps."""

    slots: AnyArray
    begin: int
    end: int

    @property
    def steps(self) -> AnyArray:
        """The steps alone."""
        return _rows(self.slots, self.begin, self.end)


def slots_of(data: Ragged | Padded, i: int) -> Slots:
    """The window of sequence i; nothing of it is read yet.

    >>> slots_of(Ragged(np.arange(5), np.array([0, 2, 5])), 1).steps[:].tolist()
    [2, 3, 4]
    """
    if isinstance(data, Ragged):
        begin, end = data.offsets[i : i + 2].tolist()
        return Slots(_rows(data.values, begin, end), 0, end - begin)
    length, width = int(data.lengths[i : i + 1][0]), data.x.shape[1]
    first = 0 if data.padding == "post" else width - length
    return Slots(_rows(slots(data.x), i * width, (i + 1) * width), first, first + length)


def _rows(array: AnyArray, first: int, last: int) -> Lazy:
    shape = (last - first, *array.shape[1:])
    return Lazy(shape, array.dtype, lambda begin, end: array[first + begin : first + end])


def sequence_facts(data: Ragged | Padded, i: int) -> dict[str, Any]:
    """What is known of sequence i: `sequence`, `length`, `key`, `y`, `features`, and its first `steps` as text."""
    facts = _preview(data, i)
    if data.features is not None:
        facts["features"] = list(data.features)
    return facts


def of_ours(data: Ragged | Padded | None, name: str) -> Ragged | Padded:
    """The sequences of a file of this name; raises DataError where nobody knows what they are."""
    if data is None:
        raise DataError(
            f"{name}: not written by seqtool, so its sequences are not known; seqtool pad takes it"
        )
    return data


def find_sequence(data: Ragged | Padded, wanted: str, *, name: str) -> int:
    """The place of the sequence with this key; where there are no keys, of that number, counted from 0.

    A key of several columns is written with commas. Raises DataError, which begins with the `name` of the file,
    where there is none.

    >>> find_sequence(Ragged(np.arange(3), np.array([0, 1, 3]), keys=np.array(["a", "b"])), "b", name="in.npz")
    1
    """
    if data.keys is None:
        if _is_whole(wanted) and 0 <= int(wanted) < len(data):
            return int(wanted)
        last = f"from 0 to {len(data) - 1:,}" if len(data) else "but it holds none"
        raise DataError(f"{name}: no sequence {wanted}; sequences without keys are counted {last}")
    composite, whole = data.keys.ndim > 1, data.keys.dtype.kind in "iu"
    cells = split_names(wanted) if composite else [wanted]
    if len(cells) == (data.keys.shape[1] if composite else 1) and (not whole or all(map(_is_whole, cells))):
        sought = np.array([int(cell) for cell in cells] if whole else cells)
        for begin, part in chunks(data.keys):  # type: ignore[arg-type] # text has windows like any array
            same = (part.reshape(len(part), -1) == sought).all(axis=1)
            if same.any():
                return begin + int(np.argmax(same))
    known = [join_names([*map(str, key)]) if composite else str(key) for key in data.keys[:_KEYS].tolist()]
    near = get_close_matches(wanted, known, 3)
    hint = f"near ones are {', '.join(near)}" if near else f"keys look like {', '.join(known[:3])}"
    raise DataError(
        f"{name}: no sequence has the key {wanted!r}; {hint if known else 'it holds no sequence'}"
    )


def _is_whole(text: str) -> bool:
    """Whether text is a number that keys of whole numbers may hold."""
    return text.removeprefix("-").isdecimal() and len(text) < 30 and -(1 << 63) <= int(text) < 1 << 63


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
        "histogram": [
            dict(zip(("from", "to", "sequences"), bar, strict=True)) for bar in length_bars(lengths)
        ],
    }
    if isinstance(data, Padded):
        all_slots = data.x.shape[0] * data.x.shape[1]
        found["padding"] = data.padding
        found["value"] = value_to_json(data.value)
        found["padding_share"] = 1 - lengths.steps / all_slots if all_slots else 0.0
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
    steps = slots_of(data, i).steps
    found: dict[str, Any] = {"sequence": i, "length": len(steps)}
    if data.keys is not None:
        found["key"] = data.keys[i : i + 1].tolist()[0]
    if "y" in data.per_sequence:
        label = data.per_sequence["y"][i : i + 1][0]
        found["y"] = (
            str(label) if label.dtype.kind == "f" and not np.isfinite(label).all() else label.tolist()
        )
    found["steps"] = [[str(n) for n in np.atleast_1d(step)] for step in steps[:_STEPS]]
    return found
