"""Figures as tables in documents, between two marks: nobody writes a figure there by hand, and a test compares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.results import Results, Row
from bench.summary import HEADINGS, SERVERS, Line, cells, lines, starred

TOP: Final = Path(__file__).parent.parent
BEGIN: Final = "<!-- measured: written by make bench, not by hand -->\n"
END: Final = "<!-- end of what was measured -->\n"
BIG: Final = 1_000_000


def short(results: Results) -> str:
    """For the README: a line a scenario, a column a server; of sizes the largest."""
    largest = {line.scenario.name: line for line in lines(results)}  # sizes come in order: the last one stays
    text = [head("CPU µs for a request")]
    text += [columns(line.title, line, figure(line)) for line in largest.values()]
    big = largest.get("mappings")
    if big:
        text.append(columns(f"{big.title}: answers after", big, lambda row: f"{row.loading_seconds:.1f} s"))
        text.append(columns(f"{big.title}: memory", big, lambda row: f"{row.memory_kib / 1024:.0f} MiB"))
    text.append(f"\n{where(results, [line.row(server) for line in largest.values() for server in SERVERS])}\n")
    return "".join(text)


def whole(results: Results) -> str:
    """For docs/performance.md: everything."""
    text = []
    for scenario in results.scenarios:
        text.append(f"**{scenario.title}**\n\n| server | {' | '.join(HEADINGS)} |\n|---|{'---:|' * len(HEADINGS)}\n")
        text += [f"| {escaped(starred(row))} | {' | '.join(cells(row, scenario))} |\n" for row in scenario.rows]
        text.append("\n")
    text.append(f"{where(results, [row for scenario in results.scenarios for row in scenario.rows])}\n")
    return "".join(text)


def head(title: str) -> str:
    """The first two lines of a table of servers."""
    return f"| {title} | {' | '.join(SERVERS)} |\n|---|{'---:|' * len(SERVERS)}\n"


def columns(title: str, line: Line, cell: Callable[[Row], str]) -> str:
    """One line of it."""
    rows = (line.row(server) for server in SERVERS)
    return f"| {title} | {' | '.join('' if row is None else cell(row) for row in rows)} |\n"


def escaped(text: str) -> str:
    """A star is not to begin an emphasis."""
    return text.replace("*", r"\*")


def figure(line: Line) -> Callable[[Row], str]:
    """Writes microseconds, and the ratio to nginx where it is not nginx."""

    def cell(row: Row) -> str:
        ratio = line.ratio(row)
        aside = "" if ratio is None or row.server == "nginx" else f" ({ratio:.2f})"
        return escaped(f"{row.microseconds:.1f}{aside}{'*' if row.note else ''}")

    return cell


def where(results: Results, shown: Sequence[Row | None]) -> str:
    """What one has to know to read the figures that are shown."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    notes = {escaped(f"; * {row.server} {row.note}") for row in shown if row and row.note}
    aside = "".join(sorted(notes))
    return f"{results.day:%-d %B %Y}, {results.machine}; {versions}; {results.form} in turn, medians{aside}"


def documents(results: Results) -> Iterator[tuple[Path, str]]:
    """Where figures are shown, and what is to stand there."""
    yield TOP / "README.md", short(results)
    yield TOP / "docs" / "performance.md", whole(results)


def filled(text: str, figures: str) -> str:
    """A document with these figures between its marks. Raises `ValueError` if it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"there is no place for figures: {BEGIN.strip()} … {END.strip()}")
    return f"{before}{begin}\n{figures}\n{end}{after}"
