"""Batches of sequences from an `.npz` of seqtool, for training: what the framework adapters share.

Steps are in memory where they fit into a share of it. Else only those of a batch are read, by their places in the
file. A mapping would do that too, but its pages count as resident memory, and a file may be larger than that.
"""

from __future__ import annotations

import operator
import os
import weakref
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, dtype_named, first_loss
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError, at, check_whole
from seqtool.files import npz
from seqtool.files.archives import archive_at, holds_arrays, size_of
from seqtool.sequences.categories import all_categories
from seqtool.sequences.labels import several_labels
from seqtool.sequences.padding_values import Value
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from seqtool.sequences.validation import check_parts, offsets_of
from seqtool.training.batches import check_options
from seqtool.training.in_memory import InMemory, check_in_memory, goes_into_memory
from seqtool.training.numbers import label_dtype, lost, step_dtype
from seqtool.training.opened import Opened, Spawned
from seqtool.training.steps import Steps
from seqtool.training.stored import stored_steps

_ALWAYS = ("x", "lengths")  # in every batch
_NEW = ("lengths", "per_sequence", "y", "steps", "_opened")  # which a copy in a spawned process gets anew


class ArrayBatch(NamedTuple):
    """A batch, padded at the end: `x` (B, T, ...), `lengths` (B,) int64, and labels `y` (B, ...), or None."""

    x: Array
    lengths: Array
    y: Array | None


class SequenceFile:
    """The sequences of an `.npz` of seqtool, padded or ragged, whose steps are read on demand.

    The lengths and labels of all N sequences are in memory. So are the steps with `in_memory=True`, and with "auto"
    where they fit into a quarter of the memory that is allowed: by SEQTOOL_MAX_MEMORY, else half of what the machine
    has. They are read once, and shared with processes that are forked or spawned. Otherwise they are read from the
    file when batches need them; a compressed file is inflated once, into a temporary one. Steps (S, F), or of more
    dimensions, are float32 and token ids (S,) int64, unless `dtype` says otherwise.

    The labels are `y`, or without it `step_y`, one for each step. Several labels a sequence are a row of `y` (N, L);
    `labels` maps their names to the classes of each, `categories` the names of categories to the rows of an Embedding
    that reads their ids. A copy sent to another process opens the file again, unless the steps are in shared memory,
    and refuses a file that was replaced; after a fork both processes read the same file.

    `include` names further arrays of the file that belong to its sequences or steps, or `mask` (which steps are real):
    `named_batch` gives them. Their numbers have the dtypes of labels; text stays text, and `observed` bool.

    It is checked that the arrays fit together; `seqtool check` verifies checksums. Raises DataError when the file is
    missing, not from seqtool or damaged, UsageError for a dtype that would lose fractions, and for an array in
    `include` that the file does not have.

    >>> import tempfile, seqtool as st
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     st.save(f"{folder}/three.npz", st.pad([[1], [2, 3], [4, 5, 6]]))
    ...     file = SequenceFile(f"{folder}/three.npz")
    >>> len(file), file.lengths.tolist(), file.batch([1, 0]).x.tolist()
    (3, [1, 2, 3], [[2, 3], [1, 0]])
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        dtype: str | np.dtype[Any] | None = None,
        include: Sequence[str] = (),
        in_memory: InMemory = "auto",
    ) -> None:
        self.path = Path(path).absolute()
        self.include = (include,) if isinstance(include, str) else tuple(include)
        self._requested = None if dtype is None else dtype_named(dtype)
        check_in_memory(in_memory)
        self._in_memory = in_memory
        if self.path.is_file() and not holds_arrays(self.path):
            raise DataError(
                f"{self.path.name}: an .npz of seqtool was expected; make one from a table with ",
                Advice("seqtool", "group", "FILE", "--key", "COLUMN"),
                ", from an array or lists with ",
                Advice("seqtool", "pad", "FILE"),
            )
        with archive_at(self.path, self.path.name) as archive, at(self.path.name):
            data = npz.read(archive, check=False)
            if isinstance(data, Ragged):
                data.replace()  # a copy is checked, which `npz.read` left out; the steps are not read for it
            else:
                check_parts(data)
            self._describe(data)
            self._size = size_of(self.path)
            self._open(data)

    def _describe(self, data: Ragged | Padded) -> None:
        classes = data.names.get("classes")
        self.features, self.classes = data.features, None if classes is None else np.asarray(classes)
        self.labels = {
            name: None if known is None else np.asarray(known).tolist()
            for name, known in several_labels(data).items()
        }
        self.categories = {one.name: one.rows for one in all_categories(data)}
        self.maxlen: int | None = None
        self.value: Value = 0
        x, dims = (data.x, 2) if isinstance(data, Padded) else (data.values, 1)
        if isinstance(data, Padded):
            self.maxlen, self.value = data.x.shape[1], data.value
        self.dtype = step_dtype(x.dtype, self._requested, tokens=x.ndim == dims, name=self.path.name)

    def _open(self, data: Ragged | Padded) -> None:
        """Open what batches need: arrays of sequences in memory, and arrays of steps there or in the file."""
        keys = {} if data.keys is None else {"keys": data.keys}
        available = {**keys, **data.per_sequence}
        self._check_included([*available, *data.per_step])
        per_sequence = {
            name: self._labels(name, np.asarray(array))
            for name, array in available.items()
            if name in ("y", *self.include)
        }
        lengths = np.asarray(data.lengths).astype(np.int64, copy=False)
        steps = stored_steps(data, [*self.include, *([] if "y" in per_sequence else ["step_y"])], lengths)
        self._dtypes = {
            name: self.dtype if name == "x" else label_dtype(name, stored.array.dtype, self.dtype)
            for name, stored in steps.items()
        }
        opened = Opened(lengths, per_sequence, steps)
        if goes_into_memory(self._in_memory, opened.bytes_in_memory(self._dtypes), self.path.name):
            self._use(opened.in_memory(self._dtypes))
            return
        spool = Spool()
        weakref.finalize(self, spool.close)
        self._use(opened.in_place(spool))

    def _use(self, opened: Opened) -> None:
        self._opened = opened
        self.lengths = opened.lengths
        self.per_sequence = opened.per_sequence
        self.y: Array | None = opened.per_sequence.get("y")
        self.steps = {
            name: Steps(stored, opened.lengths, self._dtypes[name], lost=partial(self._lost, name))
            for name, stored in opened.steps.items()
        }

    def _check_included(self, available: Sequence[str]) -> None:
        """Raise UsageError for a name in `include` that is none of the available arrays."""
        known = [*_ALWAYS, *available, "mask"]
        for name in self.include:
            if name not in known:
                raise UsageError(
                    f"include names {name!r}, but {self.path.name} has no such array; it has {', '.join(known)}"
                )

    def __len__(self) -> int:
        return len(self.lengths)

    def __reduce__(self) -> tuple[Any, ...]:
        spawned = self._opened.for_spawned()
        if spawned is not None:
            return _attached, ({k: v for k, v in vars(self).items() if k not in _NEW}, spawned)
        # A copy that memory cannot be shared with reads the file when batches need it: memory holds the steps once.
        in_memory = self._in_memory if not self.in_memory else False
        arguments = (self.path, self._requested, self.include, in_memory)
        return _reopened, (*arguments, len(self), self._size)

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """The shape of a step: (F,), () for token ids, (H, W, C) for frames."""
        return self.steps["x"].shape

    @property
    def in_memory(self) -> bool:
        """Whether the steps are in memory."""
        return self._opened.shared is not None

    @property
    def per_step(self) -> list[str]:
        """The names of the arrays of a batch that belong to steps, beside x."""
        return [name for name in self.steps if name != "x"]

    @property
    def real_steps(self) -> AnyArray:
        """The steps of all sequences, end to end: (S, ...), read in chunks."""
        return self.steps["x"].all_rows()

    def take(self, indices: Iterable[int]) -> Ragged:
        """The sequences at these positions, in this order, with their labels, in memory.

        Raises IndexError for a position out of range, DataError for a number that the dtype cannot hold.
        """
        chosen = self.positions(indices)
        return Ragged(
            self.steps["x"].rows(chosen),
            offsets_of(self.lengths[chosen]),
            per_sequence={name: array[chosen] for name, array in self.per_sequence.items() if name != "keys"},
            per_step={
                name: StepArray(self.steps[name].rows(chosen), cast(float, self.steps[name].value))
                for name in self.per_step
            },
            keys=self.per_sequence["keys"][chosen] if "keys" in self.per_sequence else None,
        )

    def sequence(self, i: int) -> tuple[Array, Array | None]:
        """The steps of a sequence, (L, ...), and its label, or None where the file has none."""
        chosen = self.positions([i])
        x = self.steps["x"].rows(chosen)
        if self.y is not None:
            return x, self.y[chosen][0]
        return x, self.steps["step_y"].rows(chosen) if self._steps_are_labelled else None

    @property
    def _steps_are_labelled(self) -> bool:
        """Whether labels are those of steps, for there are none of sequences."""
        return self.y is None and "step_y" in self.steps

    def batch(
        self, indices: Iterable[int], *, multiple_of: int = 1, value: Value | None = None
    ) -> ArrayBatch:
        """The sequences at these positions, in this order, padded at the end to the longest, and to one slot at least.

        The number of slots is rounded up to a multiple of `multiple_of`. Padding holds `value`, by default that of
        the file, and 0 where the file is ragged.
        """
        chosen = self.positions(indices)
        slots = self._slots(chosen, multiple_of)
        x = self.steps["x"].padded(chosen, slots, self.value if value is None else value)
        y = None if self.y is None else self.y[chosen]
        if self._steps_are_labelled:
            y = self.steps["step_y"].padded(chosen, slots)
        return ArrayBatch(x, self.lengths[chosen], y)

    def named_batch(
        self, indices: Iterable[int], *, multiple_of: int = 1, value: Value | None = None
    ) -> dict[str, Array]:
        """The same by name: `x`, `lengths`, `y` or without it `step_y`, and the arrays that `include` names.

        Per-step arrays are (B, T, ...), padded with the value that pads them in the file; `mask` is (B, T) bool.

        >>> import tempfile, seqtool as st
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     st.save(f"{folder}/two.npz", st.pad([[1], [2, 3]]))
        ...     batch = SequenceFile(f"{folder}/two.npz", include=["mask"]).named_batch([1, 0])
        >>> {name: array.tolist() for name, array in batch.items()}
        {'x': [[2, 3], [1, 0]], 'lengths': [2, 1], 'mask': [[True, True], [True, False]]}
        """
        chosen = self.positions(indices)
        return self.padded(chosen, self._slots(chosen, multiple_of), value=value)

    def padded(
        self,
        chosen: Array,
        slots: int,
        *,
        value: Value | None = None,
        step_values: Mapping[str, float] | None = None,
    ) -> dict[str, Array]:
        """What `named_batch` gives, of so many slots; `step_values` pad arrays of steps, by default as in the file."""
        others = {name: array[chosen] for name, array in self.per_sequence.items()}
        keys = {"keys": others.pop("keys")} if "keys" in others else {}
        batch = {
            "x": self.steps["x"].padded(chosen, slots, self.value if value is None else value),
            "lengths": self.lengths[chosen],
            **others,
        }
        for name in self.per_step:
            batch[name] = self.steps[name].padded(chosen, slots, (step_values or {}).get(name))
        batch |= keys
        if "mask" in self.include:
            batch["mask"] = np.arange(slots) < batch["lengths"][:, np.newaxis]
        return batch

    def _slots(self, chosen: Array, multiple_of: int) -> int:
        """The slots of a batch: its longest sequence, rounded up, and one at least."""
        check_options(batch_size=1, multiple_of=check_whole("multiple_of", multiple_of))
        return -(-max(1, int(self.lengths[chosen].max(initial=0))) // multiple_of) * multiple_of

    def positions(self, indices: Iterable[int]) -> Array:
        """Positions of sequences, (B,) int64; raises IndexError for one out of range."""
        chosen = np.asarray(indices) if isinstance(indices, (np.ndarray, list)) else np.empty(0)
        if chosen.dtype != np.int64 or chosen.ndim != 1:
            chosen = np.fromiter(map(operator.index, indices), np.int64)
        if len(chosen) and not 0 <= chosen.min() <= chosen.max() < len(self):
            wrong = chosen[(chosen < 0) | (chosen >= len(self))][0]
            raise IndexError(
                f"{self.path.name}: there is no sequence {wrong}; there are {len(self)}, counted from 0"
            )
        return chosen

    def _labels(self, name: str, labels: Array) -> Array:
        """An array of sequences as losses take it; text stays text, but for the label."""
        if labels.dtype.kind in "UT" and name != "y":
            return labels
        dtype = label_dtype(name, labels.dtype, self.dtype)
        place = first_loss(labels, dtype)
        if place is None:
            return labels.astype(dtype, copy=False)
        raise self._lost(name, place // (labels.size // len(labels)), labels.reshape(-1)[place])

    def _lost(self, name: str, i: int, number: Any) -> DataError:
        """The error for a number of sequence i that the dtype of an array of batches cannot hold."""
        stored = number.dtype
        dtype = self.dtype if name == "x" else label_dtype(name, stored, self.dtype)
        return lost(self.path.name, "" if name == "x" else name, i, number, dtype)


def _reopened(
    path: Path,
    dtype: np.dtype[Any] | None,
    include: Sequence[str],
    in_memory: InMemory,
    count: int,
    size: int,
) -> SequenceFile:
    """The same file opened in another process; raises DataError where it was replaced by another one."""
    file = SequenceFile(path, dtype=dtype, include=include, in_memory=in_memory)
    if (len(file), file._size) != (count, size):
        raise DataError(
            f"{path.name}: changed on disk since it was opened: it held {count:,} sequences in {size:,} bytes, and "
            f"holds {len(file):,} in {file._size:,}; reopen it"
        )
    return file


def _attached(state: dict[str, Any], spawned: Spawned) -> SequenceFile:
    """The same sequences in a process that was spawned, in the memory of the one that opened them."""
    file = SequenceFile.__new__(SequenceFile)
    vars(file).update(state)
    file._use(spawned())
    return file
