"""Tables and pictures, as a person sees them."""

import json
import sys
from typing import Any

import numpy as np
import pytest

from seqtool.checking.findings import Finding
from seqtool.checking.show import show_findings
from seqtool.errors import DataError
from seqtool.inspecting.show_file import print_sequence, show_file
from tests.cutting import small_windows
from tests.screen import ESCAPE

# Tables of info


def a_file(**sequences: Any) -> dict[str, Any]:
    arrays = [{"name": "x", "shape": [1920, 45], "dtype": "float32", "bytes": 345_600}]
    if not sequences:
        return {"file": "in.npz", "arrays": arrays, "not_read": []}
    base: dict[str, Any] = {
        "kind": "padded",
        "count": 3,
        "steps": 5,
        "empty": 0,
        "lengths": {"min": 1, "median": 1.5, "max": 2},
        "not_finite": [],
        "histogram": [{"from": 1, "to": 1, "sequences": 1}, {"from": 2, "to": 2, "sequences": 2}],
        "receipt": [],
        "preview": [],
    }
    return {"file": "in.npz", "arrays": arrays, "not_read": [], "sequences": base | sequences}


def drawn(capsys: pytest.CaptureFixture[str], facts: dict[str, Any]) -> str:
    show_file(facts)
    captured = capsys.readouterr()
    assert captured.err == ""
    assert ESCAPE not in captured.out
    return captured.out


def test_a_file_is_drawn_with_its_arrays(capsys: pytest.CaptureFixture[str]) -> None:
    text = drawn(capsys, a_file())
    assert "in.npz" in text
    assert "1,920 x 45" in text
    assert "float32" in text
    assert "345.6 kB" in text
    assert "sequences" not in text


def test_a_file_of_ours_is_drawn_with_all_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {"in": 7, "kept": 5, "cut": 1, "dropped": {"empty key": 1}}
    text = drawn(
        capsys,
        a_file(
            empty=1,
            padding="post",
            value="nan",
            padding_share=0.375,
            features=["speed", "height"],
            classes=["cat", "dog"],
            receipt=[{"command": "group", "rows": rows}],
            preview=[{"sequence": 0, "length": 7, "key": "k1", "y": 1, "steps": [["1.5", "2"], ["3", "4"]]}],
        ),
    )
    for words in (
        "3 sequences, 5 steps, 1 of them empty",
        "min 1, median 1.5, max 2",
        "post, with nan, 37.5% of all steps",
        "speed, height",
        "cat, dog",
        "by group",
        "7 steps in = 5 kept + 1 cut + 1 dropped",
        "sequence 0: key k1, y 1, 7 steps",
        "1.5",
        "...",
    ):
        assert words in text


def test_names_with_brackets_are_drawn_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    facts = a_file(
        features=["[red]a", "[/]", "b[0]"],
        classes=["[bold]"],
        preview=[{"sequence": 0, "length": 1, "key": "[k]", "steps": [["1", "2", "3"]]}],
    )
    facts["file"] = "[blue]in.npz"
    text = drawn(capsys, facts)
    for name in ("[red]a", "[/]", "b[0]", "[bold]", "key [k]", "[blue]in.npz"):
        assert name in text


@pytest.mark.parametrize("width", [0, 1, 50])
def test_steps_of_any_width_can_be_drawn(capsys: pytest.CaptureFixture[str], width: int) -> None:
    steps = [[str(i) for i in range(width)]]
    previews = [{"sequence": 0, "length": 1, "steps": steps}, {"sequence": 1, "length": 0, "steps": []}]
    text = drawn(capsys, a_file(preview=previews))
    assert "sequence 0: 1 step" in text
    assert "sequence 1: 0 steps" in text


def test_no_sequences_have_no_lengths_to_draw(capsys: pytest.CaptureFixture[str]) -> None:
    assert "median" not in drawn(capsys, a_file(count=0, lengths=None, histogram=[]))


def test_a_closed_standard_output_is_an_error_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(DataError, match="standard output is closed"):
        show_file(a_file())


# One sequence as JSON


def test_a_sequence_is_written_by_windows_as_strict_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small_windows(monkeypatch)
    steps = np.array([[1.5, np.nan], [np.inf, -2.0]] * 20)
    print_sequence({"sequence": 7, "steps": [["1.5", "nan"]]}, steps)
    facts = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert facts == {"schema": 1, "sequence": 7, "steps": [[1.5, "nan"], ["inf", -2.0]] * 20}
    print_sequence({"sequence": 7}, np.array([True, False]))
    assert json.loads(capsys.readouterr().out)["steps"] == [True, False]


# Findings of check


def test_findings_are_drawn_with_count_place_and_one_cure_for_all_that_it_cures(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cure = "seqtool pad [a].npz --post"
    findings = [
        Finding("keys", "ok", "3, all unique"),
        Finding("values", "warning", "NaN [/b]", 2, "x[0, 1]"),
        Finding("side", "fails", "padded at the start", 1234, "x[0, 0]", cure=cure),
        Finding("empty", "fails", "without a step", 1, "lengths[2]", cure=cure),
    ]
    facts = {"file": "[a].npz", "for": "torch", "against": "b.npz", "holds": False}
    show_findings(facts, findings)
    text = capsys.readouterr().out
    assert ESCAPE not in text
    words = " ".join(text.split())
    for part in (
        "[a].npz, for torch, against b.npz",
        "keys ok 3, all unique",
        "values warning 2 NaN [/b]; first at x[0, 1]",
        "side fails 1,234 padded at the start; first at x[0, 0]",
        f"to fix side, empty: {cure}",
        "2 of 4 checks fail, with 1 warning",
    ):
        assert part in words
    assert text.count(cure) == 1
    show_findings({"file": "a.npz", "for": None, "against": None, "holds": True}, findings[:1])
    assert capsys.readouterr().out.splitlines()[-1] == "all checks pass"
