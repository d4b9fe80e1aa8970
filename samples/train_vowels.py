"""Japanese Vowels: from a table of speech frames to a network that tells nine speakers apart.

    pip install . torch                  # or: pip install . keras tensorflow
    python samples/train_vowels.py [--framework torch|keras] [--seeds 3] [--epochs 40]

The table has a row a frame. `seqtool` makes it 640 utterances of 7 to 29 frames, 270 to train on and 370 to test, and
scales them by what the first alone tell.
An LSTM of 128 units learns each seed twice: once it reads the real frames alone, by packing (PyTorch) or a mask
(Keras), and once padding too, as if it were speech. All else is the same for both. How far the second falls behind
hangs on the rest: Keras starts an LSTM so that it forgets little, PyTorch does not, and needs more epochs for it.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if not find_spec("tensorflow"):  # what Keras runs on unless it is told otherwise
    os.environ.setdefault("KERAS_BACKEND", "torch" if find_spec("torch") else "jax")

TABLE = Path(__file__).resolve().parent / "japanese_vowels.csv"
UNITS, SPEAKERS = 128, 9
BATCH = 32


@dataclass(frozen=True)
class Utterances:
    """Padded utterances `x` (N, 29, 12), how many frames of each are real, and who speaks (N,)."""

    x: np.ndarray
    lengths: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Way:
    """How to train: from which seed, for how many epochs, and whether the network is kept from reading padding."""

    seed: int
    epochs: int
    skips_padding: bool


# Trains on the first and gives the share of the second whose speaker is named right.
Train = Callable[[Utterances, Utterances, Way], float]


def load() -> tuple[Utterances, Utterances]:
    """The utterances to train on and those to test on, by way of the command line."""
    calls = [
        # A key of two columns, the first of which says which split the utterance belongs to.
        f"group {shlex.quote(str(TABLE))} --key split,utterance --order-by frame --label speaker -o vowels.npz",
        "split vowels.npz --by-value split -o split.npz",
        # Mean 0 and deviation 1 of the real steps of train; a file for each split.
        "scale split.npz --method standard -o {split}.npz",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for call in calls:
            command = [sys.executable, "-m", "seqtool", *shlex.split(call), "--quiet"]
            subprocess.run(command, cwd=folder, check=True)
        train, test = (read(Path(folder, f"{split}.npz")) for split in ("train", "test"))
    return train, test


def read(path: Path) -> Utterances:
    """What the network needs of a file."""
    with np.load(path) as data:
        return Utterances(data["x"], data["lengths"], data["y"])


def train_torch(train: Utterances, test: Utterances, way: Way) -> float:
    """An LSTM that gets its batches packed, or padded as they are."""
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence

    def tensors(part: Utterances) -> tuple[torch.Tensor, ...]:
        return torch.from_numpy(part.x), torch.from_numpy(part.lengths), torch.from_numpy(part.y)

    def scores(x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        packed = (
            pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            if way.skips_padding
            else x
        )
        _, (state, _) = lstm(packed)  # the state after the last step that it read
        return dense(state[-1])

    torch.set_num_threads(1)  # steps this small take longer where threads wait for each other
    torch.manual_seed(way.seed)
    lstm = torch.nn.LSTM(train.x.shape[2], UNITS, batch_first=True)
    dense = torch.nn.Linear(UNITS, SPEAKERS)
    optimizer = torch.optim.Adam([*lstm.parameters(), *dense.parameters()])
    x, lengths, y = tensors(train)
    for _ in range(way.epochs):
        for batch in torch.randperm(len(y)).split(BATCH):
            loss = torch.nn.functional.cross_entropy(scores(x[batch], lengths[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    x, lengths, y = tensors(test)
    with torch.no_grad():
        return (scores(x, lengths).argmax(dim=1) == y).double().mean().item()


def train_keras(train: Utterances, test: Utterances, way: Way) -> float:
    """An LSTM behind a mask that passes over steps of zeros, or without one."""
    import keras

    keras.utils.set_random_seed(way.seed)
    model = keras.Sequential(
        [
            keras.Input(train.x.shape[1:]),
            *([keras.layers.Masking(0.0)] if way.skips_padding else []),
            keras.layers.LSTM(UNITS),
            keras.layers.Dense(SPEAKERS, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train.x, train.y, batch_size=BATCH, epochs=way.epochs, verbose=0)
    _, accuracy = model.evaluate(test.x, test.y, verbose=0)
    return float(accuracy)


FRAMEWORKS: dict[str, Train] = {"torch": train_torch, "keras": train_keras}
READ_AS = {True: "packed or masked", False: "read as data"}


def compare(framework: str, train: Utterances, test: Utterances, seeds: int, epochs: int) -> None:
    """Train with every seed in both ways, and print a line for each, then their means."""
    means = []
    for skips_padding, padding in READ_AS.items():
        accuracies = []
        for seed in range(seeds):
            start = time.perf_counter()
            accuracies.append(FRAMEWORKS[framework](train, test, Way(seed, epochs, skips_padding)))
            seconds = time.perf_counter() - start
            print(
                f"{framework:9}  {padding:16}  {seed:4}  {accuracies[-1]:13.1%}  {seconds:7.1f}", flush=True
            )
        means.append(f"{framework:9}  {padding:16}  mean  {np.mean(accuracies):13.1%}")
    print("\n".join(means))


def main() -> None:
    """Train with the frameworks that are asked for, or with all that are installed."""
    parser = argparse.ArgumentParser(description="Train an LSTM to tell nine speakers apart.")
    parser.add_argument("--framework", choices=FRAMEWORKS, help="default: each that is installed")
    parser.add_argument("--seeds", type=int, default=3, help="how often to train in each way (default: 3)")
    parser.add_argument("--epochs", type=int, default=40, help="for how long (default: 40)")
    options = parser.parse_args()
    frameworks = (
        [options.framework] if options.framework else [name for name in FRAMEWORKS if find_spec(name)]
    )
    if not frameworks:
        sys.exit("neither torch nor keras is installed")

    train, test = load()
    print(f"{len(train.y)} utterances to train on, {len(test.y)} to test on")
    print(f"{'framework':9}  {'padding':16}  {'seed':4}  {'test accuracy':13}  {'seconds':7}")
    for framework in frameworks:
        compare(framework, train, test, options.seeds, options.epochs)


if __name__ == "__main__":
    main()
