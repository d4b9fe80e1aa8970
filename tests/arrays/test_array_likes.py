"""What other libraries hold, as NumPy or Arrow arrays."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from seqtool.arrays.array_likes import arrow_array, is_array_like, kind_of, plain
from seqtool.arrays.exact import array_of, common_type, filled, numbers_in
from seqtool.arrays.list_columns import lists_of, numbers_of
from seqtool.errors import DataError
from tests.holders import Capsule, CapsuleArray, Holder, Tensor


@pytest.mark.parametrize("thing", [[1], (1,), "a", 5, None, np.float64(1), {1: 2}, int, np.ndarray])
def test_lists_numbers_and_text_are_no_arrays_of_a_library(thing: Any) -> None:
    assert not is_array_like(thing)


BIG = 2**53 + 1
MANY: list[Any] = [
    np.array([BIG, 2]),
    Tensor([BIG, 2]),
    Holder([BIG, 2]),
    pd.Series([BIG, 2], index=[7, 9]),
    pd.Series([BIG, 2], dtype="Int64"),
    pd.Series([BIG, 2], dtype="category"),
    pd.Index([BIG, 2]),
    pa.array([BIG, 2]),
    pa.chunked_array([[BIG], [2]]),
    Capsule(pa.chunked_array([[BIG], [2]])),
    CapsuleArray(pa.array([BIG, 2])),
    CapsuleArray(pa.array([BIG, 2]).dictionary_encode()),
]


@pytest.mark.parametrize("thing", MANY, ids=kind_of)
def test_numbers_come_out_as_they_are(thing: Any) -> None:
    assert is_array_like(thing)
    numbers, missing = numbers_in(plain(thing))
    assert (numbers.dtype, numbers.tolist(), missing) == (np.int64, [BIG, 2], 0)


TABLES: list[Any] = [
    pd.DataFrame({"a": [1, BIG], "b": [3, 4]}, index=[5, 3]),
    pd.DataFrame({"a": pd.array([1, BIG], dtype="Int64"), "b": np.array([3, 4], "int8")}),
    pa.table({"a": [1, BIG], "b": [3, 4]}),
    pa.record_batch({"a": [1, BIG], "b": [3, 4]}),
    Capsule(pa.table({"a": [1, BIG], "b": pa.array([3, 4], pa.int8())})),
    CapsuleArray(pa.record_batch({"a": [1, BIG], "b": [3, 4]})),
]


@pytest.mark.parametrize("thing", TABLES, ids=kind_of)
def test_tables_come_out_by_their_cells(thing: Any) -> None:
    numbers, missing = numbers_in(plain(thing))
    assert (numbers.dtype, numbers.tolist(), missing) == (np.int64, [[1, 3], [BIG, 4]], 0)


def test_a_slice_of_a_record_batch_is_no_more_than_that() -> None:
    batch = pa.record_batch({"a": [1, 2, 3], "b": [4, 5, 6]}).slice(1, 2)
    assert numbers_in(plain(batch))[0].tolist() == [[2, 5], [3, 6]]


def test_columns_whose_numbers_no_type_holds_are_refused() -> None:
    with pytest.raises(DataError, match="no common type holds exactly"):
        numbers_in(plain(pd.DataFrame({"a": [BIG], "b": [0.5]})))
    with pytest.raises(DataError, match=r"column 1 holds datetime64"):
        numbers_in(plain(pd.DataFrame({"a": [1], "b": pd.to_datetime(["2024-01-01"])})))
    with pytest.raises(DataError, match="numbers were expected"):
        numbers_in(plain(pd.DataFrame({"a": [1], "b": pd.Series(["x"], dtype=object)})))
    with pytest.raises(DataError, match="without columns"):
        numbers_in(plain(pd.DataFrame(index=[0])))


def test_what_a_library_cannot_give_is_one_error() -> None:
    class Stubborn:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise RuntimeError("Can't call numpy() on\na tensor that requires grad")

    with pytest.raises(
        DataError, match=r"Stubborn that cannot be read as an array \(Can't call numpy\(\) on a"
    ):
        plain(Stubborn())


def test_a_table_as_one_array_has_its_rows_as_cells() -> None:
    assert arrow_array(pa.table({"a": []})).to_pylist() == []
    assert arrow_array(Capsule(pa.table({"a": [1, 2]}))).to_pylist() == [{"a": 1}, {"a": 2}]
    assert arrow_array(pa.chunked_array([], pa.int64())).to_pylist() == []


# Exact


def test_missing_numbers_become_nan_where_the_others_stay_exact() -> None:
    assert str(numbers_of(pa.array([1, None])).tolist()) == "[1.0, nan]"
    assert str(numbers_of(pa.array([True, None])).tolist()) == "[1.0, nan]"
    assert numbers_of(pa.array([0.5, None], pa.float32())).dtype == np.float32
    with pytest.raises(DataError, match=f"{BIG}, which float64 cannot hold exactly"):
        numbers_of(pa.array([BIG, None]))
    with pytest.raises(DataError, match="holds string"):
        numbers_of(pa.array(["a"]))


KINDS: list[Any] = [pa.list_, pa.large_list, lambda inner: pa.list_(inner, 2)]


@pytest.mark.parametrize("kind", KINDS)
def test_lists_of_every_kind_lie_end_to_end(kind: Any) -> None:
    lists = lists_of(pa.array([[1, 2], [BIG, 4], [5, 6]], kind(pa.int64())).slice(1))
    assert (lists.values.tolist(), lists.lengths.tolist(), lists.missing) == ([BIG, 4, 5, 6], [2, 2], 0)
    steps = lists_of(pa.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], kind(kind(pa.int64()))))
    assert (steps.values.tolist(), steps.lengths.tolist()) == ([[1, 2], [3, 4], [5, 6], [7, 8]], [2, 2])


def test_masked_cells_are_nan_among_floats_and_refused_among_integers() -> None:
    single = np.ma.masked_array(np.array([[1, 2]], np.float32), [[False, True]])
    values, missing = filled(single)
    assert (values.dtype, str(values.tolist()), missing) == (np.float32, "[[1.0, nan]]", 1)
    assert not isinstance(values, np.ma.MaskedArray)
    whole, missing = filled(np.ma.masked_array([1, 2]))
    assert (whole.tolist(), missing, type(whole)) == ([1, 2], 0, np.ndarray)
    with pytest.raises(DataError, match=r"^x\[1, 0\] is masked: .* int64 cannot hold; .*astype"):
        filled(np.ma.masked_array([[1], [2]], [[False], [True]]), "x")


def test_lists_of_numbers_keep_whole_numbers_and_count_gaps() -> None:
    top = 2**64 - 1
    assert array_of([top, 1])[0].tolist() == [top, 1]
    assert array_of([top, 1])[0].dtype == np.uint64
    for lost in (
        [top, -1],
        [top, 0.5],
        [top, None],
        [2**64, 1],
        [np.int64(BIG), 0.5],
        [np.int64(BIG), pd.NA],
    ):
        with pytest.raises(OverflowError):
            array_of(lost)
    values, missing = array_of([[1, pd.NA], [None, 4]])
    assert (str(values.tolist()), missing) == ("[[1.0, nan], [nan, 4.0]]", 2)
    with pytest.raises(TypeError):
        array_of([None, "2"])


def test_the_common_type_holds_every_number() -> None:
    assert common_type([np.array([2**63], "uint64"), np.array([1])]) == np.uint64
    assert common_type([np.array([1], "uint64"), np.array([-1])]) == np.int64
    assert common_type([np.array([1], "int8"), np.array([0.5], "float32")]) == np.float32
    with pytest.raises(OverflowError):
        common_type([np.array([2**63], "uint64"), np.array([-1])])
