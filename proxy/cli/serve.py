"""`sunset serve`: the proxy."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from proxy.cli.options import RULES, Certs, Config, Data, PreviewSuffix, Rules, configured

EXAMPLES: Final = (
    "sunset serve --listen 0.0.0.0:8080",
    "sunset serve --listen 127.0.0.1:8080 --listen '[::1]:8080'",
    "sunset serve --listen 0.0.0.0:8080 --listen-tls 0.0.0.0:8443",
    "sunset serve --listen 127.0.0.1:8080+proxy --trusted-proxy 10.0.0.0/8",
    "sunset serve --at 2024-12-30T23:59:30 --preview-suffix .localhost",
)


def serve(
    context: typer.Context,
    rules: Rules = RULES,
    config: Config = None,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            "--listen",
            metavar="HOST:PORT",
            envvar="SUNSET_LISTEN",
            help="Where to answer; may be given more than once. Without it: 127.0.0.1:8080. HOST:PORT+proxy takes "
            "connections with the PROXY protocol, from trusted proxies.",
        ),
    ] = None,
    listen_tls: Annotated[
        list[str] | None,
        typer.Option(
            "--listen-tls",
            metavar="HOST:PORT",
            envvar="SUNSET_LISTEN_TLS",
            help="Where to answer over TLS; may be given more than once.",
        ),
    ] = None,
    certs: Certs = None,
    data: Data = None,
    admin: Annotated[
        str | None,
        typer.Option(
            "--admin",
            metavar="HOST:PORT",
            envvar="SUNSET_ADMIN",
            help="Where /metrics, /livez and /readyz are. Without it: 127.0.0.1:9900. Elsewhere than on loopback "
            "SUNSET_ADMIN_TOKEN has to be set.",
        ),
    ] = None,
    access_log: Annotated[
        str | None,
        typer.Option(
            "--access-log",
            metavar="FILE",
            envvar="SUNSET_ACCESS_LOG",
            help="A line for each request, as JSON; - for standard output. Without it there is no such log.",
        ),
    ] = None,
    trusted_proxies: Annotated[
        list[str] | None,
        typer.Option(
            "--trusted-proxy",
            metavar="NETWORK",
            envvar="SUNSET_TRUSTED_PROXIES",
            help="Believe what a proxy in that network says of clients, as 10.0.0.0/8; may be given more than once.",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            envvar="SUNSET_AT",
            help="Start the clock there, to rehearse; UTC unless it has an offset.",
        ),
    ] = None,
    preview_suffix: PreviewSuffix = None,
    workers: Annotated[
        str | None,
        typer.Option(
            "--workers",
            metavar="N|auto",
            envvar="SUNSET_WORKERS",
            help="How many processes answer clients. Without it: auto, one a core.",
        ),
    ] = None,
    watch: Annotated[
        str | None,
        typer.Option(
            "--watch",
            metavar="HOW",
            envvar="SUNSET_WATCH",
            help="How changes of the rules are noticed: events, poll (for network file systems) or off. "
            "Without it: events.",
        ),
    ] = None,
) -> None:
    """Run the proxy: forward before the cutover, redirect from then on.

    It crosses every milestone by itself. Changes of the rules are taken once all of them are well, and lose no request;
    SIGHUP and sunset reload ask for that too. Ctrl-C or SIGTERM lets answers under way end, then it ends. What has no
    option is set in the environment or in sunset.toml; sunset settings lists it all.
    """
    configuration = configured(config, context)

    from proxy.edge.log import log_to_stderr
    from proxy.edge.processes.supervisor import supervise

    log_to_stderr()
    if code := supervise(rules, configuration.settings):
        raise typer.Exit(code)
