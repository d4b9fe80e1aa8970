"""Predictions of parts of sequences on the rows that they are for: of what follows a window, or each of its steps."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from seqtool.arrays.dtypes import Array
from seqtool.arrays.gather import gather
from seqtool.arrays.lazy import AnyArray
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, at
from seqtool.sequences.categories import labels_of_ids
from seqtool.sequences.features import feature_titles, features_named
from seqtool.sequences.ragged import Ragged
from seqtool.unpadding.columns import Columns, arrow, names_of_ids
from seqtool.unpadding.names import cell_names
from seqtool.unpadding.predictions import BlockForm, slots_of_steps
from seqtool.unpadding.undoing import undone_features

if TYPE_CHECKING:
    from seqtool.unpadding.landing import WindowRows
    from seqtool.unpadding.stretch import Stretch


def predicted(
    name: str,
    array: AnyArray,
    windows: WindowRows,
    block: BlockForm | None = None,
    unknown: Counter[str] | None = None,
) -> Columns:
    """The columns of predictions of each window, (N, H), or (N, H, F) of several features, on their rows.

    Of x and the step after it they are (N,) or (N, F), and of ids also (N, C). After `window --next` they are (N, T) or
    (S,) of the steps, or (N, T, F) and (S, F): each stands in the next row; where several windows predict one, that of
    the most steps before it counts. They are taken back as the steps are, and ids of a category become names, the
    unknown ones counted in `unknown`. Where nothing follows windows, (N,) and (N, C) stand in the last row of each.
    Raises DataError for another shape, and for an id without a name.
    """
    with at(f"--add {name}"):
        return forecast_columns(
            name, array, windows, windows.before, Counter() if unknown is None else unknown, block
        )


def forecast_columns(
    name: str,
    array: AnyArray,
    windows: WindowRows,
    data: Ragged,
    unknown: Counter[str],
    block: BlockForm | None = None,
) -> Columns:
    """The columns of an array of windows on the rows that it is for; ids are those of the tokens of `data`."""
    targets = _target_places(windows)
    forecasts = _forecasts(array, windows, len(targets), block or BlockForm())
    titles = feature_titles(windows.ragged)
    features = [titles[i] for i in targets] if len(targets) > 1 else None
    shape, has_horizon = forecasts.shape, forecasts.has_horizon
    tail = shape[1:] if has_horizon and shape[0] == 1 else shape
    category = _category(windows, data) if has_horizon else None
    are_ids = category is not None and array.dtype.kind in "iu"
    vocabulary = data.names[f"vocabulary_{category}"] if are_ids else None

    def shown(cells: Array) -> list[Any]:
        if vocabulary is not None:
            return [names_of_ids(f"--add {name}", cell, vocabulary, name, unknown) for cell in cells.T]
        if has_horizon and category is None:
            cells = undone_features(cells, targets, windows.before, windows.parting.earlier)
        return [arrow(cell) for cell in cells.T]

    def read(stretch: Stretch) -> list[Any]:
        found = []
        for offset in range(shape[0] if has_horizon else 1):
            there, cells = forecasts.of_rows(windows.codes_of(stretch), offset)
            row = np.cumsum(there) - 1
            which = pa.array(row, mask=~there)
            flat = cells.reshape(len(cells), prod(cells.shape[1:]))
            found += [cell.take(which) for cell in shown(flat)]
        return found

    return Columns(cell_names(name, tail, features), read)


@dataclass(frozen=True, eq=False)
class _Forecasts:
    """What is predicted from some rows on: the code of each, ascending, and the place of its prediction in `array`.

    A prediction has this `shape`; with a horizon its first dimension is of the rows one after another, else all of it
    is of the row itself.
    """

    array: AnyArray
    codes: Array
    places: Array
    shape: tuple[int, ...]
    has_horizon: bool

    def of_rows(self, codes: Array, offset: int) -> tuple[Array, Array]:
        """Which rows are predicted so many steps before, (n,) bool, and what of these."""
        wanted = codes - offset
        place = np.minimum(np.searchsorted(self.codes, wanted), max(0, len(self.codes) - 1))
        there = self.codes[place] == wanted if len(self.codes) else np.zeros(len(wanted), bool)
        cells = gather(self.array, self.places[place[there]]).reshape(int(there.sum()), *self.shape)
        return there, cells[:, offset] if self.has_horizon else cells


def _forecasts(array: AnyArray, windows: WindowRows, features: int, block: BlockForm) -> _Forecasts:
    """The predictions in an array; raises DataError for one of another shape."""
    if windows.parting.each:
        found = slots_of_steps(array, windows.before, block)
        if found is not None:
            return _of_each_step(*found, windows, features)
    shape = _shape(array.shape, windows, features, block)
    first = windows.targets - windows.parting.each  # of the windows themselves it is their last row
    order = np.argsort(first, kind="stable")
    order = order[int(np.searchsorted(first[order], 0)) :]
    has_horizon = bool(windows.horizon) and not windows.parting.each
    return _Forecasts(array, first[order], order, shape, has_horizon)


def _of_each_step(slots: AnyArray, places: Array, windows: WindowRows, features: int) -> _Forecasts:
    """The predictions of steps, whose places among the slots of a block these are: each in the next row."""
    width = slots.shape[1:]
    ids = _category(windows, windows.before) is not None
    if len(width) > 1 or (width and not ids and width != (features,)) or (not width and features > 1):
        wanted = f"{features} features" if features > 1 else "one number"
        raise DataError(f"holds {width or 'one number'} for each step; {wanted} was expected, as step_y has")
    codes, steps = windows.codes_of_steps() + 1, np.arange(len(places))
    offsets = np.asarray(windows.ragged.offsets)
    position = steps - np.repeat(offsets[:-1], np.diff(offsets))
    order = np.lexsort((steps, position, codes))
    order = order[np.flatnonzero(np.diff(codes[order], append=-1))]  # the last one for each row
    single = width in ((), (1,))
    return _Forecasts(slots, codes[order], places[order], (1,) if single else (1, *width), has_horizon=True)


def _category(windows: WindowRows, data: Ragged) -> int | None:
    """The place of the category whose ids follow; None where none do."""
    label = "step_y" if windows.parting.each else "y"
    return labels_of_ids(data).get(label) if windows.horizon else None


def _target_places(windows: WindowRows) -> list[int]:
    """The places of the features that follow windows; a single one where these are ids."""
    if _category(windows, windows.before) is not None:
        return [0]
    return features_named(windows.ragged, windows.parting.arguments.get("target", []), "--target")


def _shape(shape: tuple[int, ...], windows: WindowRows, features: int, block: BlockForm) -> tuple[int, ...]:
    """The shape of what is predicted of a window: first its horizon, where it has one."""
    count, horizon = len(windows.ragged), windows.horizon
    if not horizon or windows.parting.each:
        if len(shape) in (1, 2) and shape[0] == count:
            return shape[1:]
    elif windows.parting.command == "split":
        ids = _category(windows, windows.before) is not None
        scores = ids and len(shape) == 2 and shape[0] == count and shape[1] > 1
        if scores or (features > 1 and shape == (count, features)):
            return 1, shape[1]
        if features == 1 and shape in ((count,), (count, 1)):
            return (1,)
    else:
        if shape == (count, horizon) and features == 1:
            return shape[1:]
        single = shape == (count,) and horizon * features == 1
        if single or shape == (count, horizon, features):
            return (horizon, features)[: 2 if features > 1 else 1]
    raise _misshapen(shape, windows, features, block)


def _misshapen(shape: tuple[int, ...], windows: WindowRows, features: int, block: BlockForm) -> DataError:
    """The error of an array that has none of the shapes of predictions."""
    count, horizon, is_window = len(windows.ragged), windows.horizon, windows.parting.command == "window"
    if windows.parting.each:
        slots = f"({count}, {block.maxlen}) of the slots, " if block.maxlen else ""
        steps = f"({len(windows.ragged.values)},) of the steps"
        return DataError(f"has shape {shape}; {slots}{steps}, or ({count},) of the windows was expected")
    if not horizon:
        expected = f"({count},) or ({count}, C)"
    elif not is_window:
        expected = f"({count},)" if features == 1 else f"({count}, {features})"
    else:
        expected = f"({count}, {horizon})" if features == 1 else f"({count}, {horizon}, {features})"
    of = "the windows" if is_window else "the step after each sequence"
    return DataError(f"has shape {shape}; {expected} was expected, for {of}")
