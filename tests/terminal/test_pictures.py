"""Pictures in a terminal of colours, and in plain text."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from seqtool.terminal.pictures import show_heatmap, show_histogram
from tests.screen import ESCAPE

NAN = float("nan")


def console(*, width: int = 100, colours: Any = None) -> Console:
    """A terminal of this width; without colours it is as a pipe."""
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colours is not None,
        color_system=colours,
        highlight=False,
    )


def text(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def histogram(bars: list[tuple[int, int, int]], **options: Any) -> list[str]:
    out = console()
    show_histogram(out, bars, **options)
    return text(out).splitlines()


def picture(slots: Any, *, real: tuple[int, int] | None = None, features: Any = None, **options: Any) -> str:
    out, slots = console(**options), np.array(slots)
    show_heatmap(out, slots, real=real or (0, len(slots)), features=features)
    return text(out)


def test_the_bars_of_a_histogram_are_as_long_as_their_counts() -> None:
    title, *lines, last = histogram([(1, 10, 4000), (11, 20, 1000), (21, 30, 1)])
    assert title == "sequences by length, in steps"
    assert lines == [
        "  1 to 10  4,000  " + "█" * 40,
        " 11 to 20  1,000  " + "█" * 10,
        " 21 to 30      1  ▏",
    ]
    assert last == ""


def test_a_histogram_marks_the_maxlen() -> None:
    lines = histogram([(1, 1, 8), (2, 2, 0), (3, 3, 0), (4, 4, 2)], marked=3)
    assert lines[1:-1] == [
        " 1  8  " + "█" * 40,
        " 2  0",
        " 3  0   ◂ maxlen 3",
        " 4  2  " + "█" * 10,
    ]


def test_no_sequences_have_no_histogram() -> None:
    assert histogram([]) == []


def test_without_colours_a_row_a_feature_stands_in_shades() -> None:
    slots = [[0, 9, 1], [1, NAN, 1], [2, 7, 1], [3, 8, 1], [4, 9, 1], [0, 0, 0]]
    text = picture(slots, real=(0, 5), features=["up", "hole", "same"], width=60)
    assert ESCAPE not in text
    lines = text.splitlines()
    assert lines[:4] == [
        "   up     ░░░░▒▒▒▒▓▓▓▓████···· 0 to 4",
        " hole ████????    ▒▒▒▒████···· 7 to 9",
        " same ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒···· 1",
        " step 0   1   2   3   4   5",
    ]
    assert "low  ░▒▓█ high" in lines[4]
    assert lines[5].strip() == "· padding   ? missing or infinite"


def test_the_legend_tells_only_of_what_is_there() -> None:
    text = picture([[1.0], [2.0]])
    assert "padding" not in text
    assert "missing" not in text
    assert "mean" not in text


def test_padding_at_the_start_counts_slots_not_steps() -> None:
    assert " slot 0" in picture([[0], [1]], real=(1, 2))
    assert " step 0" in picture([[0], [1]], real=(0, 1))


def test_in_colours_two_features_share_a_line() -> None:
    text = picture(np.arange(70).reshape(10, 7), colours="truecolor")
    assert text.count("▀") + text.count("█") > 0
    plain = without_codes(text)
    rows = [line for line in plain if "▀" in line]
    assert [line.split("▀")[0].strip() for line in rows] == ["0, 1", "2, 3", "4, 5"]
    assert rows[0].endswith("0 to 63, 1 to 64")
    [odd] = [line for line in plain if line.startswith("    6 ")]
    assert set(odd.split()[1]) == {"█"}


def test_in_colours_few_features_have_a_line_each() -> None:
    rows = without_codes(picture([[1, 2], [3, 4]], colours="256"))
    assert [row.split()[0] for row in rows[:2]] == ["0", "1"]
    assert "▀" not in "".join(rows)


def without_codes(message: str) -> list[str]:
    return re.sub("\x1b\\[[0-9;]*m", "", message).splitlines()


def test_colours_are_those_of_the_ends_of_the_scale_and_padding_has_its_own() -> None:
    text = picture([[0.0], [1.0], [NAN], [0.0]], real=(0, 3), colours="truecolor")
    row = text.splitlines()[0]
    for color in ("68;1;84", "253;231;37", "88;88;88", "215;0;95"):
        assert f"{ESCAPE}[38;2;{color}m" in row


@pytest.mark.parametrize("colours", ["standard", None])
def test_a_terminal_of_few_colours_gets_shades(colours: str | None) -> None:
    assert "░" in picture([[0.0], [1.0]], colours=colours)


@pytest.mark.parametrize("width", [20, 40, 80, 120])
@pytest.mark.parametrize("colours", ["truecolor", None])
@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (29, 12), (500, 60), (3000,), (0, 2), (5, 0)])
def test_no_line_is_wider_than_the_terminal(width: int, colours: str | None, shape: tuple[int, ...]) -> None:
    text = picture(np.random.default_rng(0).normal(size=shape) * 1e9, width=width, colours=colours)
    assert all(len(line) <= width for line in without_codes(text))


def test_what_is_averaged_or_left_out_is_reported() -> None:
    text = picture(np.zeros((1000, 100)), width=80)
    assert "each column is the mean of 20 steps" in text
    assert "the first 32 of 100 features" in text
    text = picture(np.zeros((1000, 1)), real=(0, 5), width=80)
    assert "of 1,000; all others are padding" in text


def test_names_are_data() -> None:
    text = picture([[1, 2, 3]], features=["[red]a[/]", "\x1b[31mb", "一二三四五六七八"], colours="truecolor")
    rows = without_codes(text)
    assert "[red]a[/]" in rows[0]
    assert "\\x1b[31mb" in rows[1]
    assert "一二三四五六 …" in rows[2]
    assert f"{ESCAPE}[31mb" not in text
