import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.arrays.text import Text
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sequences.take import in_memory_like, take
from tests import oracles
from tests.cutting import small_windows


def lazy(array: Any) -> Lazy:
    return Lazy(array.shape, array.dtype, lambda begin, end: np.array(array[begin:end]))


def lazily(ragged: Ragged) -> Ragged:
    """The same sequences, of which only chunks can be read."""
    return ragged.replace(
        values=lazy(np.asarray(ragged.values)),
        offsets=lazy(np.asarray(ragged.offsets)),
        per_step={n: StepArray(lazy(np.asarray(a.data)), a.value) for n, a in ragged.per_step.items()},
        per_sequence={n: lazy(np.asarray(a)) for n, a in ragged.per_sequence.items()},
    )


@st.composite
def stretches(draw: st.DrawFn, lengths: list[int]) -> list[tuple[int, int, int]]:
    """Stretches of some of these sequences: which one, its first step, how many."""
    if not lengths:
        return []
    found = []
    for i in draw(st.lists(st.integers(0, len(lengths) - 1), max_size=8)):
        begin = draw(st.integers(0, lengths[i]))
        found.append((i, begin, draw(st.integers(0, lengths[i] - begin))))
    return found


@given(oracles.raggeds(riders=True), st.data(), st.booleans(), st.booleans())
def test_take_is_slicing_with_all_that_belongs(
    ragged: Ragged, data: st.DataObject, is_lazy: bool, small: bool
) -> None:
    chosen = data.draw(stretches(np.asarray(ragged.lengths).tolist()))
    which, starts, lengths = (np.array([part[i] for part in chosen], np.int64) for i in range(3))
    source = lazily(ragged) if is_lazy else ragged
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        if small:
            small_windows(patch, 16)
        taken = take(source, which, starts, lengths, spool=spool).in_memory()

    def cut(array: Any) -> list[Any]:
        offsets = np.asarray(ragged.offsets).tolist()
        return [oracles.text_of(np.asarray(array)[offsets[i] + a : offsets[i] + a + n]) for i, a, n in chosen]

    def stretched(found: Ragged, array: Any) -> list[Any]:
        bounds = np.asarray(found.offsets).tolist()
        return [oracles.text_of(np.asarray(array)[a:b]) for a, b in itertools.pairwise(bounds)]

    assert stretched(taken, taken.values) == cut(ragged.values)
    for name, array in ragged.per_step.items():
        assert stretched(taken, taken.per_step[name].data) == cut(array.data)
        assert oracles.text_of(taken.per_step[name].value) == oracles.text_of(array.value)
    for name, rows in ragged.per_sequence.items():
        assert oracles.text_of(taken.per_sequence[name]) == oracles.text_of(np.asarray(rows)[which])
    if ragged.keys is not None:
        assert oracles.text_of(taken.keys) == oracles.text_of(np.asarray(ragged.keys)[which])
    assert (taken.features, taken.names, taken.receipt) == (ragged.features, ragged.names, ragged.receipt)


def test_without_places_all_sequences_are_taken() -> None:
    ragged = Ragged(np.arange(5), np.array([0, 2, 5]), keys=np.array([7, 8]))
    taken = take(ragged, starts=np.array([1, 1]))
    assert np.asarray(taken.values).tolist() == [1, 3, 4]
    assert taken.keys is ragged.keys
    assert np.asarray(take(ragged, lengths=np.array([1, 0])).values).tolist() == [0]
    assert np.asarray(take(ragged, np.array([1, 1, 0])).values).tolist() == [2, 3, 4, 2, 3, 4, 0, 1]


def test_nothing_is_read_before_it_is_asked_for() -> None:
    def refuse(begin: int, end: int) -> Any:
        raise AssertionError("read")

    ragged = Ragged(Lazy((10, 2), np.dtype(np.float32), refuse), np.array([0, 4, 10]))
    taken = take(ragged, np.array([1, 0]), lengths=np.array([3, 2]))
    assert taken.values.shape == (5, 2)
    assert in_memory_like(taken, ragged) is taken


def test_keys_of_text_that_is_not_in_memory_are_taken_in_any_order() -> None:
    cells = ["a", "", "ccc", "dd"]
    data = np.frombuffer("".join(cells).encode(), np.uint8)
    text = Text(lazy(data), lazy(np.array([0, 1, 1, 4, 6])), (4,), widest=3)
    ragged = Ragged(np.arange(4), np.arange(5), keys=text)
    taken = take(ragged, np.array([3, 0, 2, 2, 1]))
    assert isinstance(taken.keys, Text)
    assert taken.keys[:].tolist() == ["dd", "a", "ccc", "ccc", ""]
