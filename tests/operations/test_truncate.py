import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.arrays.spool import Spool
from seqtool.errors import UsageError
from seqtool.operations.truncate import Truncate
from seqtool.sequences.ragged import Ragged
from tests import oracles
from tests.command import Place, succeeded

sides = st.sampled_from(["pre", "post"])


@given(oracles.raggeds(riders=True), st.integers(1, 6), sides)
def test_truncate_agrees_with_a_slice(ragged: Ragged, maxlen: int, side: Any) -> None:
    with Spool() as spool:
        outcome = Truncate(maxlen, side).apply(ragged, None, spool=spool)
        found = outcome.ragged.in_memory()
    sequences = oracles.sequences_of(ragged)
    cut = [s[:maxlen] if side == "post" else s[max(0, len(s) - maxlen) :] for s in sequences]
    assert oracles.text_of(oracles.sequences_of(found)) == oracles.text_of(cut)
    assert len(found.values) + outcome.cut == len(ragged.values)
    assert ("original_lengths" in found.per_sequence) == (
        outcome.cut > 0 or "original_lengths" in ragged.per_sequence
    )
    assert (found.features, found.receipt) == (ragged.features, ragged.receipt)


@given(oracles.raggeds(riders=True), st.integers(-7, 7) | st.sampled_from([2**70, -(2**70)]), st.data())
def test_a_stretch_agrees_with_steps_that_are_picked_by_number(
    ragged: Ragged, start: int, data: st.DataObject
) -> None:
    maxlen = data.draw(st.none() | st.integers(1, 6) | st.just(2**70))
    with Spool() as spool:
        outcome = Truncate(maxlen, start=start).apply(ragged, None, spool=spool)
        found = outcome.ragged.in_memory()
    sequences = oracles.sequences_of(ragged)
    cut = [oracles.stretch(sequence, start, maxlen) for sequence in sequences]
    assert oracles.text_of(oracles.sequences_of(found)) == oracles.text_of(cut)
    assert len(found.values) + outcome.cut == len(ragged.values)
    emptied = sum(bool(sequence) and not kept for sequence, kept in zip(sequences, cut, strict=True))
    assert [warning.split()[0] for warning in outcome.warnings] == ([str(emptied)] if emptied else [])


def test_a_stretch_of_a_padded_block_is_as_short_as_it_can_be() -> None:
    padded = sq.pad([[1, 2, 3, 4], [5]], padding="post", value=-1, maxlen=6)
    with pytest.warns(UserWarning, match="1 sequence without a step there"):
        assert sq.truncate(padded, start=1).x.tolist() == [[2, 3, 4], [-1, -1, -1]]
    assert sq.truncate(padded, start=-2).x.tolist() == [[3, 4], [5, -1]]
    with pytest.warns(UserWarning, match="1 sequence without a step there"):
        stretch = sq.truncate(padded, start=-3, maxlen=2)
    assert stretch.x.tolist() == [[2, 3], [-1, -1]]
    assert stretch.per_sequence["original_lengths"].tolist() == [4, 1]
    assert stretch.receipt[-1]["arguments"] == {"maxlen": 2, "truncating": "pre", "start": -3}
    assert sq.truncate(padded, start=0).lengths.tolist() == [4, 1]


def test_the_command_takes_a_stretch(place: Place) -> None:
    place.write("a.json", "[[1, 2, 3, 4], [5, 6], [7]]")
    done = succeeded(place.run("truncate", "a.json", "--from", "-3", "--maxlen", "2"))
    arrays = place.arrays("a.truncate.npz")
    assert (arrays["values"].tolist(), arrays["offsets"].tolist()) == ([2, 3, 5], [0, 2, 3, 3])
    assert "cut     4 steps before and after the stretch of 3 sequences" in done.err
    assert "1 sequence without a step there" in done.err
    done = succeeded(place.run("truncate", "a.json", "--from", "1", "-o", "b.npz"))
    assert "cut     3 steps before step 1 of 3 sequences" in done.err
    assert "cut     2 steps before the last 2 of 1" in place.run("truncate", "a.json", "--from", "-2").err
    done = place.run("truncate", "a.json", "--from", "1", "--truncating", "post")
    assert (done.code, "leave --truncating out" in done.err) == (2, True)


def test_the_example_of_the_issue() -> None:
    cut = sq.truncate([[1, 2, 3]], maxlen=2)
    assert isinstance(cut, Ragged)
    assert cut.values.tolist() == [2, 3]
    assert cut.per_sequence["original_lengths"].tolist() == [3]
    (entry,) = cut.receipt
    assert entry["arguments"] == {"maxlen": 2, "truncating": "pre"}
    assert entry["rows"] == {"in": 3, "kept": 2, "cut": 1, "dropped": {}}


def test_a_padded_block_stays_padded_as_it_was() -> None:
    padded = sq.pad([[1, 2, 3], [4]], padding="post", value=-1, maxlen=5)
    cut = sq.truncate(padded, maxlen=2, truncating="post")
    assert isinstance(cut, sq.Padded)
    assert cut.x.tolist() == [[1, 2], [4, -1]]
    assert (cut.padding, cut.value, cut.lengths.tolist()) == ("post", -1, [2, 1])
    assert sq.truncate(padded, maxlen=9).x.tolist() == padded.x.tolist()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"maxlen": 0}, "maxlen is 0; it must be at least 1"),
        ({"maxlen": 2.5}, "maxlen is 2.5; a whole number was expected"),
        ({}, "name the most: maxlen=N, or the first of a stretch: start=K"),
        ({"maxlen": None}, "which steps to take"),
        ({"start": 1.5}, "start is 1.5; a whole number was expected"),
        (
            {"start": 1, "truncating": "post"},
            "truncating and start both say which steps are taken: leave truncating out",
        ),
        ({"maxlen": 2, "truncating": "left"}, "truncating is 'left'; pre or post was expected"),
    ],
)
def test_arguments_are_judged_when_they_are_given(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        sq.truncate([[1]], **arguments)
    with pytest.raises(TypeError):
        sq.truncate([[1]], length=3)


def test_the_command_on_ragged_padded_and_foreign_files(place: Place) -> None:
    place.write("a.json", "[[1, 2, 3], [4]]")
    done = succeeded(place.run("truncate", "a.json", "--maxlen", "2"))
    arrays = place.arrays("a.truncate.npz")
    assert arrays["values"].tolist() == [2, 3, 4]
    assert arrays["original_lengths"].tolist() == [3, 1]
    assert "cut     1 step at the start of 1 sequence" in done.err
    succeeded(place.run("pad", "a.json", "--post", "--value", "-1", "-o", "p.npz"))
    succeeded(place.run("truncate", "p.npz", "--maxlen", "2", "--truncating", "post", "-o", "cut.npz"))
    assert place.arrays("cut.npz")["x"].tolist() == [[1, 2], [4, -1]]
    meta = json.loads(str(place.arrays("cut.npz")["meta"]))
    assert [entry["command"] for entry in meta["receipt"]] == ["pad", "truncate"]
    assert (meta["padding"], meta["value"]) == ("post", -1)
    succeeded(place.run("check", "cut.npz"))
    place.write("x.npy", np.arange(24.0).reshape(2, 4, 3))
    succeeded(place.run("truncate", "x.npy", "--maxlen", "1", "-o", "x1.npz"))
    assert place.arrays("x1.npz")["x"].tolist() == np.arange(24.0).reshape(2, 4, 3)[:, 3:].tolist()


def test_the_command_judges_its_arguments_before_it_reads(place: Place) -> None:
    for options in (
        ["--maxlen", "0"],
        ["--maxlen", "2", "--truncating", "up"],
        [],
        ["--maxlen", "2", "--compress", "z"],
    ):
        done = place.run("truncate", "nowhere.npz", *options)
        assert (done.code, done.err.count("\n")) == (2, 1), options


def test_pipes_json_and_dry_runs_come_from_the_skeleton(place: Place) -> None:
    place.write("a.json", "[[1, 2, 3], [4]]")
    done = place.shell("seqtool truncate --maxlen 2 < a.json | seqtool pad --post > out.npz")
    assert done.code == 0, done.err
    assert place.arrays("out.npz")["x"].tolist() == [[2, 3], [4, 0]]
    facts = json.loads(succeeded(place.run("truncate", "a.json", "--maxlen", "2", "--json", "--dry-run")).err)
    assert (facts["command"], facts["rows"]["cut"], facts["output"]) == ("truncate", 1, None)
    assert not (place.folder / "a.truncate.npz").exists()


TIMES = """u,t,a
1,2020-01-01,1
1,2020-01-02T12:00,2
1,2020-01-03,3
1,2020-01-08,4
2,2020-01-05,5
"""


def test_the_command_takes_the_steps_within_a_time(place: Place) -> None:
    place.write("t.csv", TIMES)
    succeeded(place.run("group", "t.csv", "--key", "u", "--order-by", "t", "--keep-order", "-o", "g.npz"))
    done = succeeded(place.run("truncate", "g.npz", "--within", "48h", "-o", "first.npz"))
    arrays = place.arrays("first.npz")
    assert arrays["x"][..., 0].tolist() == [[1, 2, 3], [5, 0, 0]]
    assert arrays["original_lengths"].tolist() == [4, 1]
    assert "cut     1 step further than 48h from the first of 1 sequence" in done.err
    succeeded(place.run("truncate", "g.npz", "--within", "6d", "--of", "end", "-o", "last.npz"))
    assert place.arrays("last.npz")["x"][..., 0].tolist() == [[2, 3, 4], [5, 0, 0]]
    for options, code, words in (
        (["--within", "48"], 2, "holds times: a duration such as 48h was expected"),
        (["--within", "48h", "--maxlen", "3"], 2, "leave --maxlen out"),
        (["--within", "48h", "--truncating", "post"], 2, "leave --truncating out"),
        (["--maxlen", "3", "--of", "end"], 2, "leave --of out"),
    ):
        done = place.run("truncate", "g.npz", *options, "-o", "no.npz")
        assert (done.code, words in done.err) == (code, True), done.err
    succeeded(place.run("group", "t.csv", "--key", "u", "--order-by", "t", "-o", "without.npz"))
    done = place.run("truncate", "without.npz", "--within", "48h", "-o", "no.npz")
    assert (done.code, "group again with --keep-order" in done.err) == (1, True)
