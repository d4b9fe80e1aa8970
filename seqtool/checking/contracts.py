"""What each network needs of a file beside its invariants: one function, one finding.

Read in the documentation and tried: Keras 3.15 (`Masking`, `Embedding(mask_zero=True)`; for cuDNN padding must be at
the end), PyTorch 2.13 (`pack_padded_sequence`, `LSTM`), TensorFlow 2 (`tf.compat.v1.nn.dynamic_rnn`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.checking.findings import Finding, Reader, Subject, find_matches
from seqtool.errors import DataError
from seqtool.operations.cast import lost
from seqtool.operations.mask_value import free_value, holding
from seqtool.operations.strip import Hidden
from seqtool.sequences.padding_values import mask_number
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.words import step_in_words

Check = Callable[[Subject], Finding]


def judge(subject: Subject, judged: Subject, reader: Reader) -> list[Finding]:
    """Findings on what a reader needs of a subject whose lengths are right.

    Hidden padding is a finding of its own, and the other checks leave it out: `judged` is the subject without it. Which
    side is padded is not checked then, for nobody stated it.
    """
    needs, found = _NEEDS[reader], list[Finding]()
    hidden = subject.hidden if subject.lengths is None else None
    if isinstance(subject.data, Ragged):
        message = f"ragged: checked as {subject.cure()} would pad it, at the end and with 0"
        found.append(Finding("form", "ok", message))
    if hidden is not None:
        found.append(_hidden_padding(hidden, sure=subject.stripped is not None))
    if subject.stripped is not None:
        needs = tuple(check for check in needs if check is not _end_padding)
    values = subject.real.values
    if values.ndim > 2:
        needs = (partial(_frames, reader=reader), *(check for check in needs if check is not _mask_value))
    if values.ndim > 1 or values.dtype.kind == "f":
        needs = tuple(check for check in needs if check is not _ids)
    return found + [check(judged) for check in needs]


def _hidden_padding(hidden: Hidden, *, sure: bool) -> Finding:
    """A network reads steps as real that no length marks as padding."""
    if not sure:
        return Finding("hidden padding", "warning", f"{hidden.seen}; taken as real steps", hidden.count)
    message = Message(
        f"{hidden.seen}: probably leftover padding; a model would read it as data; the other checks leave it out; "
        "if these steps are real, name their lengths: ",
        Advice("--lengths", "NAME"),
    )
    return Finding("hidden padding", "fails", message, hidden.count, advice=Advice(*hidden.options))


def _frames(subject: Subject, *, reader: Reader) -> Finding:
    """An LSTM reads no steps of several dimensions, and Masking compares only the last axis of them."""
    step = step_in_words(subject.real.values.shape[1:])
    if reader not in ("keras", "keras-cudnn"):
        return Finding(
            "step", "ok", f"{step}: for convolutions; an LSTM reads (N, T, F), so flatten each step"
        )
    message = (
        f"{step}: for ConvLSTM2D, or layers in TimeDistributed; Masking compares the last axis alone, so give them the "
        "mask: SequenceData(..., include=['mask'])"
    )
    return Finding("step", "ok", message)


def _mask_value(subject: Subject) -> Finding:
    """Masking skips padding, and no real step."""
    if subject.is_ids:
        return _zero_id(subject)
    value = mask_number(subject.value)
    if value is None:
        message = f"padding holds {subject.value}; Masking needs one finite number"
        return Finding("mask value", "fails", message, advice=_free_value_advice(subject))
    match = holding(subject.real.values, value)
    if match is not None:
        message = f"real steps hold {value} in every feature: Masking({value}) would skip them"
        place = subject.place(match.first)
        return Finding("mask value", "fails", message, match.count, place, _free_value_advice(subject))
    return Finding("mask value", "ok", f"Masking({value}) skips only padding")


def _free_value_advice(subject: Subject) -> Advice | None:
    """To pad with a value that no real step holds; None where every candidate is held by one."""
    try:
        return Advice("--value", free_value(subject.real.values))
    except DataError:
        return None


def _zero_id(subject: Subject) -> Finding:
    """Embedding(mask_zero=True) skips id 0: padding holds it, and no real step does."""
    values = subject.real.values
    zeros = find_matches(lambda part: part == 0, values)
    if zeros is not None:
        message = "real steps hold id 0, which Embedding(mask_zero=True) skips; start ids at 1"
        masked = _masking_command(subject)
        if masked is not None:
            message = Message(message, "; if these are numbers, not ids, pad them for Masking: ", masked)
        return Finding("mask value", "fails", message, zeros.count, subject.place(*zeros.cell))
    if subject.value != 0:
        message = f"padding holds {subject.value}; Embedding(mask_zero=True) skips id 0"
        return Finding("mask value", "fails", message, advice=Advice("--value", "0"))
    return Finding("mask value", "ok", "Embedding(mask_zero=True) skips only padding")


def _masking_command(subject: Subject) -> Message | None:
    """The command that pads steps as numbers instead of ids; None where float32 or Masking cannot tell them apart."""
    values = subject.real.values
    try:
        value = free_value(values, _FLOAT32) if lost(values, _FLOAT32) is None else None
    except DataError:
        return None
    return None if value is None else subject.cure("--dtype", "float32", "--value", str(value))


def _ids(subject: Subject) -> Finding:
    """An embedding refuses negative ids, so steps that hold some are taken as numbers."""
    negative = subject.negative
    if negative is not None:
        message = (
            "negative, so steps are taken as numbers; an Embedding would refuse them as ids: start ids at 1"
        )
        return Finding("ids", "warning", message, negative.count, subject.place(*negative.cell))
    return Finding("ids", "ok", "none is negative")


def _end_padding(subject: Subject) -> Finding:
    """Real steps come first."""
    data = subject.data
    slots = data.x.shape[1] if isinstance(data, Padded) else 0
    short = find_matches(lambda part: part < slots, data.lengths) if subject.padding == "pre" else None
    if short is not None:
        message = "padded at the start: the first steps of these sequences would be padding"
        return Finding("side", "fails", message, short.count, f"x[{short.row}, 0]", Advice("--post"))
    return Finding("side", "ok", "real steps come first")


def _no_empty(subject: Subject) -> Finding:
    """Each sequence has a step."""
    empty = find_matches(lambda part: part == 0, subject.data.lengths)
    if empty is not None:
        message = "sequences without a step"
        return Finding(
            "empty", "fails", message, empty.count, f"lengths[{empty.row}]", Advice("--min-len", "1")
        )
    return Finding("empty", "ok", "each sequence has a step")


def _reader_dtype(subject: Subject) -> Finding:
    """Steps have the dtype that the reader takes: float32 as its weights, or integers as ids."""
    dtype, ids = subject.real.values.dtype, subject.is_ids
    fitting = ("int32", "int64") if ids else ("float32",)
    if dtype.name in fitting:
        return Finding("dtype", "ok", f"{dtype}{' ids, for an Embedding' if ids else ''}")
    layer = "ids of an Embedding" if ids else "an LSTM with float32 weights"
    message, wanted = f"{dtype}, but {layer} takes {fitting[-1]}", np.dtype(fitting[-1])
    cell = lost(subject.real.values, wanted)
    if cell is None:
        return Finding("dtype", "fails", message, advice=Advice("--dtype", wanted.name))
    remedy = "renumber the ids from 1" if ids else _remedy_for_numbers(subject)
    message = Message(message, ", which cannot hold these numbers: ", remedy)
    return Finding("dtype", "fails", message, place=subject.place(*cell))


def _torch_dtype(subject: Subject) -> Finding:
    """The same, but only a warning where the batches of `seqtool.torch` convert it."""
    found = _reader_dtype(subject)
    if found.advice is None or subject.real.values.dtype.kind == "b":
        return found
    message = (
        f"{found.message}: seqtool.torch hands it over so; to read the file with plain torch, convert it"
    )
    return replace(found, verdict="warning", message=message)


_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


def _remedy_for_numbers(subject: Subject) -> Message:
    """What to do about numbers that float32 cannot hold, which no option of `seqtool pad` mends."""
    values = subject.real.values
    keeps = values.dtype != _FLOAT64 and lost(values, _FLOAT64) is None
    if not keeps:
        return Message("scale or shift the feature first")
    doubles = Advice("seqtool", "pad", subject.file, "--dtype", "float64")
    return Message("scale or shift the feature first; for models with float64 weights: ", doubles)


def _keras_dtype(subject: Subject) -> Finding:
    """Keras casts all but ids to float32, in which large whole numbers collapse into one."""
    values = subject.real.values
    if subject.is_ids:
        return Finding("dtype", "ok", f"{values.dtype} ids")
    cell = lost(values, _FLOAT32)
    if cell is not None:
        message = Message(
            f"{values.dtype}: Keras computes in float32, which cannot hold these numbers: ",
            _remedy_for_numbers(subject),
        )
        return Finding("dtype", "fails", message, place=subject.place(*cell))
    return Finding("dtype", "ok", f"{values.dtype} numbers, all of which float32 can hold")


def _dynamic_rnn_dtype(subject: Subject) -> Finding:
    """The same, but only a warning for floats of another type, which `dynamic_rnn(dtype=...)` takes."""
    found = _reader_dtype(subject)
    dtype = subject.real.values.dtype
    if found.verdict == "fails" and dtype.kind == "f":
        message = f"{dtype}: works only with dynamic_rnn(dtype=tf.{dtype})"
        message += "" if found.advice else "; float32 cannot hold these numbers"
        return replace(found, verdict="warning", message=message)
    return found


def _finite_value(subject: Subject) -> Finding:
    """`dynamic_rnn` computes on padding too before it drops the outputs, so that NaN there spoils gradients."""
    value, data = subject.value, subject.data
    padded = isinstance(data, Padded) and len(subject.real.values) < data.x.shape[0] * data.x.shape[1]
    if padded and not np.isfinite(value).all():
        message = f"padding holds {value}: gradients become NaN"
        return Finding("value", "fails", message, advice=Advice("--value", "0"))
    return Finding("value", "ok", "padding is finite")


def _int64_lengths(subject: Subject) -> Finding:
    """Lengths are int64, as `pack_padded_sequence` documents; those of external files may not be."""
    dtype = np.dtype(np.int64) if subject.lengths is None else subject.lengths.dtype
    if dtype != np.int64:
        message = f"lengths are {dtype}; pack_padded_sequence expects int64"
        return Finding("lengths dtype", "warning", message, advice=Advice())
    return Finding("lengths dtype", "ok", "int64")


_KERAS: tuple[Check, ...] = (_ids, _mask_value, _keras_dtype)
_NEEDS: dict[Reader, tuple[Check, ...]] = {
    "keras": _KERAS,
    "keras-cudnn": (*_KERAS, _end_padding, _no_empty),
    "torch": (_ids, _torch_dtype, _end_padding, _no_empty, _int64_lengths),
    "dynamic-rnn": (_dynamic_rnn_dtype, _end_padding, _finite_value),
}
