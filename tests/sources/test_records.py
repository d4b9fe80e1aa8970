import contextlib
import gzip
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import opened
from seqtool.sources.options import Sequences
from seqtool.sources.read import read_sequences
from tests import oracles
from tests.sources.options import source_options
from tests.written import rewrite


def read(path: Path, **options: Any) -> Sequences:
    with opened([str(path)]) as found:
        return read_sequences(found[0], source_options(**options))


def lists(found: Sequences) -> list[list[Any]]:
    return oracles.sequences_of(found.ragged)


def text(folder: Path, content: str, name: str = "in.json") -> Path:
    rewrite(folder / name, content.encode())
    return folder / name


def jsonl(folder: Path, *records: Any, name: str = "in.jsonl") -> Path:
    return text(folder, "".join(json.dumps(record) + "\n" for record in records), name)


# JSON: documents and lines


sequences = st.lists(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4), min_size=1, max_size=5)


@given(sequences, st.sampled_from([None, 1]))
def test_a_document_and_lines_hold_the_same(scratch: Path, rows: list[list[int]], indent: int | None) -> None:
    document = text(scratch, json.dumps(rows, indent=indent))
    lines = jsonl(scratch, *rows)
    for result in (read(document), read(lines)):
        assert lists(result) == rows
        assert result.steps == sum(map(len, rows))
        assert result.ragged.values.dtype == np.int64 or not result.steps


@given(st.lists(st.lists(st.integers(-5, 5), max_size=3), min_size=2, max_size=5))
def test_lines_are_told_from_a_document_whatever_the_name(scratch: Path, rows: list[list[int]]) -> None:
    content = "".join(json.dumps(row) + "\n" for row in rows)
    assert lists(read(text(scratch, content, "in.json"))) == rows
    assert lists(read(text(scratch, content, "in.data"))) == rows


@pytest.mark.parametrize("name", ["in.jsonl", "in.ndjson", "IN.JSONL", "in.jsonl.gz", "in.ndjson.gz"])
def test_one_line_of_a_file_of_lines_is_one_sequence_of_steps(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = b"[[1, 2], [3, 4]]\n"
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert lists(read(path)) == [[[1, 2], [3, 4]]]


def test_one_line_of_a_document_is_all_its_sequences(tmp_path: Path) -> None:
    assert lists(read(text(tmp_path, "[[1, 2], [3]]"))) == [[1, 2], [3]]
    assert lists(read(text(tmp_path, '[{"x": [1, 2]}, {"x": [3]}]'))) == [[1, 2], [3]]
    assert lists(read(text(tmp_path, "[[[1, 2], [3, 4]], [[5, 6]]]"))) == [[[1, 2], [3, 4]], [[5, 6]]]


def test_one_line_with_one_sequence_is_that_sequence(tmp_path: Path) -> None:
    assert lists(read(text(tmp_path, "[1, 2, 3]"))) == [[1, 2, 3]]
    assert lists(read(text(tmp_path, '{"x": [1, 2, 3]}'))) == [[1, 2, 3]]


def test_empty_lines_between_records_are_no_sequences(tmp_path: Path) -> None:
    assert lists(read(text(tmp_path, "\n[1, 2]\n\n   \n[]\r\n[3]\n\n", "in.jsonl"))) == [[1, 2], [], [3]]


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    for name in ("in.json", "in.data"):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf[[1], [2, 3]]")
        assert lists(read(tmp_path / name)) == [[1], [2, 3]]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("[]", "in.json"),
        ("[\n]", "in.json"),
        *((" \n" * i, f"in.{s}") for i in (1, 3) for s in ("json", "jsonl")),
    ],
)
def test_a_file_without_sequences_is_refused_by_its_name(tmp_path: Path, content: str, name: str) -> None:
    path = text(tmp_path, content, name)
    with pytest.raises(DataError, match="no sequences") as error:
        read(path)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize("name", ["in.json", "in.jsonl"])
def test_bytes_that_are_not_utf_8_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b'[["\xe9"]]\n')
    with pytest.raises(DataError, match="not UTF-8"):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "name", "place"),
    [
        ("[1, 2]\n[3,, 4]\n[5]\n", "in.jsonl", "line 2, column 4"),
        ("[1, 2]\n\n[3\n[5]\n", "in.jsonl", "line 3"),
        ("[[1, 2],\n [3, x]]\n", "in.json", "line 2, column 6"),
        ("[[1, 2]", "in.json", "line 1, column 8"),
        ("[1] [2]", "in.json", "line 1, column 5"),
    ],
)
def test_text_that_is_no_json_is_refused_with_its_place(
    tmp_path: Path, content: str, name: str, place: str
) -> None:
    with pytest.raises(DataError, match="not JSON") as error:
        read(text(tmp_path, content, name))
    assert place in str(error.value)


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("name", ["in.json", "in.jsonl"])
def test_text_nested_too_deeply_is_refused(tmp_path: Path, rows: int, name: str) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    with pytest.raises(DataError, match=r"line 1.*nested too deeply"):
        read(text(tmp_path, f"{deep}\n" * rows, name))


def test_lists_below_steps_are_refused_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 2: the sequence"):
        read(jsonl(tmp_path, [[1, 2]], [[[1, 2]]], [[3, 4]]))


def test_a_gzip_whose_checksum_is_wrong_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl.gz"
    rng = np.random.default_rng(0)
    packed = bytearray(gzip.compress(json.dumps(rng.integers(0, 9, 60_000).tolist()).encode() + b"\n"))
    packed[-8] ^= 1
    path.write_bytes(packed)
    with pytest.raises(DataError, match="damaged") as error:
        read(path)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_packed_json_that_is_cut_short_is_refused(tmp_path: Path, packing: str) -> None:
    content = json.dumps(np.random.default_rng(0).integers(0, 9, 60_000).tolist()).encode() + b"\n"
    whole = gzip.compress(content) if packing == "gz" else pa.compress(content, "zstd", asbytes=True)
    path = tmp_path / f"in.jsonl.{packing}"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError):
        read(path)


def test_packed_json_reads_as_the_same(tmp_path: Path) -> None:
    content = b"[[1, 2], [3]]\n"
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(content))
    (tmp_path / "a.json.zst").write_bytes(pa.compress(content, "zstd", asbytes=True))
    assert lists(read(tmp_path / "a.json.gz")) == lists(read(tmp_path / "a.json.zst")) == [[1, 2], [3]]


# JSON: numbers


def test_whole_numbers_give_int64_and_any_fraction_float32(tmp_path: Path) -> None:
    assert read(jsonl(tmp_path, [1, 2], [3])).ragged.values.dtype == np.int64
    assert read(jsonl(tmp_path, [1, 2], [3.5])).ragged.values.dtype == np.float32
    assert read(jsonl(tmp_path, [1, 2], [3.5]), dtype="float64").ragged.values.dtype == np.float64


def test_sequences_without_any_step_can_be_read(tmp_path: Path) -> None:
    assert lists(read(jsonl(tmp_path, [], []))) == [[], []]


def test_null_and_nan_become_nan_with_a_warning_that_counts_them(tmp_path: Path) -> None:
    result = read(text(tmp_path, "[1, null]\n[NaN, 4, null]\n", "in.jsonl"))
    assert oracles.text_of(lists(result)) == oracles.text_of([[1.0, math.nan], [math.nan, 4.0, math.nan]])
    assert result.ragged.values.dtype == np.float32
    assert result.warnings == ["3 missing values became NaN"]


def test_null_among_features_becomes_nan(tmp_path: Path) -> None:
    result = read(jsonl(tmp_path, [[1, None], [2, 3]], [[None, None]]))
    assert oracles.text_of(lists(result)) == oracles.text_of(
        [[[1.0, math.nan], [2.0, 3.0]], [[math.nan] * 2]]
    )
    assert result.warnings == ["3 missing values became NaN"]


def test_a_null_has_no_place_among_integers_that_were_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing value, which int64 cannot hold"):
        read(jsonl(tmp_path, [1, None]), dtype="int64")


def test_whole_numbers_up_to_64_bits_stay_exact(tmp_path: Path) -> None:
    assert lists(read(jsonl(tmp_path, [2**63 - 1], [-(2**63)]))) == [[2**63 - 1], [-(2**63)]]
    assert lists(read(jsonl(tmp_path, [2**64 - 1], [2**64 - 2]))) == [[2**64 - 1], [2**64 - 2]]


def test_whole_numbers_past_int64_stay_whole(tmp_path: Path) -> None:
    values = read(text(tmp_path, f"[1]\n[{2**64 - 1}]\n", "in.jsonl")).ragged.values
    assert (values.dtype, values.tolist()) == (np.uint64, [1, 2**64 - 1])


PAST_FLOATS: list[list[Any]] = [
    [2**64 + 1],
    [-(2**63) - 1],
    [2**64 - 1, -1],
    [2**53 + 1, 0.5],
    [2**53 + 1, None],
    [2**63 + 1, 0.5],
]


@pytest.mark.parametrize("row", PAST_FLOATS)
def test_whole_numbers_that_no_type_holds_are_rounded_where_that_is_asked_for(
    tmp_path: Path, row: list[Any]
) -> None:
    path = text(tmp_path, f"[1]\n{json.dumps(row)}\n", "in.jsonl")
    with pytest.raises(DataError, match="--dtype float64 rounds them"):
        read(path)
    found = read(path, dtype="float64")
    assert np.array_equal(
        found.ragged.values[1:], [np.nan if n is None else float(n) for n in row], equal_nan=True
    )
    assert found.warnings[0].startswith("1 whole number was rounded to float64, which")


@pytest.mark.parametrize(
    ("row", "dtype"),
    [
        ([2**24 + 1, 0.5], None),
        ([2**24 + 1, None], None),
        ([1e39], None),
        ([0.5], "int64"),
        ([10**5000], None),
    ],
)
def test_a_number_that_would_change_is_refused(tmp_path: Path, row: list[Any], dtype: str | None) -> None:
    spelled = ", ".join("1" + "0" * 5000 if n == 10**5000 else json.dumps(n) for n in row)
    path = text(tmp_path, f"[1]\n[{spelled}]\n", "in.jsonl")
    with pytest.raises(DataError) as error:
        read(path, dtype=dtype)
    assert str(error.value).startswith(str(path))


def test_a_number_that_does_not_fit_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="16777217") as error:
        read(jsonl(tmp_path, [1.5], [2, 3], [4, 16777217]))
    assert "line 3" in str(error.value)


def test_true_and_false_count_as_one_and_zero(tmp_path: Path) -> None:
    assert lists(read(jsonl(tmp_path, [True, 2], [False]))) == [[1, 2], [0]]


@pytest.mark.parametrize("bad", ["x", {"a": 1}, [], [1, 2]])
def test_a_step_that_is_no_number_is_refused_with_its_line(tmp_path: Path, bad: Any) -> None:
    with pytest.raises(DataError, match=r"line 2: the sequence\[1\]"):
        read(jsonl(tmp_path, [1, 2], [3, bad], [4]))


def test_numbers_between_quotes_are_refused_as_what_they_are(tmp_path: Path) -> None:
    for rows in ([["1", "2"], ["3"]], [[1, "2"], [3]], [[["1"]], [["2"]]]):
        with pytest.raises(DataError, match=r"line 1.*'[12]'"):
            read(jsonl(tmp_path, *rows))


@pytest.mark.parametrize(
    "rows", [[[[1, 2]], [[3]]], [[[1, 2], [3]]], [[[1, 2]], [3]], [[1], [[2, 3]]], [[[1, 2]], [[3, 4], []]]]
)
def test_steps_of_different_width_are_refused_with_the_line_of_the_record(
    tmp_path: Path, rows: list[Any]
) -> None:
    with pytest.raises(DataError, match=r"features|a number") as error:
        read(jsonl(tmp_path, [], *rows))
    line = len(rows) + 1  # the last record is the one that differs
    assert f": line {line}: the sequence[" in str(error.value)


def test_a_record_of_a_document_is_named_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"record 2: the sequence\[0\]"):
        read(text(tmp_path, json.dumps([[1], [2], ["x"]], indent=1)))


@pytest.mark.parametrize("record", [3, "x", None, True, {"a": [1]}])
def test_a_record_that_is_no_list_is_refused_with_its_line(tmp_path: Path, record: Any) -> None:
    with pytest.raises(DataError, match=r"line 2: .*a list of numbers or of steps was expected"):
        read(jsonl(tmp_path, [1], record))


# JSON: objects


OBJECTS = [
    {"id": "b", "input_ids": [1, 2, 3], "label": "cat", "other": [0]},
    {"id": "a", "input_ids": [4], "label": "dog", "other": [0, 0]},
    {"id": "c", "input_ids": [], "label": "cat", "other": []},
]


def as_json(folder: Path, rows: list[dict[str, Any]]) -> Path:
    return jsonl(folder, *rows)


def as_document(folder: Path, rows: list[dict[str, Any]]) -> Path:
    return text(folder, json.dumps(rows, indent=2))


def as_parquet(folder: Path, rows: list[dict[str, Any]]) -> Path:
    parquet.write_table(pa.Table.from_pylist(rows), folder / "in.parquet")
    return folder / "in.parquet"


def as_feather(folder: Path, rows: list[dict[str, Any]]) -> Path:
    feather.write_feather(pa.Table.from_pylist(rows), folder / "in.feather")
    return folder / "in.feather"


def as_stream(folder: Path, rows: list[dict[str, Any]]) -> Path:
    return stream(folder, pa.Table.from_pylist(rows))


def stream(folder: Path, table: Any, name: str = "in.arrows") -> Path:
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    rewrite(folder / name, file.getvalue())
    return folder / name


every_form = pytest.mark.parametrize("form", [as_json, as_document, as_parquet, as_feather, as_stream])
Form = Callable[[Path, list[dict[str, Any]]], Path]


@every_form
def test_objects_and_columns_give_sequences_with_labels_and_keys(tmp_path: Path, form: Form) -> None:
    result = read(form(tmp_path, OBJECTS), array="input_ids", label="label", key="id")
    assert lists(result) == [[1, 2, 3], [4], []]
    assert result.ragged.values.dtype == np.int64
    assert result.ragged.keys is not None
    assert np.asarray(result.ragged.keys).tolist() == ["b", "a", "c"]
    assert result.ragged.per_sequence["y"].tolist() == [0, 1, 0]
    assert result.ragged.names["classes"].tolist() == ["cat", "dog"]
    assert result.steps == 4


@every_form
def test_the_only_list_needs_no_name(tmp_path: Path, form: Form) -> None:
    rows = [{"id": row["id"], "input_ids": row["input_ids"]} for row in OBJECTS]
    assert lists(read(form(tmp_path, rows))) == [[1, 2, 3], [4], []]


@every_form
def test_several_lists_need_a_name(tmp_path: Path, form: Form) -> None:
    with pytest.raises(
        DataError, match="several lists; choose one of input_ids, other, such as --array input_ids"
    ):
        read(form(tmp_path, OBJECTS))


@every_form
def test_objects_without_a_list_are_refused(tmp_path: Path, form: Form) -> None:
    with pytest.raises(DataError, match="no list"):
        read(form(tmp_path, [{"a": 1, "b": "x"}]))


@every_form
@pytest.mark.parametrize("option", ["array", "label", "key"])
def test_a_name_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path, form: Form, option: str
) -> None:
    options = {"array": "input_ids", option: "nope"}
    with pytest.raises(DataError, match="'nope'") as error:
        read(form(tmp_path, OBJECTS), **options)
    assert "input_ids" in str(error.value)
    assert "label" in str(error.value)


@every_form
def test_a_name_for_something_that_is_no_list_is_refused(tmp_path: Path, form: Form) -> None:
    with pytest.raises(DataError, match=r"list|a number was expected"):
        read(form(tmp_path, OBJECTS), array="label")


@pytest.mark.parametrize("option", ["array", "label", "key"])
def test_a_field_that_one_record_lacks_is_named_with_its_line(tmp_path: Path, option: str) -> None:
    rows = [{"x": [1], "y": 0, "k": 1}, {"x": [2], "y": 1, "k": 2}]
    name = {"array": "x", "label": "y", "key": "k"}[option]
    del rows[1][name]
    with pytest.raises(DataError, match=f"line 2: no field '{name}'|no label 'y', the first at line 2"):
        read(jsonl(tmp_path, *rows), array="x", label="y", key="k")


def test_a_list_among_objects_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 2: no field 'x'"):
        read(jsonl(tmp_path, {"x": [1]}, [2]))


@pytest.mark.parametrize("options", [{"array": "x"}, {"label": "y"}, {"key": "k"}])
def test_lists_have_no_fields_to_name(tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="--array, --label and --key"):
        read(jsonl(tmp_path, [1], [2]), **options)


@pytest.mark.parametrize("options", [{"lengths": "n"}, {"input_padding": "pre"}])
def test_records_are_not_padded(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"--(lengths|input-padding) describes padded arrays"):
        read(jsonl(tmp_path, [1], [2]), **options)


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("labels", "y", "classes"),
    [
        ([3, 1, 3], [1, 0, 1], [1, 3]),
        ([10, 9, 10], [1, 0, 1], [9, 10]),
        (["b", "a", "b"], [1, 0, 1], ["a", "b"]),
        ([0.5, 1.25, 2.0], [0.5, 1.25, 2.0], None),
        ([True, False, True], [1, 0, 1], ["false", "true"]),
        ([2**60 + 1, 2**60, 2**60 + 1], [1, 0, 1], [2**60, 2**60 + 1]),
    ],
)
@every_form
def test_labels_become_classes_unless_they_are_fractions(
    tmp_path: Path, form: Form, labels: list[Any], y: list[Any], classes: list[Any] | None
) -> None:
    rows = [{"x": [1], "y": label} for label in labels]
    result = read(form(tmp_path, rows), label="y").ragged
    assert result.per_sequence["y"].tolist() == y
    assert ("classes" in result.names) == (classes is not None)
    if classes is not None:
        assert result.names["classes"].tolist() == classes
        assert result.per_sequence["y"].dtype == np.int64


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([7, 3, 2**63 - 1], [7, 3, 2**63 - 1]),
        (["7", "3", "-1"], [7, 3, -1]),
        (["007", "07", "7"], ["007", "07", "7"]),
        (["NA", "null", "nan"], ["NA", "null", "nan"]),
        ([1.0, 2.5, 3.0], ["1", "2.5", "3"]),
    ],
)
@every_form
def test_keys_are_integers_where_all_are_plain_ones(
    tmp_path: Path, form: Form, keys: list[Any], expected: list[Any]
) -> None:
    result = read(form(tmp_path, [{"x": [1], "k": key} for key in keys]), key="k").ragged
    assert result.keys is not None
    assert np.asarray(result.keys).tolist() == expected


@every_form
@pytest.mark.parametrize("empty", [None, ""])
def test_a_sequence_without_a_key_is_refused(tmp_path: Path, form: Form, empty: Any) -> None:
    rows = [{"x": [1], "k": "a"}, {"x": [2], "k": empty}]
    with pytest.raises(DataError, match=r"1 sequences? ha[sv]e? no key"):
        read(form(tmp_path, rows), key="k")


@every_form
@pytest.mark.parametrize("empty", [None, ""])
def test_a_sequence_without_a_label_is_refused(tmp_path: Path, form: Form, empty: Any) -> None:
    rows = [{"x": [1], "y": "a"}, {"x": [2], "y": empty}]
    with pytest.raises(DataError, match=r"1 sequences? ha[sv]e? no label"):
        read(form(tmp_path, rows), label="y")


@pytest.mark.parametrize("option", ["key", "label"])
@pytest.mark.parametrize("cells", [[[1], [2]], [{"a": 1}, {"a": 2}], ["a", 1], [1, "a"], [1, [2]]])
def test_keys_and_labels_of_a_wrong_kind_are_refused(tmp_path: Path, option: str, cells: list[Any]) -> None:
    path = jsonl(tmp_path, *({"x": [1], "k": cell} for cell in cells))
    with pytest.raises(DataError, match="one text or number each") as error:
        read(path, array="x", **{option: "k"})
    assert str(error.value).startswith(str(path))


def test_a_nul_in_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        read(jsonl(tmp_path, {"x": [1], "k": "a\0"}, {"x": [1], "k": "a"}), key="k")


@pytest.mark.parametrize("option", ["key", "label"])
def test_ids_beyond_64_bits_are_refused_or_kept_apart(tmp_path: Path, option: str) -> None:
    ids = [2**64 + 1, 2**64 + 2]
    result = None
    with contextlib.suppress(DataError):
        result = read(jsonl(tmp_path, *({"x": [1], "k": key} for key in ids)), **{option: "k"}).ragged
    text = None if result is None else result.keys if option == "key" else result.names["classes"]
    assert text is None or [int(key) for key in np.asarray(text).tolist()] == ids


# List columns


def column(folder: Path, array: Any, name: str = "x") -> Path:
    table = pa.table({name: array})
    parquet.write_table(table, folder / "in.parquet")
    return folder / "in.parquet"


KINDS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]


@pytest.mark.thinned
@pytest.mark.parametrize("kind", [*KINDS, "float16", "bool"])
@pytest.mark.parametrize("outer", [pa.list_, pa.large_list])
def test_a_list_column_keeps_its_type(tmp_path: Path, kind: str, outer: Any) -> None:
    rows = [[True, False], [], [True]] if kind == "bool" else [[1, 2], [], [3]]
    arrow = pa.from_numpy_dtype(np.dtype(kind))
    cells = [np.array(row, dtype=kind) for row in rows]
    path = stream(tmp_path, pa.table({"x": pa.array(cells, outer(arrow))}))
    result = read(path)
    assert lists(result) == rows
    assert result.ragged.values.dtype == np.dtype(kind)
    assert result.steps == 3


@given(
    st.lists(st.lists(st.integers(-99, 99), max_size=3), max_size=6),
    st.sampled_from([pa.list_, pa.large_list]),
    st.integers(0, 3),
    st.integers(1, 3),
)
def test_chunks_and_slices_of_a_column_do_not_matter(
    scratch: Path, rows: list[list[int]], outer: Any, begin: int, size: int
) -> None:
    whole = pa.array(rows, outer(pa.int32()))
    chunks = [whole.slice(i, size) for i in range(begin, len(rows), size)]
    table = pa.table({"x": pa.chunked_array(chunks, whole.type)})
    result = read(stream(scratch, table))
    assert lists(result) == rows[begin:]
    assert len(result.ragged) == max(0, len(rows) - begin)


@given(
    st.lists(st.lists(st.lists(st.integers(-9, 9), min_size=2, max_size=2), max_size=3), max_size=5),
    st.sampled_from(["list", "large_list", "fixed_size_list"]),
    st.integers(0, 2),
    st.integers(1, 3),
)
def test_a_column_of_lists_of_lists_has_features(
    scratch: Path, rows: list[Any], kind: str, begin: int, size: int
) -> None:
    inner = {
        "list": pa.list_(pa.float32()),
        "large_list": pa.large_list(pa.float32()),
        "fixed_size_list": pa.list_(pa.float32(), 2),
    }[kind]
    whole = pa.array(rows, pa.list_(inner))
    chunks = [whole.slice(i, size) for i in range(begin, len(rows), size)]
    result = read(stream(scratch, pa.table({"x": pa.chunked_array(chunks, whole.type)})))
    assert lists(result) == rows[begin:]
    assert result.ragged.values.dtype == np.float32


@given(st.lists(st.lists(st.integers(-9, 9), min_size=3, max_size=3), max_size=5), st.integers(0, 2))
def test_a_column_of_lists_of_one_size_is_read(scratch: Path, rows: list[list[int]], begin: int) -> None:
    whole = pa.array(rows, pa.list_(pa.int16(), 3))
    result = read(stream(scratch, pa.table({"x": whole.slice(begin)})))
    assert lists(result) == rows[begin:]
    assert result.ragged.values.dtype == np.int16


def test_a_column_whose_steps_have_a_known_width_keeps_it_without_steps(tmp_path: Path) -> None:
    empty = pa.array([[], []], pa.list_(pa.list_(pa.float32(), 3)))
    assert read(stream(tmp_path, pa.table({"x": empty}))).ragged.values.shape == (0, 3)


def test_steps_that_are_lists_of_one_size_and_sliced_inside_keep_their_place(tmp_path: Path) -> None:
    rows = [[[1, 2], [3, 4]], [[5, 6]], [], [[7, 8]]]
    whole = pa.array(rows, pa.list_(pa.list_(pa.int64(), 2)))
    table = pa.table({"x": whole.slice(1, 3)})
    parquet.write_table(table, tmp_path / "in.parquet")
    assert lists(read(tmp_path / "in.parquet")) == rows[1:]
    assert lists(read(stream(tmp_path, table))) == rows[1:]


def test_a_view_of_lists_is_refused_or_read(tmp_path: Path) -> None:
    result = None
    with contextlib.suppress(DataError):
        result = read(stream(tmp_path, pa.table({"x": pa.array([[1, 2], [3]], pa.list_view(pa.int64()))})))
    assert result is None or lists(result) == [[1, 2], [3]]


@pytest.mark.parametrize("kind", ["float32", "float64", "float16"])
def test_null_numbers_become_nan_in_their_own_type(tmp_path: Path, kind: str) -> None:
    arrow = pa.from_numpy_dtype(np.dtype(kind))
    numbers = pa.array(np.array([1.5, 0, 2.5], kind), mask=np.array([False, True, False]), type=arrow)
    lists_ = pa.ListArray.from_arrays(pa.array([0, 2, 3], pa.int32()), numbers)
    result = read(stream(tmp_path, pa.table({"x": lists_})))
    assert oracles.text_of(lists(result)) == oracles.text_of([[1.5, math.nan], [2.5]])
    assert result.ragged.values.dtype == np.dtype(kind)
    assert result.warnings == ["1 missing value became NaN"]


@pytest.mark.parametrize("kind", ["int8", "int64", "uint64", "bool"])
def test_null_among_whole_numbers_makes_floats_of_them(tmp_path: Path, kind: str) -> None:
    arrow = pa.from_numpy_dtype(np.dtype(kind))
    rows = [[True, None], [False]] if kind == "bool" else [[1, None], [0]]
    result = read(stream(tmp_path, pa.table({"x": pa.array(rows, pa.list_(arrow))})))
    assert oracles.text_of(lists(result)) == oracles.text_of([[1.0, math.nan], [0.0]])
    assert result.ragged.values.dtype.kind == "f"


def test_null_among_whole_numbers_that_no_float_holds_is_refused(tmp_path: Path) -> None:
    path = stream(tmp_path, pa.table({"x": pa.array([[2**53 + 1, None]], pa.list_(pa.int64()))}))
    with pytest.raises(DataError, match="9007199254740993") as error:
        read(path)
    assert str(error.value).startswith(str(path))


def test_a_null_list_is_refused_with_its_row(tmp_path: Path) -> None:
    path = column(tmp_path, pa.array([[1], [2], None, [3]], pa.list_(pa.int64())))
    with pytest.raises(DataError, match="row 2 of 'x' is null"):
        read(path)


def test_a_null_step_is_refused(tmp_path: Path) -> None:
    path = column(tmp_path, pa.array([[[1, 2], None], [[3, 4]]], pa.list_(pa.list_(pa.int64()))))
    with pytest.raises(DataError, match="a step of 'x' is null"):
        read(path)


def test_steps_of_different_width_in_a_column_are_refused(tmp_path: Path) -> None:
    path = column(tmp_path, pa.array([[[1, 2]], [[3]]], pa.list_(pa.list_(pa.int64()))))
    with pytest.raises(DataError, match="different numbers of features"):
        read(path)


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.string()),
        pa.list_(pa.date32()),
        pa.list_(pa.struct([("a", pa.int64())])),
        pa.list_(pa.list_(pa.string())),
        pa.list_(pa.list_(pa.list_(pa.int64()))),
        pa.list_(pa.list_(pa.struct([("a", pa.int64())]))),
        pa.list_(pa.dictionary(pa.int32(), pa.string())),
        pa.map_(pa.string(), pa.int64()),
    ],
    ids=str,
)
def test_a_list_column_of_anything_but_numbers_is_refused(tmp_path: Path, kind: Any) -> None:
    path = stream(tmp_path, pa.table({"x": pa.array([[], []], kind)}))
    with pytest.raises(DataError, match="lists of numbers were expected") as error:
        read(path, array="x")
    assert str(error.value).startswith(str(path))


def test_a_struct_column_is_no_list_of_sequences(tmp_path: Path) -> None:
    table = pa.table({"s": pa.array([{"a": 1}]), "x": pa.array([[1, 2]])})
    path = stream(tmp_path, table)
    assert lists(read(path)) == [[1, 2]]
    with pytest.raises(DataError, match="lists of numbers were expected"):
        read(path, array="s")


@pytest.mark.parametrize("chunks", [1, 2])
def test_a_dictionary_column_gives_labels_and_keys(tmp_path: Path, chunks: int) -> None:
    first = pa.table({"x": [[1], [2, 3]], "c": pa.array(["b", "a"]).dictionary_encode()})
    second = pa.table({"x": [[4]], "c": pa.array(["c"]).dictionary_encode()})
    table = pa.concat_tables([first, second][:chunks])
    parquet.write_table(table, tmp_path / "in.parquet")
    feather.write_feather(table.unify_dictionaries(), tmp_path / "in.feather")
    for name in ("in.parquet", "in.feather"):
        result = read(tmp_path / name, label="c", key="c").ragged
        names = ["b", "a", "c"][: chunks + 1]
        assert result.keys is not None
        assert np.asarray(result.keys).tolist() == names
        assert result.names["classes"].tolist() == sorted(names)
        assert result.per_sequence["y"].tolist() == [sorted(names).index(name) for name in names]


def test_a_stream_whose_dictionary_changes_gives_the_same_labels(tmp_path: Path) -> None:
    batches = [
        pa.record_batch({"x": pa.array([[1]]), "c": pa.array([name]).dictionary_encode()})
        for name in ("b", "a", "b")
    ]
    file = io.BytesIO()
    with pa.ipc.new_stream(file, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    (tmp_path / "in.arrows").write_bytes(file.getvalue())
    assert read(tmp_path / "in.arrows", label="c").ragged.per_sequence["y"].tolist() == [1, 0, 1]


@given(st.lists(st.sampled_from(["a", "b", "7", "é"]), min_size=1, max_size=6), st.integers(1, 3))
def test_chunks_of_the_label_and_the_key_do_not_matter(scratch: Path, names: list[str], size: int) -> None:
    keys = [f"{name}{i}" for i, name in enumerate(names)]
    table = pa.table({"x": [[1]] * len(names), "c": names, "k": keys})
    parts = [table.slice(i, size) for i in range(0, len(names), size)]
    result = read(stream(scratch, pa.concat_tables(parts)), label="c", key="k").ragged
    whole = read(stream(scratch, table.combine_chunks(), "whole.arrows"), label="c", key="k").ragged
    assert oracles.parts(result) == oracles.parts(whole)


def test_row_groups_of_a_parquet_file_do_not_matter(tmp_path: Path) -> None:
    table = pa.table({"x": [[i] * (i % 3) for i in range(20)], "k": list(range(20))})
    parquet.write_table(table, tmp_path / "in.parquet", row_group_size=3)
    result = read(tmp_path / "in.parquet", key="k")
    assert lists(result) == table["x"].to_pylist()
    assert result.ragged.keys is not None
    assert np.asarray(result.ragged.keys).tolist() == list(range(20))


def test_a_table_without_rows_has_no_sequences(tmp_path: Path) -> None:
    result = read(column(tmp_path, pa.array([], pa.list_(pa.float32()))))
    assert len(result.ragged) == 0
    assert result.ragged.values.shape == (0,)
    assert result.ragged.values.dtype == np.float32


@pytest.mark.parametrize("form", [as_parquet, as_feather, as_stream])
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, form: Form) -> None:
    path = form(tmp_path, OBJECTS * 100)
    whole = path.read_bytes()
    for kept in (len(whole) // 2, len(whole) - 20, 8):
        path.write_bytes(whole[:kept])
        with pytest.raises(DataError, match="damaged") as error:
            read(path, array="input_ids")
        assert str(error.value).startswith(str(path))
