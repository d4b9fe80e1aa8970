"""Batches of sequences from an `.npz` of seqtool, for training: what the framework adapters share.

Only the steps of a batch are read, by their offsets in the file. A mapping would do that too, but its pages count as
resident memory, and a file may be larger than that.
"""

from __future__ import annotations

import operator
import os
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array, dtype_named, first_loss
from seqtool.arrays.gather import gather, lazy_gather, ranges, sequence_of
from seqtool.arrays.lazy import AnyArray, slots
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError, at
from seqtool.files import npz
from seqtool.files.archives import archive_at, holds_arrays
from seqtool.operations.pad import pad_stream
from seqtool.sequences.categories import all_categories
from seqtool.sequences.labels import several_labels
from seqtool.sequences.padding_values import Value
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from seqtool.sequences.stream import PaddedStream
from seqtool.sequences.validation import check_parts, offsets_of
from seqtool.training.in_place import in_place

_ALWAYS = ("x", "lengths")  # in every batch


class Block(NamedTuple):
    """A batch, padded at the end: `x` (B, T, ...), `lengths` (B,) int64, and labels `y` (B, ...), or None."""

    x: Array
    lengths: Array
    y: Array | None


class SequenceFile:
    """The sequences of an `.npz` of seqtool, padded or ragged, whose steps are read on demand.

    The lengths and labels of all N sequences are in memory, and no steps; a compressed file is inflated once, into a
    temporary one. Steps (S, F), or of more dimensions, are float32 and token ids (S,) int64, unless `dtype` says
    otherwise.

    The labels are `y`, or without it `step_y`, one for each step. Several labels a sequence are a row of `y` (N, L);
    `labels` maps their names to the classes of each, `categories` the names of categories to the rows of an Embedding
    that reads their ids. A copy sent to another process opens the file again, and refuses
    a file that was replaced; after a fork both processes read the same file.

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
    ) -> None:
        self.path = Path(path).absolute()
        self.include = (include,) if isinstance(include, str) else tuple(include)
        self._requested = None if dtype is None else dtype_named(dtype)
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
            self._open(data)
        self._size = self.path.stat().st_size

    def _open(self, data: Ragged | Padded) -> None:
        classes = data.names.get("classes")
        self.features, self.classes = data.features, None if classes is None else np.asarray(classes)
        self.labels = {
            name: None if known is None else np.asarray(known).tolist()
            for name, known in several_labels(data).items()
        }
        self.categories = {one.name: one.rows for one in all_categories(data)}
        self.maxlen: int | None = None
        self.value: Value = 0
        if isinstance(data, Ragged):
            steps = data.values
            self._starts = np.asarray(data.offsets)[:-1]
            self.lengths = np.diff(np.asarray(data.offsets))
        else:
            self.maxlen, self.value = data.x.shape[1], data.value
            steps = slots(data.x)
            self.lengths = np.asarray(data.lengths).astype(np.int64, copy=False)
            self._starts = np.arange(len(data)) * self.maxlen
            if data.padding == "pre":
                self._starts += self.maxlen - self.lengths
        self.dtype = self._dtype_of(steps)
        spool = Spool()
        weakref.finalize(self, spool.close)
        self._steps = in_place(steps, spool)
        self._open_others(data, spool)

    def _open_others(self, data: Ragged | Padded, spool: Spool) -> None:
        """Open the labels, and what `include` names: per-sequence arrays in memory, per-step arrays on demand."""
        keys = {} if data.keys is None else {"keys": data.keys}
        available = {**keys, **data.per_sequence}
        self._check_included([*available, *data.per_step])
        wanted = {"y", *self.include}
        self.per_sequence = {
            name: self._numbers(name, np.asarray(array), int, text=name != "y")
            for name, array in available.items()
            if name in wanted
        }
        self.y: Array | None = self.per_sequence.get("y")
        if self.y is None:
            wanted.add("step_y")
        self.per_step = {
            name: StepArray(
                in_place(array.data if isinstance(data, Ragged) else slots(array.data), spool), array.value
            )
            for name, array in data.per_step.items()
            if name in wanted
        }
        self.step_y: StepArray | None = self.per_step.get("step_y") if self.y is None else None

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
        return _reopened, (self.path, self._requested, self.include, len(self), self._size)

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """The shape of a step: (F,), () for token ids, (H, W, C) for frames."""
        return self._steps.shape[1:]

    @property
    def real_steps(self) -> AnyArray:
        """The steps of all sequences, end to end, in their own dtype: (S, ...), read in chunks."""
        if self.maxlen is None:
            return self._steps
        offsets = offsets_of(self.lengths)
        return lazy_gather(self._steps, self._starts, offsets, (int(offsets[-1]), *self.feature_shape))

    def take(self, indices: Iterable[int]) -> Ragged:
        """The sequences at these positions, in this order, with their labels, in memory.

        Raises IndexError for a position out of range, DataError for a number that the dtype cannot hold.
        """
        chosen = self._positions(indices)
        starts, lengths = self._starts[chosen], self.lengths[chosen]
        offsets = offsets_of(lengths)

        def rows(array: AnyArray) -> Array:
            if isinstance(array, np.ndarray):
                return array.take(ranges(starts, lengths), axis=0)  # a copy: a batch is the caller's own
            return gather(array, starts, lengths)

        def sequence(row: int) -> int:
            return int(chosen[sequence_of(offsets, row)])

        per_step = {
            name: StepArray(self._numbers(name, rows(array.data), sequence), array.value)
            for name, array in self.per_step.items()
        }
        return Ragged(
            self._cast("", rows(self._steps), self.dtype, sequence),
            offsets,
            per_sequence={name: array[chosen] for name, array in self.per_sequence.items() if name != "keys"},
            per_step=per_step,
            keys=self.per_sequence["keys"][chosen] if "keys" in self.per_sequence else None,
        )

    def sequence(self, i: int) -> tuple[Array, Array | None]:
        """The steps of a sequence, (L, ...), and its label, or None where the file has none."""
        taken = self.take([i])
        if self.step_y is not None:
            return np.asarray(taken.values), np.asarray(taken.per_step["step_y"].data)
        y = taken.per_sequence.get("y")
        return np.asarray(taken.values), None if y is None else np.asarray(y)[0]

    def batch(self, indices: Iterable[int], *, multiple_of: int = 1, value: Value | None = None) -> Block:
        """The sequences at these positions, in this order, padded at the end to the longest, and to one slot at least.

        The number of slots is rounded up to a multiple of `multiple_of`. Padding holds `value`, by default that of
        the file, and 0 where the file is ragged.
        """
        taken, planned = self._planned(indices, multiple_of, value)
        lengths = np.asarray(taken.lengths)
        if self.step_y is not None:
            return Block(planned.whole(), lengths, planned.whole("step_y"))
        y = taken.per_sequence.get("y")
        return Block(planned.whole(), lengths, None if y is None else np.asarray(y))

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
        taken, planned = self._planned(indices, multiple_of, value)
        batch = {"x": planned.whole(), "lengths": np.asarray(taken.lengths)}
        batch |= {name: np.asarray(array) for name, array in taken.per_sequence.items()}
        batch |= {name: planned.whole(name) for name in taken.per_step}
        if taken.keys is not None:
            batch["keys"] = np.asarray(taken.keys)
        if "mask" in self.include:
            batch["mask"] = np.arange(batch["x"].shape[1]) < batch["lengths"][:, np.newaxis]
        return batch

    def _planned(
        self, indices: Iterable[int], multiple_of: int, value: Value | None
    ) -> tuple[Ragged, PaddedStream]:
        taken = self.take(indices)
        planned = pad_stream(
            taken,
            maxlen=max(1, int(np.asarray(taken.lengths).max(initial=0))),
            padding="post",
            value=self.value if value is None else value,
            multiple_of=multiple_of,
        )
        return taken, planned

    def _positions(self, indices: Iterable[int]) -> Array:
        """Positions of sequences, (B,) int64; raises IndexError for one out of range."""
        chosen = np.fromiter(map(operator.index, indices), np.int64)
        wrong = np.flatnonzero((chosen < 0) | (chosen >= len(self)))
        if len(wrong):
            raise IndexError(
                f"{self.path.name}: there is no sequence {chosen[wrong[0]]}; there are {len(self)}, counted from 0"
            )
        return chosen

    def _dtype_of(self, steps: AnyArray) -> np.dtype[Any]:
        """The dtype of the steps of batches: the requested one, else float32, and int64 for token ids."""
        if self._requested is None:
            tokens = steps.ndim == 1 and steps.dtype.kind in "iu"
            return np.dtype(np.int64 if tokens else np.float32)
        if not np.can_cast(steps.dtype, self._requested, "same_kind"):
            raise UsageError(
                f"dtype is {self._requested}, but the steps of {self.path.name} are {steps.dtype}"
            )
        return self._requested

    def _numbers(
        self, name: str, labels: Array, sequence: Callable[[int], int], *, text: bool = False
    ) -> Array:
        """Labels as losses take them: whole numbers as int64, floats as the float dtype of the steps, else float32."""
        if (text and labels.dtype.kind in "UT") or name == "observed":  # as the mask is
            return labels
        if labels.dtype.kind not in "biuf":
            raise DataError(f"{name} holds text; numbers were expected, with their names in classes")
        whole, floats = np.dtype(np.int64), self.dtype if self.dtype.kind == "f" else np.dtype(np.float32)
        return self._cast(name, labels, floats if labels.dtype.kind == "f" else whole, sequence)

    def _cast(self, name: str, rows: Array, dtype: np.dtype[Any], sequence: Callable[[int], int]) -> Array:
        """Rows as `dtype`; raises DataError where more than the rounding of a fraction would be lost.

        `sequence(row)` is the sequence that a row belongs to, for the message.
        """
        place = first_loss(rows, dtype)
        if place is None:
            return rows.astype(dtype, copy=False)
        number = rows.reshape(-1)[place]
        where = f"{name} of sequence" if name else "sequence"
        where += f" {sequence(place // (rows.size // len(rows)))}"
        raise DataError(
            f"{self.path.name}: {where} holds {number}, which {dtype} cannot hold"
            f"{' exactly' if dtype.kind == 'f' else ''}; {_way_out(number, dtype, labels=bool(name))}"
        )


def _way_out(number: Any, dtype: np.dtype[Any], *, labels: bool) -> str:
    """The advice for a number that a dtype cannot hold."""
    if dtype.kind == "f" and first_loss(np.array([number]), np.dtype(np.float64)) is None:
        return "use dtype float64"
    return "store smaller numbers" if labels else f"use dtype {number.dtype}"


def _reopened(
    path: Path, dtype: np.dtype[Any] | None, include: Sequence[str], count: int, size: int
) -> SequenceFile:
    """The same file opened in another process; raises DataError where it was replaced by another one."""
    file = SequenceFile(path, dtype=dtype, include=include)
    if (len(file), file._size) != (count, size):
        raise DataError(
            f"{path.name}: changed on disk since it was opened: it held {count:,} sequences in {size:,} bytes, and "
            f"holds {len(file):,} in {file._size:,}; reopen it"
        )
    return file
