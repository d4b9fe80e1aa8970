"""Sequences of a file for PyTorch: a dataset, a collate, a sampler of batches of similar lengths, packing.

With `data = SequenceDataset("train.npz")`, a DataLoader of `data` with
`batch_sampler=LengthBatchSampler(data.lengths, batch_size=32)` and `collate_fn=collate` gives each `Batch`,
which a recurrent layer takes as `to_packed(batch)`.
"""

from __future__ import annotations

import os
from collections import UserList
from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import suppress
from functools import cached_property
from multiprocessing.reduction import ForkingPickler
from typing import Any, NamedTuple, cast

import numpy as np

try:
    import torch
    from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_sequence
    from torch.utils.data import Dataset, Sampler
except ModuleNotFoundError as missing:
    raise ImportError(f"seqtool.torch needs PyTorch ({missing}): pip install torch") from None

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.errors import DataError, UsageError
from seqtool.files.schema import PER_STEP
from seqtool.sequences.padding_values import Value, check_value
from seqtool.sequences.ragged import Ragged
from seqtool.training.batches import bucket_batches, check_boundaries, check_options, length_batches
from seqtool.training.in_memory import InMemory
from seqtool.training.sequence_file import SequenceFile


class SequenceDataset(Dataset[Any]):
    """The sequences of an `.npz` of ours, padded or ragged, each without padding, read when it is asked for.

    An item is `(x, y)`, or `x` alone where the file has no labels. `x` is (L, F) float32,
    (L, H, W, C) of frames, or (L,) int64 of token ids; `dtype` names another type. `y` is the label, int64 or float,
    or one for each step. It may go to workers, forked or spawned. Errors are those of
    `seqtool.training.sequence_file.SequenceFile`.

    Steps are read into memory with `in_memory=True`, and by default ("auto") where they take at most a quarter of the
    memory that is allowed; workers share it. With False each batch is read from the file.

    `include` names what else of the file goes with each sequence: `static`, `keys`, `part`, `split`,
    `original_lengths`, the labels `y` and `step_y`, `row_index`, `y_row_index`, `y_order`, `c`,
    `observed`, `weight`, `order`, and `mask`. Then an item is a dict of tensors by
    these names, with `x` and the label, `y` or else `step_y`; text stays text.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        dtype: torch.dtype | str | np.dtype[Any] | None = None,
        include: Sequence[str] = (),
        in_memory: InMemory = "auto",
    ) -> None:
        named = _in_numpy(dtype) if isinstance(dtype, torch.dtype) else dtype
        self.file = SequenceFile(path, dtype=named, include=include, in_memory=in_memory)

    def __len__(self) -> int:
        return len(self.file)

    @property
    def lengths(self) -> Array:
        """The number of steps of each sequence, (N,) int64, in NumPy."""
        return self.file.lengths

    def __getitem__(self, i: int) -> Any:
        return self.__getitems__([i])[0]

    def __getitems__(self, indices: Sequence[int]) -> Items:
        """Several items: what a DataLoader asks for. `collate` gathers them at once."""
        return Items(self, self.file.positions(indices))

    def _items(self, chosen: Array) -> list[Any]:
        taken = self.file.take(chosen)
        lengths = np.asarray(taken.lengths).tolist()
        xs = torch.from_numpy(np.asarray(taken.values)).split(lengths)
        if self.file.include:
            return self._named(taken, xs, lengths)
        if "y" in taken.per_sequence:
            return list(zip(xs, torch.from_numpy(np.asarray(taken.per_sequence["y"])), strict=True))
        if "step_y" in taken.per_step:
            labels = torch.from_numpy(np.asarray(taken.per_step["step_y"].data))
            return list(zip(xs, labels.split(lengths), strict=True))
        return list(xs)

    def _named(self, taken: Ragged, xs: Sequence[torch.Tensor], lengths: list[int]) -> list[dict[str, Any]]:
        arrays: dict[str, Any] = {"x": xs}
        arrays |= {name: _tensors(np.asarray(array)) for name, array in taken.per_sequence.items()}
        for name, array in taken.per_step.items():
            arrays[name] = torch.from_numpy(np.asarray(array.data)).split(lengths)
        if taken.keys is not None:
            arrays["keys"] = _tensors(np.asarray(taken.keys))
        if "mask" in self.file.include:
            arrays["mask"] = [torch.ones(length, dtype=torch.bool) for length in lengths]
        return [dict(zip(arrays, row, strict=True)) for row in zip(*arrays.values(), strict=True)]


class Items(UserList[Any]):
    """Items of a SequenceDataset, as a list, which are read when somebody looks at one.

    `collate` need not look at any: it gathers them as a batch.
    """

    def __init__(self, dataset: SequenceDataset, chosen: Array) -> None:
        self._dataset = dataset
        self._chosen = chosen

    @cached_property
    def data(self) -> list[Any]:  # type: ignore[override]
        """The items one by one."""
        return self._dataset._items(self._chosen)

    def __len__(self) -> int:
        return len(self.data) if "data" in vars(self) else len(self._chosen)

    def batch(self, value: Value, label_value: float) -> Batch | NamedBatch | None:
        """All of them as a batch, as `collate` makes it; None where they were looked at, and perhaps changed."""
        if "data" in vars(self):
            return None
        file = self._dataset.file
        slots = int(file.lengths[self._chosen].max())
        values = {name: _padding(name, label_value) for name in file.per_step}
        arrays = file.padded(self._chosen, slots, value=value, step_values=values)
        batch = {name: _tensors(array) for name, array in arrays.items()}
        if file.include:
            return NamedBatch(batch)
        return Batch(batch["x"], batch["lengths"], batch.get("y", batch.get("step_y")))


def _padding(name: str, label_value: float) -> float:
    """What pads an array of steps."""
    return {"step_y": label_value, "row_index": -1}.get(name, 0)


def _tensors(array: Any) -> Any:
    """A tensor of an array of numbers; text becomes a list, for there is no tensor of it, and all else stays."""
    if not isinstance(array, np.ndarray):
        return array
    return array.tolist() if array.dtype.kind in "UT" else torch.from_numpy(array)


def _in_numpy(dtype: torch.dtype) -> np.dtype[Any]:
    try:
        found: np.dtype[Any] = torch.empty(0, dtype=dtype).numpy().dtype
        return found
    except (TypeError, RuntimeError):
        raise UsageError(
            f"dtype is {dtype}; a dtype that NumPy also has was expected, such as torch.float32; a batch is cast with "
            "batch.x.to(dtype)"
        ) from None


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
    return Batch(*(_tensors(array) for array in arrays))


def _received_by_name(names: list[str], arrays: list[Any]) -> NamedBatch:
    return NamedBatch({name: _tensors(array) for name, array in zip(names, arrays, strict=True)})


ForkingPickler.register(Batch, _sent)
ForkingPickler.register(NamedBatch, _sent_by_name)


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
            batch[name] = _padded_labels(rows, _padding(name, label_value))
        elif name != "x":
            batch[name] = torch.stack(rows) if isinstance(first, torch.Tensor) else rows
    return batch


def _check_held(value: Value, padded: torch.Tensor) -> None:
    """Raise DataError unless a tensor (B, T, ...) holds the value; types that NumPy lacks are floats, and round."""
    if not padded.is_floating_point() or padded.dtype in (torch.float16, torch.float32, torch.float64):
        check_value(value, tuple(padded.shape[2:]), _in_numpy(padded.dtype))


class LengthBatchSampler(Sampler[list[int]]):
    """Batches of similar lengths, in random order, for the `batch_sampler` of a DataLoader.

    What `sampler` draws (by default all N sequences in random order; a DistributedSampler, or one over a
    subset) is gathered in pools of 100 batches, sorted by length and cut; every index comes once, in
    ceil(n / batch_size) batches, as many on every rank. `lengths` (N,) are those of the dataset. The order
    follows from `seed` and the epoch, which counts up by itself or is set with `set_epoch`; an own
    `sampler` draws by its own rules. With `boundaries`, such as those that `seqtool plan` shows, a batch holds
    sequences of one bucket of lengths, and each bucket may have a batch that is not full.
    """

    def __init__(
        self,
        lengths: Any,
        *,
        batch_size: int,
        sampler: Sampler[int] | None = None,
        seed: int = 0,
        boundaries: Sequence[int] | None = None,
    ) -> None:
        check_options(batch_size=batch_size, seed=seed)
        if boundaries is not None:
            check_boundaries(boundaries)
        if boundaries is not None and sampler is not None:
            raise UsageError(
                "boundaries and sampler do not go together: ranks would have batches in unequal numbers"
            )
        self.lengths = np.asarray(lengths)
        self.batch_size = batch_size
        self.drop_last = False  # asked by libraries that spread batches over machines
        self.sampler = sampler
        self.seed = seed
        self.boundaries = boundaries
        self.epoch = 0

    def __len__(self) -> int:
        if self.boundaries is not None:
            return len(self._bucketed(None))
        sampler = self.lengths if self.sampler is None else self.sampler
        return -(-len(cast(Sized, sampler)) // self.batch_size)

    def set_epoch(self, epoch: int) -> None:
        """Set which epoch comes next, as for a DistributedSampler, which is set too."""
        self.epoch = epoch
        set_epoch = getattr(self.sampler, "set_epoch", None)
        if set_epoch is not None:
            set_epoch(epoch)

    def __iter__(self) -> Iterator[list[int]]:
        random = np.random.default_rng((self.seed, self.epoch))
        self.epoch += 1
        if self.boundaries is not None:
            yield from (batch.tolist() for batch in self._bucketed(random))
            return
        order: Iterable[int] = random.permutation(len(self.lengths)) if self.sampler is None else self.sampler
        for batch in length_batches(order, self.lengths, batch_size=self.batch_size, random=random):
            yield batch.tolist()

    def _bucketed(self, random: np.random.Generator | None) -> list[Array]:
        order, boundaries = np.arange(len(self.lengths)), self.boundaries or ()
        return bucket_batches(order, self.lengths, boundaries, batch_size=self.batch_size, random=random)


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
