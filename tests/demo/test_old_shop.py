"""The old shop alone, made from rulebooks that are made here: what it sells, and that its pages hold together."""

import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from aiohttp.web import Application

from proxy.core.mapping import MappingTable
from proxy.core.model import AnswerGone, KeepPath, RedirectTo, Rule, Site
from proxy.core.pattern import parse_path
from proxy.core.rulebook import Rulebook
from proxy.core.schedule import Schedule, Window
from proxy.core.target import parse_target
from proxy.demo.origin import old_shop
from proxy.demo.shop import Shop
from proxy.errors import Place

CUTOVER = datetime(2030, 1, 1, tzinfo=UTC)
HOME = parse_target("https://new.example")

Client = TestClient[Any, Any]
MakeClient = Callable[[Application], Coroutine[Any, Any, Client]]


def rule(order: int, path: str, action: RedirectTo | AnswerGone) -> Rule:
    return Rule(parse_path(path), action, path, Place("a.yaml", order), order, window=Window(CUTOVER))


def mapping(*paths: bytes) -> MappingTable:
    return MappingTable.of("a.csv", [(path, b"https://new.example/x") for path in paths])


def site(name: str, hosts: tuple[str, ...], base: bytes = b"", **more: Any) -> Site:
    schedule = Schedule({"cutover": CUTOVER})
    return Site(name, hosts, Place("a.yaml"), base=base, schedule=schedule, moves_to=HOME, unmapped=KeepPath(), **more)


TO = RedirectTo(HOME)
RULEBOOK = Rulebook(
    [
        site(
            "acme-world",
            ("acme.example", "www.acme.example"),
            rules=(
                rule(0, "/{land}/app/api/*", AnswerGone()),
                rule(1, "/{land}/club/*", TO),
                rule(2, "/{land}/news/{slug}", TO),
            ),
            mappings=mapping(
                b"/de/goods/acme-rocket-2", b"/de/goods/acme-rocket-2/specs", b"/es/goods/acme-glue", b"/about"
            ),
        ),
        site(
            "acme-fr",
            ("acme.example",),
            b"/fr",
            language="fr-CA",
            rules=(rule(0, "/fr/histoire", TO),),
            mappings=mapping(b"/fr/outils/acme-nfc-tnt"),
        ),
        site("acme-us", ("us.acme.example",), pass_through=True),
    ],
    ["new.example"],
)


@pytest.fixture
async def shop(aiohttp_client: MakeClient) -> Client:
    return await aiohttp_client(old_shop(Shop(RULEBOOK), ".localhost:8080"))


async def get(client: Client, host: str, path: str, **more: Any) -> ClientResponse:
    return await client.get(path, headers={"Host": host}, allow_redirects=False, **more)


def test_regions_are_bases_and_where_there_is_none_the_beginnings_of_old_addresses() -> None:
    assert [(region.site.name, region.path, region.title) for region in Shop(RULEBOOK).regions] == [
        ("acme-world", "/de", "DE"),
        ("acme-world", "/es", "ES"),
        ("acme-fr", "/fr", "FR"),
        ("acme-us", "", "US"),
    ]


def test_every_region_sells_everything_its_own_goods_at_their_old_addresses() -> None:
    shop = Shop(RULEBOOK)
    sold = {region.path: {product.name: product.path for product in region.products} for region in shop.regions}
    assert sold["/fr"] == {
        "ACME NFC TNT": "/fr/outils/acme-nfc-tnt",
        "ACME Rocket 2": "/fr/goods/acme-rocket-2",
        "ACME Glue": "/fr/goods/acme-glue",
    }
    assert sold[""]["ACME NFC TNT"] == "/goods/acme-nfc-tnt"


def test_programs_ask_where_the_rules_say_gone() -> None:
    assert [region.api for region in Shop(RULEBOOK).regions] == ["/de/app/api", "/es/app/api", "/fr/api", "/api"]


PAGES = [
    ("acme.example", "/", 200, "Choose your region"),
    ("acme.example:8080", "/de/", 200, "ACME"),
    ("www.acme.example", "/de", 200, "ACME"),
    ("acme.example", "/de/products", 200, "ACME Rocket 2"),
    ("acme.example", "/de/goods/acme-rocket-2/", 200, "ACME Rocket 2"),
    ("acme.example", "/de/goods/acme-rocket-2/specs", 200, "AMOLED"),
    ("acme.example", "/de/cart", 200, "Your cart is empty."),
    ("acme.example", "/de/support", 200, "How can we help you?"),
    ("acme.example", "/de/club", 200, "Club"),
    ("acme.example", "/de/news/rocket-landed", 200, "Rocket Landed"),
    ("acme.example", "/fr/", 200, "Tous les produits"),
    ("acme.example", "/fr/histoire", 200, "Histoire"),
    ("us.acme.example", "/", 200, "ACME"),
    ("acme.example", "/de/nothing-here", 404, "This page does not exist"),
    ("acme.example", "/pt/", 404, "This page does not exist"),
    ("acme.example", "/fr/rien", 404, "existe pas"),
    ("elsewhere.example", "/", 404, "no site"),
    ("acme.example", "/de/app/api/v1/products", 200, '"id": "acme-rocket-2"'),
    ("acme.example", "/de/app/api/v1/orders", 200, '"orders"'),
    ("acme.example", "/de/app/api/v1/secrets", 404, '"error"'),
]


@pytest.mark.parametrize(("host", "path", "status", "words"), PAGES)
async def test_a_page(shop: Client, host: str, path: str, status: int, words: str) -> None:
    response = await get(shop, host, path)
    assert (response.status, words in unescape(await response.text())) == (status, True)


async def test_every_link_leads_to_a_page(shop: Client) -> None:
    queue = [("acme.example", "/"), ("us.acme.example", "/")]
    seen = set(queue)
    while queue:
        host, path = queue.pop()
        response = await get(shop, host, path)
        assert response.status == 200, f"{host}{path}"
        for other, link in re.findall(r'(?:href|action)="(?://([^/"]+))?(/[^"]*)"', await response.text()):
            address = (other.removesuffix(".localhost:8080") or host, link)
            if address not in seen and not address[1].endswith(("/cart/add", "/cart/empty")):
                seen.add(address)
                queue.append(address)
    assert len(seen) > 30


async def test_a_link_to_another_host_is_one_that_a_visitor_can_follow(shop: Client) -> None:
    page = await (await get(shop, "acme.example", "/de/")).text()
    assert 'href="//us.acme.example.localhost:8080/"' in page


async def change_cart(client: Client, action: str, item: str, cart: str) -> str:
    """The cookie after a form of the cart was sent."""
    headers = {"Host": "acme.example", "Cookie": f"cart={cart}"}
    response = await client.post(f"/de/cart/{action}", data={"item": item}, headers=headers, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/de/cart")
    return response.cookies["cart"].value


async def test_a_cart_is_filled_shown_and_emptied(shop: Client) -> None:
    cart = await change_cart(shop, "add", "acme-glue", "")
    cart = await change_cart(shop, "add", "no-such-thing", cart)
    assert cart == "acme-glue"
    shown = await shop.get("/de/cart", headers={"Host": "acme.example", "Cookie": f"cart={cart}.no-such-thing"})
    page = await shown.text()
    assert "ACME Glue" in page
    assert "no-such-thing" not in page
    assert await change_cart(shop, "empty", "", cart) == ""


async def test_a_rulebook_without_mappings_still_makes_a_shop(aiohttp_client: MakeClient) -> None:
    client = await aiohttp_client(old_shop(Shop(Rulebook([site("bare", ("bare.example",))], ["new.example"]))))
    assert (await get(client, "bare.example", "/")).status == 200
    assert (await get(client, "bare.example", "/products")).status == 200
