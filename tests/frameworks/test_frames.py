"""Frames of videos, (L, H, W, C) each, read by networks of PyTorch and Keras."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import seqtool
from tests.frameworks.apart import apart

FRAME = (6, 5, 3)


def clips() -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.integers(0, 255, (length, *FRAME)).astype(np.uint8) for length in (2, 4, 3)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    padded = seqtool.pad(clips(), padding="post").replace(per_sequence={"y": np.array([0, 1, 1])})
    seqtool.save(tmp_path / "clips.npz", padded)
    return tmp_path / "clips.npz"


@pytest.mark.torch
def test_a_batch_of_torch_and_a_packed_one(file: Path) -> None:
    import torch

    from seqtool.torch import SequenceDataset, collate, to_packed

    data = SequenceDataset(file)
    assert data[1][0].shape == (4, *FRAME)
    assert data[1][0].dtype == torch.float32
    batch = collate([data[0], data[1]], value=(1, 2, 3))
    assert batch.x.shape == (2, 4, *FRAME)
    assert (batch.x[0, 2:] == torch.tensor([1.0, 2.0, 3.0])).all()
    np.testing.assert_array_equal(batch.x[1].numpy(), clips()[1])
    # Each frame flattened is a step that an LSTM reads.
    lstm = torch.nn.LSTM(90, 4, batch_first=True)
    _, (state, _) = lstm(to_packed(batch._replace(x=batch.x.flatten(2))))
    alone = lstm(torch.from_numpy(clips()[0].astype(np.float32)).flatten(1)[None])[1][0]
    torch.testing.assert_close(state[:, 0], alone[:, 0])
    assert seqtool.pad([torch.ones(2, *FRAME), torch.ones(1, *FRAME)]).x.shape == (2, 2, *FRAME)


def check_keras(path: str) -> None:
    import keras

    from seqtool.keras import SequenceData, masked_input

    data = SequenceData(path, include=["mask"])
    x = keras.Input((None, *FRAME), name="x")
    mask = keras.Input((None,), dtype="bool", name="mask")
    model = keras.Model({"x": x, "mask": mask}, keras.layers.ConvLSTM2D(2, 3)(x / 255.0, mask=mask))
    inputs, _ = data[0]
    assert inputs["x"].shape == (3, 4, *FRAME)
    together = model.predict_on_batch(inputs)
    for i, clip in enumerate(clips()):
        one = {"x": clip[None].astype("float32"), "mask": np.ones((1, len(clip)), bool)}
        np.testing.assert_allclose(together[i], model.predict_on_batch(one)[0], rtol=1e-4, atol=1e-5)
    layer = keras.layers.Conv2D(2, 3)
    each = keras.Model(x, keras.layers.TimeDistributed(layer)(x)).predict_on_batch(inputs["x"])
    expected = layer(clips()[1].astype("float32"))
    np.testing.assert_allclose(each[1], keras.ops.convert_to_numpy(expected), rtol=1e-4, atol=1e-3)
    with pytest.raises(seqtool.DataError, match=r"a step is an array of 6 x 5 x 3.*include=\['mask'\]"):
        masked_input(SequenceData(path))
    print("done")


@pytest.mark.keras
def test_masks_of_frames_reach_the_layers_of_keras(file: Path) -> None:
    assert apart(check_keras, file, KERAS_BACKEND="tensorflow").split()[-1] == "done"


def check_tf(path: str) -> None:
    from seqtool.tf import dataset

    batches = dataset(path, batch_size=2)
    assert batches.element_spec[0].shape.as_list() == [None, None, *FRAME]
    assert [x.shape.as_list() for x, *_ in batches] == [[2, 4, *FRAME], [1, 3, *FRAME]]
    print("done")


@pytest.mark.tensorflow
def test_batches_of_tensorflow(file: Path) -> None:
    assert apart(check_tf, file).split()[-1] == "done"
