"""Programs out of a template and pieces, so that one holds nothing that its file does not need."""

from __future__ import annotations

from string import Template
from typing import Any


def filled(template: str, **pieces: Any) -> str:
    r"""A template with its pieces. One that has a line to itself may be of several lines, or of none.

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


def apart(code: str) -> str:
    """A class or function with the empty lines that belong around it, beside one that the template has before it."""
    return f"\n{code}\n\n\n" if code else ""
