from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.errors import DataError, UsageError
from seqtool.operations.pad import pad
from seqtool.sequences.conversion import as_ragged, from_dense, from_lists
from seqtool.sequences.ragged import Ragged
from tests import oracles

whole_numbers = st.integers(-(2**63), 2**63 - 1)


def lists_of(step: st.SearchStrategy[Any]) -> st.SearchStrategy[list[list[Any]]]:
    return st.lists(st.lists(step, max_size=4), max_size=5)


@given(lists_of(whole_numbers))
def test_lists_of_whole_numbers_stay_as_they_are(sequences: list[list[int]]) -> None:
    ragged = from_lists(sequences)
    assert oracles.sequences_of(ragged) == sequences
    assert ragged.values.dtype == np.int64 or not len(ragged.values)


@given(lists_of(st.floats() | st.integers(-(2**53), 2**53)))
def test_lists_with_a_fraction_become_floats(sequences: list[list[float]]) -> None:
    ragged = from_lists([*sequences, [0.5]])
    expected = [[float(number) for number in sequence] for sequence in [*sequences, [0.5]]]
    assert oracles.told(oracles.sequences_of(ragged)) == oracles.told(expected)


@given(
    lists_of(st.sampled_from([-1, 0.5, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63) - 1]))
)
def test_no_whole_number_of_a_list_is_ever_rounded(sequences: list[list[float]]) -> None:
    try:
        found = oracles.sequences_of(from_lists(sequences))
    except DataError:
        numbers = [number for sequence in sequences for number in sequence]
        assert any(abs(number) > 2**53 for number in numbers)
        return
    exact = [[Fraction(number) for number in sequence] for sequence in found]
    assert exact == [[Fraction(number) for number in sequence] for sequence in sequences]


@pytest.mark.parametrize(
    "sequences",
    [
        [[2**53 + 1], [0.5]],
        [[2**53 + 1, None]],
        [[2**64 - 1, -1]],
        [[2**64 + 1]],
        [np.array([2**53 + 1]), np.array([0.5])],
        [np.array([2**64 - 1], dtype=np.uint64), np.array([-1])],
    ],
)
def test_a_whole_number_that_no_common_type_holds_is_refused(sequences: list[Any]) -> None:
    with pytest.raises(DataError):
        from_lists(sequences)


@given(
    st.integers(1, 3).flatmap(lambda width: lists_of(st.lists(whole_numbers, min_size=width, max_size=width)))
)
def test_lists_of_steps_with_features(sequences: list[list[list[int]]]) -> None:
    assert oracles.sequences_of(from_lists(sequences)) == sequences


@given(oracles.raggeds())
def test_a_list_of_arrays_keeps_their_type(ragged: Ragged) -> None:
    ends = ragged.offsets.tolist()
    arrays = [ragged.values[begin:end] for begin, end in pairwise(ends)]
    built = from_lists(arrays)
    assert oracles.told(oracles.sequences_of(built)) == oracles.told(oracles.sequences_of(ragged))
    if arrays:
        assert built.values.dtype == ragged.values.dtype


def test_none_is_a_missing_value() -> None:
    assert oracles.told(from_lists([[1, None], [2]]).values) == "[1.0, nan, 2.0]"


def test_signed_and_unsigned_arrays_meet_in_int64() -> None:
    built = from_lists([np.array([2**53 + 1], dtype=np.uint64), np.array([-1], dtype=np.int32)])
    assert built.values.dtype == np.int64
    assert built.values.tolist() == [2**53 + 1, -1]


def test_an_empty_array_among_arrays_with_features_is_an_empty_sequence() -> None:
    built = from_lists([np.empty(0), np.ones((2, 3))])
    assert built.offsets.tolist() == [0, 0, 2]
    assert built.values.shape == (2, 3)


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ([[1], 2], r"sequences\[1\] is 2; a list of numbers or of steps was expected"),
        ([[1], "ab"], r"sequences\[1\] is 'ab'"),
        ([[1], None], r"sequences\[1\] is None"),
        ([[1], {"a": 1}], r"sequences\[1\] is"),
        ([[1], ["x"]], r"sequences\[1\]\[0\] is 'x'; a number"),
        ([[1], [1j]], r"sequences\[1\]\[0\] is 1j; a number"),
        ([["1"], ["2"]], r"sequences\[0\]\[0\] is '1'; a number"),
        ([[1], ["2"]], r"sequences\[1\]\[0\] is '2'; a number"),
        ([[1, [2]]], r"sequences\[0\]\[1\] has 1 features, but the steps before it a number"),
        (
            [[[1, 2]], [[3, 4], [5]]],
            r"sequences\[1\]\[1\] has 1 features, but the steps before it 2 features",
        ),
        ([[[1, 2]], [3]], r"sequences\[1\]\[0\] has a number, but the steps before it 2 features"),
        ([np.ones((2, 3)), np.ones((1, 2))], r"sequences\[1\]\[0\] has 2 features"),
        ([[[[1]]]], r"sequences\[0\]\[0\]"),
        ([np.array(["a"])], r"sequences\[0\]\[0\] is .*'a'"),
        ([np.array(3)], r"sequences\[0\]"),
    ],
)
def test_lists_that_do_not_fit_name_the_first_place(sequences: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_lists(sequences)


@pytest.mark.parametrize(
    "thing", [5, None, 1.5, "abc", np.array(5), np.array(None, dtype=object), np.array(["a", "b"]), ["ab"]]
)
def test_what_is_no_collection_of_sequences_is_refused(thing: Any) -> None:
    with pytest.raises(DataError):
        as_ragged(thing)


def test_a_ragged_passes_through() -> None:
    ragged = from_lists([[1]])
    assert as_ragged(ragged) is ragged


def test_a_tuple_of_tuples_and_an_array_of_lists_will_do() -> None:
    assert oracles.sequences_of(as_ragged(((1, 2), (3,)))) == [[1, 2], [3]]
    objects = np.empty(2, dtype=object)
    objects[:] = [[1, 2], [3]]
    assert oracles.sequences_of(as_ragged(objects)) == [[1, 2], [3]]


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 2), (0, 4, 2), (3, 0, 2), (3, 4, 0), (0, 4), (0, 0, 0)])
def test_a_dense_array_has_sequences_of_equal_length(shape: tuple[int, ...]) -> None:
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    ragged = from_dense(x)
    assert ragged.lengths.tolist() == [shape[1]] * shape[0]
    assert ragged.values.shape == (shape[0] * shape[1], *shape[2:])
    assert ragged.values.dtype == np.float32
    assert oracles.sequences_of(ragged) == x.tolist()


def test_a_dense_array_without_lengths_is_not_copied() -> None:
    x = np.arange(24).reshape(2, 3, 4)
    assert np.shares_memory(from_dense(x).values, x)


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("dtype", ["int64", "int8", "uint8", "uint64"])
@given(lengths=st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_a_dense_array_with_lengths_gives_its_real_steps(
    padding: Any, dtype: str, lengths: list[int]
) -> None:
    x = np.arange(len(lengths) * 4).reshape(-1, 4)
    ragged = from_dense(x, np.array(lengths, dtype=dtype), padding=padding)
    assert oracles.sequences_of(ragged) == oracles.unpad(x.tolist(), lengths, padding=padding)


def test_a_dense_array_has_its_real_steps_first_unless_told() -> None:
    assert oracles.sequences_of(from_dense(np.array([[1, 2, 3]]), np.array([2]))) == [[1, 2]]


@pytest.mark.parametrize(
    ("x", "lengths", "message"),
    [
        (np.ones(3), None, r"x has shape \(3,\)"),
        (np.ones((2, 2, 2, 2)), None, "x has shape"),
        (np.ones((2, 3)), [1, 4], r"lengths\[1\] is 4, but x holds 3 steps"),
        (np.ones((2, 3)), [1], "there are 2 sequences"),
        (np.ones((2, 3)), [0.5, 1.0], "lengths is float64"),
        (np.array([["a"]]), None, "numbers"),
        (np.ones((1, 1), dtype=complex), None, "numbers"),
    ],
)
def test_a_dense_array_that_does_not_fit_is_refused(x: Any, lengths: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_dense(x, lengths)


def test_the_side_of_a_dense_array_is_checked() -> None:
    with pytest.raises(UsageError, match="padding is 'middle'"):
        from_dense(np.ones((1, 1)), padding="middle")  # type: ignore[arg-type]


def test_a_padded_gives_back_what_belongs_to_it() -> None:
    padded = pad([[1], [2, 3]]).replace(keys=np.array(["a", "b"]), receipt=({"command": "pad"},))
    ragged = as_ragged(padded)
    assert oracles.sequences_of(ragged) == [[1], [2, 3]]
    assert ragged.keys is padded.keys
    assert ragged.receipt == padded.receipt
