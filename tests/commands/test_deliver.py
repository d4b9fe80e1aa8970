import contextlib
import dataclasses
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
from seqtool.arrays.lazy import span
from seqtool.commands._deliver import data_bytes, deliver
from seqtool.commands._options import OutputOptions, PaddingOptions
from seqtool.errors import DataError, UsageError
from seqtool.files.outputs import Destination
from seqtool.operations import pad as padding_module
from seqtool.operations.pad import pad_stream, with_entry
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.stream import PaddedStream
from seqtool.terminal.report import Summary
from tests import oracles

SEQUENCES = [[1, 2, 3], [4], []]
RAGGED = Ragged(np.array([1, 2, 3, 4]), np.array([0, 3, 4, 4]), keys=np.array([7, 8, 9]))


def delivered(
    path: Path | None,
    data: PaddedStream | Ragged = RAGGED,
    *,
    mask: bool = False,
    **to: Any,
) -> Summary:
    summary = Summary("pad")
    steps = span(data.lengths).total + (data.steps_cut if isinstance(data, PaddedStream) else 0)
    data = with_entry(data, ["in.npy"], {"label": None}, steps=steps)
    deliver(data, Destination(path), OutputOptions(**to), summary, mask=mask)
    return summary


def line(summary: Summary, word: str) -> str:
    (text,) = [text for said, text in summary.lines if said == word]
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
    delivered(tmp_path / "out.npz", data)
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
        with_entry(data, [], {}, steps=5)
    whole = with_entry(pad_stream(RAGGED), [], {}, steps=4)
    lost = dataclasses.replace(
        whole, ragged=RAGGED.replace(receipt=({**whole.ragged.receipt[0], "rows": {"kept": 3}},))
    )
    with pytest.raises(AssertionError, match="4 steps are to be written, but the receipt tells of 3"):
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
    assert line(summary, "made") == "x (3, 2) int64; lengths 0 to 2; post padding with 0, 50% of all steps"
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
    assert line(summary, "made") == "values (4,) int64, ragged; lengths 0 to 3"
    assert summary.facts["kind"] == "ragged"
    assert summary.facts["shape"] == [4]


def test_the_side_that_loses_steps_is_named(tmp_path: Path) -> None:
    summary = delivered(tmp_path / "out.npz", pad_stream(RAGGED, maxlen=1, truncating="post"), quiet=True)
    assert line(summary, "cut") == "2 steps at the end of 1 sequence"


@pytest.mark.parametrize(
    ("lengths", "told"), [([], "lengths none"), ([2, 2], "lengths all 2"), ([1, 2], "lengths 1 to 2")]
)
def test_lengths_are_told_in_few_words(tmp_path: Path, lengths: list[int], told: str) -> None:
    ragged = Ragged(np.arange(sum(lengths)), np.cumsum([0, *lengths]))
    summary = delivered(tmp_path / "out.npz", pad_stream(ragged, maxlen=3), quiet=True)
    assert f"; {told};" in line(summary, "made")


def test_a_dry_run_writes_nothing_and_says_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = delivered(tmp_path / "out.npz", pad_stream(RAGGED), dry_run=True, quiet=True)
    assert list(tmp_path.iterdir()) == []
    assert line(summary, "would write").startswith(f"{tmp_path / 'out.npz'}, ")
    assert "would write" in capsys.readouterr().err
    assert summary.facts["output"] is None
    assert summary.facts["dry_run"] is True


@pytest.mark.parametrize(("name", "mask"), [("out.npz", True), ("out.npz", False), ("out.npy", False)])
def test_a_dry_run_tells_the_bytes_that_writing_takes(tmp_path: Path, name: str, mask: bool) -> None:
    told = delivered(tmp_path / name, pad_stream(RAGGED), mask=mask, dry_run=True).facts["bytes"]
    assert told == delivered(tmp_path / name, pad_stream(RAGGED), mask=mask).facts["bytes"]


def test_an_npy_has_no_room_for_a_mask(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--mask"):
        delivered(tmp_path / "out.npy", pad_stream(RAGGED), mask=True)
    assert list(tmp_path.iterdir()) == []


def test_quiet_is_quiet_and_json_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    delivered(tmp_path / "out.npz", quiet=True)
    assert capsys.readouterr() == ("", "")
    delivered(tmp_path / "out.npz", as_json=True)
    told = capsys.readouterr()
    assert told.out == ""
    assert json.loads(told.err)["output"] == str(tmp_path / "out.npz")


# Standard output


@contextlib.contextmanager
def piped() -> Iterator[list[bytes]]:
    """A pipe as standard output; what went there is in the list after the block."""
    came: list[bytes] = []
    sys.stdout.flush()
    saved = os.dup(1)
    reading, writing = os.pipe()
    os.dup2(writing, 1)
    os.close(writing)
    try:
        yield came
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        with os.fdopen(reading, "rb") as file:
            came.append(file.read())


def test_standard_output_gets_the_same_arrays(tmp_path: Path) -> None:
    with piped() as came:
        summary = delivered(None, pad_stream(RAGGED), quiet=True)
    (tmp_path / "out.npz").write_bytes(came[0])
    assert sq.load(tmp_path / "out.npz").lengths.tolist() == [3, 1, 0]
    assert line(summary, "wrote").startswith("standard output, ")
    assert summary.facts["output"] == "-"


def test_a_file_beside_a_waiting_pipe_tells_of_the_option(tmp_path: Path) -> None:
    with piped() as came:
        summary = delivered(tmp_path / "out.npz", quiet=True)
    assert line(summary, "wrote").endswith("; -o - sends the data to standard output")
    assert came == [b""]


def test_a_device_is_written_straight() -> None:
    summary = delivered(Path(os.devnull), pad_stream(RAGGED), quiet=True)
    assert line(summary, "wrote").startswith("/dev/null, ")
    assert not Path(os.devnull).is_file()


# Small things


def test_the_bytes_of_the_largest_array() -> None:
    assert data_bytes(RAGGED) == 32
    assert data_bytes(pad_stream(RAGGED, maxlen=5)) == 3 * 5 * 8


@pytest.mark.parametrize(
    ("post", "default", "side"),
    [(None, "pre", "pre"), (None, "post", "post"), (True, "pre", "post"), (False, "post", "pre")],
)
def test_an_option_left_out_leaves_the_default_side(post: bool | None, default: Any, side: str) -> None:
    assert PaddingOptions(post=post).side(default) == side
