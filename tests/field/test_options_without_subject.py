"""An option that changes nothing, since what it is about is not named, is refused and not passed over in silence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import seqtool as st
from tests.command import Place, succeeded

FRAME = pd.DataFrame({"id": [1, 1, 2], "a": [1, 2, 3], "s": ["x", "y", "x"], "y": [0, 0, 1]})
LISTS = pd.DataFrame({"a": [[1, 2], [3]], "tags": [["x", "y"], ["x"]]})

CALLS = [
    ("group t.csv --key id --columns a --label-value 0", "labels of steps"),
    ("group t.csv --key id --columns a --label-as class", "labels"),
    ("group t.csv --key id --columns a --empty-label keep", "labels"),
    ("group t.csv --key id --columns a --label y --label-value 0", "labels of steps"),
    ("plan t.csv --key id --columns a --empty-label drop", "labels"),
    ("group t.csv --no-key --columns a --empty-key drop", "key columns"),
    ("group t.csv --no-key --columns a --keep-key", "key columns"),
    ("group t.csv --no-key --columns a --drop-key", "key columns"),
    ("pad block.npy --strip-side pre", "--strip"),
    ("pad block.npy --label-value 0", "labels of steps"),
    ("truncate block.npy --maxlen 1 --label-value 0", "labels of steps"),
    ("pad t.csv --steps a,y --label-value 0", "labels of steps"),
    ("pad lists.jsonl --array a --label-value 0", "labels of steps"),
    ("pad foreign.npz --array x --label-value 0", "labels of steps"),
    ("pad lists.jsonl --array a --trailing-missing keep", "the columns of a wide table"),
]


@pytest.fixture
def files(place: Place) -> Place:
    FRAME.to_csv(place.folder / "t.csv", index=False)
    LISTS.to_json(place.folder / "lists.jsonl", orient="records", lines=True)
    np.save(place.folder / "block.npy", np.arange(1.0, 13).reshape(2, 3, 2))
    np.savez(place.folder / "foreign.npz", x=np.ones((2, 3)))
    np.savez(place.folder / "labelled.npz", x=np.ones((2, 2)), lengths=[2, 1], step_y=[[1, 2], [3, 0]])
    return place


@pytest.mark.parametrize(("call", "subject"), CALLS)
def test_the_command_line_refuses_it(call: str, subject: str, files: Place) -> None:
    done = files.run(*call.split(), "-o", "o.npz") if call[:4] != "plan" else files.run(*call.split())
    option = next(word for word in reversed(call.split()) if word.startswith("--"))
    assert done.code == 2
    assert f"{option} is for {subject}, which this call does not name: " in done.err
    assert f"leave {option} out" in done.err
    assert not (files.folder / "o.npz").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"label_value": 0},
            'label_value is for labels of steps.*: step_label="COLUMN", or leave label_value out',
        ),
        ({"label_as": "class"}, 'label_as is for labels.*: label="COLUMN", or step_label="COLUMN"'),
        ({"empty_label": "drop"}, "empty_label is for labels, which this call does not name"),
        ({"pivot_agg": "sum"}, 'pivot_agg is for pivot.*: pivot="ITEM=VALUE", or leave pivot_agg out'),
    ],
)
def test_group_refuses_it_in_python(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(st.UsageError, match=message):
        st.group(FRAME, key="id", columns="a", **arguments)


def test_pad_refuses_it_in_python() -> None:
    for sequences, options in (([[1], [2, 3]], {}), (LISTS, {"array": "a"})):
        with pytest.raises(st.UsageError, match="label_value is for labels of steps"):
            st.pad(sequences, label_value=0, **options)
    labelled = st.pad(LISTS, array="a", step_label="tags", label_value=-1, padding="post")
    assert labelled.per_step["step_y"].value == -1


def test_labels_that_are_found_without_being_named_are_a_subject(files: Place) -> None:
    succeeded(
        files.run("pad", "labelled.npz", "--label-value", "-7", "--maxlen", "3", "--post", "-o", "o.npz")
    )
    assert files.arrays("o.npz")["step_y"].tolist() == [[1, 2, -7], [3, -7, -7]]
    by_path = ["group", "x=1/t.csv", "--key-from", "x={label}/{key}.csv", "--columns", "a"]
    (files.folder / "x=1").mkdir()
    files.write("x=1/t.csv", "a\n1\n2\n")
    succeeded(files.run(*by_path, "--label-as", "class", "-o", "p.npz"))


def test_a_file_of_ours_pads_its_labels_of_steps_as_it_did(files: Place) -> None:
    """`pad --label-value` changed nothing there, in silence."""
    call = ("group", "t.csv", "--key", "id", "--columns", "a", "--step-label", "s", "-o", "ours.npz")
    succeeded(files.run(*call))
    done = files.run("pad", "ours.npz", "--label-value", "7", "-o", "o.npz")
    assert (done.code, "leave --label-value out" in done.err) == (2, True)
