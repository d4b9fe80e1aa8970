"""Sequences of a file for TensorFlow: a `tf.data.Dataset` of padded batches with their lengths.

`for x, lengths, y in dataset("train.npz", shuffle=True)` goes through them; lengths are what
`dynamic_rnn` takes as `sequence_length`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

try:
    import tensorflow as tf
except ModuleNotFoundError as missing:
    raise ImportError(f"seqtool.tf needs TensorFlow ({missing}): pip install tensorflow") from None

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

    def batches() -> Iterator[Any]:
        drawn = (seed, next(epochs)) if shuffle else None
        for indices in epoch(file.lengths, batch_size=batch_size, seed=drawn, boundaries=boundaries):
            if file.include:
                yield file.named_batch(indices)
            else:
                x, lengths, y = file.batch(indices)
                yield (x, lengths) if y is None else (x, lengths, y)

    signature = {name: _spec(file, name, array) for name, array in file.named_batch([]).items()}
    whole = tf.data.Dataset.from_generator(
        batches, output_signature=signature if file.include else tuple(signature.values())
    )
    number = len(epoch(file.lengths, batch_size=batch_size, boundaries=boundaries))
    return whole.apply(tf.data.experimental.assert_cardinality(number)).prefetch(_PREFETCHED)


def _spec(file: SequenceFile, name: str, array: Any) -> Any:
    """What batches of an array are like, of any number of sequences and slots."""
    by_step = name in ("x", "mask") or name in file.per_step
    rest = array.shape[1 + by_step :]
    dtype = "string" if array.dtype.kind in "UT" else array.dtype.name
    return tf.TensorSpec((None, *[None] * by_step, *rest), dtype)
