"""The order of rows: that of Python's `sorted`, which is stable, and nothing where they are in order already."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtool.grouping import sorting
from seqtool.grouping.sorting import as_codes, changes, ranks, spelled, stable_order, taken
from tests.hunting import examples

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def order_of(*columns: Any) -> list[int]:
    """The order as a list, also where nothing is to be moved."""
    order = stable_order([np.asarray(column) for column in columns])
    return list(range(len(columns[0]))) if order is None else order.tolist()


def sorted_rows(*columns: Any) -> list[int]:
    rows = list(zip(*(np.asarray(column).tolist() for column in columns), strict=True))
    return sorted(range(len(rows)), key=lambda i: rows[i])


@pytest.fixture(params=[1 << 18, 3, 1], ids=["whole", "pieces of 3", "pieces of 1"])
def piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sorting, "_PIECE", request.param)
    return int(request.param)


numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5)


@given(
    rows=st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=40),
    width=st.integers(1, 3),
    piece=st.sampled_from([1, 3, 1 << 18]),
)
@settings(max_examples=examples(150))
def test_stable_order_is_that_of_sorted(rows: list[list[int]], width: int, piece: int) -> None:
    columns = [np.array(column, dtype=np.int64) for column in list(zip(*rows, strict=True))[:width]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "_PIECE", piece)
        assert order_of(*columns) == sorted_rows(*columns)


@given(
    st.lists(st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 1.0]), min_size=1, max_size=40),
    st.sampled_from([1, 3, 1 << 18]),
)
def test_floats_sort_by_number_and_the_two_zeros_are_equal(floats: list[float], piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "_PIECE", piece)
        assert order_of(floats) == sorted(range(len(floats)), key=floats.__getitem__)
        few = [i % 3 for i in range(len(floats))]
        assert order_of(few, floats) == sorted_rows(few, floats)


@pytest.mark.parametrize("width", [1, (1 << 16) - 1, 1 << 16, (1 << 32) - 1, 1 << 32])
@pytest.mark.parametrize("low", [-(2**40), -1, 0])
def test_stable_order_holds_at_the_borders_of_its_digits(low: int, width: int, piece: int) -> None:
    column = np.array([low + width, low, low + width - 1, low, low + width // 2, low + width])
    assert order_of(column) == sorted(range(6), key=lambda i: column[i])


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_of_every_type_sort_over_their_whole_range(kind: str) -> None:
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    column = np.array([high, low, high - 1, low + 1, high // 2, 0, 1, low // 2 + 1], kind)
    assert order_of(column) == sorted_rows(column)
    assert order_of(np.zeros(8, np.int8), column) == sorted_rows(column)


def test_many_rows_are_sorted_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "_PIECE", 1 << 12)
    random = np.random.default_rng(1)
    count = 5 * sorting._PIECE // 4 * 4
    for column in (random.integers(0, 5, count), random.integers(-(2**62), 2**62, count)):
        narrow = column.astype(np.int32) if column.max() < 9 else column
        second = random.integers(0, 3, count)
        assert np.array_equal(stable_order([narrow, second]), np.lexsort([second, column]))
        assert np.array_equal(stable_order([narrow]), np.argsort(column, kind="stable"))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 20)), min_size=1, max_size=12))
def test_segments_are_moved_as_a_whole(segments: list[tuple[int, int]]) -> None:
    column = np.repeat([key for key, _ in segments], [count for _, count in segments])
    assert order_of(column) == sorted_rows(column)


def test_rows_in_order_need_no_order(piece: int) -> None:
    assert stable_order([np.array([1, 1, 2, 5])]) is None
    assert stable_order([np.array([1, 1, 2]), np.array([3, 3, 0])]) is None
    assert stable_order([np.array([1, 1, 2]), np.array([3, 2, 0])]) is not None
    assert stable_order([np.array([7])]) is None
    assert stable_order([np.empty(0, np.int64)]) is None


def test_rows_in_the_order_that_is_asked_for_are_decided_by_their_key(piece: int) -> None:
    keys, times = np.array([2, 1, 0] * 5), np.arange(15)
    assert order_of(keys, times) == sorted_rows(keys, times)
    assert order_of(keys, times[::-1].copy()) == sorted_rows(keys, times[::-1])


@given(st.lists(numbers, min_size=1, max_size=30))
def test_spelled_columns_sort_integers_as_their_text(integers: list[int]) -> None:
    order = order_of(*spelled(np.array(integers, np.int64)))
    assert order == sorted(range(len(integers)), key=lambda i: str(integers[i]))


# The rest


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.data())
def test_taken_is_take(cells: list[int], data: st.DataObject) -> None:
    column = np.array([[cell, -cell] for cell in cells])
    order = data.draw(st.lists(st.integers(0, len(cells) - 1), max_size=20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "_PIECE", 3)
        assert taken(column, np.array(order, np.uint32)).tolist() == column[order].tolist()


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from([0.0, 1.0, float("nan")])), min_size=1, max_size=20
    ),
    st.data(),
)
def test_changes_are_where_a_row_differs_from_the_one_before(
    rows: list[tuple[int, float]], data: st.DataObject
) -> None:
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    order = data.draw(st.none() | st.permutations(range(len(rows))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "_PIECE", 3)
        found = list(changes(columns, None if order is None else np.array(order, np.uint32)))
    assert [begin for begin, _ in found] == list(range(0, len(rows), 3))
    spelling = [repr(rows[i]) for i in (range(len(rows)) if order is None else order)]
    expected = [i == 0 or spelling[i] != spelling[i - 1] for i in range(len(rows))]
    assert np.concatenate([changed for _, changed in found]).tolist() == expected


@given(
    st.lists(
        st.text(max_size=3) | st.sampled_from(["é", "e\u0301", "\U0001f600", "\uffee", "10", "9"]), min_size=1
    )
)
def test_ranks_are_in_the_order_of_code_points(cells: list[str]) -> None:
    for kind in (pa.string(), pa.large_string()):
        rank, texts = ranks(pa.array(cells, kind))
        assert texts.to_pylist() == sorted(set(cells))
        assert [texts[number].as_py() for number in rank.tolist()] == cells
    assert as_codes(pa.array(cells, pa.string())).tolist() == rank.tolist()
    assert as_codes(np.array([3, 1])).tolist() == [3, 1]
