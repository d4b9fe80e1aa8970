"""Where to cut several sorted runs, all at the same values, so that the rows between two cuts fit into memory."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from seqtool.dataclass import dataclass
from seqtool.grouping.columns import is_numbers
from seqtool.grouping.merged_rows import RowSpan
from seqtool.grouping.runs import Run


@dataclass(frozen=True)
class SortedItems:
    """`count` items in ascending order, each of which stands for one or more rows.

    `value(i)` is what item i is sorted by, `before(i)` the number of rows before it.
    """

    count: int
    value: Callable[[int], tuple[Any, ...]]
    before: Callable[[int], int]


def by_key(run: Run) -> SortedItems:
    """The groups of a run in the order of their keys."""
    return SortedItems(len(run.ends), cells_at(run.keys), lambda i: rows_before(run, i))


def by_order(run: Run, rows: RowSpan, falls: Sequence[bool]) -> SortedItems:
    """The rows of one group in the order of the order columns."""
    cells = cells_at(run.order)

    def value(i: int) -> tuple[Any, ...]:
        return tuple(
            _Falling(cell) if descends else cell
            for cell, descends in zip(cells(rows[0] + i), falls, strict=True)
        )

    return SortedItems(rows[1] - rows[0], value, lambda i: i)


@dataclass(frozen=True)
class _Falling:
    """A number or text in descending order: it sorts before lower ones."""

    cell: Any

    def __lt__(self, other: _Falling) -> bool:
        return bool(other.cell < self.cell)


def cells_at(columns: Sequence[Any]) -> Callable[[int], tuple[Any, ...]]:
    """A function that gives row i of some columns: a Python number, or text, of each."""

    def cells(i: int) -> tuple[Any, ...]:
        rows = [column[i : i + 1] for column in columns]
        return tuple(row[0].item() if is_numbers(row) else row[0].as_py() for row in rows)

    return cells


def rows_before(run: Run, group: int) -> int:
    """The number of rows of a run before a group."""
    return int(run.ends[group - 1 : group][0]) if group else 0


def cut_together(parts: Sequence[SortedItems], most: int) -> Iterator[list[RowSpan]]:
    """Cut all parts at the same values, with about `most` rows between two cuts: a span of items of each part.

    An item of more rows than that has a span of its own. Only samples are read: an item for about every `step` rows
    of each part, and those that a binary search for the cuts visits.
    """
    step = max(1, most // (4 * len(parts)))
    samples = sorted(sample for part in parts for sample in _samples(part, step))
    cuts: list[tuple[tuple[Any, ...], bool]] = []
    rows = 0
    for value, group in groupby(samples, key=lambda sample: sample[0]):
        equal = list(group)
        if sum(count for _, count, alone in equal if alone) > most // 4:
            cuts += [(value, False), (value, True)]
            rows = 0
            continue
        count = sum(count for _, count, _ in equal)
        if rows + count > most // 2:
            cuts.append((value, False))
            rows = 0
        rows += count
    begins = [0] * len(parts)
    for value, after in cuts:
        ends = [_place(part, value, after) for part in parts]
        yield list(zip(begins, ends, strict=True))
        begins = ends
    yield [(begin, part.count) for begin, part in zip(begins, parts, strict=True)]


def _samples(part: SortedItems, step: int) -> Iterator[tuple[tuple[Any, ...], int, bool]]:
    """Some items: the value, the rows from it to the next sample, and whether these are of this item alone.

    The rows are at most `step`, unless a single item has more.
    """
    waiting = [(0, part.count)] if part.count else []
    while waiting:
        begin, end = waiting.pop()
        rows = part.before(end) - part.before(begin)
        if rows > step and end - begin > 1:
            middle = (begin + end) // 2
            waiting += [(middle, end), (begin, middle)]
        else:
            yield part.value(begin), rows, end - begin == 1


def _place(part: SortedItems, value: tuple[Any, ...], after: bool) -> int:
    """The first item behind a cut that is made before, or after, all items of a value."""
    find = bisect.bisect_right if after else bisect.bisect_left
    return find(range(part.count), value, key=part.value)
