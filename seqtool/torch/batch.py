"""Padded batches of tensors: how they go to a device, from a worker to the process that trains, and into packing."""

from __future__ import annotations

from contextlib import suppress
from multiprocessing.reduction import ForkingPickler
from typing import Any, NamedTuple

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from seqtool.advice import Advice
from seqtool.errors import DataError
from seqtool.torch.tensors import as_tensor


class Batch(NamedTuple):
    """A padded batch: `x` (B, T, ...), `lengths` (B,) int64 on the CPU, `y` (B, ...), (B, T) or None."""

    x: torch.Tensor
    lengths: torch.Tensor
    y: torch.Tensor | None

    def to(self, device: Any, *, non_blocking: bool = False) -> Batch:
        """The batch on a device; the lengths stay where packing needs them, on the CPU."""
        y = None if self.y is None else self.y.to(device, non_blocking=non_blocking)
        return Batch(self.x.to(device, non_blocking=non_blocking), self.lengths, y)


class NamedBatch(dict[str, Any]):
    """A padded batch by name: `x`, `lengths` and the label as in `Batch`, and what the dataset includes.

    Arrays of sequences are (B, ...), those of steps (B, T, ...); text is a list of texts.
    """

    def to(self, device: Any, *, non_blocking: bool = False) -> NamedBatch:
        """The batch on a device; the lengths stay where packing needs them, and text where it is."""
        return NamedBatch(
            {
                name: array.to(device, non_blocking=non_blocking)
                if isinstance(array, torch.Tensor) and name != "lengths"
                else array
                for name, array in self.items()
            }
        )


_SMALL = 1 << 19  # bytes of a tensor that a worker sends faster than room in shared memory, by a descriptor


def _sent(batch: Batch) -> tuple[Any, ...]:
    """How a batch goes from a worker to the process that trains."""
    return _received, tuple(map(_light, batch))


def _sent_by_name(batch: NamedBatch) -> tuple[Any, ...]:
    return _received_by_name, (list(batch), list(map(_light, batch.values())))


def _light(array: Any) -> Any:
    """A small tensor as an array of NumPy, whose bytes are sent as they are."""
    if isinstance(array, torch.Tensor) and array.nbytes <= _SMALL and not array.requires_grad:
        with suppress(TypeError, RuntimeError):  # a type or a device that NumPy lacks
            return array.numpy()
    return array


def _received(*arrays: Any) -> Batch:
    return Batch(*(as_tensor(array) for array in arrays))


def _received_by_name(names: list[str], arrays: list[Any]) -> NamedBatch:
    return NamedBatch({name: as_tensor(array) for name, array in zip(names, arrays, strict=True)})


ForkingPickler.register(Batch, _sent)
ForkingPickler.register(NamedBatch, _sent_by_name)


def step_value(name: str, label_value: float) -> float:
    """What pads an array of steps."""
    return {"step_y": label_value, "row_index": -1}.get(name, 0)


def to_packed(batch: Batch | NamedBatch) -> PackedSequence:
    """A batch as the recurrent layers of PyTorch take it, without its padding.

    Raises DataError where a sequence has no step, which no PackedSequence can hold.
    """
    x, lengths = (batch["x"], batch["lengths"]) if isinstance(batch, dict) else batch[:2]
    empty = int((lengths == 0).sum())
    if empty:
        raise DataError(
            f"{empty:,} of {len(lengths):,} sequences of the batch have no steps, and packing needs at least "
            "one; drop them: ",
            Advice("seqtool", "pad", "FILE", "--min-len", "1"),
        )
    return pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
