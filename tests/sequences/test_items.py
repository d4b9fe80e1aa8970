"""`data[i]`, iteration and the line that a Ragged or Padded shows of itself."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays.lazy import Lazy
from seqtool.operations.pad import unpad
from seqtool.sequences import items
from seqtool.sequences.conversion import from_lists
from seqtool.sequences.ragged import Padded, Ragged, StepArray, exchanged, unchecked
from seqtool.sources.pad import pad
from tests import oracles

SIDES: Any = st.sampled_from(["pre", "post"])


def lazy(array: np.ndarray[Any, Any], read: list[int] | None = None) -> Lazy:
    """The same array by windows; `read` is told how many rows each takes."""

    def window(begin: int, end: int) -> Any:
        if read is not None:
            read.append(end - begin)
        return array[begin:end].copy()

    return Lazy(array.shape, array.dtype, window)


def check_each(data: Any, expected: list[Any]) -> None:
    """Check every road to the sequences of `data`: positions from both ends, and iteration."""
    assert len(data) == len(expected)
    for roads in (
        [data[i] for i in range(len(data))],
        [data[np.int32(i - len(data))] for i in range(len(data))],
        list(data),
    ):
        assert oracles.text_of([steps.tolist() for steps in roads]) == oracles.text_of(expected)


@given(oracles.raggeds())
def test_a_ragged_gives_the_steps_of_each_sequence(ragged: Ragged) -> None:
    expected = oracles.sequences_of(ragged)
    check_each(ragged, expected)
    check_each(exchanged(ragged, values=lazy(ragged.values), offsets=lazy(ragged.offsets)), expected)


@given(ragged=oracles.raggeds(), padding=SIDES, maxlen=st.none() | st.integers(1, 7))
def test_a_padded_gives_its_real_steps_alone(ragged: Ragged, padding: Any, maxlen: int | None) -> None:
    padded = pad(ragged, padding=padding, maxlen=maxlen)
    expected = oracles.sequences_of(unpad(padded))
    check_each(padded, expected)
    check_each(exchanged(padded, x=lazy(padded.x), lengths=lazy(padded.lengths)), expected)


@given(oracles.raggeds(["int64"]), st.integers(1, 100), st.integers(1, 4))
def test_the_size_of_a_window_does_not_matter(ragged: Ragged, size: int, offsets: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(items, "rows_per_chunk", lambda array: max(1, size // 8))
        patch.setattr(items, "_OFFSETS", offsets)
        assert [steps.tolist() for steps in ragged] == oracles.sequences_of(ragged)


def test_lazy_arrays_are_read_in_windows_and_only_where_asked() -> None:
    read: list[int] = []
    values = np.arange(3000)
    ragged = unchecked(Ragged, values=lazy(values, read), offsets=np.arange(0, 3001, 3))
    assert ragged[7].tolist() == [21, 22, 23]
    assert read == [3]
    read.clear()
    assert sum(len(steps) for steps in ragged) == 3000
    assert read == [3000]  # all short sequences together
    read.clear()
    padded = unchecked(Padded, x=lazy(values.reshape(1000, 3), read), lengths=np.full(1000, 2), padding="pre")
    assert padded[-1].tolist() == [2998, 2999]
    assert read == [1]


def test_a_sequence_longer_than_a_window_is_read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "rows_per_chunk", lambda array: 4)
    read: list[int] = []
    offsets = np.array([0, 1, 1, 9, 11, 12])
    ragged = unchecked(Ragged, values=lazy(np.arange(12), read), offsets=offsets)
    assert [len(steps) for steps in ragged] == [1, 0, 8, 2, 1]
    assert read == [1, 8, 3]


@pytest.mark.parametrize("data", [from_lists([[1], [2, 3]]), pad([[1], [2, 3]])])
def test_positions_that_are_not_there_and_slices_are_refused(data: Any) -> None:
    for index in (2, -3, np.int64(5)):
        with pytest.raises(IndexError, match="there are 2 sequences"):
            data[index]
    for index in (slice(1), [0], 1.0, "a", None):
        with pytest.raises(TypeError, match="one sequence was expected"):
            data[index]
    with pytest.raises(IndexError, match="there are 0 sequences"):
        from_lists([])[0]


# The line


def test_a_ragged_shows_its_counts_and_types() -> None:
    ragged = Ragged(
        np.zeros((3, 2), np.float32),
        np.array([0, 1, 3]),
        keys=np.array([5, 7]),
        per_sequence={"y": np.zeros(2)},
        per_step={"step_y": StepArray(np.zeros(3), 0)},
    )
    assert repr(ragged) == "Ragged(2 sequences, 3 steps, 2 features float32, keys int64, y, step_y)"
    assert repr(from_lists([[1]])) == "Ragged(1 sequence, 1 step int64)"
    assert repr(ragged.replace(keys=np.array(["a", "b"]))).count("keys text") == 1


def test_a_padded_shows_its_shape_lengths_and_padding() -> None:
    padded = pad([[1], [2, 3]], padding="post")
    assert repr(padded) == "Padded(x (2, 2) int64, lengths 1 to 2, post, value 0)"
    assert repr(pad([[[1, 2]]], value=(0, np.int64(-1)))) == (
        "Padded(x (1, 1, 2) int64, lengths 1, pre, value (0, -1))"
    )
    assert (
        repr(pad([[0.5]], value=np.float32("nan"))) == "Padded(x (1, 1) float64, lengths 1, pre, value nan)"
    )
    assert repr(pad([], maxlen=3)) == "Padded(x (0, 3) float64, lengths, pre, value 0)"


def test_the_line_reads_no_lazy_array() -> None:
    def unreadable(begin: int, end: int) -> Any:
        raise AssertionError("it was read")

    def far(*shape: int) -> Lazy:
        return Lazy(shape, np.dtype(np.int64), unreadable)

    ragged = unchecked(Ragged, values=far(10**12, 3), offsets=far(10**9 + 1), keys=far(10**9))
    assert repr(ragged) == "Ragged(1000000000 sequences, 1000000000000 steps, 3 features int64, keys int64)"
    padded = unchecked(Padded, x=far(10**9, 5), lengths=far(10**9), per_sequence={"y": far(10**9)})
    assert repr(padded) == "Padded(x (1000000000, 5) int64, lengths, pre, value 0, y)"
