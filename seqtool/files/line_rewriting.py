"""Lines of text rewritten before it is read as CSV: what is no row made blank, runs of blanks made tabs.

Where blank lines end sequences, each row is given the number of its own. Each line stays one line, so that errors name
the lines of the file.
"""

from __future__ import annotations

import io
import re
from typing import IO, Any, cast

from seqtool.dataclass import dataclass
from seqtool.errors import UsageError
from seqtool.files.packing import READ_AT_ONCE

_CELL = re.compile(rb'"(?:[^"]|"")*"|[^ \t]+')
_BLANK = re.compile(rb"(\n{2,})")
_NO_TOKENS = b"-DOCSTART-"  # begins a line between the documents of a tagging file
COUNTER = "{sequence}"
"""What a header calls the column of the numbers of sequences."""


@dataclass(frozen=True)
class Rewriting:
    """What is done with the lines of a file: the first are skipped, so are comments; runs of blanks part cells.

    With `key_blank_lines` a blank line ends a sequence, and where blanks or tabs part cells, quotes are letters.
    Once it is known what parts cells, and whether there is a `header`, rows are `numbered`: the number of its sequence,
    from 0, stands in one more cell of each.
    """

    skip_rows: int = 0
    comment: str | None = None
    blanks: bool = False
    key_blank_lines: bool = False
    delimiter: str | None = None
    header: bool = False
    numbered: bool = False

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
        options = {
            "skip_rows": self.skip_rows,
            "comment": self.comment,
            "blanks": self.blanks,
            "key_blank_lines": self.key_blank_lines,
        }
        return {name: value for name, value in options.items() if value}

    @property
    def changes_nothing(self) -> bool:
        """Whether lines stay as they are."""
        return not self.resolved

    @property
    def quotes_are_letters(self) -> bool:
        """Whether a quote is a token like others."""
        return self.key_blank_lines and self.delimiter == "\t"

    def of(self, stream: IO[bytes]) -> IO[bytes]:
        """The rewritten lines of a stream, which is closed with them."""
        return cast(IO[bytes], io.BufferedReader(_Rewritten(stream, self), 1 << 16))


class _Rewritten(io.RawIOBase):
    def __init__(self, stream: IO[bytes], how: Rewriting) -> None:
        super().__init__()
        self._stream, self._how = stream, how
        self._line, self._quoted, self._ready = 0, False, memoryview(b"")
        self._header = how.header
        self._sequence, self._within = -1, False
        self._mark = (how.delimiter or "").encode()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what comes next; the number of bytes, none at the end."""
        while not self._ready:
            piece = self._stream.read(READ_AT_ONCE)
            if not piece:
                return 0
            piece += b"" if piece.endswith(b"\n") else self._stream.readline()
            self._ready = memoryview(self._numbered(piece) if self._is_plain(piece) else self._each(piece))
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _is_plain(self, piece: bytes) -> bool:
        """Whether rows and lines without a letter are all that stands in some whole lines, to be numbered only."""
        how = self._how
        settled = how.numbered and not (how.blanks or self._header or self._quoted)
        if not settled or self._line < how.skip_rows or piece[:1] in b" \t":
            return False
        odd = (b'"', b"\r", b"\n ", b"\n\t", _NO_TOKENS, *([how.comment.encode()] if how.comment else []))
        return not any(text in piece for text in odd)

    def _numbered(self, piece: bytes) -> bytes:
        """Such lines as `_rewritten` gives them, the rows between two blank lines at once."""
        rows = piece.lstrip(b"\n")
        begin = len(piece) - len(rows)
        self._within &= not begin
        out = [piece[:begin]]
        for i, part in enumerate(_BLANK.split(rows)):
            if i % 2:
                self._within = False
                out.append(part)
            elif part:
                last = part.removesuffix(b"\n")
                number = self._with_number(b"")
                out += [last.replace(b"\n", number + b"\n"), number, part[len(last) :]]
        return b"".join(out)

    def _each(self, piece: bytes) -> bytes:
        return b"".join(map(self._rewritten, piece.splitlines(keepends=True)))

    def _rewritten(self, line: bytes) -> bytes:
        how, self._line = self._how, self._line + 1
        within = self._quoted  # a cell in quotes that goes on over several lines
        no_row = self._line <= how.skip_rows
        if not no_row and how.comment is not None and not within:
            no_row = line.lstrip(b" \t\xef\xbb\xbf").startswith(how.comment.encode())
        bare = line.rstrip(b"\r\n")
        end = line[len(bare) :]
        if no_row:
            return end
        if how.key_blank_lines and not within:
            if not bare.strip():
                self._within = False
                return end
            if bare.startswith(_NO_TOKENS):
                return end
        if b'"' in bare:
            if how.quotes_are_letters:
                bare = self._mark.join(map(_quoted, bare.split() if how.blanks else bare.split(self._mark)))
            else:
                self._quoted ^= bare.count(b'"') % 2 == 1
        if how.blanks and not (within or self._quoted):
            bare = b"\t".join(bare.split() if b'"' not in bare else _CELL.findall(bare))
        return (self._with_number(bare) if how.numbered and not self._quoted else bare) + end

    def _with_number(self, row: bytes) -> bytes:
        """A row, or the last line of one, with the number of its sequence."""
        if self._header:
            self._header = False
            return row + self._mark + COUNTER.encode()
        if not self._within:
            self._within, self._sequence = True, self._sequence + 1
        return b"%b%b%d" % (row, self._mark, self._sequence)

    def close(self) -> None:
        """Close the stream too."""
        self._stream.close()
        super().close()


def _quoted(cell: bytes) -> bytes:
    """A cell whose quotes are letters, as CSV writes it."""
    return b'"' + cell.replace(b'"', b'""') + b'"' if b'"' in cell else cell
