"""`pad` and `unpad`: ragged sequences into one block of equal slots, and back.

The rules are those of Keras `pad_sequences` (keras/src/utils/sequence_utils.py), except that nothing is
cast silently: the input's dtype stays unless another is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Literal, cast

import numpy as np

from seqtool.arrays.dtypes import Array, describe_loss, dtype_named, first_loss
from seqtool.arrays.windows import AnyArray, Span, gather, mapped, rows_in, sequence_of, slots, span, windows
from seqtool.errors import DataError, UsageError
from seqtool.operations.mask_value import free_value
from seqtool.sequences.conversion import as_ragged
from seqtool.sequences.ragged import (
    Padded,
    Ragged,
    Side,
    StepArray,
    Value,
    check_side,
    check_value,
    step_mask,
)
from seqtool.sequences.receipts import Made, Rows
from seqtool.system.memory import budget
from seqtool.words import human

_BLOW_UP = 10  # times the real steps: padding on this scale was hardly meant
_BLOCK_BYTES = 1 << 20  # about what stays in a core's cache between filling a block and writing it
_LONG_BYTES = 16 << 20  # sequences longer than that are not padded in one piece


@dataclass(frozen=True, eq=False)
class Plan:
    """A padding not yet carried out: its shape is known, its blocks come on demand.

    This is how large work is done: the block of N x T slots never stands in memory as a whole.
    Make one with `plan`.
    """

    ragged: Ragged
    maxlen: int
    padding: Side
    truncating: Side
    value: Value
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        return len(self.ragged)

    @cached_property
    def lengths(self) -> AnyArray:
        """The steps that are kept of each sequence, (N,) int64."""
        return mapped(lambda part: np.minimum(part, self.maxlen), self.ragged.lengths, dtype=np.int64)

    @cached_property
    def span(self) -> Span:
        """The least and the largest of the lengths, and the steps that are kept in all."""
        return span(self.lengths)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, T, F), or (N, T)."""
        return (len(self), self.maxlen, *self.ragged.values.shape[1:])

    @property
    def nbytes(self) -> int:
        """The bytes of the padded block, counted without overflow."""
        return prod(self.shape) * self.dtype.itemsize

    @property
    def steps_cut(self) -> int:
        """The steps that truncating leaves out."""
        return len(self.ragged.values) - self.span.total

    @property
    def per_sequence(self) -> dict[str, AnyArray]:
        """The per-sequence arrays of the result; `original_lengths` joins them when something is cut."""
        arrays = dict(self.ragged.per_sequence)
        if self.steps_cut:
            arrays.setdefault("original_lengths", self.ragged.lengths)
        return arrays

    @property
    def blocks(self) -> Iterator[Array]:
        """The padded block in pieces, in order: some slots each, (n, F) or (n,), in memory of their own."""
        return self._scatter(self.ragged.values, self.value, self.dtype)

    def step_blocks(self, name: str) -> Iterator[Array]:
        """The same for the per-step array `name`: (n, ...) each."""
        array = self.ragged.per_step[name]
        return self._scatter(array.data, array.value, array.data.dtype)

    def whole(self, name: str | None = None) -> Array:
        """The padded block in memory: (N, T, F) or (N, T), or that of the per-step array `name`."""
        array = self.ragged.values if name is None else self.ragged.per_step[name].data
        dtype = self.dtype if name is None else array.dtype
        block = np.empty((*self.shape[:2], *array.shape[1:]), dtype)
        flat, begin = slots(block), 0
        for part in self.blocks if name is None else self.step_blocks(name):
            flat[begin : begin + len(part)] = part
            begin += len(part)
        return block

    def _scatter(self, rows: AnyArray, value: Value, dtype: np.dtype[Any]) -> Iterator[Array]:
        per_sequence = max(1, self.maxlen * prod(rows.shape[1:]) * dtype.itemsize)
        if per_sequence > _LONG_BYTES:
            for i in range(len(self)):
                yield from self._slot_by_slot(rows, value, dtype, i)
            return
        count = max(1, _BLOCK_BYTES // per_sequence)
        for begin in range(0, len(self), count):
            offsets = self.ragged.offsets[begin : begin + count + 1]
            block = np.empty((len(offsets) - 1, self.maxlen, *rows.shape[1:]), dtype)
            self._fill(block, rows, value, offsets)
            yield slots(block)

    def _fill(self, block: Array, rows: AnyArray, value: Value, offsets: Array) -> None:
        """Put the sequences that begin at `offsets` into a block of as many."""
        lengths = np.minimum(np.diff(offsets), self.maxlen)
        begins = offsets[:-1] if self.truncating == "post" else offsets[1:] - lengths
        steps = np.ascontiguousarray(gather(rows, begins, lengths).astype(block.dtype, copy=False))
        same = int(lengths[0])
        if (lengths == same).all():  # one copy of a rectangle
            real, rest = slice(None, same), slice(same, None)
            if self.padding == "pre":
                real, rest = slice(self.maxlen - same, None), slice(None, self.maxlen - same)
            block[:, rest] = value
            block[:, real] = steps.reshape(len(block), same, *rows.shape[1:])
            return
        block[...] = value
        mask = step_mask(lengths, maxlen=self.maxlen, padding=self.padding)
        _as_items(block, 2)[mask] = _as_items(steps, 1)

    def _slot_by_slot(self, rows: AnyArray, value: Value, dtype: np.dtype[Any], i: int) -> Iterator[Array]:
        """One sequence in pieces: for those so long that few fit into memory."""
        offset, end = self.ragged.offsets[i : i + 2].tolist()
        length = min(end - offset, self.maxlen)
        begin = offset if self.truncating == "post" else end - length
        first = 0 if self.padding == "post" else self.maxlen - length  # slot of the first real step
        count = rows_in(rows, _BLOCK_BYTES)
        for slot in range(0, self.maxlen, count):
            piece = np.empty((min(count, self.maxlen - slot), *rows.shape[1:]), dtype)
            piece[...] = value
            low, high = max(slot, first), min(slot + len(piece), first + length)
            if high > low:
                piece[low - slot : high - slot] = rows[begin + low - first : begin + high - first]
            yield piece


def _as_items(array: Array, dims: int) -> Array:
    """`array` with all but its first `dims` dimensions as one opaque item, so that a step moves in one copy."""
    size = prod(array.shape[dims:])
    if array.ndim == dims or size == 0:
        return array
    return array.reshape(*array.shape[:dims], size).view(f"V{size * array.itemsize}")[..., 0]


def plan(
    ragged: Ragged,
    *,
    maxlen: int | None = None,
    padding: Side = "pre",
    truncating: Side = "pre",
    value: Value | Literal["auto"] = 0,
    dtype: str | np.dtype[Any] | None = None,
    multiple_of: int = 1,
) -> Plan:
    """Check everything that padding `ragged` needs, and do none of it yet; arguments and errors as in `pad`.

    >>> plan(Ragged(np.arange(3), np.array([0, 1, 3])), maxlen=100).shape
    (2, 100)
    """
    if maxlen is not None and maxlen < 1:
        raise UsageError(f"maxlen is {maxlen}; it must be at least 1")
    if multiple_of < 1:
        raise UsageError(f"multiple_of is {multiple_of}; it must be at least 1")
    check_side("padding", padding)
    check_side("truncating", truncating)
    target = ragged.values.dtype if dtype is None else dtype_named(dtype)
    for array in ragged.per_step.values():
        check_value(array.value, (), array.data.dtype)
    auto = isinstance(value, str) and value == "auto"  # an array would compare its numbers one by one
    if not auto:
        check_value(cast(Value, value), ragged.values.shape[1:], target)
    _check_cast(ragged, target)
    if auto:
        value = free_value(ragged.values, target)
    longest = span(ragged.lengths).largest if maxlen is None else maxlen
    slots = -(-longest // multiple_of) * multiple_of
    return Plan(ragged, slots, padding, truncating, cast(Value, value), target)


def _check_cast(ragged: Ragged, dtype: np.dtype[Any]) -> None:
    if ragged.values.dtype == dtype:
        return
    cell = lost(ragged.values, dtype)
    if cell is None:
        return
    step, *feature = cell
    offsets = ragged.offsets
    sequence = sequence_of(offsets, step)
    where = f"sequence {sequence}, step {step - int(offsets[sequence : sequence + 1][0])}"
    if feature:
        where += f", feature {feature[0] if ragged.features is None else ragged.features[feature[0]]}"
    raise DataError(f"{where}: {describe_loss(ragged.values[step : step + 1][0][*feature].item(), dtype)}")


def recast(ragged: Ragged, dtype: str | np.dtype[Any]) -> Ragged:
    """The same sequences with values of another type, cast where they are read; errors as in `pad`.

    >>> recast(Ragged(np.array([1, 2]), np.array([0, 2])), "float32").values
    array([1., 2.], dtype=float32)
    """
    target = dtype_named(dtype)
    if ragged.values.dtype == target:
        return ragged
    _check_cast(ragged, target)
    return rounded(ragged, target)


def rounded(ragged: Ragged, dtype: np.dtype[Any]) -> Ragged:
    """The same with values of another type, cast where they are read, whatever that does to them."""

    def cast_rows(rows: Array) -> Array:
        with np.errstate(all="ignore"):
            return rows.astype(dtype, copy=False)

    return ragged.replace(values=mapped(cast_rows, ragged.values, dtype=dtype))


def lost(values: AnyArray, dtype: np.dtype[Any]) -> tuple[int, ...] | None:
    """The cell of the first number that a cast to `dtype` would damage; None where it damages none.

    >>> lost(np.array([[1, 2], [3, 2**24 + 1]]), np.dtype("float32"))
    (1, 1)
    """
    for begin, part in windows(values):
        place = first_loss(part, dtype)
        if place is not None:
            row, *within = np.unravel_index(place, part.shape)
            return begin + int(row), *map(int, within)
    return None


def pad(
    sequences: Ragged | Padded | AnyArray | Sequence[Any],
    *,
    maxlen: int | None = None,
    padding: Side | None = None,
    truncating: Side = "pre",
    value: Value | Literal["auto"] | None = None,
    dtype: str | np.dtype[Any] | None = None,
    multiple_of: int = 1,
) -> Padded:
    """Give every sequence the same number of steps T, as Keras `pad_sequences` does.

    `sequences` is a list of lists (numbers, or steps of F numbers), a dense array (N, T) or (N, T, F), or
    a Ragged or Padded of ours. T is `maxlen`, by default the longest, rounded up to `multiple_of`.
    `padding` says which side is filled (by default pre; a Padded keeps its own), `truncating` which side
    loses steps where there are more than T, `value` what fills: a number (by default 0; a Padded keeps its
    own), a tuple of F numbers, or "auto" for one that no real step holds in all features, so that a mask by
    value skips padding alone. The result's `x` is (N, T) or (N, T, F) of the input's dtype, unless
    `dtype` names another; `lengths` counts the real steps; `original_lengths` joins `per_sequence` when
    steps were cut.

    Raises UsageError for arguments out of range, and DataError for sequences that do not fit together, a
    value that the dtype cannot hold, or a cast that would lose more than the rounding of a fraction.

    >>> pad([[1], [2, 3], [4, 5, 6]]).x
    array([[0, 0, 1],
           [0, 2, 3],
           [4, 5, 6]])
    >>> pad(np.ones((1920, 45, 20)), maxlen=100, padding="post").x.shape
    (1920, 100, 20)
    """
    if isinstance(sequences, Padded):
        padding = sequences.padding if padding is None else padding
        value = sequences.value if value is None else value
    planned = plan(
        as_ragged(sequences),
        maxlen=maxlen,
        padding=padding or "pre",
        truncating=truncating,
        value=0 if value is None else value,
        dtype=dtype,
        multiple_of=multiple_of,
    )
    check_blow_up(planned)
    padded = carry_out(planned)
    if not planned.steps_cut or not padded.receipt:
        return padded
    # What was grouped tells of every row: of those that are cut here too.
    rows = Rows(came=len(planned.ragged.values), kept=len(planned.ragged.values))
    made = Made("pad", [], {"maxlen": maxlen, "truncating": truncating}, rows)
    return padded.replace(receipt=(*padded.receipt, made.entry(cut=planned.steps_cut)))


def check_blow_up(planned: Plan) -> None:
    """Raise DataError when padding would take many times the real steps and more than memory holds.

    One long sequence among a million short ones does that.
    """
    real = planned.ragged.values.nbytes
    if planned.nbytes <= budget() or planned.nbytes <= _BLOW_UP * real:
        return
    lengths, keys = np.asarray(planned.ragged.lengths), planned.ragged.keys
    longest = int(lengths.argmax())
    key = f"sequence {longest}" if keys is None else f"key {keys[longest : longest + 1][0]}"
    few, most = (int(np.quantile(lengths, share, method="inverted_cdf")) for share in (0.95, 0.99))
    raise DataError(
        f"x would be {planned.shape} {planned.dtype}, {human(planned.nbytes)}, although the sequences hold "
        f"{human(real)}: the longest, {key}, has {lengths[longest]:,} steps; --maxlen {max(few, 1)} covers 95 % of "
        f"the sequences, --maxlen {max(most, 1)} 99 %; or keep them as they are: --ragged"
    )


def carry_out(planned: Plan) -> Padded:
    """The whole of a plan in memory."""
    ragged = planned.ragged
    return Padded(
        x=planned.whole(),
        lengths=np.asarray(planned.lengths),
        padding=planned.padding,
        value=planned.value,
        keys=None if ragged.keys is None else np.asarray(ragged.keys),
        features=ragged.features,
        per_step={
            name: StepArray(planned.whole(name), array.value) for name, array in ragged.per_step.items()
        },
        per_sequence={name: np.asarray(array) for name, array in planned.per_sequence.items()},
        names=ragged.names,
        receipt=ragged.receipt,
    )


def unpad(padded: Padded) -> Ragged:
    """The sequences of a padded block without their padding: the inverse of `pad`, unless something was cut.

    (N, T, F) with lengths (N,) gives values (S, F) and offsets (N + 1,).

    >>> unpad(pad([[1], [2, 3]])).values
    array([1, 2, 3])
    """
    return as_ragged(padded)
