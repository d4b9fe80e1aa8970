"""The sequences of a file as a dataset of PyTorch, read when they are asked for."""

from __future__ import annotations

import os
from collections import UserList
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from seqtool.arrays.dtypes import Array
from seqtool.sequences.padding_values import Value
from seqtool.sequences.ragged import Ragged
from seqtool.torch.batch import Batch, NamedBatch, step_value
from seqtool.torch.tensors import as_tensor, in_numpy
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
        named = in_numpy(dtype) if isinstance(dtype, torch.dtype) else dtype
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
        arrays |= {name: as_tensor(np.asarray(array)) for name, array in taken.per_sequence.items()}
        for name, array in taken.per_step.items():
            arrays[name] = torch.from_numpy(np.asarray(array.data)).split(lengths)
        if taken.keys is not None:
            arrays["keys"] = as_tensor(np.asarray(taken.keys))
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
        values = {name: step_value(name, label_value) for name in file.per_step}
        arrays = file.padded(self._chosen, slots, value=value, step_values=values)
        batch = {name: as_tensor(array) for name, array in arrays.items()}
        if file.include:
            return NamedBatch(batch)
        return Batch(batch["x"], batch["lengths"], batch.get("y", batch.get("step_y")))
