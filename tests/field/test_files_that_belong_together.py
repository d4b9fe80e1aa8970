"""`check --against`: features and classes of two files mean the same, and no sequences of them overlap."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqtool as st
from tests.command import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def saved(place: Place, name: str, sequences: Any, **parts: Any) -> None:
    ragged = st.pad(sequences, padding="post")
    st.save(place.folder / name, ragged.replace(**parts))


def looked(place: Place, *options: str) -> dict[str, tuple[str, str]]:
    """What `check one.npz --against two.npz` finds in both: verdicts and messages by name."""
    done = place.run("check", "one.npz", "--against", "two.npz", "--json", *options)
    found = json.loads(done.out)
    assert done.code == (0 if found["holds"] else 1)
    return {
        one["name"]: (one["verdict"], one["message"])
        for one in found["findings"]
        if one["name"].startswith(("same ", "shared "))
    }


ONE, TWO = [[[1.5, 2], [3, 4]]], [[[5.5, 6], [7, 8]]]


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict", "message"),
    [
        (["a", "b"], ["a", "b"], "ok", "2 features in both, in the same order"),
        (["a", "b"], ["b", "a"], "fails", "in another order: features[0] is 'a' here, 'b' in two.npz"),
        (["a", "b"], ["a", "c"], "fails", "others: features[1] is 'b' here, 'c' in two.npz"),
        (["a", "b"], None, "ok", "2 features in both, not all named"),
    ],
)
def test_features_stand_in_the_same_order(
    ours: Any, theirs: Any, verdict: str, message: str, place: Place
) -> None:
    saved(place, "one.npz", ONE, features=ours)
    saved(place, "two.npz", TWO, features=theirs)
    assert looked(place)["same features"] == (verdict, message)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([[[1], [2]]], "a step has 2 features here, 1 feature in two.npz"),
        ([[1, 2]], "a step has 2 features here, a single number in two.npz"),
    ],
)
def test_other_features_fail(steps: Any, message: str, place: Place) -> None:
    saved(place, "one.npz", ONE)
    saved(place, "two.npz", steps)
    found = looked(place)
    assert found["same features"] == ("fails", message)
    assert found["shared sequences"][0] == "warning"


LABELS: list[tuple[Any, Any, Any, Any, str, str]] = [
    ([0], ["a", "b"], [1], ["a", "b"], "ok", "2 classes, the same in both"),
    ([0], ["a", "b"], [0], ["b", "c"], "fails", "y = 0 means 'a' here, 'b' in two.npz"),
    ([0], ["a", "b"], [0], ["a", "c"], "fails", "y = 1 means 'b' here, 'c' in two.npz"),
    ([0], [3, 7], [0], [3, 8], "fails", "y = 1 means '7' here, '8' in two.npz"),
    ([0], ["a", "b"], [0], ["a"], "warning", "2 classes here, 1 in two.npz; those of both mean the same"),
    ([0], ["a", "b"], [0.5], None, "fails", "classes here, fractions in two.npz"),
    ([0], ["a", "b"], [1], None, "warning", "classes here, whole numbers in two.npz: not compared"),
    ([0.5], None, [1.5], None, "ok", "fractions in both"),
    ([[1, 2]], None, [1], None, "fails", "2 numbers each here, 1 number in two.npz"),
]


@pytest.mark.thinned
@pytest.mark.parametrize(("y", "classes", "y2", "classes2", "verdict", "message"), LABELS)
def test_labels_mean_the_same(
    y: Any, classes: Any, y2: Any, classes2: Any, verdict: str, message: str, place: Place
) -> None:
    for name, steps, label, known in (("one.npz", ONE, y, classes), ("two.npz", TWO, y2, classes2)):
        names = {} if known is None else {"classes": np.array(known)}
        saved(place, name, steps, per_sequence={"y": np.array(label)}, names=names)
    assert looked(place)["same y"] == (verdict, message)


def test_labels_of_steps_and_static_numbers_mean_the_same(place: Place) -> None:
    place.write("one.csv", "k,g,s,v\na,1,walk,1\na,1,run,2\n")
    place.write("two.csv", "k,g,s,v\nb,1,run,3\nb,1,sit,4\n")
    for name in ("one", "two"):
        group = [
            "group",
            f"{name}.csv",
            "--key",
            "k",
            "--step-label",
            "s",
            "--static",
            "g",
            "-o",
            f"{name}.npz",
        ]
        assert place.run(*group).code == 0
    found = looked(place)
    assert found["same step_y"] == ("fails", "step_y = 1 means 'walk' here, 'sit' in two.npz")
    assert found["same static"] == ("ok", "1 number in both, in the same order")
    place.write("two.csv", "k,h,s,v\nb,1,run,3\nb,1,walk,4\n")
    assert (
        place.run(
            "group", "two.csv", "--key", "k", "--step-label", "s", "--static", "h", "-o", "two.npz"
        ).code
        == 0
    )
    found = looked(place)
    assert found["same step_y"][0] == "ok"
    assert found["same static"] == ("fails", "others: static[0] is 'g' here, 'h' in two.npz")


def test_several_labels_mean_the_same(place: Place) -> None:
    place.write("one.csv", "k,u,w,v\na,x,0.5,1\na,x,0.5,2\nb,z,1.5,3\n")
    place.write("two.csv", "k,u,w,v\nc,y,0.5,4\nc,y,0.5,5\nd,z,1.5,6\n")
    for name in ("one", "two"):
        assert (
            place.run("group", f"{name}.csv", "--key", "k", "--label", "u,w", "-o", f"{name}.npz").code == 0
        )
    found = looked(place)
    assert found["same u"] == ("fails", "u = 0 means 'x' here, 'y' in two.npz")
    assert found["same w"] == ("ok", "fractions in both")
    assert place.run("group", "two.csv", "--key", "k", "--label", "w,u", "-o", "two.npz").code == 0
    assert looked(place)["same y"] == ("fails", "u, w here, w, u in two.npz")


def test_keys_that_are_meant_to_be_shared(place: Place) -> None:
    saved(place, "one.npz", ONE, keys=np.array(["a"]))
    saved(place, "two.npz", TWO, keys=np.array(["a"]))
    verdict, message = looked(place)["shared keys"]
    assert (verdict, "if they are meant to be, add --shared-keys" in message) == ("fails", True)
    found = looked(place, "--shared-keys")
    assert found["shared keys"] == ("ok", "keys that are also in two.npz, as allowed")
    assert {verdict for verdict, _ in found.values()} == {"ok"}
    saved(place, "two.npz", ONE, keys=np.array(["a"]))
    assert looked(place, "--shared-keys")["shared sequences"][0] == "fails"
    done = place.run("check", "one.npz", "--shared-keys")
    assert (done.code, "add --against OTHER" in done.err) == (2, True)


RECORDING = (np.arange(40).reshape(20, 2) * 37 % 101 / 7).tolist()


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([RECORDING], [RECORDING[5:12]]),
        ([RECORDING[5:12]], [RECORDING]),
        ([RECORDING[:10]], [RECORDING[5:15]]),
        ([RECORDING[begin : begin + 6] for begin in (0, 3, 6)], [RECORDING[9:15]]),
    ],
    ids=["cut out of one", "cut out of the other", "windows that overlap", "one of several windows"],
)
@pytest.mark.parametrize("ragged", [False, True])
def test_stretches_of_one_recording_in_both(ours: Any, theirs: Any, ragged: bool, place: Place) -> None:
    for name, sequences, keys in (("one.npz", ours, "abc"), ("two.npz", theirs, "x")):
        padded = st.pad(sequences, padding="pre").replace(keys=np.array([*keys[: len(sequences)]]))
        st.save(place.folder / name, st.unpad(padded) if ragged else padded)
    found = looked(place)
    assert found["shared stretches"] == ("fails", "overlap with sequences in two.npz")
    assert found["shared sequences"] == ("ok", "none is also in two.npz")
    done = place.run("check", "one.npz", "--against", "two.npz")
    assert f"sequence {len(ours) - 1} (key {'abc'[len(ours) - 1]}) and two.npz" in " ".join(
        done.out.decode().split()
    )


def test_files_of_different_recordings_hold(place: Place) -> None:
    saved(place, "one.npz", [RECORDING[:8], RECORDING[8:11]], features=["a", "b"], keys=np.array([1, 2]))
    saved(place, "two.npz", [RECORDING[11:]], features=["a", "b"], keys=np.array([3]))
    found = looked(place)
    assert {verdict for verdict, _ in found.values()} == {"ok"}
    assert [*found] == ["same features", "shared stretches", "shared keys", "shared sequences"]


def test_labels_that_only_one_of_two_files_has(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("a.csv", "id,y,v\n1,a,1\n1,a,5\n2,b,3\n")
    place.write("b.csv", "id,y,v\n3,a,9\n3,a,7\n4,b,8\n")
    place.run("group", "a.csv", "--key", "id", "--label", "y", "-o", "a.npz")
    place.run("group", "b.csv", "--key", "id", "--step-label", "y", "-o", "b.npz")
    found = json.loads(place.run("check", "a.npz", "--against", "b.npz", "--json").out)["findings"]
    told = {finding["name"]: (finding["verdict"], finding["message"]) for finding in found}
    assert told["same y"] == ("warning", "y here, no y in b.npz: not compared")
    assert told["same step_y"] == ("warning", "no step_y here, step_y in b.npz: not compared")
