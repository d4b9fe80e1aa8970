from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.sequences.conversion import (
    as_ragged,
    converted,
    from_dense,
    from_lists,
    with_lengths_at_hand,
)
from seqtool.sequences.ragged import Padded, Ragged, unchecked
from seqtool.sources.pad import pad
from tests import oracles
from tests.cutting import small_windows
from tests.holders import Capsule, CapsuleArray, Holder, Tensor

BIG = 2**53 + 1
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
    assert oracles.text_of(oracles.sequences_of(ragged)) == oracles.text_of(expected)


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
        [np.array([2**53 + 1]), [0.5]],
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
    assert oracles.text_of(oracles.sequences_of(built)) == oracles.text_of(oracles.sequences_of(ragged))
    if arrays:
        assert built.values.dtype == ragged.values.dtype


def test_none_is_a_missing_value() -> None:
    assert oracles.text_of(from_lists([[1, None], [2]]).values) == "[1.0, nan, 2.0]"


def test_na_and_none_are_counted() -> None:
    ragged, missing = converted([[1, pd.NA], [2], [None]])
    assert (oracles.text_of(ragged.values), missing) == ("[1.0, nan, 2.0, nan]", 2)
    ragged, missing = converted([[[1, pd.NA]], [[None, 2], [3, 4]]])
    assert (ragged.values.shape, missing) == ((3, 2), 2)
    with pytest.raises(DataError, match=r"sequences\[1\]\[0\] is 'x'; a number"):
        converted([[1, pd.NA], ["x"]])
    with pytest.raises(DataError, match=r"sequences\[1\]\[0\] is '2'; a number"):
        converted([[None], ["2"]])


def test_whole_numbers_past_int64_are_uint64() -> None:
    built = from_lists([[2**64 - 1], [1]])
    assert (built.values.dtype, built.values.tolist()) == (np.uint64, [2**64 - 1, 1])


LISTS: list[Any] = [
    pa.array([[BIG], [2, 3]]),
    pa.array([[BIG], [2, 3]], pa.large_list(pa.int64())),
    pa.chunked_array([[[BIG]], [], [[2, 3]]], pa.list_(pa.int64())),
    pa.table({"steps": [[BIG], [2, 3]]}),
    Capsule(pa.table({"steps": [[BIG], [2, 3]]})),
    Capsule(pa.chunked_array([[[BIG], [2, 3]]])),
    CapsuleArray(pa.array([[BIG], [2, 3]])),
    pd.Series([[BIG], [2, 3]], index=[4, 2]),
    pd.Series([[BIG], [2, 3]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
    pd.DataFrame({"steps": [[BIG], [2, 3]]}, index=[4, 2]),
    [pd.Series([BIG], index=["a"]), pd.Series([2, 3], index=["b", "c"])],
    [pd.Series([BIG], dtype="Int64"), [2, 3]],
    [pa.array([BIG]), pa.chunked_array([[2], [3]])],
    [Capsule(pa.chunked_array([[BIG]])), CapsuleArray(pa.array([2, 3]))],
    [Tensor([BIG]), Tensor([2, 3])],
    [Holder([BIG]), Holder([2, 3])],
    (np.array([BIG], dtype=object), np.array([2, 3])),
]


@pytest.mark.parametrize("sequences", LISTS, ids=lambda sequences: type(sequences).__name__)
def test_lists_of_every_library_go_in_by_their_cells(sequences: Any) -> None:
    ragged, missing = converted(sequences)
    assert (ragged.values.dtype, oracles.sequences_of(ragged), missing) == (np.int64, [[BIG], [2, 3]], 0)


FRAME = pd.DataFrame({0: [7, 7, 8], 1: [1, 3, 5], 2: [2, 4, BIG]})
STEPS: list[Any] = [
    [part[[1, 2]] for _, part in FRAME.groupby(0)],
    [part[[1, 2]].astype({1: "int8"}) for _, part in FRAME.groupby(0)],
    [part[[1, 2]].astype("Int64") for _, part in FRAME.groupby(0)],
    [pa.table({"a": [1, 3], "b": [2, 4]}), Capsule(pa.table({"a": [5], "b": [BIG]}))],
    [Tensor([[1, 2], [3, 4]]), Tensor([[5, BIG]])],
    [pa.array([[1, 2], [3, 4]]), pa.array([[5, BIG]], pa.list_(pa.int64(), 2))],
    [[pd.Series([1, 2]), pd.Series([3, 4])], [pd.Series([5, BIG])]],
    pa.array([[[1, 2], [3, 4]], [[5, BIG]]]),
    pa.array([[[1, 2], [3, 4]], [[5, BIG]]], pa.large_list(pa.list_(pa.int64(), 2))),
]


@pytest.mark.parametrize("sequences", STEPS)
def test_steps_of_every_library_go_in_by_their_cells(sequences: Any) -> None:
    ragged, missing = converted(sequences)
    assert oracles.sequences_of(ragged) == [[[1, 2], [3, 4]], [[5, BIG]]]
    assert (ragged.values.dtype, missing) == (np.int64, 0)


def test_a_dense_block_of_another_library_is_one_of_numpy() -> None:
    block = np.arange(12).reshape(2, 3, 2)
    assert oracles.sequences_of(as_ragged(Tensor(block))) == block.tolist()
    rows = block.reshape(4, 3).tolist()
    assert oracles.sequences_of(as_ragged(pd.DataFrame(rows, index=list("abcd")))) == rows
    assert oracles.sequences_of(as_ragged(pa.table(pd.DataFrame(rows, columns=list("abc"))))) == rows


def test_an_array_of_ragged_lists_that_is_no_array_in_numpy_is_taken_item_by_item() -> None:
    class Jagged(list[Any]):
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise ValueError("subarrays are not regular")

    assert oracles.sequences_of(as_ragged(Jagged([[1], [2, 3]]))) == [[1], [2, 3]]


@pytest.mark.parametrize("cells", [[[], []], [[None], []]])
def test_lists_that_hold_no_number_at_all_are_floats(cells: Any) -> None:
    ragged, missing = converted(pa.array(cells))
    assert (ragged.values.dtype, missing) == (np.float64, sum(map(len, cells)))
    assert ragged.lengths.tolist() == [len(sequence) for sequence in cells]


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        (pa.array([[1], None]), "^row 1 of the array is null; a list was expected"),
        (pa.array([1, 2]), "^the array holds int64; lists of numbers were expected"),
        (pa.array([["a"]]), "^the array holds string; lists of numbers"),
        (pa.array([[BIG, None]]), f"^the array: {BIG}, which float64 cannot hold"),
        (pa.array([[[1, 2]], [[3]]]), "different numbers of features"),
        (pa.array([[[1, 2], None]]), "a step of the array is null; a list of numbers"),
        (pa.table({"k": [1], "x": [[1]]}), "^a pyarrow.Table: has several columns, and lists in one of them"),
        (pd.DataFrame({"k": [1], "x": [[1]]}), "^a pandas.DataFrame: has several columns, and lists"),
        (pd.DataFrame({"k": ["a"], "x": ["b"]}), "^a pandas.DataFrame: .*numbers were expected"),
        (pd.Series([1, 2]), r"x has shape \(2,\)"),
        ([[1], pd.DataFrame({"a": [1], "b": ["x"]})], r"^sequences\[1\]: .*numbers were expected"),
        ([[1], pd.Series(["x"])], r"^sequences\[1\]"),
        ([pa.array(["x"])], r"^sequences\[0\]: holds string; numbers were expected"),
        ([pa.array([[1], [2, 3]])], r"^sequences\[0\]: its steps have different numbers of features"),
        ([[1], np.ma.masked_array([1], [True])], r"^sequences\[1\]\[0\] is masked: .*int64 cannot hold"),
        (np.ma.masked_array([[1, 2]], [[0, 1]]), r"^sequences\[0, 1\] is masked"),
        ([Tensor(3)], r"sequences\[0\]"),
        ([pd.DataFrame({"a": [BIG]}), pd.DataFrame({"a": [0.5]})], "no common type holds exactly"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(sequences: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        converted(sequences)


def test_masked_cells_are_missing() -> None:
    ragged, missing = converted(np.ma.masked_array([[1.0, 2.0]], [[False, True]]))
    assert (oracles.text_of(ragged.values), missing) == ("[1.0, nan]", 1)
    ragged, missing = converted([np.ma.masked_array([1.0, 2.0], [True, False]), np.ma.masked_array([3])])
    assert (oracles.text_of(ragged.values), missing) == ("[nan, 2.0, 3.0]", 1)
    assert converted(np.ma.masked_array([[1, 2]])).ragged.values.dtype == np.int64


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
        ([[1, [2]]], r"sequences\[0\]\[1\] has 1 feature, but the steps before it a number"),
        (
            [[[1, 2]], [[3, 4], [5]]],
            r"sequences\[1\]\[1\] has 1 feature, but the steps before it 2 features",
        ),
        ([[[1, 2]], [3]], r"sequences\[1\]\[0\] has a number, but the steps before it 2 features"),
        ([np.ones((2, 3)), np.ones((1, 2))], r"sequences\[1\]\[0\] has 2 features"),
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


@pytest.mark.thinned
@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("dtype", ["int64", "int8", "uint8", "uint64"])
@given(lengths=st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_a_dense_array_with_lengths_gives_its_real_steps(
    padding: Any, dtype: str, lengths: list[int]
) -> None:
    x = np.arange(len(lengths) * 4).reshape(-1, 4)
    ragged = from_dense(x, np.array(lengths, dtype=dtype), padding=padding)
    assert oracles.sequences_of(ragged) == oracles.unpad(x.tolist(), lengths, padding=padding)


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("window", [64, 4 << 20])
def test_lengths_are_summed_once_however_small_the_windows_are(
    padding: Any, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_windows(monkeypatch, window)
    lengths, x = np.arange(300) % 5, np.arange(1200).reshape(300, 4)
    read = 0

    def some(begin: int, end: int) -> Any:
        nonlocal read
        read += end - begin
        return lengths[begin:end]

    block: Any = Lazy(x.shape, x.dtype, lambda begin, end: x[begin:end])
    block.reshaped = lambda *shape: Lazy(shape, x.dtype, lambda begin, end: x.reshape(shape)[begin:end])
    data = unchecked(Padded, x=block, lengths=Lazy((300,), lengths.dtype, some), padding=padding)
    with Spool() as spool:
        ragged = as_ragged(with_lengths_at_hand(data, spool), spool)
        assert oracles.sequences_of(ragged) == oracles.unpad(x.tolist(), lengths, padding=padding)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        for i in range(300):
            assert ragged.offsets[i : i + 2].tolist() == offsets[i : i + 2].tolist()
            assert ragged.values[offsets[i] : offsets[i + 1]].tolist() == ragged[i].tolist()
    assert read == 300


def test_a_dense_array_has_its_real_steps_first_unless_told() -> None:
    assert oracles.sequences_of(from_dense(np.array([[1, 2, 3]]), np.array([2]))) == [[1, 2]]


@pytest.mark.parametrize(
    ("x", "lengths", "message"),
    [
        (np.ones(3), None, r"x has shape \(3,\)"),
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


def test_a_matrix_is_an_array_of_two_dimensions() -> None:
    matrix = np.arange(6).reshape(3, 2).view(np.matrix)
    assert as_ragged(matrix).lengths.tolist() == [2, 2, 2]
    assert type(Ragged(matrix, np.array([0, 2, 3]))[1]) is np.ndarray
