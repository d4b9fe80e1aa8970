"""What all sources of rows become: a `Table`, which has columns and gives record batches.

Text formats give every cell as the text that was written; typed formats give their own types. Rows are counted here,
where bytes become records.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import Input
from seqtool.files.line_rewriting import Rewriting
from seqtool.tables.csv_dialect import ESCAPES, check_encoding
from seqtool.tables.number_marks import NumberMarks

if TYPE_CHECKING:
    from seqtool.tables.file_columns import FileColumn


@dataclass
class Learnt:
    """What a reader of text learnt of columns while it read: integers, floats, which keys are plain integers."""

    wholes: frozenset[int] | None = None
    floats: frozenset[int] = frozenset()
    integer_keys: dict[int, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """What columns are likely to hold: it saves work where it is so, and changes nothing where it is not.

    `numbers` are the columns that are likely numbers, `missing` the spellings of a missing value there, `keys`
    the columns of keys. `threads` may read at once, by default one a core. `learnt` goes from each file to the next.
    `spelled` are all columns of numbers, however they are written; `lists` those of lists, which are read as such.
    `others` says that fields of records which are no columns may come and go, for the call names what it wants.
    """

    numbers: frozenset[int] = frozenset()
    missing: Sequence[str] = ()
    keys: frozenset[int] = frozenset()
    spelled: frozenset[int] = frozenset()
    lists: frozenset[int] = frozenset()
    threads: int | None = None
    others: bool = False
    learnt: Learnt = field(default_factory=Learnt, compare=False)


_INDEX = re.compile(r"__index_level_\d+__")


BATCH_BYTES = 8 << 20  # about what one batch of a typed table takes


class Batches(Protocol):
    """What a table gives its rows through."""

    def __call__(self, columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        """Record batches with the columns at these positions, in this order.

        Text columns that are expected to be numbers or keys may come as such, where it says the same.
        """


@dataclass
class Table:
    """Rows with columns.

        `name` is what a person calls it. `columns` holds a name for each column, None for one without; `named`
        says whether they stand in a header. `text` says that cells are text as written, whose types are still to
        be found; `dtype` is set where all cells share one (arrays), `texts` are the columns of text in a typed table,
    from seqtool.tables.csv_dialect import ESCAPES, check_encoding
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
        """Record batches with the columns at these positions, the rows counted as they come."""
        self.rows = 0
        self.left_out.clear()
        for batch in self.read(columns, expected or Expected()):
            self.rows += len(batch)
            yield batch

    @property
    def cells(self) -> frozenset[int]:
        """The columns of the cells of lists, which no file has as they are."""
        return frozenset(cell for cells in self.elements.values() for cell in cells)

    @property
    def hidden(self) -> frozenset[int]:
        """The columns that no call can name: these cells, and the counter of sequences."""
        return self.cells | ({self.counter} if self.counter is not None else frozenset[int]())

    @property
    def size(self) -> int | None:
        """The bytes to be read, packed if they are; None where there is no file."""
        return self._ends[-1] or None

    @cached_property
    def _ends(self) -> list[int]:
        """The bytes of the sources up to each, and of all: found once, for there may be thousands."""
        return [*accumulate((source.size for source in self.sources), initial=0)]

    @property
    def bytes_read(self) -> int:
        """About how many of them were read so far."""
        return self._metered or int(self.share_read() * (self.size or 0))

    @property
    def _metered(self) -> int:
        if not self.sources:
            return 0
        now = min(self.finished(), len(self.sources) - 1)
        return self._ends[now] + self.sources[now].meter.read

    def share_read(self) -> float:
        """About the share of the rows that were read so far, 0 where nobody knows."""
        if self.text:
            return self._metered / self.size if self.size else 0.0
        return self.rows / self.at_most if self.at_most else 0.0

    def part(self, name: str) -> int | None:
        """The column that a pattern of paths calls so; None where there is none."""
        return next((place for place, column in self.of_files.items() if column.part == name), None)

    def label(self, column: int) -> str:
        """What a person calls a column: its name, or its position."""
        return self.columns[column] or str(column)


@dataclass(frozen=True)
class TextOptions:
    """How text files and workbooks are to be read; None: look at the file.

    `sheet` is that of a workbook, which one `of_other_tables` that belong to the first need not have. Raises UsageError
    for what is no encoding of text.
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
        """What a call says, by the names of its options."""
        blanks = delimiter == "whitespace"
        character = "\t" if blanks else ESCAPES.get(delimiter or "", delimiter)
        return cls(
            character,
            header,
            encoding,
            NumberMarks(decimal, thousands),
            Rewriting(skip_rows, comment, blanks, key_blank_lines, character),
            sheet,
        )

    @property
    def of_others(self) -> TextOptions:
        """The same for other tables of the call, whose blank lines end no sequence."""
        return replace(self, lines=replace(self.lines, key_blank_lines=False), of_other_tables=True)


def typed_table(schema: Any, read: Batches, name: str, at_most: int | None) -> Table:
    """A table of typed columns with names; raises DataError where two have the same."""
    twice = sorted(column for column, count in Counter(schema.names).items() if count > 1)
    if twice:
        raise DataError(
            f"{name}: has columns {', '.join(map(repr, twice))} more than once; rename one of them"
        )
    # The index that pandas writes has no name of its own.
    names = tuple(None if not column or _INDEX.fullmatch(column) else column for column in schema.names)
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


def _index(schema: Any) -> frozenset[int]:
    """The columns that were the named index of a pandas DataFrame, as its metadata tells."""
    try:
        found = (schema.pandas_metadata or {}).get("index_columns") or ()
    except ValueError:  # metadata that is no JSON
        return frozenset()
    named = {column for column in found if isinstance(column, str) and not _INDEX.fullmatch(column)}
    return frozenset(position for position, name in enumerate(schema.names) if name and name in named)


def text_columns(schema: Any) -> frozenset[int]:
    """The columns of text, by position."""
    import pyarrow as pa

    def is_text(kind: Any) -> bool:
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        types = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
        return any(is_kind(kind) for is_kind in types)

    return frozenset(i for i, field in enumerate(schema) if is_text(field.type))


def left_out(position: int) -> str:
    """What a note says of a column without a name."""
    return f"column {position} has no name and is left out"
