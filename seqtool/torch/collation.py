"""Items of a dataset made into one batch, each padded at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from seqtool.files.schema import PER_STEP
from seqtool.sequences.padding_values import Value, check_value
from seqtool.torch.batch import Batch, NamedBatch, step_value
from seqtool.torch.dataset import Items
from seqtool.torch.tensors import in_numpy


def collate(items: Sequence[Any], *, value: Value = 0, label_value: float = -100) -> Any:
    """Make a batch of the items of a SequenceDataset, each padded at its end up to the longest of them.

    It is a Batch, or a NamedBatch where the dataset includes more. Padding holds `value` in x, one number or one
    for each feature, and `label_value` in labels of steps, which the losses of PyTorch pass over; -1 in row
    numbers, False in the mask. Raises DataError for one that their type cannot hold.
    """
    batch = items.batch(value, label_value) if isinstance(items, Items) else None
    if batch is not None:
        return batch
    if isinstance(items[0], dict):
        return _named_batch(items, value, label_value)
    labelled = isinstance(items[0], tuple)
    xs = [item[0] for item in items] if labelled else list(items)
    x, lengths = _padded(xs, value)
    if not labelled:
        return Batch(x, lengths, None)
    ys = [item[1] for item in items]
    if not ys[0].ndim:
        return Batch(x, lengths, torch.stack(ys))
    return Batch(x, lengths, _padded_labels(ys, label_value))


def _padded(xs: list[torch.Tensor], value: Value) -> tuple[torch.Tensor, torch.Tensor]:
    lengths = torch.tensor([len(x) for x in xs])
    x = pad_sequence(xs, batch_first=True)
    if value != 0:
        _check_held(value, x)
        x[torch.arange(x.shape[1]) >= lengths[:, None]] = torch.tensor(value, dtype=x.dtype)
    return x, lengths


def _padded_labels(ys: list[torch.Tensor], value: float) -> torch.Tensor:
    _check_held(value, ys[0][None])
    return pad_sequence(ys, batch_first=True, padding_value=value)


def _named_batch(items: Sequence[dict[str, Any]], value: Value, label_value: float) -> NamedBatch:
    x, lengths = _padded([item["x"] for item in items], value)
    batch = NamedBatch(x=x, lengths=lengths)
    for name, first in items[0].items():
        rows = [item[name] for item in items]
        if name in PER_STEP or name == "mask":
            batch[name] = _padded_labels(rows, step_value(name, label_value))
        elif name != "x":
            batch[name] = torch.stack(rows) if isinstance(first, torch.Tensor) else rows
    return batch


def _check_held(value: Value, padded: torch.Tensor) -> None:
    """Raise DataError unless a tensor (B, T, ...) holds the value; types that NumPy lacks are floats, and round."""
    if not padded.is_floating_point() or padded.dtype in (torch.float16, torch.float32, torch.float64):
        check_value(value, tuple(padded.shape[2:]), in_numpy(padded.dtype))
