from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import seqtool as sq
from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.operations import run
from seqtool.operations.scale import Scale
from seqtool.sequences import features
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sequences.validation import offsets_of
from tests import oracles
from tests.command import Place, succeeded
from tests.peers import peer

METHODS = ["standard", "minmax", "robust", "maxabs"]
methods: Any = st.sampled_from(METHODS)
numbers = st.integers(-9, 9).map(float) | st.sampled_from([0.1, -2.5, 1e6, float("nan")])


@st.composite
def sequences(draw: st.DrawFn, dtype: str = "float64") -> Ragged:
    """Sequences of a feature or several, no feature of which is of 0 and 1 alone."""
    lengths = np.array(draw(st.lists(st.integers(0, 6), max_size=6)), dtype=np.int64)
    step = draw(st.sampled_from([(), (1,), (3,), (2, 2, 2)]))
    values = draw(npst.arrays(dtype, (int(lengths.sum()), *step), elements=numbers, fill=st.nothing()))
    values = np.concatenate([values, np.full((1, *step), 7.5, dtype)])
    return Ragged(values, offsets_of(np.append(lengths, 1)))


def by_feature(ragged: Ragged) -> list[list[float]]:
    width = features.width_of(ragged.values)
    return np.asarray(ragged.values).reshape(-1, width).T.tolist()


@given(sequences(), methods)
def test_scaled_numbers_are_those_of_plain_python(ragged: Ragged, method: Any) -> None:
    found = sq.scale(ragged, method=method)
    for before, after in zip(by_feature(ragged), by_feature(found), strict=True):
        expected = oracles.centered(before, method)
        np.testing.assert_allclose(after, expected, rtol=1e-9, atol=1e-12)
    assert found.receipt[-1]["rows"] == {
        "in": len(ragged.values),
        "kept": len(ragged.values),
        "cut": 0,
        "dropped": {},
    }


@given(sequences(), methods)
def test_each_sequence_by_its_own_numbers_is_each_scaled_alone(ragged: Ragged, method: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "_CELLS", 8)  # so that sequences are longer than a block, and shorter
        patch.setattr(features, "_LEAST_STEPS", 1)
        together = sq.scale(ragged, method=method, per_sequence=True, features=names_of(ragged))
        parts = [
            sq.scale([steps], method=method, per_sequence=True, features=names_of(ragged))
            for steps in ragged
            if len(steps)
        ]
    assert together.values.tobytes() == b"".join(np.asarray(part.values).tobytes() for part in parts)
    for steps, part in zip([steps for steps in ragged if len(steps)], parts, strict=True):
        width = features.width_of(ragged.values)
        for before, after in zip(
            steps.reshape(-1, width).T.tolist(), part.values.reshape(-1, width).T.tolist(), strict=True
        ):
            np.testing.assert_allclose(after, oracles.centered(before, method), rtol=1e-9, atol=1e-12)


def names_of(ragged: Ragged) -> list[str]:
    return features.feature_titles(ragged)


def lazily(ragged: Ragged) -> Ragged:
    """The same sequences, whose steps are read in chunks."""
    values = ragged.values
    return ragged.replace(
        values=Lazy(values.shape, values.dtype, lambda begin, end: values[begin:end].copy())
    )


@given(sequences("float32"), methods, st.booleans(), st.integers(1, 40))
def test_the_same_bits_however_steps_are_stored(ragged: Ragged, method: Any, each: bool, chunk: int) -> None:
    scale = Scale(method, per_sequence=each)
    padded = sq.pad(ragged, padding="post", value=-3.25)
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        patch.setattr(features, "_CELLS", 6)
        patch.setattr(features, "_LEAST_STEPS", 1)
        whole = run.run(scale, ragged)
        padded = run.run(scale, padded)
        patch.setattr("seqtool.arrays.lazy.CHUNK", chunk)
        lazy = lazily(ragged)
        state, _ = run.fit_state(scale, lazy, spool=spool)
        read = scale.apply(lazy, state, spool=spool).ragged.in_memory()
        fortran = run.run(scale, ragged.replace(values=np.asfortranarray(ragged.values)))
    bits = np.asarray(whole.values).tobytes()
    assert read.values.tobytes() == np.asarray(fortran.values).tobytes() == bits
    assert sq.unpad(padded).values.tobytes() == bits
    assert padded.receipt[-1].get("state") == whole.receipt[-1].get("state")
    mask = padded.mask
    assert (padded.x[~mask] == -3.25).all()


@given(sequences("float32"), methods)
def test_the_inverse_gives_back_within_the_rounding_that_is_told(ragged: Ragged, method: Any) -> None:
    for dtype, epsilon in (("float32", 1.2e-7), ("float64", 2.3e-16 * 2)):
        before = ragged.replace(values=np.asarray(ragged.values).astype(dtype))
        done = sq.scale(before, method=method)
        back = sq.scale(done, inverse=True)
        center = np.array(done.receipt[-1]["state"]["center"])
        off = np.abs(before.values) + np.abs(before.values - center)
        error = np.abs(back.values.astype(np.float64) - before.values)
        assert (np.isnan(off) | (error <= epsilon * off)).all()
        assert np.array_equal(np.isnan(back.values), np.isnan(before.values))


def test_the_example_of_the_docs() -> None:
    found = sq.scale([[1, 2, 3], [5]], method="standard")
    assert found.values.round(3).astype(float).round(3).tolist() == [-1.183, -0.507, 0.169, 1.521]
    assert found.values.dtype == np.float32
    state = found.receipt[-1]["state"]
    assert state["center"] == [2.75]
    assert round(state["scale"][0], 4) == 1.4790
    assert found.receipt[-1]["arguments"] == {"method": "standard"}
    assert sq.scale(sq.pad([[1, 2, 3], [5]], padding="post")).x[1, 1:].tolist() == [0, 0]
    assert sq.scale([[1.0, 2.0]]).values.dtype == np.float64


TABLE = Ragged(
    np.array([[1.0, 0, 5, 10], [3, 1, 5, 20], [2, 1, 5, 30], [9, 0, 6, 40]]),
    np.array([0, 2, 3, 4]),
    features=("a", "flag", "same", "b"),
    per_sequence={"split": np.array(["train", "train", "test"])},
)


def test_numbers_come_from_train_alone_and_flags_stay() -> None:
    found = sq.scale(TABLE, method="minmax")
    state = found.receipt[-1]["state"]
    assert state == {
        "features": ["a", "flag", "same", "b"],
        "center": [1, 0, 5, 10],
        "scale": [2, 1, 1, 20],
        "chosen": ["a", "same", "b"],
        "binary": ["flag"],
        "constant": ["same"],
    }
    assert found.values.tolist() == [[0, 0, 0, 0], [1, 1, 0, 0.5], [0.5, 1, 0, 1], [4, 0, 1, 1.5]]
    assert (
        sq.scale(TABLE, method="minmax", features=["flag", "b"]).values[:, :2].tolist()
        == TABLE.values[:, :2].tolist()
    )
    assert sq.scale(TABLE, features="flag").values[0, 1] != 0
    later = TABLE.replace(values=np.where(np.arange(4)[:, None] == 3, 1e9, TABLE.values))
    assert sq.scale(later, method="minmax").receipt[-1]["state"] == state
    alone = Ragged(TABLE.values[3:], np.array([0, 1]), features=TABLE.features)
    assert sq.scale(alone, method="minmax", using=found).values.tolist() == [[4, 0, 1, 1.5]]
    assert (
        sq.scale(sq.scale(alone, method="minmax", using=found), inverse=True).values.tolist()
        == alone.values.tolist()
    )
    assert (
        sq.scale(found.replace(receipt=()), inverse=True, using=found).values.tolist()
        == TABLE.values.tolist()
    )


def test_a_bool_is_no_number_to_scale() -> None:
    with pytest.warns(UserWarning, match="no feature was scaled"):
        assert sq.scale([[True, False]]).values.tolist() == [1, 0]


def test_a_logarithm_is_taken_first_and_given_back() -> None:
    found = sq.scale(TABLE, log1p=["b"], features=["b"], method="maxabs")
    assert np.allclose(found.values[:, 3], np.log1p(TABLE.values[:, 3]) / np.log1p(30))
    assert np.allclose(sq.scale(found, inverse=True).values, TABLE.values)
    wrong = TABLE.replace(values=TABLE.values - 11)
    with pytest.raises(
        DataError,
        match=r"sequence 0, step 0, feature b is -1; the logarithm of 1 \+ x takes numbers above -1",
    ):
        sq.scale(wrong, log1p="b")
    with pytest.raises(DataError, match="takes numbers above -1"):
        sq.scale(wrong, log1p="b", per_sequence=True)


@pytest.mark.parametrize("each", [False, True])
def test_numbers_that_cannot_be_scaled_are_named(each: bool) -> None:
    infinite = TABLE.replace(
        values=np.where(TABLE.values == 20, np.inf, TABLE.values), keys=np.array(["x", "y", "z"])
    )
    with pytest.raises(DataError, match=r"sequence 0 \(key x\), step 1, feature b is inf"):
        sq.scale(infinite, per_sequence=each)
    with pytest.raises(DataError, match="steps are ids of categories"):
        sq.scale(
            Ragged(
                np.array([3, 4]),
                np.array([0, 2]),
                names={"categories": np.array(["city"]), "vocabulary_0": np.array(["a", "b"])},
            ),
            per_sequence=each,
        )
    with pytest.raises(DataError, match="features: no feature 'c'; there are a, flag, same, b"):
        sq.scale(TABLE, features="c", per_sequence=each)
    with pytest.raises(DataError, match="too large to be scaled"):
        sq.scale([[1e308, -1e308, 0.0]], per_sequence=each, method="standard")
    with pytest.raises(DataError, match="too large for float16"):
        sq.scale([np.array([60000, 0, 0.1, 0.2, 0.3], np.float16)], method="robust", per_sequence=each)


def test_a_feature_without_a_number_in_train_is_refused() -> None:
    empty = TABLE.replace(values=np.where([False, False, True, False], np.nan, TABLE.values))
    with pytest.raises(DataError, match=r"same: no number in the sequences that scale is fitted on"):
        sq.scale(empty)
    found = sq.scale(empty, features=["a", "b"])
    assert np.isnan(found.values[:, 2]).all()
    assert np.isnan(sq.scale(empty, per_sequence=True).values[:, 2]).all()


@pytest.mark.parametrize("method", METHODS)
def test_nothing_to_scale_is_no_error(method: Any) -> None:
    for data in (
        Ragged(np.empty((0, 2)), np.array([0])),
        Ragged(np.empty((0, 2)), np.array([0, 0, 0])),
        Ragged(np.empty(0, np.int64), np.array([0, 0])),
        TABLE.replace(values=TABLE.values[:0], offsets=np.array([0, 0, 0, 0])),
        sq.pad(Ragged(np.empty((0, 2)), np.array([0, 0]))),
    ):
        for each in (False, True):
            found = sq.scale(data, method=method, per_sequence=each)
            assert len(found) == len(data)
            assert "state" not in found.receipt[-1]  # for nothing was learned
    with pytest.raises(
        UsageError, match="using: scale was applied to these sequences, and learned nothing from them"
    ):
        sq.scale(TABLE, using=sq.scale(TABLE.replace(values=TABLE.values[:0], offsets=np.zeros(4, np.int64))))
    with pytest.raises(DataError, match="no sequence of train has a step: scale has nothing to be fitted on"):
        sq.scale(
            Ragged(TABLE.values, np.array([0, 0, 4]), per_sequence={"split": np.array(["train", "test"])})
        )


def test_what_belongs_to_sequences_stays() -> None:
    ragged = Ragged(
        np.array([[1.0], [2], [4]]),
        np.array([0, 1, 3]),
        keys=np.array(["a", "b"]),
        features=("v",),
        per_step={"step_y": StepArray(np.array([1, 2, 3]), -100)},
        per_sequence={"y": np.array([0, 1])},
        names={"classes": np.array(["n", "y"])},
        receipt=({"command": "group", "inputs": ["a.csv"]},),
    )
    found = sq.scale(ragged)
    assert {**oracles.parts(found), "values": 0, "receipt": 0} == {
        **oracles.parts(ragged),
        "values": 0,
        "receipt": 0,
    }
    assert found.receipt[0] == ragged.receipt[0]


def test_frames_are_scaled_by_channel() -> None:
    frames = np.random.default_rng(1).normal(size=(5, 2, 3, 2)) * [1, 50]
    found = sq.scale(Ragged(frames, np.array([0, 2, 5])))
    assert np.allclose(found.values, (frames - frames.mean((0, 1, 2))) / frames.std((0, 1, 2)))
    each = sq.scale(Ragged(frames, np.array([0, 2, 5])), per_sequence=True)
    assert np.allclose(each.values[2:], (frames[2:] - frames[2:].mean((0, 1, 2))) / frames[2:].std((0, 1, 2)))


def test_options_that_do_not_go_together() -> None:
    for options in ({"features": "a"}, {"per_sequence": True}, {"log1p": "a"}, {"method": "robust"}):
        with pytest.raises(UsageError, match=f"^inverse and {next(iter(options))}"):
            sq.scale(TABLE, inverse=True, **options)
    with pytest.raises(UsageError, match='using: scale method="standard" per_sequence learns nothing'):
        sq.scale(TABLE, per_sequence=True, using=TABLE)
    with pytest.raises(UsageError, match="inverse: the receipt says of no scale"):
        sq.scale(TABLE, inverse=True)
    with pytest.raises(UsageError, match='inverse: scale method="standard" per_sequence keeps nothing'):
        sq.scale(sq.scale(TABLE, per_sequence=True), inverse=True)
    with pytest.warns(UserWarning, match="a second time"):
        twice = sq.scale(sq.scale(TABLE, method="minmax"), method="standard")
    once = sq.scale(twice, inverse=True)
    assert np.allclose(once.values, sq.scale(TABLE, method="minmax").values)
    assert np.allclose(sq.scale(once, inverse=True).values, TABLE.values)
    with pytest.raises(UsageError, match="says of no scale"):
        sq.scale(sq.scale(sq.scale(TABLE), inverse=True), inverse=True)
    with pytest.raises(DataError, match="the features are 0, 1, but scale was fitted on a, flag, same, b"):
        sq.scale([[[1, 2]]], using=sq.scale(TABLE))


def test_what_follows_steps_is_not_scaled_with_them() -> None:
    steps = Ragged(np.arange(12.0).reshape(6, 2), np.array([0, 6]))
    with pytest.warns(UserWarning, match="what follows the steps, in y, is not scaled: scale before"):
        sq.scale(sq.window(steps, size=3, horizon=1))
    with pytest.warns(UserWarning, match="in step_y, is not taken back"):
        sq.scale(sq.window(sq.scale(steps), size=3, next=True), inverse=True)


SCALERS: dict[str, Callable[[Any], Any]] = {
    "standard": lambda library: library.StandardScaler(),
    "minmax": lambda library: library.MinMaxScaler(),
    "robust": lambda library: library.RobustScaler(),
    "maxabs": lambda library: library.MaxAbsScaler(),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.peers
def test_the_scalers_of_scikit_learn_give_the_same_on_masked_steps(method: Any) -> None:
    library = peer("sklearn.preprocessing")
    random = np.random.default_rng(3)
    lengths = random.integers(0, 9, 200)
    x = random.normal(size=(200, 8, 3)) * [1, 1000, 1e-6] + [0, 5e5, 1]
    x[random.random(x.shape) < 0.1] = np.nan
    padded = sq.pad(
        sq.unpad(sq.Padded(np.where(np.arange(8)[:, None] < lengths[:, None, None], x, 0), lengths, "post"))
    )
    found = sq.scale(padded, method=method)
    scaler = SCALERS[method](library).fit(padded.x[padded.mask])
    np.testing.assert_allclose(
        found.x[padded.mask], scaler.transform(padded.x[padded.mask]), rtol=1e-9, atol=1e-9
    )


def test_the_command(place: Place) -> None:
    sq.save(place.folder / "a.npz", TABLE)
    done = succeeded(place.run("scale", "a.npz", "--method", "minmax"))
    assert "fitted      on train alone, 2 of 3 sequences" in done.err
    assert "scaled      3 features by minmax: a, same, b" in done.err
    assert "left as is  flag: 0 and 1 alone" in done.err
    assert "constant    same: one number alone, which becomes 0" in done.err
    assert place.arrays("a.scale.npz")["values"].tolist() == sq.scale(TABLE, method="minmax").values.tolist()
    succeeded(place.run("check", "a.scale.npz"))
    succeeded(place.run("info", "a.scale.npz"))
    succeeded(place.run("scale", "a.npz", "--method", "minmax", "-o", "{split}.npz"))
    done = place.run("scale", "test.npz", "--method", "minmax", "-o", "again.npz")
    assert (done.code, "--using FILE" in done.err) == (2, True)
    succeeded(place.run("scale", "a.scale.npz", "--inverse", "-o", "back.npz"))
    assert place.arrays("back.npz")["values"].tolist() == TABLE.values.tolist()
    succeeded(place.run("scale", "back.npz", "--method", "minmax", "--using", "train.npz", "-o", "u.npz"))
    assert place.arrays("u.npz")["values"].tolist() == place.arrays("a.scale.npz")["values"].tolist()


def test_the_command_on_other_sources(place: Place) -> None:
    place.write("a.json", "[[1, 2, 3], [5]]")
    succeeded(place.run("scale", "a.json", "--per-sequence", "-o", "a.npz"))
    assert place.arrays("a.npz")["values"].round(4).tolist() == np.float32([-1.2247, 0, 1.2247, 0]).tolist()
    place.write("x.npy", np.arange(24.0).reshape(2, 4, 3))
    succeeded(place.run("scale", "x.npy", "--features", "1", "--log1p", "0,1", "-o", "x.npz"))
    facts = json.loads(succeeded(place.run("scale", "a.json", "--json", "--dry-run")).err)
    assert (facts["command"], facts["rows"]["kept"], facts["output"]) == ("scale", 4, None)
    succeeded(place.run("pad", "a.json", "--post", "--value", "-1", "-o", "p.npz"))
    succeeded(place.run("scale", "p.npz", "--method", "robust", "-o", "q.npz"))
    arrays = place.arrays("q.npz")
    assert (arrays["x"].dtype, arrays["x"][1, 1:].tolist()) == (np.float32, [-1, -1])
    succeeded(place.run("check", "q.npz"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--method", "best"], "standard, minmax, robust or maxabs"),
        (["--inverse", "--log1p", "a"], "--inverse and --log1p"),
        (
            ["--per-sequence", "--using", "b.npz"],
            "--using: scale --method standard --per-sequence learns nothing",
        ),
    ],
)
def test_what_the_call_alone_shows(place: Place, options: list[str], words: str) -> None:
    sq.save(place.folder / "b.npz", sq.scale(TABLE))
    place.write("a.json", "[[1, 2, 3], [5]]")
    done = place.run("scale", "a.json", *options)
    assert (done.code, words in done.err, done.err.count("\n")) == (2, True, 1), done.err


def test_a_file_that_is_compressed_gives_the_same_bytes(place: Place, scratch: Path) -> None:
    random = np.random.default_rng(2)
    ragged = Ragged(random.normal(size=(40_000, 5)).astype(np.float32), offsets_of(np.full(400, 100)))
    sq.save(place.folder / "a.npz", ragged)
    sq.save(place.folder / "b.npz", sq.pad(ragged, padding="post"), compress="fast")
    for name, part in (("a", "values"), ("b", "x")):
        succeeded(place.run("scale", f"{name}.npz", "--method", "robust", "-o", f"{name}2.npz"))
        expected = np.asarray(sq.scale(ragged, method="robust").values)
        assert place.arrays(f"{name}2.npz")[part].reshape(expected.shape).tobytes() == expected.tobytes()


def test_scaling_twice_is_warned_of() -> None:
    once = sq.scale([[1.0, 2.0], [4.0]], method="standard")
    with pytest.warns(UserWarning, match="scaled a second time: 0"):
        twice = sq.scale(once, method="minmax")
    assert len(twice.receipt) == 2
    back = sq.scale(once, inverse=True)
    assert sq.scale(back, method="standard").values.tolist() == once.values.tolist()
