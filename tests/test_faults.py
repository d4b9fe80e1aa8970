"""Faults of the world around: disks that fill up, limits, readers that go away, signals at any moment.

Whatever happens, the old output stays or the new one is whole, and nothing temporary is left behind.
"""

from __future__ import annotations

import contextlib
import filecmp
import random
import resource
import shlex
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

import seqtool
from tests import low_memory
from tests.command import SEQTOOL, Done, Place, succeeded

pytestmark = pytest.mark.slow  # each works on a file of 15 MB or of 36, many times

ENDING = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
ROOMS = (4, 8, 13, 17, 24)  # megabytes for what does not fit into memory
PATIENCE = 10  # seconds; the promise is two, but machines that test are busy
OLD = b"what was there before"

# With so little memory, three runs of rows are sorted and merged.
GROUP = (*low_memory.COMMAND, "group", "big.csv", "--key", "k", "--max-memory", low_memory.LIMIT)
PAD = (SEQTOOL, "pad", "dense.npy", "--maxlen", "300", "--post")
CALLS = {"group": GROUP, "pad": PAD, "fast": (*PAD, "--compress", "fast")}


@dataclass(frozen=True)
class Expected:
    """Where the inputs are, and for each call the whole output and the seconds that it takes."""

    folder: Path
    whole: dict[str, Path]
    seconds: dict[str, float]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    place = Place(tmp_path_factory.mktemp("made"))
    rows = 900_000
    numbers = np.random.default_rng(1)
    table = pa.table({"k": numbers.integers(0, 5000, rows), "a": np.arange(rows), "b": np.arange(rows) % 10})
    csv.write_csv(table, place.folder / "big.csv", csv.WriteOptions(quoting_style="none"))
    place.write("dense.npy", numbers.integers(0, 10**6, (120, 250, 150)).astype(np.float64))
    whole, seconds = {}, {}
    for name, call in CALLS.items():
        begin = time.monotonic()
        succeeded(place.program(*call, "-o", f"{name}.npz"))
        whole[name], seconds[name] = place.folder / f"{name}.npz", time.monotonic() - begin
        with zipfile.ZipFile(whole[name]) as archive:
            assert archive.testzip() is None
    return Expected(place.folder, whole, seconds)


@pytest.fixture
def place(tmp_path: Path, expected: Expected) -> Place:
    place = Place(tmp_path)
    for name in ("big.csv", "dense.npy"):
        (place.folder / name).symlink_to(expected.folder / name)
    (tmp_path / "named").mkdir()  # for --temp-dir
    return place


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes a file system of a size."""
    mounts: list[Path] = []

    def make(size: str) -> Path:
        folder = tmp_path / f"disk{len(mounts)}"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
        mounts.append(folder)
        return folder

    yield make
    for folder in mounts:
        subprocess.run(["umount", folder], check=True)


def assert_failed(done: Done, *words: str) -> None:
    """One line on standard error that says these words, and exit code 1."""
    assert done.code == 1, done.err
    assert done.err.startswith("seqtool: error: ")
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err


def assert_nothing_left(place: Place) -> None:
    assert place.left_behind() == []
    assert [*(place.folder.parent / "named").iterdir()] == []


# --- disks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("source", ["file", "pipe"])
def test_no_room_for_what_does_not_fit_into_memory(
    named: bool, source: str, place: Place, disk: Callable[[str], Path]
) -> None:
    folder = disk("8m")
    place.write("out.npz", OLD)
    call = [word for word in GROUP if source == "file" or word != "big.csv"]
    done = place.program(
        *call,
        *(["--temp-dir", folder] if named else []),
        "-o",
        "out.npz",
        stdin=place.folder / "big.csv" if source == "pipe" else None,
        environment={} if named else {"TMPDIR": str(folder)},
    )
    assert_failed(done, str(folder), "--temp-dir")
    assert (place.folder / "out.npz").read_bytes() == OLD
    assert [*folder.iterdir()] == []
    assert_nothing_left(place)


def test_temporary_room_of_any_size(place: Place, expected: Expected, disk: Callable[[str], Path]) -> None:
    """Wherever the room ends, in the rows or in what is worked out to merge them: all or nothing."""
    codes = []
    for megabytes in ROOMS:
        folder = disk(f"{megabytes}m")
        place.write("out.npz", OLD)
        done = place.program(*GROUP, "--temp-dir", folder, "-o", "out.npz")
        codes.append(done.code)
        if done.code:
            assert_failed(done, str(folder), "--temp-dir")
            assert (place.folder / "out.npz").read_bytes() == OLD
        else:
            assert filecmp.cmp(place.folder / "out.npz", expected.whole["group"], shallow=False)
        assert [*folder.iterdir()] == []
        assert_nothing_left(place)
    assert (codes[0], codes[-1]) == (1, 0)
    assert codes == sorted(codes, reverse=True)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("old", [True, False])
def test_no_room_for_the_output(name: str, old: bool, place: Place, disk: Callable[[str], Path]) -> None:
    """Of deflated data nobody knows before how much room it takes."""
    folder = disk("4m")
    if old:
        (folder / "out.npz").write_bytes(OLD)
    done = place.program(*CALLS[name], "-o", folder / "out.npz")
    assert_failed(done, str(folder / "out.npz"))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == ({"out.npz": OLD} if old else {})
    assert_nothing_left(place)


@pytest.mark.parametrize("name", CALLS)
def test_no_room_behind_standard_output(name: str, place: Place, disk: Callable[[str], Path]) -> None:
    folder = disk("4m")
    with (folder / "out.npz").open("wb") as file:
        done = place.program(*CALLS[name], "-o", "-", stdout=file.fileno())
    assert_failed(done, "standard output")
    assert_nothing_left(place)


@pytest.mark.parametrize(
    ("size", "ignored"), [(1, False), (100_000, True), (3_000_000, True), (3_000_000, False)]
)
@pytest.mark.parametrize("name", CALLS)
def test_a_limit_on_the_size_of_files(name: str, size: int, ignored: bool, place: Place) -> None:
    """It strikes the output, and before that the temporary file of a group."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN if ignored else signal.SIG_DFL)

    place.write("out.npz", OLD)
    done = place.program(*CALLS[name], "-o", "out.npz", before=limit)
    assert_failed(done, "too large", "--temp-dir" if name == "group" else "out.npz")
    assert (place.folder / "out.npz").read_bytes() == OLD
    assert_nothing_left(place)


# --- readers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("read", [0, 1, 1_000_000, 6_000_000])
def test_a_reader_that_goes_away(name: str, read: int, place: Place) -> None:
    call = shlex.join(map(str, [*CALLS[name], "-o", "-"]))
    done = place.shell(f"{call} | head -c {read} | wc -c; echo ${{PIPESTATUS[0]}}")
    assert done.out.split() == [str(read).encode(), b"141"]
    assert done.err == ""
    assert_nothing_left(place)


# --- signals ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def running(
    place: Place,
    *arguments: str | Path,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    before: Callable[[], object] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A call whose own handlers of signals are in place; `before` runs in the new process."""
    # Python's importer, which a signal may stop as well, leaves files for the collector to close.
    quiet = {"PYTHONWARNINGS": "error,ignore::ResourceWarning"}
    process = subprocess.Popen(
        arguments,
        cwd=place.folder,
        env=place.environment(quiet),
        stdin=stdin,
        stderr=subprocess.PIPE,
        preexec_fn=before,
    )
    try:
        _wait_for_handlers(process)
        yield process
    finally:
        process.kill()
        process.communicate()


def _wait_for_handlers(process: subprocess.Popen[bytes]) -> None:
    """Until then a signal ends it as it ends any program, before it has done anything."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        time.sleep(1)
    begin = time.monotonic()
    while process.poll() is None and time.monotonic() - begin < 60:
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
        caught = int(lines.get("SigCgt", "0"), 16)
        if caught >> (signal.SIGTERM - 1) & 1 and caught >> (signal.SIGINT - 1) & 1:
            return
        time.sleep(0.002)


def end(process: subprocess.Popen[bytes], number: int) -> int:
    """Send a signal, and see that the process ends soon; its exit code."""
    process.send_signal(number)
    begin = time.monotonic()
    code = process.wait(timeout=60)
    assert time.monotonic() - begin < PATIENCE
    return code


SIGNALS = [*ENDING, signal.SIGKILL]
TIMES = 2  # that each signal comes: one early, one late


def moments(name: str, number: signal.Signals, seconds: float) -> list[float]:
    """When a signal comes to a call of so many seconds.

    Each signal has parts of the time of its own, so that together they meet all of it, and a little beyond its end.
    """
    chance, turn = random.Random(f"{name} {number}"), SIGNALS.index(number)
    parts = [turn + len(SIGNALS) * i + chance.random() for i in range(TIMES)]
    return [part / (len(SIGNALS) * TIMES) * 1.05 * seconds for part in parts]


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("name", CALLS)
def test_a_signal_at_any_moment(name: str, number: signal.Signals, place: Place, expected: Expected) -> None:
    """The old output, or had the call come to its end, the new one as a whole."""
    named = place.folder.parent / "named"
    out = place.folder / "out.npz"
    for i, moment in enumerate(moments(name, number, expected.seconds[name])):
        place.write("out.npz", OLD)
        more = ["--temp-dir", str(named)] if (i + SIGNALS.index(number)) % 2 else []
        with running(place, *CALLS[name], *more, "-o", "out.npz") as process:
            time.sleep(moment)
            code = end(process, number)
            assert process.stderr is not None
            text = process.stderr.read().decode()
        where = f"{name} {number.name} after {moment:.3f} s: {code} {text!r}"
        assert code in (0, -9 if number == signal.SIGKILL else ENDING[number]), where
        if code == 0 or out.read_bytes() != OLD:
            assert filecmp.cmp(out, expected.whole[name], shallow=False), where
        if code > 0:
            outcome = "nothing was written" if out.read_bytes() == OLD else "out.npz was written"
            words = ("interrupted", "terminated", "hung up")
            *summary, last = text.splitlines()
            assert last in [f"seqtool: error: {word}; {outcome}" for word in words], where
            assert not summary or outcome == "out.npz was written", where
        if number == signal.SIGKILL:  # the only one that cannot be caught: a part beside, under its own name
            for part in place.folder.glob(".seqtool-*"):
                part.unlink()
            # `tempfile` tries a folder with a file of four bytes before it names it.
            for probe in place.temporary.glob("????????"):
                assert probe.stat().st_size <= 4, where
                probe.unlink()
        # What did not fit into memory was in a file without a name, so not even that one leaves anything.
        assert [*named.iterdir()] == [], where
        assert place.left_behind() == [], where
        assert {path.name for path in place.folder.iterdir()} == {"big.csv", "dense.npy", "out.npz"}


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_a_signal_while_rows_come_through_a_pipe(
    number: signal.Signals, place: Place, expected: Expected
) -> None:
    """What comes through a pipe is kept in a file that has a name."""
    call = [word for word in GROUP if word != "big.csv"]
    for moment in moments("pipe", number, expected.seconds["group"]):
        place.write("out.npz", OLD)
        with (
            (place.folder / "big.csv").open("rb") as file,
            running(place, *call, "-o", "out.npz", stdin=file) as process,
        ):
            time.sleep(moment)
            code = end(process, number)
        assert code in (0, ENDING[number])
        if (
            place.folder / "out.npz"
        ).read_bytes() != OLD:  # it came between the rename and the end, or after it
            seqtool.load(place.folder / "out.npz")  # which is whole, or this raises
        else:
            assert code
        assert_nothing_left(place)


@pytest.mark.parametrize("name", CALLS)
def test_signals_one_upon_the_other(name: str, place: Place, expected: Expected) -> None:
    """The first one counts; those after it do not stop the cleaning up."""
    place.write("out.npz", OLD)
    with running(place, *CALLS[name], "-o", "out.npz") as process:
        time.sleep(0.6 * expected.seconds[name])
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
        code = end(process, signal.SIGINT)
    # Which of several that wait comes first is the system's choice.
    assert code in (0, *ENDING.values())
    if (place.folder / "out.npz").read_bytes() != OLD:
        seqtool.load(place.folder / "out.npz")
    assert_nothing_left(place)


def test_a_signal_that_is_ignored_stays_ignored(place: Place, expected: Expected) -> None:
    """As nohup does it."""

    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with running(place, *PAD, "-o", "out.npz", before=ignore) as process:
        time.sleep(expected.seconds["pad"] / 2)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert filecmp.cmp(place.folder / "out.npz", expected.whole["pad"], shallow=False)
