"""The grid of a heat map, beside plain Python that looks at one cell at a time."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seqtool.arrays.lazy import Lazy
from seqtool.terminal.heatmap import MISSING, PADDING, heatmap
from tests.cutting import small_windows

NAN, INF = float("nan"), float("inf")


def grid(slots: Any, **options: Any) -> list[list[int]]:
    return heatmap(np.array(slots), **{"width": 40, "height": 40, "levels": 5, **options}).cells.tolist()


def test_each_feature_has_its_own_scale() -> None:
    drawn = heatmap(np.array([[0, 1000], [1, 3000], [2, 5000]]), width=9, height=9, levels=5)
    assert drawn.cells.tolist() == [[0, 2, 4], [0, 2, 4]]
    assert drawn.scales.tolist() == [[0, 2], [1000, 5000]]


def test_padding_is_told_apart_from_steps_that_hold_the_same() -> None:
    assert grid([[0.0], [4.0], [0.0]], real=(0, 2)) == [[0, 4, PADDING]]
    assert grid([[0.0], [4.0], [0.0]], real=(1, 3)) == [[PADDING, 4, 0]]
    assert grid([[1.0], [1.0]], real=(0, 0)) == [[PADDING, PADDING]]
    assert grid([[1.0], [1.0]], real=(2, 2)) == [[PADDING, PADDING]]


def test_missing_values_and_infinities_are_told_apart_from_padding() -> None:
    assert grid([[NAN], [1.0], [INF], [-INF], [9.0], [NAN]], real=(0, 5)) == [
        [MISSING, 0, MISSING, MISSING, 4, PADDING]
    ]
    drawn = heatmap(np.array([[NAN, 1.0]]), width=9, height=9, levels=5)
    assert drawn.cells.tolist() == [[MISSING], [2]]
    assert np.isnan(drawn.scales[0]).all()


def test_a_missing_value_does_not_spoil_the_mean_of_its_column() -> None:
    drawn = heatmap(np.array([[1.0], [NAN], [5.0], [7.0]]), width=2, height=1, levels=4)
    assert (drawn.each, drawn.scales.tolist()) == (2, [[1, 6]])


def test_token_ids_are_one_row() -> None:
    drawn = heatmap(np.array([3, 1, 2]), width=9, height=9, levels=3)
    assert (drawn.cells.tolist(), drawn.features) == ([[2, 0, 1]], 1)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16"])
def test_numbers_of_any_type(dtype: str) -> None:
    assert grid(np.array([[0], [1]], dtype)) == [[0, 4]]


def test_one_far_off_number_does_not_wash_out_all_others() -> None:
    slots = np.arange(100.0)[:, None]
    slots[17] = 1e9
    drawn = heatmap(slots, width=100, height=1, levels=10)
    assert drawn.scales[0].tolist() == [2, 98]
    assert drawn.cells[0, 17] == 9
    assert len(np.unique(drawn.cells)) == 10


def test_a_constant_feature_stands_in_the_middle_and_what_differs_at_the_ends() -> None:
    slots = np.full((100, 1), 3.0)
    slots[5], slots[6] = -1e300, 1e300
    cells = heatmap(slots, width=100, height=1, levels=5).cells[0]
    assert (cells[4:8].tolist(), set(cells.tolist())) == ([2, 0, 4, 2], {0, 2, 4})


@pytest.mark.parametrize("ends", [(-1.7e308, 1.7e308), (0, 5e-324), (-INF, INF), (1e308, 1.7e308)])
def test_the_farthest_numbers_fit_a_scale(ends: tuple[float, float]) -> None:
    cells = grid([[ends[0]], [ends[1]]])
    assert cells == ([[MISSING, MISSING]] if math.isinf(ends[0]) else [[0, 4]])


@pytest.mark.parametrize(
    ("slots", "real", "first", "end", "each"),
    [
        (100, (0, 100), 0, 100, 10),  # all steps
        (1000, (0, 5), 0, 10, 1),  # what is not drawn is padding
        (1000, (995, 1000), 990, 1000, 1),
        (1000, (900, 1000), 900, 1000, 10),
        (1000, (0, 0), 0, 10, 1),
        (1000, (1000, 1000), 990, 1000, 1),
        (12, (0, 11), 0, 12, 2),
        (12, (1, 12), 0, 12, 2),
    ],
)
def test_steps_are_always_drawn_and_padding_where_there_is_room(
    slots: int, real: tuple[int, int], first: int, end: int, each: int
) -> None:
    drawn = heatmap(np.zeros((slots, 1)), real=real, width=10, height=1, levels=2)
    assert (drawn.first, drawn.end, drawn.each, drawn.slots) == (first, end, each, slots)
    assert drawn.cells.shape == (1, -(-(end - first) // each))


def test_of_many_features_come_the_first() -> None:
    drawn = heatmap(np.arange(20.0).reshape(2, 10), width=9, height=3, levels=2)
    assert (len(drawn.cells), drawn.features) == (3, 10)


@pytest.mark.parametrize("shape", [(0, 3), (0,), (3, 0), (0, 0)])
def test_nothing_to_draw_is_an_empty_grid(shape: tuple[int, ...]) -> None:
    drawn = heatmap(np.zeros(shape), width=9, height=9, levels=2)
    assert drawn.cells.size == 0


@given(
    npst.arrays(
        np.float64,
        st.tuples(st.integers(1, 40), st.integers(1, 4)),
        elements=st.floats(-100, 100, width=32) | st.just(NAN),
    ),
    st.data(),
)
def test_every_cell_is_what_its_slots_tell(slots: np.ndarray, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, len(slots)))
    post, width = data.draw(st.booleans()), data.draw(st.integers(1, 12))
    begin, end = (0, length) if post else (len(slots) - length, len(slots))
    drawn = heatmap(slots, real=(begin, end), width=width, height=3, levels=7)
    assert drawn.cells.shape[1] <= width
    assert drawn.first <= begin or begin == end
    assert drawn.end >= end or begin == end
    for row, cells in enumerate(drawn.cells.tolist()):
        means = []
        for column, level in enumerate(cells):
            first = drawn.first + column * drawn.each
            inside = [t for t in range(first, min(first + drawn.each, len(slots))) if begin <= t < end]
            numbers = [slots[t, row] for t in inside if not math.isnan(slots[t, row])]
            assert (level == PADDING) == (not inside)
            assert (level == MISSING) == (bool(inside) and not numbers)
            if numbers:
                means.append((sum(numbers) / len(numbers), level))
        levels = [level for _, level in sorted(means, key=lambda pair: pair[0])]
        assert all(a <= b for a, b in pairwise(levels)) or close(means)
        assert set(levels) <= set(range(7))
        if means:
            low, high = drawn.scales[row]
            assert low == pytest.approx(min(mean for mean, _ in means))
            assert high == pytest.approx(max(mean for mean, _ in means))


def close(means: list[tuple[float, int]]) -> bool:
    """Whether sums in another order may have swapped two means."""
    ordered = sorted(mean for mean, _ in means)
    return any(b - a < 1e-9 for a, b in pairwise(ordered))


def test_only_the_steps_are_read_and_by_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    small_windows(monkeypatch)
    slots = np.random.default_rng(0).normal(size=(5000, 3))
    asked: list[tuple[int, int]] = []

    def read(begin: int, end: int) -> np.ndarray:
        asked.append((begin, end))
        return slots[begin:end]

    lazy = Lazy(slots.shape, slots.dtype, read)
    drawn = heatmap(lazy, real=(0, 3000), width=50, height=9, levels=9)
    assert drawn.cells.tolist() == heatmap(slots, real=(0, 3000), width=50, height=9, levels=9).cells.tolist()
    assert max(end for _, end in asked) == 3000
