"""What must hold of every file, whatever network reads it: one function, one finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.lazy import AnyArray, span
from seqtool.arrays.spool import Spool
from seqtool.checking.findings import (
    Finding,
    Subject,
    Verdict,
    failure,
    find_matches,
    remedy_for_missing,
    step_in_digits,
    unique_classes,
    unique_names,
)
from seqtool.checking.keys import keys, splits
from seqtool.checking.provenance import order, original_lengths, receipt, row_index, rows_of_y
from seqtool.operations.cast import lost
from seqtool.sequences.conversion import from_dense
from seqtool.sequences.labels import LabelArray, label_arrays, padded_class
from seqtool.sequences.padding_values import UNLABELLED
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sequences.validation import stale_slots
from seqtool.sources.leftovers import holds_one, looks_padded_at_start


def invariants(subject: Subject, judged: Subject, spool: Spool) -> Iterator[Finding]:
    """Findings on lengths and on each array that the file has; wrong lengths are the only one.

    `judged` is the subject without hidden padding.
    """
    of_lengths = lengths(subject)
    yield of_lengths
    if of_lengths.verdict == "fails":  # they say which cells are real, so nothing else can be checked
        return
    data = subject.data
    if isinstance(data, Padded) and subject.lengths is not None:
        yield padding_cells(subject, data)
        if subject.mask is not None:
            yield mask(subject, data, subject.mask)
    if data.keys is not None:
        yield keys(subject, spool)
    if data.features is not None:
        yield unique_names("features", data.features)
    yield values(judged)
    if subject.reader is None:
        yield dtype(subject)
    for array in label_arrays(subject.real):
        yield labels(subject, array, spool)
    if "static" in data.per_sequence:
        yield static(subject, data.per_sequence["static"])
    if "original_lengths" in data.per_sequence:
        yield original_lengths(subject, data.per_sequence["original_lengths"])
    if "split" in data.per_sequence:
        yield splits(subject, spool)
    if "row_index" in data.per_step:
        yield row_index(subject)
    if "order" in data.per_step:
        yield order(subject)
    yield from rows_of_y(subject)
    if subject.ours:
        yield receipt(subject)


def lengths(subject: Subject) -> Finding:
    """Lengths lie within 0 and T; offsets begin at 0, never fall, and end at S.

    They also fail where an external array looks padded at its start: then they may leave out real steps.
    """
    data = subject.data
    fault = _offsets_fault(data, subject.lengths) if isinstance(data, Ragged) else _lengths_fault(data)
    if fault is not None:
        return fault
    clean = subject.scan is not None and subject.scan.stale is None  # then nothing looks padded elsewhere
    if isinstance(data, Padded) and subject.doubtful and not clean and looks_padded_at_start(data):
        message = Message(
            "they leave out real steps: x is taken as padded at its end, but looks padded at its start; set ",
            Advice("--input-padding", "pre"),
            ", or if that is meant, ",
            Advice("--input-padding", "post"),
        )
        return Finding("lengths", "fails", message, advice=Advice("--input-padding", "pre"))
    if isinstance(data, Padded) and subject.lengths is None:
        return _lengths_unknown(subject, slots=data.x.shape[1])
    hidden = subject.hidden
    known = span(data.lengths)
    if not known.total:
        return Finding("lengths", "warning", "no step in any sequence" if len(data) else "no sequences")
    message = Message(
        f"{len(data):,} sequences of {known.least:,} to {known.largest:,} steps, {known.total:,} in all"
    )
    if hidden is not None:
        strip = Advice("seqtool", "pad", subject.file, *hidden.options)
        question = f"; {hidden.seen}: if lengths are too large, drop these: "
        return Finding("lengths", "warning", Message(message, question, strip), hidden.count)
    return Finding("lengths", "ok", message)


def _lengths_unknown(subject: Subject, *, slots: int) -> Finding:
    """An external array without lengths: every slot is taken as a real step."""
    assumed = f"no lengths given: every row is taken as {slots:,} real steps; to name them: "
    message, hidden = Message(assumed, Advice("--lengths", "NAME")), subject.hidden
    if hidden is None or subject.reader is not None:  # `contracts` has a finding of its own for a reader
        return Finding("lengths", "warning", message)
    message = Message(message, f"; {hidden.seen}: probably leftover padding")
    return Finding("lengths", "warning", message, advice=Advice(*hidden.options))


def _lengths_fault(data: Padded) -> Finding | None:
    slots = data.x.shape[1]
    wrong = find_matches(lambda part: (part < 0) | (part > slots), data.lengths)
    if wrong is None:
        return None
    first = int(data.lengths[wrong.row : wrong.row + 1][0])
    return failure("lengths", f"a length is {first}, but x holds {slots} steps", wrong, "lengths")


def _offsets_fault(data: Ragged, stored: AnyArray | None) -> Finding | None:
    first, last = int(data.offsets[:1][0]), int(data.offsets[len(data) :][0])
    if first != 0:
        return Finding("lengths", "fails", f"offsets begin at {first}; 0 was expected", 1, "offsets[0]")
    falls = find_matches(lambda part: part < 0, data.lengths)
    if falls is not None:
        place = f"offsets[{falls.row + 1}]"
        return Finding(
            "lengths", "fails", "offsets decrease: a sequence ends before it begins", falls.count, place
        )
    if last != len(data.values):
        message = f"offsets end at {last:,}, but values holds {len(data.values):,} steps"
        return Finding("lengths", "fails", message, 1, f"offsets[{len(data)}]")
    differ = None if stored is None else find_matches(np.not_equal, data.lengths, stored)
    if differ is None:
        return None
    return failure("lengths", "lengths and offsets contradict each other", differ, "lengths")


def padding_cells(subject: Subject, data: Padded) -> Finding:
    """Every cell outside the sequences holds the padding value, in x and in the per-step arrays.

    Leftover data past the ends in an external file is a warning, except for Keras, which would read it.
    """
    arrays = {"x": (data.x, data.value)}
    if subject.ours:  # an external file does not state what padding holds in its other arrays
        arrays |= {name: (array.data, array.value) for name, array in data.per_step.items()}
    for name, (array, value) in arrays.items():
        known = subject.scan if name == "x" else None
        stale = known.stale if known else stale_slots(array, data.lengths, padding=data.padding, value=value)
        if stale is None:
            continue
        first = step_in_digits(stale.content)
        message = f"steps beyond lengths hold other values than the padding value {value}, the first {first}"
        if subject.ours:
            return Finding("padding", "fails", message, stale.count, f"{name}{[*stale.place]}")
        if stale.count > 1 and holds_one(array, data):
            number = np.asarray(stale.content).reshape(-1)[0].item()
            other_value = f"padding holds {first}, not {value}; set it with "
            message = Message(
                other_value, Advice("--value", int(number) if number == number // 1 else number)
            )
        else:
            message = Message(
                message,
                ": leftover data, or lengths too short; correct lengths first: the fix overwrites these steps",
            )
        verdict: Verdict = "fails" if subject.reader in ("keras", "keras-cudnn") else "warning"
        return Finding("padding", verdict, message, stale.count, f"{name}{[*stale.place]}", Advice())
    side = "at the end" if data.padding == "post" else "at the start"
    guessed = " (assumed)" if subject.doubtful else ""
    return Finding("padding", "ok", f"{side}, with {data.value}{guessed}")


def mask(subject: Subject, data: Padded, stored: AnyArray) -> Finding:
    """The mask is true exactly where lengths say that steps are real."""
    outside = stale_slots(stored, data.lengths, padding=data.padding, value=0)
    if outside is not None:
        message = "true beyond lengths"
        return Finding("mask", "fails", message, outside.count, f"mask{[*outside.place]}")
    missed = find_matches(np.logical_not, from_dense(stored, data.lengths, padding=data.padding).values)
    if missed is not None:
        return Finding(
            "mask", "fails", "false in real steps", missed.count, subject.place(missed.row, name="mask")
        )
    return Finding("mask", "ok", "matches lengths")


def values(subject: Subject) -> Finding:
    """NaN and infinities in real steps: missing values, with which the loss of a network becomes NaN."""
    if subject.real.values.shape[1:] == (0,):
        return Finding("values", "warning", "no features: steps are empty")
    cells = np.empty(0) if subject.scan and subject.scan.finite else subject.real.values
    return _finite(subject, "values", cells, subject.place)


def static(subject: Subject, array: AnyArray) -> Finding:
    """NaN and infinities in the per-sequence numbers."""
    return _finite(subject, "static", array, _place_in("static"))


def _finite(subject: Subject, name: str, array: AnyArray, place: Callable[..., str]) -> Finding:
    wrong = None if array.dtype.kind != "f" else find_matches(lambda part: ~np.isfinite(part), array)
    if wrong is None:
        return Finding(name, "ok", "all finite")
    verdict: Verdict = "warning" if subject.reader is None else "fails"
    harm = "missing values" if subject.reader is None else "the loss becomes NaN"
    message = Message(f"NaN or infinities: {harm}; ", *remedy_for_missing(subject, name, array))
    return Finding(name, verdict, message, wrong.count, place(*wrong.cell))


def _place_in(name: str, column: int | None = None) -> Callable[..., str]:
    """A function that names a cell of a per-sequence array, or of one of its columns."""
    return lambda *cell: f"{name}{[*cell, *([] if column is None else [column])]}"


def dtype(subject: Subject) -> Finding:
    """float64 takes twice the memory of what networks compute with."""
    kind = subject.real.values.dtype
    if kind == np.float64:
        message = "float64: twice the memory of float32, in which networks compute"
        small = subject.scan is not None and subject.scan.largest <= 1 << 24  # float32 holds all whole ones
        cell = None if small else lost(subject.real.values, np.dtype(np.float32))
        if cell is None:
            return Finding("dtype", "warning", message, advice=Advice("--dtype", "float32"))
        message = f"{message}; float32 cannot hold all of these numbers"
        return Finding("dtype", "warning", message, place=subject.place(*cell))
    return Finding("dtype", "ok", str(kind))


def labels(subject: Subject, array: LabelArray, spool: Spool) -> Finding:
    """Labels are whole numbers within their classes, whose names are unique; none is NaN."""
    label, classes, column = array.cells, array.classes, array.column
    name = array.name if column is None else f"y of {array.title!r}"
    place = partial(subject.place, name="step_y") if array.name == "step_y" else _place_in("y", column)
    if classes is not None:
        of_names = unique_classes(name, classes, spool)
        if of_names.verdict == "fails":
            return replace(of_names, message=f"classes: {of_names.message}")
        if label.dtype.kind not in "iu" and column is None:  # one of several may stand beside fractions
            message = f"{label.dtype}, although there are classes; whole numbers were expected"
            return Finding(name, "fails", message)
    nan = None if label.dtype.kind != "f" else find_matches(np.isnan, label)
    if nan is not None:
        verdict: Verdict = "warning" if subject.reader is None else "fails"
        return Finding(name, verdict, "NaN: no label; drop these sequences", nan.count, place(*nan.cell))
    if classes is not None:
        fault = _classes_fault(subject, name, label, len(classes), place)
        if fault is not None:
            return fault
    padding_is_learnt = padded_class(subject.data) if name == "step_y" else None
    if padding_is_learnt is not None:
        return Finding(name, "warning", padding_is_learnt)
    return (
        _unnamed(subject, name, label) if classes is None else Finding(name, "ok", f"{len(classes)} classes")
    )


def _classes_fault(
    subject: Subject, name: str, label: AnyArray, classes: int, place: Callable[..., str]
) -> Finding | None:
    """Labels that are none of the classes, or that stand for no label where the loss learns them."""
    wrong = find_matches(
        lambda part: ((part < 0) & (part != UNLABELLED)) | (part >= classes) | (part != np.trunc(part)), label
    )
    if wrong is not None:
        message = f"labels outside 0 to {classes - 1} ({classes} classes)"
        return Finding(name, "fails", message, wrong.count, place(*wrong.cell))
    unlabelled = find_matches(lambda part: part == UNLABELLED, label)
    if unlabelled is not None and subject.reader != "torch":  # its losses ignore this number
        message = f"{UNLABELLED}: no label; the loss must ignore it"
        return Finding(name, "warning", message, unlabelled.count, place(*unlabelled.cell))
    return None


def _unnamed(subject: Subject, name: str, label: AnyArray) -> Finding:
    """Labels without names of classes; a warning where a classifier might be trained on those that start above 0."""
    message = f"{label.dtype}, no classes"
    may_be_classes = name == "y" and label.dtype.kind in "iu" and label.ndim == 1 and len(label) > 0
    if subject.reader is None or not may_be_classes:
        return Finding(name, "ok", message)
    known = span(label)
    if known.least == 0 or known.largest - known.least >= _MOST_CLASSES:
        return Finding(name, "ok", message)
    hint = f"from {known.least} to {known.largest}; if these are classes, losses expect them to start at 0"
    return Finding(name, "warning", f"{message}, {hint}")


_MOST_CLASSES = 100  # whole numbers over a wider range measure something
