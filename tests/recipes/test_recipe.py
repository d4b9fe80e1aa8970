"""Recipes as data: what a receipt holds of them, and what is no recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import seqtool as sq
from seqtool.errors import DataError
from seqtool.operations import OPERATIONS
from seqtool.operations.operation import annotated_fields
from seqtool.recipes.recipe import FORMAT, Recipe
from seqtool.recipes.repeat import operation_of
from seqtool.recipes.show import steps_shown
from seqtool.sequences.receipts import Entry, Rows

FRAME = pd.DataFrame({"k": ["a", "a", "b"], "x": [1.0, 2, 6], "y": ["no", "no", "yes"]})


def recipe_of(data: Any) -> Recipe:
    return Recipe.of(data, "a.npz")


def test_json_gives_back_the_recipe() -> None:
    recipe = recipe_of(sq.scale(sq.group(FRAME, key="k", label="y"), method="standard"))
    assert recipe.tables == {"classes": ["no", "yes"]}
    assert recipe.dtypes == {"y": "int64"}
    again = Recipe.of_json(recipe.as_json(), "a.npz")
    assert again.facts() == recipe.facts()
    assert again.later == [
        {name: step[name] for name in ("command", "arguments", "state")} for step in recipe.later
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "no recipe"),
        ("[1", "no recipe"),
        ("[" * 9000, "no recipe"),
        (json.dumps({"format": FORMAT, "version": 2, "steps": []}), "newer"),
        (json.dumps({"format": FORMAT, "version": 1}), "the receipt is missing"),
        (json.dumps({"format": FORMAT, "version": 1, "steps": []}), "holds no receipt"),
        (json.dumps({"format": FORMAT, "version": 1, "steps": [3]}), r"receipt\[0\] is not an entry"),
        (json.dumps({"format": FORMAT, "version": 1, "steps": [{}], "features": 3}), "damaged"),
        (json.dumps({"format": FORMAT, "version": 1, "steps": [{}], "tables": {"a": 1}}), "damaged"),
        (json.dumps({"format": FORMAT, "version": 1, "steps": [{}], "dtypes": {"y": "x"}}), "dtype"),
    ],
)
def test_what_is_no_recipe_is_refused(text: str, words: str) -> None:
    with pytest.raises((DataError, sq.UsageError), match=words):
        Recipe.of_json(text, "r.json")


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_made_again_from_its_entry(name: str) -> None:
    """Whatever a receipt leaves out, since it is None, False or empty, comes back so."""
    arguments = {
        "split": {"val": 0.1, "test": 0.2},
        "truncate": {"maxlen": 3},
        "window": {"size": 3, "horizon": 2, "target": ["a"]},
        "filter": {"min_len": 2},
        "fill": {"method": ["forward", "mean"]},
    }.get(name, {})
    try:
        operation = operation_of(name, arguments)
    except sq.UsageError as error:
        pytest.skip(f"it needs arguments: {error}")
    entry = Entry(name, [], operation.arguments(), Rows(0, 0)).as_json()
    again = operation_of(name, json.loads(json.dumps(entry["arguments"])))
    assert again == operation
    assert {*annotated_fields(type(operation))} >= {*entry["arguments"]}


def test_steps_are_shown_as_they_are_typed() -> None:
    recipe = recipe_of(sq.scale(sq.group(FRAME, key="k", label="y"), method="standard"))
    shown = steps_shown(recipe)
    assert [command for command, _ in shown if command] == ["group", "scale"]
    assert shown[0][1].startswith("--key k --columns x --label y --label-as class")
    assert ("", "center: 3") in shown
    assert ("", "classes: no, yes") in shown
    named = recipe_of(sq.scale(sq.group(FRAME, key="k", label="y"), features=["x"]))
    assert steps_shown(named)[1] == ("scale", "--method standard --features x")


def test_fit_changes_nothing_and_transform_does_the_same_again(tmp_path: Path) -> None:
    made = sq.scale(sq.group(FRAME, key="k", label="y"), method="standard")
    sq.save(tmp_path / "a.npz", made)
    known = sq.recipe(tmp_path / "a.npz")
    assert known.fit(FRAME.iloc[:1]) is known
    again = known.transform(FRAME)
    assert isinstance(again, sq.Padded)
    assert again.x.tobytes() == made.x.tobytes()
    without_mark = [
        {**step, "arguments": {n: v for n, v in step["arguments"].items() if n != "using"}}
        for step in again.receipt
    ]
    assert without_mark == [*made.receipt]
    assert "using" in again.receipt[1]["arguments"]
    assert repr(known) == "Transformer(group > scale)"
    rows = [{"x": 3.0, "k": "c", "more": 1}]
    single = known.transform(rows)
    assert single.x.tolist() == [[[0.0], [0.0]]]
    assert (single.keys.tolist(), "y" in single.per_sequence, single.names) == (["c"], False, {})
    with pytest.raises(DataError, match=r"lacks 'x', which a\.npz was made of; its columns are k, y"):
        known.transform(FRAME.drop(columns="x"))
    with pytest.raises(DataError, match=r"label 'maybe' is none of the classes of a\.npz: no, yes"):
        known.transform(FRAME.replace("yes", "maybe"))


def test_sequences_are_done_to_as_sequences_were(tmp_path: Path) -> None:
    made = sq.pad(sq.scale([[1.0, 2.0, 3.0], [5.0]], method="standard"), maxlen=2, value=-9)
    sq.save(tmp_path / "a.npz", made)
    again = sq.recipe(tmp_path / "a.npz").transform([[1.0, 2.0, 3.0], [5.0], []])
    assert again.x[:2].tolist() == made.x.tolist()
    assert again.x[2].tolist() == [-9, -9]


def test_a_matrix_without_names(tmp_path: Path) -> None:
    matrix = np.array([[1, 2.5, 7], [2, 3.5, 8], [1, 4.5, 9]])
    made = sq.group(matrix, key=0, order_by=2, keep_key=False, ragged=True)
    sq.save(tmp_path / "a.npz", made)
    again = sq.recipe(tmp_path / "a.npz").transform(matrix.tolist())
    assert isinstance(again, sq.Ragged)
    assert again.values.tolist() == made.values.tolist()
    with pytest.raises(DataError, match="lacks '2'"):
        sq.recipe(tmp_path / "a.npz").transform(matrix[:, :2])


def test_labels_and_static_numbers_of_another_table(tmp_path: Path) -> None:
    people = pd.DataFrame({"k": ["a", "b"], "age": [3, 4], "y": ["no", "yes"]})
    people.to_csv(tmp_path / "people.csv", index=False)
    steps, file = FRAME[["k", "x"]], f"{tmp_path}/people.csv"
    made = sq.group(steps, key="k", label=f"{file}:y", static=f"{file}:age")
    sq.save(tmp_path / "a.npz", made)
    known = sq.recipe(tmp_path / "a.npz")
    for label, static in ((f"{file}:y", f"{file}:age"), ((people, "y"), (people, ["age"]))):
        again = known.transform(steps, label=label, static=static)
        assert again.per_sequence["static"].tolist() == [[3], [4]]
        assert (again.per_sequence["y"].tolist(), again.names["classes"].tolist()) == ([0, 1], ["no", "yes"])
    with pytest.raises(DataError, match=r'another table is joined by static="people\.csv:age"'):
        known.transform(steps)
    with pytest.raises(sq.UsageError, match=r"label names 'z'; a\.npz has 'y'"):
        known.transform(steps, label=(people, "z"))


def test_a_joined_label_that_stands_among_the_rows_is_read_there(tmp_path: Path) -> None:
    FRAME[["k", "y"]].drop_duplicates().to_csv(tmp_path / "people.csv", index=False)
    made = sq.group(FRAME[["k", "x"]], key="k", label=f"{tmp_path}/people.csv:y")
    sq.save(tmp_path / "a.npz", made)
    assert sq.recipe(tmp_path / "a.npz").transform(FRAME).per_sequence["y"].tolist() == [0, 1]


def test_rows_of_categories_alone_have_no_features(tmp_path: Path) -> None:
    made = sq.group(FRAME, key="k", category="y", columns=[])
    assert made.x.ndim == 2
    sq.save(tmp_path / "a.npz", made)
    assert sq.recipe(tmp_path / "a.npz").transform(FRAME).x.tolist() == made.x.tolist()


def test_features_without_any_value_are_warned_of(tmp_path: Path) -> None:
    sq.save(tmp_path / "a.npz", sq.group(FRAME[["k", "x"]], key="k"))
    with (
        pytest.warns(UserWarning, match="missing values became NaN") as caught,
        pytest.warns(UserWarning, match="no value at all: x; 1 of 1 features"),
    ):
        sq.recipe(tmp_path / "a.npz").transform(FRAME.assign(x=np.nan))
    assert {Path(one.filename) for one in caught} == {Path(__file__)}
