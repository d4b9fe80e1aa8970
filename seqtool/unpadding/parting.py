"""How sequences were parted from longer ones, as receipts tell: into windows, or into x and the step after it.

What follows a part has its place by the length that the part had then, which a later cut does not change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import chunks
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.sequences.ragged import Ragged, Receipt
from seqtool.sequences.receipts import SAME_ORDER


@dataclass(frozen=True, eq=False)
class Parting:
    """What `window` or `split --last` made: N parts of sequences, and the `horizon` of steps that follow each.

    With `each` every step of a part is followed, by the next one: `window --next` made it, and the horizon is 1.

    `numbers` (N,) are those of the sequences that they were cut from, `first` (N,) the step there that each begins with
    now, and `targets` (N,) the place of the first step that follows it; of its last step where none does, and -1 where
    there is no such step. Its steps are `rate` apart. `earlier` are the entries of the receipt before.
    """

    command: str
    arguments: Mapping[str, Any]
    earlier: Receipt
    numbers: Array
    first: Array
    targets: Array
    rate: int
    horizon: int
    each: bool = False

    @classmethod
    def of(cls, ragged: Ragged) -> Parting | None:
        """How sequences were parted; None where they were not. Raises DataError where a later cut hides it."""
        place = place_of_parting(ragged.receipt)
        if place is None or "part" not in ragged.per_sequence:
            return None
        entry = ragged.receipt[place]
        command, arguments = str(entry["command"]), entry.get("arguments", {})
        _check_known(ragged.receipt[place + 1 :], command)
        _check_joined(ragged.receipt[place + 1 :], command)
        is_window = command == "window"
        rate = arguments.get("rate") or 1 if is_window else 1
        horizon = (arguments.get("horizon") or 0) if is_window else 1
        each = is_window and not horizon and bool(arguments.get("next"))
        horizon = 1 if each else horizon
        cut, lengths = _cut_since(ragged, place)
        part = np.asarray(ragged.per_sequence["part"])
        begin = part if is_window else np.zeros_like(part)
        first = begin + cut * rate
        to_target = 1 + (arguments.get("lead") or 0) if horizon else 0
        last = begin + (lengths - 1) * rate if horizon else first + (np.asarray(ragged.lengths) - 1) * rate
        there = lengths > 0 if horizon else np.asarray(ragged.lengths) > 0
        return cls(
            command,
            arguments,
            ragged.receipt[:place],
            _sequence_numbers(ragged, part, lengths, 0 if is_window else int(arguments["last"])),
            first,
            np.where(there, last + to_target, -1),
            rate,
            horizon,
            each,
        )


def place_of_parting(receipt: Receipt) -> int | None:
    """The place of the last entry of `window` or `split --last` in a receipt; None where there is none.

    >>> place_of_parting([{"command": "group"}, {"command": "split", "arguments": {"last": 1}}])
    1
    """
    for i in range(len(receipt) - 1, -1, -1):
        command, arguments = receipt[i].get("command"), receipt[i].get("arguments", {})
        if command == "window" or (command == "split" and arguments.get("last")):
            return i
    return None


def follows(receipt: Receipt) -> bool:
    """Whether y is what follows sequences, as `split --last` and `window --horizon` make it."""
    place = place_of_parting(receipt)
    return place is not None and (
        receipt[place].get("command") == "split" or bool(receipt[place].get("arguments", {}).get("horizon"))
    )


def _check_known(later: Receipt, command: str) -> None:
    """Raise DataError for a command after which nobody knows where steps stood."""
    for entry in later:
        if entry.get("command") not in SAME_ORDER:
            name = entry.get("command")
            raise DataError(
                f"{name} came after {command}, and may have moved steps: to take {command} back, do {name} before it"
            )


def _check_joined(later: Receipt, command: str) -> None:
    """Raise DataError where files were joined whose parts got other numbers, which tell no places any more."""
    for entry in later:
        if entry.get("command") == "concat" and entry.get("arguments", {}).get("on_clash") == "both":
            raise DataError(
                f"files were joined after {command}, and keys that several had got other parts, so that nobody knows "
                f"where these stood: take each file back alone, or join them before {command}"
            )


def _cut_since(ragged: Ragged, place: int) -> tuple[Array, Array]:
    """How many steps each part lost at its start since the entry at `place`, and the length that it had, (N,) each."""
    lengths = np.asarray(ragged.lengths)
    cuts = [entry for entry in ragged.receipt[place + 1 :] if _cuts(entry)]
    if not cuts:
        return np.zeros_like(lengths), lengths
    command = str(ragged.receipt[place]["command"])
    if "original_lengths" not in ragged.per_sequence:
        raise DataError(f"steps were cut after {command}, and nothing tells how many: {_WAY_OUT} {command}")
    if command != "window" and any(map(_cuts, ragged.receipt[:place])):
        raise DataError(
            f"steps were cut before {command} and after it, and original_lengths tells of the first cut alone: "
            f"{_WAY_OUT} {command}"
        )
    original = np.asarray(ragged.per_sequence["original_lengths"])
    begin, end = np.zeros_like(original), original
    for entry in cuts:
        begin, end = _cut(entry, begin, end, command)
    if not np.array_equal(end - begin, lengths):
        raise DataError(
            f"the lengths are not those that the cuts after {command} leave of original_lengths, so that nobody knows "
            f"which steps are left: {_WAY_OUT} {command}"
        )
    return begin, original


_WAY_OUT = "to take it back, cut before"


def _cuts(entry: Mapping[str, Any]) -> bool:
    rows = entry.get("rows")
    return bool(rows.get("cut")) if isinstance(rows, Mapping) else False


def _cut(entry: Mapping[str, Any], begin: Array, end: Array, command: str) -> tuple[Array, Array]:
    """The steps that a cut leaves of those from `begin` to `end`, by its arguments."""
    arguments = entry.get("arguments", {})
    maxlen = arguments.get("maxlen")
    by_length = isinstance(maxlen, int) and arguments.get("start") is None
    known = entry.get("command") in ("truncate", "pad") and not arguments.get("strip")
    if not known or arguments.get("within") is not None or not (by_length or "start" in arguments):
        name = entry.get("command")
        raise DataError(
            f"{name} cut steps after {command}, and its receipt does not tell which: {_WAY_OUT} {command}"
        )
    if by_length and arguments.get("truncating") == "post":
        return begin, np.minimum(end, begin + maxlen)
    if by_length:
        return np.maximum(begin, end - maxlen), end
    start = int(arguments["start"])
    from_here = np.clip(end + start if start < 0 else begin + start, begin, end)
    return from_here, end if maxlen is None else np.minimum(end, from_here + int(maxlen))


def _sequence_numbers(ragged: Ragged, part: Array, lengths: Array, last: int) -> Array:
    """The number of the sequence that each part was cut from, (N,): those of one key follow one another.

    Parts without their `last` steps may have no keys: then the next one of a sequence is longer by so many.
    """
    if ragged.keys is None:
        if not last or not len(part):
            return np.zeros(len(part), np.int64)
        grown = np.minimum(np.diff(part), last)
        same = (grown > 0) & (np.diff(lengths) == grown)
        return np.cumsum(np.concatenate([[False], ~same]), dtype=np.int64)
    numbers, before = [], None
    for _, keys in chunks(ragged.keys):  # type: ignore[arg-type]
        flat = keys.reshape(len(keys), -1)
        first = flat[:1] if before is None else before
        differs = (np.concatenate([first, flat[:-1]]) != flat).any(axis=1)
        numbers.append(differs)
        before = flat[-1:]
    return np.cumsum(np.concatenate([np.empty(0, bool), *numbers]), dtype=np.int64)
