import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.errors import UsageError
from seqtool.operations.strip import Hidden, hidden_padding, likely_padding, steps_equal_to, strip
from seqtool.sequences.conversion import from_dense
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sequences.validation import offsets_of
from tests import oracles

sides = st.sampled_from(["pre", "post"])
VALUES = [0, 1, -1, 0.5, math.nan, math.inf]


def ragged_of(sequences: list[list[Any]], dtype: str, width: int | None = None) -> Ragged:
    steps = [step for sequence in sequences for step in sequence]
    shape = (-1,) if width is None else (-1, width)
    return Ragged(
        np.array(steps, dtype=dtype).reshape(shape), offsets_of(np.array([*map(len, sequences)], int))
    )


def lists_of(step: st.SearchStrategy[Any]) -> st.SearchStrategy[list[list[Any]]]:
    return st.lists(st.lists(step, max_size=6), max_size=6)


def expected(sequences: list[list[Any]], value: float, side: str) -> str:
    return oracles.text_of([oracles.strip(sequence, value=value, side=side) for sequence in sequences])


@given(lists_of(st.sampled_from(VALUES)), st.sampled_from(VALUES), sides)
def test_strip_agrees_with_a_loop(sequences: list[list[float]], value: float, side: Any) -> None:
    ragged = ragged_of([[float(n) for n in s] for s in sequences], "float64")
    stripped = strip(ragged, value, side=side)
    assert oracles.text_of(oracles.sequences_of(stripped)) == expected(
        oracles.sequences_of(ragged), value, side
    )


@given(st.integers(1, 3), st.data(), st.sampled_from(VALUES), sides)
def test_strip_asks_every_feature(width: int, data: st.DataObject, value: float, side: Any) -> None:
    few = st.sampled_from([value, value, 7.0])
    step = st.lists(few, min_size=width, max_size=width)
    ragged = ragged_of(data.draw(lists_of(step)), "float64", width)
    stripped = strip(ragged, value, side=side)
    assert stripped.values.shape[1:] == (width,)
    assert oracles.text_of(oracles.sequences_of(stripped)) == expected(
        oracles.sequences_of(ragged), value, side
    )


@given(lists_of(st.integers(-1, 1)), st.sampled_from([0, 0.0, -1, 0.5, 300, math.nan]), sides)
@pytest.mark.parametrize("dtype", ["int8", "int64", "float16", "float32"])
def test_strip_compares_in_any_type(dtype: str, sequences: list[list[int]], value: float, side: Any) -> None:
    ragged = ragged_of(sequences, dtype)
    stripped = strip(ragged, value, side=side)
    assert oracles.sequences_of(stripped) == [oracles.strip(s, value=value, side=side) for s in sequences]
    assert stripped.values.dtype == dtype


@given(lists_of(st.booleans()), st.sampled_from([0, 1, math.nan]), sides)
def test_strip_takes_false_for_zero(sequences: list[list[bool]], value: float, side: Any) -> None:
    stripped = strip(ragged_of(sequences, "bool"), value, side=side)
    assert oracles.sequences_of(stripped) == [oracles.strip(s, value=value, side=side) for s in sequences]


@given(oracles.raggeds(riders=True), st.sampled_from([0, 1, math.nan]), sides)
def test_what_rides_along_loses_the_same_steps(ragged: Ragged, value: float, side: Any) -> None:
    stripped = strip(ragged, value, side=side)
    numbered = ragged.replace(per_step={"row_index": StepArray(np.arange(len(ragged.values)), -1)})
    rows = strip(numbered, value, side=side).per_step["row_index"].data
    assert oracles.text_of(stripped.values) == oracles.text_of(ragged.values[rows])
    for name, array in stripped.per_step.items():
        assert oracles.text_of(array.data) == oracles.text_of(ragged.per_step[name].data[rows])
    for name, per_sequence in stripped.per_sequence.items():
        assert oracles.text_of(per_sequence) == oracles.text_of(ragged.per_sequence[name])
    assert len(stripped) == len(ragged)
    assert (stripped.keys is None) == (ragged.keys is None)
    assert stripped.features == ragged.features


@given(oracles.raggeds(), sides)
def test_stripping_twice_is_stripping_once(ragged: Ragged, side: Any) -> None:
    once = strip(ragged, 0, side=side)
    assert oracles.parts(strip(once, 0, side=side)) == oracles.parts(once)


def test_float32_is_compared_as_float32() -> None:
    ragged = Ragged(np.array([1.5, 0.1], dtype=np.float32), np.array([0, 2]))
    assert strip(ragged, 0.1).lengths.tolist() == [1]


@pytest.mark.parametrize("value", [-99999, 1e300, 70000])
def test_a_value_that_the_type_cannot_hold_is_not_there(value: float) -> None:
    ragged = Ragged(np.array([1, np.inf, -np.inf], dtype=np.float16), np.array([0, 1, 2, 3]))
    assert strip(ragged, value).lengths.tolist() == [1, 1, 1]


def test_nothing_to_strip_gives_the_same_sequences() -> None:
    ragged = Ragged(np.array([0, 1]), np.array([0, 2]))
    assert strip(ragged, 0) is ragged


def test_no_sequences_and_no_steps_stay() -> None:
    for offsets in ([0], [0, 0, 0]):
        for values in (np.empty(0), np.empty((0, 2))):
            assert strip(Ragged(values, np.array(offsets)), 0).offsets.tolist() == offsets


def test_a_side_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="side is 'end'"):
        strip(Ragged(np.array([1]), np.array([0, 1])), 0, side="end")  # type: ignore[arg-type]


@given(lists_of(st.sampled_from([0.0, 1.0, math.nan])), st.sampled_from([0.0, math.nan]))
def test_steps_equal_to_says_which_steps_hold_nothing_else(
    sequences: list[list[float]], value: float
) -> None:
    ragged = ragged_of(sequences, "float64")
    steps = ragged.values.tolist()
    assert steps_equal_to(ragged.values, value).tolist() == [
        n == value or (n != n and value != value) for n in steps
    ]


@given(lists_of(st.sampled_from([0.0, 1.0, 2.0, math.nan])))
def test_likely_padding_at_the_start_is_that_at_the_end_of_what_is_turned_around(
    sequences: list[list[float]],
) -> None:
    ragged, turned = (
        ragged_of(some, "float64") for some in (sequences, [sequence[::-1] for sequence in sequences])
    )
    found, expected = likely_padding(ragged, side="pre"), likely_padding(turned)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert (found.side, expected.side) == ("pre", "post")
        assert found.options == (*expected.options, "--strip-side", "pre")
        assert (found.count, found.looked_at) == (expected.count, expected.looked_at)


@given(lists_of(st.sampled_from([0.0, 1.0, 2.0, math.nan])))
def test_likely_padding_counts_sequences_that_end_alike(sequences: list[list[float]]) -> None:
    ends = [
        repr(sequence[-1])
        for sequence in sequences
        if len(sequence) >= 2 and repr(sequence[-1]) == repr(sequence[-2])
    ]
    found = likely_padding(ragged_of(sequences, "float64"))
    if not ends:
        assert found is None
        return
    assert found is not None
    assert found.count == max(map(ends.count, ends)) == ends.count(repr(found.value))
    assert found.looked_at == len(sequences)


@given(st.integers(1, 3), st.data(), st.sampled_from(["float32", "int64", "bool"]))
def test_likely_padding_needs_every_feature(width: int, data: st.DataObject, dtype: str) -> None:
    step = st.lists(st.sampled_from([0, 0, 1]), min_size=width, max_size=width)
    sequences = data.draw(lists_of(step))
    ends = [
        sequence[-1][0]
        for sequence in sequences
        if len(sequence) >= 2 and len({*sequence[-1], *sequence[-2]}) == 1
    ]
    found = likely_padding(ragged_of(sequences, dtype, width))
    assert (found is None) == (not ends)
    if found is not None:
        assert found.count == max(map(ends.count, ends)) == ends.count(found.value)
        assert found.looked_at == len(sequences)


@pytest.mark.parametrize(
    "ragged",
    [
        Ragged(np.empty(0), np.array([0])),
        Ragged(np.empty((0, 2)), np.array([0, 0])),
        Ragged(np.empty((4, 0)), np.array([0, 4])),
        Ragged(np.array([0, 0]), np.array([0, 1, 2])),
    ],
)
def test_nothing_is_likely_padding_where_nothing_ends_alike(ragged: Ragged) -> None:
    assert likely_padding(ragged) is None


def test_half_a_step_of_nan_is_no_padding() -> None:
    values = np.array([[1, 2], [math.nan, 0], [math.nan, 0]])
    assert likely_padding(Ragged(values, np.array([0, 3]))) is None


def test_stripping_the_likely_padding_takes_what_was_found() -> None:
    x = np.array([[1, 2, 0, 0], [3, 4, 5, 6], [7, 0, 0, 0]])
    ragged = Ragged(x.reshape(-1), np.array([0, 4, 8, 12]))
    assert likely_padding(ragged) == Hidden(value=0, count=2, looked_at=3)
    assert strip(ragged, 0).lengths.tolist() == [2, 4, 1]


def test_numbers_that_are_the_same_twice_by_chance_are_no_padding() -> None:
    ids = np.random.default_rng(1).integers(1, 30, (1000, 12))
    assert likely_padding(from_dense(ids)) is None
    assert hidden_padding(from_dense(ids)) is None
    ids[::3, 8:] = 77
    assert hidden_padding(from_dense(ids)) == Hidden(77, 334, 1000, "post")
    ids[::3, 8:] = 0  # zeros are told from other numbers even where few end in them
    ids[9:, 8:] = np.arange(4) + 1
    found = likely_padding(from_dense(ids))
    assert found is not None
    assert (found.value, found.count) == (0, 3)


def test_padding_at_either_side_is_seen_in_words() -> None:
    x = np.array([[0, 0, 5], [0, 0, 0], [1, 2, 3]])
    found = hidden_padding(from_dense(x))
    assert found is not None
    assert (found.side, found.options) == ("pre", ("--strip", "0", "--strip-side", "pre"))
    assert found.seen == "2 of 3 sequences begin in steps of 0 alone"
