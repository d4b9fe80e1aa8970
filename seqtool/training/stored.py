"""Where the steps of sequences stand in a file."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import LazyGather, lazy_gather
from seqtool.arrays.lazy import AnyArray, slots
from seqtool.dataclass import dataclass
from seqtool.sequences.padding_values import Value
from seqtool.sequences.ragged import Padded, Ragged, StepArray


@dataclass(frozen=True)
class Stored:
    """An array of steps (R, ...), the row of it at which each sequence begins (N,), and what pads it.

    Sequences may share rows. `padded` tells that rows between them are padding.
    """

    array: AnyArray
    starts: Array
    value: Value
    padded: bool = False

    def rows(self, lengths: Array) -> int:
        """How many rows `packed` has."""
        return int(lengths.sum()) if self.padded else len(self.array)

    def packed(self, lengths: Array, offsets: Array) -> Stored:
        """The same without the padding, read from the front on."""
        if not self.padded:
            return self
        shape = (int(offsets[-1]), *self.array.shape[1:])
        return Stored(lazy_gather(self.array, self.starts, offsets, shape), offsets[:-1], self.value)


def stored_steps(data: Ragged | Padded, names: Iterable[str], lengths: Array) -> dict[str, Stored]:
    """The steps of a file as `x`, and its per-step arrays among `names`; `lengths` (N,) are those of its sequences."""
    per_step = {name: array for name, array in data.per_step.items() if name in names}
    if isinstance(data, Ragged):
        offsets = np.asarray(data.offsets)
        arrays = {"x": StepArray(data.values, 0), **per_step}
        return {name: _ragged(array.data, offsets, array.value) for name, array in arrays.items()}
    starts = np.arange(len(data)) * data.x.shape[1]
    if data.padding == "pre":
        starts += data.x.shape[1] - lengths
    found = {"x": Stored(slots(data.x), starts, data.value, padded=True)}
    for name, array in per_step.items():
        found[name] = Stored(slots(array.data), starts, array.value, padded=True)
    return found


def _ragged(array: AnyArray, offsets: Array, value: float) -> Stored:
    """Sequences end to end; where they are gathered from an array in which they may overlap, that array itself."""
    if (
        isinstance(array, LazyGather)
        and array.every == 1
        and np.array_equal(np.asarray(array.offsets), offsets)
    ):
        return Stored(array.array, np.asarray(array.starts).astype(np.int64, copy=False), value)
    return Stored(array, offsets[:-1], value)
