"""What a browser visits: the demo, and made-up sites whose pages are as strict, foreign or broken as a test needs.

Both stand on one server, whose clock shows `NOW`. A browser finds `po.co.localhost` on loopback by itself.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aiohttp import web

from proxy.cli.demo import SUFFIX, shipped_rules
from proxy.core.model import KeepPath, Notice, Origin, Site
from proxy.core.rulebook import Rulebook
from proxy.core.schedule import Schedule
from proxy.core.target import parse_target
from proxy.demo.origin import old_shop
from proxy.demo.shop import Shop
from proxy.demo.stage import LOOPBACK, free
from proxy.edge.configuration.settings import Endpoint, Settings
from proxy.edge.server import Server
from proxy.errors import Place
from proxy.rulebook.load import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW = datetime(2024, 10, 15, 12, tzinfo=UTC)
"""In the phase `notice` of every shipped site."""

_CAIRO = ZoneInfo("Africa/Cairo")
_SCHEDULE = Schedule(
    {
        "notice": datetime(2024, 10, 9, tzinfo=_CAIRO).astimezone(UTC),
        "cutover": datetime(2024, 12, 31, tzinfo=_CAIRO).astimezone(UTC),
    }
)
_CLOSED = Schedule({"cutover": datetime(2024, 1, 1, tzinfo=UTC)})

ARABIC = Notice(
    message="ينتقل هذا المتجر إلى موقع جديد. يُغلق هذا الموقع في {cutover}.",
    link="ما الذي يتغير بالنسبة لك",
    pages={
        "ar": "# ينتقل المتجر إلى موقع جديد\n\nيُغلق هذا الموقع في **{cutover}**. تبقى [ضماناتكم](/warranty) سارية.\n\n"
        "- احفظوا سجل طلباتكم\n- نزّلوا بياناتكم"
    },
    dismissible=True,
)
ENGLISH = Notice(
    message="This shop is moving. It closes on {cutover}.",
    link="What changes for you",
    pages={"en": "# Moving\n\nIt closes on {cutover}."},
    dismissible=True,
)

ARABIC_PAGE = """<!doctype html><html lang="ar" dir="rtl"><head><meta charset="utf-8"><title>المتجر القديم</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>المتجر القديم</h1><p>أهلاً بكم في متجرنا. نبيع الهواتف والسماعات منذ سنوات طويلة.</p></main>
</body></html>"""
STRICT_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Strict</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>A page with a policy</h1><p>It allows as little as it can.</p></main></body></html>"""
LOUD_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Loud</title><style>
* { color: #0f0 !important; font-size: 40px !important; letter-spacing: 9px; text-transform: uppercase }
body { display: flex; direction: rtl; margin: 60px } a { background: #f00 !important; display: block }
aside, p, div { position: absolute !important; float: left; opacity: .1; width: 10px }
</style></head><body><main>A page that shouts</main></body></html>"""
GUARDED_PAGE = STRICT_PAGE.replace(
    "<title>", """<meta http-equiv="Content-Security-Policy" content="style-src 'none'"><title>"""
)
PAGES = {
    "arabic.example": ARABIC_PAGE,
    "strict.example": STRICT_PAGE,
    "loud.example": LOUD_PAGE,
    "guarded.example": GUARDED_PAGE,
}


def made_up(origin: Origin, nowhere: Origin) -> list[Site]:
    """The sites that are not in the demo; nobody answers at `nowhere`."""
    home = parse_target("https://new.example/shop")
    place = Place("made-up.yaml", 1, 1)

    def moving(name: str, **more: Any) -> Site:
        keys: dict[str, Any] = {"timezone": _CAIRO, "schedule": _SCHEDULE, "notice": ENGLISH, "origins": (origin,)}
        return Site(name, (f"{name}.example",), place, moves_to=home, unmapped=KeepPath(), **(keys | more))

    def closed(name: str, base: bytes, language: str) -> Site:
        return Site(name, ("over.example",), place, base=base, language=language, schedule=_CLOSED, moves_to=home)

    return [
        moving("arabic", language="ar", notice=ARABIC),
        moving("strict"),
        moving("guarded"),
        moving("loud"),
        moving("broken", origins=(nowhere,)),
        closed("over-fr", b"/fr", "fr"),
        closed("over-ar", b"/ar", "ar"),
    ]


async def page_of(request: web.Request) -> web.Response:
    """The page of the asked host, with the fields that its query names: `?Content-Security-Policy=…`."""
    page = PAGES[request.host.partition(":")[0]]
    return web.Response(text=page, content_type="text/html", headers=request.query)


@asynccontextmanager
async def stage() -> AsyncIterator[Server]:
    """A server with all sites on it, and what it forwards to."""
    endpoint = free(Endpoint(LOOPBACK, 0))
    demo = load(shipped_rules())
    strange = web.Application()
    strange.router.add_get("/{path:.*}", page_of)
    async with AsyncExitStack() as running:
        origins = []
        for application in (old_shop(Shop(demo), f"{SUFFIX}:{endpoint.port}"), strange):
            runner = web.AppRunner(application, access_log=None, handle_signals=False)
            await runner.setup()
            running.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, LOOPBACK, 0).start()
            origins.append(Origin("http", LOOPBACK, runner.addresses[0][1]))
        nowhere = Origin("http", LOOPBACK, free(Endpoint(LOOPBACK, 0)).port)
        sites = [*(replace(site, origins=(origins[0],)) for site in demo.sites), *made_up(origins[1], nowhere)]
        rulebook = Rulebook(sites, (*demo.targets, "new.example"), generation="test")
        settings = Settings(listen=(endpoint,), admin=None, at=NOW, preview_suffix=SUFFIX)
        yield await running.enter_async_context(Server(rulebook, settings))
