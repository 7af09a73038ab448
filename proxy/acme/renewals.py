"""Rounds: which hosts want a certificate, and what becomes of asking for it.

A host wants one where no other certificate has its name, as long as a rule file names it. Ours are renewed when the
authority says so (ARI, RFC 9773), else when two thirds of their time are over. One host that fails pauses alone, and
ever longer; an authority that fails pauses everything.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.acme.authority import AuthorityFailed, HostRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.acme.archive import Archive
    from proxy.acme.attempts import Attempts
    from proxy.acme.authority import Authority
    from proxy.edge.clock import Clock
    from proxy.edge.tls.certificate import Certificate
    from proxy.edge.tls.certificates import Certificates
    from proxy.edge.tls.challenges import Challenges

PATIENCE: Final = 120.0
"""Seconds for one certificate, from the order to its end."""
THE_AUTHORITY: Final = ""
"""Stands among hosts for the authority itself."""
LONGEST_BETWEEN_QUESTIONS: Final = 24 * 3600.0
LATEST: Final = 24 * 3600.0
"""Seconds before its end at which a certificate is renewed, whatever the authority says; of a short life a sixth."""

log = logging.getLogger("sunset")


class Round(NamedTuple):
    """What came of one round. `lacking` are hosts without a certificate that is valid now."""

    issued: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    next_at: float = 0.0
    """When the next one is due, in seconds since 1970."""


@dataclass
class Renewals:
    """The certificates of hosts, asked for and renewed. `connect` gives the authority, and raises `AuthorityFailed`."""

    certificates: Certificates
    archive: Archive
    attempts: Attempts
    challenges: Challenges
    connect: Callable[[], Authority]
    clock: Clock
    _told: set[str] = field(default_factory=set)

    def round(self, hosts: Iterable[str]) -> Round:
        """Ask for what is wanted and may be tried now."""
        self.certificates.refresh()
        wanted = [host for host in dict.fromkeys(hosts) if self._is_wanted(host)]
        self.attempts.forget({*wanted, THE_AUTHORITY})
        now = self.clock.timestamp()
        issued, failed = self._try([host for host in wanted if self._next(host) <= now])
        if issued:
            self.certificates.refresh()
        now = self.clock.timestamp()
        lacking = [host for host in wanted if not self._is_covered(host, now)]
        next_at = min((self._next(host) for host in wanted), default=now + LONGEST_BETWEEN_QUESTIONS)
        return Round(tuple(issued), tuple(failed), tuple(lacking), max(next_at, self._paused_until()))

    def _try(self, hosts: list[str]) -> tuple[list[str], list[str]]:
        issued: list[str] = []
        failed: list[str] = []
        if not hosts or self._paused_until() > self.clock.timestamp():
            return issued, failed
        try:
            authority = self.connect()
            # Should it be one host at which the authority fails, all others have had their turn before that.
            for host in sorted(hosts, key=lambda host: self.attempts.of(host).failures):
                if not self._is_due(host, authority):
                    continue
                (issued if self._obtain(host, authority) else failed).append(host)
                self.attempts.succeed(THE_AUTHORITY)
        except AuthorityFailed as error:
            self.attempts.begin(THE_AUTHORITY, self.clock.timestamp())
            self.attempts.fail(THE_AUTHORITY, str(error), self.clock.timestamp() + error.wait)
            log.warning("acme: the authority fails: %s; asked again at %s", error, _time(self._paused_until()))
        else:
            self.attempts.succeed(THE_AUTHORITY)
        return issued, failed

    def _obtain(self, host: str, authority: Authority) -> bool:
        now = self.clock.timestamp()
        self.attempts.begin(host, now)
        # The library compares with what the machine's clock shows, without an offset.
        deadline = datetime.fromtimestamp(now + PATIENCE)  # noqa: DTZ006
        try:
            issued = authority.issue(host, self.challenges, deadline)
        except HostRefused as refused:
            self.attempts.fail(host, str(refused), now + refused.wait)
            again = _time(self.attempts.of(host).not_before)
            log.warning("acme: no certificate for %s: %s; tried again at %s", host, refused, again)
            return False
        except AuthorityFailed as failed:
            self.attempts.fail(host, str(failed), now + failed.wait)
            raise
        self.archive.put(host, issued.chain, issued.key)
        self.attempts.succeed(host)
        log.info("acme: %s has a new certificate", host)
        return True

    def _is_wanted(self, host: str) -> bool:
        """Whether a certificate for a host is this process's to get."""
        now = self.clock.timestamp()
        name = host.encode()
        if any(
            other.covers(name) and other.is_valid(now) and not other.is_self_signed
            for other in self.certificates.all
            if not self.archive.is_ours(other.file)
        ):
            return False
        if not host.startswith("*."):
            return True
        if host not in self._told:
            self._told.add(host)
            log.warning("acme: %s has no certificate, and HTTP-01 gets none for a wildcard; put one there", host)
        return False

    def _paused_until(self) -> float:
        return self.attempts.of(THE_AUTHORITY).not_before

    def _ours(self, host: str) -> Certificate | None:
        file = self.archive.file(host)
        return (
            next((own for own in self.certificates.all if own.file == file), None) if self.archive.has(host) else None
        )

    def _is_due(self, host: str, authority: Authority) -> bool:
        """Whether there is none of this authority, or whether it should be renewed now."""
        own = self._ours(host)
        if own is None:
            return True
        now = self.clock.timestamp()
        attempt = self.attempts.of(host)
        if attempt.serial != own.serial or attempt.ask_again_at <= now:
            attempt.serial = own.serial
            attempt.renew_at, attempt.ask_again_at = _renewal(own, authority, now)
            self.attempts.write()
        return attempt.renew_at <= now

    def _next(self, host: str) -> float:
        """When something is to be done for a host."""
        attempt = self.attempts.of(host)
        own = self._ours(host)
        if own is None or attempt.serial != own.serial:
            return attempt.not_before
        return max(attempt.not_before, min(attempt.renew_at, attempt.ask_again_at))

    def _is_covered(self, host: str, now: float) -> bool:
        certificate = self.certificates.of(host.encode())
        return certificate is not None and certificate.is_valid(now)


def _renewal(own: Certificate, authority: Authority, now: float) -> tuple[float, float]:
    """When a certificate is renewed, and when the authority is asked again."""
    usual = own.begins + (own.ends - own.begins) * 2 / 3
    try:
        told, again = authority.renewal_time(own.chain)
    except AuthorityFailed:
        told, again = None, now + LONGEST_BETWEEN_QUESTIONS / 4
    renew_at = usual if told is None else min(told, own.ends - min(LATEST, (own.ends - own.begins) / 6))
    return renew_at, min(max(again, now + 60), now + LONGEST_BETWEEN_QUESTIONS)


def _time(instant: float) -> str:
    return f"{datetime.fromtimestamp(instant).astimezone():%Y-%m-%d %H:%M:%S}"
