from __future__ import annotations

import json
from statistics import fmean, median
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import seqtool as sq
from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.operations import run
from seqtool.operations.fill import Fill
from seqtool.sequences import features
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sequences.validation import offsets_of
from tests import oracles
from tests.command import Place, succeeded

NAN = float("nan")
ENDS = [[], ["mean"], ["median"], ["zero"], ["-2.5"]]
methods: Any = (
    st.tuples(st.sampled_from([[], ["forward"], ["linear"], ["linear", "forward"]]), st.sampled_from(ENDS))
    .map(lambda parts: [*parts[0], *parts[1]])
    .filter(bool)
)
limits = st.none() | st.integers(1, 3)


@st.composite
def sequences(draw: st.DrawFn) -> Ragged:
    """Sequences of a feature or several, each of which has a number somewhere; half of the cells are missing."""
    lengths = np.array(draw(st.lists(st.integers(0, 7), max_size=5)), dtype=np.int64)
    step = draw(st.sampled_from([(), (1,), (3,), (2, 1, 2)]))
    cells = st.sampled_from([NAN, NAN, NAN]) | st.integers(-9, 9).map(float)
    values = draw(npst.arrays("float32", (int(lengths.sum()), *step), elements=cells, fill=st.nothing()))
    values = np.concatenate([values, np.ones((1, *step), np.float32)])
    return Ragged(values, offsets_of(np.append(lengths, 1)))


def options(which: list[str], limit: int | None) -> dict[str, Any]:
    return {"method": which, "limit": limit if {*which} & {"forward", "linear"} else None}


def expected(ragged: Ragged, which: list[str], limit: int | None) -> list[list[float]]:
    """The cells of all steps, a list for each column of a step."""
    width, columns = features.width_of(ragged.values), ragged.values.reshape(len(ragged.values), -1)
    found = []
    for i, column in enumerate(columns.T.tolist()):
        of_feature = [
            number for number in columns[:, i % width :: width].ravel().tolist() if number == number
        ]
        average = {"mean": fmean, "median": median}.get(which[-1], fmean)(of_feature)
        parts = oracles.sequences_of(ragged, np.array(column))
        found.append(
            [number for part in parts for number in oracles.filled(part, which, limit=limit, average=average)]
        )
    return found


@given(sequences(), methods, limits)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_fill_agrees_with_plain_python(ragged: Ragged, which: Any, limit: Any) -> None:
    found = sq.fill(ragged, **options(which, limit))
    cells = found.values.reshape(len(found.values), -1).T
    np.testing.assert_allclose(cells, expected(ragged, which, limit), rtol=1e-6)
    assert found.receipt[-1]["rows"] == {
        "in": len(ragged.values),
        "kept": len(ragged.values),
        "cut": 0,
        "dropped": {},
    }


@given(sequences(), methods, limits, st.integers(1, 40), st.data())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_same_bits_however_steps_are_stored_and_read(
    ragged: Ragged, which: Any, limit: Any, chunk: int, data: Any
) -> None:
    whole = sq.fill(ragged, **options(which, limit))
    padded = sq.unpad(sq.fill(sq.pad(ragged, padding="post"), **options(which, limit)))
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        patch.setattr(features, "_CELLS", 4)
        patch.setattr(features, "_LEAST_STEPS", 2)
        patch.setattr("seqtool.arrays.lazy.CHUNK", chunk)
        values = ragged.values
        lazy = Lazy(values.shape, values.dtype, lambda begin, end: values[begin:end].copy())
        fill, source = Fill(**options(which, limit)), ragged.replace(values=lazy)
        state, _ = run.fit_state(fill, source, spool=spool)
        if which[-1] == "mean":  # whose last bits depend on the size of blocks
            state = fill.state_from(whole.receipt[-1]["state"], ragged)
        read = fill.apply(source, state, spool=spool).ragged.values
        begin = data.draw(st.integers(0, len(values)))
        end = data.draw(st.integers(begin, len(values)))
        assert read[begin:end].tobytes() == whole.values[begin:end].tobytes()
        assert np.asarray(read).tobytes() == padded.values.tobytes() == whole.values.tobytes()


def test_the_example_of_the_docs() -> None:
    found = sq.fill([[NAN, 2, NAN], [NAN]], method=["forward", "mean"])
    assert [steps.tolist() for steps in found] == [[2, 2, 2], [2]]
    (entry,) = found.receipt
    assert entry["arguments"] == {"method": ["forward", "mean"]}
    assert entry["state"] == {"features": ["0"], "numbers": [2.0]}
    assert [steps.tolist() for steps in sq.fill([[NAN, 2, NAN], [NAN]], method="zero")] == [[0, 2, 0], [0]]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_pandas_fills_groups_the_same() -> None:
    random = np.random.default_rng(4)
    lengths = random.integers(0, 30, 50)
    frame = pd.DataFrame(random.normal(size=(lengths.sum(), 3)))
    frame = frame.mask(random.random(frame.shape) < 0.6)
    key = np.repeat(np.arange(50), lengths)
    ragged = Ragged(frame.to_numpy(), offsets_of(lengths))
    for limit in (None, 2):
        forward = frame.groupby(key).ffill(limit=limit)
        assert np.array_equal(sq.fill(ragged, method="forward", limit=limit).values, forward, equal_nan=True)
        found = sq.fill(ragged, method=["forward", "median"], limit=limit).values
        assert np.array_equal(found, forward.fillna(frame.median()))
    between = frame.groupby(key).transform(lambda column: column.interpolate(limit_area="inside"))
    np.testing.assert_allclose(sq.fill(ragged, method="linear").values, between, rtol=1e-12)


TABLE = Ragged(
    np.array([[1.0, NAN], [NAN, 4], [3, NAN], [NAN, NAN]]),
    np.array([0, 2, 3, 4]),
    features=("a", "b"),
    per_sequence={"split": np.array(["train", "test", "train"])},
)


def test_means_come_from_train_alone() -> None:
    found = sq.fill(TABLE, method="mean")
    assert found.values.tolist() == [[1, 4], [1, 4], [3, 4], [1, 4]]
    assert found.receipt[-1]["state"] == {"features": ["a", "b"], "numbers": [1, 4]}
    alone = TABLE.replace(per_sequence={"split": np.array(["test"] * 3)})
    assert sq.fill(alone, method="mean", using=found).values.tolist() == found.values.tolist()
    with pytest.raises(DataError, match="the features are 0, but fill was fitted on a, b"):
        sq.fill([[NAN]], method="mean", using=found)
    with pytest.raises(UsageError, match='using: fill method="forward" learns nothing'):
        sq.fill(alone, method="forward", using=found)


def test_what_was_there_is_kept_beside() -> None:
    found = sq.fill(TABLE, method="mean", indicator=True, features=["b"])
    assert found.per_step["observed"].data.tolist() == [
        [True, False],
        [False, True],
        [True, False],
        [False, False],
    ]
    assert found.per_step["observed"].value == 0
    assert oracles.text_of(found.values[:, 0]) == oracles.text_of(TABLE.values[:, 0])
    again = sq.fill(found, method="zero", indicator=True)
    assert (again.per_step["observed"].data == found.per_step["observed"].data).all()
    whole = sq.fill([[1, 2]], method="zero", indicator=True)
    assert (whole.values.dtype, whole.per_step["observed"].data.tolist()) == (np.int64, [True, True])
    assert sq.pad(again, padding="post").per_step["observed"].data.shape == (3, 2, 2)


def test_what_is_missing_all_the_same_is_counted() -> None:
    with pytest.warns(UserWarning, match='5 numbers still missing; to fill all: method="forward,mean"'):
        sq.fill(TABLE.replace(values=np.where(TABLE.values == 3, NAN, TABLE.values)), method="forward")
    with pytest.warns(UserWarning, match="linear looks ahead"):
        sq.fill([[1.0]], method="linear")


def test_what_follows_steps_is_not_filled_with_them() -> None:
    windows = sq.window([[1.0, NAN, 3, NAN]], size=2, horizon=1)
    with pytest.warns(
        UserWarning, match="1 number of what follows the steps, in y, still missing: fill before"
    ):
        sq.fill(windows, method="zero")


def test_numbers_that_cannot_be_filled_in() -> None:
    empty = TABLE.replace(values=np.where([True, False], TABLE.values, NAN))
    with pytest.raises(
        DataError, match=r"b: no number in the sequences that fill is fitted on, so that there is no median"
    ):
        sq.fill(empty, method="median")
    assert np.isnan(sq.fill(empty, method="median", features="a").values[:, 1]).all()
    with pytest.raises(DataError, match="1e6 is too large for float16"):
        sq.fill([np.array([1, NAN], np.float16)], method="1e6")
    with pytest.raises(DataError, match="0: the mean is infinite"):
        sq.fill([[np.inf, NAN]], method="mean")
    with pytest.raises(DataError, match="features: no feature 'c'; there are a, b"):
        sq.fill(TABLE, method="zero", features="c")


@pytest.mark.parametrize("which", ["forward", "linear", "mean", "median", "zero", "7"])
@pytest.mark.filterwarnings("ignore:linear")
def test_nothing_to_fill_is_no_error(which: str) -> None:
    for data in (
        Ragged(np.empty((0, 2)), np.array([0])),
        Ragged(np.empty((0, 2)), np.array([0, 0, 0])),
        Ragged(np.array([1, 2]), np.array([0, 2])),
        Ragged(np.array([True, False]), np.array([0, 2])),
        sq.pad(Ragged(np.empty((0, 2)), np.array([0, 0]))),
    ):
        found = sq.fill(data, method=which, indicator=True)
        assert len(found) == len(data)
        learned = which in ("mean", "median") and np.asarray(data.lengths).sum() > 0
        assert ("state" in found.receipt[-1]) == learned
    split = Ragged(np.array([1.0]), np.array([0, 0, 1]), per_sequence={"split": np.array(["train", "test"])})
    if which in ("mean", "median"):
        with pytest.raises(
            DataError, match="no sequence of train has a step: fill has nothing to be fitted on"
        ):
            sq.fill(split, method=which)


def test_what_belongs_to_sequences_stays() -> None:
    ragged = TABLE.replace(
        keys=np.array(["a", "b", "c"]), per_step={"step_y": StepArray(np.array([1, 2, 3, 4]), -100)}
    )
    found = sq.fill(ragged, method="zero")
    assert {**oracles.parts(found), "values": 0, "receipt": 0} == {
        **oracles.parts(ragged),
        "values": 0,
        "receipt": 0,
    }


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("backward", "'backward' is none; forward, linear, mean, median, zero or a number was expected"),
        ("nan", "'nan' is none"),
        ("mean,forward", "mean fills all there is, so that forward behind it has no use"),
        ("forward,forward", "forward stands there twice"),
        ("zero --limit 3", "--limit and --method zero: forward and linear alone reach so far"),
        ("forward --limit 0", "0"),
    ],
)
def test_what_the_call_alone_shows(place: Place, method: str, words: str) -> None:
    done = place.run("fill", "nowhere.npz", "--method", *method.split())
    assert (done.code, words in done.err, done.err.count("\n")) == (2, True, 1), done.err


def test_the_command(place: Place) -> None:
    sq.save(place.folder / "a.npz", TABLE)
    done = succeeded(place.run("fill", "a.npz", "--method", "forward,mean", "--indicator"))
    assert "fitted  on train alone, 2 of 3 sequences" in done.err
    assert "filled  5 missing numbers by forward, mean" in done.err
    arrays = place.arrays("a.fill.npz")
    assert arrays["values"].tolist() == [[1, 4], [1, 4], [3, 4], [1, 4]]
    assert arrays["observed"].sum() == 3
    succeeded(place.run("check", "a.fill.npz"))
    succeeded(place.run("info", "a.fill.npz"))
    succeeded(place.run("pad", "a.fill.npz", "--post", "-o", "p.npz"))
    assert place.arrays("p.npz")["observed"].shape == (3, 2, 2)
    succeeded(
        place.run(
            "fill",
            "a.npz",
            "--method",
            "forward,mean",
            "--indicator",
            "--using",
            "a.fill.npz",
            "-o",
            "{split}.npz",
        )
    )
    assert place.arrays("test.npz")["values"].tolist() == [[3, 4]]
    place.write("a.json", "[[null, 2, null], [null]]")
    facts = json.loads(
        succeeded(place.run("fill", "a.json", "--method", "forward", "--json", "--dry-run")).err
    )
    assert any("2 numbers still missing" in text for text in facts["warnings"])
    place.write("x.npy", np.array([[[1.0, NAN], [NAN, 2]]]))
    succeeded(place.run("fill", "x.npy", "--method", "-1", "--features", "1", "-o", "x.npz"))
    assert oracles.text_of(place.arrays("x.npz")["x"]) == "[[[1.0, -1.0], [nan, 2.0]]]"


def test_several_methods_are_a_list_in_python() -> None:
    with pytest.raises(UsageError, match=r"several are a list, \['forward', 'median'\]"):
        sq.fill([[1.0]], method="forward,median")
