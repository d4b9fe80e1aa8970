"""Reads a JSON array of objects one at a time, for the file may be larger than memory."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import IO, Any

from seqtool.errors import DataError
from seqtool.files.inputs import Input
from seqtool.files.packing import READ_AT_ONCE

_BLANKS = re.compile(r"[ \t\r\n]*")


def is_array(source: Input) -> bool:
    """Whether an input is one array, rather than one object per line."""
    return source.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["


def records_of_array(
    source: Input, stream: IO[bytes], *, whole: bool = True
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of an array, each with the line on which it begins; numbers are the text in the file.

    A stream that is not `whole` is only the start of a file: the last object that it holds completely is the last one.
    Raises DataError that names the line.
    """
    text = _Scanner(source, stream, whole=whole)
    try:
        text.skip("[")
        while text.next() != "]":
            line, record = text.line, text.value()
            if not isinstance(record, dict):
                raise DataError(
                    f"{source.name}: line {line}: one JSON object per line was expected, or an array of them"
                )
            yield line, record
            if text.next() == "]":
                break
            text.skip(",")
        text.skip("]")
        if text.next(may_end=True):
            raise text.not_json("more follows the array")
    except _EndsWithinError:
        return
    finally:
        text.release()


class _EndsWithinError(Exception):
    """The stream is only the start of a file, and has ended."""


class _Scanner:
    """Reads the text of a stream from start to end, a buffer at a time."""

    def __init__(self, source: Input, stream: IO[bytes], *, whole: bool) -> None:
        self._source, self._whole = source, whole
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="strict" if whole else "ignore")
        self._decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
        self._buffer, self._at = "", 0
        self.line = 1

    def next(self, *, may_end: bool = False) -> str:
        """The next character that is no blank, without passing over it; empty at the end, if that `may_end` here."""
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
        """Pass over the next character that is no blank; raises DataError for another than `letter`."""
        if self.next() != letter:
            raise self.not_json(f"{letter!r} was expected, not {self.next()!r}")
        self._at += 1

    def value(self) -> Any:
        """Parse the value that begins here, and pass over it."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except RecursionError:
                raise DataError(f"{self._source.name}: line {self.line}: nested too deeply") from None
            except ValueError as error:  # unless the value continues after the buffer
                if not self._read():
                    if not self._whole:
                        raise _EndsWithinError from None
                    raise self.not_json(str(error).split(": line ")[0]) from None
            else:
                self.line += self._buffer.count("\n", self._at, end)
                self._at = end
                return value

    def release(self) -> None:
        """Leave the stream open for the caller."""
        self._text.detach()

    def _read(self) -> bool:
        """Read more text into the buffer; False at the end of the stream."""
        left = self._buffer[self._at :]
        self._source.memory.check_single(f"{self._source.name}: line {self.line}", len(left), "break it up")
        piece = self._text.read(
            max(READ_AT_ONCE, len(left))
        )  # doubles each time, so that a long record is not parsed too often
        self._buffer, self._at = left + piece, 0
        return bool(piece)

    def not_json(self, problem: str) -> DataError:
        """The error for text that is no array of objects."""
        return DataError(f"{self._source.name}: line {self.line}: not JSON ({problem})")
