"""Whether steps, and the steps that y holds, know their rows in the source: by number, and by their order values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seqtool.checking.findings import Finding, Subject, failure, find_matches
from seqtool.sequences.orders import order_titles


def source_rows(subject: Subject) -> Iterator[Finding]:
    """Findings on the row numbers and order values that the file has."""
    if "row_index" in subject.data.per_step:
        yield row_index(subject)
    if "order" in subject.data.per_step:
        yield order(subject)
    yield from _of_targets(subject)


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


def _of_targets(subject: Subject) -> Iterator[Finding]:
    """The steps that y holds have their rows, by which `unpad --raw` finds those that a prediction is for."""
    for name, is_wrong, what in (
        ("y_row_index", lambda part: part < 0, "negative"),
        ("y_order", np.isnan, "NaN"),
    ):
        array = subject.data.per_sequence.get(name)
        if array is None:
            continue
        wrong = find_matches(is_wrong, array)
        ahead = array.shape[1]
        yield (
            failure(name, what, wrong, name)
            if wrong
            else Finding(name, "ok", f"{ahead:,} for each sequence, of y")
        )
