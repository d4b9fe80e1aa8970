"""Masked cells of NumPy are missing: NaN with a warning, an error for integers, and never what lies under them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import seqtool as st
from seqtool import DataError

NAN = float("nan")


def masked(cells: Any, hidden: float = -9999) -> Any:
    return np.ma.masked_equal(np.array(cells), hidden)


def integers(*cells: Any) -> Any:
    return pd.array(cells, dtype="Int64")


ROWS = masked([[5.0, -9999.0], [1.0, 2.0]])
FORMS: dict[str, tuple[Any, Any]] = {
    "a list of sequences": ([masked([5.0, -9999.0]), masked([1.0, 2.0])], [[5, NAN], [1, 2]]),
    "a list of sequences of steps": ([ROWS], [[[5, NAN], [1, 2]]]),
    "a list of lists of steps": ([[ROWS[0], ROWS[1]]], [[[5, NAN], [1, 2]]]),
    "tuples of steps, one of them masked": ([(np.array([5.0, 6.0]), ROWS[0])], [[[5, 6], [5, NAN]]]),
    "a dense block": (ROWS, [[5, NAN], [1, 2]]),
    "a nullable array": ([integers(5, None), integers(1, 2)], [[5, NAN], [1, 2]]),
    "a nullable array of floats": ([pd.array([5.5, None], dtype="Float64")], [[5.5, NAN]]),
    "a nullable array of Arrow's": ([pd.array([5, None], dtype="int64[pyarrow]")], [[5, NAN]]),
    "nullable steps": ([[integers(5, None), integers(1, 2)]], [[[5, NAN], [1, 2]]]),
    "steps of Arrow": ([(pa.array([5, None]), pa.array([1, 2]))], [[[5, NAN], [1, 2]]]),
    "a series of nullable arrays": (pd.Series([integers(5, None), integers(1)]), [[5, NAN], [1, 0]]),
    "an object array": (np.array([masked([5.0, -9999.0]), masked([1.0])], object), [[5, NAN], [1, 0]]),
}


@pytest.mark.parametrize("form", FORMS)
def test_masked_cells_become_nan_with_a_warning(form: str) -> None:
    given, expected = FORMS[form]
    with pytest.warns(UserWarning, match="missing values became NaN: 1"):
        assert np.array_equal(st.pad(given, padding="post").x, expected, equal_nan=True)
    with pytest.warns(UserWarning, match="missing values became NaN: 1") as caught:
        cut = st.truncate(given, maxlen=9)
    assert np.isnan(cut.values).sum() == 1
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ([masked([5, -9999])], "sequences[0][1]"),
        ([[1, 2], masked([5, -9999])], "sequences[1][1]"),
        ([[masked([1, 2]), masked([5, -9999])]], "sequences[0][1][1]"),
        (masked([[5, 1], [-9999, 1]]), "sequences[1, 0]"),
    ],
)
def test_a_masked_integer_is_an_error(given: Any, place: str) -> None:
    for call in (st.pad, lambda some: st.truncate(some, maxlen=1)):
        with pytest.raises(
            DataError, match=re.escape(f"{place} is masked: a missing value, which int64 cannot hold")
        ):
            call(given)


def test_group_takes_masked_cells_as_missing() -> None:
    rows = masked([[1, 5], [1, -9999], [2, 3]]).astype(float)
    with pytest.warns(UserWarning, match="missing values became NaN"):
        grouped = st.group(rows, key=0)
    assert np.array_equal(grouped.x[..., 1], [[5, NAN], [3, 0]], equal_nan=True)
    with pytest.raises(DataError, match=r'row 1, column .*; choose dtype="float32"'):
        st.group(rows.astype(int), key=0)
    with pytest.warns(UserWarning, match="missing values became NaN"):
        assert st.group(rows.astype(int), key=0, dtype="float32").x.dtype == np.float32
    with pytest.raises(DataError, match="key column '1' is empty in 1 of 3 rows"):
        st.group(rows, key=1)


@pytest.mark.parametrize(
    ("make", "place"),
    [
        (lambda: st.Ragged(masked([5.0, -9999.0]), np.array([0, 2])), "values[1]"),
        (lambda: st.Ragged(np.ones(2), masked([0, 2], 2)), "offsets[1]"),
        (lambda: st.Padded(ROWS, np.array([2, 2])), "x[0, 1]"),
        (lambda: st.Padded(np.ones((1, 2)), masked([2], 2)), "lengths[0]"),
        (lambda: st.Ragged(np.ones(2), np.array([0, 2]), keys=masked([5], 5)), "keys[0]"),
        (lambda: st.Ragged(np.ones(2), np.array([0, 2]), per_sequence={"y": masked([5], 5)}), "y[0]"),
        (lambda: st.step_mask(masked([1, 2], 2), maxlen=2), "lengths[1]"),
    ],
)
def test_our_types_hold_no_masked_cells(make: Callable[[], object], place: str) -> None:
    with pytest.raises(DataError, match=rf"^{re.escape(place)} is masked; fill it first"):
        make()


def test_arrays_that_mask_nothing_are_taken_as_they_are() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nothing = masked([[5, 1]])
        assert st.pad(nothing).x.tolist() == st.pad([nothing[0]]).x.tolist() == [[5, 1]]
        kept = st.Padded(nothing, masked([2])).x
    assert type(kept) is np.ndarray
