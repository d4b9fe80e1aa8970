"""Few rows of plain numbers, which are grouped at once: as on the road that all rows take."""

from __future__ import annotations

import warnings
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
    {
        "k": [1, 1, 2],
        "t": [1.0, 2.0, 1.0],
        "a": [1, 2, 3],
        "b": [0.5, 1.5, 2.5],
        "y": ["n", "n", "y"],
        "l": ["u", "v", "u"],
        "c": ["x", "y", "x"],
        "s": [1, 1, 2],
        "r": [0.5, 0.5, 2.0],
    }
)
numbers = st.floats(width=32, allow_nan=False) | st.sampled_from([0.1, -0.0, 0.0, 1e300, np.nan])


def grouped(**options: Any) -> Any:
    return sq.group(FRAME, **{"key": "k", "order_by": "t", "columns": ["a", "b"], **options})


RECIPES = [
    Recipe.of(data, "a.npz")
    for data in (
        grouped(label="y"),
        grouped(order_by=None, columns=["a"], ragged=True),
        grouped(
            order_by=["t", "a"],
            columns=["b"],
            padding="pre",
            maxlen=2,
            value=-1,
            dtype="float64",
        ),
        sq.scale(grouped(columns=["b", "a"]), method="standard"),
        grouped(label="y", step_label="l", label_value=-1),
        grouped(step_label="l", static=["s", "r"]),
        grouped(label=["y", "s"], ragged=True),
        grouped(label="s", label_as="number", static="r"),
        grouped(category=["c", "l"], label="s"),
        sq.encode(grouped(category="c", step_label="a", columns=["b"])),
        sq.fill(grouped(columns=["b"]), method=["forward", "mean"]),
        grouped(category="c", label="y", columns=[]),
        sq.encode(grouped(category="l", columns=[]), oov_buckets=2),
        sq.window(sq.scale(grouped(columns=["b", "a"]), method="minmax"), size=1),
    )
]


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    count = draw(st.integers(1, 8))

    def column(cells: st.SearchStrategy[Any]) -> Any:
        return draw(st.lists(cells, min_size=count, max_size=count))

    def of_key(cells: st.SearchStrategy[Any]) -> Any:
        """The same cell in all rows of a key, mostly."""
        each = {key: draw(cells) for key in dict.fromkeys(keys)}
        found = [each[key] for key in keys]
        return [draw(cells), *found[1:]] if draw(st.integers(0, 4)) == 0 else found

    keys = column(
        draw(
            st.sampled_from(
                [
                    st.integers(-2, 2),
                    st.sampled_from(["7", "10", "-0"]),
                    st.sampled_from(["7", "007", "a", "é"]),
                ]
            )
        )
    )
    names = draw(st.sampled_from([NAMES, NAMES, st.sampled_from([*"nyuvx", *DOUBTFUL]), st.integers(1, 3)]))
    times = st.sampled_from([0.0, -0.0, 1.5, -3.0, 2.0**40])
    found = pd.DataFrame(
        {
            "k": keys,
            "b": np.array(column(numbers)),
            "a": column(st.integers(-(2**25), 2**25)),
            "t": np.array(column(times)),
            "more": column(st.text(max_size=2)),
            "y": of_key(names),
            "l": column(names),
            "c": column(NAMES | st.just("new")),
            "s": of_key(st.integers(0, 3)),
            "r": of_key(st.sampled_from([0.5, 0.1, 3.0])),
        }
    )
    if draw(st.booleans()):
        found["t"] = pd.to_datetime(found["t"].clip(0, 9), unit="s")
    for name in "ylcb":
        if draw(st.integers(0, 3)) == 0:
            found[name] = found[name].astype("category")
    return found.drop(columns=[name for name in "ylsr" if draw(st.integers(0, 5)) == 0])


NAMES = st.sampled_from([*"nyuvx"])
DOUBTFUL = ("NA", "7", "007", "", " x", None, "a\0")


def outcome(recipe: Recipe, rows: Any) -> Any:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            made = Transformer(recipe).transform(rows)
        except sq.DataError as error:
            return type(error), str(error)
    return oracles.parts(made), [str(warning.message) for warning in caught]


@given(frames(), st.sampled_from(RECIPES), st.booleans())
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
    categorical = FRAME.astype(dict.fromkeys("ylc", "category"))
    dated = FRAME.assign(t=pd.to_datetime(FRAME["t"], unit="s"))
    for rows in (FRAME, categorical, dated, *map(pa.Table.from_pandas, (FRAME, categorical, dated))):
        assert small.grouped(rows) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"k": [1.0, 1.0, 2.0]},
        {"k": ["a", "", "b"]},
        {"k": ["a", None, "b"]},
        {"t": [1.0, np.nan, 2.0]},
        {"t": [pd.Timestamp("2024-01-01"), pd.NaT, pd.Timestamp("2024-01-02")]},
        {"b": [np.nan, np.nan, np.nan]},
        {"b": pd.array([1, None, 2], "Int64")},
        {"b": ["1", "2", "3"]},
        {"b": pd.to_datetime(["2024-01-01"] * 3)},
        {"b": [True, False, True]},
        {"b": [1e300, 0.0, 0.0]},
        {"a": [2**24 + 1, 0, 0]},
        {"y": ["n", "y", "y"]},
        {"y": ["n", "n", None]},
        {"y": ["n", "n", "NA"]},
        {"y": [True, True, False]},
        {"y": [0.5, 0.5, 1.5]},
    ],
)
def test_other_rows_take_the_long_road(change: dict[str, Any]) -> None:
    small = SmallGroup.of(RECIPES[0])
    assert small is not None
    rows = FRAME.assign(**change)
    assert small.grouped(rows) is None
    assert small.grouped(pa.Table.from_pandas(rows, preserve_index=False)) is None


@pytest.mark.parametrize(
    "options",
    [
        {"key": ["k", "t"]},
        {"key": "k", "static": "c", "category": "c"},
        {"key": "k", "keep_row_index": True},
        {"no_key": True},
    ],
)
def test_other_calls_take_the_long_road(options: dict[str, Any]) -> None:
    frame = FRAME.assign(c=["x", "x", "y"])
    assert SmallGroup.of(Recipe.of(sq.group(frame, columns=["a"], **options), "a.npz")) is None


def test_missing_values_are_warned_of() -> None:
    with pytest.warns(UserWarning, match="missing values became NaN: {'b': 1}"):
        Transformer(RECIPES[0]).transform(FRAME.assign(b=[1.0, np.nan, 2.0]))
