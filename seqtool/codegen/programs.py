"""`program`: a short program that loads one file and, for a framework, trains an LSTM that fits it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from seqtool.advice import Advice
from seqtool.codegen import for_jax, for_keras, for_numpy, for_tf, for_torch
from seqtool.codegen.tasks import Task, task_of
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.words import count, printable

_TRAINING = {
    "torch": for_torch.program_text,
    "keras": for_keras.program_text,
    "tf": for_tf.program_text,
    "jax": for_jax.program_text,
}
CODES = (*_TRAINING, "numpy")


@dataclass(frozen=True)
class Program:
    """The text of a program, and warnings about its file, which the text repeats in comments."""

    text: str
    warnings: tuple[str, ...] = ()


def program(data: Ragged | Padded, *, path: str, code: str) -> str:
    """The text of a program for the file at `path`, which holds `data`; `code` is one of `CODES`.

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
    """The same program with the warnings about its file."""
    if not len(data):
        raise DataError("holds no sequences, so there is nothing to load")
    call = printable(shlex.join(["seqtool", "info", path, "--code", code]))
    if code == "numpy":
        return Program(f"# {call}\n{for_numpy.program_text(data, path=repr(path))}")
    task = task_of(data)
    comments, warnings = [call, _summary(task)], tuple(_warnings(task))
    if task.column:
        advice = Advice("seqtool", "pad", "FILE", "--dtype", "float32")
        comments.append(f"the whole numbers are read as ids; if they measure something: {advice}")
    comments += [f"warning: {warning}" for warning in warnings]
    head = "\n".join(f"# {comment}" for comment in comments)
    return Program(f"{head}\n{_TRAINING[code](data, task, path=repr(path))}", warnings)


def _warnings(task: Task) -> Iterator[str]:
    """What the program leaves out, or replaces, among steps, static features and labels."""
    for name, missing in (("steps", task.missing), ("static", task.static_missing)):
        if missing:
            left = "; the loss leaves them out" if name == "steps" and task.target.name == "next" else ""
            yield f"{missing:,} NaN in {name}, which the program reads as 0{left}"
    if task.target.missing and task.target.name != "next":
        yield f"NaN among the labels in {task.target.name}, which the loss leaves out"


def _summary(task: Task) -> str:
    """One line on the sequences of the file, and on what is learnt."""
    shortest = "" if task.shortest == task.longest else f"{task.shortest:,} to "
    step = {
        "features": count(task.inputs, "feature"),
        "number": "one number",
        "ids": f"one of {count(task.inputs, 'id')}",
    }[task.reads]
    if task.categories:
        number = len(task.categories)
        step += f" and {number:,} {'category' if number == 1 else 'categories'}"
    target = task.target
    learnt = f"{target.outputs:,} numbers" if target.outputs > 1 else "a number"
    if target.classes:
        learnt = f"{target.outputs:,} classes"
    if target.columns:
        labels = (
            f"{label.title} ({label.classes:,} classes)" if label.classes else label.title
            for label in target.columns
        )
        learnt = printable(", ".join(labels))
    learnt = {"y": learnt, "step_y": f"{learnt} at each step", "next": "the next step"}[target.name]
    own = [count(task.static, "number")] if task.static else []
    own += (
        [f"{len(task.static_c)} {'category' if len(task.static_c) == 1 else 'categories'}"]
        if task.static_c
        else []
    )
    static = f" and {' and '.join(own)} of their own" if own else ""
    sequences, steps = count(task.count, "sequence"), count(task.longest, "step")
    return f"{sequences} of {shortest}{steps} of {step}{static}, to learn {learnt}"
