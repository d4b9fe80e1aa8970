"""`FlatRows`: sequences as a table with a row for each step, which is read in record batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqtool.advice import Advice
from seqtool.arrays.array_likes import as_array
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.errors import DataError, UsageError, names_arguments
from seqtool.sequences.ragged import Padded, Ragged
from seqtool.sequences.take import map_steps
from seqtool.system.memory import budget
from seqtool.unpadding import forecasts
from seqtool.unpadding.columns import Columns, columns_of
from seqtool.unpadding.landing import Landed, Ordered, WindowRows
from seqtool.unpadding.predictions import BlockForm, predicted
from seqtool.unpadding.sorting import Sorted, sorted_rows
from seqtool.unpadding.stretch import Stretch, in_order_of, in_sequence_order
from seqtool.unpadding.undoing import undone

if TYPE_CHECKING:
    from pandas import DataFrame

_CELLS = 1 << 18  # that are in memory at once, about
_MOST = 1 << 16  # rows in a batch
RowOrder = Sorted | WindowRows | Ordered


@dataclass(frozen=True)
class FlatRows:
    """The rows of sequences, S of them, with their `columns`.

    They come in the order of `row_index`, if it is there, else in that of the sequences: `order` holds those that were
    sorted on the disk, or taken back from windows. `unknown` counts cells of unknown categories as they are read.
    """

    ragged: Ragged
    columns: Sequence[Columns]
    order: RowOrder | None = None
    unknown: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, ragged: Ragged, spool: Spool, *, room: int) -> FlatRows:
        """The rows with all columns; raises DataError for steps that are arrays.

        Steps that are to be sorted, and take more than `room` bytes, are sorted in `spool`.
        """
        unknown, order = Counter[str](), None
        columns_of(ragged)  # judged before any work
        if "row_index" in ragged.per_step and _size(ragged) <= room:
            ragged = map_steps(ragged, np.asarray)
        elif "row_index" in ragged.per_step:
            order = sorted_rows(ragged, ragged.per_step["row_index"].data, spool)
            ragged = order.ragged
        return cls(ragged, columns_of(ragged, unknown), order, unknown)

    @classmethod
    def of_windows(cls, windows: WindowRows, *, by_source: bool) -> tuple[FlatRows, int]:
        """The rows that windows were cut from, and how many are left out.

        With `by_source` they are in the order of `row_index`, which rows that no window shows have only where the file
        holds `y_row_index`; others of these are left out. Raises DataError where there is no `row_index`.
        """
        ragged, unknown = windows.ragged, Counter[str]()
        columns = windows.columns(unknown)
        if not by_source:
            return cls(ragged, columns, windows, unknown), 0
        check_row_index(ragged)
        order, left = windows.in_order_of("row_index")
        return cls(ragged, columns, order, unknown), left

    def __len__(self) -> int:
        return len(self.ragged.values) if self.order is None else len(self.order)

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [name for columns in self.columns for name in columns.names]

    @property
    def as_in_source(self) -> bool:
        """Whether the rows come in the order that they had where they were grouped."""
        return "row_index" in self.ragged.per_step and not isinstance(self.order, WindowRows)

    @property
    def windows(self) -> WindowRows | None:
        """The windows that the rows were taken back from, if they were."""
        return (
            self.order.windows
            if isinstance(self.order, Ordered)
            else self.order
            if isinstance(self.order, WindowRows)
            else None
        )

    @property
    def schema(self) -> Any:
        """The Arrow schema."""
        return self.batch(Stretch(slice(0, 0), np.empty(0, np.int64))).schema

    def stretches(self) -> Iterator[Stretch]:
        """All rows in order, by stretches whose cells fit into memory."""
        rows = max(1, min(_MOST, _CELLS // max(1, len(self.names))))
        if self.order is not None:
            return self.order.stretches(rows)
        if self.as_in_source:
            return in_order_of(self.ragged, self.ragged.per_step["row_index"].data, rows)
        return in_sequence_order(self.ragged, rows)

    def batches(self) -> Iterator[Any]:
        """All rows in order, as record batches."""
        return map(self.batch, self.stretches())

    def with_columns(self, more: Sequence[Columns]) -> FlatRows:
        """The same rows with more columns; raises UsageError for a name that is taken."""
        names = self.names
        for name in (name for columns in more for name in columns.names):
            if name in names:
                raise UsageError(f"--add {name}: there is a column of this name already; choose another")
            names.append(name)
        return replace(self, columns=[*self.columns, *more])

    def batch(self, stretch: Stretch) -> Any:
        """The rows of a stretch as a record batch."""
        cells = [cell for columns in self.columns for cell in _shown(columns, stretch)]
        return pa.RecordBatch.from_arrays(cells, names=self.names)


def _shown(columns: Columns, stretch: Stretch) -> list[Any]:
    """The cells of columns, of which those of steps are empty in rows that no window shows."""
    cells = columns.read(stretch)
    if not (columns.of_steps and isinstance(stretch, Landed) and stretch.absent.any()):
        return cells
    absent = pa.array(stretch.unnumbered if columns.goes_on else stretch.absent)
    return [pc.if_else(absent, pa.scalar(None, cell.type), cell) for cell in cells]


def check_row_index(ragged: Ragged) -> None:
    """Raise DataError for sequences that do not know the rows of their steps."""
    if "row_index" not in ragged.per_step:
        raise DataError(
            "--rows finds rows by their numbers, and none are stored; group again with ",
            Advice("--keep-row-index"),
        )


def _size(ragged: Ragged) -> int:
    """The bytes of all steps."""
    return ragged.values.nbytes + sum(array.data.nbytes for array in ragged.per_step.values())


@names_arguments
def to_frame(data: Any, *, add: Mapping[str, Any] | None = None, raw: bool = False) -> DataFrame:
    """The steps of sequences as a pandas DataFrame, a row for each: what `seqtool unpad` writes.

    `data` is a Ragged or Padded, or sequences in any form that `pad` takes, of N sequences and S steps. The columns are
    the key, the features, labels (repeated for the steps of their sequence, by the names of classes), static numbers,
    categories by name and the number of each step, `step`, (S,) each, under the names that `group` took them from. Rows
    are in the order of `row_index` where that was kept, else in that of the sequences. Missing cells are NaN or None.

    `add` holds predictions by the names of their columns: arrays (N,) or (N, C) of the sequences, (N, T) or (N, T, C)
    of their slots, or (S,) or (S, C) of the real steps. With `raw`, scale, encode, window and `split(last=...)`
    are taken back: each row stands there once, and predictions (N, H) of windows stand on the rows that they are for,
    those of steps after `window(next=True)` on the rows after their own.

    Raises DataError for steps that are arrays, such as the frames of a video, and for arrays of another shape.

    >>> import pandas as pd, seqtool as st
    >>> frame = pd.DataFrame({"user": ["b", "a", "b"], "x": [1, 2, 3]})
    >>> to_frame(st.group(frame, key="user", keep_row_index=True)).drop(columns="row_index").values.tolist()
    [['b', 1, 0], ['a', 2, 0], ['b', 3, 1]]
    """
    from seqtool.sequences.conversion import as_ragged

    with Spool() as spool:
        ragged = as_ragged(data)
        rows = _raw_rows(ragged, spool) if raw else FlatRows.of(ragged, spool, room=budget())
        block = BlockForm(data.x.shape[1], data.padding) if isinstance(data, Padded) else BlockForm()
        arrays = {name: as_array(f"add[{name!r}]", array) for name, array in (add or {}).items()}
        windows = rows.windows
        more = [
            predicted(name, array, ragged, block, rows.unknown)
            if windows is None
            else forecasts.predicted(name, array, windows, block, rows.unknown)
            for name, array in arrays.items()
        ]
        rows = rows.with_columns(more)
        frame: DataFrame = pa.Table.from_batches(rows.batches(), rows.schema).to_pandas()
    return frame


def _raw_rows(ragged: Ragged, spool: Spool) -> FlatRows:
    """The rows of sequences as they were before scale, encode, window and the like, in the order of the source."""
    before, _ = undone(ragged, spool)
    windows = WindowRows.of(before, ragged)
    if windows is None:
        return FlatRows.of(before, spool, room=budget())
    if "row_index" in before.per_step:
        rows, left = FlatRows.of_windows(windows, by_source=True)
        if not left:
            return rows
    return FlatRows.of_windows(windows, by_source=False)[0]
