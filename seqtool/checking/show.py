"""Findings on standard output: what was checked, the verdict, and the commands that fix what fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqtool.terminal.tables import console
from seqtool.words import count, listed, printable

if TYPE_CHECKING:
    from seqtool.checking.findings import Finding


def show_findings(facts: Mapping[str, Any], findings: Sequence[Finding]) -> None:
    """Print the findings of `seqtool.checking.check`; `facts` are `file`, `for`, `against`, and whether it `holds`."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = console()
    options = [f"{option} {facts[option]}" for option in ("for", "against") if facts[option]]
    out.print(Text(printable(", ".join([facts["file"], *options])), style="bold"))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 1))
    for name in ("checked", "verdict", "count", "found"):
        table.add_column(name, justify="right" if name == "count" else "left", no_wrap=name != "found")
    for finding in findings:
        place = f"; first at {finding.place}" if finding.place else ""
        number = f"{finding.count:,}" if finding.count else ""
        verdict = Text(finding.verdict, style=_STYLES[finding.verdict])
        table.add_row(printable(finding.name), verdict, number, Text(printable(f"{finding.message}{place}")))
    out.print(table)
    for cure in dict.fromkeys(finding.cure for finding in findings if finding.cure):
        names = listed([finding.name for finding in findings if finding.cure == cure])
        out.print(Text(f"to fix {printable(names)}:"))
        out.print(Text(f"  {printable(cure)}", style="bold"), soft_wrap=True)
    failed, warned = (
        sum(finding.verdict == verdict for finding in findings) for verdict in ("fails", "warning")
    )
    aside = f", with {count(warned, 'warning')}" if warned else ""
    outcome = "all checks pass" if facts["holds"] else f"{failed:,} of {count(len(findings), 'check')} fail"
    out.print(Text(f"{outcome}{aside}", style=_STYLES["ok" if facts["holds"] else "fails"]))


_STYLES = {"ok": "green", "warning": "yellow", "fails": "bold red"}
