"""Deflating on all cores: chunks of one size, each by itself, that join into one stream.

The bytes are the same however many threads there are, and however the data was cut before. Floats would become smaller
if their first bytes stood together, then their second ones; but a zip knows no such filter, and NumPy would read bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Any, Literal

from isal import isal_zlib

from seqtool.system.prefetch import ordered_map

Compress = Literal["fast", "small"]
# The library and its level. isal's 1, 2 and 3 differ by 2 % in size, and 3 takes twice the time; zlib's 6 is
# what np.savez_compressed uses, 7 to 9 gain 1 % for up to ten times the time.
_LEVELS: dict[Compress, tuple[Any, int]] = {"fast": (isal_zlib, 2), "small": (zlib, 6)}
PIECE = 1 << 20  # bytes deflated by one thread, or written at once: what stays in a core's cache
_HISTORY = 1 << 15  # how far back deflate refers
_LAST = b"\x03\x00"  # an empty block that says: the last one
_Bytes = bytes | memoryview


def deflated(
    pieces: Iterable[memoryview], how: Compress, threads: int
) -> Generator[tuple[_Bytes, bytes], None, None]:
    """Bytes as one raw deflate stream: each chunk as it was, and deflated.

    >>> packed = b"".join(small for _, small in deflated([memoryview(b"ab" * 500)], "fast", threads=1))
    >>> len(packed) < 50, zlib.decompress(packed, wbits=-15) == b"ab" * 500
    (True, True)
    """
    from concurrent.futures import ThreadPoolExecutor

    def deflate(chunk_and_before: tuple[_Bytes, bytes]) -> tuple[_Bytes, bytes]:
        chunk, before = chunk_and_before
        return chunk, _deflate(chunk, before, how)

    with (
        ThreadPoolExecutor(threads) as pool,
        closing(ordered_map(deflate, _with_history(_chunks(pieces)), pool, waiting=2 * threads)) as chunks,
    ):
        yield from chunks
    yield b"", _LAST


def _with_history(chunks: Iterable[_Bytes]) -> Iterator[tuple[_Bytes, bytes]]:
    """Each chunk, and the end of the one before it."""
    before = b""
    for chunk in chunks:
        yield chunk, before
        before = bytes(chunk[-_HISTORY:])


def _chunks(pieces: Iterable[memoryview]) -> Iterator[_Bytes]:
    """The same bytes in chunks of one size, the last one shorter, however they were cut before."""
    held: list[memoryview] = []
    missing = PIECE
    for piece in pieces:
        while len(piece) >= missing:
            held.append(piece[:missing])
            piece = piece[missing:]
            yield held[0] if len(held) == 1 else b"".join(held)
            held, missing = [], PIECE
        if len(piece):
            held.append(piece)
            missing -= len(piece)
    if held:
        yield b"".join(held)


def _deflate(chunk: _Bytes, before: bytes, how: Compress) -> bytes:
    """A part of a deflate stream, ending on a whole byte; `before` is what stands in front of it."""
    library, level = _LEVELS[how]
    packer = library.compressobj(level, library.DEFLATED, -15, 8, library.Z_DEFAULT_STRATEGY, before)
    return bytes(packer.compress(chunk) + packer.flush(library.Z_SYNC_FLUSH))
