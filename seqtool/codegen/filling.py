"""Programs from a template and pieces, so that they contain only what their file needs."""

from __future__ import annotations

from string import Template
from typing import Any

from seqtool.codegen.tasks import Task


def filled(template: str, **pieces: Any) -> str:
    r"""A template with its pieces filled in. A piece on a line of its own may have several lines, or none.

    >>> print(filled("with tape:\n    $note\n    $loss\nprint($name)", note="", loss="a = 1\nb = 2", name="'x'"))
    with tape:
        a = 1
        b = 2
    print('x')
    """
    lines = []
    for line in template.strip("\n").splitlines():
        bare = line.strip()
        indent = line[: len(line) - len(bare)]
        if bare.startswith("$") and bare[1:] in pieces:
            lines += [f"{indent}{part}" for part in str(pieces[bare[1:]]).splitlines()]
        else:
            lines.append(Template(line).substitute(pieces))
    return "\n".join(lines)


def included(task: Task) -> str:
    """The argument of a loader that names what it reads beside the steps and their labels, if anything."""
    names = ", ".join(f'"{name}"' for name in task.included)
    return f", include=[{names}]" if names else ""


def with_blank_lines(code: str) -> str:
    """A class or function with the blank lines around it, of which the template has one already; "" for no code."""
    return f"\n{code}\n\n\n" if code else ""
