"""What two files, such as train and test, must have in common (features, classes), and what they must not share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import Spool
from seqtool.arrays.text import Text
from seqtool.checking.findings import Finding, Subject
from seqtool.operations.duplicates import Twice, key_cells, shared
from seqtool.operations.stretches import overlapping, summed
from seqtool.sequences.categories import FIRST, all_categories
from seqtool.sequences.keys import shown_key
from seqtool.sequences.labels import LabelArray, label_arrays
from seqtool.words import count, listed, step_in_words

Names = tuple[str, str]
"""The names of the two files."""


def compared(
    subject: Subject, other: Subject, names: Names, spool: Spool, *, shared_keys: bool
) -> Iterator[Finding]:
    """Findings on what two files have in common, and on the keys and sequences in both.

    With `shared_keys` they may share keys, but no sequences.
    """
    yield _features(subject, other, names)
    yield from _static(subject, other, names)
    yield from _labels(subject, other, names)
    yield from _categories(subject, other, names)
    comparable = subject.real.values.shape[1:] == other.real.values.shape[1:]
    if comparable:
        sums = summed(subject.real, other.real, spool)
        overlaps = overlapping(*sums)
        yield _leak("stretches", "overlap with sequences", overlaps, subject, other, names)
    yield _keys(subject, other, names, spool, allowed=shared_keys)
    if not comparable:
        steps = [file.real.values.shape[1:] or "a number" for file in (subject, other)]
        yield Finding(
            "shared sequences", "warning", f"cannot be compared: a step is {steps[0]} here, {steps[1]} there"
        )
        return
    marks = sums[0].of_sequences(spool), sums[1].of_sequences(spool)
    equal = shared(subject.real, other.real, spool, marks=marks)
    yield _leak("sequences", "sequences that are also", equal, subject, other, names)


# What they must have in common


def _features(subject: Subject, other: Subject, names: Names) -> Finding:
    """The same number of features, and where both name them, the same names in the same order."""
    widths = [_width(file) for file in (subject, other)]
    if widths[0] != widths[1]:
        return _differ("features", f"a step has {widths[0]} here, {widths[1]} in {names[1]}")
    return _same_names("features", widths[0], subject.data.features, other.data.features, names)


def _width(subject: Subject) -> str:
    """The features of a step, in words."""
    return step_in_words(subject.real.values.shape[1:])


def _static(subject: Subject, other: Subject, names: Names) -> Iterator[Finding]:
    ours, theirs = (file.data.per_sequence.get("static") for file in (subject, other))
    if ours is None or theirs is None:
        return
    if ours.shape[1:] != theirs.shape[1:]:
        yield _differ("static", f"{ours.shape[1]} numbers a sequence here, {theirs.shape[1]} in {names[1]}")
        return
    arrays = [file.data.names.get("static_features") for file in (subject, other)]
    columns = [None if array is None else [*map(str, np.asarray(array).tolist())] for array in arrays]
    yield _same_names("static", count(ours.shape[1], "number"), columns[0], columns[1], names)


def _same_names(
    name: str, width: str, ours: Sequence[str] | None, theirs: Sequence[str] | None, names: Names
) -> Finding:
    if ours is None or theirs is None:
        return Finding(f"same {name}", "ok", f"{width} in both, not all named")
    for i, (our_name, their_name) in enumerate(zip(ours, theirs, strict=False)):
        if our_name != their_name:
            difference = "in another order" if sorted(ours) == sorted(theirs) else "others"
            return _differ(
                name, f"{difference}: {name}[{i}] is {our_name!r} here, {their_name!r} in {names[1]}"
            )
    return Finding(f"same {name}", "ok", f"{width} in both, in the same order")


def _labels(subject: Subject, other: Subject, names: Names) -> Iterator[Finding]:
    """Labels that both have, `y` or its columns, and `step_y`, mean the same."""
    ours, theirs = ([*label_arrays(file.real)] for file in (subject, other))
    for name in ("y", "step_y"):
        pairs = [[label for label in labels if label.name == name] for labels in (ours, theirs)]
        titles = [[label.title for label in labels] for labels in pairs]
        if any(titles) and not all(titles):
            in_ours, in_theirs = (listed(labels) or f"no {name}" for labels in titles)
            message = f"{in_ours} here, {in_theirs} in {names[1]}: not compared"
            yield Finding(f"same {name}", "warning", message)
        elif titles[0] != titles[1]:
            yield _differ(name, f"{listed(titles[0])} here, {listed(titles[1])} in {names[1]}")
        elif all(titles):
            for our_labels, their_labels in zip(pairs[0], pairs[1], strict=True):
                yield _same_labels(our_labels, their_labels, names[1])


def _same_labels(ours: LabelArray, theirs: LabelArray, file: str) -> Finding:
    name = ours.title
    shapes = ours.cells.shape[1:], theirs.cells.shape[1:]
    if shapes[0] != shapes[1]:
        sizes = [count(prod(shape), "number") for shape in shapes]
        return _differ(name, f"{sizes[0]} each here, {sizes[1]} in {file}")
    if ours.classes is None or theirs.classes is None:
        kinds = _kind(ours), _kind(theirs)
        if kinds[0] == kinds[1]:
            return Finding(f"same {name}", "ok", f"{kinds[0]} in both")
        if "fractions" in kinds:
            return _differ(name, f"{kinds[0]} here, {kinds[1]} in {file}")
        return Finding(f"same {name}", "warning", f"{kinds[0]} here, {kinds[1]} in {file}: not compared")
    return _same_classes(name, ours.classes, theirs.classes, file)


def _same_classes(
    name: str,
    ours: AnyArray | Text,
    theirs: AnyArray | Text,
    file: str,
    *,
    first: int = 0,
    what: str = "classes",
) -> Finding:
    """Each number stands for the same class in both, the `first` for that at place 0; one file may have more."""
    sizes = len(ours), len(theirs)
    for begin in range(0, min(sizes), _CLASSES):
        tables = (np.asarray(table[begin : begin + _CLASSES]).tolist() for table in (ours, theirs))
        for i, (our_class, their_class) in enumerate(zip(*tables, strict=False), begin + first):
            if str(our_class) != str(their_class):
                return _differ(
                    name, f"{name} = {i} means {str(our_class)!r} here, {str(their_class)!r} in {file}"
                )
    if sizes[0] != sizes[1]:
        message = f"{sizes[0]:,} {what} here, {sizes[1]:,} in {file}; those of both mean the same"
        return Finding(f"same {name}", "warning", message)
    return Finding(f"same {name}", "ok", f"{sizes[0]:,} {what}, the same in both")


_CLASSES = 1 << 16  # compared at a time


def _kind(label: LabelArray) -> str:
    if label.classes is not None:
        return "classes"
    return "fractions" if label.cells.dtype.kind == "f" else "whole numbers"


def _categories(subject: Subject, other: Subject, names: Names) -> Iterator[Finding]:
    """Ids of categories that both have are those of the same names."""
    theirs = {one.name: one for one in all_categories(other.data)}
    for one in all_categories(subject.data):
        if one.name in theirs:
            vocabularies = one.vocabulary, theirs[one.name].vocabulary
            yield _same_classes(one.name, *vocabularies, names[1], first=FIRST, what="names")


def _differ(name: str, message: str) -> Finding:
    return Finding(f"same {name}", "fails", message, 1)


# What must not be in both


def _keys(subject: Subject, other: Subject, names: Names, spool: Spool, *, allowed: bool) -> Finding:
    """Keys are compared without their parts: another part of the same sequence is a leak too."""
    ours, theirs = subject.data.keys, other.data.keys
    if ours is None or theirs is None:
        message = f"not compared: no keys in {names[0] if ours is None else names[1]}"
        return Finding("shared keys", "ok" if allowed else "warning", message)
    columns = [prod(keys.shape[1:]) for keys in (ours, theirs)]
    if columns[0] != columns[1]:
        message = f"cannot be compared: {count(columns[0], 'column')} here, {columns[1]} there"
        return Finding("shared keys", "warning", message)
    as_text = (ours.dtype.kind in "iu") != (theirs.dtype.kind in "iu")
    our_cells, their_cells = (key_cells(keys, spool, as_text=as_text) for keys in (ours, theirs))
    in_both = shared(our_cells, their_cells, spool)
    if in_both is None:
        return Finding("shared keys", "ok", f"none is also in {names[1]}")
    if allowed:
        return Finding("shared keys", "ok", f"keys that are also in {names[1]}, as allowed", in_both.count)
    place = f"keys[{in_both.first[0]}] and {names[1]}: keys[{in_both.first[1]}]"
    message = Message(
        f"keys that are also in {names[1]}; if they are meant to be, add ", Advice("--shared-keys")
    )
    return Finding("shared keys", "fails", message, in_both.count, place)


def _leak(
    name: str, relation: str, in_both: Twice | None, subject: Subject, other: Subject, names: Names
) -> Finding:
    """Sequences of one file that are in the other as well, or overlap with one there."""
    if in_both is None:
        return Finding(f"shared {name}", "ok", f"none is also in {names[1]}")
    places = [_sequence(file, in_both.first[i]) for i, file in enumerate((subject, other))]
    place = f"{places[0]} and {names[1]}: {places[1]}"
    return Finding(f"shared {name}", "fails", f"{relation} in {names[1]}", in_both.count, place)


def _sequence(subject: Subject, i: int) -> str:
    """A sequence by its number and its key."""
    keys, part = subject.data.keys, subject.data.per_sequence.get("part")
    return f"sequence {i}" + ("" if keys is None else f" (key {shown_key(keys, i, part=part)})")
