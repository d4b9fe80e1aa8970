"""Sequences of a file for TensorFlow: a `tf.data.Dataset` of padded batches with their lengths.

`for x, lengths, y in dataset("train.npz", shuffle=True)` goes through them; lengths are what
`dynamic_rnn` takes as `sequence_length`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

try:
    import tensorflow as tf
except ModuleNotFoundError as missing:
    raise ImportError(f"seqtool.tf needs TensorFlow ({missing}): pip install tensorflow") from None

from seqtool.arrays.dtypes import Array
from seqtool.sequences.validation import offsets_of
from seqtool.training.batches import check_options, epoch
from seqtool.training.in_memory import InMemory
from seqtool.training.sequence_file import SequenceFile

_PREFETCHED = 2  # batches that are read while the network trains


def dataset(
    path: str | os.PathLike[str],
    *,
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int = 0,
    dtype: str | None = None,
    include: Sequence[str] = (),
    boundaries: Sequence[int] | None = None,
    in_memory: InMemory = "auto",
) -> Any:
    """The sequences of an `.npz` of ours, padded or ragged, as a `tf.data.Dataset` of padded batches.

    A batch is `(x, lengths, y)`, or `(x, lengths)` where the file has no labels. `x` is (B, T, F) float32,
    (B, T, H, W, C) of frames, or (B, T) int64 of token ids (`dtype` names another type), padded at the end up to the
    longest sequence of the batch with what padding holds in the file; `lengths` is (B,) int64; `y` is (B, ...), or
    (B, T) of labels of steps. It may be gone through any number of times; with `shuffle` each time in an order of its
    own, which follows from `seed`, in batches of similar lengths; with `boundaries`, such as those that `seqtool plan`
    shows, each of one bucket of lengths. Steps are read into memory with `in_memory=True`, and by default ("auto")
    where they take at most a quarter of the memory that is allowed; with False each batch is read from the file.
    Errors are those of `SequenceFile`.

    `include` names what else of the file goes with each batch: `static`, `keys`, `part`, `split`,
    `original_lengths`, the labels `y` and `step_y`, `row_index`, `y_row_index`, `y_order`, `c`,
    `observed`, `weight`, `order`, and `mask`. Then a batch is a dict by these names,
    with `x`, `lengths` and the label, `y` or else `step_y`.
    """
    check_options(batch_size=batch_size, seed=seed)
    file = SequenceFile(path, dtype=dtype, include=include, in_memory=in_memory)
    epochs = count()

    def drawn() -> tuple[Array, Array]:
        """The order of the next epoch, and where each of its batches begins and ends in it."""
        random = (seed, next(epochs)) if shuffle else None
        batches = epoch(file.lengths, batch_size=batch_size, seed=random, boundaries=boundaries)
        return np.concatenate([np.empty(0, np.int64), *batches]), offsets_of(np.array([*map(len, batches)]))

    def gathered(indices: Array) -> list[Array]:
        return list(file.named_batch(indices).values())

    def batch(indices: Any) -> Any:
        arrays = tf.numpy_function(gathered, [indices], [spec.dtype for spec in specs.values()])
        for array, spec in zip(arrays, specs.values(), strict=True):
            array.set_shape(spec.shape)
        return dict(zip(specs, arrays, strict=True)) if file.include else tuple(arrays)

    def batches(_: Any) -> Any:
        order, edges = tf.numpy_function(drawn, [], [tf.int64, tf.int64])
        edges.set_shape([None])
        order.set_shape([None])
        places = tf.data.Dataset.from_tensor_slices((edges[:-1], edges[1:]))
        return places.map(lambda begin, end: batch(order[begin:end]))

    specs = {name: _spec(file, name, array) for name, array in file.named_batch([]).items()}
    # One call of Python for each batch: from_generator makes several.
    whole = tf.data.Dataset.from_tensors(0).flat_map(batches)
    number = len(epoch(file.lengths, batch_size=batch_size, boundaries=boundaries))
    return whole.apply(tf.data.experimental.assert_cardinality(number)).prefetch(_PREFETCHED)


def _spec(file: SequenceFile, name: str, array: Any) -> Any:
    """What batches of an array are like, of any number of sequences and slots."""
    by_step = name in ("x", "mask") or name in file.per_step
    rest = array.shape[1 + by_step :]
    dtype = "string" if array.dtype.kind in "UT" else array.dtype.name
    return tf.TensorSpec((None, *[None] * by_step, *rest), dtype)
