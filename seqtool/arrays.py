"""Sequences in NumPy files: `.npy`, our own `.npz`, and foreign ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from seqtool import npz
from seqtool.building import as_ragged, from_dense, from_lists
from seqtool.casting import Array, first_loss
from seqtool.errors import DataError, UsageError, at
from seqtool.foreign import lengths_file, offset_values, used_names
from seqtool.inputs import Input
from seqtool.npy import checked_dtype, open_npy, unpickle
from seqtool.ragged import Padded, Ragged, Side, Stale, check_lengths, check_value_shape, stale_slots
from seqtool.sequences import Sequences, SourceOptions
from seqtool.windows import AnyArray, mapped, span, windows
from seqtool.zipped import ZipReader


def read_array(source: Input, options: SourceOptions) -> Sequences:
    """Read a NumPy file; raises DataError that begins with its name."""
    with at(source.name):
        return _npy(source, options) if source.kind == "npy" else _npz(source, options)


def _npy(source: Input, options: SourceOptions) -> Sequences:
    if options.array:
        raise UsageError("--array names an array of an .npz; an .npy holds only one")
    if options.allow_pickle:
        pickled = unpickle(source.path, source.name)
        if pickled is not None:
            return _from_objects(pickled, options)
    x = open_npy(source.path, source.name)
    return _dense(x, _lengths_file(options), options)


def _from_objects(loaded: Array, options: SourceOptions) -> Sequences:
    _no_lengths("sequences in an object array", options)
    items = loaded.tolist()  # lists or arrays; those of one length NumPy took apart
    if not isinstance(items, list):
        raise DataError("the object array holds one thing, no sequences")
    ragged = from_lists([_plain(item) for item in items])
    return Sequences(
        ragged, span(ragged.lengths).total, notes=[f"{len(items):,} arrays are one sequence each"]
    )


def _plain(item: Any) -> Any:
    return item.tolist() if isinstance(item, np.ndarray) and item.dtype == object else item


def _no_lengths(what: str, options: SourceOptions) -> None:
    if options.lengths or options.input_padding:
        raise UsageError(f"--lengths and --input-padding describe padded arrays; {what} are not padded")


def _npz(source: Input, options: SourceOptions) -> Sequences:
    with ZipReader(source.path, source.name) as archive:
        archive.verify()
        if npz.is_ours(archive):
            if options.array or options.lengths or options.input_padding:
                raise UsageError(
                    f"{source.name} was written by seqtool and knows its arrays, lengths and padding: leave "
                    "--array, --lengths and --input-padding out"
                )
            return _ours(npz.read(archive))
        return _foreign(archive, options)


def _ours(data: Ragged | Padded) -> Sequences:
    steps = span(data.lengths).total
    if isinstance(data, Padded):
        return Sequences(as_ragged(data), steps, data.padding, data.value, data.x.shape[1])
    return Sequences(data, steps)


def _foreign(archive: ZipReader, options: SourceOptions) -> Sequences:
    names = archive.names
    if not names:
        raise DataError(f"{archive.name}: holds no array")
    numbered = [f"arr_{i}" for i in range(len(names))]
    if options.array is None and len(names) > 1 and sorted(names) == sorted(numbered):
        _no_lengths("numbered arrays, one sequence each,", options)
        options.memory.check_whole(archive.name, 3 * archive.nbytes, "save values and offsets instead")
        return _joined([archive.read(name) for name in numbered])
    if options.array is None and {"values", "offsets"} <= set(names) and "x" not in names:
        _no_lengths("values and offsets", options)
        return _from_offsets(archive)
    used = used_names(names, options.array, options.lengths)
    lengths = archive.window(used[1]) if len(used) > 1 else _lengths_file(options)
    found = _dense(archive.window(used[0]), lengths, options)
    found.notes.extend(_not_read(names, {*used}))
    return found


def _from_offsets(archive: ZipReader) -> Sequences:
    ragged = offset_values(archive).replace()  # of which making one checks what it holds
    return Sequences(ragged, len(ragged.values), notes=_not_read(archive.names, {"values", "offsets"}))


def _not_read(names: Iterable[str], used: set[str]) -> list[str]:
    others = [name for name in names if name not in used]
    return [f"arrays not read: {', '.join(others)}"] if others else []


def _lengths_file(options: SourceOptions) -> AnyArray | None:
    return None if options.lengths is None else lengths_file(options.lengths)


def _dense(x: AnyArray, lengths: AnyArray | None, options: SourceOptions) -> Sequences:
    if x.ndim not in (2, 3):
        raise DataError(f"the array has shape {x.shape}; (N, T) or (N, T, F) was expected")
    checked_dtype(x.dtype, "the array")
    side = options.input_padding or "post"
    warnings = []
    if lengths is not None:
        if lengths.dtype.kind == "f" and all(
            first_loss(part, np.dtype(np.int64)) is None for _, part in windows(lengths)
        ):
            lengths = mapped(lambda part: part.astype(np.int64), lengths, dtype=np.int64)
        check_lengths(lengths, x)
        check_value_shape(options.value or 0, x.shape[2:])
        stale = _stale(x, lengths, side, options)
        if stale and options.input_padding is None and not _stale(x, lengths, "pre", options):
            raise DataError(
                "the array looks padded at its start: the lengths leave real steps out as if it were padded at the "
                "end; say --input-padding pre, or --input-padding post if that is meant"
            )
        if stale:
            warnings.append(
                f"{stale.count:,} steps past the end of their sequence held old data: reset to padding"
            )
    elif options.input_padding:
        raise UsageError("--input-padding needs to know where padding is: add --lengths")
    ragged = from_dense(x, lengths, padding=side)
    steps = x.shape[0] * x.shape[1] if lengths is None else span(lengths).total
    return Sequences(ragged, steps, maxlen=x.shape[1], dense=lengths is None, warnings=warnings)


def _stale(x: AnyArray, lengths: AnyArray, side: Side, options: SourceOptions) -> Stale | None:
    return stale_slots(x, lengths, padding=side, value=options.value or 0)


def _joined(arrays: list[Array]) -> Sequences:
    # An empty list is a sequence without steps, whatever a step is in the others.
    full = [i for i, array in enumerate(arrays) if array.shape != (0,)]
    for i, array in enumerate(arrays):
        checked_dtype(array.dtype, f"sequence {i}")
        like = arrays[full[0]] if full else array
        if array.ndim not in (1, 2) or (array.shape != (0,) and array.shape[1:] != like.shape[1:]):
            raise DataError(
                f"sequence {i} has shape {array.shape}, but sequence {full[0]} {like.shape}; (steps,) or "
                "(steps, features) was expected, the same for all"
            )
    ragged = from_lists(arrays)
    return Sequences(ragged, sum(map(len, arrays)), notes=[f"{len(arrays):,} arrays are one sequence each"])
