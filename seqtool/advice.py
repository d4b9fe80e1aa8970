"""Advice: what an error or a warning proposes, as data that can be run, and the sentences that carry it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from seqtool.dataclass import dataclass
from seqtool.words import as_source


@dataclass(frozen=True, init=False)
class Advice:
    """A change of the call that was made, or a call of another command; it prints as it is typed.

    `words` are options to add, each with its value (an option that may not be repeated replaces the one in the call);
    or a source to name; or, where the first word is a program, a whole call, in which the word behind a command of
    seqtool is its source, or an option such as --help. `without` are options to leave out: each of that name, or, where
    its value follows, only the one with that value. FILE and other words in capitals stand for what only the caller
    knows.

    >>> print(Advice("--drop", "my column"))
    --drop 'my column'
    >>> print(Advice(without=["--maxlen", "--mask"]))
    leave --maxlen and --mask out
    >>> print(Advice("--step-label", "y", without=["--label"]))
    --step-label y instead of --label
    >>> print(Advice("seqtool", "pad", "standard input"))
    seqtool pad -
    """

    words: tuple[str, ...]
    without: tuple[str, ...]

    def __init__(self, *words: object, without: Sequence[str] = ()) -> None:
        texts = [*map(str, words)]
        if texts[:1] == ["seqtool"]:
            texts[2:3] = [text if text.startswith("--") else as_source(text) for text in texts[2:3]]
        object.__setattr__(self, "words", tuple(texts))
        object.__setattr__(self, "without", tuple(without))

    def __str__(self) -> str:
        *others, last = _options(self.without) or [""]
        left = f"{', '.join(others)} and {last}" if others else last
        if not self.words:
            return f"leave {left} out"
        # Where the same option, or a source, replaces another one, naming that one would only repeat it.
        is_clear = not left or self.words[0] in self.without or not self.words[0].startswith("-")
        return shlex.join(self.words) if is_clear else f"{shlex.join(self.words)} instead of {left}"


def _options(words: Sequence[str]) -> list[str]:
    """Words grouped into options, each with the value that follows it, if one does."""
    options: list[list[str]] = []
    for word in words:
        if word.startswith("--") or not options:
            options.append([word])
        else:
            options[-1].append(word)
    return [shlex.join(option) for option in options]


class Message(str):
    """A sentence made of parts, and the advice among them; a part may be another sentence, or an error.

    >>> Message("these are fractions; choose ", Advice("--dtype", "float32"))
    'these are fractions; choose --dtype float32'
    """

    advice: tuple[Advice, ...]

    def __new__(cls, *parts: object) -> Message:
        """Join the parts, and keep the advice among them."""
        message = super().__new__(cls, "".join(map(str, parts)))
        message.advice = advice_in(*parts)
        return message


def advice_in(*parts: object) -> tuple[Advice, ...]:
    """The advice among the parts of a sentence, in its order.

    >>> advice_in("all right")
    ()
    """
    found: list[Advice] = []
    for part in parts:
        found += [part] if isinstance(part, Advice) else getattr(part, "advice", ())
    return tuple(dict.fromkeys(found))
