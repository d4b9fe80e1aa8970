"""Text with one sequence of numbers a line, separated by blanks, tabs or commas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import TextIOWrapper
from typing import Any

import numpy as np
import pyarrow.compute as pc

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array, dtype_named
from seqtool.arrays.gather import sequence_of
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import GrowingArray, Spool, running_sums
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, NotSequencesError
from seqtool.files.inputs import Input
from seqtool.files.packing import BROKEN, damaged_packing, open_bytes
from seqtool.operations.cast import rounding_warnings
from seqtool.sequences.ragged import Ragged
from seqtool.sources.cells import PLAIN, cells_in, plain_cells
from seqtool.sources.options import Sequences
from seqtool.tables.cells import BadCellError, Numbers, missing_words
from seqtool.tables.number_marks import NumberMarks, marks_of
from seqtool.words import count

_CELLS = 1 << 18  # numbers read at a time
_PIECE = 1 << 20  # letters of a line read at a time


def read_lines(source: Input, dtype: str | None, spool: Spool, marks: NumberMarks = PLAIN) -> Sequences:
    """Read a sequence from each line, without steps from an empty one; numbers are written by `marks`.

    Whole numbers alone give int64; any fraction gives float32 unless `dtype` names another type. Raises DataError
    that names the line of a cell that is no number, or that the type cannot hold.
    """
    target = np.dtype(np.float32) if dtype is None else dtype_named(dtype)
    words = missing_words()
    words = words.filter(pc.not_equal(words, ""))  # nothing between two commas is likely a mistake
    numbers = Numbers(target, words, text=True, rounds=dtype is not None)
    growing, values = GrowingArray(spool, np.dtype(np.int64)), GrowingArray(spool, np.dtype(np.float64))
    empty = begun = 0  # lines without a number; numbers so far of a line that goes on
    firsts = _Firsts()
    for batch in batches(source, marks.between, always=marks.thousands == " "):
        steps = batch.encoded(numbers, marks, source.name, first_row=len(values))
        values.add(steps)
        counts = np.array(batch.counts, dtype=np.int64)
        firsts.look(steps, counts, begun=begun > 0)
        counts[0] += begun
        begun = int(counts[-1]) if batch.goes_on else 0
        ended = counts[:-1] if batch.goes_on else counts
        growing.add(ended)
        empty += int((ended == 0).sum())
    chosen = np.dtype(np.int64) if numbers.whole and dtype is None and len(values) else target
    loss = numbers.loss(chosen)
    lengths = growing.done()
    offsets = running_sums(lengths, spool)
    if loss:
        line = 1 + sequence_of(offsets, loss.row)
        out = [] if chosen == np.float64 else ["; ", _way_out(numbers, target)]
        raise DataError(f"{source.name}: line {line}: {loss.reason}", *out)
    warnings = rounding_warnings(numbers.state.rounded, chosen)
    warnings += [f"{count(numbers.missing, 'missing value')} became NaN"] if numbers.missing else []
    if empty:
        became = "a sequence" if empty == 1 else "sequences"
        warnings.append(f"{count(empty, 'empty line')} became {became} without steps")
    warnings += firsts.warnings(source, lengths, marks)
    return Sequences(Ragged(values.done(chosen), offsets), len(values), warnings=warnings)


@dataclass(frozen=True)
class LineBatch:
    """The cells of some lines from `first_line` on, end to end, and their count by line.

    The last line `goes_on` where only the beginning of it was read.
    """

    first_line: int
    cells: list[str]
    counts: list[int]
    goes_on: bool

    def encoded(self, numbers: Numbers, marks: NumberMarks, name: str, *, first_row: int) -> Array:
        """The cells as numbers; raises NotSequencesError for one that is none."""

        def place(cell: int) -> str:
            return f"{name}: line {self.first_line + self._line_of(cell)}"

        try:
            return numbers.encode(plain_cells(self.cells, marks, place), first_row)
        except BadCellError as bad:
            between = "commas" if marks.between == "," else "semicolons"
            raise NotSequencesError(
                f"{place(bad.row)}: {bad.cell[:40]!r} is not a number; one sequence of numbers a line, "
                f"separated by blanks, tabs or {between}, was expected",
                *(_as_marked(self._cells_beside(bad.row)) if marks.are_plain else []),
                *(_as_words(self._cells_beside(bad.row)) if marks.are_plain else []),
            ) from None

    def _line_of(self, cell: int) -> int:
        return int(np.searchsorted(np.cumsum(self.counts), cell, side="right"))

    def _cells_beside(self, cell: int) -> list[str]:
        """The cells of the line in which one stands."""
        line = self._line_of(cell)
        begin = sum(self.counts[:line])
        return self.cells[begin : begin + self.counts[line]]


class _Firsts:
    """The first number of each line, which may be a label: one of a few whole numbers, in front of fractions."""

    def __init__(self) -> None:
        self._labels, self._lines, self._fractions = set[float](), 0, 0
        self._may_be = True

    def look(self, numbers: Array, counts: Array, *, begun: bool) -> None:
        """Look at the numbers of some lines; `begun` says that the first line began in the batch before."""
        if not self._may_be:
            return
        starts = (np.cumsum(counts) - counts)[int(begun) :][counts[int(begun) :] > 1]
        first, second = numbers[starts], numbers[starts + 1]
        self._labels |= {*np.unique(first).tolist()}
        self._lines += len(starts)
        self._fractions += int((second != np.trunc(second)).sum())
        self._may_be = len(self._labels) <= _CLASSES and bool((first == np.trunc(first)).all())

    def warnings(self, source: Input, lengths: AnyArray, marks: NumberMarks) -> list[str]:
        """A sentence where the first numbers are likely labels, as in the files of the UCR archive."""
        few = 2 * len(self._labels) <= self._lines and 10 * self._fractions >= 9 * self._lines
        if not (self._may_be and few and self._lines):
            return []
        low, high = (int(edge(part)) for edge, part in ((np.min, lengths[:]), (np.max, lengths[:])))
        if low != high:
            return []
        line = next((line for line in source.head.decode(errors="replace").splitlines() if line.strip()), "")
        blanks = [] if marks.between in line or "\t" in line else ["--delimiter", "whitespace"]
        as_label = Advice("--steps", f"{{1..{high - 1}}}", "--label", "0", *blanks)
        problem = (
            f"the first number of each line is one of {len(self._labels):,} whole numbers, before fractions; "
        )
        return [Message(problem, "if it is a label: ", as_label)]


_CLASSES = 100  # whole numbers in front of lines that may be labels


def _as_marked(cells: list[str]) -> list[object]:
    """The advice to read the numbers of a line by other marks, where its commas stand within numbers."""
    options = marks_of([word for word in re.split(r"[;\s]+", ",".join(cells)) if word])
    return ["; as numbers that are written so: ", Advice(*options)] if options else []


def _as_words(cells: list[str]) -> list[object]:
    """The advice to read words as names of a category, where all cells of a line are words."""
    are_words = all(cell[:1].isalpha() for cell in cells) and len(cells) > 1
    return ["; as ids of words: ", Advice("--category", "word")] if are_words else []


def _way_out(numbers: Numbers, target: np.dtype[Any]) -> Message:
    """The advice to choose a dtype that holds all numbers or, where none does, float64, which rounds whole ones."""
    if numbers.whole and numbers.loss(np.dtype(np.int64)) is None:
        return Message("choose ", Advice("--dtype", "int64"))
    single = target.kind != "f" and not numbers.state.large
    return Message("choose ", Advice("--dtype", "float32" if single else "float64"))


def batches(source: Input, between: str | None, *, always: bool = False) -> Iterator[LineBatch]:
    """The cells of a file, some lines at a time, or a part of a long one.

    Cells are parted by blanks and, in lines that hold it or `always`, by `between`.
    """
    try:
        with TextIOWrapper(open_bytes(source.path, source.packing), encoding="utf-8-sig") as text:
            line, cells, counts, goes_on = 1, list[str](), list[int](), False
            for row, ended in _rows(text, source.name, between, always=always):
                if not (goes_on and counts):
                    counts.append(0)
                cells += row
                counts[-1] += len(row)
                goes_on = not ended
                if len(cells) >= _CELLS:
                    yield LineBatch(line, cells, counts, goes_on)
                    line, cells, counts = line + len(counts) - goes_on, [], []
            if counts:
                yield LineBatch(line, cells, counts, goes_on=False)
    except DataError:
        raise
    except UnicodeDecodeError:
        raise DataError(f"{source.name}: not UTF-8 text") from None
    except BROKEN as error:
        raise damaged_packing(source.name, source.packing or "file's", error) from None


def _rows(
    text: TextIOWrapper, name: str, between: str | None, *, always: bool
) -> Iterator[tuple[list[str], bool]]:
    """The cells of each line, of a long one in parts, and whether the line ends with them."""
    rest, mark, number = "", None, 1
    while piece := text.readline(_PIECE):
        ended = piece[-1] == "\n" or len(piece) < _PIECE
        if not rest:
            mark = between if always or (between is not None and between in piece) else None
        line = rest + piece
        if ended:
            yield cells_in(line, mark), True
            rest, number = "", number + 1
            continue
        cut = line.rfind(mark) if mark else max(line.rfind(blank) for blank in " \t")
        if len(line) - cut > _PIECE:
            raise DataError(
                f"{name}: line {number}: a cell of more than {_PIECE >> 1:,} letters; shorter ones were expected"
            )
        yield cells_in(line[:cut], mark), False
        rest = line[cut + 1 :] or " "  # which tells that the line goes on
    if rest:
        yield cells_in(rest, mark), True
