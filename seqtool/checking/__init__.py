"""Whether a file holds what it promises, and what the network that reads it needs.

`findings` is what a look at a file gives; `layouts` looks at the arrays, `invariants` at what stands in them,
`contracts` at what each network needs, `leaks` at what two files share; `check` takes a file apart and asks them all.
"""

from seqtool.checking.check import check
from seqtool.checking.findings import Finding, Reader

__all__ = ["Finding", "Reader", "check"]
