"""A folder of shards: whether each sequence stands in the shard that the hash of its key names."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np

from seqtool.arrays.lazy import chunks, stretch
from seqtool.checking.findings import Finding
from seqtool.files.shards import ShardedArrays
from seqtool.sequences.keys import shown_key
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sharding.hashing import shards_of
from seqtool.words import count


def shards(archive: ShardedArrays, data: Ragged | Padded) -> Finding:
    """A finding on the shards of a data set: the first sequence that no one would find by its key, if there is one."""
    manifest, keys = archive.manifest, data.keys
    files = count(len(manifest.files), "file")
    if keys is None or not manifest.hashed:  # all rows are one key
        return Finding("shards", "ok", files)
    wrong, first = 0, None
    bounds = [*accumulate((shard.sequences for shard in manifest.files), initial=0)]
    for shard, (begin, end) in zip(manifest.files, pairwise(bounds), strict=True):
        for at, part in chunks(stretch(keys, begin, end)):  # type: ignore[arg-type] # text is sliced like any array
            columns = part.reshape(len(part), -1).T[: manifest.hashed]
            places = np.flatnonzero(shards_of([*map(_column, columns)], manifest.count) != shard.shard)
            wrong += len(places)
            if first is None and len(places):
                first = begin + at + int(places[0])
    if first is None:
        return Finding("shards", "ok", f"{files}, each key in the one of its hash")
    message = (
        f"{count(wrong, 'sequence')} in another shard than that of the key's hash: no one finds them by key"
    )
    return Finding("shards", "fails", message, wrong, shown_key(keys, first))


def _column(cells: np.ndarray) -> object:
    import pyarrow as pa

    return cells.astype(np.int64) if cells.dtype.kind in "iu" else pa.array(cells.tolist(), pa.string())
