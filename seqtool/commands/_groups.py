"""How a command takes a group of options: `takes_groups` spreads the fields of a dataclass and puts them together."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from seqtool.commands._call import Call

if TYPE_CHECKING:
    pass


def takes_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Spread the parameters of `command` that are option groups into one parameter for each of their fields.

    A parameter of type `Call` is given the call itself.
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
            field_hints = typing.get_type_hints(kind, include_extras=True)
            parameters += [
                inspect.Parameter(
                    f.name, parameter.KEYWORD_ONLY, default=f.default, annotation=field_hints[f.name]
                )
                for f in fields(kind)
            ]
        else:
            parameters.append(parameter.replace(annotation=hints[name], kind=parameter.KEYWORD_ONLY))

    calls = [name for name, kind in hints.items() if kind is Call]

    @functools.wraps(command)
    def spread(**given: Any) -> None:
        given |= {name: Call.of(command.__name__, given, parameters) for name in calls}
        for name, kind in groups.items():
            given[name] = kind(**{f.name: given.pop(f.name) for f in fields(kind)})
        command(**given)

    spread.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    spread.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del spread.__wrapped__
    return spread
