"""Reads the headers of the pages in a Parquet column chunk, for Arrow reads each page as a whole into memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NamedTuple


class Page(NamedTuple):
    """The sizes of a page in bytes: decompressed, as stored in the file, and of its header."""

    unpacked: int
    stored: int
    header: int


def page_sizes(file: IO[bytes], begin: int, end: int) -> Iterator[int]:
    """The decompressed size of each page of the chunk from `begin` to `end` in a file.

    Stops at a damaged header: Arrow raises the error for it.
    """
    while begin < end:
        file.seek(begin)
        page = read_page(file.read(_HEADER))
        if page is None:
            return
        yield page.unpacked
        begin += page.header + page.stored


_HEADER = (
    1 << 14
)  # bytes, the longest header: it may hold the least and the largest value, which writers shorten


def read_page(header: bytes) -> Page | None:
    """Parse a page header in Thrift's compact protocol; None for bytes that are no such header.

    >>> read_page(bytes([0x15, 0x04, 0x15, 0x90, 0x03, 0x15, 0x10, 0x00]))
    Page(unpacked=200, stored=8, header=8)
    """
    reading = _Compact(header)
    try:
        numbers = reading.struct()
    except IndexError:
        return None
    unpacked, stored = numbers.get(_UNPACKED, -1), numbers.get(_STORED, -1)
    return None if min(unpacked, stored) < 0 else Page(unpacked, stored, reading.at)


_UNPACKED, _STORED = 2, 3  # ids of fields in a page header
_DEEPEST = 8  # structs within each other; a page header has three
_BOOLEANS, _INTEGERS, _BINARY, _STRUCT = (1, 2), (4, 5, 6), 8, 12  # types of fields


class _Compact:
    """Reads the part of Thrift's compact protocol that page headers use: integers, binary, booleans, structs."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def struct(self, depth: int = 0) -> dict[int, int]:
        """The integers of a struct by field id; other fields are skipped. Raises IndexError for anything else."""
        integers, field = dict[int, int](), 0
        while (begin := self._byte()) != 0:
            field = field + (begin >> 4) if begin >> 4 else self._number()
            kind = begin & 0x0F
            if kind in _INTEGERS:
                integers[field] = self._number()
            elif kind == _BINARY:
                length = self._varint()
                self.at += length
            elif kind == _STRUCT:
                if depth == _DEEPEST:
                    raise IndexError("structs within each other, deeper than in a page header")
                self.struct(depth + 1)
            elif kind not in _BOOLEANS:
                raise IndexError("no type that a page header has")
        return integers

    def _number(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)

    def _varint(self) -> int:
        number, shift = 0, 0
        while True:
            byte = self._byte()
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]
