"""The command of typer that refuses an option of one value which is given twice: typer takes the last in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import typer
from typer.core import TyperCommand

from seqtool.errors import UsageError


class OneValueEach(TyperCommand):
    """A command whose options are given once, but for those that may be repeated, and flags that say one thing."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What typer makes of the words; raises UsageError for an option that is given twice."""
        words = [*args]
        left = super().parse_args(ctx, args)  # --help ends here
        if not ctx.resilient_parsing:  # the shell asks for words, and the call is not whole yet
            _refuse_repeats(self.make_parser(ctx).parse_args(words)[2])
        return left


def _refuse_repeats(given: Iterable[typer.core.TyperOption | Any]) -> None:
    """Raise UsageError for the first option among these parameters of a call that contradicts itself."""
    times = Counter(option for option in given if option.param_type_name == "option" and not option.multiple)
    for option, number in times.items():
        says_one_thing = option.is_flag and not option.secondary_opts
        if number > 1 and not says_one_thing:
            name = "/".join([option.opts[0], *option.secondary_opts])
            raise UsageError(
                f"{name} was given {'twice' if number == 2 else f'{number} times'}; give it once"
            )
