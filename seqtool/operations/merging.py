"""The arrays of several inputs as those of one: columns in the order of the first, names of classes in one table.

Numbers of classes, and ids of categories, are those of the first input; names that it does not have follow, in the
order of the inputs, so that what was trained on the first goes on to read them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seqtool.arrays.dtypes import holds_all
from seqtool.arrays.gather import offsets_together
from seqtool.arrays.lazy import AnyArray, Lazy, concatenated, lazy_map
from seqtool.arrays.spool import GrowingArray, Spool
from seqtool.arrays.text import Text, joined_text
from seqtool.errors import DataError
from seqtool.operations.name_tables import COLUMNS, Piece, tables_of, texts_of
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.words import listed


def aligned(pieces: Sequence[Piece]) -> list[Piece]:
    """The same inputs with features, labels and so on in the order of the first, and classes numbered alike.

    Raises DataError where one has other features, labels or tables of names than the first.
    """
    ordered = [_ordered(pieces[0], piece) for piece in pieces]
    names = {**ordered[0].ragged.names}
    found = [piece.ragged for piece in ordered]
    for table in tables_of(ordered):
        merged = table.merged(ordered)
        names[table.name] = merged
        found = [table.renumbered(ragged, merged) for ragged in found]
    return [
        replace(piece, ragged=ragged.replace(names=names))
        for piece, ragged in zip(ordered, found, strict=True)
    ]


# Columns by name


def _ordered(first: Piece, piece: Piece) -> Piece:
    """An input with its columns in the order of the first."""
    ragged, like = piece.ragged, first.ragged
    if ragged.values.shape[1:] != like.values.shape[1:] and ragged.features is None:
        raise DataError(
            f"{piece.name}: steps are {ragged.values.shape[1:]}, but {like.values.shape[1:]} in {first.name}"
        )
    changes: dict[str, Any] = {}
    order = _order("features", first, piece, like.features, ragged.features)
    if order is not None:
        changes = {"values": _columns(ragged.values, order), "features": like.features}
        if isinstance(piece.value, tuple):
            piece = replace(piece, value=tuple(piece.value[i] for i in order))
    per_step, per_sequence, names = dict(ragged.per_step), dict(ragged.per_sequence), dict(ragged.names)
    if order is not None and "observed" in per_step:
        per_step["observed"] = _with_columns(per_step["observed"], order)
    for array, table in COLUMNS.items():
        order = _order(table, first, piece, texts_of(like, table), texts_of(ragged, table))
        if order is None:
            continue
        if array in per_step:
            per_step[array] = _with_columns(per_step[array], order)
        else:
            per_sequence[array] = _columns(per_sequence[array], order)
        kind = {"y": "classes", "c": "vocabulary", "static_c": "static_vocabulary"}.get(array)
        if kind is not None:
            moved = {f"{kind}_{i}": names.pop(f"{kind}_{old}", None) for i, old in enumerate(order)}
            names |= {name: content for name, content in moved.items() if content is not None}
        names[table] = like.names[table]
    return replace(
        piece, ragged=ragged.replace(**changes, per_step=per_step, per_sequence=per_sequence, names=names)
    )


def _order(
    what: str, first: Piece, piece: Piece, like: Sequence[str] | None, names: Sequence[str] | None
) -> list[int] | None:
    """Where each column of the first stands in another input; None where they stand alike, or have no names."""
    if like == names:
        return None
    if like is None or names is None:
        without, named = (first, piece) if like is None else (piece, first)
        raise DataError(
            f"{without.name} has no {what}, and {named.name} has: {listed([*(like or names or [])])}"
        )
    only = {first.name: [name for name in like if name not in names]}
    only[piece.name] = [name for name in names if name not in like]
    if any(only.values()):
        lacks = "; ".join(f"{listed(few)} only in {file}" for file, few in only.items() if few)
        raise DataError(f"{first.name} and {piece.name} have other {what}: {lacks}")
    if len({*like}) < len(like) or len(like) != len(names):
        raise DataError(f"{first.name} and {piece.name} have {what} of the same name, in another order")
    return [names.index(name) for name in like]


def _columns(array: AnyArray, order: list[int]) -> AnyArray:
    return lazy_map(lambda part: part[:, order], array, dtype=array.dtype)


def _with_columns(array: StepArray, order: list[int]) -> StepArray:
    return StepArray(_columns(array.data, order), array.value)


# Arrays end to end


def end_to_end(pieces: Sequence[Piece], spool: Spool) -> Ragged:
    """All sequences of aligned inputs, in their order; arrays that are in a file are read when they are asked for.

    Raises DataError for an array that only some inputs have, and where no dtype holds the numbers of all.
    """
    first = pieces[0].ragged
    whole = [piece.ragged for piece in pieces]
    _check_same_arrays(pieces)
    keys = None if first.keys is None else _joined_keys(pieces, spool)
    per_step = {
        name: StepArray(_joined(name, pieces, [one.per_step[name].data for one in whole], spool), array.value)
        for name, array in first.per_step.items()
    }
    per_sequence = {
        name: _joined(name, pieces, [one.per_sequence[name] for one in whole], spool)
        for name in first.per_sequence
    }
    return Ragged(
        _joined("values", pieces, [one.values for one in whole], spool),
        _offsets(whole, spool),
        keys=keys,
        features=first.features,
        per_step=per_step,
        per_sequence=per_sequence,
        names=first.names,
        receipt=first.receipt,
    )


def with_implied(pieces: Sequence[Piece]) -> list[Piece]:
    """The same inputs, with what others have and what is known of these too: lengths before a cut, and part 0."""
    held = {name for piece in pieces for name in piece.ragged.per_sequence}
    implied: dict[str, Callable[[Ragged], AnyArray]] = {
        "original_lengths": lambda ragged: ragged.lengths,
        "part": lambda ragged: Lazy(
            (len(ragged),), np.dtype(np.int64), lambda begin, end: np.zeros(end - begin, np.int64)
        ),
    }
    found = []
    for piece in pieces:
        per_sequence = dict(piece.ragged.per_sequence)
        for name in held.intersection(implied):
            per_sequence.setdefault(name, implied[name](piece.ragged))
        found.append(replace(piece, ragged=piece.ragged.replace(per_sequence=per_sequence)))
    return found


def _check_same_arrays(pieces: Sequence[Piece]) -> None:
    """Raise DataError for an array, or a table of names, that only some inputs have, or that differs."""
    first = pieces[0]
    for piece in pieces[1:]:
        held = [{**_arrays(one.ragged)} for one in (first, piece)]
        for one, other, lacking in ((held[0], held[1], piece), (held[1], held[0], first)):
            left = sorted({*one} - {*other})
            if left:
                having = first if lacking is piece else piece
                raise DataError(
                    f"{lacking.name} has no {listed(left)}, which {having.name} has; make both with the same options"
                )
        for name, array in first.ragged.per_step.items():
            other_value = piece.ragged.per_step[name].value
            if other_value != array.value and not (np.isnan(other_value) and np.isnan(array.value)):
                raise DataError(
                    f"{name} is padded with {array.value:g} in {first.name} and {other_value:g} in {piece.name}; make "
                    "both with the same options"
                )
        for name in ("order_columns", "order_units"):
            if texts_of(first.ragged, name) != texts_of(piece.ragged, name):
                raise DataError(
                    f"{first.name} and {piece.name} have other {name}; make both with the same options"
                )


def _arrays(ragged: Ragged) -> Mapping[str, Any]:
    keys = {} if ragged.keys is None else {"keys": ragged.keys}
    return {**keys, **ragged.per_sequence, **ragged.per_step}


def _joined_keys(pieces: Sequence[Piece], spool: Spool) -> AnyArray | Text:
    """The keys of all inputs: whole numbers, or text where one of them has text, as all rows together would give."""
    keys = [piece.ragged.keys for piece in pieces]
    for piece, one in zip(pieces, keys, strict=True):
        if one is not None and keys[0] is not None and one.shape[1:] != keys[0].shape[1:]:
            raise DataError(f"{piece.name} and {pieces[0].name} have keys of other columns")
    cells: list[Any] = [*keys]
    if any(one.dtype.kind not in "iu" for one in cells):
        cells = [_as_text(one) if one.dtype.kind in "iu" else one for one in cells]
    joined: AnyArray | Text = _joined("keys", pieces, cells, spool)
    return joined


def _as_text(numbers: AnyArray) -> AnyArray:
    return lazy_map(lambda part: part.astype("U21"), numbers, dtype="U21")


def _joined(name: str, pieces: Sequence[Piece], arrays: Sequence[Any], spool: Spool) -> Any:
    """One array of the inputs, end to end."""
    shape = (sum(map(len, arrays)), *arrays[0].shape[1:])
    for piece, array in zip(pieces, arrays, strict=True):
        if array.shape[1:] != shape[1:]:
            raise DataError(
                f"{name} has shape {array.shape} in {piece.name}, but {arrays[0].shape} in {pieces[0].name}"
            )
    if any(array.dtype.kind in "UT" for array in arrays):
        if not all(array.dtype.kind in "UT" for array in arrays):
            raise DataError(f"{name} holds text in some of the inputs, and numbers in others")
        return joined_text(arrays, spool)
    return concatenated([*arrays], shape, _dtype(name, pieces, [array.dtype for array in arrays]))


def _dtype(name: str, pieces: Sequence[Piece], dtypes: Sequence[np.dtype[Any]]) -> np.dtype[Any]:
    """The dtype that holds what all others hold; raises DataError where there is none."""
    dtype = np.result_type(*dtypes)
    other = next((one for one in zip(pieces, dtypes, strict=True) if not holds_all(one[1], dtype)), None)
    if other is None:
        return dtype
    unlike = next(one for one in zip(pieces, dtypes, strict=True) if one[1] != other[1])
    raise MixedTypesError(name, *other, *unlike)


class MixedTypesError(DataError):
    """Two inputs have an array of dtypes that no dtype holds exactly."""

    def __init__(
        self, array: str, piece: Piece, dtype: np.dtype[Any], unlike: Piece, other: np.dtype[Any]
    ) -> None:
        super().__init__(
            f"{array} is {dtype} in {piece.name} and {other} in {unlike.name}, and no dtype holds both to the last "
            "digit"
        )
        self.array, self.piece, self.other = array, piece, other


def _offsets(whole: Sequence[Ragged], spool: Spool) -> AnyArray:
    """The offsets of all sequences, (N + 1,)."""
    offsets, end = GrowingArray(spool, np.dtype(np.int64)), 0
    offsets.add(np.zeros(1, np.int64))
    for ragged in whole:
        for _, part in offsets_together(ragged.offsets):
            offsets.add(part[1:].astype(np.int64) + end)
        end += len(ragged.values)
    return offsets.done()
