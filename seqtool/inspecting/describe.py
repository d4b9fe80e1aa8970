"""The facts of a file of arrays, and of one of its sequences, as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from math import prod
from typing import Any

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray, slots, span, stretch
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.files import npz
from seqtool.files.archives import archive_of
from seqtool.files.inputs import Input
from seqtool.files.npy import checked_dtype, open_npy
from seqtool.files.schema import PER_STEP
from seqtool.files.stored import Archive
from seqtool.files.stored_rows import StoredRows
from seqtool.inspecting.not_finite import not_finite
from seqtool.inspecting.planning import length_bars
from seqtool.sequences.categories import all_categories
from seqtool.sequences.keys import is_whole, places_of
from seqtool.sequences.labels import several_labels, some_classes
from seqtool.sequences.lengths import LengthCounts
from seqtool.sequences.orders import order_titles
from seqtool.sequences.padding_values import value_to_json
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sequences.splits import counts_of
from seqtool.words import join_names, split_names

_PREVIEWED = 2  # sequences
_STEPS = 5  # shown of each
_NAMES = 50  # shown of features and classes
_NUMBERS = 1000  # a label of more is not shown
_KEYS = 10_000  # searched for keys like one that is not there
_PARTS = 8  # listed of a key


@contextmanager
def described(
    source: Input, *, full: bool = False
) -> Iterator[tuple[dict[str, Any], Ragged | Padded | None]]:
    """The facts of an `.npz` or `.npy` and, of a file of ours, its sequences, which can be read inside the block.

    Keys of the facts: `file`, `arrays` (name, shape, dtype, bytes), `not_read`, and for files of ours `sequences`
    (lengths, histogram, padding, keys, part, features, receipt, preview). Of arrays of more than 64 MB together, the
    steps are not read unless `full`: `not_read` names them. Raises DataError for a damaged file.
    """
    if source.kind == "npy":
        array = open_npy(source.path, source.name)
        checked_dtype(array.dtype, source.name)
        arrays = [_array("(the array)", array.shape, array.dtype)]
        yield {"file": source.name, "arrays": arrays, "not_read": []}, None
        return
    with archive_of(source) as archive:
        ours = npz.is_ours(archive)
        not_read = [] if full else _left_unread(archive, ours=ours)
        archive.verify(but=not_read)
        arrays = [_array(name, *archive.header(name)) for name in archive.names]
        facts: dict[str, Any] = {"file": source.name, "arrays": arrays, "not_read": not_read}
        data = npz.read(archive, steps=not not_read) if ours else None
        if data is not None:
            facts["sequences"] = _sequences(data, whole=not not_read)
        yield facts, data


_SMALL = 64 << 20  # bytes of arrays that are read at once


def _left_unread(archive: Archive, *, ours: bool) -> list[str]:
    """The arrays that take long to read, and tell little of a file at a glance; none of a small file."""
    if isinstance(archive, StoredRows):  # of which lengths are known only when all rows were read
        return []
    sizes = {name: _array(name, *archive.header(name))["bytes"] for name in archive.names}
    if sum(sizes.values()) <= _SMALL:
        return []
    return [name for name in sizes if not ours or name in ("x", "values", "mask", *PER_STEP)]


@dataclass(frozen=True)
class Slots:
    """One sequence with its padding: `slots` (T, F) or (T,), of which those from `begin` to `end` are its steps."""

    slots: AnyArray
    begin: int
    end: int

    @property
    def steps(self) -> AnyArray:
        """The steps without padding."""
        return stretch(self.slots, self.begin, self.end)


def slots_of(data: Ragged | Padded, i: int) -> Slots:
    """Sequence i with its padding, read only when it is indexed.

    >>> slots_of(Ragged(np.arange(5), np.array([0, 2, 5])), 1).steps[:].tolist()
    [2, 3, 4]
    """
    if isinstance(data, Ragged):
        begin, end = data.offsets[i : i + 2].tolist()
        return Slots(stretch(data.values, begin, end), 0, end - begin)
    length, width = int(data.lengths[i : i + 1][0]), data.x.shape[1]
    first = 0 if data.padding == "post" else width - length
    return Slots(stretch(slots(data.x), i * width, (i + 1) * width), first, first + length)


def sequence_facts(data: Ragged | Padded, i: int) -> dict[str, Any]:
    """The facts of sequence i: `sequence`, `length`, `key`, `part`, `y`, `features`, and its first `steps`.

    For steps of several dimensions, `extent` stands for `steps`: the least, the mean and the largest number of each.
    """
    facts = _preview(data, i)
    if data.features is not None:
        facts["features"] = list(data.features)
    return facts


def known_sequences(data: Ragged | Padded | None, name: str) -> Ragged | Padded:
    """The sequences of the file of this name; raises DataError for None, those of a file that seqtool did not write."""
    if data is None:
        raise DataError(
            f"{name}: not written by seqtool, so its sequences are unknown; convert it: ",
            Advice("seqtool", "pad", name),
        )
    return data


def find_sequence(data: Ragged | Padded, wanted: str, *, name: str) -> int:
    """The position of the sequence with this key; without keys, `wanted` is the position itself, counted from 0.

    The columns of a key are joined by commas. Where sequences have parts, a comma and the part may follow the key, and
    must follow one that has several parts. Raises DataError, which begins with the `name` of the file, where no
    sequence matches, or several do.

    >>> twice = Ragged(np.arange(3), np.array([0, 1, 3]), keys=np.array(["a", "a"]))
    >>> find_sequence(twice.replace(per_sequence={"part": np.array([0, 5])}), "a,5", name="in.npz")
    1
    """
    if data.keys is None:
        if is_whole(wanted) and 0 <= int(wanted) < len(data):
            return int(wanted)
        numbers = f"sequences without keys are numbered from 0 to {len(data) - 1:,}"
        raise DataError(f"{name}: no sequence {wanted}; {numbers if len(data) else 'it holds no sequence'}")
    part, columns = data.per_sequence.get("part"), prod(data.keys.shape[1:])
    with_commas = data.keys.ndim > 1 or part is not None
    cells = split_names(wanted) or [""] if with_commas else [wanted]
    key, rest = cells[:columns], cells[columns:]
    if part is not None and (not rest or (len(rest) == 1 and is_whole(rest[0]))):
        found = _place_of_part(part, places_of(data.keys, key), int(rest[0]) if rest else None)
        if isinstance(found, int):
            return found
        if found:
            raise DataError(f"{name}: ", _which_part(key, found, missing=rest))
    elif not rest:
        for places in places_of(data.keys, key):
            return int(places[0])
    hint = _keys_like(data.keys, wanted, with_commas=with_commas)
    raise DataError(f"{name}: no sequence has the key {wanted!r}; {hint}")


def _keys_like(keys: AnyArray | Text, wanted: str, *, with_commas: bool) -> str:
    """A hint for a key that is not there: keys like it among the first ones, or else what keys look like."""
    first, columns = keys[:_KEYS], prod(keys.shape[1:])
    rows = first.reshape(len(first), columns).tolist() if columns else []
    known = [*dict.fromkeys(join_names([*map(str, row)]) if with_commas else str(row[0]) for row in rows)]
    if not known:
        return "it holds no sequence"
    near = get_close_matches(wanted, known, 3)
    return f"similar keys are {', '.join(near)}" if near else f"keys look like {', '.join(known[:3])}"


def _place_of_part(part: AnyArray, found: Iterator[Array], wanted: int | None) -> int | list[int]:
    """The one of the positions found whose part is wanted, or the only one; else the first parts among them."""
    known: dict[int, int] = {}
    for places in found:
        parts = gather(part, places)
        matches = places[parts == wanted] if wanted is not None else places[:0]
        if len(matches):
            return int(matches[0])
        for number, place in zip(parts.tolist(), places.tolist(), strict=True):
            if len(known) > _PARTS:
                break
            known.setdefault(number, place)
        if wanted is None and len(known) > _PARTS:
            break
    return known.popitem()[1] if wanted is None and len(known) == 1 else [*known]


def _which_part(key: Sequence[str], parts: Sequence[int], *, missing: Sequence[str]) -> str:
    """Why a key names no single sequence: its `missing` part is not there, or it has several and none is named."""
    existing = ", ".join(map(str, parts[:_PARTS])) + (", ..." if len(parts) > _PARTS else "")
    if missing:
        return f"the key {join_names(key)!r} has no part {missing[0]}, only {existing}"
    return Message(
        f"the key {join_names(key)!r} has several parts: {existing}; choose one of them: ",
        Advice("--sequence", join_names([*key, str(parts[0])])),
    )


def _array(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> dict[str, Any]:
    """The facts of one array."""
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    return {"name": name, "shape": list(shape), "dtype": str(dtype), "bytes": size}


def _sequences(data: Ragged | Padded, *, whole: bool) -> dict[str, Any]:
    """The facts of all sequences of a file of ours; of its steps only where the `whole` file is read."""
    lengths = LengthCounts.of(data.lengths)
    found: dict[str, Any] = {
        "kind": "padded" if isinstance(data, Padded) else "ragged",
        "count": len(data),
        "steps": lengths.steps,
        "empty": lengths.empty,
        **_shape_of(data),
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
    if "part" in data.per_sequence:
        known = span(data.per_sequence["part"])
        found["part"] = {"min": known.least, "max": known.largest} if len(data) else None
    if "split" in data.per_sequence:
        found["split"] = counts_of(data.per_sequence["split"])
    if data.features is not None:
        found["features"] = list(data.features[:_NAMES])
    if titles := order_titles(data):
        found["order"] = titles
    if "label_names" in data.names:
        found["labels"] = {
            name: None if classes is None else some_classes(classes, _NAMES)
            for name, classes in several_labels(data).items()
        }
    for name in ("classes", "step_classes"):
        if name in data.names:
            found[name] = some_classes(data.names[name], _NAMES)
    if categories := all_categories(data):
        found["categories"] = {one.name: len(one.vocabulary) for one in categories}
    found["not_finite"] = [*not_finite(data)] if whole else []
    found["receipt"] = [dict(entry) for entry in data.receipt]
    found["preview"] = [_preview(data, i) for i in range(min(len(data), _PREVIEWED))]
    return found


def _summary(lengths: LengthCounts) -> dict[str, float] | None:
    if not lengths.count:
        return None
    return {"min": int(lengths.lengths[0]), "median": lengths.median(), "max": lengths.longest}


def _preview(data: Ragged | Padded, i: int) -> dict[str, Any]:
    """The facts of sequence i, without the names of its features."""
    steps = slots_of(data, i).steps
    found: dict[str, Any] = {"sequence": i, "length": len(steps)}
    if data.keys is not None:
        found["key"] = data.keys[i : i + 1].tolist()[0]
    if "part" in data.per_sequence:
        found["part"] = int(data.per_sequence["part"][i : i + 1][0])
    if "y" in data.per_sequence:
        label = data.per_sequence["y"][i : i + 1][0]
        finite = label.dtype.kind != "f" or np.isfinite(label).all()
        if np.size(label) <= _NUMBERS:
            found["y"] = label.tolist() if finite else str(label)
    if steps.ndim > 2:  # too much to show
        found["extent"] = [_extent(step) for step in steps[:_STEPS]]
    else:
        found["steps"] = [[str(n) for n in np.atleast_1d(step)] for step in steps[:_STEPS]]
    return found


def _shape_of(data: Ragged | Padded) -> dict[str, Any]:
    """The shape of a step, where it has several dimensions."""
    step = data.values.shape[1:] if isinstance(data, Ragged) else data.x.shape[2:]
    return {"step_shape": list(step)} if len(step) > 1 else {}


def _extent(step: Array) -> list[str]:
    """The least, the mean and the largest number of a step, as text; empty where it has no number."""
    if not step.size:
        return ["", "", ""]
    return [str(number) for number in (step.min(), step.mean(dtype=np.float64), step.max())]
