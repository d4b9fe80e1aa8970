"""`seqtool.tf` with the real TensorFlow, in processes beside this one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqtool
from seqtool.errors import UsageError
from tests.frameworks.apart import apart, growth
from tests.frameworks.files import (
    COUNT,
    EVERYTHING,
    FEATURES,
    grown,
    sequences,
    several_labels,
    write_everything,
)

pytestmark = pytest.mark.tensorflow
KINDS = ["ragged", "packed", "post", "pre"]


def check_batches(folder: str) -> None:
    import tensorflow as tf

    from seqtool.tf import dataset

    for kind in KINDS:
        batches = dataset(Path(folder, f"{kind}.npz"), batch_size=8)
        assert len(batches) == 7
        x_spec, lengths_spec, y_spec = batches.element_spec
        assert (x_spec.shape.as_list(), x_spec.dtype) == ([None, None, FEATURES], tf.float32)
        assert (lengths_spec.shape.as_list(), lengths_spec.dtype) == ([None], tf.int64)
        assert (y_spec.shape.as_list(), y_spec.dtype) == ([None], tf.int64)
        seen = []
        for x, lengths, y in batches.as_numpy_iterator():
            chosen = [sequences()[i] for i in y]
            expected = seqtool.pad(chosen, padding="post", value=-1 if kind == "pre" else 0)
            np.testing.assert_array_equal(x, expected.x)
            np.testing.assert_array_equal(lengths, expected.lengths)
            seen += y.tolist()
        assert seen == list(range(COUNT))
    bucketed = dataset(Path(folder, "ragged.npz"), batch_size=8, boundaries=[4], shuffle=True)
    found = [
        (int(lengths.min()) > 4, int(lengths.max()) > 4, len(y))
        for _, lengths, y in bucketed.as_numpy_iterator()
    ]
    assert all(least == most for least, most, _ in found)
    assert (sum(number for *_, number in found), len(found)) == (COUNT, int(bucketed.cardinality()))
    with pytest.raises(UsageError, match="batch_size is 0"):
        dataset(Path(folder, "ragged.npz"), batch_size=0)
    with pytest.raises(UsageError, match="seed is -1"):
        dataset(Path(folder, "ragged.npz"), shuffle=True, seed=-1)
    for x, _, _ in dataset(Path(folder, "ragged.npz"), dtype="float64"):
        assert x.dtype == tf.float64
    print("done")


def check_other_files(folder: str) -> None:
    import tensorflow as tf

    from seqtool.tf import dataset
    from seqtool.training.sequence_file import SequenceFile

    types = {
        "bare": [tf.float32, tf.int64],
        "tokens": [tf.int64, tf.int64, tf.float32],
        "steps": [tf.float32, tf.int64, tf.int64],
    }
    for name, dtypes in types.items():
        batches = dataset(Path(folder, f"{name}.npz"), batch_size=COUNT)
        assert [spec.dtype for spec in batches.element_spec] == dtypes
        (batch,) = batches.as_numpy_iterator()
        expected = SequenceFile(Path(folder, f"{name}.npz")).batch(range(COUNT))
        for found, meant in zip(batch, expected, strict=False):
            np.testing.assert_array_equal(found, meant)
    for name, labels in several_labels().items():
        batches = dataset(Path(folder, f"{name}.npz"), batch_size=8)
        _, _, spec = batches.element_spec
        assert (spec.shape.as_list(), spec.dtype) == ([None, 2], tf.int64 if name == "whole" else tf.float32)
        y = np.concatenate([y for _, _, y in batches.as_numpy_iterator()])
        np.testing.assert_array_equal(y, labels.y)
    print("done")


def check_epochs(folder: str) -> None:
    from seqtool.tf import dataset

    def epochs(seed: int) -> list[list[int]]:
        batches = dataset(Path(folder, "ragged.npz"), batch_size=8, shuffle=True, seed=seed)
        return [[i for _, _, y in batches.as_numpy_iterator() for i in y.tolist()] for _ in range(3)]

    found = epochs(1)
    assert found == epochs(1) != epochs(2)
    assert len(set(map(tuple, found))) == 3
    assert all(sorted(epoch) == list(range(COUNT)) for epoch in found)
    batches = dataset(Path(folder, "ragged.npz"), batch_size=8, shuffle=True)
    slots = sum(x.shape[0] * x.shape[1] for x, _, _ in batches.as_numpy_iterator())
    assert slots < 1.2 * sum(map(len, sequences()))
    repeated = dataset(Path(folder, "post.npz"), batch_size=8, shuffle=True).repeat(2).as_numpy_iterator()
    assert sorted(i for _, _, y in repeated for i in y.tolist()) == sorted([*range(COUNT), *range(COUNT)])
    print("done")


def check_names(folder: str) -> None:
    import tensorflow as tf

    from seqtool.tf import dataset

    for kind in KINDS:
        expected = write_everything(Path(folder, "named.npz"), kind)
        batches = dataset(Path(folder, "named.npz"), batch_size=2, include=EVERYTHING)
        assert set(batches.element_spec) == set(expected)
        assert batches.element_spec["static"].shape.as_list() == [None, 2]
        assert batches.element_spec["row_index"].shape.as_list() == [None, None]
        assert batches.element_spec["keys"].dtype == tf.string
        first, second = batches.as_numpy_iterator()
        assert first["split"].tolist() == [b"train", b"val"]
        for name, array in second.items():
            meant = expected[name][:1].astype("S") if name in ("keys", "split") else expected[name][:1]
            np.testing.assert_array_equal(array, meant, err_msg=name)
    print("done")


@pytest.mark.parametrize("check", [check_batches, check_other_files, check_epochs, check_names])
def test_batches(files: Path, check: Any) -> None:
    assert apart(check, files).split() == ["done"]


def check_dynamic_rnn(folder: str) -> None:
    """Outputs past the end are zero, and the state is that of each sequence alone."""
    import tensorflow as tf
    from tf_keras.layers import LSTMCell

    from seqtool.tf import dataset

    for kind in KINDS:
        batches = tf.compat.v1.data.make_one_shot_iterator
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            x, lengths, y = batches(dataset(Path(folder, f"{kind}.npz"), batch_size=8)).get_next()
            cell = LSTMCell(4)
            outputs, state = tf.compat.v1.nn.dynamic_rnn(cell, x, sequence_length=lengths, dtype=tf.float32)
            alone = tf.compat.v1.placeholder(tf.float32, (1, None, FEATURES))
            _, expected = tf.compat.v1.nn.dynamic_rnn(cell, alone, dtype=tf.float32)
            session.run(tf.compat.v1.global_variables_initializer())
            for _ in range(7):
                output, final, counts, labels = session.run([outputs, state[0], lengths, y])
                for row, end, count, label in zip(output, final, counts, labels, strict=True):
                    assert not row[count:].any()
                    np.testing.assert_allclose(row[count - 1], end, atol=1e-6)
                    by_itself = session.run(expected[0], {alone: sequences()[label][None]})
                    np.testing.assert_allclose(end, by_itself[0], atol=1e-6)
    print("done")


def test_lengths_are_what_dynamic_rnn_takes(files: Path) -> None:
    assert apart(check_dynamic_rnn, files, TF_USE_LEGACY_KERAS="1").split()[-1] == "done"


def check_memory(folder: str) -> None:
    import keras

    from seqtool.tf import dataset

    outputs = [keras.layers.Masking(), keras.layers.LSTM(4), keras.layers.Dense(2, activation="softmax")]
    model = keras.Sequential([keras.Input((None, 200)), *outputs])
    model.compile("sgd", "sparse_categorical_crossentropy")

    def train(path: Path) -> None:
        batches = dataset(path, batch_size=128, shuffle=True, in_memory=False)
        model.fit(batches.map(lambda x, lengths, y: (x, y)), shuffle=False, verbose=0)

    grown(train, Path(folder))


@pytest.mark.slow
def test_a_file_ten_times_as_large_takes_no_more_memory(tmp_path: Path) -> None:
    assert growth(check_memory, tmp_path) < 100_000_000
