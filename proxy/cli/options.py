"""Options that several commands share, and what their values mean. Wrong use is told here, before any work begins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from proxy.core.rulebook import Rulebook
    from proxy.core.table import Table
    from proxy.edge.settings import Endpoint

RULES = Path("rules")

Rules = Annotated[
    Path, typer.Option("--rules", metavar="DIR", help="The folder of rule files.", show_default=True, file_okay=True)
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="A date or time: 2024-12-31, 2024-12-31T10:00 (both local to the asked site), 2024-12-31T10:00Z. "
        "Without it: the instant at which the command begins.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print what a program can read.")]


def parse_at(text: str | None) -> datetime | None:
    """The value of --at: a datetime, naive where no offset was written; `None` for now."""
    if text is None:
        return None
    from proxy.rulebook.moment import parse_moment
    from proxy.rulebook.refusal import Refusal

    try:
        moment = parse_moment(text)
    except Refusal as refusal:
        raise typer.BadParameter(str(refusal), param_hint="--at") from None
    return moment.wall.replace(tzinfo=moment.offset)


def table_at(rulebook: Rulebook, when: datetime | None) -> Table:
    """The table that holds then; a time without offset is local to each site."""
    if when is None:
        from proxy.edge.clock import Clock

        return rulebook.at(Clock().now())
    return rulebook.at_local(when) if when.tzinfo is None else rulebook.at(when)


def parse_endpoint(text: str, option: str) -> Endpoint:
    """The value of an option that takes HOST:PORT."""
    from proxy.edge.settings import Endpoint, SettingsError

    try:
        return Endpoint.parse(text)
    except SettingsError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
