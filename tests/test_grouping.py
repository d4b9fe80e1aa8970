"""The kernel: batches in which equal keys are neighbours."""

from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtool.grouping import ChangingError, Grouped, Layout, group_adjacent, key_array, text_array

INT64, FLOAT32 = np.dtype(np.int64), np.dtype(np.float32)


def cut(batch: Any, size: int) -> list[Any]:
    return [batch.slice(begin, size) for begin in range(0, len(batch), size)]


def told(grouped: Grouped) -> Any:
    """All that a Grouped holds, as plain Python."""
    arrays = (*grouped.constant.items(), *grouped.riding.items())
    return (
        grouped.values.tolist(),
        grouped.values.dtype,
        grouped.offsets.tolist(),
        [column.to_pylist() for column in grouped.keys],
        {name: array.tolist() for name, array in arrays},
        grouped.ties,
    )


def test_equal_neighbours_become_one_group() -> None:
    batch = pa.record_batch({"k": [1, 1, 2, 3, 3], "a": [5, 6, 7, 8, 9]})
    grouped = group_adjacent([batch], Layout(["k"], [], ["a"], INT64), rows=5)
    assert grouped.values.tolist() == [[5], [6], [7], [8], [9]]
    assert grouped.offsets.tolist() == [0, 2, 3, 5]
    assert grouped.offsets.dtype == np.int64
    assert [column.to_pylist() for column in grouped.keys] == [[1, 2, 3]]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_groups_run_on_over_the_borders_of_batches(size: int) -> None:
    batch = pa.record_batch(
        {
            "k": [1] * 4 + [2] * 7 + [3],
            "j": ["a"] * 6 + ["b"] * 6,
            "t": [0, 0, 1, 1, 0, 1, 1, 2, 2, 2, 5, 5],
            "a": [i / 2 for i in range(12)],
            "y": [7] * 4 + [8] * 7 + [9],
            "row": list(range(12)),
        }
    )
    layout = Layout(["k", "j"], ["t"], ["a", "t"], FLOAT32, ["y"], ["row"])
    expected = told(group_adjacent([batch], layout, rows=12))
    assert told(group_adjacent(cut(batch, size), layout, rows=12)) == expected
    assert expected[2] == [0, 4, 6, 11, 12]
    assert expected[3] == [[1, 2, 2, 3], ["a", "a", "b", "b"]]
    assert expected[4] == {"y": [7, 8, 8, 9], "row": list(range(12))}
    assert expected[5] == 4  # of 0 0, 1 1, 2 2 2 within their groups


def test_ties_are_counted_only_where_there_is_an_order() -> None:
    batch = pa.record_batch({"k": [1, 1, 1], "t": [0, 0, 0]})
    assert group_adjacent([batch], Layout(["k"], [], ["t"], INT64), rows=3).ties == 0
    assert group_adjacent([batch], Layout(["k"], ["t"], ["t"], INT64), rows=3).ties == 2


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_constant_that_changes_names_column_key_and_both_values(size: int) -> None:
    batch = pa.record_batch({"k": ["u", "u", "v", "v"], "j": [1, 1, 2, 2], "a": [0] * 4, "y": [1, 1, 5, 6]})
    with pytest.raises(ChangingError, match="y changes from 5 to 6 within key v, 2") as raised:
        group_adjacent(cut(batch, size), Layout(["k", "j"], [], ["a"], INT64, ["y"]), rows=4)
    assert (raised.value.column, raised.value.key, raised.value.before, raised.value.after) == (
        "y",
        "v, 2",
        5,
        6,
    )


def test_a_constant_that_is_missing_throughout_does_not_change() -> None:
    nan = float("nan")
    batch = pa.record_batch({"k": [1, 1, 2], "s": [nan, nan, 3.0]})
    layout = Layout(["k"], [], ["s"], FLOAT32, ["s"])
    assert np.isnan(group_adjacent([batch], layout, rows=3).constant["s"][0])
    broken = pa.record_batch({"k": [1, 1, 2], "s": [nan, 1.0, 3.0]})
    with pytest.raises(ChangingError):
        group_adjacent(cut(broken, 1), layout, rows=3)


@pytest.mark.parametrize("rows", [0, 2, 4])
def test_rows_that_an_engine_lost_or_made_up_stop_the_work(rows: int) -> None:
    batch = pa.record_batch({"k": [1, 1, 2], "a": [1, 2, 3]})
    with pytest.raises((AssertionError, ValueError)):
        group_adjacent([batch], Layout(["k"], [], ["a"], INT64), rows=rows)


def test_no_rows_make_no_groups() -> None:
    empty = pa.record_batch({"k": pa.array([], pa.int64()), "a": pa.array([], pa.int64())})
    grouped = group_adjacent([empty], Layout(["k"], [], ["a"], INT64), rows=0)
    assert grouped.values.shape == (0, 1)
    assert grouped.offsets.tolist() == [0]


def test_the_values_have_the_dtype_of_the_layout() -> None:
    batch = pa.record_batch({"k": [1], "a": pa.array([1], pa.int8()), "b": [0.5]})
    for dtype in ("float16", "float32", "float64"):
        grouped = group_adjacent([batch], Layout(["k"], [], ["a", "b"], np.dtype(dtype)), rows=1)
        assert grouped.values.dtype == np.dtype(dtype)
        assert grouped.values.tolist() == [[1, 0.5]]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.integers(0, 9)), min_size=1, max_size=25),
    st.integers(1, 7),
)
@settings(max_examples=80)
def test_groups_are_those_of_itertools(rows: list[tuple[int, str, int]], size: int) -> None:
    rows = sorted(rows, key=lambda row: row[:2])
    k, j, a = (list(column) for column in zip(*rows, strict=True))
    batches = cut(pa.record_batch({"k": k, "j": j, "a": a}), size)
    grouped = group_adjacent(batches, Layout(["k", "j"], [], ["a"], INT64), rows=len(rows))
    expected = [(key, len(list(group))) for key, group in groupby(rows, key=lambda row: row[:2])]
    keys = list(zip(*(column.to_pylist() for column in grouped.keys), strict=True))
    assert list(zip(keys, np.diff(grouped.offsets).tolist(), strict=True)) == expected
    assert grouped.values[:, 0].tolist() == a


# Keys as arrays.


def test_one_column_of_keys_is_flat_and_several_stand_side_by_side() -> None:
    numbers, text = pa.chunked_array([[1], [22]]), pa.chunked_array([["a", "é"]])
    assert key_array([numbers]).tolist() == [1, 22]
    assert key_array([numbers]).dtype == np.int64
    assert key_array([text]).dtype == np.dtype("U1")
    assert key_array([numbers, numbers]).tolist() == [[1, 1], [22, 22]]
    both = key_array([text, numbers])
    assert both.dtype == np.dtype("U2")
    assert both.tolist() == [["a", "1"], ["é", "22"]]


def test_one_long_key_does_not_make_all_keys_wide() -> None:
    cells = ["x" * 10_000, *("y" for _ in range(10_000))]
    array = text_array(cells)
    assert array.dtype.kind == "T"
    assert array.tolist() == cells
    assert key_array([pa.chunked_array([cells]), pa.chunked_array([list(range(len(cells)))])]).tolist() == [
        [cell, str(i)] for i, cell in enumerate(cells)
    ]


def test_empty_text_has_a_width() -> None:
    assert text_array([""]).tolist() == [""]
    assert text_array([]).shape == (0,)
