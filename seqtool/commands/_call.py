"""A call of a command as an object, which can be changed and printed: for advice that can be pasted."""

from __future__ import annotations

import inspect
import shlex
import typing
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from seqtool.dataclass import dataclass
from seqtool.option_names import option_of
from seqtool.words import as_source

_NEVER_PRINTED = ("as_json", "traceback")  # they change what is shown, not what is done


@dataclass(frozen=True)
class Call:
    """A command with what was given to it, by the names of its parameters.

    `flags` holds the spellings of each option, in the order in which the command declares them; an option for a
    boolean has a second one that says no.

    >>> flags = {"maxlen": ("--maxlen",), "post": ("--post", "--pre")}
    >>> call = Call("pad", ["my file.npy"], {"maxlen": None, "post": True}, flags)
    >>> str(call.changed(maxlen=4))
    "seqtool pad 'my file.npy' --maxlen 4 --post"
    """

    command: str
    sources: Sequence[str]
    options: Mapping[str, Any]
    flags: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, command: str, values: Mapping[str, Any], parameters: Sequence[inspect.Parameter]) -> Call:
        """The call that gave these values to the parameters of a command; defaults count as not given."""
        sources: list[str] = []
        options, flags = dict[str, Any](), dict[str, tuple[str, ...]]()
        for parameter in parameters:
            value, names = values[parameter.name], _spellings(parameter.annotation)
            if not names:
                sources += [] if value is None else [value] if isinstance(value, str) else value
            else:
                flags[parameter.name] = names
                options[parameter.name] = None if value == parameter.default else value
        return cls(command, sources, options, flags)

    def changed(self, **options: Any) -> Call:
        """The same with other values of some options; None leaves one out."""
        return replace(self, options={**self.options, **options})

    def for_command(self, command: str) -> Call:
        """The same options for another command."""
        return replace(self, command=command)

    def __str__(self) -> str:
        # A name that begins with a hyphen would be taken for an option.
        sources = map(as_source, self.sources)
        words = ["seqtool", self.command, *sources]
        for name, value in self.options.items():
            if value is not None and name not in _NEVER_PRINTED:
                words += _words(self.flags.get(name, (option_of(name),)), value)
        return shlex.join(words)


def _words(names: tuple[str, ...], value: Any) -> list[str]:
    if isinstance(value, bool):
        return [names[0] if value else names[-1]]
    if isinstance(value, (list, tuple)):
        return [word for part in value for word in _words(names, part)]
    return [names[0], str(value)]


@cache
def _spellings(annotation: Any) -> tuple[str, ...]:
    """The long spelling of an option, and for a pair such as --post/--pre both; none for an argument."""
    for extra in typing.get_args(annotation)[1:]:
        # In an annotation typer takes the first spelling for the default value at first.
        declared = [getattr(extra, "default", None), *(getattr(extra, "param_decls", None) or ())]
        long = [name for name in declared if isinstance(name, str) and name.startswith("--")]
        if long:
            return tuple(long[0].split("/"))
    return ()
