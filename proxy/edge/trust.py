"""Trust: which neighbours are believed in what they say of a client, and which of their fields is."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from proxy.wire.forwarded import Kind, Provenance, provenance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.edge.configuration.settings import Settings
    from proxy.wire.head import Header
    from proxy.wire.proxy_protocol import Introduction


class Trust:
    """The networks of trusted proxies. Whether one covers a neighbour is asked once a connection."""

    def __init__(self, settings: Settings) -> None:
        self._networks = settings.trusted_proxies
        self._fields = settings.trusted_fields

    def covers(self, address: str) -> bool:
        """Whether a neighbour at that address is believed. Text that is no address never is."""
        if not self._networks:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def __bool__(self) -> bool:
        """Whether anybody is trusted at all."""
        return bool(self._networks)

    @property
    def is_plain(self) -> bool:
        """Whether what trusted proxies say of the scheme can mostly be told without parsing (`plain_scheme`)."""
        return self._fields is Kind.X_FORWARDED

    def believes(self, peer: str, introduction: Introduction | None) -> bool:
        """Whether the fields of what comes from `peer` are believed, which a balancer may have introduced.

        One that introduces nobody passes on what some client says, without a word of its own.
        """
        return (introduction is None or introduction.peer != "") and self.covers(peer)

    def provenance(self, own: Provenance, headers: Sequence[Header]) -> Provenance:
        """Where a request with those fields comes from, that a trusted neighbour has handed on.

        `own` is what is known of the neighbour itself.
        """
        return provenance(own.client, headers, secure=own.secure, kind=self._fields, is_trusted=self.covers)
