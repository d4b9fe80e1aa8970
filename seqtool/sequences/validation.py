"""The invariants of sequences, and which slots of a padded block are real."""

from __future__ import annotations

import dataclasses
import reprlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from seqtool.arrays.array_likes import as_array
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, as_items, chunks, rows_per_chunk, slots
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, check_whole
from seqtool.sequences.labels import check_label_names, check_vocabularies
from seqtool.sequences.padding_values import Side, Value, check_side, check_value
from seqtool.words import step_in_words

if TYPE_CHECKING:
    from seqtool.sequences.ragged import Padded, Ragged


def check_same_lengths(ragged: Ragged, lengths: AnyArray) -> None:
    """Raise DataError unless `lengths`, stored beside the offsets, are the lengths that the offsets give."""
    same = len(lengths) == len(ragged) and all(
        np.array_equal(part, lengths[begin : begin + len(part)]) for begin, part in chunks(ragged.lengths)
    )
    if not same:
        raise DataError("lengths and offsets contradict each other")


def step_mask(lengths: Array, *, maxlen: int, padding: Side = "pre") -> Array:
    """True where a step is real: (N,) lengths give (N, maxlen) bool.

    >>> step_mask(np.array([1, 2]), maxlen=3, padding="pre")
    array([[False, False,  True],
           [False,  True,  True]])
    """
    maxlen = check_whole("maxlen", maxlen)
    narrow = np.min_scalar_type(maxlen)  # several times as quick to compare as int64
    slots = np.arange(maxlen).astype(narrow)
    real = np.clip(as_array("lengths", lengths).astype(np.int64, copy=False), 0, maxlen)
    if padding == "post":
        return np.asarray(slots < real.astype(narrow)[:, None])
    return np.asarray(slots >= (maxlen - real).astype(narrow)[:, None])


def offsets_of(lengths: Array) -> Array:
    """The first step of each sequence, and the end of the last: (N,) lengths give (N + 1,) int64.

    >>> offsets_of(np.array([1, 2, 2]))
    array([0, 1, 3, 5])
    """
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def check_lengths(lengths: AnyArray, x: AnyArray) -> None:
    """Raise DataError unless `x` is (N, T, ...) and `lengths` (N,) whole numbers from 0 to T."""
    check_numeric("x", x)
    if x.ndim < 2:
        raise DataError(f"x has shape {x.shape}; (N, T), (N, T, F) or (N, T, H, W, C) was expected")
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu":
        raise DataError(
            f"lengths is {lengths.dtype} {lengths.shape}; whole numbers of shape (N,) were expected"
        )
    check_count("lengths", lengths, len(x), "sequences")
    for begin, part in chunks(lengths):
        wrong = np.flatnonzero((part < 0) | (part > x.shape[1]))
        if len(wrong):
            first = wrong[0]
            raise DataError(f"lengths[{begin + first}] is {part[first]}, but x holds {x.shape[1]} steps")


def check_parts(padded: Padded) -> None:
    """Raise DataError unless the parts fit together; the slots are not read."""
    check_side("padding", padded.padding)
    x = padded.x
    check_lengths(padded.lengths, x)
    for name, array in padded.per_step.items():
        if array.data.shape[:2] != x.shape[:2]:
            raise DataError(f"{name} has shape {array.data.shape}, but x has shape {x.shape}")
    check_aligned(padded, len(x), x.shape[2:])
    check_value(padded.value, x.shape[2:], x.dtype)
    for array in padded.per_step.values():
        check_value(array.value, (), array.data.dtype)


@dataclass(frozen=True)
class Stale:
    """Slots outside the sequences that hold something else than padding: how many, the first, and its content."""

    count: int
    place: tuple[int, int]
    content: Any


def stale_slots(x: AnyArray, lengths: AnyArray, *, padding: Side, value: Value) -> Stale | None:
    """The slots of (N, T, ...) outside their sequence that do not hold `value`; None where there are none."""
    expected = np.asarray(value)
    if x.dtype.kind == "f":  # compared in the dtype of x: 0.1 as float32 is not 0.1
        with np.errstate(over="ignore"):
            expected = expected.astype(x.dtype)
    found: Stale | None = None
    for begin, part, outside in _padding_of(x, lengths, padding):
        cells = _differ(_chosen(part, outside), expected)
        if not cells.any():
            continue
        differs = cells.any(axis=tuple(range(1, cells.ndim)))
        first, more = int(np.flatnonzero(outside)[int(np.argmax(differs))]), int(differs.sum())
        if found is None:
            found = Stale(more, divmod(begin + first, x.shape[1]), part[first].tolist())
        else:
            found = dataclasses.replace(found, count=found.count + more)
    return found


def _padding_of(x: AnyArray, lengths: AnyArray, padding: Side) -> Iterator[tuple[int, Array, Array]]:
    """Slots of (N, T, ...) in pieces (n, ...), the number of the first of each, and which hold padding, (n,) bool."""
    width = x.shape[1]
    if rows_per_chunk(x) > 1:  # whole rows, whose mask is soon made
        for begin, rows in chunks(x):
            real = lengths[begin : begin + len(rows)]
            outside = ~step_mask(real, maxlen=width, padding=padding)
            count = len(rows) * width
            yield begin * width, rows.reshape(count, *x.shape[2:]), outside.reshape(count)
        return
    for begin, part in chunks(slots(x)):
        places = np.arange(begin, begin + len(part))
        of = places // width
        real = lengths[int(of[0]) : int(of[-1]) + 1].astype(np.int64, copy=False)[of - of[0]]
        slot = places - of * width
        yield begin, part, slot >= real if padding == "post" else slot < width - real


def shown_step(step: Any) -> str:
    """A step for an error message; of an array of several dimensions the first numbers alone.

    >>> shown_step([1.5, 2.0]), shown_step(np.zeros((9, 9)).tolist())
    ('[1.5, 2.0]', '[[0.0, 0.0, ...], [0.0, 0.0, ...], ...]')
    """
    nested = isinstance(step, list) and step and isinstance(step[0], list)
    return _SHORTENED.repr(step) if nested else str(step)


_SHORTENED = reprlib.Repr()
_SHORTENED.maxlist = 2


def _chosen(steps: Array, which: Array) -> Array:
    """The steps of (n, ...) that `which`, (n,) bool, says, each copied as one item."""
    if not steps.flags.c_contiguous or not steps.size:
        return np.asarray(steps[which])
    return as_items(steps, 1)[which].view(steps.dtype).reshape(-1, *steps.shape[1:])


def _differ(steps: Array, expected: Array) -> Array:
    """Which cells of steps, (n, ...), differ from the expected value, bool of the same shape; NaN equals NaN."""
    differs = np.asarray(steps != expected)
    if expected.dtype.kind == "f" and np.isnan(expected).any():
        differs &= ~(np.isnan(steps) & np.isnan(expected))
    return differs


def check_padding_cells(name: str, x: AnyArray, padded: Padded, value: Value | None = None) -> None:
    """Raise DataError unless every slot outside the sequences holds `value`, in x or a per-step array."""
    value = padded.value if value is None else value
    stale = stale_slots(x, padded.lengths, padding=padded.padding, value=value)
    if stale:
        i, t = stale.place
        raise DataError(
            f"{name}[{i}, {t}] is past the end of its sequence, but holds {shown_step(stale.content)} "
            f"instead of the padding value {value} ({stale.count:,} such steps)"
        )


def check_offsets(offsets: AnyArray, steps: int) -> None:
    """Raise DataError unless offsets begin at 0, never fall, and end at the number of steps."""
    if offsets.ndim != 1 or offsets.dtype != np.int64 or not len(offsets):
        raise DataError(f"offsets is {offsets.dtype} {offsets.shape}; int64 of shape (N + 1,) was expected")
    before = 0
    for begin, part in chunks(offsets):
        if not begin and part[0] != 0:
            raise DataError(f"offsets[0] is {part[0]}; 0 was expected")
        falls = part[1:] < part[:-1]
        if part[0] < before or falls.any():
            i = 0 if part[0] < before else int(falls.argmax()) + 1
            last = part[i - 1] if i else before
            raise DataError(f"offsets[{begin + i}] is {part[i]}, below the {last} before it")
        before = part[-1]
    if before != steps:
        raise DataError(f"offsets ends at {before}, but values holds {steps} steps")


def check_aligned(data: Ragged | Padded, count: int, feature_shape: tuple[int, ...]) -> None:
    """Raise DataError unless keys and per-sequence arrays have `count` rows, and each feature has a name."""
    if data.features is not None and (len(data.features),) != feature_shape:
        found = f"has {feature_shape[0] if feature_shape else 'no'}"
        if len(feature_shape) > 1:
            found = f"is {step_in_words(feature_shape)}"
        raise DataError(f"features names {len(data.features)} features, but a step {found}")
    if data.keys is not None:
        check_count("keys", data.keys, count, "sequences")
    check_label_names(data.names, data.per_sequence.get("y"))
    check_vocabularies({name: table.shape for name, table in data.names.items()}, data.names)
    for name, array in data.per_sequence.items():
        check_count(name, array, count, "sequences")
        expected, fits = {
            "part": ("int64", array.dtype == np.int64),
            "split": ("text", array.dtype.kind in "UT"),
        }.get(name, ("", True))
        if not fits or (expected and array.ndim != 1):
            raise DataError(f"{name} is {array.dtype} {array.shape}; {expected} of shape (N,) was expected")


def check_count(name: str, array: AnyArray | Text, count: int, what: str) -> None:
    """Raise DataError unless an array has `count` rows; `what` says what they are, "sequences" or "steps"."""
    if array.ndim < 1 or len(array) != count:
        raise DataError(f"{name} has shape {array.shape}, but there are {count} {what}")


def check_numeric(name: str, array: AnyArray) -> None:
    """Raise DataError unless an array holds numbers, of at most 64 bits: long doubles differ between machines."""
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        as_ids = '; of text pad(..., category="word") makes ids' if array.dtype.kind == "U" else ""
        raise DataError(
            f"{name} is {array.dtype}; numbers (integers, floats or booleans) were expected{as_ids}"
        )
