"""The report on a terminal: what is covered, by site and by kind, and the findings with their examples.

Everything that comes from the input is shown as text without markup, and without control characters.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from proxy.audit.coverage import Standing, is_covered
from proxy.audit.findings import Finding
from proxy.audit.printable import addresses, addresses_are, percent, printable
from proxy.audit.report import Report, Tally

_SHOWN = 5
_SHOWN_SKIPPED = 20


def show(report: Report, console: Console) -> None:
    """Prints the summary and the findings."""
    total = report.total
    headline = Text(f"{percent(total.coverage)} of {addresses_are(total.addresses)} covered", "bold")
    if total.clicks:
        headline.append(f", {percent(total.coverage_by_clicks)} of {total.clicks:,} clicks")
    console.print(headline)
    if report.at:
        console.print(Text(f"asked for {printable(report.at)}", "dim"))
    for title, tallies in (("Site", report.by_site), ("Kind", report.by_kind), ("Standing", report.by_standing)):
        console.print()
        console.print(_tallies(title, tallies, clicks=bool(total.clicks)))
    for finding in report.findings:
        console.print()
        console.print(_finding(finding))
    if report.skipped:
        console.print()
        console.print(Text(f"not read ({len(report.skipped)}):", "yellow"))
        for skipped in report.skipped[:_SHOWN_SKIPPED]:
            console.print(Text(f"  {printable(str(skipped), 500)}"))
        if len(report.skipped) > _SHOWN_SKIPPED:
            console.print(Text("  …"))


def _tallies(title: str, tallies: Mapping[str | None, Tally], *, clicks: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(title, min_width=16)
    for name in ("Addresses", "Covered", "", "Clicks", "")[: None if clicks else 3]:
        table.add_column(name, justify="right")
    for key, tally in tallies.items():
        table.add_row(
            Text(printable(key or "(none)"), _style(key)),
            f"{tally.addresses:,}",
            f"{tally.covered:,}",
            percent(tally.coverage),
            *((f"{tally.clicks:,}", percent(tally.coverage_by_clicks)) if clicks else ()),
        )
    return table


def _style(name: str | None) -> str:
    if isinstance(name, Standing):
        return "green" if is_covered(name) else "red"
    return ""


def _finding(finding: Finding) -> Group:
    head = Text(finding.kind.value, "bold yellow")
    head.append(f"  {addresses(finding.addresses)}", "default")
    if finding.clicks:
        head.append(f", {finding.clicks:,} clicks", "default")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", min_width=8)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    for example in finding.examples[:_SHOWN]:
        clicks = f"{example.clicks:,}" if example.clicks else ""
        table.add_row(clicks, Text(printable(example.subject)), Text(printable(example.note)))
    return Group(head, Text(f"  {finding.meaning}", "dim"), table)
