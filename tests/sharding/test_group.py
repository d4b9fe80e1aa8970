"""Shards hold what `group` without them holds, whatever the table, its files, and the engine."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.command import Place, succeeded
from tests.hunting import examples
from tests.sharding.data_sets import (
    NUMBER_KEYS,
    TEXT_KEYS,
    Row,
    files_of,
    shards_are_those_of_one_file,
    tables,
)

ORDERED = [
    ["--gap", "3"],
    ["--keep-order"],
    ["--delta", "t"],
    ["--every", "2", "--agg", "last"],
    ["--gap", "2", "--keep-row-index", "--min-len", "2"],
]
FREE = [
    ["--label", "lab"],
    ["--static", "s"],
    ["--label", "lab", "--static", "s"],
    ["--category", "c"],
    ["--step-label", "c"],
    ["--where", "a > 0"],
    ["--min-len", "2"],
    ["--keep-row-index"],
    ["--position"],
    ["--dtype", "float64"],
]


@st.composite
def calls(draw: st.DrawFn) -> tuple[list[Row], list[str], int, int]:
    """A table, options, shards, and how many columns of a key are hashed."""
    rows = draw(tables(draw(st.sampled_from([TEXT_KEYS, NUMBER_KEYS]))))
    empty = draw(st.sampled_from([None, "drop", "keep", "error"]))
    if empty is not None:
        rows[draw(st.integers(0, len(rows) - 1))] |= {"k": "", "s": "0", "lab": "of none"}
    options = draw(st.sampled_from([["--key", "k"], ["--key", "k"], ["--key", "k,m"], ["--no-key"]]))
    hashed = options[-1].count(",") + 1 if options[0] == "--key" else 0
    options = [*options, *(["--empty-key", empty] if empty and hashed else [])]
    ordered = draw(st.sampled_from([[], ["--order-by", "t"], *(["--order-by", "t", *one] for one in ORDERED)]))
    free = [one for one in FREE if not {*one} & {*ordered}]
    taken = draw(st.lists(st.sampled_from(free), max_size=2, unique_by=lambda one: one[0]))
    return rows, [*options, *ordered, "--columns", "a,b", *sum(taken, [])], draw(st.integers(1, 6)), hashed


@pytest.fixture(scope="module")
def module_place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("shards"))


@given(calls(), st.integers(1, 3), st.sampled_from([".csv", ".csv.gz", ".parquet"]))
def test_shards_hold_what_one_file_holds(
    module_place: Place, call: tuple[list[Row], list[str], int, int], files: int, suffix: str
) -> None:
    rows, options, shards, hashed = call
    names = files_of(module_place, rows, files=files, suffix=suffix)
    shards_are_those_of_one_file(module_place, names, options, shards, hashed)
