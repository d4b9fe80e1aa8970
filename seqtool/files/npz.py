"""The file format: `.npz`, versions 1 and 2. This page is its specification.

A file is a zip of plain NumPy arrays with fixed names, stored and never pickled: `np.load(path)` with its
defaults reads everything. N sequences, T slots, F features, S steps in all, K key columns, P static
columns, L labels, C categories of steps, D of sequences.

========================  =======================  =============================================
name                      shape                    in
========================  =======================  =============================================
x                         (N, T, F) or (N, T)      padded; of steps of more dimensions (N, T, H, W, C)
lengths                   (N,) int64               both
values, offsets           (S, F) or (S,); (N+1,)   ragged, or (S, H, W, C); offsets is int64
starts                    (N,) int64               ragged, instead of offsets: sequences share steps, see below
keys                      (N,) or (N, K)           where known: int64 or text
features                  (F,) text                where known, of steps (F,)
y, classes                (N, ...); (C,)           with a label; the names behind whole-number labels
label_names, classes_i    (L,) text; (C,)          with several labels: y is (N, L), and label i has these classes
static, static_features   (N, P); (P,) text        with per-sequence columns
static_c                  (N, D)                   category ids of sequences, as those of steps in c
static_categories         (D,) text                their names; static_vocabulary_i (V,) text has the names of column i
mask                      (N, T) bool              when asked for; follows from lengths and padding
original_lengths          (N,) int64               when something was cut: lengths before that
part                      (N,) int64               where keys repeat: each (key, part) stands once
split                     (N,) text                where sequences were split: train, val or test
step_y, row_index         (N, T, ...) or (S, ...)  per-step labels, row numbers
c                         (N, T, C) or (S, C)      category ids: 0 padding, 1 missing, 2 unknown, 3 + i name i
categories, vocabulary_i  (C,) text; (V,) text     with categories: column i of c, or x itself, has these names
observed                  (N, T, F) or (S, F)      bool: true where a feature was seen, and not filled
weight                    (N, T) or (S,)           weights of steps
order                     (N, T) or (S,)           values of the order columns, (N, T, R) of several
order_columns, _units     (R,) text                their names, and what their numbers are: see below
y_row_index, y_order      (N, H); (N, H, ...)      row numbers and order values of the steps that follow
step_classes              (C,)                     the names behind step_y, where there is y too
meta                      () text, JSON            always
========================  =======================  =============================================

`meta` is an object: `format` ("seqtool"), `version` (1, or 2 with `starts`), `kind` ("padded" or "ragged"), for padded
files `padding` ("pre" or "post": the side that is filled), `value` and `step_values` (what padding holds, in x and
in each per-step array; NaN and infinities as text), `tables` (which label each `classes_i`, and which category each
`vocabulary_i` or `static_vocabulary_i` is of, where there are any), and `receipt` (see `seqtool.sequences.receipts`).
A reader refuses a version above its own.

A unit of `order_units` is empty for numbers, and of times `us` or `ns` (a million or a billion to a second): "us since
1970-01-01", with UTC behind it where the times had a zone, "us since midnight", or "us" of durations.

Text is fixed-width unicode up to 64 MB an array; above that NAME holds UTF-8 bytes, end to end,
NAME_offsets (cells + 1,) int64 says where each cell begins, and NAME_shape (dimensions,) int64 is the shape.
Column names and keys are data: they never become names of members. Step 7 of sequence i is
`values[offsets[i] + 7]`, or with post padding `x[i, 7]`.

Sequences that share steps, as windows do, may be stored as starts alone (version 2): each step of `values` (S, F) and
of the arrays beside it stands once, in order, and sequence i is `values[starts[i]:starts[i] + lengths[i]]`. Starts
never fall in what seqtool writes, and every step is that of some sequence. There are no `offsets`: they are the sums of
`lengths`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any, get_args

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.lazy import CHUNK, AnyArray, Lazy, chunks
from seqtool.arrays.text import Text, check_text
from seqtool.errors import DataError, at, names_arguments
from seqtool.files.archives import archive_at
from seqtool.files.atomic import replacing_all
from seqtool.files.deflate import Compress
from seqtool.files.meta import parse_meta
from seqtool.files.npy import MOST_DIMENSIONS
from seqtool.files.schema import NAMES, PER_SEQUENCE, PER_STEP
from seqtool.files.shards import ShardedArrays
from seqtool.files.stored import TEXT_CELL, Archive
from seqtool.files.writers import FOLDER, contents_of
from seqtool.files.zip_reader import ZipReader
from seqtool.sequences.keys import HashedKeys
from seqtool.sequences.labels import name_tables
from seqtool.sequences.once import Once, offsets_at
from seqtool.sequences.padding_values import Side, number_from_json, value_from_json
from seqtool.sequences.ragged import Padded, Ragged, StepArray, unchecked
from seqtool.sequences.stream import PaddedStream
from seqtool.sequences.validation import check_count, check_parts, check_same_lengths
from seqtool.system.memory import LEAST, Memory

_OTHERS = ("x", "lengths", "values", "offsets", "starts", "keys", "features", "mask", "meta")


@names_arguments
def save(
    path: str | os.PathLike[str],
    data: Ragged | Padded | PaddedStream,
    *,
    mask: bool = False,
    compress: Compress | None = None,
) -> None:
    """Write sequences to `path`: `.npz` with all that belongs to them, `.npy` with x alone.

    `.parquet`, `.arrow` and `.jsonl` hold a sequence in each row, `.safetensors` the arrays, and so does a folder,
    whose path ends with a slash, in an `.npy` each. The file or folder appears whole or not at all. `mask` adds the
    array `mask`; `compress` deflates the arrays of an `.npz`, "fast" or "small". Raises UsageError for another suffix,
    and for a format that cannot hold what is asked for.

    >>> import tempfile, seqtool as st
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     st.save(f"{folder}/two.npz", st.pad([[1], [2, 3]]))
    ...     np.load(f"{folder}/two.npz")["lengths"]
    array([1, 2])
    """
    is_folder = os.fspath(path).endswith(("/", os.sep))
    suffix = FOLDER if is_folder else Path(path).suffix
    contents = contents_of(data, suffix=suffix, name=str(path), mask=mask, compress=compress)
    with replacing_all([Path(path)], folders=is_folder) as (file,):
        contents.write(file, seekable=True, compress=compress)


@names_arguments
def load(path: str | os.PathLike[str], *, mmap: bool = False) -> Ragged | Padded:
    """Read a file, or a folder, that seqtool wrote: Padded or Ragged, as it was saved.

    Checksums, sizes and every invariant are checked first; of a folder of shards sizes alone, whose arrays are read
    when they are asked for, and `in_memory()` reads all. With `mmap` nothing is: arrays of numbers are mapped,
    read-only, and cost neither time nor memory before they are used (`np.load` maps no `.npz`). Raises
    DataError when the file is damaged, of a newer version, not seqtool's (`seqtool pad` takes foreign
    files), or compressed, or of rows, where it is to be mapped.

    >>> import tempfile, seqtool as st
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     st.save(f"{folder}/two.npz", st.pad([[1], [2, 3]]))
    ...     st.load(f"{folder}/two.npz", mmap=True).x[1]
    array([2, 3])
    """
    name = Path(path).name
    with archive_at(Path(path), name) as archive:
        if not mmap and isinstance(archive, ShardedArrays):
            return read(archive, check=False)
        if mmap:
            return read(archive, get=archive.map, check=False)
        archive.check_memory()
        return read(archive, get=archive.read)


def is_ours(archive: Archive) -> bool:
    """Whether a `.npz` says that seqtool wrote it."""
    return "meta" in archive.names and _says_seqtool(archive)


def written_by_seqtool(path: Path) -> bool:
    """Whether a path is an `.npz` that seqtool wrote."""
    if not path.is_file():
        return False
    try:
        with ZipReader(path, path.name, memory=Memory(LEAST)) as archive:
            return is_ours(archive)
    except (DataError, OSError):
        return False


def _says_seqtool(archive: Archive) -> bool:
    shape, dtype = archive.header("meta")
    return shape == () and dtype.kind == "U" and '"format": "seqtool"' in _meta_text(archive)


def _meta_text(archive: Archive) -> str:
    return str(archive.read("meta", expands=_JSON_EXPANDS))


_JSON_EXPANDS = 12  # bytes of Python objects for each byte of JSON in letters of four bytes


def read_meta(archive: Archive) -> dict[str, Any]:
    """The `meta` of a file of ours; raises DataError for one that is not, or of a newer version."""
    if not is_ours(archive):
        raise DataError(
            f"{archive.name}: not written by seqtool, or saved again without its meta; convert it: ",
            Advice("seqtool", "pad", archive.name),
        )
    return parse_meta(_meta_text(archive), archive.name)


def read(
    archive: Archive,
    *,
    get: Callable[[str], AnyArray] | None = None,
    check: bool = True,
    steps: bool = True,
) -> Ragged | Padded:
    """The sequences of an open file of ours; errors as in `load`.

    `get` gives each array by its name, by default so that it is read in chunks, whose checksums
    `archive.verify` compares. Without `check` nothing is looked at but the description; without `steps`, all but the
    cells of steps is checked.
    """
    meta = read_meta(archive)
    try:
        with at(archive.name):
            data = _assemble(
                archive, meta, get or archive.window, check and (steps or "offsets" in archive.names)
            )
            if isinstance(data, Padded) and check and not steps:
                check_parts(data)
            return data
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{archive.name}: damaged: {error} is missing or has the wrong type") from None


def _assemble(
    archive: Archive, meta: dict[str, Any], get: Callable[[str], AnyArray], check: bool
) -> Ragged | Padded:
    present = set(archive.names)
    text = {
        name
        for name in present
        if name.endswith(("_offsets", "_shape")) and name.rpartition("_")[0] in present
    }
    tables = (*NAMES, *name_tables(present))
    unknown = present - text - {*_OTHERS, *PER_STEP, *PER_SEQUENCE, *tables}
    if unknown or archive.strangers:
        named = ", ".join(sorted({*unknown, *archive.strangers}))
        raise DataError(f"holds {named}, which are not part of this format version")
    lengths, step_values = get("lengths"), meta["step_values"]
    for name in present.intersection(PER_SEQUENCE):
        archive.check_row(name)

    def held(names: tuple[str, ...]) -> list[str]:
        """Those of some names that the file holds, in its order, so that it is written again as it is."""
        return [name for name in archive.names if name in names]

    steps = held(PER_STEP)
    common: dict[str, Any] = {
        "keys": _text_from(archive, "keys", get) if "keys" in present else None,
        "features": _features(archive) if "features" in present else None,
        "per_step": {name: StepArray(get(name), number_from_json(step_values[name])) for name in steps},
        "per_sequence": {name: _text_from(archive, name, get) for name in held(PER_SEQUENCE)},
        "names": {name: _names(archive, name) for name in held(tables)},
        "receipt": tuple(meta["receipt"]),
    }
    if meta["kind"] == "ragged":
        fields = {**common, **(_shared(get, steps, common) if "starts" in present else _own(get))}
        if not check:
            return unchecked(Ragged, **fields)  # type: ignore[no-any-return]
        ragged = Ragged(**fields)
        check_same_lengths(ragged, lengths)
        return ragged
    if meta["kind"] != "padded" or meta["padding"] not in get_args(Side):
        raise DataError(f"meta says kind {meta['kind']!r} with padding {meta.get('padding')!r}")
    value = value_from_json(meta["value"])
    fields = {"x": get("x"), "lengths": lengths, "padding": meta["padding"], "value": value, **common}
    return Padded(**fields) if check else unchecked(Padded, **fields)


def _own(get: Callable[[str], AnyArray]) -> dict[str, Any]:
    """The steps of sequences that share none."""
    return {"values": get("values"), "offsets": get("offsets")}


def _shared(get: Callable[[str], AnyArray], steps: list[str], common: dict[str, Any]) -> dict[str, Any]:
    """The steps of sequences that share some, gathered when they are asked for; always checked to be there."""
    values, starts = get("values"), get("starts")
    if not values.ndim:
        raise DataError(f"values has shape {values.shape}; (S, F), (S,) or (S, H, W, C) was expected")
    arrays = {"values": values, **{name: common["per_step"][name].data for name in steps}}
    for name, array in arrays.items():
        check_count(name, array, len(values), "steps")
    offsets = offsets_at(get("lengths"), starts, len(values))
    gathered = Once(arrays, starts).gathered(offsets)
    per_step = {name: StepArray(gathered[name], common["per_step"][name].value) for name in steps}
    return {"values": gathered["values"], "offsets": offsets, "per_step": per_step}


def _names(archive: Archive, name: str) -> AnyArray | Text:
    """A table of names: in memory, unless it is large, as that of millions of classes is."""
    shape, dtype = archive.header(name)
    small = prod(shape) * dtype.itemsize <= CHUNK
    names = _text_from(archive, name, archive.read if small else archive.window)
    if names.ndim != 1:
        raise DataError(f"{name} has shape {names.shape}; one dimension was expected")
    return names


def _features(archive: Archive) -> tuple[str, ...]:
    names = np.asarray(_text_from(archive, "features", archive.read))
    if names.dtype.kind not in "UT" or names.ndim != 1:
        raise DataError(f"features is {names.dtype} {names.shape}; text of shape (F,) was expected")
    return tuple(names.tolist())


def _text_from(archive: Archive, name: str, get: Callable[[str], AnyArray]) -> AnyArray | Text:
    """An array of text or numbers; text of variable width is read by chunks where numbers are."""
    cells = get(name)
    if f"{name}_offsets" not in archive.names:
        if cells.dtype.kind == "U" and cells.ndim and not isinstance(cells, HashedKeys):
            check_text(name, cells)
        return cells
    offsets, shape = get(f"{name}_offsets"), text_shape(archive, name)
    fits = (
        offsets.ndim == 1
        and offsets.dtype == np.int64
        and cells.dtype == np.uint8
        and len(offsets) == prod(shape) + 1
        and (int(offsets[:1][0]), int(offsets[len(offsets) - 1 :][0])) == (0, cells.size)
        and all((np.diff(part) >= 0).all() for _, part in chunks(offsets))
    )
    if not fits:
        raise DataError(f"{name}_offsets does not fit the bytes of {name}")
    longest = max((int(np.diff(part).max(initial=0)) for _, part in chunks(offsets)), default=0)
    archive.memory.check_single(f"{archive.name}[{name}]: a cell of text", longest, "shorten the text")
    text = Text(cells, offsets, shape, widest=None)
    check_text(name, text)
    if isinstance(cells, Lazy):
        return text
    archive.memory.check_whole(f"{archive.name}[{name}]", cells.size + TEXT_CELL * prod(shape))
    return np.array(text.cells(0, len(text)), dtype=np.dtypes.StringDType()).reshape(shape)


def text_shape(archive: Archive, name: str) -> tuple[int, ...]:
    """The shape of an array of text that is stored as bytes; raises DataError where it is none."""
    dimensions = archive.header(f"{name}_shape")[0]
    shape = archive.read(f"{name}_shape") if prod(dimensions) <= MOST_DIMENSIONS else np.empty(0, np.int64)
    if shape.ndim != 1 or not len(shape) or shape.dtype != np.int64 or (shape < 0).any():
        raise DataError(f"{name}_shape is no shape of an array of text")
    return tuple(shape.tolist())
