"""What is known of the columns once all rows were read: missing values, rounding, times, how the order is written.

Each function names the columns as a person does.
"""

from __future__ import annotations

import numpy as np

from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.sequences.iso_writing import PLAIN
from seqtool.tables.cells.instants import MEASURED_FROM


def times(plan: EncoderPlan, state: EncoderState) -> dict[str, str]:
    """The features and static columns of times, each with the unit and the origin of its numbers."""
    columns = [*((c, state.features[c]) for c in plan.features), *state.statics.items()]
    return {
        plan.label(column): f"{plan.options.time_as}{MEASURED_FROM[numbers.kind]}"
        for column, numbers in columns
        if numbers.kind in MEASURED_FROM
    }


def missing(plan: EncoderPlan, state: EncoderState) -> dict[str, int]:
    """The count of missing values of each feature and static column that has any."""
    features = {plan.label(column): state.features[column].missing for column in plan.features}
    return {name: count for name, count in features.items() if count} | missing_statics(plan, state)


def missing_categories(
    plan: EncoderPlan, state: EncoderState, *, static_alone: bool = False
) -> dict[str, int]:
    """The count of missing cells of each category column that has any, of static ones alone if need be."""
    chosen = plan.static_categories if static_alone else plan.all_categories
    counts = {plan.label(column): state.categories[part].missing for part, column in chosen.items()}
    return {name: count for name, count in counts.items() if count}


def missing_statics(plan: EncoderPlan, state: EncoderState) -> dict[str, int]:
    """The count of missing values of each static column that has any."""
    return {
        plan.label(column): numbers.missing for column, numbers in state.statics.items() if numbers.missing
    }


def order_writing(plan: EncoderPlan, state: EncoderState) -> list[str]:
    """How the times of each order column are written, where it is other than plain ISO; "" where it is not."""
    found = [state.orders[column].writing or "" for column in plan.roles.order]
    return ["" if writing == PLAIN else writing for writing in found]


def rounded(plan: EncoderPlan, state: EncoderState) -> dict[str, int]:
    """How many whole numbers of each feature are rounded to the type that the call names; none left out."""
    counts = {plan.label(column): state.features[column].rounded for column in plan.features}
    return {name: count for name, count in counts.items() if count}


def coarse(plan: EncoderPlan, state: EncoderState) -> list[str]:
    """The features that become float32 although some of their numbers have no room for a fraction there."""
    if plan.dtype(state) != np.float32:
        return []
    return [plan.label(column) for column in plan.features if state.features[column].coarse]


def kept_unlabelled(plan: EncoderPlan, state: EncoderState) -> dict[str, int]:
    """How many rows are kept although they have no label, by label column."""
    if plan.options.empty_label != "keep":
        return {}
    counts = {plan.label(column): state.labels[part].missing for part, column in plan.labels.items()}
    return {name: rows for name, rows in counts.items() if rows}
