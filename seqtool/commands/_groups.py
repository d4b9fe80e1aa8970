"""How a command takes a group of options: `takes_groups` spreads the fields of a dataclass and puts them together."""

from __future__ import annotations

import copy
import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Annotated, Any

from seqtool.commands._call import Call


def _titled(annotation: Any, title: str) -> Any:
    """An annotated option whose help stands in the section of this title, unless it names another."""
    kind, *extras = typing.get_args(annotation)
    option = copy.copy(extras[0])
    option.rich_help_panel = option.rich_help_panel or title
    return Annotated[kind, option]


def takes_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Spread the parameters of `command` that are option groups into one parameter for each of their fields.

    The `title` of a group, if it has one, is that of its section in the help. A parameter of type `Call` is given the
    call itself.
    """
    hints = typing.get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    groups: dict[str, Any] = {}
    for name, parameter in inspect.signature(command).parameters.items():
        kind = hints[name]
        if kind is Call:
            continue
        if is_dataclass(kind):
            groups[name] = kind
            title: str = getattr(kind, "title", "Options")
            field_hints = typing.get_type_hints(kind, include_extras=True)
            parameters += [
                inspect.Parameter(
                    f.name,
                    parameter.KEYWORD_ONLY,
                    default=f.default,
                    annotation=_titled(field_hints[f.name], title),
                )
                for f in fields(kind)
            ]
        else:
            parameters.append(parameter.replace(annotation=hints[name], kind=parameter.KEYWORD_ONLY))

    calls = [name for name, kind in hints.items() if kind is Call]

    @functools.wraps(command)
    def spread(**arguments: Any) -> None:
        arguments |= {name: Call.of(command.__name__, arguments, parameters) for name in calls}
        for name, kind in groups.items():
            arguments[name] = kind(**{f.name: arguments.pop(f.name) for f in fields(kind)})
        command(**arguments)

    spread.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    spread.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del spread.__wrapped__
    return spread
