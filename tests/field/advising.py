"""Runs what errors and warnings propose, and knows each place in the package that proposes something."""

from __future__ import annotations

import ast
import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from seqtool.advice import Advice
from tests.command import Place
from tests.parsed import PACKAGE, parsed, paths

REPEATABLE = {"--key", "--order-by", "--drop", "--static", "--missing", "--columns"}
FLAGS = {
    "--ragged",
    "--mask",
    "--post",
    "--pre",
    "--json",
    "--force",
    "--dry-run",
    "--keep-key",
    "--drop-key",
}
FLAGS |= {
    "--header",
    "--no-header",
    "--allow-pickle",
    "--shared-keys",
    "--time-major",
    "--no-key",
    "--keep-order",
    "--keep-row-index",
    "--position",
    "--since-observed",
    "--key-blank-lines",
}


@cache
def places() -> dict[tuple[str, int, int], str]:
    """Every construction of Advice by its file, line and column; `#2` behind a function is the second in it."""
    found: dict[tuple[str, int, int], str] = {}
    for path in paths():
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if module != "advice" and "Advice(" in path.read_text(encoding="utf-8"):
            calls = sorted(_calls(parsed(path), module))
            names = [name for _, _, name in calls]
            for i, (line, column, name) in enumerate(calls):
                number = names[: i + 1].count(name)
                found[str(path), line, column] = name + (f"#{number}" if number > 1 else "")
    return found


def _calls(node: ast.AST, name: str) -> Iterator[tuple[int, int, str]]:
    for child in ast.iter_child_nodes(node):
        within = f"{name}.{child.name}" if isinstance(child, (ast.FunctionDef, ast.ClassDef)) else name
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id == "Advice":
            yield child.lineno, child.col_offset, name
        yield from _calls(child, within)


class Proposals:
    """What was proposed since the last look, each with its place in the package."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.proposed: list[tuple[str, Advice]] = []
        plainly = Advice.__init__

        def record(advice: Advice, *words: object, without: Sequence[str] = ()) -> None:
            plainly(advice, *words, without=without)
            frame = sys._getframe(1)
            line, _, column, _ = list(frame.f_code.co_positions())[frame.f_lasti // 2]
            place = places().get((frame.f_code.co_filename, line or 0, column or 0))
            if place is not None:
                self.proposed.append((place, advice))

        monkeypatch.setattr(Advice, "__init__", record)

    def at(self, place: str) -> Advice:
        """The last that was made at this place."""
        output = [advice for where, advice in self.proposed if where == place]
        assert output, (
            f"nothing was proposed at {place}, but at {sorted({where for where, _ in self.proposed})}"
        )
        return output[-1]


def applied(call: Sequence[str], advice: Advice, fill: dict[str, str]) -> list[str]:
    """The words of a call as the advice changes them; `fill` holds what stands for words in capitals."""
    new = [_filled(word, fill) for word in advice.words]
    if new[:1] == ["seqtool"]:
        return new[1:]
    words = _without([*call], advice.without)
    if new and not new[0].startswith("-"):  # a source
        return [words[0], *new, *words[1:]]
    for option in new:
        if option.startswith("-") and option not in REPEATABLE:
            words = _without(words, [option])
    return [*words, *new]


def _filled(word: str, fill: dict[str, str]) -> str:
    for name, held in fill.items():
        word = held if word == name else word
    return word


def _without(words: list[str], without: Sequence[str]) -> list[str]:
    left = [*without]
    while left:
        word = left.pop(0)
        value = left.pop(0) if word.startswith("--") and left and not left[0].startswith("--") else None
        for place in [place for place, given in enumerate(words) if given == word][::-1]:
            takes = word.startswith("-") and word not in FLAGS
            if value is None or words[place + 1] == value:
                del words[place : place + (2 if takes else 1)]
    return words


def lost_rows(place: Place, before: set[str]) -> int:
    """The rows that the outputs which are new leave out or cut, as their receipts count them."""
    lost = 0
    for name in {*place.files()} - before:
        if name.endswith(".npz"):
            meta = json.loads(str(np.load(place.folder / name)["meta"]))
            rows: dict[str, Any] = meta["receipt"][-1]["rows"]
            lost += rows.get("cut", 0) + sum(rows.get("dropped", {}).values())
    return lost


def split(call: str) -> list[str]:
    """A call as words."""
    return shlex.split(call)
