"""Lines of shell that need no shell: calls of seqtool and filters, with `|`, `&&`, `<` and `>` between them.

Python's start, once for each call of a line, takes most of the time that the line does.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

# Programs that read and write bytes, and are started as they are.
FILTERS = ("cat", "gzip", "zcat", "head", "tail")
# A word in which a shell has only quotes to read. No digit may stand right before a redirection: `2>` is another one.
_WORD = r"""(?:'[^']*'|"[^"$`\\!]*"|[^\s'"\\|&;<>()$`*?{}\[\]~#!])++(?![<>])"""
_TOKEN = re.compile(rf" *+(&&|[|<>]|{_WORD})")


@dataclass(frozen=True)
class Pipeline:
    """Commands of which each reads what the one before it wrote, the file that the first reads, that of the last."""

    commands: list[list[str]]
    source: str | None
    target: str | None


def pipelines(line: str) -> list[Pipeline] | None:
    """The pipelines that follow each other; None where the line is one for a shell.

    >>> pipelines("seqtool pad < 'my rows.npy' | seqtool check > told.txt")
    [Pipeline(commands=[['seqtool', 'pad'], ['seqtool', 'check']], source='my rows.npy', target='told.txt')]
    >>> pipelines("seqtool pad a.npy 2> /dev/full"), pipelines("seqtool pad *.npy")
    (None, None)
    """
    tokens = _tokens(line)
    if tokens is None:
        return None
    read = [_pipeline(part) for part in _split(tokens, "&&")]
    return None if None in read else read  # type: ignore[return-value]


def _tokens(line: str) -> list[str] | None:
    """Operators, and words in their quotes."""
    tokens, position = [], 0
    while position < len(line.rstrip(" ")):
        found = _TOKEN.match(line, position)
        if found is None:
            return None
        tokens.append(found[1])
        position = found.end()
    return tokens


def _split(tokens: list[str], operator: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token == operator:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _pipeline(tokens: list[str]) -> Pipeline | None:
    files: dict[str, str] = {}
    commands = []
    stages = _split(tokens, "|")
    for number, stage in enumerate(stages):
        while len(stage) > 2 and stage[-2] in ("<", ">"):
            *stage, operator, name = stage
            if number != (0 if operator == "<" else len(stages) - 1):
                return None
            files[operator] = shlex.split(name)[0]
        if not stage or {"<", ">"} & {*stage} or stage[0] not in ("seqtool", *FILTERS):
            return None
        commands.append([shlex.split(word)[0] for word in stage])
    if not any(command[0] == "seqtool" for command in commands):
        return None
    return Pipeline(commands, files.get("<"), files.get(">"))
