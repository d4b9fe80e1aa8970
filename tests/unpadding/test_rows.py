"""Rows of sequences: what was grouped comes back, whatever it was cut into on the way."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import seqtool as sq
from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.unpadding import rows as module
from seqtool.unpadding import sorting
from seqtool.unpadding import stretch as stretches
from seqtool.unpadding.rows import FlatRows, to_frame
from tests import oracles
from tests.hunting import examples

keys = st.sampled_from(["a", "b", "007", "7", 'q"', "x,y", " z"])
whole = st.integers(-(2**63), 2**63 - 1)
fractions = st.floats(width=64, allow_infinity=True, allow_nan=True)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.lists(st.tuples(keys, fractions, fractions, st.sampled_from(["run", "walk"])), min_size=1))
    frame = pd.DataFrame(rows, columns=["user", "speed", "height", "gait"])
    of_user = {user: draw(st.sampled_from(["yes", "no"])) for user in sorted({*frame.user})}
    return frame.assign(died=[of_user[user] for user in frame.user], age=[len(user) for user in frame.user])


@settings(max_examples=examples(48))
@given(tables(), st.booleans())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_was_grouped_comes_back_as_it_was(frame: pd.DataFrame, ragged: bool) -> None:
    grouped = sq.group(
        frame,
        key="user",
        label="died",
        step_label="gait",
        static="age",
        dtype="float64",
        keep_row_index=True,
        ragged=ragged,
    )
    back = to_frame(grouped)
    names = ["user", "speed", "height", "gait", "died", "age"]
    assert back["row_index"].tolist() == [*range(len(frame))]
    assert back["step"].tolist() == frame.groupby("user").cumcount().tolist()
    assert_frame_equal(back[names].astype(frame[names].dtypes), frame[names], check_exact=True)


@given(st.lists(st.tuples(st.sampled_from([5, 2**60, -1]), whole, whole), min_size=1))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whole_numbers_come_back_exactly(rows: list[tuple[int, int, int]]) -> None:
    matrix = np.array(rows)
    back = to_frame(sq.group(matrix, key=0, keep_row_index=True))
    assert [*back.columns] == ["0", "1", "2", "step", "row_index"]
    assert back[["0", "1", "2"]].to_numpy().tolist() == matrix.tolist()


def cells(rows: FlatRows) -> list[dict[str, Any]]:
    return pa.Table.from_batches(rows.batches(), rows.schema).to_pylist()


@given(oracles.raggeds(riders=True), st.integers(1, 3))
def test_rows_are_the_same_however_they_are_cut(ragged: Ragged, few: int) -> None:
    if ragged.values.ndim > 2:
        with pytest.raises(DataError, match="a step is an array of"):
            to_frame(ragged)
        return
    with Spool() as spool:
        whole = str(cells(FlatRows.of(ragged, spool, room=1)))
        lazily = ragged.replace(values=lazy(ragged.values), offsets=lazy(ragged.offsets))
        with (
            patch.object(module, "_CELLS", few),
            patch.object(stretches, "_SEQUENCES", few),
        ):
            assert str(cells(FlatRows.of(lazily, spool, room=1))) == whole


def lazy(array: Any) -> Lazy:
    return Lazy(array.shape, array.dtype, lambda begin, end: array[begin:end].copy())


@given(oracles.raggeds(riders=True))
def test_there_is_a_row_for_each_step_with_what_belongs_to_it(ragged: Ragged) -> None:
    if ragged.values.ndim > 2:
        return
    with Spool() as spool:
        rows = cells(FlatRows.of(ragged, spool, room=1))
    lengths = ragged.lengths.tolist()
    assert [row["step"] for row in rows] == [step for length in lengths for step in range(length)]
    if ragged.keys is None:
        assert [row["sequence"] for row in rows] == [i for i, n in enumerate(lengths) for _ in range(n)]
    elif ragged.keys.ndim == 1:
        expected = [key for key, n in zip(ragged.keys.tolist(), lengths, strict=True) for _ in range(n)]
        assert [row["key"] for row in rows] == expected
    if ragged.features is None and ragged.values.ndim == 1:
        assert oracles.text_of(
            np.array([row["x"] for row in rows if row["x"] is not None])
        ) == oracles.text_of(np.array([number for number in ragged.values.tolist() if number == number]))


@given(st.lists(st.integers(0, 30)), st.integers(1, 4), st.integers(1, 200), st.booleans())
def test_steps_are_sorted_as_python_sorts_them(
    numbers: list[int], rows: int, together: int, on_disk: bool
) -> None:
    steps = np.array(numbers, np.int64)
    index = {"row_index": StepArray(steps, -1)}
    ragged = Ragged(steps * 1.5, np.array([0, len(steps) // 2, len(steps)]), per_step=index)
    with Spool() as spool, patch.object(sorting, "_TOGETHER", together), patch.object(module, "_MOST", rows):
        found = cells(FlatRows.of(ragged, spool, room=0 if on_disk else 10**6))
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    first = len(numbers) // 2
    assert [(row["row_index"], row["x"], row["sequence"], row["step"]) for row in found] == [
        (numbers[i], numbers[i] * 1.5, int(i >= first), i - first * (i >= first)) for i in order
    ]


def test_names_that_are_taken_get_a_number() -> None:
    frame = pd.DataFrame({"step": [1, 1], "part": [2.0, 3.0], "row_index": [4, 5]})
    back = to_frame(sq.group(frame, key="step", keep_row_index=True))
    assert [*back.columns] == ["step", "part", "row_index", "step_1", "row_index_1"]


def test_several_keys_labels_and_a_feature_that_is_the_key() -> None:
    frame = pd.DataFrame(
        {"a": [1, 1, 2], "b": ["x", "y", "x"], "t": [9, 8, 7], "p": ["no", "yes", "no"], "q": [0.5, 1.5, 2]}
    )
    grouped = sq.group(frame, key=["a", "b"], columns=["a", "t"], label=["p", "q"], keep_row_index=True)
    back = to_frame(grouped)
    assert [*back.columns] == ["a", "b", "t", "p", "q", "step", "row_index"]
    assert back["a"].tolist() == ["1", "1", "2"]  # keys of several columns are text if one of them is
    assert_frame_equal(back[["b", "t", "p", "q"]], frame[["b", "t", "p", "q"]], check_dtype=False)


def test_missing_classes_and_categories_are_empty() -> None:
    ragged = Ragged(
        np.array([3, 1, 2, 4]),
        np.array([0, 2, 4]),
        per_sequence={"y": np.array([1, -100])},
        names={
            "classes": np.array(["no", "yes"]),
            "categories": np.array(["city"]),
            "vocabulary_0": np.array(["Rome", "Bern"]),
        },
    )
    with Spool() as spool:
        rows = cells(FlatRows.of(ragged, spool, room=1))
    assert [(row["city"], row["y"]) for row in rows] == [
        ("Rome", "yes"),
        (None, "yes"),
        (None, None),
        ("Bern", None),
    ]


def test_no_sequences_and_sequences_without_steps_give_no_rows() -> None:
    for data in ([], [[], []]):
        with Spool() as spool:
            assert cells(FlatRows.of(sq.truncate(data, maxlen=3), spool, room=1)) == []
    empty = sq.group(pd.DataFrame({"k": ["a"], "x": [1.5]}), key="k", min_len=2)
    assert [*to_frame(empty).columns] == ["k", "x", "step"]


def test_forecasts_come_back_to_the_rows_of_a_frame() -> None:
    frame = pd.DataFrame({"k": [*"abababab"], "v": [0.0, 50, 1, 60, 2, 70, 3, 80]})
    grouped = sq.group(frame, key="k", dtype="float64", ragged=True, keep_row_index=True)
    made: Any = sq.window(sq.scale(grouped, method="minmax"), size=2, horizon=1)
    back = to_frame(made, add={"p": made.per_sequence["y"].tolist()}, raw=True)
    assert back["row_index"].tolist() == [*range(8)]  # those behind the last windows, too
    np.testing.assert_allclose(back["p"], frame["v"].where(frame.index >= 4))
    np.testing.assert_allclose(back["v"], frame["v"].where(frame.index < 6))
    with pytest.raises(DataError, match=r"^add p: has shape \(3,\); \(4, 1\) was expected, for the windows"):
        to_frame(made, add={"p": np.zeros(3)}, raw=True)
    unnumbered: Any = made.replace(
        per_step={}, per_sequence={n: a for n, a in made.per_sequence.items() if n != "y_row_index"}
    )
    assert to_frame(unnumbered, raw=True)["k"].tolist() == [*"aaaabbbb"]


def test_predictions_stand_beside_the_rows_of_their_sequences_and_slots() -> None:
    padded = sq.pad({"a": [1, 2], "b": [3]}, padding="pre")
    slots = np.array([[5, 6], [0, 7]])
    back = to_frame(padded, add={"of": np.array([0.5, 0.25]), "at": slots[..., None]})
    assert back["of"].tolist() == [0.5, 0.5, 0.25]
    assert back["at_0"].tolist() == [5, 6, 7]
    with pytest.raises(UsageError, match="add step: there is a column of this name already"):
        to_frame(padded, add={"step": np.zeros(2)})
    assert to_frame(sq.scale([[1.0, 3.0]], method="minmax"), raw=True)["x"].tolist() == [1, 3]
