"""Checks of a file: its format, its invariants, what a network needs of it, and what it shares with another file.

The room imports `sources`, `operations`, `terminal` and what is below. Begin with `findings`, the results, and `check`,
which runs `layouts`, `invariants` (with `keys` and `provenance`), `contracts` and `against`; `show` prints what they
find.
"""

from seqtool.checking.check import check
from seqtool.checking.findings import Finding, Reader

__all__ = ["Finding", "Reader", "check"]
