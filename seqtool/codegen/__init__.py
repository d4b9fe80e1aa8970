"""Short programs that load one file and train an LSTM that fits it for one step, in the words of a framework.

The room imports `sequences`, `operations` and what is below. Begin with `tasks`, which decides what is learnt;
`for_torch` and its like write the program.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from seqtool.advice import Advice
from seqtool.codegen import for_jax, for_keras, for_numpy, for_tf, for_torch
from seqtool.codegen.tasks import Task, task_of
from seqtool.errors import DataError
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.words import count, printable

_TRAINING = {
    "torch": for_torch.written,
    "keras": for_keras.written,
    "tf": for_tf.written,
    "jax": for_jax.written,
}
CODES = (*_TRAINING, "numpy")


@dataclass(frozen=True)
class Program:
    """The text of a program, and what is odd about its file, which stands in comments of it too."""

    text: str
    warnings: tuple[str, ...] = ()


def program(data: Ragged | Padded, *, path: str, code: str) -> str:
    """A program for the file at `path`, which holds `data`; `code` is one of `CODES`.

    For numpy it is six lines that load the file. For a framework it trains an LSTM on one batch and prints the
    loss. Raises DataError where there is nothing to load, or nothing to learn (see `seqtool.codegen.tasks.task_of`).

    >>> import numpy as np
    >>> print(program(Ragged(np.ones((5, 3)), np.array([0, 2, 5])), path="two.npz", code="numpy"))
    # seqtool info two.npz --code numpy
    import numpy as np
    with np.load('two.npz') as file:
        values, offsets = file["values"], file["offsets"]
    sequences = np.split(values, offsets[1:-1])
    print(f"{len(sequences):,} sequences, the first {sequences[0].shape} {values.dtype}")
    """
    return program_for(data, path=path, code=code).text


def program_for(data: Ragged | Padded, *, path: str, code: str) -> Program:
    """The same, with what there is to be warned of."""
    if not len(data):
        raise DataError("holds no sequences, so there is nothing to load")
    call = printable(shlex.join(["seqtool", "info", path, "--code", code]))
    if code == "numpy":
        return Program(f"# {call}\n{for_numpy.written(data, path=repr(path))}")
    task = task_of(data)
    warnings, notes = tuple(_warnings(task)), []
    if task.column:
        advice = Advice("seqtool", "pad", "FILE", "--dtype", "float32")
        notes.append(f"the whole numbers are read as ids; if they measure something: {advice}")
    comments = "\n".join(
        f"# {line}" for line in (call, _summary(task), *notes, *(f"warning: {line}" for line in warnings))
    )
    return Program(f"{comments}\n{_TRAINING[code](data, task, path=repr(path))}", warnings)


def _warnings(task: Task) -> Iterator[str]:
    for name, missing in (("steps", task.missing), ("static", task.static_missing)):
        if missing:
            left = "; the loss leaves them out" if name == "steps" and task.target.name == "next" else ""
            yield f"{missing:,} NaN in {name}, which the program reads as 0{left}"
    if task.target.missing and task.target.name != "next":
        yield f"NaN among the labels in {task.target.name}, which the loss leaves out"


def _summary(task: Task) -> str:
    """What is in the file, and what is learnt."""
    shortest = "" if task.shortest == task.longest else f"{task.shortest:,} to "
    step = {
        "features": count(task.inputs, "feature"),
        "number": "one number",
        "ids": f"one of {task.inputs:,} ids",
    }[task.reads]
    target = task.target
    learnt = f"{target.outputs:,} numbers" if target.outputs > 1 else "a number"
    if target.classes:
        learnt = f"{target.outputs:,} classes"
    if target.columns:
        each = (
            f"{one.title} ({one.classes:,} classes)" if one.classes else one.title for one in target.columns
        )
        learnt = printable(", ".join(each))
    learnt = {"y": learnt, "step_y": f"{learnt} at each step", "next": "the next step"}[target.name]
    known = f", and {count(task.static, 'static number')}," if task.static else ""
    return f"{task.count:,} sequences of {shortest}{task.longest:,} steps of {step}{known}, to learn {learnt}"
