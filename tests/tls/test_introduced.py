"""TLS behind a header of the PROXY protocol: the header comes first, and neither loses a byte of the other."""

import asyncio
import ssl
from pathlib import Path

import pytest

from proxy.edge.configuration.settings import Endpoint
from tests.edge.peers import PATIENCE, Client, Originating, Serving, get
from tests.edge.sites import AFTER, BEFORE, forwarding, rulebook
from tests.tls.authority import issue, trusting

INTRODUCED = Endpoint("127.0.0.1", 0, introduced=True)
LINE = b"PROXY TCP4 203.0.113.7 127.0.0.1 50000 443\r\n"


@pytest.fixture
def filled(certs: Path) -> Path:
    issue("po.co").plain(certs, "po.co")
    return certs


class Wrapped:
    """A client's TLS, byte by byte in its own hands, so that it can send what it likes before and beside it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._received, self._to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = trusting().wrap_bio(self._received, self._to_send, server_hostname="po.co")

    async def shake_hands(self, before: bytes) -> None:
        """With `before` in the same segment as the first message."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._client.send(before + self._to_send.read())
                before = b""
                await self._receive()
            else:
                return

    async def ask(self, request: bytes) -> bytes:
        self._tls.write(request)
        self._client.send(self._to_send.read())
        while True:
            try:
                return self._tls.read()
            except ssl.SSLWantReadError:
                await self._receive()

    async def _receive(self) -> None:
        data = await self._client.reader.read(1 << 16)
        assert data, "the server has closed the connection"
        self._received.write(data)


async def test_a_client_is_who_the_balancer_says_and_speaks_tls(
    serving: Serving, originating: Originating, filled: Path
) -> None:
    origin = await originating()
    book = rulebook(forwarding(origin.origin))
    server = await serving(book, at=BEFORE, listen=(), listen_tls=(INTRODUCED,), certs=filled)
    address = server.tls_addresses[0]
    async with asyncio.timeout(PATIENCE), await Client.connect(address.host, address.port) as client:
        wrapped = Wrapped(client)
        await wrapped.shake_hands(LINE)
        assert (await wrapped.ask(get(b"/"))).startswith(b"HTTP/1.1 200 ")
    (received,) = origin.received
    assert received.all(b"X-Forwarded-For") == [b"203.0.113.7"]
    assert received.all(b"X-Forwarded-Proto") == [b"https"]


async def test_who_is_introduced_and_speaks_no_tls_is_sent_away_and_others_are_let_in(
    serving: Serving, filled: Path
) -> None:
    server = await serving(rulebook(), at=AFTER, listen=(), listen_tls=(INTRODUCED,), certs=filled)
    address = server.tls_addresses[0]
    async with asyncio.timeout(PATIENCE):
        for nonsense in (get(b"/"), b"\x16\x03\x01\x00\x00", LINE):
            async with await Client.connect(address.host, address.port) as client:
                client.send(LINE + nonsense)
                client.writer.write_eof()
                assert not (await client.reader.read()).startswith(b"HTTP")
        async with await Client.connect(address.host, address.port) as client:
            wrapped = Wrapped(client)
            await wrapped.shake_hands(LINE)
            assert (await wrapped.ask(get(b"/x"))).startswith(b"HTTP/1.1 301 ")
