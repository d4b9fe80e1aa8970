import re
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtool.errors import DataError, UsageError
from seqtool.operations import pad as padding_module
from seqtool.operations.pad import carry_out, pad_stream, unpad
from seqtool.sequences import stream
from seqtool.sequences.conversion import from_lists
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from seqtool.sequences.validation import offsets_of, step_mask
from seqtool.sources.pad import pad
from tests import oracles
from tests.hunting import examples
from tests.peers import peer

NAN = float("nan")
SIDES = ["pre", "post"]
THREE = [[1], [2, 3], [4, 5, 6]]
BOTH_SIDES = pytest.mark.parametrize(("padding", "truncating"), [(p, t) for p in SIDES for t in SIDES])
lengths_of_t = st.none() | st.integers(1, 7)
multiples = st.sampled_from([1, 1, 2, 3, 8])


def cut_to(ragged: Ragged, maxlen: int | None, multiple_of: int) -> int:
    """T as the oracle takes it: `maxlen` or the longest, rounded up."""
    slots = max(ragged.lengths.tolist(), default=0) if maxlen is None else maxlen
    while slots % multiple_of:
        slots += 1
    return slots


# What DESIGN section 9 promises, line by line.


def test_the_examples_of_keras() -> None:
    assert pad(THREE).x.tolist() == [[0, 0, 1], [0, 2, 3], [4, 5, 6]]
    assert pad(THREE, maxlen=2).x.tolist() == [[0, 1], [2, 3], [5, 6]]
    assert pad(THREE, padding="post").x.tolist() == [[1, 0, 0], [2, 3, 0], [4, 5, 6]]
    assert pad(THREE, value=-1).x.tolist() == [[-1, -1, 1], [-1, 2, 3], [4, 5, 6]]


def test_the_defaults_are_pre_pre_zero_and_the_longest() -> None:
    padded = pad(THREE)
    assert (padded.padding, padded.value, padded.x.shape) == ("pre", 0, (3, 3))
    assert padded.lengths.tolist() == [1, 2, 3]
    assert padded.lengths.dtype == np.int64
    assert pad(THREE, maxlen=1).x.tolist() == [[1], [3], [6]]


def test_the_two_sides_are_independent() -> None:
    assert pad(THREE, maxlen=2, padding="post").x.tolist() == [[1, 0], [2, 3], [5, 6]]
    assert pad(THREE, maxlen=2, truncating="post").x.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert pad(THREE, maxlen=2, padding="post", truncating="post").x.tolist() == [[1, 0], [2, 3], [4, 5]]


def test_a_file_of_ours_keeps_its_own_side_and_value() -> None:
    post = pad(THREE, padding="post", value=-1)
    again = pad(post, maxlen=4)
    assert again.x.tolist() == [[1, -1, -1, -1], [2, 3, -1, -1], [4, 5, 6, -1]]
    other = pad(post, maxlen=4, padding="pre", value=0)
    assert other.x.tolist() == [[0, 0, 0, 1], [0, 0, 2, 3], [0, 4, 5, 6]]


def test_what_unpad_made_goes_back_to_its_side_and_value() -> None:
    post = pad(THREE, padding="post", value=-1, maxlen=4)
    ragged = unpad(post)
    assert pad(ragged, maxlen=4).x.tolist() == post.x.tolist()
    assert pad(ragged.replace(keys=np.arange(3))).x.tolist() == [[1, -1, -1], [2, 3, -1], [4, 5, 6]]
    assert pad(ragged, padding="pre", value=0).x.tolist() == pad(THREE).x.tolist()
    assert pad_stream(ragged).padding == "pre"  # the command line says what it wants


def test_an_empty_sequence_becomes_a_row_of_value() -> None:
    assert pad([[], [1, 2]], value=7).x.tolist() == [[7, 7], [1, 2]]
    assert pad([[], [[1, 2]]], value=(7, 8)).x.tolist() == [[[7, 8]], [[1, 2]]]
    assert pad([[], []], maxlen=2).x.tolist() == [[0, 0], [0, 0]]


def test_no_sequences_with_a_maxlen_give_an_empty_block() -> None:
    none = Ragged(np.empty((0, 3), dtype=np.float32), np.zeros(1, dtype=np.int64))
    assert pad(none, maxlen=5).x.shape == (0, 5, 3)
    assert pad(none, maxlen=5).x.dtype == np.float32
    assert pad([], maxlen=5).x.shape == (0, 5)
    assert pad(none).x.shape == (0, 0, 3)


def test_sequences_that_are_all_empty_make_no_slots() -> None:
    empty = Ragged(np.empty((0, 3)), np.zeros(3, dtype=np.int64))
    assert pad(empty).x.shape == (2, 0, 3)
    assert pad(empty, maxlen=2, value=(1, 2, 3)).x.tolist() == [[[1, 2, 3]] * 2] * 2


def test_steps_without_features_keep_their_count() -> None:
    assert pad(Ragged(np.empty((3, 0)), np.array([0, 1, 3])), maxlen=4).x.shape == (2, 4, 0)


@pytest.mark.parametrize("maxlen", [0, -1])
def test_maxlen_is_at_least_one(maxlen: int) -> None:
    with pytest.raises(UsageError, match=f"maxlen is {maxlen}; it must be at least 1"):
        pad(THREE, maxlen=maxlen)


@pytest.mark.parametrize("multiple_of", [0, -8])
def test_multiple_of_is_at_least_one(multiple_of: int) -> None:
    with pytest.raises(UsageError, match=f"multiple_of is {multiple_of}"):
        pad(THREE, multiple_of=multiple_of)


@pytest.mark.parametrize("argument", ["padding", "truncating"])
def test_a_side_is_pre_or_post(argument: str) -> None:
    with pytest.raises(UsageError, match=f"{argument} is 'both'; pre or post was expected"):
        pad(THREE, **{argument: "both"})  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", ["foo", "complex64", "str", "object", "datetime64[s]"])
def test_a_dtype_that_no_tensor_has_is_refused(dtype: str) -> None:
    with pytest.raises(UsageError, match="dtype is"):
        pad(THREE, dtype=dtype)


def test_a_vector_value_broadcasts_over_features() -> None:
    padded = pad([[[1, 2]], [[3, 4], [5, 6]]], value=(-1, -2))
    assert padded.x.tolist() == [[[-1, -2], [1, 2]], [[3, 4], [5, 6]]]
    with pytest.raises(DataError, match="value has 3 numbers, but a step has 2 features"):
        pad([[[1, 2]]], value=(1, 2, 3))
    with pytest.raises(DataError, match="value has 1 numbers, but a step has no features"):
        pad([[1]], value=(1,))


@pytest.mark.parametrize("dtype", oracles.NUMBERS)
def test_the_dtype_of_the_input_stays(dtype: str) -> None:
    assert pad([np.ones(1, dtype=dtype), np.ones(2, dtype=dtype)]).x.dtype == dtype


def test_what_keras_damages_silently_stays_or_is_refused() -> None:
    assert pad([[0.9], [NAN, 1.0]]).x.dtype == np.float64
    for damaged in (0.9, NAN, 2.0**31):
        with pytest.raises(DataError, match=r"^sequence 1, step 0: .*int32"):
            pad([[1.0], [damaged]], dtype="int32")
    assert pad([[1.0], [2.0]], dtype="int32").x.dtype == np.int32
    with pytest.warns(UserWarning, match=r"^1 whole number was rounded to float32, .* leave dtype out$"):
        assert pad([[2**24 + 1]], dtype="float32").x.tolist() == [[2.0**24]]


def test_a_value_that_the_dtype_cannot_hold_is_refused() -> None:
    with pytest.raises(DataError, match="value nan cannot be held in int64"):
        pad(THREE, value=NAN)
    with pytest.raises(DataError, match="value 300 cannot be held in int8"):
        pad(THREE, value=300, dtype="int8")
    assert pad(THREE, value=300).x[0, 0] == 300


def test_the_dtype_is_checked_although_what_it_cannot_hold_is_cut() -> None:
    with pytest.raises(DataError, match="sequence 0, step 0: 300"):
        pad([[300, 1]], maxlen=1, dtype="int8")


def test_a_refused_cast_names_the_sequence_its_step_and_its_feature() -> None:
    sequences: list[Any] = [[], [[1, 2]], [], [], [[3, 4], [5, 600], [700, 8]], []]
    with pytest.raises(DataError, match=r"^sequence 4, step 1, feature 1: 600, which int8 cannot hold"):
        pad(sequences, dtype="int8")
    named = from_lists(sequences).replace(features=("time", "x"))
    with pytest.raises(DataError, match=r"^sequence 4, step 1, feature x: 600, which int8 cannot hold"):
        pad(named, dtype="int8")


# Against the oracle.


@BOTH_SIDES
@given(ragged=oracles.raggeds(), maxlen=lengths_of_t, multiple_of=multiples)
def test_pad_is_the_oracles(
    padding: Any, truncating: Any, ragged: Ragged, maxlen: int | None, multiple_of: int
) -> None:
    slots = cut_to(ragged, maxlen, multiple_of)
    shape = ragged.values.shape[1:]
    padded = pad(
        ragged, maxlen=maxlen, padding=padding, truncating=truncating, value=1, multiple_of=multiple_of
    )
    expected = oracles.pad_sequences(
        oracles.sequences_of(ragged),
        maxlen=slots,
        padding=padding,
        truncating=truncating,
        value=np.ones(shape, dtype=ragged.values.dtype).tolist(),
    )
    assert padded.x.shape == (len(ragged), slots, *shape)
    assert padded.x.dtype == ragged.values.dtype
    assert oracles.text_of(padded.x) == oracles.text_of(expected)
    lengths = [min(length, slots) for length in ragged.lengths.tolist()]
    assert padded.lengths.tolist() == lengths
    assert padded.mask.tolist() == oracles.step_mask(lengths, maxlen=slots, padding=padding)
    kept = oracles.unpad(expected, lengths, padding=padding)
    assert oracles.text_of(oracles.sequences_of(unpad(padded))) == oracles.text_of(kept)


@BOTH_SIDES
@settings(max_examples=examples(50))
@given(ragged=oracles.raggeds(["int16", "float32"], riders=True), maxlen=lengths_of_t, multiple_of=multiples)
def test_riders_follow_their_steps_and_their_sequences(
    padding: Any, truncating: Any, ragged: Ragged, maxlen: int | None, multiple_of: int
) -> None:
    slots = cut_to(ragged, maxlen, multiple_of)
    padded = pad(ragged, maxlen=maxlen, padding=padding, truncating=truncating, multiple_of=multiple_of)
    assert padded.per_step.keys() == ragged.per_step.keys()
    for name, array in ragged.per_step.items():
        value = np.full(array.data.shape[1:], array.value, dtype=array.data.dtype).tolist()
        expected = oracles.pad_sequences(
            oracles.sequences_of(ragged, array.data),
            maxlen=slots,
            padding=padding,
            truncating=truncating,
            value=value,
        )
        assert padded.per_step[name].data.dtype == array.data.dtype
        assert oracles.text_of(padded.per_step[name].data) == oracles.text_of(expected)
    before, after = oracles.parts(ragged), oracles.parts(padded)
    lengths = ragged.lengths.tolist()
    if any(length > slots for length in lengths):
        before["per_sequence"]["original_lengths"] = ("int64", (len(lengths),), repr(lengths))
    for part in ("keys", "features", "per_sequence", "names"):
        assert after[part] == before[part]
    assert after["receipt"][: len(ragged.receipt)] == ragged.receipt


@given(oracles.raggeds(riders=True), st.sampled_from(SIDES), multiples)
def test_unpad_undoes_pad_where_nothing_is_cut(ragged: Ragged, padding: Any, multiple_of: int) -> None:
    padded = pad(ragged, padding=padding, value=1, multiple_of=multiple_of)
    assert padded.receipt[:-1] == ragged.receipt
    assert oracles.parts(unpad(padded.replace(receipt=ragged.receipt))) == oracles.parts(ragged)


@given(oracles.raggeds(), lengths_of_t, multiples)
def test_every_step_is_kept_or_counted_as_cut(ragged: Ragged, maxlen: int | None, multiple_of: int) -> None:
    planned = pad_stream(ragged, maxlen=maxlen, multiple_of=multiple_of)
    kept = len(unpad(carry_out(planned)).values)
    assert kept + planned.steps_cut == len(ragged.values)
    assert ("original_lengths" in planned.per_sequence) == (planned.steps_cut > 0)


def test_lengths_from_before_the_first_cut_survive_a_second() -> None:
    once = pad([[1, 2, 3, 4], [5]], maxlen=3)
    assert once.per_sequence["original_lengths"].tolist() == [4, 1]
    twice = pad(once, maxlen=2)
    assert twice.per_sequence["original_lengths"].tolist() == [4, 1]
    assert twice.lengths.tolist() == [2, 1]


@given(
    block_bytes=st.sampled_from([0, 1, 7, 16, 100]),
    ragged=oracles.raggeds(["int8", "float64"], riders=True),
    maxlen=lengths_of_t,
    sides=st.tuples(*[st.sampled_from(SIDES)] * 2),
)
def test_the_size_of_a_block_does_not_matter(
    block_bytes: int, ragged: Ragged, maxlen: int | None, sides: tuple[Any, Any]
) -> None:
    def padded() -> Padded:
        return pad(ragged, maxlen=maxlen, padding=sides[0], truncating=sides[1])

    whole = padded()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "_BLOCK_BYTES", block_bytes)
        assert oracles.parts(padded()) == oracles.parts(whole)


def test_blocks_hold_the_slots_of_whole_sequences_and_no_more_than_their_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "_BLOCK_BYTES", 100)
    planned = pad_stream(pad_source(), maxlen=3)  # 3 steps of 2 int64: 48 bytes a sequence
    assert [block.shape for block in planned.blocks] == [(2 * 3, 2), (2 * 3, 2), (1 * 3, 2)]


def pad_source() -> Ragged:
    return Ragged(np.arange(20).reshape(10, 2), np.array([0, 1, 3, 3, 7, 10]))


# The plan, and doors other than lists.


def test_a_plan_knows_its_shape_without_the_block() -> None:
    planned = pad_stream(Ragged(np.zeros((3, 20), dtype=np.float32), np.array([0, 1, 3])), maxlen=10**15)
    assert planned.shape == (2, 10**15, 20)
    assert planned.nbytes == 2 * 10**15 * 20 * 4
    assert planned.lengths.tolist() == [1, 2]
    assert pad_stream(pad_source(), multiple_of=8).shape == (5, 8, 2)
    assert pad_stream(pad_source(), dtype="float32").nbytes == 5 * 4 * 2 * 4


def one_long_among_short(count: int = 99) -> Ragged:
    return Ragged(np.zeros(count + 5000, dtype=np.int8), offsets_of(np.array([1] * count + [5000])))


def test_padding_that_blows_up_beyond_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(padding_module, "budget", lambda: 499_999)
    ragged = one_long_among_short()
    with pytest.raises(
        DataError, match=r"^x would be \(100, 5000\) int8, 500\.0 kB, .* hold 5\.1 kB: "
    ) as caught:
        pad(ragged)
    assert "the longest, sequence 99, has 5,000 steps" in str(caught.value)
    with pytest.raises(DataError, match="the longest, key z, has 5,000 steps"):
        pad(ragged.replace(keys=np.array(["a"] * 99 + ["z"])))
    assert pad(ragged, maxlen=1).x.shape == (100, 1)


def test_padding_that_memory_takes_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(padding_module, "budget", lambda: 500_000)
    assert pad(one_long_among_short()).x.shape == (100, 5000)
    # Beyond memory, but little of it is padding: that is what the caller asked for.
    monkeypatch.setattr(padding_module, "budget", lambda: 10)
    assert pad([[1, 2, 3], [4]]).x.shape == (2, 3)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_the_maxlen_that_is_advised_covers_what_it_says(lengths: list[int]) -> None:
    ragged = Ragged(np.zeros(sum(lengths), dtype=np.int8), offsets_of(np.array(lengths)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(padding_module, "budget", lambda: 10)
        with pytest.raises(DataError) as caught:
            pad(ragged, maxlen=10**6)
    advice = re.search(r"maxlen=(\d+) covers 95 %.*maxlen=(\d+) 99 %", str(caught.value))
    assert advice
    for percent, maxlen in zip((95, 99), map(int, advice.groups()), strict=True):
        assert 100 * sum(length <= maxlen for length in lengths) >= percent * len(lengths)


def test_a_plan_has_blocks_for_each_per_step_array() -> None:
    ragged = pad_source().replace(per_step={"step_y": StepArray(np.arange(10, dtype=np.int8), -1)})
    blocks = np.concatenate(
        list(pad_stream(ragged, padding="post", truncating="post", maxlen=2).step_blocks("step_y"))
    )
    assert blocks.reshape(5, 2).tolist() == [[0, -1], [1, 2], [-1, -1], [3, 4], [7, 8]]
    assert blocks.dtype == np.int8


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_dense_array_is_padded_and_cut(order: Any) -> None:
    x = np.asarray(np.arange(24).reshape(2, 3, 4), order=order)
    assert pad(x, maxlen=5, padding="post").x[:, :3].tolist() == x.tolist()
    assert pad(x, maxlen=5, padding="post").x[:, 3:].tolist() == np.zeros((2, 2, 4)).tolist()
    assert pad(x, maxlen=2).x.tolist() == x[:, 1:].tolist()


def test_values_that_do_not_lie_in_one_piece_are_padded() -> None:
    columns = np.arange(12).reshape(3, 4)[:, ::2]
    assert pad(Ragged(columns, np.array([0, 1, 3]))).x.tolist() == [[[0, 0], [0, 2]], [[4, 6], [8, 10]]]


def test_pad_does_not_touch_its_input() -> None:
    ragged = pad_source()
    before = ragged.values.copy()
    padded = pad(ragged)
    padded.x[...] = -1
    assert ragged.values.tolist() == before.tolist()


def test_nan_as_value_makes_a_mask_that_comes_from_lengths_alone() -> None:
    padded = pad([[NAN], [1.0, NAN]], value=NAN, padding="post")
    assert padded.mask.tolist() == [[True, False], [True, True]]
    assert oracles.text_of(unpad(padded).values) == "[nan, 1.0, nan]"


@pytest.mark.parametrize("value", [[1, 2], "x", ("a", "b"), 1j])
def test_a_value_is_a_number_or_a_tuple_of_them(value: Any) -> None:
    with pytest.raises((UsageError, DataError), match="value"):
        pad([[[1, 2]]], value=value)


@pytest.mark.parametrize("bad", [300, 0.5, NAN])
def test_a_per_step_value_that_its_array_cannot_hold_is_refused(bad: float) -> None:
    with pytest.raises(DataError, match="cannot be held in int8"):
        pad(pad_source().replace(per_step={"step_y": StepArray(np.zeros(10, dtype=np.int8), bad)}))


def test_the_mask_agrees_with_the_oracle_for_a_padded_block() -> None:
    padded = pad(THREE, maxlen=2, padding="post")
    assert padded.mask.tolist() == step_mask(padded.lengths, maxlen=2, padding="post").tolist()
    assert padded.mask.tolist() == oracles.step_mask([1, 2, 2], maxlen=2, padding="post")


# A value that is chosen, and receipts


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("slots", [0, 1, 255, 256, 257, 65_536])
def test_a_mask_holds_lengths_of_any_size(slots: int, padding: Literal["pre", "post"]) -> None:
    lengths = [0, 1, slots // 2, slots, slots + 1, 1 << 40]
    found = step_mask(np.array(lengths), maxlen=slots, padding=padding)
    fits = [min(length, slots) for length in lengths]
    assert found.shape == (len(lengths), slots)
    assert found.sum(axis=1).tolist() == fits
    for row, count in zip(found, fits, strict=True):
        assert row[slots - count :].all() if padding == "pre" else row[:count].all()


@given(oracles.raggeds(["int8", "float32", "float64"]), st.sampled_from(SIDES))
def test_the_chosen_value_masks_padding_alone(ragged: Ragged, padding: Any) -> None:
    padded = pad(ragged, value="auto", padding=padding, maxlen=3)
    assert isinstance(padded.value, int)
    if padded.x.ndim == 2 or padded.x.shape[2]:
        with np.errstate(over="ignore"):
            held = np.asarray(padded.x).astype(np.float32) == np.float32(padded.value)
        skipped = held.all(axis=tuple(range(2, held.ndim)))
        assert not (skipped & padded.mask).any()
        assert (skipped | padded.mask).all()


def test_a_chosen_value_fits_the_dtype_that_is_asked_for() -> None:
    assert pad([[0.0, -1.0], [3.0]], value="auto", dtype="int8").value == -2
    assert pad([[0, 5], [3]], value="auto", dtype="uint8").value == 255
    with pytest.raises(DataError, match="uint8 cannot hold"):
        pad([[0, 500]], value="auto", dtype="uint8")
    with pytest.raises(DataError, match="no mask value is free"):
        pad(np.array([[True, False]]), value="auto")


def test_what_is_cut_from_grouped_sequences_is_reported_in_their_receipt() -> None:
    rows = {"in": 3, "kept": 3, "cut": 0, "dropped": {}}
    grouped = Ragged(np.arange(3), np.array([0, 1, 3]), receipt=({"command": "group", "rows": rows},))
    assert len(pad(grouped).receipt) == 2
    _, entry = pad(grouped, maxlen=1, truncating="post").receipt
    resolved = {"maxlen": 1, "padding": "pre", "truncating": "post", "value": 0, "dtype": "int64"}
    assert entry == {
        "command": "pad",
        "inputs": [],
        "arguments": resolved,
        "rows": {"in": 3, "kept": 2, "cut": 1, "dropped": {}},
    }
    (entry,) = pad([[1, 2]], maxlen=1).receipt
    assert entry["arguments"] == resolved | {"truncating": "pre"}


def test_missing_values_are_warned_of_with_their_count() -> None:
    with pytest.warns(UserWarning, match="^missing values became NaN: 2$") as caught:
        padded = pad([[1, None], [pd.NA]])
    assert oracles.text_of(padded.x) == "[[1.0, nan], [0.0, nan]]"
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="^missing values became NaN: 1$"):
        pad(pa.array([[1, None]]))
    with pytest.warns(UserWarning, match="^missing values became NaN: 1$"):
        pad(np.ma.masked_array([[1.0, 2.0]], [[True, False]]))
    with pytest.raises(DataError, match="missing value, which int8 cannot hold"):
        pad([[1, None]], dtype="int8")


@pytest.mark.peers
def test_the_list_columns_of_polars_and_duckdb() -> None:
    polars, duckdb = peer("polars"), peer("duckdb")
    big = 2**53 + 1
    for lists in (polars.Series([[big], [2, 3]]), duckdb.sql(f"select [{big}] as x union all select [2, 3]")):
        padded = pad(lists)
        assert (padded.x.dtype, padded.x.tolist()) == (np.int64, [[0, big], [2, 3]])
    frames = [polars.DataFrame({"a": [1, 2], "b": [3, 4]}), polars.DataFrame({"a": [5], "b": [6]})]
    assert pad(frames).x.tolist() == [[[1, 3], [2, 4]], [[0, 0], [5, 6]]]
    assert pad([polars.Series([1]), polars.Series([2, 3])]).x.tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize("number", [3.0, "3", True])
@pytest.mark.parametrize("argument", ["maxlen", "multiple_of"])
def test_a_number_of_steps_is_whole(argument: str, number: Any) -> None:
    with pytest.raises(UsageError, match=f"{argument} is {number!r}; a whole number was expected"):
        pad(THREE, **{argument: number})
    assert pad(THREE, **{argument: np.int64(4)}).x.shape == (3, 4)
    entry = pad(THREE, maxlen=np.int64(2)).receipt[-1]
    assert type(entry["arguments"]["maxlen"]) is int
