"""The arrays of a file that batches are gathered from: in the file, or in memory that processes share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.shared import Handle, SharedArrays
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.sequences.padding_values import Value
from seqtool.sequences.validation import offsets_of
from seqtool.training.in_place import in_place
from seqtool.training.stored import Stored

_SHARED = "biufU"  # the kinds of arrays that processes can share


@dataclass(frozen=True)
class Opened:
    """The lengths (N,) of sequences, the arrays that belong to them, and their steps; `shared` where all are in memory.

    Text of which NumPy does not know the width is not shared.
    """

    lengths: Array
    per_sequence: dict[str, Array]
    steps: dict[str, Stored]
    shared: SharedArrays | None = None

    def bytes_in_memory(self, dtypes: Mapping[str, np.dtype[Any]]) -> int:
        """The bytes of the steps, as these dtypes, without padding."""
        return sum(
            stored.rows(self.lengths) * prod(stored.array.shape[1:]) * dtypes[name].itemsize
            for name, stored in self.steps.items()
        )

    def in_place(self, spool: Spool) -> Opened:
        """The same with steps that can be read at any place of a file, or of the spool."""
        steps = {
            name: replace(stored, array=in_place(stored.array, spool)) for name, stored in self.steps.items()
        }
        return replace(self, steps=steps)

    def in_memory(self, dtypes: Mapping[str, np.dtype[Any]]) -> Opened:
        """The same read into memory, the steps as these dtypes where that loses nothing."""
        shared, offsets = SharedArrays(), offsets_of(self.lengths)
        places = {"lengths": self.lengths}
        for name, stored in self.steps.items():
            packed = stored.packed(self.lengths, offsets)
            longest = int(self.lengths.max(initial=0))
            shared.add(f"steps {name}", packed.array, dtypes[name], spare=longest)
            places[f"starts {name}"] = packed.starts
        places |= {f"sequences {name}": array for name, array in self.per_sequence.items()}
        for name, array in places.items():
            if array.dtype.kind in _SHARED:
                shared.add(name, array, array.dtype)
        values = {name: stored.value for name, stored in self.steps.items()}
        return _attached(shared, self.per_sequence, values)

    def for_spawned(self) -> Spawned | None:
        """What a process that is being spawned makes the same of; None where it has no access to the memory."""
        handle = None if self.shared is None else self.shared.for_spawned()
        if handle is None:
            return None
        own = {
            name: None if array.dtype.kind in _SHARED else array for name, array in self.per_sequence.items()
        }
        return Spawned(handle, own, {name: stored.value for name, stored in self.steps.items()})


@dataclass(frozen=True)
class Spawned:
    """The way of a spawned process to arrays in shared memory; `per_sequence` has those that are not there."""

    handle: Handle
    per_sequence: dict[str, Array | None]
    values: dict[str, Value]

    def __call__(self) -> Opened:
        """The arrays, in the process that was spawned."""
        return _attached(self.handle(), self.per_sequence, self.values)


def _attached(
    shared: SharedArrays, per_sequence: Mapping[str, Array | None], values: Mapping[str, Value]
) -> Opened:
    sequences = {
        name: shared[f"sequences {name}"] if array is None or array.dtype.kind in _SHARED else array
        for name, array in per_sequence.items()
    }
    steps = {
        name: Stored(shared[f"steps {name}"], shared[f"starts {name}"], value)
        for name, value in values.items()
    }
    return Opened(shared["lengths"], sequences, steps, shared)
