"""Lines that stand in memory as a whole, of bytes and of text."""

import io
import re
from pathlib import Path

import pytest

from seqtool.errors import DataError
from seqtool.files.inputs import Input
from seqtool.files.lines import lines_of
from seqtool.system.memory import Memory

SMALL = Memory(64 * 10)  # ten bytes a line


def source(tmp_path: Path) -> Input:
    return Input("a.csv", tmp_path / "a.csv", None, "text", memory=SMALL)


@pytest.mark.parametrize("end", ["\n", ""])
def test_lines_come_as_they_are(tmp_path: Path, end: str) -> None:
    text = "123456789\n\n12345678\n1" + end
    expected = text.splitlines(keepends=True)
    assert [*lines_of(io.StringIO(text), source(tmp_path))] == expected
    assert [*lines_of(io.BytesIO(text.encode()), source(tmp_path))] == [line.encode() for line in expected]


@pytest.mark.parametrize("after", ["", "\n3\n", "\r\n3"])
def test_a_long_line_is_refused_with_its_number_its_size_and_what_allows_it(
    tmp_path: Path, after: str
) -> None:
    text = "1\n" + "x" * 5_000_000 + after
    message = (
        "a.csv: line 2 has 5.0 MB, but 10 B is the most with 640 B of memory (--max-memory): --max-memory 32"
    )
    for stream in (io.StringIO(text, newline=""), io.BytesIO(text.encode())):
        lines = lines_of(stream, source(tmp_path))  # type: ignore[type-var]
        assert len(next(lines)) == 2
        with pytest.raises(DataError, match="^" + re.escape(message)):
            next(lines)
