"""The options of grouping, without the roles of columns and without padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from seqtool.dataclass import dataclass
from seqtool.tables.cells.instants import TimeUnit
from seqtool.tables.roles import LabelKind

if TYPE_CHECKING:
    from seqtool.grouping.gaps import Gap

EmptyKey = Literal["error", "drop", "keep"]
EmptyLabel = Literal["error", "drop", "keep"]
StepUnit = Literal["ns", "us", "ms", "s", "m", "h", "d"]
GridAgg = Literal["mean", "last", "sum", "count"]
PivotAgg = Literal["last", "first", "mean", "sum", "max", "min", "count"]

# Why rows of a long table are no steps of their own.
COMBINED = "combined into one step"
UNNAMED = "item not in --columns"
EMPTY = "steps without rows"
"""Why there are steps that no row became: those of a regular grid."""


@dataclass(frozen=True, kw_only=True)
class GroupOptions:
    """The options of `group_table` beside the roles of the columns.

    `dtype` is that of the features; None: int64 if all are whole numbers, else float32. `missing` adds spellings of
    a missing value. `keep_order` stores the values of the order columns. Computed features are the time since the step
    before, in the order column `delta`, the `position` of the step, and the time `since_observed` of each feature; of
    times both are in `time_unit`, by default seconds. With `every` the rows of each stretch of that size become a step,
    by `agg`. A sequence ends where the first order column jumps by more than `gap`. Rows for which `where` is not true
    are left out; its language is that of `seqtool.where`. `key_from`
    is the pattern of paths whose parts become columns. `pivot` names the columns of a long table as ITEM=VALUE, and
    `pivot_agg` how several values of one cell become one. `time_as` is the unit in which times become features and
    static numbers; without it they are refused. Sequences of fewer than `min_len` steps are dropped.
    """

    dtype: str | None = None
    label_as: LabelKind | None = None
    label_value: float = -100
    keep_row_index: bool = False
    keep_order: bool = False
    delta: str | int | None = None
    time_unit: StepUnit | None = None
    position: bool = False
    every: Gap | None = None
    agg: GridAgg | None = None
    since_observed: bool = False
    min_len: int = 0
    empty_key: EmptyKey = "error"
    empty_label: EmptyLabel = "error"
    missing: Sequence[str] = ()
    gap: Gap | None = None
    where: str | None = None
    key_from: str | None = None
    pivot: str | None = None
    pivot_agg: PivotAgg | None = None
    time_as: TimeUnit | None = None
