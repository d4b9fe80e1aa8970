"""Cuts CSV into blocks of whole rows, which can then be parsed in parallel."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import IO

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.dataclass import dataclass
from seqtool.tables.csv_dialect import Dialect

LONGEST_ROW = 4 << 20  # bytes
_FIRST = 1 << 16  # bytes of the first block, from which the parser learns the types of the columns
_BLOCK = 1 << 20  # bytes: large enough to be worth a call, small enough for a core's cache
_MOST_SKIPPED = 1000  # blank lines before the first row that are surely within the first block
_CELL = re.compile(rb"[^\r\n]")  # in a line that is not blank
_QUOTE, _LINE_END = ord('"'), ord("\n")


@dataclass(frozen=True)
class RowBlock:
    """The bytes of whole rows, after `skip` lines that are no data."""

    data: memoryview
    skip: int = 0


class Rest:
    """The rest of a stream, from where the ends of rows cannot be found by looking for line ends."""

    def __init__(self, before: bytes, raw: IO[bytes], *, from_start: bool) -> None:
        self._before = before
        self._raw = raw
        self.from_start = from_start

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        if not self._before:
            return self._raw.read(size)
        data = self._before if size < 0 else self._before[:size]
        self._before = self._before[len(data) :]
        return data


def blocks(raw: IO[bytes], dialect: Dialect, longest: int = LONGEST_ROW) -> Iterator[RowBlock | Rest]:
    r"""Cut a stream at line ends outside quotes.

    The last item is a Rest where the quotes are irregular, a row has more than `longest` bytes, or the encoding does
    not agree with ASCII.

    >>> import io
    >>> csv = io.BytesIO(b'1,2\n"a\nb",4\n')
    >>> [bytes(block.data) for block in blocks(csv, Dialect(("1", "2"), False, ",", "utf-8", 0))]
    [b'1,2\n"a\nb",4\n']
    """
    if not is_utf8(dialect.encoding) or dialect.skipped > _MOST_SKIPPED:
        yield Rest(b"", raw, from_start=True)
        return
    carried, first, size = b"", True, _FIRST
    while True:
        text = bytearray(len(carried) + size)
        text[: len(carried)] = carried
        got = _fill(raw, memoryview(text)[len(carried) :])
        del text[len(carried) + got :]
        cut = len(text) if not got else _last_row_end(text, dialect.delimiter)
        marked = text.startswith(codecs.BOM_UTF8)
        # Arrow drops a byte order mark at the start of each block; only at the start of the file it is no cell.
        mark = codecs.BOM_UTF8 if marked and not first else b""
        if cut is None or (not got and _is_odd(text, dialect.delimiter)) or len(text) - cut > longest:
            yield Rest(mark + text, raw, from_start=first)
            return
        holds_rows = _CELL.search(text, 3 if marked and first else 0, cut) is not None
        if first and got and not holds_rows:
            cut = 0  # the lines to be skipped are counted from the start of the first block, which must have a row
        carried = bytes(memoryview(text)[cut:])
        if holds_rows:
            rows = memoryview(mark + text[:cut]) if mark else memoryview(text)[:cut]
            yield RowBlock(rows, dialect.skipped if first else 0)
            first = False
        if not got:
            return
        size = max(_BLOCK, len(carried))  # doubles each time, so that a long row is not searched too often


def _fill(raw: IO[bytes], out: memoryview) -> int:
    """Read until `out` is full or the stream ends; returns the number of bytes read."""
    got = 0
    while got < len(out):
        count = raw.readinto(out[got:])  # type: ignore[attr-defined]
        if not count:
            break
        got += count
    return got


def is_utf8(encoding: str) -> bool:
    """Whether bytes of this encoding are valid UTF-8 as they are."""
    return encoding.lower().replace("-", "").replace("_", "") in ("utf8", "utf8sig", "ascii", "usascii")


def _last_row_end(text: bytearray, delimiter: str) -> int | None:
    """Where the last whole row ends, 0 if there is none; None where irregular quotes leave that open."""
    if b'"' not in text:
        return text.rfind(b"\n") + 1
    letters = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(letters == _QUOTE)
    ends = np.flatnonzero(letters == _LINE_END)
    outside = ends[np.searchsorted(quotes, ends) % 2 == 0]
    cut = int(outside[-1]) + 1 if len(outside) else 0
    return None if oddly_quoted(letters[:cut], quotes[quotes < cut], delimiter) else cut


def _is_odd(text: bytearray, delimiter: str) -> bool:
    if b'"' not in text:
        return False
    letters = np.frombuffer(text, np.uint8)
    return oddly_quoted(letters, np.flatnonzero(letters == _QUOTE), delimiter)


def oddly_quoted(letters: Array, quotes: Array, delimiter: str) -> bool:
    """Whether a quote opens or closes elsewhere than at the border of a cell, or is never closed.

    Quotes open and close in turn. Before one that opens, and after one that closes, there must be a delimiter, a line
    end or a quote; a quote within an unquoted cell breaks that too.
    """
    borders = _borders(delimiter)
    opens, closes = quotes[0::2], quotes[1::2]
    opens, closes = opens[opens > 0], closes[closes < len(letters) - 1]
    return bool(
        len(quotes) % 2
        or not np.isin(letters[opens - 1], borders).all()
        or not np.isin(letters[closes + 1], borders).all()
    )


def _borders(delimiter: str) -> Array:
    """The bytes that may stand before a quote that opens a cell, or after one that closes it."""
    return np.frombuffer(f'{delimiter}\r\n"'.encode(), np.uint8)


class QuoteWatch(io.RawIOBase):
    """Passes the bytes of a stream on, and notes in `odd` whether quotes are irregular, as `oddly_quoted` has it.

    Arrow's parser takes such quotes without an error, so the file then needs a closer look.
    """

    def __init__(self, raw: Rest, delimiter: str) -> None:
        self._raw = raw
        self._borders = _borders(delimiter)
        self._quotes = 0
        self._last = self._borders[1]
        self.odd = False

    def readable(self) -> bool:
        """Always true."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._raw.read(size)
        if not data:
            self.odd |= self._quotes % 2 == 1
        elif b'"' in data or self._last == _QUOTE:
            self._watch(np.frombuffer(data, np.uint8))
        if data:
            self._last = np.uint8(data[-1])
        return data

    def _watch(self, text: Array) -> None:
        text = np.concatenate([[self._last], text]).astype(np.uint8)
        # A quote at the very end is judged again with the bytes that follow.
        places = np.flatnonzero(text[:-1] == _QUOTE)
        if text[-1] == _QUOTE:
            places = np.append(places, len(text) - 1)
        new = places[places > 0]
        opens = new[self._quotes % 2 :: 2]
        self.odd |= not np.isin(text[opens - 1], self._borders).all()
        closes = new[1 - self._quotes % 2 :: 2]
        before = self._last == _QUOTE and self._quotes % 2 == 0 and self._quotes > 0
        closes = np.append(closes, 0) if before else closes
        closes = closes[closes < len(text) - 1]
        self.odd |= not np.isin(text[closes + 1], self._borders).all()
        self._quotes += len(new)
