"""Whether keys tell sequences apart, and none is in two of train, val and test unless that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, cast

import numpy as np

from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import Spool
from seqtool.checking.findings import Finding, Subject, find_matches
from seqtool.operations.duplicates import key_cells, repeated, shared
from seqtool.sequences.keys import shown_key
from seqtool.sequences.splits import SPLITS, counts_of, places_of
from seqtool.sequences.take import taken_rows
from seqtool.words import count, listed

_WITHIN = ("last", "at")  # arguments of split by which sequences are parted, so that splits share their keys


def keys(subject: Subject, spool: Spool) -> Finding:
    """Keys are unique, or where sequences have parts, (key, part) is; an empty key is a warning.

    Rows without a key end up in one sequence, although they may not belong together.
    """
    stored, part = subject.data.keys, subject.data.per_sequence.get("part")
    assert stored is not None
    duplicates = repeated(key_cells(stored, spool, part=part), spool)
    if duplicates is not None:
        first, again = duplicates.first
        array, unit = ("keys", "key") if part is None else ("part", "(key, part)")
        message = f"duplicate {unit} {shown_key(stored, again, part=part)!r}: keys[{first}] and keys[{again}]"
        return Finding("keys", "fails", message, duplicates.count, f"{array}[{again}]")
    empty = (
        None if stored.dtype.kind in "iu" else find_matches(lambda cells: cells == "", cast(AnyArray, stored))
    )
    if empty is not None:
        return Finding("keys", "warning", "empty keys", empty.count, f"keys{[*empty.cell]}")
    if part is None:
        return Finding("keys", "ok", f"{len(stored):,}, all unique")
    more_parts = repeated(key_cells(stored, spool), spool)
    distinct = len(stored) - (more_parts.count if more_parts else 0)
    message = f"{count(distinct, 'key')} in {count(len(stored), 'part')}, each (key, part) unique"
    return Finding("keys", "ok", message)


def splits(subject: Subject, spool: Spool) -> Finding:
    """Splits have the names that later commands know, and share no key unless sequences were parted on purpose."""
    split = subject.data.per_sequence["split"]
    counts = counts_of(split)
    sizes = ", ".join(f"{name} {number:,}" for name, number in counts.items())
    places = {name: places_of(split, name, spool) for name in counts}
    unknown = [name for name in counts if name not in SPLITS]
    if unknown:
        message = f"{listed(unknown)}: {listed(SPLITS)} were expected; what is fitted is fitted on train"
        return Finding("split", "warning", message)
    keys = subject.data.keys
    if keys is None:
        return Finding("split", "ok", f"{sizes}; without keys nobody can tell whether they share any")
    of_split = {name: taken_rows(keys, which, spool) for name, which in places.items()}
    for one, other in combinations(counts, 2):
        both = shared(key_cells(of_split[one], spool), key_cells(of_split[other], spool), spool)
        if both is None:
            continue
        if _parted(subject.data.receipt):
            return Finding("split", "ok", f"{sizes}; they share keys, of which each has its own steps")
        message = f"{count(both.count, 'sequence')} of {other} have a key of {one} too, such as "
        key = shown_key(of_split[other], both.first[1])
        place = int(np.asarray(places[other])[both.first[1]])
        return Finding("split", "fails", f"{message}{key!r}", both.count, f"split[{place}]")
    return Finding("split", "ok", f"{sizes}; no key is in two of them")


def _parted(receipt: tuple[Mapping[str, Any], ...]) -> bool:
    """Whether the last split parted the sequences themselves."""
    of_splits = [entry for entry in receipt if entry.get("command") == "split"]
    return bool(of_splits) and any(name in of_splits[-1].get("arguments", {}) for name in _WITHIN)
