"""A program for JAX, which needs no seqtool: an LSTM out of `lax.scan`, on arrays that NumPy loads."""

from __future__ import annotations

import numpy as np

from seqtool.codegen.filling import filled
from seqtool.codegen.for_numpy import mask_of
from seqtool.codegen.padding import is_harmless
from seqtool.codegen.targets import LabelOutputs
from seqtool.codegen.tasks import Task
from seqtool.sequences.ragged import Padded, Ragged

_PROGRAM = """
import jax
import jax.numpy as jnp
import numpy as np

$load


def normal(seed, *shape):
    return 0.1 * jax.random.normal(jax.random.key(seed), shape)


def run(weights, x, real$more):
    def step(state, slot):
        (h, c), (now, on) = state, slot
        gates = now @ weights["input"] + h @ weights["state"] + weights["bias"]
        i, f, g, o = jnp.split(gates, 4, axis=-1)
        after = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        out = jax.nn.sigmoid(o) * jnp.tanh(after)
        return (jnp.where(on, out, h), jnp.where(on, after, c)), out

    $embed
    $start
    (last, _), states = jax.lax.scan(step, $begin, (x.swapaxes(0, 1), real.T[..., None]))
    return $states @ weights["head"] + weights["shift"]


def loss_of(weights, $arguments):
    outputs = run(weights, x, real$more)$squeeze
    $loss


@jax.jit
def train(weights, $arguments):
    loss, slopes = jax.value_and_grad(loss_of)(weights, $arguments)
    return loss, jax.tree.map(lambda weight, slope: weight - 0.01 * slope, weights, slopes)


weights = {
    $embedding
    $categories
    $static_c
    $static
    "input": normal(0, $inputs, 256),
    "state": normal(1, 64, 256),
    "bias": jnp.zeros(256),
    "head": normal(2, 64, $outputs),
    "shift": jnp.zeros($outputs),
}
loss, weights = train(weights, $arguments)
print(f"loss {loss:.3f}")
"""


def program_text(data: Ragged | Padded, task: Task, *, path: str) -> str:
    """The program; `path` is a literal."""
    target, ids = task.target, task.reads == "ids"
    more = "".join(f", {name}" for name in task.included)
    embed = ["x = jnp.where(jnp.isnan(x), 0, x)"] if task.missing else []
    embed += {"features": [], "number": ["x = x[..., None]"], "ids": ['x = weights["embedding"][x]']}[
        task.reads
    ]
    if task.categories:
        embed.append(
            'x = jnp.concatenate([x, *(table[c[..., i]] for i, table in enumerate(weights["categories"]))], -1)'
        )
    start = [] if task.own else ["start = jnp.zeros((len(x), 64))"]
    if task.static_missing:
        start.append("static = jnp.where(jnp.isnan(static), 0, static)")
    if task.static_c:
        embedded = '*(table[static_c[:, i]] for i, table in enumerate(weights["static_c"]))'
        start.append(f"static = jnp.concatenate([{'static, ' if task.static else ''}{embedded}], -1)")
        start.append('start = static @ weights["h"], static @ weights["c"]')
    return filled(
        _PROGRAM,
        load=_loading(data, task, path),
        more=more,
        arguments=f"x, real{more}" if target.name == "next" else f"x, real{more}, y",
        embed="\n".join(embed),
        start="\n".join(start),
        # the static features set the first state of the LSTM
        begin=_begin(task),
        static=f'"h": normal(4, {task.own}, 64),\n"c": normal(5, {task.own}, 64),' if task.own else "",
        static_c=f'"static_c": [normal(20 + i, rows, 32) for i, rows in enumerate({task.static_c})],'
        if task.static_c
        else "",
        embedding=f'"embedding": normal(3, {task.inputs}, 32),' if ids else "",
        categories=f'"categories": [normal(6 + i, rows, 32) for i, rows in enumerate({task.categories})],'
        if task.categories
        else "",
        inputs=task.width,
        states="last" if target.name == "y" else "states.swapaxes(0, 1)",
        outputs=target.outputs,
        squeeze=f".reshape{(-1, *target.shape)}"
        if target.shape
        else "[..., 0]"
        if target.flat and not target.classes
        else "",
        loss=_loss(data, task),
    )


def _begin(task: Task) -> str:
    """An expression for the first state of the LSTM."""
    if task.static_c:
        return "start"
    return '(static @ weights["h"], static @ weights["c"])' if task.static else "(start, start)"


def _loading(data: Ragged | Padded, task: Task, path: str) -> str:
    """The lines that build `x`, `real` and `y` of one batch."""
    name = task.target.name
    labels = "" if name == "next" else f', file["{name}"]'
    names = ("values, offsets" if isinstance(data, Ragged) else "x, lengths") + (", y" if labels else "")
    loaded = ", ".join(f'file["{array}"]' for array in names.removesuffix(", y").split(", "))
    if task.column:
        loaded = loaded.replace('["x"]', '["x"][..., 0]').replace('["values"]', '["values"][:, 0]')
    lengths = "np.diff(offsets)" if isinstance(data, Ragged) else "lengths"
    batch = f"np.arange({min(32, task.count)})"
    if task.shortest < task.needed:
        batch = f"np.flatnonzero({lengths} >= {task.needed})[:32]"
    lines = [f"with np.load({path}) as file:", f"    {names} = {loaded}{labels}"]
    if task.static:
        lines.append('    static = file["static"].astype(np.float32)')
    if task.static_c:
        lines.append('    static_c = file["static_c"]')
    if task.categories:
        lines.append('    c = file["c"]')
    lines.append(f"batch = {batch}")
    lines += [f"{name} = {name}[batch]" for name in ("static", "static_c") if name in task.included]
    lines += _ragged(task) if isinstance(data, Ragged) else _padded(data, task)
    if task.target.whole:
        lines.append("y = y.astype(np.float32)")
    if _labels_are_bool(data, name):
        lines.append("y = y.astype(np.int32)")
    return "\n".join(lines)


def _labels_are_bool(data: Ragged | Padded, name: str) -> bool:
    """Whether labels are of bool, which `one_hot` refuses."""
    labels = data.per_step[name].data if name == "step_y" else data.per_sequence.get(name)
    return labels is not None and labels.dtype == bool


def _ragged(task: Task) -> list[str]:
    """The lines that pad a batch of ragged sequences."""
    target = task.target
    kind = "np.int64" if task.reads == "ids" else "np.float32"
    lines = [
        "lengths = np.diff(offsets)[batch]",
        "real = np.arange(lengths.max()) < lengths[:, None]",
        "steps = np.concatenate([np.arange(offsets[i], offsets[i + 1]) for i in batch])",
        f"x = np.zeros({_shape(task.inputs if task.reads == 'features' else None)}, {kind})",
        "x[real] = values[steps]",
    ]
    if target.name == "y":
        lines.append("y = y[batch]")
    if task.categories:
        lines += [
            "ids = c[steps]",
            f"c = np.zeros({_shape(len(task.categories))}, ids.dtype)",
            "c[real] = ids",
        ]
    if target.name == "step_y":
        empty = f"np.zeros({_shape(None if target.flat else target.outputs)}, y.dtype)"
        if target.ignored is not None:
            empty = f"np.full(real.shape, {target.ignored})"
        lines += ["labels = y[steps]", f"y = {empty}", "y[real] = labels"]
    return lines


def _shape(width: int | None) -> str:
    """The shape of an array of so many numbers a slot, None for a single one."""
    return "real.shape" if width is None else f"(*real.shape, {width})"


def _padded(data: Padded, task: Task) -> list[str]:
    """The lines that take a batch of padded sequences, and make its padding harmless."""
    target = task.target
    cast = "" if task.reads == "ids" or data.x.dtype == np.float32 else ".astype(np.float32)"
    y = "" if target.name == "next" else ", y"
    lines = [
        f"x, lengths{y} = x[batch]{cast}, lengths[batch]{y and ', y[batch]'}",
        f"real = {mask_of(data)}",
    ]
    if task.categories:
        lines.append("c = c[batch]")
    if not is_harmless(data, task):
        lines.append(f"x = np.where(real{'[..., None]' if task.reads == 'features' else ''}, x, 0)")
    if target.name == "step_y" and not np.isfinite(data.per_step["step_y"].value):
        lines.append(f"y = np.where(real{'' if target.flat else '[..., None]'}, y, 0)")
    return lines


def _loss_of(label: LabelOutputs) -> str:
    """The loss of one of several labels."""
    if label.classes is None:
        return f"(outputs{label.outputs} - y[:, {label.column}]) ** 2"
    hits = (
        f"jax.nn.one_hot(y[:, {label.column}], {label.classes}) * jax.nn.log_softmax(outputs{label.outputs})"
    )
    return f"-({hits}).sum(axis=-1)"


def _loss(data: Ragged | Padded, task: Task) -> str:
    """The lines that compute the loss of `outputs`, over real steps or known labels alone."""
    target, lines = task.target, list[str]()
    if target.columns:
        return f"return jnp.mean({' + '.join(map(_loss_of, target.columns))})"
    outputs, labels, where = "outputs", "y", ""
    if target.name == "y" and target.ignored is not None:
        where = f"y != {target.ignored}"
    if target.name == "step_y":
        where = "real" if target.ignored is None else f"y != {target.ignored}"
    if target.name == "next":
        before = "real[:, :-1] & " if isinstance(data, Padded) and data.padding == "pre" else ""
        lines = [f"known = {before}real[:, 1:]"]
        outputs, labels, where = "outputs[:, :-1]", "x[:, 1:]", "known"
    if target.missing:
        every = "" if target.flat or not where else "[..., None]"
        before = f"{where}{every} & " if where else ""
        lines += [f"labelled = {before}~jnp.isnan({labels})", f"labels = jnp.where(labelled, {labels}, 0)"]
        lines.append(f"return jnp.mean(({outputs} - labels) ** 2, where=labelled)")
    elif target.classes:
        lines.append(f"hits = jax.nn.one_hot({labels}, {target.outputs}) * jax.nn.log_softmax({outputs})")
        lines.append(f"return -jnp.mean(hits.sum(axis=-1){where and f', where={where}'})")
    else:
        column = "" if target.flat else "[..., None]"
        lines.append(f"return jnp.mean(({outputs} - {labels}) ** 2{where and f', where={where}{column}'})")
    return "\n".join(lines)
