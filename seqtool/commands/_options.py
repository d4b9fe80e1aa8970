"""Every option that several commands share, declared once; a command has a parameter for a group of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqtool.advice import Advice
from seqtool.commands import _completion
from seqtool.commands._values import padding_value
from seqtool.dataclass import dataclass
from seqtool.errors import UsageError, check_choice

if TYPE_CHECKING:
    from seqtool.sequences.padding_values import Side

SIDES = ("pre", "post")


def choice(option: str, choices: tuple[str, ...], *, help: str, section: str | None = None) -> Any:
    """An option that takes one of a few words, which its help shows, the shell offers, and no other is taken.

    A command that takes it gets None or one of them: another raises UsageError while the call is parsed.
    """

    def judged(ctx: typer.Context, value: str | None) -> str | None:
        if not ctx.resilient_parsing:  # the shell asks for words, and the call is not whole yet
            check_choice(option, value, choices)
        return value

    offered = _completion.words(choices)
    return typer.Option(
        option,
        metavar="|".join(choices),
        help=help,
        autocompletion=offered,
        callback=judged,
        rich_help_panel=section,
    )


def one_name(option: str, metavar: str, *, help: str, section: str | None = None) -> Any:
    """An option that names a column, a field or an array, which the shell offers."""
    return typer.Option(
        option, metavar=metavar, help=help, autocompletion=_completion.name, rich_help_panel=section
    )


def several_names(
    option: str, metavar: str, *, help: str, elsewhere: bool = False, section: str | None = None
) -> Any:
    """The same of an option that takes A,B and may be repeated; `elsewhere` says that FILE:A,B may be given too."""
    offered = _completion.several_names_of_any if elsewhere else _completion.several_names
    return typer.Option(option, metavar=metavar, help=help, autocompletion=offered, rich_help_panel=section)


EmptyKey = Annotated[
    str,
    choice(
        "--empty-key",
        ("error", "drop", "keep"),
        help="What to do with rows without a key.",
        section="Rows",
    ),
]
EmptyLabel = Annotated[
    str,
    choice(
        "--empty-label",
        ("error", "drop", "keep"),
        help="What to do with sequences without a label; kept, it is NaN, among classes -100.",
        section="Sequences",
    ),
]
KeyFrom = Annotated[
    str | None,
    typer.Option(
        "--key-from",
        metavar="PATTERN",
        help="One sequence a file: what parts of its path say, as in 'rec/{label}/{key}.csv': {key} is the key, "
        "{label} the label, any other static; * stands for what plays no part.",
        rich_help_panel="Sequences",
    ),
]
MinLen = Annotated[
    int,
    typer.Option(
        "--min-len",
        metavar="N",
        min=0,
        help="Drop sequences of fewer steps.",
        rich_help_panel="Sequences",
    ),
]
RaggedFlag = Annotated[
    bool,
    typer.Option("--ragged", help="Write values and offsets; pad nothing.", rich_help_panel="Padding"),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", "-f", help="Without -o, replace a file that seqtool did not write; -o FILE replaces any."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing unless it fails.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print more.")]
JsonSummary = Annotated[bool, typer.Option("--json", help="Summary as one JSON object on standard error.")]
JsonReport = Annotated[bool, typer.Option("--json", help="As one JSON object.")]
Traceback = Annotated[bool, typer.Option("--traceback", help="Show where in seqtool an error arose.")]


@dataclass(frozen=True)
class OutputOptions:
    """Where the output goes, and how much is said about it."""

    title = "Output"
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write FILE (.npz, .npy for x alone, .parquet, .arrow, .jsonl, .safetensors) or a folder of .npy, "
            "NAME/; - is standard output. [default: <stem>.<command>.npz here; standard output for standard input]",
            autocompletion=_completion.output,
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

    title = "Memory"
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
class PaddingOptions:
    """How sequences get one length."""

    title = "Padding"
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
            help="Type of x. [default: that of an array or list column; else int64 where all numbers are whole, and "
            "float32 where not]",
            autocompletion=_completion.dtypes,
        ),
    ] = None
    mask: Annotated[
        bool, typer.Option("--mask", help="Add mask, (N, T) bool: true where a step is real.")
    ] = False

    def refuse(self, *, may_cut: bool) -> None:
        """Raise UsageError for what says how to pad, where nothing is padded; sequences may be cut all the same."""
        allowed = {"--maxlen", "--truncating"} if may_cut else set()
        wrong = [option for option in self.named if option not in allowed]
        if wrong:
            raise UsageError("--ragged pads nothing: ", Advice(without=wrong))

    @property
    def named(self) -> list[str]:
        """The options of the call that say how to pad, or to cut."""
        options = {
            "--post" if self.post else "--pre": self.post is not None,
            "--value": self.value is not None,
            "--mask": self.mask,
            "--maxlen": self.maxlen is not None,
            "--truncating": self.truncating != "pre",
        }
        return [option for option, is_named in options.items() if is_named]

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
