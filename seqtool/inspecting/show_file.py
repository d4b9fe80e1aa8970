"""The facts of a file, or of one of its sequences, on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqtool.advice import Advice
from seqtool.arrays.lazy import AnyArray, chunks
from seqtool.errors import DataError
from seqtool.sequences.padding_values import value_to_json
from seqtool.terminal.pictures import show_heatmap, show_histogram
from seqtool.terminal.report import SCHEMA
from seqtool.terminal.tables import console, show_table
from seqtool.words import by_size, count, human, listed, shortened

if TYPE_CHECKING:
    from rich.console import Console

    from seqtool.inspecting.describe import Slots

_FEATURES_SHOWN = 8


def show_file(facts: Mapping[str, Any], first: Slots | None = None) -> None:
    """Print the facts that `seqtool.inspecting.describe.described` gives, with a picture of the `first` sequence."""
    out = console()
    rows = [
        (array["name"], by_size(array["shape"]) or "scalar", array["dtype"], human(array["bytes"]))
        for array in facts["arrays"]
    ]
    show_table(out, str(facts["file"]), ["array", "shape", "dtype", "size"], rows, right=["size"])
    sequences = facts.get("sequences")
    unread = [("not read", _not_read(facts))] if facts["not_read"] else []
    if sequences is None:
        if unread:
            show_table(out, "", ["", ""], unread, header=False)
        return
    show_table(out, "sequences", ["", ""], [*_sequence_facts(sequences), *unread], header=False)
    show_histogram(out, [tuple(bar.values()) for bar in sequences["histogram"]])
    for preview in sequences["preview"]:
        _show_preview(out, preview, sequences.get("features"))
        if first is not None and not preview["sequence"]:
            _show_picture(out, first, sequences.get("features"))


def show_sequence(facts: Mapping[str, Any], window: Slots) -> None:
    """Print the facts that `seqtool.inspecting.describe.sequence_facts` gives, with a picture of the sequence."""
    out = console()
    _show_preview(out, facts, facts.get("features"))
    _show_picture(out, window, facts.get("features"))


def _show_picture(out: Console, window: Slots, features: Sequence[str] | None) -> None:
    if window.slots.ndim > 2:  # a row of characters shows one number a step
        return
    show_heatmap(out, window.slots, real=(window.begin, window.end), features=features)


def print_sequence(facts: Mapping[str, Any], steps: AnyArray) -> None:
    """Write the facts and all steps of a sequence to standard output, as one JSON object in which NaN is text."""
    if sys.stdout is None:
        raise DataError("standard output is closed")
    others = {name: fact for name, fact in facts.items() if name not in ("steps", "extent")}
    head = json.dumps({"schema": SCHEMA, **others}).removesuffix("}")
    sys.stdout.write(f'{head}, "steps": [')
    for begin, part in chunks(steps):
        rows = json.dumps([_strict(step) for step in part.tolist()])
        sys.stdout.write(f"{', ' if begin else ''}{rows[1:-1]}")
    sys.stdout.write("]}\n")


def _strict(step: Any) -> Any:
    """A step as strict JSON allows it: NaN and infinities are text."""
    return [_strict(number) for number in step] if isinstance(step, list) else value_to_json(step)


def _show_preview(out: Console, preview: Mapping[str, Any], features: Sequence[str] | None) -> None:
    """A table of the first steps of one sequence, with their first features."""
    parts = [f"{name} {shortened(str(preview[name]))}" for name in ("key", "part", "y") if name in preview]
    title = ", ".join([*parts, count(preview["length"], "step")])
    steps = preview["extent"] if "extent" in preview else preview["steps"]
    if "extent" in preview:
        features = ("min", "mean", "max")
    width = len(steps[0]) if steps else 0
    names = [shortened(name) for name in list(features or map(str, range(width)))[:_FEATURES_SHOWN]]
    rows = [(str(t), *step[: len(names)]) for t, step in enumerate(steps)]
    if preview["length"] > len(rows):
        rows.append(("...", *[""] * len(names)))
    show_table(
        out, f"sequence {preview['sequence']}: {title}", ["step", *names], rows, right=["step", *names]
    )


def _sequence_facts(sequences: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The rows of a table: the name of each fact, and the fact in words."""
    empty = f", {sequences['empty']:,} of them empty" if sequences["empty"] else ""
    yield "kind", str(sequences["kind"])
    yield "count", f"{count(sequences['count'], 'sequence')}, {count(sequences['steps'], 'step')}{empty}"
    if "step_shape" in sequences:
        yield "step", f"an array of {by_size(sequences['step_shape'])}"
    lengths = sequences["lengths"]
    if lengths:
        yield "lengths", f"min {lengths['min']:,}, median {lengths['median']:,g}, max {lengths['max']:,}"
    if "padding" in sequences:
        yield (
            "padding",
            f"{sequences['padding']}, with {sequences['value']}, {sequences['padding_share']:.1%} of all steps",
        )
    if "keys" in sequences:
        yield "keys", f"{sequences['keys']['count']:,}, {sequences['keys']['kind']}"
    if sequences.get("part"):
        yield "part", f"from {sequences['part']['min']:,} to {sequences['part']['max']:,}"
    if "split" in sequences:
        yield "split", ", ".join(f"{name} {number:,}" for name, number in sequences["split"].items())
    if "features" in sequences:
        yield "features", listed(sequences["features"])
    if "order" in sequences:
        yield "order", listed(sequences["order"])
    for name, classes in sequences.get("labels", {}).items():
        yield f"label {name}", listed([*map(str, classes)]) if classes else "numbers"
    for name in ("classes", "step_classes"):
        if name in sequences:
            yield name.replace("_", " "), listed([*map(str, sequences[name])])
    for name, number in sequences.get("categories", {}).items():
        yield f"category {name}", f"{count(number, 'name')}: an embedding of {number + 3:,} rows"
    for array in sequences["not_finite"]:
        yield "not finite", _not_finite(array)
    for entry in sequences["receipt"]:
        if "rows" in entry:
            yield f"by {entry.get('command')}", _row_counts(entry["rows"])


def _not_read(facts: Mapping[str, Any]) -> str:
    """What of a large file was not read, and the option that reads it."""
    size = sum(array["bytes"] for array in facts["arrays"] if array["name"] in facts["not_read"])
    what = "checksums, padding, NaN and infinities" if "sequences" in facts else "checksums"
    return f"{listed(facts['not_read'])}, {human(size)}: {what} were not looked at; {Advice('--full')} reads them"


def _not_finite(array: Mapping[str, Any]) -> str:
    """The NaN and infinities of one array in words."""
    words = (("nan", "NaN"), ("infinite", "infinite"))
    counted = " and ".join(f"{array[name]:,} {word}" for name, word in words if array[name])
    is_whole = array["looked"] == array["rows"]
    rows = "" if is_whole else f" in the first {array['looked']:,} of {array['rows']:,} rows"
    return f"{array['array']}: {counted}{rows}, the first in sequence {array['sequence']:,}"


def _row_counts(rows: Mapping[str, Any]) -> str:
    """The rows that one command read, and what became of them."""
    dropped, added = sum(rows.get("dropped", {}).values()), sum(rows.get("added", {}).values())
    more = f" + {added:,} added" if added else ""
    return (
        f"{rows['in']:,} steps in{more} = {rows['kept']:,} kept + {rows['cut']:,} cut + {dropped:,} dropped"
    )
