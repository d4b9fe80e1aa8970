"""Whether the numbers that `scale` took are those of the training sequences alone, as far as a file shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from seqtool.arrays.spool import Spool
from seqtool.checking.findings import Finding, Subject
from seqtool.operations.centers import of_all
from seqtool.operations.scaling import Scaling
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.splits import TRAIN, places_of
from seqtool.sequences.take import take


def scaled(subject: Subject, spool: Spool) -> Iterator[Finding]:
    """Scaled features of the training steps have mean 0 and deviation 1, or what else their method gives.

    It says so too where they were fitted before the sequences were split. There is no finding where nothing was scaled,
    where each sequence was by its own numbers, or where later commands changed steps.
    """
    entries = [*subject.data.receipt]
    at = next((i for i, entry in enumerate(entries) if _learned(entry)), None)
    if at is None or any(entry.get("command") == "scale" for entry in entries[at + 1 :]):
        return
    entry, later = entries[at], entries[at + 1 :]
    if any(other.get("command") == "split" for other in later):
        message = (
            "scaled before they were split: numbers of val and test went into it; split first, then scale"
        )
        yield Finding("scale", "warning", message)
        return
    if entry["arguments"].get("using") or not all(map(_keeps_steps, [entry, *later])):
        return
    yield _recomputed(subject.real, entry, spool)


def _learned(entry: Mapping[str, Any]) -> bool:
    return entry.get("command") == "scale" and "state" in entry and "inverse" not in entry["arguments"]


def _keeps_steps(entry: Mapping[str, Any]) -> bool:
    """Whether a command left the steps of the training sequences as they were, all of them."""
    rows = entry.get("rows", {})
    return (
        entry.get("command") in ("scale", "pad", "convert")
        and rows.get("cut") == 0
        and not rows.get("added")
        and not {*rows.get("dropped", {})} - {"in the file of another split"}
    )


def _recomputed(real: Ragged, entry: Mapping[str, Any], spool: Spool) -> Finding:
    """The center and the scale of the scaled training steps, which must be 0 and 1."""
    method, state = entry["arguments"]["method"], Scaling.of_facts(entry["state"])
    split = real.per_sequence.get("split")
    which = None if split is None else places_of(split, TRAIN, spool)
    if which is not None and not len(which):
        return Finding("scale", "ok", f"by {method}; no training sequences here to compute it again")
    train = real if which is None else take(real, which, spool=spool)
    if not len(train.values) or not state.chosen:
        return Finding("scale", "ok", f"by {method}; no steps to compute it again")
    # What is scaled already would be scaled by 0 and 1 again.
    moments, center, scale = of_all(method, train.values, lambda block: block, spool)
    allowed = _ROUNDING[real.values.dtype.itemsize] + 1e-12 * np.abs(
        np.asarray(state.center) / np.asarray(state.scale)
    )
    off = (np.abs(center) > allowed) | (np.abs(scale - 1) > allowed) & (np.asarray(state.scale) != 1)
    constant = np.isin(np.arange(len(off)), state.constant)
    off = np.where(constant, (moments.least != 0) | (moments.largest != 0), off) & (moments.count > 0)
    wrong = [i for i in state.chosen if off[i]]
    whose = "of train" if which is not None else "of all sequences"
    if wrong:
        return Finding(
            "scale",
            "fails",
            f"{state.named(wrong)}: the numbers {whose} are not those of {method}: fitted elsewhere, or changed",
            len(wrong),
        )
    return Finding(
        "scale", "ok", f"by {method}, computed again from the steps {whose}: {state.named(state.chosen)}"
    )


_ROUNDING = {2: 1e-2, 4: 1e-4, 8: 1e-9}  # of numbers of so many bytes, by which a mean of many is off
