"""Lines of text that are no rows made blank, and runs of blanks made tabs, before the text is read as CSV.

Each line stays one line, so that errors name the lines of the file.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import IO, Any, cast

from seqtool.errors import UsageError

_PIECE = 1 << 20
_CELL = re.compile(rb'"(?:[^"]|"")*"|[^ \t]+')


@dataclass(frozen=True)
class Rewriting:
    """What is done with the lines of a file: the first are skipped, so are comments; runs of blanks part cells."""

    skip_rows: int = 0
    comment: str | None = None
    blanks: bool = False

    def __post_init__(self) -> None:
        if self.skip_rows < 0:
            raise UsageError(f"--skip-rows is {self.skip_rows}; 0 or more was expected")
        if self.comment is not None and (not self.comment.strip() or not self.comment.isascii()):
            raise UsageError(
                f"--comment is {self.comment!r}; what lines begin with was expected, such as '#'"
            )

    @property
    def resolved(self) -> dict[str, Any]:
        """What a receipt tells of it, where it does anything."""
        options = {"skip_rows": self.skip_rows, "comment": self.comment, "blanks": self.blanks}
        return {name: value for name, value in options.items() if value}

    @property
    def changes_nothing(self) -> bool:
        """Whether lines stay as they are."""
        return self == Rewriting()

    def of(self, stream: IO[bytes]) -> IO[bytes]:
        """The rewritten lines of a stream, which is closed with them."""
        return cast(IO[bytes], io.BufferedReader(_Rewritten(stream, self), 1 << 16))


class _Rewritten(io.RawIOBase):
    def __init__(self, stream: IO[bytes], how: Rewriting) -> None:
        super().__init__()
        self._stream, self._how = stream, how
        self._line, self._quoted, self._ready = 0, False, memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what comes next; the number of bytes, none at the end."""
        while not self._ready:
            piece = self._stream.read(_PIECE)
            if not piece:
                return 0
            piece += b"" if piece.endswith(b"\n") else self._stream.readline()
            self._ready = memoryview(b"".join(map(self._rewritten, piece.splitlines(keepends=True))))
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _rewritten(self, line: bytes) -> bytes:
        how, self._line = self._how, self._line + 1
        within = self._quoted  # a cell in quotes that goes on over several lines
        no_row = self._line <= how.skip_rows
        if not no_row and how.comment is not None and not within:
            no_row = line.lstrip(b" \t\xef\xbb\xbf").startswith(how.comment.encode())
        if no_row:
            return line[len(line.rstrip(b"\r\n")) :]
        if b'"' in line:
            self._quoted ^= line.count(b'"') % 2 == 1
        if not how.blanks:
            return line
        if within or self._quoted:
            return line
        bare = line.rstrip(b"\r\n")
        cells = bare.split() if b'"' not in bare else _CELL.findall(bare)
        return b"\t".join(cells) + line[len(bare) :]

    def close(self) -> None:
        """Close the stream too."""
        self._stream.close()
        super().close()
