"""Where rows come from: files of every kind, arrays, DataFrames; what their columns are called."""

import gzip
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from seqtool.errors import DataError
from seqtool.files import inputs
from seqtool.files.inputs import opened
from seqtool.tables import json_lines
from seqtool.tables.in_memory import from_array, from_frame
from seqtool.tables.named_columns import position
from seqtool.tables.opening import open_tables
from seqtool.tables.table import Table, TextOptions


def rows_of(table: Table, columns: Sequence[int] | None = None) -> list[tuple[Any, ...]]:
    columns = range(len(table.columns)) if columns is None else columns
    cells: list[tuple[Any, ...]] = []
    for batch in table.batches(columns):
        cells += zip(*(column.to_pylist() for column in batch.columns), strict=True)
    return cells


def read(*paths: Path, **options: Any) -> tuple[Table, list[tuple[Any, ...]]]:
    """The table behind these files, and its rows."""
    with opened([str(path) for path in paths]) as found:
        table = open_tables(found, TextOptions(**options))
        return table, rows_of(table)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def write_arrow(path: Path, table: Any, *, stream: bool = False, chunk: int = 1000) -> Path:
    opener = pa.ipc.new_stream if stream else pa.ipc.new_file
    with opener(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=chunk)
    return path


# Text.


def test_a_csv_gives_its_cells_as_text_and_counts_its_rows(tmp_path: Path) -> None:
    table, rows = read(write(tmp_path / "t.csv", "k,a\n007,1\nNA,\n"))
    assert (table.columns, table.named, table.text, table.rows) == (("k", "a"), True, True, 2)
    assert rows == [("007", "1"), ("NA", "")]
    assert table.notes == ["the first row is a header"]


def test_a_csv_without_a_header_has_positions_for_names(tmp_path: Path) -> None:
    table, rows = read(write(tmp_path / "t.csv", "1,2\n3,4\n"))
    assert (table.columns, table.named) == ((None, None), False)
    assert table.label(1) == "1"
    assert rows == [("1", "2"), ("3", "4")]
    assert table.notes == ["the first row is data (no header)"]


def test_the_notes_tell_what_was_taken_for_granted(tmp_path: Path) -> None:
    notes = read(write(tmp_path / "t.csv", ";k;\n0;x;1\n"))[0].notes
    assert notes == [
        "the first row is a header",
        "cells are separated by ';'",
        "column 0 has no name and is left out",
        "column 2 has no name and is left out",
    ]


def test_the_place_of_a_row_is_its_line(tmp_path: Path) -> None:
    table, _ = read(write(tmp_path / "t.csv", 'k,a\n\n"x\ny",1\nz,2\n'))
    assert table.place(0).endswith("t.csv: line 4")
    assert table.place(1).endswith("t.csv: line 5")


# How often a file is opened.

OPENED: list[str] | None = None  # what was opened since a test began to count


def _note_opening(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and OPENED is not None:
        OPENED.append(os.fspath(arguments[0]) if isinstance(arguments[0], (str, os.PathLike)) else "")


sys.addaudithook(_note_opening)  # sees `open`, `os.open` and FileIO alike; it cannot be removed


def openings(path: Path) -> int:
    """How often a file is opened until all of its rows were read."""
    global OPENED
    OPENED = []
    try:
        table, rows = read(path)
        assert rows
        assert table.columns
        return OPENED.count(str(path))
    finally:
        OPENED = None


def packed(text: str, how: str) -> bytes:
    if how == "gz":
        return gzip.compress(text.encode())
    return pa.compress(text.encode(), "zstd", asbytes=True) if how == "zst" else text.encode()


ROWS = "1,2\n" * 10_000


@pytest.mark.thinned
@pytest.mark.parametrize("how", ["", "gz", "zst"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "k,a\n1,2\n"),
        ("t.csv", "k,a\n" + ROWS),
        ("t", "k,a\r" + "1,2\r" * 10_000),
        ("t.csv", "1,2"),
        ("t.tsv", "k\ta\n" + "1\t2\n" * 10_000),
        ("t.csv", '\n\n"k\n1","a, b"\n' + ROWS),
        ("t.jsonl", '\n{"k": 1}\n' * 10_000),
        ("t", '{"k": 1}'),
    ],
)
def test_text_is_opened_once_to_be_recognised_and_once_to_be_read(
    tmp_path: Path, name: str, text: str, how: str
) -> None:
    path = tmp_path / f"{name}.{how}".removesuffix(".")
    path.write_bytes(packed(text, how))
    assert openings(path) == 2


@pytest.mark.thinned
@pytest.mark.parametrize("how", ["", "gz", "zst"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", ",".join(f"column {i}" for i in range(5000)) + "\n" + "1," * 4999 + "1\n"),
        ("t.csv", '"k' + "\n" * 70_000 + '",a\n1,2\n'),
        ("t.csv", "\n" * 70_000 + "k,a\n1,2\n"),
        ("t.jsonl", '{"k": "' + "x" * 70_000 + '"}\n'),
        ("t.jsonl", "\n" * 70_000 + '{"k": 1}'),
    ],
)
def test_a_first_row_that_is_too_long_to_be_kept_takes_one_opening_more(
    tmp_path: Path, name: str, text: str, how: str
) -> None:
    path = tmp_path / f"{name}.{how}".removesuffix(".")
    path.write_bytes(packed(text, how))
    assert openings(path) == 3


@pytest.mark.parametrize("kept", [1, 2, 3, 11, 12, 13])
def test_json_lines_have_the_same_columns_however_much_of_them_is_kept(
    tmp_path: Path, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "_KEPT", kept)
    for text in ('{"k": "é"}\n{"k": 2}\n', '\n{"k": 1}', '\n\n\n{"k": 1}\n'):
        assert read(write(tmp_path / "t.jsonl", text))[0].columns == ("k",)


# Several files.


def test_several_files_are_one_table_in_their_order(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{i}.csv", f"k,a\n{i},0\n{i},1\n") for i in (2, 0, 1)]
    table, rows = read(*paths)
    assert [int(k) for k, _ in rows] == [2, 2, 0, 0, 1, 1]
    assert table.rows == 6
    assert [table.place(row).rsplit("/", 1)[1] for row in (1, 2, 5)] == [
        "2.csv: line 3",
        "0.csv: line 2",
        "1.csv: line 3",
    ]


def test_files_may_be_of_several_kinds_if_their_columns_agree(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", "k,a\nx,1\n")
    two = write(tmp_path / "two.csv", "k;a\ny;2\n")
    three = write(tmp_path / "three.jsonl", '{"k": "z", "a": 3}\n')
    assert read(one, two, three)[1] == [("x", "1"), ("y", "2"), ("z", "3")]


def test_a_file_with_a_header_alone_adds_nothing(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", "k,a\nx,1\n")
    none = write(tmp_path / "two.csv", "k,a\n")
    last = write(tmp_path / "three.csv", "k,a\ny,2\n")
    table, rows = read(one, none, last)
    assert rows == [("x", "1"), ("y", "2")]
    assert table.place(1).endswith("three.csv: line 2")


@pytest.mark.parametrize(
    ("second", "difference"),
    [
        ("k,b\n1,2\n", r"columns \['b'\] against \['a'\]"),
        ("k\n1\n", r"columns none against \['a'\]"),
        ("k,a,b\n1,2,3\n", r"columns \['b'\] against none"),
        ("a,k\n1,2\n", "the same columns in another order"),
        ("1,2\n", "one has a header, the other has none"),
    ],
)
def test_files_with_other_headers_are_refused_and_both_named(
    tmp_path: Path, second: str, difference: str
) -> None:
    one, two = write(tmp_path / "one.csv", "k,a\n1,2\n"), write(tmp_path / "two.csv", second)
    with pytest.raises(DataError, match=rf"two.csv and .*one.csv differ: .*{difference}"):
        read(one, two)


def test_files_without_headers_must_have_as_many_columns(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.csv", "1,2\n"), write(tmp_path / "two.csv", "1,2,3\n")
    with pytest.raises(DataError, match="3 columns against 2"):
        read(one, two)


# JSON lines.


def test_json_lines_give_every_value_as_it_is_written(tmp_path: Path) -> None:
    lines = [
        {"k": "007", "a": 1},
        {"k": 7, "a": 1.0},
        {"k": True, "a": False},
        {"k": None, "a": 10**30},
        {"a": 5},
    ]
    text = "".join(json.dumps(line) + "\n\n" for line in lines) + '{"k": "é", "a": 1.50e+3}'
    table, rows = read(write(tmp_path / "t.jsonl", text))
    assert (table.columns, table.named, table.text, table.rows) == (("k", "a"), True, True, 6)
    assert rows == [
        ("007", "1"),
        ("7", "1.0"),
        ("true", "false"),
        ("", str(10**30)),
        ("", "5"),
        ("é", "1.50e+3"),
    ]
    assert table.place(2).endswith("t.jsonl: line 5")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"k": 1, "a": [2]}', "field 'a' holds a list, not one value"),
        ('{"k": 1, "a": {}}', "field 'a' holds a dict, not one value"),
        ('{"k": 1,', "not JSON"),
        ("[1, 2]", "one JSON object per line was expected"),
        ("5", "one JSON object per line was expected"),
        ('{"k": "\udcff", "a": 1}', "not JSON"),
        ('{"k": "\\ud800", "a": 1}', "k"),
        ('{"k": ' + "[" * 100_000, "line 3"),
    ],
)
def test_a_line_that_is_no_row_is_reported_with_its_number(tmp_path: Path, line: str, fault: str) -> None:
    path = tmp_path / "t.jsonl"
    text = f'{{"k": 1, "a": 2}}\n\n{line}\n{{"k": 1, "a": 2}}\n'
    path.write_bytes(text.encode("utf-8", errors="surrogateescape"))
    with pytest.raises(DataError, match=f"line 3: .*{fault}" if fault != "line 3" else fault):
        read(path)


def test_a_field_that_first_comes_later_is_refused_in_any_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "t.jsonl", '{"k": 1}\n' * 1000 + '{"k": 1, "a": 2}\n')
    for size in (1, 6, 999, 1001, 2000):
        monkeypatch.setattr(json_lines, "_CELLS", size)
        with pytest.raises(DataError, match="line 1001: field 'a'"):
            read(path)


def test_no_objects_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no rows"):
        read(write(tmp_path / "t.jsonl", "\n\n"))


# Typed files.

TYPED = pa.table({"k": ["x", "y", "x"], "a": [1, 2, 3], "b": [0.5, None, 1.5]})
TYPED_ROWS = [("x", 1, 0.5), ("y", 2, None), ("x", 3, 1.5)]


def test_parquet_gives_its_own_types(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write_table(TYPED, path, row_group_size=2)
    table, rows = read(path)
    assert (table.columns, table.named, table.text, table.rows) == (("k", "a", "b"), True, False, 3)
    assert rows == TYPED_ROWS
    assert table.place(2).endswith("t.parquet: row 2")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("chunk", [1, 2, 1000])
def test_arrow_gives_its_own_types(tmp_path: Path, stream: bool, chunk: int) -> None:
    table, rows = read(write_arrow(tmp_path / "t.arrow", TYPED, stream=stream, chunk=chunk))
    assert (table.columns, table.rows) == (("k", "a", "b"), 3)
    assert rows == TYPED_ROWS
    assert rows_of(table, [1]) == [(1,), (2,), (3,)]


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_columns_come_in_the_order_that_is_asked_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"t.{kind}"
    if kind == "parquet":
        parquet.write_table(TYPED, path)
    else:
        write_arrow(path, TYPED)
    with opened([str(path)]) as found:
        assert rows_of(open_tables(found), [2, 0]) == [(b, k) for k, _, b in TYPED_ROWS]


def test_columns_whose_names_hold_dots_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"k": [1], "k.a": [2], "k.b": [3]}), path)
    with opened([str(path)]) as found:
        table = open_tables(found)
        assert rows_of(table, [0]) == [(1,)]
        assert rows_of(table, [2, 0]) == [(3, 1)]


def test_a_column_without_a_name_in_a_typed_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"": [9], "k": [1], "a": [2]}), path)
    table, _ = read(path)
    assert table.columns == (None, "k", "a")
    assert "column 0 has no name and is left out" in table.notes


def test_duplicate_names_are_refused(tmp_path: Path) -> None:
    twice = pa.table([[1], [2], [3]], names=["a", "k", "a"])
    with pytest.raises(DataError, match="'a' more than once"):
        read(write_arrow(tmp_path / "t.arrow", twice))
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "k", "a"])
    with pytest.raises(DataError, match="the DataFrame: has columns 'a' more than once"):
        from_frame(frame)


@pytest.mark.parametrize("kind", ["parquet", "arrow", "stream"])
def test_a_damaged_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("t.parquet" if kind == "parquet" else "t.arrow")
    big = pa.table({"k": list(range(5000)), "a": [0.5] * 5000})
    if kind == "parquet":
        parquet.write_table(big, path)
    else:
        write_arrow(path, big, stream=kind == "stream")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match="damaged, or not a complete"):
        read(path)


# Arrays.


def test_an_array_has_positions_and_keeps_its_dtype(tmp_path: Path) -> None:
    array = np.array([[1, 2], [3, 4]], dtype=np.int16)
    table = from_array(array)
    assert (table.columns, table.named, table.text, table.dtype) == ((None, None), False, False, np.int16)
    assert rows_of(table, [1, 0]) == [(2, 1), (4, 3)]
    assert table.rows == 2
    np.save(tmp_path / "t.npy", array)
    np.savez(tmp_path / "one.npz", anything=array)
    np.savez(tmp_path / "x.npz", x=array, y=np.zeros(3))
    for name in ("t.npy", "one.npz", "x.npz"):
        table, rows = read(tmp_path / name)
        assert (rows, table.dtype) == ([(1, 2), (3, 4)], np.int16)


@pytest.mark.parametrize("dtype", [">i4", ">f8", ">u2"])
def test_an_npy_of_any_byte_order_is_read(tmp_path: Path, dtype: str) -> None:
    np.save(tmp_path / "t.npy", np.array([[1, 2], [3, 4]], dtype=dtype))
    assert read(tmp_path / "t.npy")[1] == [(1, 2), (3, 4)]


@pytest.mark.parametrize(
    "array", [np.asfortranarray(np.arange(6).reshape(3, 2)), np.arange(12).reshape(3, 4)[:, ::2]]
)
def test_arrays_of_any_layout_are_read(array: Any) -> None:
    assert rows_of(from_array(array)) == [tuple(row) for row in array.tolist()]


@pytest.mark.parametrize("shape", [(), (3,), (2, 2, 2)])
def test_an_array_that_is_not_rows_and_columns_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="rows and columns were expected"):
        from_array(np.zeros(shape))


@pytest.mark.parametrize("dtype", ["complex64", "U3", "datetime64[s]", "object", "i4,i4"])
def test_an_array_that_holds_no_numbers_is_refused(dtype: str) -> None:
    with pytest.raises(DataError, match=r"integers, floats or booleans were expected|infer_objects"):
        from_array(np.zeros((2, 2), dtype=dtype))


def test_an_npz_of_several_arrays_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", a=np.zeros((1, 2)), b=np.zeros((1, 2)))
    with pytest.raises(DataError, match=r"holds a, b; x, or a single array, was expected"):
        read(tmp_path / "t.npz")


# DataFrames.


def test_a_frame_has_the_names_of_its_columns() -> None:
    frame = pd.DataFrame({"k": ["x", "y"], "a": [1, 2], "b": [0.5, None]}, index=[9, 4])
    table = from_frame(frame)
    assert (table.columns, table.named, table.text) == (("k", "a", "b"), True, False)
    assert rows_of(table) == [("x", 1, 0.5), ("y", 2, None)]
    assert table.place(1) == "the DataFrame: row 1"


def test_numbered_columns_count_as_having_no_names() -> None:
    table = from_frame(pd.DataFrame([[1, 2], [3, 4]]))
    assert (table.columns, table.named) == ((None, None), False)
    assert rows_of(table, [1]) == [(2,), (4,)]


@pytest.mark.parametrize(
    ("labels", "names"), [([1, 2], ("1", "2")), ([0, "a"], ("0", "a")), ([1, 0], ("1", "0"))]
)
def test_other_labels_are_names(labels: list[Any], names: tuple[str, ...]) -> None:
    table = from_frame(pd.DataFrame([[1, 2]], columns=labels))
    assert (table.columns, table.named) == (names, True)


def test_two_labels_of_one_spelling_are_one_name_twice() -> None:
    with pytest.raises(DataError, match="'1' more than once"):
        from_frame(pd.DataFrame([[1, 2]], columns=[1, "1"]))


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        (pd.array([1, None], dtype="Int64"), [1, None]),
        (pd.array([True, None], dtype="boolean"), [True, None]),
        (pd.array([0.5, None], dtype="Float32"), [0.5, None]),
        (pd.Categorical(["b", "a"]), ["b", "a"]),
        (pd.Categorical([3, None]), [3, None]),
        (pd.Series([1, 2], dtype=object), [1, 2]),
        (pd.Series(["x", None], dtype=object), ["x", None]),
        (pd.Series([None, None], dtype=object), [None, None]),
        (pd.Series([1, 2], dtype="int64[pyarrow]"), [1, 2]),
        (pd.Series(["x", "y"], dtype="string"), ["x", "y"]),
    ],
)
def test_columns_of_every_kind_of_pandas(column: Any, cells: list[Any]) -> None:
    assert rows_of(from_frame(pd.DataFrame({"a": column}))) == [(cell,) for cell in cells]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, "x"], dtype=object),
        pd.Series([1, [2]], dtype=object),
        pd.Series([1j, 2j]),
        pd.Series([2**70, 1], dtype=object),
        pd.Series([object(), object()]),
        pd.Series(pd.arrays.SparseArray([0, 1])),
    ],
)
def test_a_column_that_has_no_one_type_is_refused(column: Any) -> None:
    with pytest.raises(DataError, match="the DataFrame"):
        from_frame(pd.DataFrame({"k": [1, 2], "a": column}))


# Positions.


def test_the_columns_there_are_are_listed_for_one_that_is_not() -> None:
    table = from_frame(pd.DataFrame({"k": [1], "": [2], "a": [3]}))
    assert position(table, "a") == 2
    assert position(table, 1) == 1
    with pytest.raises(DataError, match=r"no column 'z'; the columns are k, \(no name\), a"):
        position(table, "z")
    with pytest.raises(DataError, match="out of range: there are 3 columns, counted from 0 to 2"):
        position(table, 3)
    with pytest.raises(DataError, match="no column ''"):
        position(table, "")


def test_the_buffers_of_many_parquet_columns_together_are_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of all columns has its own, whose memory nobody else counts."""
    buffers, real = list[int](), parquet.ParquetFile

    def watched(*arguments: Any, **options: Any) -> Any:
        buffers.append(options.get("buffer_size", 0))
        return real(*arguments, **options)

    count = 300
    parquet.write_table(pa.table({f"c{i}": [i] for i in range(count)}), tmp_path / "a.parquet")
    monkeypatch.setattr(parquet, "ParquetFile", watched)
    _, rows = read(tmp_path / "a.parquet")
    assert rows == [tuple(range(count))]
    assert 0 < count * max(buffers) <= 32 << 20
