"""What was tried, what came of it, and when it may be tried again: in a file, so that a restart does not forget.

Authorities count failures and shut out who tries too often. An attempt counts as failed before it begins, and that is
taken back when it succeeds: a process that is killed again and again in the middle of one waits as well.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from proxy.acme.private import write_private

if TYPE_CHECKING:
    from pathlib import Path

FIRST_PAUSE: Final = 15 * 60.0
"""Seconds after the first failure; each further one doubles them. Let's Encrypt takes five failures an hour."""
LONGEST_PAUSE: Final = 24 * 3600.0
_DOUBLINGS: Final = 10
"""After which a pause is the longest in any case. A host may fail every day for years: nobody looks at it any more."""


@dataclass
class Attempt:
    """What is known of one host. Times are in seconds since 1970."""

    failures: int = 0
    """In a row, with the one that is under way."""
    not_before: float = 0.0
    """When it may be tried again."""
    error: str = ""
    """What went wrong last."""
    serial: str = ""
    """Of the certificate that the following is about."""
    renew_at: float = 0.0
    ask_again_at: float = 0.0
    """When the authority wants to be asked again for the time of renewal."""


@dataclass
class Attempts:
    """The attempts of all hosts, kept in `file`."""

    file: Path
    of_hosts: dict[str, Attempt] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Attempts:
        """What the file says; nothing where there is none, or none that can be read."""
        try:
            written: dict[str, dict[str, Any]] = json.loads(file.read_bytes())
            return cls(file, {host: Attempt(**attempt) for host, attempt in written.items()})
        except (OSError, ValueError, TypeError, AttributeError):
            return cls(file)

    def of(self, host: str) -> Attempt:
        """What is known of a host."""
        return self.of_hosts.setdefault(host, Attempt())

    def begin(self, host: str, now: float) -> None:
        """An attempt begins."""
        attempt = self.of(host)
        attempt.not_before = now + min(FIRST_PAUSE * 2 ** min(attempt.failures, _DOUBLINGS), LONGEST_PAUSE)
        attempt.failures += 1
        self.write()

    def fail(self, host: str, error: str, not_before: float) -> None:
        """It has failed. The authority does not want to be asked again before that time."""
        attempt = self.of(host)
        attempt.error = error
        attempt.not_before = max(attempt.not_before, not_before)
        self.write()

    def succeed(self, host: str) -> None:
        """It has not."""
        if self.of(host) != Attempt():
            self.of_hosts[host] = Attempt()
            self.write()

    def forget(self, hosts: set[str]) -> None:
        """Keep nothing but what is known of `hosts`."""
        gone = self.of_hosts.keys() - hosts
        for host in gone:
            del self.of_hosts[host]
        if gone:
            self.write()

    def write(self) -> None:
        """Put the file in place."""
        written = {host: asdict(attempt) for host, attempt in sorted(self.of_hosts.items()) if attempt != Attempt()}
        write_private(self.file, json.dumps(written, indent=1).encode())
