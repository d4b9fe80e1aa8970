"""Borders everywhere: blocks, windows and memory so small that a few rows fill them."""

from __future__ import annotations

import pytest

from seqtool.arrays import lazy, spool
from seqtool.grouping import columns, runs, sorting, step_times
from seqtool.system.memory import Memory
from seqtool.tables import csv_blocks, csv_parser


class Tight(Memory):
    """Memory for so few rows that all but the smallest tables go to the spool, and are merged."""

    def for_rows(self, columns: int) -> int:
        return 2000


AMPLE, TIGHT = Memory(1 << 30), Tight(1 << 30)
MEMORIES = pytest.mark.parametrize("memory", [AMPLE, TIGHT], ids=["in memory", "spilled"])


def small_blocks(patch: pytest.MonkeyPatch, size: int) -> None:
    """Cut CSV into blocks of about `size` bytes, on both roads through it."""
    for name in ("_BLOCK", "_FIRST"):
        patch.setattr(csv_blocks, name, size)
    for module in (csv_blocks, csv_parser):
        patch.setattr(module, "LONGEST_ROW", size)


def small_windows(patch: pytest.MonkeyPatch, size: int = 64) -> None:
    """Read arrays in windows of about `size` bytes, and sort a few rows at a time."""
    for module in (lazy, spool, step_times):
        patch.setattr(module, "CHUNK", size)
    for function in (lazy.chunks, lazy.rows_per_chunk):
        patch.setattr(function, "__defaults__", (size,))
    patch.setattr(sorting, "_PIECE", 3)
    for module in (columns, runs):
        patch.setattr(module, "_TILE", 5)
