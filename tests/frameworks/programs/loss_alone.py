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
# Of the steps of sequences that are equally long, (B, L) or (B, L, F), and what stands beside them by its name: static
# numbers (B, K), their categories static_c (B, D), and categories c of steps (B, L, C).
Network = Callable[[np.ndarray, dict[str, np.ndarray]], Any]


def network(framework: str, variables: dict[str, Any]) -> Network:
    """What the network of a program makes of the steps of sequences that are equally long: they have no padding."""
    if framework == "torch":
        import torch

        from seqtool.torch import Batch

        def say(x: np.ndarray, beside: dict[str, np.ndarray]) -> Any:
            alone: Any = Batch(torch.tensor(x), torch.full((len(x),), x.shape[1]), None)
            if beside:
                alone = {"x": alone.x, "lengths": alone.lengths}
                alone |= {name: torch.tensor(array) for name, array in beside.items()}
            return variables["network"](alone).detach()

    elif framework == "keras":

        def say(x: np.ndarray, beside: dict[str, np.ndarray]) -> Any:
            if x.ndim > len(
                variables["model"].inputs[0].shape
            ):  # ids in a column; the model takes them alone
                x = x[..., 0]
            outputs = variables["model"]([x, *beside.values()] if beside else x)
            expanded = len(variables["model"].outputs[0].shape) > len(variables["states"].shape)
            return outputs[..., 0] if expanded and outputs.shape[-1] == 1 else outputs

    elif framework == "tf":

        def say(x: np.ndarray, beside: dict[str, np.ndarray]) -> Any:
            x, static = np.nan_to_num(x), beside.get("static")
            ids = "embedding" in variables
            read = variables["embedding"](x.reshape(len(x), -1)) if ids else x.reshape(*x.shape[:2], -1)
            if "c" in beside:
                tables = zip(variables["categories"], np.moveaxis(beside["c"], -1, 0), strict=True)
                read = np.concatenate([read, *(table(ids) for table, ids in tables)], axis=-1)
            static = own(static, beside.get("static_c"), variables.get("own_categories", []))
            if static is None:
                return variables["head"](variables["lstm"](read))
            start = [variables[name](static) for name in ("h", "cell")]
            return variables["head"](variables["lstm"](read, initial_state=start))

    else:
        weights = {
            name: np.asarray(weight)
            for name, weight in variables["weights"].items()
            if name not in ("categories", "static_c")
        }
        tables, of_own = (
            [np.asarray(table) for table in variables["weights"].get(name, [])]
            for name in ("categories", "static_c")
        )

        def one(x: np.ndarray, static: np.ndarray | None, c: np.ndarray) -> np.ndarray:
            read = weights["embedding"][x.reshape(-1)] if "embedding" in weights else x.reshape(len(x), -1)
            read = np.concatenate(
                [read, *(table[ids] for table, ids in zip(tables, c.T, strict=True))], axis=-1
            )
            start = {} if static is None else {name: static @ weights[name] for name in ("h", "c")}
            return lstm(read, weights, **start) @ weights["head"] + weights["shift"]

        def say(x: np.ndarray, beside: dict[str, np.ndarray]) -> Any:
            x = np.nan_to_num(x)
            static = own(
                beside.get("static"), beside.get("static_c"), [table.__getitem__ for table in of_own]
            )
            static = np.empty((len(x), 0)) if static is None else static
            c = beside.get("c", np.empty((*x.shape[:2], 0), int))
            return np.array([one(x[i], static[i] if static.size else None, c[i]) for i in range(len(x))])

    return say


def own(static: np.ndarray | None, ids: np.ndarray | None, tables: Any) -> Any:
    """What a sequence has of its own: its static numbers, and what tables make of its categories, (B, K)."""
    numbers = [] if static is None else [np.nan_to_num(static).astype(np.float32)]
    if ids is not None:
        numbers += [np.asarray(table(column)) for table, column in zip(tables, ids.T, strict=True)]
    return np.concatenate(numbers, axis=-1) if numbers else None


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


def alone(file: SequenceFile, say: Network, *, classes: bool, empty: list[float], at_steps: bool) -> float:
    """The mean loss of the labels of all sequences, each read without padding: with those that are as long."""
    found: list[float] = []
    for length in np.unique(file.lengths).tolist():
        places = np.flatnonzero(file.lengths == length)
        steps, labels = zip(*(file.sequence(i) for i in places.tolist()), strict=True)
        x = np.stack(steps)
        if length == 0 or (length == 1 and labels[0] is None):
            found += len(x) * (empty if file.y is not None else [])
            continue
        says = np.asarray(say(x, beside(file, places, len(x))))
        for i, label in enumerate(labels):
            if label is None:
                following = x[i, 1:, 0] if classes and x.ndim == 3 else x[i, 1:]
                found += losses(says[i, :-1], following, classes=classes)
            elif file.y is not None and at_steps:  # the label is that of the last
                found += losses(says[i, -1], np.asarray(label), classes=classes)
            else:
                found += losses(says[i], np.asarray(label), classes=classes)
    return float(np.mean(found))


def beside(file: SequenceFile, places: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """What stands beside the steps of sequences that are equally long, by its name."""
    taken = file.take(places)
    found = {"c": np.asarray(taken.per_step["c"].data).reshape(count, -1, 2)} if "c" in taken.per_step else {}
    return found | {
        name: np.asarray(taken.per_sequence[name])
        for name in ("static", "static_c")
        if name in taken.per_sequence
    }


def opened(path: Path) -> SequenceFile:
    """The file, whose ids in a column are ids, with what is known of each sequence as a whole, if anything is."""
    dtype = "int64" if "column" in path.name else None
    with np.load(path) as archive:
        include = [name for name in ("c", "static", "static_c") if name in archive]
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
        expected = alone(
            file, network(framework, output), classes=classes, empty=empty, at_steps=framework == "jax"
        )
        loss = float(output["loss"].detach() if framework == "torch" else output["loss"])
        found[program.stem] = {"loss": loss, "alone": expected, "reads": reads, "says": says}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
