"""Padding on demand: the shape of the padded block is known, and its parts are filled as they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Span, as_items, rows_per_chunk, slots, span
from seqtool.dataclass import dataclass
from seqtool.sequences.padding_values import Side, Value
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.validation import step_mask

_BLOCK_BYTES = 1 << 20  # about what stays in a core's cache between filling a block and writing it


_LONG_BYTES = 16 << 20  # a padded sequence of more bytes is written in several pieces


@dataclass(frozen=True, eq=False)
class PaddedStream:
    """A padded block of known shape whose parts are filled on demand.

    The block of N x T slots is never in memory as a whole, so it may be of any size. No sequence of `ragged` has
    more than `maxlen` steps; `steps_cut` steps were cut before. `lines` and `warnings` are for the summary. Make one
    with `seqtool.operations.pad.pad_stream`.
    """

    ragged: Ragged
    maxlen: int
    padding: Side
    value: Value
    dtype: np.dtype[Any]
    steps_cut: int = 0
    lines: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ragged)

    @cached_property
    def lengths(self) -> AnyArray:
        """The number of steps of each sequence, (N,) int64."""
        return self.ragged.lengths

    @cached_property
    def span(self) -> Span:
        """The least and the largest of the lengths, and the steps in all."""
        return span(self.lengths)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, T, F), (N, T) or (N, T, H, W, C)."""
        return (len(self), self.maxlen, *self.ragged.values.shape[1:])

    @property
    def nbytes(self) -> int:
        """The bytes of the padded block, as a Python integer, which cannot overflow."""
        return prod(self.shape) * self.dtype.itemsize

    @property
    def per_sequence(self) -> Mapping[str, AnyArray]:
        """The per-sequence arrays of the result."""
        return self.ragged.per_sequence

    @property
    def blocks(self) -> Iterator[Array]:
        """The padded block in order, in pieces of n slots each, (n, ...); the caller may write to them."""
        return self._scatter(self.ragged.values, self.value, self.dtype)

    def step_blocks(self, name: str) -> Iterator[Array]:
        """The same for the per-step array `name`."""
        array = self.ragged.per_step[name]
        return self._scatter(array.data, array.value, array.data.dtype)

    def whole(self, name: str | None = None) -> Array:
        """The padded block in memory, (N, T, ...), or that of the per-step array `name`."""
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
                yield from self._long_sequence(rows, value, dtype, i)
            return
        count = max(1, _BLOCK_BYTES // per_sequence)
        for begin in range(0, len(self), count):
            offsets = self.ragged.offsets[begin : begin + count + 1]
            block = np.empty((len(offsets) - 1, self.maxlen, *rows.shape[1:]), dtype)
            fill(block, rows, value, offsets, self.padding)
            yield slots(block)

    def _long_sequence(self, rows: AnyArray, value: Value, dtype: np.dtype[Any], i: int) -> Iterator[Array]:
        """One padded sequence in pieces, where it is too long to be one."""
        begin, end = self.ragged.offsets[i : i + 2].tolist()
        length = end - begin
        first = 0 if self.padding == "post" else self.maxlen - length  # slot of the first real step
        count = rows_per_chunk(rows, _BLOCK_BYTES)
        for slot in range(0, self.maxlen, count):
            piece = np.empty((min(count, self.maxlen - slot), *rows.shape[1:]), dtype)
            piece[...] = value
            low, high = max(slot, first), min(slot + len(piece), first + length)
            if high > low:
                piece[low - slot : high - slot] = rows[begin + low - first : begin + high - first]
            yield piece


def fill(block: Array, rows: AnyArray, value: Value, offsets: Array, padding: Side) -> None:
    """Fill a block (n, T, ...) with the n sequences that `offsets`, (n + 1,), describe among the steps `rows`.

    >>> block = np.empty((2, 3), np.int64)
    >>> fill(block, np.array([1, 2, 3]), 0, np.array([0, 1, 3]), "post")
    >>> block
    array([[1, 0, 0],
           [2, 3, 0]])
    """
    slots, lengths = block.shape[1], np.diff(offsets)
    steps = np.ascontiguousarray(rows[int(offsets[0]) : int(offsets[-1])].astype(block.dtype, copy=False))
    same = int(lengths[0])
    if (lengths == same).all():  # then one copy of a rectangle does it
        real, rest = slice(None, same), slice(same, None)
        if padding == "pre":
            real, rest = slice(slots - same, None), slice(None, slots - same)
        block[:, rest] = value
        block[:, real] = steps.reshape(len(block), same, *rows.shape[1:])
        return
    block[...] = value
    mask = step_mask(lengths, maxlen=slots, padding=padding)
    as_items(block, 2)[mask] = as_items(steps, 1)
