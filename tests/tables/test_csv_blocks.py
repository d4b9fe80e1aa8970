"""Cutting CSV: however it is cut, the rows are those of Python's csv module, and a guess changes nothing."""

import codecs
import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seqtool.errors import DataError
from seqtool.files.inputs import opened
from seqtool.tables import csv_blocks, csv_dialect, csv_parser
from seqtool.tables.cells import BadCellError, Keys, Numbers, missing_words
from seqtool.tables.csv_blocks import Rest, RowBlock, blocks, is_utf8
from seqtool.tables.csv_dialect import Dialect
from seqtool.tables.table import Expected
from tests.cutting import small_blocks
from tests.hunting import examples
from tests.oracles import text_of
from tests.written import rewrite

sizes = st.sampled_from([1, 2, 3, 5, 8, 13, 40, 1000])


def dialect(width: int = 2, *, header: bool = False, blank_lines: int = 0) -> Dialect:
    return Dialect(("x",) * width, header, ",", "utf-8", blank_lines)


def pieces(data: bytes, size: int, **options: Any) -> list[RowBlock | Rest]:
    """The blocks of some bytes, cut about every `size` of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_FIRST", "_BLOCK"):
            patch.setattr(csv_blocks, name, size)
        return list(blocks(io.BytesIO(data), dialect(**options)))


def all_bytes(found: list[RowBlock | Rest]) -> bytes:
    parts = []
    for part in found:
        parts += iter(part.read, b"") if isinstance(part, Rest) else [bytes(part.data)]
    return b"".join(parts)


def parsed(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


# Where the cuts are


@given(
    rows=st.lists(st.lists(st.text('a",\n\r é', max_size=5), min_size=2, max_size=2), max_size=12),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    size=sizes,
    last=st.booleans(),
)
@settings(max_examples=examples(200))
def test_every_block_holds_whole_rows(rows: list[list[str]], quoting: Any, size: int, last: bool) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=quoting).writerows(rows)
    text = stream.getvalue() if last else stream.getvalue().removesuffix("\r\n")
    found = pieces(text.encode(), size)
    assert not any(isinstance(part, Rest) for part in found)  # what the csv module writes is never odd
    assert all_bytes(found) == text.encode()
    assert [row for part in found for row in parsed(bytes(part.data))] == parsed(text.encode())


@given(st.binary(max_size=40) | st.text('1,"\n\r', max_size=40).map(str.encode), sizes)
@settings(max_examples=examples(200))
def test_no_byte_but_those_of_blank_lines_is_lost(data: bytes, size: int) -> None:
    found = pieces(data, size)
    lines = [line for line in data.splitlines(keepends=True) if line.strip(b"\r\n")]
    kept = [line for line in all_bytes(found).splitlines(keepends=True) if line.strip(b"\r\n")]
    assert b"".join(kept).replace(codecs.BOM_UTF8, b"") == b"".join(lines).replace(codecs.BOM_UTF8, b"")
    assert not any(isinstance(part, Rest) for part in found[:-1])


def test_a_large_stream_is_cut_into_many_blocks() -> None:
    data = b"1,2\n" * 1000
    found = pieces(data, 100)
    assert len(found) >= 40
    assert all(bytes(part.data).endswith(b"\n") for part in found if isinstance(part, RowBlock))


def test_only_the_first_block_skips_lines() -> None:
    found = pieces(b"\n\nk,a\n1,2\n3,4\n", 6, header=True, blank_lines=2)
    assert [part.skip for part in found if isinstance(part, RowBlock)] == [3] + [0] * (len(found) - 1)
    assert len(found) > 1


def test_blank_lines_that_cannot_be_counted_in_one_block_are_left_to_arrow() -> None:
    (rest,) = pieces(b"\n" * 5000 + b"1,2\n", 100, blank_lines=5000)
    assert isinstance(rest, Rest)
    assert rest.from_start
    assert rest.read() == b"\n" * 5000 + b"1,2\n"


@pytest.mark.parametrize(
    "data", [b'1,2"\n3,4\n', b'1,"2" \n3,4\n', b'1,"2\n3,4\n', b'1,2\n"3"x,4\n', b'5" pipe,1\n']
)
@pytest.mark.parametrize("size", [4, 1000])
def test_from_an_odd_quote_on_the_rest_is_not_cut(data: bytes, size: int) -> None:
    found = pieces(data, size)
    assert isinstance(found[-1], Rest)
    assert all_bytes(found) == data


def test_a_rest_gives_bytes_piece_by_piece() -> None:
    rest = Rest(b"abcd", io.BytesIO(b"efg"), from_start=True)
    assert [rest.read(3), rest.read(3), rest.read(2), rest.read(9), rest.read(9)] == [
        b"abc",
        b"d",
        b"ef",
        b"g",
        b"",
    ]
    assert Rest(b"ab", io.BytesIO(b"c"), from_start=True).read() == b"ab"


@pytest.mark.parametrize(
    ("encoding", "plain"),
    [
        ("utf-8", True),
        ("UTF8", True),
        ("utf-8-sig", True),
        ("ascii", True),
        ("latin-1", False),
        ("utf-16", False),
    ],
)
def test_only_bytes_that_can_be_read_as_they_are_are_cut(encoding: str, plain: bool) -> None:
    assert is_utf8(encoding) == plain


# The rows, through the whole road


def rows_of(folder: Path, data: bytes, size: int, *, header: bool = False) -> list[list[str]]:
    """The rows of a file with two columns, from blocks of about `size` bytes."""
    path = folder / "rows.csv"
    rewrite(path, data)
    with opened([str(path)]) as (source,), pytest.MonkeyPatch.context() as patch:
        small_blocks(patch, size)
        patch.setattr(csv_parser, "LONGEST_ROW", 1 << 20)
        patch.setattr(csv_blocks, "LONGEST_ROW", 1 << 20)
        sniffed = csv_dialect.sniff(source, delimiter=",", header=header, encoding="utf-8")
        found = list(csv_parser.batches(source, sniffed, [0, 1]))
    return [list(row) for batch in found for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)]


ROWS = [
    "1,2",
    "a,b",
    '"a,b",7',
    '"a\nb",1',
    '"a\r\nb",2',
    '"",3',
    '"say ""hi""",4',
    ",",
    'é,"é"',
    "\ufeffx,y",
]
ODD = ['5" pipe,1', '6,7"', '"8"x,9', '"x" ,1', "", "3", "4,5,6", '"never closed,1', '"']
piece_of_csv = st.sampled_from([*ROWS, *ODD])


@given(
    blank=st.integers(0, 4),
    header=st.booleans(),
    lines=st.lists(piece_of_csv, min_size=1, max_size=12),
    end=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
    last=st.booleans(),
    size=sizes,
)
@settings(max_examples=examples(300), deadline=None)
def test_any_cutting_gives_the_rows_of_pythons_csv_module_or_refuses(
    scratch: Path, blank: int, header: bool, lines: list[str], end: str, bom: bool, last: bool, size: int
) -> None:
    text = end * blank + "the first,row" + end + end.join(lines) + end * last
    expected = [row for row in csv.reader(io.StringIO(text, newline="")) if row][int(header) :]
    data = text.encode("utf-8-sig" if bom else "utf-8")
    try:
        found = rows_of(scratch, data, size, header=header)
    except DataError:
        with pytest.raises(DataError):  # and so does one block
            rows_of(scratch, data, 1 << 20, header=header)
        strict = [row for row in lenient_or_none(text) or [["odd"]] if row]
        assert any(len(row) != 2 for row in strict)
        return
    assert found == expected


def lenient_or_none(text: str) -> list[list[str]] | None:
    """The rows of strict CSV, None for what is not that."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return None


@pytest.mark.parametrize("front", ["", "\n", "\r\n\r\n", "\ufeff", "\ufeff\n\n"])
def test_a_header_that_is_longer_than_a_block_costs_no_rows(tmp_path: Path, front: str) -> None:
    """The lines to be skipped are those in front of the first row, in whichever block that is."""
    long = "x" * (3 * csv_blocks._FIRST)
    data = f"{front}{long},b\n1,2\n3,4\n5,6\n".encode()
    for size in (csv_blocks._FIRST, csv_blocks._FIRST // 2, 1 << 20):
        assert rows_of(tmp_path, data, size, header=True) == [["1", "2"], ["3", "4"], ["5", "6"]]


def test_many_blank_lines_among_the_rows_are_no_rows(tmp_path: Path) -> None:
    data = b"1,2\n" + b"\n" * 5000 + b"3,4\n" + b"\r\n" * 5000
    assert rows_of(tmp_path, data, 100) == [["1", "2"], ["3", "4"]]


# What is expected of a column changes nothing

NASTY = ["1", "0", "-3", "1.0", "+5", "0x1F", "0X1f", "1e5", "1E5", "9007199254740993", "9007199254740992"]
NASTY += [
    "-9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "NA",
    "N/A",
]
NASTY += [
    "",
    " ",
    " 7 ",
    "7 ",
    "true",
    "False",
    "1_000",
    ".5",
    "5.",
    "-0",
    "-0.0",
    "007",
    "16777217",
    "1e400",
]
NASTY += [
    "null",
    "None",
    "gone",
    "x",
    "1,5",
    "١",
    "1e-400",
    "0.1",
    "--1",
    "+",
    "-",
    "1 2",
    '"',
    "\ufeff1",
    "１",
]

tame = st.sampled_from(["1", "2", "-7", "10"])
some_cells = st.lists(
    st.lists(tame, max_size=8)
    | st.lists(st.sampled_from(["1", "0.5", "2.5e3"]), max_size=8)
    | st.lists(st.sampled_from(["1", "", "NA", "2"]), max_size=8)
    | st.lists(st.sampled_from(NASTY), max_size=2),
    min_size=1,
    max_size=6,
).map(lambda parts: [cell for part in parts for cell in part])


def batches_of(folder: Path, cells: list[str], size: int, expected: Expected) -> list[Any]:
    """The first column of a file of these cells, in batches."""
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows([["v", "k"], *([cell, "1"] for cell in cells)])
    path = folder / "cells.csv"
    rewrite(path, stream.getvalue().encode())
    with opened([str(path)]) as (source,), pytest.MonkeyPatch.context() as patch:
        for name in ("_FIRST", "_BLOCK"):
            patch.setattr(csv_blocks, name, size)
        return [b.column(0) for b in csv_parser.batches(source, dialect(header=True), [0], expected)]


def encoded(batches: list[Any], words: Any, target: np.dtype[Any]) -> Any:
    """What `Numbers` makes of a column, and all that it notes on the way."""
    numbers, parts, row = Numbers(target, words, text=True), [np.empty(0, np.int64)], 0
    for batch in batches:
        try:
            parts.append(numbers.encode(batch, row))
        except BadCellError as bad:
            return row + bad.row, bad.cell
        row += len(batch)
    losses = [getattr(numbers.loss(np.dtype(kind)), "row", None) for kind in (target, "int64")]
    facts = (numbers.whole, numbers.missing, numbers.seen, numbers.coarse, losses)
    return text_of(np.concatenate(parts)), facts


@given(
    cells=some_cells.filter(len),
    size=st.sampled_from([8, 16, 40, 1000]),
    target=st.sampled_from(["float32", "float64", "int64"]),
    missing=st.sampled_from([[], ["gone"], ["gone", "x"]]),
)
@example(["1", "1", "", "9007199254740993"], 8, "float32", [])
@settings(max_examples=examples(400), deadline=None)
def test_numbers_that_are_expected_are_those_of_the_text(
    scratch: Path, cells: list[str], size: int, target: str, missing: list[str]
) -> None:
    words = missing_words(missing)
    spellings = Numbers(np.dtype(target), words, text=True).words
    assert spellings is not None
    as_text = batches_of(scratch, cells, size, Expected())
    assert all(pa.types.is_string(batch.type) for batch in as_text)
    assert [cell for batch in as_text for cell in batch.to_pylist()] == cells
    likely = batches_of(scratch, cells, size, Expected(frozenset([0]), spellings))
    assert [len(batch) for batch in likely] == [len(batch) for batch in as_text]
    left, right = (encoded(found, words, np.dtype(target)) for found in (likely, as_text))
    assert left == right, (left, right)


def test_numbers_that_are_expected_come_as_numbers(tmp_path: Path) -> None:
    """Else the test above proves nothing."""
    words = missing_words([]).to_pylist()
    for cells, kind in ((["1", "2"], pa.int64()), (["1", "0.5"], pa.float64()), (["1", "", "2"], pa.int64())):
        found = batches_of(tmp_path, cells * 50, 100, Expected(frozenset([0]), words))
        assert {batch.type for batch in found[1:]} == {kind}
    assert {b.type for b in batches_of(tmp_path, ["x"] * 50, 100, Expected(frozenset([0]), words))} == {
        pa.string()
    }


def test_what_threads_learn_from_each_other_changes_nothing(tmp_path: Path) -> None:
    """A block that was read as integers is judged as such, whatever another block has shown meanwhile."""
    words = missing_words([])
    for odd in ("0x1F", "+5", "x"):
        cells = ["1", "1", "1", "0.5", odd, "1", "+5", "1"] * 3
        expected = encoded(batches_of(tmp_path, cells, 8, Expected()), words, np.dtype(np.float32))
        for _ in range(examples(40)):
            likely = batches_of(tmp_path, cells, 8, Expected(frozenset([0]), words.to_pylist()))
            assert encoded(likely, words, np.dtype(np.float32)) == expected


PLAIN_OR_NOT = ["7", "-7", "0", "10", "007", "+7", "-0", "0x7", "1_0", " 7", "7 ", "7.0", "", "x", "é", "NA"]
PLAIN_OR_NOT += ["9223372036854775807", "9223372036854775808", "-9223372036854775808"]


@given(
    cells=st.lists(
        st.lists(st.sampled_from(["1", "-2", "30"]), max_size=10)
        | st.lists(st.sampled_from(PLAIN_OR_NOT), max_size=2),
        min_size=1,
        max_size=5,
    ).map(lambda parts: [cell for part in parts for cell in part]),
    size=st.sampled_from([8, 16, 40, 1000]),
    keep=st.booleans(),
)
@settings(max_examples=examples(200), deadline=None)
def test_keys_that_are_expected_are_those_of_the_text(
    scratch: Path, cells: list[str], size: int, keep: bool
) -> None:
    def keys_of(batches: list[Any]) -> Any:
        keys, found = Keys(keep_empty=keep), []
        for batch in batches:
            array, gone = keys.encode(batch)
            is_number = isinstance(array, np.ndarray)
            listed = array.tolist() if is_number else array.to_pylist()
            dropped = [False] * len(batch) if gone is None else gone.tolist()
            found += [(is_number, None if none else cell) for cell, none in zip(listed, dropped, strict=True)]
        return keys.integer, keys.empty, found

    as_text = keys_of(batches_of(scratch, cells, size, Expected())) if cells else None
    likely = keys_of(batches_of(scratch, cells, size, Expected(keys=frozenset([0])))) if cells else None
    assert likely == as_text
