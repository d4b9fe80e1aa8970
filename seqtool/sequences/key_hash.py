"""Numbers that sequences keep: a hash of seed and key, by which to draw or to split them whatever their order."""

from __future__ import annotations

from hashlib import blake2b
from typing import cast

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.arrays.text import Text
from seqtool.sequences.keys import numbers_as_keys
from seqtool.sequences.ragged import Ragged


def sequence_hashes(ragged: Ragged, seed: int, *, spool: Spool | None = None) -> AnyArray:
    """A hash of each sequence, (N,) uint64: of its key and part, or of its place where sequences have no keys.

    >>> import numpy as np
    >>> one, other = (Ragged(np.arange(2), np.arange(3), keys=np.array(keys)) for keys in ([7, 8], ["8", "7"]))
    >>> sequence_hashes(one, 0).tolist() == sequence_hashes(other, 0).tolist()[::-1]
    True
    """
    keys = numbers_as_keys(len(ragged)) if ragged.keys is None else ragged.keys
    return key_hashes(keys, ragged.per_sequence.get("part"), seed, spool=spool)


def key_hashes(
    keys: AnyArray | Text, part: AnyArray | None, seed: int, *, spool: Spool | None = None
) -> AnyArray:
    """A hash of each key, (N,) or (N, K) of numbers or text, and of its part (N,) if there is one: (N,) uint64.

    The same seed, key and part give the same number in every file and on every machine; 7 is the same key as "7".
    Hashes go to `spool` where they are large.

    >>> import numpy as np
    >>> key_hashes(np.array([7, 8]), None, 0).tolist() == key_hashes(np.array(["7", "8"]), None, 0).tolist()
    True
    """
    seeded = blake2b(f"{seed}\0".encode(), digest_size=8)  # the hash's own key would be a block of its own
    hashes = GrowingArray(spool or Spool(), np.dtype(np.uint64))
    for begin, cells in chunks(cast(AnyArray, keys), _TOGETHER):
        columns = list(cells.reshape(len(cells), -1).T)
        if part is not None:
            columns.append(part[begin : begin + len(cells)])
        texts = (map(str, column.tolist()) for column in columns)
        written = map("\0".join, zip(*texts, strict=True))  # no key holds a NUL
        digests = []
        for text in written:
            one = seeded.copy()
            one.update(text.encode())
            digests.append(one.digest())
        hashes.add(np.frombuffer(b"".join(digests), "<u8").astype(np.uint64))
    return hashes.done()


_TOGETHER = 1 << 18  # bytes of keys that become Python's objects together


def least_hashes(ragged: Ragged, places: AnyArray, seed: int, number: int, *, spool: Spool) -> Array:
    """Of sequences at ascending places the `number` with the least hashes, in their order, (number,) int64.

    >>> import numpy as np
    >>> len(least_hashes(Ragged(np.arange(9), np.arange(10)), np.array([1, 3, 5, 7]), 0, 2, spool=Spool()))
    2
    """
    hashes = sequence_hashes(ragged, seed, spool=spool)
    least, found = np.empty(0, np.uint64), np.empty(0, np.int64)
    for _, part in chunks(places):
        least = np.concatenate([least, gather(hashes, part)])
        found = np.concatenate([found, part])
        order = np.argsort(least, kind="stable")[:number]  # of equal ones the first
        least, found = least[order], found[order]
    return np.sort(found)
