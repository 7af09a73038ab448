"""The listener for machines and people of the house: metrics, and whether the server lives and is ready.

It listens on loopback unless told otherwise, and on any other address asks for a token: metrics tell what a company is
about to do. A browser on the same machine is kept out too: a page that had its own name answered with 127.0.0.1 would
send that name as Host, and only addresses, localhost, and a token are good here.
"""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import TYPE_CHECKING

from aiohttp import web

from proxy.edge.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proxy.edge.metrics import Metrics
    from proxy.edge.settings import Endpoint

TOKEN_VARIABLE = "SUNSET_ADMIN_TOKEN"  # noqa: S105 - the name of one
SHORTEST_TOKEN = 16

_OPEN = frozenset({"/livez", "/readyz"})


class Admin:
    """Answers on the admin listener."""

    def __init__(self, metrics: Metrics, endpoint: Endpoint, token: str) -> None:
        if not endpoint.is_loopback and not token:
            raise SettingsError(
                f"the admin listener on {endpoint} can be reached from elsewhere, so it needs a token: "
                f"set {TOKEN_VARIABLE}, or let it listen on 127.0.0.1"
            )
        if token and len(token) < SHORTEST_TOKEN:
            raise SettingsError(f"{TOKEN_VARIABLE} needs {SHORTEST_TOKEN} characters or more")
        self._metrics = metrics
        self._token = token.encode()
        self.ready = False

    def application(self) -> web.Application:
        """What the listener serves."""
        application = web.Application(middlewares=[self._guard])
        application.router.add_get("/metrics", self._show_metrics)
        application.router.add_get("/livez", self._show_life)
        application.router.add_get("/readyz", self._show_readiness)
        return application

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.path not in _OPEN and not self._may_read(request):
            return web.Response(status=401, text="unauthorized\n", headers={"WWW-Authenticate": "Bearer"})
        return await handler(request)

    def _may_read(self, request: web.Request) -> bool:
        if not self._token:
            return _is_no_name(request.headers.get("Host", ""))
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            given.strip().encode("utf-8", "surrogateescape"), self._token
        )

    async def _show_metrics(self, request: web.Request) -> web.Response:
        body, content_type = self._metrics.document(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})

    async def _show_life(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _show_readiness(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n") if self.ready else web.Response(status=503, text="not ready\n")


def _is_no_name(host: str) -> bool:
    """Whether a Host is an address or localhost: nobody can have those resolve to something else."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name.lower() == "localhost":
        return True
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
