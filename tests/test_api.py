"""`st.group`: one function for DataFrames, arrays and files."""

import inspect
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import seqtool as st
from seqtool.errors import UsageError
from seqtool.sequences.ragged import Padded, Ragged
from tests.holders import Capsule
from tests.oracles import parts, text_of
from tests.peers import peer

NAN = float("nan")
ROWS = [[1, 2, 3], [3, 0, 2], [1, 1, 4], [2, 1, 2], [0, 1, 1], [2, 0, 3]]
EVENTS = pd.DataFrame(
    {
        "user": ["u2", "u1", "u2", "u1", "u2"],
        "time": [3, 9, 1, 2, 2],
        "a": [1.5, 2.5, 3.5, 4.5, 5.5],
        "b": [1, 2, 3, 4, 5],
        "kind": ["x", "y", "x", "y", "x"],
        "age": [30, 40, 30, 40, 30],
    }
)


def test_the_mission_in_one_call() -> None:
    grouped = st.group(np.array(ROWS), key=2)
    assert isinstance(grouped, Padded)
    assert grouped.padding == "post"
    assert grouped.keys is not None
    assert grouped.keys.tolist() == [1, 2, 3, 4]
    assert grouped.lengths.tolist() == [1, 2, 2, 1]
    assert grouped.x.tolist() == [
        [[0, 1, 1], [0, 0, 0]],
        [[3, 0, 2], [2, 1, 2]],
        [[1, 2, 3], [2, 0, 3]],
        [[1, 1, 4], [0, 0, 0]],
    ]


def test_a_named_frame() -> None:
    grouped = st.group(EVENTS, key="user", order_by="time", label="kind", static="age")
    assert grouped.features == ("a", "b")
    assert grouped.x.dtype == np.float32
    assert grouped.x.tolist() == [[[4.5, 4], [2.5, 2], [0, 0]], [[3.5, 3], [5.5, 5], [1.5, 1]]]
    assert grouped.per_sequence["y"].tolist() == [1, 0]
    assert grouped.names["classes"].tolist() == ["x", "y"]
    assert grouped.per_sequence["static"].tolist() == [[40], [30]]


def files_of(frame: pd.DataFrame, folder: Path) -> dict[str, Path]:
    paths = {
        name: folder / name for name in ("t.csv", "t.tsv", "t.csv.gz", "t.parquet", "t.feather", "t.jsonl")
    }
    for name in ("t.csv", "t.csv.gz"):
        frame.to_csv(paths[name], index=False)
    frame.to_csv(paths["t.tsv"], index=False, sep="\t")
    frame.to_parquet(paths["t.parquet"], index=False)
    frame.to_feather(paths["t.feather"])
    frame.to_json(paths["t.jsonl"], orient="records", lines=True)
    return paths


OPTIONS: dict[str, Any] = {
    "key": "user",
    "order_by": "time",
    "label": "kind",
    "static": ["age"],
    "step_label": "b",
}


def without_dialect(entry: Any) -> Any:
    """The arguments of an entry, but for how its text was read."""
    dialect = ("header", "delimiter", "encoding")
    return {name: held for name, held in entry["arguments"].items() if name not in dialect}


def parts_of(source: Any, **options: Any) -> Any:
    """What a source gives, but for the names of files in the receipt."""
    output = st.group(source, **options)
    receipt = [{**entry, "inputs": [], "arguments": without_dialect(entry)} for entry in output.receipt]
    assert [entry["rows"]["in"] for entry in receipt] == [int(output.lengths.sum())]
    return parts(output.replace(receipt=tuple(receipt)))


def test_a_frame_and_every_file_of_it_give_the_same(tmp_path: Path) -> None:
    expected = parts_of(EVENTS, **OPTIONS)
    for path in files_of(EVENTS, tmp_path).values():
        assert parts_of(path, **OPTIONS) == expected, path
        assert parts_of(str(path), **OPTIONS) == expected, path


def test_an_array_and_every_form_of_it_give_the_same(tmp_path: Path) -> None:
    array = np.array(ROWS)
    expected = parts_of(array, key=2, order_by=1)
    np.save(tmp_path / "t.npy", array)
    np.savez(tmp_path / "t.npz", array)
    np.savetxt(tmp_path / "t.csv", array, fmt="%d", delimiter=",")
    for source in (pd.DataFrame(array), *(tmp_path / name for name in ("t.npy", "t.npz", "t.csv"))):
        assert parts_of(source, key=2, order_by=1) == expected


def test_tables_of_other_libraries_give_the_same_as_files() -> None:
    table = pa.Table.from_pandas(EVENTS, preserve_index=False)
    expected = parts_of(EVENTS, **OPTIONS)
    for data in (
        table,
        table.combine_chunks().to_batches()[0],
        Capsule(table),
        table.to_reader(max_chunksize=2),
    ):
        assert parts_of(data, **OPTIONS) == expected
    views = table.set_column(0, "user", table["user"].cast(pa.string_view()))
    assert parts_of(views, **OPTIONS) == expected
    # Made anew, for pyarrow before 25 cannot offer what came from a cast.
    views = table.set_column(0, "user", pa.array(table["user"].to_pylist(), pa.string_view()))
    codes = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, 1, 0]), pa.array(["x", "y"], pa.string_view()))
    assert parts_of(Capsule(views.set_column(4, "kind", codes)), **OPTIONS) == expected


@pytest.mark.peers
def test_tables_of_polars_and_duckdb_give_the_same_as_pandas() -> None:
    polars, duckdb = peer("polars"), peer("duckdb")
    expected = parts_of(EVENTS, **OPTIONS)
    frame = polars.DataFrame(EVENTS.to_dict("list"))
    assert parts_of(frame, **OPTIONS) == expected
    assert parts_of(frame.with_columns(polars.col("kind").cast(polars.Categorical)), **OPTIONS) == expected
    assert parts_of(duckdb.sql("select * from frame"), **OPTIONS) == expected
    with pytest.raises(st.UsageError, match=r"data is a polars.Series; a DataFrame \(pandas, polars\)"):
        st.group(frame["a"], key=0)


def test_a_number_that_no_float_holds_stays_what_it_is() -> None:
    grouped = st.group(Capsule(pa.table({"k": [1], "a": [2**53 + 1]})), key="k")
    assert (grouped.x.dtype, grouped.x.tolist()) == (np.int64, [[[2**53 + 1]]])


def test_masked_cells_are_missing() -> None:
    rows = np.ma.masked_array([[1.0, 2.0], [1.0, 3.0]], [[False, False], [False, True]])
    with pytest.warns(UserWarning, match=r"missing values became NaN: \{'1': 1\}"):
        grouped = st.group(rows, key=0)
    assert text_of(grouped.x) == text_of([[[1.0, 2.0], [1.0, NAN]]])
    whole = rows.astype("int64")
    with pytest.raises(st.DataError, match=r"row 1, column '1': a missing value, .*dtype=.float32."):
        st.group(whole, key=0)
    with pytest.warns(UserWarning, match="'1': 1"):
        assert text_of(st.group(whole, key=0, dtype="float64").x) == text_of(grouped.x)
    with pytest.raises(st.DataError, match="key column '1' is empty in 1 of 2 rows"):
        st.group(rows, key=1)
    assert parts_of(np.ma.masked_array(ROWS), key=2) == parts_of(np.array(ROWS), key=2)


def test_the_receipt_names_the_files_that_a_pattern_found(tmp_path: Path) -> None:
    for name in ("e1.csv", "e0.csv", "other.csv"):
        EVENTS.to_csv(tmp_path / name, index=False)
    for source in (tmp_path / "e*.csv", str(tmp_path / "e*.csv")):
        (entry,) = st.group(source, key="user", columns=["b"]).receipt
        assert entry["inputs"] == ["e0.csv", "e1.csv"]
    (entry,) = st.group(tmp_path / "other.csv", key="user", columns=["b"]).receipt
    assert entry["inputs"] == ["other.csv"]


def test_a_pattern_names_several_files(tmp_path: Path) -> None:
    EVENTS.iloc[:2].to_csv(tmp_path / "part0.csv", index=False)
    EVENTS.iloc[2:].to_csv(tmp_path / "part1.csv", index=False)
    assert parts_of(tmp_path / "part*.csv", **OPTIONS) == parts_of(EVENTS, **OPTIONS)


def test_ragged_sequences_are_not_padded() -> None:
    ragged = st.group(EVENTS, key="user", columns=["b"], ragged=True)
    assert isinstance(ragged, Ragged)
    assert ragged.values.tolist() == [[2], [4], [1], [3], [5]]
    assert ragged.offsets.tolist() == [0, 2, 5]
    with pytest.raises(st.UsageError, match="leave maxlen out"):
        st.group(EVENTS, key="user", columns=["b"], ragged=True, maxlen=2)


def test_padding_options_are_those_of_pad() -> None:
    grouped = st.group(EVENTS, key="user", columns=["b"], maxlen=2, value=-1)
    assert grouped.x[..., 0].tolist() == [[2, 4], [3, 5]]  # the latest steps
    assert grouped.per_sequence["original_lengths"].tolist() == [2, 3]
    post = st.group(EVENTS, key="user", columns=["b"], maxlen=2, truncating="post")
    assert post.x[..., 0].tolist() == [[2, 4], [1, 3]]
    pre = st.group(EVENTS, key="user", columns=["b"], padding="pre", value=-1)
    assert pre.x[..., 0].tolist() == [[-1, 2, 4], [1, 3, 5]]
    assert st.group(EVENTS, key="user", columns=["a", "b"], value=(7, 8), dtype="float64").x[
        0, 2
    ].tolist() == [7, 8]


def test_step_outputs() -> None:
    grouped = st.group(
        EVENTS, key="user", columns=["b"], step_label="kind", keep_row_index=True, label_value=-1
    )
    assert grouped.per_step["step_y"].data.tolist() == [[1, 1, -1], [0, 0, 0]]
    assert grouped.per_step["row_index"].data.tolist() == [[1, 3, -1], [0, 2, 4]]


def test_several_keys() -> None:
    grouped = st.group(EVENTS, key=["kind", "age"], columns=["b"])
    assert grouped.keys is not None
    assert grouped.keys.tolist() == [["x", "30"], ["y", "40"]]


@pytest.mark.parametrize("dtype", ["float64", np.float64, np.dtype("float64")])
def test_a_dtype_may_be_given_in_any_form(dtype: Any) -> None:
    assert st.group(EVENTS, key="user", columns=["a"], dtype=dtype).x.dtype == np.float64


def test_missing_values_are_nan_and_warned_of_with_their_counts() -> None:
    frame = pd.DataFrame({"k": [1, 1, 2], "a": [0.5, None, None], "b": [1, 2, 3]})
    with pytest.warns(UserWarning, match=r"missing values became NaN: \{'a': 2\}") as caught:
        grouped = st.group(frame, key="k")
    assert text_of(grouped.x) == text_of([[[0.5, 1.0], [NAN, 2.0]], [[NAN, 3.0], [0.0, 0.0]]])
    assert caught[0].filename == __file__


def test_nothing_is_warned_of_where_nothing_is_missing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        st.group(EVENTS, key="user", columns=["a", "b"])


def test_missing_values_in_an_integer_dtype_are_an_error() -> None:
    frame = pd.DataFrame({"k": [1, 2], "a": pd.array([1, None], dtype="Int64")})
    with pytest.raises(st.DataError, match="row 1, column 'a': a missing value, which int64 cannot hold"):
        st.group(frame, key="k", dtype="int64")


# Typed columns.


def test_integer_columns_give_int64_and_any_other_number_float32() -> None:
    frame = pd.DataFrame({"k": [1], "i": np.array([1], "int8"), "u": np.array([2], "uint32")})
    assert st.group(frame, key="k").x.dtype == np.int64
    for other in ([0.5], np.array([2.0], "float64"), [Decimal("1.5")]):
        assert st.group(frame.assign(f=other), key="k").x.dtype == np.float32
    assert st.group(frame.assign(b=[True]), key="k").x.tolist() == [[[1, 2, 1]]]


def test_a_typed_integer_that_float32_cannot_hold_is_refused() -> None:
    frame = pd.DataFrame({"k": [1, 1], "i": [1, 2**24 + 1], "f": [0.5, 1]})
    with pytest.raises(st.DataError, match=r"row 1, column 'i': 16777217, .*dtype=\"float64\""):
        st.group(frame, key="k")
    assert st.group(frame, key="k", dtype="float64").x[0, 1].tolist() == [2**24 + 1, 1]


@pytest.mark.parametrize("number", [2**63, 2**63 + 1, 2**64 - 1])
def test_a_uint64_that_int64_cannot_hold_is_refused_or_kept(number: int) -> None:
    frame = pd.DataFrame({"k": [1], "a": np.array([number], "uint64")})
    with pytest.raises(st.DataError, match=str(number)):
        st.group(frame, key="k")
    assert st.group(frame, key="k", dtype="uint64").x.tolist() == [[[number]]]


@pytest.mark.parametrize("number", [2**53 + 1, 2**53 + 2])
@pytest.mark.parametrize("rows", [[None, 0], [0, None]])
def test_a_nullable_integer_that_float32_cannot_hold_is_refused(number: int, rows: list[Any]) -> None:
    cells = [number if cell == 0 else None for cell in rows]
    frame = pd.DataFrame({"k": [1, 1], "a": pd.array(cells, dtype="Int64")})
    with pytest.raises(st.DataError, match=rf"row {cells.index(number)}, column 'a'"):
        st.group(frame, key="k")


def test_text_dates_and_lists_among_features_are_one_error_that_lists_them_all() -> None:
    frame = pd.DataFrame(
        {
            "k": [1],
            "a": [1],
            "name": ["Ann"],
            "digits": ["5"],
            "day": pd.to_datetime(["2024-01-01"]),
            "tags": [["x", "y"]],
            "group": pd.Categorical(["g"]),
        }
    )
    with pytest.raises(st.DataError) as refused:
        st.group(frame, key="k")
    assert refused.value.columns == ["name", "digits", "day", "tags", "group"]  # type: ignore[attr-defined]
    assert st.group(frame, key="k", drop=refused.value.columns).features == ("a",)  # type: ignore[attr-defined]


def test_a_categorical_of_numbers_is_a_feature() -> None:
    frame = pd.DataFrame({"k": pd.Categorical(["b", "a"]), "a": pd.Categorical([5, 7])})
    grouped = st.group(frame, key="k")
    assert grouped.keys is not None
    assert (grouped.keys.tolist(), grouped.x.tolist()) == (["a", "b"], [[[7]], [[5]]])


@pytest.mark.parametrize("keys", [[1.0, NAN, 1.0], ["x", None, "x"], pd.array([1, None, 1], dtype="Int64")])
def test_missing_keys_of_a_frame_are_empty_keys(keys: Any) -> None:
    frame = pd.DataFrame({"k": keys, "a": [1, 2, 3]})
    with pytest.raises(st.DataError, match="key column 'k' is empty in 1 of 3 rows"):
        st.group(frame, key="k")
    assert st.group(frame, key="k", empty_key="drop").lengths.tolist() == [2]
    kept = st.group(frame, key="k", empty_key="keep").keys
    assert kept is not None
    assert kept.tolist() == ["", "x" if keys[0] == "x" else "1"]


def test_times_of_a_frame_put_steps_in_order() -> None:
    times = pd.to_datetime(["2024-01-02", "2024-01-01"])
    for column in (times, times.tz_localize("Europe/Berlin"), ["2024-01-02", "2024-01-01"]):
        frame = pd.DataFrame({"k": [1, 1], "t": column, "a": [1, 2]})
        assert st.group(frame, key="k", order_by="t").x.tolist() == [[[2], [1]]]
    with pytest.raises(st.DataError, match="order column 't' is empty in 1 of 2 rows"):
        st.group(pd.DataFrame({"k": [1, 1], "t": [times[0], None], "a": [1, 2]}), key="k", order_by="t")


def test_parquet_files_of_other_times_are_compared_as_times(tmp_path: Path) -> None:
    import pyarrow.parquet as parquet

    for name, unit, time in (("0", "s", 10), ("1", "ms", 5000)):
        table = pa.table({"k": [1], "t": pa.array([time], pa.timestamp(unit)), "a": [time]})
        parquet.write_table(table, tmp_path / f"{name}.parquet", coerce_timestamps=None)
        with pa.ipc.new_file(tmp_path / f"{name}.arrow", table.schema) as writer:
            writer.write_table(table)
    for kind in ("parquet", "arrow"):
        assert st.group(tmp_path / f"*.{kind}", key="k", order_by="t").x[0, :, 0].tolist() == [5000, 10]


# Calls that cannot be meant.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key": []}, "no key"),
        ({"columns": ["a"], "drop": ["b"]}, "^columns and drop both"),
        ({"min_len": -1}, "min_len is -1"),
        ({"maxlen": 0}, "maxlen is 0"),
        ({"maxlen": -3}, "maxlen is -3"),
        ({"padding": "left"}, "left"),
        ({"truncating": "left"}, "left"),
        ({"dtype": "complex64"}, "complex64"),
        ({"dtype": "floaty"}, "floaty"),
        ({"label_as": "klass"}, "klass"),
        ({"empty_key": "skip"}, "skip"),
        ({"delimiter": ";;"}, "^delimiter is"),
        ({"encoding": "klingon"}, "klingon"),
    ],
)
def test_arguments_that_contradict_or_are_unknown_are_refused(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    EVENTS.to_csv(tmp_path / "t.csv", index=False)
    given = {"key": "user", "columns": ["a"], "label": "kind"} | options
    with pytest.raises(st.UsageError, match=message):
        st.group(tmp_path / "t.csv", **given)


def test_one_name_stands_for_a_list_of_one() -> None:
    frame = pd.DataFrame({"k": [1], "a": [2], "b": [3], "ab": [4]})
    assert st.group(frame, key="k", columns="ab").features == ("ab",)
    assert st.group(frame, key="k", drop="ab").features == ("a", "b")


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("options", "plainly"),
    [
        ({"key": "k", "columns": pd.Index(["a", "b"])}, {"key": "k", "columns": ["a", "b"]}),
        ({"key": "k", "columns": np.array(["a", "b"])}, {"key": "k", "columns": ["a", "b"]}),
        ({"key": "k", "drop": pd.Index(["a", "c"])}, {"key": "k", "drop": ["a", "c"]}),
        ({"key": "k", "drop": {"a", "c"}}, {"key": "k", "drop": ["a", "c"]}),
        ({"key": "k", "order_by": pd.Index(["b", "a"])}, {"key": "k", "order_by": ["b", "a"]}),
        ({"key": np.int64(0), "columns": np.arange(1, 3)}, {"key": 0, "columns": [1, 2]}),
        ({"key": range(2)}, {"key": [0, 1]}),
        ({"key": np.array([0, 1])}, {"key": [0, 1]}),
        ({"key": ("k", "c"), "columns": ("b", "a")}, {"key": ["k", "c"], "columns": ["b", "a"]}),
        ({"key": np.str_("k"), "static": pd.Series(["c"])}, {"key": "k", "static": ["c"]}),
        ({"key": "k", "label": np.int64(3)}, {"key": "k", "label": 3}),
        ({"key": "k", "keep_key": np.False_}, {"key": "k", "keep_key": False}),
        ({"key": "k", "maxlen": np.int64(1), "min_len": np.int8(1)}, {"key": "k", "maxlen": 1, "min_len": 1}),
    ],
)
def test_arguments_of_numpy_and_pandas_are_like_others(
    tmp_path: Path, options: dict[str, Any], plainly: dict[str, Any]
) -> None:
    frame = pd.DataFrame({"k": [1, 1, 2], "a": [1, 2, 3], "b": [6, 5, 4], "c": [7, 7, 8]})
    grouped = st.group(frame, **options)
    assert parts(grouped) == parts(st.group(frame, **plainly))
    st.save(tmp_path / "t.npz", grouped)  # its receipt is JSON
    assert parts(st.load(tmp_path / "t.npz"))["receipt"] == parts(grouped)["receipt"]


@pytest.mark.parametrize("argument", ["maxlen", "min_len"])
def test_a_number_of_steps_is_whole(argument: str) -> None:
    with pytest.raises(st.UsageError, match=f"{argument} is 3.0; a whole number was expected"):
        st.group(EVENTS, key="user", columns=["b"], **{argument: 3.0})


@pytest.mark.parametrize("ragged", [False, True])
def test_a_label_value_that_the_labels_cannot_hold_is_refused(ragged: bool) -> None:
    options: dict[str, Any] = {"key": "user", "columns": ["b"], "ragged": ragged}
    for column in ("kind", "time"):
        with pytest.raises(
            st.DataError, match=r"^label_value: nan cannot be held in int64, .* step_y; a whole number was"
        ):
            st.group(EVENTS, step_label=column, label_value=NAN, **options)
    fractions = st.group(EVENTS, step_label="a", label_value=NAN, **options).per_step["step_y"]
    assert (fractions.data.dtype, np.isnan(fractions.value)) == (np.float32, True)


def test_one_more_missing_word_need_not_stand_in_a_list(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("k,a\nx,1\nx,gone\n", encoding="utf-8")
    with pytest.warns(UserWarning, match="'a': 1"):
        st.group(tmp_path / "t.csv", key="k", missing="gone")


@pytest.mark.parametrize("data", [[[1, 2]], {"k": [1]}, None, 5, pd.Series([1, 2])])
def test_data_of_another_kind_is_refused_in_one_sentence(data: Any) -> None:
    with pytest.raises((TypeError, st.SeqtoolError), match="DataFrame"):
        st.group(data, key=0)


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        st.DataError, match=r"no column 'usr'; perhaps .*; the columns are user, time, a, b, kind, age"
    ):
        st.group(EVENTS, key="usr")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(st.DataError, match="no such file"):
        st.group(tmp_path / "nothing.csv", key="k")


@pytest.mark.parametrize("data", [pd.DataFrame({"k": [], "a": []}), np.zeros((0, 2))])
def test_no_rows_are_refused(data: Any) -> None:
    with pytest.raises(st.DataError, match="no rows"):
        st.group(data, key=0)


@pytest.mark.filterwarnings(
    "ignore:2,000 of 2,001 sequences have one step:UserWarning", "ignore:column 'a':UserWarning"
)
def test_one_long_sequence_among_short_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = np.r_[np.zeros(10_000, int), np.arange(1, 2001)]
    frame = pd.DataFrame({"k": keys, "a": 1})
    monkeypatch.setattr("seqtool.operations.pad.budget", lambda: 1 << 20)
    with pytest.raises(st.DataError, match=r"key 0, has 10,000 steps; maxlen=1 covers 95 %"):
        st.group(frame, key="k")
    assert st.group(frame, key="k", maxlen=1).x.shape == (2001, 1, 1)
    assert len(st.group(frame, key="k", ragged=True)) == 2001


def test_the_data_is_left_as_it_was() -> None:
    frame, array = EVENTS.copy(), np.array(ROWS)
    st.group(frame, key="user", columns=["a"])
    st.group(array, key=2)
    pd.testing.assert_frame_equal(frame, EVENTS)
    assert array.tolist() == ROWS


def test_every_argument_of_group_is_handed_on_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: dict[str, Any] = {}

    def note(**arguments: Any) -> None:
        handed.update(arguments)
        raise UsageError("noted")

    monkeypatch.setattr("seqtool.api._spec", note)
    arguments = {name: f"{name} of this call" for name in inspect.signature(st.group).parameters}
    del arguments["data"]
    with pytest.raises(UsageError, match="noted"):
        st.group([], **arguments)
    assert handed == arguments
