"""Labels and static numbers in a file beside the sequences: an array, or text with one a line."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import seqtool
from tests.command import Place, succeeded

LINES = "1 2 3\n4\n5 6\n"
BLOCK = np.arange(6.0).reshape(3, 2)


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("labels", "y", "classes"),
    [
        (np.array([5, 7, 5]), [5, 7, 5], None),
        (np.array([0.5, np.nan, 1]), [0.5, np.nan, 1], None),
        (np.array(["b", "a", "b"]), [1, 0, 1], ["a", "b"]),
        (np.array([[1, 0], [0, 1], [1, 1]]), [[1, 0], [0, 1], [1, 1]], None),
        ("b\na\nb\n", [1, 0, 1], ["a", "b"]),
        ("10\n7\n10", [1, 0, 1], [7, 10]),
    ],
)
@pytest.mark.parametrize("source", ["in.txt", "in.npy"])
def test_there_is_a_label_for_each_sequence(
    source: str, labels: Any, y: list[Any], classes: list[Any] | None, place: Place
) -> None:
    place.write(source, LINES if source == "in.txt" else BLOCK)
    name = "labels.txt" if isinstance(labels, str) else "labels.npy"
    place.write(name, labels)
    found = place.outputs("pad", [source, "--label", name, "--post"])[0]
    np.testing.assert_array_equal(found["y"], y)
    assert (found["classes"].tolist() if "classes" in found else None) == classes
    assert json.loads(str(found["meta"]))["receipt"][0]["arguments"]["label"] == name


def test_labels_go_where_their_sequences_go(place: Place) -> None:
    place.write("in.txt", LINES)
    place.write("d.txt", "a\nb\nc\n")
    found = place.outputs("pad", ["in.txt", "--label", "d.txt", "--min-len", "2"])[0]
    assert found["classes"][found["y"]].tolist() == ["a", "c"]
    assert place.outputs("truncate", ["in.txt", "--label", "d.txt", "--maxlen", "1"])[0]["y"].tolist() == [
        0,
        1,
        2,
    ]


@pytest.mark.parametrize(
    ("name", "cells", "static", "names"),
    [
        ("age.npy", np.array([3, 4, 5]), [[3], [4], [5]], ["age"]),
        ("s.npy", np.array([[3, 1], [4, 1], [5, 0.5]]), [[3, 1], [4, 1], [5, 0.5]], ["s_0", "s_1"]),
        ("age.txt", "3\n4.5\n5\n", [[3], [4.5], [5]], ["age"]),
    ],
)
def test_static_numbers_stand_in_a_file_too(
    name: str, cells: Any, static: list[Any], names: list[str], place: Place
) -> None:
    place.write("in.txt", LINES)
    place.write(name, cells)
    found = place.outputs("pad", ["in.txt", "--static", name])[0]
    assert (found["static"].tolist(), found["static_features"].tolist()) == (static, names)


def test_a_file_of_ours_gets_labels_once(place: Place) -> None:
    seqtool.save(place.folder / "in.npz", seqtool.pad([[1], [2, 3]]))
    place.write("y.npy", np.array([4, 5]))
    succeeded(place.run("pad", "in.npz", "--label", "y.npy", "-o", "labelled.npz"))
    assert place.arrays("labelled.npz")["y"].tolist() == [4, 5]
    again = place.run("pad", "labelled.npz", "--label", "y.npy", "-o", "o.npz")
    assert (again.code, "holds y already" in again.err) == (1, True)


@pytest.mark.parametrize(
    ("files", "option", "code", "words"),
    [
        ({"d.txt": "a\nb\n"}, "--label d.txt", 1, "d.txt: holds 2 rows, but in.txt 3 sequences"),
        ({"d.npy": np.ones(4)}, "--label d.npy", 1, "d.npy: holds 4 rows, but in.txt 3 sequences"),
        ({"d.txt": "a\n\nb\n"}, "--label d.txt", 1, "d.txt: 1 sequence has no label"),
        ({"d.txt": "a\nb\nc\n"}, "--static d.txt", 1, "d.txt: sequence 0: 'd' is 'a'"),
        ({"d.npy": np.array(["1", "NA", "2"])}, "--label d.npy", 1, "'NA' among numbers"),
        ({"d.npy": np.array(["a", "b", "c"])}, "--static d.npy", 1, "an array of <U1 (3,); numbers"),
        ({"d.txt": "a\nb\nc\n"}, "--label d.txt,e", 2, "--label takes one file"),
        ({}, "--label d.txt", 2, "--label"),
    ],
)
def test_counts_and_cells_must_be_right(
    files: dict[str, Any], option: str, code: int, words: str, place: Place
) -> None:
    place.write("in.txt", LINES)
    for name, content in files.items():
        place.write(name, content)
    done = place.run("pad", "in.txt", *option.split())
    assert (done.code, words in done.err) == (code, True), done.err


def test_the_output_is_no_file_of_labels(place: Place) -> None:
    place.write("in.txt", LINES)
    place.write("y.npy", np.ones(3))
    done = place.run("pad", "in.txt", "--label", "y.npy", "-o", "y.npy")
    assert (done.code, "input" in done.err) == (2, True), done.err
