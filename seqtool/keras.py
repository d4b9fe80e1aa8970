"""Sequences of a file for Keras 3, whichever backend it has: a PyDataset of padded batches, and a masked input.

With `data = SequenceData("train.npz", shuffle=True)` and `inputs, masked = masked_input(data)`, layers go on
top of `masked`, and `fit(data)` trains the model from `inputs` to them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

try:
    import keras
except ModuleNotFoundError as missing:
    raise ImportError(
        f"seqtool.keras needs Keras 3 and a backend ({missing}): pip install keras tensorflow, or set "
        "KERAS_BACKEND to torch or jax and install that"
    ) from None

from seqtool.advice import Advice, Message
from seqtool.arrays.gather import sequence_of
from seqtool.errors import DataError, at
from seqtool.operations.mask_value import free_value, holding
from seqtool.sequences.lengths import LengthCounts
from seqtool.sequences.padding_values import Value, mask_number
from seqtool.sequences.validation import offsets_of
from seqtool.training.batches import POOL, check_boundaries, check_options, epoch
from seqtool.training.in_memory import InMemory
from seqtool.training.sequence_file import SequenceFile
from seqtool.words import step_in_words

_SHAPES = 8  # about as many padded lengths, each of which some backends compile a network for


class SequenceData(keras.utils.PyDataset):
    """Padded batches of the sequences of an `.npz` of ours, for `fit`, `evaluate` and `predict`.

    A batch is `(x, y)`, or `x` alone where the file has no labels, in NumPy. `x` is (B, T, F) float32, or
    of steps of more dimensions (B, T, H, W, C), or (B, T) int64 of token ids, padded at the end whatever side the
    file pads, as cuDNN needs it. T is the longest sequence of a batch, rounded up to `multiple_of`: by default the
    slots of a padded file, and for a ragged one such that there are few shapes to compile. Where lengths differ the
    second batch is never as long as the first, for Keras on TensorFlow would take their length for that of all.
    With `boundaries`, such as those that `seqtool plan` shows, a batch holds sequences of one bucket of lengths, and T
    is its boundary. Padding holds `value`, by default what it holds in the file, and 0 where the file is ragged.
    `dtype` names another type of steps. Steps are read into memory with `in_memory=True`, and by default ("auto") where
    they take at most a quarter of the memory that is allowed; with False each batch is read from the file.

    With `shuffle` every epoch has an order of its own, which follows from `seed`; leave it out for
    `predict`, whose results come in the order of the batches. `workers`, `use_multiprocessing` and
    `max_queue_size` are those of Keras. Errors are those of `seqtool.training.sequence_file.SequenceFile`.

    `include` names what else of the file goes with each batch: `static`, `keys`, `part`, `split`,
    `original_lengths`, the labels `y` and `step_y`, `row_index`, `y_row_index`, `y_order`, `c`,
    `observed`, `weight`, `order`, `lengths`, and `mask`. Then `x` is a dict of
    arrays by these names, `x` among them, of which a network takes those that its inputs are named after; both
    labels make a dict of targets. Networks take no text: of keys that are text, call `data.named(i)`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        batch_size: int = 32,
        shuffle: bool = False,
        seed: int = 0,
        value: Value | None = None,
        multiple_of: int | None = None,
        dtype: str | None = None,
        include: Sequence[str] = (),
        boundaries: Sequence[int] | None = None,
        in_memory: InMemory = "auto",
        workers: int = 1,
        use_multiprocessing: bool = False,
        max_queue_size: int = 10,
    ) -> None:
        super().__init__(
            workers=workers, use_multiprocessing=use_multiprocessing, max_queue_size=max_queue_size
        )
        check_options(batch_size=batch_size, seed=seed, multiple_of=1 if multiple_of is None else multiple_of)
        self.file = SequenceFile(path, dtype=dtype, include=include, in_memory=in_memory)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.boundaries = None if boundaries is None else check_boundaries(boundaries).tolist()
        self.value = self.file.value if value is None else value
        self.multiple_of = _multiple_of(self.file) if multiple_of is None else multiple_of
        self.epoch = 0
        self._draw()
        lengths = self.file.lengths
        self._differ = len(self) > 1 and self._slots(int(lengths.min())) < self._slots(int(lengths.max()))

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> Any:
        if self.file.include:
            return self._inputs_and_targets(self.named(index))
        x, _, y = self.file.batch(self._batches[index], multiple_of=self._multiple(index), value=self.value)
        return x if y is None else (x, y)

    def named(self, index: int) -> dict[str, Any]:
        """All of a batch by name: `x`, `lengths`, the label, and what is included, text too."""
        return self.file.named_batch(
            self._batches[index], multiple_of=self._multiple(index), value=self.value
        )

    def _inputs_and_targets(self, batch: dict[str, Any]) -> Any:
        targets = {name: batch.pop(name) for name in ("y", "step_y") if name in batch}
        if "lengths" not in self.file.include:
            del batch["lengths"]
        inputs = {name: array for name, array in batch.items() if array.dtype.kind not in "UT"}
        if not targets:
            return inputs
        return inputs, targets if len(targets) > 1 else next(iter(targets.values()))

    def _multiple(self, index: int) -> int:
        """What the slots of a batch are rounded up to."""
        multiple = self._unit(int(self.file.lengths[self._batches[index]].max()))
        if index == 1 and self._differ and self._longest(0) == self._longest(1):
            # On TensorFlow Keras takes the shape of the first two batches for that of all, unless these differ.
            multiple += self._longest(0)
        return multiple

    def _longest(self, index: int) -> int:
        """The slots of a batch."""
        return self._slots(int(self.file.lengths[self._batches[index]].max()))

    def _slots(self, length: int) -> int:
        """A length, rounded up as batches are."""
        unit = self._unit(length)
        return -(-max(1, length) // unit) * unit

    def _unit(self, length: int) -> int:
        """What a length is rounded up to a multiple of: the boundary of its bucket, if it has one."""
        return next((edge for edge in self.boundaries or () if length <= edge), self.multiple_of)

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch; Keras calls it."""
        self.epoch += 1
        if self.shuffle:
            self._draw()

    def _draw(self) -> None:
        self._batches = epoch(
            self.file.lengths,
            batch_size=self.batch_size,
            seed=(self.seed, self.epoch) if self.shuffle else None,
            boundaries=self.boundaries,
            pool=POOL if self.file.maxlen is None else 1,  # one length needs no sorting by length
        )


def _multiple_of(file: SequenceFile) -> int:
    """All slots of a padded file, else a share of what nine of ten sequences do not exceed."""
    if file.maxlen is not None or not len(file):
        return max(1, file.maxlen or 1)
    return max(1, -(-LengthCounts.of(file.lengths).quantile(0.9) // _SHAPES))


def masked_input(data: SequenceData | str | os.PathLike[str]) -> tuple[Any, Any]:
    """The input of a network that passes padding over, as `(inputs, masked)`; layers go on top of `masked`.

    Of F features it is an Input of (None, F) and Masking with the value that padding holds. Token ids are an
    Input of (None,) alone, twice: `Embedding(mask_zero=True)` masks them. Of steps of several dimensions there is none,
    for Masking compares the last one alone: `include=["mask"]` gives layers their mask. The file is gone through once:
    raises DataError where no mask can tell the padding, or where one would skip real steps too.
    """
    file = data.file if isinstance(data, SequenceData) else SequenceFile(data, in_memory=False)
    value = data.value if isinstance(data, SequenceData) else file.value
    ids, number = not file.feature_shape, mask_number(value)
    if len(file.feature_shape) > 1:
        raise DataError(
            f"{file.path.name}: a step is {step_in_words(file.feature_shape)}, and Masking compares the last axis "
            f"alone; use SequenceData({file.path.name!r}, include=['mask']), and call layers with mask=mask"
        )
    if ids and number != 0:
        raise DataError(
            f"{file.path.name}: padding holds {value}, but Embedding(mask_zero=True) masks 0; ",
            _padded_with(file, 0),
        )
    if number is None:
        raise DataError(
            f"{file.path.name}: padding holds {value}, but Masking takes one finite number; ",
            _padded_with(file, _free_value(file)),
        )
    _check_real_steps(file, number, ids=ids)
    inputs = keras.Input((None, *file.feature_shape), dtype=file.dtype.name, name="x")
    return inputs, inputs if ids else keras.layers.Masking(float(number))(inputs)


def _check_real_steps(file: SequenceFile, number: float, *, ids: bool) -> None:
    """Raise DataError where real steps hold what marks padding, so that a mask would skip them."""
    held = holding(file.real_steps, number)
    if held is None:
        return
    first = sequence_of(offsets_of(file.lengths), held.first)
    what, mask = ("", "Embedding(mask_zero=True)") if ids else (" in every feature", "Masking")
    raise DataError(
        f"{file.path.name}: {mask} would skip {held.count:,} real steps that hold {number}{what}, the first of them "
        f"in sequence {first}; ",
        "let ids begin at 1" if ids else _padded_with(file, _free_value(file)),
    )


def _free_value(file: SequenceFile) -> int:
    with at(file.path.name):
        return free_value(file.real_steps, file.dtype)


def _padded_with(file: SequenceFile, value: float) -> Message:
    """How to pad with another value."""
    name = file.path.name
    return Message(
        f"use SequenceData({name!r}, value={value}), or ", Advice("seqtool", "pad", name, "--value", value)
    )
