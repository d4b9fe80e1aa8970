"""Every option that several commands share, declared once; a command has a parameter for a group of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqtool.commands import _completion
from seqtool.commands._values import names_in, padding_value
from seqtool.errors import UsageError, check_choice

if TYPE_CHECKING:
    from seqtool.grouping.spec import GroupSpec
    from seqtool.sequences.padding_values import Side, Value
    from seqtool.sources.options import ForeignSpec

SIDES = ("pre", "post")


def choice(option: str, choices: tuple[str, ...], *, help: str) -> Any:
    """An option that takes one of a few words, which its help shows, the shell offers, and no other is taken.

    A command that takes it gets None or one of them: another raises UsageError while the call is parsed.
    """

    def judged(ctx: typer.Context, given: str | None) -> str | None:
        if not ctx.resilient_parsing:  # the shell asks for words, and the call is not whole yet
            check_choice(option, given, choices)
        return given

    offered = _completion.words(choices)
    return typer.Option(option, metavar="|".join(choices), help=help, autocompletion=offered, callback=judged)


LabelName = Annotated[
    str | None,
    typer.Option(
        "--label",
        metavar="NAME",
        help="The field, column or array with a label per sequence.",
        autocompletion=_completion.name,
    ),
]
KeyName = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="NAME",
        help="The field, column or array with a key per sequence.",
        autocompletion=_completion.name,
    ),
]
EmptyKey = Annotated[
    str, choice("--empty-key", ("error", "drop", "keep"), help="What to do with rows without a key.")
]
RaggedFlag = Annotated[bool, typer.Option("--ragged", help="Write values and offsets; pad nothing.")]
Force = Annotated[
    bool, typer.Option("--force", "-f", help="Replace a file that seqtool did not write, without -o too.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing unless it fails.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print more.")]
JsonSummary = Annotated[bool, typer.Option("--json", help="Summary as one JSON object on standard error.")]
JsonReport = Annotated[bool, typer.Option("--json", help="As one JSON object.")]
Traceback = Annotated[bool, typer.Option("--traceback", help="Show where in seqtool an error arose.")]


@dataclass(frozen=True)
class OutputOptions:
    """Where the output goes, and how much is said about it."""

    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write FILE (.npz, or .npy for x alone); - is standard output. "
            "[default: <stem>.<command>.npz here; standard output for standard input]",
        ),
    ] = None
    compress: Annotated[
        str | None,
        choice("--compress", ("fast", "small"), help="Deflate the arrays; np.load reads them all the same."),
    ] = None
    force: Force = False
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")
    ] = False
    quiet: Quiet = False
    verbose: Verbose = False
    as_json: JsonSummary = False
    traceback: Traceback = False


@dataclass(frozen=True)
class MemoryOptions:
    """How much memory a command may take, and where it puts what does not fit."""

    max_memory: Annotated[
        str | None,
        typer.Option(
            "--max-memory",
            metavar="SIZE",
            help="Memory to use, such as 500M or 2G; the rest goes to disk. "
            "[default: $SEQTOOL_MAX_MEMORY, or half of what there is]",
        ),
    ] = None
    temp_dir: Annotated[
        str | None,
        typer.Option(
            "--temp-dir",
            metavar="DIR",
            help="Folder for what does not fit in memory. [default: $SEQTOOL_TEMP_DIR, or the system's]",
        ),
    ] = None


@dataclass(frozen=True)
class ArrayOptions:
    """What a person says of sequences that seqtool did not write."""

    array: Annotated[
        str | None,
        typer.Option(
            "--array",
            metavar="NAME",
            help="The array, column or field with the sequences.",
            autocompletion=_completion.name,
        ),
    ] = None
    lengths: Annotated[
        str | None,
        typer.Option(
            "--lengths",
            metavar="NAME|FILE",
            help="True lengths: an array of the .npz, or an .npy file.",
            autocompletion=_completion.name,
        ),
    ] = None
    input_padding: Annotated[
        str | None,
        choice("--input-padding", SIDES, help="The side where an external array is padded. [default: post]"),
    ] = None

    @property
    def side(self) -> Side | None:
        """The side that `--input-padding` names; raises UsageError for what is none."""
        from seqtool.sequences.padding_values import check_side

        return None if self.input_padding is None else check_side("--input-padding", self.input_padding)

    def described(self, label: str | None, key: str | None, value: Value | None = None) -> ForeignSpec:
        """All that a person says of a file that seqtool did not write."""
        from seqtool.sources.options import ForeignSpec

        return ForeignSpec(self.array, self.lengths, self.side, value, label, key)

    @property
    def resolved(self) -> dict[str, Any]:
        """The same for a receipt, which holds base names alone."""
        lengths = None if self.lengths is None else Path(self.lengths).name
        return {"array": self.array, "lengths": lengths, "input_padding": self.input_padding}

    @property
    def files(self) -> list[Path]:
        """The file of `--lengths`, where it names one."""
        return [Path(self.lengths)] if self.lengths and Path(self.lengths).is_file() else []


@dataclass(frozen=True)
class PaddingOptions:
    """How sequences get one length."""

    maxlen: Annotated[
        int | None,
        typer.Option("--maxlen", metavar="T", min=1, help="Steps of every sequence. [default: the longest]"),
    ] = None
    post: Annotated[
        bool | None,
        typer.Option(
            "--post/--pre",
            help="The side that gets padding. [default: group post; pad pre, but a file of seqtool keeps its side]",
            show_default=False,
        ),
    ] = None
    truncating: Annotated[str, choice("--truncating", SIDES, help="The side that loses steps.")] = "pre"
    value: Annotated[
        str | None,
        typer.Option(
            "--value",
            metavar="V",
            help="What padding holds: a number, nan, one number per feature (0,0,-1), or auto: one that no real "
            "step holds.",
        ),
    ] = None
    dtype: Annotated[
        str | None,
        typer.Option(
            "--dtype",
            metavar="D",
            help="Type of x. [default: the input's; fractions in text: float32]",
            autocompletion=_completion.dtypes,
        ),
    ] = None
    mask: Annotated[
        bool, typer.Option("--mask", help="Add mask, (N, T) bool: true where a step is real.")
    ] = False

    def refuse(self, *, may_cut: bool) -> None:
        """Raise UsageError for what says how to pad, where nothing is padded; sequences may be cut all the same."""
        given = [self.mask, self.post is not None, self.value is not None]
        cuts = [] if may_cut else [self.maxlen, self.truncating != "pre"]
        if any([*given, *cuts]):
            wrong = "--post/--pre, --value and --mask" if may_cut else _ALL_PADDING
            raise UsageError(f"--ragged pads nothing: leave {wrong} out")

    @property
    def cut_side(self) -> Side:
        """The side that `--truncating` names; raises UsageError for what is none."""
        from seqtool.sequences.padding_values import check_side

        return check_side("--truncating", self.truncating)

    def for_group(self, *, ragged: bool) -> dict[str, Any]:
        """What of it a `GroupSpec` takes; raises UsageError for what contradicts `--ragged`."""
        if ragged:
            self.refuse(may_cut=False)
        value = padding_value(self.value)
        return {
            "maxlen": self.maxlen,
            "padding": self.side("post"),
            "truncating": self.cut_side,
            "value": 0 if value is None else value,
            "dtype": self.dtype,
        }

    def side(self, default: Side) -> Side:
        """The padding side that `--post/--pre` names."""
        return default if self.post is None else "post" if self.post else "pre"


_ALL_PADDING = "--maxlen, --post/--pre, --truncating, --value and --mask"


@dataclass(frozen=True)
class TableOptions:
    """How tables are read."""

    delimiter: Annotated[
        str | None,
        typer.Option(
            "--delimiter", metavar="CHAR", help="What separates cells. [default: from the first row]"
        ),
    ] = None
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="What the first row is.", show_default=False)
    ] = None
    encoding: Annotated[str, typer.Option("--encoding", metavar="NAME", help="Of text files.")] = "utf-8"
    missing: Annotated[
        list[str] | None,
        typer.Option("--missing", metavar="TEXT", help="Read TEXT as a missing value too. Repeatable."),
    ] = None


@dataclass(frozen=True)
class ColumnOptions:
    """Which column plays which part; a column is a name, or a position counted from 0."""

    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="K",
            help="The column that identifies a sequence: name or position. Repeatable.",
            autocompletion=_completion.name,
        ),
    ] = None
    order_by: Annotated[
        list[str] | None,
        typer.Option(
            "--order-by",
            metavar="C",
            help="Sort steps by numbers, ISO times or categories. C:%d.%m.%Y reads times of a strptime format, C:text "
            "sorts as text, C:desc descends. Repeatable.",
            autocompletion=_completion.name,
        ),
    ] = None
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns",
            metavar="A,B,C",
            help="The features. Repeatable. [default: all other columns]",
            autocompletion=_completion.several_names,
        ),
    ] = None
    drop: Annotated[
        list[str] | None,
        typer.Option(
            "--drop",
            metavar="A,B",
            help="Columns not used as features. Repeatable.",
            autocompletion=_completion.several_names,
        ),
    ] = None
    keep_key: Annotated[
        bool | None,
        typer.Option("--keep-key/--drop-key", help="Whether the key is a feature too.", show_default=False),
    ] = None
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="C",
            help="The label of each sequence; becomes y and classes.",
            autocompletion=_completion.name,
        ),
    ] = None
    step_label: Annotated[
        str | None,
        typer.Option(
            "--step-label",
            metavar="C",
            help="The label of each step; becomes step_y.",
            autocompletion=_completion.name,
        ),
    ] = None
    static: Annotated[
        list[str] | None,
        typer.Option(
            "--static",
            metavar="C",
            help="A number that is the same in all steps of a key. Repeatable.",
            autocompletion=_completion.name,
        ),
    ] = None

    def spec(self, text: TableOptions, **others: Any) -> GroupSpec:
        """What `group` is asked for, with the `others` of its fields."""
        from seqtool.grouping.spec import GroupSpec
        from seqtool.tables.table import TextOptions

        return GroupSpec(
            key=self.key or (),
            order_by=self.order_by or (),
            columns=None if self.columns is None else names_in(self.columns),
            drop=names_in(self.drop),
            keep_key=self.keep_key,
            label=self.label,
            step_label=self.step_label,
            static=self.static or (),
            missing=text.missing or (),
            text=TextOptions(text.delimiter, text.header, text.encoding),
            **others,
        )
