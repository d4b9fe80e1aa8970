import contextlib
import dataclasses
import errno
import json
import os
import shutil
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqtool as sq
from seqtool.arrays.lazy import Lazy, span
from seqtool.commands._deliver import Output, deliver, deliver_all
from seqtool.commands._options import OutputOptions, PaddingOptions
from seqtool.errors import DataError, UsageError
from seqtool.files.outputs import Destination
from seqtool.operations import pad as padding_module
from seqtool.operations.pad import pad_stream, with_pad_entry
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.stream import PaddedStream
from seqtool.terminal.report import Summary
from tests import oracles

SEQUENCES = [[1, 2, 3], [4], []]
RAGGED = Ragged(np.array([1, 2, 3, 4]), np.array([0, 3, 4, 4]), keys=np.array([7, 8, 9]))


def accounted(data: PaddedStream | Ragged) -> Any:
    """The same with a receipt that tells of every step."""
    steps = span(data.lengths).total + (data.steps_cut if isinstance(data, PaddedStream) else 0)
    return with_pad_entry(data, ["in.npy"], {"label": None}, steps=steps)


def data_receipt(data: PaddedStream | Ragged) -> Any:
    return data.ragged.receipt if isinstance(data, PaddedStream) else data.receipt


def delivered(
    path: Path | None,
    data: PaddedStream | Ragged = RAGGED,
    *,
    mask: bool = False,
    **to: Any,
) -> Summary:
    summary = Summary("pad")
    deliver(
        data if data_receipt(data) else accounted(data),
        Destination(path),
        OutputOptions(**to),
        summary,
        mask=mask,
    )
    return summary


def line(summary: Summary, word: str) -> str:
    (text,) = [text for message, text in summary.lines if message == word]
    return text


# What is written


def test_a_plan_is_written_as_it_pads(tmp_path: Path) -> None:
    delivered(tmp_path / "out.npz", pad_stream(RAGGED, padding="post"))
    loaded = sq.load(tmp_path / "out.npz")
    assert isinstance(loaded, sq.Padded)
    assert loaded.x.tolist() == oracles.pad_sequences(SEQUENCES, padding="post")
    assert loaded.lengths.tolist() == [3, 1, 0]
    assert loaded.keys is not None
    assert loaded.keys.tolist() == [7, 8, 9]


def test_ragged_sequences_are_written_as_they_are(tmp_path: Path) -> None:
    delivered(tmp_path / "out.npz", RAGGED)
    loaded = sq.load(tmp_path / "out.npz")
    assert isinstance(loaded, Ragged)
    assert oracles.sequences_of(loaded) == SEQUENCES


def test_an_npy_holds_x_alone(tmp_path: Path) -> None:
    delivered(tmp_path / "out.npy", pad_stream(RAGGED, maxlen=2))
    assert np.load(tmp_path / "out.npy").tolist() == oracles.pad_sequences(SEQUENCES, maxlen=2)


@pytest.mark.parametrize("mask", [True, False])
def test_the_mask_is_written_when_asked_for(tmp_path: Path, mask: bool) -> None:
    delivered(tmp_path / "out.npz", pad_stream(RAGGED, padding="post"), mask=mask)
    with np.load(tmp_path / "out.npz") as arrays:
        assert ("mask" in arrays.files) == mask
        if mask:
            assert arrays["mask"].tolist() == oracles.step_mask([3, 1, 0], maxlen=3, padding="post")


def test_the_receipt_joins_those_before_it_and_counts_what_is_cut(tmp_path: Path) -> None:
    earlier = {"command": "group", "inputs": ["a.csv"]}
    data = pad_stream(RAGGED.replace(receipt=(earlier,)), maxlen=2)
    delivered(tmp_path / "out.npz", accounted(data))
    assert sq.load(tmp_path / "out.npz").receipt == (
        earlier,
        {
            "command": "pad",
            "inputs": ["in.npy"],
            "arguments": {"maxlen": 2, "padding": "pre", "value": 0, "dtype": "int64"},
            "rows": {"in": 4, "kept": 3, "cut": 1, "dropped": {}},
        },
    )


def test_the_same_data_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        delivered(tmp_path / name, pad_stream(RAGGED))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


# What is refused, and leaves nothing behind


@pytest.mark.parametrize("data", [RAGGED, pad_stream(RAGGED, maxlen=1)])
def test_rows_that_are_not_accounted_for_stop_everything(tmp_path: Path, data: PaddedStream | Ragged) -> None:
    with pytest.raises(AssertionError, match="5 rows were read or added, but 4 are accounted for"):
        with_pad_entry(data, [], {}, steps=5)
    whole = with_pad_entry(pad_stream(RAGGED), [], {}, steps=4)
    lost = dataclasses.replace(
        whole, ragged=RAGGED.replace(receipt=({**whole.ragged.receipt[0], "rows": {"kept": 3}},))
    )
    with pytest.raises(AssertionError, match="4 steps are to be written, but the receipt counts 3"):
        deliver(lost, Destination(tmp_path / "out.npz"), OutputOptions(), Summary("pad"))
    assert list(tmp_path.iterdir()) == []


def test_ragged_sequences_have_no_x_for_an_npy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ragged sequences have none"):
        delivered(tmp_path / "out.npy", RAGGED)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        delivered(tmp_path / "no" / "out.npz")


def test_padding_out_of_all_proportion_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(padding_module, "budget", lambda: 1000)
    ragged = Ragged(np.arange(200), np.array([0, *range(1, 101), 200]))
    with pytest.raises(DataError, match="maxlen 1 covers 95 %"):
        delivered(tmp_path / "out.npz", pad_stream(ragged))
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_disk_has_room_for_is_refused_before_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 50, 50))
    with pytest.raises(DataError, match="but the disk has 50 B left; see --dry-run"):
        delivered(tmp_path / "out.npz", pad_stream(RAGGED))
    assert list(tmp_path.iterdir()) == []
    delivered(tmp_path / "out.npz", pad_stream(RAGGED), dry_run=True)


# What is said


def test_the_summary_of_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    summary = delivered(Path("out.npz"), pad_stream(RAGGED, maxlen=2, padding="post"), quiet=True)
    assert line(summary, "keys") == "3, integers"
    assert line(summary, "output") == "x (3, 2) int64; lengths 0 to 2; post padding with 0, 50% of all steps"
    assert line(summary, "cut") == "1 step at the start of 1 sequence"
    assert line(summary, "wrote").startswith("out.npz, ")
    facts = dict(summary.facts)
    size = facts.pop("bytes")
    assert facts == {
        "rows": {"in": 4, "kept": 3, "cut": 1, "dropped": {}},
        "keys": 3,
        "lengths": {"min": 0, "max": 2},
        "shape": [3, 2],
        "dtype": "int64",
        "kind": "padded",
        "padding": "post",
        "value": 0,
        "steps_cut": 1,
        "output": "out.npz",
        "dry_run": False,
    }
    with np.load("out.npz") as arrays:
        assert size == sum(arrays[name].nbytes for name in arrays.files)


def test_the_summary_of_ragged_sequences(tmp_path: Path) -> None:
    names = {"classes": np.array(["cat", "dog"])}
    ragged = RAGGED.replace(keys=np.array(["a", "b", "c"]), names=names)
    summary = delivered(tmp_path / "out.npz", ragged, quiet=True)
    assert line(summary, "keys") == "3, text"
    assert line(summary, "classes") == "2: cat, dog"
    assert line(summary, "output") == "values (4,) int64, ragged; lengths 0 to 3"
    assert summary.facts["kind"] == "ragged"
    assert summary.facts["shape"] == [4]


def test_the_side_that_loses_steps_is_named(tmp_path: Path) -> None:
    summary = delivered(tmp_path / "out.npz", pad_stream(RAGGED, maxlen=1, truncating="post"), quiet=True)
    assert line(summary, "cut") == "2 steps at the end of 1 sequence"


@pytest.mark.parametrize(
    ("lengths", "message"), [([], "lengths none"), ([2, 2], "lengths all 2"), ([1, 2], "lengths 1 to 2")]
)
def test_lengths_are_reported_in_few_words(tmp_path: Path, lengths: list[int], message: str) -> None:
    ragged = Ragged(np.arange(sum(lengths)), np.cumsum([0, *lengths]))
    summary = delivered(tmp_path / "out.npz", pad_stream(ragged, maxlen=3), quiet=True)
    assert f"; {message};" in line(summary, "output")


def test_a_dry_run_writes_nothing_and_says_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = delivered(tmp_path / "out.npz", pad_stream(RAGGED), dry_run=True, quiet=True)
    assert list(tmp_path.iterdir()) == []
    assert line(summary, "would write").startswith(f"{tmp_path / 'out.npz'}, ")
    assert "would write" in capsys.readouterr().err
    assert summary.facts["output"] is None
    assert summary.facts["dry_run"] is True


@pytest.mark.parametrize(("name", "mask"), [("out.npz", True), ("out.npz", False), ("out.npy", False)])
def test_a_dry_run_tells_the_bytes_that_writing_takes(tmp_path: Path, name: str, mask: bool) -> None:
    text = delivered(tmp_path / name, pad_stream(RAGGED), mask=mask, dry_run=True).facts["bytes"]
    assert text == delivered(tmp_path / name, pad_stream(RAGGED), mask=mask).facts["bytes"]


def test_an_npy_has_no_room_for_a_mask(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--mask"):
        delivered(tmp_path / "out.npy", pad_stream(RAGGED), mask=True)
    assert list(tmp_path.iterdir()) == []


def test_quiet_is_quiet_and_json_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    delivered(tmp_path / "out.npz", quiet=True)
    assert capsys.readouterr() == ("", "")
    delivered(tmp_path / "out.npz", as_json=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["output"] == str(tmp_path / "out.npz")


# Standard output


@contextlib.contextmanager
def piped() -> Iterator[list[bytes]]:
    """A pipe as standard output; what went there is in the list after the block."""
    result: list[bytes] = []
    sys.stdout.flush()
    saved = os.dup(1)
    reading, writing = os.pipe()
    os.dup2(writing, 1)
    os.close(writing)
    try:
        yield result
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        with os.fdopen(reading, "rb") as file:
            result.append(file.read())


def test_standard_output_gets_the_same_arrays(tmp_path: Path) -> None:
    with piped() as result:
        summary = delivered(None, pad_stream(RAGGED), quiet=True)
    (tmp_path / "out.npz").write_bytes(result[0])
    assert sq.load(tmp_path / "out.npz").lengths.tolist() == [3, 1, 0]
    assert line(summary, "wrote").startswith("standard output, ")
    assert summary.facts["output"] == "-"


def test_a_file_beside_a_waiting_pipe_tells_of_the_option(tmp_path: Path) -> None:
    with piped() as result:
        summary = delivered(tmp_path / "out.npz", quiet=True)
    assert line(summary, "wrote").endswith("; -o - sends the data to standard output")
    assert result == [b""]


def test_a_device_is_written_straight() -> None:
    summary = delivered(Path(os.devnull), pad_stream(RAGGED), quiet=True)
    assert line(summary, "wrote").startswith("/dev/null, ")
    assert not Path(os.devnull).is_file()


# Several outputs

OLD = b"old bytes"
PARTS = {"train": [[1, 2, 3], [4]], "val": [[5, 6]], "test": []}


def ragged(sequences: list[list[int]]) -> Ragged:
    values = np.array([step for steps in sequences for step in steps], dtype=np.int64)
    return Ragged(values, np.cumsum([0, *map(len, sequences)]))


def parts(folder: Path, *, suffix: str = ".npz", maxlen: int = 2) -> list[Output]:
    """One output for each part of a split, padded."""
    return [
        Output(
            accounted(pad_stream(ragged(sequences), maxlen=maxlen)),
            Destination(folder / f"{name}{suffix}"),
        )
        for name, sequences in PARTS.items()
    ]


def all_delivered(outputs: list[Output], *, mask: bool = False, **to: Any) -> Summary:
    summary = Summary("split")
    deliver_all(outputs, OutputOptions(output="{split}", **to), summary, mask=mask)
    return summary


@pytest.mark.parametrize("compress", [None, "fast"])
def test_several_outputs_are_each_as_they_would_be_alone(tmp_path: Path, compress: str | None) -> None:
    all_delivered(parts(tmp_path), compress=compress, mask=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test.npz", "train.npz", "val.npz"]
    for output in parts(tmp_path):
        assert output.destination.path is not None
        together = output.destination.path.read_bytes()
        delivered(tmp_path / "alone.npz", output.data, mask=True, compress=compress)
        assert together == (tmp_path / "alone.npz").read_bytes()
        loaded = sq.load(output.destination.path)
        assert isinstance(loaded, sq.Padded)
        sequences = PARTS[output.destination.path.stem]
        assert loaded.x.tolist() == oracles.pad_sequences(sequences, maxlen=2)


def test_one_of_several_is_as_deliver_does_it(tmp_path: Path) -> None:
    one, other = Summary("pad"), Summary("pad")
    to = OutputOptions(quiet=True)
    deliver(accounted(pad_stream(RAGGED)), Destination(tmp_path / "x.npz"), to, one)
    before = (tmp_path / "x.npz").read_bytes()
    deliver_all([Output(accounted(pad_stream(RAGGED)), Destination(tmp_path / "x.npz"))], to, other)
    assert (tmp_path / "x.npz").read_bytes() == before
    assert (one.lines, list(one.facts.items())) == (other.lines, list(other.facts.items()))


def test_the_summary_names_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    summary = all_delivered(parts(Path()), quiet=True)
    assert [(word, text.split(",")[0]) for word, text in summary.lines] == [
        ("output", "train.npz: x (2"),
        ("cut", "train.npz: 1 step at the start of 1 sequence"),
        ("output", "val.npz: x (1"),
        ("output", "test.npz: x (0"),
        ("wrote", "train.npz"),
        ("wrote", "val.npz"),
        ("wrote", "test.npz"),
    ]
    facts = summary.facts
    assert [part["output"] for part in facts["outputs"]] == ["train.npz", "val.npz", "test.npz"]
    assert [part["shape"] for part in facts["outputs"]] == [[2, 2], [1, 2], [0, 2]]
    assert [part["rows"]["cut"] for part in facts["outputs"]] == [1, 0, 0]
    assert facts["bytes"] == sum(part["bytes"] for part in facts["outputs"])
    assert facts["dry_run"] is False


def test_an_npy_among_several_tells_what_it_leaves_out(tmp_path: Path) -> None:
    summary = all_delivered(parts(tmp_path, suffix=".npy"), quiet=True)
    left = [text for word, text in summary.lines if word == "left out"]
    assert (
        left[0] == f"{tmp_path / 'train.npy'}: lengths, original_lengths: .npy holds x alone, .npz everything"
    )
    assert np.load(tmp_path / "val.npy").tolist() == [[5, 6]]


def test_a_dry_run_of_several_lists_all_and_writes_none(tmp_path: Path) -> None:
    summary = all_delivered(parts(tmp_path), dry_run=True, quiet=True)
    assert list(tmp_path.iterdir()) == []
    listed = [text.rpartition(", ")[0] for word, text in summary.lines if word == "would write"]
    assert listed == [str(tmp_path / f"{name}.npz") for name in PARTS]
    assert [part["output"] for part in summary.facts["outputs"]] == [None] * 3
    assert summary.facts["dry_run"] is True
    assert summary.facts["bytes"] == all_delivered(parts(tmp_path), quiet=True).facts["bytes"]


def test_room_is_checked_for_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [part["bytes"] for part in all_delivered(parts(tmp_path), quiet=True).facts["outputs"]]
    for path in tmp_path.iterdir():
        path.unlink()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, sum(sizes) - 1))
    assert max(sizes) < sum(sizes) - 1  # there would be room for each alone
    with pytest.raises(DataError, match=r"train\.npz, .*test\.npz: together take .* but the disk has"):
        all_delivered(parts(tmp_path))
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, sum(sizes)))
    all_delivered(parts(tmp_path), quiet=True)
    assert len(list(tmp_path.iterdir())) == 3


class BrokenError(Exception):
    pass


def failing(output: Output) -> Output:
    """The same, but its data cannot be read to the end."""

    def read(begin: int, end: int) -> Any:
        raise BrokenError

    values = Lazy((3,), np.dtype(np.int64), read)
    return dataclasses.replace(output, data=accounted(Ragged(values, np.array([0, 3]))))


@pytest.mark.parametrize("last", [True, False])
def test_one_that_fails_leaves_all_old_files(tmp_path: Path, last: bool) -> None:
    outputs = parts(tmp_path)
    outputs = [*outputs[:-1], failing(outputs[-1])] if last else [failing(outputs[0]), *outputs[1:]]
    for name in PARTS:
        (tmp_path / f"{name}.npz").write_bytes(OLD)
    with pytest.raises(BrokenError):
        all_delivered(outputs)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        f"{name}.npz": OLD for name in PARTS
    }


def test_a_rename_that_fails_leaves_all_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.npz").write_bytes(OLD)
    replace = Path.replace

    def fail(path: Path, target: Path) -> Path:
        if target.name == "val.npz":
            raise OSError(errno.EIO, "Input/output error")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    refused = r"val\.npz: cannot be written \(Input/output error\); no output was written$"
    with pytest.raises(DataError, match=refused):
        all_delivered(parts(tmp_path))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"train.npz": OLD}


def test_several_that_do_not_account_for_their_rows_stop_all(tmp_path: Path) -> None:
    first, *others = parts(tmp_path)
    whole = accounted(RAGGED)
    lost = whole.replace(receipt=({**whole.receipt[0], "rows": {"kept": 3}},))
    with pytest.raises(AssertionError, match="4 steps are to be written, but the receipt counts 3"):
        all_delivered([*others, dataclasses.replace(first, data=lost)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (None, "standard output cannot be one of several outputs"),
        ("/dev/null", "/dev/null: a device or a pipe cannot be one of several outputs; name a file"),
        ("train.npz", "two outputs go to this file; give each its own name"),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_set_holds_files_alone(tmp_path: Path, other: str | None, message: str, dry_run: bool) -> None:
    path = None if other is None else tmp_path / other
    strange = Output(accounted(pad_stream(RAGGED)), Destination(path))
    with pytest.raises(UsageError, match=message):
        all_delivered([*parts(tmp_path), strange], dry_run=dry_run)
    assert list(tmp_path.iterdir()) == []


# Small things


@pytest.mark.parametrize(
    ("post", "default", "side"),
    [(None, "pre", "pre"), (None, "post", "post"), (True, "pre", "post"), (False, "post", "pre")],
)
def test_an_option_left_out_leaves_the_default_side(post: bool | None, default: Any, side: str) -> None:
    assert PaddingOptions(post=post).side(default) == side
