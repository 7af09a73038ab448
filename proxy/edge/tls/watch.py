"""Looks at the files of certificates every few seconds, and says what it finds.

The look itself is a call of `stat` for each file, and happens on a thread: it waits for disks, while the loop does not.
Handshakes under way end with what they began with.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from proxy.errors import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.edge.tls.certificate import Fault
    from proxy.edge.tls.certificates import Certificates

MOST_NAMED = 10
"""Hosts without a certificate on one line of the log; `sunset certs` names all."""

log = logging.getLogger("sunset")


class CertificateWatch:
    """Keeps `certificates` up to date between `start` and `stop`.

    `every` is in seconds; `hosts` are those that there should be certificates for. Of several processes that look, one
    `tells` what it finds.
    """

    def __init__(
        self, certificates: Certificates, *, every: float, hosts: Iterable[str] = (), tells: bool = True
    ) -> None:
        self._certificates = certificates
        self._every = every
        self._tells = tells
        self._hosts = tuple(dict.fromkeys(hosts))
        self._lacking: list[str] = []
        self._told: frozenset[Fault] = frozenset()
        self._timer: asyncio.TimerHandle | None = None
        self._look: asyncio.Future[bool] | None = None

    def start(self) -> None:
        """Begin, and tell what is wrong now. Needs a running loop."""
        self._tell(self._certificates.faults)
        self._wait()

    def expect(self, hosts: Iterable[str]) -> None:
        """Other rules are in use, with these hosts."""
        self._hosts = tuple(dict.fromkeys(hosts))
        self._tell(self._certificates.faults)

    def stop(self) -> None:
        """Look no more; a look that is under way still ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._look is not None:
            self._look.remove_done_callback(self._looked)
            self._look = None

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._every, self._begin)

    def _begin(self) -> None:
        self._look = asyncio.get_running_loop().run_in_executor(None, self._certificates.refresh)
        self._look.add_done_callback(self._looked)

    def _looked(self, look: asyncio.Future[bool]) -> None:
        self._look = None
        self._wait()
        if look.result() and self._tells:
            log.info("certificates have changed; in use: %d", len(self._certificates.all))
        self._tell(self._certificates.faults)

    def _tell(self, faults: Iterable[Fault]) -> None:
        """Say what has not been said yet."""
        if not self._tells:
            return
        now = frozenset(faults)
        for fault in sorted(now - self._told):
            log.log(logging.ERROR if fault.severity is Severity.ERROR else logging.WARNING, "certificate: %s", fault)
        self._told = now
        lacking = self._certificates.lacking(self._hosts)
        if lacking and lacking != self._lacking:
            named = ", ".join(lacking[:MOST_NAMED])
            more = f" and {len(lacking) - MOST_NAMED} more" if len(lacking) > MOST_NAMED else ""
            log.warning("certificate: there is none for %s%s", named, more)
        self._lacking = lacking
