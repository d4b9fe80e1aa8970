"""The tables of a plan, as a person sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqtool.inspecting.planning import plan_lengths
from seqtool.inspecting.show_plan import show_plan
from seqtool.sequences.lengths import LengthCounts
from tests.screen import ESCAPE


def drawn(capsys: pytest.CaptureFixture[str], counts: LengthCounts, **known: Any) -> str:
    """What is shown of a plan for these lengths, each run of blanks as one."""
    plan = plan_lengths(counts, features=2, itemsize=4)
    given = {"inputs": ["in.csv"], "notes": [], "features": 2, "dtype": "float32", "command": None}
    show_plan({**given, **plan.facts(), **known})
    captured = capsys.readouterr()
    assert captured.err == ""
    assert ESCAPE not in captured.out
    assert max(map(len, captured.out.splitlines())) <= 120
    return " ".join(captured.out.split())


def test_a_plan_is_drawn_with_its_prices(capsys: pytest.CaptureFixture[str]) -> None:
    text = drawn(capsys, LengthCounts(np.array([2, 4]), np.array([9, 1])), command="seqtool pad in.csv")
    for words in (
        "in.csv 10 sequences, 22 steps, 2 features shortest 2, median 2, longest 4",
        "2 90% 1 (10.0%) 9.1% 0% 160 B",
        "▸ 4 longest 0 0% 45.0% 320 B",
        "one block, longest: 4 40 45.0% 1.0 x",
        "2 buckets, to 2, 4 22 0% 1.8 x",
        "packed: no padding 22 0% 1.8 x",
        "maxlen 4 With the longest 45.0% of the slots are padding, and",
        "seqtool pad in.csv",
    ):
        assert words in text


def test_the_largest_numbers_are_drawn_whole(capsys: pytest.CaptureFixture[str]) -> None:
    text = drawn(capsys, LengthCounts(np.array([3, 1_000_000]), np.array([1_000_000, 1])))
    for words in (
        "3 99% 1 (<0.1%) 25.0% 0% 24.0 MB",
        "960,000 99% steps 1 (<0.1%) 1.0% >99.9% 7.7 TB",
        "1,000,001,000,000",
        "batches of 32 by length 4,000,000 0% 250,000.2 x",
        "ragged With the longest >99.9% of the slots are padding",
        "maxlen 1,000,000 cuts nothing",
    ):
        assert words in text


def test_without_steps_there_is_nothing_to_price(capsys: pytest.CaptureFixture[str]) -> None:
    empty = np.array([], np.int64)
    assert drawn(capsys, LengthCounts(empty, empty)) == (
        "in.csv 0 sequences, 0 steps, 2 features There are no sequences, so nothing to pad."
    )


def test_names_and_commands_are_data(capsys: pytest.CaptureFixture[str]) -> None:
    counts = LengthCounts(np.array([2]), np.array([3]))
    text = drawn(capsys, counts, inputs=["[red]a\x1b[31m"], command="seqtool pad '[/b]\x1b'")
    assert "[red]a\\x1b[31m 3 sequences" in text
    assert "seqtool pad '[/b]\\x1b'" in text


def test_lines_are_wrapped_between_words(capsys: pytest.CaptureFixture[str]) -> None:
    notes = ["the rows of a table that says much about itself, such as where it came from and when", "short"]
    counts = LengthCounts(np.array([1, 50]), np.array([99, 2]))
    plan = plan_lengths(counts, features=None, itemsize=4)
    given = {"inputs": ["in.csv"], "features": None, "dtype": "float32", "command": "seqtool pad in.csv"}
    show_plan({**given, **plan.facts(), "notes": notes})
    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == [
        "in.csv",
        "  101 sequences, 199 steps",
        "  shortest 1, median 1, longest 50",
        "  the rows of a table that says much about itself, such as where it came from",
        "  and when",
        "  short",
    ]
    reason = lines[lines.index("ragged") + 1 : -2]
    assert " ".join(line.strip() for line in reason) == plan.advice.reason
    assert all(line == line.rstrip() and len(line) <= 80 for line in reason)
