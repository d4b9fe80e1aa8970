"""`seqtool.pad` of tables in memory, with a sequence in each row."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import seqtool
from seqtool.errors import DataError, UsageError

FRAME = pd.DataFrame(
    {
        "id": [7, 8],
        "y": ["b", "a"],
        "age": [1.5, 2],
        "t0": [1, 3],
        "t1": [2, None],
        "s": [[1, 2], [3]],
        "g": ["x y", "x"],
    }
)


@pytest.mark.parametrize("data", [FRAME, pa.Table.from_pandas(FRAME, preserve_index=False)])
def test_columns_of_steps_and_what_stands_beside_them(data: Any) -> None:
    for steps in (["t0", "t1"], "t{0..1}", [3, 4]):
        padded = seqtool.pad(data, steps=steps, label="y", key="id", static=["age"], padding="post")
        assert (padded.x.tolist(), padded.lengths.tolist()) == ([[1, 2], [3, 0]], [2, 1])
        assert padded.keys is not None
        assert (padded.keys.tolist(), padded.per_sequence["y"].tolist()) == ([7, 8], [1, 0])
        assert padded.per_sequence["static"].tolist() == [[1.5], [2]]


def test_columns_of_lists_and_labels_of_steps() -> None:
    padded = seqtool.pad(FRAME, array="s", step_label="g", label_value=-1, padding="post")
    assert padded.x.tolist() == [[1, 2], [3, 0]]
    assert padded.per_step["step_y"].data.tolist() == [[0, 1], [0, -1]]


def test_a_warning_points_at_the_caller() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        seqtool.pad(FRAME, steps="t{0..1}", trailing_missing="keep")
        seqtool.pad([[1, None]])
    assert [one.filename for one in caught] == [__file__, __file__]
    assert all("became NaN" in str(one.message) for one in caught)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"label": "y"}, UsageError, "^label: name the columns of steps"),
        ({"steps": "t0", "array": "s"}, UsageError, "^array and steps both"),
        ({"steps": "t9"}, DataError, "no column 't9'"),
        ({"steps": "t0", "trailing_missing": "no"}, UsageError, "drop or keep"),
        ({"steps": ["t0", "y"]}, DataError, "row 0, column 'y': 'b'; a number was expected"),
    ],
)
def test_errors_name_arguments(arguments: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        seqtool.pad(FRAME, **arguments)


def test_a_key_stands_once() -> None:
    with pytest.raises(DataError, match="duplicate key 1"):
        seqtool.pad(np.array([[1, 2], [1, 3]]), steps=[1], key=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": "t{0..1}", "time_major": True}, "time_major describes padded arrays; a table holds none"),
        ({"array": "s", "time_major": True}, "time_major describes padded arrays; a table holds none"),
        ({"array": "s", "trailing_missing": "keep"}, "trailing_missing is for the columns of a wide table"),
    ],
)
def test_what_tables_have_no_use_for_is_refused_as_on_the_command_line(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        seqtool.pad(FRAME, **options)


def test_what_lists_have_no_use_for_is_refused_whatever_names_it() -> None:
    with pytest.raises(UsageError, match="trailing_missing is for the columns of a wide table"):
        seqtool.pad([[1], [2, 3]], trailing_missing="keep")
    for columns in (pd.Index(["a", "b"]), np.array(["a", "b"]), ["a", "b"]):
        with pytest.raises(UsageError, match="static: name the columns of steps"):
            seqtool.pad([[1], [2, 3]], static=columns)
