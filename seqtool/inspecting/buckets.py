"""The buckets of similar lengths that take the fewest slots, and the slots of batches of similar lengths."""

from __future__ import annotations

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.sequences.lengths import LengthCounts

_EXACT = 512  # up to so many distinct lengths, each is tried as the end of a bucket
_SHARES = _EXACT // 2  # of more lengths, the ends of so many equal shares of the sequences, and of the steps


def best_buckets(counts: LengthCounts, *, most: int) -> tuple[int, ...]:
    """The longest length of each of at most `most` buckets, ascending, chosen to take the fewest slots together.

    A sequence goes to the first bucket that holds it whole, and is padded to that bucket's longest. The choice
    is optimal for up to 512 distinct lengths. Among more lengths, buckets may end only where equal shares of the
    sequences, or of the steps, end: at 512 lengths at most. At least one sequence must have a step.

    >>> best_buckets(LengthCounts.of(np.array([1, 2, 2, 9])), most=2)
    (2, 9)
    """
    ends = _possible_ends(counts)
    lengths = counts.lengths[ends].astype(np.float64)  # whole numbers, and no overflow
    upto = counts.sequences.cumsum()[ends].astype(np.float64)
    fewest = upto * lengths  # slots of all sequences up to each end: in one bucket first, then in one more
    splits: list[Array] = []
    for _ in range(min(most, len(ends)) - 1):
        # From bucket to bucket only the sequences behind an earlier end are padded to a later one.
        slots = fewest[:, None] + (upto - upto[:, None]) * lengths
        slots[np.tril_indices(len(ends))] = np.inf
        splits.append(slots.argmin(axis=0))
        fewest = slots.min(axis=0)
    chosen = [len(ends) - 1]
    for split in reversed(splits):
        chosen.append(int(split[chosen[-1]]))
    return tuple(counts.lengths[ends[chosen[::-1]]].tolist())


def _possible_ends(counts: LengthCounts) -> Array:
    """Places in `counts.lengths` where a bucket may end; the last one is always among them."""
    real = np.flatnonzero(counts.lengths)  # sequences without a step go to the first bucket
    if len(real) <= _EXACT:
        return real
    found = []
    for amounts in (counts.sequences, counts.lengths * counts.sequences):
        upto = amounts.cumsum()
        shares = [-(-int(upto[-1]) * i // _SHARES) for i in range(1, _SHARES + 1)]
        found.append(np.searchsorted(upto, shares))
    return np.unique(np.maximum(np.concatenate(found), real[0]))


def bucket_slots(counts: LengthCounts, maxlens: tuple[int, ...]) -> int:
    """The slots of all sequences, each padded to the first of the ascending `maxlens` that holds it whole.

    >>> bucket_slots(LengthCounts.of(np.array([1, 2, 2, 9])), (2, 9))
    15
    """
    upto = counts.sequences.cumsum()[np.searchsorted(counts.lengths, maxlens, side="right") - 1]
    return sum(
        maxlen * inside for maxlen, inside in zip(maxlens, np.diff(upto, prepend=0).tolist(), strict=True)
    )


def batch_slots(counts: LengthCounts, *, batch_size: int) -> int:
    """The slots of all sequences, sorted by length, cut into batches, each padded to its own longest.

    >>> batch_slots(LengthCounts.of(np.array([9, 1, 2, 2])), batch_size=3)
    15
    """
    full = np.diff(counts.sequences.cumsum() // batch_size, prepend=0)  # batches that end within each length
    return batch_size * int(full @ counts.lengths) + counts.count % batch_size * counts.longest
