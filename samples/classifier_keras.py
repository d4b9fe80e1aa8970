"""A Keras classifier of padded sequences: 1,920 of them, 20 features a step, 13 classes.

    pip install . keras tensorflow
    python samples/classifier_keras.py [FOLDER]

`seqtool pad` brings sequences of 45 steps to 100. `Masking` tells the LSTM to pass over the padding. The best
weights go to FOLDER/classifier.keras, the losses and accuracies of every epoch to FOLDER/history.csv; without
FOLDER, all is thrown away at the end. The data is made up, so that it can be learned in seconds.
"""

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if not find_spec("tensorflow"):  # what Keras runs on unless it is told otherwise
    os.environ.setdefault("KERAS_BACKEND", "torch" if find_spec("torch") else "jax")

SEQUENCES, STEPS, FEATURES, CLASSES = 1920, 45, 20, 13
MAXLEN = 100
EPOCHS = 3


def make_data() -> tuple[np.ndarray, np.ndarray]:
    """Sequences (1920, 45, 20) and their classes (1920,): every class has a curve, buried in noise."""
    random = np.random.default_rng(0)
    y = random.integers(CLASSES, size=SEQUENCES)
    curves = random.standard_normal((CLASSES, STEPS, FEATURES)).cumsum(axis=1) / np.sqrt(STEPS)
    noise = random.standard_normal((SEQUENCES, STEPS, FEATURES))
    return (curves[y] / 2 + noise).astype("float32"), y


def train(x: np.ndarray, y: np.ndarray, folder: Path) -> float:
    """Train on four fifths of the sequences; the accuracy of the best epoch on the others."""
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            keras.layers.Masking(0.0),  # passes over steps that hold 0 in all features, as padding does
            keras.layers.LSTM(128),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.summary()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

    held_out = len(x) // 5
    checkpoint = folder / "classifier.keras"
    model.fit(
        x[held_out:],
        y[held_out:],
        validation_data=(x[:held_out], y[:held_out]),
        epochs=EPOCHS,
        batch_size=64,
        verbose=2,
        callbacks=[
            keras.callbacks.ModelCheckpoint(checkpoint, monitor="val_loss", save_best_only=True),
            keras.callbacks.CSVLogger(folder / "history.csv"),
        ],
    )
    best = keras.models.load_model(checkpoint)
    _, accuracy = best.evaluate(x[:held_out], y[:held_out], verbose=0)
    return float(accuracy)


def main(folder: Path) -> None:
    """Make the data, pad it, and train on it."""
    folder.mkdir(parents=True, exist_ok=True)
    x, y = make_data()
    np.save(folder / "in.npy", x)
    command = ["seqtool", "pad", "in.npy", "--maxlen", str(MAXLEN), "--post"]
    subprocess.run([sys.executable, "-m", *command], cwd=folder, check=True)

    with np.load(folder / "in.pad.npz") as data:
        padded = data["x"]  # (1920, 100, 20)
    accuracy = train(padded, y, folder)
    print(f"{accuracy:.1%} of the sequences held out are named right; by chance {1 / CLASSES:.1%} would be")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch))
