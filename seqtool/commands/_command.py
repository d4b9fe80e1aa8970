"""The kind of command that typer makes: options of one value are given once, and help lists options by groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import typer
from typer.core import TyperCommand

from seqtool.errors import UsageError

_SECTIONS = [
    "Arguments",
    "Options",
    "Columns",
    "Times",
    "Padding",
    "Sequences",
    "Rows",
    "Input",
    "Labels and keys",
    "Text files and workbooks",
    "Shards",
    "Memory",
    "Output",
    "Help",
]
_IN_ORDER = "seqtool.options"  # where a context keeps the options that a call names, one entry each time


class Command(TyperCommand):
    """A command that refuses an option of one value which is given twice, where typer takes the last in silence.

    Its help has a section for each group of options, without loading rich.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What typer makes of the words; raises UsageError for an option that is given twice."""
        left = super().parse_args(ctx, args)  # --help ends here
        if not ctx.resilient_parsing:  # the shell asks for words, and the call is not whole yet
            _refuse_repeats(ctx.meta[_IN_ORDER])
        return left

    def make_parser(self, ctx: Any) -> Any:
        """The parser that typer makes, which keeps each option that a call names in the context.

        What `parse_args` makes of a call is kept by option, the last value alone.
        """
        parser = super().make_parser(ctx)
        parse = parser.parse_args

        def parse_args(args: list[str]) -> Any:
            parsed = parse(args)
            _, _, ctx.meta[_IN_ORDER] = parsed
            return parsed

        parser.parse_args = parse_args  # type: ignore[method-assign]
        return parser

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the sections of the help: arguments, and options by their groups."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                alone = "Arguments" if parameter.param_type_name == "argument" else "Options"
                title = getattr(parameter, "rich_help_panel", None) or alone
                sections.setdefault(title, []).append(record)
        if len(sections.get("Options", [])) == 1:  # that of the help alone
            sections["Help"] = sections.pop("Options")
        for title in sorted(sections, key=_SECTIONS.index):
            if sections[title]:
                with formatter.section(title):
                    formatter.write_dl(sections[title])


def _refuse_repeats(parameters: Iterable[typer.core.TyperOption | Any]) -> None:
    """Raise UsageError for the first option, among the parameters that a call names, that contradicts itself."""
    times = Counter(
        option for option in parameters if option.param_type_name == "option" and not option.multiple
    )
    for option, number in times.items():
        says_one_thing = option.is_flag and not option.secondary_opts
        if number > 1 and not says_one_thing:
            name = "/".join([option.opts[0], *option.secondary_opts])
            raise UsageError(
                f"{name} was given {'twice' if number == 2 else f'{number} times'}; give it once"
            )
