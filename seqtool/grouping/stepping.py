"""The steps that rows of a long table, or of a regular grid, are folded into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

import numpy as np

from seqtool.arrays.lazy import AnyArray
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.folded_names import FoldedNames
from seqtool.grouping.folding import Folded, FoldedSteps
from seqtool.grouping.grid import Grid, Stretches
from seqtool.grouping.kernel import Grouped
from seqtool.grouping.options import GroupOptions
from seqtool.grouping.pivoting import Pivot
from seqtool.words import count


@dataclass(frozen=True)
class Stepped:
    """Rows as steps; `empty` are the steps of a grid in which no row lies. `warnings` are sentences.

    `unnamed` counts the steps without a name of each category that has any.
    """

    grouped: Grouped
    folded: Folded
    empty: int = 0
    warnings: list[str] = field(default_factory=list)
    unnamed: Mapping[str, int] = field(default_factory=dict)

    def line(self, options: GroupOptions) -> str:
        """The grid as a line of the summary."""
        return grid_line(options, self.folded.rows, self.folded.steps, self.empty)


def grid_line(options: GroupOptions, rows: int, steps: int, empty: int) -> str:
    """What became of rows on a regular grid: the steps that have rows, and those beside them that have none."""
    assert options.every is not None
    whole = count(steps + empty, "step")
    return f"{count(rows, 'row')} into {whole} of {options.every.text}; no row in {empty:,} of them"


@dataclass(frozen=True)
class Outline:
    """The steps of sorted rows, and the grid on which they lie, if any."""

    steps: FoldedSteps
    stretches: Stretches | None
    grid: Grid | None

    @classmethod
    def of(cls, grouped: Grouped, plan: EncoderPlan, state: EncoderState, spool: Spool) -> Outline:
        """Those that a plan asks for; raises DataError as `Stretches.of` and `Grid` do."""
        stretches = Stretches.of(plan, grouped, state)
        if stretches is None:
            return cls(Pivot(plan, state).steps(grouped, spool), None, None)
        steps = FoldedSteps(grouped, [stretches.numbers], spool)
        return cls(steps, stretches, Grid(steps, stretches, spool))

    @property
    def offsets(self) -> AnyArray:
        """The first step of each sequence, and the end of the last, (N + 1,)."""
        return self.steps.offsets if self.grid is None else self.grid.offsets

    def without_values(self, grouped: Grouped, order: list[str]) -> Grouped:
        """The steps without their features; `order` names the order arrays."""
        steps = self.steps
        bare = replace(grouped, values=np.empty((steps.count, 0)), offsets=steps.offsets, per_step={})
        if self.grid is not None:
            return self.grid.spread(bare, 0, order)
        of_first = {name: steps.per_step(grouped.per_step[name], last=False) for name in order}
        return replace(bare, per_step=of_first)


def combined_dtype(own: np.dtype[Any], options: GroupOptions, empty: int) -> np.dtype[Any]:
    """The type of several features of rows of type `own`, once those of a stretch are one step, `empty` ones apart."""
    if options.every is None or options.dtype is not None:
        return own
    how = options.agg or "mean"
    if how == "count":
        return np.dtype(np.int64)
    is_whole = own.kind in "iu" and how != "mean" and not empty
    if is_whole and how == "sum":
        return np.dtype(np.int64)
    return own if is_whole or own.kind == "f" else np.dtype(np.float32)


def stepped(
    grouped: Grouped, plan: EncoderPlan, state: EncoderState, features: list[str], spool: Spool
) -> Stepped:
    """Sorted rows as steps with a cell for each feature; raises DataError as the function `folded` does."""
    outline = Outline.of(grouped, plan, state, spool)
    steps, stretches, grid = outline.steps, outline.stretches, outline.grid
    empty, warnings = 0 if grid is None else grid.empty, list[str]()
    if plan.roles.item is not None:
        pivot = Pivot(plan, state)
        found, folded = pivot.folded(grouped, steps, empty)
        warnings = pivot.warnings(folded)
        how = plan.options.pivot_agg
    else:
        assert stretches is not None
        found, folded = stretches.folded(grouped, plan, steps, features, empty)
        how = plan.options.agg
    names = {
        part: FoldedNames(steps, grouped.per_step[part], state.categories[part].labelled)
        for part in plan.categories
    }
    found = replace(found, per_step={**found.per_step, **{p: one.of_steps() for p, one in names.items()}})
    unnamed = dict[str, int]()
    for part, one in names.items():
        (several, without), name = one.counts(), plan.label(plan.categories[part])
        unnamed |= {name: without + empty} if without + empty else {}
        if several:
            hold = "holds" if several == 1 else "hold"
            problem = f"{count(several, 'step')} {hold} several names of {name!r}"
            warnings.append(f"{problem}: the last of each counts")
    if grid is None:
        return Stepped(found, folded, warnings=warnings, unnamed=unnamed)
    filler = np.nan if how != "count" and found.values.dtype.kind == "f" else 0
    spread = grid.spread(found, filler, [*plan.layout(state).order], [*names])
    return Stepped(spread, folded, empty, warnings, unnamed)
