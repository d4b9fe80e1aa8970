"""`info` names NaN and infinities, its programs read ids as ids, and a file saved without its meta has a way back."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

import seqtool
from seqtool.codegen import program_for
from seqtool.errors import DataError
from seqtool.training.sequence_file import SequenceFile
from tests.command import Place, succeeded


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_nan_and_infinities_are_named(place: Place) -> None:
    place.write("in.csv", "k,t,v,w\na,1,1.5,\nb,1,NA,2\nb,2,inf,2\n")
    succeeded(place.run("group", "in.csv", "--key", "k", "--order-by", "t", "-o", "in.npz"))
    text = succeeded(place.run("info", "in.npz")).out.decode()
    assert "x: 2 NaN and 1 infinite, the first in sequence 0" in " ".join(text.split())
    (found,) = json.loads(succeeded(place.run("info", "in.npz", "--json")).out)["sequences"]["not_finite"]
    assert (found["array"], found["nan"], found["infinite"]) == ("x", 2, 1)


@pytest.mark.parametrize("code", ["torch", "keras", "tf", "jax"])
def test_a_program_warns_of_nan_and_reads_it_as_0(code: str, place: Place) -> None:
    place.write("in.csv", "k,t,age,v,y\na,1,3,1.5,0.5\na,2,3,NA,0.5\nb,1,NA,2,1.5\n")
    call = "group in.csv --key k --order-by t --static age --label y -o in.npz"
    succeeded(place.run(*call.split()))
    done = succeeded(place.run("info", "in.npz", "--code", code))
    warned = [
        "1 NaN in steps, which the program reads as 0",
        "1 NaN in static, which the program reads as 0",
    ]
    assert done.err.splitlines() == [f"warning: {line}" for line in warned]
    assert [line for line in done.out.decode().splitlines() if "warning" in line] == [
        f"# warning: {line}" for line in warned
    ]


@pytest.mark.parametrize("code", ["torch", "keras", "tf", "jax"])
def test_ids_in_a_column_are_embedded(code: str, place: Place) -> None:
    place.write("in.csv", "user,item\n" + "\n".join(f"{i % 7},{4000 + i * 37 % 400}" for i in range(50)))
    succeeded(place.run("group", "in.csv", "--key", "user", "-o", "in.npz"))
    assert place.arrays("in.npz")["x"].shape[2] == 1
    text = succeeded(place.run("info", "in.npz", "--code", code)).out.decode()
    assert {"jax": 'weights["embedding"]'}.get(code, "Embedding(") in text
    assert "mse" not in text.lower()
    # What the comment says of measurements holds.
    (advice,) = [line for line in text.splitlines() if "measure" in line]
    call = advice.partition("seqtool ")[2].replace("FILE", "in.npz")
    succeeded(place.run(*call.split(), "-o", "measured.npz"))
    text = succeeded(place.run("info", "measured.npz", "--code", code)).out.decode()
    assert "mbedding" not in text


def test_whole_numbers_that_no_embedding_has_rows_for_are_features() -> None:
    for numbers in ([[[-1], [2]]], [[[1], [10_000_000]]]):
        text = program_for(seqtool.pad(numbers), path="a.npz", code="torch").text
        assert "of 1 feature" in text


@pytest.mark.parametrize("ragged", [False, True])
def test_a_file_saved_without_its_meta_becomes_ours_again(ragged: bool, place: Place) -> None:
    place.write("in.csv", "k,t,age,v,y\na,1,3,1.5,lo\na,2,3,2.5,lo\nb,1,4,2,hi\n")
    call = "group in.csv --key k --order-by t --static age --label y -o in.npz"
    succeeded(place.run(*call.split(), *(["--ragged"] if ragged else [])))
    arrays = place.arrays("in.npz")
    del arrays["meta"]
    np.savez(place.folder / "ed ited.npz", **arrays)
    with pytest.raises(DataError) as error:
        SequenceFile(place.folder / "ed ited.npz")
    assert str(error.value).startswith("ed ited.npz: not written by seqtool, or saved again without its meta")
    advice = shlex.split(str(error.value).partition("convert it: seqtool ")[2])
    succeeded(place.run(*advice))
    before = SequenceFile(place.folder / "in.npz", include=["keys", "static"]).named_batch([0, 1])
    after = SequenceFile(place.folder / "ed ited.pad.npz", include=["keys", "static"]).named_batch([0, 1])
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array, err_msg=name)
