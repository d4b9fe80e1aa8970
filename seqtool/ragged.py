"""The two types that everything else speaks: `Ragged` (sequences end to end) and `Padded` (one block).

N sequences, T slots each (the padded length), F features a step, S steps in all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, cast, get_args

import numpy as np

from seqtool.casting import Array, first_loss
from seqtool.errors import DataError, UsageError

Side = Literal["pre", "post"]
Value = float | tuple[float, ...]
"""What padding holds: one number, or one for each feature."""
Receipt = tuple[Mapping[str, Any], ...]
"""What was done so far, one entry for each command; see `seqtool.receipts`."""


@dataclass(frozen=True, eq=False)
class StepArray:
    """A further array with one row for each step (labels, row numbers), and what its padding holds."""

    data: Array
    value: float

    def __post_init__(self) -> None:
        _check_numeric("a per-step array", self.data)


@dataclass(frozen=True, eq=False)
class Ragged:
    """Sequences end to end, as Arrow lays out a list column.

    `values` is (S, F), or (S,) where a step is a single number such as a token id. Sequence i is
    `values[offsets[i]:offsets[i + 1]]`. `per_step` arrays are (S, ...) and are cut and padded with the
    values; `per_sequence` arrays are (N, ...) and follow their sequence wherever it goes; `names` are
    small tables for the whole (`classes`, `static_features`).

    Raises DataError when the parts do not fit together.

    >>> import numpy as np
    >>> ragged = Ragged(np.array([[1, 2], [3, 4], [5, 6]]), np.array([0, 1, 3]))
    >>> len(ragged), ragged.lengths.tolist()
    (2, [1, 2])
    """

    values: Array
    offsets: Array
    keys: Array | None = None
    features: tuple[str, ...] | None = None
    per_step: Mapping[str, StepArray] = field(default_factory=dict)
    per_sequence: Mapping[str, Array] = field(default_factory=dict)
    names: Mapping[str, Array] = field(default_factory=dict)
    receipt: Receipt = ()

    def __post_init__(self) -> None:
        _check_numeric("values", self.values)
        if self.values.ndim not in (1, 2):
            raise DataError(f"values has shape {self.values.shape}; (S, F) or (S,) was expected")
        _check_offsets(self.offsets, len(self.values))
        for name, array in self.per_step.items():
            _check_count(name, array.data, len(self.values), "steps")
        _check_company(self, len(self), self.values.shape[1:])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Array:
        """The number of steps of each sequence, (N,) int64."""
        return np.diff(self.offsets)

    def replace(self, **changes: Any) -> Self:
        """The same sequences with some fields exchanged."""
        return dataclasses.replace(self, **changes)

    def keep_sequences(self, which: Array) -> Ragged:
        """Only the sequences where `which`, (N,) bool, holds, with everything that belongs to them.

        >>> Ragged(np.arange(6), np.array([0, 1, 3, 6])).keep_sequences(np.array([True, False, True])).values
        array([0, 3, 4, 5])
        """
        steps = np.repeat(which, self.lengths)
        return self.replace(
            keys=None if self.keys is None else self.keys[which],
            per_sequence={name: array[which] for name, array in self.per_sequence.items()},
            **self._steps_where(steps, self.lengths[which]),
        )

    def keep_steps(self, which: Array) -> Ragged:
        """Only the steps where `which`, (S,) bool, holds; every sequence stays, if need be with no step.

        >>> Ragged(np.arange(4), np.array([0, 1, 4])).keep_steps(np.array([True, True, False, True])).lengths
        array([1, 2])
        """
        before = np.concatenate([[0], np.cumsum(which, dtype=np.int64)])
        return self.replace(**self._steps_where(which, np.diff(before[self.offsets])))

    def _steps_where(self, which: Array, lengths: Array) -> dict[str, Any]:
        return {
            "values": self.values[which],
            "offsets": offsets_of(lengths),
            "per_step": {
                name: StepArray(array.data[which], array.value) for name, array in self.per_step.items()
            },
        }


@dataclass(frozen=True, eq=False)
class Padded:
    """Sequences in one block of T slots each, with their true lengths.

    `x` is (N, T, F), or (N, T) where a step is a single number. `lengths` is (N,) int64. Real steps stand
    first with `padding="post"`, last with `"pre"`; every other cell equals `value`. `per_step` arrays are
    (N, T, ...), padded with their own value; `per_sequence`, `names` and `receipt` are as in `Ragged`.

    Raises DataError when the parts do not fit together, or a cell outside a sequence is not `value`.

    >>> import numpy as np
    >>> Padded(np.array([[1, 0], [2, 3]]), np.array([1, 2]), padding="post").mask
    array([[ True, False],
           [ True,  True]])
    """

    x: Array
    lengths: Array
    padding: Side = "pre"
    value: Value = 0
    keys: Array | None = None
    features: tuple[str, ...] | None = None
    per_step: Mapping[str, StepArray] = field(default_factory=dict)
    per_sequence: Mapping[str, Array] = field(default_factory=dict)
    names: Mapping[str, Array] = field(default_factory=dict)
    receipt: Receipt = ()

    def __post_init__(self) -> None:
        check_side("padding", self.padding)
        check_lengths(self.lengths, self.x)
        for name, array in self.per_step.items():
            if array.data.shape[:2] != self.x.shape[:2]:
                raise DataError(f"{name} has shape {array.data.shape}, but x has shape {self.x.shape}")
        _check_company(self, len(self), self.x.shape[2:])
        check_value(self.value, self.x.shape[2:], self.x.dtype)
        for array in self.per_step.values():
            check_value(array.value, (), array.data.dtype)
        mask = self.mask
        _check_padding_cells("x", self.x, self.value, mask)
        for name, array in self.per_step.items():
            _check_padding_cells(name, array.data, array.value, mask)

    def __len__(self) -> int:
        return len(self.x)

    @property
    def mask(self) -> Array:
        """True where a step is real, (N, T) bool."""
        return step_mask(self.lengths, maxlen=self.x.shape[1], padding=self.padding)

    def replace(self, **changes: Any) -> Self:
        """The same sequences with some fields exchanged."""
        return dataclasses.replace(self, **changes)


def step_mask(lengths: Array, *, maxlen: int, padding: Side = "pre") -> Array:
    """True where a step is real: (N,) lengths give (N, maxlen) bool.

    >>> step_mask(np.array([1, 2]), maxlen=3, padding="pre")
    array([[False, False,  True],
           [False,  True,  True]])
    """
    slots = np.arange(maxlen)
    lengths = lengths.astype(np.int64, copy=False)
    if padding == "post":
        return np.asarray(slots < lengths[:, None])
    return np.asarray(slots >= maxlen - lengths[:, None])


def offsets_of(lengths: Array) -> Array:
    """Where each sequence begins, and the end of the last: (N,) lengths give (N + 1,) int64.

    >>> offsets_of(np.array([1, 2, 2]))
    array([0, 1, 3, 5])
    """
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def check_side(name: str, side: str) -> Side:
    """`side` itself; raises UsageError unless it is pre or post."""
    if side not in get_args(Side):
        raise UsageError(f"{name} is {side!r}; pre or post was expected")
    return cast(Side, side)


def check_value(value: Value, feature_shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise DataError unless `value` is one number, or a tuple of one for each feature, that `dtype` holds.

    As in every cast, a fraction may be rounded and nothing else may change.
    """
    check_value_shape(value, feature_shape)
    numbers: tuple[object, ...] = value if isinstance(value, tuple) else (value,)
    for number in numbers:
        if not isinstance(number, (int, float, np.integer, np.floating)):
            raise DataError(f"value is {value!r}; a number, or a tuple of one for each feature, was expected")
        held = np.array([number])
        if held.dtype == object or first_loss(held, dtype) is not None:  # object: an integer past 64 bits
            shown = str(number) if len(str(number)) <= 24 else f"{str(number)[:20]}..."
            raise DataError(
                f"value {shown} cannot be held in {dtype}; choose another --value, or --dtype float32"
            )


def check_value_shape(value: Value, feature_shape: tuple[int, ...]) -> None:
    """Raise DataError for a tuple of other than one number for each feature."""
    if isinstance(value, tuple) and (len(value),) != feature_shape:
        features = feature_shape[0] if feature_shape else "no"
        raise DataError(f"value has {len(value)} numbers, but a step has {features} features")


def check_lengths(lengths: Array, x: Array) -> None:
    """Raise DataError unless `x` is (N, T) or (N, T, F) and `lengths` (N,) whole numbers from 0 to T."""
    _check_numeric("x", x)
    if x.ndim not in (2, 3):
        raise DataError(f"x has shape {x.shape}; (N, T) or (N, T, F) was expected")
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu":
        raise DataError(
            f"lengths is {lengths.dtype} {lengths.shape}; whole numbers of shape (N,) were expected"
        )
    _check_count("lengths", lengths, len(x), "sequences")
    wrong = np.flatnonzero((lengths < 0) | (lengths > x.shape[1]))
    if len(wrong):
        first = wrong[0]
        raise DataError(f"lengths[{first}] is {lengths[first]}, but x holds {x.shape[1]} steps")


def stale_slots(x: Array, value: Value, mask: Array) -> Array:
    """The slots outside `mask` that hold something other than `value`: (K, 2) places in (N, T)."""
    held = np.asarray(value)
    if x.dtype.kind == "f":  # compared in the array's own type: 0.1 as float32 is not 0.1
        with np.errstate(over="ignore"):
            held = held.astype(x.dtype)
    cells = x[~mask]
    differs = cells != held
    if held.dtype.kind == "f":
        differs &= ~(np.isnan(cells) & np.isnan(held))
    if not differs.any():
        return np.empty((0, 2), dtype=np.int64)
    return np.asarray(np.argwhere(~mask)[differs.reshape(len(cells), -1).any(axis=1)])


def _check_padding_cells(name: str, x: Array, value: Value, mask: Array) -> None:
    wrong = stale_slots(x, value, mask)
    if len(wrong):
        i, t = wrong[0]
        raise DataError(
            f"{name}[{i}, {t}] is past the end of its sequence, but holds {x[i, t].tolist()} "
            f"instead of the padding value {value} ({len(wrong):,} such steps)"
        )


def _check_offsets(offsets: Array, steps: int) -> None:
    if offsets.ndim != 1 or offsets.dtype != np.int64 or not len(offsets):
        raise DataError(f"offsets is {offsets.dtype} {offsets.shape}; int64 of shape (N + 1,) was expected")
    if offsets[0] != 0:
        raise DataError(f"offsets[0] is {offsets[0]}; 0 was expected")
    falls = np.flatnonzero(offsets[1:] < offsets[:-1])
    if len(falls):
        first = falls[0] + 1
        raise DataError(f"offsets[{first}] is {offsets[first]}, below the {offsets[first - 1]} before it")
    if offsets[-1] != steps:
        raise DataError(f"offsets ends at {offsets[-1]}, but values holds {steps} steps")


def _check_company(data: Ragged | Padded, count: int, feature_shape: tuple[int, ...]) -> None:
    if data.features is not None and (len(data.features),) != feature_shape:
        found = feature_shape[0] if feature_shape else "no"
        raise DataError(f"features names {len(data.features)} features, but a step has {found}")
    if data.keys is not None:
        _check_count("keys", data.keys, count, "sequences")
    for name, array in data.per_sequence.items():
        _check_count(name, array, count, "sequences")


def _check_count(name: str, array: Array, count: int, what: str) -> None:
    if array.ndim < 1 or len(array) != count:
        raise DataError(f"{name} has shape {array.shape}, but there are {count} {what}")


def _check_numeric(name: str, array: Array) -> None:
    if (
        array.dtype.kind not in "biuf" or array.dtype.itemsize > 8
    ):  # no long doubles: each machine has its own
        raise DataError(f"{name} is {array.dtype}; numbers (integers, floats or booleans) were expected")
