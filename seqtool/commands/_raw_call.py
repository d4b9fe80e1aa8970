"""Which options a call gives, found from its words alone: for errors that come before, or out of, their parsing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seqtool.dataclass import dataclass


@dataclass(frozen=True)
class RawCall:
    """The command that a call names, None where there is no such command, and the names of its options."""

    command: str | None
    options: frozenset[str]


def raw_call(arguments: Sequence[str], root: Any) -> RawCall:
    """What a call gives to `root`, the group of commands that typer makes; values and what follows -- are no options.

    Nothing is judged: an option that nobody knows counts as a flag.
    """
    words = iter(arguments)
    before, name = _options(words, _takes_value(root), stops_at_word=True)
    command = root.commands.get(name)
    after, _ = _options(words, {} if command is None else _takes_value(command), stops_at_word=False)
    return RawCall(None if command is None else name, frozenset(before | after))


def _takes_value(command: Any) -> dict[str, bool]:
    """Whether each option of a command takes a value, by each of its names."""
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    return {name: not option.is_flag for option in options for name in (*option.opts, *option.secondary_opts)}


def _options(
    words: Iterator[str], takes_value: Mapping[str, bool], *, stops_at_word: bool
) -> tuple[set[str], str | None]:
    """The options up to --, or up to the first other word where it `stops_at_word`; and that word."""
    found: set[str] = set()
    for word in words:
        if word == "--":
            return found, next(words, None) if stops_at_word else None
        if word.startswith("--"):
            name, joined, _ = word.partition("=")
            found.add(name)
            if takes_value.get(name) and not joined:
                next(words, None)
        elif word.startswith("-") and word != "-":
            letters = _letters(word, takes_value)
            found.update(letters)
            if takes_value.get(letters[-1]) and len(letters) == len(word) - 1:
                next(words, None)
        elif stops_at_word:
            return found, word
    return found, None


def _letters(word: str, takes_value: Mapping[str, bool]) -> list[str]:
    """The options of -qo, up to the first that takes a value, which may follow it at once."""
    letters: list[str] = []
    for letter in word[1:]:
        letters.append(f"-{letter}")
        if takes_value.get(letters[-1]):
            break
    return letters
