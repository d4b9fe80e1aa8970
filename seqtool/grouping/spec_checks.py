"""What a `GroupSpec` is judged by beyond its single arguments: options that need others, and those of times."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seqtool.advice import Advice
from seqtool.errors import UsageError, refuse_without_subject
from seqtool.sequences.padding_values import UNLABELLED
from seqtool.tables.named_columns import position
from seqtool.tables.roles import Roles
from seqtool.tables.table import Table

if TYPE_CHECKING:
    from seqtool.grouping.spec import GroupSpec


def check_subjects(spec: GroupSpec) -> None:
    """Raise UsageError for options about columns, or other options, that the call does not name."""
    parts = () if spec.pattern is None else spec.pattern.names
    of_steps = Advice("--step-label", "COLUMN")
    if not spec.label and spec.step_label is None and "label" not in parts:
        for option, is_given in (
            ("--label-as", spec.label_as is not None),
            ("--empty-label", spec.empty_label != "error"),
        ):
            if is_given:
                refuse_without_subject(option, "labels", Advice("--label", "COLUMN"), of_steps)
    if spec.keep_order and not spec.order_by:
        refuse_without_subject("--keep-order", "order columns", Advice("--order-by", "COLUMN"))
    for option, is_given in (
        ("--delta", spec.delta is not None),
        ("--since-observed", spec.since_observed),
    ):
        if is_given and not spec.order_by:
            named = "COLUMN" if spec.delta is None else str(spec.delta)
            refuse_without_subject(option, "order columns", Advice("--order-by", named))
    if spec.time_unit is not None and spec.delta is None and not spec.since_observed:
        refuse_without_subject("--time-unit", "times between steps", Advice("--delta", "COLUMN"))
    if spec.agg is not None and spec.every is None:
        refuse_without_subject("--agg", "--every", Advice("--every", "SIZE"))
    if spec.step_label is None and spec.label_value != UNLABELLED:
        refuse_without_subject("--label-value", "labels of steps", of_steps)
    if spec.empty_key != "error" and not spec.key and "key" not in parts:
        refuse_without_subject("--empty-key", "key columns")
    if spec.keep_key is not None and spec.no_key:
        refuse_without_subject("--keep-key" if spec.keep_key else "--drop-key", "key columns")


def check_every(spec: GroupSpec) -> None:
    """Raise UsageError for a grid without a size, or with options that have no meaning for its steps."""
    if spec.every is None:
        return
    if not spec.every.size:
        raise UsageError(f"--every is {spec.every.text}; more than 0 was expected")
    if len(spec.order_by) != 1:
        raise UsageError(
            "--every makes steps of equal stretches of one order column: ",
            Advice("--order-by", "COLUMN", without=["--order-by"]),
        )
    for option, is_given in (
        ("--step-label", spec.step_label is not None),
        ("--keep-row-index", spec.keep_row_index),
        ("--agg", spec.agg is not None and spec.pivot is not None),
    ):
        if is_given:
            why = (
                "--pivot-agg says what becomes of several values"
                if option == "--agg"
                else "no step is one row"
            )
            raise UsageError(f"--every does not go with {option}: {why}; ", Advice(without=[option]))


def with_time(spec: GroupSpec, table: Table, roles: Roles) -> Roles:
    """The roles with the order column that tells the time between steps, where the call asks for it."""
    wanted = {
        "--every": spec.every is not None,
        "--keep-order": spec.keep_order,
        "--delta": spec.delta is not None,
        "--since-observed": spec.since_observed,
    }
    option = next((name for name, is_given in wanted.items() if is_given), None)
    time = None if spec.delta is None else position(table, spec.delta, "--delta")
    if time is not None and time not in roles.order:
        raise UsageError(
            f"--delta {spec.delta} is no order column: ",
            Advice("--order-by", table.label(time), without=["--order-by"]),
        )
    if option is not None and any(how.text for how in roles.order_as.values()):
        raise UsageError(
            f"{option} takes numbers and times, and --order-by C:text sorts as text: ",
            Advice(without=[option]),
        )
    falling = spec.every is not None and any(how.descending for how in roles.order_as.values())
    if falling:
        raise UsageError(
            "--every makes steps that ascend, and --order-by C:desc descends: ", Advice(without=["--every"])
        )
    if time is None and spec.since_observed:
        time = roles.order[0]
    return replace(roles, time=time)


def arguments_of_times(spec: GroupSpec, table: Table, roles: Roles) -> dict[str, Any]:
    """The arguments about the times of steps, those that the call gives."""
    named = {
        "keep_order": spec.keep_order,
        "delta": None if spec.delta is None or roles.time is None else table.label(roles.time),
        "every": None if spec.every is None else spec.every.text,
        "agg": None if spec.every is None or spec.pivot is not None else spec.agg or "mean",
        "position": spec.position,
        "since_observed": spec.since_observed,
    }
    return {name: held for name, held in named.items() if held}
