"""Sorted rows folded into steps: rows of one key and one order value, or of one stretch of time, become a step.

The kernel has sorted the rows by key and order; here they are folded in chunks, when steps are read.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, describe_loss, first_loss
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import CHUNK, AnyArray, Lazy
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.grouping.kernel import Grouped
from seqtool.grouping.options import PivotAgg
from seqtool.grouping.row_columns import ITEM, STEP_LABEL
from seqtool.words import count, percent, shortened

_ROWS = 1 << 16  # folded together
_SINGLE, _INT64 = np.dtype(np.float32), np.dtype(np.int64)


@dataclass(frozen=True)
class Folded:
    """What became of the rows: the steps, the rows folded into them, and the cells of each feature without a value.

    `repeated` counts values for a cell that had one before; `empty` are the steps of a grid without rows.
    """

    features: list[str]
    steps: int
    rows: int
    repeated: int
    missing: dict[str, int]
    empty: int = 0

    def line(self) -> str:
        """The same as a line of the summary of a long table."""
        cells, missing = (self.steps + self.empty) * len(self.features), sum(self.missing.values())
        rows = f"{count(self.rows, 'row')} of {count(len(self.features), 'item')}"
        folded = f"{rows} into {count(self.steps, 'step')}"
        return f"{folded}; {missing:,} of {cells:,} cells without a value ({percent(missing, cells)})"


class FoldedSteps:
    """The steps of sorted rows: where each begins, (S',), and of each sequence the first.

    A step ends where a sequence does, or where a cell in one of the columns `by`, each (S,), changes.
    """

    def __init__(self, grouped: Grouped, by: Sequence[AnyArray], spool: Spool) -> None:
        self.rows = len(grouped.values)
        starts, offsets = (GrowingArray(spool, np.dtype(np.int64)) for _ in range(2))
        group = 0
        for begin in range(0, self.rows, _ROWS):
            end, before = min(begin + _ROWS, self.rows), max(begin - 1, 0)
            new = np.zeros(end - begin, dtype=bool)
            for column in by:
                cells = column[before:end]
                new[begin == 0 :] |= cells[1:] != cells[:-1]
            firsts = grouped.offsets[group : group + end - begin + 1]
            firsts = firsts[firsts < end]
            group += len(firsts)
            new[firsts - begin] = True
            offsets.add(len(starts) + np.cumsum(new)[firsts - begin] - 1)
            starts.add(np.flatnonzero(new) + begin)
        self.count = len(starts)
        offsets.add(np.array([self.count]))
        self.starts, self.offsets = starts.done(), offsets.done()

    def edges(self, begin: int, end: int) -> Array:
        """The first rows of the steps from `begin` to `end`, and the end of the last, (n + 1,)."""
        starts = self.starts[begin : end + 1]
        return np.append(starts, self.rows) if end == self.count else starts

    def firsts(self, begin: int, end: int) -> Array:
        """Which of the steps from `begin` to `end` are the first of a sequence, as places among these."""
        at = bisect.bisect_left(
            range(len(self.offsets) - 1), begin, key=lambda i: int(self.offsets[i : i + 1][0])
        )
        firsts = self.offsets[at : at + end - begin]
        return np.asarray(firsts[firsts < end] - begin)

    def per_step(self, column: AnyArray, *, last: bool) -> AnyArray:
        """The cell of a column in the first row of each step, or in the last, (S',)."""

        def read(begin: int, end: int) -> Array:
            edges = self.edges(begin, end)
            return gather(column, edges[1:] - 1 if last else edges[:-1])

        return Lazy((self.count,), column.dtype, read)


@dataclass(frozen=True)
class Folding:
    """How the rows of steps become cells of `width` features; `how` makes one of several values of a cell.

    `values` are (rows, width), or, where a row has one value alone, (rows, 1): of the feature that `places` has for its
    code in `codes` (rows,).
    """

    steps: FoldedSteps
    values: AnyArray
    width: int
    how: PivotAgg
    codes: AnyArray | None = None
    places: Array | None = None

    @property
    def word(self) -> str:
        """What a feature is called in messages."""
        return "feature" if self.codes is None else "item"

    @property
    def raw(self) -> np.dtype[Any]:
        """The type in which cells are computed."""
        if self.how == "count":
            return np.dtype(np.int64)
        whole = self.values.dtype.kind in "iu"
        if self.how == "mean" or (self.how == "sum" and not whole):
            return np.dtype(np.float64)
        return np.dtype(np.int64) if self.how == "sum" else self.values.dtype

    def cells(self, begin: int, end: int) -> tuple[Array, Array, int]:
        """The cells of some steps, (n, F); which of them have a value, (n, F) bool; and the number of values in them.

        Values are added in the order of rows, wherever chunks begin, so that float sums are always the same.
        """
        edges = self.steps.edges(begin, end)
        together = _ROWS if self.codes is not None else max(16, _ROWS // max(1, self.width))
        size = (end - begin) * self.width
        found, counts = np.zeros(size, self.raw), np.zeros(size, np.int64)
        taken = 0
        for first in range(int(edges[0]), int(edges[-1]), together):
            last = min(first + together, int(edges[-1]))
            values = self.values[first:last].reshape(-1)
            step = np.searchsorted(edges, np.arange(first, last), side="right") - 1
            at = step * self.width
            if self.codes is None or self.places is None:
                at = (at[:, None] + np.arange(self.width)).reshape(-1)
            else:
                at += self.places[self.codes[first:last]]
            if values.dtype.kind == "f":
                there = ~np.isnan(values)
                values, at = values[there], at[there]
            self._put(found, counts, at, values)
            np.add.at(counts, at, 1)
            taken += len(at)
        seen = counts > 0
        if self.how == "mean":
            np.divide(found, counts, out=found, where=seen)
        elif self.how == "count":
            found, seen = counts, np.ones(size, dtype=bool)
        shape = (end - begin, self.width)
        return found.reshape(shape), seen.reshape(shape), taken

    def _put(self, found: Array, counts: Array, at: Array, values: Array) -> None:
        if self.how == "last":
            found[at] = values  # the last of those for one cell stays
        elif self.how == "first":
            fresh = counts[at] == 0
            found[at[fresh][::-1]] = values[fresh][::-1]
        elif self.how in ("sum", "mean"):
            np.add.at(found, at, values)
        elif self.how in ("max", "min"):
            better = np.maximum if self.how == "max" else np.minimum
            fresh = counts[at] == 0
            found[at[fresh]] = values[fresh]
            better.at(found, at, values)

    def windows(self) -> Iterator[tuple[int, int]]:
        """The steps from one to another whose cells are computed together."""
        together = max(1, CHUNK // (8 * max(1, self.width)))
        for begin in range(0, self.steps.count, together):
            yield begin, min(begin + together, self.steps.count)


def folded(
    grouped: Grouped,
    steps: FoldedSteps,
    folding: Folding,
    features: list[str],
    dtype: np.dtype[Any] | None,
    *,
    empty: int = 0,
    wholes: np.dtype[Any] = _INT64,
    floats: np.dtype[Any] = _SINGLE,
) -> tuple[Grouped, Folded]:
    """Sorted rows as steps with a cell for each feature, NaN where there is no value.

    `dtype` is the type asked for; None: `wholes` if all cells are whole numbers and none is missing, else `floats`.
    `empty` is the number of steps without rows that will stand among them. Raises DataError for a cell that the type
    cannot hold.
    """
    seen, taken, loss = _survey(folding, features, asked=dtype, floats=floats)
    missing = steps.count + (0 if folding.how == "count" else empty) - seen
    whole = folding.raw.kind in "iu" and not missing.any()
    target = _checked(dtype or (wholes if whole else floats), missing, steps.count + empty, loss, floats)
    if dtype is not None and dtype != folding.raw:
        _check_fits(folding, dtype, features)

    def read(begin: int, end: int) -> Array:
        cells, there, _ = folding.cells(begin, end)
        out = cells.astype(target, copy=False)
        if missing.any():
            out[~there] = np.nan
        return out

    values = Lazy((steps.count, len(features)), target, read)
    per_step = {
        name: steps.per_step(column, last=name == STEP_LABEL)
        for name, column in grouped.per_step.items()
        if name != ITEM
    }
    whole_steps = replace(grouped, values=values, offsets=steps.offsets, per_step=per_step, ties=0)
    counted = {name: int(lost) for name, lost in zip(features, missing, strict=True) if lost}
    repeated = taken - int(_cells(folding, seen))
    return whole_steps, Folded(features, steps.count, steps.rows, repeated, counted, empty)


def _survey(
    folding: Folding, features: Sequence[str], *, asked: np.dtype[Any] | None, floats: np.dtype[Any]
) -> tuple[Array, int, str | None]:
    """How many cells of each feature have a value, how many values these are, and the first loss to `floats`.

    The loss is in words, and only looked for where whole numbers may become floats: where no type was asked for.
    """
    seen, taken, whole = np.zeros(len(features), np.int64), 0, folding.raw.kind in "iu"
    loss: str | None = None
    if folding.how == "sum" and whole:
        _check_sums(folding)
    for begin, end in folding.windows():
        cells, there, put = folding.cells(begin, end)
        seen += there.sum(axis=0)
        taken += put
        if loss is None and asked is None and whole:
            loss = _loss(cells, there, floats, features, folding.word)
    return seen, taken, loss


def _checked(
    target: np.dtype[Any], missing: Array, steps: int, loss: str | None, floats: np.dtype[Any]
) -> np.dtype[Any]:
    """The type of the cells, of which `missing` of each feature have no value; raises DataError where it cannot be."""
    if loss is not None and target == floats:
        raise DataError(
            f"{loss}, and beside cells without a value numbers are {floats}; ", Advice("--dtype", "float64")
        )
    if target.kind != "f" and missing.any():
        raise DataError(
            f"{int(missing.sum()):,} of {steps * len(missing):,} cells have no value, which is NaN, and {target} holds "
            "none; ",
            Advice(without=["--dtype"]),
        )
    return target


def _cells(folding: Folding, seen: Array) -> int:
    """The number of cells that have a value; of counts, those above 0."""
    if folding.how != "count":
        return int(seen.sum())
    return sum(int((folding.cells(begin, end)[0] > 0).sum()) for begin, end in folding.windows())


def _check_fits(folding: Folding, dtype: np.dtype[Any], features: Sequence[str]) -> None:
    """Raise DataError for a cell that the type asked for cannot hold; whole numbers may be rounded to floats."""
    for begin, end in folding.windows():
        cells, there, _ = folding.cells(begin, end)
        if dtype.kind == "f":
            with np.errstate(all="ignore"):
                there = there & np.isfinite(cells) & ~np.isfinite(cells.astype(dtype))
            where = np.argwhere(there)
            loss = None
            if len(where):
                number = cells[tuple(where[0])].item()
                loss = f"{folding.word} {shortened(features[where[0][1]])!r}: {describe_loss(number, dtype)}"
        else:
            loss = _loss(cells, there, dtype, features, folding.word)
        if loss is not None:
            raise DataError(f"{loss}; ", Advice(without=["--dtype"]))


def _loss(cells: Array, there: Array, dtype: np.dtype[Any], features: Sequence[str], word: str) -> str | None:
    """The words for the first cell that a type cannot hold; None where it holds all."""
    found = cells[there]
    place = first_loss(found, dtype)
    if place is None:
        return None
    name = features[int(np.nonzero(there)[1][place])]
    return f"{word} {shortened(name)!r}: {describe_loss(found[place].item(), dtype)}"


def _check_sums(folding: Folding) -> None:
    """Raise DataError for sums of whole numbers past int64."""
    floats = replace(folding, values=_as_doubles(folding.values))
    for begin, end in floats.windows():
        if (np.abs(floats.cells(begin, end)[0]) >= 2.0**62).any():
            raise DataError("a sum of whole numbers is too large for int64; ", Advice("--dtype", "float64"))


def _as_doubles(values: AnyArray) -> AnyArray:
    return Lazy(values.shape, np.dtype(np.float64), lambda begin, end: values[begin:end].astype(np.float64))
