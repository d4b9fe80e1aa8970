"""Predictions on the rows that they are for: after `window --next` those of steps, each in the row after its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.errors import DataError
from tests.command import Place, succeeded

pytestmark = pytest.mark.filterwarnings("ignore:too short for a window")


def table(lengths: list[int], seed: int = 0) -> pd.DataFrame:
    """Rows of some sequences, in no order, whose value tells the key and the step."""
    steps = [(key, step) for key, length in enumerate(lengths) for step in range(length)]
    frame = pd.DataFrame(steps, columns=["k", "t"]).assign(v=[100.0 * key + step for key, step in steps])
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


def windows_of(frame: pd.DataFrame, **options: Any) -> Any:
    grouped = sq.group(
        frame, key="k", order_by="t", columns=["v"], dtype="float64", keep_row_index=True, ragged=True
    )
    return sq.window(grouped, next=True, **options)


def expected(made: Any, cells: list[np.ndarray], rate: int) -> dict[tuple[int, int], float]:
    """By plain Python: the row, by key and step, and what the window with the most steps before it says of it."""
    best: dict[tuple[int, int], tuple[int, float]] = {}
    for key, part, cell in zip(made.keys.tolist(), made.per_sequence["part"].tolist(), cells, strict=True):
        for step, number in enumerate(cell.tolist()):
            row = key, part + step * rate + 1
            if row not in best or step >= best[row][0]:
                best[row] = step, number
    return {row: number for row, (_, number) in best.items()}


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from(["steps", "pre", "post"]),
)
def test_each_stands_in_the_row_after_its_own(
    lengths: list[int], size: int, stride: int, rate: int, from_end: bool, form: str
) -> None:
    assume(max(lengths) > (size - 1) * rate + 1)
    frame = table(lengths)
    made = windows_of(frame, size=size, stride=stride, rate=rate, from_end=from_end, min_size=1)
    numbers = np.random.default_rng(1).random(len(made.values))
    cells = np.split(numbers, made.offsets[1:-1])
    data, array = made, numbers
    if form != "steps":
        data = sq.pad(made, padding=form, maxlen=size + 1)
        array = np.full(data.x.shape[:2], -9.0)
        array[data.mask] = numbers
    found = sq.to_frame(data, add={"p": array}, raw=True)
    assert "step_y" not in found
    by_step = {(row.k, row.step): row for row in found.itertuples()}
    assert len(by_step) == len(found)
    assert {place: row.p for place, row in by_step.items() if row.p == row.p} == expected(made, cells, rate)
    last = made.per_sequence["part"] + (made.lengths - 1) * rate
    ends = {*zip(made.keys.tolist(), last.tolist(), strict=True)}
    for (key, step), row in by_step.items():
        if row.v == row.v or (key, step - 1) in ends:
            assert (frame.k[row.row_index], frame.t[row.row_index]) == (key, step)
            assert row.v in (frame.v[row.row_index], None) or row.v != row.v


def test_they_are_numbers_before_scale_and_beside_the_table_as_pandas_shifts_them(place: Place) -> None:
    frame = table([5, 7, 3])
    frame.to_csv(place.folder / "rows.csv", index=False)
    group = "group rows.csv --key k --order-by t --columns v --dtype float64 --keep-row-index --ragged"
    succeeded(place.run(*group.split(), "-o", "g.npz"))
    succeeded(place.run("scale", "g.npz", "-o", "s.npz"))
    window = "window s.npz --size 2 --stride 2 --min-size 1 --next"
    succeeded(place.run(*window.split(), "-o", "w.npz"))
    place.write("p.npy", place.arrays("w.npz")["step_y"])  # a model that is always right
    call = "unpad w.npz --raw --add p=p.npy --rows rows.csv -o out.csv"
    done = succeeded(place.run(*call.split()))
    assert "p: of windows, in the rows that they are for" in done.err
    found = pd.read_csv(place.folder / "out.csv")
    first = frame.groupby("k").t.transform("min")
    wanted = frame.v.where(frame.t > first)
    assert np.allclose(found.p, wanted, equal_nan=True)


def test_tokens_are_predicted_by_name_or_by_score(place: Place) -> None:
    place.write("c.csv", "u,t,item\n" + "".join(f"{u},{t},{'xyz'[t]}\n" for u in "ab" for t in range(3)))
    group = "group c.csv --key u --order-by t --category item --columns item"
    succeeded(place.run(*group.split(), "-o", "g.npz"))
    succeeded(place.run(*["window", "g.npz", "--size", "2", "--next", "-o", "w.npz"]))
    data: Any = sq.load(place.folder / "w.npz")
    found = sq.to_frame(data, add={"p": data.per_step["step_y"].data}, raw=True)
    assert found.p.where(found.p.notna(), "").tolist() == ["", "y", "z"] * 2
    scores = sq.to_frame(data, add={"p": np.arange(24.0).reshape(2, 2, 6)}, raw=True)
    assert scores.p_5.fillna(-1).tolist() == [-1, 5, 11, -1, 17, 23]


def test_of_windows_they_stand_in_the_last_row() -> None:
    made = windows_of(table([4, 4]), size=3)
    found = sq.to_frame(made, add={"p": np.array([[1, 2], [3, 4]])}, raw=True).sort_values(["k", "step"])
    assert found.p_0.fillna(0).tolist() == [0, 0, 1, 0, 0, 0, 3, 0]


def test_other_shapes_and_lost_rows_are_refused() -> None:
    made = windows_of(table([4, 4]), size=3)
    for wrong, words in (
        (np.zeros(5), r"has shape \(5,\); \(6,\) of the steps, or \(2,\) of the windows was expected"),
        (np.zeros((6, 2)), r"holds \(2,\) for each step; one number was expected"),
    ):
        with pytest.raises(DataError, match=words):
            sq.to_frame(made, add={"p": wrong}, raw=True)
    padded = sq.pad(made)
    with pytest.raises(DataError, match=r"\(2, 3\) of the slots, \(6,\) of the steps"):
        sq.to_frame(padded, add={"p": np.zeros((3, 4))}, raw=True)


def test_steps_that_were_cut_leave_predictions_of_rows_that_only_their_place_tells() -> None:
    made = windows_of(table([4]), size=3)
    cut = sq.truncate(made, maxlen=1, truncating="post")
    found = sq.to_frame(cut, add={"p": np.array([7.0])}, raw=True)
    assert found[["step", "v", "p"]].fillna(-1).to_numpy().tolist() == [[0, 0, -1], [1, -1, 7], [3, -1, -1]]
    assert found.row_index.notna().tolist() == [True, False, True]
