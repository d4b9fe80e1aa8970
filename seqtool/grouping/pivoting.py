"""Long tables, a row a measurement: rows of one key and one order value become a step, and their items its features.

The kernel has sorted the rows by key and order; here they are folded into steps, in chunks, when steps are read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.spool import Spool
from seqtool.dataclass import dataclass
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.folding import Folded, FoldedSteps, Folding, folded
from seqtool.grouping.kernel import Grouped
from seqtool.grouping.row_columns import ITEM
from seqtool.words import count

_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")


def sorted_items(items: Sequence[str]) -> list[str]:
    """Items in the order in which they become features: by size if all are whole numbers, else by code point.

    >>> sorted_items(["10", "9"]), sorted_items(["10", "9", "a"])
    (['9', '10'], ['10', '9', 'a'])
    """
    whole = all(map(_INTEGER.fullmatch, items))
    return sorted(items, key=int) if whole else sorted(items)


@dataclass(frozen=True)
class Pivot:
    """How a plan, with the items that reading found, turns sorted rows of a long table into steps."""

    plan: EncoderPlan
    state: EncoderState

    @property
    def features(self) -> list[str]:
        """The items that become features, in their order: that of `--columns`, or sorted."""
        named = self.plan.roles.items
        return sorted_items([*self.state.items[ITEM].codes]) if named is None else [*named]

    def steps(self, grouped: Grouped, spool: Spool) -> FoldedSteps:
        """The steps of the rows: those of one key and one order value."""
        return FoldedSteps(
            grouped, [grouped.per_step[name] for name in self.plan.layout(self.state).order], spool
        )

    def folded(self, grouped: Grouped, steps: FoldedSteps, empty: int) -> tuple[Grouped, Folded]:
        """The steps with a cell for each feature, `empty` ones apart; raises what the function `folded` raises."""
        features, codes = self.features, self.state.items[ITEM].codes
        place = {name: i for i, name in enumerate(features)}
        places = np.array([place[text] for text in codes], np.int64)
        how = self.plan.options.pivot_agg or "last"
        folding = Folding(steps, grouped.values, len(features), how, grouped.per_step[ITEM], places)
        asked = self.plan.asked_dtype
        if self.plan.options.dtype is None and asked is not None and asked.kind != "f":
            asked = None  # of an array of whole numbers, where there may be no NaN
        return folded(grouped, steps, folding, features, asked, empty=empty)

    def warnings(self, found: Folded) -> list[str]:
        """Sentences for rows of one cell of which only the last counts, and for named items that no row holds."""
        warnings: list[str] = []
        if found.repeated and self.plan.options.pivot_agg is None:
            warnings.append(
                Message(
                    f"{count(found.repeated, 'row')} had key, order and item of another one: the last of each counts; "
                    "choose, such as ",
                    Advice("--pivot-agg", "mean"),
                )
            )
        known = self.state.items[ITEM].codes
        warnings += [
            f"--columns names {name!r}, which no row holds" for name in self.features if name not in known
        ]
        return warnings
