"""Text with one sequence of numbers a line, separated by blanks, tabs or commas."""

from __future__ import annotations

from collections.abc import Iterator
from io import TextIOWrapper
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import dtype_named
from seqtool.arrays.gather import sequence_of
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.errors import DataError, NotSequencesError
from seqtool.files.inputs import Input
from seqtool.files.packing import BROKEN, damaged_packing, open_bytes
from seqtool.operations.cast import rounding_warnings
from seqtool.sequences.conversion import cumulative_offsets
from seqtool.sequences.ragged import Ragged
from seqtool.sources.cells import cells_in
from seqtool.sources.options import Sequences
from seqtool.tables.cells import BadCellError, Numbers, missing_words

_CELLS = 1 << 18  # numbers read at a time
_PIECE = 1 << 20  # letters of a line read at a time


def read_lines(source: Input, dtype: str | None, spool: Spool) -> Sequences:
    """Every line is a sequence; an empty line is one without steps.

    Whole numbers alone give int64; any fraction gives float32 unless `dtype` says otherwise. Raises DataError
    that names the line of a cell which is no number, or does not fit.
    """
    target = np.dtype(np.float32) if dtype is None else dtype_named(dtype)
    words = missing_words()
    words = words.filter(pc.not_equal(words, ""))  # between two commas something is missing that was meant
    numbers = Numbers(target, words, text=True, rounds=dtype is not None)
    lengths, values = GrowingArray(spool, np.dtype(np.int64)), GrowingArray(spool, np.dtype(np.float64))
    empty = before = 0
    for first_line, cells, counts, goes_on in _batches(source):
        try:
            values.add(numbers.encode(pa.array(cells, pa.string()), len(values)))
        except BadCellError as bad:
            line = first_line + int(np.searchsorted(np.cumsum(counts), bad.row, side="right"))
            raise NotSequencesError(
                f"{source.name}: line {line}: {bad.cell[:40]!r} is not a number; one sequence of numbers a line, "
                "separated by blanks, tabs or commas, was expected"
            ) from None
        found = np.array(counts, dtype=np.int64)
        found[0] += before
        before = int(found[-1]) if goes_on else 0
        whole = found[:-1] if goes_on else found
        lengths.add(whole)
        empty += int((whole == 0).sum())
    chosen = np.dtype(np.int64) if numbers.whole and dtype is None and len(values) else target
    loss = numbers.loss(chosen)
    offsets = cumulative_offsets(lengths.done())
    if loss:
        line = 1 + sequence_of(offsets, loss.row)
        out = [] if chosen == np.float64 else ["; ", _way_out(numbers, target)]
        raise DataError(f"{source.name}: line {line}: {loss.reason}", *out)
    warnings = rounding_warnings(numbers.state.rounded, chosen)
    warnings += [f"{numbers.missing:,} missing values became NaN"] if numbers.missing else []
    if empty:
        warnings.append(f"{empty:,} empty lines became sequences without steps")
    return Sequences(Ragged(values.done(chosen), offsets), len(values), warnings=warnings)


def _way_out(numbers: Numbers, target: np.dtype[Any]) -> Message:
    """A dtype that holds all numbers or, where none does, float64, which rounds the whole ones among them."""
    if numbers.whole and numbers.loss(np.dtype(np.int64)) is None:
        return Message("choose ", Advice("--dtype", "int64"))
    single = target.kind != "f" and not numbers.state.large
    return Message("choose ", Advice("--dtype", "float32" if single else "float64"))


def _batches(source: Input) -> Iterator[tuple[int, list[str], list[int], bool]]:
    """Some cells at a time: the first line, all cells, their count by line, whether the last line goes on."""
    try:
        with TextIOWrapper(open_bytes(source.path, source.packing), encoding="utf-8-sig") as text:
            line, cells, counts, goes_on = 1, list[str](), list[int](), False
            for row, ended in _rows(text, source.name):
                if not (goes_on and counts):
                    counts.append(0)
                cells += row
                counts[-1] += len(row)
                goes_on = not ended
                if len(cells) >= _CELLS:
                    yield line, cells, counts, goes_on
                    line, cells, counts = line + len(counts) - goes_on, [], []
            if counts:
                yield line, cells, counts, False
    except DataError:
        raise
    except UnicodeDecodeError:
        raise DataError(f"{source.name}: not UTF-8 text") from None
    except BROKEN as error:
        raise damaged_packing(source.name, source.packing or "file's", error) from None


def _rows(text: TextIOWrapper, name: str) -> Iterator[tuple[list[str], bool]]:
    """The cells of each line, of a long one some at a time; and whether the line ends with them."""
    rest, commas, number = "", False, 1
    while piece := text.readline(_PIECE):
        ended = piece[-1] == "\n" or len(piece) < _PIECE
        line, commas = rest + piece, commas if rest else "," in piece
        if ended:
            yield cells_in(line, commas=commas), True
            rest, number = "", number + 1
            continue
        cut = line.rfind(",") if commas else max(line.rfind(blank) for blank in " \t")
        if len(line) - cut > _PIECE:
            raise DataError(
                f"{name}: line {number}: a cell of more than {_PIECE >> 1:,} letters; a number was expected"
            )
        yield cells_in(line[:cut], commas=commas), False
        rest = line[cut + 1 :] or " "  # which tells that the line goes on
    if rest:
        yield cells_in(rest, commas=commas), True
