"""A program for TensorFlow, with a gradient tape."""

from __future__ import annotations

from collections.abc import Sequence

from seqtool.codegen.filling import filled, included
from seqtool.codegen.padding import is_harmless
from seqtool.codegen.targets import LabelOutputs
from seqtool.codegen.tasks import Task
from seqtool.sequences.ragged import Padded, Ragged

_PROGRAM = """
import tensorflow as tf

from seqtool.tf import dataset

data = dataset($path, batch_size=32, shuffle=True$options)
$enough
$embedding
$categories
$static_c
$static
lstm = tf.keras.layers.LSTM(64$lstm)
head = tf.keras.layers.Dense($outputs)
optimizer = tf.keras.optimizers.Adam(0.001)
$layers

for $batch in data.take(1):  # without take(1) it trains on all of them
    $unpacked
    $column
    $real
    $known
    $harmless
    with tf.GradientTape() as tape:
        $joined
        $own
        outputs = $says
        losses = $losses
        loss = tf.reduce_mean(losses)
    weights = $weights
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    print(f"loss {float(loss):.3f}")
"""

_STATIC = """
# {} the first state of the LSTM
h, cell = tf.keras.layers.Dense(64), tf.keras.layers.Dense(64)
""".strip()
_STEPS = "tf.sequence_mask(lengths, tf.shape(x)[1])"


def program_text(data: Ragged | Padded, task: Task, *, path: str) -> str:
    """The program; `path` is a literal."""
    target, ids, last = task.target, task.reads == "ids", task.target.name == "y"
    batch, lengths, unpacked = _batch(task)
    short = task.shortest < task.needed
    lstm = "" if last else ", return_sequences=True"
    if last and short:
        lstm = ", use_cudnn=False"  # cuDNN refuses sequences without a step
    # Batches of shorter sequences alone hold nothing to learn from.
    enough = f"data = data.filter(lambda {batch}: tf.reduce_max({lengths}) >= {task.needed})"
    layers = _layers(task)
    among = "layers" if task.static_c else f"({', '.join(layers)})"
    return filled(
        _PROGRAM,
        path=path,
        enough=enough if short and not last else "",
        embedding=f"embedding = tf.keras.layers.Embedding({task.inputs}, 32)" if ids else "",
        categories=_embeddings("categories", task.categories),
        lstm=lstm,
        outputs=target.outputs,
        options=(', dtype="int64"' if task.column else "") + included(task),
        static=_STATIC.format(task.set_by) if task.own else "",
        static_c=_embeddings("own_categories", task.static_c),
        own=_own(task),
        batch=batch,
        unpacked=unpacked,
        column="x = x[..., 0]" if task.column else "",
        real=f"real = {_real(task)}",
        known=_known(task),
        harmless=_harmless(data, task),
        joined=f"steps = {_joined(task)}" if task.categories else "",
        says=_says(task),
        losses=_losses(task),
        layers=f"layers = [{', '.join(layers)}]" if task.static_c else "",
        weights=f"[weight for layer in {among} for weight in layer.trainable_weights]"
        if task.included
        else " + ".join(f"{layer}.trainable_weights" for layer in layers),
    )


def _layers(task: Task) -> list[str]:
    """The names of the layers that learn; a list of layers is unpacked."""
    return [
        *(["embedding"] if task.reads == "ids" else []),
        *(["*categories"] if task.categories else []),
        *(["*own_categories"] if task.static_c else []),
        *(["h", "cell"] if task.own else []),
        "lstm",
        "head",
    ]


def _embeddings(name: str, sizes: Sequence[int]) -> str:
    """The line that makes an embedding for each category of so many names, where there are any."""
    return f"{name} = [tf.keras.layers.Embedding(rows, 32) for rows in {sizes}]" if sizes else ""


def _steps(task: Task) -> str:
    """An expression for the features of steps."""
    return {"features": "x", "number": "x[..., tf.newaxis]", "ids": "embedding(x)"}[task.reads]


def _joined(task: Task) -> str:
    """An expression for the features of steps with their embedded categories behind them."""
    return f"tf.concat([{_steps(task)}, *(one(c[..., i]) for i, one in enumerate(categories))], -1)"


def _says(task: Task) -> str:
    """An expression for what the network says of a batch."""
    target = task.target
    read, own = "steps" if task.categories else _steps(task), "own" if task.static_c else "static"
    mask = ", mask=real" if target.name == "y" else ""
    start = f", initial_state=[h({own}), cell({own})]" if task.own else ""
    says = f"head(lstm({read}{mask}{start}))"
    if target.shape:
        says = f"tf.reshape({says}, {(-1, *target.shape)})"
    return f"{says}[..., 0]" if target.flat and not target.classes else says


def _batch(task: Task) -> tuple[str, str, str]:
    """The name of a batch, its lengths, and the line that unpacks it where its arrays have names."""
    label = [] if task.target.name == "next" else [task.target.name]
    names = ["x", "lengths", *(["y"] if label else [])]
    if not task.included:
        return ", ".join(names), "lengths", ""
    names[2:2] = task.included
    held = dict(zip(names, ["x", "lengths", *task.included, *label], strict=True))
    rows = [["x", "lengths"], names[2:]] if task.static_c else [names]  # so many have no room in a line
    unpacked = [", ".join(row) + " = " + ", ".join(f'batch["{held[name]}"]' for name in row) for row in rows]
    return "batch", 'batch["lengths"]', "\n".join(unpacked)


def _own(task: Task) -> str:
    """The lines that join the numbers of a sequence and its embedded categories, where it has such."""
    if not task.static_c:
        return ""
    numbers = "tf.cast(static, tf.float32), " if task.static else ""
    embedded = "embedded = [one(static_c[:, i]) for i, one in enumerate(own_categories)]"
    return f"{embedded}\nown = tf.concat([{numbers}*embedded], -1)"


def _real(task: Task) -> str:
    """An expression for the steps that count in the loss: real ones, and of labels of steps those with a label."""
    if task.target.name == "step_y" and task.target.ignored is not None:
        return f"y != {task.target.ignored}"
    return f"{_STEPS}[:, 1:]" if task.target.name == "next" else _STEPS


def _harmless(data: Ragged | Padded, task: Task) -> str:
    """The lines that replace NaN, and padding that would spoil the layers, by 0."""
    lines = []
    if not is_harmless(data, task):
        real = _STEPS if task.reads != "features" else f"{_STEPS}[..., tf.newaxis]"
        lines.append(f"x = tf.where({real}, x, tf.zeros_like(x))")
    if task.missing:
        lines.append("x = tf.where(tf.math.is_nan(x), 0.0, x)")
    if task.static_missing:
        lines.append("static = tf.where(tf.math.is_nan(static), 0.0, static)")
    return "\n".join(lines)


def _known(task: Task) -> str:
    """The line that finds the labels that are known, where some are missing at real steps."""
    target = task.target
    if target.name == "y":
        if target.missing:
            return "known = ~tf.math.is_nan(y)"
        return "" if target.ignored is None else f"known = y != {target.ignored}"
    if not target.missing:
        return ""
    labels = "y" if target.name == "step_y" else "x[:, 1:]"
    return f"real = real{'' if target.flat else '[..., tf.newaxis]'} & ~tf.math.is_nan({labels})"


def _loss_of(label: LabelOutputs) -> str:
    """The loss of one of several labels."""
    y = f"tf.cast(y[:, {label.column}], tf.{'float32' if label.classes is None else 'int64'})"
    if label.classes is None:
        return f"tf.square(outputs{label.outputs} - {y})"
    return f"tf.nn.sparse_softmax_cross_entropy_with_logits({y}, outputs{label.outputs})"


def _losses(task: Task) -> str:
    """An expression for the losses, one for each label that counts."""
    target = task.target
    if target.columns:
        return " + ".join(map(_loss_of, target.columns))
    y = "tf.cast(y, tf.float32)" if target.whole else "y"
    labels, outputs = {
        "y": (f"{y}[known]", "outputs[known]") if _known(task) else (y, "outputs"),
        "step_y": (f"{y}[real]", "outputs[real]"),
        "next": ("x[:, 1:][real]", "outputs[:, :-1][real]"),
    }[target.name]
    if target.classes:
        return f"tf.nn.sparse_softmax_cross_entropy_with_logits({labels}, {outputs})"
    return f"tf.square({outputs} - {labels})"
