"""Exact quantiles of features of any number of steps, in bounded memory: by selection, digit by digit.

The numbers of a feature are read block by block from a spool. Where they are too many to be sorted together, a
histogram of their first 16 bits says in which of them the wanted ones lie, and only these are read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import Spool

_SORTED = 1 << 21  # numbers that are sorted together
_IN_MEMORY = 32 << 20  # bytes of blocks that need no spool
_DIGIT = 16  # bits


class FeatureColumns:
    """The numbers of each feature, from blocks (F, cells) float64 that come in the order of steps; NaN is left out.

    >>> columns = FeatureColumns([np.array([[3.0, 1.0], [np.nan, 5.0]]), np.array([[2.0], [6.0]])], Spool())
    >>> columns.quantiles(0, [0.5]), columns.quantiles(1, [0.25, 1])
    ([2.0], [5.25, 6.0])
    """

    def __init__(self, blocks: Iterable[Array], spool: Spool) -> None:
        self._blocks: list[AnyArray] = []
        kept = 0
        for block in blocks:
            kept += block.nbytes
            self._blocks.append(block if kept <= _IN_MEMORY else spool.append(block))

    def numbers(self, feature: int) -> Iterator[Array]:
        """The numbers of a feature in pieces, (n,) each, without NaN."""
        for block in self._blocks:
            cells = block[feature : feature + 1][0]
            yield cells[~np.isnan(cells)]

    def quantiles(self, feature: int, fractions: Sequence[float]) -> list[float]:
        """The quantiles of a feature; NaN where it has no number."""
        return quantiles(lambda: self.numbers(feature), fractions)


def quantiles(numbers: Callable[[], Iterable[Array]], fractions: Sequence[float]) -> list[float]:
    """Quantiles of numbers that come in pieces, each time they are asked for; NaN where there are none.

    They are interpolated linearly, as `numpy.quantile` does by default, to the bit.

    >>> quantiles(lambda: [np.array([1.0, 2.0]), np.array([4.0])], [0.5, 0.75])
    [2.0, 3.0]
    """
    count = sum(map(len, numbers()))
    if not count:
        return [float("nan")] * len(fractions)
    places = [(count - 1) * fraction for fraction in fractions]
    lower = [int(place) for place in places]
    upper = [min(rank + 1, count - 1) for rank in lower]
    ranked = order_statistics(numbers, [*lower, *upper])
    pairs = zip(places, lower, ranked[: len(places)], ranked[len(places) :], strict=True)
    return [_between(low, high, place - rank) for place, rank, low, high in pairs]


def _between(low: float, high: float, share: float) -> float:
    """A number between two, as NumPy's `_lerp` rounds it."""
    distance = high - low
    between = low + distance * share if share < 0.5 else high - distance * (1 - share)
    return between + 0.0  # minus zero becomes zero


def order_statistics(numbers: Callable[[], Iterable[Array]], ranks: Sequence[int]) -> list[float]:
    """The numbers of some ranks, counted from the smallest, 0; ranks must be below their count.

    >>> order_statistics(lambda: [np.array([7.0, 5.0]), np.array([6.0])], [0, 2])
    [5.0, 7.0]
    """
    # Ranks among all numbers whose codes begin with a prefix, each with its rank among these.
    waiting = {0: {rank: rank for rank in ranks}}
    count = sum(map(len, numbers()))
    if count <= _SORTED:
        whole = np.concatenate([np.empty(0), *numbers()])
        whole = np.partition(whole, sorted(set(ranks)))
        return [float(whole[rank]) for rank in ranks]
    for shift in range(64 - _DIGIT, -1, -_DIGIT):
        waiting, sizes = _narrowed(numbers, waiting, shift)
        if sum(sizes.values()) <= _SORTED:
            found = _sorted_out(numbers, waiting, shift)
            return [found[rank] for rank in ranks]
    found = {}  # all bits are known: the numbers of a prefix are equal
    for code, inside in waiting.items():
        found |= dict.fromkeys(inside, float(_numbers(np.array([code], np.uint64))[0]))
    return [found[rank] for rank in ranks]


def _narrowed(
    numbers: Callable[[], Iterable[Array]], waiting: dict[int, dict[int, int]], shift: int
) -> tuple[dict[int, dict[int, int]], dict[int, int]]:
    """The prefixes, longer by a digit, in which the ranks are, and how many numbers have each of them."""
    counts = {prefix: np.zeros(1 << _DIGIT, np.int64) for prefix in waiting}
    for part in numbers():
        prefixes = _codes(part) >> np.uint64(shift)
        digits = (prefixes & np.uint64((1 << _DIGIT) - 1)).astype(np.int64)
        above = prefixes >> np.uint64(_DIGIT)
        for prefix, histogram in counts.items():
            histogram += np.bincount(digits[above == np.uint64(prefix)], minlength=1 << _DIGIT)
    longer: dict[int, dict[int, int]] = {}
    sizes: dict[int, int] = {}
    for prefix, inside in waiting.items():
        ends = np.cumsum(counts[prefix])
        for rank, within in inside.items():
            digit = int(np.searchsorted(ends, within, side="right"))
            code, size = (prefix << _DIGIT) | digit, int(counts[prefix][digit])
            longer.setdefault(code, {})[rank] = within - (int(ends[digit]) - size)
            sizes[code] = size
    return longer, sizes


def _sorted_out(
    numbers: Callable[[], Iterable[Array]], waiting: dict[int, dict[int, int]], shift: int
) -> dict[int, float]:
    """The number of each rank, where the numbers of all prefixes can be sorted in memory."""
    parts: dict[int, list[Array]] = {prefix: [] for prefix in waiting}
    for part in numbers():
        prefixes = _codes(part) >> np.uint64(shift)
        for prefix, kept in parts.items():
            kept.append(part[prefixes == np.uint64(prefix)])
    found: dict[int, float] = {}
    for prefix, inside in waiting.items():
        ordered = np.sort(np.concatenate(parts[prefix]))
        found |= {rank: float(ordered[within]) for rank, within in inside.items()}
    return found


_SIGN = np.uint64(1 << 63)


def _codes(numbers: Array) -> Array:
    """Float64 numbers as uint64 that ascend as they do (Herf, 2001); minus zero stands before zero."""
    bits = numbers.view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _numbers(codes: Array) -> Array:
    """The inverse of `_codes`."""
    return np.where(codes & _SIGN, codes & ~_SIGN, ~codes).view(np.float64)
