"""The common interface to all sources of rows: a `Table`, which has columns and yields record batches.

Text formats yield every cell as the text in the file; typed formats keep their own types. Rows are counted here, where
bytes become records.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import Input
from seqtool.files.line_rewriting import Rewriting
from seqtool.tables.csv_dialect import ESCAPES, check_encoding
from seqtool.tables.number_marks import NumberMarks

if TYPE_CHECKING:
    from seqtool.tables.file_columns import FileColumn


@dataclass
class Learnt:
    """What a reader of text has found out so far: columns of integers, of floats, and keys that are plain integers."""

    wholes: frozenset[int] | None = None
    floats: frozenset[int] = frozenset()
    integer_keys: dict[int, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """What the columns probably hold: a guess that saves work where it is right, and changes no result.

    `numbers` are the columns that are probably numbers, `missing` the spellings of a missing value in them, and `keys`
    the columns of keys. `spelled` are the columns of numbers that may have a decimal comma or marks between thousands;
    `lists` are the columns to be read as lists. `threads` may read at once, by default one a core. `others` allows
    fields of JSON records that are no columns. `learnt` is handed on from file to file.
    """

    numbers: frozenset[int] = frozenset()
    missing: Sequence[str] = ()
    keys: frozenset[int] = frozenset()
    spelled: frozenset[int] = frozenset()
    lists: frozenset[int] = frozenset()
    threads: int | None = None
    others: bool = False
    learnt: Learnt = field(default_factory=Learnt, compare=False)


BATCH_ROWS = 1 << 17  # at most, in a batch of a typed table
BATCH_BYTES = 8 << 20  # about the size of a batch of a typed table


class Batches(Protocol):
    """Reads the rows of a table, from the first one on at each call."""

    def __call__(self, columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        """Record batches with the columns at these positions, in this order.

        Text columns that are expected to be numbers or keys may come as numbers, where no information is lost.
        """


@dataclass
class Table:
    """Rows with columns, as one source or several of the same columns hold them.

    - `name` stands in messages; `columns` are the names of the columns, None for one without; `named` tells whether the
      names come from the table itself, such as from a header.
    - `read` yields the record batches; `place` describes a row, counted from 0, for a message: its file and line.
    - `text`: the cells are text, whose types are still to be found. `dtype` is that of an array; `texts` are the
      columns of text in a typed table, `types` the Arrow types of its columns.
    - `list_sizes`: the length of the lists in each such column of text; `elements`: the columns that hold the single
      cells of a list column.
    - `index`: the columns that are the index of a pandas DataFrame; `of_files`: those that paths of files give;
      `counter`: the one that numbers sequences between blank lines.
    - `at_most`: an upper bound of the rows, None if unknown; `sources`: the inputs; `finished`: how many of these have
      been read.
    - `rows` and `left_out` count the rows read so far, and those left out of them by reason; `notes` are sentences for
      the summary, and `dialect` is what the receipt says about how text was read.
    """

    name: str
    columns: tuple[str | None, ...]
    named: bool
    read: Batches
    place: Callable[[int], str]
    text: bool = False
    dtype: np.dtype[Any] | None = None
    texts: frozenset[int] = frozenset()
    types: tuple[Any, ...] = ()
    list_sizes: Mapping[int, int] = field(default_factory=dict)
    elements: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    index: frozenset[int] = frozenset()
    of_files: Mapping[int, FileColumn] = field(default_factory=dict)
    counter: int | None = None
    at_most: int | None = None
    sources: tuple[Input, ...] = ()
    finished: Callable[[], int] = lambda: 0
    rows: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    dialect: Mapping[str, Any] = field(default_factory=dict)

    def batches(self, columns: Sequence[int], expected: Expected | None = None) -> Iterator[Any]:
        """Record batches with the columns at these positions; counts the rows."""
        self.rows = 0
        self.left_out.clear()
        for batch in self.read(columns, expected or Expected()):
            self.rows += len(batch)
            yield batch

    @property
    def cells(self) -> frozenset[int]:
        """The columns that hold the single cells of list columns; they stand in no file."""
        return frozenset(cell for cells in self.elements.values() for cell in cells)

    @property
    def hidden(self) -> frozenset[int]:
        """The columns that a call cannot name by position: single cells of lists, and the counter of sequences."""
        return self.cells | ({self.counter} if self.counter is not None else frozenset[int]())

    @property
    def size(self) -> int | None:
        """The bytes to be read, as stored (compressed files count as such); None where there is no file."""
        return self._ends[-1] or None

    @cached_property
    def _ends(self) -> list[int]:
        """The total bytes before each source, and of all; computed once, for there may be thousands of sources."""
        return [*accumulate((source.size for source in self.sources), initial=0)]

    @property
    def bytes_read(self) -> int:
        """About how many bytes have been read so far."""
        return self._metered or int(self.share_read() * (self.size or 0))

    @property
    def _metered(self) -> int:
        if not self.sources:
            return 0
        now = min(self.finished(), len(self.sources) - 1)
        return self._ends[now] + self.sources[now].meter.read

    def share_read(self) -> float:
        """About the fraction of the rows read so far, from 0 to 1; 0 if unknown."""
        if self.text:
            return self._metered / self.size if self.size else 0.0
        return self.rows / self.at_most if self.at_most else 0.0

    def part(self, name: str) -> int | None:
        """The column for the part of this name in a pattern of paths; None if there is none."""
        return next((i for i, column in self.of_files.items() if column.part == name), None)

    def label(self, column: int) -> str:
        """The name of a column for messages: its own, or its position."""
        return self.columns[column] or str(column)


@dataclass(frozen=True)
class TextOptions:
    """How text files and workbooks are to be read; what is None is found out from the file.

    `sheet` names the sheet of a workbook. `of_other_tables`: these options are for further tables of the call, where
    that sheet need not exist. Raises UsageError for an encoding that is not one of text.
    """

    delimiter: str | None = None
    header: bool | None = None
    encoding: str = "utf-8"
    marks: NumberMarks = field(default_factory=NumberMarks)
    lines: Rewriting = field(default_factory=Rewriting)
    sheet: str | None = None
    of_other_tables: bool = False

    def __post_init__(self) -> None:
        check_encoding(self.encoding)
        if not self.lines.changes_nothing and self.encoding.lower().replace("-", "_").startswith(
            ("utf_16", "utf_32")
        ):
            raise UsageError(
                "--skip-rows, --comment, --key-blank-lines and --delimiter whitespace are for encodings that agree "
                f"with ASCII, and {self.encoding} does not: convert the file to UTF-8 first"
            )

    @classmethod
    def of(
        cls,
        delimiter: str | None = None,
        header: bool | None = None,
        encoding: str = "utf-8",
        *,
        decimal: str = ".",
        thousands: str | None = None,
        skip_rows: int = 0,
        comment: str | None = None,
        key_blank_lines: bool = False,
        sheet: str | None = None,
    ) -> TextOptions:
        """The options of a call, by their names on the command line."""
        by_blanks = delimiter == "whitespace"
        character = "\t" if by_blanks else ESCAPES.get(delimiter or "", delimiter)
        return cls(
            character,
            header,
            encoding,
            NumberMarks(decimal, thousands),
            Rewriting(skip_rows, comment, by_blanks, key_blank_lines, character),
            sheet,
        )

    @property
    def of_others(self) -> TextOptions:
        """The same options for further tables of the call, in which blank lines do not end sequences."""
        return replace(self, lines=replace(self.lines, key_blank_lines=False), of_other_tables=True)


def typed_table(schema: Any, read: Batches, name: str, at_most: int | None) -> Table:
    """A table of typed columns with names; raises DataError where two have the same name."""
    twice = sorted(column for column, count in Counter(schema.names).items() if count > 1)
    if twice:
        raise DataError(
            f"{name}: has columns {', '.join(map(repr, twice))} more than once; rename one of them"
        )
    names = tuple(
        None if not column or _UNNAMED_INDEX.fullmatch(column) else column for column in schema.names
    )
    notes = [left_out(position) for position, column in enumerate(names) if column is None]
    index = _index(schema)
    notes += [
        f"the index {names[column]!r} is no feature unless --columns names it" for column in sorted(index)
    ]
    return Table(
        name,
        names,
        True,
        read,
        lambda row: f"{name}: row {row}",
        texts=text_columns(schema),
        types=tuple(schema.types),
        index=index,
        at_most=at_most,
        notes=notes,
    )


# The index that pandas writes has no name of its own.
_UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


def _index(schema: Any) -> frozenset[int]:
    """The columns that were the named index of a pandas DataFrame, according to its metadata."""
    try:
        described = schema.pandas_metadata
    except ValueError:  # it is not JSON
        return frozenset()
    levels = described.get("index_columns") if isinstance(described, dict) else None
    if not isinstance(levels, list):
        return frozenset()
    named = {level for level in levels if isinstance(level, str) and not _UNNAMED_INDEX.fullmatch(level)}
    return frozenset(position for position, name in enumerate(schema.names) if name and name in named)


def text_columns(schema: Any) -> frozenset[int]:
    """The positions of the columns of text."""
    import pyarrow as pa

    def is_text(kind: Any) -> bool:
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        types = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
        return any(is_kind(kind) for is_kind in types)

    return frozenset(i for i, field in enumerate(schema) if is_text(field.type))


def left_out(position: int) -> str:
    """The note about a column without a name."""
    return f"column {position} has no name and is left out"
