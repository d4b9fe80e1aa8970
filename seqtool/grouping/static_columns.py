"""Columns of one value a sequence, static or labels, that do not hold one: the error, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection

from seqtool.advice import Advice, Message
from seqtool.errors import DataError
from seqtool.files.path_parts import PathPattern
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.kernel import ChangingError
from seqtool.grouping.row_columns import STEP_LABEL, static_name
from seqtool.words import join_names, shortened


def changing(plan: EncoderPlan, error: ChangingError, state: EncoderState) -> DataError:
    """The error for a label or static column that changes within a key."""
    if error.column in plan.labels:
        column = plan.labels[error.column]
        name = plan.label(column)
        texts = state.labels[error.column]
        before, after = (shortened(texts.text(code)) for code in (error.before, error.after))
        others = [plan.label(c) for part, c in plan.labels.items() if part not in (error.column, STEP_LABEL)]
        labels_left = ["--label", join_names(others)] if others else []
        of_steps = Advice("--step-label", name, *labels_left, without=["--label"])
        way_out = Message("for one label per step, use ", of_steps)
    elif error.column in plan.static_categories:
        column = plan.static_categories[error.column]
        name, names = plan.label(column), state.categories[error.column]
        before, after = (shortened(names.text(code)) for code in (error.before, error.after))
        way_out = Message("as a category of each step: ", no_longer_static(plan, [column]))
    else:
        column = next(column for column in plan.roles.static if static_name(column) == error.column)
        name = plan.label(column)
        before, after = error.before, error.after
        way_out = Message("as a feature of each step: ", no_longer_static(plan, [column]))
    within = f"key {shortened(', '.join(error.key))}" if plan.roles.key else "one sequence"
    if column in plan.of_files and plan.roles.key and column not in plan.roles.key:
        both = join_names([name, *map(plan.label, plan.roles.key)])
        way_out = Message("as a part of the key: ", Advice("--key", both, without=["--key"]))
    return DataError(f"column {name!r} changes from {before!r} to {after!r} within {within}; ", way_out)


def no_longer_static(plan: EncoderPlan, columns: Collection[int], *words: str) -> Advice:
    """The advice not to name some columns as static; `words` are added to it."""
    if plan.elsewhere is not None and plan.elsewhere.written:
        others = [column for column in plan.roles.all_static if column not in columns]
        return plan.elsewhere.with_static([plan.label(column) for column in others])
    pattern = None if plan.options.key_from is None else PathPattern(plan.options.key_from)
    parts = [part for column in columns if (part := plan.of_files.get(column))]
    if pattern is not None and parts:
        for part in parts:
            pattern = PathPattern(pattern.without(part))
        words = (*words, "--key-from", pattern.text)
    named = [column for column in columns if not plan.of_files.get(column)]
    static = [column for column in plan.roles.all_static if not plan.of_files.get(column)]
    left = [plan.label(column) for column in static if column not in named]
    if left and named:
        return Advice("--static", join_names(left), *words, without=["--static"])
    return Advice(*words, without=[word for column in named for word in ("--static", plan.label(column))])


def without_static(plan: EncoderPlan, columns: Collection[int]) -> Advice:
    """The advice to do without static columns; it drops them too where they would become features instead."""
    names = [plan.label(column) for column in columns if column not in plan.of_files]
    return no_longer_static(
        plan, columns, *([] if plan.roles.chosen or not names else ["--drop", join_names(names)])
    )
