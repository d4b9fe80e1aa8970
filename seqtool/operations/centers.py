"""What scaling takes away and divides by: of all steps together, or of each sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import offsets_together
from seqtool.arrays.lazy import AnyArray, stretch
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.errors import DataError
from seqtool.operations.moments import Moments, moments_of, moments_of_stretches
from seqtool.operations.quantiles import FeatureColumns
from seqtool.sequences.features import by_feature, cells_a_step, feature_blocks, steps_a_block, width_of

Method = Literal["standard", "minmax", "robust", "maxabs"]
QUARTILES = (0.25, 0.5, 0.75)


def center_and_scale(method: Method, moments: Moments, quartiles: Array | None) -> tuple[Array, Array]:
    """What each feature is shifted and divided by, as in the scalers of scikit-learn, in the shape of the moments.

    `quartiles` (3, ...) are those of robust. A constant feature becomes 0, in maxabs as well; one without a number, and
    one whose middle half is equal under robust, is divided by 1.
    """
    if method == "robust":
        assert quartiles is not None
        center, scale = quartiles[1], quartiles[2] - quartiles[0]
    elif method == "standard":
        center, scale = moments.mean, np.sqrt(moments.variance)
    elif method == "minmax":
        center, scale = moments.least, moments.largest - moments.least
    else:
        center, scale = (
            np.zeros(moments.mean.shape),
            np.maximum(np.abs(moments.least), np.abs(moments.largest)),
        )
    center = np.where(
        moments.constant, moments.least, center
    )  # a mean of equal numbers may be off by rounding
    none = moments.count == 0
    flat = moments.constant | none | (scale == 0)
    return np.where(none, 0.0, center), np.where(flat, 1.0, scale)


def of_all(
    method: Method, values: AnyArray, transform: Callable[[Array], Array], spool: Spool
) -> tuple[Moments, Array, Array]:
    """The moments of all steps, and what each feature is shifted and divided by, (F,) each."""
    width = width_of(values)

    def blocks() -> Iterator[Array]:
        return (transform(block) for _, block in feature_blocks(values))

    moments = moments_of(blocks(), width)
    quartiles = None
    if method == "robust":
        columns = FeatureColumns(blocks(), spool)
        quartiles = np.array([columns.quantiles(i, QUARTILES) for i in range(width)]).reshape(width, 3).T
    return moments, *center_and_scale(method, moments, quartiles)


def of_each_sequence(
    method: Method,
    values: AnyArray,
    offsets: AnyArray,
    transform: Callable[[Array], Array],
    spool: Spool,
) -> tuple[AnyArray, AnyArray]:
    """What each feature of each sequence is shifted and divided by, (N, F) each; in `spool` where they are many."""
    width, most = width_of(values), steps_a_block(values)
    centers, scales = (GrowingArray(spool, np.dtype(np.float64), (width,)) for _ in range(2))
    for begin, edges in _runs(offsets, most):
        if edges[-1] - edges[0] > most:  # one sequence that is longer than a block
            window = stretch(values, int(edges[0]), int(edges[-1]))
            _, center, scale = of_all(method, window, transform, spool)
            center, scale = center[None], scale[None]
        else:
            block = transform(by_feature(values[int(edges[0]) : int(edges[-1])], width))
            center, scale = _of_short(method, block, edges - edges[0], cells_a_step(values))
        large = ~(np.isfinite(center) & np.isfinite(scale)).all(axis=1)
        if large.any():
            raise DataError(
                f"sequence {begin + int(np.argmax(large))}: its numbers are too large to be scaled"
            )
        centers.add(center)
        scales.add(scale)
    return centers.done(), scales.done()


def _runs(offsets: AnyArray, most: int) -> Iterator[tuple[int, Array]]:
    """The first and the offsets of sequences of at most so many steps in all, or of a single longer one."""
    for first, edges in offsets_together(offsets):
        at = 0
        while at < len(edges) - 1:
            to = max(at + 1, int(np.searchsorted(edges, edges[at] + most, side="right")) - 1)
            yield first + at, edges[at : to + 1]
            at = to


def _of_short(method: Method, block: Array, edges: Array, cells: int) -> tuple[Array, Array]:
    """The same for sequences of a block together, (n, F) each; a step has so many cells of each feature."""
    center, scale = np.zeros((2, len(block), len(edges) - 1))
    scale += 1
    real = np.flatnonzero(np.diff(edges))
    if len(real) and block.size:
        starts = edges[:-1][real] * cells
        moments = moments_of_stretches(block, starts)
        quartiles = _quartiles(block, starts, moments.count) if method == "robust" else None
        center[:, real], scale[:, real] = center_and_scale(method, moments, quartiles)
    return center.T, scale.T


def _quartiles(block: Array, starts: Array, counts: Array) -> Array:
    """The quartiles of each stretch of a block, (3, F, n), interpolated as by `quantiles`."""
    which = np.repeat(np.arange(len(starts)), np.diff(starts, append=block.shape[1]))
    ordered = np.stack([row[np.lexsort((row, which))] for row in block])  # NaN is behind its stretch
    found = []
    for fraction in QUARTILES:
        place = np.maximum(counts - 1, 0) * fraction
        lower = np.floor(place).astype(np.int64)
        upper = np.minimum(lower + 1, np.maximum(counts - 1, 0))
        low, high = (np.take_along_axis(ordered, starts + rank, axis=1) for rank in (lower, upper))
        share, distance = place - lower, high - low
        between = np.where(share < 0.5, low + distance * share, high - distance * (1 - share))
        found.append(between + 0.0)
    return np.array(found)
