"""A program for PyTorch."""

from __future__ import annotations

from seqtool.codegen.filling import filled
from seqtool.codegen.tasks import LabelColumn, Task
from seqtool.sequences.ragged import Padded, Ragged

_PROGRAM = """
import torch
from torch.nn.functional import $loss_function
from torch.utils.data import DataLoader$sampler_class

from seqtool.torch import LengthBatchSampler, SequenceDataset, collate$to_packed

data = SequenceDataset($path)
$enough
batches = LengthBatchSampler(data.lengths, batch_size=32$sampler)
loader = DataLoader(data, batch_sampler=batches, collate_fn=collate)


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        $embedding
        self.lstm = torch.nn.LSTM($inputs, 64, batch_first=True)
        self.head = torch.nn.Linear(64, $outputs)

    def forward(self, batch):
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

_CAUSAL = "# steps after the end change nothing before it"


def written(_: Ragged | Padded, task: Task, *, path: str) -> str:
    """The program; `path` is a literal."""
    target, ids = task.target, task.reads == "ids"
    x = {"features": "batch.x", "number": "batch.x.unsqueeze(-1)", "ids": "self.embedding(batch.x)"}[
        task.reads
    ]
    short = task.shortest < task.needed
    pieces = {
        "path": path,
        "sampler_class": ", SubsetRandomSampler" if short else "",
        "enough": f"enough = SubsetRandomSampler((data.lengths >= {task.needed}).nonzero()[0])"
        if short
        else "",
        "sampler": ", sampler=enough" if short else "",
        "embedding": f"self.embedding = torch.nn.Embedding({task.inputs}, 32)" if ids else "",
        "inputs": 32 if ids else task.inputs,
        "outputs": target.outputs,
        "squeeze": ".squeeze(-1)" if target.flat and not target.classes else "",
        "loss_function": _loss_function(task),
        "loss": _loss(task),
    }
    if target.name == "y":
        packed = "batch" if task.reads == "features" else f"batch._replace(x={x})"
        pieces |= {"to_packed": ", to_packed", "state": "state[-1]"}
        pieces["states"] = f"_, (state, _) = self.lstm(to_packed({packed}))"
    else:
        pieces |= {"to_packed": "", "state": "states", "states": f"states, _ = self.lstm({x})  {_CAUSAL}"}
    return filled(_PROGRAM, **pieces)


def _loss_function(task: Task) -> str:
    if task.target.columns:
        return (
            "cross_entropy, mse_loss"
            if any(not one.classes for one in task.target.columns)
            else "cross_entropy"
        )
    return "cross_entropy" if task.target.classes else "mse_loss"


def _loss_of(one: LabelColumn) -> str:
    """The loss of one of several labels."""
    if one.classes is None:
        return f"mse_loss(outputs{one.outputs}, batch.y[:, {one.column}].float())"
    return f"cross_entropy(outputs{one.outputs}, batch.y[:, {one.column}].long())"


def _loss(task: Task) -> str:
    target = task.target
    if target.columns:
        return f"outputs = network(batch)\nloss = {' + '.join(map(_loss_of, target.columns))}"
    loss = _loss_function(task)
    y = "batch.y.float()" if target.whole else "batch.y"
    if target.name == "y":
        return f"loss = {loss}(network(batch), {y})"
    if target.name == "step_y" and target.classes:
        note = "# the loss ignores -100, which padding holds"
        return f"{note}\nloss = {loss}(network(batch).flatten(0, 1), batch.y.flatten())"
    first = 1 if target.name == "next" else 0
    real = f"real = torch.arange({first}, batch.x.shape[1]) < batch.lengths[:, None]"
    if target.name == "step_y":
        return f"{real}\nloss = {loss}(network(batch)[real], {y}[real])"
    return f"{real}\nloss = {loss}(network(batch)[:, :-1][real], batch.x[:, 1:][real])"
