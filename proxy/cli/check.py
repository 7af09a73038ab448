"""`sunset check`: is the rulebook well? All that is wrong with it at once, else what it says, site by site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from proxy.cli.options import RULES, Json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from proxy.core.model import Site
    from proxy.errors import Problem
    from proxy.rulebook.load import Loaded

EXAMPLES: Final = ("sunset check", "sunset check rules --strict", "sunset check rules --json")

NOT_WELL: Final = 1
HEADINGS: Final = ("site", "addresses", "phase", "next", "rules", "mapped")


def check(
    rules: Annotated[Path, typer.Argument(metavar="RULES", help="The folder of rule files.")] = RULES,
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for errors.")] = False,
    json: Json = False,
) -> None:
    """Load the rule files, run their examples and tests, and tell every error and warning with its place.

    Exits with 1 where the rulebook cannot be used; with --strict also where there is a warning.
    """
    from proxy.edge.clock import Clock
    from proxy.errors import RulebookErrors
    from proxy.rulebook.load import load_proved

    now = Clock().now()
    loaded: Loaded | None = None
    problems: Sequence[Problem]
    try:
        loaded = load_proved(rules)
        problems = loaded.rulebook.warnings
    except RulebookErrors as refused:
        problems = refused.problems
    well = loaded is not None and not (strict and problems)
    if json:
        _print_json(loaded, problems, now, well=well)
    else:
        _print_text(loaded, problems, now)
    if not well:
        raise typer.Exit(NOT_WELL)


def _print_json(loaded: Loaded | None, problems: Sequence[Problem], now: datetime, *, well: bool) -> None:
    import orjson

    report = {
        "ok": well,
        "generation": None if loaded is None else loaded.rulebook.generation,
        "examples": None if loaded is None else loaded.examples,
        "tests": None if loaded is None else loaded.tests,
        "problems": [_problem(problem) for problem in problems],
        "sites": [] if loaded is None else [_site(site, now) for site in loaded.rulebook.sites],
    }
    typer.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.place.file,
        "line": problem.place.line or None,
        "column": problem.place.column or None,
        "severity": problem.severity.value,
        "code": problem.code,
        "message": problem.message,
    }


def _site(site: Site, now: datetime) -> dict[str, Any]:
    following = _next(site, now)
    return {
        "site": site.name,
        "hosts": list(site.hosts),
        "base": site.base.decode() or "/",
        "phase": _phase(site, now),
        "next": None if following is None else {"milestone": following[0], "at": following[1]},
        "rules": len(site.rules),
        "mapped": len(site.mappings or ()),
    }


def _print_text(loaded: Loaded | None, problems: Sequence[Problem], now: datetime) -> None:
    from proxy.cli.complaint import complain_of, number
    from proxy.cli.screen import errors, output

    complain_of(problems, errors())
    if loaded is None:
        return
    from rich.table import Table

    sites = loaded.rulebook.sites
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading in {"rules", "mapped"} else "left")
    for site in sites:
        told = _site(site, now)
        addresses = ", ".join(host + site.base.decode() for host in site.hosts)
        table.add_row(
            site.name, addresses, told["phase"], _told_next(site, now), f"{told['rules']:,}", f"{told['mapped']:,}"
        )
    console = output()
    console.print(table)
    proved = f"{number(loaded.examples, 'example')} and {number(loaded.tests, 'test')} hold"
    console.print(f"\n{number(len(sites), 'site')}, {proved}; generation {loaded.rulebook.generation}")


def _phase(site: Site, now: datetime) -> str:
    return "pass-through" if site.pass_through else site.schedule.phase_at(now).value


def _next(site: Site, now: datetime) -> tuple[str, datetime] | None:
    """The milestone that comes next, and when."""
    ahead = [(name, at) for name, at in site.schedule.milestones.items() if at > now]
    return min(ahead, key=lambda milestone: milestone[1], default=None)


def _told_next(site: Site, now: datetime) -> str:
    """The next milestone, by the site's own clock."""
    following = _next(site, now)
    if following is None:
        return ""
    name, at = following
    return f"{name} {at.astimezone(site.timezone):%Y-%m-%d %H:%M}".removesuffix(" 00:00")
