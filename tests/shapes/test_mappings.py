"""Mappings of keys to sequences: objects of JSON, arrays of an `.npz`, dicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import seqtool
from seqtool.errors import DataError
from tests.command import Place, succeeded


@pytest.mark.parametrize("text", ['{"u2": [1, 2], "u1": [3]}', '{"u2": [1, 2]}\n{"u1": [3]}\n'])
def test_names_in_json_are_keys(text: str, place: Place) -> None:
    place.write("m.json", text)
    found = place.outputs("pad", ["m.json", "--keys-from-names", "--post"])[0]
    assert (found["keys"].tolist(), found["x"].tolist()) == (["u2", "u1"], [[1, 2], [3, 0]])


def test_each_name_may_hold_an_object(place: Place) -> None:
    place.write("m.json", '{"7": {"s": [1], "y": "a"}, "10": {"s": [2, 3], "y": "b"}}')
    found = place.outputs("pad", ["m.json", "--keys-from-names", "--label", "y", "--post"])[0]
    assert (found["keys"].tolist(), found["keys"].dtype) == ([7, 10], np.int64)
    assert (found["y"].tolist(), found["classes"].tolist()) == ([0, 1], ["a", "b"])


def test_names_of_arrays_are_keys(place: Place) -> None:
    np.savez(place.folder / "m.npz", **{"u2": np.ones((2, 3)), "u1": np.zeros((1, 3))})
    found = place.outputs("pad", ["m.npz", "--keys-from-names", "--post"])[0]
    assert (found["keys"].tolist(), found["lengths"].tolist()) == (["u2", "u1"], [2, 1])
    assert found["x"].shape == (2, 2, 3)


@pytest.mark.parametrize(
    ("names", "keys"),
    [(["b", "a"], ["b", "a"]), ([3, 1], [3, 1]), (["3", "1"], [3, 1]), (["3", "01"], ["3", "01"])],
)
def test_a_dict_gives_keys_and_sequences(names: list[Any], keys: list[Any]) -> None:
    padded = seqtool.pad(dict(zip(names, [[1, 2], np.array([3])], strict=True)), padding="post")
    assert padded.keys is not None
    assert (padded.keys.tolist(), padded.x.tolist()) == (keys, [[1, 2], [3, 0]])
    assert seqtool.truncate({"a": [1, 2, 3]}, maxlen=1).keys.tolist() == ["a"]


@pytest.mark.parametrize(
    "wrong", [{1: [1], "1": [2]}, {1.5: [1]}, {"": [1]}, {"a\0": [1]}, {"a": 1}, {"a": "12"}]
)
def test_a_dict_that_is_no_mapping_of_keys_to_sequences(wrong: dict[Any, Any]) -> None:
    with pytest.raises(DataError):
        seqtool.pad(wrong)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ('{"u1": [1], "u1": [2]}', 1, "duplicate key u1"),
        ("[[1], [2]]", 1, "an object whose names are keys"),
        ('{"u1": 5}', 1, "key \"u1\": '5'; a list of numbers"),
        ('{"u1": [1], "u2": ["x"]}', 1, 'key "u2"'),
        ("{}", 1, "holds no sequences"),
    ],
)
def test_what_is_no_mapping_is_refused(text: str, code: int, words: str, place: Place) -> None:
    place.write("m.json", text)
    done = place.run("pad", "m.json", "--keys-from-names")
    assert (done.code, words in done.err) == (code, True), done.err


@pytest.mark.parametrize(
    "option", ["--steps a", "--static a", "--keys-from-names", "--trailing-missing keep"]
)
def test_one_sequence_a_file_has_no_rows(option: str, place: Place) -> None:
    place.write("a.npy", np.ones(3))
    done = place.run("pad", "*.npy", "--key-from", "{key}.npy", *option.split())
    assert (done.code, f"leave {option.split()[0]} out" in done.err) == (2, True), done.err


def test_several_lists_tell_of_the_option(place: Place) -> None:
    place.write("m.json", '{"u1": [1], "u2": [2]}')
    assert "--keys-from-names" in place.run("pad", "m.json").err
    succeeded(place.run("pad", "m.json", "--array", "u1"))
