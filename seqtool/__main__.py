"""`python -m seqtool`, and what the command `seqtool` runs."""

import sys
from typing import NoReturn

from seqtool import signals


def main() -> NoReturn:
    """Run the command line and exit with its code; signals are ours before anything else is loaded."""
    signals.install()
    try:
        from seqtool.cli import run

        code = run(sys.argv[1:])
        signals.ignore()
    except signals.Ended:
        code = 128 + (signals.received() or 0)
        print("seqtool: error: interrupted; nothing was written", file=sys.stderr)
        signals.ignore()
    sys.exit(code)


if __name__ == "__main__":
    main()
