"""Where windows stand in sequences: how many each has, their first steps, and which steps none of them takes."""

from __future__ import annotations

from collections.abc import Callable
from math import gcd

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import sequence_of
from seqtool.arrays.lazy import AnyArray, Lazy, chunks
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.dataclass import dataclass

_BEYOND = 1 << 60  # more steps than there are: sums of a few such numbers are still within int64
_IN_MEMORY = 1 << 16  # windows whose places take no memory to speak of
_NAMED = 10  # sequences without a window that are named


@dataclass(frozen=True)
class Placing:
    """Windows of `size` steps that are `rate` apart; the next window begins `stride` steps later.

    Behind a window its sequence has `after` steps or more. The last window may be a shorter one, of `least` steps or
    more, where the others leave steps at the end. With `from_end` windows are laid out from the end of a sequence
    instead, so that the shorter one is the first; the `newest` is the last of these, and no other is taken.
    """

    size: int
    stride: int = 1
    rate: int = 1
    least: int | None = None
    after: int = 0
    from_end: bool = False
    newest: bool = False

    @property
    def needed(self) -> int:
        """The least length of a sequence that has a window of full size."""
        return (self.size - 1) * self.rate + 1 + self.after

    def largest(self, length: int) -> int:
        """The largest size of which a sequence of this length has a window; 0 where there is none."""
        return max(0, -(-(length - self.after) // self.rate))

    def counts(self, lengths: Array) -> tuple[Array, Array, Array]:
        """Of sequences of these lengths: windows of full size, steps of the shorter one or 0, and distinct steps.

        Two windows share steps where they are a common multiple of stride and rate apart.

        >>> Placing(3, stride=2, least=1).counts(np.array([2, 6]))
        (array([0, 2]), array([2, 2]), array([2, 6]))
        """
        usable = lengths - min(self.after, _BEYOND)
        size, stride, rate = (min(number, _BEYOND) for number in (self.size, self.stride, self.rate))
        span = min(self.needed - self.after, _BEYOND)
        full = np.where(usable >= span, (usable - span) // stride + 1, 0)
        if self.newest:
            full = np.minimum(full, 1)
        shared = gcd(stride, rate)
        windows_on, steps_on = rate // shared, stride // shared  # to a window that shares steps, and to those
        overlap = max(0, size - steps_on)
        distinct = full * size - np.maximum(0, full - windows_on) * overlap
        short = np.zeros_like(full)
        if self.least is not None:
            left = np.clip(usable - full * stride, 0, span - 1)
            short = -(-left // rate)
            repeated = np.where(full >= windows_on, np.minimum(overlap, short), 0)
            is_window = (short >= self.least) & (short > repeated) & ~(self.newest & (full > 0))
            short = np.where(is_window, short, 0)
            distinct += np.where(is_window, short - repeated, 0)
        return full, short, distinct

    def window(self, lengths: Array, of: Array, numbers: Array) -> tuple[Array, Array]:
        """The first step of some windows, and their sizes: those with these `numbers`, from 0, in the sequences `of`.

        `lengths` are those of the sequences, of which each may have many windows.

        >>> Placing(3, stride=2, from_end=True).window(np.array([6]), np.array([0, 0]), np.array([0, 1]))
        (array([1, 3]), array([3, 3]))
        """
        full, short, _ = self.counts(lengths)
        stride, rate, size = (min(number, _BEYOND) for number in (self.stride, self.rate, self.size))
        if not (self.from_end or self.newest):
            return numbers * stride, np.where(numbers < full[of], size, short[of])
        before_last = (full + (short > 0) - 1)[of] - numbers
        sizes = np.where(before_last < full[of], size, short[of])
        last_step = (lengths - self.after - 1)[of] - before_last * stride
        return last_step - (sizes - 1) * rate, sizes


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows in the order of their sequences: the place of each one's sequence, its first step and steps, (M,) each.

    `taken` steps are in a window, each counted once, and `left` are not, in sequences with a window. `without`
    sequences have none: `named` are the places of the first ones, `without_steps` their steps, and the longest has
    `longest`.
    """

    which: AnyArray
    starts: AnyArray
    sizes: AnyArray
    sequences: int
    taken: int
    left: int
    without: int
    without_steps: int
    longest: int
    named: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.which)


def place_windows(placing: Placing, lengths: AnyArray, spool: Spool) -> Windows:
    """The windows of sequences of these lengths, (N,); arrays of a number for each sequence go to `spool`.

    >>> found = place_windows(Placing(2), np.array([3, 1, 2]), Spool())
    >>> found.which[:].tolist(), found.starts[:].tolist(), found.named
    ([0, 0, 2], [0, 1, 0], (1,))
    """
    places, kept, ends = (GrowingArray(spool, np.dtype(np.int64)) for _ in range(3))
    ends.add(np.zeros(1, np.int64))
    total = taken = left = without = without_steps = longest = 0
    named: list[int] = []
    for begin, part in chunks(lengths):
        full, short, distinct = placing.counts(part)
        windows = full + (short > 0)
        has = windows > 0
        places.add(np.flatnonzero(has) + begin)
        kept.add(part[has])
        ends.add(np.cumsum(windows[has]) + total)
        total += int(windows.sum())
        taken += int(distinct[has].sum())
        left += int((part - distinct)[has].sum())
        named += (np.flatnonzero(~has)[: _NAMED - len(named)] + begin).tolist()
        without += int((~has).sum())
        without_steps += int(part[~has].sum())
        longest = max(longest, int(part[~has].max(initial=0)))
    which, starts, sizes = _of_each(placing, places.done(), kept.done(), ends.done(), total)
    count = len(places)
    return Windows(which, starts, sizes, count, taken, left, without, without_steps, longest, tuple(named))


def _of_each(
    placing: Placing, places: AnyArray, lengths: AnyArray, ends: AnyArray, total: int
) -> tuple[AnyArray, AnyArray, AnyArray]:
    """The place, first step and size of each of all windows; found when they are asked for, unless they are few.

    The sequences at `places` have these `lengths`, and the windows of sequence i are `ends[i]` to `ends[i + 1]`.
    """

    def each(which: Callable[[Array, Array, Array, Array], Array]) -> AnyArray:
        def read(begin: int, end: int) -> Array:
            if begin == end:
                return np.empty(0, np.int64)
            first, last = sequence_of(ends, begin), sequence_of(ends, end - 1)
            edges = np.clip(ends[first : last + 2], begin, end)
            of = np.repeat(np.arange(last - first + 1), np.diff(edges))
            numbers = np.arange(begin, end) - ends[first : last + 1][of]
            return which(places[first : last + 1], lengths[first : last + 1], of, numbers)

        return read(0, total) if total <= _IN_MEMORY else Lazy((total,), np.dtype(np.int64), read)

    return (
        each(lambda place, _, of, __: place[of]),
        each(lambda _, length, of, number: placing.window(length, of, number)[0]),
        each(lambda _, length, of, number: placing.window(length, of, number)[1]),
    )
