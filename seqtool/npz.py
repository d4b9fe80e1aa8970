"""The file format: `.npz`, version 1. This page is its specification.

A file is a zip of plain NumPy arrays with fixed names, stored and never pickled: `np.load(path)` with its
defaults reads everything. N sequences, T slots, F features, S steps in all, K key columns, P static columns.

========================  =======================  =============================================
name                      shape                    in
========================  =======================  =============================================
x                         (N, T, F) or (N, T)      padded
lengths                   (N,) int64               both
values, offsets           (S, F) or (S,); (N+1,)   ragged; offsets is int64
keys                      (N,) or (N, K)           where known: int64 or text
features                  (F,) text                where known
y, classes                (N, ...); (C,)           with a label; the names behind whole-number labels
static, static_features   (N, P); (P,) text        with per-sequence columns
mask                      (N, T) bool              when asked for; follows from lengths and padding
original_lengths          (N,) int64               when something was cut: lengths before that
step_y, row_index, c      (N, T, ...) or (S, ...)  per-step labels, row numbers, category ids
step_classes              (C,)                     the names behind step_y, where y has classes too
meta                      () text, JSON            always
========================  =======================  =============================================

`meta` is an object: `format` ("seqtool"), `version` (1), `kind` ("padded" or "ragged"), for padded files
`padding` ("pre" or "post": the side that is filled), `value` and `step_values` (what padding holds, in x and
in each per-step array; NaN and infinities as text), and `receipt` (see `seqtool.receipts`). A reader refuses a
version above its own.

Text is fixed-width unicode up to 64 MB an array; above that NAME holds UTF-8 bytes, end to end,
NAME_offsets (cells + 1,) int64 says where each cell begins, and NAME_shape (dimensions,) int64 is the shape.
Column names and keys are data: they never become names of members. Step 7 of sequence i is
`values[offsets[i] + 7]`, or with post padding `x[i, 7]`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import isfinite, prod
from pathlib import Path
from typing import Any, BinaryIO, get_args

import numpy as np

from seqtool.casting import Array
from seqtool.errors import DataError, UsageError, at
from seqtool.outputs import check_suffix, replacing
from seqtool.padding import Plan
from seqtool.ragged import Padded, Ragged, Receipt, Side, StepArray, Value, step_mask
from seqtool.zipped import Member, ZipReader, ZipWriter, write_array

VERSION = 1
PER_STEP = ("step_y", "row_index", "c")
PER_SEQUENCE = ("y", "static", "original_lengths")
NAMES = ("classes", "step_classes", "static_features")
_OTHERS = ("x", "lengths", "values", "offsets", "keys", "features", "mask", "meta")
_WIDEST_TEXT = 64_000_000  # bytes of fixed-width text in one array


def save(path: str | os.PathLike[str], data: Ragged | Padded | Plan, *, mask: bool = False) -> None:
    """Write sequences to `path`: `.npz` with all that belongs to them, `.npy` with x alone.

    The file appears whole or not at all. `mask` adds the array `mask`. Raises UsageError for another suffix.

    >>> import tempfile, seqtool as st
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     st.save(f"{folder}/two.npz", st.pad([[1], [2, 3]]))
    ...     np.load(f"{folder}/two.npz")["lengths"]
    array([1, 2])
    """
    suffix = Path(path).suffix
    check_suffix(suffix, str(path))
    with replacing(Path(path)) as file:
        write(file, data, suffix=suffix, seekable=True, mask=mask)


def write(
    file: BinaryIO,
    data: Ragged | Padded | Plan,
    *,
    suffix: str = ".npz",
    seekable: bool,
    mask: bool = False,
    wrote: Callable[[int], None] | None = None,
) -> None:
    """Write sequences into an open file, block by block; `wrote` is told the bytes of each."""
    if suffix == ".npy" and isinstance(data, Ragged):
        raise UsageError("an .npy holds x alone, and ragged sequences have none; use .npz")
    if suffix == ".npy":
        write_array(file, next(_members(data, mask=False)), wrote)
        return
    with ZipWriter(file, seekable=seekable) as archive:
        for member in _members(data, mask=mask):
            archive.add(member, wrote)


def size(data: Ragged | Padded | Plan, *, mask: bool = False) -> int:
    """The bytes of all arrays of the file, without headers."""
    return sum(member.nbytes for member in _members(data, mask=mask))


def _members(data: Ragged | Padded | Plan, *, mask: bool) -> Iterator[Member]:
    """Every array of the file, in its order: the largest first, the description last."""
    whole = data.ragged if isinstance(data, Plan) else data
    per_sequence = data.per_sequence
    _check_names(whole.per_step, PER_STEP)
    _check_names(per_sequence, PER_SEQUENCE)
    _check_names(whole.names, NAMES)
    if isinstance(data, Plan):
        yield Member("x", data.dtype, data.shape, data.blocks)
        for name, array in whole.per_step.items():
            shape = (*data.shape[:2], *array.data.shape[1:])
            yield Member(name, array.data.dtype, shape, data.step_blocks(name))
    else:
        yield Member.of("x", data.x) if isinstance(data, Padded) else Member.of("values", data.values)
        for name, array in data.per_step.items():
            yield Member.of(name, array.data)
    if isinstance(data, Ragged):
        yield Member.of("offsets", data.offsets)
    elif mask:
        slots = data.shape[1] if isinstance(data, Plan) else data.x.shape[1]
        yield Member.of("mask", step_mask(data.lengths, maxlen=slots, padding=data.padding))
    yield Member.of("lengths", data.lengths.astype(np.int64))
    small = {"keys": whole.keys, **per_sequence, **whole.names}
    if whole.features is not None:
        _refuse_nul("features", whole.features)
        small["features"] = np.array(whole.features, dtype=str)
    for name, content in small.items():
        if content is not None:
            yield from _text_or_numbers(name, content)
    yield Member.of("meta", np.array(json.dumps(_meta(data, whole.receipt), allow_nan=False)))


def _check_names(arrays: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in arrays:
        if name not in known:
            raise UsageError(f"{name!r} is no name of the file format; {', '.join(known)} are")


def _text_or_numbers(name: str, array: Array) -> Iterator[Member]:
    if array.dtype.kind in "biuf":
        yield Member.of(name, array)
        return
    if array.dtype.kind not in "UT":
        raise DataError(f"{name} is {array.dtype}; numbers or text were expected")
    cells: list[str] = array.reshape(-1).tolist()
    _refuse_nul(name, cells)
    widest = max(map(len, cells), default=0)
    if 4 * widest * len(cells) <= _WIDEST_TEXT:
        yield Member.of(name, array.astype(f"U{max(widest, 1)}"))
        return
    encoded = [cell.encode() for cell in cells]
    ends = np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)))
    yield Member.of(name, np.frombuffer(b"".join(encoded), dtype=np.uint8))
    yield Member.of(f"{name}_offsets", np.concatenate([[0], ends]))
    yield Member.of(f"{name}_shape", np.array(array.shape))


def _refuse_nul(name: str, cells: Sequence[str]) -> None:
    if any("\0" in cell for cell in cells):
        raise DataError(f"{name} holds text with a NUL, which NumPy would strip")


def _meta(data: Ragged | Padded | Plan, receipt: Receipt) -> dict[str, Any]:
    meta: dict[str, Any] = {"format": "seqtool", "version": VERSION, "kind": "ragged"}
    whole = data.ragged if isinstance(data, Plan) else data
    if not isinstance(data, Ragged):
        meta |= {"kind": "padded", "padding": data.padding, "value": value_to_json(data.value)}
    meta["step_values"] = {name: value_to_json(array.value) for name, array in whole.per_step.items()}
    return meta | {"receipt": [dict(entry) for entry in receipt]}


def value_to_json(value: Value) -> Any:
    """A padding value as strict JSON has it: NaN and infinities as text.

    >>> value_to_json((0, float("nan")))
    [0, 'nan']
    """
    if isinstance(value, tuple):
        return [value_to_json(number) for number in value]
    number: Any = value.item() if hasattr(value, "item") else value  # NumPy's numbers are no JSON
    return number if isfinite(number) else str(number)


def _value_from_json(value: Any) -> Value:
    if isinstance(value, list):
        return tuple(_number_from_json(number) for number in value)
    return _number_from_json(value)


def _number_from_json(number: Any) -> float:
    if number in ("nan", "inf", "-inf"):
        return float(number)
    if not isinstance(number, (int, float)):
        raise DataError(f"meta says that padding holds {number!r}; a number was expected")
    return number


def load(path: str | os.PathLike[str]) -> Ragged | Padded:
    """Read a file that seqtool wrote: Padded or Ragged, as it was saved.

    Checksums, sizes and every invariant are checked first. Raises DataError when one does not hold, or when
    the file is of a newer version, or not seqtool's (`seqtool pad` takes foreign files).
    """
    name = Path(path).name
    with ZipReader(Path(path), name) as archive:
        return read(archive)


def is_ours(archive: ZipReader) -> bool:
    """Whether a `.npz` says that seqtool wrote it."""
    return "meta" in archive.names and _says_seqtool(archive)


def _says_seqtool(archive: ZipReader) -> bool:
    shape, dtype = archive.header("meta")
    return shape == () and dtype.kind == "U" and '"format": "seqtool"' in str(archive.read("meta"))


def read_meta(archive: ZipReader) -> dict[str, Any]:
    """The `meta` of a file of ours; raises DataError for one that is not, or of a newer version."""
    if not is_ours(archive):
        raise DataError(f"{archive.name}: not written by seqtool: it has no meta that says so")
    try:
        meta: dict[str, Any] = json.loads(str(archive.read("meta")))
        version = int(meta["version"])
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{archive.name}[meta]: damaged: not the JSON object that seqtool writes") from None
    if version > VERSION:
        raise DataError(
            f"{archive.name}: format version {version}, but this seqtool reads up to version {VERSION}; "
            "update seqtool"
        )
    return meta


def read(archive: ZipReader) -> Ragged | Padded:
    """The sequences of an open file of ours; errors as in `load`."""
    meta = read_meta(archive)
    try:
        with at(archive.name):
            return _assemble(archive, meta)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{archive.name}: damaged: {error} is missing or of the wrong form") from None


def _assemble(archive: ZipReader, meta: dict[str, Any]) -> Ragged | Padded:
    present = set(archive.names)
    text = {
        name
        for name in present
        if name.endswith(("_offsets", "_shape")) and name.rpartition("_")[0] in present
    }
    unknown = present - text - {*_OTHERS, *PER_STEP, *PER_SEQUENCE, *NAMES}
    if unknown or archive.strangers:
        named = ", ".join(sorted({*unknown, *archive.strangers}))
        raise DataError(f"holds {named}, which a file of this version does not")
    lengths, step_values = archive.read("lengths"), meta["step_values"]

    def read_all(names: tuple[str, ...]) -> dict[str, Array]:
        return {name: _read_text(archive, name) for name in names if name in present}

    common: dict[str, Any] = {
        "keys": read_all(("keys",)).get("keys"),
        "features": _features(archive) if "features" in present else None,
        "per_step": {
            name: StepArray(array, _number_from_json(step_values[name]))
            for name, array in read_all(PER_STEP).items()
        },
        "per_sequence": read_all(PER_SEQUENCE),
        "names": read_all(NAMES),
        "receipt": tuple(meta["receipt"]),
    }
    if meta["kind"] == "ragged":
        ragged = Ragged(archive.read("values"), archive.read("offsets"), **common)
        if not np.array_equal(ragged.lengths, lengths):
            raise DataError("lengths and offsets contradict each other")
        return ragged
    if meta["kind"] != "padded" or meta["padding"] not in get_args(Side):
        raise DataError(f"meta says kind {meta['kind']!r} with padding {meta.get('padding')!r}")
    return Padded(archive.read("x"), lengths, meta["padding"], _value_from_json(meta["value"]), **common)


def _features(archive: ZipReader) -> tuple[str, ...]:
    names = _read_text(archive, "features")
    if names.dtype.kind not in "UT" or names.ndim != 1:
        raise DataError(f"features is {names.dtype} {names.shape}; text of shape (F,) was expected")
    return tuple(names.tolist())


def _read_text(archive: ZipReader, name: str) -> Array:
    """An array of text or numbers."""
    cells = archive.read(name)
    if f"{name}_offsets" not in archive.names:
        return cells
    offsets, shape = archive.read(f"{name}_offsets"), archive.read(f"{name}_shape").tolist()
    if (
        offsets.ndim != 1
        or offsets.dtype != np.int64
        or cells.dtype != np.uint8
        or len(offsets) != prod(shape) + 1
        or (offsets[0], offsets[-1]) != (0, cells.size)
        or (np.diff(offsets) < 0).any()
    ):
        raise DataError(f"{name}_offsets does not fit the bytes of {name}")
    data = cells.tobytes()
    try:
        text = [data[begin:end].decode() for begin, end in pairwise(offsets.tolist())]
    except UnicodeDecodeError:
        raise DataError(f"{name} holds bytes that are not UTF-8") from None
    return np.array(text, dtype=np.dtypes.StringDType()).reshape(shape)
