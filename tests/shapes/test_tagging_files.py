"""Tagging files, such as those of CoNLL: a token a line, and a blank line between sequences."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pandas as pd
import pytest

import seqtool as st
from seqtool.errors import UsageError
from seqtool.files import line_rewriting
from tests import oracles
from tests.command import Place, succeeded

TABS = ["--key-blank-lines", "--delimiter", "tab", "--no-header", "--comment", "#"]
BLANKS = ["--key-blank-lines", "--delimiter", "whitespace", "--no-header"]
WORDS = ["The", '"', '""', "it's", 'a"b', ",", ";", "|", "3", "é", "NA"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def written(seed: int, *, mark: str) -> str:
    """Some sequences, with what may stand between and among them."""
    rng, lines = random.Random(seed), list[str]()
    for _ in range(rng.randint(1, 9)):
        lines += ["-DOCSTART- -X- -X- O", ""] * rng.randint(0, 1) + ["# text = no"] * rng.randint(0, 2)
        for i in range(rng.randint(1, 6)):
            lines.append(mark.join([str(i + 1), rng.choice(WORDS), rng.choice(["DET", "NOUN", '"'])]))
            lines += ["# among tokens"] * (rng.random() < 0.1)
        lines += [rng.choice(["", "  ", "\t"])] * rng.randint(1, 3)
    return "\n".join(lines) + rng.choice(["", "\n"])


@pytest.mark.thinned
@pytest.mark.parametrize("seed", range(8))
def test_a_blank_line_ends_a_sequence(seed: int, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_rewriting, "READ_AT_ONCE", 16)  # bytes that are read at once
    mark = "\t" if seed % 2 else "  "
    text = written(seed, mark=mark)
    options = TABS if seed % 2 else [*BLANKS, "--comment", "#"]
    expected = oracles.tagged(text)
    place.write("t.gz" if seed % 3 else "t", gzip.compress(text.encode()) if seed % 3 else text.encode())
    call = ["group", "t.gz" if seed % 3 else "t", *options, "--columns", "0", "--step-label", "2"]
    succeeded(place.run(*call, "-o", "o.npz"))
    found = place.arrays("o.npz")
    lengths = [len(sequence) for sequence in expected]
    assert found["keys"].tolist() == [*range(len(expected))]
    assert found["lengths"].tolist() == lengths
    for i, sequence in enumerate(expected):
        assert found["x"][i, : lengths[i], 0].tolist() == [int(cells[0]) for cells in sequence]
        tags = found["classes"][found["step_y"][i, : lengths[i]].astype(int)]
        assert tags.tolist() == [cells[2] for cells in sequence]


def test_tokens_of_text_alone_give_tags(place: Place) -> None:
    place.write("t.txt", 'EU NNP B-ORG\n" `` O\n\nPeter NNP B-PER\n')
    call = ["group", "t.txt", *BLANKS, "--step-label", "2"]
    refused = place.run(*call)
    assert refused.code == 1
    assert "--drop 0,1 --keep-key" in refused.err
    succeeded(place.run(*call, "--drop", "0,1", "--keep-key", "-o", "o.npz"))
    found = place.arrays("o.npz")
    assert found["x"].tolist() == [[[0], [0]], [[1], [0]]]
    assert found["step_y"].tolist() == [[0, 2], [1, -100]]
    receipt = json.loads(str(found["meta"]))["receipt"][0]
    assert receipt["arguments"]["key_blank_lines"] is True
    assert "key" not in receipt["arguments"]


def test_a_header_and_quotes_of_csv(place: Place) -> None:
    place.write("a.csv", 'a,b\n\n1,2\n3,"x\n\ny"\n\n5,6\n')
    place.write("b.csv", "a,b\n7,8\n\n9,0\n")
    one = st.group(str(place.folder / "a.csv"), key_blank_lines=True, columns="a")
    assert one.x[..., 0].tolist() == [[1, 3], [5, 0]]
    several = st.group(str(place.folder / "?.csv"), key_blank_lines=True, columns="a")
    assert several.keys.tolist() == [0, 1, 2, 3]  # counted on from file to file
    assert several.x[..., 0].tolist() == [[1, 3], [5, 0], [7, 0], [9, 0]]
    apart = st.group(
        str(place.folder / "?.csv"), key_blank_lines=True, columns="a", key_from=f"{place.folder}/{{key}}.csv"
    )
    assert apart.keys.tolist() == [["a", "0"], ["a", "1"], ["b", "0"], ["b", "1"]]


def test_a_blank_line_means_nothing_without_the_option(place: Place) -> None:
    place.write("a.csv", "a,b\n\n1,2\n\n1,3\n")
    assert st.group(str(place.folder / "a.csv"), key="a").lengths.tolist() == [2]


def test_rows_of_other_lengths_are_told_as_they_stand(place: Place) -> None:
    place.write("t.csv", "a,b\n1,2\n\n3,4,5\n")
    refused = place.run("group", "t.csv", "--key-blank-lines")
    assert refused.code == 1
    assert "line 4: the first row has 2 cells, but this one 3: '3,4,5'" in refused.err


def test_what_does_not_go_with_it_is_refused(place: Place) -> None:
    place.write("t.csv", "a,b\n1,2\n")
    place.write("t.jsonl", '{"a": 1}\n\n{"a": 2}\n')
    for more in (["--key", "a"], ["--no-key"]):
        refused = place.run("group", "t.csv", "--key-blank-lines", *more)
        assert refused.code == 2
        assert f"--key-blank-lines and {more[0]} both say where a sequence ends" in refused.err
    refused = place.run("group", "t.jsonl", "--key-blank-lines")
    assert refused.code == 2
    assert "holds JSON" in refused.err
    with pytest.raises(UsageError, match="key_blank_lines=True are for text"):
        st.group(pd.DataFrame({"a": [1]}), key_blank_lines=True)


def test_plan_proposes_the_call(place: Place) -> None:
    place.write("t.txt", "1 a\n2 b\n\n3 c\n")
    planned = succeeded(place.run("plan", "t.txt", *BLANKS, "--json"))
    command = json.loads(planned.out)["command"]
    assert "--key-blank-lines" in command
    succeeded(place.shell(f"{command} -o o.npz"))
    assert place.arrays("o.npz")["lengths"].tolist() == [2, 1]
