"""The steps of a batch, gathered at once: end to end or padded, from memory or from a file. All adapters use this."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, cast

import numpy as np

from seqtool.arrays.dtypes import Array, first_loss
from seqtool.arrays.file_array import FileArray, FilesArray
from seqtool.arrays.gather import lazy_gather, ranges, sequence_of
from seqtool.arrays.lazy import AnyArray, as_items, rows_per_chunk
from seqtool.arrays.lazy import slots as slots_of
from seqtool.dataclass import dataclass
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
        array, starts = _in_memory(self.array, self.starts[chosen], lengths)
        rows = array.take(ranges(starts, lengths), axis=0)
        return self._cast(rows, lambda row: chosen[sequence_of(offsets_of(lengths), row)])

    def padded(self, chosen: Array, slots: int, value: Value | None = None) -> Array:
        """The chosen sequences, padded at their ends to so many slots, (B, slots, ...), the caller's own.

        None has more steps than there are slots. Raises DataError for a value that the dtype cannot hold.
        """
        padding = self._padding(self.value if value is None else value)
        lengths = self.lengths[chosen]
        outside = np.arange(slots) >= lengths[:, np.newaxis]
        block = self._stored(self.starts[chosen], lengths, slots)
        if block.dtype != self.dtype:
            _fill(
                block, outside, np.zeros(self.shape, block.dtype)
            )  # what is not of these sequences is no loss
            block = self._cast(block, lambda row: chosen[row])
        _fill(block, outside, padding)
        return block

    def _stored(self, starts: Array, lengths: Array, slots: int) -> Array:
        """Sequences in slots, (B, slots, ...), as they are stored; what stands behind the end of one is anything."""
        longest = int(lengths.max(initial=0))
        if isinstance(self.array, (FileArray, FilesArray)):
            stretches = _Stretches.of(self.array, starts, lengths)
            if stretches.mostly_apart:
                return stretches.scattered(self.array, lengths, slots)
        array, starts = _in_memory(self.array, starts, lengths, spare=longest)
        return _windows(array, starts, lengths, longest, slots)

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


def _in_memory(array: AnyArray, starts: Array, lengths: Array, *, spare: int = 0) -> tuple[Array, Array]:
    """An array that holds some sequences, with `spare` further rows, and where each of them begins in it."""
    if isinstance(array, (FileArray, FilesArray)):
        return _Stretches.of(array, starts, lengths).together(array, starts, spare)
    return cast(Array, array), starts


@dataclass(frozen=True)
class _Stretches:
    """Stretches of a file in its order: those that are close to each other are read at once, each row a single time.

    `order` (B,) has their numbers, `begins` (B,) their first rows, `reach` (B,) the last row up to each of them, and
    `heads` which are the first behind a gap.
    """

    order: Array
    begins: Array
    reach: Array
    heads: Array

    @classmethod
    def of(cls, array: FileArray | FilesArray, starts: Array, lengths: Array) -> _Stretches:
        """Those of an array, from `starts` on and of `lengths`."""
        order = starts.argsort(kind="stable")
        begins = starts[order]
        reach = np.maximum.accumulate(begins + lengths[order])
        far = np.ones(len(begins), bool)
        np.greater(begins[1:] - reach[:-1], rows_per_chunk(array, _GAP), out=far[1:])
        return cls(order, begins, reach, np.flatnonzero(far))

    @property
    def mostly_apart(self) -> bool:
        """Whether little is gained by reading some of them at once."""
        return 2 * len(self.heads) > len(self.order)

    def scattered(self, array: FileArray | FilesArray, lengths: Array, slots: int) -> Array:
        """Each read straight into slots of its own, (B, slots, ...), behind whose last row stands anything."""
        block = np.empty((len(self.order), slots, *array.shape[1:]), array.stored)
        _read(array, self.begins, lengths[self.order], slots_of(block), self.order * slots)
        return block.astype(array.dtype, copy=False)

    def together(self, array: FileArray | FilesArray, starts: Array, spare: int) -> tuple[Array, Array]:
        """All in memory, with `spare` further rows, and where each of them begins there."""
        low = self.begins[self.heads]
        high = self.reach[np.append(self.heads[1:], len(self.begins)) - 1] if len(low) else low
        place = offsets_of(high - low)
        near = np.empty((int(place[-1]) + spare, *array.shape[1:]), array.stored)
        _read(array, low, high - low, near, place[:-1])
        shifted = np.empty_like(starts)
        each = np.diff(self.heads, append=len(self.begins))
        shifted[self.order] = self.begins + np.repeat(place[:-1] - low, each)
        return near.astype(array.dtype, copy=False), shifted


def _read(array: FileArray | FilesArray, sources: Array, counts: Array, out: Array, places: Array) -> None:
    """Read `counts` rows of a file, from `sources` on, into rows of a contiguous array, from `places` on."""
    if isinstance(array, FilesArray):
        for source, count, place in zip(sources.tolist(), counts.tolist(), places.tolist(), strict=True):
            out[place : place + count] = array[source : source + count]
    else:
        array.read_stretches(sources, counts, out, places)
