"""The array `split` (N,): which of train, val and test a sequence belongs to."""

from __future__ import annotations

from collections import Counter

import numpy as np

from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.spool import GrowingArray, Spool

TRAIN, VAL, TEST = SPLITS = ("train", "val", "test")


def counts_of(split: AnyArray) -> dict[str, int]:
    """How many sequences each split has: train, val and test first, in this order, then others by name.

    >>> counts_of(np.array(["test", "train", "test"]))
    {'train': 1, 'test': 2}
    """
    found: Counter[str] = Counter()
    for _, part in chunks(split):
        for name in SPLITS:  # to look for each is quicker than to sort them all
            here = part == name
            if here.any():
                found[name] += int(here.sum())
                part = part[~here]
        names, counts = np.unique(part, return_counts=True)
        found.update(dict(zip(map(str, names.tolist()), counts.tolist(), strict=True)))
    known = [name for name in SPLITS if name in found]
    return {name: found[name] for name in (*known, *sorted({*found} - {*SPLITS}))}


def places_of(split: AnyArray, name: str, spool: Spool) -> AnyArray:
    """The places of the sequences of one split, (M,) int64, in their order; in `spool` where they are many.

    >>> places_of(np.array(["test", "train", "test"]), "test", Spool())
    array([0, 2])
    """
    places = GrowingArray(spool, np.dtype(np.int64))
    for begin, part in chunks(split):
        places.add(np.flatnonzero(part == name) + begin)
    return places.done()
