"""Whole processes in turns: their time, their peak memory, and whether they made the same arrays."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

SCRIPTS = Path(__file__).parent / "contenders"
SEQTOOL = [sys.executable, "-m", "seqtool"]
_ERRORS = "errors.txt"
_LONGEST_TELLING = 120  # characters of a failure that are shown

Say = Callable[[str], object]
T = TypeVar("T")


@dataclass(frozen=True)
class Contender:
    """A command that is measured.

    `output` is the file that it makes, `verified` whether that holds the arrays that all make. `needs` are the
    modules it cannot do without, `rounds` how many are enough for a slow one, `rows` how many it reads.
    `clock` is a file to which it writes the seconds of the work alone, without start-up; `whole` counts all processes
    that it starts.
    """

    name: str
    command: list[str]
    output: str = ""
    verified: bool = False
    needs: tuple[str, ...] = ()
    rounds: int | None = None
    rows: int | None = None
    clock: str = ""
    whole: bool = False


@dataclass(frozen=True)
class Case:
    """Contenders for one piece of work, the first of which is what the others are compared with, as `base`.

    `make` makes the data in a folder and returns how many bytes the result takes; from these `contenders` come.
    """

    name: str
    about: str
    make: Callable[[Path], int]
    contenders: Callable[[int], list[Contender]]
    base: str = "seqtool"
    rounds: int = 5
    sizes: bool = False  # whether the sizes of the outputs are of interest
    only_if_named: bool = False
    rate: str = ""  # what of `rows` a second is of interest
    processor: bool = False  # whether the seconds of the processor are of interest


@dataclass
class Measured:
    """The figures of one contender, or why there are none."""

    contender: Contender
    seconds: list[float] = field(default_factory=list)
    processors: list[float] = field(default_factory=list)  # seconds of all cores together
    peaks: list[int] = field(default_factory=list)  # bytes
    size: int | None = None  # bytes of the output
    difference: str | None = None  # from the arrays of the first contender; empty where there is none
    failure: str = ""

    @property
    def median(self) -> float | None:
        """Seconds."""
        return statistics.median(self.seconds) if self.seconds and not self.failure else None

    @property
    def peak(self) -> int | None:
        """Bytes of memory, the most of all rounds."""
        return max(self.peaks) if self.peaks and not self.failure else None

    def record(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "name": self.contender.name,
            "rows": self.contender.rows,
            "median": self.median,
            "fastest": min(self.seconds, default=None),
            "seconds": self.seconds,
            "processors": self.processors,
            "peak": self.peak,
            "size": self.size,
            "same_arrays": None if self.difference is None else not self.difference,
            "difference": self.difference or None,
            "failure": self.failure or None,
        }


def script(name: str, *arguments: str) -> list[str]:
    """The command that runs one of the scripts in `contenders/`."""
    return [sys.executable, str(SCRIPTS / f"{name}.py"), *arguments]


def floors(source: str, size: int) -> list[Contender]:
    """The least there is to do: parse the source into Arrow (`-` for none), write as many bytes as the result has."""
    needs = () if source == "-" else ("pyarrow",)
    plain = script("floor", source, "floor.bin", str(size))
    return [
        Contender("floor", plain, "floor.bin", needs=needs),
        Contender("floor, flushed", [*plain, "--flush"], "floor.bin", needs=needs),
    ]


def copy_of(output: str) -> Contender:
    """NumPy that reads a file of the same arrays as the result has, checksums compared, and writes them again."""
    return Contender("copy", script("copy_numpy", output, "copy.npz"), "copy.npz")


def apart(function: Callable[..., T], *arguments: object) -> T:
    """Call a function in a process of its own, which takes its memory with it."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


class Launcher:
    """The small process that starts the others in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("launcher.py"))],
            cwd=folder,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Launcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, command: list[str], *, whole: bool = False) -> dict[str, Any]:
        """The figures of a command, as the launcher tells them; `whole` with all processes that it starts."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, "errors": _ERRORS, "whole": whole}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process that starts the others has ended")
        return json.loads(line)

    def failure(self, code: int) -> str:
        """Why the last command failed: the last line that it wrote, or its signal."""
        lines = (self.folder / _ERRORS).read_text(encoding="utf-8", errors="replace").split("\n")
        found = [line.strip(" │╭╰─╮╯") for line in lines]
        reason = next((line for line in reversed(found) if line), "")
        reason = reason or (f"ended by signal {-code}" if code < 0 else f"exit code {code}")
        return reason if len(reason) <= _LONGEST_TELLING else f"{reason[:_LONGEST_TELLING]}..."


def missing(contender: Contender) -> str:
    """Which of the modules that a contender needs are not installed, in words."""
    absent = [name for name in contender.needs if importlib.util.find_spec(name) is None]
    return f"{' and '.join(absent)} not installed" if absent else ""


def difference(expected: Path, actual: Path) -> str:
    """How two .npz files differ in x, lengths and keys, in words; nothing if they do not."""
    import numpy as np

    with np.load(expected) as ours, np.load(actual) as theirs:
        for name in ("x", "lengths", "keys"):
            if (name in ours) != (name in theirs):
                return f"{name} is only in one of both"
            if name not in ours:
                continue
            a, b = ours[name], theirs[name]
            if a.shape != b.shape or a.dtype.kind != b.dtype.kind or a.dtype.itemsize != b.dtype.itemsize:
                return f"{name} is {b.dtype} {b.shape}, not {a.dtype} {a.shape}"
            if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                return f"{name} has other values"
    return ""


def run_once(measured: Measured, launcher: Launcher, *, keep: bool = False) -> bool:
    """Run a contender, unless it failed before; whether that went well."""
    if measured.failure:
        return False
    figures = launcher.run(measured.contender.command, whole=measured.contender.whole)
    clock = launcher.folder / measured.contender.clock if measured.contender.clock else None
    if figures["code"] != 0:
        measured.failure = launcher.failure(figures["code"])
    elif keep:
        measured.seconds.append(figures["seconds"] if clock is None else float(clock.read_text()))
        measured.processors.append(figures["processors"])
        measured.peaks.append(figures["peak"])
    return not measured.failure


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder for the data of one case, removed after it."""
    with tempfile.TemporaryDirectory(prefix="seqtool-benchmarks-") as name:
        yield Path(name)


def measure(case: Case, folder: Path, rounds: int, say: Say = lambda _: None) -> list[Measured]:
    """Make the data of a case, and run its contenders in turns: one round to warm up and compare, then `rounds`."""
    say("making the data")
    size = apart(case.make, folder)
    os.sync()  # what was just written shall not be written while others are measured
    all_measured = [Measured(each, failure=missing(each)) for each in case.contenders(size)]
    reference = folder / "reference.npz"
    with Launcher(folder) as launcher:
        for measured in all_measured:
            say(f"warm-up, {measured.contender.name}")
            with _output(measured, folder) as output:
                if run_once(measured, launcher) and output.is_file():
                    measured.size = output.stat().st_size
                    _compare(measured, output, reference)
        reference.unlink(missing_ok=True)
        for turn in range(rounds):
            for measured in all_measured:
                limit = measured.contender.rounds
                if limit is None or turn < limit:
                    say(f"round {turn + 1} of {rounds}, {measured.contender.name}")
                    with _output(measured, folder):
                        run_once(measured, launcher, keep=True)
    return all_measured


@contextlib.contextmanager
def _output(measured: Measured, folder: Path) -> Iterator[Path]:
    """The file that a contender makes: not there before, and gone after, so that the disk has no more to write."""
    output = folder / (measured.contender.output or "none")
    _remove(output)
    try:
        yield output
    finally:
        _remove(output)


def _remove(output: Path) -> None:
    if output.is_dir():
        shutil.rmtree(output)
    else:
        output.unlink(missing_ok=True)


def _compare(measured: Measured, output: Path, reference: Path) -> None:
    """Keep the arrays of the first contender that made any, and compare those of another with them."""
    if not measured.contender.verified:
        return
    if reference.is_file():
        measured.difference = apart(difference, reference, output)
    else:
        output.rename(reference)
        measured.difference = ""
