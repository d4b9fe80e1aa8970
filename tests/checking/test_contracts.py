"""What each reader needs: found where it is missing, and cured by the command that is named."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqtool
from seqtool.arrays.spool import Spool
from seqtool.checking import check
from seqtool.checking.findings import Finding
from seqtool.files.inputs import opened
from seqtool.sequences.ragged import Ragged
from seqtool.sources.options import ForeignSpec
from tests.command import Place, succeeded

NAN = float("nan")
F4 = "float32"


def look(path: Path, reader: Any, **foreign: Any) -> list[Finding]:
    with Spool() as spool, opened([str(path)]) as [source]:
        return check(source, reader=reader, foreign=ForeignSpec(**foreign), spool=spool)


def failing(findings: list[Finding]) -> list[str]:
    return [finding.name for finding in findings if finding.verdict == "fails"]


def steps(*sequences: list[float], **options: Any) -> Any:
    """Padded sequences of steps with two features: the number, and ten times it."""
    dtype = options.pop("dtype", F4)
    padding = options.pop("padding", "post")
    return seqtool.pad(
        [np.array([[n, 10 * n] for n in row], dtype).reshape(-1, 2) for row in sequences],
        padding=padding,
        **options,
    )


def ids(*sequences: list[float], dtype: str = "int64", padding: Any = "post", **options: Any) -> Any:
    return seqtool.pad([np.array(row, dtype) for row in sequences], padding=padding, **options)


# name of the test: data, reader, what fails, its count and place, how many findings name the cure
HAZARDS: dict[str, tuple[Any, str, list[str], int, str]] = {
    "a real step of the mask value": (steps([1, 0], [0, 0]), "keras", ["mask value"], 3, "x[0, 1]"),
    "the same where padding comes first": (
        steps([1, 0], [2, 0, 5], padding="pre"),
        "keras",
        ["mask value"],
        2,
        "x[0, 2]",
    ),
    "equal as float32 alone": (steps([1e-60], dtype="float64"), "keras", ["mask value"], 1, "x[0, 0]"),
    "the first free values are taken too": (
        steps([0, 1], [2], value=0).replace(x=np.array([[[0, 0], [-1, -1]], [[-2, -2], [0, 0]]], F4)),
        "keras",
        ["mask value"],
        1,
        "x[0, 0]",
    ),
    "nan as the value": (steps([1, 2], [3], value=NAN), "keras", ["mask value"], 0, ""),
    "infinity as the value": (steps([1, 2], [3], value=np.inf), "keras", ["mask value"], 0, ""),
    "a value for each feature": (steps([1, 2], [3], value=(0, 1)), "keras", ["mask value"], 0, ""),
    "the same value for each feature, held": (
        steps([1, 0], [3], value=(0, 0)),
        "keras",
        ["mask value"],
        1,
        "x[0, 1]",
    ),
    "ids padded with another value": (ids([5, 1], [3], value=9), "keras", ["mask value"], 0, ""),
    "numbers without features": (ids([0.0, 1], dtype=F4), "keras", ["mask value"], 1, "x[0, 0]"),
    "left padding for cudnn": (steps([1, 2], [3], padding="pre"), "keras-cudnn", ["side"], 1, "x[1, 0]"),
    "an empty row for cudnn": (steps([1, 2], [], [3]), "keras-cudnn", ["empty"], 1, "lengths[1]"),
    "all of it for cudnn": (
        steps([0, 2], [], [3], padding="pre", value=0),
        "keras-cudnn",
        ["mask value", "side", "empty"],
        1,
        "x[0, 0]",
    ),
    "left padding for torch": (steps([1, 2], [3], padding="pre"), "torch", ["side"], 1, "x[1, 0]"),
    "empty sequences for torch": (steps([1, 2], [], [], [3]), "torch", ["empty"], 2, "lengths[1]"),
    "booleans for torch": (ids([1, 0], [1], dtype="bool"), "torch", ["dtype"], 0, ""),
    "left padding for dynamic_rnn": (
        steps([1, 2], [3], padding="pre"),
        "dynamic-rnn",
        ["side"],
        1,
        "x[1, 0]",
    ),
    "whole numbers for dynamic_rnn": (steps([1, 2], [3], dtype="int64"), "dynamic-rnn", ["dtype"], 0, ""),
    "nan as the value for dynamic_rnn": (steps([1, 2], [3], value=NAN), "dynamic-rnn", ["value"], 0, ""),
    "ragged with an empty sequence": (
        Ragged(np.ones((2, 2), F4), np.array([0, 1, 1, 2])),
        "torch",
        ["empty"],
        1,
        "lengths[1]",
    ),
    "ragged that is masked with 0": (
        Ragged(np.zeros((2, 2), F4), np.array([0, 1, 2])),
        "keras",
        ["mask value"],
        2,
        "values[0] (sequence 0, step 0)",
    ),
}


@pytest.mark.thinned
@pytest.mark.parametrize("hazard", HAZARDS)
def test_a_hazard_is_found_and_its_cure_cures_it(place: Place, hazard: str) -> None:
    data, reader, names, count, where = HAZARDS[hazard]
    path = place.folder / "in.npz"
    seqtool.save(path, data)
    findings = look(path, reader)
    assert failing(findings) == names
    first = next(finding for finding in findings if finding.verdict == "fails")
    assert (first.count, first.place) == (count, where or None)
    [cure] = {finding.cure for finding in findings if finding.verdict == "fails"}
    assert cure is not None
    assert cure.startswith(f"seqtool pad {path} ")
    succeeded(place.run(*shlex.split(cure)[1:], "-o", "cured.npz"))
    assert failing(look(place.folder / "cured.npz", reader)) == []


@pytest.mark.parametrize(
    "data",
    [steps([1, 2], [3], dtype="float64"), steps([1, 2], [3], dtype="int64"), ids([1, 2], dtype="int16")],
)
def test_what_the_adapter_of_torch_converts_is_a_warning(place: Place, data: Any) -> None:
    seqtool.save(place.folder / "in.npz", data)
    findings = look(place.folder / "in.npz", "torch")
    [finding] = [found for found in findings if found.verdict != "ok"]
    assert (finding.name, finding.verdict) == ("dtype", "warning")
    assert "seqtool.torch hands it over so" in finding.message
    succeeded(place.run(*shlex.split(finding.cure or "")[1:], "-o", "cured.npz"))
    assert {found.verdict for found in look(place.folder / "cured.npz", "torch")} == {"ok"}


def test_a_fault_that_no_reader_has_is_none(place: Place) -> None:
    """What one reader cannot take another may."""
    path = place.folder / "in.npz"
    for data, readers in (
        (steps([1, 2], [3], padding="pre"), ["keras"]),
        (steps([1, 2], [], [3]), ["keras", "dynamic-rnn"]),
        (steps([1, 0], [3]), ["torch", "dynamic-rnn"]),
        (steps([1, 2], [3], value=NAN), ["torch"]),
        (steps([1, 2], [3, 4], padding="pre"), ["keras", "keras-cudnn", "torch", "dynamic-rnn"]),
        (steps([1, 2], [3, 4], value=NAN), ["torch", "dynamic-rnn"]),
        (steps([1, 2], [3], dtype="float64"), ["keras", "keras-cudnn", "dynamic-rnn"]),
        (steps([1, 2], [3], dtype="int8"), ["keras"]),
        (steps([1, 2], [3], value=(0, 0)), ["keras", "keras-cudnn"]),
        (ids([5, 0], [3]), ["torch", "dynamic-rnn"]),
        (ids([5, 1], [3], dtype="int8"), ["keras", "keras-cudnn"]),
        (Ragged(np.ones((2, 2), F4), np.array([0, 1, 2])), ["keras", "keras-cudnn", "torch", "dynamic-rnn"]),
    ):
        seqtool.save(path, data)
        for reader in readers:
            assert failing(look(path, reader)) == [], (data, reader)


def test_float64_in_dynamic_rnn_is_a_warning_with_the_way_out(place: Place) -> None:
    seqtool.save(place.folder / "in.npz", steps([1, 2], [3], dtype="float64"))
    findings = look(place.folder / "in.npz", "dynamic-rnn")
    assert [(f.name, f.cure) for f in findings if f.verdict == "warning"] == [
        ("dtype", f"seqtool pad {place.folder / 'in.npz'} --dtype float32")
    ]


def test_id_0_has_no_cure_but_words(place: Place) -> None:
    """Ids that become fractions are no ids: only a person knows what they are."""
    seqtool.save(place.folder / "in.npz", ids([5, 0], [3]))
    [finding] = [f for f in look(place.folder / "in.npz", "keras") if f.verdict == "fails"]
    assert (finding.name, finding.count, finding.place, finding.cure) == ("mask value", 1, "x[0, 1]", None)
    assert finding.message.endswith("in.npz --dtype float32 --value -1")


@pytest.mark.parametrize(
    ("labels", "warns"),
    [([1, 2, 3], True), ([-1, 1, 1], True), ([0, 1, 2], False), ([0, 5, 9], False), ([1, 2, 500], False)],
)
def test_labels_that_do_not_count_from_0(place: Place, labels: list[int], warns: bool) -> None:
    data = steps([1, 2], [3], [4]).replace(per_sequence={"y": np.array(labels)})
    seqtool.save(place.folder / "in.npz", data)
    [finding] = [f for f in look(place.folder / "in.npz", "torch") if f.name == "y"]
    assert (finding.verdict == "warning") == warns
    assert ("start at 0" in finding.message) == warns


def test_few_sequences_that_end_like_padding_may_be_real(place: Place) -> None:
    x = np.random.default_rng(0).normal(size=(20, 6, 2)).astype(F4)
    x[:2, 4:] = 0
    np.save(place.folder / "in.npy", x)
    findings = look(place.folder / "in.npy", "torch")
    assert failing(findings) == []
    [finding] = [f for f in findings if f.name == "hidden padding"]
    assert (finding.verdict, finding.count, finding.cure) == ("warning", 2, None)
    x[:10, 4:] = 0
    np.save(place.folder / "in.npy", x)
    assert failing(look(place.folder / "in.npy", "torch")) == ["hidden padding"]


def test_where_no_value_is_free_none_is_named(place: Place) -> None:
    seqtool.save(place.folder / "in.npz", steps([0, 1]).replace(x=np.array([[[0, 0], [1, 1]]], bool)))
    [finding] = [f for f in look(place.folder / "in.npz", "keras") if f.verdict == "fails"]
    assert (finding.name, finding.cure) == ("mask value", None)


def test_a_ragged_file_says_how_it_is_judged(place: Place) -> None:
    path = place.folder / "in.npz"
    seqtool.save(path, Ragged(np.ones((2, 2), F4), np.array([0, 1, 2])))
    [finding] = [f for f in look(path, "torch") if f.name == "form"]
    assert finding.verdict == "ok"
    assert f"seqtool pad {path} --post" in finding.message


def test_the_cure_of_a_foreign_file_says_what_the_person_said(place: Place) -> None:
    x = np.array([[[0, 0], [2, 2]], [[-1, -1], [3, 3]]], "float64")
    np.savez(place.folder / "in.npz", data=x, n=np.array([2, 1]))
    options: dict[str, Any] = {"array": "data", "lengths": "n", "input_padding": "pre", "value": -1}
    for reader, names in (("torch", ["side"]), ("keras-cudnn", ["side"])):
        findings = look(place.folder / "in.npz", reader, **options)
        assert failing(findings) == names
        [cure] = {finding.cure for finding in findings if finding.verdict == "fails"}
        assert cure is not None
        succeeded(place.run(*shlex.split(cure)[1:], "-o", "cured.npz"))
        assert failing(look(place.folder / "cured.npz", reader)) == []
    options["value"] = 0
    x[1, 0] = 0
    np.savez(place.folder / "in.npz", data=x, n=np.array([2, 1]))
    findings = look(place.folder / "in.npz", "keras", **options)
    assert failing(findings) == ["mask value"]
    [cure] = {finding.cure for finding in findings if finding.verdict == "fails"}
    assert cure is not None
    assert cure.count("--value") == 1
    succeeded(place.run(*shlex.split(cure)[1:], "-o", "cured.npz"))
    assert failing(look(place.folder / "cured.npz", "keras")) == []


def test_numbers_below_zero_are_no_ids(place: Place) -> None:
    path = place.folder / "in.npz"
    seqtool.save(path, ids([5, -1], [3]))
    findings = look(path, "torch")
    [warning] = [f for f in findings if f.name == "ids"]
    assert (warning.verdict, warning.count, warning.place) == ("warning", 1, "x[0, 1]")
    assert [f.verdict for f in findings if f.name == "dtype"] == ["warning"]  # as numbers they must be floats
    assert [f.verdict for f in look(path, "keras") if f.name == "ids"] == ["warning"]
    seqtool.save(path, ids([5, 1], [3]))
    assert [f.verdict for f in look(path, "torch") if f.name == "ids"] == ["ok"]
    seqtool.save(path, steps([5, -1], [3]))
    assert "ids" not in [f.name for f in look(path, "torch")]


# Old padding in foreign arrays, whose lengths nobody told


def block(*rows: list[float], dtype: str = F4) -> np.ndarray:
    return np.array([[[n, n if n in (0, -1) else 10 * n] for n in row] for row in rows], dtype)


FOREIGN: dict[str, tuple[np.ndarray, list[str]]] = {
    "at the end": (block([1, 2, 3, 4], [5, 6, 0, 0]), ["--strip", "0"]),
    "at the start": (block([1, 2, 3, 4], [0, 0, 5, 6]), ["--strip", "0", "--strip-side", "pre"]),
    "nan": (block([1, 2, 3], [4, NAN, NAN]), ["--strip", "nan"]),
    "of a value with many digits": (
        np.array([[1, 2, 3, 4], [5, 6, 12345679, 12345679]], F4),
        ["--strip", "12345679"],
    ),
    "of a fraction": (np.array([[1, 2, 3, 4], [0.1, 0.1, 5, 6]], F4), ["--strip", "0.10000000149011612"]),
    "rows of padding alone": (
        block([1, 2, 3], [0, 0, 4], [0, 0, 0]),
        ["--strip", "0", "--strip-side", "pre"],
    ),
    "float64": (block([1, 2, 3], [0, 0, 4], dtype="float64"), ["--strip", "0", "--strip-side", "pre"]),
    "negative": (block([1, 2, 3], [4, -1, -1]), ["--strip", "-1"]),
    "real steps that hold it too": (
        block([1, 2, 0, 4], [0, 0, 5, 6]),
        ["--strip", "0", "--strip-side", "pre"],
    ),
    "ids": (np.array([[5, 6, 7], [5, 0, 0]]), ["--strip", "0"]),
}


@pytest.mark.thinned
@pytest.mark.parametrize("reader", ["torch", "keras", "keras-cudnn", "dynamic-rnn"])
@pytest.mark.parametrize("case", FOREIGN)
def test_hidden_padding_fails_and_its_cure_cures_it(place: Place, case: str, reader: str) -> None:
    x, options = FOREIGN[case]
    path = place.folder / "in.npy"
    np.save(path, x)
    findings = look(path, reader)
    assert "hidden padding" in failing(findings)
    assert "side" not in [finding.name for finding in findings]
    [cure] = {finding.cure for finding in findings if finding.verdict == "fails" and finding.cure}
    words = shlex.split(cure)
    assert words[:4] == ["seqtool", "pad", str(path), "--post"]
    assert words[4 : 4 + len(options)] == options
    succeeded(place.run(*words[1:], "-o", "cured.npz"))
    assert failing(look(place.folder / "cured.npz", reader)) == []


def test_a_dense_array_without_such_runs_hides_no_padding(place: Place) -> None:
    path = place.folder / "in.npy"
    for x in (
        block([1, 2, 3], [4, 5, 6]),
        block([0, 1, 0], [2, 0, 3]),
        np.zeros((0, 3, 2), F4),
        block([0], [1]),
    ):
        np.save(path, x)
        findings = look(path, "torch")
        assert failing(findings) == []
        assert "side" in [finding.name for finding in findings]


# Numbers that float32 cannot hold

BIG = 2**24 + 1
WORDS = "scale or shift the feature first"


@pytest.mark.parametrize("reader", ["torch", "keras", "keras-cudnn", "dynamic-rnn"])
def test_numbers_that_float32_would_collapse_have_no_cure(place: Place, reader: str) -> None:
    path = place.folder / "in.npz"
    for dtype, double in (("int64", True), ("uint32", True), ("float64", False)):
        x = np.array([[[1, 2], [3, BIG]]], dtype)
        seqtool.save(path, seqtool.pad([*x]))
        [finding] = [finding for finding in look(path, reader) if finding.name == "dtype"]
        wanted = "warning" if (reader, dtype) == ("dynamic-rnn", "float64") else "fails"
        assert (finding.verdict, finding.place, finding.cure) == (wanted, "x[0, 1, 1]", None)
        if wanted == "fails":
            assert WORDS in finding.message
            assert ("--dtype float64" in finding.message) == double
    seqtool.save(path, seqtool.pad([np.array([[1, 2], [3, BIG - 1]])]))
    assert failing(look(path, reader)) == (["dtype"] if reader == "dynamic-rnn" else [])


def test_words_name_float64_only_where_it_holds_all(place: Place) -> None:
    seqtool.save(place.folder / "in.npz", seqtool.pad([np.array([[1, 2**53 + 1]])]))
    [finding] = [finding for finding in look(place.folder / "in.npz", "torch") if finding.verdict == "fails"]
    assert finding.message.endswith(WORDS)


def test_ids_that_no_cast_keeps_have_no_cure(place: Place) -> None:
    seqtool.save(place.folder / "in.npz", ids([1, 2**63], dtype="uint64"))
    [finding] = [finding for finding in look(place.folder / "in.npz", "torch") if finding.verdict == "fails"]
    assert (finding.name, finding.place, finding.cure) == ("dtype", "x[0, 1]", None)
    seqtool.save(place.folder / "in.npz", ids([1, BIG], dtype="int64"))
    for reader in ("torch", "keras"):
        assert failing(look(place.folder / "in.npz", reader)) == []
