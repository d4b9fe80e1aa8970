"""Files of the UCR and UEA archives (`.ts`): a header of lines that begin with `@`, then a sequence a line.

Colons separate the dimensions of a sequence, and its label stands last; `?` is a missing value, and a step may be a
pair (time, value).
"""

from __future__ import annotations

import re
from io import TextIOWrapper
from typing import Any

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array, dtype_named
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import GrowingArray, running_sums
from seqtool.arrays.text import Text
from seqtool.errors import DataError, at
from seqtool.files.inputs import Input
from seqtool.files.packing import BROKEN, damaged_packing, open_bytes
from seqtool.sequences.ragged import Ragged
from seqtool.sources.cells import settled_dtype
from seqtool.sources.options import Sequences, SourceOptions
from seqtool.tables.cells import BadCellError, Labels, Numbers, missing_words
from seqtool.tables.cells.label_doubts import doubts
from seqtool.words import count

_CELLS = 1 << 18  # numbers read at a time
_BETWEEN = re.compile(r":(?![^(]*\))")  # a colon that is no part of a time in (time, value)
_PAIR = re.compile(r"\s*\(\s*([^()]*)\s*,\s*([^(),]*)\s*\)\s*(?:,|\Z)")


def read_ts(source: Input, options: SourceOptions) -> Sequences:
    """The sequences of a file: values (S,) of one dimension, (S, F) of several; labels as classes or numbers.

    Times of steps are left out, which a note says. Raises DataError that names the line of a malformed sequence.
    """
    with at(source.name):
        reading = _Reading(options)
        try:
            with TextIOWrapper(open_bytes(source.path, source.packing), encoding="utf-8-sig") as lines:
                for number, line in enumerate(lines, 1):
                    reading.take(number, line.strip())
        except UnicodeDecodeError:
            raise DataError("not UTF-8 text") from None
        except DataError:
            raise
        except BROKEN as error:
            raise damaged_packing(source.name, source.packing or "file's", error) from None
        return reading.done()


class _Reading:
    """The sequences of a file while it is read, line by line."""

    def __init__(self, options: SourceOptions) -> None:
        self._asked = options.dtype
        self._target = np.dtype(np.float32) if options.dtype is None else dtype_named(options.dtype)
        words = missing_words(["?"])
        self._numbers = Numbers(self._target, words, text=True, rounds=options.dtype is not None)
        self._spool = options.spool
        self._values: GrowingArray | None = None
        self._lengths = GrowingArray(options.spool, np.dtype(np.int64))
        self._codes = GrowingArray(options.spool, np.dtype(np.int64))
        self._labels = Labels(["?"])
        self._classes: frozenset[str] | None = None
        self._labelled = self._is_number = self._timed = self._in_data = False
        self._width = 0
        self._waiting: list[tuple[int, list[list[str]], str]] = []
        self._cells = 0

    def take(self, number: int, line: str) -> None:
        """Read a line, which comes without the blanks around it."""
        if not line or line.startswith("#"):
            return
        if self._in_data:
            self._take_sequence(number, line)
        elif line.startswith("@"):
            self._take_header(line)
        else:
            raise DataError(f"line {number}: {line[:40]!r}; a word about the data, or @data, was expected")

    def _take_header(self, line: str) -> None:
        """Read a line of the header; of these only @data and the labels matter here."""
        word, *rest = line.split()
        self._in_data = word.lower() == "@data"
        if word.lower() in ("@classlabel", "@targetlabel") and rest[:1] and rest[0].lower() == "true":
            self._labelled, self._is_number = True, word.lower() == "@targetlabel"
            classes = rest[1:]
            if (
                classes
            ):  # in their order here, so that ids are the same in a file that lacks some of the classes
                self._labels.encode(pa.array(classes))
                self._classes = frozenset(classes)

    def _take_sequence(self, number: int, line: str) -> None:
        """Read a sequence; raises DataError for one whose dimensions or label do not fit."""
        parts = [part.strip() for part in _BETWEEN.split(line)]
        label = parts.pop() if self._labelled else ""
        if not parts:
            raise DataError(
                f"line {number}: holds a label alone; dimensions, and the label last, were expected"
            )
        if self._labelled and self._classes is not None and label not in self._classes | {"?", ""}:
            raise DataError(f"line {number}: label {label!r} is none of those that @classLabel lists")
        dimensions = [self._cells_in(number, part) for part in parts]
        lengths = {len(cells) for cells in dimensions}
        if len(lengths) > 1:
            raise DataError(
                f"line {number}: dimensions of {', '.join(map(str, map(len, dimensions)))} steps; equal lengths within "
                "a sequence were expected"
            )
        self._width = self._width or len(dimensions)
        if len(dimensions) != self._width:
            raise DataError(f"line {number}: {len(dimensions)} dimensions, but {self._width} before")
        self._waiting.append((number, dimensions, label))
        self._cells += len(dimensions) * len(dimensions[0])
        if self._cells >= _CELLS:
            self._flush()

    def _cells_in(self, number: int, part: str) -> list[str]:
        """The values of a dimension as text; of pairs (time, value) the values alone."""
        if not part.startswith("("):
            return [cell.strip() for cell in part.split(",")] if part else []
        self._timed, cells, place = True, list[str](), 0
        while place < len(part):
            found = _PAIR.match(part, place)
            if found is None:
                raise DataError(f"line {number}: {part[place : place + 40]!r}; (time, value) was expected")
            cells.append(found[2])
            place = found.end()
        return cells

    def _flush(self) -> None:
        """Turn the waiting sequences into numbers."""
        cells = [cell for _, dimensions, _ in self._waiting for values in dimensions for cell in values]
        counts = np.array([len(dimensions[0]) for _, dimensions, _ in self._waiting], dtype=np.int64)
        lines = np.repeat([number for number, _, _ in self._waiting], counts * self._width)
        try:
            flat = self._numbers.encode(pa.array(cells, pa.string()), lines)
        except BadCellError as bad:
            raise DataError(f"line {lines[bad.row]}: {bad.cell[:40]!r}; a number or ? was expected") from None
        if self._values is None:
            tail = (self._width,) if self._width > 1 else ()
            self._values = GrowingArray(self._spool, np.dtype(np.float64), tail)
        ends = np.cumsum(counts * self._width)
        blocks = [block.reshape(self._width, -1).T for block in np.split(flat, ends[:-1])]
        steps: Array = np.concatenate(blocks)
        self._values.add(steps if self._width > 1 else steps[:, 0])
        self._lengths.add(counts)
        labels = pa.array([label for _, _, label in self._waiting], pa.string())
        self._codes.add(self._labels.encode(labels, np.array([number for number, _, _ in self._waiting])))
        self._waiting, self._cells = [], 0

    def done(self) -> Sequences:
        """All sequences, with their labels."""
        if self._waiting:
            self._flush()
        if self._values is None:
            raise DataError("holds no sequences; lines behind @data were expected")
        numbers, warnings, notes = self._numbers, list[str](), list[str]()
        chosen = settled_dtype(
            numbers,
            self._target,
            asked=self._asked is not None,
            place=lambda line: f"line {line}",
            warnings=warnings,
        )
        warnings += [f"{count(numbers.missing, 'missing value')} became NaN"] if numbers.missing else []
        notes += ["times of steps were left out"] if self._timed else []
        ragged = Ragged(self._values.done(chosen), running_sums(self._lengths.done(), self._spool))
        if self._labelled:
            y, names = self._decoded_labels(warnings)
            ragged = ragged.replace(per_sequence={"y": y}, names=names)
        return Sequences(ragged, len(self._values), notes=notes, warnings=warnings)

    def _decoded_labels(self, warnings: list[str]) -> tuple[AnyArray, dict[str, Array | Text]]:
        """The labels as class ids with their classes or, where the header says @targetLabel, as numbers."""
        state = self._labels.state
        if state.missing:
            have = "sequence has" if state.missing == 1 else "sequences have"
            first = min(map(state.row, state.without))
            raise DataError(f"{state.missing:,} {have} no label, the first at line {first}; give each one")
        warnings += doubts(
            state, "label", lambda line: f"line {line}" if line else "@classLabel", row="sequence"
        )
        values, classes = self._labels.finish("number" if self._is_number else None)
        y: Any = values[np.asarray(self._codes.done())]
        return y, {} if classes is None else {"classes": classes}
