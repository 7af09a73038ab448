"""`sunset certs self-signed`: certificates for trying out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from proxy.cli.options import RULES, Certs, Config, PreviewSuffix, Rules, configured

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

EXAMPLES: Final = (
    "sunset certs self-signed",
    "sunset certs self-signed --preview-suffix .localhost",
    "sunset certs self-signed localhost www.po.co --days 7",
)


def self_signed(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Hosts. Without any: those of the rule files.")
    ] = None,
    certs: Certs = None,
    rules: Rules = RULES,
    config: Config = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="For how long they are valid.")] = 90,
    preview_suffix: PreviewSuffix = None,
) -> None:
    """Make a certificate that nobody but you has signed, to try TLS out: browsers warn of it.

    Hosts that have another certificate are left out; those made here before are replaced. Keys are P-256, and only
    their owner can read them.
    """
    from proxy.cli.complaint import number
    from proxy.cli.screen import output
    from proxy.edge.clock import Clock
    from proxy.edge.tls.self_signed import lacking, write

    settings = configured(config, context).settings
    folder = settings.certs
    hosts = [_parsed(name) for name in names] if names else _hosts_of(rules)
    wanted = [name for host in hosts for name in (host, host + settings.preview_suffix)]
    missing = lacking(folder, dict.fromkeys(wanted))
    console = output()
    if not missing:
        console.print(f"every host has a certificate in {folder}; nothing is written")
        return
    now = datetime.fromtimestamp(Clock().timestamp(), UTC)
    for file in write(folder, missing, now=now, days=days):
        console.print(f"{file}")
    console.print(f"{number(len(missing), 'name')}, {number(days, 'day')}; browsers will warn. Now try:")
    console.print(f"  sunset serve --listen-tls 127.0.0.1:8443{'' if certs is None else f' --certs {certs}'}")


def _hosts_of(rules: Path) -> Iterable[str]:
    from proxy.rulebook.load import load

    return dict.fromkeys(host for site in load(rules).sites for host in site.hosts)


def _parsed(name: str) -> str:
    from proxy.rulebook.host import parse_host_name
    from proxy.rulebook.refusal import Refusal

    try:
        return parse_host_name(name)
    except Refusal as refusal:
        raise typer.BadParameter(str(refusal), param_hint="NAME") from None
