"""Names of rows that are folded into steps: of those of one step the last counts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.dataclass import dataclass
from seqtool.grouping.folding import FoldedSteps

_ROWS = 1 << 16  # looked at together
NOTHING = -1  # the code of a step without a name


@dataclass(frozen=True)
class FoldedNames:
    """The codes of a category by row, (rows,), and which codes are names, (codes,) bool."""

    steps: FoldedSteps
    codes: AnyArray
    are_names: Array

    def of_steps(self) -> AnyArray:
        """The code of the last name of each step, (steps,); -1 where its rows hold none."""
        return Lazy((self.steps.count,), np.dtype(np.int64), self._last)

    def _last(self, begin: int, end: int) -> Array:
        found = np.full(end - begin, NOTHING, np.int64)
        for step, codes in self._named(begin, end):
            found[step] = codes  # of several rows of a step the last stays
        return found

    def _named(self, begin: int, end: int) -> Iterator[tuple[Array, Array]]:
        """The rows of some steps that hold a name: their steps, counted from `begin`, and their codes."""
        edges = self.steps.edges(begin, end)
        for first in range(int(edges[0]), int(edges[-1]), _ROWS):
            last = min(first + _ROWS, int(edges[-1]))
            codes = self.codes[first:last]
            there = np.flatnonzero(self.are_names[codes])
            yield np.searchsorted(edges, first + there, side="right") - 1, codes[there]

    def counts(self) -> tuple[int, int]:
        """How many steps have rows of different names, and how many have no name."""
        several = without = 0
        for begin in range(0, self.steps.count, _ROWS):
            end = min(begin + _ROWS, self.steps.count)
            last, differ = self._last(begin, end), np.zeros(end - begin, bool)
            for step, codes in self._named(begin, end):
                differ[step[codes != last[step]]] = True
            several += int(differ.sum())
            without += int((last == NOTHING).sum())
        return several, without
