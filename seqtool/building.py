"""Where a `Ragged` comes from when it is not read from a file: lists, dense arrays, padded blocks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from seqtool.casting import Array, first_loss
from seqtool.errors import DataError
from seqtool.ragged import (
    Padded,
    Ragged,
    Side,
    StepArray,
    check_lengths,
    check_side,
    offsets_of,
    step_mask,
)


def as_ragged(sequences: Ragged | Padded | Array | Sequence[Any]) -> Ragged:
    """Any of the forms that sequences come in, as a Ragged; raises DataError for what is none of them.

    >>> as_ragged([[1, 2], [], [3]]).offsets
    array([0, 2, 2, 3])
    """
    if isinstance(sequences, Ragged):
        return sequences
    if isinstance(sequences, Padded):
        return _from_padded(sequences)
    if isinstance(sequences, np.ndarray) and sequences.dtype != object:
        return from_dense(sequences)
    if isinstance(sequences, (str, bytes, dict)) or not hasattr(sequences, "__len__"):
        raise DataError(f"{sequences!r} is no sequences; a list of lists or an array was expected")
    if isinstance(sequences, np.ndarray) and sequences.ndim != 1:
        raise DataError(f"an object array of shape {sequences.shape}; one sequence each, (N,), was expected")
    return from_lists(list(sequences))


def from_dense(x: Array, lengths: Array | None = None, *, padding: Side = "post") -> Ragged:
    """The sequences of a dense block (N, T) or (N, T, F); without `lengths` every one is T long.

    With all lengths T the result is a view: nothing is copied. Raises DataError when the parts do not fit.

    >>> from_dense(np.zeros((3, 4, 2)), np.array([4, 0, 1])).values.shape
    (5, 2)
    """
    check_side("padding", padding)
    full = np.full(x.shape[:1], x.shape[1] if x.ndim > 1 else 0, dtype=np.int64)
    lengths = full if lengths is None else np.asarray(lengths)
    check_lengths(lengths, x)
    return Ragged(_real_steps(x, lengths, padding), offsets_of(lengths))


def _real_steps(x: Array, lengths: Array, padding: Side) -> Array:
    if (lengths == x.shape[1]).all():
        return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])
    return np.asarray(x[step_mask(lengths, maxlen=x.shape[1], padding=padding)])


def _from_padded(padded: Padded) -> Ragged:
    return Ragged(
        _real_steps(padded.x, padded.lengths, padded.padding),
        offsets_of(padded.lengths),
        keys=padded.keys,
        features=padded.features,
        per_step={
            name: StepArray(_real_steps(array.data, padded.lengths, padded.padding), array.value)
            for name, array in padded.per_step.items()
        },
        per_sequence=padded.per_sequence,
        names=padded.names,
        receipt=padded.receipt,
    )


def from_lists(sequences: Sequence[Any]) -> Ragged:
    """A list of sequences, each a list of numbers, a list of steps, or an array of either.

    Whole numbers alone give int64, anything else float64, as NumPy has it; None is a missing value.
    Raises DataError that names the first sequence that does not fit.

    >>> from_lists([[[1, 2]], [[3, 4], [5, 6]]]).values.shape
    (3, 2)
    """
    arrays = all(isinstance(sequence, np.ndarray) for sequence in sequences) and len(sequences) > 0
    lengths = np.fromiter(map(_length, sequences), dtype=np.int64, count=len(sequences))
    if (lengths < 0).any():
        i = int(np.argmax(lengths < 0))
        raise DataError(f"sequences[{i}] is {sequences[i]!r}; a list of numbers or of steps was expected")
    try:
        values = (
            _joined([s for s in sequences if len(s)] or list(sequences[:1]))
            if arrays
            else _array(list(chain.from_iterable(sequences)))
        )
    except (ValueError, TypeError, OverflowError):
        raise _misfit(sequences) from None
    if values.ndim not in (1, 2) or values.dtype.kind not in "biuf":
        raise _misfit(sequences)
    return Ragged(values, offsets_of(lengths))


def _length(sequence: Any) -> int:
    if isinstance(sequence, (str, bytes, dict)):
        return -1
    try:
        return len(sequence)
    except TypeError:
        return -1


def _joined(arrays: list[Array]) -> Array:
    kinds = {array.dtype.kind for array in arrays}
    common = np.dtype(np.int64) if {"u", "i"} <= kinds <= {"u", "i", "b"} else np.result_type(*arrays)
    for array in arrays:
        if array.dtype.kind in "biuf" and first_loss(array, common) is not None:
            raise OverflowError
    return np.concatenate([array.astype(common, copy=False) for array in arrays])


def _array(steps: list[Any]) -> Array:
    if not steps:
        return np.empty(0)
    values = np.array(steps)
    if values.dtype == object:  # None among numbers; a mixture of anything else raises
        values = values.astype(np.float64)
    if values.dtype == np.float64 and not (np.abs(values) < 2**53).all():
        _check_whole(np.array(steps, dtype=object).reshape(-1).tolist(), values.reshape(-1))
    return values


def _check_whole(numbers: list[Any], held: Array) -> None:
    """Raise OverflowError where a whole number was rounded when it joined others."""
    for place in np.flatnonzero(~(np.abs(held) < 2**53)).tolist():
        if isinstance(numbers[place], int) and int(held[place]) != numbers[place]:
            raise OverflowError


def _misfit(sequences: Sequence[Any]) -> DataError:
    """The error for the first step that is unlike the first one."""
    shape: tuple[int, ...] | None = None
    for i, sequence in enumerate(sequences):
        for t, step in enumerate(sequence):
            place = f"sequences[{i}][{t}]"
            found = _numeric_shape(step)
            if found is None:
                return DataError(f"{place} is {step!r}; a number, or a list of them, was expected")
            shape = found if shape is None else shape
            if found != shape or len(shape) > 1:
                expected = (
                    "a number" if shape == () else f"{shape[0]} features" if len(shape) == 1 else "a list"
                )
                got = "a number" if found == () else f"{'x'.join(map(str, found))} features"
                return DataError(f"{place} has {got}, but the steps before it {expected}")
    return DataError("the sequences hold whole numbers that no common type holds exactly")


def _numeric_shape(step: Any) -> tuple[int, ...] | None:
    """The shape of a step, or None if it does not hold numbers alone."""
    if step is None:
        return ()
    try:
        array = np.asarray(step)
    except ValueError:
        return None
    numbers = array.dtype.kind in "biuf" or (
        array.dtype == object
        and all(isinstance(item, (int, float, type(None))) for item in array.reshape(-1))
    )
    return array.shape if numbers else None
