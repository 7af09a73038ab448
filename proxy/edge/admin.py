"""The listener for machines and people of the house: metrics, how the server stands, and a bell to ring for a reload.

Nothing here changes a rule: a reload reads the folder that the server was started with, and no other.

It listens on loopback unless told otherwise, and on any other address asks for a token: metrics tell what a company is
about to do. A browser on the same machine is kept out too: a page that had its own name answered with 127.0.0.1 would
send that name as Host, and only addresses, localhost, and a token are good here.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import asdict
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from proxy import __version__
from proxy.edge.configuration.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from proxy.edge.configuration.settings import Endpoint
    from proxy.edge.house import House
    from proxy.edge.metrics import Metrics
    from proxy.edge.outline import SiteOutline

TOKEN_VARIABLE = "SUNSET_ADMIN_TOKEN"  # noqa: S105 - the name of one
SHORTEST_TOKEN = 16
LARGEST_BODY = 1024
FEW_HITS = 100
MANY_HITS = 10_000

_OPEN = frozenset({"/livez", "/readyz"})


def demand_token(endpoint: Endpoint | None, token: str) -> None:
    """See to it that no admin listener that others can reach is without a token. Raises `SettingsError`."""
    if endpoint is None:
        return
    token = token.strip()
    if not endpoint.is_loopback and not token:
        raise SettingsError(
            f"the admin listener on {endpoint} can be reached from elsewhere, so it needs a token: "
            f"set {TOKEN_VARIABLE}, or let it listen on 127.0.0.1"
        )
    if token and len(token) < SHORTEST_TOKEN:
        raise SettingsError(f"{TOKEN_VARIABLE} needs {SHORTEST_TOKEN} characters or more")
    if not token.isprintable():
        raise SettingsError(f"{TOKEN_VARIABLE} holds a character that cannot be sent in a header field")


class Admin:
    """Answers on the admin listener."""

    def __init__(self, metrics: Metrics, house: House, token: str) -> None:
        self._metrics = metrics
        self._house = house
        self._token = token.strip().encode()  # files of secrets often end with a line's end

    def application(self) -> web.Application:
        """What the listener serves."""
        application = web.Application(middlewares=[self._guard], client_max_size=LARGEST_BODY)
        application.router.add_get("/metrics", self._show_metrics)
        application.router.add_get("/livez", self._show_life)
        application.router.add_get("/readyz", self._show_readiness)
        application.router.add_get("/status", self._show_status)
        application.router.add_get("/hits", self._show_hits)
        application.router.add_post("/reload", self._reload)
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
        await self._house.catch_up()
        body, content_type = self._metrics.document(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})

    async def _show_life(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _show_readiness(self, _request: web.Request) -> web.Response:
        status = self._house.status
        if not status.ready:
            return web.Response(status=503, text=f"not ready: {status.stage}\n")
        failed = status.reload
        if failed is None or failed.ok:
            return web.Response(text="ok\n")
        return web.Response(
            text=f"ok, but the reload of {failed.at:%Y-%m-%d %H:%M:%S} UTC was refused, "
            f"generation {status.generation} stays: {failed.message}\n"
        )

    async def _show_status(self, _request: web.Request) -> web.Response:
        await self._house.catch_up()
        return _json(report_of(self._house))

    async def _show_hits(self, request: web.Request) -> web.Response:
        """The addresses that were asked for most since the desk was started: as many as `most` says."""
        most = request.query.get("most", str(FEW_HITS))
        if not (most.isascii() and most.isdigit() and len(most) <= len(str(MANY_HITS)) and 0 < int(most) <= MANY_HITS):
            return web.Response(status=400, text=f"most is a number from 1 to {MANY_HITS}\n")
        await self._house.catch_up()
        visited = self._house.visited
        top = [{**address._asdict(), "hits": hits} for address, hits in visited.top(int(most))]
        return _json({"addresses": top, "others": visited.others})

    async def _reload(self, request: web.Request) -> web.Response:
        """Load the rules anew. A form of another site in somebody's browser cannot send this content type."""
        if request.content_type != "application/json":
            return web.Response(status=415, text="send application/json\n")
        try:
            asked = ReloadForm.model_validate_json(await request.read() or b"{}")
        except ValidationError:
            return web.Response(status=400, text='send {} or {"allow_shrink": true}\n')
        verdict = await self._house.reload(allow_shrink=asked.allow_shrink)
        return _json(verdict, 200 if verdict.ok else 409)


class ReloadForm(BaseModel):
    """The body of a request for a reload."""

    model_config = ConfigDict(extra="forbid")

    allow_shrink: bool = False


def report_of(house: House) -> dict[str, Any]:
    """How the server stands, for programs."""
    status, outline, now = house.status, house.outline, house.clock.now()
    return {
        "version": __version__,
        "pid": os.getpid(),
        "stage": status.stage,
        "ready": status.ready,
        "now": now,
        "since": status.since,
        "generation": status.generation,
        "loaded": status.loaded,
        "rules": status.rules,
        "listeners": {name: list(map(str, endpoints)) for name, endpoints in house.listeners.items()},
        "sites": [] if outline is None else [_site(site, now) for site in outline.sites],
        "workers": [
            {**asdict(worker), "state": worker.state, "connections": house.connections.get(worker.pid)}
            for worker in status.workers
        ],
        "restarts": status.restarts,
        "reload": status.reload,
    }


def _site(site: SiteOutline, now: datetime) -> dict[str, Any]:
    following = site.next_after(now)
    return {
        "site": site.name,
        "hosts": site.hosts,
        "base": site.base,
        "phase": site.phase_at(now),
        "next": None if following is None else {"milestone": following[0], "at": following[1]},
        "rules": site.rules,
        "mapped": site.mapped,
    }


def _json(content: object, status: int = 200) -> web.Response:
    body = orjson.dumps(content, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
    return web.Response(
        status=status, body=body, headers={"Content-Type": "application/json", "Cache-Control": "no-store"}
    )


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
