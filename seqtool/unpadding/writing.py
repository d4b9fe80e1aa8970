"""Rows as files: CSV, TSV, JSON lines and Parquet, batch by batch."""

from __future__ import annotations

import json
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from seqtool.errors import UsageError

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
_FORMULA = r"^[=+\-@\t\r]"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_TEXT = pa.large_string()


class RowWriter(Protocol):
    """Writes batches of rows, all of one schema."""

    def write(self, batch: Any) -> None:
        """Write the rows of a record batch."""

    def close(self) -> None:
        """Write what belongs behind the last row."""


def writer_of_rows(suffix: str, file: BinaryIO, schema: Any, *, escape_formulas: bool = False) -> RowWriter:
    """What writes rows in the format of a suffix; `escape_formulas` as `Delimited` does it."""
    if suffix == ".parquet":
        return _Parquet(file, schema)
    if suffix == ".jsonl":
        return _JsonLines(file, schema)
    return Delimited(file, schema, "\t" if suffix == ".tsv" else ",", escape_formulas=escape_formulas)


def check_escape(suffix: str, name: str) -> None:
    """Raise UsageError where a format has no cells that a spreadsheet may take for formulas."""
    if suffix not in (".csv", ".tsv"):
        raise UsageError(
            f"--escape-formulas is for spreadsheets, which read .csv and .tsv, and {name} is neither"
        )


class Delimited:
    """Lines of cells with a separator between them, the first of which are the names of the columns.

    A missing cell is empty, and so is NaN; a float is written in as few digits as give it back exactly. Text with a
    separator, a quote or a line break in it stands in quotes. With `escape_formulas` an apostrophe stands before text
    that a spreadsheet would compute.
    """

    def __init__(self, file: BinaryIO, schema: Any, separator: str, *, escape_formulas: bool = False) -> None:
        self._file, self._separator, self._escape = file, separator, escape_formulas
        self._only = len(schema) == 1
        names = pa.array(schema.names, _TEXT)
        header = self._quoted(self._without_formulas(names)).to_pylist()
        file.write((separator.join(header) + "\n").encode())

    def write(self, batch: Any) -> None:
        """Write the rows of a record batch."""
        if not len(batch):
            return
        cells = [self._cells(column) for column in batch.columns]
        if self._only:  # else a missing cell would be a blank line, which is no row to most readers
            cells = [pc.fill_null(cells[0], '""')]
        self._file.write(_lines(_joined(cells, self._separator)))

    def close(self) -> None:
        """Nothing stands behind the last row."""

    def _cells(self, column: Any) -> Any:
        texts = column.cast(_TEXT)
        if _is_number(column.type):
            return texts
        return self._quoted(self._without_formulas(texts))

    def _without_formulas(self, texts: Any) -> Any:
        if not self._escape:
            return texts
        computed = pc.and_(
            pc.match_substring_regex(texts, _FORMULA), pc.invert(pc.match_substring_regex(texts, _NUMBER))
        )
        return pc.if_else(computed, _joined([_text("'"), texts], ""), texts)

    def _quoted(self, texts: Any) -> Any:
        """The same with quotes where they are needed: an empty text has them, to differ from a missing one."""
        needed = pc.or_(
            pc.match_substring_regex(texts, f'["\\r\\n{self._separator}]'), pc.equal(texts, _text(""))
        )
        if not pc.any(needed).as_py():
            return texts
        doubled = pc.replace_substring(texts, '"', '""')
        return pc.if_else(needed, _joined([_text('"'), doubled, _text('"')], ""), texts)


class _JsonLines:
    """An object a line; a missing cell is null, and an infinity text."""

    def __init__(self, file: BinaryIO, schema: Any) -> None:
        self._file = file
        self._names = [json.dumps(name, ensure_ascii=False) for name in schema.names]

    def write(self, batch: Any) -> None:
        if not len(batch):
            return
        parts: list[Any] = []
        for name, column in zip(self._names, batch.columns, strict=True):
            parts += [_text(f"{', ' if parts else '{'}{name}: "), pc.fill_null(_json_cells(column), "null")]
        self._file.write(_lines(_joined([*parts, _text("}")], "")))

    def close(self) -> None:
        """Nothing stands behind the last row."""


def _json_cells(column: Any) -> Any:
    texts = column.cast(_TEXT)
    if not _is_number(column.type):
        return _json_texts(texts)
    if not pa.types.is_floating(column.type):
        return texts
    return pc.if_else(
        pc.is_inf(column.cast(pa.float64())), _joined([_text('"'), texts, _text('"')], ""), texts
    )


def _json_texts(texts: Any) -> Any:
    if pc.any(pc.match_substring_regex(texts, r"[\x00-\x1f]")).as_py():  # rare: each has an escape of its own
        written = [
            None if cell is None else json.dumps(cell, ensure_ascii=False) for cell in texts.to_pylist()
        ]
        return pa.array(written, _TEXT)
    for letter, escaped in (("\\", "\\\\"), ('"', '\\"')):
        texts = pc.replace_substring(texts, letter, escaped)
    return pc.if_else(
        pc.is_valid(texts), _joined([_text('"'), texts, _text('"')], ""), pa.scalar(None, _TEXT)
    )


class _Parquet:
    """A Parquet file; a missing cell is null. Batches wait until they are enough for a row group."""

    def __init__(self, file: BinaryIO, schema: Any) -> None:
        from pyarrow import parquet

        self._writer = parquet.ParquetWriter(file, schema)
        self._waiting: list[Any] = []

    def write(self, batch: Any) -> None:
        self._waiting.append(batch)
        if sum(waiting.nbytes for waiting in self._waiting) > _ROW_GROUP:
            self._write()

    def _write(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting))
            self._waiting = []

    def close(self) -> None:
        self._write()
        self._writer.close()


_ROW_GROUP = 16 << 20  # bytes of a row group, before compression


def _text(text: str) -> Any:
    return pa.scalar(text, _TEXT)


def _joined(cells: list[Any], separator: str) -> Any:
    """The texts of several columns joined row by row, a missing one being empty."""
    return pc.binary_join_element_wise(*cells, _text(separator), null_handling="replace", null_replacement="")


def _lines(texts: Any) -> bytes:
    """Texts as bytes, a line break behind each."""
    ended = _joined([texts, _text("\n")], "")
    begin, end = (int.from_bytes(ended.buffers()[1][8 * i : 8 * i + 8], "little") for i in (0, len(ended)))
    return bytes(ended.buffers()[2][begin:end])


def _is_number(kind: Any) -> bool:
    """Whether cells of a type are numbers or booleans, as which JSON takes them."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))
