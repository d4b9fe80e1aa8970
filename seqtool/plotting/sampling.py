"""Samples of sequences, of any number of them, in bounded memory.

All lengths are counted, but only some steps are read: those of sequences spread evenly over the file, or over the
ranks by length.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather, ranges
from seqtool.arrays.lazy import AnyArray, chunks, rows_per_chunk
from seqtool.dataclass import dataclass
from seqtool.sequences.lengths import LengthCounts
from seqtool.sequences.padding_values import Side
from seqtool.sequences.ragged import Ragged

MOST_STEPS = 100_000  # read for distributions
MOST_VALUES = 15  # classes or ids, with a bar each
_WHOLE_BINS = 40  # up to so many whole numbers get a bin each
_BINS = 30
_FAR = 4  # a sequence of more times the 99 % length is far longer than the others


def evenly(count: int, most: int) -> Array:
    """At most `most` of `count` positions, the first and the last among them, ascending (R,) int64.

    >>> evenly(10, 4).tolist(), evenly(2, 4).tolist()
    ([0, 3, 6, 9], [0, 1])
    """
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).round().astype(np.int64)


def by_length(lengths: AnyArray, counts: LengthCounts, *, most: int) -> Array:
    """Sequences spread evenly over the ranks by length, shortest first, (R,) int64; `counts` counts `lengths`.

    Sequences of one length keep their order. Lengths are read in windows and never sorted as a whole.

    >>> lengths = np.array([3, 1, 2, 1])
    >>> by_length(lengths, LengthCounts.of(lengths), most=4).tolist()
    [1, 3, 2, 0]
    """
    ranks = evenly(counts.count, most)
    ends = np.cumsum(counts.sequences)
    place = np.searchsorted(ends, ranks, side="right")
    wanted = counts.lengths[place]
    nth = ranks - (ends - counts.sequences)[place]  # of the sequences of that length
    found = np.zeros(len(ranks), np.int64)
    for begin, part in chunks(lengths):
        order = np.argsort(part, kind="stable")
        first, last = (np.searchsorted(part, wanted, side=side, sorter=order) for side in ("left", "right"))
        here = (nth >= 0) & (nth < last - first)
        found[here] = begin + order[(first + nth)[here]]
        nth -= last - first
    return found


def reach(counts: LengthCounts) -> int:
    """The longest length to draw: that of all, unless a few are so long that the others would be too small to see.

    >>> reach(LengthCounts(np.array([5, 10, 90]), np.array([500, 499, 1])))
    20
    """
    if not counts.count:
        return 0
    usual = max(1, counts.quantile(0.99))
    return counts.longest if counts.longest <= _FAR * usual else 2 * usual


def aligned_bars(
    counts: LengthCounts, *, longest: int, most: int, edge: int | None = None
) -> tuple[Array, Array, int]:
    """The first length of each bar (B,), its number of sequences (B,), and the width of all bars in lengths.

    There are from half of `most` bars to `most`, up to the one that holds `longest`. One bar ends at `edge`, so that
    none lies on both sides of it. An outer bar that reaches beyond all lengths would look like a dip: of the possible
    widths, the least that leaves the smallest share of an outer bar without lengths is chosen.

    >>> aligned_bars(LengthCounts.of(np.array([1, 2, 3, 9])), longest=9, most=4, edge=3)
    (array([1, 4, 7]), array([3, 0, 1]), 3)
    """
    least, ending = int(counts.lengths[0]), longest == counts.longest
    if edge is None:
        edge = least - 1
    spans = [edge + 1 - least, *([longest - edge] if ending else [])]
    enough = -(-(longest - least + 1) // most)
    widths = range(enough, 2 * enough + 1, max(1, enough // 100))  # for very long sequences, a sample of them
    # the largest share of an outer bar that lies beyond all lengths
    width = min(widths, key=lambda width: Fraction(max(-span % width for span in spans), width))
    begin = edge + 1 + (least - edge - 1) // width * width
    count = (longest - begin) // width + 1
    within = counts.lengths < begin + count * width
    places = (counts.lengths[within] - begin) // width
    heights = np.bincount(places, weights=counts.sequences[within], minlength=count)
    return begin + width * np.arange(count), heights.astype(np.int64), width


def covered(lengths: Array, *, width: int, columns: int, padding: Side) -> Array:
    """The share of each column that is real, (R, columns), where `width` slots are drawn in that many columns.

    >>> covered(np.array([1, 3]), width=4, columns=2, padding="post").tolist()
    [[0.5, 0.0], [1.0, 0.5]]
    """
    edges = np.linspace(0, width, columns + 1)
    step = width / columns
    if padding == "post":
        share = (lengths[:, None] - edges[:-1]) / step
    else:
        share = (edges[1:] - (width - lengths[:, None])) / step
    return np.clip(share, 0, 1)


@dataclass(frozen=True, eq=False)
class HeatMap:
    """One feature of some sequences: `values` (R, C) float64, NaN outside `real` (R, C) bool."""

    values: Array
    real: Array


def cells(
    ragged: Ragged, sequences: Array, slots: Array, *, maxlen: int, padding: Side, feature: int
) -> HeatMap:
    """One feature of the `sequences` (R,) in the ascending `slots` (C,), as if they were padded to `maxlen`.

    >>> ragged = Ragged(np.array([7, 8, 9]), np.array([0, 1, 3]))
    >>> cells(ragged, np.array([0, 1]), np.arange(3), maxlen=3, padding="pre", feature=0).values
    array([[nan, nan,  7.],
           [nan,  8.,  9.]])
    """
    order = np.argsort(sequences)  # files are read from front to back
    begins, ends = _bounds(ragged.offsets, sequences[order])
    counts = (ends - begins)[:, None]
    steps = slots - (0 if padding == "post" else maxlen - counts)
    real = (steps >= 0) & (steps < counts)
    values = np.full(real.shape, np.nan)
    values[real] = columns(ragged.values, (begins[:, None] + steps)[real], np.array([feature]))[:, 0]
    back = np.argsort(order)
    return HeatMap(values[back], real[back])


def columns(values: AnyArray, rows: Array, features: Array) -> Array:
    """The `features` (K,) of steps at ascending `rows` (R,) of `values`: (R, K) float64, read in chunks.

    >>> columns(np.arange(6).reshape(3, 2), np.array([0, 2]), np.array([1])).tolist()
    [[1.0], [5.0]]
    """
    found = np.empty((len(rows), len(features)))
    size = rows_per_chunk(values)
    for begin in range(0, len(rows), size):
        chunk = rows[begin : begin + size]
        block = gather(values, chunk)
        found[begin : begin + len(chunk)] = (block[:, None] if block.ndim == 1 else block)[:, features]
    return found


def some_steps(ragged: Ragged, *, most: int) -> tuple[Array, int]:
    """About `most` steps, as ascending rows of `values`, and the number of sequences that they come from.

    They are all steps of evenly spread sequences, or of very long sequences evenly spread steps.

    >>> some_steps(Ragged(np.arange(8), np.array([0, 2, 4, 6, 8])), most=4)
    (array([0, 1, 6, 7]), 2)
    """
    steps, count = len(ragged.values), len(ragged)
    if steps <= most:
        return np.arange(steps), count
    sequences = evenly(count, max(1, most * count // steps))
    begins, ends = _bounds(ragged.offsets, sequences)
    counts = ends - begins
    total = int(counts.sum())
    if total <= 2 * most:
        return ranges(begins, counts).astype(np.int64), len(sequences)
    thinned = evenly(total, most)
    stops = np.cumsum(counts)
    owner = np.searchsorted(stops, thinned, side="right")  # the sequence of each step
    return thinned - (stops - counts)[owner] + begins[owner], len(sequences)


def _bounds(offsets: AnyArray, sequences: Array) -> tuple[Array, Array]:
    """The first and the last row, exclusive, of each of some ascending sequences."""
    return gather(offsets, sequences), gather(offsets, sequences + 1)


def unit(values: Array, low: float, high: float) -> Array:
    """Numbers scaled so that `low` is 0 and `high` is 1, and clipped to that range; NaN stays.

    >>> unit(np.array([-1e300, 0.0, 3e300]), -1e300, 1e300).tolist()
    [0.0, 0.5, 1.0]
    """
    scale = max(abs(low), abs(high)) or 1.0  # differences of the largest numbers would overflow
    with np.errstate(over="ignore"):
        width = high / scale - low / scale
        found = (np.clip(values, low, high) / scale - low / scale) / (width or 1.0)
    return np.asarray(found)


def limits(finite: Array, share: float) -> tuple[float, float]:
    """The range of some numbers, or the range without a `share` of them at each end.

    It is the whole range if that is at most three times as wide as the other.

    >>> limits(np.array([1.0, 2.0, 3.0]), 0.01), limits(np.r_[np.arange(999.0), 1e9], 0.01)
    ((1.0, 3.0), (10.0, 989.0))
    """
    inner = np.percentile(finite, [100 * share, 100 - 100 * share], method="nearest")
    low, high = float(inner[0]), float(inner[1])
    least, largest = float(finite.min()), float(finite.max())
    # in halves and thirds: the difference itself may be beyond the largest float
    return (least, largest) if low == high or largest / 3 - least / 3 <= high - low else (low, high)


@dataclass(frozen=True, eq=False)
class Distribution:
    """The distribution of some numbers: their counts in `bins` of one width from `low` to `high`.

    If they are few `whole` numbers, each has a bin. Of all numbers, `of`, so many are `missing` (NaN), `infinite`, and
    `beyond` the bins. Where none is finite, `bins` is empty, and the statistics are zero.
    """

    name: str
    of: int
    missing: int
    infinite: int = 0
    beyond: int = 0
    bins: tuple[int, ...] = ()
    whole: bool = False
    low: float = 0.0
    high: float = 0.0
    least: float = 0.0
    median: float = 0.0
    largest: float = 0.0

    @classmethod
    def measure(cls, name: str, numbers: Array) -> Distribution:
        """The distribution of numbers, (n,) float64.

        >>> Distribution.measure("a", np.array([1.0, 2.0, 2.0, np.nan])).bins
        (1, 2)
        """
        missing = int(np.isnan(numbers).sum())
        finite = numbers[np.isfinite(numbers)]
        infinite = len(numbers) - missing - len(finite)
        if not len(finite):
            return cls(name, len(numbers), missing, infinite)
        low, high = limits(finite, 0.005)
        inside = finite[(finite >= low) & (finite <= high)]
        whole = abs(low) < 1e9 and high - low < _WHOLE_BINS and bool((inside == np.trunc(inside)).all())
        bins = int(high - low) + 1 if whole else _BINS if low < high else 1
        place = inside - low if whole else unit(inside, low, high) * bins
        counted = np.bincount(np.minimum(place.astype(np.int64), bins - 1), minlength=bins)
        return cls(
            name,
            len(numbers),
            missing,
            infinite,
            beyond=len(finite) - len(inside),
            bins=tuple(counted.tolist()),
            whole=whole,
            low=low,
            high=high,
            least=float(finite.min()),
            median=float(np.percentile(finite, 50, method="lower")),
            largest=float(finite.max()),
        )


@dataclass(frozen=True, eq=False)
class ValueCounts:
    """The number of each class or id, for `MOST_VALUES` of them at most.

    The `others`, so many distinct ones, occur `rest` times; `missing` counts NaN and other cells without a label.
    """

    names: tuple[str, ...]
    counts: tuple[int, ...]
    others: int = 0
    rest: int = 0
    missing: int = 0

    @property
    def of(self) -> int:
        """The number of all that were counted."""
        return sum(self.counts) + self.rest

    @classmethod
    def most_frequent(
        cls, names: Sequence[str], counts: Array, *, by_count: bool, missing: int = 0
    ) -> ValueCounts:
        """The counts in their order if they are few, else, or with `by_count`, the most frequent ones first."""
        order = np.arange(len(counts))
        if by_count or len(counts) > MOST_VALUES:
            order = np.argsort(-counts, kind="stable")
        shown, others = order[:MOST_VALUES], order[MOST_VALUES:]
        return cls(
            tuple(names[i] for i in shown),
            tuple(counts[shown].tolist()),
            others=len(others),
            rest=int(counts[others].sum()),
            missing=missing,
        )


def tally(numbers: AnyArray, *, most: int) -> tuple[Array, Array] | None:
    """The distinct numbers, or texts, (D,), and the count of each, (D,); None where more than `most` are distinct.

    >>> tally(np.array([3, 1, 3]), most=5)
    (array([1, 3]), array([1, 2]))
    """
    found, counts = numbers[:0], np.empty(0, np.int64)
    for _, part in chunks(numbers):
        distinct, times = np.unique(part, return_counts=True)
        found, place = np.unique(np.concatenate([found, distinct]), return_inverse=True)
        if len(found) > most:
            return None
        summed = np.zeros(len(found), np.int64)
        np.add.at(summed, place, np.concatenate([counts, times]))
        counts = summed
    return found, counts
