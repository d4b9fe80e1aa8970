from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays import gather
from seqtool.arrays import lazy as lazy_module
from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.arrays.text import Text
from seqtool.operations import duplicates
from seqtool.operations.duplicates import fingerprints, key_cells, repeated, shared
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.validation import offsets_of

NAN = float("nan")
sequences = st.lists(st.lists(st.integers(0, 2), max_size=4), max_size=8)


def ragged(rows: list[list[Any]], dtype: str = "float32", width: int | None = None) -> Ragged:
    steps = [step for row in rows for step in row]
    values = np.array(steps, dtype).reshape((len(steps),) if width is None else (len(steps), width))
    return Ragged(values, offsets_of(np.array([len(row) for row in rows], dtype=np.int64)))


def lazy(data: Ragged) -> Ragged:
    values, offsets = np.asarray(data.values), np.asarray(data.offsets)

    def of(array: np.ndarray) -> Lazy:
        return Lazy(array.shape, array.dtype, lambda begin, end: array[begin:end].copy())

    return Ragged(of(values), of(offsets))


def slow_shared(one: list[list[Any]], other: list[list[Any]]) -> list[tuple[int, int]]:
    return [(one.index(row), j) for j, row in enumerate(other) if row and row in one]


@pytest.fixture
def spool() -> Any:
    with Spool() as spool:
        yield spool


@given(sequences, sequences, st.sampled_from(["float32", "int8", "float64"]), st.booleans())
def test_sequences_that_stand_in_both(
    one: list[list[int]], other: list[list[int]], dtype: str, windowed: bool
) -> None:
    expected = slow_shared(one, other)
    output = ragged(one), ragged(other, dtype)
    with Spool() as spool:
        found = shared(*(lazy(data) if windowed else data for data in output), spool)
    assert (found and (found.count, found.first)) == ((len(expected), expected[0]) if expected else None)


@given(sequences)
def test_sequences_that_stand_twice(rows: list[list[int]]) -> None:
    expected = [(rows.index(row), j) for j, row in enumerate(rows) if row and rows.index(row) < j]
    with Spool() as spool:
        found = repeated(ragged(rows), spool)
    assert (found and (found.count, found.first)) == ((len(expected), expected[0]) if expected else None)


def test_the_same_in_the_smallest_windows(monkeypatch: pytest.MonkeyPatch, spool: Spool) -> None:
    """Sequences longer than a window, several blocks of sequences, several parts of fingerprints."""
    random = np.random.default_rng(3)
    one = [random.integers(0, 3, random.integers(0, 40)).tolist() for _ in range(60)]
    other = [random.integers(0, 3, random.integers(0, 40)).tolist() for _ in range(60)]
    for i in (3, 17, 41):
        other[i] = one[59 - i]
    whole = np.asarray(fingerprints(ragged(one), spool))
    monkeypatch.setattr(duplicates, "CHUNK", 5 * 8)
    monkeypatch.setattr(lazy_module, "CHUNK", 64)
    monkeypatch.setattr(duplicates, "_PAIRS", 7)
    monkeypatch.setattr(gather, "SEQUENCES_TOGETHER", 7)
    monkeypatch.setattr(duplicates, "_SORTED", 30)
    expected = slow_shared(one, other)
    assert {(59 - i, i) for i in (3, 17, 41)} <= {*expected}
    found = shared(lazy(ragged(one)), lazy(ragged(other)), spool)
    assert found is not None
    assert (found.count, found.first) == (len(expected), expected[0])
    assert np.asarray(fingerprints(lazy(ragged(one)), spool)).tolist() == whole.tolist()


def test_fingerprints_that_are_equal_by_chance_tell_nothing(
    monkeypatch: pytest.MonkeyPatch, spool: Spool
) -> None:
    """With one fingerprint for all, only what is really the same is found."""
    monkeypatch.setattr(duplicates, "mixed", lambda marks: np.zeros_like(marks))
    assert shared(ragged([[1, 2]]), ragged([[2, 1]]), spool) is None
    assert shared(ragged([[1, 2]]), ragged([[1, 2, 3], [1]]), spool) is None
    assert shared(ragged([[1, 2]]), ragged([[5], [1, 2]]), spool) == duplicates.Twice(1, (0, 1))


def test_fingerprints_differ(spool: Spool) -> None:
    """A number in another place, step or feature; small whole numbers, whose bits are much alike."""
    grid = [[[a, b], [c, d]] for a in range(8) for b in range(8) for c in range(8) for d in range(8)]
    marks = np.asarray(fingerprints(ragged(grid, width=2), spool))
    assert len(np.unique(marks)) == len(grid)
    lengths = [[0] * n for n in range(50)]
    assert len(np.unique(np.asarray(fingerprints(ragged(lengths), spool)))) == 50


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (np.array([1.0], np.float32), np.array([1]), True),
        (np.array([-0.0]), np.array([0], np.uint8), True),
        (np.array([NAN]), np.array([NAN], np.float16), True),
        (np.array([True]), np.array([1.0]), True),
        (np.array([0.1], np.float32), np.array([0.1]), True),
        (np.array([0.1], np.float16), np.array([0.1], np.float32), True),
        (np.array([0.1], np.float32), np.array([0.1001]), False),
        (np.array([np.inf], np.float32), np.array([1e30]), False),
        (np.array([2**24 + 1]), np.array([2.0**24], np.float32), False),
        (np.array([2**53 + 1]), np.array([2**53]), False),
        (np.array([2**53 + 1]), np.array([2.0**53]), False),
        (np.array([2.0**53]), np.array([2**53]), True),
        (np.array([2**63], np.uint64), np.array([-(2**63)]), False),
        (np.array([NAN]), np.array([0]), False),
    ],
)
def test_numbers_are_compared_by_what_they_are_worth(
    one: np.ndarray, other: np.ndarray, same: bool, spool: Spool
) -> None:
    for a, b in ((one, other), (other, one)):
        found = shared(Ragged(a, np.array([0, 1])), Ragged(b, np.array([0, 1])), spool)
        assert (found is not None) == same


def test_nans_of_several_bits_are_one(spool: Spool) -> None:
    bits = np.array([0x7FF8000000000000, 0xFFF8000000000001], np.uint64).view(np.float64)
    assert repeated(Ragged(bits, np.array([0, 1, 2])), spool) is not None


# Keys

cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)


def spelled(data: Ragged) -> list[list[int]]:
    values = np.asarray(data.values).tolist()
    return [values[begin:end] for begin, end in pairwise(np.asarray(data.offsets).tolist())]


def as_text(keys: list[list[str]]) -> Text:
    encoded = [cell.encode() for key in keys for cell in key]
    ends = np.cumsum([0, *map(len, encoded)])
    data = np.frombuffer(b"".join(encoded), np.uint8)
    return Text(data, ends, (len(keys), len(keys[0])), widest=None)


@given(st.lists(st.tuples(cells, cells).map(list), min_size=1, max_size=6))
def test_text_keys_become_their_letters_however_they_are_stored(keys: list[list[str]]) -> None:
    with Spool() as spool:
        expected = [[ord(letter) for cell in key for letter in f"{cell}\0"] for key in keys]
        wide = np.array(keys, dtype="U9")
        for stored in (np.array(keys, dtype=str), wide, as_text(keys), wide.astype(np.dtypes.StringDType())):
            assert spelled(key_cells(stored, spool)) == expected
        assert spelled(key_cells(wide[:, 0], spool)) == [key[: key.index(0) + 1] for key in expected]


def test_keys_that_join_to_the_same_text_differ(spool: Spool) -> None:
    assert repeated(key_cells(np.array([["a", "bc"], ["ab", "c"]]), spool), spool) is None
    twice = repeated(key_cells(np.array([["a", "bc"], ["x", ""], ["a", "bc"]]), spool), spool)
    assert twice == duplicates.Twice(1, (0, 2))


def test_integer_keys(spool: Spool) -> None:
    assert repeated(key_cells(np.array([2**53, 2**53 + 1]), spool), spool) is None
    assert repeated(key_cells(np.array([[1, 2], [2, 1], [1, 2]]), spool), spool) == duplicates.Twice(
        1, (0, 2)
    )
    assert spelled(key_cells(np.empty(0, np.int64), spool)) == []
    assert spelled(key_cells(np.empty(0, "U1"), spool)) == []


# Keys with parts

int64s = st.integers(-(2**63), 2**63 - 1)
few = st.lists(
    st.tuples(st.sampled_from(["", "1", "12", "é", "-"]), st.sampled_from([0, 1, 2, -1, 12])), max_size=8
)


@given(few, st.booleans())
def test_a_key_with_its_part_is_found_again(pairs: list[tuple[str, int]], two_columns: bool) -> None:
    expected = [(pairs.index(pair), j) for j, pair in enumerate(pairs) if pairs.index(pair) < j]
    names = [[name, "x"] if two_columns else name for name, _ in pairs]
    keys = np.array(names, dtype="U9").reshape((len(pairs), 2) if two_columns else len(pairs))
    part = np.array([number for _, number in pairs], np.int64)
    stored: list[Any] = [keys, keys.astype(np.dtypes.StringDType())]
    if two_columns and pairs:
        stored.append(as_text(keys.tolist()))
    for some in stored:
        with Spool() as spool:
            found = repeated(key_cells(some, spool, part=part), spool)
        assert (found and (found.count, found.first)) == ((len(expected), expected[0]) if expected else None)


@given(st.lists(st.tuples(int64s, int64s), max_size=6))
def test_whole_numbers_with_their_parts_lose_nothing(pairs: list[tuple[int, int]]) -> None:
    keys, part = (np.array([pair[i] for pair in pairs], np.int64) for i in (0, 1))
    with Spool() as spool:
        assert spelled(key_cells(keys, spool, part=part)) == [[*pair] for pair in pairs]
        written = [[ord(letter) for cell in pair for letter in f"{cell}\0"] for pair in pairs]
        assert spelled(key_cells(keys, spool, part=part, as_text=True)) == written


def test_keys_of_other_integer_types_with_parts(spool: Spool) -> None:
    part = np.array([0, 0, 2**40])
    for keys in (np.array([2**63, 2**63 + 1, 2**63], np.uint64), np.array([1, 2, 1], np.int8)):
        assert repeated(key_cells(keys, spool, part=part), spool) is None
        assert repeated(key_cells(keys, spool, part=part * 0), spool) == duplicates.Twice(1, (0, 2))
