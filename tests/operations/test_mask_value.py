import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from seqtool.arrays.lazy import Lazy
from seqtool.errors import DataError
from seqtool.operations.mask_value import candidates, free_value, holding
from tests import oracles

NAN = float("nan")


def lazy(array: np.ndarray) -> Lazy:
    return Lazy(array.shape, array.dtype, lambda begin, end: array[begin:end].copy())


def slow_holding(values: np.ndarray, value: float) -> list[int]:
    """The rows that hold a value in every feature, one number at a time."""
    rows = []
    with np.errstate(all="ignore"):
        sought = float(np.float32(values.dtype.type(value)))
        for i, step in enumerate(values):
            numbers = [float(np.float32(number)) for number in np.atleast_1d(step)]
            if numbers and all(number == sought for number in numbers):
                rows.append(i)
    return rows


small = st.integers(-3, 3) | st.sampled_from([-9, -10, -99])


@given(npst.arrays(np.int16, st.tuples(st.integers(0, 8), st.integers(1, 3)), elements=small), small)
def test_real_steps_that_hold_a_value(values: np.ndarray, value: int) -> None:
    expected = slow_holding(values, value)
    for rows in (values, lazy(values), values.astype(np.float32), values.astype(np.float64)):
        found = holding(rows, value)
        assert ([found.count, found.first] if found else None) == (
            [len(expected), expected[0]] if expected else None
        )
    flat = values.reshape(-1)
    assert (holding(flat, value) is not None) == (value in flat)


@given(st.sampled_from(oracles.NUMBERS), st.data())
def test_a_free_value_is_one_that_no_step_holds_and_the_first_such(dtype: str, data: st.DataObject) -> None:
    tried = candidates(np.dtype(dtype))
    steps = data.draw(st.lists(st.sampled_from(tried), max_size=6, unique=True))
    values = np.array(steps, dtype)
    free = [value for value in tried if value not in steps]
    if not free:
        with pytest.raises(DataError, match="no mask value is free"):
            free_value(values)
        return
    assert free_value(values) == free[0]
    assert free_value(lazy(values)) == free[0]
    assert holding(values, free[0]) is None
    assert np.array([free[0]]).astype(dtype)[0] == free[0]


def test_candidates_suit_the_dtype() -> None:
    assert candidates(np.dtype("float32"))[:9] == [0, -1, -2, -9, -10, -99, -100, -999, -1000]
    assert candidates(np.dtype("int8")) == [0, -1, -2, -9, -10, -99, -100]
    assert candidates(np.dtype("uint16")) == [0, 255, 254, 253, 65535, 65534]
    assert candidates(np.dtype("bool")) == [0, 1]
    assert -9999 not in candidates(np.dtype("float16"))  # which holds -10000 and nothing around it


def test_one_feature_that_differs_keeps_a_value_free() -> None:
    assert free_value(np.array([[0, 0], [-1, 0], [-2, -1]])) == -1
    assert free_value(np.array([[0, 0], [-1, -1]])) == -2


def test_steps_are_compared_as_a_mask_in_float32_does() -> None:
    """Keras casts x to float32, where these numbers become 0 and -1."""
    assert holding(np.array([[1e-60, 0.0]]), 0) is not None
    assert free_value(np.array([1e-60, -1.00000000001])) == -2
    assert free_value(np.array([1e-60]), np.dtype("float32")) == -1
    assert free_value(np.array([0.5]), np.dtype("float32")) == 0


def test_nan_is_never_masked() -> None:
    assert holding(np.array([[NAN, NAN]]), NAN) is None
    assert free_value(np.array([[NAN, NAN]])) == 0


def test_nothing_holds_nothing() -> None:
    assert free_value(np.empty((0, 3))) == 0
    assert free_value(np.empty((3, 0))) == 0
