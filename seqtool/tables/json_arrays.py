"""A JSON array of objects, read one object at a time: the file may be larger than memory."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import IO, Any

from seqtool.errors import DataError
from seqtool.files.inputs import Input

_PIECE = 1 << 20  # letters that are read at once
_BLANKS = re.compile(r"[ \t\r\n]*")


def is_array(source: Input) -> bool:
    """Whether an input is one array, rather than an object a line."""
    return source.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["


def records_of_array(
    source: Input, stream: IO[bytes], *, whole: bool = True
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of an array, each with the line on which it begins; numbers are the text that was written.

    A stream that is not `whole` ends somewhere within, and so do they. Raises DataError that names the line.
    """
    letters = _Letters(source, stream, whole=whole)
    try:
        letters.skip("[")
        while letters.next() != "]":
            line, record = letters.line, letters.value()
            if not isinstance(record, dict):
                raise DataError(
                    f"{source.name}: line {line}: one JSON object per line was expected, or an array of them"
                )
            yield line, record
            if letters.next() == "]":
                break
            letters.skip(",")
        letters.skip("]")
        if letters.next(may_end=True):
            raise letters.not_json("more follows the array")
    except _EndsWithinError:
        return
    finally:
        letters.release()


class _EndsWithinError(Exception):
    """The stream is the front of a file, and ends."""


class _Letters:
    """The text of a stream from its front on, some of which is in memory."""

    def __init__(self, source: Input, stream: IO[bytes], *, whole: bool) -> None:
        self._source, self._whole = source, whole
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="strict" if whole else "ignore")
        self._decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
        self._buffer, self._at = "", 0
        self.line = 1

    def next(self, *, may_end: bool = False) -> str:
        """The next letter that is no blank, which stays; none at the end."""
        while True:
            begin = self._at
            blanks = _BLANKS.match(self._buffer, begin)
            self._at = blanks.end() if blanks else begin
            self.line += self._buffer.count("\n", begin, self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._read():
                if not may_end:
                    raise self.not_json("the array is never closed") if self._whole else _EndsWithinError
                return ""

    def skip(self, letter: str) -> None:
        """Pass over the next letter; raises DataError where it is another."""
        if self.next() != letter:
            raise self.not_json(f"{letter!r} was expected, not {self.next()!r}")
        self._at += 1

    def value(self) -> Any:
        """The value that begins here."""
        while True:
            try:
                found, end = self._decoder.raw_decode(self._buffer, self._at)
            except RecursionError:
                raise DataError(f"{self._source.name}: line {self.line}: nested too deeply") from None
            except ValueError as error:  # it may go on behind what is in memory
                if not self._read():
                    if not self._whole:
                        raise _EndsWithinError from None
                    raise self.not_json(str(error).split(": line ")[0]) from None
            else:
                self.line += self._buffer.count("\n", self._at, end)
                self._at = end
                return found

    def release(self) -> None:
        """Leave the stream to whoever opened it."""
        self._text.detach()

    def _read(self) -> bool:
        left = self._buffer[self._at :]
        self._source.memory.check_single(f"{self._source.name}: line {self.line}", len(left), "break it up")
        piece = self._text.read(max(_PIECE, len(left)))  # twice as much each time, for a record that is long
        self._buffer, self._at = left + piece, 0
        return bool(piece)

    def not_json(self, problem: str) -> DataError:
        """The error for what is no array of objects."""
        return DataError(f"{self._source.name}: line {self.line}: not JSON ({problem})")
