"""`sunset acme`: certificates by themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from proxy.cli.options import RULES, Certs, Config, Data, Rules, configured

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.acme.hosts import Hosts
    from proxy.acme.renewals import Renewals
    from proxy.edge.clock import Clock

EXAMPLES: Final = (
    "sunset acme --staging --agree-terms --once",
    "sunset acme --agree-terms --email ops@example.com",
)

NOT_WELL: Final = 1
LOOK_EVERY: Final = 60.0
"""Seconds between two looks at the rule files, and at what is due."""


def acme(
    context: typer.Context,
    certs: Certs = None,
    data: Data = None,
    rules: Rules = RULES,
    config: Config = None,
    staging: Annotated[
        bool, typer.Option("--staging", help="Ask Let's Encrypt's staging, whose certificates nobody trusts.")
    ] = False,
    directory: Annotated[
        str | None, typer.Option("--directory", metavar="URL", help="Ask another authority than Let's Encrypt.")
    ] = None,
    email: Annotated[str, typer.Option("--email", metavar="ADDRESS", help="Where the authority can reach you.")] = "",
    agree_terms: Annotated[
        bool, typer.Option("--agree-terms", help="Agree to the authority's terms; needed once, for the account.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end: for cron and timers.")] = False,
) -> None:
    """Ask for certificates for the hosts of the rule files, and renew them: by ACME, with challenges of kind HTTP-01.

    Runs beside sunset serve, which answers the challenges on port 80 and takes new certificates by itself. Hosts that
    have a certificate of somebody else are left alone. Exits with 1 where, after --once, a host has none.
    """
    settings = configured(config, context).settings
    if staging and directory is not None:
        raise typer.BadParameter("is Let's Encrypt's; with --directory there is none", param_hint="--staging")
    try:
        from proxy.acme.authority import LETS_ENCRYPT, LETS_ENCRYPT_STAGING
    except ModuleNotFoundError as missing:
        typer.echo(f"sunset: no module {missing.name}; install sunset-proxy[acme]", err=True)
        raise typer.Exit(NOT_WELL) from None
    from proxy.acme.hosts import Hosts
    from proxy.acme.lock import alone
    from proxy.edge.clock import Clock
    from proxy.edge.log import log_to_stderr

    url = directory or (LETS_ENCRYPT_STAGING if staging else LETS_ENCRYPT)
    hosts = Hosts(rules)
    log_to_stderr()
    clock = Clock()
    with alone(settings.data / "acme" / "lock"):
        renewals = _renewals(url, settings.certs, settings.data, clock, email=email, agrees=agree_terms)
        if not once:
            _go_on(renewals, hosts, clock)
        done = renewals.round(hosts.current())
    if done.lacking:
        typer.echo(f"sunset: without a certificate: {', '.join(done.lacking)}", err=True)
        raise typer.Exit(NOT_WELL)


def _go_on(renewals: Renewals, hosts: Hosts, clock: Clock) -> NoReturn:
    """Round after round, until a signal ends it."""
    import signal
    import sys
    import time

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit())
    while True:
        done = renewals.round(hosts.current())
        time.sleep(min(max(done.next_at - clock.timestamp(), 1.0), LOOK_EVERY))


def _renewals(url: str, certs: Path, data: Path, clock: Clock, *, email: str, agrees: bool) -> Renewals:
    from proxy.acme.archive import Archive
    from proxy.acme.attempts import Attempts
    from proxy.acme.authority import Authority
    from proxy.acme.renewals import Renewals
    from proxy.edge.tls.certificates import Certificates
    from proxy.edge.tls.challenges import Challenges

    name = re.sub(r"[^A-Za-z0-9.-]+", "_", url.partition("://")[2])
    folder = data / "acme" / name
    challenges = Challenges(data)
    challenges.clear()
    return Renewals(
        certificates=Certificates(certs, now=clock.timestamp),
        archive=Archive(certs, name),
        attempts=Attempts.read(folder / "attempts.json"),
        challenges=challenges,
        connect=lambda: Authority(url, folder / "account.key", email=email, agrees=agrees),
        clock=clock,
    )
