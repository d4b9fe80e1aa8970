"""External blocks whose rows hold several sequences each, packed one behind the other for an attention mask.

A recurrent layer carries its state from one sequence of such a row into the next. What tells them apart stands in a
second array of the same (N, T): numbers of segments, or positions that begin again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import chunks
from seqtool.checking.findings import Finding
from seqtool.files.zip_reader import ZipReader

_SEGMENTS = ("segment_ids", "segments", "sequence_ids", "seq_ids", "doc_ids", "document_ids")
_POSITIONS = ("position_ids", "positions")


def packed(archive: ZipReader, others: Sequence[str], block: tuple[int, ...]) -> Finding | None:
    """A warning where an array beside a block (N, T, ...) says that rows hold several sequences; None elsewhere."""
    for name in others:
        if name not in (*_SEGMENTS, *_POSITIONS):
            continue
        shape, dtype = archive.header(name)
        if shape != block[:2] or dtype.kind not in "iu":
            continue
        begins = _segments if name in _SEGMENTS else _restarts
        rows, first = 0, None
        for begin, part in chunks(archive.window(name)):
            several = np.flatnonzero(begins(part) > 1)
            rows += len(several)
            first = begin + int(several[0]) if first is None and len(several) else first
        if rows:
            hold = "row holds" if rows == 1 else "rows hold"
            message = (
                f"{rows:,} {hold} several sequences, as {name} says: a recurrent layer carries its state from one into "
                "the next; give each sequence a row of its own"
            )
            return Finding("packed", "warning", message, rows, f"{name}[{first}]")
    return None


def _segments(numbers: Array) -> Array:
    """How many segments, whose numbers are not 0, each row (n, T) has."""
    changes = np.diff(numbers, axis=1, prepend=0) != 0
    return np.asarray((changes & (numbers != 0)).sum(axis=1))


def _restarts(positions: Array) -> Array:
    """How often the positions in each row (n, T) rise from 0 to 1."""
    return np.asarray(((positions[:, :-1] == 0) & (positions[:, 1:] == 1)).sum(axis=1))
