"""A program for TensorFlow, with a gradient tape."""

from __future__ import annotations

from seqtool.codegen.filling import filled
from seqtool.codegen.tasks import LabelColumn, Task, is_harmless
from seqtool.sequences.ragged import Padded, Ragged

_PROGRAM = """
import tensorflow as tf

from seqtool.tf import dataset

data = dataset($path, batch_size=32, shuffle=True$options)
$enough
$embedding
$static
lstm = tf.keras.layers.LSTM(64$lstm)
head = tf.keras.layers.Dense($outputs)
optimizer = tf.keras.optimizers.Adam(0.001)

for $batch in data.take(1):  # without take(1) it trains on all of them
    $unpacked
    $column
    $real
    $known
    $harmless
    with tf.GradientTape() as tape:
        outputs = head(lstm($x$mask$start))$squeeze
        losses = $losses
        loss = tf.reduce_mean(losses)
    weights = $weights
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    print(f"loss {float(loss):.3f}")
"""

_STATIC = """
# what is known of a sequence as a whole says where the LSTM begins
h, c = tf.keras.layers.Dense(64), tf.keras.layers.Dense(64)
""".strip()
_STEPS = "tf.sequence_mask(lengths, tf.shape(x)[1])"


def written(data: Ragged | Padded, task: Task, *, path: str) -> str:
    """The program; `path` is a literal."""
    target, ids, last = task.target, task.reads == "ids", task.target.name == "y"
    batch = "x, lengths" if target.name == "next" else "x, lengths, y"
    first, longest, unpacked = batch, "lengths", ""
    if task.static:  # more than these, which then have names
        held = ["x", "lengths", "static", *([] if target.name == "next" else [target.name])]
        first, longest = "batch", 'batch["lengths"]'
        unpacked = f"{batch}, static".replace("lengths, y, static", "lengths, static, y")
        unpacked += f" = {', '.join(f'batch[{name!r}]' for name in held)}".replace("'", '"')
    short = task.shortest < task.needed
    lstm = "" if last else ", return_sequences=True"
    if last and short:
        lstm = ", use_cudnn=False"  # cuDNN refuses sequences without a step
    # Other batches hold nothing to learn from.
    enough = f"data = data.filter(lambda {first}: tf.reduce_max({longest}) >= {task.needed})"
    real = {"y": _STEPS, "step_y": _STEPS, "next": f"{_STEPS}[:, 1:]"}[target.name]
    where = _STEPS if task.reads != "features" else f"{_STEPS}[..., tf.newaxis]"
    harmless = "" if is_harmless(data, task) else f"x = tf.where({where}, x, tf.zeros_like(x))"
    if task.missing:
        harmless += "\nx = tf.where(tf.math.is_nan(x), 0.0, x)"
    if task.static_missing:
        harmless += "\nstatic = tf.where(tf.math.is_nan(static), 0.0, static)"
    layers = [*(["embedding"] if ids else []), *(["h", "c"] if task.static else []), "lstm", "head"]
    options = ', dtype="int64"' if task.column else ""
    if task.static:
        options += ', include=["static"]'
    return filled(
        _PROGRAM,
        path=path,
        enough=enough if short and not last else "",
        embedding=f"embedding = tf.keras.layers.Embedding({task.inputs}, 32)" if ids else "",
        lstm=lstm,
        outputs=target.outputs,
        options=options,
        static=_STATIC if task.static else "",
        start=", initial_state=[h(static), c(static)]" if task.static else "",
        batch=first,
        unpacked=unpacked,
        column="x = x[..., 0]" if task.column else "",
        real=f"real = {f'y != {target.ignored}' if target.name == 'step_y' and target.ignored is not None else real}",
        known=_known(task),
        harmless=harmless.strip(),
        x={"features": "x", "number": "x[..., tf.newaxis]", "ids": "embedding(x)"}[task.reads],
        mask=", mask=real" if last else "",
        squeeze="[..., 0]" if target.flat and not target.classes else "",
        losses=_losses(task),
        weights=f"[weight for layer in ({', '.join(layers)}) for weight in layer.trainable_weights]"
        if task.static
        else " + ".join(f"{layer}.trainable_weights" for layer in layers),
    )


def _known(task: Task) -> str:
    """Which labels there are, where that is not all of those at real steps."""
    target = task.target
    if target.name == "y":
        if target.missing:
            return "known = ~tf.math.is_nan(y)"
        return "" if target.ignored is None else f"known = y != {target.ignored}"
    if not target.missing:
        return ""
    labels = "y" if target.name == "step_y" else "x[:, 1:]"
    return f"real = real{'' if target.flat else '[..., tf.newaxis]'} & ~tf.math.is_nan({labels})"


def _loss_of(one: LabelColumn) -> str:
    """The losses of one of several labels."""
    y = f"tf.cast(y[:, {one.column}], tf.{'float32' if one.classes is None else 'int64'})"
    if one.classes is None:
        return f"tf.square(outputs{one.outputs} - {y})"
    return f"tf.nn.sparse_softmax_cross_entropy_with_logits({y}, outputs{one.outputs})"


def _losses(task: Task) -> str:
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
