"""What only some systems have, taken away by name: without it all works as it does with it."""

from __future__ import annotations

import ast
import errno
import io
import mmap
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from seqtool.arrays.file_array import FileArray
from seqtool.arrays.spool import Spool
from seqtool.system import platform, signals
from seqtool.system.platform import (
    allow_open_files,
    broken_pipe_code,
    bytes_at,
    cpu_count,
    ending_signals,
    give_back,
    peak_memory,
    physical_memory,
    read_at,
    reads_in_place,
    reserve,
    sync_folder,
    write_at,
)
from tests.command import Place, succeeded
from tests.parsed import PACKAGE, nodes, parsed, paths

# What Windows has nothing of, and macOS not all.
OS_NAMES = [
    *(
        "sched_getaffinity",
        "sysconf",
        "preadv",
        "pread",
        "pwritev",
        "pwrite",
        "posix_fallocate",
        "posix_fadvise",
    ),
]
# What else only some have: libraries need it where they find it, so it cannot be taken away.
MORE_OS_NAMES = ["cpu_count", "process_cpu_count", "getuid", "geteuid", "fork", "uname", "statvfs", "sync"]
SIGNAL_NAMES = ["SIGHUP", "SIGPIPE"]
WITHOUT = f"""
import mmap, os, signal, sys
for name in {OS_NAMES}:
    if hasattr(os, name):
        delattr(os, name)
for name in {SIGNAL_NAMES}:
    delattr(signal, name)
for name in [name for name in dir(mmap) if name.startswith("MADV_")]:
    delattr(mmap, name)
sys.modules["resource"] = sys.modules["fcntl"] = None
"""


def take_away(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        monkeypatch.delattr(os, name, raising=False)


@pytest.fixture(params=["as it is", "without preadv", "without any"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Three systems that read and write files in three ways."""
    taken = {"as it is": [], "without preadv": ["preadv"], "without any": ["preadv", "pread", "pwrite"]}
    take_away(monkeypatch, *taken[request.param])
    return str(request.param)


# Files


def test_reading_in_place_takes_bytes_from_anywhere_and_moves_nothing(system: str, tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(200)))
    with path.open("rb") as file:
        file.seek(7)
        buffer = bytearray(10)
        assert read_at(file, buffer, 100) == 10
        assert buffer == bytes(range(100, 110))
        assert bytes_at(file, 5, 3) == bytes(range(3, 8))
        assert read_at(file, buffer, 195) == 5  # as many as there are
        assert buffer[:5] == bytes(range(195, 200))
        assert read_at(file, buffer, 200) == 0
        assert bytes_at(file, 5, 200) == b""
        assert (file.tell(), file.read(1)) == (7, b"\x07")


def test_only_systems_without_one_of_the_calls_move_the_position(system: str) -> None:
    assert reads_in_place() == (system == "as it is")


def test_a_large_buffer_is_filled(system: str, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).integers(0, 1 << 60, 1_000_000)
    path = tmp_path / "numbers"
    path.write_bytes(b"12345678" + numbers.tobytes())
    with path.open("rb") as file:
        found = FileArray(file, "numbers", 8, (1_000_000,), numbers.dtype)
        assert (found[:] == numbers).all()
        assert (found[999_990:] == numbers[999_990:]).all()


def test_writing_in_place_leaves_the_rest_and_the_position_alone(system: str, tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(b"0123456789")
    with path.open("r+b", buffering=0) as file:
        file.seek(2)
        assert write_at(file, b"abc", 5) == 3
        assert write_at(file, memoryview(b"xyz"), 12) == 3
        assert file.tell() == 2
    assert path.read_bytes() == b"01234abc89\0\0xyz"


def test_threads_read_and_write_one_file_side_by_side(system: str) -> None:
    cells, rounds = 1000, 40
    with Spool() as spool:
        arrays = [spool.append(np.full(cells, i)) for i in range(8)]

        def work(number: int) -> bool:
            if number % 4 == 0:  # what others add must not go where these are read
                spare = spool_of_threads.append(np.full(cells, number))
                return bool((spare[:] == number).all())
            return bool((arrays[number % 8][:] == number % 8).all())

        lock = threading.Lock()

        class Locked:
            def append(self, array: np.ndarray) -> FileArray:
                with lock:  # a spool is filled by one thread at a time, while many read
                    return spool.append(array)

        spool_of_threads = Locked()
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(work, range(8 * rounds)))


def test_an_error_of_the_system_leaves_the_position_and_the_lock_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    take_away(monkeypatch, "preadv", "pread", "pwrite")
    path = tmp_path / "bytes"
    path.write_bytes(b"0123456789")
    with path.open("rb", buffering=0) as file:
        file.seek(4)
        with pytest.raises(OSError, match="Bad file descriptor"):
            write_at(file, b"x", 1)  # it is open for reading alone
        assert file.tell() == 4
        assert bytes_at(file, 2, 0) == b"01"


def test_room_is_asked_for_where_that_can_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(
        os, "posix_fallocate", lambda _handle, begin, size: asked.append((begin, size)), raising=False
    )
    with (tmp_path / "file").open("wb") as file:
        file.write(b"abc")
        reserve(file, 1000)
        assert asked == [(3, 1000)]
        take_away(monkeypatch, "posix_fallocate")
        reserve(file, 1000)
    assert (tmp_path / "file").read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("number", "refused"), [(errno.ENOSPC, True), (errno.EFBIG, True), (errno.EOPNOTSUPP, False)]
)
def test_only_a_full_disk_refuses_room(
    number: int, refused: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: int) -> None:
        raise OSError(number, "no room")

    monkeypatch.setattr(os, "posix_fallocate", fail, raising=False)
    with (tmp_path / "file").open("wb") as file:
        if refused:
            with pytest.raises(OSError, match="no room"):
                reserve(file, 10)
        else:
            reserve(file, 10)


@pytest.mark.skipif(not hasattr(mmap, "MADV_DONTNEED"), reason="pages are given back by madvise")
def test_pages_are_given_back_and_can_be_read_again(tmp_path: Path) -> None:
    def resident() -> int:
        found = re.search(r"RssFile:\s*(\d+) kB", Path("/proc/self/status").read_text())
        assert found is not None
        return int(found[1]) * 1024

    (tmp_path / "file").write_bytes(bytes(50_000_000))
    with (tmp_path / "file").open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    before = resident()
    assert sum(pages[::4096]) == 0
    assert resident() > before + 40_000_000
    give_back(pages, mmap.PAGESIZE, 20_000_000 // mmap.PAGESIZE * mmap.PAGESIZE)
    assert resident() < before + 35_000_000
    give_back(pages)
    assert resident() < before + 10_000_000
    assert sum(pages[::4096]) == 0


def test_pages_are_kept_where_they_cannot_be_given_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(mmap, "MADV_DONTNEED", raising=False)
    (tmp_path / "file").write_bytes(b"abc")
    with (
        (tmp_path / "file").open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages,
    ):
        give_back(pages)
        assert pages[:] == b"abc"


def test_a_folder_is_written_to_the_disk_if_it_can_be_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    sync_folder(tmp_path)
    assert len(synced) == 1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(synced[0])  # it was closed

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")  # what Windows says of a folder

    with monkeypatch.context() as patched:  # or the folder could not be removed
        patched.setattr(os, "open", refuse)
        sync_folder(tmp_path)
    assert len(synced) == 1


# Cores


@pytest.fixture
def no_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the files of a container's limits would be; there are none."""
    names = ("cpu.max",), ("quota", "period")
    monkeypatch.setattr(platform, "_CGROUP_CPU", tuple(tuple(str(tmp_path / n) for n in p) for p in names))
    return tmp_path


def test_the_cores_are_those_that_the_process_may_use(
    monkeypatch: pytest.MonkeyPatch, no_container: Path
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 6}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert cpu_count() == 3
    take_away(monkeypatch, "sched_getaffinity")
    assert cpu_count() == 64
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cpu_count() == 1


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "1000 100000\n"}, 1),
        ({"cpu.max": "9000000 100000\n"}, 8),
        ({"cpu.max": ""}, 8),
        ({"cpu.max": "0 0"}, 8),
        ({"quota": "300000\n", "period": "100000\n"}, 3),
        ({"quota": "-1\n", "period": "100000\n"}, 8),
        ({"quota": "300000\n"}, 8),
    ],
)
def test_a_container_may_have_a_share_of_the_cores(
    files: dict[str, str], cores: int, monkeypatch: pytest.MonkeyPatch, no_container: Path
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for name, text in files.items():
        (no_container / name).write_text(text)
    assert cpu_count() == cores


# Memory


@pytest.mark.parametrize("error", [AttributeError, ValueError, OSError])
def test_memory_that_nobody_tells_is_assumed(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(platform, "_CGROUP_MEMORY", (str(tmp_path / "max"),))

    def fail(_: str) -> int:
        raise error("SC_PHYS_PAGES")

    monkeypatch.setattr(os, "sysconf", fail, raising=False)
    assert physical_memory() == 4 * 10**9
    take_away(monkeypatch, "sysconf")
    assert physical_memory() == 4 * 10**9
    (tmp_path / "max").write_text("1000000000\n")
    assert physical_memory() == 10**9


def test_the_peak_is_reported_by_the_one_system_or_the_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(platform, "_STATUS", str(tmp_path / "status"))
    found = peak_memory()
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    assert found is not None
    assert 1_000_000 < found <= used
    (tmp_path / "status").write_text("Name: x\nVmHWM:\t   1234 kB\nVmRSS:\t 99 kB\n")
    assert peak_memory() == 1234 * 1024
    (tmp_path / "status").write_bytes(b"Name: \xc3\xb6 \xff\nVmHWM:\t   1234 kB\n")  # a name in any encoding
    assert peak_memory() == 1234 * 1024
    (tmp_path / "status").write_text("Name: x\n")
    assert peak_memory() is None
    (tmp_path / "status").unlink()
    monkeypatch.setitem(sys.modules, "resource", None)
    assert peak_memory() is None


def test_more_files_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    limits = [200, 300]
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(limits))
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: limits.__setitem__(slice(None), wanted))
    assert allow_open_files(150) is None
    assert (allow_open_files(250), limits) == (250, [250, 300])
    assert (allow_open_files(1000), limits) == (300, [300, 300])
    monkeypatch.setitem(sys.modules, "resource", None)
    assert allow_open_files(1000) is None


# Signals


def test_signals_that_are_not_there_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}
    assert ending_signals() == whole
    monkeypatch.delattr(signal, "SIGHUP")
    assert list(ending_signals()) == [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.getsignal(number) for number in whole}
    try:
        signals.install()
        assert {number: signal.getsignal(number) is signals._end for number in whole} == {
            signal.SIGINT: True,
            signal.SIGTERM: True,
            next(reversed(whole)): False,
        }
        signals.ignore()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_reader_that_has_gone_gives_the_same_code_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken_pipe_code() == 141
    monkeypatch.delattr(signal, "SIGPIPE", raising=False)
    assert broken_pipe_code() == 141


# Whole commands on a system that has none of it


@pytest.fixture(scope="module")
def poor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that is `seqtool` on a system without any of these names."""
    program = tmp_path_factory.mktemp("poor") / "poor.py"
    program.write_text(f"{WITHOUT}\nfrom seqtool.__main__ import main\nmain()\n")
    return program


def write_rows(folder: Path, rows: int, keys: int) -> None:
    random = np.random.default_rng(0)
    table = np.column_stack([random.integers(0, keys, rows), random.integers(0, 1000, (rows, 3))])
    np.savetxt(folder / "rows.csv", table, "%d", ",", header="key,a,b,c", comments="")


CALLS = [
    "group rows.csv --key key --ragged -o ragged.npz",
    "group rows.csv --key key -o grouped.npz --compress fast --max-memory 256M --temp-dir .",
    "pad ragged.npz --maxlen 20 --post -o padded.npz",
    "pad grouped.npz --maxlen 20 -o again.npz",
    "pad fortran.npy --maxlen 50 -o fortran.npz",
    "check grouped.npz",
    "info padded.npz --sequence 7",
]


def test_a_round_trip_without_any_of_it_gives_the_same_bytes(place: Place) -> None:
    write_rows(place.folder, 20_000, 1000)
    place.write("fortran.npy", np.asfortranarray(np.arange(60_000.0).reshape(300, 40, 5)))
    shutil.copytree(place.folder, other := place.folder.with_name("poor"))
    for call in CALLS:
        succeeded(place.run(*call.split()))
    # The files are read without these names too: whole, mapped and sequence by sequence.
    program = textwrap.dedent(
        f"""
        from seqtool.cli import run
        for call in {CALLS}:
            assert run(call.split()) == 0, call
        import numpy as np, seqtool as st
        grouped, padded = st.load("grouped.npz"), st.load("padded.npz", mmap=True)
        with np.load("grouped.npz") as file:
            assert (file["x"] == grouped.x).all() and grouped.lengths.sum() == 20_000
        assert (st.pad(st.load("ragged.npz"), maxlen=20, padding="post").x == padded.x).all()
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT + program], cwd=other, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert place.files() == {path.name: path.read_bytes() for path in sorted(other.iterdir())}


def test_rows_that_go_to_the_disk_come_back_without_any_of_it(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import numpy as np
        from seqtool.arrays.spool import Spool
        from seqtool.grouping.kernel import Grouper, RowSchema
        random = np.random.default_rng(0)
        keys, values = random.integers(0, 1000, 200_000), random.integers(0, 9, 200_000)
        with Spool() as spool:
            grouper = Grouper(RowSchema(["k"], [], ["a"]), spool, memory=1 << 20)
            for begin in range(0, len(keys), 10_000):
                grouper.add({"k": keys[begin : begin + 10_000], "a": values[begin : begin + 10_000]})
            assert len(grouper._runs) > 2, len(grouper._runs)
            grouped = grouper.finish()
            order = np.argsort(keys, kind="stable")
            assert (grouped.values[:].reshape(-1) == values[order]).all()
            assert (grouped.keys[:] == np.unique(keys)).all()
        """
    )
    done = subprocess.run([sys.executable, "-c", WITHOUT + program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_lzma_members_are_read_beside_others_without_any_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import zipfile

    from seqtool.files.zip_reader import ZipReader

    take_away(monkeypatch, "preadv", "pread", "pwrite")
    cells = np.random.default_rng(0).integers(0, 1000, 50_000)
    stored = io.BytesIO()
    np.save(stored, cells)
    with zipfile.ZipFile(tmp_path / "both.npz", "w") as archive:
        archive.writestr("a.npy", stored.getvalue(), zipfile.ZIP_STORED)
        archive.writestr("b.npy", stored.getvalue(), zipfile.ZIP_LZMA)
    with ZipReader(tmp_path / "both.npz", "both.npz") as reader, ThreadPoolExecutor(4) as pool:
        window = reader.window("a")

        def read(number: int) -> bool:
            found = reader.read("b") if number % 2 else window[100:40_000]
            return bool((found == (cells if number % 2 else cells[100:40_000])).all())

        assert all(pool.map(read, range(60)))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_command_without_any_of_it(number: int, code: int, poor: Path, tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen(
        [sys.executable, poor, "group", "-", "--key", "a", "-o", "out.npz"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
    )
    assert process.stdin is not None
    process.stdin.write("a,b\n" + "1,2\n" * 100_000)
    process.stdin.flush()  # by now it has read some of that: more than a pipe holds
    process.send_signal(number)
    _, shown = process.communicate(timeout=30)
    assert process.returncode == code, shown
    assert "nothing was written" in shown
    assert [path.name for path in tmp_path.rglob("*")] == ["temporary"]


# No other module knows what a system has


def used(tree: ast.AST) -> Iterator[str]:
    for node in nodes(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_no_other_module_uses_what_only_some_systems_have() -> None:
    names = {
        *(f"os.{name}" for name in [*OS_NAMES, *MORE_OS_NAMES]),
        *(f"signal.{name}" for name in SIGNAL_NAMES),
        *("mmap.MADV_DONTNEED", "resource", "fcntl", "pwd", "/proc/self/status"),
    }
    found = {
        path.relative_to(PACKAGE).as_posix(): here
        for path in paths()
        if (here := names & {*used(parsed(path))})
    }
    assert set(found) == {"system/platform.py"}
    assert {"os.preadv", "os.pwrite", "mmap.MADV_DONTNEED"} <= found["system/platform.py"]
