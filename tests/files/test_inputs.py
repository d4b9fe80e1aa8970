import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

from seqtool.errors import DataError, NoInputError, UsageError
from seqtool.files.inputs import Input, opened
from seqtool.files.packing import open_bytes
from seqtool.files.zip_reader import ZipReader


def npy_bytes(array: Any = ((1, 2), (3, 4))) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def npz_bytes(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def parquet_bytes() -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table({"x": [[1]]}), file)
    return file.getvalue()


def feather_bytes() -> bytes:
    file = io.BytesIO()
    feather.write_feather(pa.table({"x": [[1]]}), file)
    return file.getvalue()


def stream_bytes() -> bytes:
    file = io.BytesIO()
    table = pa.table({"x": [[1]]})
    with pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


CONTENT = {
    "npy": npy_bytes(),
    "npz": npz_bytes(x=np.zeros((2, 2))),
    "parquet": parquet_bytes(),
    "arrow": feather_bytes(),
    "arrow-stream": stream_bytes(),
    "json": b"[[1, 2], [3]]\n",
    "text": b"1 2\n3\n",
}
OWN_SUFFIX = {
    "npy": [".npy", ".NPY"],
    "npz": [".npz"],
    "parquet": [".parquet"],
    "arrow": [".arrow", ".feather"],
    "arrow-stream": [".arrow"],
    "json": [".json", ".jsonl", ".ndjson"],
    "text": [".csv", ".tsv", ".txt"],
}


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def only(*sources: str | Path) -> Input:
    """The one input behind a name, with its bytes no longer needed."""
    with opened([str(source) for source in sources]) as found:
        assert len(found) == 1
        return found[0]


@pytest.fixture
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Puts bytes on standard input: `feed(data)`, as a file or through a pipe."""
    saved = os.dup(0)

    def put_there(data: bytes, *, through: str = "file") -> None:
        if through == "file":
            handle = os.open(put(tmp_path / "standard.input", data), os.O_RDONLY)
        else:
            handle, writing = os.pipe()

            def write() -> None:
                with os.fdopen(writing, "wb") as pipe:
                    pipe.write(data)

            threading.Thread(target=write, daemon=True).start()
        os.dup2(handle, 0)
        os.close(handle)
        monkeypatch.setattr(sys, "stdin", open(0, closefd=False))  # noqa: SIM115 - closed by nobody: it borrows 0

    yield put_there
    os.dup2(saved, 0)
    os.close(saved)


# Kinds


@pytest.mark.parametrize("suffix", ["", ".data", ".bin"])
@pytest.mark.parametrize("kind", CONTENT)
def test_kinds_are_told_apart_by_what_is_in_the_file(tmp_path: Path, kind: str, suffix: str) -> None:
    path = put(tmp_path / f"in{suffix}", CONTENT[kind])
    found = only(path)
    assert found == Input(str(path), path, path, kind)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "suffix"), [(k, s) for k, suffixes in OWN_SUFFIX.items() for s in suffixes])
def test_a_name_that_agrees_with_the_content_changes_nothing(tmp_path: Path, kind: str, suffix: str) -> None:
    assert only(put(tmp_path / f"in{suffix}", CONTENT[kind])).kind == kind


@pytest.mark.parametrize("kind", ["npy", "npz", "parquet", "arrow", "arrow-stream"])
@pytest.mark.parametrize("suffix", [".csv", ".txt", ".json"])
def test_binary_content_wins_over_a_name_that_says_text(tmp_path: Path, kind: str, suffix: str) -> None:
    assert only(put(tmp_path / f"in{suffix}", CONTENT[kind])).kind == kind


@pytest.mark.parametrize(
    ("content", "suffix", "kind"),
    [
        (b"[1, 2]\n", ".csv", "text"),
        (b"{\n", ".txt", "text"),
        (b"1 2\n", ".json", "json"),
        (b"1 2\n", ".JSONL", "json"),
        (b" \n [1]", "", "json"),
        (b"\xef\xbb\xbf[1]", "", "json"),
        (b'{"x": [1]}', "", "json"),
        (b"-1 2", "", "text"),
        (b"\n\n", "", "text"),
    ],
)
def test_the_suffix_decides_between_text_and_json_alone(
    tmp_path: Path, content: bytes, suffix: str, kind: str
) -> None:
    assert only(put(tmp_path / f"in{suffix}", content)).kind == kind


@pytest.mark.parametrize("kind", CONTENT)
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".parquet", ".arrow", ".feather"])
def test_a_name_that_promises_another_binary_format_is_refused(
    tmp_path: Path, kind: str, suffix: str
) -> None:
    if suffix in OWN_SUFFIX[kind]:
        return
    path = put(tmp_path / f"in{suffix}", CONTENT[kind])
    likely = {"text": ".csv", "json": ".json"}.get(kind)
    holds = f"text; name it by what it is, such as {likely}" if likely else f"a {kind} file"
    with pytest.raises(DataError) as error:
        only(path)
    assert str(error.value) == f"{path}: named {suffix}, but it holds {holds}"


@pytest.mark.parametrize("size", [4, 26, 27, 28, 29, 30, 31, 200])
def test_a_zip_may_be_cut_short_anywhere_in_the_header_of_its_first_member(tmp_path: Path, size: int) -> None:
    path = put(tmp_path / "a.npz", b"PK\x03\x04".ljust(size, b"a"))
    assert only(path).kind == "npz"  # which its reader finds incomplete
    with pytest.raises(DataError, match=r"not a complete \.npz file"), ZipReader(path, "a.npz"):
        pass


def test_an_empty_zip_is_an_npz(tmp_path: Path) -> None:
    assert only(put(tmp_path / "in.npz", npz_bytes())).kind == "npz"


@pytest.mark.parametrize("suffix", ["", ".csv", ".npy"])
def test_bytes_of_no_known_kind_are_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(DataError, match=r"NUL bytes|something else"):
        only(put(tmp_path / f"in{suffix}", b"\x01\x02\x00\x03" * 10))


def test_text_of_two_byte_letters_is_left_to_its_reader(tmp_path: Path) -> None:
    assert only(put(tmp_path / "in.csv", "a,b\n1,2\n".encode("utf-16"))).kind == "text"


@pytest.mark.parametrize("name", ["in.csv", "in.npy", "in"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    path = put(tmp_path / name, b"")
    with pytest.raises(DataError) as error:
        only(path)
    assert str(error.value) == f"{path}: empty; rows or sequences were expected"


# Packed


SUFFIX = {"gzip": ".gz", "zstd": ".zst", "bzip2": ".bz2", "xz": ".xz", "zip": ".zip"}


def pack(content: bytes, packing: str) -> bytes:
    if packing == "zip":
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("folder/", b"")
            archive.writestr("folder/in.data", content)
        return stream.getvalue()
    how = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
    return how[packing](content) if packing in how else pa.compress(content, "zstd", asbytes=True)


@pytest.mark.parametrize("packing", SUFFIX)
@pytest.mark.parametrize("kind", ["json", "text"])
@pytest.mark.parametrize("named", [True, False])
def test_packed_text_is_known_by_its_content(tmp_path: Path, packing: str, kind: str, named: bool) -> None:
    suffix = SUFFIX[packing] if named else ""
    path = put(tmp_path / f"in{suffix}", pack(CONTENT[kind], packing))
    found = only(path)
    assert (found.kind, found.packing) == (kind, packing)
    with open_bytes(path, found.packing) as stream:
        assert stream.read() == CONTENT[kind]


@pytest.mark.parametrize(("inner", "kind"), [(".csv", "text"), (".json", "json"), (".jsonl", "json")])
@pytest.mark.parametrize("packing", SUFFIX)
def test_the_suffix_before_that_of_the_packing_counts(
    tmp_path: Path, inner: str, kind: str, packing: str
) -> None:
    suffix = SUFFIX[packing]
    content = b"[1]" if kind == "text" else b"1"
    assert only(put(tmp_path / f"in{inner}{suffix}", pack(content, packing))).kind == kind


@pytest.mark.parametrize("packing", SUFFIX)
@pytest.mark.parametrize("kind", ["npy", "npz", "parquet"])
def test_packed_binary_files_are_to_be_unpacked_first(tmp_path: Path, packing: str, kind: str) -> None:
    path = put(tmp_path / "in.data", pack(CONTENT[kind], packing))
    with pytest.raises(DataError, match=f"a compressed {kind} file; decompress it first"):
        only(path)


def test_packed_text_that_is_named_an_array_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"named \.npy, but it holds text"):
        only(put(tmp_path / "in.npy.gz", gzip.compress(b"1 2\n")))


@pytest.mark.parametrize("packing", ["gzip", "zstd", "bzip2", "xz"])
def test_damaged_packing_is_refused(tmp_path: Path, packing: str) -> None:
    whole = pack(b"1 2 3\n", packing)
    for damaged in (whole[:6], whole[:6] + b"\xff" * 8):
        path = put(tmp_path / "in.csv", damaged)
        with pytest.raises(DataError, match=f"the {packing} data is damaged or cut short") as error:
            only(path)
        assert str(error.value).startswith(str(path))
        assert "\n" not in str(error.value)


def test_a_damaged_or_encrypted_zip_of_text_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("in.csv", b"1 2 3\n")
    whole = stream.getvalue()
    encrypted = whole.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    for damaged in (whole.replace(b"1 2 3", b"1 2 4"), encrypted):
        assert damaged != whole
        with pytest.raises(DataError, match="the zip data is damaged or cut short"):
            only(put(tmp_path / "in.csv.zip", damaged))


def test_the_members_of_a_zip_of_several_files_are_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in ("a.csv", "__MACOSX/a.csv", "b.csv"):
            archive.writestr(name, b"1 2\n")
    with pytest.raises(DataError, match=r"a zip archive of a\.csv, b\.csv; one file was expected"):
        only(tmp_path / "in.zip")


def test_a_packed_file_without_content_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="empty"):
        only(put(tmp_path / "in.csv.gz", gzip.compress(b"")))


def test_bytes_after_a_gzip_member_are_another_member(tmp_path: Path) -> None:
    path = put(tmp_path / "in.gz", gzip.compress(b"1 2\n") + gzip.compress(b"3 4\n"))
    with open_bytes(path, "gzip") as stream:
        assert stream.read() == b"1 2\n3 4\n"


# Names


def test_several_names_keep_their_order(tmp_path: Path) -> None:
    names = [str(put(tmp_path / name, b"1\n")) for name in ("b", "a", "c")]
    with opened(names) as found:
        assert [item.name for item in found] == names


def test_a_pattern_gives_its_files_in_the_order_of_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.csv", "a.csv", "c.txt", "sub"):
        put(tmp_path / name, b"1\n")
    with opened(["*.csv", "c.txt"]) as found:
        assert [item.name for item in found] == ["a.csv", "b.csv", "c.txt"]


def test_a_pattern_reaches_into_folders(tmp_path: Path) -> None:
    (tmp_path / "one" / "two").mkdir(parents=True)
    for place in ("a.csv", "one/b.csv", "one/two/c.csv"):
        put(tmp_path / place, b"1\n")
    with opened([f"{tmp_path}/**/*.csv"]) as found:
        assert [item.path.name for item in found] == ["a.csv", "b.csv", "c.csv"]


def test_a_name_that_exists_is_no_pattern(tmp_path: Path) -> None:
    put(tmp_path / "a1.csv", b"1\n")
    odd = put(tmp_path / "a[1].csv", b"2\n")
    star = put(tmp_path / "*.csv", b"3\n")
    assert only(odd).path == odd
    assert only(star).path == star
    odd.unlink()
    assert only(odd).path == tmp_path / "a1.csv"


@pytest.mark.parametrize(
    ("name", "what"), [("missing.csv", "no such file"), ("*.csv", "no file matches this pattern")]
)
def test_a_name_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as error:
        only(name)
    assert str(error.value).startswith(f"{name}: {what}")


def test_a_folder_is_refused_with_what_is_in_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a folder; the name of a file was expected$"):
        only(tmp_path)
    put(tmp_path / "one.parquet", b"")
    with pytest.raises(
        DataError, match=r"a folder of 1 \.parquet file; name a file, such as .*/one\.parquet$"
    ):
        only(tmp_path)
    put(tmp_path / "two.parquet", b"")
    with pytest.raises(
        DataError, match=r"one\.parquet, or where several may be read: '.*/\*\.parquet', and where each"
    ):
        only(tmp_path)


def test_a_link_is_read_and_one_that_leads_nowhere_refused(tmp_path: Path) -> None:
    target, link = put(tmp_path / "target", b"1\n"), tmp_path / "link"
    link.symlink_to(target)
    assert only(link).kind == "text"
    target.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        only(link)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "in.csv", b"1\n")
    path.chmod(0)
    with pytest.raises(DataError, match="cannot be read"):
        only(path)


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        only(tmp_path / ("a" * 300))


# Named pipes


def write_into(fifo: Path, content: bytes) -> threading.Thread:
    thread = threading.Thread(target=lambda: fifo.write_bytes(content), daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("kind", CONTENT)
def test_a_named_pipe_is_spooled_and_the_spool_removed(tmp_path: Path, kind: str) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    thread = write_into(fifo, CONTENT[kind])
    with opened([str(fifo)]) as found:
        (item,) = found
        assert (item.name, item.named_path, item.kind) == (str(fifo), fifo, kind)
        assert item.path.read_bytes() == CONTENT[kind]
        assert item.path.read_bytes() == CONTENT[kind]
    thread.join()
    assert not item.path.exists()
    assert fifo.exists()


def test_an_empty_named_pipe_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    write_into(fifo, b"")
    with pytest.raises(DataError, match="empty"):
        only(fifo)


@pytest.mark.parametrize(
    "error", [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device"), KeyboardInterrupt()]
)
def test_an_error_of_the_output_is_not_taken_for_one_of_a_piped_input(
    tmp_path: Path, error: BaseException
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    write_into(fifo, b"1 2\n")
    spools = []

    def fail() -> None:
        with opened([str(fifo)]) as found:
            spools.append(found[0].path)
            raise error

    with pytest.raises(type(error)) as raised:
        fail()
    assert raised.value is error
    assert not spools[0].exists()


# Standard input


@pytest.mark.parametrize("through", ["file", "pipe"])
@pytest.mark.parametrize("sources", [[], ["-"]])
@pytest.mark.parametrize("kind", CONTENT)
def test_standard_input_is_told_apart_by_its_content(
    feed: Any, kind: str, sources: list[str], through: str
) -> None:
    feed(CONTENT[kind], through=through)
    with opened(sources) as found:
        (item,) = found
        assert (item.name, item.named_path, item.kind) == ("standard input", None, kind)
        assert item.path.read_bytes() == CONTENT[kind]
    assert not item.path.exists()


def test_packed_text_on_standard_input_is_known(feed: Any) -> None:
    feed(gzip.compress(b"1 2\n"))
    assert only().packing == "gzip"


def test_the_spool_goes_when_the_block_fails(feed: Any) -> None:
    feed(b"1 2\n")
    spools = []

    def fail() -> None:
        with opened([]) as found:
            spools.append(found[0].path)
            assert spools[0].exists()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not spools[0].exists()


def test_more_than_a_pipe_holds_comes_whole(feed: Any) -> None:
    content = b"1 2 3\n" * 500_000
    feed(content, through="pipe")
    with opened([]) as found:
        assert found[0].path.read_bytes() == content


def test_an_empty_standard_input_tells_of_the_command_before_it(feed: Any) -> None:
    feed(b"", through="pipe")
    with pytest.raises(DataError, match=r"standard input: empty.*add to it: -o -"):
        only()


def test_a_device_on_standard_input_is_no_input() -> None:
    call = "from seqtool.files.inputs import opened\nwith opened([]): pass"
    done = subprocess.run(
        [sys.executable, "-c", call], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert NoInputError.__name__ in done.stderr
    assert "no input: name a file" in done.stderr


def test_a_closed_standard_input_is_no_input() -> None:
    call = "from seqtool.files.inputs import opened\nwith opened([]): pass"
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -c "$1" <&-', sys.executable, call],
        capture_output=True,
        text=True,
        check=False,
    )
    assert NoInputError.__name__ in done.stderr


def test_a_folder_on_standard_input_is_refused(tmp_path: Path) -> None:
    handle, saved = os.open(tmp_path, os.O_RDONLY), os.dup(0)
    os.dup2(handle, 0)
    try:
        with pytest.raises(DataError, match="standard input: a folder"):
            only()
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(handle)


def test_standard_input_is_read_once() -> None:
    with (
        pytest.raises(UsageError, match=r"- \(standard input\) can be read once; name it once"),
        opened(["-", "-"]),
    ):
        pass


@pytest.mark.parametrize(
    "text",
    [
        "in.npy\n",
        "in.npy",
        "data/in.npz\n",
        "events.csv\nmore.csv\n",
        "a b.jsonl\n",
        "x.PARQUET\n",
        "in.feather",
    ],
)
def test_the_name_of_a_file_on_standard_input_is_refused(feed: Any, text: str) -> None:
    feed(text.encode())
    with pytest.raises(DataError, match="looks like the name of a file") as error:
        only()
    assert f"< {text.splitlines()[0]}" in str(error.value)


def test_the_name_of_any_file_that_is_there_is_refused(
    feed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "in.dat", b"1\n")
    feed(b"in.dat\n")
    with pytest.raises(DataError, match="looks like the name of a file"):
        only()
    feed(b"other.dat\n")
    assert only().kind == "text"


@pytest.mark.parametrize(
    "content",
    [
        b"1 2 3\n",
        b"1.5\n",
        b"0.5 0.25\n1.5\n",
        b"user,file.csv\n1,2\n",
        b"a,b.csv\n",
        b'{"file": "in.npy"}\n',
        b"id\n",
        " ".join(["0.125"] * 100).encode(),
        " ".join(["0.125"] * 170).encode() + b"\n1\n",
        "\t".join(["0.125"] * 10_000).encode(),
        b"0." + b"1" * 300,
        b"\xff\xfe1\x00\n\x00",
    ],
)
def test_data_on_standard_input_is_not_taken_for_a_name(feed: Any, content: bytes) -> None:
    feed(content)
    assert only().kind in ("text", "json")


def test_one_file_named_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n")
    (tmp_path / "link.csv").symlink_to("a.csv")
    for other in ("a.csv", "link.csv", "*.csv"):
        twice = pytest.raises(UsageError, match="are the same file")
        with twice, opened([str(tmp_path / "a.csv"), str(tmp_path / other)]):
            pass
