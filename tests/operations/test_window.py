import json
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

import seqtool as sq
from seqtool.arrays.lazy import Lazy
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError
from seqtool.operations import run
from seqtool.operations.window import Window
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from tests import oracles
from tests.command import Place, succeeded
from tests.cutting import small_windows

text_of = oracles.text_of


@st.composite
def cuts(draw: st.DrawFn) -> Window:
    """Windows of all kinds, without labels of their own."""
    size = draw(st.integers(1, 4))
    least, last = draw(st.none() | st.integers(1, size)), draw(st.booleans())
    return Window(
        size,
        stride=1 if last else draw(st.integers(1, 4)),
        rate=draw(st.integers(1, 3)),
        min_size=least,
        from_end=draw(st.booleans()),
        last=last,
    )


def found_by_loop(window: Window, length: int) -> list[list[int]]:
    return oracles.windows(
        length,
        size=window.size,
        stride=window.stride,
        rate=window.rate,
        min_size=window.min_size,
        after=window.placing.after,
        from_end=window.from_end,
        last=window.last,
    )


def lazily(ragged: Ragged) -> Ragged:
    def lazy(array: Any) -> Lazy:
        return Lazy(array.shape, array.dtype, lambda begin, end: np.array(array[begin:end]))

    return ragged.replace(
        values=lazy(ragged.values),
        offsets=lazy(ragged.offsets),
        per_step={name: StepArray(lazy(array.data), array.value) for name, array in ragged.per_step.items()},
        per_sequence={name: lazy(np.asarray(array)) for name, array in ragged.per_sequence.items()},
    )


@given(oracles.raggeds(riders=True), cuts(), st.booleans())
def test_windows_are_slices_with_all_that_belongs(ragged: Ragged, window: Window, is_lazy: bool) -> None:
    ragged = ragged.replace(per_sequence={k: v for k, v in ragged.per_sequence.items() if k != "part"})
    lengths = np.asarray(ragged.lengths).tolist()
    picked = [(i, steps) for i, length in enumerate(lengths) for steps in found_by_loop(window, length)]
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        if is_lazy:
            small_windows(patch, 16)
        if lengths and not picked:
            with pytest.raises(DataError, match="no window is left"):
                window.apply(ragged, None, spool=spool)
            return
        outcome = window.apply(lazily(ragged) if is_lazy else ragged, None, spool=spool)
        found = outcome.ragged.in_memory()
    begins = np.asarray(ragged.offsets).tolist()
    rows = np.array([begins[i] + step for i, steps in picked for step in steps], np.int64)
    which = np.array([i for i, _ in picked], np.int64)
    assert found.offsets.tolist() == np.cumsum([0, *(len(steps) for _, steps in picked)]).tolist()
    assert text_of(found.values) == text_of(np.asarray(ragged.values)[rows])
    for name, array in ragged.per_step.items():
        assert text_of(found.per_step[name].data) == text_of(np.asarray(array.data)[rows])
    for name, per_sequence in ragged.per_sequence.items():
        assert text_of(found.per_sequence[name]) == text_of(np.asarray(per_sequence)[which])
    assert found.per_sequence["part"].tolist() == [steps[0] for _, steps in picked]
    keys = np.arange(len(lengths)) if ragged.keys is None else np.asarray(ragged.keys)
    assert text_of(found.keys) == text_of(keys[which])
    assert (found.features, found.names, found.receipt) == (ragged.features, ragged.names, ragged.receipt)
    steps_in, kept = len(ragged.values), len(found.values)
    assert steps_in + sum(outcome.added.values()) == kept + outcome.cut + sum(outcome.dropped.values())
    assert sum(outcome.added.values()) == len(rows) - len({*rows.tolist()})


@given(
    oracles.raggeds(["int16", "uint32", "float32"]),
    st.integers(1, 3),
    st.none() | st.integers(1, 2),
    st.integers(0, 1),
    st.integers(1, 2),
    st.booleans(),
    st.booleans(),
)
def test_labels_are_the_steps_that_follow(
    ragged: Ragged, size: int, horizon: int | None, lead: int, rate: int, following: bool, is_lazy: bool
) -> None:
    window = Window(
        size, horizon=horizon, lead=lead if horizon else 0, rate=rate, next=following, min_size=1, stride=2
    )
    steps = oracles.sequences_of(ragged)
    picked = [(s, numbers) for s in steps for numbers in found_by_loop(window, len(s))]
    one = ragged.values.ndim == 2 and ragged.values.shape[1] == 1
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        if is_lazy:
            small_windows(patch, 16)
        if steps and not picked:
            with pytest.raises(DataError, match="no window is left"):
                window.apply(ragged, None, spool=spool)
            return
        found = window.apply(lazily(ragged) if is_lazy else ragged, None, spool=spool).ragged.in_memory()

    def label(step: Any) -> Any:
        return step[0] if one else step

    assert ("y" in found.per_sequence, "step_y" in found.per_step) == (horizon is not None, following)
    if horizon:
        y = [[label(s[n[-1] + 1 + lead + i]) for i in range(horizon)] for s, n in picked]
        assert json.dumps(found.per_sequence["y"].tolist()) == json.dumps(y)
        shape = ragged.values.shape[1:]
        assert found.per_sequence["y"].shape == (len(picked), horizon, *(() if one else shape))
        assert found.per_sequence["y"].dtype == ragged.values.dtype
    if following:
        step_y = [label(s[step + 1]) for s, numbers in picked for step in numbers]
        assert json.dumps(found.per_step["step_y"].data.tolist()) == json.dumps(step_y)


def test_the_examples_of_the_issue() -> None:
    windows = sq.window([[0, 1, 2, 3, 4, 5, 6]], size=3, stride=2, horizon=2)
    assert [steps.tolist() for steps in windows] == [[0, 1, 2], [2, 3, 4]]
    assert windows.per_sequence["y"].tolist() == [[3, 4], [5, 6]]
    assert windows.per_sequence["part"].tolist() == [0, 2]
    (entry,) = windows.receipt
    assert entry["arguments"] == {"size": 3, "stride": 2, "horizon": 2, "lead": 0, "rate": 1}
    assert entry["rows"] == {"in": 7, "kept": 6, "cut": 2, "dropped": {}, "added": {"repeated in windows": 1}}
    assert len(sq.window([[*range(100)]], size=10, horizon=1)) == 90


@pytest.mark.parametrize(("size", "horizon"), [(1, 1), (3, 2), (5, 5)])
def test_windows_are_those_of_numpy(size: int, horizon: int) -> None:
    series = np.random.default_rng(0).random((2, 20, 3)).astype(np.float32)
    windows = sq.window(sq.pad(series, padding="post"), size=size, horizon=horizon)
    xs, ys = [], []
    for steps in series:
        xs.append(np.moveaxis(sliding_window_view(steps, size, axis=0), -1, 1)[: 20 - size - horizon + 1])
        ys.append(np.moveaxis(sliding_window_view(steps[size:], horizon, axis=0), -1, 1))
    assert isinstance(windows, Padded)
    assert np.array_equal(windows.x, np.concatenate(xs))
    assert np.array_equal(windows.per_sequence["y"], np.concatenate(ys))


def test_a_target_is_a_feature_by_name_or_place() -> None:
    ragged = Ragged(np.arange(8.0).reshape(4, 2), np.array([0, 4]), features=("load", "temp"))

    def y(**arguments: Any) -> Any:
        return sq.window(ragged, size=2, horizon=1, **arguments).per_sequence["y"].tolist()

    assert y() == [[[4, 5]], [[6, 7]]]
    assert y(target="temp") == y(target=["1"]) == [[5], [7]]
    assert y(target=("temp", "load")) == [[[5, 4]], [[7, 6]]]
    following = sq.window(ragged, size=2, next=True, target="load", stride=2)
    assert following.per_step["step_y"].data.tolist() == [2, 4]
    with pytest.raises(DataError, match="target: no feature 'wind'; there are load, temp"):
        y(target="wind")


def test_a_padded_block_becomes_one_of_so_many_slots() -> None:
    padded = sq.pad([[1, 2, 3, 4], [5, 6]], padding="pre", value=-1, maxlen=5)
    windows = sq.window(padded, size=3, min_size=2)
    assert windows.x.tolist() == [[1, 2, 3], [2, 3, 4], [-1, 5, 6]]
    assert (windows.padding, windows.value, windows.lengths.tolist()) == ("pre", -1, [3, 3, 2])
    assert sq.window(padded, size=7, min_size=2).x.shape == (2, 7)
    assert sq.window(padded, size=2, last=True).x.tolist() == [[3, 4], [5, 6]]


def test_labels_of_tokens_can_be_told_from_padding() -> None:
    windows = sq.window(
        sq.pad(np.array([[1, 2, 3]], np.uint8), padding="post"), size=3, min_size=1, next=True
    )
    step_y = windows.per_step["step_y"]
    assert (step_y.data.dtype, step_y.data.tolist(), step_y.value) == (np.int64, [[2, 3, -100]], -100)
    flags = sq.window([[True, False]], size=1, next=True).per_step["step_y"].data
    assert (flags.dtype, flags.tolist()) == (np.int64, [0])
    with pytest.raises(
        DataError, match="a step is 9223372036854775808, which step_y, int64 with -100 in padding"
    ):
        sq.window([np.array([1, 2**63], np.uint64)], size=1, next=True)


def test_what_belongs_to_steps_keeps_its_classes() -> None:
    tags = StepArray(np.array([0, 1, 0, 1]), -100)
    ragged = Ragged(
        np.arange(4),
        np.array([0, 4]),
        per_step={"step_y": tags},
        per_sequence={"original_lengths": np.array([9]), "split": np.array(["val"])},
        names={"classes": np.array(["a", "b"])},
    )
    windows = sq.window(ragged, size=2, horizon=1)
    assert {name: array.tolist() for name, array in windows.names.items()} == {"step_classes": ["a", "b"]}
    assert windows.per_sequence["split"].tolist() == ["val", "val"]
    assert "original_lengths" not in windows.per_sequence  # they were those of whole sequences
    assert [*sq.window(ragged, size=2).names] == ["classes"]


def test_no_sequences_and_no_steps() -> None:
    for values in (np.empty((0, 2)), np.empty(0, np.int64)):
        none = sq.window(Ragged(values, np.array([0])), size=2, horizon=1)
        assert (len(none), none.per_sequence["y"].shape[:2], len(none.keys)) == (0, (0, 1), 0)
        with pytest.raises(
            DataError, match=r"a window takes 2 steps, and 1 behind it; the longest sequence has 0$"
        ):
            sq.window(Ragged(values, np.array([0, 0])), size=2, horizon=1)


def test_sequences_that_are_too_short_are_counted_and_named() -> None:
    sequences: dict[str, list[int]] = {f"k{i:02}": [1] * (i % 2) for i in range(12)} | {"long": [1, 2, 3]}
    named = "k00, k01, k02, k03, k04, k05, k06, k07, k08, k09, ...$"
    with pytest.warns(UserWarning, match=f"too short for a window: 12 sequences of 6 steps in all: {named}"):
        windows = sq.window(sequences, size=2)
    assert windows.keys.tolist() == ["long", "long"]
    assert windows.receipt[-1]["rows"]["dropped"] == {"too short for a window": 6}
    with pytest.raises(
        DataError, match=r"takes 4 steps; the longest sequence has 3, which is enough for size=3$"
    ):
        sq.window(sequences, size=4)
    with pytest.raises(
        DataError, match=r"4 steps 2 apart, and 1 behind it; .* 3, which is enough for size=1$"
    ):
        sq.window(sequences, size=4, rate=2, horizon=1)
    with pytest.raises(DataError, match=r"takes 4 steps; .* 3, which is enough for min_size=3$"):
        sq.window(sequences, size=9, min_size=4)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"size": 0}, "size is 0; it must be at least 1"),
        ({"size": 2.5}, "size is 2.5; a whole number was expected"),
        ({"size": 2, "stride": 0}, "stride is 0; it must be at least 1"),
        ({"size": 2, "horizon": 0}, "horizon is 0; it must be at least 1"),
        ({"size": 2, "min_size": 3}, "min_size is 3; it must be at most 2, the size of a window"),
        ({"size": 2, "lead": 1}, "lead is for horizon, which this call does not name: horizon=H, or leave"),
        ({"size": 2, "target": "a"}, "target is for what follows a window, which this call does not name"),
        ({"size": 2, "last": True, "horizon": 1, "lead": 1}, "nothing follows: leave horizon and lead out"),
        ({"size": 2, "last": True, "stride": 2}, "last takes the newest window, .*: leave stride out"),
    ],
)
def test_arguments_are_judged_when_they_are_given(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        sq.window([[1]], **arguments)


def test_no_array_takes_the_place_of_another() -> None:
    ragged = Ragged(np.arange(4), np.array([0, 4]), per_sequence={"y": np.array([1])})
    with pytest.raises(
        DataError, match="horizon makes y of what follows, and sequences have labels in y: leave horizon out"
    ):
        sq.window(ragged, size=2, horizon=1)
    assert sq.window(ragged, size=2).per_sequence["y"].tolist() == [1, 1, 1]
    assert sq.window(ragged, size=2, next=True).per_step["step_y"].data.tolist() == [1, 2, 2, 3]
    with pytest.raises(DataError, match="parts of others already"):
        sq.window(sq.window(ragged, size=3), size=2)
    steps = ragged.replace(per_step={"step_y": StepArray(np.arange(4), -100)})
    with pytest.raises(
        DataError, match="next makes step_y of the next step, and steps have labels in step_y: leave next out"
    ):
        sq.window(steps, size=2, next=True)


def test_windows_that_take_more_than_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "budget", lambda: 8 * 11)
    assert len(sq.window([[1, 2, 3, 4]], size=3)) == 2
    with pytest.raises(
        DataError, match=r"the steps would take 96 B, but memory allows 88 B; .* seqtool window writes"
    ):
        sq.window([[1, 2, 3, 4, 5]], size=3, next=True)


TABLE = "user,t,load,temp\n" + "".join(
    f"{user},{t},{ord(user) + t / 8},{t}\n"
    for user, steps in (("a", 9), ("b", 6), ("c", 2))
    for t in range(steps)
)


def test_the_command_makes_a_forecasting_set(place: Place) -> None:
    place.write("t.csv", TABLE)
    succeeded(place.run("group", "t.csv", "--key", "user", "--order-by", "t", "-o", "in.npz"))
    call = ["window", "in.npz", "--size", "4", "--horizon", "2", "--target", "load"]
    done = succeeded(place.run(*call, "-o", "out.npz"))
    arrays = place.arrays("out.npz")
    assert (arrays["x"].shape, arrays["y"].shape, arrays["y"].dtype) == ((5, 4, 2), (5, 2), np.float32)
    assert arrays["keys"].tolist() == ["a", "a", "a", "a", "b"]
    assert arrays["part"].tolist() == [0, 1, 2, 3, 0]
    assert arrays["y"][-1].tolist() == [98.5, 98.625]
    for line in (
        "windows   5 of 2 sequences",
        "targets   y (5, 2): 2 steps behind each window",
        "repeated  9 steps that several windows have",
        "cut       4 steps that no window has",
        "warning: too short for a window: 1 sequence of 2 steps in all: c",
    ):
        assert line in done.err
    succeeded(place.run("check", "out.npz"))
    assert b"a, part 3" in succeeded(place.run("info", "out.npz", "--sequence", "a,3")).out
    facts = json.loads(succeeded(place.run(*call, "--json", "--dry-run")).err)
    assert facts["rows"] == {
        "in": 17,
        "kept": 20,
        "cut": 4,
        "dropped": {"too short for a window": 2},
        "added": {"repeated in windows": 9},
    }
    done = place.run("window", "in.npz", "--size", "10")
    assert (done.code, done.err) == (
        1,
        "seqtool: error: in.npz: no window is left: a window takes 10 steps; the longest sequence has 9, which is "
        "enough for --size 9\n",
    )


def test_the_command_takes_what_pad_takes(place: Place) -> None:
    place.write("a.json", "[[1, 2, 3, 4], [5, 6]]")
    succeeded(place.run("window", "a.json", "--size", "3", "--min-size", "2", "--next", "-o", "a.npz", "-q"))
    arrays = place.arrays("a.npz")
    assert (arrays["values"].tolist(), arrays["step_y"].tolist()) == ([1, 2, 3], [2, 3, 4])
    place.write("x.npy", np.arange(24.0).reshape(2, 6, 2))
    done = succeeded(
        place.run("window", "x.npy", "--size", "3", "--from-end", "--stride", "2", "-o", "x.npz")
    )
    assert place.arrays("x.npz")["x"][:2, 0].tolist() == [[2, 3], [6, 7]]
    assert "warning" not in done.err
    done = place.shell("seqtool window --size 3 --last < a.json | seqtool pad --post -q > out.npz")
    assert done.code == 0, done.err
    assert place.arrays("out.npz")["x"].tolist() == [[2, 3, 4]]
    for name in ("a.npz", "x.npz", "out.npz"):
        succeeded(place.run("check", name))


def test_the_command_judges_its_arguments_before_it_reads(place: Place) -> None:
    for options in (
        [],
        ["--size", "0"],
        ["--size", "2", "--lead", "1"],
        ["--size", "2", "--min-size", "3"],
        ["--size", "2", "--last", "--next"],
    ):
        done = place.run("window", "nowhere.npz", *options)
        assert (done.code, done.err.count("\n")) == (2, 1), options


@given(oracles.raggeds(), st.integers(1, 3), st.integers(1, 5))
def test_the_same_windows_however_they_are_read(ragged: Ragged, size: int, step: int) -> None:
    """Chunks of any size, which begin and end within windows, are those of the whole."""
    window = Window(size, min_size=1)
    with warnings.catch_warnings(), Spool() as spool:
        warnings.simplefilter("ignore")
        if len(ragged) and not len(ragged.values):
            return
        found = window.apply(lazily(ragged), None, spool=spool).ragged
        whole = np.asarray(found.values)
        parts = [found.values[begin : begin + step] for begin in range(0, len(whole), step)]
    assert text_of(np.concatenate([whole[:0], *parts])) == text_of(whole)


def test_a_price_table_becomes_a_forecasting_set_as_in_pandas(place: Place) -> None:
    """Closes are filled and scaled by those of the training tickers, and cut into windows with what follows."""
    pd = pytest.importorskip("pandas")
    random = np.random.default_rng(0)
    rows = [
        (ticker, day, close)
        for day in range(40)
        for ticker, close in zip("ABCD", random.random(4), strict=True)
    ]
    table = pd.DataFrame(rows, columns=["ticker", "day", "close"])
    table.loc[random.random(len(table)) < 0.1, "close"] = float("nan")
    table.to_csv(place.folder / "prices.csv", index=False)
    grouping = [
        "group",
        "prices.csv",
        "--key",
        "ticker",
        "--order-by",
        "day",
        "--ragged",
        "--dtype",
        "float64",
    ]
    succeeded(place.run(*grouping, "-q", "-o", "a.npz"))
    succeeded(place.run("split", "a.npz", "--test", "0.25", "-q", "-o", "b.npz"))
    succeeded(place.run("fill", "b.npz", "--method", "forward,mean", "-q", "-o", "c.npz"))
    succeeded(place.run("scale", "c.npz", "--method", "standard", "-q", "-o", "d.npz"))
    succeeded(
        place.run("window", "d.npz", "--size", "10", "--horizon", "2", "--stride", "3", "-q", "-o", "e.npz")
    )
    succeeded(place.run("check", "e.npz"))
    found = place.arrays("e.npz")
    test = set(found["keys"][found["split"] == "test"].tolist())
    assert len(test) == 1
    closes = table.sort_values(["ticker", "day"]).set_index("ticker")["close"]
    filled = closes.groupby("ticker").ffill().fillna(closes[~closes.index.isin(test)].mean())
    train = filled[~filled.index.isin(test)]
    scaled = (filled - train.mean()) / train.std(ddof=0)
    windows = [(key, a) for key in "ABCD" for a in range(0, 29, 3)]
    assert [*zip(found["keys"].tolist(), found["part"].tolist(), strict=True)] == windows
    x = np.array([scaled[key].to_numpy()[a : a + 10] for key, a in windows])
    y = np.array([scaled[key].to_numpy()[a + 10 : a + 12] for key, a in windows])
    assert np.allclose(found["values"].reshape(len(windows), 10), x, rtol=1e-12, atol=1e-12)
    assert np.allclose(found["y"], y, rtol=1e-12, atol=1e-12)
