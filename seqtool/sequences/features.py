"""Features of a step by name or position, and blocks of steps with a row for each feature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from seqtool.advice import Advice
from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import SEQUENCES_TOGETHER, sequence_of
from seqtool.arrays.lazy import AnyArray, lazy_map
from seqtool.errors import DataError
from seqtool.sequences.categories import categories_of, ids_of
from seqtool.sequences.keys import shown_key
from seqtool.sequences.ragged import Ragged
from seqtool.words import in_short, listed, name_meant, place_in


def width_of(values: AnyArray) -> int:
    """How many features a step has: 1 where it is a number; of steps (H, W, C), the C channels.

    >>> width_of(np.zeros((5, 3))), width_of(np.zeros(5)), width_of(np.zeros((5, 8, 8, 2)))
    (3, 1, 2)
    """
    return values.shape[-1] if values.ndim > 1 else 1


def cells_a_step(values: AnyArray) -> int:
    """How many numbers a step has of each feature: 1, but of steps (H, W, C) H times W."""
    return prod(values.shape[1:-1])


def feature_titles(ragged: Ragged) -> list[str]:
    """The names of the features; their positions where they have none.

    >>> feature_titles(Ragged(np.zeros((1, 2)), np.array([0, 1])))
    ['0', '1']
    """
    return [*(ragged.features or map(str, range(width_of(ragged.values))))]


def features_named(ragged: Ragged, names: Sequence[str], option: str) -> list[int]:
    """The positions of features that an option names, by name or by position; of all where it names none.

    Raises DataError, which says which features there are, for any other name.

    >>> features_named(Ragged(np.zeros((1, 2)), np.array([0, 1]), features=("a", "b")), ["b", "0"], "--features")
    [1, 0]
    """
    titles = feature_titles(ragged)
    if not names:
        return [*range(len(titles))]
    found = []
    for name in names:
        meant = name_meant(name, titles)
        place = place_in(name, len(titles)) if meant is None else titles.index(meant)
        if place is None:
            raise DataError(f"{option}: no feature {in_short(name)}; there are {listed(titles)}")
        found.append(place)
    return found


def order_of(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Where each of the wanted names stands among some names; as they stand where these are other names, or some twice.

    >>> order_of(["a", "b", "c"], ["c", "a", "b"]), order_of(["a", "b"], ["b", "c"])
    ([2, 0, 1], [0, 1])
    """
    alike = sorted(names) == sorted(wanted) and len({*names}) == len(names)
    return [*map([*names].index, wanted)] if alike else [*range(len(names))]


def check_same_features(ragged: Ragged, fitted: Sequence[str], name: str) -> None:
    """Raise DataError unless the features are those that an operation was fitted on; unnamed ones may be any."""
    titles = feature_titles(ragged)
    unnamed = [*map(str, range(len(fitted)))]
    if len(titles) != len(fitted) or (unnamed not in (titles, [*fitted]) and titles != [*fitted]):
        raise DataError(
            f"the features are {listed(titles)}, but {name} was fitted on {listed(fitted)}; the same were expected"
        )


def cell_named(ragged: Ragged, step: int, feature: int) -> str:
    """What a message calls a number: its sequence, its step there, and its feature.

    >>> cell_named(Ragged(np.zeros((3, 2)), np.array([0, 1, 3]), features=("a", "b")), 2, 1)
    'sequence 1, step 1, feature b'
    """
    sequence = sequence_of(ragged.offsets, step)
    within = step - int(ragged.offsets[sequence : sequence + 1][0])
    which = f"sequence {sequence}"
    if ragged.keys is not None:
        which += f" (key {shown_key(ragged.keys, sequence)})"
    feature_name = "" if ragged.values.ndim == 1 else f", feature {feature_titles(ragged)[feature]}"
    return f"{which}, step {within}{feature_name}"


def steps_a_block(values: AnyArray) -> int:
    """How many steps make a block: a number that only the shape of a step decides.

    What is computed block by block is then the same to the bit, however the steps are stored and read.
    """
    return max(_LEAST_STEPS, _CELLS // max(1, prod(values.shape[1:])))


_CELLS = 1 << 17  # of a block: 1 MB as float64, which stays in a core's cache
_LEAST_STEPS = 16


def feature_blocks(values: AnyArray) -> Iterator[tuple[int, Array]]:
    """The steps in blocks, each with its first step, as (F, cells) float64: a row for each feature.

    >>> [(begin, block.tolist()) for begin, block in feature_blocks(np.array([[1, 2], [3, 4]]))]
    [(0, [[1.0, 3.0], [2.0, 4.0]])]
    """
    count, width = steps_a_block(values), width_of(values)
    for begin in range(0, len(values), count):
        yield begin, by_feature(values[begin : begin + count], width)


def by_feature(steps: Array, width: int) -> Array:
    """Steps (S, ...) as (F, cells) float64, a row for each feature."""
    return np.ascontiguousarray(flat(steps, width).T, dtype=np.float64)


def flat(steps: Array, width: int) -> Array:
    """Steps (S, ...) as (cells, F)."""
    return steps.reshape(len(steps) * cells_a_step(steps), width)


def lazily_by_sequence(rows: AnyArray, offsets: AnyArray, begin: int, end: int) -> Array:
    """The row of its sequence for each of the steps from `begin` to `end`; `rows` (N, ...) has one a sequence.

    >>> lazily_by_sequence(np.array([[5], [6]]), np.array([0, 2, 3]), 1, 3).tolist()
    [[5], [6]]
    """
    parts, done = [rows[:0]], begin
    first = sequence_of(offsets, begin) if begin < end else 0
    while done < end:
        edges = offsets[first : first + SEQUENCES_TOGETHER + 1]
        edges = edges[: int(np.searchsorted(edges, end)) + 1]
        counts = np.minimum(edges[1:], end) - np.maximum(edges[:-1], done)
        counts = np.maximum(counts, 0)
        parts.append(np.repeat(rows[first : first + len(counts)], counts, axis=0))
        done += int(counts.sum())
        first += len(counts)
    return np.concatenate(parts)


def steps_of_features(ragged: Ragged, names: Sequence[str], option: str) -> AnyArray:
    """The features with these names of all steps, (S, F'); (S,) of a single one; of all where there are no names.

    A name may be that of a category, which gives its ids, (S,).
    Raises DataError as `features_named` does.

    >>> data = Ragged(np.array([[1, 2], [3, 4]]), np.array([0, 2]), features=("a", "b"))
    >>> steps_of_features(data, ["b"], "--target")
    array([2, 4])
    """
    categories = {one.name: one for one in categories_of(ragged) if one.column is not None}
    if len(names) == 1 and names[0] in categories and names[0] not in feature_titles(ragged):
        return ids_of(ragged, categories[names[0]])
    if not names and categories and not width_of(ragged.values):
        raise DataError(
            "steps have no features, and y takes a category only by its name: ",
            Advice(option, next(iter(categories))),
        )
    values, features = ragged.values, features_named(ragged, names, option)
    if values.ndim == 2 and len(features) == 1:
        return lazy_map(
            lambda steps: steps[:, features[0]].copy(), values, dtype=values.dtype, shape=values.shape[:1]
        )
    if values.ndim == 1 or features == [*range(width_of(values))]:
        return values
    shape = (*values.shape[:-1], len(features))
    return lazy_map(lambda steps: steps[..., features], values, dtype=values.dtype, shape=shape)
