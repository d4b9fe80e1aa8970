"""Text with one sequence of numbers a line, separated by blanks, tabs or commas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import TextIOWrapper

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.arrays.dtypes import dtype_named
from seqtool.arrays.gather import sequence_of
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.errors import DataError
from seqtool.files.inputs import BROKEN, Input, damaged_packing, open_bytes
from seqtool.sequences.conversion import cumulative_offsets
from seqtool.sequences.ragged import Ragged
from seqtool.sources.options import Sequences
from seqtool.tables.cells import BadCellError, Numbers, missing_words

_CELLS = 1 << 18  # numbers read at a time
_COMMA = re.compile(r"\s*,\s*")


def read_lines(source: Input, dtype: str | None, spool: Spool) -> Sequences:
    """Every line is a sequence; an empty line is one without steps.

    Whole numbers alone give int64; any fraction gives float32 unless `dtype` says otherwise. Raises DataError
    that names the line of a cell which is no number, or does not fit.
    """
    target = np.dtype(np.float32) if dtype is None else dtype_named(dtype)
    words = missing_words()
    words = words.filter(pc.not_equal(words, ""))  # between two commas something is missing that was meant
    numbers = Numbers(target, words, text=True)
    lengths, values = GrowingArray(spool, np.dtype(np.int64)), GrowingArray(spool, np.dtype(np.float64))
    empty = 0
    for first_line, cells, counts in _batches(source):
        try:
            values.add(numbers.encode(pa.array(cells, pa.string()), len(values)))
        except BadCellError as bad:
            line = first_line + int(np.searchsorted(np.cumsum(counts), bad.row, side="right"))
            raise DataError(
                f"{source.name}: line {line}: {bad.cell[:40]!r} is not a number; one sequence of numbers a line, "
                "separated by blanks, tabs or commas, was expected"
            ) from None
        lengths.add(np.array(counts, dtype=np.int64))
        empty += counts.count(0)
    chosen = np.dtype(np.int64) if numbers.whole and dtype is None and len(values) else target
    loss = numbers.loss(chosen)
    offsets = cumulative_offsets(lengths.done())
    if loss:
        line = 1 + sequence_of(offsets, loss.row)
        raise DataError(f"{source.name}: line {line}: {loss.reason}")
    warnings = [f"{numbers.missing:,} missing values became NaN"] if numbers.missing else []
    if empty:
        warnings.append(f"{empty:,} empty lines became sequences without steps")
    return Sequences(Ragged(values.done(chosen), offsets), len(values), warnings=warnings)


def _batches(source: Input) -> Iterator[tuple[int, list[str], list[int]]]:
    """The cells of some lines at a time: the number of the first line, all cells, and their count by line."""
    try:
        with TextIOWrapper(open_bytes(source.path, source.packing), encoding="utf-8-sig") as text:
            first_line, cells, counts = 1, list[str](), list[int]()
            for line in text:
                row = _COMMA.split(line.strip()) if "," in line else line.split()
                cells += row
                counts.append(len(row))
                if len(cells) >= _CELLS:
                    yield first_line, cells, counts
                    first_line, cells, counts = first_line + len(counts), [], []
            if counts:
                yield first_line, cells, counts
    except UnicodeDecodeError:
        raise DataError(f"{source.name}: not UTF-8 text") from None
    except BROKEN as error:
        raise damaged_packing(source.name, source.packing or "file's", error) from None
