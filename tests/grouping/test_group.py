"""From a table to sequences: what DESIGN section 9 promises of grouping, however rows are cut, in memory or spilled."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.files import npz
from seqtool.files.inputs import opened
from seqtool.grouping.group import GroupResult, group_table
from seqtool.grouping.kernel import Grouper
from seqtool.grouping.options import GroupOptions
from seqtool.grouping.workspace import Workspace
from seqtool.operations.pad import carry_out, pad_stream
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.system.memory import Memory
from seqtool.tables import in_memory, json_lines
from seqtool.tables.in_memory import from_array
from seqtool.tables.opening import open_tables
from seqtool.tables.roles import resolve
from seqtool.tables.table import Expected, Table, TextOptions
from tests.cutting import AMPLE, MEMORIES, TIGHT, small_blocks, small_windows
from tests.hunting import examples
from tests.oracles import parts, sequences_of, text_of
from tests.written import rewrite, write

NAN = float("nan")
CUTS = [1, 2, 3, 7]
ROWS = [[1, 2, 3], [3, 0, 2], [1, 1, 4], [2, 1, 2], [0, 1, 1], [2, 0, 3]]  # the mission's
_TEXT_OPTIONS = ("delimiter", "header", "encoding")
_GROUP_OPTIONS = ("dtype", "label_as", "label_value", "keep_row_index", "min_len", "empty_key", "missing")


def cut_up(table: Table, size: int) -> Table:
    """The same table, its batches never more than `size` rows."""
    read = table.read

    def in_pieces(columns: Sequence[int], expected: Expected) -> Iterator[Any]:
        for batch in read(columns, expected):
            for begin in range(0, len(batch), size):
                yield batch.slice(begin, size)

    table.read = in_pieces
    return table


def result_of(table: Table, *, memory: Memory = AMPLE, cut: int | None = None, **options: Any) -> GroupResult:
    """What comes of a table; `options` are those of `resolve` and of GroupOptions."""
    group = GroupOptions(**{name: options.pop(name) for name in _GROUP_OPTIONS if name in options})
    for name in ("key", "order_by", "static"):
        if isinstance(options.get(name), (str, int)):
            options[name] = [options[name]]
    options.setdefault("key", ["k"])
    parts = resolve(table, **options)
    with Spool() as spool:
        result = group_table(cut_up(table, cut) if cut else table, parts, group, Workspace(spool, memory))
        loaded = replace(result, ragged=result.ragged.in_memory())
        if len(result.ragged.values) < 10_000:
            assert saved(result) == saved(
                loaded
            )  # the file is the same, whether arrays are read by windows or not
        return loaded


def result_of_files(
    *paths: Path, memory: Memory = AMPLE, cut: int | None = None, **options: Any
) -> GroupResult:
    text = TextOptions(**{name: options.pop(name) for name in _TEXT_OPTIONS if name in options})
    with opened([str(path) for path in paths]) as found:
        return result_of(open_tables(found, text), memory=memory, cut=cut, **options)


class FromText:
    """Groups text as if it stood in a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def result(self, text: str | bytes, *, suffix: str = ".csv", **options: Any) -> GroupResult:
        path = self.folder / f"rows{suffix}"
        rewrite(path, text if isinstance(text, bytes) else text.encode())
        return result_of_files(path, **options)

    def __call__(self, text: str | bytes, **options: Any) -> Ragged:
        return self.result(text, **options).ragged

    def cells(self, *cells: str, **options: Any) -> Ragged:
        """One feature `a` of one key, from these cells."""
        return self("k,a\n" + "".join(f"x,{cell}\n" for cell in cells), **options)

    def keys(self, *cells: str, **options: Any) -> Any:
        """The keys that come of these cells, one row each."""
        return self("k,a\n" + "".join(f"{cell},1\n" for cell in cells), **options).keys


@pytest.fixture
def grouped(tmp_path: Path) -> FromText:
    return FromText(tmp_path)


def padded(ragged: Ragged, **options: Any) -> Padded:
    return carry_out(pad_stream(ragged, **({"padding": "post"} | options)))


def saved(result: GroupResult) -> bytes:
    """All the bytes of the file that would be written, and of what would be said."""
    file = io.BytesIO()
    write(file, result.ragged, seekable=True)
    options = (result.rows, result.features, result.missing, result.ties)
    return file.getvalue() + repr(options).encode()


def outcome(make: Any) -> bytes | str:
    """What comes out of `make`: the bytes of the result, or that it was refused."""
    try:
        return saved(make())
    except DataError:
        return "refused"


# The mission's six rows.


@MEMORIES
def test_the_six_rows_of_the_mission_give_what_the_design_says(memory: Memory) -> None:
    result = result_of(from_array(np.array(ROWS)), memory=memory, key=2)
    x = padded(result.ragged)
    assert x.keys is not None
    assert x.keys.tolist() == [1, 2, 3, 4]
    assert x.lengths.tolist() == [1, 2, 2, 1]
    assert x.x.tolist() == [
        [[0, 1, 1], [0, 0, 0]],
        [[3, 0, 2], [2, 1, 2]],
        [[1, 2, 3], [2, 0, 3]],
        [[1, 1, 4], [0, 0, 0]],
    ]


@MEMORIES
def test_the_six_rows_are_the_same_from_text(grouped: FromText, memory: Memory) -> None:
    text = "".join(",".join(map(str, row)) + "\n" for row in ROWS)
    from_text = grouped(text, key=2, memory=memory)
    assert parts(from_text) == parts(result_of(from_array(np.array(ROWS)), key=2).ragged)


# Keys.


def test_keys_are_compared_as_written(grouped: FromText) -> None:
    assert grouped.keys("007", "07", "7").tolist() == ["007", "07", "7"]


def test_missing_words_are_keys_like_others(grouped: FromText) -> None:
    assert grouped.keys("NA", "null", "nan", "None").tolist() == ["NA", "None", "nan", "null"]


def test_what_is_said_to_be_missing_is_no_key(grouped: FromText) -> None:
    assert grouped.keys("?", "b", missing=["?"], empty_key="drop").tolist() == ["b"]
    assert grouped.keys("?", "b", missing=["?"], empty_key="keep").tolist() == ["?", "b"]


def test_ids_past_2_to_the_53_stay_apart(grouped: FromText) -> None:
    keys = grouped.keys("9007199254740993", "9007199254740992", "9223372036854775807")
    assert keys.dtype == np.int64
    assert keys.tolist() == [9007199254740992, 9007199254740993, 9223372036854775807]


def test_plain_integers_are_integer_keys_in_numeric_order(grouped: FromText) -> None:
    keys = grouped.keys("10", "9", "-1", "0", "-10")
    assert keys.dtype == np.int64
    assert keys.tolist() == [-10, -1, 0, 9, 10]


@pytest.mark.thinned
@pytest.mark.parametrize(
    "odd", ["07", "+7", "-0", "7.0", " 7", "7 ", "1e3", "0x7", "9223372036854775808", "-07", "x"]
)
@pytest.mark.parametrize("last", [True, False])
def test_one_key_that_is_no_plain_integer_makes_all_text_in_code_point_order(
    grouped: FromText, odd: str, last: bool
) -> None:
    cells = ["10", "9", "2"]
    cells.insert(3 if last else 0, odd)
    for cut in (None, 1):
        keys = grouped.keys(*cells, cut=cut)
        assert keys.dtype.kind == "U"
        assert keys.tolist() == sorted(cells)


@MEMORIES
def test_text_keys_stand_in_code_point_order(grouped: FromText, memory: Memory) -> None:
    cells = ["é", "z", "Z", "\U0001f600", "\uffee", "a b", "ß", "e\u0301", "中", "10", "9"]
    keys = grouped.keys(*cells, memory=memory)
    assert keys.tolist() == sorted(cells)
    assert keys.tolist() != sorted(cells, key=lambda cell: cell.encode("utf-16-be"))


@MEMORIES
def test_each_column_of_a_composite_key_has_its_own_rule(grouped: FromText, memory: Memory) -> None:
    text = "k,j,a\nb,10,1\nb,9,2\na,10,3\nb,10,4\n"
    ragged = grouped(text, key=["k", "j"], memory=memory)
    assert ragged.keys is not None
    assert ragged.keys.tolist() == [["a", "10"], ["b", "9"], ["b", "10"]]  # 9 before 10: numbers
    assert sequences_of(ragged) == [[[3]], [[2]], [[1], [4]]]
    turned = grouped(text, key=["j", "k"], memory=memory)
    assert turned.keys is not None
    assert turned.keys.tolist() == [["9", "b"], ["10", "a"], ["10", "b"]]


def test_a_composite_key_of_integers_is_integers(grouped: FromText) -> None:
    keys = grouped("k,j,a\n2,10,1\n2,9,2\n-1,5,3\n", key=["k", "j"]).keys
    assert keys is not None
    assert keys.dtype == np.int64
    assert keys.tolist() == [[-1, 5], [2, 9], [2, 10]]


def test_parts_of_a_composite_key_do_not_run_into_each_other(grouped: FromText) -> None:
    keys = grouped("k,j,a\nab,c,1\na,bc,2\n", key=["k", "j"]).keys
    assert keys is not None
    assert keys.tolist() == [["a", "bc"], ["ab", "c"]]


def test_whole_numbers_of_a_float_key_column_are_integer_keys() -> None:
    keys = result_of(from_array(np.array([[10.0, 1.5], [9.0, 2.5], [-0.0, 3.5]])), key=0).ragged.keys
    assert keys is not None
    assert keys.dtype == np.int64
    assert keys.tolist() == [0, 9, 10]


def test_a_fraction_among_the_keys_of_an_array_makes_them_text() -> None:
    keys = result_of(from_array(np.array([[10.0, 1], [9.5, 2]])), key=0).ragged.keys
    assert keys is not None
    assert keys.tolist() == ["10", "9.5"]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64", "float16", "float32"])
def test_keys_of_arrays_of_any_dtype_are_integers(dtype: str) -> None:
    keys = result_of(from_array(np.array([[3, 1], [2, 1]], dtype=dtype)), key=0).ragged.keys
    assert keys is not None
    assert keys.dtype == np.int64
    assert keys.tolist() == [2, 3]


def test_nan_in_the_key_column_of_an_array_is_an_empty_key() -> None:
    rows = np.array([[1, 5], [NAN, 6], [NAN, 7]])
    with pytest.raises(DataError, match="key column '0' is empty in 2 of 3 rows"):
        result_of(from_array(rows), key=0)
    dropped = result_of(from_array(rows), key=0, empty_key="drop", columns=[1])
    assert dropped.ragged.keys is not None
    assert dropped.ragged.keys.tolist() == [1]
    assert dropped.rows.dropped["empty key"] == 2
    kept = result_of(from_array(rows), key=0, empty_key="keep", columns=[1])
    assert kept.ragged.keys is not None
    assert kept.ragged.keys.tolist() == ["", "1"]
    assert kept.ragged.lengths.tolist() == [2, 1]


@pytest.mark.parametrize("cell", ["a\0", "\0", "a\0b"])
def test_a_nul_in_a_key_is_an_error(grouped: FromText, cell: str) -> None:
    with pytest.raises(DataError, match=r"line 3001, column 'k': .*without a NUL"):
        grouped("k,a\n" + "x,1\n" * 2999 + f"{cell},1\n")


@pytest.mark.parametrize(
    "part",
    [
        {"label": "n"},
        {"step_label": "n"},
        {"category": "n"},
        {"static": "n", "category": "n"},
    ],
    ids=lambda part: " and ".join(part),
)
def test_a_nul_in_a_name_is_an_error(tmp_path: Path, part: dict[str, Any]) -> None:
    rows = pa.table({"k": [1, 1], "t": [1, 2], "a": [1.0, 2.0], "n": ["b", "a\0"]})
    parquet.write_table(rows, tmp_path / "rows.parquet")
    with pytest.raises(DataError, match=r"row 1, column 'n': .*without a NUL"):
        result_of_files(tmp_path / "rows.parquet", key="k", **part)


def test_a_nul_outside_the_key_and_the_features_does_no_harm(grouped: FromText) -> None:
    rows = "x,1,b\n" * 999 + "x,1,a\0\n"
    assert len(grouped("k,a,z\n" + rows, drop=["z"]).values) == 1000


def test_text_keys_of_more_than_64_mb_are_stored_as_bytes_and_offsets(tmp_path: Path) -> None:
    names = [f"{i:04}" for i in range(1000)]
    names[500] = "y" * 20_000  # 1000 x 20,000 x 4 bytes at fixed width
    rows = "".join(f"{name},{i}\n" for i, name in enumerate(names))
    result = FromText(tmp_path).result("k,a\n" + rows)
    path = tmp_path / "out.npz"
    npz.save(path, result.ragged)
    with np.load(path) as archive:
        assert archive["keys"].dtype == np.uint8
        assert archive["keys_offsets"].dtype == np.int64
        assert archive["keys_offsets"].shape == (1001,)
    again = npz.load(path)
    assert again.keys is not None
    assert again.keys.tolist() == sorted(names)


def test_one_long_part_of_a_composite_key_does_no_harm(grouped: FromText) -> None:
    long = "y" * 5000
    names = [long, *(f"{i}" for i in range(1000))]
    keys = grouped("k,j,a\n" + "".join(f"{name},1,1\n" for name in names), key=["k", "j"]).keys
    assert keys is not None
    assert keys.tolist() == sorted([name, "1"] for name in names)


@MEMORIES
def test_an_empty_key_is_an_error_that_counts_the_rows(grouped: FromText, memory: Memory) -> None:
    with pytest.raises(DataError, match=r"'k' is empty in 2 of 4 rows.*--empty-key drop.*--empty-key keep"):
        grouped('k,a\n,1\nx,2\n"",3\nx,4\n', memory=memory)


@MEMORIES
@pytest.mark.parametrize("cut", [None, 1, 2])
def test_rows_with_an_empty_key_are_dropped_and_counted(
    grouped: FromText, memory: Memory, cut: int | None
) -> None:
    result = grouped.result("k,a\n,1\n7,2\n,3\n7,4\n", memory=memory, cut=cut, empty_key="drop")
    assert (result.rows.rows_in, result.rows.kept, result.rows.dropped["empty key"]) == (4, 2, 2)
    assert result.ragged.keys is not None
    assert result.ragged.keys.dtype == np.int64
    assert sequences_of(result.ragged) == [[[2], [4]]]


@MEMORIES
@pytest.mark.parametrize("cut", [None, 1, 2])
def test_rows_with_an_empty_key_are_kept_as_a_key_of_their_own(
    grouped: FromText, memory: Memory, cut: int | None
) -> None:
    result = grouped.result("k,a\n,1\n7,2\n,3\n7,4\n", memory=memory, cut=cut, empty_key="keep")
    assert result.ragged.keys is not None
    assert result.ragged.keys.tolist() == ["", "7"]
    assert sequences_of(result.ragged) == [[[1], [3]], [[2], [4]]]
    result.rows.check()


def test_an_empty_part_empties_a_composite_key(grouped: FromText) -> None:
    text = "k,j,a\nx,,1\n,y,2\nx,y,3\n,,4\n"
    with pytest.raises(DataError, match="is empty in 2 of 4 rows"):
        grouped(text, key=["k", "j"])
    result = grouped.result(text, key=["k", "j"], empty_key="drop")
    assert result.rows.dropped["empty key"] == 3
    kept = grouped(text, key=["k", "j"], empty_key="keep")
    assert kept.keys is not None
    assert kept.keys.tolist() == [["", ""], ["", "y"], ["x", ""], ["x", "y"]]


def test_nothing_but_empty_keys_leaves_nothing_to_group(grouped: FromText) -> None:
    with pytest.raises(DataError, match="all 2 rows have an empty key"):
        grouped("k,a\n,1\n,2\n", empty_key="drop")


def test_a_blank_is_no_empty_key(grouped: FromText) -> None:
    assert grouped.keys(" ", "x").tolist() == [" ", "x"]


# Order within a key.


@MEMORIES
def test_rows_keep_file_order_within_a_key(grouped: FromText, memory: Memory) -> None:
    rows = [(i * 7919 % 13, i) for i in range(1000)]
    ragged = grouped("k,a\n" + "".join(f"{k},{i}\n" for k, i in rows), memory=memory)
    assert sequences_of(ragged) == [[[i] for k, i in rows if k == key] for key in range(13)]


@MEMORIES
@pytest.mark.parametrize("cut", [None, 1, 3])
def test_order_by_sorts_numbers_and_ties_keep_file_order(
    grouped: FromText, memory: Memory, cut: int | None
) -> None:
    text = "k,t,a\nx,10,0\nx,9,1\nx,-1,2\nx,9.0,3\nx,9.5,4\ny,3,5\nx,9,6\n"
    result = grouped.result(text, order_by="t", memory=memory, cut=cut)
    assert sequences_of(result.ragged) == [[[2], [1], [3], [6], [4], [0]], [[5]]]
    assert result.ties == 2


def test_ties_are_counted_within_a_key_alone(grouped: FromText) -> None:
    assert grouped.result("k,t,a\nx,1,0\ny,1,0\nz,1,0\n", order_by="t").ties == 0
    assert grouped.result("k,t,a\nx,1,0\nx,1,0\nx,1,0\n", order_by="t").ties == 2
    assert grouped.result("k,a\nx,1\nx,1\n").ties == 0


@MEMORIES
def test_several_order_columns_decide_in_turn(grouped: FromText, memory: Memory) -> None:
    text = "k,d,t,a\nx,2,1,0\nx,1,2,1\nx,2,0,2\nx,1,1,3\nx,1,2,4\n"
    result = grouped.result(text, order_by=["d", "t"], memory=memory)
    assert sequences_of(result.ragged) == [[[3], [1], [4], [2], [0]]]
    assert result.ties == 1


def test_order_numbers_past_2_to_the_53_stay_apart(grouped: FromText) -> None:
    text = "k,t,a\nx,9007199254740993,0\nx,9007199254740992,1\nx,9007199254740994,2\n"
    result = grouped.result(text, order_by="t")
    assert sequences_of(result.ragged) == [[[1], [0], [2]]]
    assert result.ties == 0


@pytest.mark.parametrize("cut", [None, 1, 2])
def test_order_numbers_past_2_to_the_53_next_to_fractions_are_refused(
    grouped: FromText, cut: int | None
) -> None:
    with pytest.raises(DataError, match=r"line 2, column 't': '?9007199254740993'?"):
        grouped("k,t,a\nx,9007199254740993,0\nx,9007199254740992,1\nx,0.5,2\n", order_by="t", cut=cut)


TIMES = [  # each list in order of time
    ["0999-01-01", "1969-12-31", "1970-01-01", "2023-12-31", "2024-02-29", "9999-12-31"],
    ["2024-01-31", "2024-01-31T00:00:00.000000001", "2024-01-31T12:00", "2024-01-31 12:00:01", "2024-02-01"],
    [
        "2024-01-31T12:00:00+02:00",
        "2024-01-31T10:30:00Z",
        "2024-01-31T11:00:00Z",
        "2024-01-31T06:00:01-05:00",
    ],
]


@pytest.mark.thinned
@MEMORIES
@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("cut", [None, 1, 2])
def test_iso_dates_and_times_sort_by_time(
    grouped: FromText, memory: Memory, times: list[str], cut: int | None
) -> None:
    shuffled = sorted(range(len(times)), key=lambda i: (i * 5 + 3) % 7)
    text = "k,t,a\n" + "".join(f"x,{times[i]},{i}\n" for i in shuffled)
    assert shuffled != sorted(shuffled)
    assert sequences_of(grouped(text, order_by="t", memory=memory, cut=cut)) == [
        [[i] for i in range(len(times))]
    ]


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("first", [True, False])
def test_blocks_without_any_time_are_missing_values(
    grouped: FromText, times: list[str], first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch, 64)
    rows = [f"x,{time},1\n" for time in times * 4]
    empty = ["x,,1\n"] * 40
    text = "k,t,a\n" + "".join([*empty, *rows] if first else [*rows, *empty])
    with pytest.raises(DataError, match=f"order column 't' is empty in 40 of {40 + len(rows)} rows"):
        grouped(text, order_by="t")


def test_equal_moments_in_two_zones_are_ties(grouped: FromText) -> None:
    text = "k,t,a\nx,2024-01-01T12:00:00+01:00,0\nx,2024-01-01T11:00:00Z,1\n"
    assert grouped.result(text, order_by="t").ties == 1


MIXED = [
    ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00"],
    ["2024-01-01", "5"],
    ["5", "2024-01-01"],
    ["5.5", "2024-01-01T00:00:00Z"],
    ["2024-01-01", "1e3"],
]


@pytest.mark.thinned
@pytest.mark.parametrize("first", MIXED)
@pytest.mark.parametrize("cut", [None, 1, 2, 3])
@pytest.mark.parametrize("lead", [0, 1, 2])
def test_mixed_kinds_in_an_order_column_are_refused(
    grouped: FromText, first: list[str], cut: int | None, lead: int
) -> None:
    cells = [first[0]] * lead + first
    text = "k,t,a\n" + "".join(f"x,{cell},1\n" for cell in cells)
    with pytest.raises(DataError, match="column 't': "):
        grouped(text, order_by="t", cut=cut)


@pytest.mark.parametrize("cells", MIXED)
@pytest.mark.parametrize("cut", [None, 1])
def test_mixed_kinds_in_an_order_column_are_reported_by_the_first_cell_of_another_kind(
    grouped: FromText, cells: list[str], cut: int | None
) -> None:
    text = "k,t,a\n" + "".join(f"x,{cell},1\n" for cell in [cells[0], cells[0], cells[1]])
    with pytest.raises(DataError, match=f"line 4, column 't': '{re.escape(cells[1])}'") as refused:
        grouped(text, order_by="t", cut=cut)
    assert "float64" not in str(refused.value)


@pytest.mark.thinned
@pytest.mark.parametrize(
    "cell", ["12/31/2023", "frame10", "2024-13-01", "20240101x", "12:00", "1_000", "0x1F"]
)
@pytest.mark.parametrize("cut", [None, 1])
def test_text_among_the_numbers_of_an_order_column_is_refused(
    grouped: FromText, cell: str, cut: int | None
) -> None:
    with pytest.raises(DataError, match=f"line 3, column 't': '{cell}'; .* are numbers; correct it"):
        grouped(f"k,t,a\nx,1,1\nx,{cell},1\n", order_by="t", cut=cut)
    with pytest.raises(DataError, match="column 't'"):
        grouped(f"k,t,a\nx,{cell},1\nx,{cell},1\n", order_by="t", cut=cut)


@MEMORIES
def test_order_by_text_compares_code_points(grouped: FromText, memory: Memory) -> None:
    text = "k,t,a\nx,frame2,0\nx,frame10,1\nx,é,2\nx,Z,3\nx,10,4\nx,9,5\n"
    result = grouped(text, order_by="t:text", memory=memory)
    assert sequences_of(result) == [[[4], [5], [3], [1], [0], [2]]]


def test_a_column_named_with_text_at_its_end_is_found(grouped: FromText) -> None:
    text = "k,t:text,a\nx,10,0\nx,9,1\n"
    assert sequences_of(grouped(text, order_by="t:text")) == [[[1], [0]]]
    assert sequences_of(grouped(text, order_by="t:text:text")) == [[[0], [1]]]


@pytest.mark.thinned
@pytest.mark.parametrize("word", ["", "NA", "null", "NaN"])
@pytest.mark.parametrize("other", ["5", "2.5", "2024-01-01", "2024-01-01T00:00:00Z"])
@pytest.mark.parametrize("cut", [None, 1])
def test_a_missing_order_value_is_an_error_with_a_count(
    grouped: FromText, word: str, other: str, cut: int | None
) -> None:
    text = f"k,t,a\nx,{word},0\nx,{other},1\nx,{word},2\nx,{other},3\n"
    with pytest.raises(DataError, match="order column 't' is empty in 2 of 4 rows"):
        grouped(text, order_by="t", cut=cut)


def test_a_missing_order_value_is_an_error_also_for_text(grouped: FromText) -> None:
    with pytest.raises(DataError, match="order column 't' is empty in 1 of 2 rows"):
        grouped("k,t,a\nx,,0\nx,b,1\n", order_by="t:text")


# What is a feature.


def test_in_a_bare_table_every_numeric_column_is_a_feature(grouped: FromText) -> None:
    ragged = grouped("1,2,3\n1,5,6\n", key=0, order_by=2)
    assert ragged.values.tolist() == [[1, 2, 3], [1, 5, 6]]
    assert ragged.features is None


@pytest.mark.parametrize("cut", [None, 1, 2])
def test_in_a_bare_table_a_key_of_text_is_no_feature(grouped: FromText, cut: int | None) -> None:
    result = grouped.result("1,2\nb,3\n1,4\n", key=0, header=False, cut=cut)
    assert result.features == ["1"]
    assert sequences_of(result.ragged) == [[[2], [4]], [[3]]]


def test_keep_key_insists_and_drop_key_declines_in_a_bare_table(grouped: FromText) -> None:
    assert grouped("1,2\n3,4\n", key=0, keep_key=False).values.tolist() == [[2], [4]]
    with pytest.raises(DataError, match="'0'"):
        grouped("1,2\nb,3\n", key=0, header=False, keep_key=True)


def test_in_a_named_table_key_order_label_and_static_columns_are_no_features(grouped: FromText) -> None:
    text = "k,t,y,s,e,a,b\n1,1,0,5,0,2,3\n"
    result = grouped.result(text, order_by="t", label="y", static="s", step_label="e")
    assert result.features == ["a", "b"]
    assert result.ragged.features == ("a", "b")
    assert result.ragged.values.tolist() == [[2, 3]]


def test_columns_names_any_column_as_a_feature_in_its_order(grouped: FromText) -> None:
    text = "k,t,y,s,a,b\n1,2,3,4,5,6\n"
    ragged = grouped(text, order_by="t", label="y", static="s", columns=["b", "s", "y", "t", "k"])
    assert ragged.features == ("b", "s", "y", "t", "k")
    assert ragged.values.tolist() == [[6, 4, 3, 2, 1]]


def test_keep_key_and_drop_decide(grouped: FromText) -> None:
    text = "a,k,b\n1,2,3\n"
    assert grouped(text, keep_key=True).features == ("a", "k", "b")
    assert grouped(text, drop=["a"]).features == ("b",)
    assert grouped(text, columns=["k", "a"], keep_key=False).features == ("a",)


def test_a_bare_table_with_no_numeric_column_leaves_no_feature(grouped: FromText) -> None:
    with pytest.raises(DataError, match="no column is left to be a feature"):
        grouped("x\ny\n", key=0, header=False)


def test_an_unnamed_column_is_left_out_and_that_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "pandas.csv"
    path.write_text(",k,a\n0,x,5\n1,x,6\n", encoding="utf-8")
    with opened([str(path)]) as found:
        table = open_tables(found)
        result = result_of(table)
    assert result.ragged.features == ("a",)
    assert "column 0 has no name and is left out" in table.notes


def test_the_index_that_pandas_writes_to_parquet_is_left_out_too(tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / "pandas.parquet"
    pd.DataFrame({"k": [1, 2], "a": [5, 6]}, index=[9, 4]).to_parquet(path)
    assert result_of_files(path).features == ["a"]


# The header.


def test_a_first_row_without_numbers_is_a_header_and_one_of_numbers_is_data(grouped: FromText) -> None:
    assert grouped.result("k,a\n1,2\n").rows.rows_in == 1
    assert grouped.result("1,2\n1,2\n", key=0).rows.rows_in == 2


def test_a_mixed_first_row_asks_for_the_option(grouped: FromText) -> None:
    with pytest.raises(DataError, match=r"line 1: .*'1'.*'a'.*--header.*--no-header"):
        grouped("a,1\nb,2\n", key=0)
    assert grouped("a,1\nb,2\n", key="a", header=True).features == ("1",)
    assert grouped("a,1\nb,2\n", key=0, header=False).values.tolist() == [[1], [2]]


def test_a_header_alone_holds_no_rows(grouped: FromText) -> None:
    for text in ("k,a\n", "k,a"):
        with pytest.raises(DataError, match="no rows"):
            grouped(text)


# Missing values.


@pytest.mark.thinned
@pytest.mark.parametrize(
    "word", ["", "NA", "na", "Na", "N/A", "n/a", "NULL", "Null", "None", "NaN", "nan", " NA "]
)
@pytest.mark.parametrize("cut", [None, 1])
def test_missing_words_in_any_case_are_nan_and_counted(grouped: FromText, word: str, cut: int | None) -> None:
    result = grouped.result(f"k,a,b\nx,1,2\nx,{word},3\nx,4,{word}\nx,{word},4\n", cut=cut)
    assert result.ragged.values.dtype == np.float32
    assert text_of(result.ragged.values) == text_of([[1.0, 2.0], [NAN, 3.0], [4.0, NAN], [NAN, 4.0]])
    assert result.missing == {"a": 2, "b": 1}


@pytest.mark.parametrize("word", ["-", "?", "missing", "NAN ", "-nan", "nan(1)", "N.A.", "nil", "."])
def test_other_words_are_missing_values_only_if_asked(grouped: FromText, word: str) -> None:
    cells = ["1", "2", "3", word]
    if word.strip().lower() != "nan":
        with pytest.raises(DataError, match=f"line 5, column 'a': '{re.escape(word)}'; .*--missing"):
            grouped.cells(*cells)
    assert text_of(grouped.cells(*cells, missing=[word]).values) == text_of([[1.0], [2.0], [3.0], [NAN]])


def test_a_number_can_be_declared_missing(grouped: FromText) -> None:
    for cut in (None, 1):
        result = grouped.result("k,a\nx,1\nx,-999\n", missing=["-999"], cut=cut)
        assert text_of(result.ragged.values) == text_of([[1.0], [NAN]])
        assert result.missing == {"a": 1}


@pytest.mark.parametrize("cut", [None, 1])
def test_a_missing_value_in_an_integer_dtype_is_an_error(grouped: FromText, cut: int | None) -> None:
    with pytest.raises(DataError, match="line 3, column 'a': a missing value, which int32 cannot hold"):
        grouped.cells("1", "NA", "2", dtype="int32", cut=cut)


# Numbers and their dtype.


def test_integers_alone_give_int64(grouped: FromText) -> None:
    values = grouped.cells("1", "-2", "007", "9223372036854775807", "-9223372036854775808").values
    assert values.dtype == np.int64
    assert values.tolist() == [[1], [-2], [7], [9223372036854775807], [-9223372036854775808]]


@pytest.mark.thinned
@pytest.mark.parametrize("fraction", ["0.5", "1.0", "1e2", ".5", "5."])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("cut", [None, 1, 2])
def test_any_fraction_gives_float32(grouped: FromText, fraction: str, last: bool, cut: int | None) -> None:
    cells = ["1", "2", "3"]
    cells.insert(3 if last else 0, fraction)
    values = grouped.cells(*cells, cut=cut).values
    assert values.dtype == np.float32
    assert values.tolist() == [[float(cell)] for cell in cells]


def test_one_column_of_fractions_makes_all_features_float32(grouped: FromText) -> None:
    values = grouped("k,a,b\nx,1,2\nx,3,0.5\n").values
    assert values.dtype == np.float32
    assert values.tolist() == [[1, 2], [3, 0.5]]


def test_dtype_float64_keeps_doubles(grouped: FromText) -> None:
    values = grouped.cells("0.1", "1e300", dtype="float64").values
    assert values.dtype == np.float64
    assert values.tolist() == [[0.1], [1e300]]


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint16", "float16", "float64", "bool"])
def test_any_dtype_may_be_asked_for(grouped: FromText, dtype: str) -> None:
    values = grouped.cells("1", "0", "1.0", dtype=dtype).values
    assert values.dtype == np.dtype(dtype)
    assert values.astype(int).tolist() == [[1], [0], [1]]


@pytest.mark.parametrize(
    ("cell", "dtype", "way_out"),
    [
        ("300", "int8", "int64"),
        ("-1", "uint8", "int64"),
        ("0.5", "int64", "float32"),
        ("2", "bool", "int64"),
        ("1e300", "float32", "float64"),
        ("70000.5", "float16", "float"),
    ],
)
@pytest.mark.parametrize("cut", [None, 1])
def test_a_number_that_the_dtype_cannot_hold_is_refused_with_line_and_way_out(
    grouped: FromText, cell: str, dtype: str, way_out: str, cut: int | None
) -> None:
    with pytest.raises(DataError, match=rf"line 4, column 'a': .*{dtype} .*choose .*{way_out}"):
        grouped.cells("1", "0", cell, "1", cell, dtype=dtype, cut=cut)


@pytest.mark.parametrize("fraction_first", [True, False])
@pytest.mark.parametrize("cut", [None, 1, 2])
def test_integers_that_float32_cannot_hold_are_refused_next_to_fractions(
    grouped: FromText, fraction_first: bool, cut: int | None
) -> None:
    cells = ["0.5", "16777217"] if fraction_first else ["16777217", "0.5"]
    line = 3 if fraction_first else 2
    with pytest.raises(
        DataError, match=rf"line {line}, column 'a': 16777217(\.0)?, which float32 cannot.*--dtype float64"
    ):
        grouped.cells(*cells, cut=cut)
    assert grouped.cells(*cells, cut=cut, dtype="float64").values.tolist() == [[float(c)] for c in cells]


# 2^53 + 2 is a float64, but no float32.
@pytest.mark.thinned
@pytest.mark.parametrize("integer", ["9007199254740993", "9007199254740994", "-9223372036854775807"])
@pytest.mark.parametrize("other", ["0.5", "1.0", "NA", " 1.5 "])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("cut", [None, 1])
def test_integers_past_2_to_the_53_are_refused_by_float32_however_the_rows_are_cut(
    grouped: FromText, integer: str, other: str, first: bool, cut: int | None
) -> None:
    cells = [integer, other] if first else [other, integer]
    with pytest.raises(DataError, match=f"line {2 if first else 3}, column 'a'"):
        grouped.cells(*cells, cut=cut)


@pytest.mark.thinned
@pytest.mark.parametrize("other", ["1.0", " 5", "2e0"])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("cut", [None, 1])
@MEMORIES
def test_an_integer_is_never_rounded_on_its_way_to_int64(
    grouped: FromText, other: str, first: bool, cut: int | None, memory: Memory
) -> None:
    cells = ["9007199254740993", other] if first else [other, "9007199254740993"]
    try:
        values = grouped.cells(*cells, cut=cut, dtype="int64", memory=memory).values
    except DataError:
        return  # refused is right, rounded is not
    assert values.tolist() == [[int(float(c)) if c == other else int(c)] for c in cells]


@pytest.mark.parametrize("cell", ["9223372036854775809", "99999999999999999999", "-9223372036854775809"])
@pytest.mark.parametrize("dtype", [None, "int64"])
def test_an_integer_past_int64_is_refused_with_its_line(
    grouped: FromText, cell: str, dtype: str | None
) -> None:
    for cut in (None, 1):
        with pytest.raises(DataError, match=rf"line 3, column 'a': '?{cell}"):
            grouped.cells("1", cell, cut=cut, dtype=dtype)


@pytest.mark.thinned
@pytest.mark.parametrize("cell", ["0x1F", "1_000", "1,000", "1d5", "0b1", "abc", "1 000", "--1", "1e", "e5"])
@pytest.mark.parametrize("cut", [None, 1])
def test_what_is_no_number_is_refused_with_its_line(grouped: FromText, cell: str, cut: int | None) -> None:
    with pytest.raises(DataError, match=rf"line 4, column 'a': '{cell}'; a number was expected"):
        grouped.cells("1", "2.5", f'"{cell}"', "3", cut=cut)


@pytest.mark.thinned
@pytest.mark.parametrize("cell", ["1e400", "-1e400", "1" + "0" * 400])
@pytest.mark.parametrize("cut", [None, 1])
@pytest.mark.parametrize("dtype", [None, "float64", "int64"])
def test_a_number_past_float64_is_refused_with_its_line_and_never_infinite(
    grouped: FromText, cell: str, cut: int | None, dtype: str | None
) -> None:
    with pytest.raises(DataError, match=rf"line 3, column 'a': '?{cell[:20]}"):
        grouped.cells("1", cell, "3", cut=cut, dtype=dtype)


@pytest.mark.parametrize("cell", ["0x1F", "0XFF", "1_000", "1e400", "-1e400"])
def test_a_single_cell_that_is_no_number_is_refused(grouped: FromText, cell: str) -> None:
    with pytest.raises(DataError, match="'a'"):
        grouped.cells(cell)


def test_infinities_blanks_and_signs_are_read_as_python_reads_them(grouped: FromText) -> None:
    cells = ["inf", "-inf", "Infinity", " 5 ", "+5", "-0", "1E2", "\t2"]
    for cut in (None, 1):
        assert grouped.cells(*cells, cut=cut).values.tolist() == [[float(cell)] for cell in cells]


def test_blanks_and_signs_do_not_turn_integers_into_fractions(grouped: FromText) -> None:
    for cells in (["1", " 5 "], ["1", "+5"], ["+5", "1"]):
        for cut in (None, 1):
            values = grouped.cells(*cells, cut=cut).values
            assert (values.dtype, values.tolist()) == (np.int64, [[int(cell)] for cell in cells])


@pytest.mark.parametrize("cells", [["true", "false"], ["TRUE", "False"], ["true", "NA", "false"]])
@pytest.mark.parametrize("cut", [None, 1])
def test_true_and_false_are_1_and_0(grouped: FromText, cells: list[str], cut: int | None) -> None:
    numbers = {"true": 1.0, "false": 0.0, "na": NAN}
    values = grouped.cells(*cells, cut=cut).values.astype(float)
    assert text_of(values) == text_of([[numbers[cell.lower()]] for cell in cells])


@pytest.mark.parametrize(
    "cells", [["true", "1"], ["1", "true"], ["0.5", "false", "true"], ["true", "NA", "2"]]
)
def test_true_next_to_numbers_means_the_same_however_the_rows_are_cut(
    grouped: FromText, cells: list[str]
) -> None:
    def come(cut: int | None) -> GroupResult:
        return grouped.result("k,a\n" + "".join(f"x,{cell}\n" for cell in cells), cut=cut)

    whole = outcome(lambda: come(None))
    assert [outcome(lambda cut=cut: come(cut)) for cut in (1, 2)] == [whole, whole]


@pytest.mark.parametrize(
    "rows", [["9007199254740993,1", "1.5,2"], ["1.5,2", "9007199254740993,1"], ["true,1", "1,2"]]
)
def test_a_bare_key_column_is_a_feature_or_not_however_the_rows_are_cut(
    grouped: FromText, rows: list[str]
) -> None:
    def come(cut: int | None) -> GroupResult:
        return grouped.result("\n".join(rows) + "\n", key=0, header=False, cut=cut)

    whole = outcome(lambda: come(None))
    assert outcome(lambda: come(1)) == whole


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "int16", "uint32", "uint64", "float16", "float32", "float64"]
)
@MEMORIES
def test_an_array_keeps_its_dtype(dtype: str, memory: Memory) -> None:
    array = np.array([[1, 0, 1], [0, 1, 1]], dtype=dtype)
    ragged = result_of(from_array(array), key=0, memory=memory).ragged
    assert ragged.values.dtype == np.dtype(dtype)
    assert ragged.values.tolist() == array[[1, 0]].tolist()


@pytest.mark.parametrize("dtype", [">i4", ">f8", "<i8"])
def test_an_array_of_any_byte_order_is_grouped(dtype: str) -> None:
    ragged = result_of(from_array(np.array([[2, 1], [1, 5]], dtype=dtype)), key=0).ragged
    assert ragged.values.tolist() == [[1, 5], [2, 1]]


def test_an_array_keeps_integers_that_no_float_holds() -> None:
    big = 2**64 - 1
    array = np.array([[2, big], [1, big - 1]], dtype=np.uint64)
    assert result_of(from_array(array), key=0).ragged.values.tolist() == [[1, big - 1], [2, big]]


# One error lists every column that cannot be a feature.


def test_every_text_column_is_listed_in_one_error(grouped: FromText) -> None:
    text = "k,a,name,b,day\n" + "x,1,Ann,2.5,2024-01-01\n" * 5
    with pytest.raises(DataError) as refused:
        grouped(text)
    assert refused.value.columns == ["name", "day"]  # type: ignore[attr-defined]
    assert "'Ann'" in str(refused.value)


def test_the_key_of_a_bare_table_is_not_listed_among_them(grouped: FromText) -> None:
    with pytest.raises(DataError) as refused:
        grouped("a,x,1\nb,y,2\n", key=0, header=False)
    assert refused.value.columns == ["1"]  # type: ignore[attr-defined]


def test_one_bad_cell_among_numbers_is_reported_with_its_place(grouped: FromText) -> None:
    with pytest.raises(DataError, match=r"rows.csv: line 1001, column 'a': 'oops'; .*--missing oops$"):
        grouped("k,a\n" + "x,1\n" * 999 + "x,oops\n")
    with pytest.raises(DataError, match=r"column 'a': 'oops'; .*--missing oops; .*--drop a$"):
        grouped("k,a,b\n" + "x,1,1\n" * 999 + "x,oops,1\n")


# Labels, step labels, static columns, row numbers, short sequences.


def test_text_labels_become_class_ids_in_sorted_order(grouped: FromText) -> None:
    ragged = grouped("k,a,y\n2,1,walk\n1,2,Run\n3,3,sit\n2,4,walk\n", label="y")
    assert ragged.per_sequence["y"].tolist() == [0, 2, 1]
    assert ragged.per_sequence["y"].dtype == np.int64
    assert ragged.names["classes"].tolist() == ["Run", "sit", "walk"]


def test_whole_numbers_become_class_ids_in_numeric_order(grouped: FromText) -> None:
    ragged = grouped("k,a,y\n1,1,10\n2,2,9\n3,3,-1\n", label="y")
    assert ragged.per_sequence["y"].tolist() == [2, 1, 0]
    assert ragged.names["classes"].tolist() == [-1, 9, 10]


def test_fractions_stay_numbers(grouped: FromText) -> None:
    ragged = grouped("k,a,y\n1,1,0.5\n2,2,3\n", label="y")
    assert ragged.per_sequence["y"].dtype == np.float32
    assert ragged.per_sequence["y"].tolist() == [0.5, 3.0]
    assert "classes" not in ragged.names


def test_label_as_decides(grouped: FromText) -> None:
    text = "k,a,y\n1,1,10\n2,2,9\n"
    number = grouped(text, label="y", label_as="number")
    assert number.per_sequence["y"].tolist() == [10, 9]
    assert "classes" not in number.names
    fractions = grouped("k,a,y\n1,1,0.5\n2,2,0.25\n", label="y", label_as="class")
    assert fractions.per_sequence["y"].tolist() == [1, 0]
    assert fractions.names["classes"].tolist() == ["0.25", "0.5"]
    with pytest.raises(DataError, match="label 'b' is not a number; use --label-as class"):
        grouped("k,a,y\n1,1,0.5\n2,2,b\n", label="y", label_as="number")


@pytest.mark.parametrize("label_as", [None, "number"])
@pytest.mark.parametrize("labels", [["0.5", "16777217"], ["0.5", "1e300"], ["0.5", "9007199254740993"]])
def test_a_label_that_float32_cannot_hold_is_refused(
    grouped: FromText, labels: list[str], label_as: Any
) -> None:
    text = "k,a,y\n" + "".join(f"{i},1,{label}\n" for i, label in enumerate(labels))
    with pytest.raises(DataError, match=r"16777217|1e\+?300|9007199254740993"):
        grouped(text, label="y", label_as=label_as)


def test_number_labels_past_2_to_the_53_are_exact(grouped: FromText) -> None:
    ragged = grouped("k,a,y\n1,1,9007199254740993\n2,2,9007199254740992\n", label="y", label_as="number")
    assert ragged.per_sequence["y"].tolist() == [9007199254740993, 9007199254740992]
    classes = grouped("k,a,y\n1,1,9007199254740993\n2,2,9007199254740992\n", label="y")
    assert classes.per_sequence["y"].tolist() == [1, 0]


@MEMORIES
@pytest.mark.parametrize("cut", [None, 1, 2])
def test_a_label_that_changes_within_a_key_names_key_both_values_and_the_option(
    grouped: FromText, memory: Memory, cut: int | None
) -> None:
    text = "k,a,y\nu1,1,cat\nu2,2,dog\nu1,3,cat\nu2,4,cow\n"
    with pytest.raises(
        DataError,
        match="column 'y' changes from 'dog' to 'cow' within key u2; for one label per step, use --step-label y",
    ):
        grouped(text, label="y", memory=memory, cut=cut)


def test_the_changing_key_of_several_columns_is_named_whole(grouped: FromText) -> None:
    with pytest.raises(DataError, match="within key u, 7;"):
        grouped("k,j,a,y\nu,7,1,c\nu,7,1,d\n", key=["k", "j"], label="y")


def test_a_missing_label_is_an_error_with_a_count(grouped: FromText) -> None:
    for option in ("label", "step_label"):
        with pytest.raises(DataError, match="label column 'y' is empty in 2 of 3 rows"):
            grouped("k,a,y\n1,1,\n2,2,b\n3,3,\n", **{option: "y"})


def test_a_label_may_be_called_none(grouped: FromText) -> None:
    ragged = grouped("k,a,y\n1,1,none\n2,2,NA\n3,3,null\n", label="y")
    assert ragged.names["classes"].tolist() == ["NA", "none", "null"]


def test_what_an_empty_key_takes_along_is_never_looked_at(grouped: FromText) -> None:
    ragged = grouped("k,a,y\n1,1,a\n,oops,ghost\n,2,\n2,2,b\n", label="y", empty_key="drop")
    assert ragged.names["classes"].tolist() == ["a", "b"]
    with pytest.raises(DataError, match="line 5, column 'a': 'bad'"):
        grouped("k,a\n1,1\n,2\n1,3\n1,bad\n1,4\n", empty_key="drop")


@MEMORIES
def test_step_labels_ride_along_and_are_padded_with_their_own_value(
    grouped: FromText, memory: Memory
) -> None:
    text = "k,t,a,y\n1,2,1,b\n2,1,2,c\n1,1,3,a\n"
    ragged = grouped(text, order_by="t", step_label="y", memory=memory)
    x = padded(ragged)
    assert x.per_step["step_y"].data.tolist() == [[0, 1], [2, -100]]
    assert x.names["classes"].tolist() == ["a", "b", "c"]
    other = padded(grouped(text, order_by="t", step_label="y", label_value=-1, memory=memory), padding="pre")
    assert other.per_step["step_y"].data.tolist() == [[0, 1], [-1, 2]]


@pytest.mark.parametrize("value", [0.5, NAN, 1e30])
def test_a_label_value_that_the_labels_cannot_hold_is_refused(grouped: FromText, value: float) -> None:
    with pytest.raises((DataError, UsageError)):
        padded(grouped("k,a,y\n1,1,b\n2,2,c\n1,1,b\n", step_label="y", label_value=value))


def test_label_and_step_label_have_their_own_classes(grouped: FromText) -> None:
    ragged = grouped("k,a,y,e\n1,1,cat,on\n1,1,cat,off\n", label="y", step_label="e")
    assert ragged.names["classes"].tolist() == ["cat"]
    assert ragged.names["step_classes"].tolist() == ["off", "on"]
    assert ragged.per_step["step_y"].data.tolist() == [1, 0]


def test_static_columns_come_once_a_sequence(grouped: FromText) -> None:
    ragged = grouped("k,a,s,r\n2,1,10,1\n1,2,20,1\n2,3,10,1\n", static=["r", "s"])
    assert ragged.per_sequence["static"].tolist() == [[1, 20], [1, 10]]
    assert ragged.per_sequence["static"].dtype == np.int64
    assert ragged.names["static_features"].tolist() == ["r", "s"]
    fractions = grouped("k,a,s,r\n2,1,NA,1\n1,2,0.5,1\n2,3,NA,1\n", static=["s", "r"])
    assert text_of(fractions.per_sequence["static"]) == text_of([[0.5, 1.0], [NAN, 1.0]])
    assert fractions.per_sequence["static"].dtype == np.float32


@pytest.mark.parametrize("cut", [None, 1])
def test_a_static_column_that_changes_is_an_error(grouped: FromText, cut: int | None) -> None:
    with pytest.raises(DataError, match=r"column 's' changes from 10 to 11 within key 2; .*--static s"):
        grouped("k,a,s\n2,1,10\n1,2,20\n2,3,11\n", static="s", cut=cut)


def test_static_numbers_are_float64_where_float32_would_change_one(grouped: FromText) -> None:
    static = grouped("k,a,s,r\n2,1,16777217,0.5\n", static=["s", "r"]).per_sequence["static"]
    assert (static.dtype, static[:].tolist()) == (np.float64, [[16777217.0, 0.5]])
    with pytest.raises(
        DataError, match=r"line 2, static column 's': 9007199254740993.*; --static r --drop s"
    ):
        grouped("k,a,s,r\n2,1,9007199254740993,0.5\n", static=["s", "r"])


@MEMORIES
@pytest.mark.parametrize("cut", [None, 1, 2])
def test_row_index_tells_each_steps_row_in_the_input(
    grouped: FromText, memory: Memory, cut: int | None
) -> None:
    text = "k,t,a\n2,3,0\n,0,0\n1,2,0\n2,1,0\n2,2,0\n"
    ragged = grouped(text, order_by="t", keep_row_index=True, empty_key="drop", memory=memory, cut=cut)
    x = padded(ragged)
    assert x.per_step["row_index"].data.tolist() == [[2, -1, -1], [3, 4, 0]]
    assert x.per_step["row_index"].data.dtype == np.int64


def test_row_index_runs_on_over_several_files(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"{i}.csv").write_text(f"k,a\n{i % 2},5\n0,6\n", encoding="utf-8")
    ragged = result_of_files(*(tmp_path / f"{i}.csv" for i in range(3)), keep_row_index=True).ragged
    assert sequences_of(ragged, ragged.per_step["row_index"].data) == [[0, 1, 3, 4, 5], [2]]


def test_short_sequences_are_dropped_and_counted_with_all_that_is_theirs(grouped: FromText) -> None:
    result = grouped.result("k,a,y\n1,1,p\n2,2,q\n2,3,q\n3,4,r\n", label="y", min_len=2, keep_row_index=True)
    assert result.rows.dropped == {"empty key": 0, "sequence under 2 steps": 2}
    result.rows.check()
    assert result.ragged.keys is not None
    assert result.ragged.keys.tolist() == [2]
    assert result.ragged.per_sequence["y"].tolist() == [1]
    assert result.ragged.per_step["row_index"].data.tolist() == [1, 2]
    none = grouped.result("k,a\n1,1\n", min_len=2)
    assert none.ragged.values.shape == (0, 1)
    assert padded(none.ragged, maxlen=4).x.shape == (0, 4, 1)


def test_a_negative_min_len_is_refused(grouped: FromText) -> None:
    with pytest.raises(UsageError, match="min_len is -1"):
        grouped("k,a\n1,1\n", min_len=-1)


def test_an_unknown_dtype_is_refused(grouped: FromText) -> None:
    with pytest.raises(UsageError, match="complex64"):
        grouped("k,a\n1,1\n", dtype="complex64")


# What comes out never depends on how the rows were cut, nor on how much memory there is.

ALL_OPTIONS: dict[str, Any] = {
    "order_by": ["t"],
    "label": "y",
    "step_label": "e",
    "static": ["s"],
    "keep_row_index": True,
    "empty_key": "drop",
    "min_len": 2,
}


def wide_rows(count: int = 120) -> list[list[str]]:
    """Rows with an odd value of each kind somewhere, each in a row of its own."""
    rows = []
    for i in range(count):
        key = i * 7 % 11
        rows.append([str(key), str(i * 31 % 17), f"c{key % 3}", f"e{i % 5}", str(key), str(i), str(-i)])
    rows[40][0] = "007"
    rows[41][0] = ""
    rows[50][1] = "8.5"
    rows[60][5] = "NA"
    rows[70][5] = "0.25"
    rows[80][6] = " 12 "
    rows[90][4] = rows[90][0] + ".0"
    rows[40][4] = "1"
    return rows


WIDE = ["k", "t", "y", "e", "s", "a", "b"]


def as_csv(rows: Sequence[Sequence[str]], header: Sequence[str] = WIDE) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    return stream.getvalue()


@pytest.mark.thinned
@MEMORIES
@pytest.mark.parametrize("cut", [None, *CUTS])
def test_csv_gives_the_same_bytes_in_any_memory_and_from_all_cuts(
    grouped: FromText, memory: Memory, cut: int | None
) -> None:
    text = as_csv(wide_rows())
    expected = saved(grouped.result(text, **ALL_OPTIONS))
    assert saved(grouped.result(text, memory=memory, cut=cut, **ALL_OPTIONS)) == expected


@pytest.mark.thinned
@MEMORIES
@pytest.mark.parametrize("size", CUTS)
def test_json_lines_give_the_same_bytes_from_all_cuts(
    grouped: FromText, memory: Memory, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    rows = wide_rows()
    expected = saved(grouped.result(as_csv(rows), **ALL_OPTIONS))
    text = "".join(json.dumps(dict(zip(WIDE, row, strict=True))) + "\n" for row in rows)
    monkeypatch.setattr(json_lines, "_CELLS", size * len(WIDE))
    assert saved(grouped.result(text, suffix=".jsonl", memory=memory, **ALL_OPTIONS)) == expected


def typed_table(rows: Sequence[Sequence[str]]) -> Any:
    columns = list(zip(*rows, strict=True))
    floats = [[None if cell == "NA" else float(cell) for cell in columns[i]] for i in (1, 4, 5, 6)]
    arrays = [
        pa.array([cell or None for cell in columns[0]]),
        pa.array(floats[0]),
        pa.array(columns[2]).dictionary_encode(),
        pa.array(columns[3], pa.large_string()),
        pa.array(floats[1]),
        pa.array(floats[2]),
        pa.array([int(number) for number in floats[3] if number is not None]),
    ]
    return pa.table(arrays, names=WIDE)


@pytest.mark.thinned
@MEMORIES
@pytest.mark.parametrize("size", [*CUTS, 1000])
def test_parquet_gives_the_same_bytes_from_all_row_groups(tmp_path: Path, memory: Memory, size: int) -> None:
    table = typed_table(wide_rows())
    whole, groups = tmp_path / "whole.parquet", tmp_path / "groups.parquet"
    parquet.write_table(table, whole)
    parquet.write_table(table, groups, row_group_size=size)
    expected = saved(result_of_files(whole, **ALL_OPTIONS))
    assert saved(result_of_files(groups, memory=memory, **ALL_OPTIONS)) == expected
    assert saved(result_of_files(groups, memory=memory, cut=2, **ALL_OPTIONS)) == expected


@pytest.mark.thinned
@MEMORIES
@pytest.mark.parametrize("size", CUTS)
@pytest.mark.parametrize("stream", [True, False])
def test_arrow_gives_the_same_bytes_from_all_batches(
    tmp_path: Path, memory: Memory, size: int, stream: bool
) -> None:
    table = typed_table(wide_rows())
    whole, pieces = tmp_path / "whole.parquet", tmp_path / "pieces.arrow"
    parquet.write_table(table, whole)
    opener = pa.ipc.new_stream if stream else pa.ipc.new_file
    table = table.unify_dictionaries()
    with opener(pieces, table.schema) as writer:
        writer.write_table(table, max_chunksize=size)
    expected = saved(result_of_files(whole, **ALL_OPTIONS))
    assert saved(result_of_files(pieces, memory=memory, **ALL_OPTIONS)) == expected


@pytest.mark.thinned
@MEMORIES
@pytest.mark.parametrize("size", CUTS)
def test_arrays_give_the_same_bytes_from_all_cuts(
    memory: Memory, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = np.array([[i * 7 % 5, i % 3, i / 4] for i in range(50)])
    array[20, 2] = NAN
    expected = saved(result_of(from_array(array), key=0, order_by=1))
    monkeypatch.setattr(in_memory, "BATCH_BYTES", size * 8 * array.shape[1])
    assert saved(result_of(from_array(array), key=0, order_by=1, memory=memory)) == expected


@pytest.mark.thinned
@MEMORIES
@pytest.mark.parametrize("files", [2, 3, 40])
def test_files_give_the_same_bytes_however_the_rows_are_split_into_them(
    tmp_path: Path, memory: Memory, files: int
) -> None:
    rows = wide_rows()
    whole = tmp_path / "whole.csv"
    whole.write_text(as_csv(rows), encoding="utf-8")
    borders = [len(rows) * i // files for i in range(files + 1)]
    paths = [tmp_path / f"part{i:03}.csv" for i in range(files)]
    for path, begin, end in zip(paths, borders, borders[1:], strict=False):
        path.write_text(as_csv(rows[begin:end]), encoding="utf-8")
    expected = saved(result_of_files(whole, **ALL_OPTIONS))
    assert saved(result_of_files(*paths, memory=memory, **ALL_OPTIONS)) == expected
    assert saved(result_of_files(tmp_path / "part*.csv", memory=memory, **ALL_OPTIONS)) == expected


ODD = [  # one cell that changes what a column is, and the column it stands in
    (0, "007"),
    (0, "x"),
    (0, "9223372036854775808"),
    (1, "2.5"),
    (5, "0.5"),
    (5, "NA"),
    (5, ""),
    (5, " 7 "),
    (5, "1e3"),
    (4, "0.5"),
    (2, "0.5"),
    (3, "2024"),
]


@pytest.mark.thinned
@pytest.mark.parametrize(("column", "cell"), ODD)
def test_the_first_odd_value_may_stand_anywhere(grouped: FromText, column: int, cell: str) -> None:
    for place in (0, 5, 11):
        rows = [["5", "1", "1", "1", "3", str(i), "2"] for i in range(12)]
        rows[place][column] = cell
        if column != 0:
            rows[place][0] = "9"  # a key of its own, for label and static columns
        text = as_csv(rows)
        options = ALL_OPTIONS | {"min_len": 0}
        expected = saved(grouped.result(text, **options))
        for cut in (1, 3):
            for memory in (AMPLE, TIGHT):
                assert saved(grouped.result(text, cut=cut, memory=memory, **options)) == expected


# Hypothesis against Python's csv module and plain loops.

PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
MISSING = {"", "na", "n/a", "null", "none", "nan"}
tricky_keys = st.sampled_from(
    [
        "7",
        "07",
        "007",
        "+7",
        "-7",
        "-0",
        "0",
        "10",
        "9",
        "NA",
        "null",
        "nan",
        " 7",
        "7 ",
        "7.0",
        "é",
        "Z",
        "z",
        "a,b",
        'say "hi"',
        "two\nlines",
        "\U0001f600",
        "\uffee",
        "9007199254740993",
        "9007199254740992",
        "0x7",
        "x" * 50,
        "9223372036854775808",
    ]
)
integer_keys = st.integers(-20, 20).map(str) | st.integers(-(2**63), 2**63 - 1).map(str)
free_keys = st.text(
    st.characters(exclude_characters="\0\r\ufeff", exclude_categories=["Cs"]), min_size=1, max_size=4
)
integer_cells = st.integers(-(2**24), 2**24).map(str) | st.integers(0, 9).map("{:03}".format)
fraction_cells = st.floats(-(2.0**99), 2.0**99, width=32).map(repr) | st.sampled_from(
    [".5", "5.", "1e3", "-2E-2", "0.0"]
)
missing_cells = st.sampled_from(["", "NA", "n/a", "NULL", "None", "nan", "NaN", " NA "])
spaced_cells = st.integers(-99, 99).map(" {} ".format)


@st.composite
def csv_tables(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    """A CSV text with the columns k, a, b, and its rows."""
    count = draw(st.integers(1, 12))
    keys = draw(st.sampled_from([integer_keys, tricky_keys, free_keys, integer_keys | tricky_keys]))
    kinds = [
        integer_cells,
        integer_cells | fraction_cells,
        integer_cells | missing_cells,
        integer_cells | fraction_cells | missing_cells | spaced_cells,
    ]
    pool = draw(st.lists(keys, min_size=1, max_size=4))
    columns = [st.sampled_from(pool), draw(st.sampled_from(kinds)), draw(st.sampled_from(kinds))]
    rows = [[draw(cell) for cell in columns] for _ in range(count)]
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator=draw(st.sampled_from(["\n", "\r\n"])), quoting=quoting)
    writer.writerows([["k", "a", "b"], *rows])
    return stream.getvalue(), rows


def expected_of(rows: list[list[str]]) -> tuple[list[Any], str, list[list[list[float]]]]:
    """Keys, dtype and sequences, by plain loops; -0 is 0, as an integer or not."""
    written = {row[0] for row in rows}
    plain = all(PLAIN_INTEGER.fullmatch(key) and -(2**63) <= int(key) < 2**63 for key in written)
    keys = sorted(written, key=int) if plain else sorted(written)
    cells = [cell.strip() for row in rows for cell in row[1:]]
    whole = all(re.fullmatch(r"[+-]?[0-9]+", cell) for cell in cells)

    def number(cell: str) -> Any:
        if cell.strip().lower() in MISSING:
            return NAN
        return int(cell) if whole else np.float32(float(cell) + 0.0).item()

    sequences = [[[number(cell) for cell in row[1:]] for row in rows if row[0] == key] for key in keys]
    return [int(key) if plain else key for key in keys], "int64" if whole else "float32", sequences


@given(
    drawn=csv_tables(),
    cut=st.sampled_from([None, *CUTS]),
    memory=st.sampled_from([AMPLE, TIGHT]),
)
@settings(max_examples=examples(100))
def test_any_csv_is_grouped_as_plain_loops_over_pythons_csv_module_do(
    scratch: Path, drawn: tuple[str, list[list[str]]], cut: int | None, memory: Memory
) -> None:
    text, written = drawn
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row][1:]
    assert rows == written
    result = FromText(scratch).result(text, cut=cut, memory=memory)
    keys, dtype, sequences = expected_of(rows)
    assert result.ragged.keys is not None
    assert result.ragged.keys.tolist() == keys
    assert result.ragged.values.dtype == np.dtype(dtype)
    assert text_of(sequences_of(result.ragged)) == text_of(sequences)
    assert result.rows.rows_in == result.rows.kept == len(rows)
    missing = [sum(row[i].strip().lower() in MISSING for row in rows) for i in (1, 2)]
    assert result.missing == {n: m for n, m in zip(["a", "b"], missing, strict=True) if m}


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["1", "2", "x", ""]), st.integers(0, 99)), min_size=1, max_size=30
    ),
    empty_key=st.sampled_from(["drop", "keep"]),
    min_len=st.integers(0, 4),
    cut=st.sampled_from([None, 1, 3]),
)
@settings(max_examples=examples(60))
def test_every_row_is_kept_or_dropped_for_a_reason(
    scratch: Path, rows: list[tuple[str, int]], empty_key: str, min_len: int, cut: int | None
) -> None:
    text = "k,a\n" + "".join(f"{key},{a}\n" for key, a in rows)
    counts: dict[str, int] = {}
    for key, _ in rows:
        counts[key] = counts.get(key, 0) + 1
    empty = counts.pop("", 0) if empty_key == "drop" else 0
    if not counts:
        with pytest.raises(DataError, match="empty key"):
            FromText(scratch).result(text, empty_key=empty_key, min_len=min_len, cut=cut)
        return
    result = FromText(scratch).result(text, empty_key=empty_key, min_len=min_len, cut=cut)
    short = sum(count for count in counts.values() if count < min_len)
    assert result.rows.rows_in == len(rows)
    assert result.rows.kept == len(result.ragged.values) == len(rows) - empty - short
    assert dict(result.rows.dropped) == {"empty key": empty, f"sequence under {min_len} steps": short}
    result.rows.check()


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-2, 2), st.integers(0, 3)), min_size=1, max_size=40)
)
@settings(max_examples=examples(60))
def test_sorting_is_that_of_python_which_is_stable(rows: list[tuple[int, int, int]]) -> None:
    array = np.array(rows)
    result = result_of(from_array(array), key=0, order_by=[1, 2], keep_row_index=True)
    order = sorted(range(len(rows)), key=lambda i: rows[i])
    assert result.ragged.per_step["row_index"].data.tolist() == order
    assert result.ties == sum(rows[i] == rows[j] for i, j in pairwise(order))


# The parser's block borders.


def test_the_result_of_small_blocks_is_that_of_one(
    grouped: FromText, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = wide_rows(2000)
    rows[1500][5] = "two"
    text = as_csv(rows)
    expected = saved(grouped.result(text, missing=["two"], **ALL_OPTIONS))
    for block in (1 << 10, 1 << 12, 5000):
        small_blocks(monkeypatch, block)
        assert saved(grouped.result(text, missing=["two"], **ALL_OPTIONS)) == expected


WIDTH = len("00001,000,0000\n")
BORDER_BLOCK = 1 << 12


def border_lines(blocks: int = 2) -> list[int]:
    """Lines on both sides of the parser's first block borders."""
    return [
        border // WIDTH + shift
        for border in range(BORDER_BLOCK, (blocks + 1) * BORDER_BLOCK, BORDER_BLOCK)
        for shift in (-1, 0, 1, 2)
    ]


def with_cell(line: int, column: int, cell: str, lines: int = 1600) -> str:
    """A header and integer rows of equal width, one cell of them exchanged."""
    rows = [
        ["kkkkk", "ttt", "aaaa"],
        *([f"{i % 7 + 10000}", f"{i % 900 + 100}", f"{i % 9000 + 1000}"] for i in range(lines)),
    ]
    rows[line - 1][column] = cell.rjust(len(rows[1][column])) if cell.strip() and column == 2 else cell
    return "".join(",".join(row) + "\n" for row in rows)


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("column", "cell"), [(2, "2.5"), (2, "NA"), (2, ""), (2, " 7"), (0, "0007x"), (0, "00007"), (1, "2.5")]
)
def test_the_first_odd_value_at_a_block_border_gives_what_one_block_gives(
    grouped: FromText, column: int, cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in border_lines():
        text = with_cell(line, column, cell)
        expected = saved(grouped.result(text, key="kkkkk", order_by="ttt"))
        with monkeypatch.context() as patch:
            small_blocks(patch, BORDER_BLOCK)
            assert saved(grouped.result(text, key="kkkkk", order_by="ttt")) == expected


@pytest.mark.parametrize(
    "cell", ["oops", *(pytest.param(one, marks=pytest.mark.slow) for one in ("0x1F", "1_00"))]
)
def test_a_bad_number_at_a_block_border_is_reported_by_its_line(
    grouped: FromText, cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch, BORDER_BLOCK)
    for line in [2, *border_lines(), 1600, 1601]:
        with pytest.raises(DataError, match=rf"line {line}, column 'aaaa': ' *{cell}'"):
            grouped(with_cell(line, 2, cell), key="kkkkk", order_by="ttt")


def test_a_bad_number_alone_in_the_last_block_is_reported_by_its_line(
    grouped: FromText, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch, BORDER_BLOCK)
    for lines in range(2 * BORDER_BLOCK // WIDTH - 2, 2 * BORDER_BLOCK // WIDTH + 4):
        with pytest.raises(DataError, match=rf"line {lines}, column 'aaaa': 'oops'; a number was expected"):
            grouped(with_cell(lines, 2, "oops", lines=lines - 1), key="kkkkk", order_by="ttt")


@MEMORIES
@pytest.mark.parametrize("dtype", [None, "float64"])
def test_typed_files_of_other_number_types_give_the_same_in_any_memory(
    tmp_path: Path, memory: Memory, dtype: str | None
) -> None:
    kinds = [pa.float32(), pa.int64(), pa.uint8(), pa.int16(), pa.int8(), pa.bool_()]
    for i, kind in enumerate(kinds):
        cells = pa.array([1, 0]).cast(kind)
        if kind == pa.int64() and dtype:
            cells = pa.array([2**24 + 1, 0])
        parquet.write_table(pa.table({"k": [i % 2, 5], "a": cells}), tmp_path / f"{i}.parquet")
    paths = [tmp_path / f"{i}.parquet" for i in range(len(kinds))]
    result = result_of_files(*paths, dtype=dtype, memory=memory)
    big = 2**24 + 1 if dtype else 1
    assert result.ragged.values.dtype == np.dtype(dtype or "float32")
    assert sequences_of(result.ragged) == [[[1], [1], [1]], [[big], [1], [1]], [[0]] * 6]


def test_rows_that_the_kernel_lost_stop_the_work(grouped: FromText, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are counted where bytes become records, so what is lost behind that shows."""

    class Losing(Grouper):
        def add(self, batch: Any, pool: Any = None) -> None:
            super().add({name: cells[1:] for name, cells in batch.items()}, pool)

    monkeypatch.setattr("seqtool.grouping.group.Grouper", Losing)
    with pytest.raises(AssertionError):
        grouped("k,a\n1,2\n1,3\n")


# Where the rows are kept.


@pytest.mark.parametrize(("memory", "spilled"), [(AMPLE, False), (TIGHT, True)])
def test_rows_go_to_the_disk_only_where_memory_does_not_hold_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: Memory, spilled: bool
) -> None:
    small_windows(monkeypatch)

    class Watched(Spool):
        stored = 0

        def append(self, array: Any) -> Any:
            self.stored += array.nbytes
            return super().append(array)

    path = tmp_path / "rows.csv"
    path.write_text("k,a\n" + "".join(f"{i % 7},{i}\n" for i in range(200)), encoding="utf-8")
    with opened([str(path)]) as found, Watched(tmp_path) as spool:
        table = open_tables(found)
        group_table(table, resolve(table, key=["k"]), GroupOptions(), Workspace(spool, memory))
        assert (spool.stored > 0) == spilled
    assert [*tmp_path.iterdir()] == [path]
