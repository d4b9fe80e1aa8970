import contextlib
import json
import sys
from pathlib import Path

import pytest

from seqtool.errors import DataError
from seqtool.system import memory
from seqtool.terminal.report import Summary, print_json
from seqtool.words import count, listed
from tests.screen import ESCAPE, Attach

FULL = Path("/dev/full")

# Words


@pytest.mark.parametrize(
    ("number", "message"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1_234_567, "1,234,567 rows")]
)
def test_a_number_agrees_with_its_noun(number: int, message: str) -> None:
    assert count(number, "row") == message


@pytest.mark.parametrize(
    ("many", "message"),
    [(0, ""), (1, "a"), (3, "a, b, c"), (4, "a, b, c, d"), (5, "a, b, ... e"), (26, "a, b, ... z")],
)
def test_of_many_names_the_first_and_the_last_are_listed(many: int, message: str) -> None:
    assert listed([chr(ord("a") + i) for i in range(many)], most=3) == message


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
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


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
    text = shown(capsys, as_json=True, quiet=quiet)
    assert text.count("\n") == 1
    facts = json.loads(text)
    peak = facts.pop("peak_memory")
    assert peak is None or 1_000_000 < peak < memory.budget()
    assert next(iter(facts)) == "schema"
    assert facts == {
        "schema": 1,
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


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("as_json", [False, True])
def test_a_summary_that_nobody_can_read_is_lost_for_the_output_is_complete(
    monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    with FULL.open("w", buffering=1, encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stderr", full)
        a_summary().show(quiet=False, verbose=True, as_json=as_json)
        with contextlib.suppress(OSError):
            full.close()


# Data


def test_a_closed_standard_output_is_an_error_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(DataError, match="standard output is closed"):
        print_json({})


def test_json_goes_to_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"shape": [2, None]})
    captured = capsys.readouterr()
    assert list(json.loads(captured.out).items()) == [("schema", 1), ("shape", [2, None])]
    assert captured.err == ""
