from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.errors import DataError
from seqtool.tables.in_memory import from_array
from seqtool.tables.roles import OrderAs, resolve
from seqtool.tables.table import Table
from seqtool.words import join_names, split_names


def table(*names: str | None) -> Table:
    return Table("the table", names, True, lambda columns: iter(()), lambda row: f"row {row}")


NAMED = table("id", "t", "a", "y", None, "b", "s")
BARE = from_array(np.zeros((1, 4)))


def features(of: Table, **options: Any) -> tuple[int, ...]:
    return resolve(of, **({"key": [0]} | options)).features


def test_in_a_table_with_names_key_order_label_and_static_are_no_features() -> None:
    roles = resolve(NAMED, key=["id"], order_by=["t"], label="y", static=["s"])
    assert roles.features == (2, 5)
    assert (roles.key, roles.order, roles.labels, roles.static) == ((0,), (1,), (3,), (6,))
    assert roles.spare_features == frozenset()
    assert resolve(NAMED, key=["id"], step_label="y").features == (1, 2, 5, 6)


def test_in_a_table_without_names_every_column_is_a_feature() -> None:
    roles = resolve(BARE, key=[2], order_by=[1])
    assert roles.features == (0, 1, 2, 3)
    assert roles.spare_features == {2}


def test_a_column_without_a_name_is_a_feature_only_if_its_position_is_named() -> None:
    assert 4 not in features(NAMED)
    assert features(NAMED, columns=["4"]) == (4,)


def test_columns_decides_alone_and_keeps_its_order() -> None:
    assert features(NAMED, columns=["b", "id", "a"]) == (5, 0, 2)
    assert features(BARE, columns=[3, 0]) == (3, 0)
    assert resolve(BARE, key=[0], columns=[0, 1]).spare_features == frozenset()


def test_drop_leaves_columns_out() -> None:
    assert features(NAMED, drop=["b", "t", "s"]) == (2, 3)
    assert features(BARE, drop=["1"]) == (0, 2, 3)


def test_keep_key_and_drop_key_decide_about_the_key() -> None:
    assert features(NAMED, key=["a"], keep_key=True) == (0, 1, 2, 3, 5, 6)
    assert features(NAMED, columns=["b"], keep_key=True) == (5, 0)
    assert features(NAMED, columns=["id", "b"], keep_key=True) == (0, 5)
    assert features(NAMED, columns=["id", "b"], keep_key=False) == (5,)
    assert features(BARE, keep_key=False) == (1, 2, 3)
    assert resolve(BARE, key=[0], keep_key=True).spare_features == frozenset()


def test_several_keys_keep_their_order() -> None:
    assert resolve(NAMED, key=["t", "id"]).key == (1, 0)


def test_order_by_text_is_told_apart() -> None:
    roles = resolve(NAMED, key=["id"], order_by=["t:text", "a"])
    assert roles.order == (1, 2)
    assert roles.order_as == {1: OrderAs(text=True)}
    named = table("k", "t:text", "a")
    assert resolve(named, key=["k"], order_by=["t:text"]).order_as == {}
    assert resolve(BARE, key=[0], order_by=["1:text"]).order_as == {1: OrderAs(text=True)}


def test_a_name_wins_over_a_position() -> None:
    odd = table("a", "0", "b")
    assert resolve(odd, key=["0"]).key == (1,)
    assert resolve(odd, key=[0]).key == (1,)
    assert resolve(odd, key=["2"]).key == (2,)


def test_used_and_unused_columns() -> None:
    roles = resolve(NAMED, key=["id"], order_by=["t"], label="y", drop=["b"], static=["s"])
    assert roles.used == (0, 1, 2, 3, 6)


@pytest.mark.parametrize("part", ["key", "order_by", "columns", "drop", "static"])
def test_a_column_that_is_not_there_is_refused_with_those_that_are(part: str) -> None:
    with pytest.raises(DataError, match=r"no column 'zz'; the columns are id, t, a, y, \(no name\), b, s"):
        resolve(NAMED, **({"key": ["id"]} | {part: ["zz"]}))  # type: ignore[arg-type]


@pytest.mark.parametrize("part", ["label", "step_label"])
def test_a_label_that_is_not_there_is_refused(part: str) -> None:
    with pytest.raises(DataError, match="no column 'zz'"):
        resolve(NAMED, key=["id"], **{part: "zz"})  # type: ignore[arg-type]


@pytest.mark.parametrize("place", ["4", "99", 4])
def test_a_position_out_of_range_is_refused(place: Any) -> None:
    with pytest.raises(DataError, match="out of range: there are 4 columns, counted from 0 to 3"):
        resolve(BARE, key=[place])


@pytest.mark.parametrize("name", ["id", "-1", "1.0", ""])
def test_a_name_where_there_are_none_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="the columns have no names; use a position from 0 to 3"):
        resolve(BARE, key=[name])


@pytest.mark.parametrize(
    "options", [{"columns": []}, {"columns": ["id"], "keep_key": False}, {"drop": ["t", "a", "y", "b", "s"]}]
)
def test_a_call_that_leaves_no_feature_is_refused(options: Any) -> None:
    with pytest.raises(DataError, match="no column is left to be a feature"):
        resolve(NAMED, key=["id"], **options)


@given(
    st.lists(
        st.text(st.characters(exclude_characters='"\r\n\0', exclude_categories=["Cs"]), min_size=1)
        .map(str.strip)
        .filter(bool),
        min_size=1,
    )
)
def test_joined_names_are_split_into_the_same(names: list[str]) -> None:
    assert split_names(join_names(names)) == names


@pytest.mark.parametrize("names", [['say "hi"', "b"], ['"', "b"], ['a",b', "c"], ['"quoted"', "b"]])
def test_names_with_quotes_survive_too(names: list[str]) -> None:
    assert split_names(join_names(names)) == names


def test_names_are_split_at_commas_outside_quotes() -> None:
    assert split_names("a, b,c d") == ["a", "b", "c d"]
    assert split_names('"a,b",c') == ["a,b", "c"]
    assert split_names("") == []


def test_the_key_alone() -> None:
    roles = resolve(NAMED, key=["id"], order_by=["t:text"], label="y", static=["s"]).key_alone()
    assert (roles.key, roles.used, roles.features) == ((0,), (0,), ())
    assert resolve(BARE, key=[2]).key_alone().used == (2,)
