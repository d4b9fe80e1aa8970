"""`Scaling`: what `scale` learns from sequences, and how it changes the numbers of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, Lazy, lazy_map
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.operations import centers
from seqtool.operations.centers import Method
from seqtool.operations.moments import Moments, moments_of
from seqtool.sequences.features import (
    cell_named,
    cells_a_step,
    check_same_features,
    feature_blocks,
    feature_titles,
    features_named,
    flat,
    lazily_by_sequence,
    order_of,
    width_of,
)
from seqtool.sequences.ragged import Ragged
from seqtool.words import listed


@dataclass(frozen=True, eq=False)
class Scaling:
    """What each feature is shifted by, and then divided by: (F,), or (N, F) where each sequence has its own.

    NaN stands where a feature has no number. The others are positions of features: `chosen` are scaled, `log1p` is
    taken of some first, `binary` were left as they are, for they hold 0 and 1 alone, and `constant` hold one number.
    """

    features: tuple[str, ...]
    center: AnyArray
    scale: AnyArray
    chosen: tuple[int, ...]
    log1p: tuple[int, ...] = ()
    binary: tuple[int, ...] = ()
    constant: tuple[int, ...] = ()

    def facts(self) -> dict[str, Any] | None:
        """All of it as JSON data, features by their names; None where no feature had a number."""
        if self.chosen and np.isnan(np.asarray(self.center)[..., [*self.chosen]]).all():
            return None
        named = {name: [self.features[i] for i in getattr(self, name)] for name in _PLACES}
        return {
            "features": [*self.features],
            "center": np.asarray(self.center).tolist(),
            "scale": np.asarray(self.scale).tolist(),
            **{name: titles for name, titles in named.items() if titles},
        }

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Self:
        """The inverse of `facts`."""
        titles = (*facts["features"],)
        center, scale = (np.array(facts[name], np.float64) for name in ("center", "scale"))
        places = {name: (*map(titles.index, facts.get(name, ())),) for name in _PLACES}
        return cls(titles, center, scale, **places)

    def ordered_for(self, ragged: Ragged) -> Self:
        """The same with the features in the order that sequences have them in."""
        order = order_of(self.features, feature_titles(ragged))
        places = {name: (*(order.index(i) for i in getattr(self, name)),) for name in _PLACES}
        features = (*(self.features[i] for i in order),)
        center, scale = (np.asarray(numbers)[..., order] for numbers in (self.center, self.scale))
        return replace(self, features=features, center=center, scale=scale, **places)

    def named(self, places: Sequence[int]) -> str:
        """The names of some features for a message."""
        return listed([self.features[i] for i in places])


_PLACES = ("chosen", "log1p", "binary", "constant")


def fit(
    ragged: Ragged, method: Method, features: Sequence[str], log1p: Sequence[str], spool: Spool
) -> Scaling:
    """The scaling of features, by default of all but those of 0 and 1, by the numbers of all steps.

    Raises DataError for numbers that are not finite, or have no logarithm, naming the first.
    """
    chosen, logarithms = _named(ragged, features, log1p)
    moments, center, scale = centers.of_all(method, ragged.values, _logarithm(logarithms), spool)
    _check_finite(ragged, moments, scale, logarithms)
    binary = () if features else _of_zero_and_one(ragged, moments, logarithms)
    chosen = (*(i for i in chosen if i not in binary),)
    constant = (*(i for i in chosen if moments.constant[i]),)
    for i in range(len(center)):
        if i not in chosen:
            center[i], scale[i] = 0.0, 1.0  # which change nothing
        elif not moments.count[i]:
            center[i] = scale[i] = np.nan
    return Scaling((*feature_titles(ragged),), center, scale, chosen, logarithms, binary, constant)


def fit_each(
    ragged: Ragged, method: Method, features: Sequence[str], log1p: Sequence[str], spool: Spool
) -> Scaling:
    """The same by the numbers of each sequence; features of 0 and 1 alone in all of them are left as they are."""
    chosen, logarithms = _named(ragged, features, log1p)
    transform = _logarithm(logarithms)
    check_logarithms(ragged, logarithms)
    blocks = (transform(block) for _, block in feature_blocks(ragged.values))
    moments = moments_of(blocks, width_of(ragged.values))
    _check_finite(ragged, moments, moments.mean, logarithms)
    binary = () if features else _of_zero_and_one(ragged, moments, logarithms)
    chosen = (*(i for i in chosen if i not in binary),)
    others = [i for i in range(len(moments.mean)) if i not in chosen]

    def without_others(numbers: AnyArray, number: float) -> AnyArray:
        def change(rows: Array) -> Array:
            rows = rows.copy()
            rows[:, others] = number
            return rows

        return lazy_map(change, numbers, dtype=np.float64)

    center, scale = centers.of_each_sequence(method, ragged.values, ragged.offsets, transform, spool)
    center, scale = without_others(center, 0.0), without_others(scale, 1.0)
    return Scaling((*feature_titles(ragged),), center, scale, chosen, logarithms, binary)


def _named(
    ragged: Ragged, features: Sequence[str], log1p: Sequence[str]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if "categories" in ragged.names and "c" not in ragged.per_step:
        raise DataError("steps are ids of categories, which an Embedding reads: there is nothing to scale")
    logarithms = features_named(ragged, log1p, "--log1p") if log1p else []
    return (*features_named(ragged, features, "--features"),), (*logarithms,)


def _of_zero_and_one(ragged: Ragged, moments: Moments, log1p: Sequence[int]) -> tuple[int, ...]:
    """The features that hold both 0 and 1 and nothing else, or are bool."""
    binary = moments.binary & (moments.least < moments.largest) | (ragged.values.dtype == np.bool_)
    return (*(i for i in np.flatnonzero(binary).tolist() if i not in log1p),)


def _logarithm(features: Sequence[int]) -> Callable[[Array], Array]:
    """A function that takes log1p of some rows of a block (F, cells), in place."""

    def take(block: Array) -> Array:
        with np.errstate(all="ignore"):
            for feature in features:
                block[feature] = np.log1p(block[feature])
        return block

    return take


# Applying it


def scaled(ragged: Ragged, by: Scaling, *, inverse: bool = False) -> Ragged:
    """The same sequences with (x - center) / scale, or with the inverse, computed as they are read.

    Floats keep their dtype, all else becomes float32.
    """
    values, width, inner = ragged.values, width_of(ragged.values), cells_a_step(ragged.values)
    dtype = values.dtype if values.dtype.kind == "f" else np.dtype(np.float32)
    logarithm = _logarithm(by.log1p)

    def change(cells: Array, center: Array, scale: Array) -> Array:
        if not inverse:
            logarithm(cells.T)
            cells -= center
            cells /= scale
            return cells
        cells *= scale
        cells += center
        for feature in by.log1p:
            cells[:, feature] = np.expm1(cells[:, feature])
        return cells

    def numbers(array: AnyArray, begin: int, end: int) -> Array:
        if array.ndim == 1:
            return np.asarray(array)
        return np.repeat(lazily_by_sequence(array, ragged.offsets, begin, end), inner, axis=0)

    def read(begin: int, end: int) -> Array:
        steps = values[begin:end]
        cells = np.array(flat(steps, width), dtype=np.float64, order="C")
        center, scale = (numbers(array, begin, end) for array in (by.center, by.scale))
        with np.errstate(invalid="ignore", under="ignore", over="raise"):
            try:
                return change(cells, center, scale).astype(dtype, copy=False).reshape(steps.shape)
            except FloatingPointError:
                raise DataError(f"scaled, a number is too large for {dtype}") from None

    whole = Lazy(values.shape, dtype, read)
    return ragged.replace(values=np.asarray(whole) if isinstance(values, np.ndarray) else whole)


# Checks


def check_features(ragged: Ragged, by: Scaling) -> None:
    """Raise DataError unless the features are those that the scaling has numbers for."""
    check_same_features(ragged, by.features, "scale")
    none = np.flatnonzero(np.isnan(np.asarray(by.center))).tolist()
    if none and len(ragged.values):
        raise DataError(
            f"{by.named(none)}: no number in the sequences that scale is fitted on; name those that have one: ",
            Advice("--features", "A,B"),
        )


def check_logarithms(ragged: Ragged, log1p: Sequence[int]) -> None:
    """Raise DataError for a number of some features that has no log1p, naming the first."""
    place = _first(ragged, lambda numbers: numbers <= -1, log1p) if log1p else None
    if place is not None:
        raise DataError(f"{place[0]} is {place[1]:g}; the logarithm of 1 + x takes numbers above -1")


def _check_finite(ragged: Ragged, moments: Moments, scale: Array, log1p: Sequence[int]) -> None:
    """Raise DataError for infinite numbers, naming the first, and for too large ones.

    What has no logarithm is reported later, among all sequences.
    """
    has = moments.count > 0
    infinite = has & ~(np.isfinite(moments.least) & np.isfinite(moments.largest))
    place = _first(ragged, np.isinf, np.flatnonzero(infinite).tolist()) if infinite.any() else None
    if place is not None:
        raise DataError(
            f"of those that scale is fitted on, {place[0]} is {place[1]:g}; finite numbers were expected, or NaN, "
            "which stays"
        )
    large = has & ~(np.isfinite(scale) & np.isfinite(moments.mean))
    large[[*log1p]] = False
    if large.any():
        title = feature_titles(ragged)[int(np.argmax(large))]
        raise DataError(f"feature {title}: its numbers are too large to be scaled")


def _first(
    ragged: Ragged, wrong: Callable[[Array], Array], features: Sequence[int]
) -> tuple[str, float] | None:
    """The first number of some features for which `wrong` holds, by its name; None where there is none."""
    for begin, block in feature_blocks(ragged.values):
        found = wrong(block[[*features]])
        if found.any():
            cell = int(np.argmax(found.any(axis=0)))
            feature = features[int(np.argmax(found[:, cell]))]
            step = begin + cell // cells_a_step(ragged.values)
            return cell_named(ragged, step, feature), float(block[feature, cell])
    return None
