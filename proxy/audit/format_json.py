"""The report as one JSON object: `summary`, `findings`, `skipped`, and `rows` with an address a line.

Rows are written one by one, so a long report needs no second copy in memory, and a line can be read alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

import orjson

from proxy.audit.report import COLUMNS, Report, Tally


def write_json(report: Report, stream: BinaryIO) -> None:
    """The object, in UTF-8, with a line end behind it."""
    parts = {"summary": _summary(report), "findings": _findings(report), "skipped": _skipped(report)}
    stream.write(b"{\n")
    stream.writelines(b"%b: %b,\n" % (orjson.dumps(name), orjson.dumps(part)) for name, part in parts.items())
    stream.write(b'"rows": [')
    separator = b"\n"
    for row in report.rows:
        record: dict[str, Any] = dict(zip(COLUMNS, report.cells(row), strict=True))
        record["findings"] = record["findings"].split()
        stream.write(separator + orjson.dumps(record))
        separator = b",\n"
    stream.write(b"\n]}\n")


def _summary(report: Report) -> dict[str, Any]:
    return {
        "at": report.at,
        "many": report.many,
        **_tally(report.total),
        "by_site": _tallies("site", report.by_site),
        "by_kind": _tallies("kind", report.by_kind),
        "by_standing": _tallies("standing", report.by_standing),
    }


def _tallies(name: str, tallies: Mapping[str | None, Tally]) -> list[dict[str, Any]]:
    return [{name: key, **_tally(tally)} for key, tally in tallies.items()]


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        **tally._asdict(),
        "coverage": tally.coverage,
        "coverage_by_clicks": tally.coverage_by_clicks,
    }


def _findings(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "finding": finding.kind,
            "meaning": finding.meaning,
            "addresses": finding.addresses,
            "clicks": finding.clicks,
            "examples": [example._asdict() for example in finding.examples],
        }
        for finding in report.findings
    ]


def _skipped(report: Report) -> list[dict[str, str]]:
    return [{"place": str(skipped.place), "message": skipped.message} for skipped in report.skipped]
