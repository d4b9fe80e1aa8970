"""The parser of CSV: what a first row is, cells as written, and faults on both sides of every block border."""

import csv
import gzip
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seqtool.errors import DataError, SeqtoolError, UsageError
from seqtool.files import inputs
from seqtool.files.inputs import Input, opened
from seqtool.tables import csv_dialect, csv_errors, csv_parser
from tests.cutting import small_blocks
from tests.hunting import examples
from tests.written import rewrite

BLOCK = 1 << 12


@contextmanager
def source_of(
    folder: Path, text: str | bytes, name: str = "rows.csv", encoding: str = "utf-8"
) -> Iterator[Input]:
    path = folder / name
    rewrite(path, text if isinstance(text, bytes) else text.encode())
    with opened([str(path)], encoding=encoding) as found:
        yield found[0]


def sniffed(folder: Path, text: str | bytes, name: str = "rows.csv", **options: Any) -> csv_dialect.Dialect:
    with source_of(folder, text, name) as source:
        return csv_dialect.sniff(
            source, **({"delimiter": None, "header": None, "encoding": "utf-8"} | options)
        )


def rows_of(folder: Path, text: str | bytes, name: str = "rows.csv", **options: Any) -> list[list[str]]:
    """Every row of data, as the parser gives it."""
    with source_of(folder, text, name, options.get("encoding", "utf-8")) as source:
        dialect = csv_dialect.sniff(
            source, **({"delimiter": None, "header": None, "encoding": "utf-8"} | options)
        )
        batches = list(csv_parser.batches(source, dialect, range(len(dialect.first_row))))
    return [
        list(row) for batch in batches for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)
    ]


# The first row.


def test_a_first_row_without_numbers_is_a_header(tmp_path: Path) -> None:
    dialect = sniffed(tmp_path, "key,a b,\n1,2,3\n")
    assert (dialect.first_row, dialect.header, dialect.delimiter) == (("key", "a b", ""), True, ",")


@pytest.mark.parametrize("row", ["1,2", "-1.5,+2", " 3 ,1e5", ".5,5.", '"1","2"'])
def test_a_first_row_of_numbers_alone_is_data(tmp_path: Path, row: str) -> None:
    assert sniffed(tmp_path, f"{row}\n1,2\n").header is False


@pytest.mark.parametrize("other", ["a", "nan", "", "1_000", "0x1F", "inf", "1e999", "NA"])
def test_a_mixed_first_row_asks_for_header_or_no_header(tmp_path: Path, other: str) -> None:
    with pytest.raises(DataError, match=rf"line 3: .*'1'.*'{other}'.*--header .*--no-header"):
        sniffed(tmp_path, f"\n\n1,{other}\n")
    assert sniffed(tmp_path, f"1,{other}\n", header=True).header is True
    assert sniffed(tmp_path, f"1,{other}\n", header=False).header is False


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [("a,b\n", ","), ("a\tb\n", "\t"), ("a;b\n", ";"), ("a|b\n", "|"), ("ab\n", ","), ("a b\n", ",")],
)
def test_the_delimiter_is_found_in_the_first_row(tmp_path: Path, text: str, delimiter: str) -> None:
    assert sniffed(tmp_path, text).delimiter == delimiter


def test_a_tsv_is_cut_at_tabs(tmp_path: Path) -> None:
    assert sniffed(tmp_path, "a,b\tc\n", "rows.tsv").first_row == ("a,b", "c")
    packed = gzip.compress(b"a,b\tc\n")
    assert sniffed(tmp_path, packed, "rows.tsv.gz").first_row == ("a,b", "c")


@pytest.mark.parametrize("name", ["d.tsv/a.csv", "a.tsv.csv", "my.tsvs"])
def test_only_the_suffix_of_the_file_itself_makes_a_tsv(tmp_path: Path, name: str) -> None:
    (tmp_path / "d.tsv").mkdir()
    assert sniffed(tmp_path, "a,b\tc\n", name).first_row == ("a", "b\tc")


@pytest.mark.parametrize("spelled", ["\t", "\\t", "tab"])
def test_a_tab_may_be_spelled(tmp_path: Path, spelled: str) -> None:
    assert sniffed(tmp_path, "a\tb\n", delimiter=spelled).first_row == ("a", "b")


def test_the_delimiter_may_be_given(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "a:b\n1,5:2\n", delimiter=":") == [["1,5", "2"]]


@pytest.mark.parametrize("delimiter", [";;", "", "é", '"', "\n", "\r"])
def test_a_delimiter_that_is_not_one_character_is_refused(tmp_path: Path, delimiter: str) -> None:
    with pytest.raises(UsageError, match="--delimiter"):
        sniffed(tmp_path, "a,b\n", delimiter=delimiter)


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--encoding klingon"):
        sniffed(tmp_path, "a,b\n", encoding="klingon")


def test_a_header_with_a_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the header names 'a' more than once"):
        sniffed(tmp_path, "a,b,a\n")
    assert sniffed(tmp_path, ",b,\n").first_row == ("", "b", "")


def test_only_blank_lines_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only blank lines"):
        sniffed(tmp_path, "\n\r\n  \n")


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    assert sniffed(tmp_path, b"\xef\xbb\xbfkey,a\n").first_row == ("key", "a")
    assert rows_of(tmp_path, b"\xef\xbb\xbf1,2\n3,4\n") == [["1", "2"], ["3", "4"]]
    assert rows_of(tmp_path, b'\xef\xbb\xbf"k","a"\n3,4\n') == [["3", "4"]]


def sniffed_or_refused(folder: Path, data: bytes, kept: int, encoding: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "_KEPT", kept)
        with source_of(folder, data, encoding=encoding) as source:
            assert source.head == data[:kept]
            assert source.head_is_all == (len(data) <= kept)
            try:
                return csv_dialect.sniff(source, delimiter=None, header=None, encoding=encoding)
            except (SeqtoolError, UnicodeError) as error:
                return type(error), str(error)


@given(
    text=st.text(st.sampled_from(list('ab1,;\t" \n\ré表\ufeff')), min_size=1, max_size=40),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le", "shift_jis", "ascii"]),
    written=st.sampled_from(["", "utf-8"]),
    kept=st.integers(1, 80),
)
@settings(max_examples=examples(300))
@example(text="  \n\nab;ab\n1;1\n", encoding="utf-8", written="", kept=5)
@example(text="a,b\r\n1,2\r\n", encoding="utf-8", written="", kept=4)
@example(text='"a\n\nb",b\n1,2\n', encoding="utf-8", written="", kept=6)
@example(text="ab,表\n1,2\n", encoding="utf-16", written="", kept=9)
def test_the_first_row_is_the_same_however_much_of_the_file_is_kept(
    scratch: Path, text: str, encoding: str, written: str, kept: int
) -> None:
    """Some are written in another encoding than they are read in."""
    data = text.encode(written or encoding, errors="replace")
    whole = sniffed_or_refused(scratch, data, 1 << 13, encoding)
    assert sniffed_or_refused(scratch, data, kept, encoding) == whole
    if isinstance(whole, csv_dialect.Dialect):
        read = data.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="surrogateescape")
        rows = csv.reader(io.StringIO(read, newline=""), delimiter=whole.delimiter)
        blank, row = next((i, row) for i, row in enumerate(rows) if row)
        assert whole.blank_lines == blank
        assert whole.first_row == (row[0].removeprefix("\ufeff"), *row[1:])


# Cells as written.


def test_every_cell_stays_the_text_that_was_written(tmp_path: Path) -> None:
    cells = ["007", " 7 ", "NA", "null", "", "1e5", "0x1F", "true", "#N/A", "'quoted'", "-"]
    assert rows_of(tmp_path, "k,a\n" + "".join(f"{c},{c}\n" for c in cells)) == [[c, c] for c in cells]


def test_quoted_cells_hold_anything(tmp_path: Path) -> None:
    cells = ["a,b", 'say "hi"', "two\nlines", "two\r\nlines", "", " x ", '"']
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([["k", "a"], *([c, "1"] for c in cells)])
    assert rows_of(tmp_path, stream.getvalue()) == [[c, "1"] for c in cells]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_may_end_in_any_way(tmp_path: Path, end: str, last: bool) -> None:
    text = end.join(["k,a", "1,2", "", "3,4"]) + end * last
    assert rows_of(tmp_path, text) == [["1", "2"], ["3", "4"]]


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "\n\nk,a\n\n1,2\n\n\n3,4\n\n") == [["1", "2"], ["3", "4"]]
    assert rows_of(tmp_path, "\n\n1,2\n\n3,4") == [["1", "2"], ["3", "4"]]


def test_many_blank_lines_before_the_header_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch, 1 << 10)
    assert rows_of(tmp_path, "\n" * 5000 + "k,a\n1,2\n") == [["1", "2"]]


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_a_header_alone_has_no_rows(tmp_path: Path, end: str) -> None:
    assert rows_of(tmp_path, "k,a" + end) == []


def test_one_row_of_data_needs_no_line_end(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "1,2") == [["1", "2"]]
    assert rows_of(tmp_path, "k,a\n1,2") == [["1", "2"]]


def test_names_may_hold_line_ends(tmp_path: Path) -> None:
    assert rows_of(tmp_path, '"a\nb","c,d"\n1,2\n') == [["1", "2"]]
    assert sniffed(tmp_path, '"a\nb","c,d"\n1,2\n').first_row == ("a\nb", "c,d")


def test_one_column_alone_is_a_table(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "k\n1\n2\n") == [["1"], ["2"]]
    assert rows_of(tmp_path, 'k\n1\n""\n2\n') == [["1"], [""], ["2"]]


def test_only_the_columns_that_are_asked_for_come_in_that_order(tmp_path: Path) -> None:
    with source_of(tmp_path, "a,b,c\n1,2,3\n") as source:
        dialect = csv_dialect.sniff(source, delimiter=None, header=None, encoding="utf-8")
        (batch,) = csv_parser.batches(source, dialect, [2, 0])
    assert [column.to_pylist() for column in batch.columns] == [["3"], ["1"]]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-8-sig", "shift_jis"])
def test_other_encodings_are_read_when_named(
    tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch, BLOCK)
    cell = "ソ表" if encoding == "shift_jis" else "é"
    text = f"k,{cell}\n" + "".join(f"{cell}{i},{i}\n" for i in range(3000))
    expected = [[f"{cell}{i}", str(i)] for i in range(3000)]
    assert rows_of(tmp_path, text.encode(encoding), encoding=encoding) == expected


def test_bytes_of_another_encoding_are_refused_with_line_and_column(tmp_path: Path) -> None:
    for line in (1, 2, 1500):
        cells = ["k,a", *["x,1"] * 2000]
        cells[line - 1] = "é,b"
        with pytest.raises(DataError, match=f"line {line}, column 0: byte 0xe9 .*--encoding"):
            rows_of(tmp_path, "\n".join(cells).encode("latin-1"))


# Compressed files.


def packed(folder: Path, text: str, how: str) -> Path:
    path = folder / f"rows.csv.{how}"
    if how == "gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        with pa.output_stream(str(path), compression="zstd") as stream:
            stream.write(text.encode())
    return path


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    path = packed(tmp_path, "k,a\n1,2\n", "gz")
    assert rows_of(tmp_path, path.read_bytes(), path.name) == [["1", "2"]]


def test_zstd_is_unpacked(tmp_path: Path) -> None:
    path = packed(tmp_path, "k,a\n1,2\n", "zst")
    assert rows_of(tmp_path, path.read_bytes(), path.name) == [["1", "2"]]


@pytest.mark.parametrize("how", ["gz", "zst"])
def test_a_fault_in_a_packed_file_is_reported_by_its_line(tmp_path: Path, how: str) -> None:
    path = packed(tmp_path, "k,a\n" + "1,2\n" * 5000 + "1\n", how)
    with pytest.raises(DataError, match=r"line 5002: .*\b1\b"):
        rows_of(tmp_path, path.read_bytes(), path.name)


def test_a_gzip_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    data = bytearray(
        packed(tmp_path, "k,a\n" + "".join(f"{i},2\n" for i in range(50_000)), "gz").read_bytes()
    )
    data[-8] ^= 1
    with pytest.raises(DataError, match="gzip"):
        rows_of(tmp_path, bytes(data), "rows.csv.gz")


@pytest.mark.parametrize("how", ["gz", "zst"])
@pytest.mark.parametrize("left", [0.5, 0.99])
def test_a_packed_file_that_was_cut_short_is_refused(tmp_path: Path, how: str, left: float) -> None:
    data = packed(tmp_path, "k,a\n" + "".join(f"{i * 7919},2\n" for i in range(50_000)), how).read_bytes()
    with pytest.raises(DataError):
        rows_of(tmp_path, data[: int(len(data) * left)], f"rows.csv.{how}")


# Faults: found wherever they stand, told by their line.

FAULTS = {"short": ("12345", 1), "long": ("12345,678,9", 3), "trailing comma": ("12345,678,", 3)}


def planted(fault: str, line: int, lines: int) -> str:
    """A header and rows, with the fault on this line."""
    rows = ["k,a", *(f"{i:05},{i % 1000:03}" for i in range(2, lines + 1))]
    rows[line - 1] = fault
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_row_with_too_few_or_too_many_cells_is_found_at_every_block_border(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch, BLOCK)
    text, cells = FAULTS[fault]
    width = len("00002,002\n")
    for border in range(BLOCK, 5 * BLOCK, BLOCK):
        for line in range(border // width - 1, border // width + 4):
            with pytest.raises(DataError, match=rf"line {line}: .*\b{cells}\b"):
                rows_of(tmp_path, planted(text, line, 3000))


@pytest.mark.parametrize("line", [2, 3, 2999, 3000])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_either_end_of_the_file_is_found(tmp_path: Path, fault: str, line: int) -> None:
    text, cells = FAULTS[fault]
    with pytest.raises(DataError, match=rf"line {line}: .*\b{cells}\b"):
        rows_of(tmp_path, planted(text, line, 3000))


def test_a_short_row_is_reported_by_its_line_behind_quoted_line_ends_and_blank_lines(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 9: "):
        rows_of(tmp_path, '\nk,a\n\n"x\ny\nz",1\n\n1,2\n1\n1,2\n')


@pytest.mark.parametrize("row", ['"00002,002', '00002,"002', '"', '00002,"'])
def test_a_quote_that_is_never_closed_is_found_at_every_block_border(
    tmp_path: Path, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch, BLOCK)
    width = len("00002,002\n")
    for border in range(BLOCK, 4 * BLOCK, BLOCK):
        for line in range(border // width - 1, border // width + 4):
            with pytest.raises(DataError, match=r"line \d+: ") as refused:
                rows_of(tmp_path, planted(row, line, 2000))
            assert re.search(rf"line ({line}|2000|2001): ", str(refused.value)), (line, str(refused.value))


@pytest.mark.parametrize("line", [2, 1999, 2000])
@pytest.mark.parametrize("row", ['"00002,002', '00002,"002', '00002,"'])
def test_a_quote_that_is_never_closed_is_found_without_a_border(tmp_path: Path, row: str, line: int) -> None:
    with pytest.raises(DataError, match=r"line \d+: "):
        rows_of(tmp_path, planted(row, line, 2000))


def test_quotes_within_a_cell_are_text(tmp_path: Path) -> None:
    assert rows_of(tmp_path, 'k,a\n5" pipe,1\n6" pipe,2\n7" pipe,3\n') == [
        ['5" pipe', "1"],
        ['6" pipe', "2"],
        ['7" pipe', "3"],
    ]


def test_a_row_of_many_blocks_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_blocks(monkeypatch, BLOCK)
    long = "x" * 9 * BLOCK
    assert rows_of(tmp_path, f"k,a\n1,2\n{long},2\n1,2\n") == [["1", "2"], [long, "2"], ["1", "2"]]


def test_a_row_longer_than_a_block_is_refused_where_rows_cannot_be_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch, BLOCK)
    with pytest.raises(DataError, match=r"a row of more than .* need UTF-8"):
        rows_of(tmp_path, 'k,a\n1,5" pipe\n' + "x" * 3 * BLOCK + ",2\n1,2\n")


def test_bad_bytes_are_found_at_every_block_border(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_blocks(monkeypatch, BLOCK)
    width = len("00002,002\n")
    for border in range(BLOCK, 4 * BLOCK, BLOCK):
        for line in range(border // width - 1, border // width + 4):
            data = planted("ab\xe9cd,002", line, 2000).encode("latin-1")
            with pytest.raises(DataError, match=f"line {line}, column 0: byte 0xe9"):
                rows_of(tmp_path, data)


# Against Python's csv module.


def is_strict(text: str) -> bool:
    try:
        list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return False
    return True


any_cell = st.text(
    st.characters(exclude_characters="\0\ufeff", exclude_categories=["Cs"]), max_size=5
) | st.text(' ,"\n\rx1', max_size=6)


@given(
    rows=st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(any_cell, min_size=width, max_size=width), min_size=1, max_size=12)
    ),
    # With another line end, Python's csv module leaves a bare carriage return unquoted.
    style=st.sampled_from([(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_ALL, "\n")]),
)
@settings(max_examples=examples(100))
def test_any_table_that_pythons_csv_module_writes_is_read_back(
    scratch: Path, rows: list[list[str]], style: tuple[Any, str]
) -> None:
    stream = io.StringIO()
    quoting, end = style
    names = [f"c{i}" for i in range(len(rows[0]))]
    csv.writer(stream, lineterminator=end, quoting=quoting).writerows([names, *rows])
    assert rows_of(scratch, stream.getvalue(), delimiter=",") == rows


@given(
    st.lists(
        st.sampled_from(["1,2", "3", "4,5,6", '"a,b",7', '"8', '9"', "", ",", '"a\nb",1', '"x"y,2']),
        max_size=8,
    )
)
@settings(max_examples=examples(100))
def test_a_table_is_read_as_pythons_csv_module_reads_it_or_refused(scratch: Path, lines: list[str]) -> None:
    text = "k,a\n" + "".join(line + "\n" for line in lines)
    expected = [row for row in csv.reader(io.StringIO(text, newline="")) if row][1:]
    try:
        rows = rows_of(scratch, text)
    except SeqtoolError:
        # Every refusal has its reason: a row of another width, or a quote where strict CSV has none.
        assert any(len(row) != 2 for row in expected) or not is_strict(text)
        return
    assert rows == expected


# The line of a row.


@pytest.mark.parametrize("header", [True, False])
def test_the_line_of_a_row_counts_blank_lines_and_line_ends_in_cells(tmp_path: Path, header: bool) -> None:
    text = "\n" + "k,a\n" * header + '1,2\n\n"3\n3",4\n5,6\n'
    lines = [3, 6, 7] if header else [2, 5, 6]
    with source_of(tmp_path, text) as source:
        dialect = csv_dialect.sniff(source, delimiter=None, header=header, encoding="utf-8")
        assert [csv_errors.line_of(source, dialect, row) for row in range(3)] == lines
