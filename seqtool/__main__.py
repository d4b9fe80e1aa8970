"""`python -m seqtool`."""

from seqtool.cli import main

main()
