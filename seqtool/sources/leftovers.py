"""What a block holds outside its sequences: padding or old data, and which side that shows to be padded."""

from __future__ import annotations

from typing import cast

from seqtool.arrays.lazy import AnyArray
from seqtool.sequences.padding_values import Side
from seqtool.sequences.ragged import Padded, exchanged
from seqtool.sequences.validation import Stale, stale_slots


def holds_one(cells: AnyArray, block: Padded) -> bool:
    """Whether an array (N, T, ...) holds the same value in all slots outside the sequences of a block."""
    nothing = "" if cells.dtype.kind == "U" else 0
    stale = stale_slots(cells, block.lengths, padding=block.padding, value=cast(float, nothing))
    if stale is None:
        return True
    value = tuple(stale.content) if isinstance(stale.content, list) else stale.content
    return stale_slots(cells, block.lengths, padding=block.padding, value=value) is None


def leftover_values(block: Padded, side: Side) -> Stale | None:
    """The slots outside the sequences, taken as padded at `side`, that hold old data.

    None where all hold the padding value of the block, or all hold zeros; else those beside the likelier of the two.
    """
    stale = [
        stale_slots(block.x, block.lengths, padding=side, value=value)
        for value in dict.fromkeys((block.value, 0))
    ]
    left = [slots for slots in stale if slots is not None]
    return min(left, key=lambda slots: slots.count) if len(left) == len(stale) else None


def looks_padded_at_start(block: Padded) -> bool:
    """Whether a block holds padding of some value at the start of its rows, and something else at their end."""
    return not _is_clean(block, "post") and _is_clean(block, "pre")


def _is_clean(block: Padded, side: Side) -> bool:
    """Whether the slots outside the sequences, taken as padded at `side`, hold nothing but padding."""
    leftover = leftover_values(block, side)
    if leftover is None:
        return True
    # A single slot holds the same value everywhere, whatever it is: that shows nothing.
    return leftover.count > 1 and holds_one(block.x, cast(Padded, exchanged(block, padding=side)))
