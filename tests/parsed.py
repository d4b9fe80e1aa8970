"""The sources of the package as syntax trees, parsed once for all tests that look at them."""

from __future__ import annotations

import ast
import gc
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "seqtool"


@cache
def paths() -> Sequence[Path]:
    """The files of all modules."""
    return sorted(PACKAGE.rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    """The tree of one of them."""
    return _trees()[path]


@cache
def _trees() -> Mapping[Path, ast.Module]:
    """The trees of all: they last, and to look for garbage among them takes longer than to parse them."""
    gc.disable()
    try:
        return {path: ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in paths()}
    finally:
        gc.freeze()
        gc.enable()


@cache
def nodes(tree: ast.AST) -> Sequence[ast.AST]:
    """All nodes of a tree."""
    return [*ast.walk(tree)]
