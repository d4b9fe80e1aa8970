"""Counting the rows of a table by key, beside grouping them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtool.arrays.spool import Spool
from seqtool.files.inputs import opened
from seqtool.grouping.counting import count_table
from seqtool.grouping.group import group_table
from seqtool.grouping.options import GroupOptions
from seqtool.grouping.workspace import Workspace
from seqtool.system.memory import Memory
from seqtool.tables.opening import open_tables
from seqtool.tables.roles import resolve
from seqtool.tables.table import TextOptions
from tests.cutting import AMPLE, MEMORIES
from tests.oracles import text_of
from tests.written import rewrite


@MEMORIES
@given(rows=st.lists(st.tuples(st.sampled_from(["1", "2", "10", "x", ""]), st.integers(0, 2)), min_size=1))
def test_counting_finds_the_lengths_that_grouping_finds(
    scratch: Path, memory: Memory, rows: list[tuple[str, int]]
) -> None:
    path = scratch / "counted.csv"
    rewrite(path, ("k,j,a\n" + "".join(f"{k},{j},{i}\n" for i, (k, j) in enumerate(rows))).encode())
    options = GroupOptions(empty_key="keep")
    with opened([str(path)]) as found, Spool() as spool:
        table = open_tables(found)
        for key in (["k"], ["j"], ["k", "j"]):
            parts = resolve(table, key=key, order_by=["a"], columns=["a"])
            counted = count_table(table, parts, options, Workspace(spool, memory))
            result = group_table(table, parts, options, Workspace(spool, memory))
            assert text_of(counted.lengths) == text_of(result.ragged.lengths)
            assert (counted.rows.kept, counted.rows.rows_in) == (result.rows.kept, result.rows.rows_in)
            assert (counted.features, counted.dtype) == (result.features, result.ragged.values.dtype)


@pytest.mark.parametrize("key", [[0], [1], [0, 1]])
@pytest.mark.parametrize("cell", ["5", "0.5", "x"])
def test_counting_a_table_without_names_finds_the_features_that_grouping_finds(
    tmp_path: Path, key: list[int], cell: str
) -> None:
    path = tmp_path / "in.csv"
    path.write_text(f"1,2,3\n1,2,3\n{cell},7,8\n", encoding="ascii")
    with opened([str(path)]) as found, Spool() as spool:
        table = open_tables(found, TextOptions(header=False))
        parts = resolve(table, key=key, drop=["0"] if cell == "x" and 0 not in key else [])
        counted = count_table(table, parts, GroupOptions(), Workspace(spool, AMPLE))
        result = group_table(table, parts, GroupOptions(), Workspace(spool, AMPLE))
    assert counted.features == result.features
    assert text_of(counted.lengths) == text_of(result.ragged.lengths)


def test_counting_a_table_whose_only_feature_is_a_key_of_text(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("x\ny\n", encoding="ascii")
    with opened([str(path)]) as found, Spool() as spool:
        table = open_tables(found, TextOptions(header=False))
        counted = count_table(table, resolve(table, key=[0]), GroupOptions(), Workspace(spool, AMPLE))
    assert "no column is left to be a feature" in str(counted.refused)
    assert text_of(counted.lengths) == text_of([1, 1])
