"""`heatmap`: one sequence as a grid of colours, steps by features; `seqtool.terminal.pictures` draws it."""

from __future__ import annotations

from math import isfinite

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy, chunks
from seqtool.dataclass import dataclass

PADDING, MISSING = -1, -2
EXTREME = 50  # one cell in so many, at each end, is outside the scale


@dataclass(frozen=True, eq=False)
class Heatmap:
    """A row for each feature, a column for every `each` slots.

    `cells` (R, C) are levels from 0, `PADDING`, or `MISSING` where no number of the cell is finite. Column i is
    the mean of the real slots from `first + i * each` to `first + (i + 1) * each`. `scales` (R, 2) are the numbers
    that the lowest and the highest level of each row stand for, NaN in a row without numbers. `slots` and `features`
    count those of the sequence, of which a part may be drawn.
    """

    cells: Array
    first: int
    each: int
    scales: Array
    slots: int
    features: int

    @property
    def end(self) -> int:
        """The slot after the last that is drawn."""
        return min(self.first + int(self.cells.shape[1]) * self.each, self.slots)


def heatmap(
    slots: AnyArray, *, real: tuple[int, int] | None = None, width: int, height: int, levels: int
) -> Heatmap:
    """The slots of one sequence, (T, F) or (T,), as at most `height` rows of at most `width` columns.

    The slots from `real[0]` to `real[1]` are steps, the others padding; with None all are steps. Neighbouring steps
    are averaged until they fit into the width; padding is left out where it does not fit beside them, and so are
    features beyond the number of rows. Each row has its own scale, so that features of any unit show their pattern:
    from its lowest to its highest cell, without the outermost 2 % at each end. Infinities count as missing.

    >>> drawn = heatmap(np.array([[1, 9], [3, 9], [0, 0]]), real=(0, 2), width=10, height=4, levels=8)
    >>> drawn.cells.tolist(), drawn.scales.tolist()
    ([[0, 7, -1], [4, 4, -1]], [[1.0, 3.0], [9.0, 9.0]])
    """
    begin, end = real or (0, len(slots))
    each = max(1, -(-(end - begin) // width))
    first, last = _shown(begin, len(slots), each * width)
    rows = 1 if slots.ndim == 1 else min(height, slots.shape[1])
    columns = -(-(last - first) // each)
    means = _means(slots, begin, end, first, each, (columns, rows)).T
    edges = first + each * np.arange(columns)
    padding = (edges >= end) | (edges + each <= begin)
    found, scales = np.full(means.shape, MISSING, np.int16), np.full((rows, 2), np.nan)
    for row, numbers in enumerate(means):
        finite = np.isfinite(numbers)
        if finite.any():
            found[row, finite], scales[row] = _levels(numbers[finite], levels)
    found[:, padding] = PADDING
    return Heatmap(found, first, each, scales, len(slots), 1 if slots.ndim == 1 else slots.shape[1])


def _shown(begin: int, slots: int, room: int) -> tuple[int, int]:
    """The slots to draw: the steps, and as much of the padding beside them as there is room for."""
    if slots <= room:
        return 0, slots
    return (slots - room, slots) if begin else (0, room)


def _means(slots: AnyArray, begin: int, end: int, first: int, each: int, shape: tuple[int, int]) -> Array:
    """The mean of the finite numbers of each cell, (C, R), NaN without any. Padding is not read."""
    sums, counts = np.zeros(shape), np.zeros(shape, np.int64)
    steps = Lazy((end - begin, *slots.shape[1:]), slots.dtype, lambda b, e: slots[begin + b : begin + e])
    for offset, part in chunks(steps):
        numbers = part.reshape(len(part), -1)[:, : shape[1]].astype(np.float64)
        finite = np.isfinite(numbers)
        columns = (np.arange(len(part)) + begin + offset - first) // each
        starts = np.flatnonzero(np.diff(columns, prepend=-1))
        with np.errstate(over="ignore"):
            sums[columns[starts]] += np.add.reduceat(np.where(finite, numbers, 0), starts, axis=0)
        counts[columns[starts]] += np.add.reduceat(finite, starts, axis=0, dtype=np.int64)
    with np.errstate(invalid="ignore"):  # 0 / 0
        return np.asarray(sums / counts)


def _levels(numbers: Array, levels: int) -> tuple[Array, tuple[float, float]]:
    """The level of each number, and the scale; numbers that are all equal have the middle level."""
    ordered, outside = np.sort(numbers), len(numbers) // EXTREME
    low, high = scale = float(ordered[outside]), float(ordered[-1 - outside])
    if low == high:  # all but those outside the scale are equal
        return np.where(numbers < low, 0, np.where(numbers > high, levels - 1, levels // 2)), scale
    if not isfinite(high - low):
        numbers, low, high = numbers / 2, low / 2, high / 2
    share = np.clip(numbers, low, high)  # before the difference, which may overflow for those outside
    share = (share - low) / (high - low)
    return np.minimum((share * levels).astype(np.int64), levels - 1), scale
