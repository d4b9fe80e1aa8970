"""A program for PyTorch."""

from __future__ import annotations

from seqtool.codegen.filling import filled, included
from seqtool.codegen.targets import LabelOutputs
from seqtool.codegen.tasks import Task
from seqtool.sequences.padding_values import UNLABELLED
from seqtool.sequences.ragged import Padded, Ragged

_PROGRAM = """
import torch
from torch.nn.functional import $loss_function
from torch.utils.data import DataLoader$sampler_class

from seqtool.torch import LengthBatchSampler, SequenceDataset, collate$to_packed

data = SequenceDataset($path$options)
$enough
batches = LengthBatchSampler(data.lengths, batch_size=32$sampler)
loader = DataLoader(data, batch_sampler=batches, collate_fn=collate)


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        $embedding
        $categories
        $static_c
        $static
        self.lstm = torch.nn.LSTM($inputs, 64, batch_first=True)
        self.head = torch.nn.Linear(64, $outputs)

    def forward(self, batch):
        $x
        $start
        $states
        return self.head($state)$squeeze


network = Network()
optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
batch = next(iter(loader))
$loss
loss.backward()
optimizer.step()
print(f"loss {loss.item():.3f}")
"""

_STATIC = """# {1} the first state of the LSTM
self.h, self.c = torch.nn.Linear({0}, 64), torch.nn.Linear({0}, 64)"""
_CATEGORIES = "self.{0} = torch.nn.ModuleList(torch.nn.Embedding(rows, 32) for rows in {1})"
_START = "start = self.h(static)[None], self.c(static)[None]"
_CAUSAL = "# steps after the end change nothing before it"


def program_text(data: Ragged | Padded, task: Task, *, path: str) -> str:
    """The program; `path` is a literal."""
    target, ids = task.target, task.reads == "ids"
    short = task.shortest < task.needed
    pieces = {
        "path": path,
        "options": (", dtype=torch.int64" if task.column else "") + included(task),
        "sampler_class": ", SubsetRandomSampler" if short else "",
        "enough": f"enough = SubsetRandomSampler((data.lengths >= {task.needed}).nonzero()[0])"
        if short
        else "",
        "sampler": ", sampler=enough" if short else "",
        "embedding": f"self.embedding = torch.nn.Embedding({task.inputs}, 32)" if ids else "",
        "static": _STATIC.format(task.own, task.set_by) if task.own else "",
        "static_c": _CATEGORIES.format("static_c", task.static_c) if task.static_c else "",
        "categories": _CATEGORIES.format("categories", task.categories) if task.categories else "",
        "inputs": task.width,
        "outputs": target.outputs,
        "squeeze": f".unflatten(-1, {target.shape})"
        if target.shape
        else ".squeeze(-1)"
        if target.flat and not target.classes
        else "",
        "loss_function": _loss_function(task),
        "loss": _loss(task, data),
        **_reading(task),
    }
    return filled(_PROGRAM, **pieces)


def _batch_array(task: Task, name: str) -> str:
    """An expression for an array of a batch, a dict where it has more arrays than x, lengths and y."""
    return f'batch["{name}"]' if task.included else f"batch.{'y' if name == 'step_y' else name}"


def _without_nan(x: str) -> str:
    """An expression for x with 0 for NaN."""
    return f"{x}.masked_fill({x}.isnan(), 0)"


def _reading(task: Task) -> dict[str, str]:
    """The pieces that lead from a batch to the states that the head reads."""
    batch = x = _batch_array(task, "x")
    if task.column:
        x = f"{x}[..., 0]"
    if task.missing:
        x = _without_nan(x)
    x = {"features": x, "number": f"{x}.unsqueeze(-1)", "ids": f"self.embedding({x})"}[task.reads]
    if task.categories:
        x = f"torch.cat([{x}, *beside], dim=-1)"
    more, start, first = "", "", ""
    if x != batch and (task.included or task.missing):
        x, first = "x", f"x = {x}"
    if task.categories:
        read = "[one(ids[..., i]) for i, one in enumerate(self.categories)]"
        first = f"ids = {_batch_array(task, 'c')}.long()\nbeside = {read}\n{first}"
    if task.own:
        start, more = "\n".join([*_own(task), _START]), ", start"
    if task.target.name != "y":
        states = f"states, _ = self.lstm({x}{more})  {_CAUSAL}"
        return {"to_packed": "", "state": "states", "x": first, "start": start, "states": states}
    packed = "batch"
    if x != batch:
        packed = (
            f'{{"x": {x}, "lengths": {_batch_array(task, "lengths")}}}'
            if task.included
            else f"batch._replace(x={x})"
        )
    states = f"_, (state, _) = self.lstm(to_packed({packed}){more})"
    return {"to_packed": ", to_packed", "state": "state[-1]", "x": first, "start": start, "states": states}


def _own(task: Task) -> list[str]:
    """The lines that give the numbers of a sequence that set the first state."""
    lines = []
    if task.static:
        whole_or_not = _batch_array(task, "static")  # whole numbers stand in the file as such
        lines.append(f"static = {whole_or_not}.float()")
    if task.static_missing:
        lines.append("static = " + _without_nan("static"))
    if task.static_c:
        lines.append(f"own = {_batch_array(task, 'static_c')}.long()")
        embedded = "*(one(own[:, i]) for i, one in enumerate(self.static_c))"
        lines.append(f"static = torch.cat([{'static, ' if task.static else ''}{embedded}], dim=-1)")
    return lines


def _loss_function(task: Task) -> str:
    """The loss functions to import."""
    if task.target.columns:
        has_numbers = any(not label.classes for label in task.target.columns)
        return "cross_entropy, mse_loss" if has_numbers else "cross_entropy"
    return "cross_entropy" if task.target.classes else "mse_loss"


def _loss_of(label: LabelOutputs, y: str) -> str:
    """The loss of one of several labels."""
    if label.classes is None:
        return f"mse_loss(outputs{label.outputs}, {y}[:, {label.column}].float())"
    return f"cross_entropy(outputs{label.outputs}, {y}[:, {label.column}].long())"


def _loss(task: Task, data: Ragged | Padded) -> str:
    """The lines that compute the loss, over real steps or known labels alone."""
    target = task.target
    labels = _batch_array(task, target.name) if target.name != "next" else ""
    if target.columns:
        losses = " + ".join(_loss_of(column, labels) for column in target.columns)
        return f"outputs = network(batch)\nloss = {losses}"
    loss = _loss_function(task)
    y, x, lengths = (
        f"{labels}.float()" if target.whole else labels,
        _batch_array(task, "x"),
        _batch_array(task, "lengths"),
    )
    if target.name == "y":
        if target.missing:
            return f"known = ~{labels}.isnan()\nloss = {loss}(network(batch)[known], {y}[known])"
        note = "# the loss ignores -100, no label\n" if target.ignored is not None else ""
        return f"{note}loss = {loss}(network(batch), {y})"
    if target.name == "step_y" and target.classes:
        padding = data.per_step["step_y"].value
        note = f"# the loss ignores {UNLABELLED}, which collate puts into padding"
        note += "" if padding == UNLABELLED else f", though that of the file holds {padding:g}"
        return f"{note}\nloss = {loss}(network(batch).flatten(0, 1), {labels}.flatten())"
    first = 1 if target.name == "next" else 0
    real = f"real = torch.arange({first}, {x}.shape[1]) < {lengths}[:, None]"
    if target.name == "step_y":
        if target.missing:
            every = "" if target.flat else "[..., None]"
            real += f"\nreal = real{every} & ~{labels}.isnan()"
        return f"{real}\nloss = {loss}(network(batch)[real], {y}[real])"
    steps = f"{x}[..., 0]" if task.column else x
    if target.missing:
        every = "[..., None]" if task.reads == "features" else ""
        real += f"\nreal = real{every} & ~{steps}[:, 1:].isnan()"
    return f"{real}\nloss = {loss}(network(batch)[:, :-1][real], {steps}[:, 1:][real])"
