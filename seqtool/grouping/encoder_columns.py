"""One reader for each column of a table, by the part that the column plays; it goes on where a known state ended."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqtool.grouping.encoder_plan import EncoderPlan
from seqtool.grouping.encoder_state import EncoderState
from seqtool.tables.cells import Keys, Numbers, NumberState, Order, missing_words
from seqtool.tables.roles import PLAIN_ORDER


def key_columns(plan: EncoderPlan, known: EncoderState, final: bool) -> dict[int, Keys]:
    """The columns that tell sequences apart."""
    options = plan.options
    return {
        column: Keys(
            keep_empty=options.empty_key == "keep",
            missing=options.missing,
            state=known.keys.get(column),
            final=final,
        )
        for column in plan.roles.key
    }


def order_columns(plan: EncoderPlan, known: EncoderState, final: bool) -> dict[int, Order]:
    """The columns that put the steps of a sequence in order."""
    words, options = _spellings(plan), plan.options
    return {
        column: Order(
            words,
            read_as=plan.roles.order_as.get(column, PLAIN_ORDER),
            state=known.orders.get(column),
            final=final,
            with_writing=options.keep_order and options.every is None,
        )
        for column in plan.roles.order
    }


def feature_columns(plan: EncoderPlan, known: EncoderState, final: bool) -> dict[int, Numbers]:
    """The columns of features, of the type asked for."""
    target = plan.row_dtype or np.dtype(np.float64 if plan.asked_dtype is not None else np.float32)
    keep, rounds = plan.array_dtype is not None, plan.options.dtype is not None
    return {
        column: _numbers(plan, target, known.features.get(column), keep=keep, rounds=rounds, final=final)
        for column in plan.roles.features
    }


def static_columns(plan: EncoderPlan, known: EncoderState, final: bool) -> dict[int, Numbers]:
    """The columns of static numbers, which become float32 where it holds them."""
    target = np.dtype(np.float32)
    return {
        column: _numbers(plan, target, known.statics.get(column), final=final) for column in plan.roles.static
    }


def _numbers(
    plan: EncoderPlan,
    target: np.dtype[Any],
    state: NumberState | None,
    *,
    keep: bool = False,
    rounds: bool = False,
    final: bool,
) -> Numbers:
    words, unit = _spellings(plan), plan.options.time_as
    return Numbers(
        target, words, text=plan.text, keep=keep, rounds=rounds, time_as=unit, state=state, final=final
    )


def _spellings(plan: EncoderPlan) -> tuple[str, ...]:
    """The spellings of a missing value."""
    return tuple(missing_words(plan.options.missing).to_pylist())
