"""Warnings about a table that was grouped as the call says: readings of it that may be wrong."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from seqtool.advice import Advice, Message
from seqtool.arrays.lazy import chunks
from seqtool.grouping.advising import for_days, rounding_warnings
from seqtool.grouping.column_facts import times
from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.grouping.reading import PlaceOf
from seqtool.grouping.row_columns import STEP_LABEL
from seqtool.sequences.ragged import Ragged
from seqtool.tables.cells import KeyState, LabelState, OrderState
from seqtool.tables.cells.instants import MEASURED_FROM
from seqtool.tables.cells.label_doubts import category_doubts, doubts
from seqtool.tables.cells.text_order import disorder
from seqtool.tables.cells.times import is_day, text_sorts, time_formats
from seqtool.words import count, join_names, shortened

if TYPE_CHECKING:
    from seqtool.grouping.gaps import Gap


def cautions(plan: EncoderPlan, state: EncoderState, place: PlaceOf) -> list[str]:
    """A sentence for each thing that may be wrong, with its count and the option that changes it."""
    found: list[str] = []
    for column in plan.roles.key:
        found += _of_keys(plan, column, state.keys[column])
    for column in plan.roles.order:
        found += _of_order(plan, column, state.orders[column])
    for part, column in plan.labels.items():
        several = (
            len(plan.labels.keys() - {STEP_LABEL}) > 1 and part != STEP_LABEL
        )  # whole numbers among these stay numbers
        as_number = plan.options.label_as == "number" or (several and plan.options.label_as is None)
        found += _of_labels(plan.label(column), state.labels[part], place, as_number=as_number)
    for part, column in plan.all_categories.items():
        found += category_doubts(f"category column {plan.label(column)!r}", state.categories[part])
    return [*found, *_of_missing(plan, state), *rounding_warnings(plan, state)]


def of_steps(keys: Sequence[str], ragged: Ragged, gap: Gap | None = None) -> list[str]:
    """A sentence where nearly all sequences have a single step, since the key, or the gap, is likely too fine."""
    single = sum(int((part == 1).sum()) for _, part in chunks(ragged.lengths))
    if len(ragged) < _LEAST_SEQUENCES or 10 * single <= 9 * len(ragged):
        return []
    what = f"{single:,} of {len(ragged):,} sequences have one step: "
    if gap is not None:
        smaller = f"nearly all steps are further apart than the gap, {gap.text}; choose a larger one: "
        return [Message(what, smaller, Advice("--gap", "SIZE"))]
    what += f"the key {', '.join(map(repr, keys))} tells steps apart, not sequences; "
    return [Message(what, "choose another: ", Advice("--key", "COLUMN", without=["--key", "--key-from"]))]


_LEAST_SEQUENCES = 5  # sequences; nothing is said of fewer


def _of_keys(plan: EncoderPlan, column: int, keys: KeyState) -> Iterator[str]:
    """A sentence for each key that is a word for a missing value, whose rows became one sequence."""
    for text, rows in keys.words.items():
        if text not in plan.options.missing:
            yield Message(
                f"key column {plan.label(column)!r} holds {text!r} in {count(rows, 'row')}, as a key like others; to "
                f"leave {'it' if rows == 1 else 'them'} out: ",
                Advice("--missing", text, "--empty-key", "drop"),
            )


def _of_order(plan: EncoderPlan, column: int, order: OrderState) -> Iterator[str]:
    """Sentences for dates that are sorted as text, and for days as numbers, where each new month makes a gap."""
    gap, name = plan.options.gap, plan.label(column)
    if gap is not None and column == plan.roles.order[0] and order.kind == "numbers" and not gap.is_time:
        as_days = for_days(plan, order, column, "--gap", f"{gap.text}d")
        if as_days is not None and order.first is not None:
            yield Message(
                f"--gap {gap.text} is measured in the numbers of {name!r}, such as {order.first.cell}; if they are "
                "days, each new month is a jump of 70 or more: ",
                as_days,
            )
    if order.kind != "text" or order.first is None:
        return
    cell = order.first.cell
    formats = [time_format for time_format in time_formats([cell]) if not text_sorts(cell, time_format)]
    if formats:
        falls = ":desc" if plan.roles.order_as[column].descending else ""
        as_text, ways = ["--order-by", f"{name}:text{falls}"], list[object]()
        for time_format in formats:
            as_times = Advice("--order-by", f"{name}:{time_format}{falls}", without=as_text)
            ways += [" or " if ways else "", as_times]
        problem = f"order column {name!r} is sorted as text, but looks like dates ({cell!r}); "
        yield Message(problem, *ways, " sorts by time")
    elif is_day(cell):
        yield f"order column {name!r} is sorted as text, but holds days of the week ({cell!r}): Friday before Monday"
    else:
        yield from _of_disorder(name, order, descending=plan.roles.order_as[column].descending)


def _of_disorder(name: str, order: OrderState, *, descending: bool) -> Iterator[str]:
    """Text that sorts otherwise than its numbers, or times, read."""
    found = disorder(order.sample)
    if found is None:
        return
    falls, (first, second) = ":desc" if descending else "", map(shortened, found.pair)
    problem = (
        f"order column {name!r} is sorted as text, which takes {first!r} for less than {second!r}, and so for "
        f"{found.count:,} of {count(found.looked_at, 'distinct cell')} that were looked at; "
    )
    written = [name + falls] if found.numbers else [f"{name}:{one}{falls}" for one in found.time_formats[:1]]
    if written:
        way = Advice("--order-by", written[0], without=["--order-by", f"{name}:text{falls}"])
        yield Message(problem, way, " sorts by number" if found.numbers else " sorts by time")
    else:
        yield f"{problem}write their numbers with as many digits each, such as 09 beside 10"


def _of_labels(name: str, labels: LabelState, place: PlaceOf, *, as_number: bool) -> Iterator[str]:
    """Sentences for words for missing values among classes, and for text among numbers."""

    def as_missing(text: str) -> list[object]:
        return ["; to read it as no label: ", Advice("--missing", text, "--empty-label", "keep")]

    return doubts(labels, f"label column {name!r}", place, as_number=as_number, way_out=as_missing)


def of_times(plan: EncoderPlan, state: EncoderState) -> Iterator[str]:
    """A sentence where the call names a unit of times, but no feature or static column, joined or not, holds times."""
    if plan.options.time_as is None or times(plan, state):
        return
    problem = f"--time-as {plan.options.time_as}: no feature or static column holds times; "
    orders = [column for column in plan.roles.order if state.orders[column].kind in MEASURED_FROM]
    if orders:
        named = join_names([plan.label(column) for column in (*orders, *plan.features)])
        feature = Advice("--columns", named, without=["--columns", "--drop"])
        yield Message(problem, "to make features of what tells the order: ", feature)
    else:
        yield Message(problem, Advice(without=["--time-as"]))


def _of_missing(plan: EncoderPlan, state: EncoderState) -> Iterator[str]:
    """A sentence for each word for a missing value that no key, label or category of a typed table holds."""
    if plan.text:
        return
    texts = {text for keys in state.keys.values() for text in keys.words}
    names = [*state.labels.values(), *state.categories.values()]
    texts |= {text for labels in names for text in labels.absent}
    for word in plan.options.missing:
        if word not in texts:
            yield (
                f"--missing {shlex.quote(word)} stands in no key, label or category; numbers of a table with types "
                "have missing values of their own"
            )
