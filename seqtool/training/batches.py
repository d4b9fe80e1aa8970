"""Which sequences go into which batch of an epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.errors import UsageError

POOL = 100  # batches whose sequences are sorted by length together


def epoch(
    lengths: Array, *, batch_size: int, seed: Sequence[int] | None = None, pool: int = POOL
) -> list[Array]:
    """The positions of the sequences of one epoch, batch by batch: in order, or shuffled where there is a `seed`.

    `lengths` is (N,); there are ceil(N / batch_size) batches. A shuffled batch holds sequences of similar lengths, see
    `length_batches`. Raises UsageError as `check_options` does.

    >>> [batch.tolist() for batch in epoch(np.array([3, 1, 2]), batch_size=2)]
    [[0, 1], [2]]
    """
    check_options(batch_size=batch_size, seed=min(seed or (0,)))
    order = np.arange(len(lengths))
    if seed is None:
        return [order[begin : begin + batch_size] for begin in range(0, len(order), batch_size)]
    random = np.random.default_rng(seed)
    random.shuffle(order)
    return list(length_batches(order, lengths, batch_size=batch_size, random=random, pool=pool))


def length_batches(
    order: Iterable[int], lengths: Array, *, batch_size: int, random: np.random.Generator, pool: int = POOL
) -> Iterator[Array]:
    """Divide n sequences, in any order, into ceil(n / batch_size) batches of similar lengths.

    The sequences of `pool` batches at a time are sorted by length and divided, and these batches come in random
    order. `lengths` (N,) are those of all sequences.

    >>> random = np.random.default_rng(0)
    >>> batches = length_batches(range(4), np.array([9, 2, 9, 2]), batch_size=2, random=random)
    >>> sorted(batch.tolist() for batch in batches)
    [[0, 2], [1, 3]]
    """
    drawn = iter(order)
    while len(pooled := np.fromiter(islice(drawn, pool * batch_size), np.int64)):
        by_length = pooled[np.argsort(lengths[pooled], kind="stable")]
        batches = [by_length[begin : begin + batch_size] for begin in range(0, len(by_length), batch_size)]
        for i in random.permutation(len(batches)).tolist():
            yield batches[i]


def check_options(*, batch_size: int, seed: int = 0, multiple_of: int = 1) -> None:
    """Raise UsageError unless batch_size and multiple_of are at least 1, and seed at least 0."""
    for name, number, least in (
        ("batch_size", batch_size, 1),
        ("seed", seed, 0),
        ("multiple_of", multiple_of, 1),
    ):
        if number < least:
            raise UsageError(f"{name} is {number}; it must be at least {least}")
