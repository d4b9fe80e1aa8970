from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.errors import DataError, UsageError
from seqtool.sequences.conditions import Condition
from seqtool.sequences.ragged import Ragged
from seqtool.where import Comparison, mask, parse


def test_conditions_name_what_a_sequence_has() -> None:
    ragged = Ragged(
        np.arange(6.0),
        np.array([0, 1, 3, 6]),
        keys=np.array([["u1", "7"], ["u1", "8"], ["u2", "7"]]),
        per_sequence={
            "y": np.array([0, 1, -100]),
            "static": np.array([[0.1, 30.0], [0.2, np.nan], [0.3, 20.0]], np.float32),
            "split": np.array(["train", "test", "val"]),
            "part": np.array([0, 4, 8]),
        },
        names={"classes": np.array(["walk", "run"]), "static_features": np.array(["height", "age"])},
        receipt=({"command": "group", "arguments": {"key": ["user", "day"], "label": "gait"}},),
    )

    def found(where: str) -> list[float]:
        return [float(steps[0]) for steps in sq.filter(ragged, where=where, allow_empty=True)]

    assert found("user == u1") == [0, 1]
    assert found("day == 7") == found("day == '7'") == [0, 3]
    assert found("user == u1 and day in (8, 9) or split == val") == [1, 3]
    assert found("gait == walk") == found("y == walk") == [0]
    assert found("y != walk") == [1]  # -100 is no label
    assert found("not y == walk") == [1]
    assert found("age >= 20") == [0, 3]
    assert found("age < 100") == [0, 3]
    assert found("height == 0.1") == [0]
    assert found("part > 3 and length <= 2") == [1]
    assert found("age < 1e400") == [0, 3]
    assert found(f"length < {10**30} and age < {10**400} and age > -{10**400}") == [0, 3]
    for where, match in {
        "weight > 1": "no column 'weight' of one cell a sequence; there are user, day, gait, y, height",
        "y == 3": "y is of the classes walk, run, none of which is 3",
        "user == 7": "user holds 'u1', which is compared with the number 7; to compare text, put quotes around it: '7'",
    }.items():
        with pytest.raises(DataError, match=match):
            found(where)
    for where, match in {
        "length > long": "length holds numbers, which are not compared with the text 'long'",
        "user == day": "day is a column too",
        "length >": "ends after 'length >'",
    }.items():
        with pytest.raises(UsageError, match=match):
            found(where)


@given(
    st.recursive(
        st.sampled_from(["a == 1", "b == 1", "a > 0", "b in (0, 1)"]),
        lambda parts: (
            st.builds("({} and {})".format, parts, parts)
            | st.builds("({} or {})".format, parts, parts)
            | st.builds("not {}".format, parts)
        ),
        max_leaves=6,
    )
)
def test_missing_cells_decide_as_they_do_in_a_table(where: str) -> None:
    cells = np.array([[a, b] for a in (0, 1, np.nan) for b in (0, 1, np.nan)])
    names = {"static_features": np.array(["a", "b"])}
    ragged = Ragged(np.arange(9), np.arange(10), per_sequence={"static": cells}, names=names)
    arrow = {name: pa.array(cells[:, i], from_pandas=True) for i, name in enumerate("ab")}

    def compare(comparison: Comparison) -> Any:
        column, numbers = arrow[comparison.column], [value.number for value in comparison.values]
        if comparison.sign == "in":
            return pc.if_else(
                column.is_valid(), pc.is_in(column, value_set=pa.array(numbers, pa.float64())), None
            )
        return pc.equal(column, numbers[0]) if comparison.sign == "==" else pc.greater(column, numbers[0])

    expected = mask(parse(where), compare)
    found, missing = Condition(where, ragged).selected(0, 9)
    assert [
        None if is_missing else bool(is_true) for is_true, is_missing in zip(found, missing, strict=True)
    ] == (expected.to_pylist())


def test_classes_without_a_name_and_many_digits() -> None:
    nothing = Ragged(np.arange(2), np.arange(3), per_sequence={"y": np.array([-100, -100])})
    none = nothing.replace(names={"classes": np.empty(0, "U1")})
    assert len(sq.filter(none, where="y == walk", allow_empty=True)) == 0
    keys = np.array([2**53, 2**53 + 1])
    assert sq.filter(nothing.replace(keys=keys), where=f"key == {2**53 + 1}").keys.tolist() == [2**53 + 1]
