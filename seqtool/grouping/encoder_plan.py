"""What is to be done with the columns of a table, and what that means for the state of their cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seqtool.advice import Advice, Message
from seqtool.arrays.dtypes import Array, dtype_named
from seqtool.arrays.lazy import AnyArray, Lazy
from seqtool.arrays.text import Text
from seqtool.errors import DataError
from seqtool.files.path_parts import PathPattern
from seqtool.grouping.elsewhere import Elsewhere
from seqtool.grouping.encoder_state import EncoderState, FoundBadCell
from seqtool.grouping.kernel import ChangingError, Grouped, Layout
from seqtool.grouping.options import GroupOptions
from seqtool.sequences.padding_values import check_step_value
from seqtool.sequences.ragged import Ragged, StepArray
from seqtool.tables.cells import BadCell, Numbers, missing_words, several_meanings
from seqtool.tables.cells.instants import MEASURED_FROM
from seqtool.tables.roles import PLAIN_ORDER, Roles
from seqtool.tables.table import Expected, Table
from seqtool.words import join_names, shortened

if TYPE_CHECKING:
    from seqtool.grouping.gaps import Cut


@dataclass(frozen=True)
class EncoderPlan:
    """What is to be done with the columns of a table, in plain values that pickle.

    `columns` are the names of all columns, None for one without; `named`, `text` and `array_dtype` are what the
    table says of itself: whether names stand in a header, whether cells are text, the type that all cells share;
    `of_files` are the columns that paths tell, each with the part of --key-from that it is, if it is one;
        return replace(
            plan, elements=table.elements, marked="decimal" in table.dialect, counter=table.counter
        )
    """

    roles: Roles
    options: GroupOptions
    columns: tuple[str | None, ...]
    named: bool
    text: bool
    array_dtype: np.dtype[Any] | None = None
    of_files: Mapping[int, str | None] = field(default_factory=dict)
    elements: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    elsewhere: Elsewhere | None = None
    marked: bool = False
    counter: int | None = None

    @classmethod
    def of(cls, table: Table, roles: Roles, options: GroupOptions) -> EncoderPlan:
        """The plan for a table, which it does not keep."""
        plan = cls(roles, options, table.columns, table.named, table.text, table.dtype, _parts(table))
        return replace(
            plan, elements=table.elements, marked="decimal" in table.dialect, counter=table.counter
        )

    def label(self, column: int) -> str:
        """What a person calls a column: its name, or its position."""
        return self.columns[column] or str(column)

    @property
    def features(self) -> tuple[int, ...]:
        """The columns of features."""
        return self.roles.features

    @property
    def labels(self) -> dict[str, int]:
        """The columns of labels: `y`, `y1` and so on for those of sequences, `t` for one a step."""
        of_steps = {} if self.roles.step_label is None else {"t": self.roles.step_label}
        return {**{f"y{i or ''}": column for i, column in enumerate(self.roles.labels)}, **of_steps}

    @property
    def asked_dtype(self) -> np.dtype[Any] | None:
        """The type of the features, where it does not depend on what they hold."""
        return self.array_dtype if self.options.dtype is None else dtype_named(self.options.dtype)

    def expected(self) -> Expected:
        """What the columns of text are likely to hold."""
        roles = self.roles
        as_written = {*roles.key, *self.labels.values()}
        numbers = {*roles.features, *roles.static}
        words = missing_words(self.options.missing)
        spellings = Numbers(np.dtype(np.float32), words, text=True).words if numbers else []
        as_text = {column for column, how in roles.order_as.items() if how.text or how.time_format}
        likely = {*numbers, *roles.order} - as_written - as_text
        spelled = likely | ({*self.labels.values()} - {*roles.key})  # a label may be a number, as 0,5 is
        found = Expected(keys=frozenset(roles.key), spelled=frozenset(spelled), others=roles.chosen)
        return found if spellings is None else replace(found, numbers=frozenset(likely), missing=spellings)

    def first_bad_cell(self, state: EncoderState) -> FoundBadCell | None:
        """The first bad cell by row; of those in one row the first of key, order, feature, static, label."""
        roles = self.roles
        sure = [column for column in roles.features if column not in roles.spare_features]
        found: list[tuple[str, int, BadCell | None]] = [
            *(("key", column, state.keys[column].bad) for column in roles.key),
            *(("order", column, state.orders[column].bad) for column in roles.order),
            *(("feature", column, state.features[column].bad) for column in sure),
            *(("static", column, state.statics[column].bad) for column in roles.static),
            *(("label", column, state.labels[part].bad) for part, column in self.labels.items()),
            *(("item", roles.item or 0, items.bad) for items in state.items.values()),
        ]
        bad_cells = [FoundBadCell(part, column, bad) for part, column, bad in found if bad]
        return min(bad_cells, key=lambda one: one.bad.row, default=None)

    def settled(self, state: EncoderState) -> EncoderPlan:
        """The same, without the key columns of a table without names that hold text: they are no features."""
        roles = self.roles
        for column in self.roles.features:
            if column in roles.spare_features and state.features[column].bad:
                roles = roles.without_feature(column)
        return replace(self, roles=roles)

    def dtype(self, state: EncoderState) -> np.dtype[Any]:
        """The type of the features, once all rows are known."""
        numbers = [state.features[column] for column in self.features]
        if all(one.whole for one in numbers):
            return self.asked_dtype or np.dtype(np.int64)
        # Of times since 1970 float32 would hold minutes.
        return self.asked_dtype or np.dtype(
            np.float64 if any(one.of_times for one in numbers) else np.float32
        )

    def static_dtype(self, state: EncoderState) -> np.dtype[Any]:
        """The type of the static numbers, once all rows are known: float64 where float32 would change some."""
        if all(numbers.whole for numbers in state.statics.values()):
            return np.dtype(np.int64)
        single, double = np.dtype(np.float32), np.dtype(np.float64)
        if any(numbers.of_times for numbers in state.statics.values()):
            return double
        return single if all(numbers.loss(single) is None for numbers in state.statics.values()) else double

    def times(self, state: EncoderState) -> dict[str, str]:
        """The features and static columns of times, and what their numbers are."""
        columns = [*((c, state.features[c]) for c in self.features), *state.statics.items()]
        return {
            self.label(column): f"{self.options.time_as}{MEASURED_FROM[one.kind]}"
            for column, one in columns
            if one.kind in MEASURED_FROM
        }

    def missing(self, state: EncoderState) -> dict[str, int]:
        """The columns of features and static numbers that have missing values, and how many."""
        features = {self.label(column): state.features[column].missing for column in self.features}
        return {name: lost for name, lost in features.items() if lost} | self.missing_statics(state)

    def missing_statics(self, state: EncoderState) -> dict[str, int]:
        """The same of the columns of static numbers alone."""
        return {self.label(column): one.missing for column, one in state.statics.items() if one.missing}

    @property
    def rounds(self) -> bool:
        """Whether whole numbers are rounded to a float type, because somebody asked for it."""
        return self.options.dtype is not None and dtype_named(self.options.dtype).kind == "f"

    def rounded(self, state: EncoderState) -> dict[str, int]:
        """The features of which whole numbers are rounded to the type asked for, and how many."""
        counts = {self.label(column): state.features[column].rounded for column in self.features}
        return {name: count for name, count in counts.items() if count}

    def coarse(self, state: EncoderState) -> list[str]:
        """The features that become float32 although some of their numbers have no room for a fraction there."""
        if self.dtype(state) != np.float32:
            return []
        return [self.label(column) for column in self.features if state.features[column].coarse]

    def layout(self, state: EncoderState) -> Layout:
        """What the columns are to the kernel; the first rows tell whether an order column is of times."""
        labels = self.labels
        order = {
            f"o{column}_{i}": self.roles.order_as.get(column, PLAIN_ORDER).descending
            for column in self.roles.order
            for i in range(state.orders[column].parts)
        }
        per_step = [name for name, on in (("t", "t" in labels), ("row", self.options.keep_row_index)) if on]
        static = [*(f"s{column}" for column in self.roles.static), *(part for part in labels if part != "t")]
        cut = self.cut(state)
        return Layout(
            keys=[f"k{i}" for i in range(len(self.roles.key) or 1)],
            order=list(order),
            descending=[name for name, falls in order.items() if falls],
            features=[f"f{column}" for column in self.features],
            dtype=self.asked_dtype,
            # Some may be times, of which float32 would hold minutes.
            floats=np.dtype(np.float32 if self.options.time_as is None else np.float64),
            static=[] if cut else static,
            # Where a key is cut, they must be the same within each part, which is not known yet; where rows are folded
            # into steps, the order tells which.
            per_step=[
                *per_step,
                *([*cut.order, *cut.static] if cut else []),
                *([*order, "p"] if self.roles.item is not None else []),
            ],
        )

    def cut(self, state: EncoderState) -> Cut | None:
        """How the rows of a key are cut at gaps, if that is asked for."""
        if self.options.gap is None:
            return None
        from seqtool.grouping.gaps import Cut

        column = self.roles.order[0]
        order = [f"o{column}_{i}" for i in range(state.orders[column].parts)]
        static = [
            *(f"s{static}" for static in self.roles.static),
            *(part for part in self.labels if part != "t"),
        ]
        long = self.roles.item is not None
        return Cut(self.options.gap, order, static, alone=not self.roles.key, keeps_order=long)

    def changing(self, error: ChangingError, state: EncoderState) -> DataError:
        """The error for a label or static column that changes within a key."""
        if error.column in self.labels:
            column = self.labels[error.column]
            name = self.label(column)
            texts = state.labels[error.column]
            before, after = (shortened(texts.text(code)) for code in (error.before, error.after))
            others = [self.label(c) for part, c in self.labels.items() if part not in (error.column, "t")]
            left = ["--label", join_names(others)] if others else []
            of_steps = Advice("--step-label", name, *left, without=["--label"])
            way_out = Message("for one label per step, use ", of_steps)
        else:
            column = int(error.column[1:])
            name = self.label(column)
            before, after = error.before, error.after
            way_out = Message("as a feature of each step: ", self.without_static([column]))
        within = f"key {shortened(error.key)}" if self.roles.key else "one sequence"
        if column in self.of_files and self.roles.key and column not in self.roles.key:
            both = join_names([name, *map(self.label, self.roles.key)])
            way_out = Message("as a part of the key: ", Advice("--key", both, without=["--key"]))
        return DataError(
            f"column {name!r} changes from {before!r} to {after!r} within {within}; ",
            way_out,
        )

    def _label_meaning(self, state: EncoderState, part: str) -> tuple[Array, Array | Text | None]:
        """What the codes of labels become, and the names of the classes."""
        return state.labels[part].finish(self.options.label_as, keep=self.options.empty_label == "keep")

    def kept_unlabelled(self, state: EncoderState) -> dict[str, int]:
        """The rows that are kept although they have no label, by its column."""
        if self.options.empty_label != "keep":
            return {}
        counts = {self.label(column): state.labels[part].missing for part, column in self.labels.items()}
        return {name: rows for name, rows in counts.items() if rows}

    def unlabelled(self, state: EncoderState, part: str) -> Array:
        """Which codes of labels stand for none, (codes,) bool."""
        return ~state.labels[part].labelled

    def _several_labels(
        self, grouped: Grouped, state: EncoderState
    ) -> tuple[AnyArray, dict[str, Array | Text]]:
        """The labels of sequences side by side, (N, L), and their tables."""
        parts = {self.label(column): part for part, column in self.labels.items() if part != "t"}
        states = {name: state.labels[part] for name, part in parts.items()}
        keep = self.options.empty_label == "keep"
        meanings, tables = several_meanings(states, self.options.label_as, keep=keep)
        codes = [grouped.static[part] for part in parts.values()]
        columns = [_meant(some, meaning) for some, meaning in zip(codes, meanings, strict=True)]
        return _side_by_side(columns, meanings[0].dtype), tables

    def without_static(self, columns: Collection[int], *words: str) -> Advice:
        """The advice to leave out some static columns, with other words."""
        if self.elsewhere is not None and self.elsewhere.written:
            others = [column for column in self.roles.static if column not in columns]
            return self.elsewhere.with_static([self.label(column) for column in others])
        pattern = None if self.options.key_from is None else PathPattern(self.options.key_from)
        parts = [part for column in columns if (part := self.of_files.get(column))]
        if pattern is not None and parts:
            for part in parts:
                pattern = PathPattern(pattern.without(part))
            words = (*words, "--key-from", pattern.text)
        columns = [column for column in columns if not self.of_files.get(column)]
        static = [column for column in self.roles.static if not self.of_files.get(column)]
        left = [self.label(column) for column in static if column not in columns]
        if left and columns:
            return Advice("--static", join_names(left), *words, without=["--static"])
        return Advice(
            *words, without=[word for column in columns for word in ("--static", self.label(column))]
        )

    def ragged(self, grouped: Grouped, state: EncoderState, features: Sequence[str] | None = None) -> Ragged:
        """The sequences with all that belongs to them; `features` are the items of a long table."""
        per_step, per_sequence, names = {}, {}, dict[str, Array | Text]()
        named = tuple(self.label(column) for column in self.features) if self.named else None
        if len(self.roles.labels) > 1:
            per_sequence["y"], tables = self._several_labels(grouped, state)
            names |= tables
        elif self.roles.labels:
            meaning, classes = self._label_meaning(state, "y")
            per_sequence["y"] = _meant(grouped.static["y"], meaning)
            if classes is not None:
                names["classes"] = classes
        if "t" in self.labels:
            meaning, classes = self._label_meaning(state, "t")
            check_step_value("step_y", self.options.label_value, meaning.dtype, "--label-value")
            per_step["step_y"] = StepArray(_meant(grouped.per_step["t"], meaning), self.options.label_value)
            if classes is not None:
                names["step_classes" if "y" in self.labels else "classes"] = classes
        if self.roles.static:
            columns = [grouped.static[f"s{column}"] for column in self.roles.static]
            per_sequence["static"] = _side_by_side(columns, self.static_dtype(state))
            names["static_features"] = np.array([self.label(c) for c in self.roles.static], dtype=str)
        if self.options.keep_row_index:
            per_step["row_index"] = StepArray(grouped.per_step["row"], -1)
        return Ragged(
            grouped.values,
            grouped.offsets,
            keys=grouped.keys,
            features=named if features is None else tuple(features),
            per_step=per_step,
            per_sequence=per_sequence,
            names=names,
        )


def _parts(table: Table) -> dict[int, str | None]:
    return {place: column.part for place, column in table.of_files.items()}


def _meant(codes: AnyArray, meaning: Array) -> AnyArray:
    """What the codes of labels stand for."""
    return Lazy(codes.shape, meaning.dtype, lambda begin, end: meaning[codes[begin:end]])


def _side_by_side(columns: Sequence[AnyArray], dtype: np.dtype[Any]) -> AnyArray:
    def read(begin: int, end: int) -> Array:
        return np.stack([column[begin:end] for column in columns], axis=1).astype(dtype)

    return Lazy((len(columns[0]), len(columns)), dtype, read)
