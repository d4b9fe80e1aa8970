"""Windows back on their rows: each once, with what was predicted of it."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError
from seqtool.sequences.ragged import Ragged
from seqtool.unpadding import landing
from seqtool.unpadding.forecasts import predicted
from seqtool.unpadding.landing import WindowRows
from seqtool.unpadding.rows import FlatRows
from seqtool.unpadding.undoing import undone


def cells(rows: FlatRows) -> list[dict[str, Any]]:
    return pa.Table.from_batches(rows.batches(), rows.schema).to_pylist()


def windows_of(ragged: Any, before: Any = None) -> WindowRows:
    found = WindowRows.of(ragged, before or ragged)
    assert found is not None
    return found


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=4),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(1, 3),
    st.integers(0, 2),
    st.booleans(),
    st.integers(1, 30),
)
@pytest.mark.filterwarnings("ignore:too short for a window")
def test_each_row_that_windows_show_comes_once_with_what_was_predicted_of_it(
    lengths: list[int], size: int, stride: int, rate: int, horizon: int, lead: int, from_end: bool, few: int
) -> None:
    assume(max(lengths) >= (size - 1) * rate + 1 + lead + horizon)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = np.arange(offsets[-1]) * 10.0
    ragged = Ragged(values, offsets, keys=np.arange(len(lengths)))
    made = sq.window(
        ragged, size=size, stride=stride, rate=rate, horizon=horizon, lead=lead, from_end=from_end
    )
    shown: dict[tuple[int, int], float] = {}
    expected: dict[tuple[int, int], dict[int, float]] = {}
    for i, (key, part) in enumerate(zip(made.keys.tolist(), made.per_sequence["part"].tolist(), strict=True)):
        for step, value in enumerate(made[i].tolist()):
            shown[key, part + step * rate] = value
        for ahead, y in enumerate(np.atleast_1d(made.per_sequence["y"][i]).tolist()):
            place = key, part + (size - 1) * rate + 1 + lead + ahead
            expected.setdefault(place, {})[ahead] = y
    with patch.object(landing, "_TOGETHER", few):
        windows = windows_of(made)
        rows, left = FlatRows.of_windows(windows, by_source=False)
        y = made.per_sequence["y"]
        found = cells(rows.with_columns([predicted("p", y, windows)]))
    assert left == 0
    names = [f"p_{ahead}" for ahead in range(horizon)] if horizon > 1 else ["p"]
    assert [(row["key"], row["step"]) for row in found] == sorted({*shown, *expected})
    for row in found:
        place = row["key"], row["step"]
        assert row["x"] == shown.get(place)
        for ahead, name in enumerate(names):
            assert row[name] == expected.get(place, {}).get(ahead)
            assert row[name] in (None, values[offsets[row["key"]] + row["step"]])


def test_predictions_are_numbers_before_scale() -> None:
    frame = {"k": [1] * 6, "a": [1.0, 2, 3, 4, 5, 6], "b": [0.0, 9, 8, 1, 2, 0]}
    grouped = sq.group(pa.table(frame), key="k", dtype="float64", keep_row_index=True, ragged=True)
    made = sq.window(sq.scale(grouped, method="standard"), size=2, horizon=1, target=["b", "a"])
    with Spool() as spool:
        before, names = undone(made, spool)
        assert names == ["scale"]
        windows = windows_of(before, made)
        rows, left = FlatRows.of_windows(windows, by_source=True)
        found = cells(rows.with_columns([predicted("p", made.per_sequence["y"], windows)]))
    assert left == 0
    for row, a, b in zip(found, frame["a"], frame["b"], strict=True):
        if row["step"] < 5:  # the last row, which no window shows
            assert (round(row["a"], 9), round(row["b"], 9)) == (a, b)
        if row["step"] > 1:
            assert (round(row["p_b"], 9), round(row["p_a"], 9)) == (b, a)
    assert [row["row_index"] for row in found] == [0, 1, 2, 3, 4, 5]


def test_without_a_horizon_what_is_predicted_stands_in_the_last_row_of_a_window() -> None:
    made = sq.window([[0, 1, 2, 3, 4]], size=2, stride=2)
    windows = windows_of(made)
    rows, _ = FlatRows.of_windows(windows, by_source=False)
    found = cells(rows.with_columns([predicted("p", np.array([[7, 8], [5, 6]]), windows)]))
    assert [(row["x"], row["p_0"], row["p_1"]) for row in found] == [
        *((0, None, None), (1, 7, 8), (2, None, None)),
        (3, 5, 6),
    ]


def test_what_cannot_be_taken_back_is_said() -> None:
    made = sq.window([[0, 1, 2, 3, 4]], size=2, horizon=2)
    windows = windows_of(made)
    with pytest.raises(
        DataError, match=r"--add p: has shape \(2, 3\); \(2, 2\) was expected, for the windows"
    ):
        predicted("p", np.zeros((2, 3)), windows)
    with pytest.raises(DataError, match="keep-row-index"):
        FlatRows.of_windows(windows, by_source=True)
    assert WindowRows.of(sq.truncate([[1, 2]], maxlen=1), sq.truncate([[1, 2]], maxlen=1)) is None


@pytest.mark.filterwarnings("ignore:scaled a second time")
def test_inverses_are_taken_from_the_last_to_the_first() -> None:
    values = [[1.0, 2.0, 6.0], [4.0]]
    once = sq.scale(values, method="standard")
    twice = sq.scale(once, method="minmax")
    back = sq.scale(twice, inverse=True)
    for made, count in (
        (once, 1),
        (twice, 2),
        (back, 1),
        (sq.scale(values, method="standard", per_sequence=True), 0),
    ):
        with Spool() as spool:
            found, names = undone(made, spool)
        assert names == ["scale"] * count
        if count:
            assert np.allclose(np.asarray(found.values), [1, 2, 6, 4])
