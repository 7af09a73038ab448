"""Which of a site's origins is asked: each in its turn, and for a while none that has failed.

Health is what requests have shown, not what probes say. An origin that could not be reached, or that did not answer in
time, is left out for `Timeouts.left_out`; then the next request tries it again. Where all are left out, all are tried,
the one that has waited longest first: an origin that may be well is better than none.

While no byte of a request has been sent, whatever its method, it can go to another origin; so it does when connecting
fails. Later only what does not change anything is sent a second time (RFC 9110 section 9.2.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.edge.origins.faults import Reason, UpstreamError

if TYPE_CHECKING:
    from proxy.core.model import Origin, Site
    from proxy.edge.clock import Clock
    from proxy.edge.configuration.settings import Settings
    from proxy.edge.counts import Counts
    from proxy.edge.log import Sampled
    from proxy.edge.origins.exchange import Exchange
    from proxy.edge.origins.upstream import Upstream


class Origins:
    """Chooses origins, and remembers how they did."""

    def __init__(
        self, upstream: Upstream, *, settings: Settings, clock: Clock, counts: Counts, sampled: Sampled
    ) -> None:
        self._upstream = upstream
        self._settings = settings
        self._clock = clock
        self._counts = counts
        self._sampled = sampled
        self._turns: dict[tuple[Origin, ...], int] = {}
        self._left_out: dict[Origin, float] = {}
        """Until when, in steady seconds."""

    async def open(self, site: Site) -> Exchange:
        """A connection to one of the site's origins. Raises the last one's `UpstreamError` where all fail."""
        return await self._open(site, self._in_turn(site.origins))

    async def open_again(self, site: Site, failed: Exchange) -> Exchange | None:
        """A connection for a request that `failed` without an answer; `None` where it would meet the same end.

        An origin may close an idle connection just as it is used: then the same origin is asked, on a fresh one.
        """
        if failed.reused:
            return await self._upstream.open(failed.origin, site, fresh=True)
        self._leave_out(failed.origin)
        others = [origin for origin in self._in_turn(site.origins) if origin != failed.origin]
        if not others:
            return None
        self._passed_over(site, failed.origin, UpstreamError(Reason.DISCONNECTED))
        return await self._open(site, others)

    def answered_too_late(self, origin: Origin) -> None:
        """An origin took a request, and gave no answer in time."""
        self._leave_out(origin)

    async def _open(self, site: Site, origins: list[Origin]) -> Exchange:
        if not origins:
            raise UpstreamError(Reason.NO_ORIGIN)
        *others, last = origins
        for origin in others:
            try:
                return await self._try(site, origin)
            except UpstreamError as error:
                self._passed_over(site, origin, error)
        return await self._try(site, last)

    async def _try(self, site: Site, origin: Origin) -> Exchange:
        try:
            exchange = await self._upstream.open(origin, site)
        except UpstreamError:
            self._leave_out(origin)
            raise
        if self._left_out and not exchange.reused:
            self._left_out.pop(origin, None)
        return exchange

    def _in_turn(self, origins: tuple[Origin, ...]) -> list[Origin]:
        """All of them, the best to ask first."""
        if len(origins) < 2:
            return list(origins)
        turn = self._turns.get(origins, 0) % len(origins)
        self._turns[origins] = turn + 1
        now, left_out = self._clock.steady(), self._left_out
        return sorted(
            origins[turn:] + origins[:turn],
            key=lambda origin: until if (until := left_out.get(origin, 0.0)) > now else 0.0,
        )

    def _leave_out(self, origin: Origin) -> None:
        self._left_out[origin] = self._clock.steady() + self._settings.timeouts.left_out

    def _passed_over(self, site: Site, origin: Origin, error: UpstreamError) -> None:
        self._counts.upstream_failed(site.name, error.reason)
        self._sampled.warning("origin passed over:", f"{site.name}: {origin}: {error.reason}")
