"""Where the output of a command goes, and what the options alone show to be wrong with it."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from seqtool.commands._destination import check_output
from seqtool.commands._options import OutputOptions
from seqtool.errors import UsageError
from tests.command import Place

FORMATS = ".npz, .npy, .parquet, .arrow, .jsonl, .safetensors or a folder/ was expected"


@pytest.mark.parametrize(
    ("to", "more", "message"),
    [
        ({"compress": "lzma"}, {}, "--compress is 'lzma'; fast or small was expected"),
        (
            {"output": "o.npy"},
            {"mask": True},
            "o.npy: .npy holds x alone; use .npz for a mask, or leave --mask out",
        ),
        (
            {"output": "o.npy", "compress": "fast"},
            {},
            "o.npy: .npy holds x alone; use .npz for compression, or leave --compress out",
        ),
        (
            {"output": "o.npy"},
            {"ragged": True},
            "o.npy: .npy holds x alone, and ragged sequences have none; use .npz",
        ),
        (
            {"output": "x.foo"},
            {},
            "x.foo: the suffix of the output chooses its format; " + FORMATS,
        ),
        ({"output": "./"}, {}, "./: a folder; the name of a file was expected"),
        ({}, {"dtype": "float33"}, "dtype is 'float33'; one of"),
    ],
)
def test_options_that_no_input_could_make_good_are_refused(
    to: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        check_output(OutputOptions(**to), **more)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("output", [None, "-", "o.npz", "/dev/null"])
def test_options_that_hold_are_let_through(output: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    to = OutputOptions(output=output, compress="small")
    check_output(to, mask=True, dtype="float64")
    check_output(to, ragged=True)
    check_output(OutputOptions(output="o.npy"), dtype="int8")


def test_a_terminal_takes_no_binary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with pytest.raises(UsageError, match="standard output is a terminal"):
        check_output(OutputOptions(output="-"))
    check_output(OutputOptions(output="-", dry_run=True))


WRONG = {
    "--compress lzma": "--compress is 'lzma'; fast or small was expected",
    "-o o.npy --mask": "o.npy: .npy holds x alone; use .npz for a mask, or leave --mask out",
    "-o o.npy --compress fast": "o.npy: .npy holds x alone; use .npz for compression, or leave --compress out",
    "-o o.npy --ragged": "o.npy: .npy holds x alone, and ragged sequences have none; use .npz",
    "-o x.foo": "x.foo: the suffix of the output chooses its format; " + FORMATS,
    "--dtype float33": "dtype is 'float33'; one of",
}


@pytest.mark.parametrize("options", WRONG)
@pytest.mark.parametrize("call", ["pad missing.npy", "group missing.csv --key k", "pad -", "group - --key k"])
def test_commands_judge_the_call_before_they_open_anything(call: str, options: str, tmp_path: Path) -> None:
    """No source is there, or one from which nothing ever comes: a call that reads it would wait until it fails."""
    place = Place(tmp_path)
    reader, writer = os.pipe()
    try:
        done = place.run(*call.split(), *options.split(), stdin=Path(f"/dev/fd/{reader}"))
    finally:
        os.close(reader)
        os.close(writer)
    assert done.code == 2
    assert done.err.startswith(f"seqtool: error: {WRONG[options]}")
    assert place.files() == {}
    assert place.left_behind() == []


@pytest.mark.parametrize("command", ["pad", "truncate --maxlen 2", "group --key k", "plot"])
def test_an_output_that_is_the_input_is_called_that_whatever_its_suffix(command: str, place: Place) -> None:
    place.write("in.csv", "k,v\n1,2\n")
    name, *options = command.split()
    done = place.run(name, "in.csv", *options, "-o", "./in.csv")
    assert (done.code, done.err) == (
        2,
        "seqtool: error: in.csv: is both input and output; name another: -o FILE\n",
    )
    assert (place.folder / "in.csv").read_text() == "k,v\n1,2\n"
