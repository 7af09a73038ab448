"""The report as Markdown (GitHub's tables), for a ticket: summary, findings, and the examples that matter most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from proxy.audit.printable import addresses_are, percent, printable
from proxy.audit.report import Report, Tally


def write_markdown(report: Report, stream: BinaryIO) -> None:
    """Summary and findings, in UTF-8."""
    stream.writelines(line.encode() + b"\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    total = report.total
    yield "# Coverage of old addresses"
    yield ""
    by_clicks = f", {percent(total.coverage_by_clicks)} of {total.clicks:,} clicks" if total.clicks else ""
    at = f" Asked for: {printable(report.at)}." if report.at else ""
    yield f"**{percent(total.coverage)}** of {addresses_are(total.addresses)} covered{by_clicks}.{at}"
    for title, tallies in (("Site", report.by_site), ("Kind", report.by_kind), ("Standing", report.by_standing)):
        yield ""
        yield from _tallies(title, tallies, clicks=bool(total.clicks))
    yield ""
    yield "## Findings"
    yield ""
    if not report.findings:
        yield "None."
    else:
        yield from _table(
            ("Finding", "Addresses", "Clicks", "Meaning"),
            (
                (finding.kind.value, f"{finding.addresses:,}", f"{finding.clicks:,}", finding.meaning)
                for finding in report.findings
            ),
        )
    for finding in report.findings:
        yield ""
        yield f"### {finding.kind.value}"
        yield ""
        yield from _table(
            ("Address", "Clicks", "What"),
            ((_code(one.subject), f"{one.clicks:,}", _code(one.note)) for one in finding.examples),
        )
    if report.skipped:
        yield ""
        yield "## Not read"
        yield ""
        yield from (f"- {_code(str(skipped))}" for skipped in report.skipped)


def _tallies(title: str, tallies: Mapping[str | None, Tally], *, clicks: bool) -> Iterator[str]:
    return _table(
        (title, "Addresses", "Covered", "", *(("Clicks", "Covered clicks") if clicks else ())),
        (
            (
                "(none)" if name is None else _code(name),
                f"{tally.addresses:,}",
                f"{tally.covered:,}",
                percent(tally.coverage),
                *((f"{tally.clicks:,}", percent(tally.coverage_by_clicks)) if clicks else ()),
            )
            for name, tally in tallies.items()
        ),
    )


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'|'.join('---:' if _is_number(name) else '---' for name in header)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _is_number(name: str) -> bool:
    return name in {"", "Addresses", "Covered", "Clicks", "Covered clicks"}


def _code(text: str) -> str:
    """Text of strangers as code: no markup, no link, no column of its own."""
    return f"`{printable(text).replace('`', '%60').replace('|', chr(92) + '|')}`" if text else ""
