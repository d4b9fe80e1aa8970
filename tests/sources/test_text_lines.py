import gzip
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import opened
from seqtool.sources import text_lines
from seqtool.sources.options import Sequences
from seqtool.sources.read import read_sequences
from seqtool.words import count
from tests import oracles
from tests.sources.options import source_options
from tests.written import rewrite

EVERY_BORDER = [1, 2, 3, 7, 1 << 18]


def read(path: Path, **options: Any) -> Sequences:
    with opened([str(path)]) as found:
        return read_sequences(found[0], source_options(**options))


def lists(found: Sequences) -> list[list[Any]]:
    return oracles.sequences_of(found.ragged)


def text(folder: Path, content: str, name: str = "in.txt") -> Path:
    rewrite(folder / name, content.encode())
    return folder / name


def plain_lines(content: str) -> list[list[float]]:
    """What the lines say, cell by cell."""
    rows = []
    for line in content.split("\n"):
        cells = [cell.strip() for cell in line.split(",")] if "," in line else line.split()
        words = {"na", "n/a", "null", "none", "nan"}
        rows.append([math.nan if cell.lower() in words else float(cell) for cell in cells])
    return rows[:-1] if content.endswith("\n") else rows


blanks = st.sampled_from([" ", "  ", "\t", " \t "])
commas = st.sampled_from([",", ", ", " ,", "\t,\t"])


@st.composite
def lines_of(draw: st.DrawFn, cells: st.SearchStrategy[str]) -> str:
    """Text whose lines hold up to five of the cells, with any separators, margins and last line."""
    rows = []
    for row in draw(st.lists(st.lists(cells, max_size=5), min_size=1, max_size=8)):
        between = draw(commas if len(row) > 1 and draw(st.booleans()) else blanks)
        margin = draw(st.sampled_from(["", " ", "\t"]))
        rows.append(margin + between.join(row) + margin)
    return "\n".join(rows) + draw(st.sampled_from(["", "\n"]))


whole_numbers = st.integers(-(2**63), 2**63 - 1).map(str)
fractions = st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr)
missing_words = st.sampled_from(["NA", "na", "nan", "NaN", "NULL", "Null", "None", "N/A", "nA", "nOnE"])


@given(lines_of(whole_numbers).filter(str.strip), st.sampled_from(EVERY_BORDER))
def test_lines_of_whole_numbers_give_int64(scratch: Path, content: str, border: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "_CELLS", border)
        result = read(text(scratch, content))
    expected = [
        [int(cell) for cell in re.split(r"[\s,]+", row.strip()) if cell] for row in content.split("\n")
    ]
    assert lists(result) == (expected[:-1] if content.endswith("\n") else expected)
    assert result.ragged.values.dtype == np.int64
    assert result.steps == sum(map(len, expected))


@given(
    lines_of(fractions | st.integers(-(2**24), 2**24).map(str) | missing_words).filter(str.strip),
    st.sampled_from(EVERY_BORDER),
    st.sampled_from(["float32", "float64"]),
)
def test_lines_with_fractions_and_missing_words_agree_with_a_plain_reading(
    scratch: Path, content: str, border: int, dtype: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "_CELLS", border)
        result = read(text(scratch, content), dtype=dtype)
    expected = plain_lines(content)
    # Adding 0.0 makes 0.0 of -0.0, as -0 is among integers.
    by_name = [[np.array(number + 0.0).astype(dtype).item() for number in row] for row in expected]
    assert oracles.text_of([[float(n) for n in row] for row in lists(result)]) == oracles.text_of(by_name)
    assert result.steps == sum(map(len, expected))
    missing = sum(number != number for row in expected for number in row)
    empty = sum(not row for row in expected)
    found = [w.split()[0] for w in result.warnings]
    assert found == [str(n) for n in (missing, empty) if n]


# Cells


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1 2 3", [1, 2, 3]),
        ("1\t2\t3", [1, 2, 3]),
        ("1,2,3", [1, 2, 3]),
        ("  1 ,\t2 , 3  ", [1, 2, 3]),
        ("7", [7]),
        ("-1 -0 +5", [-1, 0, 5]),
    ],
)
def test_whole_numbers_of_one_line(tmp_path: Path, line: str, expected: list[int]) -> None:
    result = read(text(tmp_path, line))
    assert lists(result) == [expected]
    assert result.ragged.values.dtype == np.int64
    assert result.warnings == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1 2.5 .5 1e3 -1.", [1, 2.5, 0.5, 1000, -1]),
        ("inf -inf", [math.inf, -math.inf]),
        ("1 NA nan N/A null None NaN NAN", [1, *[math.nan] * 7]),
        ("1 nA nOnE", [1, *[math.nan] * 2]),
        ("1,NA ,3", [1, math.nan, 3]),
    ],
)
def test_fractions_and_missing_values_of_one_line(tmp_path: Path, line: str, expected: list[float]) -> None:
    result = read(text(tmp_path, line))
    assert oracles.text_of(lists(result)) == oracles.text_of([[float(number) for number in expected]])
    assert result.ragged.values.dtype == np.float32
    missing = sum(number != number for number in expected)
    assert result.warnings == ([f"{count(missing, 'missing value')} became NaN"] if missing else [])


def test_each_line_has_its_own_separator(tmp_path: Path) -> None:
    assert lists(read(text(tmp_path, "1,2\n3 4 5\n6\t7\n8\n"))) == [[1, 2], [3, 4, 5], [6, 7], [8]]


@pytest.mark.thinned
@pytest.mark.parametrize(
    "cell", ["x", "1_000", "0x1F", "0x1p3", "1;2", "1-2", "5f", "12:30", "'1'", "--1", "1e400", "\u0663"]
)
@pytest.mark.parametrize("before", ["", "0 ", "0.5 "])
def test_a_cell_that_is_no_number_is_refused(tmp_path: Path, cell: str, before: str) -> None:
    with pytest.raises(DataError, match="line 2: ") as error:
        read(text(tmp_path, f"1 2\n{before}{cell}\n3\n"))
    assert repr(cell) in str(error.value)


@pytest.mark.parametrize("line", ["1,,3", "1,2,", ",1", ",", "1, ,3"])
@pytest.mark.parametrize("before", ["7", "7.5"])
def test_nothing_between_or_after_commas_is_no_number(tmp_path: Path, line: str, before: str) -> None:
    # A comma too many would be a step too many.
    with pytest.raises(DataError, match="line 2: '' is not a number"):
        read(text(tmp_path, f"{before}\n{line}\n"))


def test_blanks_between_the_commas_of_a_line_do_not_separate(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 1: '1 2' is not a number"):
        read(text(tmp_path, "1 2,3\n"))


def test_a_long_bad_cell_is_cut_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read(text(tmp_path, "x" * 10_000))
    assert len(str(error.value)) < 500


# Lines


def test_empty_lines_are_sequences_without_steps_and_counted(tmp_path: Path) -> None:
    result = read(text(tmp_path, "\n1 2\n\n  \t \n3\n\n"))
    assert lists(result) == [[], [1, 2], [], [], [3], []]
    assert result.warnings == ["4 empty lines became sequences without steps"]


@pytest.mark.parametrize("border", EVERY_BORDER)
def test_a_file_of_empty_lines_has_empty_sequences(
    tmp_path: Path, border: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_lines, "_CELLS", border)
    assert lists(read(text(tmp_path, "\n\n\n"))) == [[], [], []]


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    assert lists(read(text(tmp_path, "1\n2"))) == lists(read(text(tmp_path, "1\n2\n"))) == [[1], [2]]


def test_lines_may_end_as_in_dos(tmp_path: Path) -> None:
    assert lists(read(text(tmp_path, "1 2\r\n\r\n3,4\r\n"))) == [[1, 2], [], [3, 4]]


def test_a_byte_order_mark_is_no_part_of_the_first_cell(tmp_path: Path) -> None:
    assert lists(read(text(tmp_path, "\ufeff1 2\n3\n"))) == [[1, 2], [3]]


@pytest.mark.parametrize("before", [0, 200_000])
def test_bytes_that_are_not_utf_8_are_refused(tmp_path: Path, before: int) -> None:
    (tmp_path / "in.txt").write_bytes(b"1\n" * before + b"\xe9\n")
    with pytest.raises(DataError, match="not UTF-8 text"):
        read(tmp_path / "in.txt")


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_packed_text_is_read_and_checked(tmp_path: Path, packing: str) -> None:
    numbers = np.random.default_rng(0).integers(0, 10**9, (20_000, 4))
    content = "".join(" ".join(map(str, row)) + "\n" for row in numbers).encode()
    packed = gzip.compress(content) if packing == "gz" else pa.compress(content, "zstd", asbytes=True)
    path = tmp_path / f"in.txt.{packing}"
    path.write_bytes(packed)
    assert lists(read(path)) == numbers.tolist()
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DataError, match="damaged or cut short"):
        read(path)


def test_a_gzip_whose_checksum_is_wrong_is_refused(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"1 2 3\n" * 100_000))
    packed[-8] ^= 1
    (tmp_path / "in.txt.gz").write_bytes(packed)
    with pytest.raises(DataError, match="damaged or cut short"):
        read(tmp_path / "in.txt.gz")


@pytest.mark.parametrize("options", [{"label": "y"}, {"key": "k"}, {"lengths": "n"}])
def test_lines_have_no_names_for_options_to_use(tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=f"--{next(iter(options))}"):
        read(text(tmp_path, "1 2\n"), **options)


# Types


@pytest.mark.parametrize(
    ("content", "dtype", "expected"),
    [
        ("1 2\n3\n", None, "int64"),
        ("1 2\n3.0\n", None, "float32"),
        ("1 2\nNA\n", None, "float32"),
        ("1 2\n3\n", "float32", "float32"),
        ("1 2\n3\n", "int8", "int8"),
        ("1 2\n3.0\n", "int16", "int16"),
        ("1 0\n1\n", "bool", "bool"),
        ("1.5\n", "float16", "float16"),
        ("9007199254740993\n", None, "int64"),
        ("9007199254740993\n", "int64", "int64"),
    ],
)
@pytest.mark.parametrize("border", [1, 1 << 18])
def test_the_type_follows_the_numbers_unless_one_is_asked_for(
    tmp_path: Path,
    content: str,
    dtype: str | None,
    expected: str,
    border: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text_lines, "_CELLS", border)
    result = read(text(tmp_path, content), dtype=dtype)
    assert result.ragged.values.dtype == expected
    assert [n for row in plain_lines(content) for n in row if n == n] == [
        float(n) for n in result.ragged.values.tolist() if n == n
    ]


@pytest.mark.parametrize(
    ("content", "dtype", "line"),
    [
        ("1\n300\n2\n", "int8", 2),
        ("1\n2\n-1\n", "uint8", 3),
        ("1 2\n3 0.5\n", "int64", 2),
        ("1 2\nNA\n", "int64", 2),
        ("1\n\n\n2 16777217\n0.5\n", None, 4),
        ("0.5\n16777217 1\n", None, 2),
        ("0.5\n1e39\n", None, 2),
        ("1\n2\n", "bool", 2),
        ("1\n70000\n", "float16", 2),
    ],
)
@pytest.mark.parametrize("border", [1, 2, 1 << 18])
def test_a_number_that_would_change_is_refused_with_its_line(
    tmp_path: Path, content: str, dtype: str | None, line: int, border: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_lines, "_CELLS", border)
    with pytest.raises(DataError, match=f"line {line}: "):
        read(text(tmp_path, content), dtype=dtype)


@pytest.mark.parametrize("border", EVERY_BORDER)
@pytest.mark.parametrize("content", ["9007199254740993\n1.0\n", "1.0\n9007199254740993\n"])
def test_a_large_integer_beside_a_decimal_point_is_never_rounded(
    tmp_path: Path, content: str, border: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_lines, "_CELLS", border)
    try:
        numbers = read(text(tmp_path, content), dtype="int64").ragged.values.tolist()
    except DataError:
        return
    assert sorted(numbers) == [1, 9007199254740993]


@pytest.mark.parametrize("number", ["9223372036854775808", "18446744073709551615", "123456789012345678901"])
@pytest.mark.parametrize("dtype", [None, "uint64", "float64"])
def test_an_integer_beyond_64_bits_is_refused_for_what_it_is(
    tmp_path: Path, number: str, dtype: str | None
) -> None:
    try:
        result = lists(read(text(tmp_path, f"1\n{number}\n"), dtype=dtype))
    except DataError as error:
        message = str(error)
    else:
        message = ""
        exact = float if dtype == "float64" else int  # a float type that was asked for rounds
        assert [[int(n) for n in row] for row in result] == [[1], [int(exact(number))]]
    assert "is not a number" not in message


def test_a_dtype_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="float23"):
        read(text(tmp_path, "1 2\n"), dtype="float23")


# Borders of batches


@pytest.mark.thinned
@pytest.mark.parametrize("bad", range(12))
@pytest.mark.parametrize("border", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("cells", [1, 2])
def test_a_bad_cell_is_named_with_its_line_on_either_side_of_every_border(
    tmp_path: Path, bad: int, border: int, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [" ".join(["1"] * cells) for _ in range(12)]
    rows[bad] = " ".join(["1"] * (cells - 1) + ["odd"])
    rows.insert(6, "")  # an empty line counts as a line too
    line = bad + 1 + (bad >= 6)
    monkeypatch.setattr(text_lines, "_CELLS", border)
    with pytest.raises(DataError, match=f"line {line}: 'odd'"):
        read(text(tmp_path, "\n".join(rows) + "\n"))


@pytest.mark.thinned
@pytest.mark.parametrize("odd", ["0.5", "NA", "1e2", "true", "9007199254740993", "+5", "-0", "odd", "inf"])
@pytest.mark.parametrize("place", range(8))
def test_where_the_first_odd_value_stands_does_not_matter(
    tmp_path: Path, odd: str, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = ["1"] * 8
    cells[place] = odd
    path = text(tmp_path, "\n".join(cells) + "\n")
    found = set()
    for border in EVERY_BORDER:
        monkeypatch.setattr(text_lines, "_CELLS", border)
        try:
            result = read(path, dtype="float64" if odd == "0.5" else None)
            found.add(
                (oracles.text_of(result.ragged.values), str(result.ragged.values.dtype), str(result.warnings))
            )
        except DataError as error:
            found.add(str(error))
    assert len(found) == 1
