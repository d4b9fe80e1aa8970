"""Few rows of plain numbers, which are grouped at once: as on the road that all rows take."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.recipes.recipe import Recipe
from seqtool.recipes.small import SmallGroup
from seqtool.recipes.transformer import Transformer
from tests import oracles

FRAME = pd.DataFrame(
    {"k": [1, 1, 2], "t": [1.0, 2.0, 1.0], "a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "y": ["n", "n", "y"]}
)
numbers = st.floats(width=32, allow_nan=False) | st.sampled_from([0.1, -0.0, 0.0, 1e300])
RECIPES = [
    Recipe.of(data, "a.npz")
    for data in (
        sq.group(FRAME, key="k", order_by="t", columns=["a", "b"], label="y"),
        sq.group(FRAME, key="k", columns=["a"], ragged=True),
        sq.group(
            FRAME,
            key="k",
            order_by=["t", "a"],
            columns=["b"],
            padding="pre",
            maxlen=2,
            value=-1,
            dtype="float64",
        ),
        sq.scale(sq.group(FRAME, key="k", order_by="t", columns=["b", "a"]), method="standard"),
    )
]


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    count = draw(st.integers(1, 8))

    def column(cells: st.SearchStrategy[Any]) -> Any:
        return draw(st.lists(cells, min_size=count, max_size=count))

    keys = draw(
        st.sampled_from(
            [st.integers(-2, 2), st.sampled_from(["7", "10", "-0"]), st.sampled_from(["7", "007", "a", "é"])]
        )
    )
    return pd.DataFrame(
        {
            "k": column(keys),
            "b": np.array(column(numbers)),
            "a": column(st.integers(-(2**25), 2**25)),
            "t": np.array(column(st.sampled_from([0.0, -0.0, 1.5, -3.0, 2.0**40]))),
            "more": column(st.text(max_size=2)),
        }
    )


def outcome(recipe: Recipe, rows: Any) -> tuple[str, Any]:
    try:
        made = Transformer(recipe).transform(rows)
    except sq.DataError as error:
        return "error", type(error)
    return "made", (oracles.parts(made), made.receipt)


@given(frames(), st.sampled_from(RECIPES), st.booleans())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_short_road_ends_where_the_long_one_does(
    frame: pd.DataFrame, recipe: Recipe, as_arrow: bool
) -> None:
    rows = pa.Table.from_pandas(frame, preserve_index=False) if as_arrow else frame
    short = outcome(recipe, rows)
    with patch.object(SmallGroup, "grouped", return_value=None):
        assert outcome(recipe, rows) == short


@pytest.mark.parametrize("recipe", RECIPES)
def test_it_is_taken_for_plain_numbers(recipe: Recipe) -> None:
    small = SmallGroup.of(recipe)
    assert small is not None
    for rows in (FRAME.drop(columns="y"), pa.Table.from_pandas(FRAME.drop(columns="y"))):
        assert small.grouped(rows) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"k": [1.0, 1.0, 2.0]},
        {"k": ["a", "", "b"]},
        {"k": ["a", None, "b"]},
        {"t": [1.0, np.nan, 2.0]},
        {"b": [1.0, np.nan, 2.0]},
        {"b": pd.array([1, None, 2], "Int64")},
        {"b": ["1", "2", "3"]},
        {"b": pd.to_datetime(["2024-01-01"] * 3)},
        {"b": [True, False, True]},
        {"b": [1e300, 0.0, 0.0]},
        {"a": [2**24 + 1, 0, 0]},
        {"y": ["n", "n", "y"]},
    ],
)
def test_other_rows_take_the_long_road(change: dict[str, Any]) -> None:
    small = SmallGroup.of(RECIPES[0])
    assert small is not None
    rows = FRAME.drop(columns="y").assign(**change)
    assert small.grouped(rows) is None
    assert small.grouped(pa.Table.from_pandas(rows, preserve_index=False)) is None


@pytest.mark.parametrize(
    "options",
    [
        {"key": ["k", "t"]},
        {"key": "k", "static": "y"},
        {"key": "k", "keep_row_index": True},
        {"no_key": True},
    ],
)
def test_other_calls_take_the_long_road(options: dict[str, Any]) -> None:
    frame = FRAME.assign(y=[1, 1, 2])
    assert SmallGroup.of(Recipe.of(sq.group(frame, columns=["a"], **options), "a.npz")) is None


def test_missing_values_are_warned_of() -> None:
    with pytest.warns(UserWarning, match="missing values became NaN: {'b': 1}"):
        Transformer(RECIPES[0]).transform(FRAME.assign(b=[1.0, np.nan, 2.0]))
