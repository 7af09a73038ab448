"""`sunset status`: how a running server stands."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import typer

from proxy.cli.options import ADMIN, Admin, Json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

EXAMPLES: Final = ("sunset status", "sunset status --admin 127.0.0.1:9900 --json")

TIMEOUT: Final = 10.0
NOT_WELL: Final = 1
SITES: Final = ("site", "phase", "next", "rules", "mapped")
WORKERS: Final = ("worker", "generation", "state", "age", "restarts", "clients")
NUMBERS: Final = frozenset({"worker", "rules", "mapped", "age", "restarts", "clients"})


def status(admin: Admin = ADMIN, json: Json = False) -> None:
    """Show how a running server stands: its rules, sites and workers, and the last reload.

    Exits with 1 where it is not ready, or where nobody answers.
    """
    import orjson

    from proxy.cli.desk import NobodyAnswersError, ask

    code, content = ask(admin, "/status", seconds=TIMEOUT)
    try:
        told = orjson.loads(content) if code == 200 else None
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict) or "ready" not in told:
        raise NobodyAnswersError(f"the server at {admin} answers {code}: it is no Sunset that tells how it stands")
    if json:
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    else:
        _print(told)
    if not told["ready"]:
        raise typer.Exit(NOT_WELL)


def _print(told: dict[str, Any]) -> None:
    from proxy.cli.complaint import number
    from proxy.cli.screen import output

    console = output()
    now = _instant(told["now"])
    where = ", ".join(f"{address} ({name})" for name, found in told["listeners"].items() for address in found)
    clients = sum(worker["connections"] or 0 for worker in told["workers"])
    rules = f"{number(told['rules'], 'rule')} of {number(len(told['sites']), 'site')}"
    console.print(f"Sunset {told['version']}, {told['stage']}, started {_ago(told['since'], now)} ago, on {where}")
    console.print(f"generation {told['generation'] or '(none)'}: {rules}; {number(clients, 'client')} connected")
    console.print(f"{_last_reload(told['reload'], now)}\n")
    console.print(_table(SITES, (_site(site) for site in told["sites"])))
    console.print()
    console.print(_table(WORKERS, (_worker(worker, now) for worker in told["workers"])))


def _site(site: dict[str, Any]) -> tuple[str, ...]:
    following = site["next"]
    milestone = "" if following is None else f"{following['milestone']} {_instant(following['at']):%Y-%m-%d %H:%M} UTC"
    return site["site"], site["phase"], milestone, f"{site['rules']:,}", f"{site['mapped']:,}"


def _worker(worker: dict[str, Any], now: datetime) -> tuple[str, ...]:
    clients = "" if worker["connections"] is None else f"{worker['connections']:,}"
    age = _ago(worker["since"], now)
    return str(worker["pid"]), worker["generation"], worker["state"], age, f"{worker['restarts']:,}", clients


def _last_reload(verdict: dict[str, Any] | None, now: datetime) -> str:
    from proxy.cli.complaint import number

    if verdict is None:
        return "no reload yet"
    ago = f"last reload {_ago(verdict['at'], now)} ago"
    if not verdict["ok"]:
        problems = number(len(verdict["problems"]), "problem")
        return f"{ago}: REFUSED: {verdict['message']}" + (f" ({problems})" if verdict["problems"] else "")
    return f"{ago}: {'taken' if verdict['changed'] else 'nothing had changed'}"


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in NUMBERS else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _ago(since: str, now: datetime) -> str:
    """`3 h`: how long ago something was, in the unit that tells most."""
    seconds = (now - _instant(since)).total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
