"""What an origin can fail at, in the few words that metrics, logs and statuses are made of.

Exceptions of sockets, name lookup, TLS and parsers are translated into these where they come in, and nowhere else.
"""

from __future__ import annotations

from enum import StrEnum

from proxy.errors import SunsetError


class Reason(StrEnum):
    """What an origin did not do. These are label values of a metric: few, and fixed."""

    NO_ORIGIN = "no-origin"
    DNS = "dns"
    ADDRESS_REFUSED = "address-refused"
    CONNECT = "connect"
    CONNECT_TIMEOUT = "connect-timeout"
    TLS = "tls"
    DISCONNECTED = "disconnected"
    ANSWER_TIMEOUT = "answer-timeout"
    MALFORMED = "malformed"
    BROKEN_OFF = "broken-off"

    @property
    def is_timeout(self) -> bool:
        """Whether the origin may still be at it: 504 and not 502."""
        return self in {Reason.CONNECT_TIMEOUT, Reason.ANSWER_TIMEOUT}


class UpstreamError(SunsetError):
    """The origin is at fault."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
