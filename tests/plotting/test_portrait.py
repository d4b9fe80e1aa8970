"""What is measured for a picture."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from seqtool.arrays.lazy import Lazy
from seqtool.errors import DataError
from seqtool.plotting import portrait as portrait_module
from seqtool.plotting.portrait import MOST_FEATURES, Portrait, portrait
from seqtool.plotting.sampling import MOST_VALUES, Distribution, ValueCounts
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sequences.validation import offsets_of


def ragged_of(lengths: list[int], values: np.ndarray | None = None, **more: Any) -> Ragged:
    steps = sum(lengths)
    values = np.arange(2.0 * steps).reshape(steps, 2) if values is None else values
    return Ragged(values, offsets_of(np.array(lengths, np.int64)), **more)


def test_what_is_drawn_of_a_padded_file() -> None:
    found = portrait(ragged_of([2, 0, 1], features=("a", "b")), maxlen=3, padding="pre", feature="b")
    assert (found.counts.count, found.steps, found.features, found.width) == (3, 3, 2, 3)
    assert found.share == 1 - 3 / 9
    assert found.lengths.tolist() == [0, 1, 2]
    assert found.slots.tolist() == [0, 1, 2]
    assert found.heat is not None
    np.testing.assert_array_equal(found.heat.values, [[np.nan] * 3, [np.nan, np.nan, 5], [np.nan, 1, 3]])
    assert [text.name for text in found.distributions] == ["a", "b"]
    assert (found.looked_at, found.steps_read) == (3, 3)


def test_the_facts_are_numbers_alone() -> None:
    cut = ragged_of([2, 1], per_sequence={"original_lengths": np.array([5, 1])})
    assert portrait(cut, maxlen=2).facts() == {
        "sequences": 2,
        "steps": 3,
        "features": 2,
        "maxlen": 2,
        "padding": "post",
        "padding_share": 0.25,
        "lengths": {"min": 1, "median": 1.5, "q95": 2, "max": 2, "empty": 0},
        "cut": {"sequences": 1, "steps": 3},
        "drawn": {"sequences": 2, "feature": "feature 0", "steps": 3},
    }
    none = portrait(ragged_of([])).facts()
    assert (none["lengths"], none["maxlen"], none["padding"], none["drawn"]["feature"]) == (None,) * 4


@pytest.mark.parametrize(("feature", "name"), [(None, "x"), ("1", "y"), ("y", "y"), ("0", "0"), ("7", "0")])
def test_a_feature_is_a_name_or_else_a_position(feature: str | None, name: str) -> None:
    data = ragged_of([1], np.zeros((1, 8)), features=("x", "y", *"abcde", "0"))
    assert portrait(data, feature=feature).feature == name


@pytest.mark.parametrize("feature", ["z", "2", "-1", "", "²", "1.0"])
def test_a_feature_that_is_not_there(feature: str) -> None:
    with pytest.raises(DataError, match=r"no such feature; .* below 2, was expected; the names are x, y"):
        portrait(ragged_of([1], features=("x", "y")), feature=feature)
    with pytest.raises(DataError, match=r"below 2, was expected$"):
        portrait(ragged_of([1]), feature=feature)


def test_single_numbers_have_no_features() -> None:
    with pytest.raises(DataError, match="leave --feature out"):
        portrait(ragged_of([2], np.arange(2)), feature="0")
    assert portrait(ragged_of([2], np.array([0.5, 2]))).distributions[0].name == "value"


def test_ids_are_counted() -> None:
    found = portrait(ragged_of([3, 4], np.array([9, 9, 2, 9, 2, 5, 2**62])))
    assert found.features is None
    assert found.distributions == ()
    assert found.ids is not None
    assert found.ids.names == ("2", "9", "5", str(2**62)) or found.ids.names == ("9", "2", "5", str(2**62))
    assert (dict(zip(found.ids.names, found.ids.counts, strict=True))["9"], found.ids.of) == (3, 7)


def test_many_ids_are_the_most_frequent_ones() -> None:
    ids = np.repeat(np.arange(40), np.arange(40))
    found = portrait(ragged_of([len(ids)], ids)).ids
    assert found is not None
    assert found.names == tuple(str(i) for i in range(39, 39 - MOST_VALUES, -1))
    assert (found.others, found.of) == (39 - MOST_VALUES, len(ids))


def test_the_first_of_many_features() -> None:
    found = portrait(ragged_of([2], np.zeros((2, 50))))
    assert [text.name for text in found.distributions] == [f"feature {i}" for i in range(MOST_FEATURES)]


@pytest.mark.parametrize("lengths", [[], [0, 0]])
def test_nothing_to_look_at(lengths: list[int]) -> None:
    for values in (np.empty((0, 2)), np.empty((0, 0)), np.empty(0, int)):
        found = portrait(ragged_of(lengths, values))
        assert (found.heat, found.distributions, found.ids, found.looked_at) == (None, (), None, 0)
        assert (found.width, found.share) == (0, 0.0)


def test_a_far_longer_sequence_does_not_hide_the_others() -> None:
    lengths = [5] * 300 + [1000]
    assert portrait(ragged_of(lengths)).slots.tolist() == list(range(10))
    assert portrait(ragged_of(lengths), maxlen=1000, padding="pre").slots.tolist() == list(range(990, 1000))
    assert portrait(ragged_of([5] * 3), maxlen=1000).slots.tolist() == list(range(5))


def test_only_some_of_many_sequences_and_slots_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portrait_module, "MOST_SEQUENCES", 3)
    monkeypatch.setattr(portrait_module, "MOST_SLOTS", 4)
    found = portrait(ragged_of(list(range(101, 108))))
    assert found.lengths.tolist() == [101, 104, 107]
    assert found.slots.tolist() == [0, 35, 71, 106]
    assert found.heat is not None
    assert found.heat.values.shape == (3, 4)


def balance(y: np.ndarray, classes: list[str] | None = None) -> ValueCounts | Distribution | None:
    names = {} if classes is None else {"classes": np.array(classes)}
    return portrait(ragged_of([1] * len(y), per_sequence={"y": y}, names=names)).labels


def test_labels_with_classes() -> None:
    found = balance(np.array([1, 0, 1, 7]), ["no", "yes"])
    assert isinstance(found, ValueCounts)
    assert dict(zip(found.names, found.counts, strict=True)) == {"no": 1, "yes": 2, "7": 1}


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float32, bool])
def test_few_whole_numbers_are_classes(dtype: Any) -> None:
    found = balance(np.array([1, 0, 1], dtype))
    assert isinstance(found, ValueCounts)
    assert found.counts == (1, 2)
    assert found.names == (("False", "True") if dtype is bool else ("0", "1"))


def test_other_numbers_are_distributed() -> None:
    for y in (np.array([0.5, 1.0, np.nan]), np.arange(100), np.arange(100.0)):
        found = balance(y)
        assert isinstance(found, Distribution)
        assert found.of == len(y)
    assert isinstance(balance(np.arange(100), list(map(str, range(100)))), ValueCounts)


def test_labels_that_are_missing_are_counted() -> None:
    found = balance(np.array([1.0, np.nan, 1.0]))
    assert isinstance(found, ValueCounts)
    assert (found.names, found.missing, found.of) == (("1",), 1, 2)
    assert balance(np.array([np.nan, np.nan])) is None
    unlabelled = balance(np.array([1, -100, 0, -100, 1]), ["a", "b"])
    assert isinstance(unlabelled, ValueCounts)
    assert (set(unlabelled.names), unlabelled.missing, unlabelled.of) == ({"a", "b"}, 2, 3)


def test_labels_that_cannot_be_shown() -> None:
    assert balance(np.zeros((3, 2))) is None
    assert balance(np.empty(0)) is None
    assert portrait(ragged_of([1])).labels is None


def steps_labelled(step_y: np.ndarray, **more: Any) -> Portrait:
    per_step = {"step_y": StepArray(step_y, -1)}
    return portrait(ragged_of([2, len(step_y) - 2], per_step=per_step, **more))


def test_labels_of_steps() -> None:
    step_y = np.array([1, 0, 1, 1])
    found = steps_labelled(step_y, names={"classes": np.array(["no", "yes"])})
    assert isinstance(found.labels, ValueCounts)
    assert (found.labelled, found.labels.names, found.labels.counts) == ("step", ("no", "yes"), (1, 3))
    found = steps_labelled(step_y + 0.5)
    assert isinstance(found.labels, Distribution)
    assert (found.labelled, found.labels.name, found.labels.of) == ("step", "step_y", 4)


def test_labels_of_sequences_come_first() -> None:
    names = {"classes": np.array(["a", "b"]), "step_classes": np.array(["no", "yes"])}
    step_y, y = np.array([1, 0, 1, 1]), np.array([0, 1])
    found = steps_labelled(step_y, per_sequence={"y": y}, names=names)
    assert isinstance(found.labels, ValueCounts)
    assert (found.labelled, found.labels.names, found.omitted) == ("sequence", ("a", "b"), ())
    found = steps_labelled(step_y, per_sequence={"y": np.zeros((2, 3))}, names=names)
    assert isinstance(found.labels, ValueCounts)
    assert (found.labelled, found.labels.names) == ("step", ("no", "yes"))
    assert found.omitted == ("y of shape (2, 3): only one label per sequence can be drawn",)


def test_it_is_reported_which_labels_are_not_drawn() -> None:
    found = steps_labelled(np.zeros((4, 2)), per_sequence={"y": np.array([np.nan, np.nan])})
    assert found.labels is None
    assert found.omitted == (
        "y, which has no values to count",
        "step_y of shape (4, 2): only one label per step can be drawn",
    )


def test_many_classes_are_the_most_frequent_ones() -> None:
    y = np.repeat(np.arange(40), 41 - np.arange(40))
    found = balance(y, [f"class {i}" for i in range(40)])
    assert isinstance(found, ValueCounts)
    assert found.names[0] == "class 0"
    assert (len(found.names), found.others, found.of) == (MOST_VALUES, 40 - MOST_VALUES, len(y))


def test_original_lengths_without_a_cut_are_no_cut() -> None:
    assert portrait(ragged_of([2, 1], per_sequence={"original_lengths": np.array([2, 1])})).cut is None
    cut = portrait(ragged_of([2, 1], per_sequence={"original_lengths": np.array([4, 1])})).cut
    assert cut is not None
    assert (cut.maxlen, cut.sequences, cut.steps, cut.counts.longest) == (2, 1, 2, 4)


def test_a_cut_stays_where_it_was_when_more_padding_came_later() -> None:
    cut = portrait(ragged_of([2, 1], per_sequence={"original_lengths": np.array([9, 1])}), maxlen=7).cut
    assert cut is not None
    assert (cut.maxlen, cut.steps) == (2, 7)


def test_arrays_in_files_give_the_same() -> None:
    rng = np.random.default_rng(0)
    whole = ragged_of(
        rng.integers(0, 9, 50).tolist(), per_sequence={"y": rng.integers(0, 3, 50)}, features=("a", "b")
    )

    def lazy(array: Any) -> Lazy:
        return Lazy(array.shape, array.dtype, lambda begin, end: array[begin:end].copy())

    in_file = whole.replace(
        values=lazy(whole.values),
        offsets=lazy(whole.offsets),
        per_sequence={"y": lazy(whole.per_sequence["y"])},
    )
    for field in dataclasses.fields(Portrait):
        one, other = (getattr(portrait(data, maxlen=9), field.name) for data in (whole, in_file))
        if dataclasses.is_dataclass(one) and not isinstance(one, (type, ValueCounts)):
            for part in dataclasses.fields(one):
                np.testing.assert_array_equal(getattr(one, part.name), getattr(other, part.name))
        elif isinstance(one, ValueCounts):
            assert dataclasses.astuple(one) == dataclasses.astuple(other)
        elif field.name == "distributions":
            assert [*map(dataclasses.astuple, one)] == [*map(dataclasses.astuple, other)]
        else:
            np.testing.assert_array_equal(one, other)
