"""The old shop's server: what Sunset forwards to in a demo. It keeps nothing; a cart lives in the visitor's cookie.

It finds the visitor's region as Sunset does, by host and path. To a visitor its hosts have other names than it knows
itself (`po.co.localhost:8080`), so what stands behind a host in a link is told to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from proxy.core.url import split_query
from proxy.demo.pages import Pages

if TYPE_CHECKING:
    from proxy.demo.shop import Region, Shop

COOKIE: Final = "cart"
MAX_ITEMS: Final = 20
SERVER: Final = "old-shop"
API_VERSION: Final = "v1"


def old_shop(shop: Shop, behind: str = "") -> web.Application:
    """The shop as a server; `behind` (`.localhost:8080`) follows the host of every link to another host."""
    application = web.Application()
    application.on_response_prepare.append(_sign)
    application.router.add_route("*", "/{path:.*}", _Origin(shop, behind).answer)
    return application


class _Origin:
    def __init__(self, shop: Shop, behind: str) -> None:
        self._shop = shop
        self._behind = behind

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The page at an address."""
        raw_target = request.raw_path.encode("utf-8", "surrogateescape")
        path = split_query(raw_target)[0].decode("latin-1").rstrip("/")
        site = self._shop.site_at(request.host, raw_target)
        if site is None:
            return web.Response(status=404, text="The old shop has no site of that name.\n")
        regions = self._shop.regions_of(site)
        region = self._shop.region_at(site, path)
        homes = {
            f"{other.host}{other.path}": f"//{other.host}{self._behind}{other.home}"
            for other in self._shop.regions
            if other is not region
        }
        if region is None:
            pages = Pages(self._shop, regions[0], homes)
            if path:
                return _html(pages.not_found(), 404)
            return _html(pages.regions({region.title: region.home for region in regions}))
        if path == region.api or path.startswith(f"{region.api}/"):
            return _api(region, path.removeprefix(region.api).removeprefix(f"/{API_VERSION}"))
        if request.method == "POST" and path.startswith(f"{region.cart}/"):
            return await _change_cart(request, region, path.removeprefix(f"{region.cart}/"))
        page = self._page(Pages(self._shop, region, homes), path, raw_target, request.cookies.get(COOKIE, ""))
        return _html(page) if page is not None else _html(Pages(self._shop, region, homes).not_found(), 404)

    def _page(self, pages: Pages, path: str, raw_target: bytes, cookie: str) -> str | None:
        region = pages.region
        match path.removeprefix(region.path):
            case "":
                return pages.home()
            case "/products":
                return pages.products()
            case "/support":
                return pages.support()
            case "/cart":
                return pages.cart([product for slug in cookie.split(".") if (product := region.product(slug))])
            case "/cart/checkout":
                return pages.checkout()
        for product in region.products:
            if path == product.path:
                return pages.product(product)
            if path == f"{product.path}/specs":
                return pages.specs(product)
        return pages.article(path) if self._shop.is_page(region, raw_target) else None


async def _change_cart(request: web.Request, region: Region, action: str) -> web.Response:
    """Puts a product into the cart, or empties it, and shows the cart."""
    items: list[str] = []
    if action == "add":
        form = await request.post()
        kept = request.cookies.get(COOKIE, "").split(".")
        items = [slug for slug in [*kept, str(form.get("item", ""))] if region.product(slug)][-MAX_ITEMS:]
    response = web.Response(status=303, headers={"Location": region.cart})
    response.set_cookie(COOKIE, ".".join(items), path=region.home, httponly=True, samesite="Lax")
    return response


def _api(region: Region, path: str) -> web.Response:
    """What the shop's app asks for."""
    products = [{"id": item.slug, "name": item.name, "price_eur": item.price} for item in region.products]
    match path:
        case "" | "/products":
            return web.json_response({"region": region.title, "products": products})
        case "/orders":
            orders = [{"id": 20417, "state": "shipped", "items": [item["id"] for item in products[:2]]}]
            return web.json_response({"region": region.title, "orders": orders})
        case _:
            return web.json_response({"error": "not found"}, status=404)


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "max-age=600"})


async def _sign(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = SERVER
