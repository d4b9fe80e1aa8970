"""Findings on standard output: what was checked, the verdict, and the commands that fix what fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqtool.words import count, listed, printable

if TYPE_CHECKING:
    from seqtool.checking.findings import Finding
from seqtool.terminal.tables import console


def show_findings(facts: Mapping[str, Any], findings: Sequence[Finding]) -> None:
    """Draw what `seqtool.checking.check` found: `facts` are the file, `for` whom, `against` what, and `holds`."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = console()
    words = [f"{word} {facts[word]}" for word in ("for", "against") if facts[word]]
    out.print(Text(printable(", ".join([facts["file"], *words])), style="bold"))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 1))
    for name in ("checked", "verdict", "count", "found"):
        table.add_column(name, justify="right" if name == "count" else "left", no_wrap=name != "found")
    for finding in findings:
        text = f"{finding.message}{f'; first at {finding.place}' if finding.place else ''}"
        times = f"{finding.count:,}" if finding.count else ""
        verdict = Text(finding.verdict, style=_VERDICTS[finding.verdict])
        table.add_row(printable(finding.name), verdict, times, Text(printable(text)))
    out.print(table)
    for cure in dict.fromkeys(finding.cure for finding in findings if finding.cure):
        which = listed([finding.name for finding in findings if finding.cure == cure])
        out.print(Text(f"to fix {printable(which)}:"))
        out.print(Text(f"  {printable(cure)}", style="bold"), soft_wrap=True)
    failed, warned = (sum(f.verdict == verdict for f in findings) for verdict in ("fails", "warning"))
    aside = f", with {count(warned, 'warning')}" if warned else ""
    text = (
        f"all checks pass{aside}"
        if facts["holds"]
        else f"{failed:,} of {count(len(findings), 'check')} fail{aside}"
    )
    out.print(Text(text, style=_VERDICTS["ok" if facts["holds"] else "fails"]))


_VERDICTS = {"ok": "green", "warning": "yellow", "fails": "bold red"}
