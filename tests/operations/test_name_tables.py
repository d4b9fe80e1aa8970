"""Ids that follow ids: what comes after tokens is an id as they are, wherever ids change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import seqtool as sq
from seqtool.errors import DataError
from seqtool.sequences.categories import FIRST, are_tokens, labels_of_ids
from seqtool.sequences.ragged import StepArray


def tokens(sentences: dict[str, list[str]]) -> sq.Ragged:
    """Sequences of ids, as `group --category` makes them where the category is all there is."""
    words = sorted({word for sentence in sentences.values() for word in sentence})
    ids = [words.index(word) + FIRST for sentence in sentences.values() for word in sentence]
    names: Any = {"categories": np.array(["word"]), "vocabulary_0": np.array(words)}
    lengths = [*map(len, sentences.values())]
    return sq.Ragged(np.array(ids), np.cumsum([0, *lengths]), keys=np.array([*sentences]), names=names)


def read(data: sq.Ragged, ids: Any) -> list[str]:
    names = ["", "missing", "unknown", *np.asarray(data.names["vocabulary_0"]).tolist()]
    return [names[i] for i in np.asarray(ids).reshape(-1).tolist()]


ONE = tokens({"a": ["x", "z", "z", "y"], "b": ["z", "x", "z"]})


def test_encode_numbers_what_follows_tokens_as_it_numbers_tokens() -> None:
    assert are_tokens(ONE)
    assert labels_of_ids(ONE) == {}
    for made, label in ((sq.split(ONE, last=1), "y"), (sq.window(ONE, size=2, horizon=1), "y")):
        assert labels_of_ids(made) == {label: 0}
        encoded = sq.encode(made)
        assert read(encoded, encoded.values) == read(made, made.values)
        known = {*np.asarray(encoded.names["vocabulary_0"]).tolist()}
        before, after = read(made, made.per_sequence[label]), read(encoded, encoded.per_sequence[label])
        assert after == [word if word in known else "unknown" for word in before]
        assert encoded.values.tolist() != made.values.tolist()
        back = sq.encode(encoded, decode=True)
        assert read(back, back.per_sequence[label]) == after
    following = sq.window(ONE, size=2, next=True)
    encoded = sq.encode(following)
    assert labels_of_ids(following) == {"step_y": 0}
    before, after = (read(data, data.per_step["step_y"].data) for data in (following, encoded))
    assert after == [
        word if word != "y" else "unknown" for word in before
    ]  # no window of train begins with y


def test_labels_that_are_no_ids_keep_their_numbers() -> None:
    labelled = ONE.replace(per_sequence={"y": np.array([7, 3])})
    assert labels_of_ids(labelled) == {}
    assert sq.encode(labelled).per_sequence["y"].tolist() == [7, 3]


def test_concat_merges_vocabularies_by_name_and_what_follows_tokens_too() -> None:
    other = tokens({"c": ["w", "z", "y"], "d": ["q", "w", "w"]})
    both = [sq.window(data, size=2, horizon=1) for data in (ONE, other)]
    joined = sq.concat(both)
    assert np.asarray(joined.names["vocabulary_0"]).tolist() == ["x", "y", "z", "q", "w"]
    for array in ("values", "y"):
        parts = [data.values if array == "values" else data.per_sequence["y"] for data in (*both, joined)]
        first, second, whole = (read(data, part) for data, part in zip((*both, joined), parts, strict=True))
        assert whole == [*first, *second]


def test_rows_name_what_follows_tokens() -> None:
    frame = sq.to_frame(sq.split(ONE, last=1))
    assert frame["word"].tolist()[:2] == ["x", "z"]
    assert frame["y"].tolist()[:2] == ["z", "z"]


def two_categories(receipt: tuple[Any, ...] = ()) -> sq.Ragged:
    """Sequences of two categories, and no number."""
    names: Any = {
        "categories": np.array(["item", "device"]),
        "vocabulary_0": np.array(["a", "b", "c"]),
        "vocabulary_1": np.array(["tv"]),
    }
    ids = StepArray(np.array([[3, 3], [4, 3], [4, 3], [5, 3], [4, 3]]), 0)
    return sq.Ragged(
        np.empty((5, 0)), np.array([0, 5]), keys=np.array(["k"]), per_step={"c": ids}, names=names
    )


def test_a_category_may_be_what_is_to_be_predicted() -> None:
    data = two_categories()
    with pytest.raises(
        DataError, match=r"steps have no features, and y takes a category only by its name: .*item"
    ):
        sq.split(data, last=1)
    with pytest.raises(DataError, match="no feature 'x'"):
        sq.window(data, size=2, horizon=1, target="x")
    made = sq.split(data, last=1, target="item")
    assert made.per_sequence["y"].tolist() == [5, 4]
    assert labels_of_ids(made) == {"y": 0}
    encoded = sq.encode(made)
    assert np.asarray(encoded.names["vocabulary_0"]).tolist() == ["b", "a"]
    assert encoded.per_sequence["y"].tolist() == [2, 3]  # c is not in the steps of train
    windows = sq.window(data, size=2, horizon=1, target="device")
    assert windows.per_sequence["y"].tolist() == [[3], [3], [3]]
