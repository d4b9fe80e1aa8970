"""The tables of a plan, as a person sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqtool.counting import LengthCounts
from seqtool.planning import plan_lengths
from seqtool.prices import show_plan
from tests.terminal import ESCAPE


def drawn(capsys: pytest.CaptureFixture[str], counts: LengthCounts, **known: Any) -> str:
    """What is shown of a plan for these lengths, each run of blanks as one."""
    plan = plan_lengths(counts, features=2, itemsize=4)
    given = {"inputs": ["in.csv"], "notes": [], "features": 2, "dtype": "float32", "command": None}
    show_plan({**given, **plan.facts(), **known})
    told = capsys.readouterr()
    assert told.err == ""
    assert ESCAPE not in told.out
    assert max(map(len, told.out.splitlines())) <= 120
    return " ".join(told.out.split())


def test_a_plan_is_drawn_with_its_prices(capsys: pytest.CaptureFixture[str]) -> None:
    told = drawn(capsys, LengthCounts(np.array([2, 4]), np.array([9, 1])), command="seqtool pad in.csv")
    for words in (
        "in.csv: 10 sequences, 22 steps, 2 features, shortest 2, median 2, longest 4",
        "2 90% 1 (10.0%) 2 (9.1%) 0% 160 B",
        "4 longest ◂ 0 0 45.0% 320 B",
        "one block, longest: 4 40 45.0% 1.0 x",
        "2 buckets, to 2, 4 22 0% 1.8 x",
        "packed: no padding 22 0% 1.8 x",
        "maxlen 4: 45.0% of the slots are padding, but",
        "seqtool pad in.csv",
    ):
        assert words in told


def test_the_largest_numbers_are_drawn_whole(capsys: pytest.CaptureFixture[str]) -> None:
    told = drawn(capsys, LengthCounts(np.array([3, 1_000_000]), np.array([1_000_000, 1])))
    for words in (
        "3 99% ◂ 1 (<0.1%) 999,997 (25.0%) 0% 24.0 MB",
        "960,000 99% of steps 1 (<0.1%) 40,000 (1.0%) >99.9% 7.7 TB",
        "1,000,001,000,000",
        "ragged: Even the smallest maxlen",
        "cuts 1 of the sequences (<0.1%) and loses 999,997 of the steps (25.0%)",
    ):
        assert words in told


def test_without_steps_there_is_nothing_to_price(capsys: pytest.CaptureFixture[str]) -> None:
    empty = np.array([], np.int64)
    assert drawn(capsys, LengthCounts(empty, empty)) == (
        "in.csv: 0 sequences, 0 steps, 2 features There are no sequences, so nothing to pad."
    )


def test_names_and_commands_are_data(capsys: pytest.CaptureFixture[str]) -> None:
    counts = LengthCounts(np.array([2]), np.array([3]))
    told = drawn(capsys, counts, inputs=["[red]a\x1b[31m"], command="seqtool pad '[/b]\x1b'")
    assert "[red]a\\x1b[31m: 3 sequences" in told
    assert "seqtool pad '[/b]\\x1b'" in told
