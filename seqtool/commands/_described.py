"""What the summary of a command says of the sequences that it makes."""

from __future__ import annotations

from math import prod

from seqtool.arrays.lazy import AnyArray, Lazy, Span, span
from seqtool.arrays.text import Text
from seqtool.sequences.categories import all_categories
from seqtool.sequences.labels import class_name, padded_class, several_labels, some_classes
from seqtool.sequences.padding_values import value_to_json
from seqtool.sequences.ragged import Ragged
from seqtool.sequences.stream import PaddedStream
from seqtool.terminal.report import Summary
from seqtool.words import count, listed


def describe(data: PaddedStream | Ragged, summary: Summary) -> None:
    """Say what will be written: shape, dtype, lengths, what was cut."""
    whole = data.ragged if isinstance(data, PaddedStream) else data
    if whole.keys is not None:
        summary.facts["keys"] = len(whole.keys)
        summary.say("keys", f"{len(whole.keys):,}, {'integers' if whole.keys.dtype.kind in 'iu' else 'text'}")
    _describe_names(whole, summary)
    learnt = padded_class(whole)
    summary.warnings += [learnt] if learnt else []
    lengths = data.span if isinstance(data, PaddedStream) else span(data.lengths)
    bounds = (lengths.least, lengths.largest) if len(data) else (None, None)
    summary.facts["lengths"] = dict(zip(("min", "max"), bounds, strict=True))
    if isinstance(data, PaddedStream):
        _describe_padded(data, lengths, summary)
    else:
        _describe_ragged(data, lengths, summary)


def _describe_names(whole: Ragged, summary: Summary) -> None:
    """Say which labels and classes there are, and the categories with the size of their embeddings."""
    labels = several_labels(whole)
    if labels:
        summary.facts["labels"] = {
            name: None if known is None else some_classes(known) for name, known in labels.items()
        }
        described = [
            name if known is None else f"{name} ({len(known):,} classes)" for name, known in labels.items()
        ]
        summary.say("labels", f"{len(labels):,}: {listed(described)}")
    for name in ("classes", "step_classes"):
        if name in whole.names:
            _say_classes(name, whole.names[name], summary)
    for one in all_categories(whole):
        summary.facts.setdefault("categories", {})[one.name] = len(one.vocabulary)
        where = "steps" if one.column is None else f"{one.array}[..., {one.column}]"
        summary.say(
            "category",
            f"{one.name}, {where}: {count(len(one.vocabulary), 'name')}, an Embedding of {one.rows:,} rows",
        )


def _describe_ragged(data: Ragged, lengths: Span, summary: Summary) -> None:
    shape, dtype = data.values.shape, data.values.dtype
    shown = _shown_lengths(lengths, len(data))
    summary.say("output", f"values {_shape(shape)} {dtype}, ragged; lengths {shown}")
    summary.facts |= {"shape": list(shape), "dtype": str(dtype), "kind": "ragged"}


def _describe_padded(data: PaddedStream, lengths: Span, summary: Summary) -> None:
    slots = prod(data.shape[:2])
    share = 1 - lengths.total / slots if slots else 0.0
    value = value_to_json(data.value)
    summary.say(
        "output",
        f"x {_shape(data.shape)} {data.dtype}; lengths {_shown_lengths(lengths, len(data))}; {data.padding} padding "
        f"with {value}, {share:.0%} of all steps",
    )
    for word, text in data.lines:
        summary.say(word, text)
    summary.facts |= {
        "shape": list(data.shape),
        "dtype": str(data.dtype),
        "kind": "padded",
        "padding": data.padding,
        "value": value,
        "steps_cut": data.steps_cut,
    }


def _shown_lengths(lengths: Span, sequences: int) -> str:
    if not sequences:
        return "none"
    if lengths.least == lengths.largest:
        return f"all {lengths.largest:,}"
    return f"{lengths.least:,} to {lengths.largest:,}"


def _say_classes(name: str, classes: AnyArray | Text, summary: Summary) -> None:
    """The names of the classes: all of them, unless they are so many that they do not stand in memory."""
    total, shown = len(classes), some_classes(classes)
    summary.facts[name] = shown
    if isinstance(classes, (Lazy, Text)):
        summary.facts[f"{name}_count"] = total
    if len(shown) < total:
        shown = [*shown, class_name(classes, total - 1)]
    summary.say(name.replace("_", " "), f"{total:,}: {listed([*map(str, shown)])}")


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
