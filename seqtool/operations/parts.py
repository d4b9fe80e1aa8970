"""The parts of split sequences: one for each name in the array `split`, which may be written to a file each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seqtool.arrays.spool import Spool
from seqtool.errors import DataError
from seqtool.operations.pad import Data
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.receipts import with_fewer_kept
from seqtool.sequences.splits import counts_of, places_of
from seqtool.sequences.stream import PaddedStream
from seqtool.sequences.take import take


def parts_of(data: Data, spool: Spool) -> dict[str, Data]:
    """The sequences of each split by its name, train first; a padded block keeps its maxlen, side and value.

    The receipt of each counts the steps of the others as dropped. Raises DataError for sequences without an array
    `split`.

    >>> import numpy as np
    >>> split = {"split": np.array(["test", "train"])}
    >>> {name: part.keys.tolist() for name, part in parts_of(
    ...     Ragged(np.arange(3), np.array([0, 1, 3]), keys=np.array([7, 8]), per_sequence=split), Spool()).items()}
    {'train': [8], 'test': [7]}
    """
    split = data.per_sequence.get("split")
    if split is None:
        raise DataError(
            "the sequences have no array split, which says what goes to which file; see seqtool split"
        )
    whole = data if isinstance(data, Ragged) else data.ragged
    parts: dict[str, Any] = {}
    for name in counts_of(split):
        part = take(whole, places_of(split, name, spool), spool=spool)
        if part.receipt and "rows" in part.receipt[-1]:  # foreign receipts may count nothing
            entry = with_fewer_kept(part.receipt[-1], len(part.values), "in the file of another split")
            part = part.replace(receipt=(*part.receipt[:-1], entry))
        parts[name] = part if isinstance(data, Ragged) else _padded_part(data, part, first=not parts)
    return parts


def _padded_part(data: PaddedStream, part: Ragged, *, first: bool) -> PaddedStream:
    """A part of a padded block; what is reported of the whole goes with the first."""
    return replace(
        data, ragged=part, lines=data.lines if first else (), warnings=data.warnings if first else ()
    )
