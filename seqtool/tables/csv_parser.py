"""Parses CSV and TSV into record batches.

`pyarrow.csv` does the parsing, strictly and fast. Every cell stays the text in the file, except where columns are
expected to be numbers and reading them as such loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import EXACT
from seqtool.files.inputs import Input
from seqtool.files.packing import BROKEN, damaged_packing
from seqtool.system.platform import cpu_count
from seqtool.system.prefetch import ordered_map
from seqtool.tables.cells.spelling import plain_integers
from seqtool.tables.csv_blocks import LONGEST_ROW, QuoteWatch, Rest, RowBlock, blocks, is_utf8
from seqtool.tables.csv_dialect import Dialect
from seqtool.tables.csv_errors import check_quotes, first_csv_error
from seqtool.tables.table import Expected


def batches(
    source: Input, dialect: Dialect, columns: Sequence[int], expected: Expected | None = None
) -> Iterator[Any]:
    """The rows as pyarrow record batches, one column for each position in `columns`, in file order.

    Columns that are `expected` to be numbers may come as numbers, where no information is lost; all others are text.
    Raises DataError that names the line of a row with too few or too many cells, of bytes that are not text, or of a
    quote that is never closed.
    """
    import pyarrow as pa

    parser = _Parser(dialect, columns, expected or Expected())
    with source.open_metered() as raw, ThreadPoolExecutor(parser.threads) as pool:
        try:
            pieces = blocks(raw, dialect, source.memory.single)
            first = map(parser.parse, islice(pieces, 1))  # before the others, for the parser learns from it
            for parsed in chain(first, ordered_map(parser.parse, pieces, pool, waiting=parser.threads)):
                if isinstance(parsed, Rest):
                    yield from _rest(source, parser, parsed)
                elif len(parsed):
                    yield parsed
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            fault = first_csv_error(source, dialect, error)
            if fault is not None:
                raise fault from None
        except BROKEN as error:
            raise damaged_packing(source.name, source.packing or "file's", error) from None


def _rest(source: Input, parser: _Parser, rest: Rest) -> Iterator[Any]:
    """The rows of a stream that cannot be cut into blocks at its line ends."""
    stream = QuoteWatch(rest, parser.dialect.delimiter)
    yield from parser.stream(stream, skip=parser.dialect.skipped if rest.from_start else 0)
    if stream.odd or not is_utf8(parser.dialect.encoding):
        check_quotes(source, parser.dialect)


class _Parser:
    """Turns the bytes of whole rows into a record batch.

    Columns that are expected to be numbers are read as integers until a block shows fractions. Which type is tried
    first is a guess that saves time; the numbers do not depend on it.
    """

    def __init__(self, dialect: Dialect, columns: Sequence[int], expected: Expected) -> None:
        self.dialect = dialect
        self._columns = columns
        self._places = {column: place for place, column in enumerate(columns)}
        self._expected = expected
        self.threads = expected.threads or cpu_count()
        self._learnt = expected.learnt
        if self._learnt.wholes is None:
            self._learnt.wholes = expected.numbers
        self._integer_keys = self._learnt.integer_keys
        # Arrow takes 27 kB for each column of numbers to look up spellings of a missing value, which are rare.
        wide = len(columns) > _WIDE
        self._missing = [word for word in expected.missing if not (wide and word)]

    def parse(self, block: RowBlock | Rest) -> Any:
        """The rows of a block as a record batch; a Rest is returned as it is."""
        import pyarrow as pa

        if isinstance(block, Rest):
            return block
        numbers = {column: pa.int64() for column in self._learnt.wholes or ()}
        numbers |= {column: pa.float64() for column in self._learnt.floats}
        if numbers:
            try:
                batch = self._read(block, numbers)
                if self._loses_nothing(block, batch, numbers):
                    return self._with_integer_keys(batch)
            except pa.ArrowInvalid:  # not all cells are numbers
                pass
        batch = self._read(block, {})
        self._learn(batch)
        return self._with_integer_keys(batch)

    def _learn(self, batch: Any) -> None:
        """Narrow down from a batch of text which columns are integers or floats; one that is neither is not retried."""
        wholes, floats = self._learnt.wholes or frozenset(), self._learnt.floats
        for column in wholes | floats:
            cells = batch.column(self._places[column])
            if column in wholes and _spelled_as_numbers(cells, self._expected.missing, whole=True):
                continue
            if not _spelled_as_numbers(cells, self._expected.missing, whole=False):
                wholes, floats = wholes - {column}, floats - {column}
            elif _spelled_as_floats(
                cells, self._expected.missing
            ):  # not for +5, which Arrow takes for no integer
                wholes, floats = wholes - {column}, floats | {column}
        self._learnt.wholes, self._learnt.floats = wholes, floats

    def _read(self, block: RowBlock, numbers: Mapping[int, Any]) -> Any:
        import pyarrow as pa
        import pyarrow.csv as arrow_csv

        table = arrow_csv.read_csv(
            pa.BufferReader(block.data),
            read_options=self._reading(len(block.data) + 1, block.skip, use_threads=False),
            parse_options=self._parsing(),
            convert_options=self._converting(numbers),
        ).combine_chunks()
        batches = table.to_batches()
        return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)

    def stream(self, stream: Any, *, skip: int) -> Iterator[Any]:
        """The rows of a stream, by Arrow's own reader of streams: slower, but it finds the end of every row."""
        import pyarrow as pa
        import pyarrow.csv as arrow_csv

        yield from arrow_csv.open_csv(
            pa.PythonFile(stream, mode="r"),
            # With threads of its own it reads ahead by a block for each core.
            read_options=self._reading(LONGEST_ROW, skip, use_threads=pa.cpu_count() <= self.threads),
            parse_options=self._parsing(),
            convert_options=self._converting({}),
        )

    def _reading(self, size: int, skip: int, *, use_threads: bool) -> Any:
        import pyarrow.csv as arrow_csv

        return arrow_csv.ReadOptions(
            block_size=size,
            column_names=[str(i) for i in range(len(self.dialect.first_row))],
            skip_rows_after_names=skip,
            encoding=self.dialect.encoding,
            use_threads=use_threads,
        )

    def _parsing(self) -> Any:
        import pyarrow.csv as arrow_csv

        return arrow_csv.ParseOptions(
            delimiter=self.dialect.delimiter, newlines_in_values=True, ignore_empty_lines=True
        )

    def _converting(self, numbers: Mapping[int, Any]) -> Any:
        import pyarrow as pa
        import pyarrow.csv as arrow_csv

        kinds = {
            str(i): numbers[i] if i in numbers else pa.string() for i in range(len(self.dialect.first_row))
        }
        return arrow_csv.ConvertOptions(
            column_types=kinds,
            include_columns=[str(i) for i in self._columns],
            null_values=self._missing if numbers else [],
            strings_can_be_null=False,
        )

    def _loses_nothing(self, block: RowBlock, batch: Any, numbers: Mapping[int, Any]) -> bool:
        """Whether the numbers that Arrow read are those that `seqtool.tables.cells` would read from the text."""
        import pyarrow as pa

        text: Any = block.data.obj
        # Not by `_learnt`, which another thread may have changed by now.
        wholes = any(pa.types.is_integer(kind) for kind in numbers.values())
        if wholes and (b"0x" in text or b"0X" in text):
            return False  # Arrow takes 0x1F for an integer
        for column in numbers:
            cells = batch.column(self._places[column])
            if pa.types.is_floating(cells.type) and len(cells) > cells.null_count:
                present = np.asarray(cells.drop_null() if cells.null_count else cells)
                # A NaN makes both NaN, and fails; whole numbers past 2^53 may have changed.
                if not (present.max() < EXACT and present.min() > -EXACT):
                    return False
        return True

    def _with_integer_keys(self, batch: Any) -> Any:
        """The batch with those key columns as integers whose cells are all plainly written ones."""
        import pyarrow as pa

        columns = list(batch.columns)
        for column in self._expected.keys:
            place = self._places[column]
            integers = plain_integers(columns[place]) if self._integer_keys.get(column, True) else None
            self._integer_keys[column] = integers is not None
            columns[place] = columns[place] if integers is None else integers
        return pa.RecordBatch.from_arrays(columns, batch.schema.names)


_WIDE = 1000  # columns


def _present(cells: Any, missing: Sequence[str]) -> Any:
    """Text with null in place of the spellings of a missing value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    absent = pc.is_in(cells, value_set=pa.array(missing, pa.string()))
    return pc.if_else(absent, None, cells) if pc.any(absent).as_py() else cells


def _spelled_as_floats(cells: Any, missing: Sequence[str]) -> bool:
    """Whether some number is written with a point or an exponent, so that the column becomes floats."""
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring_regex(_present(cells, missing), "[.eE]")).as_py())


def _spelled_as_numbers(cells: Any, missing: Sequence[str], *, whole: bool) -> bool:
    """Whether all cells of text are spelled as numbers, `whole` ones or any, or as missing values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.cast(_present(cells, missing), pa.int64() if whole else pa.float64())
    except pa.ArrowInvalid:
        return False
    return True
