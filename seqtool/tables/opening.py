"""Opens tables: each kind of input as a `Table`, and several inputs with the same columns as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import Input
from seqtool.files.path_parts import PathPattern
from seqtool.tables import csv_dialect, csv_errors, csv_parser, json_lines
from seqtool.tables.arrow_files import record_batches
from seqtool.tables.file_columns import FileColumn, file_columns, with_file_columns
from seqtool.tables.in_memory import from_array
from seqtool.tables.list_cells import with_list_cells
from seqtool.tables.number_marks import with_plain_numbers
from seqtool.tables.table import Expected, Table, TextOptions, left_out, typed_table


def open_tables(
    inputs: Sequence[Input],
    options: TextOptions | None = None,
    key_from: PathPattern | None = None,
    *,
    list_cells: bool = True,
) -> Table:
    """One table from several inputs of the same columns, read one after another.

    The parts of their paths that the pattern `key_from` names, and their partitions, become further columns; so do the
    cells of list columns whose lists have one length, unless `list_cells` is false.

    Raises DataError for inputs that hold no table, or whose columns differ.
    """
    table = _opened(inputs, options, key_from)
    return with_list_cells(table) if list_cells else table


def _opened(inputs: Sequence[Input], options: TextOptions | None, key_from: PathPattern | None) -> Table:
    options = options or TextOptions()
    of_files = file_columns(inputs, key_from)
    tables = [
        with_file_columns(table, of_files, i) if of_files else table
        for i, table in enumerate(
            _open(source, options, many=len(inputs) > _OPEN_AT_ONCE) for source in inputs
        )
    ]
    for table in tables[1:]:
        if table.columns != tables[0].columns:
            raise DataError(f"{table.name} and {tables[0].name} differ: {_difference(table, tables[0])}")
    return replace(tables[0] if len(tables) == 1 else _concatenated(tables), sources=tuple(inputs))


def open_file(
    source: Input,
    options: TextOptions,
    of_files: Sequence[FileColumn],
    file: int,
    list_sizes: Mapping[int, int],
) -> Table:
    """One of several inputs as a table, with the columns that the table of all of them has.

    `of_files` are the columns that paths give, with the cells of all inputs, of which this is the one with the number
    `file`; `list_sizes` are the lengths of lists in the table of all. Raises DataError for what holds no table.
    """
    table = _open(source, options, many=False)
    if of_files:
        table = with_file_columns(table, of_files, file)
    table = replace(table, list_sizes=list_sizes, sources=(source,))
    return with_list_cells(table)


def _concatenated(tables: Sequence[Table]) -> Table:
    """The rows of several tables with the same columns, one table after the other."""
    first = tables[0]
    begins: list[int] = []  # the first row of each table that has been opened so far

    def rows(columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        begins.clear()
        total = sequences = 0
        # Where each file is a key, its sequences count from 0.
        counter = first.counter if first.part("key") is None and first.counter in columns else None
        for table in tables:
            begins.append(total)
            before = sequences
            for batch in table.read(columns, expected):
                if counter is not None and len(batch):
                    batch, sequences = _with_later_sequences(batch, [*columns].index(counter), before)
                total += len(batch)
                yield batch

    def read(columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        return _in_larger_batches(rows(columns, expected))

    def place(row: int) -> str:
        file = max(i for i, begin in enumerate(begins) if begin <= row)
        return tables[file].place(row - begins[file])

    bounds = [table.at_most for table in tables]
    at_most = None if None in bounds else sum(bound for bound in bounds if bound is not None)
    return replace(
        first,
        read=read,
        place=place,
        list_sizes={column: size for table in reversed(tables) for column, size in table.list_sizes.items()},
        at_most=at_most,
        finished=lambda: max(0, len(begins) - 1),
    )


def _with_later_sequences(batch: Any, place: int, before: int) -> tuple[Any, int]:
    """A batch whose sequence numbers are raised by the number of sequences in earlier files, and the total so far."""
    import pyarrow as pa
    import pyarrow.compute as pc

    counted = pc.add(batch.column(place).cast(pa.int64()), before)
    columns = [counted if i == place else column for i, column in enumerate(batch.columns)]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names), counted[-1].as_py() + 1


def _in_larger_batches(batches: Iterator[Any]) -> Iterator[Any]:
    """The same rows, with small batches concatenated: thousands of small files would be slow otherwise."""
    import pyarrow as pa

    waiting, rows = list[Any](), 0
    for batch in batches:
        if waiting and (rows + len(batch) > _SMALL or batch.schema != waiting[0].schema):
            yield pa.concat_batches(waiting) if len(waiting) > 1 else waiting[0]
            waiting, rows = [], 0
        waiting.append(batch)
        rows += len(batch)
        if len(batch) > _SMALL or any(pa.types.is_dictionary(kind) for kind in batch.schema.types):
            yield waiting.pop()
            rows = 0
    if waiting:
        yield pa.concat_batches(waiting)


_SMALL = 1 << 13  # rows


def _difference(table: Table, first: Table) -> str:
    if table.named != first.named:
        return "one has a header, the other has none"
    if not table.named:
        return f"{len(table.columns)} columns against {len(first.columns)}"
    added = [name for name in table.columns if name not in first.columns]
    missing = [name for name in first.columns if name not in table.columns]
    difference = "the same columns in another order"
    if added or missing:
        difference = f"columns {added or 'none'} against {missing or 'none'}"
    return f"{difference}; files of one call must have the same header"


_OPEN_AT_ONCE = 64  # files of arrays; systems allow a process a few hundred open files


def _open(source: Input, options: TextOptions, *, many: bool) -> Table:
    """One input as a table; with `many` inputs, no file stays open."""
    if source.kind == "json" and not options.lines.changes_nothing:
        raise UsageError(
            f"--skip-rows, --comment, --key-blank-lines and --delimiter whitespace are for rows of text; {source.name} "
            "holds JSON"
        )
    _refuse_sheet(source, options)
    if source.kind in ("text", "json", "workbook"):
        table = _text_table(source, options, many=many)
        return table if options.marks.are_plain else with_plain_numbers(table, options.marks)
    if source.kind in ("parquet", "arrow", "arrow-stream"):
        return _record_table(source)
    if source.kind == "ts":
        padded = Advice("seqtool", "pad", source.name)
        raise DataError(f"{source.name}: holds sequences, and no rows to group; pad them: ", padded)
    return from_array(_array(source, many=many), source.name)


def _text_table(source: Input, options: TextOptions, *, many: bool) -> Table:
    if source.kind == "workbook":
        from seqtool.tables.workbooks import workbook_table

        return workbook_table(source, options, many=many)
    return _csv(source, options) if source.kind == "text" else _json_lines(source)


def _array(source: Input, *, many: bool) -> AnyArray:
    """The array of an `.npy` file or an archive; raises DataError where it has more than two dimensions."""
    from seqtool.files.npy import open_npy, open_npy_each_time

    if source.kind == "npy":
        array: AnyArray = (open_npy_each_time if many else open_npy)(source.path, source.name)
    else:
        array = _array_of_archive(source, many=many)
    if array.ndim > 2:
        padded = Advice("seqtool", "pad", source.name)
        problem = f"has shape {array.shape}; rows and columns were expected; of a block of sequences: "
        raise DataError(f"{source.name}: {problem}", padded)
    return array


def _refuse_sheet(source: Input, options: TextOptions) -> None:
    if options.sheet is not None and source.kind != "workbook" and not options.of_other_tables:
        raise UsageError(
            f"--sheet names a sheet of a workbook, and {source.name} is none: ", Advice(without=["--sheet"])
        )


def _array_of_archive(source: Input, *, many: bool) -> AnyArray:
    from seqtool.files.archives import archive_of

    if not many:
        archive = archive_of(source)
        archive.verify()
        return _only_array(archive)
    with archive_of(source) as archive:
        archive.verify()
        array = _only_array(archive)

    def read(begin: int, end: int) -> Array:
        with archive_of(source) as archive:
            return _only_array(archive)[begin:end]

    return Lazy(array.shape, array.dtype, read)


def _only_array(archive: Any) -> AnyArray:
    names = archive.names
    if "x" not in names and len(names) != 1:
        raise DataError(
            f"{archive.name}: holds {', '.join(names) or 'no array'}; x, or a single array, was expected"
        )
    array: AnyArray = archive.window("x" if "x" in names else names[0])
    return array


def _csv(source: Input, options: TextOptions) -> Table:
    rewriting = options.lines
    source = source if rewriting.changes_nothing else replace(source, rewriting=rewriting)
    sniff = partial(csv_dialect.sniff, encoding=options.encoding, marks=options.marks)
    dialect = sniff(source, delimiter=options.delimiter, header=options.header)
    if rewriting.key_blank_lines:
        # From here on each line ends with the number of its sequence.
        delimiter, header = dialect.delimiter, dialect.header
        numbered = replace(rewriting, numbered=True, delimiter=delimiter, header=header)
        source = replace(source, rewriting=numbered)
        dialect = sniff(source, delimiter=delimiter, header=header)
    names: tuple[str | None, ...]
    names = (
        tuple(cell or None for cell in dialect.first_row)
        if dialect.header
        else (None,) * len(dialect.first_row)
    )
    notes = ["the first row is a header" if dialect.header else "the first row is data (no header)"]
    if dialect.delimiter != ",":
        notes.append(f"cells are separated by {dialect.delimiter!r}")
    for position, name in enumerate(names):
        if dialect.header and name is None:
            notes.append(left_out(position))
    cells = len(names)
    if rewriting.key_blank_lines:
        notes.append("a blank line ends a sequence")
        cells -= 1
    return Table(
        source.name,
        names,
        dialect.header,
        lambda columns, expected: csv_parser.batches(source, dialect, columns, expected),
        lambda row: f"{source.name}: line {csv_errors.line_of(source, dialect, row)}",
        text=True,
        counter=cells if rewriting.key_blank_lines else None,
        # Every cell takes a byte at least, for the delimiter or the line end after it.
        at_most=None if source.packing else source.size // cells + 1,
        notes=notes,
        dialect={
            **{"header": dialect.header, "delimiter": dialect.delimiter, "encoding": dialect.encoding},
            **rewriting.resolved,
        },
    )


def _json_lines(source: Input) -> Table:
    columns, sizes = json_lines.fields(source)
    return Table(
        source.name,
        columns,
        True,
        lambda wanted, expected: json_lines.batches(
            source, columns, wanted, others=expected.others, lists=expected.lists
        ),
        lambda row: f"{source.name}: line {json_lines.line_of(source, row)}",
        text=True,
        list_sizes=sizes,
        at_most=None if source.packing else source.size // len("{}\n") + 1,
    )


def _record_table(source: Input) -> Table:
    """A Parquet or Arrow file as a table."""
    records = record_batches(source)
    return typed_table(records.schema, lambda columns, _: records.batches(columns), source.name, records.rows)
