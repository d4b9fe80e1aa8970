"""Bars on a terminal, and nowhere else."""

import sys

import pytest

from seqtool.terminal import progress as progress_module
from seqtool.terminal.progress import progress
from tests.screen import ESCAPE, Attach


def work(*, quiet: bool = False, total: int | None = 10) -> None:
    with progress("writing", total, quiet=quiet) as bar:
        for _ in range(5):
            bar.advance(2)


def test_a_bar_appears_on_a_terminal_once_work_takes_long(
    terminal: Attach, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = terminal()
    monkeypatch.setattr(progress_module, "_BAR_AFTER", -1.0)
    work()
    assert "writing" in screen.getvalue()
    assert "10" in screen.getvalue()


def test_a_bar_is_taken_away_when_work_fails(terminal: Attach, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal()
    monkeypatch.setattr(progress_module, "_BAR_AFTER", -1.0)

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
    monkeypatch.setattr(progress_module, "_BAR_AFTER", 1e9)
    work()
    assert screen.getvalue() == ""


def test_quiet_work_shows_no_bar(terminal: Attach, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal()
    monkeypatch.setattr(progress_module, "_BAR_AFTER", -1.0)
    work(quiet=True)
    assert screen.getvalue() == ""


def test_no_bar_appears_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_module, "_BAR_AFTER", -1.0)
    work()
    assert capsys.readouterr() == ("", "")


def test_work_without_a_standard_error_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "_BAR_AFTER", -1.0)
    monkeypatch.setattr(sys, "stderr", None)
    work()
