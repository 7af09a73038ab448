"""The report as CSV, JSON, Markdown and on a terminal."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from proxy.audit import COLUMNS, Format, OldAddress, Report, Skipped, audit, read_addresses, show, write_report
from proxy.audit.printable import percent, printable
from proxy.core.table import Table
from proxy.errors import Place

Audited = Callable[..., Report]

ADDRESSES = (
    ("https://old.example/uk/a", 100),
    ("https://old.example/uk/chain", 50),
    ("https://old.example/uk/x?a,b", 20),
    ("https://closed.example/x", 5),
    ("=HYPERLINK(1)", 3),
    ("[red]x|`y`\x1b[31m\u202e<b>", 2),
)


def written(report: Report, form: Format) -> str:
    stream = io.BytesIO()
    write_report(report, form, stream)
    return stream.getvalue().decode()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def report(audited: Audited) -> Report:
    return audited(*ADDRESSES)


def test_csv_has_an_address_a_row(report: Report) -> None:
    rows = rows_of(written(report, Format.CSV))
    assert [int(row["clicks"]) for row in rows] == [clicks for _, clicks in ADDRESSES]
    assert rows[0] == {
        "url": "https://old.example/uk/a",
        "clicks": "100",
        "covered": "yes",
        "standing": "rule",
        "outcome": "redirect",
        "status": "301",
        "target": "https://new.example/uk/b",
        "kind": "exact",
        "site": "uk",
        "phase": "redirect",
        "rule": "/uk/a",
        "place": "uk.yaml:10:5",
        "findings": "",
        "ends_at": "",
        "error": "",
        "source": "list.txt:1",
    }
    assert (rows[1]["findings"], rows[1]["ends_at"]) == ("chain", "https://new.example/uk/b")
    assert rows[3]["covered"] == "no"
    assert rows[4]["error"] != ""


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_no_cell_of_the_csv_is_a_formula(audited: Audited, sign: str) -> None:
    text = written(audited(f"{sign}cmd|' /C calc'!A0"), Format.CSV)
    assert rows_of(text)[0]["url"] == f"'{sign}cmd|' /C calc'!A0"
    assert all(cell[:1] not in set("=+-@\t\r") for row in csv.reader(io.StringIO(text)) for cell in row)


def test_the_csv_can_be_audited_again(report: Report, table: Table, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    with path.open("wb") as stream:
        write_report(report, Format.CSV, stream)
        assert not stream.closed
    again = audit(table, read_addresses([path]))
    assert again.total == report.total
    assert again.by_kind == report.by_kind


def test_json_has_summary_findings_and_rows(report: Report) -> None:
    text = written(report, Format.JSON)
    found: dict[str, Any] = json.loads(text)
    assert list(found) == ["summary", "findings", "skipped", "rows"]
    summary = found["summary"]
    assert (summary["addresses"], summary["covered"], summary["clicks"], summary["coverage"]) == (6, 3, 180, 50)
    assert sum(kind["addresses"] for kind in summary["by_kind"]) == 6
    assert {
        "kind": "exact",
        "addresses": 2,
        "covered": 2,
        "clicks": 150,
        "covered_clicks": 150,
        "coverage": 100,
        "coverage_by_clicks": 100,
    } in summary["by_kind"]
    assert [finding["finding"] for finding in found["findings"]] == ["bad-request", "unmapped", "chain"]
    assert [tuple(row) for row in found["rows"]] == [COLUMNS] * 6
    assert found["rows"][1]["findings"] == ["chain"]
    assert found["rows"][3]["covered"] is False
    assert sum(line.startswith('{"url"') for line in text.splitlines()) == 6


def test_the_rows_of_no_address_are_none(audited: Audited) -> None:
    assert json.loads(written(audited(), Format.JSON))["rows"] == []
    assert rows_of(written(audited(), Format.CSV)) == []
    assert "0 addresses" in written(audited(), Format.TERMINAL)
    assert "None." in written(audited(), Format.MARKDOWN)


def test_markdown_is_summary_and_findings(table: Table) -> None:
    addresses = [OldAddress(text, clicks, "x", 1) for text, clicks in ADDRESSES]
    skipped = Skipped(Place("index.xml", 3), "`x` is not there")
    text = written(audit(table, [skipped, *addresses], at="2025-01-01"), Format.MARKDOWN)
    assert "**50.00%** of 6 addresses are covered, 94.44% of 180 clicks. Asked for: 2025-01-01." in text
    assert "| `uk` | 3 | 3 | 100.00% | 170 | 100.00% |" in text
    assert "| (none) | 2 | 0 | 0.00% | 5 | 0.00% |" in text
    assert "| chain | 1 | 50 |" in text
    assert "- `index.xml:3: %60x%60 is not there`" in text


def test_without_clicks_no_column_speaks_of_them(audited: Audited) -> None:
    report = audited("https://old.example/uk/a")
    assert "| Site | Addresses | Covered |  |\n" in written(report, Format.MARKDOWN)
    assert "Clicks" not in written(report, Format.TERMINAL)


def test_an_address_is_no_markdown(report: Report) -> None:
    text = written(report, Format.MARKDOWN)
    assert "`[red]x\\|%60y%60\\x1b[31m\\u202e<b>`" in text
    for line in text.splitlines():
        assert line.isprintable()
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") in {4, 5, 7}


def test_a_terminal_shows_what_is_covered_and_what_is_not(report: Report) -> None:
    text = written(report, Format.TERMINAL)
    assert text.startswith("50.00% of 6 addresses are covered, 94.44% of 180 clicks")
    assert "https://old.example/uk/chain" in text
    assert "the target redirects again" in text


def test_an_address_is_shown_as_it_is_and_moves_no_terminal(report: Report) -> None:
    stream = io.StringIO()
    show(report, Console(file=stream, width=300, force_terminal=True, color_system="truecolor"))
    text = stream.getvalue()
    assert "[red]x|`y`\\x1b[31m\\u202e<b>" in text
    assert "\u202e" not in text


def test_what_was_not_read_is_shown(table: Table) -> None:
    skipped = [Skipped(Place("index.xml", line), "is not there") for line in range(1, 31)]
    text = written(audit(table, skipped), Format.TERMINAL)
    assert "not read (30):" in text
    assert "index.xml:20: is not there" in text
    assert "index.xml:21" not in text


@pytest.mark.parametrize(
    ("share", "text"), [(100.0, "100.00%"), (99.9999, "99.99%"), (0.0, "0.00%"), (33.335, "33.33%"), (None, "")]
)
def test_a_share_is_rounded_down(share: float | None, text: str) -> None:
    assert percent(share) == text


@given(st.text(max_size=300))
def test_printable_text_is_printable_and_short(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    if text.isprintable() and len(text) <= 200:
        assert shown == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30)))
def test_every_format_takes_every_address(table: Table, texts: list[str]) -> None:
    report = audit(table, [OldAddress(text, 1, "x", 1) for text in texts], at="[b]now[/b]")
    rows = rows_of(written(report, Format.CSV))
    assert len(rows) == len(report.rows) == len(json.loads(written(report, Format.JSON))["rows"])
    for form in (Format.MARKDOWN, Format.TERMINAL):
        assert all(line.isprintable() for line in written(report, form).split("\n"))
