import contextlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqtool.errors import DataError, UsageError
from seqtool.files import outputs
from seqtool.files.atomic import is_special, replacing
from seqtool.files.npz import save, written_by_seqtool
from seqtool.files.outputs import Destination, choose, stdout_is_elsewhere
from seqtool.plotting.marks import SUFFIXES, drawn_by_seqtool
from seqtool.sources.pad import pad
from tests.written import rewrite, write

OLD, NEW = b"old bytes", b"new bytes"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def umask() -> Iterator[Any]:
    """Sets the umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def ascii_start(name: str) -> str:
    return f"{name[:4]!a} and {len(name) - 4} more"


def put(path: Path, data: bytes = NEW) -> None:
    with replacing(path) as file:
        file.write(data)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def put_and_raise(path: Path, error: type[BaseException]) -> None:
    with replacing(path) as file:
        file.write(NEW)
        raise error


# A file appears whole or not at all.


def test_a_file_is_written(tmp_path: Path) -> None:
    put(tmp_path / "out.npz")
    assert (tmp_path / "out.npz").read_bytes() == NEW
    assert names(tmp_path) == ["out.npz"]


def test_a_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "out.npz").write_bytes(OLD * 1000)
    put(tmp_path / "out.npz")
    assert (tmp_path / "out.npz").read_bytes() == NEW
    assert names(tmp_path) == ["out.npz"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize("old", [True, False])
def test_an_error_inside_leaves_everything_as_it_was(
    error: type[BaseException], old: bool, tmp_path: Path
) -> None:
    path = tmp_path / "out.npz"
    if old:
        path.write_bytes(OLD)
    with pytest.raises(error):
        put_and_raise(path, error)
    assert names(tmp_path) == (["out.npz"] if old else [])
    assert not old or path.read_bytes() == OLD


def test_the_name_holds_the_old_file_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "out.npz"
    path.write_bytes(OLD)
    with replacing(path) as file:
        file.write(NEW)
        file.flush()
        assert path.read_bytes() == OLD
        assert len(names(tmp_path)) == 2
    assert path.read_bytes() == NEW


def test_the_bytes_are_on_the_disk_before_the_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "out.npz", []

    def fsync(handle: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else f"{os.fstat(handle).st_size} bytes"
        seen.append((kind, path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    put(path)
    assert seen == [("9 bytes", False), ("folder", True)]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_late_leaves_everything_as_it_was(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "out.npz").write_bytes(OLD)
    monkeypatch.setattr(os if step == "fsync" else Path, step, fail)
    with pytest.raises(DataError, match=r"out\.npz: cannot be written \(no space is left"):
        put(tmp_path / "out.npz")
    monkeypatch.undo()
    assert names(tmp_path) == ["out.npz"]
    assert (tmp_path / "out.npz").read_bytes() == OLD


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664), (0, 0o666)])
def test_the_mode_of_a_new_file_follows_the_umask(mask: int, mode: int, tmp_path: Path, umask: Any) -> None:
    umask(mask)
    put(tmp_path / "out.npz")
    assert stat.S_IMODE((tmp_path / "out.npz").stat().st_mode) == mode
    assert umask(mask) == mask


def test_a_replaced_file_keeps_its_mode(tmp_path: Path, umask: Any) -> None:
    path = tmp_path / "out.npz"
    path.write_bytes(OLD)
    path.chmod(0o640)
    put(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_no_one_else_reads_a_file_that_is_being_written(tmp_path: Path) -> None:
    with replacing(tmp_path / "out.npz"):
        (temporary,) = tmp_path.iterdir()
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600


@pytest.mark.parametrize("old", [True, False])
def test_the_target_of_a_link_is_replaced_and_not_the_link(old: bool, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "target.npz", tmp_path / "link.npz"
    if old:
        target.write_bytes(OLD)
    link.symlink_to("folder/target.npz")
    put(link)
    assert link.is_symlink()
    assert target.read_bytes() == NEW
    assert names(tmp_path / "folder") == ["target.npz"]


def test_a_hard_link_elsewhere_keeps_the_old_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(OLD)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    put(tmp_path / "a")
    assert (tmp_path / "b").read_bytes() == OLD


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"nowhere/out\.npz: the folder .*nowhere does not exist; create it first"
    ):
        put(tmp_path / "nowhere" / "out.npz")


def test_a_file_for_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(OLD)
    with pytest.raises(DataError, match="file"):
        put(tmp_path / "file" / "out.npz")


def test_a_folder_as_target_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(DataError, match=r"folder\.npz: a folder; the name of a file was expected"):
        put(tmp_path / "folder.npz")
    assert names(tmp_path) == ["folder.npz"]
    assert names(tmp_path / "folder.npz") == []


@pytest.mark.parametrize(
    "name", ["ü" * 120 + ".npz", "a" * 251 + ".npz", "語" * 83 + ".npz", "-o.npz", " .npz"], ids=ascii_start
)
def test_any_name_that_the_file_system_takes_can_be_written(name: str, tmp_path: Path) -> None:
    put(tmp_path / name)
    assert names(tmp_path) == [name]


def test_a_relative_name_is_written_in_the_current_folder(here: Path) -> None:
    put(Path("out.npz"))
    assert names(here) == ["out.npz"]


def test_a_name_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises((DataError, OSError)):
        put(tmp_path / ("a" * 300))
    assert names(tmp_path) == []


# Devices and pipes are written straight.


def test_a_device_is_written_straight() -> None:
    before = Path("/dev/null").stat()
    put(Path("/dev/null"))
    after = Path("/dev/null").stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


def test_a_link_to_a_device_stays(tmp_path: Path) -> None:
    (tmp_path / "out.npz").symlink_to("/dev/null")
    put(tmp_path / "out.npz")
    assert (tmp_path / "out.npz").readlink() == Path("/dev/null")


def test_a_full_device_is_an_error() -> None:
    with pytest.raises(DataError, match="/dev/full: cannot be written"):
        put(Path("/dev/full"))


def test_a_named_pipe_is_written_straight(tmp_path: Path) -> None:
    fifo, taken = tmp_path / "fifo.npz", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: taken.append(fifo.read_bytes()), daemon=True)
    reader.start()
    with Destination(fifo).open() as (file, seekable):
        assert not seekable
        write(file, pad([[1], [2, 3]]), seekable=seekable)
    reader.join(timeout=30)
    (tmp_path / "copy.npz").write_bytes(taken[0])
    with np.load(tmp_path / "copy.npz") as arrays:
        assert arrays["x"].tolist() == [[0, 1], [2, 3]]
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert names(tmp_path) == ["copy.npz", "fifo.npz"]


@pytest.mark.parametrize("folder", ["/dev/fd", "/proc/self/fd"])
def test_an_open_pipe_by_its_number_is_written_straight(folder: str) -> None:
    reader, writer = os.pipe()
    try:
        path = Path(f"{folder}/{writer}")
        assert is_special(path)
        with Destination(path).open() as (file, seekable):
            assert not seekable
            file.write(NEW)
        assert os.read(reader, 100) == NEW
    finally:
        os.close(reader)
        os.close(writer)


def test_an_open_file_by_its_number_is_written_straight(tmp_path: Path) -> None:
    handle = os.open(tmp_path / "out.npz", os.O_RDWR | os.O_CREAT)
    try:
        with Destination(Path(f"/dev/fd/{handle}")).open() as (file, _):
            file.write(NEW)
        # What the caller opened is what holds the bytes: nothing was renamed over it.
        assert os.pread(handle, 100, 0) == NEW
    finally:
        os.close(handle)
    assert names(tmp_path) == ["out.npz"]


def test_special_is_what_a_rename_may_not_replace(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(OLD)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    (tmp_path / "loop").symlink_to("loop")
    assert [name for name in names(tmp_path) if is_special(tmp_path / name)] == ["fifo", "link"]
    assert is_special(Path("/dev/null"))
    assert not is_special(tmp_path)
    assert not is_special(tmp_path / "none")


# Where a command's output goes.


def chosen(output: str | None, *inputs: str | None, force: bool = False) -> Path | None:
    paths = [None if name is None else Path(name) for name in inputs]
    return choose(
        output, command="pad", inputs=paths, may_replace=lambda path: force or written_by_seqtool(path)
    ).path


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("in.npy", "in.pad.npz"),
        ("folder/in.npy", "in.pad.npz"),
        ("/somewhere/in.npz", "in.pad.npz"),
        ("in.csv.gz", "in.pad.npz"),
        ("in.csv.zst", "in.pad.npz"),
        ("in.2024.csv", "in.2024.pad.npz"),
        ("in", "in.pad.npz"),
        ("in.group.npz", "in.group.pad.npz"),
        (".hidden", ".hidden.pad.npz"),
    ],
)
def test_a_file_gives_a_name_in_the_current_folder(source: str, expected: str, here: Path) -> None:
    assert chosen(None, source) == Path(expected)


def test_the_first_of_several_inputs_gives_the_name(here: Path) -> None:
    assert chosen(None, "b.csv", "a.csv") == Path("b.pad.npz")


def test_standard_input_gives_standard_output(here: Path) -> None:
    assert chosen(None, None) is None
    assert chosen("-", None) is None
    assert chosen("-", "in.npy") is None
    assert chosen("out.npz", None) == Path("out.npz")


class Screen:
    def isatty(self) -> bool:
        return True


def test_a_terminal_takes_no_binary(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Screen())
    for output, source in [("-", "in.npy"), ("-", None), (None, None)]:
        with pytest.raises(UsageError, match="standard output is a terminal; add -o FILE") as caught:
            chosen(output, source)
        assert caught.value.exit_code == 2
    assert chosen(None, "in.npy") == Path("in.pad.npz")
    assert chosen("out.npz", None) == Path("out.npz")


@pytest.mark.parametrize("content", [b"", b"k,a\n1,2\n", b"PK\x05\x06" + b"\0" * 18])
def test_an_implicit_name_does_not_replace_the_file_of_another(content: bytes, here: Path) -> None:
    (here / "in.pad.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"in\.pad\.npz: exists and was not written by seqtool; add --force"):
        chosen(None, "in.npy")
    assert chosen(None, "in.npy", force=True) == Path("in.pad.npz")
    assert chosen("in.pad.npz", "in.npy") == Path("in.pad.npz")
    assert (here / "in.pad.npz").read_bytes() == content


def test_an_implicit_name_does_not_replace_the_arrays_of_another(here: Path) -> None:
    np.savez(here / "in.pad.npz", x=np.zeros(3))
    with pytest.raises(DataError, match="was not written by seqtool"):
        chosen(None, "in.npy")
    np.savez(here / "in.pad.npz", meta=np.array([1, None], dtype=object))
    with pytest.raises(DataError, match="was not written by seqtool"):
        chosen(None, "in.npy")


def test_an_implicit_name_replaces_what_seqtool_wrote(here: Path) -> None:
    save(here / "in.pad.npz", pad([[1]]))
    assert chosen(None, "in.npy") == Path("in.pad.npz")


def test_an_implicit_name_does_not_replace_a_damaged_file(here: Path) -> None:
    save(here / "in.pad.npz", pad([[1]]))
    data = (here / "in.pad.npz").read_bytes()
    meta = data.index(b"meta.npy")
    for place in range(meta, len(data), 5):
        rewrite(here / "in.pad.npz", data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        # Some of the damage is where no checksum looks: there it is still known as ours.
        with contextlib.suppress(DataError):
            assert chosen(None, "in.npy") == Path("in.pad.npz")
    (here / "in.pad.npz").write_bytes(data[:-5])
    with pytest.raises(DataError, match="was not written by seqtool"):
        chosen(None, "in.npy")


def test_an_implicit_name_does_not_replace_a_folder(here: Path) -> None:
    (here / "in.pad.npz").mkdir()
    with pytest.raises(DataError, match="add --force"):
        chosen(None, "in.npy")


@pytest.mark.parametrize("output", [".", "./", "/"])
def test_an_output_that_can_only_be_a_folder_is_refused(output: str, here: Path) -> None:
    with pytest.raises(UsageError, match="a folder; the name of a file was expected"):
        chosen(output, "in.npy")


@pytest.mark.parametrize("how", ["same", "dotted", "symlink", "hardlink", "second"])
def test_one_file_is_not_both_input_and_output(how: str, here: Path) -> None:
    (here / "in.npz").write_bytes(OLD)
    (here / "other.npz").write_bytes(OLD)
    (here / "symlink.npz").symlink_to("in.npz")
    (here / "hardlink.npz").hardlink_to(here / "in.npz")
    outputs_of = {"same": "in.npz", "dotted": "./in.npz", "second": "other.npz"}
    output = outputs_of.get(how, f"{how}.npz")
    with pytest.raises(UsageError, match="is both input and output; name another: -o FILE") as caught:
        choose(
            output,
            command="pad",
            inputs=[Path("in.npz"), Path("other.npz"), None],
            may_replace=lambda _: True,
        )
    assert caught.value.exit_code == 2


def test_an_implicit_name_that_links_to_the_input_is_refused(here: Path) -> None:
    save(here / "in.npz", pad([[1]]))
    (here / "in.pad.npz").symlink_to("in.npz")
    with pytest.raises(UsageError, match="is both input and output"):
        chosen(None, "in.npz")


def test_the_suffix_chooses_the_format(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert Destination(None).suffix == ".npz"
    assert Destination(Path("a.npy")).suffix == ".npy"
    assert Destination(Path("a")).suffix == ""
    assert Destination(Path("/dev/null")).suffix == ".npz"
    assert Destination(tmp_path / "fifo").suffix == ".npz"


def test_a_destination_has_a_name_for_people() -> None:
    assert Destination(None).name == "standard output"
    assert Destination(Path("a/b.npz")).name == "a/b.npz"


def test_a_file_can_seek(tmp_path: Path) -> None:
    with Destination(tmp_path / "x.npz").open() as (file, seekable):
        assert seekable
        write(file, pad([[1]]), seekable=seekable)
    with np.load(tmp_path / "x.npz") as arrays:
        assert arrays["x"].tolist() == [[1]]


# Standard output.


def test_standard_output_gets_the_bytes(capfdbinary: Any) -> None:
    with Destination(None).open() as (file, seekable):
        assert not seekable
        file.write(NEW)
    with Destination(None).open() as (file, _):
        file.write(b"!")
    assert capfdbinary.readouterr().out == NEW + b"!"


@pytest.fixture
def stdout_on() -> Iterator[Any]:
    """Points descriptor 1 elsewhere for one test: at another descriptor, or closed with None."""
    saved = os.dup(1)

    def point(handle: int | None) -> None:
        os.close(1) if handle is None else os.dup2(handle, 1)

    yield point
    os.dup2(saved, 1)
    os.close(saved)


def test_a_closed_standard_output_is_reported(stdout_on: Any) -> None:
    stdout_on(None)
    with (
        pytest.raises(DataError, match="standard output is closed; name a file: -o FILE"),
        Destination(None).open(),
    ):
        pass
    assert not stdout_is_elsewhere()


def test_a_full_standard_output_is_an_error(stdout_on: Any) -> None:
    with Path("/dev/full").open("wb") as full:
        stdout_on(full.fileno())
    refused = pytest.raises(DataError, match="standard output: cannot be written")
    with refused, Destination(None).open() as (file, _):
        file.write(NEW)


def test_a_reader_that_has_gone_is_an_error_of_its_own(stdout_on: Any) -> None:
    reader, writer = os.pipe()
    stdout_on(writer)
    os.close(writer)
    os.close(reader)
    with pytest.raises(BrokenPipeError), Destination(None).open() as (file, _):
        file.write(NEW)


def test_standard_output_is_elsewhere_when_a_pipe_or_file(tmp_path: Path, stdout_on: Any) -> None:
    reader, writer = os.pipe()
    stdout_on(writer)
    assert stdout_is_elsewhere()
    with (tmp_path / "out").open("wb") as file:
        stdout_on(file.fileno())
    assert stdout_is_elsewhere()
    with Path("/dev/null").open("wb") as null:
        stdout_on(null.fileno())
    assert not stdout_is_elsewhere()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("output", ["out.csv", "out", "out.npz.gz", "out.NPZ"])
def test_a_suffix_that_is_no_format_is_a_wrong_call(output: str, here: Path) -> None:
    with pytest.raises(UsageError, match=r"\.npz, \.npy, .* or a folder/ was expected"):
        chosen(output, "in.npy")
    assert names(here) == []


# Pictures.


def picture_to(output: str | None) -> Destination:
    inputs = [None if output == "-" else Path("in.npz")]
    return choose(output, command="plot", inputs=inputs, may_replace=drawn_by_seqtool, suffixes=SUFFIXES)


def test_a_command_may_write_other_formats(here: Path) -> None:
    assert picture_to(None).path == Path("in.plot.png")
    for name in ("a.png", "a.svg", "a.html"):
        assert (picture_to(name).path, picture_to(name).suffix) == (Path(name), Path(name).suffix)
    assert (picture_to("-").path, picture_to("-").suffix) == (None, ".png")
    assert picture_to("/dev/null").suffix == ".png"


@pytest.mark.parametrize("output", ["a.npz", "a.jpg", "a", "a.PNG"])
def test_another_suffix_is_reported_with_those_of_the_command(output: str, here: Path) -> None:
    with pytest.raises(UsageError, match=r"\.png, \.svg or \.html was expected"):
        picture_to(output)


@pytest.mark.parametrize(
    "head",
    [
        b"\x89PNG\r\n\x1a\n....IHDR............\0\0\0\x15tEXtSoftware\0seqtool plot....IDAT",
        b"<?xml?>\n<!-- seqtool plot -->\n<svg>",
    ],
)
def test_an_implicit_name_replaces_a_picture_of_ours_alone(head: bytes, here: Path) -> None:
    (here / "in.plot.png").write_bytes(head)
    assert picture_to(None).path == Path("in.plot.png")
    for other in (b"", head.replace(b"seqtool", b"another"), b"-" * 1024 + head):
        (here / "in.plot.png").write_bytes(other)
        with pytest.raises(DataError, match=r"in\.plot\.png: exists and was not written by seqtool"):
            picture_to(None)


def test_a_folder_that_is_missing_is_reported_before_any_work(here: Path) -> None:
    with pytest.raises(DataError, match="the folder missing does not exist"):
        chosen("missing/out.npz", "in.npy")
    assert names(here) == []


def test_choosing_writes_nothing(here: Path) -> None:
    for output in (None, "out.npz", "-"):
        outputs.choose(output, command="pad", inputs=[Path("in.npy")], may_replace=lambda _: False)
    assert names(here) == []
