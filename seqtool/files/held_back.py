"""Streams that cannot be taken back, such as a pipe: their first bytes are held until what comes next is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

_HELD = 4 << 20  # bytes


class _HeldBack:
    """A file that gets nothing before so many bytes are there, or all are."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._held = file, bytearray()
        self._is_held = True

    def write(self, data: Any) -> int:
        """Write on, perhaps later; the bytes that were taken."""
        if not self._is_held:
            return self._file.write(data)
        size = memoryview(data).nbytes
        if len(self._held) + size > _HELD:
            self.release()
            return self._file.write(data)
        self._held += memoryview(data).cast("B") if size else b""
        return size

    def release(self) -> None:
        """Write what is held, if anything is, and hold nothing any more."""
        if self._is_held:
            self._is_held = False
            self._file.write(self._held)
            self._held = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def held_back(file: BinaryIO) -> Iterator[BinaryIO]:
    """The same file for the block, at whose end all is written; an error before its first megabytes writes nothing.

    Whoever reads a pipe sees no header, and no part of a zip, of data that turn out to be wrong.

    >>> import io
    >>> stream = io.BytesIO()
    >>> with held_back(stream) as file:
    ...     _ = file.write(b"a,b")
    ...     print(stream.getvalue())
    b''
    >>> stream.getvalue()
    b'a,b'
    """
    held = _HeldBack(file)
    yield cast(BinaryIO, held)
    held.release()
