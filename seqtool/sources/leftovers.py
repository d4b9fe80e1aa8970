"""What a block holds outside its sequences: padding, old data, and what that says of the side that is padded."""

from __future__ import annotations

from typing import cast

from seqtool.arrays.lazy import AnyArray
from seqtool.sequences.padding_values import Side
from seqtool.sequences.ragged import Padded, exchanged
from seqtool.sequences.validation import Stale, stale_slots


def holds_one(cells: AnyArray, block: Padded) -> bool:
    """Whether an array (N, T, ...) holds one and the same in all slots outside the sequences of a block."""
    nothing = "" if cells.dtype.kind == "U" else 0
    first = stale_slots(cells, block.lengths, padding=block.padding, value=cast(float, nothing))
    if first is None:
        return True
    held = tuple(first.content) if isinstance(first.content, list) else first.content
    return stale_slots(cells, block.lengths, padding=block.padding, value=held) is None


def leftover_values(block: Padded, side: Side) -> Stale | None:
    """The slots outside the sequences, were they padded at a side, that hold neither padding nor all zeros."""
    values = dict.fromkeys((block.value, 0))
    found = [stale_slots(block.x, block.lengths, padding=side, value=value) for value in values]
    stale = [some for some in found if some is not None]
    return min(stale, key=lambda some: some.count) if len(stale) == len(found) else None


def looks_padded_at_start(block: Padded) -> bool:
    """Whether a block holds padding at the start of its rows, whatever it is, and something else at their end."""
    return not _is_clean(block, "post") and _is_clean(block, "pre")


def _is_clean(block: Padded, side: Side) -> bool:
    """Whether the slots outside the sequences, were they padded at a side, hold nothing but padding."""
    old = leftover_values(block, side)
    if old is None:
        return True
    # A single slot holds one and the same whatever it is.
    return old.count > 1 and holds_one(block.x, cast(Padded, exchanged(block, padding=side)))
