"""Warnings about labels that may be misread: words for a missing value, typing errors, numbers in two spellings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.tables.cells.cells import INTEGER, Row
from seqtool.tables.cells.label_meaning import label_number
from seqtool.tables.cells.labels import LabelState
from seqtool.words import count, shortened


def doubts(
    labels: LabelState,
    column: str,
    place: Callable[[Row], str],
    *,
    row: str = "row",
    as_number: bool = False,
    way_out: Callable[[str], Sequence[object]] = lambda text: (),
) -> Iterator[Message]:
    """A sentence for each doubt about the labels of a column.

    `place` describes a row, `row` is the noun for what has a label, "row" or "sequence". `as_number`: the labels
    stay numbers. `way_out` gives the advice to read a text as no label.
    """
    for text, rows in labels.doubtful.items():
        if text not in labels.without:
            doubt = f"{column} holds {text!r} in {count(rows, row)}, as a class of its own"
            yield Message(doubt, *way_out(text))
    pair = None if as_number else one_class(labels)
    if pair is not None:
        shown = " and ".join(f"{shortened(text)!r} ({place(labels.row(text))})" for text in pair)
        yield Message(f"{column} holds {shown}, which are one number, and one class")
    odd = stray(labels)
    if odd is not None:
        where = f"({place(labels.row(odd))})"
        if odd == lone(labels):
            where = f"in {count(labels.words[odd], row)}, the first at {place(labels.row(odd))},"
        doubt = (
            f"{column} holds {shortened(odd)!r} {where} among numbers, so each of these is a class of its own"
        )
        yield Message(doubt, *way_out(odd))


def category_doubts(what: str, names: LabelState, row: str = "row") -> Iterator[Message]:
    """A sentence for each word for a missing value that is taken for a name of a category; `what` is its column."""
    for text, rows in names.doubtful.items():
        if text not in names.without:
            yield Message(
                f"{what} holds {text!r} in {count(rows, row)}, as a name like others; to read it as missing: ",
                Advice("--missing", text),
            )


def one_class(labels: LabelState) -> tuple[str, str] | None:
    """The first two labels that are the same whole number in different spellings, so that they become one class.

    None if there are none, or the labels are not all whole numbers.

    >>> one_class(LabelState({"10": 0, "7": 1, "010": 2}, [0, 1, 2]))
    ('10', '010')
    """
    without = labels.without
    # Only integers count, for among floats 10 is spelled 10.0.
    integers, plain = np.zeros(len(labels.codes), bool), True
    for code, text in enumerate(labels.codes):
        if text not in without:
            number = label_number(text)
            if number is None or number != int(number):
                return None
            integers[code] = INTEGER.fullmatch(text) is not None
            plain = plain and (text == "0" or not text.startswith(("+", "0", "-0")))
    if plain:
        return None
    classes, codes = labels.finish("class")[0], np.flatnonzero(integers)
    _, firsts, which = np.unique(classes[codes], return_index=True, return_inverse=True)
    again = np.flatnonzero(firsts[which] < np.arange(len(codes)))
    if not len(again):
        return None
    first, second = codes[[firsts[which[again[0]]], again[0]]].tolist()
    return labels.text(first), labels.text(second)


def stray(labels: LabelState) -> str | None:
    """The first label that is no number although others are fractions, so that it turns all of them into classes.

    Or the only label that is no number; None if there is neither.

    >>> stray(LabelState({"0.5": 0, "1O.5": 1}, [0, 1]))
    '1O.5'
    """
    only = lone(labels)
    if only is not None:
        return only
    not_labels = labels.absent.keys() | labels.doubtful.keys()
    fraction, first = False, None
    for text in labels.codes:
        number = None if text in not_labels else label_number(text)
        fraction |= number is not None and number != int(number)
        if number is None and first is None and text not in not_labels:
            first = text
        if fraction and first is not None:
            return first
    return None


def lone(labels: LabelState) -> str | None:
    """The only label that is no number, if there are other labels; else None.

    >>> lone(LabelState({"0": 0, "?": 1}, [0, 1], words={"?": 3}))
    '?'
    """
    known = len(labels.codes) - len(labels.absent.keys() | labels.doubtful.keys())
    return next(iter(labels.words)) if len(labels.words) == 1 and known > 1 else None
