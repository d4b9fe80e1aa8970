"""Whether what `scale`, `fill` and `encode` learned is that of the training sequences, as far as a file shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from seqtool.arrays.spool import Spool
from seqtool.checking.findings import Finding, Subject
from seqtool.checking.refitted import Again, filled_again, numbered_again
from seqtool.operations.centers import of_all
from seqtool.operations.scaling import Scaling
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.splits import TRAIN, places_of
from seqtool.sequences.take import take


def fitted_numbers(subject: Subject, spool: Spool) -> Iterator[Finding]:
    """What each operation learned, computed again from the training steps.

    It says so too where it was learned before the sequences were split. There is no finding where nothing was learned,
    or from each sequence by its own numbers, and where later commands changed what it was learned from.
    """
    for command, (done, keep, again) in _OPERATIONS.items():
        found = _learned(subject.data.receipt, command)
        if found is None:
            continue
        if any(entry.get("command") == "split" for entry in found.later):
            why = "numbers of val and test went into it; split first, then"
            message = f"{done} before they were split: {why} {command}"
            yield Finding(command, "warning", message)
        elif not found.entry["arguments"].get("using") and all(
            _keeps_steps(entry, keep) for entry in [found.entry, *found.later]
        ):
            finding = _computed(subject.real, found, again, spool)
            if finding is not None:
                yield finding


def _learned(receipt: Sequence[Mapping[str, Any]], command: str) -> Again | None:
    """The only entry of a command that learned something, with those around it; None where there are several."""
    entries = [*receipt]
    at = next((i for i, entry in enumerate(entries) if _has_state(entry, command)), None)
    if at is None or any(entry.get("command") == command for entry in entries[at + 1 :]):
        return None
    return Again(entries[at], entries[:at], entries[at + 1 :])


def _has_state(entry: Mapping[str, Any], command: str) -> bool:
    arguments = entry.get("arguments", {})
    return entry.get("command") == command and "state" in entry and not {"inverse", "decode"} & {*arguments}


def _keeps_steps(entry: Mapping[str, Any], keep: Sequence[str]) -> bool:
    """Whether a command left the steps of the training sequences as they were, all of them."""
    rows = entry.get("rows", {})
    return (
        entry.get("command") in (*keep, "pad", "convert")
        and rows.get("cut") == 0
        and not rows.get("added")
        and not {*rows.get("dropped", {})} - {"in the file of another split"}
    )


def _computed(real: Ragged, found: Again, again: _Recompute, spool: Spool) -> Finding | None:
    """The finding of an operation whose training steps are here."""
    command = found.entry["command"]
    split = real.per_sequence.get("split")
    which = None if split is None else places_of(split, TRAIN, spool)
    if which is not None and not len(which):
        return Finding(command, "ok", f"{_how(found)}; no training sequences here to compute it again")
    train = real if which is None else take(real, which, spool=spool)
    if not len(train.values):
        return Finding(command, "ok", f"{_how(found)}; no steps to compute it again")
    return again(train, found, "of train" if which is not None else "of all sequences", spool)


def _how(found: Again) -> str:
    method = found.entry["arguments"].get("method")
    return "by count" if method is None else f"by {method if isinstance(method, str) else ','.join(method)}"


def _scaled_again(train: Ragged, found: Again, whose: str, spool: Spool) -> Finding | None:
    """The center and the scale of the scaled training steps, which must be 0 and 1."""
    method, state = found.entry["arguments"]["method"], Scaling.of_facts(found.entry["state"])
    if not state.chosen:
        return Finding("scale", "ok", f"by {method}; no steps to compute it again")
    # What is scaled already would be scaled by 0 and 1 again.
    moments, center, scale = of_all(method, train.values, lambda block: block, spool)
    allowed = _ROUNDING[train.values.dtype.itemsize] + 1e-12 * np.abs(
        np.asarray(state.center) / np.asarray(state.scale)
    )
    off = (np.abs(center) > allowed) | (np.abs(scale - 1) > allowed) & (np.asarray(state.scale) != 1)
    constant = np.isin(np.arange(len(off)), state.constant)
    off = np.where(constant, (moments.least != 0) | (moments.largest != 0), off) & (moments.count > 0)
    wrong = [i for i in state.chosen if off[i]]
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

_Recompute = Callable[[Ragged, Again, str, Spool], Finding | None]
_OPERATIONS: dict[str, tuple[str, tuple[str, ...], _Recompute]] = {
    "scale": ("scaled", ("scale", "encode"), _scaled_again),
    "fill": ("filled", ("fill", "scale", "encode"), filled_again),
    "encode": ("encoded", ("encode", "fill", "scale"), numbered_again),
}
"""For each operation what it did, which others leave what it learned from as it was, and how it is computed again."""
