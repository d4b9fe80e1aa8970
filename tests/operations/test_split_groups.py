"""`split --by` with `--stratify`: whole groups, so that each class keeps its share."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.errors import DataError
from seqtool.operations.split_groups import dealt
from tests.command import Place, succeeded
from tests.peers import peer

SHARES = [Fraction(2, 10), Fraction(1, 10), Fraction(7, 10)]


def held(parts: np.ndarray, group: np.ndarray, classes: np.ndarray, count: int = 3) -> np.ndarray:
    """How many sequences of each class each part has."""
    table = np.zeros((count, classes.max() + 1), int)
    np.add.at(table, (parts[group], classes), 1)
    return table


def households(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(count), rng.integers(1, 7, count))
    return group, (rng.random(len(group)) ** 2 * 4).astype(np.int64)


@pytest.mark.parametrize("seed", range(3))
def test_each_class_has_its_share_of_sequences(seed: int) -> None:
    group, classes = households(400, seed)
    found = held(dealt(SHARES, group, classes), group, classes)
    wanted = np.outer([0.2, 0.1, 0.7], np.bincount(classes))
    assert np.abs(found - wanted).max() <= 1.5


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=30), st.integers(0, 9))
def test_order_does_not_matter_and_no_group_is_cut(pairs: list[tuple[int, int]], seed: int) -> None:
    group = np.unique([pair[0] for pair in pairs], return_inverse=True)[1]
    classes = np.unique([pair[1] for pair in pairs], return_inverse=True)[1]
    parts = dealt(SHARES, group, classes)
    assert len(parts) == group.max() + 1
    order = np.random.default_rng(seed).permutation(len(pairs))
    assert dealt(SHARES, group[order], classes[order]).tolist() == parts.tolist()
    halves = dealt([Fraction(0), Fraction(1)], group, classes)
    assert halves.tolist() == [1] * len(halves)  # a part without a share gets nothing


def test_groups_of_one_sequence_are_dealt_exactly() -> None:
    classes = np.array([0] * 20 + [1] * 10)
    found = held(dealt(SHARES, np.arange(30), classes), np.arange(30), classes)
    assert found.tolist() == [[4, 2], [2, 1], [14, 7]]


def data(seed: int = 0) -> Any:
    group, classes = households(60, seed)
    keys = np.array([[f"h{one}", f"u{i}"] for i, one in enumerate(group.tolist())])
    receipt = ({"command": "group", "arguments": {"key": ["house", "user"]}},)
    return sq.Ragged(
        np.arange(len(group)),
        np.arange(len(group) + 1),
        keys=keys,
        receipt=receipt,
        per_sequence={"y": classes},
    )


def test_households_stay_whole_and_classes_keep_their_share(place: Place) -> None:
    made = data()
    sq.save(place.folder / "in.npz", made)
    succeeded(place.run("split", "in.npz", "--test", "0.25", "--by", "house", "--stratify", "-o", "out.npz"))
    arrays = place.arrays("out.npz")
    houses = [{*arrays["keys"][arrays["split"] == name, 0]} for name in ("train", "test")]
    assert not houses[0] & houses[1]
    for label in np.unique(arrays["y"]):
        share = (arrays["split"][arrays["y"] == label] == "test").mean()
        assert share == pytest.approx(0.25, abs=0.03)
    order = np.random.default_rng(1).permutation(len(made))
    moved = made.replace(keys=made.keys[order], per_sequence={"y": made.per_sequence["y"][order]})
    found = sq.split(moved, test=0.25, by="house", stratify=True).per_sequence["split"]
    assert found.tolist() == arrays["split"][order].tolist()


def test_each_fold_has_its_share_and_each_household_is_in_one() -> None:
    made = data()
    folds = [
        sq.split(made, folds=4, fold=i, by="house", stratify=True).per_sequence["split"] for i in range(4)
    ]
    assert (np.sum([fold == "val" for fold in folds], axis=0) == 1).all()
    y = made.per_sequence["y"]
    for fold in folds:
        for label in np.unique(y):
            assert (fold[y == label] == "val").mean() == pytest.approx(0.25, abs=0.08)


def test_keys_whose_parts_have_several_classes_are_dealt_whole() -> None:
    keys, y = np.repeat([f"u{i}" for i in range(40)], 2), np.tile([0, 1], 40)
    parts = {"part": np.tile([0, 1], 40), "y": y}
    made = sq.Ragged(np.arange(80), np.arange(81), keys=keys, per_sequence=parts)
    found = sq.split(made, test=0.25, stratify=True).per_sequence["split"].reshape(40, 2)
    assert (found[:, 0] == found[:, 1]).all()
    assert (found == "test").sum() == 20


def test_a_class_of_one_household_is_too_few() -> None:
    made = data()
    y = made.per_sequence["y"].copy()
    y[:] = np.where(made.keys[:, 0] == "h0", 9, 0)
    with pytest.raises(
        DataError, match=r"class 9 has . sequences?, too few for one in test, or for what stays together"
    ):
        sq.split(made.replace(per_sequence={"y": y}), test=0.2, by="house", stratify=True)


@pytest.mark.peers
@pytest.mark.parametrize("seed", range(5))
def test_folds_are_as_even_as_those_of_scikit_learn(seed: int) -> None:
    selection = peer("sklearn.model_selection")
    group, classes = households(200, seed)
    folds = selection.StratifiedGroupKFold(5).split(classes, classes, group)
    theirs = np.array([np.bincount(classes[val], minlength=classes.max() + 1) for _, val in folds])
    ours = held(dealt([Fraction(1, 5)] * 5, group, classes), group, classes, 5)
    wanted = np.bincount(classes) / 5
    assert np.abs(ours - wanted).max() <= np.abs(theirs - wanted).max()
