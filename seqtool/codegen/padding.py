"""What padding does to a network: whether it can be read without harm, and by which value it is recognised."""

from __future__ import annotations

import numpy as np

from seqtool.codegen.tasks import Task
from seqtool.operations.mask_value import free_value, holding
from seqtool.sequences.conversion import as_ragged
from seqtool.sequences.padding_values import Value, mask_number
from seqtool.sequences.ragged import Padded, Ragged


def mask_value(data: Ragged | Padded) -> Value:
    """A padding value with which a network that compares steps with it skips no real one.

    That is the one of a padded file, and 0 for a ragged one, unless a real step holds it in every feature.

    >>> mask_value(Ragged(np.array([[0, 0], [5, 0]]), np.array([0, 2])))
    -1
    """
    values = as_ragged(data).values
    value = data.value if isinstance(data, Padded) else 0
    number = mask_number(value)
    if number is not None and holding(values, number) is None:
        return value
    return free_value(values, np.dtype(np.float32))


def is_harmless(data: Ragged | Padded, task: Task) -> bool:
    """Whether a network can read padding without an error or NaN: it is a known id, or finite numbers."""
    value = data.value if isinstance(data, Padded) else 0
    if task.reads == "ids":
        return not isinstance(value, tuple) and 0 <= value < task.inputs
    return bool(np.isfinite(value).all())
