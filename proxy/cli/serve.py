"""`sunset serve`: the proxy."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Final

import typer

from proxy.cli.options import RULES, Rules, parse_at, parse_endpoint

EXAMPLES: Final = (
    "sunset serve --listen 0.0.0.0:8080",
    "sunset serve --listen 127.0.0.1:8080 --listen '[::1]:8080'",
    "sunset serve --at 2024-12-30T23:59:30 --preview-suffix .localhost",
)


def serve(
    rules: Rules = RULES,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            "--listen",
            metavar="HOST:PORT",
            help="Where to answer; may be given more than once. Without it: 127.0.0.1:8080.",
        ),
    ] = None,
    admin: Annotated[
        str,
        typer.Option(
            "--admin",
            metavar="HOST:PORT",
            help="Where /metrics, /livez and /readyz are. Elsewhere than on loopback SUNSET_ADMIN_TOKEN has to be set.",
        ),
    ] = "127.0.0.1:9900",
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="Start the clock there, to rehearse; UTC unless it has an offset."),
    ] = None,
    preview_suffix: Annotated[
        str,
        typer.Option("--preview-suffix", metavar="SUFFIX", help="Answer po.co.localhost as po.co, with .localhost."),
    ] = "",
) -> None:
    """Run the proxy: forward before the cutover, redirect from then on.

    It crosses every milestone by itself. Ctrl-C or SIGTERM lets answers under way end, then it ends.
    """
    import os

    endpoints = tuple(parse_endpoint(text, "--listen") for text in listen or ["127.0.0.1:8080"])
    admin_endpoint = parse_endpoint(admin, "--admin")
    when = parse_at(at)

    from proxy.edge.admin import TOKEN_VARIABLE
    from proxy.edge.log import log_to_stderr
    from proxy.edge.server import run
    from proxy.edge.settings import Settings
    from proxy.rulebook.load import load

    settings = Settings(
        listen=endpoints,
        admin=admin_endpoint,
        admin_token=os.environ.get(TOKEN_VARIABLE, ""),
        at=when.replace(tzinfo=UTC) if when is not None and when.tzinfo is None else when,
        preview_suffix=preview_suffix,
    )
    rulebook = load(rules)
    log_to_stderr()
    run(rulebook, settings)
