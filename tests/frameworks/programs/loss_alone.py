"""Runs programs that `seqtool info --code` printed, and tells their losses and those of each sequence alone.

Arguments: the framework, and a folder in which NAME.py is the program for NAME.npz, whose sequences all fit into
one batch. The step is taken at a rate of 0, so that the network is after it what it was before.
"""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from seqtool.training.sequence_file import SequenceFile

STILL = {
    "torch": ("lr=0.001", "lr=0.0"),
    "keras": ('compile("adam"', "compile(keras.optimizers.SGD(0.0)"),
    "tf": ("Adam(0.001)", "Adam(0.0)"),
    "jax": ("0.01 * slope", "0.0 * slope"),
}
EMPTY_COUNTS = ("keras", "tf")  # as a sequence of which nothing is known; the others leave it out
Network = Callable[[np.ndarray], Any]


def network(framework: str, made: dict[str, Any]) -> Network:
    """What the network of a program makes of the steps of one sequence, which has no padding."""
    if framework == "torch":
        import torch

        from seqtool.torch import Batch

        def say(x: np.ndarray) -> Any:
            alone = Batch(torch.tensor(x)[None], torch.tensor([len(x)]), None)
            return made["network"](alone).detach()[0]

    elif framework == "keras":

        def say(x: np.ndarray) -> Any:
            return made["model"](x[None])[0]

    elif framework == "tf":

        def say(x: np.ndarray) -> Any:
            read = made["embedding"](x[None]) if "embedding" in made else x.reshape(1, len(x), -1)
            return made["head"](made["lstm"](read))[0]

    else:
        weights = {name: np.asarray(weight) for name, weight in made["weights"].items()}

        def say(x: np.ndarray) -> Any:
            read = weights["embedding"][x] if "embedding" in weights else x.reshape(len(x), -1)
            states = lstm(read, weights)
            return states @ weights["head"] + weights["shift"]

    return say


def lstm(x: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
    """The states of an LSTM at each step, (L, H), in NumPy."""

    def gate(numbers: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-numbers))

    h = c = np.zeros(len(weights["state"]))
    states = []
    for step in x:
        i, f, g, o = np.split(step @ weights["input"] + h @ weights["state"] + weights["bias"], 4)
        c = gate(f) * c + gate(i) * np.tanh(g)
        h = gate(o) * np.tanh(c)
        states.append(h)
    return np.array(states)


def sizes(framework: str, made: dict[str, Any]) -> tuple[int, int]:
    """How many numbers the LSTM reads, and how many the network says."""
    if framework == "torch":
        return made["network"].lstm.input_size, made["network"].head.out_features
    if framework == "keras":
        (lstm,) = [layer for layer in made["model"].layers if type(layer).__name__ == "LSTM"]
        return lstm.cell.kernel.shape[0], made["model"].output_shape[-1]
    if framework == "tf":
        return made["lstm"].cell.kernel.shape[0], made["head"].units
    return made["weights"]["input"].shape[0], made["weights"]["head"].shape[1]


def losses(says: np.ndarray, labels: np.ndarray, *, classes: bool) -> list[float]:
    """Cross entropy of (..., C) and labels (...), or the square of each error."""
    if not classes:
        return np.square(says.reshape(labels.shape) - labels).reshape(-1).tolist()
    rows = says.reshape(-1, says.shape[-1])
    chances = rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
    return [float(-row[label]) for row, label in zip(chances, labels.reshape(-1), strict=True)]


def alone(file: SequenceFile, say: Network, *, classes: bool, empty: list[float]) -> float:
    """The mean loss of the labels of all sequences, each read alone."""
    found: list[float] = []
    for i in range(len(file)):
        x, label = file.sequence(i)
        if label is None:
            found += losses(np.asarray(say(x))[:-1], x[1:], classes=classes) if len(x) > 1 else []
        elif len(x):
            says = np.asarray(say(x))
            if file.y is not None and says.ndim == 2:  # at each step; the label is that of the last
                says = says[-1]
            found += losses(says, np.asarray(label), classes=classes)
        elif file.y is not None:
            found += empty
    return float(np.mean(found))


def main(framework: str, folder: str) -> None:
    told = {}
    for program in sorted(Path(folder).glob("*.py")):
        source = program.read_text(encoding="utf-8")
        assert source.count(STILL[framework][0]) == 1
        program.write_text(source.replace(*STILL[framework]), encoding="utf-8")
        made = runpy.run_path(str(program), run_name="__main__")
        reads, says = sizes(framework, made)
        classes = any(name in source for name in ("cross_entropy", "Crossentropy", "one_hot"))
        empty = [float(np.log(says))] if framework in EMPTY_COUNTS else []
        expected = alone(
            SequenceFile(program.with_suffix(".npz")), network(framework, made), classes=classes, empty=empty
        )
        loss = float(made["loss"].detach() if framework == "torch" else made["loss"])
        told[program.stem] = {"loss": loss, "alone": expected, "reads": reads, "says": says}
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
