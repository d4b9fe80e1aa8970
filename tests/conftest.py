"""Settings and fixtures that every test module shares."""

import gc
import os
import shutil
import signal
import sys
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from zlib import crc32

import pytest
from _pytest.doctest import DoctestModule
from _pytest.runner import runtestprotocol
from hypothesis import is_hypothesis_test, settings

from tests.command import Place
from tests.hunting import examples
from tests.screen import Attach, Terminal

HERE = Path(__file__).parent

settings.register_profile("seqtool", derandomize=True, deadline=None, max_examples=examples(100))
settings.load_profile("seqtool")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all examples of a property may write over."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder to run commands in."""
    return Place(tmp_path)


@pytest.fixture(scope="session", autouse=True)
def _unsynced() -> Generator[None]:
    """Let nobody here wait for the disk: what reaches it at once shows only where the power fails."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(os, "fsync", os.fstat)  # which refuses what is no open descriptor
        yield


# What a test with one of these markers cannot do without.
NEEDED = {
    "torch": ["torch"],
    "keras": ["keras", "tensorflow"],
    "tensorflow": ["tensorflow", "tf_keras"],
    "jax": ["jax"],
    "matplotlib": ["matplotlib"],
    "spark": ["pyspark", "py4j", "java"],
    "sail": ["pyspark", "pysail"],
}


def _is_there(name: str) -> bool:
    if name == "java":
        home = os.environ.get("JAVA_HOME")
        return Path(home, "bin", "java").exists() if home else shutil.which("java") is not None
    return find_spec(name) is not None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a library that is not there; SEQTOOL_NEED_EVERYTHING, which CI sets, makes it fail instead."""
    missing = {
        name
        for marker, names in NEEDED.items()
        if item.get_closest_marker(marker)
        for name in names
        if not _is_there(name)
    }
    if missing:
        message = f"needs {', '.join(sorted(missing))}"
        (pytest.fail if "SEQTOOL_NEED_EVERYTHING" in os.environ else pytest.skip)(message)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave the keywords out of reports: nobody reads them, and workers take longest to send them."""
    report = yield
    report.keywords = {}
    return report


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Let a worker tell of a test that passes once: five messages take as long as most tests."""
    if not hasattr(item.config, "workerinput"):
        return None
    for report in runtestprotocol(item, nextitem=nextitem, log=False):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Of the modules here look for doctests in those that tests stand on: to import all others takes seconds."""
    collectors = yield
    if file_path.parent == HERE and not file_path.name.startswith("test_"):
        return collectors
    return [collector for collector in collectors if not isinstance(collector, DoctestModule)]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what Hypothesis draws the examples of as a hunt, and as slow what of a `thinned` test can wait."""
    if is_hypothesis_test(getattr(item, "obj", None)):
        item.add_marker("hunt")
    # By name: a third that has all values of each parameter, where counting may leave some of them out.
    if item.get_closest_marker("thinned") and crc32(item.name.encode()) % 3:
        item.add_marker("slow")


def pytest_configure() -> None:
    # Thousands of tests are objects that last: looking through all of them for garbage, again and again while they
    # are collected, takes most of the time of it.
    gc.disable()
    # Started in the background, or under nohup, these are ignored, and so they would be by every command that
    # the tests start: then none of them would end when it is told to.
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def pytest_collection_finish() -> None:
    """From here on, garbage is what the tests make."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """Look for garbage once: pytest does so again and again, for what a destructor may complain of."""
    gc.collect()
    gc.freeze()


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
