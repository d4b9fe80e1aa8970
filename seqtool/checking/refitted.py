"""What `fill` and `encode` learned, computed again from the training steps of what they made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import lazy_map
from seqtool.arrays.spool import Spool
from seqtool.checking.findings import Finding
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.operations.centers import of_all
from seqtool.operations.filling import Averages, averages
from seqtool.operations.scaling import Scaling, scaled
from seqtool.operations.vocabularies import counted
from seqtool.sequences.categories import FIRST, Category, all_categories
from seqtool.sequences.ragged import Ragged
from seqtool.words import count, in_short, listed


@dataclass(frozen=True)
class Again:
    """The entry of a receipt that tells what was learned, and those before and behind it."""

    entry: Mapping[str, Any]
    before: Sequence[Mapping[str, Any]]
    later: Sequence[Mapping[str, Any]]


# Means and medians


def filled_again(train: Ragged, found: Again, whose: str, spool: Spool) -> Finding | None:
    """The means or medians of the numbers that were there; None where the file does not tell which were.

    `observed` tells it, or it makes no difference: where all that was missing became the mean, this is still the mean.
    """
    arguments, state = found.entry["arguments"], Averages.of_facts(found.entry["state"])
    methods = [*arguments["method"]]
    is_known = arguments.get("indicator") and "observed" in train.per_step and not _filled(found.before)
    scalings = [entry for entry in found.later if entry.get("command") == "scale"]
    if not (is_known or len(methods) == 1) or len(scalings) > 1 or train.values.dtype.kind != "f":
        return None
    for entry in scalings:
        if "state" not in entry or "inverse" in entry["arguments"]:
            return None
        train = scaled(train, Scaling.of_facts(entry["state"]), inverse=True)
    if is_known:
        seen = train.per_step["observed"].data
        values = lazy_map(_only_seen, train.values, seen, dtype=train.values.dtype)
        train = train.replace(values=values)
    chosen = np.flatnonzero(~np.isnan(state.numbers)).tolist()
    numbers = averages(train, methods[-1], chosen, spool).numbers
    moments, _, deviation = of_all("standard", train.values, lambda block: block, spool)
    near = _NEAR[train.values.dtype.itemsize]
    allowed = near * (deviation + np.abs(moments.mean) / 100)
    wrong = [i for i in chosen if not abs(numbers[i] - state.numbers[i]) <= allowed[i]]
    how = f"by {','.join(methods)}"
    if wrong:
        names = listed([state.features[i] for i in wrong])
        message = f"{names}: the numbers {whose} are not those of {methods[-1]}: fitted elsewhere, or changed"
        return Finding("fill", "fails", message, len(wrong))
    names = listed([state.features[i] for i in chosen])
    return Finding("fill", "ok", f"{how}, computed again from the steps {whose}: {names}")


def _filled(entries: Sequence[Mapping[str, Any]]) -> bool:
    return any(entry.get("command") == "fill" for entry in entries)


def _only_seen(rows: Array, seen: Array) -> Array:
    return np.where(seen, rows, np.nan).astype(rows.dtype)


_NEAR = {2: 2e-2, 4: 1e-4, 8: 1e-9}  # of the deviation of numbers of so many bytes


# Vocabularies


def numbered_again(train: Ragged, found: Again, whose: str, spool: Spool) -> Finding | None:
    """Names stand in the order of their counts, those of one count by name; no more and no rarer than were asked."""
    arguments, buckets = found.entry["arguments"], int(found.entry["state"].get("buckets", 0))
    least, share = int(arguments.get("min_count", 1)), arguments.get("share", ())
    categories = all_categories(train)
    try:
        counts = {one.name: counted(train, one)[FIRST:] for one in categories}
    except DataError:  # ids outside of the vocabulary, which another finding tells
        return None
    together = sum((counts[one.name] for one in categories if one.name in share), np.zeros(1, np.int64))
    most = arguments.get("max_tokens")
    wrong = [
        f"{one.name}: an Embedding of {one.rows:,} rows, and {most:,} at most were asked for"
        for one in categories
        if isinstance(most, int) and one.rows > most
    ]
    if wrong:
        return Finding("encode", "fails", wrong[0], len(wrong))
    wrong = [
        problem
        for one in categories
        if (problem := _unordered(one, together if one.name in share else counts[one.name], buckets, least))
    ]
    if wrong:
        message = f"{wrong[0]} {whose}: fitted elsewhere, or changed"
        return Finding("encode", "fails", message, len(wrong))
    names = listed([one.name for one in categories])
    return Finding("encode", "ok", f"by count, computed again from the names {whose}: {names}")


def _unordered(category: Category, counts: Array, buckets: int, least: int) -> str | None:
    """What is wrong with the order of the names, by the count of each."""
    own = len(category.vocabulary) - buckets
    rare = np.flatnonzero(counts[:own] < least)
    if len(rare):
        name = in_short(str(np.asarray(category.vocabulary[int(rare[0]) : int(rare[0]) + 1])[0]))
        return f"{category.name}: {name} stands {count(int(counts[rare[0]]), 'time')} in those"
    for begin in range(0, own - 1, _TOGETHER):
        end = min(begin + _TOGETHER + 1, own)
        names, numbers = np.asarray(category.vocabulary[begin:end]).tolist(), counts[begin:end].tolist()
        for i in range(len(names) - 1):
            if (-numbers[i], names[i]) > (-numbers[i + 1], names[i + 1]):
                pair = f"{in_short(names[i])} stands before {in_short(names[i + 1])}"
                return f"{category.name}: {pair}, and {numbers[i]:,} times, that {numbers[i + 1]:,} times in those"
    return None


_TOGETHER = 1 << 16  # names that are compared together
