"""Sequences in NumPy files: `.npy`, our own `.npz`, and foreign ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, span
from seqtool.arrays.spool import Spool
from seqtool.errors import DataError, at
from seqtool.files import npz
from seqtool.files.archives import archive_of
from seqtool.files.inputs import Input
from seqtool.files.npy import open_npy, unpickle
from seqtool.files.stored import Archive
from seqtool.files.stored_rows import StoredRows
from seqtool.files.zip_reader import ZipReader
from seqtool.sequences.conversion import as_ragged, from_lists, with_lengths_at_hand
from seqtool.sequences.padding_values import check_side, value_from_json
from seqtool.sequences.ragged import Padded, Ragged, exchanged
from seqtool.sequences.validation import check_lengths, check_same_lengths
from seqtool.sources.chosen_arrays import choose, lengths_file, refuse_names, refuse_options
from seqtool.sources.foreign import ForeignData, dense, take
from seqtool.sources.labels import check_labels
from seqtool.sources.leftovers import leftover_values, looks_padded_at_start
from seqtool.sources.masks import lengths_and_side, with_side
from seqtool.sources.options import ForeignSpec, Sequences, SourceOptions
from seqtool.words import count

if TYPE_CHECKING:
    from seqtool.sources.word_arrays import WordArray


def read_array(source: Input, options: SourceOptions) -> Sequences:
    """Read a NumPy file; raises DataError that begins with its name."""
    with at(source.name):
        return _npy(source, options) if source.kind == "npy" else _npz(source, options)


def _npy(source: Input, options: SourceOptions) -> Sequences:
    spec = options.foreign
    refuse_names(spec)
    if options.allow_pickle:
        pickled = unpickle(source.path, source.name)
        if pickled is not None and spec.rows.category:
            from seqtool.sources.tokens import words_in

            return words_in(pickled.tolist(), options)
        if pickled is not None:
            return _from_objects(pickled, options)
    x: AnyArray = open_npy(source.path, source.name, time_major=spec.time_major, temporary=source.temporary)
    words = _words(source, options)
    x = x if words is None else words.ids("the array", x)
    lengths = None if spec.lengths is None else lengths_file(spec.lengths, x.shape, spec)
    lengths, side = lengths_and_side(lengths, f"--lengths {spec.lengths}", x.shape)
    spec = with_side(spec, side)
    taken = ForeignData(dense(x, lengths, spec), lengths, side=side, spec=spec)
    found = _foreign(taken, options.spool)
    return found if words is None else words.named(found)


def _words(source: Input, options: SourceOptions) -> WordArray | None:
    """What makes ids of an array of names, where the call names a category."""
    if not options.foreign.rows.category:
        return None
    from seqtool.sources.word_arrays import WordArray

    return WordArray.wanted(source.name, options)


def _from_objects(loaded: Array, options: SourceOptions) -> Sequences:
    """The sequences of an array of objects, each a list or an array; raises DataError for other objects."""
    options.foreign.refuse_of_blocks("an object array is not padded")
    items = loaded.tolist()  # lists or arrays; NumPy makes one array of those of equal length
    if not isinstance(items, list):
        raise DataError("the object array holds a single object; sequences were expected")
    ragged = from_lists([_plain(item) for item in items])
    return Sequences(
        ragged, span(ragged.lengths).total, notes=[f"{count(len(items), 'array')}, one sequence each"]
    )


def _plain(item: Any) -> Any:
    return item.tolist() if isinstance(item, np.ndarray) and item.dtype == object else item


def _npz(source: Input, options: SourceOptions) -> Sequences:
    spec = options.foreign
    with archive_of(source) as archive:
        if not isinstance(archive, ZipReader) or (npz.is_ours(archive) and not _lost_lengths(archive)):
            refuse_options(source.name, replace(spec, value=None))
            if isinstance(archive, StoredRows):
                archive.verify()
                return _of_rows(archive)
            return _ours(_verified(archive), archive, options.spool)
        archive.verify()
        chosen, words = choose(archive, spec), _words(source, options)
        arrays = archive if words is None else words.within(archive, chosen)
        found = _foreign(take(arrays, chosen, spec, options.memory, options.spool), options.spool)
        return found if words is None else words.named(found)


def _lost_lengths(archive: ZipReader) -> bool:
    """Whether a file of ours has lost its lengths, but not the mask, from which they follow."""
    return "mask" in archive.names and "lengths" not in archive.names


def _verified(archive: Archive) -> Ragged | Padded:
    """The sequences of a file of ours, all checksums compared: that of x while its padding is looked at."""
    later = archive.largest
    archive.verify(but=later)
    if later != ["x"]:
        archive.verify(only=later)
        return npz.read(archive)
    try:
        data = npz.read(archive, get=lambda name: (archive.proving if name == "x" else archive.window)(name))
    except DataError:
        archive.verify(only=later)  # whatever else is wrong, damage comes first
        raise
    return cast(Padded, exchanged(data, x=archive.window("x")))


def _ours(data: Ragged | Padded, archive: Archive, spool: Spool) -> Sequences:
    data = with_lengths_at_hand(data, spool)
    found = Sequences(
        as_ragged(data, spool), span(data.lengths).total, ours=True, mask="mask" in archive.names
    )
    if isinstance(data, Padded):
        return replace(found, padding=data.padding, value=data.value, maxlen=data.x.shape[1])
    return found


def _of_rows(archive: StoredRows) -> Sequences:
    """The sequences of a file of ours that holds rows, in which there is no padding to take away."""
    ragged = npz.read(archive.unpadded())
    assert isinstance(ragged, Ragged)
    layout, meta = archive.layout, npz.read_meta(archive)
    found = Sequences(ragged, layout.steps, maxlen=layout.maxlen, ours=True, mask=layout.mask)
    if layout.maxlen is None:
        return found
    return replace(
        found, padding=check_side("padding", meta["padding"]), value=value_from_json(meta["value"])
    )


def _foreign(taken: ForeignData, spool: Spool) -> Sequences:
    """The sequences of foreign arrays; every part is checked here."""
    notes = [*taken.notes, *([f"arrays not read: {', '.join(taken.others)}"] if taken.others else [])]
    warnings: list[str] = [Message(misfit, "; it was not read") for misfit in taken.misfits.values()]
    warnings += taken.warnings
    maxlen, dense = None, isinstance(taken.data, Padded) and taken.lengths is None
    data = taken.data if dense else with_lengths_at_hand(taken.data, spool)
    if isinstance(data, Ragged):
        ragged = data.replace()  # making one checks what it holds
        if taken.lengths is not None:
            check_same_lengths(ragged, taken.lengths)
    else:
        maxlen = data.x.shape[1]
        if not dense:
            warnings += _check_lengths_of(data, taken.spec)
        ragged = as_ragged(data, spool)  # whole rows are a view
    check_labels(ragged)
    steps = len(ragged.values)
    return Sequences(ragged, steps, taken.side, maxlen=maxlen, dense=dense, notes=notes, warnings=warnings)


def _check_lengths_of(block: Padded, spec: ForeignSpec) -> list[str]:
    """Warnings about lengths and leftover data; raises DataError where padding seems to be at the other side."""
    check_lengths(block.lengths, block.x)
    leftover = leftover_values(block, block.padding)
    if leftover is None:
        return []
    if spec.input_padding is None and looks_padded_at_start(block):
        raise DataError(
            "the array looks padded at its start: taken as padded at its end, lengths would drop real steps; "
            "add ",
            Advice("--input-padding", "pre"),
            ", or ",
            Advice("--input-padding", "post"),
            " if that is right",
        )
    were = "was" if leftover.count == 1 else "were"
    return [
        f"{count(leftover.count, 'step')} beyond lengths {were} overwritten with the padding value: leftover data, "
        "or lengths that are too short"
    ]
