"""`GroupSpec`: all that a call of `group` asks for, from the command line, from Python, and for a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from inspect import signature
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from seqtool.advice import Advice
from seqtool.arrays.dtypes import dtype_named
from seqtool.dataclass import dataclass
from seqtool.errors import UsageError, check_choice, check_whole, refuse_without_subject
from seqtool.files.path_parts import PathPattern
from seqtool.grouping.elsewhere import Companion, Elsewhere
from seqtool.grouping.options import EmptyKey, EmptyLabel, GridAgg, GroupOptions, PivotAgg, StepUnit
from seqtool.grouping.spec_checks import arguments_of_times, check_every, check_subjects, with_time
from seqtool.sequences.padding_values import Side, Value, check_side
from seqtool.tables.cells.instants import TimeUnit
from seqtool.tables.csv_dialect import is_number
from seqtool.tables.file_columns import refuse_part
from seqtool.tables.named_columns import columns_named, pivot_columns
from seqtool.tables.roles import PLAIN_ORDER, LabelKind, Roles, resolve
from seqtool.tables.table import Table, TextOptions
from seqtool.words import join_names

if TYPE_CHECKING:
    from seqtool.grouping.gaps import Gap

NamedColumn = str | int


@dataclass(frozen=True, kw_only=True)
class GroupSpec(GroupOptions):
    """All that a call of `group` asks for; a column is a name, or a position counted from 0.

    `no_key` makes one sequence of all rows; the parts of `key_from` are columns, {key} and {label} among them. Columns
    of other tables are `Elsewhere`, which `companions` opens. `columns` are the features, None for all columns that
    play no other part. `text` says how text files are read. Without `ragged` the sequences are padded to `maxlen`, by
    default the longest.

    Raises UsageError for arguments that are out of range, or contradict each other.
    """

    key: Sequence[NamedColumn] = ()
    no_key: bool = False
    order_by: Sequence[NamedColumn] = ()
    columns: Sequence[NamedColumn] | None = None
    drop: Sequence[NamedColumn] = ()
    keep_key: bool | None = None
    label: NamedColumn | Sequence[NamedColumn | Elsewhere] | None = None
    step_label: NamedColumn | None = None
    static: Sequence[NamedColumn | Elsewhere] = ()
    category: Sequence[NamedColumn] = ()
    maxlen: int | None = None
    padding: Side = "post"
    truncating: Side = "pre"
    value: Value | Literal["auto"] = 0
    ragged: bool = False
    text: TextOptions = field(default_factory=TextOptions)

    @classmethod
    def of(
        cls, *, gap: Any = None, every: Any = None, min_len: Any = 0, maxlen: Any = None, **arguments: Any
    ) -> GroupSpec:
        """What a call asks for: its arguments by name, the columns in lists; those of `TextOptions.of` are `text`.

        Raises UsageError for an argument about labels or keys where the call names none.
        """
        arguments["skip_rows"] = check_whole("skip_rows", arguments.get("skip_rows", 0))
        text = {name: arguments.pop(name) for name in _OF_TEXT if name in arguments}
        spec = cls(
            gap=None if gap is None else _size(gap, "--gap"),
            every=None if every is None else _size(every, "--every"),
            min_len=check_whole("min_len", min_len),
            maxlen=check_whole("maxlen", maxlen),
            no_key=bool(arguments.pop("no_key", False)),
            text=TextOptions.of(**text),
            **arguments,
        )
        check_subjects(spec)
        return spec

    def __post_init__(self) -> None:
        self._check_key()
        self._check_pivot()
        if self.columns is not None and self.drop:
            raise UsageError(
                "--columns and --drop both choose the features: ",
                Advice(without=["--drop"]),
                ", or ",
                Advice(without=["--columns"]),
            )
        check_choice("--label-as", self.label_as, get_args(LabelKind))
        check_choice("--time-as", self.time_as, get_args(TimeUnit))
        check_choice("--time-unit", self.time_unit, get_args(StepUnit))
        check_choice("--empty-key", self.empty_key, get_args(EmptyKey))
        check_choice("--empty-label", self.empty_label, get_args(EmptyLabel))
        if self.min_len < 0:
            raise UsageError(f"min_len is {self.min_len}; 0 or more was expected")
        if self.maxlen is not None and self.maxlen < 1:
            raise UsageError(f"maxlen is {self.maxlen}; it must be at least 1")
        if self.where is not None:
            from seqtool.where import parse

            parse(self.where)
        check_side("padding", self.padding)
        check_side("truncating", self.truncating)
        if self.dtype is not None:
            dtype_named(self.dtype)
        for word in self.missing:
            if any("\ud800" <= char <= "\udfff" for char in str(word)):
                raise UsageError(f"missing is {word!r}, which is not valid text: no cell can hold it")
        check_choice("--agg", self.agg, get_args(GridAgg))
        check_every(self)
        if self.ragged and self.maxlen is not None:
            raise UsageError("ragged sequences are not padded: leave maxlen out")

    def _check_key(self) -> None:
        """Raise UsageError unless exactly one option identifies sequences, and at most one labels them."""
        parts = () if self.pattern is None else self.pattern.names
        self._check_blank_lines()
        if self.no_key and (self.key or "key" in parts):
            other = "--key" if self.key else "--key-from"
            raise UsageError(
                f"--no-key says that nothing tells sequences apart, and {other} names what does: ",
                Advice(without=["--no-key"]),
                ", or ",
                Advice(without=[other]),
            )
        if not (self.key or self.no_key or "key" in parts or self.text.lines.key_blank_lines):
            part = "" if self.pattern is None else f"; --key-from {self.key_from!r} has no part {{key}}"
            raise UsageError(
                f"no key{part}: say which column tells sequences apart, such as ", Advice("--key", "0")
            )
        labels = columns_named(self.label)
        for option, named in (("key", self.key), ("label", labels)):
            if option in parts and named and option not in named:
                both = Advice(f"--{option}", join_names([option, *map(str, named)]), without=[f"--{option}"])
                raise UsageError(
                    f"--{option} and the part {{{option}}} of --key-from both name the {option}: "
                    "put * in the place of the part, or take both: ",
                    both,
                )
        if self.gap is not None and not self.order_by:
            raise UsageError(
                "--gap parts sequences where the order column jumps: name it: ",
                Advice("--order-by", "COLUMN"),
            )

    def _check_blank_lines(self) -> None:
        """Raise UsageError where blank lines end sequences and another option says what identifies them."""
        other = "--key" if self.key else "--no-key" if self.no_key else None
        if self.text.lines.key_blank_lines and other is not None:
            raise UsageError(
                f"--key-blank-lines and {other} both say where a sequence ends: ",
                Advice(without=[other]),
                ", or ",
                Advice(without=["--key-blank-lines"]),
            )

    def _check_pivot(self) -> None:
        """Raise UsageError for options that do not go with `pivot`, or that it needs and the call lacks."""
        check_choice("--pivot-agg", self.pivot_agg, get_args(PivotAgg))
        if self.pivot is None:
            if self.pivot_agg is not None:
                refuse_without_subject("--pivot-agg", "--pivot", Advice("--pivot", "ITEM=VALUE"))
            return
        if "=" not in self.pivot:
            raise UsageError(f"--pivot is {self.pivot!r}; ITEM=VALUE was expected, two columns")
        if not self.order_by:
            raise UsageError(
                "--pivot makes one step of the rows of one key and one time; name the column of times: ",
                Advice("--order-by", "COLUMN"),
            )
        for option, value in (
            ("--drop", self.drop),
            ("--keep-key", self.keep_key),
        ):
            if value:
                raise UsageError(
                    f"--pivot does not go with {option}: items are its features, which --columns chooses; ",
                    Advice(without=[option]),
                )

    @property
    def pattern(self) -> PathPattern | None:
        """The pattern of `key_from`; raises UsageError for a malformed one."""
        return None if self.key_from is None else PathPattern(self.key_from)

    def roles(self, table: Table) -> Roles:
        """Which column of a table plays which part.

        Raises DataError for a column that the table lacks, and UsageError for options that do not go with the table.
        """
        text = self.text
        if not table.text and not (text.marks.are_plain and text.lines.changes_nothing):
            raise UsageError(
                "--delimiter, --decimal, --thousands, --skip-rows, --comment and --key-blank-lines are for text, and "
                f"{table.name} has types of its own"
            )
        roles = self._resolved(table)
        if self.where is not None:
            from seqtool.tables.row_filter import RowFilter

            RowFilter.of(self.where, table)  # judged before any work
        for column in roles.static:
            self._check_part(table, column)
        if self.gap is not None and roles.order_as.get(roles.order[0], PLAIN_ORDER).text:
            raise UsageError("--gap is measured in numbers or times, and --order-by C:text sorts as text")
        return with_time(self, table, roles)

    def _check_part(self, table: Table, column: int) -> None:
        """Raise DataError for a static column that is a part of paths and holds text."""
        part = table.of_files.get(column)
        if part is None or part.part is None or part.numbers or self.pattern is None:
            return
        cell = next(cell for cell in part.cells if not is_number(cell))
        raise refuse_part(part.part, cell, self.pattern)

    def _resolved(self, table: Table) -> Roles:
        """The roles of the columns, the two of `pivot` included."""
        pair = None if self.pivot is None else pivot_columns(table, self.pivot)
        roles = resolve(
            table,
            key=self.key,
            order_by=self.order_by,
            columns=self.columns if pair is None else [pair[1]],
            drop=self.drop,
            keep_key=self.keep_key,
            label=cast(Any, self.label),
            step_label=self.step_label,
            static=cast(Any, self.static),
            category=self.category,
        )
        if pair is None:
            return roles
        as_text = next((column for column, how in roles.order_as.items() if how.text), None)
        if as_text is not None:
            name = table.label(as_text)
            raise UsageError(
                f"--pivot makes one step of the rows of one time, and {name}:text sorts as text; of numbers and ISO "
                "times: ",
                Advice("--order-by", name, without=["--order-by"]),
                "; of times of a strptime format: ",
                Advice("--order-by", f"{name}:FORMAT", without=["--order-by"]),
            )
        items = None if self.columns is None else tuple(dict.fromkeys(map(str, self.columns)))
        return replace(roles, item=pair[0], items=items)

    def resolved(
        self, table: Table, roles: Roles, features: Sequence[str], others: Sequence[Companion] = ()
    ) -> Mapping[str, Any]:
        """The arguments that a receipt records, without those of padding: columns by name, and how text was read."""

        def names(columns: Sequence[int]) -> list[str]:
            return [table.label(column) for column in columns]

        labels = [*names(roles.labels), *(name for other in others for name in other.recorded("label"))]
        statics = [*names(roles.all_static), *(name for other in others for name in other.recorded("static"))]
        categories = names((*roles.categories, *roles.static_categories))
        categories += [
            other.table.label(column) for other in others for column in other.roles.static_categories
        ]
        order = [f"{table.label(c)}{roles.order_as.get(c, '')}" for c in roles.order]
        return {
            "key": names([column for column in roles.key if column != table.counter]),
            **({"no_key": True} if self.no_key else {}),
            **({} if self.pattern is None else {"key_from": self.pattern.base}),
            **({} if self.gap is None else {"gap": self.gap.text}),
            **({} if self.pivot is None else {"pivot": self.pivot, "pivot_agg": self.pivot_agg or "last"}),
            **({} if self.where is None else {"where": self.where}),
            **({} if self.time_as is None else {"time_as": self.time_as}),
            "order_by": order,
            "features": list(features),
            "label": labels if len(labels) > 1 else next(iter(labels), None),
            "step_label": None if roles.step_label is None else table.label(roles.step_label),
            "static": statics,
            **({"category": categories} if categories else {}),
            "label_as": self.label_as,
            "label_value": None if roles.step_label is None else self.label_value,
            "keep_row_index": self.keep_row_index,
            **arguments_of_times(self, table, roles),
            "min_len": self.min_len or None,
            "empty_key": None if self.empty_key == "error" else self.empty_key,
            **({} if self.empty_label == "error" else {"empty_label": self.empty_label}),
            "missing": list(self.missing),
            "ragged": self.ragged,
            **table.dialect,
        }


_OF_TEXT = tuple(signature(TextOptions.of).parameters)


def _size(size: Any, option: str) -> Gap:
    """A size as a call says it: a number, text such as 30m, or a timedelta. Raises UsageError for anything else."""
    from seqtool.grouping.gaps import Gap

    return Gap.of(size, option)
