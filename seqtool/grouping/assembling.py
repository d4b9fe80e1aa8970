"""The last step of grouping: sorted rows as sequences with their labels and all other arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

import numpy as np

from seqtool.arrays.dtypes import Array
from seqtool.arrays.lazy import AnyArray, decoded, side_by_side
from seqtool.arrays.text import Text
from seqtool.dataclass import dataclass
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.kernel import Grouped
from seqtool.grouping.row_columns import ROW, STEP_LABEL, label_name, static_name
from seqtool.sequences.categories import MISSING, PADDING
from seqtool.sequences.padding_values import check_step_value
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.tables.cells import several_meanings


@dataclass
class _Arrays:
    """What belongs to the steps and to the sequences, gathered part by part; files hold it in this order."""

    per_step: dict[str, StepArray] = field(default_factory=dict)
    per_sequence: dict[str, AnyArray] = field(default_factory=dict)
    names: dict[str, Array | Text] = field(default_factory=dict)


def assembled(
    plan: EncoderPlan, grouped: Grouped, state: EncoderState, features: Sequence[str] | None = None
) -> Ragged:
    """The sequences of sorted rows, with all that belongs to them.

    `features` are the names of the features where they are not those of columns, such as the items of a long table.
    Raises DataError as `order_values` does.
    """
    arrays = _Arrays()
    _add_labels(arrays, plan, grouped, state)
    _add_static(arrays, plan, grouped, state)
    steps, named = grouped.values, tuple(plan.label(column) for column in plan.features)
    of_features = (named if plan.named else None) if features is None else tuple(features)
    if plan.categories:
        ids, of_categories = _category_ids(plan, plan.categories, grouped.per_step, state, "")
        arrays.names |= of_categories
        if len(ids) == 1 and not steps.shape[1]:  # then an Embedding reads the steps themselves
            steps, of_features = ids[0], None
        else:
            arrays.per_step["c"] = StepArray(side_by_side(ids, np.dtype(np.int64)), PADDING)
    _add_places(arrays, plan, grouped, state)
    return Ragged(steps, grouped.offsets, keys=grouped.keys, features=of_features, **vars(arrays))


def _add_labels(arrays: _Arrays, plan: EncoderPlan, grouped: Grouped, state: EncoderState) -> None:
    """The labels of sequences, one or several, and those of steps."""
    if len(plan.roles.labels) > 1:
        arrays.per_sequence["y"], tables = _several_labels(plan, grouped, state)
        arrays.names |= tables
    elif plan.roles.labels:
        values, classes = _label_values(plan, state, label_name(0))
        arrays.per_sequence["y"] = decoded(grouped.static[label_name(0)], values)
        if classes is not None:
            arrays.names["classes"] = classes
    if STEP_LABEL in plan.labels:
        values, classes = _label_values(plan, state, STEP_LABEL)
        check_step_value("step_y", plan.options.label_value, values.dtype, "--label-value")
        labels = decoded(grouped.per_step[STEP_LABEL], values)
        arrays.per_step["step_y"] = StepArray(labels, plan.options.label_value)
        if classes is not None:
            arrays.names["step_classes" if plan.roles.labels else "classes"] = classes


def _add_static(arrays: _Arrays, plan: EncoderPlan, grouped: Grouped, state: EncoderState) -> None:
    """The numbers and the categories that are the same for all steps of a sequence."""
    if plan.roles.static:
        columns = [grouped.static[static_name(column)] for column in plan.roles.static]
        arrays.per_sequence["static"] = side_by_side(columns, plan.static_dtype(state))
        arrays.names["static_features"] = np.array([plan.label(c) for c in plan.roles.static], dtype=str)
    if plan.static_categories:
        ids, of_categories = _category_ids(plan, plan.static_categories, grouped.static, state, "static_")
        arrays.per_sequence["static_c"] = side_by_side(ids, np.dtype(np.int64))
        arrays.names |= of_categories


def _add_places(arrays: _Arrays, plan: EncoderPlan, grouped: Grouped, state: EncoderState) -> None:
    """Where each step stood: its row in the input, and its order values."""
    if plan.options.keep_row_index:
        arrays.per_step["row_index"] = StepArray(grouped.per_step[ROW], -1)
    if plan.options.keep_order:
        from seqtool.grouping.order_values import order_values
        from seqtool.sequences.orders import stored

        arrays.per_step["order"], of_order = stored(order_values(plan, grouped, state))
        arrays.names |= of_order


def _label_values(plan: EncoderPlan, state: EncoderState, part: str) -> tuple[Array, Array | Text | None]:
    """The value of each label code, (codes,), and the names of the classes, None for numbers."""
    return state.labels[part].finish(plan.options.label_as, keep=plan.options.empty_label == "keep")


def _category_ids(
    plan: EncoderPlan,
    parts: Mapping[str, int],
    arrays: Mapping[str, AnyArray],
    state: EncoderState,
    kind: str,
) -> tuple[list[AnyArray], dict[str, Array | Text]]:
    """The ids of some categories, (S,) or (N,) each, and the tables that name them and their names.

    `arrays` hold the codes by part; `kind` is what the names of the tables begin with: nothing, or "static_".
    """
    titles = [plan.label(column) for column in parts.values()]
    ids, names = list[AnyArray](), dict[str, Array | Text]()
    names[f"{kind}categories"] = np.array(titles, dtype=str)
    for i, part in enumerate(parts):
        of_codes, names[f"{kind}vocabulary_{i}"] = state.categories[part].vocabulary()
        ids.append(decoded(arrays[part], np.append(of_codes, MISSING)))  # code -1 is no name
    return ids, names


def _several_labels(
    plan: EncoderPlan, grouped: Grouped, state: EncoderState
) -> tuple[AnyArray, dict[str, Array | Text]]:
    """The labels of sequences side by side, (N, L), and the arrays that name them and their classes."""
    parts = {plan.label(column): part for part, column in plan.labels.items() if part != STEP_LABEL}
    states = {name: state.labels[part] for name, part in parts.items()}
    keep = plan.options.empty_label == "keep"
    values, tables = several_meanings(states, plan.options.label_as, keep=keep)
    columns = [
        decoded(grouped.static[part], of_codes) for part, of_codes in zip(parts.values(), values, strict=True)
    ]
    return side_by_side(columns, values[0].dtype), tables
