"""Whether a file holds what it promises, and what the network that reads it needs.

The room imports `sources`, `operations`, `terminal` and what is below. Begin with `check`, which takes a file
apart and asks `layouts`, `invariants` and `contracts`; `findings` is what they answer.
"""

from seqtool.checking.check import check
from seqtool.checking.findings import Finding, Reader

__all__ = ["Finding", "Reader", "check"]
