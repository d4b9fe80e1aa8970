"""Files of the UCR and UEA archives."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from tests.command import Place, succeeded

HEAD = "# from somewhere\n@problemName Toy\n@timeStamps false\n@missing true\n@classLabel true up down flat\n@data\n"
NAN = float("nan")


def ts_of(cases: list[tuple[list[list[float | None]], str]]) -> str:
    """The text that the format has for cases of dimensions and a label."""
    lines = [
        ":".join(
            [*(",".join("?" if cell is None else repr(cell) for cell in one) for one in dimensions), label]
        )
        for dimensions, label in cases
    ]
    return HEAD + "\n".join(lines) + "\n"


@pytest.mark.parametrize("width", [1, 3])
def test_what_is_written_is_read(width: int, place: Place) -> None:
    chance = random.Random(width)
    cases = []
    for _ in range(30):
        length = chance.randint(1, 5)
        cells = [[chance.choice([None, 0.5, -2.0, 7.25]) for _ in range(length)] for _ in range(width)]
        cases.append((cells, chance.choice(["up", "down"])))
    place.write("a.ts", ts_of(cases))
    found = place.outputs("pad", ["a.ts", "--ragged"])[0]
    steps = [
        [NAN if cell is None else cell for cell in step]
        for one, _ in cases
        for step in zip(*one, strict=True)
    ]
    np.testing.assert_array_equal(found["values"].reshape(-1, width), steps)
    assert found["values"].ndim == (1 if width == 1 else 2)
    assert np.diff(found["offsets"]).tolist() == [len(one[0]) for one, _ in cases]
    # The class that no sequence has counts too, so that ids are those of the other file of a pair.
    assert found["classes"].tolist() == ["down", "flat", "up"]
    assert found["classes"][found["y"]].tolist() == [label for _, label in cases]


def test_pairs_of_time_and_value_give_values(place: Place) -> None:
    text = "@timeStamps true\n@classLabel false\n@data\n(0,1.5),(2,2.5):(0,1),(2,?)\n"
    place.write("a.ts", text + "(2020-01-01 10:00:00,3.5):(2020-01-01 10:00:00,4)\n")
    done = succeeded(place.run("pad", "a.ts", "--post", "-o", "o.npz"))
    np.testing.assert_array_equal(place.arrays("o.npz")["x"], [[[1.5, 1], [2.5, NAN]], [[3.5, 4], [0, 0]]])
    assert "times of steps were left out" in done.err
    assert "y" not in place.arrays("o.npz")


def test_targets_are_numbers(place: Place) -> None:
    place.write("a.ts", "@targetLabel true\n@data\n1,2:0.5\n3:2\n")
    found = place.outputs("pad", ["a.ts"])[0]
    assert (found["y"].tolist(), found["x"].dtype) == ([0.5, 2], np.int64)
    assert json.loads(succeeded(place.run("plan", "a.ts", "--json")).out)["sequences"] == 2


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("1,x:up", "line 7: 'x'; a number or ? was expected"),
        ("1,2:3:up", "line 7: dimensions of 2, 1 steps"),
        ("1,2:up\n1:2:up", "line 8: 2 dimensions, but 1 before"),
        ("1,2:sideways", "line 7: label 'sideways'"),
        ("1,2:?", "1 sequence has no label"),
        ("up", "line 7: holds a label alone"),
        ("(1,2),3:up", "line 7: '3'; (time, value) was expected"),
        ("", "holds no sequences"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(lines: str, words: str, place: Place) -> None:
    place.write("a.ts", HEAD + lines + "\n")
    done = place.run("pad", "a.ts")
    assert (done.code, f"a.ts: {words}" in done.err) == (1, True), done.err


def test_it_tells_itself_what_it_holds(place: Place) -> None:
    place.write("a.ts", HEAD + "1,2:up\n")
    done = place.run("pad", "a.ts", "--label", "y")
    assert (done.code, "leave --label out" in done.err) == (2, True)
