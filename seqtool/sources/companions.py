"""What belongs to the sequences of a file that seqtool did not write: labels, keys and names, called as in ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, first_loss
from seqtool.arrays.lazy import AnyArray, Lazy, chunks
from seqtool.arrays.text import check_text
from seqtool.errors import DataError
from seqtool.files.npy import cellwise
from seqtool.files.schema import ANY, CLASS_TABLE, LAYOUTS, check_layout
from seqtool.files.zip_reader import ZipReader
from seqtool.sequences.labels import LabelArray, check_label_shapes, class_tables, label_arrays
from seqtool.sequences.padding_values import UNLABELLED
from seqtool.sequences.ragged import Padded, Ragged, StepArray, exchanged
from seqtool.sequences.validation import stale_slots, step_mask
from seqtool.sources.options import ForeignSpec
from seqtool.system.memory import Memory

PARTS = (
    *("keys", "part", "split", "features", "y", "label_names", "step_y"),
    *("classes", "step_classes", "static", "static_features"),
)
NEVER_LOST = ("keys", "y", "step_y")
"""Those that nobody wants to lose because they cannot be read."""
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
    """What belongs to the sequences of a file, as parts of one of ours; by each part the array it is of.

    `misfits` describes arrays that are named as one of them, and do not fit.
    """

    parts: dict[str, AnyArray] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    misfits: dict[str, str] = field(default_factory=dict)

    def joined(self, data: Ragged | Padded) -> Ragged | Padded:
        """The sequences with all of it."""
        parts = self.parts
        per_step = {"step_y": StepArray(parts["step_y"], UNLABELLED)} if "step_y" in parts else {}
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
    *,
    strict: bool,
) -> Companions:
    """The arrays that are called as they would be in a file of ours, or as a person says; not those that are `taken`.

    Labels of text become class ids, and their classes; several labels the columns of `y`. Raises DataError for a
    misfit that was given and, if `strict`, for labels and keys that misfit: they would be lost.
    """
    found, sizes = Companions(), _sizes(data)
    named_parts = {"y": next(iter(foreign.labels), None), "keys": foreign.key, "step_y": foreign.step_label}
    if len(foreign.labels) > 1:
        several = {name: _label(archive, name, sizes) for name in foreign.labels}
        found.parts |= labels_together(several, archive.memory)
        found.used |= {f"y of {name}": name for name in foreign.labels}
    for part in PARTS:
        name, owners = named_parts.get(part) or part, _OWNERS.get(part)
        named = named_parts.get(part) is not None
        if not named and name in named_parts.values():  # it is another part
            continue
        absent = name not in archive.names or name in [*taken, *found.used.values()] or part in found.parts
        if absent or (owners and not {*owners} & {*found.parts}):
            continue
        if part == "classes" and "label_names" in found.parts:  # each of several labels has its own
            continue
        try:
            open_question = part == "y" and not named and "label_names" not in archive.names
            kind = "step_y" if open_question and _is_per_step(archive, name, data) else part
            added = _part(archive, name, kind, sizes, data, step_classes="y" in found.parts)
        except DataError as error:
            if named or (strict and part in NEVER_LOST):
                options = {"--label": "y", "--step-label": "step_y", "--key": "keys"}
                alone = Advice(
                    "--array", taken[0], without=[o for o, held in options.items() if named_parts.get(held)]
                )
                raise DataError(error, "; to leave it out: ", alone) from None
            found.misfits[name] = str(error)
            continue
        found.parts |= added
        found.used[kind] = name
        found.used |= {table: table for table in class_tables(added)}
    return found


def _label(archive: ZipReader, name: str, sizes: dict[str, int]) -> AnyArray:
    """One of several arrays of labels: a number or text for each sequence."""
    shape, dtype = _header(archive, name)
    check_layout(name, shape, dtype, ("N", ANY), sizes)
    cells = archive.window(name)
    if dtype.kind == "U":
        check_text(name, cells)
    return cells


def labels_together(labels: Mapping[str, AnyArray], memory: Memory | None = None) -> dict[str, AnyArray]:
    """Arrays (N,) of numbers or text as `y` (N, L) of numbers, with `label_names` and the classes of text.

    >>> parts = labels_together({"time": np.array([1.5, 2.0]), "event": np.array(["b", "a"])})
    >>> np.asarray(parts["y"]).tolist(), parts["classes_1"].tolist()
    ([[1.5, 1.0], [2.0, 0.0]], ['a', 'b'])
    """
    parts: dict[str, AnyArray] = {"label_names": np.array([*labels], dtype=str)}
    columns, floats = list[AnyArray](), [cells.dtype for cells in labels.values() if cells.dtype.kind == "f"]
    dtype = np.result_type(*floats) if floats else _INT64
    for i, (name, cells) in enumerate(labels.items()):
        if cells.dtype.kind == "U":
            parts[f"classes_{i}"] = classes = _classes(cells, None, name, memory)
            cells = _ids(cells, classes)
        for _, some in chunks(cells):
            place = first_loss(some, dtype)
            if place is not None:
                raise DataError(
                    f"{name} holds {some[place]}, which {dtype} of the labels together cannot hold"
                )
        columns.append(cells)

    def read(begin: int, end: int) -> Array:
        return np.stack([column[begin:end] for column in columns], axis=1).astype(dtype)

    parts["y"] = Lazy((len(columns[0]), len(columns)), dtype, read)
    return parts


def check_labels(data: Ragged) -> None:
    """Raise DataError for labels, of sequences or of real steps, that are none of their classes."""
    for array in label_arrays(data):
        if array.classes is not None:
            _check_classes(array, len(array.classes))


def _check_classes(array: LabelArray, count: int) -> None:
    labels, column = array.cells, array.column
    if labels.dtype.kind not in "iu" and column is None:  # one of several may stand beside fractions
        raise DataError(f"{array.name} is {labels.dtype}, but there are classes; whole numbers were expected")
    for begin, part in chunks(labels):
        outside = ((part < 0) & (part != UNLABELLED)) | (part >= count) | (part != np.trunc(part))
        wrong = np.flatnonzero(outside.reshape(len(part), -1).any(axis=1))
        if len(wrong):
            i = int(wrong[0])
            place = f"y[{begin + i}{'' if column is None else f', {column}'}]"
            if array.name == "step_y":
                place = f"step_y of real step {begin + i}"
            raise DataError(f"{place} is {part[i]}, but there are {count} classes, counted from 0")


def _sizes(data: Ragged | Padded) -> dict[str, int]:
    """How large the dimensions of what belongs to sequences must be."""
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
    *,
    step_classes: bool,
) -> dict[str, AnyArray]:
    """An array as a part of a file of ours; of labels that are text, class ids and classes."""
    shape, dtype = _header(archive, name)
    cells: AnyArray = archive.window(name)
    as_text = part in ("y", "step_y") and dtype.kind == "U"
    named = part == "y" and "classes" in archive.names
    as_whole = part in (*NEVER_LOST, "part") and _are_whole(cells, floats=part == "keys" or named)
    kind = "padded" if isinstance(data, Padded) else "ragged"
    layout = LAYOUTS[kind][part]
    check_layout(name, shape, _INT64 if as_text or as_whole else dtype, layout, sizes)
    if dtype.kind == "U":
        check_text(name, cells)
    if part == "features" or part in _TABLES:
        if part == "label_names":
            check_label_shapes(shape, _header(archive, "y")[0], archive.names)
        tables = class_tables(archive.names) if part == "label_names" else {}
        for table in tables:
            check_layout(table, *_header(archive, table), CLASS_TABLE, {})
        return {part: _distinct(archive, name), **{table: _distinct(archive, table) for table in tables}}
    if as_text:
        classes = _classes(cells, data if part == "step_y" else None, name, archive.memory)
        _refuse_words_among_numbers(name, classes)
        held_in = "step_classes" if step_classes else "classes"
        return {part: _ids(cells, classes), held_in: classes}
    return {part: cellwise(as_int64, cells, dtype=_INT64) if as_whole else cells}


def _refuse_words_among_numbers(name: str, classes: Array) -> None:
    """Raise DataError for labels of text that are numbers, and words for missing values among them."""
    from seqtool.tables.cells import are_numbers, reads_as_missing

    words = [text for text in classes.tolist() if reads_as_missing(text)]
    others = [text for text in classes.tolist() if not reads_as_missing(text)]
    if words and are_numbers(others):
        raise DataError(
            f"{name} holds {words[0]!r} among numbers, all as text; save it as numbers, with NaN where there is no "
            "label"
        )


def _distinct(archive: ZipReader, name: str) -> Array:
    """The names in an array, of which none stands there twice."""
    names = archive.read(name)
    if len(np.unique(names)) < len(names):
        raise DataError(f"{name} holds a name twice")
    return names


def _header(archive: ZipReader, name: str) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    try:
        return archive.header(name)
    except DataError:
        raise DataError(
            f"{name} holds neither numbers nor text: save it as one of these, such as {name}.astype(str)"
        ) from None


def _are_whole(cells: AnyArray, *, floats: bool) -> bool:
    """Whether int64 holds all of these numbers; `floats` are asked too."""
    if cells.dtype.kind in "biu":
        return all(first_loss(part, _INT64) is None for _, part in chunks(cells))
    return floats and are_whole_floats(cells)


def are_whole_floats(cells: AnyArray) -> bool:
    """Whether these are floats, each of them a whole number that int64 holds."""
    return cells.dtype.kind == "f" and all(first_loss(part, _INT64) is None for _, part in chunks(cells))


def as_int64(numbers: Array) -> Array:
    """The same as int64."""
    return numbers.astype(_INT64)


def _ids(labels: AnyArray, classes: Array) -> AnyArray:
    """The class ids of labels of text."""

    def ids(some: Array) -> Array:
        return np.asarray(np.searchsorted(classes, some))

    return cellwise(ids, labels, dtype=_INT64)


def _classes(labels: AnyArray, block: Ragged | Padded | None, name: str, memory: Memory | None) -> Array:
    """The texts that occur, sorted; in a block (N, T) of labels of steps, those of real steps."""
    found = labels[:0].reshape(-1)
    for begin, part in chunks(labels):
        if isinstance(block, Padded):
            lengths = block.lengths[begin : begin + len(part)]
            part = part[step_mask(lengths, maxlen=part.shape[1], padding=block.padding)]
        found = np.union1d(found, part)
        if memory is not None and _COPIES * found.nbytes > memory.limit:
            whole = _COPIES * found.nbytes * len(labels) // (begin + len(part))
            memory.check_whole(f"{name}, which has {len(found):,} distinct labels and more", whole)
    return found


_COPIES = 8  # of distinct labels, that stand in memory at once until they are written


# Labels of sequences, or of steps


def _is_per_step(archive: ZipReader, name: str, data: Ragged | Padded) -> bool:
    """Whether labels are those of steps: (N, T, ...) in a block, (S, ...) behind one another.

    As many classes as steps make a row of each sequence look like that. Labels of steps hold one and the same
    in all that is padding. Where all steps are real, text is a label of steps, and rows with a single 1 are none;
    raises DataError for other numbers, which may be either.
    """
    shape = _header(archive, name)[0]
    if isinstance(data, Ragged):
        return len(data.values) != len(data) and shape[:1] == (len(data.values),)
    if data.x.shape[1] < 2 or shape[:2] != data.x.shape[:2]:
        return False
    labels: AnyArray = archive.window(name)
    if all((part == data.x.shape[1]).all() for _, part in chunks(data.lengths)):
        if labels.dtype.kind == "U":
            return True
        if len(shape) == 2 and all(map(_is_one_hot, (part for _, part in chunks(labels)))):
            return False
        raise DataError(
            f"{name} has shape {shape}: a label for each of {shape[1]:,} steps, or {shape[1]:,} for each sequence; ",
            Advice("--step-label", name),
            " or ",
            Advice("--label", name),
            " says which",
        )
    return holds_one(labels, data)


def _is_one_hot(rows: Array) -> bool:
    return rows.dtype.kind in "biuf" and bool(
        (((rows == 0) | (rows == 1)).all(axis=1) & (rows.sum(axis=1) == 1)).all()
    )


def holds_one(cells: AnyArray, block: Padded) -> bool:
    """Whether an array (N, T, ...) holds one and the same in all slots outside the sequences of a block."""
    nothing = "" if cells.dtype.kind == "U" else 0
    first = stale_slots(cells, block.lengths, padding=block.padding, value=cast(float, nothing))
    if first is None:
        return True
    held = tuple(first.content) if isinstance(first.content, list) else first.content
    return stale_slots(cells, block.lengths, padding=block.padding, value=held) is None
