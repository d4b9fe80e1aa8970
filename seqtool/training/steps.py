"""The steps of a batch, gathered at once: end to end or padded, from memory or from a file. All adapters use this."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, cast

import numpy as np

from seqtool.arrays.dtypes import Array, first_loss
from seqtool.arrays.file_array import FileArray, FilesArray, read_into
from seqtool.arrays.gather import lazy_gather, ranges, sequence_of
from seqtool.arrays.lazy import AnyArray, as_items, rows_per_chunk
from seqtool.sequences.padding_values import Value, check_value
from seqtool.sequences.validation import offsets_of
from seqtool.training.stored import Stored

_GAP = 1 << 14  # bytes between two sequences of a file that are cheaper to read than to skip
_LARGE = 1 << 20  # bytes of a padded sequence from which on sequences are copied one by one


class Steps:
    """An array of steps in memory or in a file, of which batches are gathered; `lengths` (N,) are those of sequences.

    An array in memory has as many rows behind the last sequence as the longest sequence has. Batches are of `dtype`,
    padded with the value of the file unless another one is asked for. `lost(i, number)` is the error for a number of
    sequence i that `dtype` cannot hold.
    """

    def __init__(
        self,
        stored: Stored,
        lengths: Array,
        dtype: np.dtype[Any],
        *,
        lost: Callable[[int, Any], Exception],
    ) -> None:
        self.array = stored.array
        self.starts = stored.starts
        self.value = stored.value
        self.lengths = lengths
        self.dtype = dtype
        self._lost = lost
        self._checked: tuple[Value, Array] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """That of a step: (F,), (), (H, W, C)."""
        return self.array.shape[1:]

    def all_rows(self) -> AnyArray:
        """The steps of all sequences, end to end, read in chunks."""
        offsets = offsets_of(self.lengths)
        return lazy_gather(self.array, self.starts, offsets, (int(offsets[-1]), *self.shape))

    def rows(self, chosen: Array) -> Array:
        """The steps of the chosen sequences end to end, (S, ...), the caller's own."""
        lengths = self.lengths[chosen]
        array, starts = self._near(chosen, lengths, spare=0)
        rows = array.take(ranges(starts, lengths), axis=0)
        return self._cast(rows, lambda row: chosen[sequence_of(offsets_of(lengths), row)])

    def padded(self, chosen: Array, slots: int, value: Value | None = None) -> Array:
        """The chosen sequences, padded at their ends to so many slots, (B, slots, ...), the caller's own.

        None has more steps than there are slots. Raises DataError for a value that the dtype cannot hold.
        """
        padding = self._padding(self.value if value is None else value)
        lengths = self.lengths[chosen]
        longest = int(lengths.max(initial=0))
        array, starts = self._near(chosen, lengths, spare=longest)
        outside = np.arange(slots) >= lengths[:, np.newaxis]
        block = _windows(array, starts, lengths, longest, slots)
        if block.dtype != self.dtype:
            _fill(
                block, outside, np.zeros(self.shape, block.dtype)
            )  # what is not of these sequences is no loss
            block = self._cast(block, lambda row: chosen[row])
        _fill(block, outside, padding)
        return block

    def _near(self, chosen: Array, lengths: Array, *, spare: int) -> tuple[Array, Array]:
        """An array in memory that holds the chosen sequences, and where each begins in it."""
        starts = self.starts[chosen]
        if isinstance(self.array, (FileArray, FilesArray)):
            return _read(self.array, starts, lengths, spare)
        return cast(Array, self.array), starts

    def _cast(self, rows: Array, sequence: Callable[[int], int]) -> Array:
        """Rows as the dtype of batches; row number r belongs to `sequence(r)`, for the message."""
        place = first_loss(rows, self.dtype)
        if place is None:
            return rows.astype(self.dtype, copy=False)
        raise self._lost(int(sequence(place // (rows.size // len(rows)))), rows.reshape(-1)[place])

    def _padding(self, value: Value) -> Array:
        """A step of padding; a value is checked once and not for each batch."""
        if self._checked is None or self._checked[0] is not value:
            check_value(value, self.shape, self.dtype)
            self._checked = value, np.broadcast_to(np.asarray(value).astype(self.dtype), self.shape).copy()
        return self._checked[1]


def _windows(array: Array, starts: Array, lengths: Array, longest: int, slots: int) -> Array:
    """From where each sequence begins so many rows as the longest has; what stands behind its end is anything."""
    row, count = prod(array.shape[1:]) * array.itemsize, len(starts)
    if longest * row > _LARGE:
        block = np.empty((count, slots, *array.shape[1:]), array.dtype)
        for i, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
            block[i, :length] = array[start : start + length]
        return block
    if not count or not longest or not row:
        return np.empty((count, slots, *array.shape[1:]), array.dtype)
    # Each item overlaps the next one, a row further on. A take would first copy all of them, an index does not.
    items = np.ndarray((len(array) - longest + 1,), f"V{longest * row}", array, strides=(row,))[starts]
    if slots == longest:
        return items.view(array.dtype).reshape(count, slots, *array.shape[1:])
    block = np.empty((count, slots, *array.shape[1:]), array.dtype)
    np.ndarray((count,), items.dtype, block, strides=(slots * row,))[...] = items
    return block


def _fill(block: Array, outside: Array, step: Array) -> None:
    """Put a step into all slots (B, T) of a block that are outside of its sequences."""
    if step.size:
        as_items(block, 2)[outside] = as_items(step[np.newaxis], 1)[0] if step.ndim else step


def _read(array: FileArray | FilesArray, starts: Array, lengths: Array, spare: int) -> tuple[Array, Array]:
    """What stretches of a file hold, in memory, with `spare` further rows, and where each of them begins there.

    Each row is read once, in the order of the file, and what lies between close stretches is read along.
    """
    order = np.argsort(starts, kind="stable")
    begins = starts[order]
    reach = np.maximum.accumulate(begins + lengths[order])
    far = begins[1:] - reach[:-1] > rows_per_chunk(array, _GAP)
    heads = np.flatnonzero(np.concatenate([[True], far])) if len(begins) else begins
    low = begins[heads]
    high = reach[np.concatenate([heads[1:] - 1, [len(begins) - 1]])] if len(begins) else low
    place = np.concatenate([[0], np.cumsum(high - low)])
    near = np.empty((int(place[-1]) + spare, *array.shape[1:]), array.stored)
    row = prod(array.shape[1:]) * array.stored.itemsize
    if isinstance(array, FilesArray):
        for source, begin, end in zip(low.tolist(), place[:-1].tolist(), place[1:].tolist(), strict=True):
            near[begin:end] = array[source : source + end - begin]
    elif row:
        data = near.reshape(-1).view(np.uint8).data
        for source, begin, end in zip(low.tolist(), place[:-1].tolist(), place[1:].tolist(), strict=True):
            read_into(array.file, data[begin * row : end * row], array.offset + source * row, array.name)
    shifted = np.empty_like(starts)
    shifted[order] = begins + np.repeat(place[:-1] - low, np.diff(heads, append=len(begins)))
    return near.astype(array.dtype, copy=False), shifted
