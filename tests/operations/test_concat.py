"""`concat`: several inputs one after another, whatever order their columns and classes have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.errors import DataError, UsageError
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from tests import oracles


def one(*keys: Any, **more: Any) -> Ragged:
    """Sequences of 1, 2, 3 ... steps with these keys."""
    lengths = np.arange(1, len(keys) + 1)
    values = np.arange(lengths.sum(), dtype=np.float32)[:, None]
    return Ragged(values, np.concatenate([[0], np.cumsum(lengths)]), keys=np.array(keys), **more)


@given(
    st.lists(oracles.raggeds(["float32"]), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(["pre", "post"]),
)
def test_concat_agrees_with_lists(raggeds: list[Ragged], padded: bool, side: Any) -> None:
    shape = raggeds[0].values.shape[1:]
    same = [ragged for ragged in raggeds if ragged.values.shape[1:] == shape]
    inputs: list[Any] = [sq.pad(ragged, padding=side) for ragged in same] if padded else same
    whole = sq.concat(inputs)
    sequences = [steps for ragged in same for steps in oracles.sequences_of(ragged)]
    assert isinstance(whole, Padded if padded else Ragged)
    found = sq.unpad(whole) if isinstance(whole, Padded) else whole
    assert oracles.text_of(oracles.sequences_of(found)) == oracles.text_of(sequences)
    if isinstance(whole, Padded):
        assert whole.x.shape[1] == max(one.x.shape[1] for one in inputs)
        assert whole.padding == side
    entry = whole.receipt[-1]
    assert entry["rows"]["in"] == entry["rows"]["kept"] == sum(len(ragged.values) for ragged in same)


@given(
    st.lists(st.lists(st.sampled_from("abcd"), unique=True, max_size=4), min_size=1, max_size=4), st.data()
)
def test_clashes_agree_with_plain_python(keys: list[list[str]], data: Any) -> None:
    text = np.dtype("U1")
    inputs = [one(*names).replace(keys=np.array(names, dtype=text)) if names else EMPTY for names in keys]
    everything = [(name, i, place) for i, names in enumerate(keys) for place, name in enumerate(names)]
    kept = oracles.concatenated_keys(everything)
    on_clash = data.draw(st.sampled_from(["error", "first", "last", "both"]))
    if on_clash == "error" and len({name for name, *_ in everything}) < len(everything):
        with pytest.raises(DataError, match="keep one of them"):
            sq.concat(inputs)
        return
    whole = sq.concat(inputs, on_clash=on_clash)
    expected = kept[on_clash] if on_clash != "error" else kept["first"]
    assert np.asarray(whole.keys).tolist() == [name for name, *_ in expected]
    assert whole.lengths.tolist() == [place + 1 for *_, place in expected]
    rows = whole.receipt[-1]["rows"]
    assert rows["in"] == rows["kept"] + sum(rows["dropped"].values())
    if on_clash == "both" and "part" in whole.per_sequence:
        pairs = [*zip(np.asarray(whole.keys).tolist(), whole.per_sequence["part"].tolist(), strict=True)]
        assert len({*pairs}) == len(pairs)


EMPTY = Ragged(np.empty((0, 1), np.float32), np.array([0]), keys=np.empty(0, "U1"))


def test_features_go_by_their_names() -> None:
    first = Ragged(np.array([[1, 2], [3, 4]]), np.array([0, 2]), features=("a", "b"))
    second = Ragged(np.array([[6, 5]]), np.array([0, 1]), features=("b", "a"))
    whole = sq.concat([first, second])
    assert whole.features == ("a", "b")
    assert np.asarray(whole.values).tolist() == [[1, 2], [3, 4], [5, 6]]
    padded: Any = [sq.pad(one, value=(0, 9) if one is first else (9, 0)) for one in (first, second)]
    block: Any = sq.concat(padded)
    assert (block.value, block.x.tolist()) == ((0, 9), [[[1, 2], [3, 4]], [[0, 9], [5, 6]]])


def labelled(key: str, y: list[int], classes: list[str], **names: Any) -> Ragged:
    return one(*[f"{key}{i}" for i in range(len(y))], per_sequence={"y": np.array(y)}).replace(
        names={"classes": np.array(classes), **names}
    )


def test_classes_go_by_their_names_and_never_by_number() -> None:
    first = labelled("a", [0, 1, -100], ["run", "walk"])
    second = labelled("b", [0, 1, 2], ["jump", "run", "walk"])
    whole = sq.concat([first, second])
    assert whole.names["classes"].tolist() == ["run", "walk", "jump"]
    assert whole.per_sequence["y"].tolist() == [0, 1, -100, 2, 0, 1]
    same = sq.concat([second, first])
    assert same.names["classes"].tolist() == ["jump", "run", "walk"]
    assert same.per_sequence["y"].tolist() == [0, 1, 2, 1, 2, -100]


def test_several_labels_classes_of_steps_and_categories() -> None:
    first = one(
        "a",
        per_sequence={"y": np.array([[0, 7]])},
        per_step={
            "c": StepArray(np.array([[3, 1]]), 0),
            "step_y": StepArray(np.array([1], np.uint8), 255),
            "observed": StepArray(np.array([[True]]), 0),
        },
        names={
            "label_names": np.array(["mood", "age"]),
            "classes_0": np.array(["bad", "good"]),
            "categories": np.array(["city", "device"]),
            "vocabulary_0": np.array(["Bonn"]),
            "vocabulary_1": np.array(["tv", "web"]),
            "step_classes": np.array(["off", "on"]),
        },
    )
    second = one(
        "b",
        per_sequence={"y": np.array([[9, 0]])},
        per_step={
            "c": StepArray(np.array([[4, 3]]), 0),
            "step_y": StepArray(np.array([0], np.uint8), 255),
            "observed": StepArray(np.array([[False]]), 0),
        },
        names={
            "label_names": np.array(["age", "mood"]),
            "classes_1": np.array(["good", "odd"]),
            "categories": np.array(["device", "city"]),
            "vocabulary_0": np.array(["tv", "web"]),
            "vocabulary_1": np.array(["Köln", "Bonn"]),
            "step_classes": np.array(["on"]),
        },
    )
    whole = sq.concat([first, second])
    assert whole.per_sequence["y"].tolist() == [[0, 7], [1, 9]]
    assert whole.names["classes_0"].tolist() == ["bad", "good", "odd"]
    assert np.asarray(whole.per_step["c"].data).tolist() == [[3, 1], [4, 4]]
    assert whole.names["vocabulary_0"].tolist() == ["Bonn", "Köln"]
    assert whole.names["vocabulary_1"].tolist() == ["tv", "web"]
    assert np.asarray(whole.per_step["step_y"].data).tolist() == [1, 1]
    assert whole.per_step["step_y"].data.dtype == np.uint8
    assert {*whole.names} == {*first.names}


def test_what_is_implied_is_filled_in() -> None:
    cut = sq.truncate(one("a", "b"), maxlen=1)
    whole = sq.concat([one("c", "d"), cut])
    assert whole.per_sequence["original_lengths"].tolist() == [1, 2, 1, 2]
    windows = one("a", "a").replace(per_sequence={"part": np.array([0, 5])})
    assert sq.concat([one("b"), windows]).per_sequence["part"].tolist() == [0, 0, 5]
    both = sq.concat([windows, one("a")], on_clash="both")
    assert both.per_sequence["part"].tolist() == [0, 5, 6]


def test_keys_of_numbers_and_text_are_text_as_written() -> None:
    whole = sq.concat([one(7, 2**60 + 1), one("007", "é")])
    assert np.asarray(whole.keys).tolist() == ["7", str(2**60 + 1), "007", "é"]
    with pytest.raises(
        DataError,
        match=r'key 7 is in sequences\[0\] and in sequences\[1\]; keep one of them: on_clash="first"',
    ):
        sq.concat([one(7), one("7")])


def test_dtypes_get_the_wider_one_where_it_is_exact() -> None:
    single, double, whole = (Ragged(np.ones((1, 1), kind), np.array([0, 1])) for kind in ("f4", "f8", "i8"))
    small = Ragged(np.ones((1, 1), np.int16), np.array([0, 1]))
    assert sq.concat([single, double]).values.dtype == np.float64
    assert sq.concat([whole, small]).values.dtype == np.int64
    assert sq.concat([small, single]).values.dtype == np.float32
    with pytest.raises(
        UsageError, match=r"values is int64 in sequences\[0\] and float32 in sequences\[1\], and no dtype"
    ):
        sq.concat([whole, single])


REFUSED: dict[str, tuple[Any, Any, type[Exception]]] = {
    r"sequences\[0\] is padded at the end, sequences\[1\] at the start": (
        sq.pad([[1]], padding="post"),
        sq.pad([[1]]),
        UsageError,
    ),
    r"sequences\[0\] is padded with nan, sequences\[1\] with 0": (
        sq.pad([[1.5]], value=float("nan")),
        sq.pad([[1.5]]),
        UsageError,
    ),
    r"sequences\[0\] is padded, and sequences\[1\] is ragged": (sq.pad([[1]]), [[1]], UsageError),
    r"steps are \(2,\), but \(\) in sequences\[0\]": ([[1]], [[[1, 2]]], DataError),
    r"sequences\[1\] has no features, and sequences\[0\] has: a": (
        one("a").replace(features=("a",)),
        one("b"),
        DataError,
    ),
    r"have other features: a only in sequences\[0\]; b only in sequences\[1\]": (
        one("a").replace(features=("a",)),
        one("b").replace(features=("b",)),
        DataError,
    ),
    r"sequences\[1\] has no y, which sequences\[0\] has; make both with the same options": (
        one("a").replace(per_sequence={"y": np.ones(1)}),
        one("b"),
        DataError,
    ),
    r"sequences\[0\] has no keys, which sequences\[1\] has": (
        one("a").replace(keys=None),
        one("b"),
        DataError,
    ),
    r"y is a number in sequences\[1\] and a class in sequences\[0\]": (
        labelled("a", [0], ["u"]),
        labelled("b", [0], ["u"]).replace(names={}),
        DataError,
    ),
    "step_y is padded with -1 in sequences.0. and 0 in sequences.1.": (
        one("a").replace(per_step={"step_y": StepArray(np.ones(1), -1)}),
        one("b").replace(per_step={"step_y": StepArray(np.ones(1), 0)}),
        DataError,
    ),
    "went through scale by other numbers; take one of them as it was before": (
        sq.scale([[1, 2.0]]),
        sq.scale([[1, 3.0]]),
        UsageError,
    ),
    r"sequences\[1\] went through scale, and sequences\[0\] did not": (
        [[1.0]],
        sq.scale([[1, 3.0]]),
        UsageError,
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_does_not_go_together_is_refused(message: str) -> None:
    first, second, error = REFUSED[message]
    with pytest.raises(error, match=message):
        sq.concat([first, second])


def test_arguments_are_judged() -> None:
    with pytest.raises(UsageError, match="on_clash is 'none'"):
        sq.concat([[[1]]], on_clash="none")  # type: ignore[arg-type]
    for wrong in ([], sq.pad([[1]]), "a.npz"):
        with pytest.raises(UsageError, match="sequences is"):
            sq.concat(wrong)
