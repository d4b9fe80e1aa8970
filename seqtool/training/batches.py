"""Which sequences go into which batch of an epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.errors import UsageError, check_whole

POOL = 100  # batches whose sequences are sorted by length together


def epoch(
    lengths: Array,
    *,
    batch_size: int,
    seed: Sequence[int] | None = None,
    pool: int = POOL,
    boundaries: Sequence[int] | None = None,
) -> list[Array]:
    """The positions of the sequences of one epoch, batch by batch: in order, or shuffled where there is a `seed`.

    `lengths` is (N,); there are ceil(N / batch_size) batches. A shuffled batch holds sequences of similar lengths, see
    `length_batches`; with `boundaries` those of one bucket, see `bucket_batches`. Raises UsageError as
    `check_options` does.

    >>> [batch.tolist() for batch in epoch(np.array([3, 1, 2]), batch_size=2)]
    [[0, 1], [2]]
    """
    check_options(batch_size=batch_size, seed=min(seed or (0,)))
    order = np.arange(len(lengths))
    if boundaries is not None:
        drawn = None if seed is None else np.random.default_rng(seed)
        return bucket_batches(order, lengths, boundaries, batch_size=batch_size, random=drawn)
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


def bucket_batches(
    order: Array,
    lengths: Array,
    boundaries: Sequence[int],
    *,
    batch_size: int,
    random: np.random.Generator | None,
) -> list[Array]:
    """Divide sequences into buckets by their lengths, and each bucket into batches; `random` shuffles both.

    The first bucket holds lengths up to `boundaries[0]`, and so on; the last those above all boundaries. Each bucket
    may end with a batch that is not full. Raises UsageError for boundaries that do not ascend.

    >>> found = bucket_batches(np.arange(4), np.array([9, 2, 9, 3]), [4], batch_size=2, random=None)
    >>> [batch.tolist() for batch in found]
    [[1, 3], [0, 2]]
    """
    buckets = np.searchsorted(check_boundaries(boundaries), lengths[order])
    batches: list[Array] = []
    for bucket in np.unique(buckets):
        inside = order[buckets == bucket]
        inside = inside if random is None else random.permutation(inside)
        batches += [inside[begin : begin + batch_size] for begin in range(0, len(inside), batch_size)]
    return batches if random is None else [batches[i] for i in random.permutation(len(batches))]


def check_boundaries(boundaries: Sequence[int]) -> Array:
    """Boundaries of buckets as an array; raises UsageError unless they are whole numbers from 1 on, ascending."""
    edges = [check_whole("boundaries", edge) for edge in boundaries]
    if not edges or min(edges) < 1 or sorted(set(edges)) != edges:
        raise UsageError(
            f"boundaries is {list(boundaries)}; ascending lengths were expected, such as [10, 20]"
        )
    return np.array(edges)


def check_options(*, batch_size: int, seed: int = 0, multiple_of: int = 1) -> None:
    """Raise UsageError unless batch_size and multiple_of are at least 1, and seed at least 0."""
    for name, number, least in (
        ("batch_size", batch_size, 1),
        ("seed", seed, 0),
        ("multiple_of", multiple_of, 1),
    ):
        if number < least:
            raise UsageError(f"{name} is {number}; it must be at least {least}")
