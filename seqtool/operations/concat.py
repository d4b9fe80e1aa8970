"""`concat`: the sequences of several inputs, one after another."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, get_args

import numpy as np

from seqtool.arrays.dtypes import Array, holds_all
from seqtool.arrays.lazy import lazy_map, span
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.errors import UsageError, check_choice, names_arguments
from seqtool.operations.clashes import OnClash, without_clashes
from seqtool.operations.merging import MixedTypesError, aligned, end_to_end, with_implied
from seqtool.operations.name_tables import Piece
from seqtool.operations.pad import carry_out, with_receipt
from seqtool.sequences.conversion import converted
from seqtool.sequences.padding_values import Side, Value, value_to_json
from seqtool.sequences.ragged import Padded, Ragged, StepArray
from seqtool.sequences.receipts import Entry, Rows
from seqtool.sequences.stream import PaddedStream
from seqtool.words import in_short


class UnlikeError(UsageError):
    """Inputs that no block or array can hold together; `seqtool pad` with `options` makes the one of `name` alike."""

    def __init__(self, message: str, name: str, options: Sequence[str]) -> None:
        super().__init__(message)
        self.name, self.options = name, [*options]


@names_arguments
def concat(sequences: Any, *, on_clash: OnClash = "error") -> Ragged | Padded:
    """The sequences of several inputs, one after another, in memory: Padded where all of them are, else a Ragged.

    `sequences` is a list of inputs in any form that `seqtool.pad` takes. Padded ones are padded to the largest number
    of slots. Features, labels and static columns are matched by their names; classes and categories by theirs: those
    of the first input keep their numbers, and new ones follow. Of sequences of one key (and part) `on_clash` keeps the
    "first" or the "last", or "both", with another part; "error" refuses them.

    Raises DataError for keys that clash, and for inputs with other features or arrays; UsageError for inputs that were
    padded at other sides or with other values, or scaled or encoded by other numbers.

    >>> import seqtool as st
    >>> both = st.concat([st.pad([[1, 2]]), st.pad([[3, 4, 5]])])
    >>> both.x.tolist(), both.lengths.tolist()
    ([[0, 1, 2], [3, 4, 5]], [2, 3])
    """
    check_choice("on_clash", on_clash, get_args(OnClash))
    if isinstance(sequences, (Ragged, Padded, str, bytes)) or not hasattr(sequences, "__iter__"):
        raise UsageError(f"sequences is {in_short(sequences)}; a list of inputs was expected")
    pieces = []
    for i, one in enumerate(sequences):
        found, missing = converted(one)
        if missing:
            warnings.warn(f"missing values became NaN: {missing:,}", stacklevel=3)
        form = (one.x.shape[1], one.padding, one.value) if isinstance(one, Padded) else (None, None, None)
        pieces.append(Piece(f"sequences[{i}]", found, *form))
    with Spool() as spool:
        done = concatenated(pieces, [], on_clash=on_clash, spool=spool)
        return carry_out(done.data) if isinstance(done.data, PaddedStream) else done.data.in_memory()


@dataclass(frozen=True, eq=False)
class Concatenated:
    """All sequences, with their receipt, and lines for the summary."""

    data: Ragged | PaddedStream
    lines: Sequence[tuple[str, str]] = ()


def concatenated(
    pieces: Sequence[Piece], inputs: list[str], *, on_clash: OnClash, spool: Spool
) -> Concatenated:
    """The sequences of inputs one after another, lazily; errors as in `concat`, `UnlikeError` where padding helps."""
    if not pieces:
        raise UsageError("sequences is empty; one input was expected at least")
    _check_fitted(pieces)
    pieces = _rows_numbered_on(aligned(with_implied(pieces)))
    form = _form(pieces)
    try:
        whole = end_to_end(pieces, spool)
    except MixedTypesError as error:
        ragged = [] if form else ["--ragged"]
        raise UnlikeError(str(error), error.piece.name, ["--dtype", str(error.other), *ragged]) from None
    kept, dropped, lines = without_clashes(whole, pieces, on_clash, spool)
    data: Ragged | PaddedStream = kept
    if form is not None:
        data = PaddedStream(kept, *form, kept.values.dtype)
    steps = [len(piece.ragged.values) for piece in pieces]
    rows = Rows(sum(steps), span(kept.lengths).total, 0, dropped)
    arguments = {
        "on_clash": None if on_clash == "error" else on_clash,
        "steps": steps,
        "maxlen": None if form is None else form[0],
    }
    return Concatenated(with_receipt(data, Entry("concat", inputs, arguments, rows)), lines)


def _rows_numbered_on(pieces: Sequence[Piece]) -> list[Piece]:
    """The same inputs with the numbers of rows as if their tables stood one behind the other."""
    found, before = [], 0
    for piece in pieces:
        per_step, per_sequence = dict(piece.ragged.per_step), dict(piece.ragged.per_sequence)
        read = [entry["rows"]["in"] for entry in piece.ragged.receipt if entry.get("command") == "group"]
        move, ends = partial(_moved, by=before), list[int]()
        if "row_index" in per_step:
            rows = per_step["row_index"]
            per_step["row_index"] = StepArray(lazy_map(move, rows.data, dtype=np.int64), rows.value)
            ends.append(span(rows.data).largest + 1)
        if "y_row_index" in per_sequence:
            of_targets = per_sequence["y_row_index"]
            per_sequence["y_row_index"] = lazy_map(move, of_targets, dtype=np.int64)
            ends.append(span(of_targets).largest + 1)
        if ends:
            before += max([*ends, *read])
        found.append(
            replace(piece, ragged=piece.ragged.replace(per_step=per_step, per_sequence=per_sequence))
        )
    return found


def _moved(rows: Array, *, by: int) -> Array:
    """Numbers of rows moved on; negative ones are of steps that no row has."""
    return np.where(rows < 0, rows, rows + by)


def _form(pieces: Sequence[Piece]) -> tuple[int, Side, Value] | None:
    """The slots, the side and the value of the block of all inputs; None where all are ragged."""
    first, largest = pieces[0], 0
    for piece in pieces:
        if (piece.slots is None) != (first.slots is None):
            padded, ragged = (first, piece) if piece.slots is None else (piece, first)
            message = f"{padded.name} is padded, and {ragged.name} is ragged"
            raise UnlikeError(message, padded.name, ["--ragged"])
        if piece.slots is None:
            continue
        if piece.padding != first.padding:
            sides = _SIDES[first.padding], _SIDES[piece.padding]
            message = f"{first.name} is padded at the {sides[0]}, {piece.name} at the {sides[1]}"
            raise UnlikeError(message, piece.name, _alike(first, piece))
        if _shown(piece.value) != _shown(first.value):  # as text NaN equals itself
            message = (
                f"{first.name} is padded with {_shown(first.value)}, {piece.name} with {_shown(piece.value)}"
            )
            raise UnlikeError(message, piece.name, _alike(first, piece))
        largest = max(largest, piece.slots)
    return (
        None if first.slots is None else (largest, first.padding, 0 if first.value is None else first.value)
    )


def _alike(first: Piece, piece: Piece) -> list[str]:
    """The options by which `pad` pads an input as the first one."""
    one, other = first.ragged.values.dtype, piece.ragged.values.dtype
    options = [f"--{first.padding}"] if piece.padding != first.padding else []
    other_value = _shown(piece.value) != _shown(first.value)
    options += ["--value", _shown(first.value)] if other_value else []
    both = np.result_type(one, other)
    exact = holds_all(one, both) and holds_all(other, both)
    return options + (["--dtype", str(one)] if one != other and (other_value or not exact) else [])


_SIDES = {"pre": "start", "post": "end"}


def _shown(value: Any) -> str:
    """A padding value as an option has it."""
    numbers = value_to_json(value)
    return ",".join(map(str, numbers)) if isinstance(numbers, list) else str(numbers)


def _check_fitted(pieces: Sequence[Piece]) -> None:
    """Raise UsageError where inputs were scaled, filled or encoded by other numbers."""
    first = pieces[0]
    for piece in pieces[1:]:
        one, other = _states(first.ragged), _states(piece.ragged)
        if one == other:
            continue
        commands = [command for command, _ in one], [command for command, _ in other]
        more, less = (first, piece) if len(commands[0]) >= len(commands[1]) else (piece, first)
        if commands[0] == commands[1]:
            raise UsageError(
                f"{first.name} and {piece.name} went through {' and '.join(commands[0])} by other numbers; take one "
                "of them as it was before, and do it by the numbers of the other"
            )
        done = " and ".join(commands[0] if more is first else commands[1])
        raise UsageError(
            f"{more.name} went through {done}, and {less.name} did not; do it to both by the same numbers"
        )


def _states(ragged: Ragged) -> list[tuple[str, Mapping[str, Any]]]:
    """What was learned, and by which command, in the order that it was applied."""
    return [(entry["command"], _by_name(entry["state"])) for entry in ragged.receipt if "state" in entry]


def _by_name(state: Mapping[str, Any]) -> dict[str, Any]:
    """What was learned with features, or categories, in the order of their names, in which any file may have them."""
    names = state.get("features") or state.get("categories") or []
    order = sorted(range(len(names)), key=names.__getitem__)

    def ordered(held: Any) -> Any:
        if not isinstance(held, list):
            return held
        if all(isinstance(one, str) for one in held) and {*held} <= {*names}:
            return sorted(held)
        return [held[i] for i in order] if len(held) == len(names) else held

    return {name: ordered(held) for name, held in state.items()}
