"""Which certificate a client is shown, and which clients are not let in (threats T17 and T19)."""

import ssl
from pathlib import Path

import pytest

from tests.edge.conftest import ANY_PORT
from tests.edge.peers import Serving, ask, get
from tests.edge.sites import AFTER, rulebook, site
from tests.tls.authority import connect, issue, names_shown, serve, trusting

HOSTS = ("po.co", "www.po.co", "*.mi.example", "shop.mi.example")


@pytest.fixture
def filled(certs: Path) -> Path:
    """Three certificates, in the three layouts."""
    issue("po.co", "www.po.co").certbot(certs, "one")
    issue("*.mi.example").plain(certs, "two")
    issue("shop.mi.example").kubernetes(certs, "three")
    return certs


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("po.co", {"po.co", "www.po.co"}),
        ("WWW.PO.CO", {"po.co", "www.po.co"}),
        ("a.mi.example", {"*.mi.example"}),
        ("shop.mi.example", {"shop.mi.example"}),
    ],
)
async def test_a_client_is_shown_the_certificate_of_the_name_that_it_asks_for(
    serving: Serving, filled: Path, asked: str, shown: set[str]
) -> None:
    server = await serve(serving, rulebook(), filled)
    async with await connect(server, asked) as client:
        assert names_shown(client) == shown


@pytest.mark.parametrize("asked", ["other.example", "a.b.mi.example", "mi.example", None])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_name_without_certificate_is_refused_by_an_alert(
    serving: Serving, filled: Path, asked: str | None, version: ssl.TLSVersion
) -> None:
    server = await serve(serving, rulebook(), filled)
    context = trusting(checks_name=False)
    context.maximum_version = version
    with pytest.raises(ssl.SSLError) as refused:
        await connect(server, asked, context)
    assert refused.value.reason == "TLSV1_UNRECOGNIZED_NAME"


@pytest.mark.parametrize("asked", ["other.example", None])
async def test_or_is_shown_the_default_certificate_where_there_is_one(
    serving: Serving, filled: Path, asked: str | None
) -> None:
    issue("fallback.example").certbot(filled, "default")
    server = await serve(serving, rulebook(), filled)
    async with await connect(server, asked, trusting(checks_name=False)) as client:
        assert names_shown(client) == {"fallback.example"}


@pytest.mark.parametrize(
    ("asked", "host", "status"),
    [
        ("po.co", b"po.co", 301),
        ("po.co", b"www.po.co:443", 301),  # the same certificate: a browser may reuse the connection
        ("po.co", b"WWW.PO.CO.", 301),
        ("po.co", b"shop.mi.example", 421),
        ("po.co", b"a.mi.example", 421),
        ("a.mi.example", b"b.mi.example", 301),
        ("a.mi.example", b"shop.mi.example", 301),
        ("shop.mi.example", b"a.mi.example", 421),
        ("po.co", b"elsewhere.example", 421),
        ("po.co", b"no-certificate.example", 421),
        ("po.co", b"bad host", 400),
    ],
)
async def test_a_request_over_a_connection_of_another_certificate_is_misdirected(
    serving: Serving, filled: Path, asked: str, host: bytes, status: int
) -> None:
    server = await serve(serving, rulebook(site(hosts=(*HOSTS, "no-certificate.example"))), filled, at=AFTER)
    async with await connect(server, asked) as client:
        client.send(get(b"/x", host))
        assert (await client.answer()).status == status


async def test_the_authority_of_an_absolute_target_is_what_counts(serving: Serving, filled: Path) -> None:
    server = await serve(serving, rulebook(site(hosts=HOSTS)), filled, at=AFTER)
    async with await connect(server, "po.co") as client:
        client.send(get(b"https://shop.mi.example/x", b"po.co") + get(b"https://po.co/x", b"shop.mi.example"))
        assert [(await client.answer()).status for _ in range(2)] == [421, 301]


async def test_hosts_without_certificate_are_answered_behind_the_default_one(serving: Serving, filled: Path) -> None:
    issue("fallback.example").certbot(filled, "default")
    server = await serve(serving, rulebook(site(hosts=(*HOSTS, "no-certificate.example"))), filled, at=AFTER)
    context = trusting(checks_name=False)
    for asked, host, status in [
        ("no-certificate.example", b"no-certificate.example", 301),
        (None, b"no-certificate.example", 301),
        (None, b"po.co", 421),
        ("po.co", b"no-certificate.example", 421),
    ]:
        async with await connect(server, asked, context) as client:
            client.send(get(b"/x", host))
            assert (await client.answer()).status == status, (asked, host)


async def test_hsts_is_told_over_tls_alone(serving: Serving, filled: Path) -> None:
    both = await serving(
        rulebook(site(hsts=b"max-age=3600")), listen=(ANY_PORT,), listen_tls=(ANY_PORT,), certs=filled, at=AFTER
    )
    async with await connect(both, "po.co") as client:
        client.send(get(b"/x"))
        assert (await client.answer()).one(b"Strict-Transport-Security") == b"max-age=3600"
    assert (await ask(both, get(b"/x"))).all(b"Strict-Transport-Security") == []
