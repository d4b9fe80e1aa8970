"""Settings and fixtures that every test module shares."""

import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests.terminal import Attach, Terminal

settings.register_profile("seqtool", derandomize=True, deadline=None, max_examples=100)
settings.load_profile("seqtool")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all examples of a property may write over."""
    return tmp_path_factory.mktemp("scratch")


def pytest_configure() -> None:
    # Started in the background, or under nohup, these are ignored, and so they would be by every command that
    # the tests start: then none of them would end when it is told to.
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


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
