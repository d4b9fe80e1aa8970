"""A regular grid: the rows of each stretch of order values become a step, and so does an empty one in between."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray, Lazy, lazy_map
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.folded_names import NOTHING
from seqtool.grouping.folding import Folded, FoldedSteps, Folding, folded
from seqtool.grouping.kernel import Grouped
from seqtool.grouping.order_values import order_column
from seqtool.sequences.orders import DURATIONS, OrderColumn
from seqtool.system.memory import budget
from seqtool.words import count, human

_STEPS = 1 << 16  # placed together
_MOST = 2.0**62  # stretches from 0 on
_MANY = 100  # steps for each row, which is no slip of the pen


@dataclass(frozen=True)
class Stretches:
    """The order values of rows as the numbers of the stretches in which they lie: from 0, or from 1970, on."""

    column: OrderColumn
    size: Fraction
    text: str

    @classmethod
    def of(cls, plan: EncoderPlan, grouped: Grouped, state: EncoderState) -> Stretches | None:
        """Those of a call, None where it asks for none; raises DataError for a size below the unit of the times."""
        every = plan.options.every
        if every is None:
            return None
        column = order_column(plan, grouped, state, plan.roles.order[0], "--every")
        size = every.size if column.tick is None else every.size / DURATIONS[column.tick]
        if column.tick is not None and size.denominator > 1:
            raise DataError(
                f"--every {every.text} is no whole number of {column.tick}, the unit of order column {column.name!r}"
            )
        return cls(column, size, every.text)

    @property
    def numbers(self) -> AnyArray:
        """The number of the stretch of each row, (S,) int64."""
        return lazy_map(self.number, self.column.values, dtype=np.int64)

    def number(self, values: Array) -> Array:
        """The numbers of the stretches of some order values, (n,) int64; a value at a border begins a stretch.

        >>> Stretches(OrderColumn("t", "", np.empty(0)), Fraction(1, 10), "0.1").number(np.array([0.29, 0.3, -0.1]))
        array([ 2,  3, -1])
        """
        if values.dtype.kind == "i" and self.size.denominator == 1 and self.size < _MOST:
            return np.asarray(values // int(self.size))
        about = values / float(self.size)
        if len(about) and not np.abs(about).max() < _MOST:
            raise DataError(
                f"--every {self.text} is too small for values so far from 0 in {self.column.name!r}"
            )
        nearest = np.rint(about)  # 0.3 begins a stretch of 0.1, although the double of 0.3 / 0.1 is below 3
        at_border = np.abs(about - nearest) <= 4 * np.spacing(np.maximum(np.abs(about), 1))
        return np.where(at_border, nearest, np.floor(about)).astype(np.int64)

    def begin(self, numbers: Array) -> list[Array]:
        """The order values at which stretches begin, as the kernel has them: of times in two parts."""
        if self.column.tick is not None:
            ticks = numbers * int(self.size)
            return (
                [ticks // 1000, ticks % 1000] if self.column.tick == "ns" else [ticks, np.zeros_like(ticks)]
            )
        whole = self.column.values.dtype.kind == "i" and self.size.denominator == 1
        return [np.asarray(numbers * (int(self.size) if whole else float(self.size)))]

    def folded(
        self, grouped: Grouped, plan: EncoderPlan, steps: FoldedSteps, names: list[str], empty: int
    ) -> tuple[Grouped, Folded]:
        """Rows of several features as one step a stretch; raises what the function `folded` raises."""
        how, own = plan.options.agg or "mean", grouped.values.dtype
        folding = Folding(steps, grouped.values, len(names), how)
        wholes = own if how == "last" and own.kind in "iu" else np.dtype(np.int64)
        floats = own if own.kind == "f" else np.dtype(np.float32)
        asked = plan.asked_dtype if plan.options.dtype is not None else None
        return folded(grouped, steps, folding, names, asked, empty=empty, wholes=wholes, floats=floats)


class Grid:
    """Where the steps of stretches with rows stand among all stretches from the first to the last of each sequence."""

    def __init__(self, steps: FoldedSteps, stretches: Stretches, spool: Spool) -> None:
        self._stretches, numbers = stretches, stretches.numbers
        growing = [GrowingArray(spool, np.dtype(np.int64)) for _ in range(3)]
        place, before = -1, 0
        for begin in range(0, steps.count, _STEPS):
            end = min(begin + _STEPS, steps.count)
            of_steps = gather(numbers, steps.edges(begin, end)[:-1])
            firsts = steps.firsts(begin, end)
            apart = np.diff(of_steps, prepend=before)
            apart[firsts] = 1
            self._check(place, apart, steps)
            places = place + np.cumsum(apart)
            for array, part in zip(growing, (places, of_steps, places[firsts]), strict=True):
                array.add(part)
            place, before = int(places[-1]), int(of_steps[-1])
        self.count = place + 1
        growing[2].add(np.array([self.count]))
        self._places, self._numbers, self.offsets = (array.done() for array in growing)
        self.empty = self.count - steps.count

    def _check(self, place: int, apart: Array, steps: FoldedSteps) -> None:
        """Raise DataError for a grid of so many steps that nothing could hold them."""
        total = place + int(apart.sum(dtype=np.float64))
        if 8 * total > budget() and total > _MANY * steps.rows:
            raise DataError(
                f"--every {self._stretches.text} makes {total:,} steps, and more, of {count(steps.rows, 'row')}, "
                f"{human(8 * total)} for each feature; name a longer stretch: ",
                Advice("--every", "SIZE"),
                ", or cut sequences where the order column jumps: ",
                Advice("--gap", "SIZE"),
            )

    def spread(
        self, grouped: Grouped, filler: float, order: Sequence[str], names: Sequence[str] = ()
    ) -> Grouped:
        """Steps of stretches with rows among those without, which hold `filler`; `order` names the order arrays.

        `names` are arrays of codes of names, of which steps without rows have none.
        """
        per_step = {name: self._spread(grouped.per_step[name], NOTHING) for name in names}

        def begins(part: int) -> Lazy:
            dtype = self._stretches.begin(np.zeros(0, np.int64))[part].dtype
            return Lazy((self.count,), dtype, lambda begin, end: self._begins(begin, end)[part])

        return replace(
            grouped,
            values=self._spread(grouped.values, filler),
            offsets=self.offsets,
            per_step={**per_step, **{name: begins(part) for part, name in enumerate(order)}},
        )

    def _spread(self, array: AnyArray, filler: float) -> AnyArray:
        """An array of the steps with rows as one of all steps, of which the others hold `filler`."""

        def read(begin: int, end: int) -> Array:
            steps, places = self._within(begin, end)
            out = np.full((end - begin, *array.shape[1:]), filler, array.dtype)
            out[places - begin] = array[steps[0] : steps[1]]
            return out

        return Lazy((self.count, *array.shape[1:]), array.dtype, read)

    def _within(self, begin: int, end: int) -> tuple[tuple[int, int], Array]:
        """The steps with rows that stand in a part of the grid, from one to another, and their places."""
        first = bisect.bisect_left(range(len(self._places)), begin, key=self._place)
        places = self._places[first : first + end - begin]
        places = places[places < end]
        return (first, first + len(places)), places

    def _place(self, step: int) -> int:
        return int(self._places[step : step + 1][0])

    def _begins(self, begin: int, end: int) -> list[Array]:
        """The order values at which some steps of the grid begin."""
        if end <= begin:
            return self._stretches.begin(np.zeros(0, np.int64))
        first = bisect.bisect_right(range(len(self._places)), begin, key=self._place) - 1
        places = self._places[first : first + 1 + end - begin]
        steps = np.searchsorted(places, np.arange(begin, end), side="right") - 1
        numbers = self._numbers[first : first + len(places)][steps] + np.arange(begin, end) - places[steps]
        return self._stretches.begin(numbers)
