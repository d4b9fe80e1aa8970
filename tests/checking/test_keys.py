import json
from typing import Any

import numpy as np
import pytest

import seqtool as sq
from tests.command import Place


def data(names: list[str], keys: list[Any] | None, **more: Any) -> sq.Ragged:
    cells = {"split": np.array(names), **more}
    of_keys = None if keys is None else np.array(keys)
    return sq.Ragged(np.arange(len(names)), np.arange(len(names) + 1), keys=of_keys, per_sequence=cells)


def finding(place: Place, sequences: sq.Ragged) -> tuple[int, str]:
    sq.save(place.folder / "t.npz", sequences)
    done = place.run("check", "t.npz", "--json")
    (found,) = (one for one in json.loads(done.out)["findings"] if one["name"] == "split")
    return done.code, f"{found['message']} {found['place']}"


@pytest.mark.parametrize("kind", [str, int])
def test_a_key_in_two_splits_fails(place: Place, kind: Any) -> None:
    keys = [kind(number) for number in (4, 5, 6)]
    part = {"part": np.array([0, 1, 2])}
    code, line = finding(place, data(["train", "val", "test"], keys, **part))
    assert (code, "train 1, val 1, test 1; no key is in two of them" in line) == (0, True)
    code, line = finding(place, data(["train", "val", "train"], [keys[1], keys[1], keys[2]], **part))
    assert (code, "1 sequence of val have a key of train too, such as '5'" in line) == (1, True)
    assert "split[1]" in line


def test_splits_of_the_steps_of_sequences_share_their_keys(place: Place) -> None:
    left_out = sq.split({"a": [1, 2, 3], "b": [4, 5, 6, 7]}, last=1)
    assert isinstance(left_out, sq.Ragged)
    code, line = finding(place, left_out)
    assert (code, "they share keys, of which each has its own steps" in line) == (0, True)


def test_other_names_and_sequences_without_keys(place: Place) -> None:
    code, line = finding(place, data(["train", "dev"], ["a", "b"]))
    assert (code, "dev: train, val, test were expected" in line) == (0, True)
    code, line = finding(place, data(["train", "val"], None))
    assert (code, "without keys nobody can tell" in line) == (0, True)
