"""What is to be done with the columns of a table, and what that means for the state of their cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seqtool.arrays.dtypes import Array, dtype_named
from seqtool.dataclass import dataclass
from seqtool.grouping.elsewhere import Elsewhere
from seqtool.grouping.encoder_state import EncoderState, FoundBadCell
from seqtool.grouping.kernel import RowSchema
from seqtool.grouping.options import GroupOptions
from seqtool.grouping.row_columns import (
    ITEM,
    ROW,
    STEP_LABEL,
    category_name,
    feature_name,
    key_name,
    label_name,
    order_name,
    static_category_name,
    static_name,
)
from seqtool.tables.cells import BadCell, Numbers, missing_words
from seqtool.tables.roles import PLAIN_ORDER, Roles
from seqtool.tables.table import Expected, Table

if TYPE_CHECKING:
    from seqtool.grouping.gaps import GapCut


@dataclass(frozen=True)
class EncoderPlan:
    """What to do with each column of a table, in plain values that pickle.

    `columns` are the names of all columns, None for one without. `named`, `text` and `array_dtype` come from the
    table: whether a header names the columns, whether cells are text, the type that all cells of an array share.
    `of_files` are the columns whose values stand in paths, each with its part of --key-from, or None; `elements` are
    the columns of the cells of each list column; `counter` is the column that counts sequences between blank lines.
    `marked` says that a decimal mark was named. `elsewhere` is how the call names this table, if it is not the first.
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
        """The plan for a table; it keeps no reference to the table."""
        return cls(
            roles,
            options,
            table.columns,
            table.named,
            table.text,
            array_dtype=table.dtype,
            of_files={place: column.part for place, column in table.of_files.items()},
            elements=table.elements,
            marked="decimal" in table.dialect,
            counter=table.counter,
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
        """The label columns by the names of encoded rows: those of sequences, then that of steps."""
        of_steps = {} if self.roles.step_label is None else {STEP_LABEL: self.roles.step_label}
        return {**{label_name(i): column for i, column in enumerate(self.roles.labels)}, **of_steps}

    @property
    def categories(self) -> dict[str, int]:
        """The category columns of steps by the names of encoded rows."""
        return {category_name(i): column for i, column in enumerate(self.roles.categories)}

    @property
    def static_categories(self) -> dict[str, int]:
        """The columns of names of sequences by the names of encoded rows."""
        return {static_category_name(i): column for i, column in enumerate(self.roles.static_categories)}

    @property
    def all_categories(self) -> dict[str, int]:
        """The category columns of steps and of sequences by the names of encoded rows."""
        return {**self.categories, **self.static_categories}

    @property
    def asked_dtype(self) -> np.dtype[Any] | None:
        """The type of the features where a call or an array fixes it; None where it depends on the cells."""
        return self.array_dtype if self.options.dtype is None else dtype_named(self.options.dtype)

    @property
    def row_dtype(self) -> np.dtype[Any] | None:
        """The type of the features of rows where a call or an array fixes it; None where it depends on the cells.

        Whole numbers may be asked for of steps, such as counts, of which some rows have no value.
        """
        return None if self._folds_to_whole else self.asked_dtype

    @property
    def _folds_to_whole(self) -> bool:
        folds = self.options.every is not None or self.roles.item is not None
        asked = self.asked_dtype
        return folds and self.options.dtype is not None and asked is not None and asked.kind in "iu"

    @property
    def floats(self) -> np.dtype[Any]:
        """The type of features of rows that are no whole numbers: float32 would round times since 1970 to minutes."""
        return np.dtype(
            np.float32 if self.options.time_as is None and not self._folds_to_whole else np.float64
        )

    def expected(self) -> Expected:
        """What the columns of text are likely to hold, so that the table can parse them at once."""
        roles = self.roles
        as_written = {*roles.key, *self.labels.values(), *self.all_categories.values()}
        numbers = {*roles.features, *roles.static}
        words = missing_words(self.options.missing)
        spellings = Numbers(np.dtype(np.float32), words, text=True).words if numbers else []
        as_text = {column for column, how in roles.order_as.items() if how.text or how.time_format}
        likely = frozenset({*numbers, *roles.order} - as_written - as_text)
        spelled = likely | ({*self.labels.values()} - {*roles.key})  # a label may be a number, as 0,5 is
        expected = Expected(keys=frozenset(roles.key), spelled=spelled, others=roles.chosen)
        return expected if spellings is None else replace(expected, numbers=likely, missing=spellings)

    def first_bad_cell(self, state: EncoderState) -> FoundBadCell | None:
        """The first bad cell by row; within a row the first of key, order, feature, ... category."""
        roles = self.roles
        candidates: list[tuple[str, int, BadCell | None]] = [
            *(("key", column, state.keys[column].bad) for column in roles.key),
            *(("order", column, state.orders[column].bad) for column in roles.order),
            *(("feature", column, state.features[column].bad) for column in self.sure_features),
            *(("static", column, state.statics[column].bad) for column in roles.static),
            *(("label", column, state.labels[part].bad) for part, column in self.labels.items()),
            *(("item", roles.item or 0, items.bad) for items in state.items.values()),
            *(
                ("category", column, state.categories[part].bad)
                for part, column in self.all_categories.items()
            ),
        ]
        bad_cells = [FoundBadCell(part, column, bad) for part, column, bad in candidates if bad]
        return min(bad_cells, key=lambda found: found.bad.row, default=None)

    @property
    def sure_features(self) -> list[int]:
        """The features that are none of those that stop being one where they hold text."""
        return [column for column in self.features if column not in self.roles.spare_features]

    def settled(self, state: EncoderState) -> EncoderPlan:
        """The same plan without the features that stop being one because they hold text: keys without a header."""
        roles = self.roles
        for column in self.roles.features:
            if column in roles.spare_features and state.features[column].bad:
                roles = roles.without_feature(column)
        return replace(self, roles=roles)

    def dtype(self, state: EncoderState) -> np.dtype[Any]:
        """The type of the features, once all rows are known."""
        features = [state.features[column] for column in self.features]
        if self.row_dtype is not None:
            return self.row_dtype
        if all(numbers.whole for numbers in features):
            return np.dtype(np.int64)
        double = self._folds_to_whole or any(numbers.of_times for numbers in features)
        return np.dtype(np.float64 if double else np.float32)

    def static_dtype(self, state: EncoderState) -> np.dtype[Any]:
        """The type of the static numbers, once all rows are known: float64 where float32 would change some."""
        if all(numbers.whole for numbers in state.statics.values()):
            return np.dtype(np.int64)
        single, double = np.dtype(np.float32), np.dtype(np.float64)
        if any(numbers.of_times for numbers in state.statics.values()):
            return double
        return single if all(numbers.loss(single) is None for numbers in state.statics.values()) else double

    @property
    def rounds(self) -> bool:
        """Whether whole numbers are rounded to a float type, because the call names that type."""
        return self.options.dtype is not None and dtype_named(self.options.dtype).kind == "f"

    def layout(self, state: EncoderState) -> RowSchema:
        """What the kernel does with each array; the state of the first rows tells whether an order is of times."""
        labels = self.labels
        order = {
            order_name(column, i): self.roles.order_as.get(column, PLAIN_ORDER).descending
            for column in self.roles.order
            for i in range(state.orders[column].parts)
        }
        per_step = [
            name
            for name, on in ((STEP_LABEL, STEP_LABEL in labels), (ROW, self.options.keep_row_index))
            if on
        ]
        static = self._constant_parts()
        cut = self.cut(state)
        return RowSchema(
            keys=[key_name(i) for i in range(len(self.roles.key) or 1)],
            order=list(order),
            descending=[name for name, falls in order.items() if falls],
            features=[feature_name(column) for column in self.features],
            dtype=self.row_dtype,
            floats=self.floats,
            static=[] if cut else static,
            # Where a key is cut at gaps, static columns must be constant within each piece, which is not known yet.
            # Where rows are folded into steps, their order values tell which rows belong together.
            per_step=[
                *per_step,
                *self.categories,
                *([*cut.order, *cut.static] if cut else []),
                *(order if self._keeps_order else []),
                *([ITEM] if self.roles.item is not None else []),
            ],
        )

    def _constant_parts(self) -> list[str]:
        """The arrays that must be constant within a sequence: static columns, and labels that are not of steps."""
        labels = (part for part in self.labels if part != STEP_LABEL)
        return [*(static_name(column) for column in self.roles.static), *self.static_categories, *labels]

    def cut(self, state: EncoderState) -> GapCut | None:
        """How the rows of a key are cut at gaps; None where the call does not ask for it."""
        if self.options.gap is None:
            return None
        from seqtool.grouping.gaps import GapCut

        column = self.roles.order[0]
        order = [order_name(column, i) for i in range(state.orders[column].parts)]
        return GapCut(
            self.options.gap,
            order,
            self._constant_parts(),
            alone=not self.roles.key,
            keeps_order=self._keeps_order,
        )

    @property
    def _keeps_order(self) -> bool:
        """Whether the order values of rows are needed behind the sort."""
        options, roles = self.options, self.roles
        return (
            options.keep_order
            or options.every is not None
            or roles.time is not None
            or roles.item is not None
        )

    def unlabelled(self, state: EncoderState, part: str) -> Array:
        """Which label codes stand for no label, (codes,) bool."""
        return ~state.labels[part].labelled
