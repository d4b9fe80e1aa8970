"""A program for Keras 3."""

from __future__ import annotations

from collections.abc import Sequence

from seqtool.codegen.filling import filled, included, with_blank_lines
from seqtool.codegen.padding import is_harmless, mask_value
from seqtool.codegen.targets import LabelOutputs
from seqtool.codegen.tasks import Task
from seqtool.sequences.padding_values import Value
from seqtool.sequences.ragged import Padded, Ragged

_PROGRAM = """
import keras
$numpy

from seqtool.keras import SequenceData$masked_input

$data_class
$loss_class
$note
data = $data($path, batch_size=32, shuffle=True$options)
$inputs
$static
states = keras.layers.LSTM(64$lstm)($read$start)
outputs = keras.layers.Dense($outputs)(states)
$shaped
$each
model = keras.Model($from_inputs, outputs)
model.compile("adam", $loss)
loss = model.train_on_batch(*data[0])  # model.fit(data, epochs=10) trains on all of them
print(f"loss {loss:.3f}")
"""

_SEVERAL = """
def loss_of_all(y, outputs):
    y = keras.ops.cast(y, outputs.dtype)
    return $losses
"""

_STATIC = """
$inputs
$known
# $set_by the first state of the LSTM
start = [keras.layers.Dense(64)($begin), keras.layers.Dense(64)($begin)]
"""

_CLASS = '''
class $name(SequenceData):
    """$docstring."""

    def __getitem__(self, index):
        $got
        $column
        $real
        $known
        return $returned
'''


def program_text(data: Ragged | Padded, task: Task, *, path: str) -> str:
    """The program; `path` is a literal."""
    target, last = (
        task.target,
        task.target.name == "y",
    )  # of a label of the sequence, only the last state is read
    value = _padding_value(data, task)
    is_new = _relies_on_padding(task) and value != _file_value(data)
    if task.categories:
        inputs, read = _with_categories(task, masked=last, padding=value)
    else:
        inputs, read = _inputs(task, masked=last, padding=value)
    lstm = "" if last else ", return_sequences=True"
    if last and not task.shortest:
        lstm = ", use_cudnn=False"  # cuDNN refuses sequences without a step
    static = _static(task)
    return filled(
        _PROGRAM,
        **_data_class(task),
        path=path,
        options=_options(data, task, value),
        note="# no real step holds the padding value" if is_new else "",
        masked_input=", masked_input" if "masked_input" in inputs else "",
        static=static,
        start=", initial_state=start" if static else "",
        from_inputs=f"[inputs, {', '.join(task.included)}]" if task.included else "inputs",
        shaped=f"outputs = keras.layers.Reshape({target.shape})(outputs)" if target.shape else "",
        # a loss for each number, because some are weighted by 0
        each="outputs = keras.ops.expand_dims(outputs, -1)" if target.missing and not target.flat else "",
        inputs=inputs,
        lstm=lstm,
        read=read,
        outputs=target.outputs,
        loss="loss_of_all" if target.columns else _loss(task, padding=value),
        loss_class=_several_losses(target.columns),
    )


def _file_value(data: Ragged | Padded) -> Value:
    """The padding value of the file."""
    return data.value if isinstance(data, Padded) else 0


def _relies_on_padding(task: Task) -> bool:
    """Whether the program recognises padding by its value: for a mask, or for a loss where no label marks padding."""
    if task.categories and not (task.target.name == "next" and task.target.classes):
        return False  # their id 0 is padding alone
    return task.target.name == "y" or task.target.ignored is None


def _padding_value(data: Ragged | Padded, task: Task) -> Value:
    """The padding value to use: one that no real step holds where the program relies on it, else a harmless one."""
    if task.reads == "ids":
        return 0 if task.least or not _relies_on_padding(task) else task.inputs
    if _relies_on_padding(task):
        return mask_value(data)
    return _file_value(data) if is_harmless(data, task) else 0


def _options(data: Ragged | Padded, task: Task, value: Value) -> str:
    """The arguments of the data class that differ from its defaults."""
    options = f", value={value!r}" if value != _file_value(data) else ""
    if task.column:
        options += ', dtype="int64"'
    options += included(task)
    if task.target.name == "next" and task.shortest < 2 and isinstance(data, Ragged):
        # Each batch needs a second step; and few lengths, for Keras may compile the model for each.
        options += f", multiple_of={max(2, -(-task.longest // 8))}"
    return options


def _static(task: Task) -> str:
    """The layers that turn static features into the first state of the LSTM; none without such features."""
    if not task.own:
        return ""
    inputs, known, begin = list[str](), list[str](), "static"
    if task.static:
        inputs.append(f'static = keras.Input(({task.static},), name="static")')
    if task.static_c:
        inputs.append(f'static_c = keras.Input(({len(task.static_c)},), dtype="int64", name="static_c")')
    if task.static_missing:
        known, begin = (
            ["known_static = keras.ops.where(keras.ops.isnan(static), 0.0, static)"],
            "known_static",
        )
    if task.static_c:
        embedded = (
            f"keras.layers.Embedding(rows, 32)(static_c[:, i]) for i, rows in enumerate({task.static_c})"
        )
        numbers = f"{begin}, " if task.static else ""
        known += [
            f"embedded_static = [{embedded}]",
            f"own = keras.ops.concatenate([{numbers}*embedded_static], -1)",
        ]
        begin = "own"
    return filled(_STATIC, inputs="\n".join(inputs), known="\n".join(known), begin=begin, set_by=task.set_by)


def _with_categories(task: Task, *, masked: bool, padding: Value) -> tuple[str, str]:
    """The lines and arguments of `_inputs`, with categories beside them: their id 0 is padding alone."""
    inputs, read = _inputs(task, masked=False, padding=padding)
    lines = [
        inputs,
        f'c = keras.Input((None, {len(task.categories)}), dtype="int64", name="c")',
        f"embeddings = [keras.layers.Embedding(rows, 32) for rows in {task.categories}]",
        f"joined = keras.ops.concatenate([{read}, *(one(c[..., i]) for i, one in enumerate(embeddings))], -1)",
    ]
    if masked:
        lines.append("real = keras.ops.not_equal(c[..., 0], 0)")
    return "\n".join(lines), "joined, mask=real" if masked else "joined"


def _inputs(task: Task, *, masked: bool, padding: Value) -> tuple[str, str]:
    """The lines of the layers before the LSTM, and the arguments that it is called with."""
    name = ', name="x"' if task.included else ""
    without_nan = "known = keras.ops.where(keras.ops.isnan(inputs), 0.0, inputs)"
    if task.reads == "features":
        if masked and not task.missing:
            return "inputs, masked = masked_input(data)", "masked"
        inputs = f"inputs = keras.Input((None, {task.inputs}){name})"
        if not task.missing:
            return inputs, "inputs"
        real = "real = keras.ops.any(keras.ops.not_equal(inputs, data.value), axis=-1)\n" if masked else ""
        return f"{inputs}\n{real}{without_nan}", "known, mask=real" if masked else "known"
    if task.reads == "number":
        inputs = f"inputs = keras.Input((None,){name})"
        if task.missing:
            inputs = f"{inputs}\n{without_nan}"
        steps = f"{inputs}\nsteps = keras.ops.expand_dims({'known' if task.missing else 'inputs'}, -1)"
        if masked and task.missing:
            return f"{steps}\nreal = keras.ops.not_equal(inputs, data.value)", "steps, mask=real"
        if masked:
            return f"{steps}\nmasked = keras.layers.Masking(data.value)(steps)", "masked"
        return steps, "steps"
    rows = task.inputs + (padding == task.inputs)
    zero = ", mask_zero=True" if masked and padding == 0 else ""
    inputs, ids = f'inputs = keras.Input((None,), dtype="int64"{name})', "inputs"
    if task.column and not _needs_own_class(task):
        inputs, ids = f'inputs = keras.Input((None, 1), dtype="int64"{name})\nids = inputs[..., 0]', "ids"
    embedded = f"{inputs}\nembedded = keras.layers.Embedding({rows}, 32{zero})({ids})"
    if masked and not zero:
        return f"{embedded}\nreal = keras.ops.not_equal({ids}, {padding})", "embedded, mask=real"
    return embedded, "embedded"


def _needs_own_class(task: Task) -> bool:
    """Whether batches need other labels or weights than SequenceData gives."""
    target = task.target
    return target.missing or (target.name != "y" and target.ignored is None)


def _data_class(task: Task) -> dict[str, str]:
    """The pieces of the data class: its import, its code and its name, SequenceData where that is enough."""
    target = task.target
    if not _needs_own_class(task):
        return {"numpy": "", "data_class": "", "data": "SequenceData"}
    pieces = _known_labels(task) if target.name == "y" else _real_steps(task)
    x = "inputs" if task.included else "x"
    batch = x if target.name == "next" else f"{x}, y"
    needs_x = target.name == "next" or task.column or not task.categories
    unpacked = '\nx = inputs["x"]' if task.included and target.name != "y" and needs_x else ""
    code = filled(
        _CLASS,
        got=f"{batch} = super().__getitem__(index){unpacked}",
        column="x = x[..., 0]" if task.column and target.name != "y" else "",
        **pieces,
    )
    return {
        "numpy": "import numpy as np" if "np." in code else "",
        "data_class": with_blank_lines(code),
        "data": pieces["name"],
    }


def _known_labels(task: Task) -> dict[str, str]:
    """The pieces of a class that weights the labels of sequences: those that are NaN by 0."""
    column = "" if task.target.flat else "[..., None]"
    inputs = "inputs" if task.included else "x"
    return {
        "name": "Labelled",
        "docstring": "Sequences, their labels, and which of these are known",
        "real": "",
        "known": "known = ~np.isnan(y)",
        "returned": f"{inputs}, np.where(known, y, 0){column}, known",
    }


def _real_steps(task: Task) -> dict[str, str]:
    """The pieces of a class that weights labels of steps, or next steps: those in padding by 0."""
    target, following = task.target, task.target.name == "next"
    ignores_padding = following and target.classes  # its value is the class that the loss ignores
    real = "x[:, 1:] != self.value" if following else "x != self.value"
    real = f"({real}).any(axis=-1)" if task.reads == "features" else real
    if task.categories:
        real = f'inputs["c"][{":, 1:" if following else "..."}, 0] != 0'
    labels, weights, known = "x[:, 1:]" if following else "y", "real", ""
    if target.missing:
        known = f"known = real{'' if target.flat else '[..., None]'} & ~np.isnan({labels})"
        labels, weights = f"np.where(known, {labels}, 0)", "known"
    elif not following:
        labels = f"np.where({'real' if target.flat else 'real[..., None]'}, y, 0)"
    x = "x[:, :-1]" if following else "x"
    if task.included:
        c = ', "c": inputs["c"][:, :-1]' if task.categories and following else ""
        x = "inputs" if x == "x" and not task.column else f'{{**inputs, "x": {x}{c}}}'
    column = "[..., None]" if (target.flat and not target.classes) or target.missing else ""
    if ignores_padding:
        docstring, returned = "Steps, and those that come next", f"{x}, {labels}"
    elif following:
        docstring, returned = (
            "Steps, those that come next, and which of these are real",
            f"{x}, {labels}{column}, {weights}",
        )
    else:
        docstring, returned = (
            "Steps, their labels, and which of them are real",
            f"{x}, {labels}{column}, {weights}",
        )
    return {
        "name": "NextSteps" if following else "LabelledSteps",
        "docstring": docstring,
        "real": "" if ignores_padding else f"real = {real}",
        "known": known,
        "returned": returned,
    }


def _several_losses(columns: Sequence[LabelOutputs]) -> str:
    """A function that adds up the losses of several labels; none without such labels."""
    losses = " + ".join(map(_loss_of, columns))
    return with_blank_lines(filled(_SEVERAL, losses=losses)) if losses else ""


def _loss_of(label: LabelOutputs) -> str:
    """The loss of one of several labels."""
    y, outputs = f"y[:, {label.column}]", f"outputs{label.outputs}"
    if label.classes is None:
        return f"keras.ops.square({y} - {outputs})"
    return f"keras.losses.sparse_categorical_crossentropy({y}, {outputs}, from_logits=True)"


def _loss(task: Task, *, padding: Value) -> str:
    target = task.target
    if target.name == "y" and not target.classes and not target.missing:
        return '"mse"'
    ignored = padding if target.name == "next" else target.ignored
    if target.classes and (target.name == "next" or ignored is not None):
        options = f", ignore_class={ignored}"
    else:
        options = "" if target.name == "y" and not target.missing else ', reduction="mean_with_sample_weight"'
    if target.classes:
        return f"keras.losses.SparseCategoricalCrossentropy(from_logits=True{options})"
    return f"keras.losses.MeanSquaredError({options.removeprefix(', ')})"
