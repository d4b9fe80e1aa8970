"""Padding: ragged sequences into one block of T slots each, and back.

The rules are those of Keras `pad_sequences` (keras/src/utils/sequence_utils.py), except that nothing is
cast silently: the input's dtype stays unless another is asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, cast

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import dtype_named
from seqtool.arrays.lazy import span
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, UsageError, check_whole
from seqtool.operations.cast import check_cast, rounding_warnings
from seqtool.operations.mask_value import free_value
from seqtool.operations.operation import Outcome
from seqtool.operations.truncate import Truncate
from seqtool.option_names import as_arguments
from seqtool.sequences.categories import PADDING
from seqtool.sequences.conversion import Converted, as_ragged
from seqtool.sequences.labels import padded_class
from seqtool.sequences.padding_values import (
    Side,
    Value,
    as_value,
    check_side,
    check_step_value,
    check_value,
    value_to_json,
)
from seqtool.sequences.ragged import Padded, Ragged, StepArray, exchanged, unchecked
from seqtool.sequences.receipts import Entry, Rows
from seqtool.sequences.stream import PaddedStream
from seqtool.system.memory import budget
from seqtool.words import human

_BLOW_UP = 10  # times the bytes of the real steps: so much padding is hardly intended


def pad_stream(
    ragged: Ragged,
    *,
    maxlen: int | None = None,
    padding: Side = "pre",
    truncating: Side = "pre",
    value: Value | Literal["auto"] = 0,
    dtype: str | np.dtype[Any] | None = None,
    multiple_of: int = 1,
    spool: Spool | None = None,
) -> PaddedStream:
    """Check everything that padding `ragged` needs, and pad on demand; arguments and errors as in `pad`.

    Where sequences are cut, arrays of a number for each sequence go to `spool` where they are large.

    >>> pad_stream(Ragged(np.arange(3), np.array([0, 1, 3])), maxlen=100).shape
    (2, 100)
    """
    maxlen, multiple_of = check_whole("maxlen", maxlen), check_whole("multiple_of", multiple_of)
    if maxlen is not None and maxlen < 1:
        raise UsageError(f"maxlen is {maxlen}; it must be at least 1")
    if multiple_of < 1:
        raise UsageError(f"multiple_of is {multiple_of}; it must be at least 1")
    check_side("padding", padding)
    check_side("truncating", truncating)
    target = ragged.values.dtype if dtype is None else dtype_named(dtype)
    for name, array in ragged.per_step.items():
        check_step_value(name, array.value, array.data.dtype)
    value = as_value(value)
    auto = isinstance(value, str) and value == "auto"  # an array would compare each of its numbers
    are_ids = "categories" in ragged.names and "c" not in ragged.per_step
    if are_ids and not auto and np.any(np.asarray(value) != PADDING):
        raise DataError(
            "steps are ids of a category, among which 0 is padding: ", Advice(without=["--value"])
        )
    if not auto:
        check_value(cast(Value, value), ragged.values.shape[1:], target)
    rounded = check_cast(ragged, target)
    if auto:
        value = free_value(ragged.values, target)
    longest = span(ragged.lengths).largest
    slots = -(-(longest if maxlen is None else maxlen) // multiple_of) * multiple_of
    cut = Outcome(ragged)
    if longest > slots:
        cut = Truncate(slots, truncating).apply(ragged, None, spool=spool or Spool())
    return PaddedStream(
        cut.ragged,
        slots,
        padding,
        cast(Value, value),
        target,
        steps_cut=cut.cut,
        lines=tuple(cut.lines),
        warnings=tuple(rounding_warnings(rounded, target)),
    )


def padded(
    found: Converted,
    described: Mapping[str, Any],
    warn: Callable[[str], None],
    *,
    maxlen: int | None,
    padding: Side | None,
    truncating: Side,
    value: Value | Literal["auto"] | None,
    dtype: str | np.dtype[Any] | None,
    multiple_of: int,
) -> Padded:
    """Converted sequences as one block in memory; `described` are arguments about their source, for the receipt."""
    ragged, missing = found
    padding = ragged.padding if padding is None else padding
    value = ragged.value if value is None else value
    planned = pad_stream(
        ragged,
        maxlen=maxlen,
        padding=padding or "pre",
        truncating=truncating,
        value=0 if value is None else value,
        dtype=dtype,
        multiple_of=multiple_of,
    )
    check_blow_up(planned)
    class_warning = padded_class(ragged)
    for warning in [*planned.warnings, *([class_warning] if class_warning else [])]:
        warn(as_arguments(warning))
    if missing:
        warn(f"missing values became NaN: {missing:,}")
    arguments = {"truncating": truncating, "multiple_of": multiple_of if multiple_of > 1 else None}
    steps = planned.span.total + planned.steps_cut
    return carry_out(with_pad_entry(planned, [], {**arguments, **described}, steps=steps))


Data = TypeVar("Data", bound=PaddedStream | Ragged)


def with_pad_entry(
    data: Data, inputs: list[str], arguments: Mapping[str, Any], *, steps: int, outcome: Outcome | None = None
) -> Data:
    """The same sequences with an entry for this call of `pad` in their receipt, its arguments as they were resolved.

    `steps` steps were read; `outcome` is that of the operations before padding. Raises AssertionError unless every
    step is accounted for.
    """
    cut, dropped = (0, {}) if outcome is None else (outcome.cut, outcome.dropped)
    cut += data.steps_cut if isinstance(data, PaddedStream) else 0
    rows = Rows(steps, span(data.lengths).total, cut, dropped)
    return with_receipt(data, Entry("pad", inputs, {**arguments, **resolved(data)}, rows))


def with_receipt(data: Data, entry: Entry) -> Data:
    """The same sequences with one more entry in their receipt."""
    if isinstance(data, Ragged):
        return cast(Data, exchanged(data, receipt=(*data.receipt, entry.as_json())))
    return cast(Data, dataclasses.replace(data, ragged=with_receipt(data.ragged, entry)))


def resolved(data: PaddedStream | Ragged) -> dict[str, Any]:
    """The resolved arguments of a padding, for a receipt; for ragged sequences their dtype alone."""
    if isinstance(data, Ragged):
        return {"dtype": str(data.values.dtype)}
    value = value_to_json(data.value)
    return {"maxlen": data.maxlen, "padding": data.padding, "value": value, "dtype": str(data.dtype)}


def check_blow_up(planned: PaddedStream) -> None:
    """Raise DataError when padding would take many times the real steps and more than memory holds.

    One long sequence among a million short ones does that.
    """
    real = planned.ragged.values.nbytes
    if planned.nbytes <= budget() or planned.nbytes <= _BLOW_UP * real:
        return
    lengths, keys = np.asarray(planned.ragged.lengths), planned.ragged.keys
    longest = int(lengths.argmax())
    key = f"sequence {longest}" if keys is None else f"key {keys[longest : longest + 1][0]}"
    few, most = (int(np.quantile(lengths, share, method="inverted_cdf")) for share in (0.95, 0.99))
    raise DataError(
        f"x would be {planned.shape} {planned.dtype}, {human(planned.nbytes)}, although the sequences hold "
        f"{human(real)}: the longest, {key}, has {lengths[longest]:,} steps; ",
        Advice("--maxlen", max(few, 1)),
        " covers 95 % of the sequences, ",
        Advice("--maxlen", max(most, 1)),
        " 99 %; or keep them as they are: ",
        Advice("--ragged"),
    )


def carry_out(planned: PaddedStream) -> Padded:
    """The padded block in memory, of whose cells none needs a check: they were filled just now."""
    ragged = planned.ragged
    block: Padded = unchecked(
        Padded,
        x=planned.whole(),
        lengths=np.asarray(planned.lengths),
        padding=planned.padding,
        value=planned.value,
        keys=None if ragged.keys is None else np.asarray(ragged.keys),
        features=ragged.features,
        per_step={
            name: StepArray(planned.whole(name), array.value) for name, array in ragged.per_step.items()
        },
        per_sequence={name: np.asarray(array) for name, array in planned.per_sequence.items()},
        names=ragged.names,
        receipt=ragged.receipt,
    )
    return block


def unpad(padded: Padded) -> Ragged:
    """The sequences of a padded block without their padding: the inverse of `pad`, unless something was cut.

    (N, T, F) with lengths (N,) gives values (S, F) and offsets (N + 1,); frames (N, T, H, W, C) give (S, H, W, C).

    >>> from seqtool.sources.pad import pad
    >>> unpad(pad([[1], [2, 3]])).values
    array([1, 2, 3])
    """
    return as_ragged(padded)
