"""The mark that tells a picture was drawn by seqtool, so that the next one may replace it."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = (".png", ".svg", ".html")
MARK = "seqtool plot"  # the Software of a .png of ours
COMMENT = f"<!-- {MARK} -->".encode()  # near the beginning of the others


def drawn_by_seqtool(path: Path) -> bool:
    """Whether the file at a path carries the mark."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(1024)
    return f"tEXtSoftware\0{MARK}".encode() in head or COMMENT in head
