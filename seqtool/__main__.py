"""`python -m seqtool`, and what the command `seqtool` runs."""

import contextlib
import os
import sys
from typing import NoReturn

from seqtool.system import signals
from seqtool.system.hiding import hide_pandas


def main() -> NoReturn:
    """Run the command line and exit with its code; signals are ours before anything else is loaded."""
    signals.install()
    # The library for matrices that NumPy loads takes memory for each core, and nothing here multiplies matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    hide_pandas()
    if sys.stdout is not None:  # names from data on a terminal that lacks the letters
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    with signals.recorded_outputs():  # a signal just after the call still finds them
        try:
            with signals.held():  # modules that are loaded in part cannot be loaded again, to tell the end
                from seqtool.cli import run

            code = run(sys.argv[1:])
            signals.ignore()
        except signals.Ended:  # while the command line was loaded, or just after the call
            from seqtool.cli import ending, fail

            code = fail(*ending(signals.received() or 0), sys.argv[1:])
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
