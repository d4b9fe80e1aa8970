"""Labels of files that seqtool did not write: text becomes class ids, and labels of steps are told from others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, first_loss
from seqtool.arrays.lazy import AnyArray, chunks, lazy_map, side_by_side
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.arrays.text import Text, in_order
from seqtool.errors import DataError
from seqtool.files.npy import cellwise
from seqtool.sequences.labels import LabelArray, label_arrays
from seqtool.sequences.padding_values import UNLABELLED
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sequences.validation import step_mask
from seqtool.sources.leftovers import holds_one
from seqtool.system.memory import Memory

_INT64 = np.dtype(np.int64)


def labels_together(
    labels: Mapping[str, AnyArray], memory: Memory, spool: Spool, warnings: list[str]
) -> dict[str, AnyArray | Text]:
    """Arrays (N,) of numbers or text as `y` (N, L) of numbers, with `label_names` and the classes of text.

    What may be wrong with them is added to `warnings`.

    >>> held = {"time": np.array([1.5, 2.0]), "event": np.array(["b", "a"])}
    >>> parts = labels_together(held, Memory(10**9), Spool(), [])
    >>> np.asarray(parts["y"]).tolist(), parts["classes_1"].tolist()
    ([[1.5, 1.0], [2.0, 0.0]], ['a', 'b'])
    """
    parts: dict[str, AnyArray | Text] = {"label_names": np.array([*labels], dtype=str)}
    columns, floats = list[AnyArray](), [cells.dtype for cells in labels.values() if cells.dtype.kind == "f"]
    dtype = np.result_type(*floats) if floats else _INT64
    for i, (name, cells) in enumerate(labels.items()):
        if cells.dtype.kind == "U":
            cells, parts[f"classes_{i}"] = as_classes(cells, None, name, memory, spool, warnings)
        for _, chunk in chunks(cells):
            place = first_loss(chunk, dtype)
            if place is not None:
                raise DataError(
                    f"{name} holds {chunk[place]}, which {dtype} of the labels together cannot hold"
                )
        columns.append(cells)

    parts["y"] = side_by_side(columns, dtype)
    return parts


def check_labels(data: Ragged) -> None:
    """Raise DataError for labels of sequences or of real steps that are not among their classes."""
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


def as_classes(
    labels: AnyArray,
    block: Ragged | Padded | None,
    name: str,
    memory: Memory,
    spool: Spool,
    warnings: list[str],
) -> tuple[AnyArray, Array | Text]:
    """Labels of text as class ids, and the distinct texts, sorted; with a `block`, the texts of its real steps.

    It adds to `warnings` what may be wrong: a word among numbers, a word for a missing value among text. Raises
    DataError for words for missing values among texts that are numbers.
    """
    ids, classes = _classes(labels, block, name, memory, spool)
    warnings += _doubts(labels, block, classes, name)
    return ids, classes


def _classes(
    labels: AnyArray, block: Ragged | Padded | None, name: str, memory: Memory, spool: Spool
) -> tuple[AnyArray, Array | Text]:
    classes = labels[:0].reshape(-1)
    for part in _real(labels, block):
        classes = np.union1d(classes, part)
        if _COPIES * classes.nbytes > memory.limit:
            return _as_many_classes(labels, block, name, memory, spool)
    _refuse_words_among_numbers(name, classes)

    def ids(texts: Array) -> Array:
        return np.asarray(np.searchsorted(classes, texts))

    return cellwise(ids, labels, dtype=_INT64), classes


_COPIES = 8  # of distinct labels that are in memory at once until they are written


def _as_many_classes(
    labels: AnyArray, block: Ragged | Padded | None, name: str, memory: Memory, spool: Spool
) -> tuple[AnyArray, Array | Text]:
    """The same for texts that are too many, or too long, for memory; they stand in the spool."""
    from seqtool.arrays.many_texts import ManyTexts

    texts, codes = ManyTexts(spool), GrowingArray(spool, _INT64, labels.shape[1:])
    for (_, part), real in zip(chunks(labels), _real(labels, block), strict=True):
        of_steps = np.unique(real)
        texts.add(of_steps[texts.find(of_steps.tolist()) < 0].tolist())
        texts.check_memory(memory, name)
        distinct, inverse = np.unique(part, return_inverse=True)
        codes.add(texts.find(distinct.tolist())[inverse].reshape(part.shape))
    order, classes = in_order(texts.text(), np.arange(len(texts)), spool)
    _refuse_words_among_numbers(name, classes)
    rank = np.zeros(len(order) + 1, np.int64)  # the last, code -1, is that of padding, which is no class
    rank[order] = np.arange(len(order))
    return lazy_map(lambda chunk: rank[chunk], codes.done(), dtype=_INT64), classes


def _real(labels: AnyArray, block: Ragged | Padded | None) -> Iterator[Array]:
    """The labels in chunks, without those of padding."""
    for begin, part in chunks(labels):
        if isinstance(block, Padded):
            lengths = block.lengths[begin : begin + len(part)]
            part = part[step_mask(lengths, maxlen=part.shape[1], padding=block.padding)]
        yield part


def _doubts(
    labels: AnyArray, block: Ragged | Padded | None, classes: Array | Text, name: str
) -> Iterator[str]:
    """A sentence for each doubt, as a column of a table has them, of the classes that tell."""
    from seqtool.tables.cells import LabelState
    from seqtool.tables.cells.label_doubts import doubts

    words, doubtful, whole, fraction = _that_tell(classes)
    telling = [*doubtful, *words, *whole, *fraction]
    if fraction and not words:  # a word for a missing value among numbers was refused
        yield f"{name} holds numbers as text, such as {fraction[0]!r}, each of which is a class; save it as numbers"
    if not doubtful and (not words or len(telling) < 2):
        return
    counts, rows, before = dict.fromkeys(telling, 0), dict[str, int](), 0
    for part in _real(labels, block):
        for text in telling:
            same = np.flatnonzero(part.reshape(-1) == text)
            counts[text] += len(same)
            if len(same):
                rows.setdefault(text, before + int(same[0]))
        before += part.size
    order = sorted(telling, key=rows.__getitem__)
    state = LabelState(
        {text: code for code, text in enumerate(order)},
        [rows[text] for text in order],
        doubtful={text: counts[text] for text in doubtful},
        words={text: counts[text] for text in words},
    )
    what = "label" if block is None else "real step"

    def way_out(text: str) -> list[str]:
        return [] if text in doubtful else ["; if it is no label, save numbers, with NaN in its place"]

    yield from doubts(state, name, lambda row: f"{what} {row}", row=what, as_number=True, way_out=way_out)


def _that_tell(classes: Array | Text) -> tuple[list[str], list[str], list[str], list[str]]:
    """Words, two at most, words for missing values, and of whole numbers and fractions one each."""
    from seqtool.tables.cells import reads_as_missing
    from seqtool.tables.cells.label_meaning import label_number

    words, doubtful, whole, fraction = list[str](), list[str](), list[str](), list[str]()
    for _, part in chunks(cast(AnyArray, classes)):
        for text in part.tolist():
            number = label_number(text)
            if number is None and reads_as_missing(text):
                doubtful.append(text)
            elif number is None:
                words += [text] if len(words) < 2 else []
            else:
                one = whole if number == int(number) else fraction
                one += [] if one else [text]
    return words, doubtful, whole, fraction


def _refuse_words_among_numbers(name: str, classes: Array | Text) -> None:
    """Raise DataError where all texts are numbers, apart from words for missing values."""
    from seqtool.tables.cells import are_numbers, reads_as_missing

    def texts() -> Iterator[str]:
        return (text for _, part in chunks(cast(AnyArray, classes)) for text in part.tolist())

    word = next(filter(reads_as_missing, texts()), None)
    if word is not None and are_numbers(text for text in texts() if not reads_as_missing(text)):
        raise DataError(
            f"{name} holds {word!r} among numbers, all as text; save it as numbers, with NaN where there is no "
            "label"
        )


def are_of_steps(labels: AnyArray, name: str, data: Ragged | Padded) -> bool:
    """Whether labels are labels of steps: (N, T, ...) beside a block, (S, ...) beside ragged values.

    An array (N, C) of C = T classes has that shape too. It is of steps if all padding holds the same value. Where no
    step is padding, text is a label of steps, and rows with a single 1 are one-hot labels of sequences; raises
    DataError for other numbers, which may be either.
    """
    shape = labels.shape
    if isinstance(data, Ragged):
        return len(data.values) != len(data) and shape[:1] == (len(data.values),)
    if data.x.shape[1] < 2 or shape[:2] != data.x.shape[:2]:
        return False
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
    """Whether each row holds a single 1 among zeros."""
    return rows.dtype.kind in "biuf" and bool(
        (((rows == 0) | (rows == 1)).all(axis=1) & (rows.sum(axis=1) == 1)).all()
    )
