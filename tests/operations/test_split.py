"""Splits as a user makes them: from Python and the command line, by every way."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.errors import DataError, UsageError
from tests import oracles
from tests.command import SAMPLES, Place, succeeded


def ten(order: list[int] | None = None) -> sq.Ragged:
    sequences = {f"k{i}": [float(i)] * (i % 3 + 1) for i in order or range(10)}
    found = sq.truncate(sequences, maxlen=9)
    assert isinstance(found, sq.Ragged)
    return found.replace(receipt=())


def split_of(data: sq.Ragged) -> dict[str, str]:
    names = data.per_sequence["split"].tolist()
    return dict(zip(np.asarray(data.keys).tolist(), names, strict=True))


def test_ten_sequences_at_a_tenth_give_one_and_their_order_does_not_matter() -> None:
    found = split_of(sq.split(ten(), val=0.1, test=0.1))
    assert sorted(found.values()) == ["test"] + ["train"] * 8 + ["val"]
    again = split_of(sq.split(ten([3, 1, 4, 0, 5, 9, 2, 6, 8, 7]), val=0.1, test=0.1))
    assert again == found
    other = [split_of(sq.split(ten(), val=0.1, test=0.1, seed=seed)) for seed in range(8)]
    assert len({str(one) for one in other}) > 1
    # Another share of validation leaves the test as it is.
    more = split_of(sq.split(ten(), val=0.4, test=0.1))
    assert [key for key in more if more[key] == "test"] == [key for key in found if found[key] == "test"]


@given(oracles.raggeds(riders=True), st.sampled_from([0.0, 0.25, 0.5]), st.sampled_from([0.0, 0.4]))
def test_a_split_changes_nothing_else(ragged: sq.Ragged, val: float, test: float) -> None:
    if not val + test:
        return
    try:
        found = sq.split(ragged.replace(receipt=()), val=val, test=test)
    except DataError as error:
        assert "would be empty" in str(error)  # noqa: PT017 - both outcomes are right
        return
    same = found.replace(per_sequence=ragged.per_sequence, receipt=ragged.receipt)
    assert oracles.parts(same) == oracles.parts(ragged)
    assert len(found.per_sequence["split"]) == len(ragged)


def test_parts_of_one_key_stay_together() -> None:
    windows = sq.Ragged(
        np.arange(8.0),
        np.arange(9),
        keys=np.repeat(["a", "b", "c", "d"], 2),
        per_sequence={"part": np.tile([0, 1], 4)},
    )
    names = sq.split(windows, test=0.25).per_sequence["split"].reshape(4, 2)
    assert (names[:, 0] == names[:, 1]).all()
    assert (names == "test").sum() == 2


def test_households_stay_together_by_a_part_of_the_key_or_a_static() -> None:
    keys = np.array([[f"h{i // 3}", str(i)] for i in range(12)])
    receipt = ({"command": "group", "arguments": {"key": ["house", "user"]}},)
    static = {"static": np.repeat([[1.0], [2.0], [3.5], [4.0]], 3, axis=0)}
    data = sq.Ragged(np.arange(12), np.arange(13), keys=keys, receipt=receipt, per_sequence=static)
    for column in ("house", "static_0"):
        names = sq.split(data, test=0.25, by=column).per_sequence["split"].reshape(4, 3)
        assert (names == names[:, :1]).all()
        assert (names == "test").sum() == 3
    with pytest.raises(
        DataError, match="by: no column 'street' of one cell a sequence; there are house, user"
    ):
        sq.split(data, test=0.25, by="street")


def test_each_class_has_its_share() -> None:
    data = ten().replace(
        per_sequence={"y": np.array([0] * 5 + [1] * 5)}, names={"classes": np.array(["a", "b"])}
    )
    for seed in range(5):
        names = sq.split(data, test=0.4, seed=seed, stratify=True).per_sequence["split"].reshape(2, 5)
        assert (names == "test").sum(axis=1).tolist() == [2, 2]
    rare = data.replace(per_sequence={"y": np.array([0] * 9 + [1])})
    with pytest.raises(DataError, match="stratify: class 'b' has 1 sequence, too few for one in test"):
        sq.split(rare, test=0.2, stratify=True)
    unlabelled = data.replace(per_sequence={"y": np.array([0] * 5 + [1] * 4 + [-100])})
    assert (sq.split(unlabelled, test=0.4, stratify=True).per_sequence["split"] == "test").sum() == 4
    with pytest.raises(DataError, match="a class of each sequence was expected, but there is no y"):
        sq.split(ten(), test=0.2, stratify=True)
    with pytest.raises(DataError, match="but y is float64"):
        sq.split(ten().replace(per_sequence={"y": np.arange(10.0)}), test=0.2, stratify=True)


def test_folds_hold_every_sequence_once() -> None:
    folds = [split_of(sq.split(ten(), folds=3, fold=i)) for i in range(3)]
    held = [{key for key, name in fold.items() if name == "val"} for fold in folds]
    assert sorted(map(len, held)) == [3, 3, 4]
    assert set.union(*held) == {f"k{i}" for i in range(10)}
    with_test = [split_of(sq.split(ten(), folds=2, fold=i, test=0.2)) for i in range(2)]
    tests = [{key for key, name in fold.items() if name == "test"} for fold in with_test]
    assert tests[0] == tests[1]
    assert len(tests[0]) == 2


def test_a_key_never_moves_where_the_split_is_stable() -> None:
    many = {str(i): [1] for i in range(400)}
    few = split_of(sq.split({key: many[key] for key in list(many)[:200]}, val=0.2, test=0.2, stable=True))
    more = split_of(sq.split(many, val=0.2, test=0.2, stable=True))
    assert all(more[key] == name for key, name in few.items())
    assert 50 < sum(name == "test" for name in more.values()) < 110


def test_a_column_may_name_the_splits(place: Place) -> None:
    place.write("t.csv", "set,id,x\ntrain,1,5\nTest,2,6\nvalidation,3,7\ntrain,4,8\n")
    succeeded(place.run("group", "t.csv", "--key", "set,id", "-o", "g.npz"))
    done = succeeded(place.run("split", "g.npz", "--by-value", "set", "-o", "s.npz"))
    assert "split   train 2, val 1, test 1 of 4 sequences by set" in done.err
    arrays = place.arrays("s.npz")
    found = dict(zip(map(tuple, arrays["keys"].tolist()), arrays["split"].tolist(), strict=True))
    assert found[("Test", "2")] == "test"
    assert found[("validation", "3")] == "val"
    done = place.run("split", "g.npz", "--by-value", "id", "-o", "n.npz")
    assert (done.code, "--by-value id: '1' is no split; train, val or test was expected" in done.err) == (
        1,
        True,
    )


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=6), st.sampled_from([1, 2]))
def test_leave_last_out_is_its_oracle(sequences: list[list[int]], last: int) -> None:
    expected = [part for sequence in sequences for part in oracles.left_out(sequence, last)]
    if not any(len(sequence) >= last + 2 for sequence in sequences):
        steps = f"no sequence has {last + 2} steps, as all" if expected else "no sequence has two steps"
        with pytest.raises(DataError, match=f"would be empty: {steps}"):
            sq.split(sequences, last=last)
        return
    found = sq.split(sequences, last=last)
    names, y = found.per_sequence["split"].tolist(), found.per_sequence["y"].tolist()
    assert [*zip(names, map(list, found), y, strict=True)] == expected
    rows = found.receipt[-1]["rows"]
    assert rows["in"] == sum(map(len, sequences))
    assert rows["kept"] == sum(len(x) for _, x, _ in expected)


def test_leave_last_out_takes_the_features_that_are_named() -> None:
    values = np.arange(10.0).reshape(5, 2)
    data = sq.Ragged(values, np.array([0, 5]), features=("a", "b"), keys=np.array(["k"]))
    assert sq.split(data, last=1).per_sequence["y"].tolist() == [[6, 7], [8, 9]]
    found = sq.split(data, last=2, target="b")
    assert found.per_sequence["y"].tolist() == [5, 7, 9]
    assert found.per_sequence["part"].tolist() == [0, 1, 2]
    with pytest.raises(DataError, match="target: no feature 'c'; there are a, b"):
        sq.split(data, last=1, target=["c"])
    with pytest.raises(DataError, match="parts already"):
        sq.split(found.replace(per_sequence={"part": found.per_sequence["part"]}), last=1)
    with pytest.raises(DataError, match="have a label y"):
        sq.split(data.replace(per_sequence={"y": np.array([1])}), last=1)
    padded = sq.split(sq.pad(data, maxlen=9, padding="post"), last=1)
    assert isinstance(padded, sq.Padded)
    assert padded.x.shape == (2, 4, 2)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({}, "nothing to split off; name shares: val.0.1 test.0.1"),
        ({"val": 0.5, "test": 0.5}, "val and test make 1; less than 1 was expected"),
        ({"test": 10}, "test is 10; less than 1 was expected"),
        ({"val": -0.1}, "val is -0.1; it must be at least 0"),
        ({"val": 0.1, "last": 1}, "two ways to split"),
        ({"last": 3}, "last is 3; 1 .* or 2"),
        ({"last": 1, "seed": 4}, "seed goes with .* leave seed out"),
        ({"val": 0.1, "fold": 1}, "fold goes with folds"),
        ({"folds": 3}, "fold is missing; a part from 0 to 2 was expected"),
        ({"folds": 3, "fold": 3}, "fold is 3; a part from 0 to 2"),
        ({"folds": 1, "fold": 0}, "folds is 1; it must be at least 2"),
        ({"val": 0.1, "stratify": True, "stable": True}, "do not go together"),
        ({"val": 0.1, "target": "a"}, "target goes with last"),
        ({"val": 0.1, "context": True}, "context goes with at"),
        ({"val": "many"}, "val is 'many'; a number was expected"),
    ],
)
def test_calls_that_contradict_themselves_are_refused(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        sq.split([[1]], **arguments)


VISITS = """u,t,a
1,2020-01-01,1
1,2020-02-01,2
1,2020-03-01,3
2,2020-01-05,4
3,2020-05-01,5
"""


def test_nothing_of_the_future_is_in_train(place: Place) -> None:
    place.write("t.csv", VISITS)
    succeeded(place.run("group", "t.csv", "--key", "u", "--order-by", "t", "--keep-order", "-o", "g.npz"))
    succeeded(place.run("split", "g.npz", "--at", "2020-02-01", "-o", "s.npz"))
    arrays = place.arrays("s.npz")
    assert arrays["x"][..., 0].tolist() == [[1, 0], [2, 3], [4, 0], [5, 0]]
    assert arrays["split"].tolist() == ["train", "test", "train", "test"]
    assert (arrays["keys"].tolist(), arrays["part"].tolist()) == ([1, 1, 2, 3], [0, 1, 0, 0])
    assert "weight" not in arrays
    succeeded(place.run("split", "g.npz", "--at", "2020-02-01,2020-03-01", "--context", "-o", "c.npz"))
    arrays = place.arrays("c.npz")
    assert arrays["x"][..., 0].tolist() == [[1, 0, 0], [1, 2, 0], [1, 2, 3], [4, 0, 0], [5, 0, 0]]
    assert arrays["weight"].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [1, 0, 0]]
    meta = json.loads(str(arrays["meta"]))
    assert meta["receipt"][-1]["rows"]["added"] == {"history of val and test": 3}
    succeeded(place.run("check", "c.npz"))
    for at, code, words in (
        ("2021-01-01", 1, "test would be empty: 't' has no value there"),
        ("2020-03-01,2020-02-01", 2, "one moment, or two in their order, were expected"),
        ("soon", 2, "order column 't' holds times"),
    ):
        done = place.run("split", "g.npz", "--at", at, "-o", "no.npz")
        assert (done.code, words in done.err) == (code, True), done.err


def test_a_share_is_a_number(place: Place) -> None:
    done = place.run("split", "a.json", "--test", "10%")
    assert done.err == "seqtool: error: Invalid value for '--test': '10%' is not a number.\n"


def test_an_empty_split_is_an_error() -> None:
    for few in ([[1]], [[1], [2]], []):
        with pytest.raises(DataError, match="would be empty"):
            sq.split(few, val=0.1, test=0.1)


def test_what_was_fitted_before_a_split_is_no_secret() -> None:
    fitted = ten().replace(receipt=({"command": "scale", "state": {}},))
    with pytest.warns(UserWarning, match="scale was fitted on all sequences"):
        split = sq.split(fitted, test=0.2)
    with pytest.raises(DataError, match="scale was fitted on train"):
        sq.split(split, test=0.2)


def test_a_file_for_each_split_and_one_that_is_split_again(place: Place) -> None:
    call = ["group", str(SAMPLES / "japanese_vowels.csv"), "--key", "utterance", "--order-by", "frame"]
    succeeded(place.run(*call, "--label", "speaker", "--drop", "split", "-o", "all.npz"))
    options = ["--val", "0.1", "--test", "0.1", "--stratify", "-o", "{split}.npz", "--json"]
    facts = json.loads(succeeded(place.run("split", "all.npz", *options)).err)
    sizes = facts["splits"]
    assert sum(sizes.values()) == len(place.arrays("all.npz")["lengths"])
    arrays = {name: place.arrays(f"{name}.npz") for name in ("train", "val", "test")}
    assert {name: len(array["lengths"]) for name, array in arrays.items()} == sizes
    assert {name: set(array["split"].tolist()) for name, array in arrays.items()} == {n: {n} for n in arrays}
    assert len({array["x"].shape[1:] for array in arrays.values()}) == 1
    keys = [set(array["keys"].tolist()) for array in arrays.values()]
    assert len(set.union(*keys)) == sum(sizes.values())
    for name in arrays:
        succeeded(place.run("check", f"{name}.npz"))
    again = succeeded(place.run("split", "train.npz", "--test", "0.5", "-o", "again.npz"))
    assert "replaces an earlier split" in again.err
    done = place.shell("seqtool split --test 0.2 < all.npz | seqtool pad --maxlen 3 -o '{split}.npz' -f")
    assert done.code == 0, done.err
    assert place.arrays("test.npz")["x"].shape[1] == 3
    dry = succeeded(place.run("split", "all.npz", "--test", "0.2", "-o", "dry-{split}.npz", "--dry-run"))
    assert "would write" in dry.err
    assert not (place.folder / "dry-test.npz").exists()


def test_all_folds_are_files_of_one_call_each_as_if_it_were_made_alone(place: Place) -> None:
    place.write("ten.json", json.dumps([[i, i] for i in range(10)]))
    succeeded(place.run("pad", "ten.json", "--post", "-o", "padded.npz"))
    (place.folder / "cv").mkdir()
    for source in ("ten.json", "padded.npz"):
        call = ["split", source, "--folds", "3", "--seed", "4", "--test", "0.1", "-f"]
        done = succeeded(place.run(*call, "-o", "cv/{fold}.npz", "--json"))
        facts = json.loads(done.err)
        assert [one["splits"] for one in facts["folds"]] == [
            {"train": 6, "val": 3, "test": 1} for _ in range(3)
        ]
        assert [one["output"] for one in facts["outputs"]] == [f"cv/{fold}.npz" for fold in range(3)]
        succeeded(place.run(*call, "-o", "cv/{fold}-{split}.npz"))
        held: list[int] = []
        for fold in range(3):
            succeeded(place.run(*call, "--fold", str(fold), "-o", "alone.npz"))
            assert (place.folder / "alone.npz").read_bytes() == (place.folder / f"cv/{fold}.npz").read_bytes()
            succeeded(place.run(*call, "--fold", str(fold), "-o", "alone-{split}.npz"))
            for name in ("train", "val", "test"):
                alone, of_set = (place.folder / f"{stem}-{name}.npz" for stem in ("alone", f"cv/{fold}"))
                assert alone.read_bytes() == of_set.read_bytes()
            x = place.arrays(f"cv/{fold}-val.npz")["values" if source == "ten.json" else "x"]
            held += np.unique(x).tolist()
        assert len(set(held)) == len(held) == 9


def test_what_is_fitted_in_a_fold_is_fitted_on_its_train(place: Place) -> None:
    place.write("ten.json", json.dumps([[[float(i)]] for i in range(10)]))
    done = succeeded(place.run("split", "ten.json", "--folds", "5", "-o", "{fold}.npz"))
    assert "fold 4: train 8, val 2 of 10 sequences" in done.err
    for fold in range(5):
        succeeded(place.run("scale", f"{fold}.npz", "--method", "standard", "-o", "scaled.npz"))
        raw, scaled = place.arrays(f"{fold}.npz"), place.arrays("scaled.npz")
        train = raw["split"] == "train"
        assert scaled["values"][train].mean() == pytest.approx(0, abs=1e-6)


def test_folds_are_written_from_a_pipe_and_all_of_them_or_none(place: Place) -> None:
    rows = json.dumps([[i] for i in range(6)]).encode()
    dry = succeeded(place.run("split", "-", "--folds", "3", "-o", "{fold}.npz", "--dry-run", stdin=rows))
    assert dry.err.count("would write") == 3
    assert not place.files()
    (place.folder / "1.npz").mkdir()
    done = place.run("split", "-", "--folds", "3", "-o", "{fold}.npz", stdin=rows)
    assert done.code != 0
    assert [name for name in place.files() if name != "1.npz"] == []
    (place.folder / "1.npz").rmdir()
    succeeded(place.run("split", "-", "--folds", "3", "-o", "{fold}.npz", stdin=rows))
    assert [place.arrays(f"{fold}.npz")["split"].tolist().count("val") for fold in range(3)] == [2, 2, 2]
    again = place.run("split", "1.npz", "--folds", "3", "-o", "{fold}.npz")
    assert (again.code, again.err) == (
        2,
        "seqtool: error: 1.npz: is both input and output; name another: -o FILE\n",
    )


def test_names_of_folds_need_folds_and_folds_need_names(place: Place) -> None:
    place.write("ten.json", json.dumps([[i] for i in range(10)]))
    for words, expected in (
        ("split ten.json --folds 5", "-o '{fold}.npz', or choose one by --fold 0"),
        ("split ten.json --folds 5 -o {split}.npz", "-o '{fold}.npz', or choose one by --fold 0"),
        ("split ten.json --folds 5 --fold 0 -o {fold}.npz", "all in one call, and here is one output"),
        ("split ten.json --test 0.1 -o {fold}.npz", "all in one call, and here is one output"),
        ("pad ten.json -o {fold}.npz", "all in one call, and here is one output"),
        ("convert ten.json -o {fold}.npz", "all in one call, and here is one output"),
        ("split ten.json --folds 11 -o {fold}.npz", "would be empty"),
    ):
        done = place.run(*words.split())
        assert done.code == (1 if "empty" in expected else 2), words
        assert expected in done.err, done.err
    assert [*place.files()] == ["ten.json"]
