"""The options of tables: how they are read, and which column plays which part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqtool.commands import _completion
from seqtool.commands._options import KeyFrom, choice, one_name, several_names
from seqtool.commands._values import names_in, orders_in
from seqtool.dataclass import dataclass
from seqtool.option_names import option_of

if TYPE_CHECKING:
    from seqtool.grouping.spec import GroupSpec
    from seqtool.tables.table import TextOptions


@dataclass(frozen=True)
class TableOptions:
    """How tables are read."""

    title = "Text files and workbooks"
    delimiter: Annotated[
        str | None,
        typer.Option(
            "--delimiter",
            metavar="CHAR",
            help="What separates cells; whitespace for runs of blanks. [default: from the first row]",
        ),
    ] = None
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="What the first row is.", show_default=False)
    ] = None
    encoding: Annotated[str, typer.Option("--encoding", metavar="NAME", help="Of text files.")] = "utf-8"
    decimal: Annotated[
        str, typer.Option("--decimal", metavar="CHAR", help="What begins the fraction of a number.")
    ] = "."
    thousands: Annotated[
        str | None, typer.Option("--thousands", metavar="CHAR", help="What parts the thousands of a number.")
    ] = None
    skip_rows: Annotated[
        int, typer.Option("--skip-rows", metavar="N", min=0, help="Skip the first N lines of each file.")
    ] = 0
    comment: Annotated[
        str | None, typer.Option("--comment", metavar="TEXT", help="Skip lines that begin with TEXT.")
    ] = None
    sheet: Annotated[
        str | None,
        typer.Option(
            "--sheet",
            metavar="NAME",
            help="The sheet of a workbook. [default: the one with rows]",
            autocompletion=_completion.sheets,
        ),
    ] = None
    missing: Annotated[
        list[str] | None,
        typer.Option("--missing", metavar="TEXT", help="Read TEXT as a missing value too. Repeatable."),
    ] = None

    @property
    def named(self) -> list[str]:
        """The options that say something else than usual."""
        return [option_of(name) for name in self.resolved]

    @property
    def resolved(self) -> dict[str, Any]:
        """What they say, for a receipt."""
        usual = vars(type(self)())
        return {name: held for name, held in vars(self).items() if held != usual[name]}

    @property
    def reading(self) -> TextOptions:
        """How text files are read."""
        from seqtool.tables.table import TextOptions

        return TextOptions.of(
            self.delimiter,
            self.header,
            self.encoding,
            decimal=self.decimal,
            thousands=self.thousands,
            skip_rows=self.skip_rows,
            comment=self.comment,
            sheet=self.sheet,
        )


@dataclass(frozen=True)
class ColumnOptions:
    """Which column plays which part; a column is a name, or a position counted from 0."""

    title = "Columns"
    key: Annotated[
        list[str] | None,
        several_names(
            "--key",
            "A,B",
            help="The column that identifies a sequence, or several: names or positions. Repeatable.",
        ),
    ] = None
    key_from: KeyFrom = None
    no_key: Annotated[
        bool,
        typer.Option(
            "--no-key",
            help="All rows are one sequence; --gap parts it.",
            rich_help_panel="Sequences",
        ),
    ] = False
    key_blank_lines: Annotated[
        bool,
        typer.Option(
            "--key-blank-lines",
            help="A blank line ends a sequence, as in tagging files (CoNLL); keys count from 0. Quotes are letters "
            "between blanks or tabs; -DOCSTART- lines are skipped.",
            rich_help_panel="Sequences",
        ),
    ] = False
    order_by: Annotated[
        list[str] | None,
        several_names(
            "--order-by",
            "A,B",
            help="Sort steps by numbers, ISO times or categories. C:%d.%m.%Y reads times of a strptime format, C:text "
            "sorts as text, C:desc descends. Repeatable.",
        ),
    ] = None
    gap: Annotated[
        str | None,
        typer.Option(
            "--gap",
            metavar="SIZE",
            help="Begin another sequence where the first --order-by column jumps by more: a number, or of times "
            "such as 30m (ns, us, ms, s, m, h, d). Their number, from 0, is added to the key.",
            rich_help_panel="Sequences",
        ),
    ] = None
    columns: Annotated[
        list[str] | None,
        several_names("--columns", "A,B,C", help="The features. Repeatable. [default: all other columns]"),
    ] = None
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            metavar="TEXT",
            help="Read only rows as \"value > 0 and site in ('a', b)\" says: == != < <= > >= in, and, or, not, "
            "parentheses. A comparison with a missing cell is false.",
            rich_help_panel="Rows",
        ),
    ] = None
    pivot: Annotated[
        str | None,
        typer.Option(
            "--pivot",
            metavar="ITEM=VALUE",
            help="Long tables: rows of one key and time are a step, each item a feature. --columns names items.",
            rich_help_panel="Rows",
        ),
    ] = None
    pivot_agg: Annotated[
        str | None,
        choice(
            "--pivot-agg",
            ("last", "first", "mean", "sum", "max", "min", "count"),
            help="What several values of one cell become. [default: last]",
            section="Rows",
        ),
    ] = None
    time_as: Annotated[
        str | None,
        choice(
            "--time-as",
            ("seconds", "days"),
            help="Make numbers of dates and times among features and static numbers: since 1970, those without a "
            "zone as UTC. [default: times are no features]",
            section="Rows",
        ),
    ] = None
    drop: Annotated[
        list[str] | None,
        several_names("--drop", "A,B", help="Columns not used as features. Repeatable."),
    ] = None
    keep_key: Annotated[
        bool | None,
        typer.Option("--keep-key/--drop-key", help="Whether the key is a feature too.", show_default=False),
    ] = None
    label: Annotated[
        list[str] | None,
        several_names(
            "--label",
            "A,B",
            help="The label of each sequence; becomes y and classes. Several become the columns of y. FILE:A,B takes "
            "them from another table, by the key. Repeatable.",
            elsewhere=True,
        ),
    ] = None
    step_label: Annotated[
        str | None,
        one_name("--step-label", "C", help="The label of each step; becomes step_y."),
    ] = None
    static: Annotated[
        list[str] | None,
        several_names(
            "--static",
            "A,B",
            help="Numbers that are the same in all steps of a key; FILE:A,B: of another table. Repeatable.",
            elsewhere=True,
        ),
    ] = None

    category: Annotated[
        list[str] | None,
        several_names(
            "--category",
            "A,B",
            help="Columns of names in each step, text or whole numbers; become ids for an Embedding, beside the "
            "names: c, or x where there is no feature; static_c of columns that are static too. Repeatable.",
        ),
    ] = None

    def spec(self, text: TableOptions, **others: Any) -> GroupSpec:
        """What `group` is asked for, with the `others` of its fields."""
        from seqtool.grouping.elsewhere import parted
        from seqtool.grouping.spec import GroupSpec

        columns = {
            "key": names_in(self.key),
            "order_by": orders_in(self.order_by),
            "columns": None if self.columns is None else names_in(self.columns),
            "drop": names_in(self.drop),
            "label": parted(self.label or [], names_in),
            "static": parted(self.static or [], names_in),
            "category": names_in(self.category or []),
        }
        of_text = {**vars(text), "missing": text.missing or ()}
        return GroupSpec.of(**{**vars(self), **columns, **of_text, **others})


@dataclass(frozen=True)
class TimeOptions:
    """What steps tell of their order: kept beside them, or as features."""

    title = "Times"
    keep_order: Annotated[
        bool,
        typer.Option(
            "--keep-order",
            help="Add order: the values of --order-by in each step, of times whole microseconds since 1970. "
            "What works by time reads it.",
        ),
    ] = False
    delta: Annotated[
        str | None,
        one_name(
            "--delta",
            "C",
            help="Add a feature C_delta of this order column: the time since the step before, 0 in the first step of a "
            "sequence; of numbers their difference.",
        ),
    ] = None
    since_observed: Annotated[
        bool,
        typer.Option(
            "--since-observed",
            help="Add a feature NAME_since for each: the time since it was last observed before, as GRU-D takes it.",
        ),
    ] = False
    time_unit: Annotated[
        str | None,
        choice(
            "--time-unit",
            ("ns", "us", "ms", "s", "m", "h", "d"),
            help="The unit of --delta and --since-observed where times tell the order. [default: s]",
        ),
    ] = None
    every: Annotated[
        str | None,
        typer.Option(
            "--every",
            metavar="SIZE",
            help="Make a regular grid: the rows of each hour (1h; ns, us, ms, s, m, h, d), or of order values so far "
            "apart, become one step, and so does an interval without rows in between.",
        ),
    ] = None
    agg: Annotated[
        str | None,
        choice(
            "--agg",
            ("mean", "last", "sum", "count"),
            help="What several values of a step of --every become; a step without values is NaN, or 0 as a count. "
            "[default: mean]",
        ),
    ] = None
    position: Annotated[
        bool,
        typer.Option("--position", help="Add a feature position: the number of the step, from 0."),
    ] = False
