"""Writes small workbooks, .xlsx, as spreadsheet programs do: numbers as floats, dates as numbers of a style."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OF_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
OF_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DATE, CLOCK, DURATION = 1, 2, 3  # the styles
STYLES = (
    f'<styleSheet {MAIN}><numFmts><numFmt numFmtId="164" formatCode="[h]:mm:ss"/></numFmts><cellXfs><xf/>'
    '<xf numFmtId="22" applyNumberFormat="1"/><xf numFmtId="21" applyNumberFormat="1"/>'
    '<xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


@dataclass(frozen=True)
class Failed:
    """A cell whose formula fails, such as #N/A."""

    text: str = "#N/A"


def reader() -> None:
    """Skip where workbooks cannot be read."""
    pytest.importorskip("python_calamine", reason="python-calamine, the extra excel, is absent")


def workbook(
    path: Path,
    sheets: Mapping[str, Sequence[Sequence[Any]]],
    *,
    hidden: Sequence[str] = (),
    corner: tuple[int, int] = (0, 0),
) -> Path:
    """Write sheets of rows, whose first cell stands `corner` rows and columns behind A1."""
    names = enumerate(sheets, 1)
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{i}" r:id="rId{i}"{" state=" if name in hidden else ""}'
        f"{chr(34) + 'hidden' + chr(34) if name in hidden else ''}/>"
        for i, name in names
    )
    linked = "".join(
        f'<Relationship Id="rId{i}" Type="{OF_OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    styled = f'<Relationship Id="rIdS" Type="{OF_OFFICE}/styles" Target="styles.xml"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{OF_PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{OF_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{OF_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{OF_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{OF_PACKAGE}/relationships">{linked}{styled}'
        "</Relationships>",
        "xl/styles.xml": STYLES,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, HEAD + text)
        for i, rows in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{i}.xml", HEAD + _sheet(rows, *corner))
    return path


def _sheet(rows: Sequence[Sequence[Any]], down: int, right: int) -> str:
    written = "".join(
        f'<row r="{r}">{"".join(_cell(cell, f"{_letters(c)}{r}") for c, cell in enumerate(row, right))}</row>'
        for r, row in enumerate(rows, down + 1)
    )
    return f"<worksheet {MAIN}><sheetData>{written}</sheetData></worksheet>"


def _letters(column: int) -> str:
    return ("" if column < 26 else _letters(column // 26 - 1)) + chr(ord("A") + column % 26)


def _cell(cell: Any, at: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Failed):
        return f'<c r="{at}" t="e"><v>{cell.text}</v></c>'
    if isinstance(cell, bool):
        return f'<c r="{at}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, str):
        return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    if isinstance(cell, time):
        seconds = 3600 * cell.hour + 60 * cell.minute + cell.second
        return f'<c r="{at}" s="{CLOCK}"><v>{seconds / 86_400!r}</v></c>'
    if isinstance(cell, timedelta):
        return f'<c r="{at}" s="{DURATION}"><v>{cell / timedelta(days=1)!r}</v></c>'
    if isinstance(cell, date):
        moment = cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)
        return f'<c r="{at}" s="{DATE}"><v>{(moment - datetime(1899, 12, 30)) / timedelta(days=1)!r}</v></c>'
    return f'<c r="{at}"><v>{cell!r}</v></c>'
