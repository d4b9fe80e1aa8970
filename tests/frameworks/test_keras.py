"""`seqtool.keras` with the real Keras, on each backend in a process beside this one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqtool
from seqtool.errors import DataError, UsageError
from tests.frameworks.apart import alone, apart, growth
from tests.frameworks.files import (
    COUNT,
    EVERYTHING,
    FEATURES,
    grown,
    sequences,
    several_labels,
    write,
    write_everything,
)

pytestmark = pytest.mark.keras
KINDS = ["ragged", "packed", "post", "pre"]
every_backend = pytest.mark.parametrize(
    "backend",
    [
        "tensorflow",
        pytest.param("torch", marks=pytest.mark.torch),
        pytest.param("jax", marks=pytest.mark.jax),
    ],
)


# Batches, which are NumPy's on every backend


def check_batches(folder: str) -> None:
    from seqtool.keras import SequenceData

    for kind in KINDS:
        path = Path(folder, f"{kind}.npz")
        ordered = SequenceData(path, batch_size=8)
        assert [y for _, part in ordered for y in part.tolist()] == list(range(COUNT))
        data = SequenceData(path, batch_size=8, shuffle=True, seed=3)
        assert len(data) == len(ordered) == 7
        value = -1 if kind == "pre" else 0
        for i, (x, y) in enumerate(data):
            chosen = [sequences()[i] for i in y]
            slots = {"post": 9, "pre": 12}.get(kind, max(map(len, chosen)))
            expected = seqtool.pad(chosen, padding="post", value=value, multiple_of=data.multiple_of)
            assert x.dtype == np.float32
            assert y.dtype == np.int64
            rounded = -(-slots // data.multiple_of) * data.multiple_of
            # The second batch is longer than the first, where batches differ at all.
            longer = i == 1 and kind in ("ragged", "packed") and rounded == data[0][0].shape[1]
            assert x.shape[1] == rounded + (data.multiple_of if longer else 0)
            np.testing.assert_array_equal(x[:, : expected.x.shape[1]], expected.x)
            assert (x[:, expected.x.shape[1] :] == value).all()
        shapes = {x.shape[1] for x, _ in data}
        assert len(shapes) == 1 if kind in ("post", "pre") else 1 < len(shapes) <= 9
    assert SequenceData(path, multiple_of=64)[0][0].shape == (32, 64, FEATURES)
    assert (SequenceData(path, value=7)[0][0][0, -1] == 7).all()
    assert SequenceData(path, dtype="float64")[0][0].dtype == np.float64
    data = SequenceData(Path(folder, "ragged.npz"), batch_size=COUNT, boundaries=[4, 11])
    assert sorted(x.shape[1] for x, _ in data) == [4, 11]
    assert sorted(i for _, y in data for i in y.tolist()) == list(range(COUNT))
    for wrong in ({"multiple_of": 0}, {"seed": -1}, {"batch_size": 0}):
        with pytest.raises(UsageError, match=f"{next(iter(wrong))} is "):
            SequenceData(path, **wrong)
    print("done")


def check_other_files(folder: str) -> None:
    from seqtool.keras import SequenceData

    x = SequenceData(Path(folder, "bare.npz"))[0]
    np.testing.assert_array_equal(x[3, : len(sequences()[3])], sequences()[3])
    x, y = SequenceData(Path(folder, "tokens.npz"))[0]
    assert (x.dtype, x.ndim, y.dtype, y[3]) == (np.int64, 2, np.float32, 1.5)
    x, y = SequenceData(Path(folder, "steps.npz"))[0]
    assert x.shape[:2] == y.shape
    assert (y == -100).sum() == (x[..., 0] == 0).sum() > 0
    for name, labels in several_labels().items():
        data = SequenceData(Path(folder, f"{name}.npz"), batch_size=8)
        found = np.concatenate([y for _, y in data])
        np.testing.assert_array_equal(found, labels.y)
        assert found.dtype == (np.int64 if name == "whole" else np.float32)
    print("done")


def check_epochs(folder: str) -> None:
    from seqtool.keras import SequenceData

    def order(data: Any) -> list[int]:
        return [i for _, y in data for i in y.tolist()]

    first, twin, other = (
        SequenceData(Path(folder, "ragged.npz"), batch_size=8, shuffle=True, seed=seed) for seed in (3, 3, 4)
    )
    assert order(first) == order(first) == order(twin) != order(other)
    seen = [order(first)]
    for _ in range(2):
        first.on_epoch_end()
        twin.on_epoch_end()
        seen.append(order(first))
        assert seen[-1] == order(twin)
    assert len(set(map(tuple, seen))) == 3
    assert all(sorted(epoch) == list(range(COUNT)) for epoch in seen)
    still = SequenceData(Path(folder, "ragged.npz"))
    still.on_epoch_end()
    assert order(still) == list(range(COUNT))
    print("done")


def check_names(folder: str) -> None:
    from seqtool.keras import SequenceData

    for kind in KINDS:
        expected = write_everything(Path(folder, "named.npz"), kind)
        data = SequenceData(Path(folder, "named.npz"), include=[*EVERYTHING, "lengths"], multiple_of=3)
        data._batches = [np.array([2, 0])]
        for name, array in data.named(0).items():
            np.testing.assert_array_equal(array, expected[name], err_msg=name)
        inputs, targets = data[0]
        assert {*inputs, *targets} == {*expected} - {"keys", "split"}
        assert sorted(targets) == ["step_y", "y"]
        for name, array in {**inputs, **targets}.items():
            np.testing.assert_array_equal(array, expected[name], err_msg=name)
    inputs, y = SequenceData(Path(folder, "named.npz"), include=["static"])[0]
    assert (list(inputs), y.tolist()) == (["x", "static"], [1, 0, 1])
    print("done")


def check_static(folder: str) -> None:
    """A network takes the arrays that its inputs are named after, and learns what static alone tells."""
    import keras

    from seqtool.keras import SequenceData, masked_input

    keras.utils.set_random_seed(0)
    y = np.arange(64) % 2
    ragged = seqtool.unpad(seqtool.pad([np.ones((3, 2), np.float32)] * 64))
    belongs = {"y": y, "static": (2.0 * y - 1)[:, None]}
    seqtool.save(
        Path(folder, "static.npz"), ragged.replace(per_sequence=belongs, keys=np.arange(64).astype(str))
    )
    data = SequenceData(Path(folder, "static.npz"), include=["static", "keys", "mask"])
    inputs, masked = masked_input(data)
    static = keras.Input((1,), name="static")
    both = keras.layers.Concatenate()([keras.layers.LSTM(2)(masked), static])
    model = keras.Model([inputs, static], keras.layers.Dense(2, activation="softmax")(both))
    model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(data, epochs=10, verbose=0)
    assert model.evaluate(data, verbose=0)[1] == 1
    print("done")


@every_backend
def test_what_is_included_trains_a_network(tmp_path: Path, backend: str) -> None:
    assert apart(check_static, tmp_path, KERAS_BACKEND=backend).split()[-1] == "done"


@pytest.mark.parametrize("check", [check_batches, check_other_files, check_epochs, check_names])
def test_batches(files: Path, check: Any) -> None:
    assert apart(check, files, KERAS_BACKEND="tensorflow").split() == ["done"]


# Training


def check_training(folder: str) -> None:
    """What the labels are can be told from the features alone if padding is passed over."""
    import keras

    from seqtool.keras import SequenceData, masked_input

    keras.utils.set_random_seed(0)
    for name in ("ragged.npz", "pre.npz"):
        data = SequenceData(Path(folder, name), batch_size=16, shuffle=True, multiple_of=12)
        inputs, masked = masked_input(data)
        assert inputs.shape == (None, None, 2)
        outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.LSTM(16)(masked))
        model = keras.Model(inputs, outputs)
        model.compile(keras.optimizers.Adam(0.03), "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(data, epochs=6, verbose=0)
        assert data.epoch >= 6  # Keras goes through the data once more to build the network
        test = SequenceData(Path(folder, name), batch_size=50, multiple_of=12)
        accuracy = model.evaluate(test, verbose=0)[1]
        assert accuracy > 0.9, (name, accuracy)
        predicted = model.predict(test, verbose=0)
        for i in range(0, len(test.file), 70):  # each alone, without padding, gives the same
            steps, _ = test.file.sequence(i)
            alone = keras.ops.convert_to_numpy(model(steps[None]))
            np.testing.assert_allclose(predicted[i], alone[0], atol=1e-5)
    print("done")


@pytest.fixture(scope="module")
def learnable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learnable")
    random = np.random.default_rng(0)
    labels = np.arange(200) % 2
    some = [
        (random.normal(2 * label - 1, 1, (length, 2))).astype(np.float32)
        for label, length in zip(labels, random.integers(4, 12, 200), strict=True)
    ]
    ragged = seqtool.unpad(seqtool.pad(some)).replace(per_sequence={"y": labels})
    seqtool.save(folder / "ragged.npz", ragged)
    seqtool.save(folder / "pre.npz", seqtool.pad(ragged, value=-9, padding="pre"))
    return folder


@every_backend
def test_a_network_learns_and_sees_no_padding(learnable: Path, backend: str) -> None:
    assert apart(check_training, learnable, KERAS_BACKEND=backend).split()[-1] == "done"


def check_first_batches(folder: str) -> None:
    """Where the first two batches are equally long, Keras must not take that for the length of all."""
    import keras

    from seqtool.keras import SequenceData, masked_input

    model = None
    for lengths in ([5] * 12 + [2] * 4 + [3], [9, 9, 9, 9, 1, 1], [4] * 9):
        rows = [np.full((n, 2), i + 1, "float32") for i, n in enumerate(lengths)]
        ragged = seqtool.unpad(seqtool.pad(rows)).replace(per_sequence={"y": np.arange(len(rows)) % 2})
        seqtool.save(Path(folder, "few.npz"), ragged)
        for options in ({"shuffle": True}, {"shuffle": False}, {"shuffle": True, "workers": 2}):
            for seed in range(3):
                data = SequenceData(
                    Path(folder, "few.npz"), batch_size=2, multiple_of=1, seed=seed, **options
                )
                longest = [int(x.shape[1]) for x, _ in data]
                assert (longest[0] != longest[1]) == (len({*lengths}) > 1)
                for (x, _), rows_of in zip(data, data._batches, strict=True):
                    assert all((x[j, : lengths[i]] == i + 1).all() for j, i in enumerate(rows_of.tolist()))
                    assert all(not x[j, lengths[i] :].any() for j, i in enumerate(rows_of.tolist()))
                if model is None:  # the same for all, which is compiled once for each shape
                    inputs, masked = masked_input(data)
                    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.LSTM(2)(masked)))
                    model.compile("sgd", "mse")
                model.fit(data, epochs=3, verbose=0)
    print("done")


@every_backend
def test_batches_may_be_of_any_lengths_in_any_order(tmp_path: Path, backend: str) -> None:
    assert apart(check_first_batches, tmp_path, KERAS_BACKEND=backend).split()[-1] == "done"


def check_workers(folder: str) -> None:
    import keras

    from seqtool.keras import SequenceData

    class Seen(keras.layers.Layer):  # type: ignore[misc]
        """Adds up what it is given."""

        def build(self, shape: Any) -> None:
            self.total = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x: Any) -> Any:
            self.total.assign_add(keras.ops.sum(x))
            return keras.ops.sum(x, axis=(1, 2))[:, None]

    for options in ({"workers": 3}, {"workers": 2, "use_multiprocessing": True}):
        for kind in KINDS:
            data = SequenceData(Path(folder, f"{kind}.npz"), batch_size=8, shuffle=True, value=0, **options)
            seen = Seen()
            model = keras.Sequential([keras.Input((None, FEATURES)), seen])
            model.compile("sgd", "mse")
            model.fit(data, epochs=2, verbose=0)
            total = 2 * sum(float(sequence.sum()) for sequence in sequences())
            assert abs(float(seen.total.numpy()) / total - 1) < 1e-4, (options, kind)
    print("done")


def test_workers_in_threads_and_processes_bring_every_batch_once(files: Path) -> None:
    assert alone(check_workers, files, KERAS_BACKEND="tensorflow").split()[-1] == "done"


# Masks


def check_tokens(folder: str) -> None:
    import keras

    from seqtool.keras import SequenceData, masked_input

    data = SequenceData(Path(folder, "tokens.npz"), batch_size=8)
    inputs, same = masked_input(data)
    assert same is inputs
    assert inputs.dtype == "int64"
    embedded = keras.layers.Embedding(1000, 4, mask_zero=True)(same)
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.LSTM(4)(embedded)))
    model.compile("sgd", "mse")
    model.fit(data, verbose=0)
    predicted = model.predict(data, verbose=0)
    for i in range(0, COUNT, 7):
        alone = keras.ops.convert_to_numpy(model(data.file.sequence(i)[0][None]))
        np.testing.assert_allclose(predicted[i], alone[0], atol=1e-5)
    print("done")


@every_backend
def test_token_ids_go_through_an_embedding(files: Path, backend: str) -> None:
    assert apart(check_tokens, files, KERAS_BACKEND=backend).split()[-1] == "done"


def check_masks(folder: str) -> None:
    import keras

    from seqtool.keras import SequenceData, masked_input

    def refused(data: Any) -> str:
        with pytest.raises(DataError) as error:
            masked_input(data)
        return str(error.value)

    for name, value in (("pre", -1), ("ragged", 0), ("same", 2)):
        _, masked = masked_input(Path(folder, f"{name}.npz"))
        assert masked._keras_history.operation.mask_value == value
    _, masked = masked_input(SequenceData(Path(folder, "ragged.npz"), value=-5))
    assert masked._keras_history.operation.mask_value == -5
    assert isinstance(masked._keras_history.operation, keras.layers.Masking)
    text = refused(Path(folder, "nan.npz"))
    assert text.startswith(
        "nan.npz: padding holds nan, but Masking takes one finite number; use SequenceData("
    )
    assert "padding holds (1, 2, 3), but Masking takes one finite number" in refused(Path(folder, "each.npz"))
    assert "padding holds (nan,), but Masking takes one finite" in refused(Path(folder, "nan of one.npz"))
    assert "padding holds 9, but Embedding(mask_zero=True) masks 0" in refused(Path(folder, "ids.npz"))
    print("done")


def test_masks_are_of_one_number_that_equals_itself(tmp_path: Path) -> None:
    write(tmp_path)
    for name, value in (("nan", float("nan")), ("each", (1, 2, 3)), ("same", (2, 2, 2))):
        seqtool.save(tmp_path / f"{name}.npz", seqtool.pad(sequences(), value=value))
    seqtool.save(tmp_path / "ids.npz", seqtool.pad([[1], [2, 3]], value=9))
    one = [np.ones((length, 1)) for length in (1, 2)]
    seqtool.save(tmp_path / "nan of one.npz", seqtool.pad(one, value=(float("nan"),)))
    assert apart(check_masks, tmp_path, KERAS_BACKEND="tensorflow").split() == ["done"]


def check_real_steps(folder: str) -> None:
    import keras

    from seqtool.keras import SequenceData, masked_input

    for kind in ("ragged", "packed", "post", "pre"):
        path = Path(folder, f"{kind}.npz")
        for source in (path, SequenceData(path)):
            with pytest.raises(DataError) as error:
                masked_input(source)
            assert str(error.value) == (
                f"{kind}.npz: Masking would skip 2 real steps that hold 0 in every feature, the first of them in "
                f"sequence 2; use SequenceData('{kind}.npz', value=-2), or seqtool pad {kind}.npz --value -2"
            )
        data = SequenceData(path, value=-2)
        _, masked = masked_input(data)
        real = keras.ops.convert_to_numpy(masked._keras_history.operation.compute_mask(data[0]))
        assert real.sum(axis=1).tolist() == data.file.lengths.tolist() == [1, 0, 3, 2]
        with pytest.raises(
            DataError, match=r"^\w+\.npz: Masking would skip 1 real steps that hold -1 .* sequence 3"
        ):
            masked_input(SequenceData(path, value=-1))
    for kind in ("ids", "padded ids"):
        with pytest.raises(DataError) as error:
            masked_input(Path(folder, f"{kind}.npz"))
        assert str(error.value) == (
            f"{kind}.npz: Embedding(mask_zero=True) would skip 1 real steps that hold 0, the first of them in "
            "sequence 1; let ids begin at 1"
        )
    print("done")


def test_no_real_step_is_masked(tmp_path: Path) -> None:
    some = [[[5.0, 0.0]], np.empty((0, 2)), [[1, 2], [0, 0], [3, 4]], [[0, 0], [-1, -1]]]
    padded = seqtool.pad([np.array(steps, float) for steps in some], padding="post")
    seqtool.save(tmp_path / "post.npz", padded)
    ragged = seqtool.unpad(padded)
    seqtool.save(tmp_path / "ragged.npz", ragged)
    seqtool.save(tmp_path / "packed.npz", ragged, compress="fast")
    seqtool.save(tmp_path / "pre.npz", seqtool.pad(ragged, padding="pre", maxlen=7))
    ids = seqtool.pad([[4], [3, 0, 2]])
    seqtool.save(tmp_path / "padded ids.npz", ids)
    seqtool.save(tmp_path / "ids.npz", seqtool.unpad(ids))
    assert apart(check_real_steps, tmp_path, KERAS_BACKEND="tensorflow").split() == ["done"]


# Memory


def check_memory(folder: str) -> None:
    import keras

    from seqtool.keras import SequenceData, masked_input

    inputs, masked = masked_input(Path(folder, "large.npz"))
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(keras.layers.LSTM(4)(masked)))
    model.compile("sgd", "sparse_categorical_crossentropy")
    grown(
        lambda path: model.fit(SequenceData(path, batch_size=128, shuffle=True, in_memory=False), verbose=0),
        Path(folder),
    )


@pytest.mark.slow
@pytest.mark.keras
def test_a_file_ten_times_as_large_takes_no_more_memory(tmp_path: Path) -> None:
    """On one backend: what reads the file is the same for all."""
    assert growth(check_memory, tmp_path, KERAS_BACKEND="tensorflow") < 100_000_000
