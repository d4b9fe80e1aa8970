"""A stream that says it is a terminal; the fixture `terminal` puts one on standard error."""

from __future__ import annotations

import io
from collections.abc import Callable

ESCAPE = "\x1b"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


Attach = Callable[[], Terminal]
