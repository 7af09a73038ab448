"""What trusted proxies say of a client, and what becomes of the same words from anybody else."""

from ipaddress import ip_network
from typing import Any

import pytest

from proxy.core.model import Https
from proxy.edge.configuration.settings import Limits, Settings
from proxy.edge.trust import Trust
from proxy.wire.forwarded import Kind
from tests.edge.peers import Client, Originating, Serving, ask, get
from tests.edge.sites import AFTER, BEFORE, forwarding, rulebook, site

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1"))
ELSEWHERE = (ip_network("192.0.2.0/24"),)
CLAIMS = (
    b"X-Forwarded-For: 192.0.2.1, 203.0.113.7",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Host: evil.example",
    b"Forwarded: for=198.51.100.9;host=evil.example;proto=https",
)


@pytest.mark.parametrize(
    ("address", "covered"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("fd00::1", True),
        ("fe80::1%eth0", True),
        ("2001:db8::1", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_trust_is_a_matter_of_networks(address: str, *, covered: bool) -> None:
    networks = tuple(map(ip_network, ("10.0.0.0/8", "192.0.2.7", "fd00::/8", "fe80::/10")))
    assert Trust(Settings(trusted_proxies=networks)).covers(address) is covered
    assert not Trust(Settings()).covers(address)


async def test_the_origin_is_told_the_client_and_every_proxy_on_the_way(
    serving: Serving, originating: Originating
) -> None:
    origin = await originating()
    server = await serving(rulebook(forwarding(origin.origin)), at=BEFORE, trusted_proxies=LOOPBACK)
    await ask(server, get(b"/", b"po.co", *CLAIMS))
    (received,) = origin.received
    assert received.all(b"X-Forwarded-For") == [b"192.0.2.1, 203.0.113.7, 127.0.0.1"]
    assert received.all(b"X-Forwarded-Proto") == [b"https"]
    assert received.all(b"X-Forwarded-Host") == [b"po.co"]
    assert received.all(b"Forwarded") == [b"for=192.0.2.1, for=203.0.113.7, for=127.0.0.1;host=po.co;proto=https"]


async def test_the_field_of_rfc_7239_goes_on_with_all_that_it_says(serving: Serving, originating: Originating) -> None:
    origin = await originating()
    settings: dict[str, Any] = {"trusted_proxies": LOOPBACK, "trusted_fields": Kind.FORWARDED}
    server = await serving(rulebook(forwarding(origin.origin)), at=BEFORE, **settings)
    await ask(server, get(b"/", b"po.co", *CLAIMS))
    (received,) = origin.received
    assert received.all(b"X-Forwarded-For") == [b"198.51.100.9, 127.0.0.1"]
    assert received.all(b"Forwarded") == [
        b"for=198.51.100.9;host=evil.example;proto=https, for=127.0.0.1;host=po.co;proto=https"
    ]


@pytest.mark.parametrize("trusted", [(), ELSEWHERE])
async def test_anybody_elses_words_are_overwritten(
    serving: Serving, originating: Originating, trusted: tuple[object, ...]
) -> None:
    origin = await originating()
    server = await serving(rulebook(forwarding(origin.origin)), at=BEFORE, trusted_proxies=trusted)
    await ask(server, get(b"/", b"po.co", *CLAIMS))
    (received,) = origin.received
    assert received.all(b"X-Forwarded-For") == [b"127.0.0.1"]
    assert received.all(b"X-Forwarded-Proto") == [b"http"]
    assert received.all(b"Forwarded") == [b"for=127.0.0.1;host=po.co;proto=http"]


async def test_behind_what_ends_tls_a_site_that_wants_https_has_it(serving: Serving) -> None:
    book = rulebook(site(https=Https.REDIRECT, hsts=b"max-age=86400"))
    server = await serving(book, at=AFTER, trusted_proxies=LOOPBACK)
    for scheme, location, hsts in (
        (b"https", b"https://www.mi.com/uk/x", [b"max-age=86400"]),
        (b"http", b"https://po.co/x", []),
    ):
        answer = await ask(
            server, get(b"/x", b"po.co", b"X-Forwarded-For: 203.0.113.7", b"X-Forwarded-Proto: " + scheme)
        )
        assert (answer.one(b"Location"), answer.all(b"Strict-Transport-Security")) == (location, hsts)
    answer = await ask(server, get(b"/x"))
    assert answer.one(b"Location") == b"https://po.co/x"


async def test_no_field_of_anybody_changes_where_a_redirect_leads(serving: Serving) -> None:
    server = await serving(rulebook(), at=AFTER, trusted_proxies=LOOPBACK)
    plain = await ask(server, get(b"/x?y"))
    told = await ask(server, get(b"/x?y", b"po.co", *CLAIMS, b"X-Forwarded-Prefix: /evil", b"X-Forwarded-Port: 1"))
    undated = [[header for header in answer.headers if header[0] != b"Date"] for answer in (plain, told)]
    assert undated[0] == undated[1]
    assert (await ask(server, get(b"/x", b"evil.example", b"X-Forwarded-Host: po.co"))).status == 421


@pytest.mark.parametrize("front_door", [True, False])
async def test_a_trusted_proxy_has_the_connections_of_many(serving: Serving, *, front_door: bool) -> None:
    limits = Limits(client_connections=2)
    how: dict[str, Any] = {"trusted_proxies": LOOPBACK, "front_door": front_door, "limits": limits}
    server = await serving(rulebook(), at=AFTER, **how)
    clients = [await Client.to(server) for _ in range(5)]
    for client in clients:
        client.send(get(b"/x"))
        assert (await client.answer()).status == 301
    assert server.counts.refused == {}
    for client in clients:
        client.writer.close()
