"""The two types that everything else speaks: `Ragged` (sequences end to end) and `Padded` (one block).

N sequences, T slots each (the padded length), F features a step, S steps in all. Wherever an array may be
larger than memory it may be a `seqtool.arrays.windows.Lazy`, of which only windows are read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, cast, get_args

import numpy as np

from seqtool.arrays.dtypes import Array, first_loss
from seqtool.arrays.text import Text
from seqtool.arrays.windows import AnyArray, Lazy, slots, windows
from seqtool.errors import DataError, UsageError

Side = Literal["pre", "post"]
Value = float | tuple[float, ...]
"""What padding holds: one number, or one for each feature."""
Receipt = tuple[Mapping[str, Any], ...]
"""What was done so far, one entry for each command; see `seqtool.sequences.receipts`."""


@dataclass(frozen=True, eq=False)
class StepArray:
    """A further array with one row for each step (labels, row numbers), and what its padding holds."""

    data: AnyArray
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

    values: AnyArray
    offsets: AnyArray
    keys: AnyArray | Text | None = None
    features: tuple[str, ...] | None = None
    per_step: Mapping[str, StepArray] = field(default_factory=dict)
    per_sequence: Mapping[str, AnyArray] = field(default_factory=dict)
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
    def lengths(self) -> AnyArray:
        """The number of steps of each sequence, (N,) int64."""
        offsets = self.offsets
        if isinstance(offsets, np.ndarray):
            return np.diff(offsets)
        return Lazy((len(self),), np.dtype(np.int64), lambda begin, end: np.diff(offsets[begin : end + 1]))

    def replace(self, **changes: Any) -> Self:
        """The same sequences with some fields exchanged."""
        return dataclasses.replace(self, **changes)

    def in_memory(self) -> Self:
        """The same with every array in memory."""
        return self.replace(values=np.asarray(self.values), offsets=np.asarray(self.offsets), **_loaded(self))


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

    x: AnyArray
    lengths: AnyArray
    padding: Side = "pre"
    value: Value = 0
    keys: AnyArray | Text | None = None
    features: tuple[str, ...] | None = None
    per_step: Mapping[str, StepArray] = field(default_factory=dict)
    per_sequence: Mapping[str, AnyArray] = field(default_factory=dict)
    names: Mapping[str, Array] = field(default_factory=dict)
    receipt: Receipt = ()

    def __post_init__(self) -> None:
        check_parts(self)
        _check_padding_cells("x", self.x, self)
        for name, array in self.per_step.items():
            _check_padding_cells(name, array.data, self, array.value)

    def __len__(self) -> int:
        return len(self.x)

    @property
    def mask(self) -> Array:
        """True where a step is real, (N, T) bool."""
        return step_mask(np.asarray(self.lengths), maxlen=self.x.shape[1], padding=self.padding)

    def replace(self, **changes: Any) -> Self:
        """The same sequences with some fields exchanged."""
        return dataclasses.replace(self, **changes)

    def in_memory(self) -> Self:
        """The same with every array in memory."""
        return self.replace(x=np.asarray(self.x), lengths=np.asarray(self.lengths), **_loaded(self))


def _loaded(data: Ragged | Padded) -> dict[str, Any]:
    return {
        "keys": None if data.keys is None else np.asarray(data.keys),
        "per_step": {
            name: StepArray(np.asarray(array.data), array.value) for name, array in data.per_step.items()
        },
        "per_sequence": {name: np.asarray(array) for name, array in data.per_sequence.items()},
    }


def given_labels(ragged: Ragged) -> Iterator[tuple[str, AnyArray, Array | None]]:
    """Its labels, `y` and `step_y`, with the names of their classes where they have any.

    `classes` are those of steps where sequences have no label.
    """
    y, step_y, classes = (
        ragged.per_sequence.get("y"),
        ragged.per_step.get("step_y"),
        ragged.names.get("classes"),
    )
    if y is not None:
        yield "y", y, classes
    if step_y is not None:
        yield "step_y", step_y.data, ragged.names.get("step_classes", classes if y is None else None)


def check_same_lengths(ragged: Ragged, lengths: AnyArray) -> None:
    """Raise DataError unless lengths that stand beside offsets are those that they tell."""
    for begin, part in windows(ragged.lengths):
        if len(lengths) != len(ragged) or not np.array_equal(part, lengths[begin : begin + len(part)]):
            raise DataError("lengths and offsets contradict each other")


def unchecked(kind: type[Any], **fields: Any) -> Any:
    """A Ragged or Padded of parts that were checked before, or are not to be looked at yet.

    What is not given is as it is by default.
    """
    made = object.__new__(kind)
    for known in dataclasses.fields(kind):
        if known.name in fields:
            held = fields[known.name]
        else:
            held = known.default if known.default_factory is dataclasses.MISSING else known.default_factory()
        object.__setattr__(made, known.name, held)
    return made


def exchanged(data: Any, **changes: Any) -> Any:
    """The same Ragged or Padded with some parts exchanged, and nothing checked: `replace` checks all of it."""
    return unchecked(type(data), **{**vars(data), **changes})


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


def check_lengths(lengths: AnyArray, x: AnyArray) -> None:
    """Raise DataError unless `x` is (N, T) or (N, T, F) and `lengths` (N,) whole numbers from 0 to T."""
    _check_numeric("x", x)
    if x.ndim not in (2, 3):
        raise DataError(f"x has shape {x.shape}; (N, T) or (N, T, F) was expected")
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu":
        raise DataError(
            f"lengths is {lengths.dtype} {lengths.shape}; whole numbers of shape (N,) were expected"
        )
    _check_count("lengths", lengths, len(x), "sequences")
    for begin, part in windows(lengths):
        wrong = np.flatnonzero((part < 0) | (part > x.shape[1]))
        if len(wrong):
            first = wrong[0]
            raise DataError(f"lengths[{begin + first}] is {part[first]}, but x holds {x.shape[1]} steps")


def check_parts(padded: Padded) -> None:
    """Raise DataError unless the parts fit together: all that needs no pass over the slots."""
    check_side("padding", padded.padding)
    x = padded.x
    check_lengths(padded.lengths, x)
    for name, array in padded.per_step.items():
        if array.data.shape[:2] != x.shape[:2]:
            raise DataError(f"{name} has shape {array.data.shape}, but x has shape {x.shape}")
    _check_company(padded, len(x), x.shape[2:])
    check_value(padded.value, x.shape[2:], x.dtype)
    for array in padded.per_step.values():
        check_value(array.value, (), array.data.dtype)


@dataclass(frozen=True)
class Stale:
    """Slots outside the sequences that hold something else than padding: how many, the first, its content."""

    count: int
    place: tuple[int, int]
    content: Any


def stale_slots(x: AnyArray, lengths: AnyArray, *, padding: Side, value: Value) -> Stale | None:
    """The slots of (N, T) or (N, T, F) past the end of their sequence that do not hold `value`, if there are any."""
    held = np.asarray(value)
    if x.dtype.kind == "f":  # compared in the array's own type: 0.1 as float32 is not 0.1
        with np.errstate(over="ignore"):
            held = held.astype(x.dtype)
    found: Stale | None = None
    width = max(1, x.shape[1])
    for begin, part in windows(slots(x)):
        places = np.arange(begin, begin + len(part))
        rows = places // width
        known = lengths[int(rows[0]) : int(rows[-1]) + 1].astype(np.int64, copy=False)[rows - rows[0]]
        within = places - rows * width
        outside = np.flatnonzero(within >= known if padding == "post" else within < width - known)
        differs = _differ(part[outside], held)
        if differs.any():
            first = int(outside[int(np.argmax(differs))])
            place = divmod(begin + first, width)
            more = int(differs.sum())
            found = (
                Stale(more, place, part[first].tolist())
                if found is None
                else dataclasses.replace(found, count=found.count + more)
            )
    return found


def _differ(cells: Array, held: Array) -> Array:
    differs = cells != held
    if held.dtype.kind == "f":
        differs &= ~(np.isnan(cells) & np.isnan(held))
    return np.asarray(differs.any(axis=tuple(range(1, differs.ndim))))


def _check_padding_cells(name: str, x: AnyArray, padded: Padded, value: Value | None = None) -> None:
    value = padded.value if value is None else value
    stale = stale_slots(x, padded.lengths, padding=padded.padding, value=value)
    if stale:
        i, t = stale.place
        raise DataError(
            f"{name}[{i}, {t}] is past the end of its sequence, but holds {stale.content} "
            f"instead of the padding value {value} ({stale.count:,} such steps)"
        )


def _check_offsets(offsets: AnyArray, steps: int) -> None:
    if offsets.ndim != 1 or offsets.dtype != np.int64 or not len(offsets):
        raise DataError(f"offsets is {offsets.dtype} {offsets.shape}; int64 of shape (N + 1,) was expected")
    before = 0
    for begin, part in windows(offsets):
        if not begin and part[0] != 0:
            raise DataError(f"offsets[0] is {part[0]}; 0 was expected")
        falls = np.flatnonzero(np.diff(part, prepend=before) < 0)
        if len(falls):
            i = falls[0]
            last = part[i - 1] if i else before
            raise DataError(f"offsets[{begin + i}] is {part[i]}, below the {last} before it")
        before = part[-1]
    if before != steps:
        raise DataError(f"offsets ends at {before}, but values holds {steps} steps")


def _check_company(data: Ragged | Padded, count: int, feature_shape: tuple[int, ...]) -> None:
    if data.features is not None and (len(data.features),) != feature_shape:
        found = feature_shape[0] if feature_shape else "no"
        raise DataError(f"features names {len(data.features)} features, but a step has {found}")
    if data.keys is not None:
        _check_count("keys", data.keys, count, "sequences")
    for name, array in data.per_sequence.items():
        _check_count(name, array, count, "sequences")


def _check_count(name: str, array: AnyArray | Text, count: int, what: str) -> None:
    if array.ndim < 1 or len(array) != count:
        raise DataError(f"{name} has shape {array.shape}, but there are {count} {what}")


def _check_numeric(name: str, array: AnyArray) -> None:
    if (
        array.dtype.kind not in "biuf" or array.dtype.itemsize > 8
    ):  # no long doubles: each machine has its own
        raise DataError(f"{name} is {array.dtype}; numbers (integers, floats or booleans) were expected")
