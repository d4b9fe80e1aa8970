"""`strip`: drop steps that somebody else's padding left behind, where the true lengths were lost."""

from __future__ import annotations

import numpy as np

from seqtool.casting import Array, first_loss
from seqtool.ragged import Ragged, Side, check_side


def strip(ragged: Ragged, value: float, *, side: Side = "post") -> Ragged:
    """Drop the trailing (`side="post"`) or leading (`"pre"`) steps in which every feature equals `value`.

    NaN equals NaN here. Steps between others stay, whatever they hold; a sequence of such steps alone
    becomes empty.

    >>> strip(Ragged(np.array([0, 1, 0, 0, 2]), np.array([0, 4, 5])), 0).lengths
    array([2, 1])
    """
    check_side("side", side)
    real = np.flatnonzero(~wholly(ragged.values, value))
    begins, ends = ragged.offsets[:-1], ragged.offsets[1:]
    if side == "post":
        # The last real step before a sequence's end, if it lies within the sequence at all.
        last = np.searchsorted(real, ends) - 1
        ends = np.where(last >= 0, np.maximum(real[last] + 1, begins), begins) if len(real) else begins
    else:
        first = np.searchsorted(real, begins)
        padded = np.append(real, len(ragged.values))
        begins = np.minimum(padded[first], ends)
    edges = np.zeros(len(ragged.values) + 1, dtype=np.int64)
    np.add.at(edges, begins, 1)
    np.add.at(edges, ends, -1)
    kept = np.cumsum(edges[:-1]) > 0
    return ragged if kept.all() else ragged.keep_steps(kept)


def wholly(steps: Array, value: float) -> Array:
    """Which steps hold `value` in every feature: (S,) bool."""
    held = np.asarray(value)
    if steps.dtype.kind == "f" and first_loss(held, steps.dtype) is None:  # 0.1 as float32 is not 0.1
        held = held.astype(steps.dtype)
    same = np.isnan(steps) if np.isnan(value) and steps.dtype.kind == "f" else steps == held
    return np.asarray(same if same.ndim == 1 else same.all(axis=1))


def likely_padding(ragged: Ragged) -> tuple[float, int] | None:
    """The value in which sequences of a dense array seem to be padded at their end, and how many are.

    Such a sequence ends in two steps or more that hold this value, and no other, in every feature.

    >>> likely_padding(Ragged(np.array([1, 0, 0, 3, 4, 5]), np.array([0, 3, 6])))
    (0, 1)
    """
    long = ragged.offsets[1:][ragged.lengths >= 2]
    if not len(long) or ragged.values.size == 0:
        return None
    last, before = (ragged.values[long - back].reshape(len(long), -1) for back in (1, 2))
    first = last[:, :1]
    same = (((last == first) & (before == first)) | (np.isnan(last) & np.isnan(before))).all(axis=1)
    if not same.any():
        return None
    found, counts = np.unique(first[same], return_counts=True)
    return found[counts.argmax()].item(), int(counts.max())
