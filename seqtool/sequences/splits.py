"""The array `split` (N,): which of train, val and test a sequence belongs to."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.spool import GrowingArray, Spool

TRAIN, VAL, TEST = SPLITS = ("train", "val", "test")


def splits_in(split: AnyArray) -> list[str]:
    """The names in an array of splits: train, val and test first, in this order, then others by name.

    >>> splits_in(np.array(["test", "train", "test"]))
    ['train', 'test']
    """
    found: set[Any] = set()
    for _, part in chunks(split):
        found.update(np.unique(part).tolist())
    names = sorted(map(str, found))
    return [*(name for name in SPLITS if name in names), *(name for name in names if name not in SPLITS)]


def places_of(split: AnyArray, name: str, spool: Spool) -> AnyArray:
    """The places of the sequences of one split, (M,) int64, in their order; in `spool` where they are many.

    >>> places_of(np.array(["test", "train", "test"]), "test", Spool())
    array([0, 2])
    """
    places = GrowingArray(spool, np.dtype(np.int64))
    for begin, part in chunks(split):
        places.add(np.flatnonzero(part == name) + begin)
    return places.done()
