"""`python -m seqtool`, and what the command `seqtool` runs."""

import contextlib
import os
import sys
from typing import NoReturn

from seqtool.system import signals


def main() -> NoReturn:
    """Run the command line and exit with its code; signals are ours before anything else is loaded."""
    signals.install()
    try:
        from seqtool.cli import run

        code = run(sys.argv[1:])
        signals.ignore()
    except signals.Ended:
        code = 128 + (signals.received() or 0)
        print(f"seqtool: error: interrupted; {signals.outcome()}", file=sys.stderr)
        signals.ignore()
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End at once: where an error stops Arrow's readers early, a thread of theirs may still want a word with Python.

    Python ends such a thread while it finishes itself, and C++ takes that for a crash.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
