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
Network = Callable[
    [np.ndarray, np.ndarray | None], Any
]  # of the steps of one sequence, and its static numbers


def network(framework: str, variables: dict[str, Any]) -> Network:
    """What the network of a program makes of the steps of one sequence, which has no padding."""
    if framework == "torch":
        import torch

        from seqtool.torch import Batch

        def say(x: np.ndarray, static: np.ndarray | None) -> Any:
            alone: Any = Batch(torch.tensor(x)[None], torch.tensor([len(x)]), None)
            if static is not None:
                alone = {"x": alone.x, "lengths": alone.lengths, "static": torch.tensor(static)[None]}
            return variables["network"](alone).detach()[0]

    elif framework == "keras":

        def say(x: np.ndarray, static: np.ndarray | None) -> Any:
            if x.ndim == len(
                variables["model"].inputs[0].shape
            ):  # ids in a column, where the model takes them alone
                x = x[:, 0]
            outputs = variables["model"](x[None] if static is None else [x[None], static[None]])[0]
            expanded = len(variables["model"].outputs[0].shape) > len(variables["states"].shape)
            return outputs[..., 0] if expanded else outputs

    elif framework == "tf":

        def say(x: np.ndarray, static: np.ndarray | None) -> Any:
            x = np.nan_to_num(x)
            read = (
                variables["embedding"](x.reshape(1, -1))
                if "embedding" in variables
                else x.reshape(1, len(x), -1)
            )
            if static is None:
                return variables["head"](variables["lstm"](read))[0]
            start = [variables[name](np.nan_to_num(static)[None]) for name in ("h", "c")]
            return variables["head"](variables["lstm"](read, initial_state=start))[0]

    else:
        weights = {name: np.asarray(weight) for name, weight in variables["weights"].items()}

        def say(x: np.ndarray, static: np.ndarray | None) -> Any:
            x = np.nan_to_num(x)
            read = weights["embedding"][x.reshape(-1)] if "embedding" in weights else x.reshape(len(x), -1)
            start = (
                {} if static is None else {name: np.nan_to_num(static) @ weights[name] for name in ("h", "c")}
            )
            states = lstm(read, weights, **start)
            return states @ weights["head"] + weights["shift"]

    return say


def lstm(x: np.ndarray, weights: dict[str, np.ndarray], h: Any = 0.0, c: Any = 0.0) -> np.ndarray:
    """The states of an LSTM at each step, (L, H), in NumPy."""

    def gate(numbers: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-numbers))

    h, c = h + np.zeros(len(weights["state"])), c + np.zeros(len(weights["state"]))
    states = []
    for step in x:
        i, f, g, o = np.split(step @ weights["input"] + h @ weights["state"] + weights["bias"], 4)
        c = gate(f) * c + gate(i) * np.tanh(g)
        h = gate(o) * np.tanh(c)
        states.append(h)
    return np.array(states)


def sizes(framework: str, variables: dict[str, Any]) -> tuple[int, int]:
    """How many numbers the LSTM reads, and how many the network says."""
    if framework == "torch":
        return variables["network"].lstm.input_size, variables["network"].head.out_features
    if framework == "keras":
        (lstm,) = [layer for layer in variables["model"].layers if type(layer).__name__ == "LSTM"]
        (says,) = {layer.units for layer in variables["model"].layers if type(layer).__name__ == "Dense"} - {
            64
        }
        return lstm.cell.kernel.shape[0], says
    if framework == "tf":
        return variables["lstm"].cell.kernel.shape[0], variables["head"].units
    return variables["weights"]["input"].shape[0], variables["weights"]["head"].shape[1]


def losses(says: np.ndarray, labels: np.ndarray, *, classes: bool) -> list[float]:
    """Cross entropy of (..., C) and labels (...), or the square of each error; none where there is no label."""
    if not classes:
        known = ~np.isnan(labels)
        return np.square(says.reshape(labels.shape) - labels)[known].tolist()
    if labels.ndim == 0 and labels == -100:
        return []
    rows = says.reshape(-1, says.shape[-1])
    chances = rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
    return [float(-row[label]) for row, label in zip(chances, labels.reshape(-1), strict=True)]


def alone(file: SequenceFile, say: Network, *, classes: bool, empty: list[float]) -> float:
    """The mean loss of the labels of all sequences, each read alone."""
    found: list[float] = []
    static = file.per_sequence.get("static")
    for i in range(len(file)):
        x, label = file.sequence(i)
        known = None if static is None else static[i]
        if label is None:
            following = x[1:, 0] if classes and x.ndim == 2 else x[1:]
            found += losses(np.asarray(say(x, known))[:-1], following, classes=classes) if len(x) > 1 else []
        elif len(x):
            says = np.asarray(say(x, known))
            if file.y is not None and says.ndim == 2:  # at each step; the label is that of the last
                says = says[-1]
            found += losses(says, np.asarray(label), classes=classes)
        elif file.y is not None:
            found += empty
    return float(np.mean(found))


def opened(path: Path) -> SequenceFile:
    """The file, whose ids in a column are ids, with what is known of each sequence as a whole, if anything is."""
    dtype = "int64" if "column" in path.name else None
    with np.load(path) as archive:
        include = [name for name in ("static",) if name in archive]
    return SequenceFile(path, dtype=dtype, include=include)


def main(framework: str, folder: str) -> None:
    found = {}
    for program in sorted(Path(folder).glob("*.py")):
        source = program.read_text(encoding="utf-8")
        assert source.count(STILL[framework][0]) == 1
        program.write_text(source.replace(*STILL[framework]), encoding="utf-8")
        output = runpy.run_path(str(program), run_name="__main__")
        reads, says = sizes(framework, output)
        classes = any(name in source for name in ("cross_entropy", "Crossentropy", "one_hot"))
        empty = [float(np.log(says))] if framework in EMPTY_COUNTS else []
        file = opened(program.with_suffix(".npz"))
        expected = alone(file, network(framework, output), classes=classes, empty=empty)
        loss = float(output["loss"].detach() if framework == "torch" else output["loss"])
        found[program.stem] = {"loss": loss, "alone": expected, "reads": reads, "says": says}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
