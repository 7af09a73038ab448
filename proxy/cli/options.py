"""Options that several commands share, and what their values mean. Wrong use is told here, before any work begins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from proxy.core.rulebook import Rulebook
    from proxy.core.table import Table
    from proxy.edge.configuration.settings import Endpoint
    from proxy.edge.configuration.sources import Configuration

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
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar="SUNSET_CONFIG",
        exists=True,
        dir_okay=False,
        help="A file of settings. Without it: ./sunset.toml, if there is one.",
    ),
]
Certs = Annotated[
    str | None,
    typer.Option(
        "--certs", metavar="DIR", envvar="SUNSET_CERTS", help="The folder of certificates. Without it: certs."
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="DIR",
        envvar="SUNSET_DATA",
        help="The folder of what Sunset writes: the account of ACME, and answers to challenges. Without it: data.",
    ),
]
PreviewSuffix = Annotated[
    str | None,
    typer.Option(
        "--preview-suffix",
        metavar="SUFFIX",
        envvar="SUNSET_PREVIEW_SUFFIX",
        help="Also know po.co as po.co.localhost, with .localhost.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print what a program can read.")]

ADMIN = "127.0.0.1:9900"
Admin = Annotated[
    str,
    typer.Option(
        "--admin",
        metavar="HOST:PORT",
        envvar="SUNSET_ADMIN",
        help="Where the server has its metrics.",
        show_default=True,
    ),
]


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
    from proxy.edge.configuration.settings import Endpoint, SettingsError

    try:
        return Endpoint.parse(text)
    except SettingsError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def configured(file: Path | None, context: typer.Context) -> Configuration:
    """The configuration of the process: a parameter of the command that is named like a setting gives it.

    What typer has read from the environment is read again as what it is, so that a mistake is told with its variable.
    """
    import os

    from proxy.edge.configuration.setting import all_settings
    from proxy.edge.configuration.sources import ConfigurationErrors, Option, configure

    known = {setting.name for setting in all_settings()}
    typed = {
        parameter.name: Option(parameter.opts[0], context.params[parameter.name])
        for parameter in context.command.params
        if parameter.name in known and _is_typed(context, parameter.name)
    }
    try:
        return configure(os.environ, file, typed)
    except ConfigurationErrors as errors:
        if any(mistake.is_wrong_use for mistake in errors.mistakes):
            raise typer.BadParameter(str(errors)) from None
        raise


def _is_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
