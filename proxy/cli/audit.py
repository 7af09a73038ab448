"""`sunset audit`: does every old address that has visitors lead to the right new place? For the SEO team."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from proxy.cli.options import RULES, Json, Rules, parse_at, table_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.audit import Progress, Report

EXAMPLES: Final = (
    "sunset audit sitemap.xml",
    "sunset audit pages.csv --fail-under 95",
    "sunset audit pages.csv -o report.md",
    "sunset audit sitemap.xml pages.csv --at 2024-12-31 --json",
)

FORMS: Final = {".csv": "csv", ".json": "json", ".md": "markdown", ".markdown": "markdown"}
"""What a report is written as, by how the name of its file ends."""
NOT_COVERED: Final = 1
EVERYTHING: Final = 100


def audit(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help='Sitemaps, tables or lists, packed or not; "-" is standard input.'),
    ],
    rules: Rules = RULES,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="A date or time, local to each site unless it has an offset. Without it: each site's own cutover.",
        ),
    ] = None,
    fail_under: Annotated[
        float | None,
        typer.Option("--fail-under", metavar="PCT", min=0, max=EVERYTHING, help="Fail where coverage is lower."),
    ] = None,
    form: Annotated[
        Literal["terminal", "csv", "json", "markdown"] | None,
        typer.Option("--format", help="How the report is written. Without it: as --output ends."),
    ] = None,
    destination: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the report into a file, such as report.csv, .json, .md."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Report what becomes of old addresses: which are covered, by what, and what somebody should look at.

    A sitemap (also an index of them, also packed), a CSV with a column of addresses and perhaps one of clicks, as a
    search console exports it, or a plain list. Nothing is fetched.

    Exits with 1 where coverage is below --fail-under, or where a part of the input could not be read.
    """
    if json and form not in {None, "json"}:
        raise typer.BadParameter(f"{form} is another form than --json; name one", param_hint="--format")
    when = parse_at(at)

    from proxy.audit import AT_CUTOVER, audit, read_addresses, table_at_cutover
    from proxy.audit.printable import percent
    from proxy.rulebook.load import load

    rulebook = load(rules)
    table = table_at_cutover(rulebook) if when is None else table_at(rulebook, when)
    with _progress() as progress:
        addresses = read_addresses(files, progress=progress)
        report = audit(table, addresses, at=at or AT_CUTOVER)
    _write(report, "json" if json else form or _form_of(destination), destination)
    for skipped in report.skipped:
        typer.echo(f"sunset: not read: {skipped}", err=True)
    below = fail_under is not None and report.coverage < fail_under
    if below:
        typer.echo(f"sunset: coverage is {percent(report.coverage)}, below {fail_under:g}%", err=True)
    if below or report.skipped:
        raise typer.Exit(NOT_COVERED)


def _form_of(destination: Path | None) -> str:
    """The form that the name of a file asks for."""
    return "terminal" if destination is None else FORMS.get(destination.suffix.lower(), "terminal")


def _write(report: Report, name: str, destination: Path | None) -> None:
    from proxy.audit import Format, show, write_report
    from proxy.cli.screen import output

    form = Format(name)
    if destination is not None:
        with destination.open("wb") as file:
            write_report(report, form, file)
    elif form is Format.TERMINAL:
        show(report, output())
    else:
        write_report(report, form, sys.stdout.buffer)


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A bar on standard error while addresses are read, where that is a terminal."""
    from proxy.cli.screen import errors

    console = errors()
    if not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[addresses]:,} addresses"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task("asking", total=None, addresses=0)

        def tell(addresses: int, read: int, size: int | None) -> None:
            bar.update(task, completed=read, total=size, addresses=addresses)

        yield tell
