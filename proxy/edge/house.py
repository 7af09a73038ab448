"""What the admin listener shows, whoever knows it: the desk of a server of many processes, or a server that is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proxy.edge.clock import Clock
    from proxy.edge.configuration.settings import Endpoint
    from proxy.edge.outline import Outline
    from proxy.edge.status import Status
    from proxy.edge.tls.certificates import Certificates
    from proxy.edge.verdict import Verdict
    from proxy.edge.visited import Visited


class House(Protocol):
    """How a server stands, and a bell to ring for a reload."""

    @property
    def clock(self) -> Clock:
        """The clock that its rules go by."""

    @property
    def status(self) -> Status:
        """How far it is, with which workers."""

    @property
    def outline(self) -> Outline | None:
        """The rules in use; None while there are none."""

    @property
    def certificates(self) -> Certificates | None:
        """Those that it presents; None where it speaks no TLS."""

    @property
    def visited(self) -> Visited:
        """The addresses that were asked for most."""

    @property
    def listeners(self) -> Mapping[str, Sequence[Endpoint]]:
        """Where it listens, by what is spoken there."""

    @property
    def connections(self) -> Mapping[int, int]:
        """How many clients are connected, by process."""

    async def catch_up(self) -> None:
        """See to it that what was counted up to now is in the counts."""

    async def reload(self, *, allow_shrink: bool) -> Verdict:
        """Load the rules anew, and say what became of that."""
