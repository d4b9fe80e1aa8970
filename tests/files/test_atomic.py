"""Several files appear together or not at all; of one file `test_outputs` tells."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seqtool.errors import DataError, UsageError
from seqtool.files.atomic import replacing_all
from seqtool.files.outputs import Destination, open_all
from seqtool.system import signals
from seqtool.system.platform import ending_signals

OLD, NEW = b"old ", b"new "
NAMES = ["a", "b", "c"]


def put_all(folder: Path, *names: str) -> None:
    with replacing_all([folder / name for name in names or NAMES]) as files:
        for name, file in zip(names or NAMES, files, strict=True):
            file.write(NEW + Path(name).name.encode())


def held(folder: Path) -> dict[str, bytes]:
    """What the files of a folder hold, hidden ones too."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def olds(folder: Path, *names: str) -> dict[str, bytes]:
    for name in names:
        (folder / name).write_bytes(OLD + name.encode())
    return held(folder)


@pytest.mark.parametrize("names", [[], ["a"], NAMES])
def test_all_files_appear(names: list[str], tmp_path: Path) -> None:
    olds(tmp_path, *names)
    put_all(tmp_path)
    assert held(tmp_path) == {name: NEW + name.encode() for name in NAMES}


def test_the_names_hold_the_old_files_until_the_end(tmp_path: Path) -> None:
    before = olds(tmp_path, "a", "b")
    with replacing_all([tmp_path / "a", tmp_path / "b"]) as files:
        for file in files:
            file.write(NEW)
            file.flush()
        assert {name: held(tmp_path)[name] for name in before} == before
    assert held(tmp_path) == {"a": NEW, "b": NEW}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_error_inside_leaves_everything_as_it_was(error: type[BaseException], tmp_path: Path) -> None:
    before = olds(tmp_path, "b")

    def fail() -> None:
        with replacing_all([tmp_path / name for name in NAMES]) as files:
            files[0].write(NEW)
            raise error

    with pytest.raises(error):
        fail()
    assert held(tmp_path) == before


def breaks_at(monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException) -> None:
    """From the rename to this name on every rename fails that is not one of putting back."""
    replace, broken = Path.replace, []

    def fail(path: Path, target: Path) -> Path:
        if target.name == name:
            broken.append(name)
        if broken:
            raise error
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fail)


@pytest.mark.thinned
@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("existing", [[], ["a"], ["b"], ["a", "b"], NAMES])
@pytest.mark.parametrize("name", NAMES)
def test_a_rename_that_fails_undoes_those_before_it(
    name: str, existing: list[str], links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = olds(tmp_path, *existing)
    breaks_at(monkeypatch, name, OSError(errno.ENOSPC, "No space left on device"))
    if not links:  # as on file systems where a file has one name

        def refuse(*_: Any) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    message = rf"/{name}: cannot be written \(no space is left on the disk\); no output was written$"
    with pytest.raises(DataError, match=message):
        put_all(tmp_path)
    assert held(tmp_path) == before


def test_where_files_have_one_name_all_appear_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    olds(tmp_path, "a", "c")

    def refuse(*_: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    put_all(tmp_path)
    assert held(tmp_path) == {name: NEW + name.encode() for name in NAMES}


def test_an_interrupt_between_two_renames_undoes_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = olds(tmp_path, "a", "c")
    breaks_at(monkeypatch, "b", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        put_all(tmp_path)
    assert held(tmp_path) == before


def test_what_cannot_be_put_back_is_reported_with_the_place_of_its_old_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    olds(tmp_path, "a")

    def refuse(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def rename(path: Path, target: Path) -> Path:
        return path.rename(target) if target.name == "a" else refuse()  # type: ignore[func-returns-value, return-value]

    monkeypatch.setattr(Path, "replace", rename)
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(DataError) as caught:
        put_all(tmp_path)
    (old,) = tmp_path.glob(".seqtool-*.old")
    assert old.read_bytes() == OLD + b"a"
    assert str(caught.value) == (
        f"{tmp_path / 'b'}: cannot be written (Input/output error); "
        f"{tmp_path / 'a'} is already replaced, its previous content is in {old}"
    )
    assert (tmp_path / "a").read_bytes() == NEW + b"a"
    assert not (tmp_path / "b").exists()


def test_every_byte_is_on_the_disk_before_the_first_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    seen = []
    monkeypatch.setattr(os, "fsync", lambda handle: seen.append((tmp_path / "a").exists()))
    put_all(tmp_path, "a", "b", "folder/c")
    assert seen == [False] * 3 + [True] * 2


def test_files_of_several_folders_and_behind_links(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/target")
    put_all(tmp_path, "link", "folder/b")
    assert (tmp_path / "link").is_symlink()
    assert held(tmp_path / "folder") == {"target": NEW + b"link", "b": NEW + b"b"}


@pytest.mark.parametrize("folder", ["nowhere", "a"])
def test_a_folder_that_is_missing_stops_all(folder: str, tmp_path: Path) -> None:
    before = olds(tmp_path, "a")
    with pytest.raises(DataError, match="c"):
        put_all(tmp_path, "a", "b", f"{folder}/c")
    assert held(tmp_path) == before


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a")
    for names in (["a", "a"], ["a", "link"]):
        with pytest.raises(UsageError, match=f"{names[1]}: two outputs go to this file"):
            put_all(tmp_path, *names)
    assert held(tmp_path) == {}


def test_a_device_or_a_pipe_stands_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for special in ("/dev/null", str(tmp_path / "fifo")):
        with pytest.raises(
            UsageError, match=f"{special}: a device or a pipe cannot be one of several outputs"
        ):
            put_all(tmp_path, "a", special)
    put_all(tmp_path, "/dev/null")
    assert held(tmp_path) == {}


def test_standard_output_stands_alone(tmp_path: Path) -> None:
    refused = pytest.raises(UsageError, match="standard output cannot be one of several outputs")
    with refused, open_all([Destination(tmp_path / "a.npz"), Destination(None)]):
        pass
    with open_all([Destination(tmp_path / "a.npz")]) as [(file, seekable)]:
        file.write(NEW)
    assert seekable
    assert held(tmp_path) == {"a.npz": NEW}


def test_the_second_file_that_fails_to_open_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="folder: a folder; the name of a file was expected"):
        put_all(tmp_path, "a", "folder")
    assert held(tmp_path) == {}


def test_the_mode_of_each_file_is_kept_or_follows_the_umask(tmp_path: Path) -> None:
    olds(tmp_path, "a")
    (tmp_path / "a").chmod(0o640)
    before = os.umask(0o027)
    try:
        put_all(tmp_path, "a", "b")
    finally:
        os.umask(before)
    assert [oct((tmp_path / name).stat().st_mode & 0o777) for name in "ab"] == ["0o640", "0o640"]


# What stands is remembered.


@pytest.fixture
def recorded() -> Any:
    with signals.recorded_outputs():
        yield


@pytest.mark.usefixtures("recorded")
def test_what_was_written_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert signals.outcome() == "nothing was written"
    with pytest.raises(RuntimeError), replacing_all([Path("no")]):
        raise RuntimeError
    assert signals.outcome() == "nothing was written"
    put_all(Path(), "a")
    assert signals.outcome() == "a was written"
    put_all(Path(), "b", "c\n")
    assert signals.outcome() == "a, b, c\\n were written"
    with signals.recorded_outputs():  # a call within a call
        put_all(Path(), "d")
    assert signals.outcome() == "a, b, c\\n, d were written"


def test_a_program_that_saves_for_days_collects_no_names(tmp_path: Path) -> None:
    put_all(tmp_path)
    assert signals._state.written is None


# Signals: in a process of its own, which stops between the first rename and the second.

STOPPING = """
import os, sys, time
from pathlib import Path
from seqtool.system import signals
from seqtool.files.atomic import replacing_all

signals.install()
replace = Path.replace

def slow(path, target):
    if target.name == sys.argv[1]:
        print("here", flush=True)
        sys.stdin.readline()
    return replace(path, target)

Path.replace = slow
with signals.recorded_outputs():
    try:
        with replacing_all([Path(name) for name in "abc"]) as files:
            for file in files:
                file.write(b"new " + b"!" * 1000)
            if sys.argv[1] == "writing":
                print("here", flush=True)
                time.sleep(60)
    except signals.Ended:
        print(signals.outcome(), flush=True)
        os._exit(128 + signals.received())
"""


def killed(folder: Path, number: int, where: str) -> tuple[int, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPING, where],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.send_signal(number)
    text, _ = process.communicate("go on\n", timeout=30)
    return process.returncode, text


@pytest.mark.parametrize("number", ending_signals())
def test_a_signal_while_a_set_is_written_leaves_all_old_files(number: int, tmp_path: Path) -> None:
    before = olds(tmp_path, "a", "c")
    assert killed(tmp_path, number, "writing") == (128 + number, "nothing was written\n")
    assert held(tmp_path) == before


@pytest.mark.thinned
@pytest.mark.parametrize("number", ending_signals())
@pytest.mark.parametrize("where", NAMES)
def test_a_signal_between_two_renames_waits_until_the_set_stands(
    number: int, where: str, tmp_path: Path
) -> None:
    olds(tmp_path, "a", "c")
    assert killed(tmp_path, number, where) == (128 + number, "a, b, c were written\n")
    assert held(tmp_path) == dict.fromkeys(NAMES, b"new " + b"!" * 1000)


def test_a_kill_between_two_renames_loses_no_bytes(tmp_path: Path) -> None:
    """It cannot be caught: the first file is new, the others are old, and what was old is beside under another name."""
    olds(tmp_path, *NAMES)
    code, _ = killed(tmp_path, signal.SIGKILL, "b")
    assert code == -signal.SIGKILL
    found = held(tmp_path)
    assert found["a"] == b"new " + b"!" * 1000
    assert (found["b"], found["c"]) == (OLD + b"b", OLD + b"c")
    assert [content for name, content in found.items() if name.endswith("-a.old")] == [OLD + b"a"]


def test_names_of_any_length_are_put_aside(tmp_path: Path) -> None:
    names = ["語" * 80 + ".npz", "b" * 250]
    olds(tmp_path, *names)
    put_all(tmp_path, *names)
    assert held(tmp_path) == {name: NEW + name.encode() for name in names}
