"""The sources of the package as syntax trees, parsed once for all tests that look at them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "seqtool"


@cache
def paths() -> Sequence[Path]:
    """The files of all modules."""
    return sorted(PACKAGE.rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    """The tree of one of them."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def nodes(tree: ast.AST) -> Sequence[ast.AST]:
    """All nodes of a tree."""
    return [*ast.walk(tree)]
