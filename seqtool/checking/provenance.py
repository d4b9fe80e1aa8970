"""Where steps come from: the length before sequences were cut, rows, order values, and the receipt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from seqtool.arrays.lazy import AnyArray
from seqtool.checking.findings import Finding, Subject, failure, find_matches
from seqtool.sequences.orders import order_titles


def original_lengths(subject: Subject, original: AnyArray) -> Finding:
    """No sequence is longer than it was before it was cut."""
    grown = find_matches(np.less, original, subject.data.lengths)
    if grown is not None:
        return failure("original_lengths", "below lengths", grown, "original_lengths")
    return Finding("original_lengths", "ok", "at least lengths")


def row_index(subject: Subject) -> Finding:
    """Each real step has the number of its row in the input."""
    negative = find_matches(lambda part: part < 0, subject.real.per_step["row_index"].data)
    if negative is not None:
        place = subject.place(*negative.cell, name="row_index")
        return Finding("row_index", "fails", "negative in real steps", negative.count, place)
    return Finding("row_index", "ok", "a row for each step")


def order(subject: Subject) -> Finding:
    """Each real step has its order values."""
    missing = find_matches(np.isnan, subject.real.per_step["order"].data)
    if missing is not None:
        return Finding(
            "order", "fails", "NaN in real steps", missing.count, subject.place(*missing.cell, name="order")
        )
    return Finding("order", "ok", ", ".join(order_titles(subject.data)) or "a value for each step")


def rows_of_y(subject: Subject) -> Iterator[Finding]:
    """The steps that follow know their rows, by which `unpad --raw` finds those that a prediction is for."""
    for name, is_wrong, what in (
        ("y_row_index", lambda part: part < 0, "negative"),
        ("y_order", np.isnan, "NaN"),
    ):
        array = subject.data.per_sequence.get(name)
        if array is None:
            continue
        wrong = find_matches(is_wrong, array)
        if wrong is not None:
            yield failure(name, what, wrong, name)
        else:
            yield Finding(name, "ok", f"{array.shape[1]:,} for each sequence, of what follows")


def _kept_by_all(entry: Mapping[str, Any], kept: int | None) -> int | None:
    """What the inputs of `concat` kept together; the receipt goes on from that of the first."""
    steps = entry.get("arguments", {}).get("steps")
    sound = isinstance(steps, list) and steps and all(type(number) is int for number in steps)
    return sum(steps) if sound and kept in (None, steps[0]) else kept


def receipt(subject: Subject) -> Finding:
    """Rows in + added = kept + cut + dropped, from one command to the next, down to the steps in the file."""
    kept = None
    for i, entry in enumerate(subject.data.receipt):
        place = f"receipt[{i}]"
        try:
            rows = entry["rows"]
            rows_in, dropped = rows["in"], sum(rows["dropped"].values())
            added = sum(rows.get("added", {}).values())  # older receipts know of none
            more = f" + {added:,} added" if added else ""
            ends = f"{rows['kept']:,} kept + {rows['cut']:,} cut + {dropped:,} dropped"
            message = f"{rows_in:,} rows in{more}, but {ends}"
            fits = rows_in + added == rows["kept"] + rows["cut"] + dropped
        except (KeyError, TypeError, AttributeError, ValueError):
            return Finding("receipt", "fails", "an entry without row counts", 1, place)
        if not fits:
            return Finding("receipt", "fails", message, 1, place)
        if entry.get("command") == "concat":
            kept = _kept_by_all(entry, kept)
        if kept not in (None, rows_in):
            return Finding(
                "receipt", "fails", f"{rows_in:,} rows in, but {kept:,} were kept before", 1, place
            )
        kept = rows["kept"]
    steps = len(subject.real.values)
    if kept not in (None, steps):
        return Finding("receipt", "fails", f"{kept:,} steps kept, but {steps:,} are in the file", 1, place)
    done = " and ".join(str(entry.get("command")) for entry in subject.data.receipt)
    return Finding("receipt", "ok", f"every row is accounted for, by {done}" if done else "none")
