import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqtool as sq
from seqtool.arrays.spool import Spool
from seqtool.errors import UsageError
from seqtool.operations.filter import Filter
from seqtool.sequences.ragged import Padded, Ragged
from tests import oracles
from tests.command import Place, succeeded
from tests.operations.test_window import lazily

text_of = oracles.text_of
SEQUENCES: dict[str, list[int]] = {"a": [1], "b": [2, 3], "c": [4, 5, 6], "007": [7, 8, 9, 10]}


def kept(**arguments: Any) -> list[str]:
    return list(sq.filter(SEQUENCES, **arguments).keys.tolist())


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys.txt"


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.5, 3.0, float("nan")])), max_size=9),
    st.integers(0, 3),
    st.integers(3, 5),
    st.sets(st.integers(0, 9)),
    st.booleans(),
)
def test_sequences_are_kept_that_pass_all_rules(
    listing: Path, drawn: list[tuple[int, float]], least: int, most: int, listed: set[int], is_lazy: bool
) -> None:
    lengths, y = [length for length, _ in drawn], [label for _, label in drawn]
    listing.write_text("\n".join(map(str, listed)), encoding="utf-8")
    offsets = np.cumsum([0, *lengths])
    ragged = Ragged(
        np.arange(offsets[-1]), offsets, keys=np.arange(len(lengths)), per_sequence={"y": np.array(y, float)}
    )
    reasons = oracles.why_left_out(
        lengths,
        [str(i) for i in range(len(lengths))],
        least=least,
        most=most,
        listed={*map(str, listed)},
        selected=[None if label != label else label > 1 for label in y],
    )
    rules = Filter(min_len=least, max_len=most, keys=str(listing), where="y > 1", allow_empty=True)
    with Spool() as spool:
        outcome = rules.apply(lazily(ragged) if is_lazy else ragged, None, spool=spool)
        found = outcome.ragged.in_memory()
    which = [i for i, reason in enumerate(reasons) if reason is None]
    assert found.keys.tolist() == which
    assert [steps.tolist() for steps in found] == [ragged[i].tolist() for i in which]
    steps = Counter[str]()
    for length, reason in zip(lengths, reasons, strict=True):
        steps[reason or ""] += length
    assert {name: number for name, number in outcome.dropped.items() if number} == {
        name: number for name, number in steps.items() if name and number
    }
    assert len(found.values) + sum(outcome.dropped.values()) == len(ragged.values)


@given(oracles.raggeds(riders=True), st.integers(0, 5))
def test_all_that_belongs_goes_along(ragged: Ragged, least: int) -> None:
    with Spool() as spool:
        found = Filter(min_len=least, allow_empty=True).apply(ragged, None, spool=spool).ragged.in_memory()
    which = np.flatnonzero(np.asarray(ragged.lengths) >= least)
    sequences = oracles.sequences_of(ragged)
    assert text_of(oracles.sequences_of(found)) == text_of([sequences[i] for i in which])
    for name, array in ragged.per_sequence.items():
        assert text_of(found.per_sequence[name]) == text_of(np.asarray(array)[which])
    assert (found.features, found.names, found.receipt) == (ragged.features, ragged.names, ragged.receipt)
    assert found.per_step.keys() == ragged.per_step.keys()
    if ragged.keys is not None:
        assert text_of(found.keys) == text_of(np.asarray(ragged.keys)[which])


@given(st.permutations(range(12)), st.integers(1, 12), st.integers(0, 3))
def test_a_sample_depends_on_seed_and_keys_alone(order: list[int], number: int, seed: int) -> None:
    def sampled(keys: list[int], *, as_text: bool) -> set[int]:
        ragged = Ragged(
            np.array(keys), np.arange(13), keys=np.array(keys).astype(str if as_text else np.int64)
        )
        found = sq.filter(ragged, sample=number, seed=seed)
        assert found.values.tolist() == [key for key in keys if key in found.values]  # in their order
        return {*found.values.tolist()}

    first = sampled([*range(12)], as_text=False)
    assert len(first) == number
    assert sampled(order, as_text=True) == first


def test_the_rest_of_the_rules() -> None:
    assert kept(min_len=2, max_len=3) == ["b", "c"]
    assert kept(first=2) == ["a", "b"]
    assert kept(min_len=2, first=2) == ["b", "c"]
    assert kept(where="length > 1 and key != c") == ["b", "007"]
    assert kept(first=9) == [*SEQUENCES]
    with pytest.warns(UserWarning, match="a sample of 9 was asked for, but 4 sequences are left"):
        assert kept(sample=9) == [*SEQUENCES]
    found = sq.filter(sq.pad([[1, 2], [3]], padding="post", value=-1), max_len=1)
    assert isinstance(found, Padded)
    assert found.x.tolist() == [[3, -1]]
    assert found.receipt[-1]["rows"]["dropped"] == {"sequence over 1 steps": 2}
    assert len(sq.filter(sq.pad([], maxlen=2), min_len=1)) == 0


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({}, "nothing to filter by; name what to keep: min_len=N, "),
        ({"min_len": -1}, "min_len is -1; it must be at least 0"),
        ({"min_len": 3, "max_len": 2}, "max_len is 2; it must be at least 3, the least length"),
        ({"first": 0}, "first is 0; it must be at least 1"),
        ({"first": 1, "sample": 1}, "first and sample are two ways to choose: leave first out"),
        ({"first": 1, "seed": 1}, "seed is for sample, which this call does not name"),
        ({"where": "length = 1"}, "== was expected"),
        ({"keys": 7}, "keys is 7; a file, or a list or array of keys, was expected"),
    ],
)
def test_arguments_are_judged_when_they_are_given(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        sq.filter([[1]], **arguments)


def test_the_command(place: Place) -> None:
    place.write(
        "t.csv",
        "user,t,v,gait\n" + "".join(f"u{u},{t},{t},{'ab'[u % 2]}\n" for u in range(6) for t in range(u)),
    )
    succeeded(
        place.run(
            "group", "t.csv", "--key", "user", "--columns", "v", "--label", "gait", "-o", "in.npz", "-q"
        )
    )
    done = succeeded(place.run("filter", "in.npz", "--where", "gait == b and length > 1", "--min-len", "1"))
    arrays = place.arrays("in.filter.npz")
    assert (arrays["keys"].tolist(), arrays["x"].shape, arrays["y"].tolist()) == (
        ["u3", "u5"],
        (2, 5, 1),
        [1, 1],
    )
    for line in ("kept     2 of 5 sequences", "dropped  3 sequences, 7 steps: left out by where"):
        assert line in done.err
    succeeded(place.run("check", "in.filter.npz"))
    place.write("keys.txt", "u1\nu9\n")
    done = succeeded(place.run("filter", "in.npz", "--keys", "keys.txt", "-o", "k.npz"))
    assert place.arrays("k.npz")["keys"].tolist() == ["u1"]
    assert "warning: keys.txt: 1 key of 2 in no sequence: u9" in done.err
    place.write("a.json", "[[1, 2, 3], [4]]")
    facts = json.loads(succeeded(place.run("filter", "a.json", "--max-len", "1", "--json", "--dry-run")).err)
    assert facts["rows"] == {"in": 4, "kept": 1, "cut": 0, "dropped": {"sequence over 1 steps": 3}}
    done = place.run("filter", "a.json", "--min-len", "4")
    assert (done.code, done.err) == (
        1,
        "seqtool: error: a.json: no sequence is left (sequence under 4 steps: 2); to allow that: --allow-empty\n",
    )
    succeeded(place.run("filter", "a.json", "--min-len", "4", "--allow-empty", "-o", "none.npz"))
    assert place.arrays("none.npz")["offsets"].tolist() == [0]
    place.write("x.npy", np.arange(12.0).reshape(3, 2, 2))
    succeeded(place.run("filter", "x.npy", "--first", "2", "-o", "x.npz"))
    assert place.arrays("x.npz")["x"].tolist() == np.arange(8.0).reshape(2, 2, 2).tolist()


def test_the_command_judges_its_arguments_before_it_reads(place: Place) -> None:
    for options in ([], ["--first", "0"], ["--where", "a ="], ["--seed", "2", "--first", "1"]):
        done = place.run("filter", "nowhere.npz", *options)
        assert (done.code, done.err.count("\n")) == (2, 1), options
