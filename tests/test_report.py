import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from seqtool import memory, report
from seqtool.errors import DataError
from seqtool.report import Summary, count, listed, print_json, progress, show_file

ESCAPE = "\x1b"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


Attach = Callable[[], Terminal]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Attach:
    """Puts a terminal that draws colours on standard error, where pytest would put its own stream at first."""

    def attach() -> Terminal:
        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("COLUMNS", "100")
        for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
            monkeypatch.delenv(name, raising=False)
        return screen

    return attach


# Words


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1_234_567, "1,234,567 rows")]
)
def test_a_number_agrees_with_its_noun(number: int, told: str) -> None:
    assert count(number, "row") == told


@pytest.mark.parametrize(
    ("many", "told"),
    [(0, ""), (1, "a"), (3, "a, b, c"), (4, "a, b, ... d"), (26, "a, b, ... z")],
)
def test_of_many_names_the_first_and_the_last_are_listed(many: int, told: str) -> None:
    assert listed([chr(ord("a") + i) for i in range(many)], most=3) == told


# Summaries


def a_summary() -> Summary:
    summary = Summary("pad", facts={"shape": [2, 3]})
    summary.say("read", "2 sequences")
    summary.say("made", "x (2, 3)")
    summary.detail("features", "a, b")
    summary.warnings.append("something may be wrong")
    return summary


def shown(capsys: pytest.CaptureFixture[str], **how: bool) -> str:
    a_summary().show(**{"quiet": False, "verbose": False, "as_json": False, **how})
    told = capsys.readouterr()
    assert told.out == ""
    return told.err


def test_a_summary_aligns_its_lines_and_ends_with_the_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys) == "read  2 sequences\nmade  x (2, 3)\nwarning: something may be wrong\n"


def test_verbose_adds_the_details(capsys: pytest.CaptureFixture[str]) -> None:
    assert "features  a, b\n" in shown(capsys, verbose=True)


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, quiet=True) == ""
    assert shown(capsys, quiet=True, verbose=True) == ""


@pytest.mark.parametrize("quiet", [False, True])
def test_as_json_the_summary_is_one_object_with_its_warnings(
    capsys: pytest.CaptureFixture[str], quiet: bool
) -> None:
    told = shown(capsys, as_json=True, quiet=quiet)
    assert told.count("\n") == 1
    facts = json.loads(told)
    peak = facts.pop("peak_memory")
    assert peak is None or 1_000_000 < peak < memory.budget()
    assert facts == {
        "command": "pad",
        "shape": [2, 3],
        "warnings": ["something may be wrong"],
        "seconds": {},
    }


def test_a_summary_without_lines_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Summary("pad").show(quiet=False, verbose=True, as_json=False)
    assert capsys.readouterr().err == ""


def test_a_summary_has_no_escape_codes_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert ESCAPE not in shown(capsys)


def test_a_summary_on_a_terminal_has_colours(terminal: Attach) -> None:
    screen = terminal()
    a_summary().show(quiet=False, verbose=False, as_json=False)
    assert ESCAPE in screen.getvalue()
    assert "2 sequences" in screen.getvalue()


def test_as_json_there_are_no_colours_on_a_terminal_either(terminal: Attach) -> None:
    screen = terminal()
    a_summary().show(quiet=False, verbose=False, as_json=True)
    assert ESCAPE not in screen.getvalue()


@pytest.mark.parametrize("as_json", [False, True])
def test_without_a_standard_error_a_summary_is_lost_but_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    a_summary().show(quiet=False, verbose=False, as_json=as_json)
    assert capsys.readouterr().out == ""  # what is meant for a person never goes among data


# Progress


def work(*, quiet: bool = False, total: int | None = 10) -> None:
    with progress("writing", total, quiet=quiet) as bar:
        for _ in range(5):
            bar.advance(2)


def test_a_bar_appears_on_a_terminal_once_work_takes_long(
    terminal: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = terminal()
    monkeypatch.setattr(report, "_BAR_AFTER", -1.0)
    work()
    assert "writing" in screen.getvalue()
    assert "10" in screen.getvalue()


def test_a_bar_is_taken_away_when_work_fails(terminal: Attach, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal()
    monkeypatch.setattr(report, "_BAR_AFTER", -1.0)

    def fail() -> None:
        with progress("writing", None, quiet=False) as bar:
            bar.advance(1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    hidden, back = f"{ESCAPE}[?25l", f"{ESCAPE}[?25h"  # the cursor
    assert screen.getvalue().count(hidden) == screen.getvalue().count(back) == 1


def test_short_work_shows_no_bar(terminal: Attach, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal()
    monkeypatch.setattr(report, "_BAR_AFTER", 1e9)
    work()
    assert screen.getvalue() == ""


def test_quiet_work_shows_no_bar(terminal: Attach, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal()
    monkeypatch.setattr(report, "_BAR_AFTER", -1.0)
    work(quiet=True)
    assert screen.getvalue() == ""


def test_no_bar_appears_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "_BAR_AFTER", -1.0)
    work()
    assert capsys.readouterr() == ("", "")


def test_work_without_a_standard_error_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_BAR_AFTER", -1.0)
    monkeypatch.setattr(sys, "stderr", None)
    work()


# Tables of info


def a_file(**sequences: Any) -> dict[str, Any]:
    arrays = [{"name": "x", "shape": [1920, 45], "dtype": "float32", "bytes": 345_600}]
    if not sequences:
        return {"file": "in.npz", "arrays": arrays}
    base: dict[str, Any] = {
        "kind": "padded",
        "count": 3,
        "steps": 5,
        "empty": 0,
        "lengths": {"min": 1, "median": 1.5, "max": 2},
        "receipt": [],
        "preview": [],
    }
    return {"file": "in.npz", "arrays": arrays, "sequences": base | sequences}


def drawn(capsys: pytest.CaptureFixture[str], facts: dict[str, Any]) -> str:
    show_file(facts)
    told = capsys.readouterr()
    assert told.err == ""
    assert ESCAPE not in told.out
    return told.out


def test_a_file_is_drawn_with_its_arrays(capsys: pytest.CaptureFixture[str]) -> None:
    told = drawn(capsys, a_file())
    assert "in.npz" in told
    assert "1,920 x 45" in told
    assert "float32" in told
    assert "345.6 kB" in told
    assert "sequences" not in told


def test_a_file_of_ours_is_drawn_with_all_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {"in": 7, "kept": 5, "cut": 1, "dropped": {"empty key": 1}}
    told = drawn(
        capsys,
        a_file(
            empty=1,
            padding="post",
            value="nan",
            padding_share=0.375,
            features=["speed", "height"],
            classes=["cat", "dog"],
            receipt=[{"command": "group", "rows": rows}],
            preview=[{"length": 7, "key": "k1", "y": 1, "steps": [["1.5", "2"], ["3", "4"]]}],
        ),
    )
    for words in (
        "3 sequences, 5 steps, 1 of them empty",
        "min 1, median 1.5, max 2",
        "post, with nan, 37.5% of all steps",
        "speed, height",
        "cat, dog",
        "by group",
        "7 steps in = 5 kept + 1 cut + 1 dropped",
        "sequence 0: key k1, y 1, 7 steps",
        "1.5",
        "...",
    ):
        assert words in told


def test_names_with_brackets_are_drawn_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    facts = a_file(
        features=["[red]a", "[/]", "b[0]"],
        classes=["[bold]"],
        preview=[{"length": 1, "key": "[k]", "steps": [["1", "2", "3"]]}],
    )
    facts["file"] = "[blue]in.npz"
    told = drawn(capsys, facts)
    for name in ("[red]a", "[/]", "b[0]", "[bold]", "key [k]", "[blue]in.npz"):
        assert name in told


@pytest.mark.parametrize("width", [0, 1, 50])
def test_steps_of_any_width_can_be_drawn(capsys: pytest.CaptureFixture[str], width: int) -> None:
    steps = [[str(i) for i in range(width)]]
    told = drawn(capsys, a_file(preview=[{"length": 1, "steps": steps}, {"length": 0, "steps": []}]))
    assert "sequence 0: 1 step" in told
    assert "sequence 1: 0 steps" in told


def test_no_sequences_have_no_lengths_to_draw(capsys: pytest.CaptureFixture[str]) -> None:
    assert "median" not in drawn(capsys, a_file(count=0, lengths=None))


def test_a_closed_standard_output_is_an_error_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(DataError, match="standard output is closed"):
        show_file(a_file())
    with pytest.raises(DataError, match="standard output is closed"):
        print_json({})


def test_json_goes_to_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(a_file())
    told = capsys.readouterr()
    assert json.loads(told.out) == a_file()
    assert told.err == ""
