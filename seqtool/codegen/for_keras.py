"""A program for Keras 3."""

from __future__ import annotations

from collections.abc import Sequence

from seqtool.codegen.filling import apart, filled
from seqtool.codegen.tasks import LabelColumn, Task, is_harmless, mask_value
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
states = keras.layers.LSTM(64$lstm)($read)
outputs = keras.layers.Dense($outputs)(states)
model = keras.Model(inputs, outputs)
model.compile("adam", $loss)
loss = model.train_on_batch(*data[0])  # model.fit(data, epochs=10) trains on all of them
print(f"loss {loss:.3f}")
"""

_SEVERAL = """
def loss_of_all(y, outputs):
    y = keras.ops.cast(y, outputs.dtype)
    return $losses
"""

_LABELLED = '''
class LabelledSteps(SequenceData):
    """Steps, their labels, and which of them are real."""

    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        real = $real
        return x, np.where($where, y, 0)$column, real
'''

_NEXT = '''
class NextSteps(SequenceData):
    """Steps, those that come next, and which of these are real."""

    def __getitem__(self, index):
        x = super().__getitem__(index)
        real = $real
        return x[:, :-1], x[:, 1:]$column, real
'''

_NEXT_IDS = '''
class NextSteps(SequenceData):
    """Steps, and those that come next."""

    def __getitem__(self, index):
        x = super().__getitem__(index)
        return x[:, :-1], x[:, 1:]
'''


def written(data: Ragged | Padded, task: Task, *, path: str) -> str:
    """The program; `path` is a literal."""
    target, last = task.target, task.target.name == "y"
    held = data.value if isinstance(data, Padded) else 0
    # Only what looks at padding needs it to be like no step; what padding the loss passes over by its labels,
    # or what stands after the end of a sequence, need only be harmless.
    looked_at = target.ignored is None
    value: Value
    if task.reads == "ids":
        value = 0 if task.least or not looked_at else task.inputs
    else:
        value = mask_value(data) if looked_at else held if is_harmless(data, task) else 0
    options = f", value={value!r}" if value != held else ""
    if target.name == "next" and task.shortest < 2 and isinstance(data, Ragged):
        # Or a batch might end before there is a next step; of few lengths, as each may be compiled.
        options += f", multiple_of={max(2, -(-task.longest // 8))}"
    lstm = "" if last else ", return_sequences=True"
    if last and not task.shortest:
        lstm = ", use_cudnn=False"  # cuDNN refuses sequences without a step
    note = "# no real step holds the padding value" if looked_at and value != held else ""
    inputs, read = _inputs(task, masked=last, padding=value)
    return filled(
        _PROGRAM,
        **_data_class(task),
        path=path,
        options=options,
        note=note,
        masked_input=", masked_input" if last and task.reads == "features" else "",
        inputs=inputs,
        lstm=lstm,
        read=read,
        outputs=target.outputs,
        loss="loss_of_all" if target.columns else _loss(task, padding=value),
        loss_class=_several_losses(target.columns),
    )


def _inputs(task: Task, *, masked: bool, padding: Value) -> tuple[str, str]:
    """The layers before the LSTM, and what it is called with."""
    if task.reads == "features":
        if masked:
            return "inputs, masked = masked_input(data)", "masked"
        return f"inputs = keras.Input((None, {task.inputs}))", "inputs"
    if task.reads == "number":
        steps = "inputs = keras.Input((None,))\nsteps = keras.ops.expand_dims(inputs, -1)"
        return (
            (f"{steps}\nmasked = keras.layers.Masking(data.value)(steps)", "masked")
            if masked
            else (steps, "steps")
        )
    rows = task.inputs + (padding == task.inputs)
    zero = ", mask_zero=True" if masked and padding == 0 else ""
    ids = 'inputs = keras.Input((None,), dtype="int64")'
    embedded = f"{ids}\nembedded = keras.layers.Embedding({rows}, 32{zero})(inputs)"
    if masked and not zero:
        return f"{embedded}\nreal = keras.ops.not_equal(inputs, {padding})", "embedded, mask=real"
    return embedded, "embedded"


def _data_class(task: Task) -> dict[str, str]:
    """The class of the data, where it is not SequenceData, and what that needs."""
    target = task.target
    if target.name == "y" or target.ignored is not None:
        return {"numpy": "", "data_class": "", "data": "SequenceData"}
    if target.name == "next" and target.classes:
        return {"numpy": "", "data_class": apart(filled(_NEXT_IDS)), "data": "NextSteps"}
    real = "x != self.value" if target.name == "step_y" else "x[:, 1:] != self.value"
    pieces = {
        "real": f"({real}).any(axis=-1)" if task.reads == "features" else real,
        "column": "[..., None]" if target.flat and not target.classes else "",
    }
    if target.name == "next":
        return {"numpy": "", "data_class": apart(filled(_NEXT, **pieces)), "data": "NextSteps"}
    where = "real" if target.flat else "real[..., None]"
    code = filled(_LABELLED, where=where, **pieces)
    return {"numpy": "import numpy as np", "data_class": apart(code), "data": "LabelledSteps"}


def _several_losses(columns: Sequence[LabelColumn]) -> str:
    """The function that adds up the losses of several labels."""
    losses = [
        f"keras.ops.square(y[:, {one.column}] - outputs{one.outputs})"
        if one.classes is None
        else f"keras.losses.sparse_categorical_crossentropy(y[:, {one.column}], outputs{one.outputs}, from_logits=True)"
        for one in columns
    ]
    return apart(filled(_SEVERAL, losses=" + ".join(losses))) if losses else ""


def _loss(task: Task, *, padding: Value) -> str:
    target = task.target
    if target.name == "y" and not target.classes:
        return '"mse"'
    ignored = padding if target.name == "next" else target.ignored
    if target.classes and (target.name == "next" or ignored is not None):
        options = f", ignore_class={ignored}"
    else:
        options = "" if target.name == "y" else ', reduction="mean_with_sample_weight"'
    if target.classes:
        return f"keras.losses.SparseCategoricalCrossentropy(from_logits=True{options})"
    return f"keras.losses.MeanSquaredError({options.removeprefix(', ')})"
