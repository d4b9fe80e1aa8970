from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.errors import DataError, SeqtoolError, UsageError
from seqtool.sequences.padding_values import check_value
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from seqtool.sequences.validation import Stale, check_same_lengths, offsets_of, stale_slots, step_mask
from tests import oracles


def ints(*numbers: int) -> Any:
    return np.array(numbers, dtype=np.int64)


def ragged(**changes: Any) -> Ragged:
    """Three sequences of 2, 0 and 1 steps, with two features."""
    parts = {"values": np.arange(6.0).reshape(3, 2), "offsets": ints(0, 2, 2, 3)}
    return Ragged(**(parts | changes))


def padded(**changes: Any) -> Padded:
    """Two sequences of 1 and 2 steps in 2 slots, padded after their end."""
    return Padded(**({"x": np.array([[1, 0], [2, 3]]), "lengths": ints(1, 2), "padding": "post"} | changes))


@pytest.mark.parametrize("sequences", [0, 3])
def test_lengths_beside_offsets_are_those_of_the_offsets(sequences: int) -> None:
    data = ragged() if sequences else Ragged(np.empty((0, 4)), ints(0))
    check_same_lengths(data, data.lengths)
    for wrong in (ints(*data.lengths, 1), data.lengths + 1 if sequences else ints(3)):
        with pytest.raises(DataError, match="contradict"):
            check_same_lengths(data, wrong)


def test_a_ragged_tells_its_size() -> None:
    assert len(ragged()) == 3
    assert ragged().lengths.tolist() == [2, 0, 1]
    assert len(Ragged(np.empty((0, 4)), ints(0))) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": np.float64(3)}, "values has shape"),
        ({"values": np.array(["a", "b", "c"])}, "values is <U1"),
        ({"values": np.array([1j, 2, 3])}, "values is complex128"),
        ({"values": np.array([None, 1, 2])}, "values is object"),
        ({"offsets": ints(1, 2, 2, 3)}, r"offsets\[0\] is 1; 0 was expected"),
        ({"offsets": ints(0, 2, 1, 3)}, r"offsets\[2\] is 1, below the 2 before it"),
        ({"offsets": ints(0, 2, 2, 4)}, "offsets ends at 4, but values holds 3 steps"),
        ({"offsets": ints(0, 2, 2, 2)}, "offsets ends at 2, but values holds 3 steps"),
        ({"offsets": ints()}, "offsets is int64"),
        ({"offsets": np.array([0.0, 2, 2, 3])}, "offsets is float64"),
        ({"offsets": np.array([0, 2, 2, 3], dtype=np.int32)}, "offsets is int32"),
        ({"offsets": ints(0, 2, 2, 3).reshape(2, 2)}, "offsets is int64"),
        ({"keys": ints(1, 2)}, r"keys has shape \(2,\), but there are 3 sequences"),
        ({"keys": np.int64(3)}, "keys has shape"),
        ({"features": ("a",)}, "features names 1 features, but a step has 2"),
        ({"values": np.arange(3), "features": ("a",)}, "a step has no"),
        ({"per_sequence": {"y": ints(1, 2, 3, 4)}}, r"y has shape \(4,\), but there are 3 sequences"),
        (
            {"per_sequence": {"part": np.zeros(3)}},
            r"part is float64 \(3,\); int64 of shape \(N,\) was expected",
        ),
        ({"per_sequence": {"part": np.zeros(3, np.int32)}}, r"part is int32"),
        ({"per_sequence": {"part": ints(1, 2, 3)[:, None]}}, r"part is int64 \(3, 1\)"),
        (
            {"per_sequence": {"split": ints(1, 2, 3)}},
            r"split is int64 \(3,\); text of shape \(N,\) was expected",
        ),
        ({"per_sequence": {"split": np.array([["a"]] * 3)}}, r"split is <U1 \(3, 1\); text"),
        (
            {"per_step": {"step_y": StepArray(ints(1, 2), 0)}},
            r"step_y has shape \(2,\), but there are 3 steps",
        ),
    ],
)
def test_a_ragged_whose_parts_do_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        ragged(**changes)


@pytest.mark.parametrize("make", [ragged, padded])
def test_a_per_step_array_says_what_pads_it(make: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match=r"^per_step\['step_y'\] is a numpy\.ndarray; a StepArray"):
        make(per_step={"step_y": ints(1, 2, 3)})


def test_a_per_step_array_holds_numbers() -> None:
    with pytest.raises(DataError, match="numbers"):
        StepArray(np.array(["a"]), 0)


@pytest.mark.parametrize("padding", ["pre", "post"])
@given(lengths=st.lists(st.integers(0, 6), max_size=6))
def test_the_mask_is_the_oracles(padding: Any, lengths: list[int]) -> None:
    mask = step_mask(np.array(lengths, dtype=np.int64), maxlen=6, padding=padding)
    assert mask.dtype == bool
    assert mask.shape == (len(lengths), 6)
    assert mask.tolist() == oracles.step_mask(lengths, maxlen=6, padding=padding)


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint8", "uint32", "uint64"])
@pytest.mark.parametrize("padding", ["pre", "post"])
def test_the_mask_takes_lengths_of_any_integer_type(padding: Any, dtype: str) -> None:
    lengths = np.array([0, 1, 100], dtype=dtype)
    expected = oracles.step_mask([0, 1, 100], maxlen=300, padding=padding)
    assert step_mask(lengths, maxlen=300, padding=padding).tolist() == expected


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64"])
def test_offsets_are_int64_and_do_not_overflow(dtype: str) -> None:
    offsets = offsets_of(np.array([100, 0, 100, 100], dtype=dtype))
    assert offsets.dtype == np.int64
    assert offsets.tolist() == [0, 100, 100, 200, 300]


def test_a_padded_tells_its_size_and_mask() -> None:
    assert len(padded()) == 2
    assert padded().mask.tolist() == [[True, False], [True, True]]
    pre = padded(x=np.array([[0, 1], [2, 3]]), padding="pre")
    assert pre.mask.tolist() == [[False, True], [True, True]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lengths": ints(1, 12)}, r"lengths\[1\] is 12, but x holds 2 steps"),
        ({"lengths": ints(-1, 2)}, r"lengths\[0\] is -1"),
        ({"lengths": ints(1)}, r"lengths has shape \(1,\), but there are 2 sequences"),
        ({"lengths": np.array([1.0, 2.0])}, "lengths is float64"),
        ({"lengths": ints(1, 2).reshape(2, 1)}, "lengths is int64"),
        ({"x": ints(1, 2)}, r"x has shape \(2,\)"),
        (
            {"features": ("a", "b"), "x": np.zeros((2, 3, 2, 2))},
            "names 2 features, but a step is an array of 2 x 2",
        ),
        ({"x": np.array([["a", ""], ["b", "c"]])}, "x is <U1"),
        (
            {"x": np.array([[1, 9], [2, 3]])},
            r"x\[0, 1\] is past the end of its sequence, but holds 9 .*\(1 such",
        ),
        ({"padding": "pre"}, r"x\[0, 0\] is past the end"),
        ({"value": 7}, r"holds 0 instead of the padding value 7"),
        ({"value": (0, 0)}, "value has 2 numbers, but a step has no features"),
        ({"features": ("a",)}, "features names 1"),
        ({"keys": ints(1)}, "keys has shape"),
        ({"per_sequence": {"y": ints(1)}}, "y has shape"),
        (
            {"per_step": {"step_y": StepArray(np.zeros((2, 3)), 0)}},
            r"step_y has shape \(2, 3\), but x has shape",
        ),
        ({"per_step": {"step_y": StepArray(np.zeros((2, 2)), -1)}}, r"step_y\[0, 1\] is past the end"),
    ],
)
def test_a_padded_whose_parts_do_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        padded(**changes)


def test_a_side_is_pre_or_post() -> None:
    with pytest.raises(UsageError, match="padding is 'left'; pre or post was expected"):
        padded(padding="left")


def test_nan_padding_is_recognised() -> None:
    nan = float("nan")
    x = np.array([[1.0, nan], [2.0, nan]])
    assert len(padded(x=x, value=nan)) == 2
    with pytest.raises(DataError, match=r"x\[0, 1\]"):
        padded(x=np.array([[1.0, 5.0], [2.0, 3.0]]), value=nan)


def test_a_padding_value_is_compared_in_the_type_of_the_array() -> None:
    x = np.array([[1, 0.1], [2, 3]], dtype=np.float32)
    assert len(padded(x=x, value=0.1)) == 2


def test_stale_slots_are_found_by_place() -> None:
    x = np.array([[[1, 1], [5, 6], [5, 7]], [[2, 2], [3, 3], [5, 6]]])
    post, pre = (stale_slots(x, ints(1, 2), padding=side, value=(5, 6)) for side in ("post", "pre"))
    assert post == Stale(1, (0, 2), [5, 7])
    assert pre == Stale(2, (0, 0), [1, 1])
    assert stale_slots(x, ints(1, 2), padding="post", value=5) == Stale(3, (0, 1), [5, 6])
    assert stale_slots(x, ints(3, 3), padding="post", value=5) is None


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (0, "int8"),
        (-128, "int8"),
        (2**63 - 1, "int64"),
        (-(2**53) - 1, "int64"),
        (2**64 - 1, "uint64"),
        (1, "bool"),
        (0.1, "float16"),
        (-1, "float16"),
        (2**24, "float32"),
        (2**53, "float64"),
        (float("nan"), "float32"),
        (float("-inf"), "float32"),
    ],
)
def test_a_padding_value_that_the_type_holds_is_taken(value: float, dtype: str) -> None:
    check_value(value, (), np.dtype(dtype))


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (128, "int8"),
        (300, "int8"),
        (-1, "uint8"),
        (-1, "uint64"),
        (2, "bool"),
        (0.5, "int64"),
        (0.5, "bool"),
        (float("nan"), "int64"),
        (float("nan"), "bool"),
        (float("inf"), "int32"),
        (2**63, "int64"),
        (2.0**63, "int64"),
        (2**64, "uint64"),
        (2**24 + 1, "float32"),
        (2**53 + 1, "float64"),
        (2049, "float16"),
        (1e39, "float32"),
        (70000, "float16"),
        pytest.param(10**400, "float64", id="10^400-float64"),
    ],
)
def test_a_padding_value_that_would_change_is_refused(value: float, dtype: str) -> None:
    with pytest.raises(DataError, match="--value"):
        check_value(value, (), np.dtype(dtype))


def test_a_padding_value_for_each_feature_is_counted_and_checked() -> None:
    check_value((1, 2, 3), (3,), np.dtype("int8"))
    with pytest.raises(DataError, match="value has 2 numbers, but a step has 3 features"):
        check_value((1, 2), (3,), np.dtype("int8"))
    with pytest.raises(DataError, match="value 300 cannot be held in int8"):
        check_value((1, 2, 300), (3,), np.dtype("int8"))


@pytest.mark.parametrize("value", [300, 0.5, float("nan")])
def test_a_per_step_padding_value_that_its_array_cannot_hold_is_refused(value: float) -> None:
    with pytest.raises(SeqtoolError, match="cannot be held in int8"):
        padded(per_step={"step_y": StepArray(np.zeros((2, 2), dtype=np.int8), value)})
