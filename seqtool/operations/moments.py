"""Means, variances and extremes of features, NaN aside, which are the same to the bit however steps are stored.

The steps are taken in blocks whose size only the shape of a step decides. In each, the mean is taken away before
squares are summed; blocks are merged in their order (Chan, Golub and LeVeque, 1979).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.dataclass import dataclass


@dataclass(frozen=True, eq=False)
class Moments:
    """Of each feature, (F,): how many numbers it has, their mean, the sum of squares of what they are off it.

    `least` and `largest` are infinite where it has none; `binary` says that it holds 0 and 1 alone.
    """

    count: Array
    mean: Array
    squares: Array
    least: Array
    largest: Array
    binary: Array

    def merge(self, other: Moments) -> Moments:
        """The moments of both, `other` being those of later steps."""
        count = self.count + other.count
        share = other.count / np.maximum(count, 1)
        with np.errstate(all="ignore"):  # who reads them judges what is not finite
            off = other.mean - self.mean
            mean = self.mean + off * share
            squares = self.squares + other.squares + off * off * (self.count * share)
        return Moments(
            count,
            mean,
            squares,
            np.minimum(self.least, other.least),
            np.maximum(self.largest, other.largest),
            self.binary & other.binary,
        )

    @property
    def variance(self) -> Array:
        """The mean square of what the numbers are off their mean (ddof 0); 0 where there are none."""
        return np.asarray(self.squares / np.maximum(self.count, 1))

    @property
    def constant(self) -> Array:
        """Which features have one number alone."""
        return np.asarray(self.least == self.largest)


def moments_of(blocks: Iterable[Array], width: int) -> Moments:
    """The moments of `width` features, from blocks (F, cells) of float64.

    >>> found = moments_of([np.array([[1.0, 2.0, 3.0, np.nan]]), np.array([[5.0]])], 1)
    >>> found.mean.tolist(), found.variance.tolist(), found.count.tolist()
    ([2.75], [2.1875], [4])
    """
    zeros, most = np.zeros(width), np.full(width, np.inf)
    whole = Moments(np.zeros(width, np.int64), zeros, zeros, most, -most, np.ones(width, bool))
    for block in blocks:
        whole = whole.merge(_of_block(block))
    return whole


def _of_block(block: Array) -> Moments:
    with np.errstate(all="ignore"):
        sums = block.sum(axis=1)
        missing = np.isnan(block) if not np.isfinite(sums).all() else None
        if missing is None or not missing.any():
            count = np.full(len(block), block.shape[1], np.int64)
            mean = sums / np.maximum(count, 1)
            off = block - mean[:, None]
            least, largest = block.min(axis=1, initial=np.inf), block.max(axis=1, initial=-np.inf)
        else:
            count = block.shape[1] - missing.sum(axis=1)
            mean = _zeroed(block, missing).sum(axis=1) / np.maximum(count, 1)
            off = _zeroed(block - mean[:, None], missing)
            least = np.fmin.reduce(block, axis=1, initial=np.inf)
            largest = np.fmax.reduce(block, axis=1, initial=-np.inf)
        squares = np.square(off, out=off).sum(axis=1)
    return Moments(count, mean, squares, least, largest, _holds_zero_and_one(block, least, largest))


def _zeroed(block: Array, missing: Array) -> Array:
    """The numbers with 0 where they are missing: by their bits, five times as fast as choosing among them."""
    kept = missing.astype(np.int64) - 1  # all bits, or none
    return (block.view(np.int64) & kept).view(np.float64)


def _holds_zero_and_one(block: Array, least: Array, largest: Array) -> Array:
    """Which features hold nothing but 0, 1 and NaN; few have to be looked at."""
    binary = (least >= 0) & (largest <= 1) | (least > largest)
    for feature in np.flatnonzero(binary):
        cells = block[feature]
        binary[feature] = ((cells == 0) | (cells == 1) | np.isnan(cells)).all()
    return np.asarray(binary)


def moments_of_stretches(block: Array, starts: Array) -> Moments:
    """The same of stretches of a block, each at least a cell long and up to the next start: arrays (F, n).

    What a stretch gives depends on its own cells alone.

    >>> moments_of_stretches(np.array([[1.0, 3.0, 5.0]]), np.array([0, 2])).mean.tolist()
    [[2.0, 5.0]]
    """
    sizes = np.diff(starts, append=block.shape[1])
    missing = np.isnan(block)
    with np.errstate(all="ignore"):
        count = sizes - np.add.reduceat(missing, starts, axis=1, dtype=np.int64)
        total = np.add.reduceat(_zeroed(block, missing), starts, axis=1)
        mean = total / np.maximum(count, 1)
        off = _zeroed(block - np.repeat(mean, sizes, axis=1), missing)
        squares = np.add.reduceat(off * off, starts, axis=1)
    return Moments(
        count,
        mean,
        squares,
        np.fmin.reduceat(block, starts, axis=1),
        np.fmax.reduceat(block, starts, axis=1),
        np.zeros(count.shape, bool),
    )
