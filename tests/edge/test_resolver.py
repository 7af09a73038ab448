"""Which addresses an origin's name may lead to."""

import asyncio
import socket
from ipaddress import ip_network

import pytest

from proxy.edge.configuration.settings import Timeouts
from proxy.edge.origins.resolver import Address, AddressRefusedError, OriginResolver, is_allowed

TIMEOUTS = Timeouts(dns=30, dns_answer=0.05, dns_last_known=600)

PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"]
NOT_PUBLIC = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - an address to be refused
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:0001::",  # 6to4 of 127.0.0.1
    "2002:0a00:0001::",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_good(address: str) -> None:
    assert is_allowed(address, ())


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_any_other_address_is_refused(address: str) -> None:
    assert not is_allowed(address, ())


@pytest.mark.parametrize(
    ("address", "network", "good"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.2.0.0/16", False),
        ("::ffff:10.1.2.3", "10.0.0.0/8", True),
        ("fd12::1", "fd00::/8", True),
        ("10.1.2.3", "fd00::/8", False),
        ("127.0.0.1", "10.0.0.0/8", False),
    ],
)
def test_an_address_is_good_where_it_is_listed(address: str, network: str, *, good: bool) -> None:
    assert is_allowed(address, (ip_network(network),)) is good


class Zone:
    """Answers with what a test put into it; an empty answer is a failure, and while it `hangs` there is none."""

    hangs = False

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    async def __call__(self, _host: str, port: int) -> list[Address]:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if not self.addresses:
            raise OSError(None, "no answer")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)) for address in self.addresses]


def resolver(zone: Zone) -> OriginResolver:
    return OriginResolver((), TIMEOUTS, steady=lambda: 0.0, lookup=zone)


def hosts(addresses: list[Address]) -> list[str]:
    return [address[4][0] for address in addresses]


async def test_addresses_that_must_not_be_are_left_out() -> None:
    zone = Zone("127.0.0.1", "93.184.216.34", "::1")
    assert hosts(await resolver(zone).resolve("old.example", 80)) == ["93.184.216.34"]


async def test_a_name_that_has_no_other_is_refused() -> None:
    with pytest.raises(AddressRefusedError, match=r"old\.example"):
        await resolver(Zone("127.0.0.1", "10.0.0.1")).resolve("old.example", 80)


async def test_the_last_known_addresses_go_on_for_some_minutes_while_dns_fails() -> None:
    now = 1000.0
    zone = Zone("93.184.216.34")
    names = OriginResolver((), TIMEOUTS, steady=lambda: now, lookup=zone)
    known = await names.resolve("old.example", 80)
    zone.addresses = ()
    now += TIMEOUTS.dns_last_known
    assert await names.resolve("old.example", 80) == known
    now += 1
    with pytest.raises(OSError, match="no answer"):
        await names.resolve("old.example", 80)


async def test_a_name_that_turns_to_a_private_address_is_not_known_by_its_old_one() -> None:
    zone = Zone("93.184.216.34")
    names = resolver(zone)
    await names.resolve("old.example", 80)
    zone.addresses = ("10.0.0.1",)
    with pytest.raises(AddressRefusedError):
        await names.resolve("old.example", 80)


async def test_a_name_that_was_never_known_fails() -> None:
    with pytest.raises(OSError, match="no answer"):
        await resolver(Zone()).resolve("old.example", 80)


async def test_the_last_known_addresses_go_on_while_dns_does_not_answer() -> None:
    zone = Zone("93.184.216.34")
    names = resolver(zone)
    known = await names.resolve("old.example", 80)
    zone.hangs = True
    assert await names.resolve("old.example", 80) == known
    with pytest.raises(TimeoutError):
        await names.resolve("other.example", 80)


async def test_addresses_that_dns_gives_again_are_taken_at_once() -> None:
    zone = Zone("93.184.216.34")
    names = resolver(zone)
    await names.resolve("old.example", 80)
    zone.addresses = ()
    await names.resolve("old.example", 80)
    zone.addresses = ("93.184.216.35",)
    assert hosts(await names.resolve("old.example", 80)) == ["93.184.216.35"]


async def test_a_name_that_nobody_answers_for_is_one_lookup_however_often_it_is_asked_for() -> None:
    """Each takes a thread of the few that there are, and other names need theirs."""
    asked: list[str] = []

    async def lookup(host: str, _port: int) -> list[Address]:
        asked.append(host)
        await asyncio.Event().wait()
        return []

    resolver = OriginResolver((), Timeouts(dns_answer=0.01), steady=lambda: 0.0, lookup=lookup)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await resolver.resolve("hang.example", 80)
    assert asked == ["hang.example"]
