"""The benchmarks run, draw their tables and say what is not there; how long anything takes is not tested here."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tests.benchmarks.__main__ import ROWS, all_cases, chosen
from tests.benchmarks.measuring import Case, Contender, Launcher, Measured, difference, missing, run_once
from tests.benchmarks.table import draw

ROOT = Path(__file__).parent.parent


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_the_cases_are_listed() -> None:
    done = benchmarks("--list")
    assert done.returncode == 0, done.stderr
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert len([name for name in names if name.startswith("group-")]) == 18
    assert {"pad-tokens", "pad-steps", "pad-dense", "compress", "start", "growth"} < set(names)


def test_cases_are_chosen_by_a_part_of_their_names() -> None:
    cases = all_cases(ROWS, slow=False)
    assert [case.name for case in chosen(cases, ["pad-", "start"])] == [
        "pad-tokens",
        "pad-steps",
        "pad-dense",
        "start",
    ]
    assert [case.name for case in chosen(cases, ["growth"])] == ["growth"]
    assert "growth" not in {case.name for case in chosen(cases, [])}


def test_a_case_that_is_not_there_is_an_error_of_the_call() -> None:
    done = benchmarks("nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no case is named nope" in done.stderr


@pytest.mark.slow
def test_a_table_and_the_figures_of_a_case(tmp_path: Path) -> None:
    done = benchmarks(
        "group-csv-text-shuffled-narrow", "--rows", "3000", "--rounds", "1", "--json", tmp_path / "a"
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("group-csv-text-shuffled-narrow: 3,000 rows of 5 columns, text keys, shuffled")
    (case,) = json.loads((tmp_path / "a").read_text())["cases"]
    figures = {contender["name"]: contender for contender in case["contenders"]}
    assert {"seqtool", "pandas", "polars", "duckdb and NumPy", "floor", "floor, flushed"} < set(figures)
    for name, measured in figures.items():
        found = [line for line in lines if line.startswith(name)]
        if measured["failure"]:
            assert measured["failure"].endswith("not installed")
            assert f"{name}: {measured['failure']}" in found
        else:
            assert measured["median"] > 0
            assert measured["peak"] > 1e6
            assert measured["same_arrays"] is (None if name.startswith(("floor", "open_csv")) else True)
    assert not figures["seqtool"]["failure"]
    assert not figures["pandas"]["failure"]


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    with Launcher(tmp_path) as launcher:
        yield launcher


def run(launcher: Launcher, contender: Contender) -> Measured:
    measured = Measured(contender, failure=missing(contender))
    run_once(measured, launcher, keep=True)
    return measured


def test_what_is_not_installed_or_fails_is_reported_below_the_table(launcher: Launcher) -> None:
    contenders = [
        Contender("first", [sys.executable, "-c", "pass"]),
        Contender("absent", [sys.executable, "-c", "import no_such_module"], needs=("no_such_module",)),
        Contender("failing", [sys.executable, "-c", "raise ValueError('so')"]),
        Contender("killed", [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]),
    ]
    all_measured = [run(launcher, contender) for contender in contenders]
    case = Case("name", "about", make=lambda _: 0, contenders=lambda _: contenders)
    screen = io.StringIO()
    draw(case, all_measured, 1, Console(file=screen, width=110))
    lines = [line.rstrip() for line in screen.getvalue().splitlines()]
    assert lines[0] == "name: about; medians of 1"
    assert [line.split()[0] for line in lines[4:8]] == ["first", "absent", "failing", "killed"]
    assert lines[8:11] == [
        "absent: no_such_module not installed",
        "failing: ValueError: so",
        "killed: ended by signal 9",
    ]


def test_the_peak_is_that_of_the_process_alone(launcher: Launcher) -> None:
    held = bytearray(300_000_000)  # which a process that this one starts would count as its own
    small = run(launcher, Contender("small", [sys.executable, "-c", "pass"]))
    large = run(launcher, Contender("large", [sys.executable, "-c", "a = b'1' * 100_000_000"]))
    assert small.peak is not None
    assert large.peak is not None
    assert small.peak < 50_000_000 < 100_000_000 < large.peak < 150_000_000 < len(held)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell the memory of all processes")
def test_all_processes_of_a_command_are_counted_also_those_that_outlive_it(launcher: Launcher) -> None:
    large = "import time; a = b'1' * 100_000_000; print(flush=True)\nwhile time.process_time() < 0.6: pass"
    started = (
        f"from subprocess import *; import sys; found = Popen([sys.executable, '-c', {large!r}], stdout=PIPE)"
    )
    command = [sys.executable, "-c", f"{started}; found.stdout.readline(); import time; time.sleep(0.7)"]
    whole = run(launcher, Contender("whole", command, whole=True))
    assert whole.peak is not None
    assert 100_000_000 < whole.peak < 300_000_000
    assert whole.processors[0] >= 0.3


def test_arrays_that_differ_are_told_apart(tmp_path: Path) -> None:
    arrays = {"x": np.zeros((2, 3)), "lengths": np.array([1, 3])}
    others = {
        "same": (arrays, ""),
        "values": ({**arrays, "lengths": np.array([1, 2])}, "lengths has other values"),
        "dtype": ({**arrays, "x": np.zeros((2, 3), np.float32)}, "x is float32 (2, 3), not float64 (2, 3)"),
        "names": ({**arrays, "keys": np.array([1, 2])}, "keys is only in one of both"),
    }
    np.savez(tmp_path / "first.npz", **arrays)
    for name, (other, message) in others.items():
        np.savez(tmp_path / f"{name}.npz", **other)
        assert difference(tmp_path / "first.npz", tmp_path / f"{name}.npz") == message


@pytest.mark.parametrize("case", all_cases(500, slow=False), ids=lambda case: case.name)
def test_a_case_makes_its_data_and_names_scripts_that_are_there(case: Case, tmp_path: Path) -> None:
    size = case.make(tmp_path)
    assert size > 0
    assert list(tmp_path.iterdir())
    for contender in case.contenders(size):
        for word in contender.command[1:]:
            assert not word.endswith(".py") or Path(word).is_file()
            assert not word.startswith("rows.") or (tmp_path / word).is_file()
