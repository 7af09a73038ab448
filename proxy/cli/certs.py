"""`sunset certs`: which certificates there are, until when, and which hosts lack one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import typer

from proxy.cli.options import RULES, Certs, Config, Json, Rules, configured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.core.rulebook import Rulebook
    from proxy.edge.tls.certificate import Certificate, Fault
    from proxy.edge.tls.certificates import Certificates

EXAMPLES: Final = ("sunset certs", "sunset certs --certs certs --rules rules --json")

NOT_WELL: Final = 1
HEADINGS: Final = ("names", "expires", "issuer", "file")
DAY: Final = 86400
MOST_NAMES: Final = 3
"""In a row of the table; --json has them all."""


def certs(
    context: typer.Context,
    certs: Certs = None,
    rules: Rules = RULES,
    config: Config = None,
    json: Json = False,
) -> None:
    """List the certificates: names, expiry, issuer, file; hosts without a certificate, certificates without a host.

    Exits with 1 where a certificate cannot be used or has expired, or where a host of the rule files has none.
    """
    if context.invoked_subcommand is not None:
        return
    from proxy.edge.clock import Clock
    from proxy.edge.tls.certificates import Certificates
    from proxy.rulebook.load import load

    rulebook = load(rules)
    now = Clock().timestamp()
    found = Certificates(configured(config, context).settings.certs)
    found.refresh()
    found.make_ready()
    report = _Report(found, rulebook, now)
    if json:
        import orjson

        typer.echo(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
    else:
        _print(report)
    if not report.is_well:
        raise typer.Exit(NOT_WELL)


class _Report:
    """What there is to say, of one instant."""

    def __init__(self, found: Certificates, rulebook: Rulebook, now: float) -> None:
        from datetime import UTC, datetime

        self.now = now
        self.certificates = found.all
        self.default = found.default
        self.faults = found.faults
        self.hosts = tuple(dict.fromkeys(host for site in rulebook.sites for host in site.hosts))
        self.lacking = found.lacking(self.hosts)
        self._table = rulebook.at(datetime.fromtimestamp(now, UTC))

    @property
    def is_well(self) -> bool:
        """Whether every host can be answered over TLS, and every certificate be presented."""
        from proxy.errors import Severity

        return (
            not self.lacking
            and all(self.now < certificate.ends for certificate in self.certificates)
            and all(fault.severity is not Severity.ERROR for fault in self.faults)
        )

    @property
    def idle(self) -> list[Certificate]:
        """Certificates that are for no host of the rulebook."""
        return [certificate for certificate in self.certificates if not self._is_used(certificate)]

    def _is_used(self, certificate: Certificate) -> bool:
        return (
            certificate is self.default
            or any(certificate.covers(host.replace("*", "any").encode()) for host in self.hosts)
            or any(self._table.sites_of(name.replace("*", "any").encode()) for name in certificate.names)
        )

    def days_left(self, certificate: Certificate) -> int:
        """Whole days until a certificate expires; negative once it has."""
        return int((certificate.ends - self.now) // DAY)

    def as_json(self) -> dict[str, Any]:
        """What a program reads."""
        idle = self.idle
        return {
            "ok": self.is_well,
            "certificates": [
                {
                    "names": certificate.names,
                    "expires": _instant(certificate.ends),
                    "days_left": self.days_left(certificate),
                    "issuer": certificate.issuer,
                    "self_signed": certificate.is_self_signed,
                    "default": certificate is self.default,
                    "has_host": certificate not in idle,
                    "file": certificate.file,
                }
                for certificate in self.certificates
            ],
            "hosts_without_certificate": self.lacking,
            "problems": [_problem(fault) for fault in self.faults],
        }


def _problem(fault: Fault) -> dict[str, str]:
    return {"file": fault.file, "severity": fault.severity.value, "message": fault.message}


def _print(report: _Report) -> None:
    from rich.table import Table
    from rich.text import Text

    from proxy.cli.complaint import number
    from proxy.cli.screen import errors, output
    from proxy.errors import Severity

    for fault in report.faults:
        colour = "bold red" if fault.severity is Severity.ERROR else "bold yellow"
        errors().print(Text.assemble((fault.file, colour), f": {fault.message}"))
    console = output()
    if report.certificates:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in HEADINGS:
            table.add_column(heading)
        for certificate in report.certificates:
            table.add_row(
                _named(certificate.names) or ("(any)" if certificate is report.default else "(none)"),
                _expiry(certificate, report),
                "itself" if certificate.is_self_signed else certificate.issuer,
                certificate.file,
            )
        console.print(table)
        console.print()
    if report.lacking:
        console.print(Text.assemble(("without a certificate  ", "bold red"), ", ".join(report.lacking)))
    if idle := report.idle:
        files = ", ".join(certificate.file for certificate in idle)
        console.print(Text.assemble(("without a host  ", "bold yellow"), files))
    hosts = number(len(report.hosts), "host")
    console.print(f"{number(len(report.certificates), 'certificate')}; {hosts}, {len(report.lacking):,} without one")


def _expiry(certificate: Certificate, report: _Report) -> Any:  # noqa: ANN401 - rich is imported when it is used
    from rich.text import Text

    from proxy.cli.complaint import number

    days = report.days_left(certificate)
    day = _instant(certificate.ends)[:10]
    if report.now >= certificate.ends:
        return Text(f"{day}  expired", "bold red")
    colour = "bold yellow" if certificate.concern(report.now) is not None else ""
    return Text(f"{day}  {number(days, 'day')}", colour)


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _instant(seconds: float) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
