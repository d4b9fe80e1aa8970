"""Shards that are much larger than the others, and the keys that make them so.

All rows of a key go to one task. What that costs is known after the first pass, before any row moves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array
from seqtool.dataclass import dataclass
from seqtool.files.manifest import shard_of
from seqtool.words import human

_ONE_IN = 256  # rows that are looked at
_KEPT = 64  # keys: enough for each that has a 64th of the rows of a file
_LEAST_ROWS = 4  # rows of a sample, whose shares are those of chance
_UNEVEN = 3  # times the mean of all shards; keys of like sizes do not differ so much by chance
_MORE = 8  # times as many shards divide a few large keys that fell together


@dataclass(frozen=True)
class Frequent:
    """The most frequent keys of a sample of rows, by the count of Misra and Gries.

    `counts` are too low by at most a 65th of the rows `sampled`; a key is the texts of its columns.
    """

    counts: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    sampled: int = 0

    @classmethod
    def of(cls, keys: Sequence[Any]) -> Frequent:
        """Those of a batch, by its key columns: NumPy integers or Arrow text.

        >>> Frequent.of([np.full(1000, 7)]).counts
        {('7',): 4}
        """
        count = len(keys[0])
        # At random, for every 256th row may be that of one sensor; by one seed, so that attempts agree.
        rows = np.random.default_rng(0).integers(0, count, -(-count // _ONE_IN))
        texts = [map(str, column.take(rows).tolist()) for column in keys]
        return cls(_fewest(Counter(zip(*texts, strict=True))), len(rows))

    def merge(self, other: Frequent) -> Frequent:
        """Those of the rows of both."""
        counts = Counter(self.counts)
        counts.update(other.counts)
        return Frequent(_fewest(counts), self.sampled + other.sampled)


def _fewest(counts: Counter[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    """The counts of the most frequent keys, less that of the first which is left out."""
    common = counts.most_common(_KEPT + 1)
    less = common.pop()[1] if len(common) > _KEPT else 0
    return {key: number - less for key, number in common if number > less}


def caution(of_shards: Array, frequent: Frequent, *, fits: int, row_bytes: int) -> Message | None:
    """A sentence about the largest shard where it is much larger than the others, and its task has to use the disk.

    `of_shards` (N,) are the rows of each, `fits` those that fit into the memory of a task, `row_bytes` what each takes
    on the disk.
    """
    shard, rows = int(of_shards.argmax()), int(of_shards.max())
    total, shards = int(of_shards.sum()), len(of_shards)
    times = rows * shards / max(1, total)
    if times < _UNEVEN or rows <= fits:
        return None
    cost = (
        f"shard {shard} gets {rows:,} of {total:,} rows ({rows / total:.0%}), {times:.1f} times the mean: the task "
        f"that writes it takes so many times as long as others, and sorts {human(rows * row_bytes)} on its disk; "
    )
    own = {key: number for key, number in frequent.counts.items() if shard_of(key, shards) == shard}
    key = max(own, key=lambda key: own[key], default=())
    of_key = int(own.get(key, 0) * total / max(1, frequent.sampled))
    if 2 * of_key > rows and frequent.sampled > _LEAST_ROWS:
        name = ", ".join(key)
        return Message(
            cost,
            f"about {of_key / total:.0%} of all rows have the key {name!r}, whose sequence more shards do not divide: "
            "a further column of the key does, and --where leaves it out",
        )
    more = Advice("--shards", _MORE * shards)
    return Message(cost, "several large keys fell into it; more shards divide them: ", more)
