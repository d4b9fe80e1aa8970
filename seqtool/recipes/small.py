"""Few rows of plain numbers and names grouped at once, without the road that rows of any kind and number take.

It gives what that road gives, or None where it does not know that it would: then the caller takes the road.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Self

import numpy as np

from seqtool.arrays.dtypes import Array, dtype_named, first_loss
from seqtool.dataclass import dataclass
from seqtool.errors import DataError
from seqtool.grouping.elsewhere import Elsewhere
from seqtool.grouping.group import label_kind
from seqtool.operations.pad import pad_stream, resolved, with_receipt
from seqtool.recipes.columns import own_name
from seqtool.recipes.recipe import Recipe
from seqtool.recipes.small_columns import (
    NotPlainError,
    check_order,
    columns_of,
    features_in,
    keys_in,
    labels_in,
    names_in,
    static_in,
)
from seqtool.sequences.categories import PADDING
from seqtool.sequences.padding_values import UNLABELLED, check_step_value, value_from_json
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.sequences.receipts import Entry, Rows
from seqtool.sequences.stream import PaddedStream
from seqtool.sequences.validation import offsets_of
from seqtool.tables.cells import several_meanings

_MOST = 10_000  # rows
_OF_STEPS = {"step_label", "label_value"}
_OF_LABELS = {"label_as", "empty_label"}
_OF_TEXT = {"header", "delimiter", "encoding"}
_PADDING = {"maxlen", "padding", "value", "truncating"}
_COLUMNS = {"key", "order_by", "features", "label", "static", "category"}
_KNOWN = {*_COLUMNS, *_OF_STEPS, *_OF_LABELS, *_OF_TEXT, *_PADDING, "dtype", "ragged", "min_len"}


@dataclass(frozen=True)
class Small:
    """What became of few rows: their sequences, and the count of missing values by feature."""

    data: PaddedStream | Ragged
    missing: Mapping[str, int]


@dataclass(frozen=True)
class SmallGroup:
    """The call of `group` that a recipe remembers, where it has one key: its columns by the parts that they play.

    `elsewhere` are labels that came from another table.
    """

    key: str
    order: tuple[str, ...]
    features: tuple[str, ...]
    labels: tuple[str, ...]
    elsewhere: tuple[str, ...]
    step_label: str | None
    static: tuple[str, ...]
    categories: tuple[str, ...]
    dtype: np.dtype[Any]
    static_dtype: np.dtype[Any]
    arguments: Mapping[str, Any]

    @classmethod
    def of(cls, recipe: Recipe) -> Self | None:
        """The call; None where it asks for more."""
        arguments = recipe.first.get("arguments", {})
        key, order = arguments.get("key", []), tuple(arguments.get("order_by", ()))
        static, held = tuple(arguments.get("static", ())), arguments.get("label") or []
        features, categories = arguments.get("features", ()), arguments.get("category", ())
        named = bool(features) if recipe.features is not None else not features and len(categories) == 1
        named = named and "static_categories" not in recipe.tables
        if not ({*arguments} <= _KNOWN and len(key) == 1 and named) or any(":" in name for name in order):
            return None
        if any(map(Elsewhere.in_text, static)):
            return None
        labels = [held] if isinstance(held, str) else held
        return cls(
            key=key[0],
            order=order,
            features=tuple(features),
            labels=tuple(name for name in labels if not Elsewhere.in_text(name)),
            elsewhere=tuple(own_name(name) for name in labels if Elsewhere.in_text(name)),
            step_label=arguments.get("step_label"),
            static=static,
            categories=tuple(categories),
            dtype=dtype_named(arguments["dtype"]),
            static_dtype=dtype_named(recipe.dtypes.get("static", "int64")),
            arguments=arguments,
        )

    def grouped(self, rows: Any) -> Small | None:
        """The sequences of a DataFrame or an Arrow table; None of rows that are not plain numbers and names."""
        try:
            return self._grouped(rows) if 0 < len(rows) <= _MOST else None
        except (NotPlainError, DataError):  # of the latter the other road tells more
            return None

    def _grouped(self, rows: Any) -> Small:
        there = names_in(rows)
        labels = self.labels if {*self.labels} <= {*there} else ()
        step_label = self.step_label if self.step_label in there else None
        used = (self.key, *self.order, *self.features, *self.static, *self.categories, *labels)
        used = used if step_label is None else (*used, step_label)
        if any(there.count(name) != 1 for name in used) or {*self.elsewhere} & {*there}:
            raise NotPlainError
        columns = columns_of(rows, used)
        orders = [columns[name] for name in self.order]
        for column in orders:
            check_order(column)
        distinct, codes = np.unique(keys_in(columns[self.key]), return_inverse=True)
        order = np.lexsort([*orders[::-1], codes.reshape(-1)])
        offsets = offsets_of(np.bincount(codes.reshape(-1), minlength=len(distinct)))
        parts = _Parts({name: column[order] for name, column in columns.items()}, offsets)
        parts.add_labels(labels, self.arguments.get("label_as"))
        if step_label is not None:
            value = self.arguments.get("label_value", UNLABELLED)
            parts.add_step_labels(step_label, self.arguments.get("label_as"), value)
        parts.add_static(self.static, self.static_dtype)
        parts.add_categories(self.categories)
        values = parts.numbers(self.features, self.dtype) if self.features else parts.tokens(self.dtype)
        ragged = Ragged(
            values,
            offsets,
            keys=distinct,
            features=self.features or None,
            per_step=parts.per_step,
            per_sequence=parts.per_sequence,
            names=parts.names,
        )
        data = self._padded(ragged, {*_OF_TEXT, "min_len", *self._absent(labels, step_label)})
        return Small(data, _missing(values, self.features))

    def _absent(self, labels: Sequence[str], step_label: str | None) -> set[str]:
        """The arguments about labels that are not there, of which a receipt does not tell."""
        absent = set() if labels else {"label"}
        absent |= _OF_STEPS if step_label is None else set()
        return absent if labels or step_label is not None else absent | _OF_LABELS

    def _padded(self, ragged: Ragged, untold: set[str]) -> PaddedStream | Ragged:
        arguments = {name: held for name, held in self.arguments.items() if name not in untold}
        arguments |= label_kind(ragged)
        steps, cut = len(ragged.values), 0
        data: PaddedStream | Ragged = ragged
        if not arguments.get("ragged"):
            data = pad_stream(
                ragged,
                maxlen=arguments["maxlen"],
                padding=arguments["padding"],
                truncating=arguments["truncating"],
                value=value_from_json(arguments["value"]),
            )
            cut, arguments = data.steps_cut, {**arguments, **resolved(data)}
        return with_receipt(data, Entry("group", [], arguments, Rows(steps, steps - cut, cut)))


def _missing(values: Array, features: Sequence[str]) -> dict[str, int]:
    """How many values each feature lacks; raises NotPlainError for one that lacks all, of which is warned."""
    if values.dtype.kind != "f":
        return {}
    gaps = np.isnan(values).sum(axis=0)
    if (gaps == len(values)).any():
        raise NotPlainError
    return {name: gap for name, gap in zip(features, gaps.tolist(), strict=True) if gap}


@dataclass
class _Parts:
    """The arrays of sequences and steps, from columns in the order of the steps."""

    columns: Mapping[str, Array]
    offsets: Array
    per_step: dict[str, StepArray] = field(default_factory=dict)
    per_sequence: dict[str, Array] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)

    def numbers(self, features: Sequence[str], dtype: np.dtype[Any]) -> Array:
        """The features of the steps, (S, F)."""
        return features_in([self.columns[name] for name in features], dtype)

    def tokens(self, dtype: np.dtype[Any]) -> Array:
        """The ids of the only category in the place of features, (S,)."""
        ids = np.asarray(self.per_step.pop("c").data)[:, 0]
        if first_loss(ids, dtype) is not None:
            raise NotPlainError
        return ids.astype(dtype)

    def add_labels(self, labels: Sequence[str], how: str | None) -> None:
        """The labels of sequences, one or several."""
        if not labels:
            return
        codes, states = zip(*(labels_in(self.columns[name]) for name in labels), strict=True)
        if len(labels) == 1:
            values, classes = states[0].finish(how)
            self.per_sequence["y"] = values[self._of_sequences(codes[0])]
            self.names |= {} if classes is None else {"classes": classes}
            return
        meanings, tables = several_meanings(dict(zip(labels, states, strict=True)), how)
        one_each = [values[self._of_sequences(one)] for values, one in zip(meanings, codes, strict=True)]
        self.per_sequence["y"] = np.stack(one_each, axis=1)
        self.names |= tables

    def add_step_labels(self, label: str, how: str | None, padding: float) -> None:
        """The labels of steps."""
        codes, state = labels_in(self.columns[label])
        values, classes = state.finish(how)
        check_step_value("step_y", padding, values.dtype, "--label-value")
        self.per_step["step_y"] = StepArray(values[codes], padding)
        if classes is not None:
            self.names["step_classes" if "y" in self.per_sequence else "classes"] = classes

    def add_static(self, static: Sequence[str], dtype: np.dtype[Any]) -> None:
        """The numbers that are the same in all steps of a sequence."""
        if static:
            numbers = static_in([self.columns[name] for name in static], dtype)
            self.per_sequence["static"] = self._of_sequences(numbers)
            self.names["static_features"] = np.array(static)

    def add_categories(self, categories: Sequence[str]) -> None:
        """The ids of names in steps."""
        ids = []
        self.names |= {"categories": np.array(categories)} if categories else {}
        for i, name in enumerate(categories):
            codes, state = labels_in(self.columns[name])
            of_codes, self.names[f"vocabulary_{i}"] = state.vocabulary()
            ids.append(of_codes[codes])
        if ids:
            self.per_step["c"] = StepArray(np.stack(ids, axis=1), PADDING)

    def _of_sequences(self, cells: Array) -> Array:
        """The cell of each sequence; raises NotPlainError where its steps have several."""
        one_each = cells[self.offsets[:-1]]
        if (np.repeat(one_each, np.diff(self.offsets), axis=0) != cells).any():
            raise NotPlainError
        return np.asarray(one_each)
