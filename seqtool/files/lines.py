"""The lines of an input, each of which stands in memory as a whole: one that is too long is refused in good time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, AnyStr

from seqtool.files.inputs import Input
from seqtool.files.packing import READ_AT_ONCE


def lines_of(stream: IO[AnyStr], source: Input) -> Iterator[AnyStr]:
    """The lines of an input, of bytes or of text; raises DataError that names one longer than its memory allows."""
    most, number = source.memory.single, 0
    while line := stream.readline(most + 1):
        number += 1
        if len(line) > most:
            size = len(line) + _rest(stream, line)
            source.memory.check_single(f"{source.name}: line {number}", size, "break it up")
        yield line


def _rest(stream: IO[AnyStr], line: AnyStr) -> int:
    """How much of a line follows its first piece."""
    size, piece = 0, line
    while piece and piece[-1:] not in ("\n", b"\n", "\r"):
        piece = stream.readline(READ_AT_ONCE)
        size += len(piece)
    return size
