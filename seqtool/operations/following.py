"""What follows parts of sequences: the steps behind windows, or behind x, and which rows of the source they were."""

from __future__ import annotations

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.sequences.ragged import Ragged

_KNOWN_BY = ("row_index", "order")  # that tell which row of the source a step was


def steps_from(array: AnyArray, first: AnyArray, horizon: int) -> Lazy:
    """The `horizon` rows of an array (S, ...) from each of the places `first` (M,) on: (M, horizon, ...), lazily.

    >>> steps_from(np.arange(5) * 10, np.array([1, 3]), 2)[:].tolist()
    [[10, 20], [30, 40]]
    """

    def read(begin: int, end: int) -> Array:
        steps = gather(array, first[begin:end], np.full(end - begin, horizon))
        return steps.reshape(end - begin, horizon, *array.shape[1:])

    return Lazy((len(first), horizon, *array.shape[1:]), array.dtype, read)


def rows_of_targets(ragged: Ragged, first: AnyArray, horizon: int) -> dict[str, AnyArray]:
    """The row numbers and order values of the steps that follow, by array, of those that sequences have of steps.

    `y_row_index` is (M, horizon), `y_order` (M, horizon) or (M, horizon, R) as `order` is (S,) or (S, R): by them a
    prediction finds the row that it is for, though no window may hold that.

    >>> from seqtool.sequences.ragged import StepArray
    >>> rows = {"row_index": StepArray(np.array([4, 0, 7]), -1)}
    >>> data = Ragged(np.arange(3), np.array([0, 3]), per_step=rows)
    >>> {name: array[:].tolist() for name, array in rows_of_targets(data, np.array([2]), 1).items()}
    {'y_row_index': [[7]]}
    """
    kept = [name for name in _KNOWN_BY if name in ragged.per_step]
    return {f"y_{name}": steps_from(ragged.per_step[name].data, first, horizon) for name in kept}
