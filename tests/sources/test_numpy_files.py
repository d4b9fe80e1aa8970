import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import seqtool as sq
from seqtool.arrays.file_array import FileArray
from seqtool.arrays.lazy import Lazy
from seqtool.errors import DataError, UsageError
from seqtool.files.inputs import opened
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sources.options import Sequences
from seqtool.sources.read import read_sequences
from tests import oracles
from tests.sources.options import source_options

# The array of the old TensorFlow tutorial on dynamic_rnn: the second sequence has one step, and old data behind it.
TUTORIAL = np.array([[[0, 1, 2], [9, 8, 7]], [[3, 4, 5], [0, 10, 110]], [[6, 7, 8], [6, 5, 4]]])
TUTORIAL_LENGTHS = np.array([2, 1, 2])


def read(path: Path, **options: Any) -> Sequences:
    with opened([str(path)]) as found:
        return read_sequences(found[0], source_options(**options))


def lists(found: Sequences) -> list[list[Any]]:
    return oracles.sequences_of(found.ragged)


def npy(folder: Path, array: Any, name: str = "in.npy", **options: Any) -> Path:
    np.save(folder / name, array, **options)
    return folder / name


def npz(folder: Path, *arrays: Any, **named: Any) -> Path:
    np.savez(folder / "in.npz", *arrays, **named)
    return folder / "in.npz"


def objects(*items: Any) -> Any:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


# One .npy


@given(
    npst.arrays(
        npst.scalar_dtypes().filter(lambda d: d.name in oracles.NUMBERS),
        npst.array_shapes(min_dims=2, max_dims=3),
    ),
    st.booleans(),
)
def test_a_dense_npy_has_full_lengths_and_keeps_its_dtype(scratch: Path, x: Any, fortran: bool) -> None:
    result = read(npy(scratch, np.asfortranarray(x) if fortran else x))
    assert oracles.text_of(lists(result)) == oracles.text_of(x)
    assert result.ragged.values.dtype == x.dtype.newbyteorder("=")
    assert result.ragged.values.dtype.isnative
    assert result.dense
    assert result.steps == x.shape[0] * x.shape[1]
    assert result.padding is None


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("kind", ["i2", "i8", "u4", "f2", "f4", "f8"])
def test_either_byte_order_gives_the_same_numbers(tmp_path: Path, order: str, kind: str) -> None:
    x = np.array([[1, 2, 3], [4, 5, 600]], dtype=order + kind)
    result = read(npy(tmp_path, x))
    assert lists(result) == [[1, 2, 3], [4, 5, 600]]
    assert result.ragged.values.dtype == np.dtype(kind)


@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 2), (4, 0), (4, 0, 2), (0, 0), (0, 0, 0), (2, 3, 0)])
def test_an_array_without_cells_keeps_its_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    result = read(npy(tmp_path, np.empty(shape, dtype=np.float32)))
    assert result.ragged.values.shape == (shape[0] * shape[1], *shape[2:])
    assert result.ragged.lengths.tolist() == [shape[1]] * shape[0]
    assert result.ragged.values.dtype == np.float32


@pytest.mark.parametrize("shape", [(), (3,)])
def test_an_array_of_other_dimensions_is_refused_with_its_shape(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    path = npy(tmp_path, np.zeros(shape))
    with pytest.raises(DataError, match=r"\(N, T\), \(N, T, F\) or \(N, T, H, W, C\) was expected") as error:
        read(path)
    assert str(shape) in str(error.value)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize(
    ("array", "what"),
    [
        (np.zeros((2, 2), dtype=complex), "complex"),
        (np.zeros((2, 2), dtype=[("a", "f4"), ("b", "i4")]), "structured"),
        (np.array([["a", "b"]]), "numbers"),
        (np.array([["2026-01-01"]], dtype="datetime64[D]"), "datetime64"),
        (np.array([[b"ab"]]), "integers, floats or booleans"),
    ],
)
def test_an_array_of_no_numbers_is_refused(tmp_path: Path, array: Any, what: str) -> None:
    with pytest.raises(DataError, match=what):
        read(npy(tmp_path, array))


def test_a_structured_array_whose_fields_have_foreign_letters_is_refused(tmp_path: Path) -> None:
    array = np.zeros((2, 2), dtype=[("время", "f4")])
    with pytest.warns(UserWarning, match="Stored array in format 3"):
        path = npy(tmp_path, array)
    with pytest.raises(DataError, match="structured"):
        read(path)


def test_an_npy_has_no_array_to_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--array"):
        read(npy(tmp_path, np.zeros((2, 2))), array="x")


@pytest.mark.parametrize("options", [{"label": "y"}, {"key": "k"}])
def test_arrays_have_no_fields_for_label_and_key(tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="--label and --key"):
        read(npy(tmp_path, np.zeros((2, 2))), **options)


def test_bytes_that_are_missing_or_too_many_are_noticed(tmp_path: Path) -> None:
    path = npy(tmp_path, np.arange(6).reshape(2, 3))
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole + b"\0"):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="cut short or damaged"):
            read(path)


@pytest.mark.parametrize("allow_pickle", [False, True])
def test_a_header_that_asks_for_petabytes_is_refused(tmp_path: Path, allow_pickle: bool) -> None:
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**6)}
    np.lib.format.write_array_header_1_0(file, header)
    path = tmp_path / "in.npy"
    path.write_bytes(file.getvalue() + bytes(64))
    with pytest.raises(DataError, match="64 follow"):
        read(path, allow_pickle=allow_pickle)


def test_rows_without_padding_are_windows_of_the_file(tmp_path: Path) -> None:
    """Nothing is gathered, neither where no lengths are known nor where they say that all of it is real."""
    x, labels = np.arange(24.0).reshape(4, 3, 2), np.arange(12).reshape(4, 3)
    full, short = np.full(4, 3), np.array([3, 3, 2, 3])
    whole = [npy(tmp_path, x), npz(tmp_path, x=x, step_y=labels)]
    np.savez(tmp_path / "full.npz", x=x, lengths=full, step_y=labels)
    for path in [*whole, tmp_path / "full.npz"]:
        ragged = read(path).ragged
        assert isinstance(ragged.values, FileArray)
        assert np.array_equal(np.asarray(ragged.values), x.reshape(12, 2))
        assert np.asarray(ragged.offsets).tolist() == [0, 3, 6, 9, 12]
        for array in ragged.per_step.values():
            assert type(array.data) is not Lazy  # which gathers
            assert np.asarray(array.data).tolist() == list(range(12))
    assert "step_y" in ragged.per_step
    np.savez(tmp_path / "short.npz", x=x, lengths=short, step_y=labels)
    ragged = read(tmp_path / "short.npz").ragged
    assert isinstance(ragged.values, Lazy)
    assert np.asarray(ragged.per_step["step_y"].data).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11]


# Lengths


@pytest.mark.parametrize("side", [None, "post", "pre"])
@pytest.mark.parametrize("place", ["member", "named", "file"])
def test_lengths_are_found_or_named_and_the_side_is_post_unless_said(
    tmp_path: Path, side: Any, place: str
) -> None:
    x, lengths = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), np.array([3, 0, 1])
    options: dict[str, Any] = {"input_padding": side}
    if place == "member":
        path = npz(tmp_path, x=x, lengths=lengths)
    elif place == "named":
        path = npz(tmp_path, x=x, n=lengths)
        options["lengths"] = "n"
    else:
        path = npz(tmp_path, x=x)
        options["lengths"] = str(npy(tmp_path, lengths, "n.npy"))
    assert lists(read(path, **options)) == [[1, 2, 3], [], [9] if side == "pre" else [7]]


def test_an_npy_takes_its_lengths_from_another(tmp_path: Path) -> None:
    lengths = npy(tmp_path, np.array([1, 2]), "lengths.npy")
    result = read(npy(tmp_path, np.array([[1, 0], [2, 3]])), lengths=str(lengths))
    assert lists(result) == [[1], [2, 3]]
    assert not result.dense
    assert result.warnings == []


def test_a_member_wins_over_a_file_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n").write_text("not lengths")
    assert lists(read(npz(tmp_path, x=np.array([[1, 2]]), n=np.array([1])), lengths="n")) == [[1]]


def test_lengths_that_are_nowhere_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--lengths nowhere"):
        read(npz(tmp_path, x=np.zeros((2, 2))), lengths="nowhere")


def test_lengths_from_a_file_of_another_kind_are_a_wrong_call(tmp_path: Path) -> None:
    other = tmp_path / "lengths.txt"
    other.write_text("1 2")
    with pytest.raises(UsageError, match=r"an \.npy file"):
        read(npy(tmp_path, np.zeros((2, 2))), lengths=str(other))


@pytest.mark.thinned
@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8", ">i4", ">f8"])
@pytest.mark.parametrize("side", ["pre", "post"])
def test_lengths_of_any_number_type_count_the_same(tmp_path: Path, kind: str, side: Any) -> None:
    x = np.arange(2 * 300).reshape(2, 300)
    result = read(npz(tmp_path, x=x, lengths=np.array([3, 120], dtype=kind)), input_padding=side)
    kept = [x[0, :3], x[1, :120]] if side == "post" else [x[0, -3:], x[1, -120:]]
    assert lists(result) == [row.tolist() for row in kept]
    assert result.ragged.offsets.dtype == np.int64


@pytest.mark.parametrize(
    ("lengths", "what"),
    [
        ([1, 3], r"lengths\[1\] is 3, but x holds 2 steps"),
        ([-1, 1], r"lengths\[0\] is -1"),
        ([1], r"whole numbers of \(2,\) were expected"),
        ([1, 1, 1], r"whole numbers of \(2,\) were expected"),
        ([[1], [1]], "whole numbers"),
        ([1.5, 1], "whole numbers"),
        ([np.nan, 1], "whole numbers"),
        ([np.inf, 1], "lengths"),
        ([1e300, 1], "lengths"),
        ([True, False], "whole numbers"),
        (["1", "2"], "whole numbers"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(tmp_path: Path, lengths: list[Any], what: str) -> None:
    with pytest.raises(DataError, match=what):
        read(npz(tmp_path, x=np.zeros((2, 2)), lengths=np.array(lengths)))


def test_the_side_of_a_full_array_means_nothing_without_lengths(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--lengths"):
        read(npy(tmp_path, np.zeros((2, 2))), input_padding="pre")


# Old data past the lengths


def test_the_old_data_of_the_tutorial_is_reset_and_counted(tmp_path: Path) -> None:
    result = read(npz(tmp_path, x=TUTORIAL, lengths=TUTORIAL_LENGTHS))
    assert lists(result) == [TUTORIAL[0].tolist(), [[3, 4, 5]], TUTORIAL[2].tolist()]
    assert len(result.warnings) == 1
    assert result.warnings[0].startswith("1 step beyond lengths was overwritten")


@pytest.mark.parametrize(
    ("value", "count"), [(None, 1), (0, 1), (-1, 0), ((-1, -1, -1), 0), ((0, 10, 110), 1), (7, 1)]
)
def test_old_padding_of_the_value_asked_for_is_no_old_data(tmp_path: Path, value: Any, count: int) -> None:
    x = TUTORIAL.copy()
    x[1, 1] = -1
    result = read(npz(tmp_path, x=x, lengths=TUTORIAL_LENGTHS), value=value)
    assert len(result.warnings) == count


def test_old_padding_with_nan_is_no_old_data_where_nan_pads(tmp_path: Path) -> None:
    x = np.array([[1, np.nan], [2, 3]])
    path = npz(tmp_path, x=x, lengths=np.array([1, 2]))
    assert read(path, value=float("nan")).warnings == []
    assert len(read(path).warnings) == 1


def test_nan_may_pad_what_are_still_integers(tmp_path: Path) -> None:
    path = npz(tmp_path, x=np.array([[1, 0], [2, 3]]), lengths=np.array([1, 2]))
    assert lists(read(path, value=float("nan"), dtype="float32")) == [[1], [2, 3]]


def test_a_value_that_the_array_cannot_hold_is_not_found_in_it(tmp_path: Path) -> None:
    x = np.array([[1, 255], [2, 3]], dtype=np.uint8)
    path = npz(tmp_path, x=x, lengths=np.array([1, 2]))
    assert len(read(path, value=-1, dtype="int16").warnings) == 1
    assert len(read(path, value=255.5, dtype="float32").warnings) == 1


def test_a_value_for_another_number_of_features_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 numbers, but a step has 3 features"):
        read(npz(tmp_path, x=TUTORIAL, lengths=TUTORIAL_LENGTHS), value=(1, 2))


# Which array of a foreign .npz


def test_x_is_taken_among_others_and_those_are_named(tmp_path: Path) -> None:
    result = read(npz(tmp_path, x=np.array([[1, 2]]), y=np.array([5]), z=np.zeros(3)))
    assert lists(result) == [[1, 2]]
    assert result.notes == ["arrays not read: z"]
    assert np.asarray(result.ragged.per_sequence["y"]).tolist() == [5]
    assert result.dense


def test_the_only_array_is_taken_whatever_its_name(tmp_path: Path) -> None:
    for name in ("sensor", "arr_0", "file"):
        with (tmp_path / "in.npz").open("wb") as file:
            np.savez(file, **{"data" if name == "file" else name: np.array([[1], [2]])})
        assert lists(read(tmp_path / "in.npz")) == [[1], [2]]


def test_the_only_array_beside_its_lengths_is_taken(tmp_path: Path) -> None:
    result = read(npz(tmp_path, data=np.array([[1, 0]]), lengths=np.array([1])), array="data")
    assert lists(result) == [[1]]
    assert result.notes == []


def test_array_names_one_of_several(tmp_path: Path) -> None:
    path = npz(tmp_path, train=np.array([[1]]), test=np.array([[2]]))
    assert lists(read(path, array="test")) == [[2]]
    with pytest.raises(DataError, match=r"several arrays; choose one of train, test, such as --array t"):
        read(path)
    with pytest.raises(DataError, match=r"no array 'tset'; choose one of train, test, such as --array t"):
        read(path, array="tset")


def test_an_archive_without_arrays_says_that_it_is_empty(tmp_path: Path) -> None:
    path = npz(tmp_path)
    with pytest.raises(DataError) as error:
        read(path)
    assert "several" not in str(error.value)


def test_values_and_offsets_are_ragged(tmp_path: Path) -> None:
    values, offsets = np.arange(10).reshape(5, 2), np.array([0, 2, 2, 5], dtype=np.int32)
    result = read(npz(tmp_path, values=values, offsets=offsets, names=np.array(["a"])))
    assert lists(result) == [[[0, 1], [2, 3]], [], [[4, 5], [6, 7], [8, 9]]]
    assert result.ragged.offsets.dtype == np.int64
    assert result.notes == ["arrays not read: names"]
    assert result.steps == 5


@pytest.mark.parametrize(
    ("offsets", "what"),
    [
        ([0, 2], "offsets ends at 2"),
        ([1, 3], r"offsets\[0\] is 1"),
        ([0, 2, 1, 3], r"offsets\[2\] is 1, below the 2"),
        ([0.0, 3.0], "offsets"),
        (["0", "3"], "offsets"),
        ([[0, 3]], "offsets"),
    ],
)
def test_offsets_that_do_not_fit_are_refused(tmp_path: Path, offsets: list[Any], what: str) -> None:
    with pytest.raises(DataError, match=what):
        read(npz(tmp_path, values=np.arange(3), offsets=np.array(offsets)))


@pytest.mark.parametrize("options", [{"lengths": "lengths"}, {"input_padding": "pre"}])
def test_ragged_members_leave_no_room_for_lengths_or_a_side(tmp_path: Path, options: dict[str, Any]) -> None:
    ragged = {"values": np.arange(3), "offsets": np.array([0, 3]), "lengths": np.array([3])}
    with pytest.raises(UsageError, match=r"--lengths|--input-padding"):
        read(npz(tmp_path, **ragged), **options)


# Several arrays, one sequence each


@given(st.lists(npst.arrays(np.int64, st.integers(0, 3)), min_size=2, max_size=25))
def test_numbered_arrays_are_one_sequence_each_in_their_order(scratch: Path, arrays: list[Any]) -> None:
    result = read(npz(scratch, *arrays))
    assert lists(result) == [array.tolist() for array in arrays]
    assert result.steps == sum(map(len, arrays))
    assert not result.dense


def test_the_eleventh_numbered_array_does_not_stand_before_the_third(tmp_path: Path) -> None:
    result = read(npz(tmp_path, *(np.full((1, 2), i) for i in range(120))))
    assert result.ragged.values[:, 0].tolist() == list(range(120))
    assert result.notes == ["each array is one sequence"]


def test_numbered_arrays_may_be_empty_and_have_features(tmp_path: Path) -> None:
    steps = [np.ones((2, 3), np.float32), np.empty((0, 3), np.float32), np.zeros((1, 3), np.float32)]
    result = read(npz(tmp_path, *steps))
    assert result.ragged.lengths.tolist() == [2, 0, 1]
    assert result.ragged.values.dtype == np.float32


def test_an_empty_list_among_numbered_arrays_with_features_is_an_empty_sequence(tmp_path: Path) -> None:
    result = read(npz(tmp_path, [[1, 2]], [], [[3, 4], [5, 6]]))
    assert lists(result) == [[[1, 2]], [], [[3, 4], [5, 6]]]
    result = read(npz(tmp_path, [], [[1, 2]]))
    assert lists(result) == [[], [[1, 2]]]


def test_an_empty_list_among_numbered_arrays_does_not_change_their_type(tmp_path: Path) -> None:
    result = read(npz(tmp_path, [], [2**53 + 1], []))
    assert lists(result) == [[], [2**53 + 1], []]
    assert result.ragged.values.dtype == np.int64


@pytest.mark.parametrize(
    "arrays",
    [
        [np.zeros((1, 2)), np.zeros((1, 3))],
        [np.zeros(2), np.zeros((2, 1))],
        [np.zeros((1, 1, 1)), np.zeros((1, 1, 2))],
        [np.zeros(2), np.array(3.0)],
        [np.array(3.0), np.zeros(2)],
    ],
)
def test_numbered_arrays_of_unlike_steps_are_refused(tmp_path: Path, arrays: list[Any]) -> None:
    with pytest.raises(DataError, match=r"(sequence |arr_)\d has shape"):
        read(npz(tmp_path, *arrays))


def test_a_numbered_array_of_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"sequence|number"):
        read(npz(tmp_path, np.array([1]), np.array(["a"])))


def test_numbered_arrays_with_a_gap_are_not_sequences(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one of arr_0, arr_2, such as --array arr_0"):
        read(npz(tmp_path, arr_0=np.zeros(1), arr_2=np.zeros(1)))


def test_one_of_numbered_arrays_can_be_named(tmp_path: Path) -> None:
    assert lists(read(npz(tmp_path, np.array([[1, 2]]), np.array([[3]])), array="arr_1")) == [[3]]


def test_numbered_arrays_leave_no_room_for_a_side(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--input-padding"):
        read(npz(tmp_path, np.array([1, 2]), np.array([3])), input_padding="pre")


# Pickles


def test_an_object_array_is_opened_only_on_demand(tmp_path: Path) -> None:
    path = npy(tmp_path, objects([1, 2], [3]), allow_pickle=True)
    with pytest.raises(DataError, match="--allow-pickle"):
        read(path)
    assert lists(read(path, allow_pickle=True)) == [[1, 2], [3]]


@pytest.mark.parametrize(
    "items",
    [
        ([1, 2], [3], []),
        ([], [1], [2, 3]),
        ([0.5], [1, 2]),
        ([[1, 2], [3, 4]], [[5, 6]]),
        ([[1, 2], [3, 4]], [], [[5, 6]]),
        ([], [[1, 2]]),
        (np.array([1, 2]), np.array([3])),
        (np.array([[1.5, 2]]), np.empty((0, 2)), np.array([[3, 4], [5, 6]])),
        ((1, 2), (3,)),
        (np.array([1, 2], dtype=object), [3]),
    ],
)
def test_an_object_array_holds_lists_or_arrays(tmp_path: Path, items: tuple[Any, ...]) -> None:
    result = read(npy(tmp_path, objects(*items), allow_pickle=True), allow_pickle=True)
    assert lists(result) == [np.asarray(item).tolist() for item in items]


def test_an_object_array_of_lists_of_one_length_is_dense(tmp_path: Path) -> None:
    x = np.array([[1, 2], [3, 4]], dtype=object)  # what np.array(lists, dtype=object) makes of them
    assert lists(read(npy(tmp_path, x, allow_pickle=True), allow_pickle=True)) == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "items",
    [
        ([1, "a"], [2]),
        ([[1, 2], [3]], [[4, 5]]),
        ([1, [2]], [3]),
        ({"a": 1}, {"b": 2}),
        (1, 2),
        ("ab", "c"),
        (None, None),
    ],
)
def test_an_object_array_of_anything_else_is_refused(tmp_path: Path, items: tuple[Any, ...]) -> None:
    path = npy(tmp_path, objects(*items), allow_pickle=True)
    with pytest.raises(DataError) as error:
        read(path, allow_pickle=True)
    assert str(error.value).startswith(str(path))


def test_a_damaged_object_array_is_refused(tmp_path: Path) -> None:
    path = npy(tmp_path, objects([1, 2], [3]), allow_pickle=True)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError) as error:
        read(path, allow_pickle=True)
    assert str(error.value).startswith(str(path))


def test_an_array_of_numbers_may_come_with_allow_pickle(tmp_path: Path) -> None:
    assert lists(read(npy(tmp_path, np.array([[1, 2]])), allow_pickle=True)) == [[1, 2]]


def test_an_object_member_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "in.npz"
    np.savez(path, allow_pickle=True, x=objects([1], [2, 3]))
    for allow_pickle in (False, True):
        with pytest.raises(DataError, match="object array"):
            read(path, allow_pickle=allow_pickle)


# Files of ours


@given(oracles.raggeds(riders=True), st.sampled_from(["pre", "post"]), st.sampled_from([0, 1]))
def test_a_padded_file_of_ours_gives_its_real_steps_side_and_value(
    scratch: Path, ragged: Ragged, side: Any, value: float
) -> None:
    path = scratch / "ours.npz"
    sq.save(path, sq.pad(ragged, padding=side, value=value))
    result = read(path)
    assert oracles.parts(result.ragged.replace(receipt=ragged.receipt)) == oracles.parts(ragged)
    assert (result.padding, result.value) == (side, value)
    assert result.steps == len(ragged.values)
    assert not result.dense
    assert result.warnings == []


@given(oracles.raggeds(riders=True))
def test_a_ragged_file_of_ours_comes_back_with_all_it_holds(scratch: Path, ragged: Ragged) -> None:
    path = scratch / "ours.npz"
    sq.save(path, ragged)
    result = read(path)
    assert oracles.parts(result.ragged) == oracles.parts(ragged)
    assert result.padding is None
    assert result.steps == len(ragged.values)


@pytest.mark.parametrize("options", [{"array": "x"}, {"lengths": "lengths"}, {"input_padding": "pre"}])
def test_a_file_of_ours_needs_no_options_for_what_it_knows(tmp_path: Path, options: dict[str, Any]) -> None:
    sq.save(tmp_path / "ours.npz", sq.pad([[1], [2, 3]]))
    with pytest.raises(UsageError, match="was written by seqtool and describes"):
        read(tmp_path / "ours.npz", **options)


def test_a_padded_file_of_ours_has_no_old_padding_to_look_for(tmp_path: Path) -> None:
    sq.save(tmp_path / "ours.npz", Padded(np.array([[1, 0, 0]]), np.array([1]), padding="post"))
    result = read(tmp_path / "ours.npz")
    assert lists(result) == [[1]]
    assert not result.dense


def test_an_array_padded_at_its_start_is_not_read_as_if_padded_at_its_end(tmp_path: Path) -> None:
    path = npz(tmp_path, x=np.array([[0, 0, 1, 2], [1, 2, 3, 4]]), lengths=np.array([2, 4]))
    with pytest.raises(DataError, match="--input-padding pre"):
        read(path)
    assert lists(read(path, input_padding="pre")) == [[1, 2], [1, 2, 3, 4]]
    assert lists(read(path, input_padding="post")) == [[0, 0], [1, 2, 3, 4]]


def flipped(path: Path, at: int) -> None:
    """Flip a bit of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("where", ["a step", "padding", "a compressed block"])
def test_damage_of_a_block_comes_before_what_it_then_seems_to_hold(tmp_path: Path, where: str) -> None:
    path = tmp_path / "a.npz"
    x = np.arange(1, 4001).reshape(10, 400)
    x[:, 399] = 0
    packed = where == "a compressed block"
    sq.save(path, Padded(x, np.full(10, 399), padding="post"), compress="fast" if packed else None)
    content = path.read_bytes()
    flipped(path, 600 if packed else content.index(x[1, 398].tobytes()) + 8 * (where == "padding"))
    with pytest.raises(DataError, match=r"a\.npz\[x\]: damaged"):
        read(path)


def test_a_damaged_block_is_named_before_wrong_lengths(tmp_path: Path) -> None:
    padded = Padded(np.arange(1, 13).reshape(3, 4), np.full(3, 4), padding="post")
    sq.save(tmp_path / "a.npz", padded)
    with np.load(tmp_path / "a.npz") as held:
        arrays = {**held, "lengths": np.array([4, 5, 4])}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=r"lengths\[1\] is 5"):
        read(tmp_path / "a.npz")
    flipped(tmp_path / "a.npz", (tmp_path / "a.npz").read_bytes().index(padded.x[1].tobytes()))
    with pytest.raises(DataError, match=r"a\.npz\[x\]: damaged"):
        read(tmp_path / "a.npz")
