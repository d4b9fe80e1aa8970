"""The pages of a Parquet column chunk, by their headers: a page is read whole, with all the copies that Arrow makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NamedTuple


class Page(NamedTuple):
    """A page: its bytes once it is unpacked, and as it stands in the file, and those of its header."""

    unpacked: int
    stored: int
    header: int


def page_sizes(file: IO[bytes], begin: int, end: int) -> Iterator[int]:
    """The bytes of each page of a chunk once it is unpacked, by the place of the chunk in the file.

    It ends at what is no header: Arrow tells what is damaged.
    """
    while begin < end:
        file.seek(begin)
        page = read_page(file.read(_HEADER))
        if page is None:
            return
        yield page.unpacked
        begin += page.header + page.stored


_HEADER = 1 << 14  # bytes that a header may have: with the least and the largest value, which writers shorten


def read_page(header: bytes) -> Page | None:
    """What a page header says, in Thrift's compact form; None for what is none.

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


_UNPACKED, _STORED = 2, 3  # fields of a page header


class _Compact:
    """Reads Thrift's compact protocol, as far as page headers go: whole numbers, text, truths, structs of these."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def struct(self) -> dict[int, int]:
        """The whole numbers of a struct by their fields; all else is passed over. Raises IndexError at the end."""
        found, field = dict[int, int](), 0
        while (begin := self._byte()) != 0:
            field = field + (begin >> 4) if begin >> 4 else self._number()
            kind = begin & 0x0F
            if kind in (4, 5, 6):
                found[field] = self._number()
            elif kind == 8:
                length = self._varint()
                self.at += length
            elif kind == 12:
                self.struct()
            elif kind not in (1, 2):
                raise IndexError("of no kind that a page header has")
        return found

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
