"""Workbooks of spreadsheets: recognised by what they hold, and how large they are once they are read."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from seqtool.files.packing import BROKEN, READ_AT_ONCE, first_member
from seqtool.system.memory import Memory

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and workbooks behind a password
_CELL = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_LONGEST = 16  # bytes of what the pattern finds
_UNPACKED = 4  # bytes that each byte of a sheet's text takes once it is read: measured
_EACH = 32  # bytes of a cell, in the block of all between the first and the last


def is_workbook(path: Path, head: bytes) -> bool:
    """Whether a file that begins so is a workbook: .xlsx, .xlsm, .xlsb, .xls or .ods.

    >>> is_workbook(Path("in.csv"), b"a,b")
    False
    """
    if head.startswith(_OLE):
        return True
    first = first_member(head)
    if not first or first.endswith(b".npy"):
        return False
    if first == b"mimetype":
        return b"opendocument.spreadsheet" in head[:200]
    try:
        with zipfile.ZipFile(path) as archive:
            return not {"xl/workbook.xml", "xl/workbook.bin"}.isdisjoint(archive.namelist())
    except BROKEN:
        return False


def check_size(name: str, path: Path, memory: Memory) -> None:
    """Raise DataError for a workbook of which a sheet takes more memory than is allowed: it can only be read whole.

    That is so of a small file too where a single cell stands far from the others.
    """
    save = "save it as CSV"
    if not zipfile.is_zipfile(path):
        memory.check_whole(name, _UNPACKED * path.stat().st_size, save)
        return
    with zipfile.ZipFile(path) as archive:
        members = {one.filename: one.file_size for one in archive.infolist()}
        texts = members.get("xl/sharedStrings.xml", 0)
        sheets = [
            one for one in members if re.fullmatch(r"xl/worksheets/[^/]*|content\.xml", one, re.IGNORECASE)
        ]
        largest = max((members[one] for one in sheets), default=0)
        memory.check_whole(name, _UNPACKED * (largest + texts), save)
        for sheet in sheets:
            rows, columns = _extent(archive, sheet)
            memory.check_whole(
                f"{name}: a sheet whose last cells stand in row {rows:,} and column {columns:,}",
                _EACH * rows * columns,
                "delete what stands far from the table",
            )


def _extent(archive: zipfile.ZipFile, member: str) -> tuple[int, int]:
    """The last row and column of a sheet, by the addresses of its cells."""
    rows, names, before = 0, set[bytes](), b""
    with archive.open(member) as stream:
        while piece := stream.read(READ_AT_ONCE):
            found = _CELL.findall(before + piece)
            if found:
                rows = max(rows, int(found[-1][1]))  # they ascend
                names.update({name for name, _ in found})
            before = piece[-_LONGEST:]
    return rows, max(map(_column, names), default=0)


def _column(name: bytes) -> int:
    """The number of a column, from 1.

    >>> _column(b"A"), _column(b"AA")
    (1, 27)
    """
    number = 0
    for letter in name:
        number = 26 * number + letter - ord("A") + 1
    return number
