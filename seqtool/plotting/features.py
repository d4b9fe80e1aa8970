"""The names of the features that a picture may show, and the one that a person asks for."""

from __future__ import annotations

from collections.abc import Sequence

from seqtool.advice import Advice
from seqtool.errors import DataError
from seqtool.sequences.ragged import Ragged
from seqtool.words import by_size, place_in


def feature_names(ragged: Ragged) -> Sequence[str]:
    """The names of the features of a step; none for steps of several dimensions, which are not drawn.

    >>> import numpy as np
    >>> feature_names(Ragged(np.zeros((1, 2)), np.array([0, 1])))
    ['feature 0', 'feature 1']
    """
    if ragged.values.ndim == 1:
        return ["id" if ragged.values.dtype.kind in "iu" else "value"]
    if ragged.values.ndim > 2:
        return []
    return ragged.features or [f"feature {i}" for i in range(ragged.values.shape[1])]


def find_feature(ragged: Ragged, feature: str | None) -> int:
    """The position of a feature that is given by name or by position; raises DataError where there is no such one."""
    if feature is None:
        return 0
    if ragged.values.ndim == 1:
        raise DataError(
            f"--feature {feature}: a step is a single number here; ", Advice(without=["--feature"])
        )
    if ragged.values.ndim > 2:
        step = by_size(ragged.values.shape[1:])
        raise DataError(
            f"--feature {feature}: a step is an array of {step} here, which is not drawn; ",
            Advice(without=["--feature"]),
        )
    names, width = ragged.features or (), ragged.values.shape[1]
    if feature in names:
        return names.index(feature)
    position = place_in(feature, width)
    if position is not None:
        return position
    known = f"; the names are {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}" if names else ""
    raise DataError(
        f"--feature {feature}: no such feature; a name, or a position below {width:,}, was expected{known}"
    )
