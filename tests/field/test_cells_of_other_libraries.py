"""What other libraries hold goes in by its cells, never by the labels of its columns or rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import seqtool as st
from seqtool import DataError, UsageError
from tests.holders import Capsule, CapsuleArray, Holder, Tensor

FRAME = pd.DataFrame({0: [1, 1, 2], 1: [5, 6, 7], 2: [8, 9, 10]})
STEPS = [[[5, 8], [6, 9]], [[7, 10]]]
BLOCK = [[[5, 8], [6, 9]], [[7, 10], [0, 0]]]


def frames(columns: Any) -> list[pd.DataFrame]:
    return [rows[columns] for _, rows in FRAME.groupby(0)]


def tables() -> list[pa.Table]:
    return [pa.table({"a": [row[0] for row in rows], "b": [row[1] for row in rows]}) for rows in STEPS]


def in_turn(*kinds: Any) -> list[Any]:
    return [kind(rows) for kind, rows in zip(kinds, STEPS, strict=False)]


LISTS: dict[str, Any] = {
    "frames of integer names": frames([1, 2]),
    "frames of integer types": [frame.astype("Int64") for frame in frames([1, 2])],
    "Arrow tables": tables(),
    "record batches": [table.to_batches()[0] for table in tables()],
    "tables by their capsule": [Capsule(table) for table in tables()],
    "lists of series": [[pd.Series(row, index=[7, 3]) for row in rows] for rows in STEPS],
    "lists of Arrow arrays": [[pa.array(row) for row in rows] for rows in STEPS],
    "tensors": in_turn(Tensor, Tensor),
    "lists of tensors": [[Tensor(row) for row in rows] for rows in STEPS],
    "what has to_numpy": in_turn(Holder, Holder),
    "a mixture": in_turn(Tensor, np.array),
}
SINGLE: dict[str, Any] = {
    "series": [frame[1] for frame in frames([1])],
    "indices": [pd.Index([5, 6]), pd.Index([7])],
    "Arrow arrays": [pa.array([5, 6]), pa.array([7])],
    "chunked arrays": [pa.chunked_array([[5], [6]]), pa.chunked_array([[7]])],
    "arrays by their capsule": [CapsuleArray(pa.array([5, 6])), Capsule(pa.chunked_array([[7]]))],
    "Arrow scalars": [[pa.scalar(5), pa.scalar(6)], [pa.scalar(7)]],
    "tensors": [Tensor([5, 6]), Tensor([7])],
    "a series of series": pd.Series([pd.Series([5, 6]), pd.Series([7])], index=[4, 9]),
}


@pytest.mark.parametrize("form", LISTS)
def test_steps_of_several_features(form: str) -> None:
    padded = st.pad(LISTS[form], padding="post")
    assert (padded.x.tolist(), padded.lengths.tolist(), padded.x.dtype) == (BLOCK, [2, 1], np.int64)


@pytest.mark.parametrize("form", SINGLE)
def test_steps_that_are_single_numbers(form: str) -> None:
    padded = st.pad(SINGLE[form], padding="post")
    assert (padded.x.tolist(), padded.x.dtype) == ([[5, 6], [7, 0]], np.int64)


@pytest.mark.parametrize("kind", [np.array, Tensor, Holder, pd.DataFrame, np.ma.array])
def test_group_takes_the_rows_of_whatever_has_two_dimensions(kind: Any) -> None:
    rows = [[1, 5, 8], [1, 6, 9], [2, 7, 10]]
    assert st.group(kind(rows), key=0, columns=[1, 2]).x.tolist() == BLOCK


@pytest.mark.parametrize(
    "thing", [Tensor([1, 2]), Tensor([[[1]]]), Holder([1]), pd.Series([1]), [[1, 2]], {"a": [1]}]
)
def test_group_says_what_it_takes(thing: Any) -> None:
    with pytest.raises(UsageError, match=r"^data is a .*; a DataFrame .* a 2-D array or the path of a file"):
        st.group(thing, key=0)


@pytest.mark.parametrize(
    "array", [np.array([(1, 2.0)], [("a", int), ("b", float)]), np.array([[1, "a"]], object)]
)
def test_arrays_of_several_types_become_frames_first(array: Any) -> None:
    with pytest.raises(DataError, match=r"pandas\.DataFrame\(array\)\.infer_objects\(\) has its columns"):
        st.group(array, key=0)
    assert len(pd.DataFrame(array).infer_objects().columns) == 2


def test_numbers_that_only_a_framework_knows() -> None:
    raw = np.zeros(2, "V2")  # what NumPy makes of bfloat16
    with pytest.raises(
        DataError, match=r"^sequences\[0\]: holds .*; numbers were expected, such as \.astype"
    ):
        st.pad([Tensor(raw)])


def test_groups_of_a_frame_are_no_sequences_yet() -> None:
    with pytest.raises(DataError, match=r"DataFrameGroupBy is not a list of sequences; pass its frames"):
        st.pad(FRAME.groupby(0))


def test_our_types_take_the_same() -> None:
    for kind in (list, np.array, pd.Series, pa.array, Tensor, Holder):
        ragged = st.Ragged(
            kind([5, 6, 7]), kind([0, 2, 3]), keys=kind([1, 2]), per_sequence={"y": kind([0, 1])}
        )
        assert type(ragged.values) is type(ragged.offsets) is type(ragged.keys) is np.ndarray
        assert st.pad(ragged, padding="post").x.tolist() == [[5, 6], [7, 0]]
        assert (
            st.Padded(
                kind([[5, 6], [7, 0]]) if kind is list else [[5, 6], [7, 0]], kind([2, 1]), "post"
            ).mask.sum()
            == 3
        )
        assert st.step_mask(kind([1, 2]), maxlen=2).sum() == 3
    text = st.Ragged([1, 2], [0, 1, 2], keys=pd.Series(["a", "b"], dtype=object), features=None)
    assert text.keys.dtype.kind == "U"  # type: ignore[union-attr]
    assert st.Ragged([[1, 2]], [0, 1], features=pd.Index(["a", "b"])).features == ("a", "b")  # type: ignore[arg-type]
