"""Labels of steps whose padding is one of the classes: warned of by all that pads, and a finding of check."""

import json
import warnings
from pathlib import Path

import pandas as pd
import pytest

import seqtool as st
from tests.command import Place, succeeded

ROWS = "id,v,s\n1,0.5,walk\n1,1.5,run\n2,4.5,walk\n2,3.5,run\n2,0,run\n"
NUMBERS = ROWS.replace("walk", "0").replace("run", "1")
MESSAGE = "step_y holds 0 in padding, which is class "


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write("text.csv", ROWS)
    place.write("numbers.csv", NUMBERS)
    return place


def finding(place: Place, file: str) -> dict:
    done = succeeded(place.run("check", file, "--json"))
    return next(found for found in json.loads(done.out)["findings"] if found["name"] == "step_y")


@pytest.mark.parametrize(("file", "name"), [("text.csv", "'run'"), ("numbers.csv", "'0'")])
@pytest.mark.parametrize("shape", [(), ("--ragged",)])
def test_padding_that_is_a_class_is_reported_by_group_pad_and_check(
    place: Place, file: str, name: str, shape: tuple[str, ...]
) -> None:
    call = ("group", file, "--key", "id", "--step-label", "s", *shape)
    done = succeeded(place.run(*call, "--label-value", "0", "-o", "wrong.npz"))
    assert f"{MESSAGE}{name} too: losses learn it; group with --label-value -100" in done.err
    assert f"{MESSAGE}{name}" in succeeded(place.run("pad", "wrong.npz", "-o", "again.npz")).err
    for output in ("wrong.npz", "again.npz"):
        assert finding(place, output)["verdict"] == "warning"
        assert f"{MESSAGE}{name}" in finding(place, output)["message"]
    done = succeeded(place.run(*call, "--label-value", "-100", "-o", "right.npz"))  # what was advised
    assert "step_y holds" not in done.err
    assert finding(place, "right.npz")["verdict"] == "ok"


def test_the_label_of_a_sequence_does_not_hide_it(place: Place) -> None:
    place.write(
        "both.csv", ROWS.replace("id,v,s", "id,v,s,y").replace("walk", "walk,a").replace("run", "run,a")
    )
    call = ("group", "both.csv", "--key", "id", "--label", "y", "--step-label", "s", "--label-value", "1")
    assert "step_y holds 1 in padding, which is class 'walk'" in succeeded(place.run(*call)).err


def test_python_warns_by_the_names_of_its_arguments() -> None:
    frame = pd.DataFrame(
        {"id": [1, 1, 2, 2, 2], "v": [0.5, 1.5, 4.5, 3.5, 0], "s": ["w", "r", "w", "r", "r"]}
    )
    with pytest.warns(UserWarning, match=r"class 'r' too: losses learn it; group with label_value=-100"):
        wrong = st.group(frame, key="id", step_label="s", label_value=0, ragged=True)
    with pytest.warns(UserWarning, match="class 'r' too"):
        st.pad(wrong)


@pytest.mark.parametrize("value", ["-1", "2", "0.5"])
def test_what_is_no_class_is_not_warned_of(place: Place, value: str) -> None:
    call = ("group", "numbers.csv", "--key", "id", "--step-label", "s", "--label-value", value)
    done = place.run(*call)
    assert "in padding, which" not in done.err
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = pd.DataFrame({"id": [1, 2, 2], "v": [0.5, 4.5, 3.5], "s": [0.5, 1, 2]})
        st.group(frame, key="id", step_label="s", label_value=0)  # which is no label


@pytest.mark.parametrize("shape", [(), ("--ragged",)])
@pytest.mark.parametrize(("value", "count"), [("0.5", 2), ("0", 1)])
def test_padding_that_is_among_labels_of_numbers_is_reported_too(
    place: Place, value: str, count: int, shape: tuple[str, ...]
) -> None:
    place.write("t.csv", "id,v,s\n1,1,0.5\n1,5,0\n2,3,0.5\n")
    call = ("group", "t.csv", "--key", "id", "--step-label", "s", *shape)
    also = f"{count} label{'s'[: count - 1]}"
    message = f"step_y holds {value} in padding, and in {also} too: losses learn it; group with "
    done = succeeded(place.run(*call, "--label-value", value, "-o", "wrong.npz"))
    assert f"{message}--label-value -100" in done.err
    assert message in succeeded(place.run("pad", "wrong.npz", "-o", "again.npz")).err
    assert [finding(place, name)["verdict"] for name in ("wrong.npz", "again.npz")] == ["warning"] * 2
    assert message not in succeeded(place.run(*call)).err


def test_where_all_labels_hold_the_usual_value_nan_is_proposed(place: Place) -> None:
    place.write("t.csv", "id,v,s\n1,1,0.5\n1,5,-100\n2,3,0.5\n")
    call = ("group", "t.csv", "--key", "id", "--step-label", "s")
    assert "group with --label-value nan" in succeeded(place.run(*call)).err
    assert "in padding, and" not in succeeded(place.run(*call, "--label-value", "nan")).err
