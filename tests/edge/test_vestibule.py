"""Listeners for the PROXY protocol, over real sockets: who is let in, as whom, and who is not."""

import asyncio
import socket
import struct
from ipaddress import ip_network

import pytest

from proxy.edge.clients import Clients
from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import Endpoint, Settings, SettingsError, Timeouts
from proxy.edge.counts import Counts
from proxy.edge.log import Sampled
from proxy.edge.server import Server
from proxy.edge.vestibule import Vestibule
from proxy.wire.proxy_protocol import Introduction
from tests.edge.peers import PATIENCE, Client, Originating, Serving, ask, get
from tests.edge.sites import AFTER, BEFORE, forwarding, rulebook

INTRODUCED = Endpoint("127.0.0.1", 0, introduced=True)
LINE = b"PROXY TCP4 203.0.113.7 127.0.0.1 50000 80\r\n"
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
TLS = b"\x20\x00\x05\x01\x00\x00\x00\x00"
BINARY = SIGNATURE + struct.pack(
    "!BBH4s4sHH", 0x21, 0x11, 12, bytes([203, 0, 113, 7]), bytes([127, 0, 0, 1]), 50000, 80
)
BINARY_TLS = SIGNATURE + struct.pack("!BBH", 0x21, 0x11, 12 + len(TLS)) + BINARY[16:] + TLS
LOCAL = SIGNATURE + struct.pack("!BBH", 0x20, 0, 0)
HEADERS = {"line": LINE, "binary": BINARY, "binary, over TLS": BINARY_TLS}
NOBODY = {"line": b"PROXY UNKNOWN\r\n", "binary": LOCAL}


async def introduced(client: Client, data: bytes, *, slowly: bool) -> None:
    """Sends it at once, or in segments of one byte each."""
    client.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in [data[at : at + 1] for at in range(len(data))] if slowly else [data]:
        client.send(piece)
        await asyncio.sleep(0)


@pytest.mark.parametrize("slowly", [False, True])
@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
async def test_a_client_is_who_the_balancer_says(
    serving: Serving, originating: Originating, header: bytes, *, slowly: bool
) -> None:
    origin = await originating()
    server = await serving(rulebook(forwarding(origin.origin)), at=BEFORE, listen=(INTRODUCED,))
    async with await Client.to(server) as client:
        await introduced(client, header + get(b"/1") + get(b"/2"), slowly=slowly)
        assert [(await client.answer()).status for _ in range(2)] == [200, 200]
    assert [received.all(b"X-Forwarded-For") for received in origin.received] == [[b"203.0.113.7"]] * 2
    scheme = b"https" if header is BINARY_TLS else b"http"
    assert origin.received[0].all(b"X-Forwarded-Proto") == [scheme]


@pytest.mark.parametrize("header", NOBODY.values(), ids=NOBODY)
async def test_where_the_balancer_speaks_for_itself_it_is_the_client_and_its_clients_are_not_believed(
    serving: Serving, originating: Originating, header: bytes
) -> None:
    origin = await originating()
    trusted = (ip_network("127.0.0.0/8"),)
    server = await serving(
        rulebook(forwarding(origin.origin)), at=BEFORE, listen=(INTRODUCED,), trusted_proxies=trusted
    )
    async with await Client.to(server) as client:
        client.send(header + get(b"/", b"po.co", b"X-Forwarded-For: 203.0.113.7"))
        assert (await client.answer()).status == 200
    assert origin.received[0].all(b"X-Forwarded-For") == [b"127.0.0.1"]


async def test_a_proxy_behind_the_balancer_is_believed_where_it_is_trusted(
    serving: Serving, originating: Originating
) -> None:
    origin = await originating()
    trusted = (ip_network("203.0.113.0/24"),)
    server = await serving(
        rulebook(forwarding(origin.origin)), at=BEFORE, listen=(INTRODUCED,), trusted_proxies=trusted
    )
    async with await Client.to(server) as client:
        client.send(LINE + get(b"/", b"po.co", b"X-Forwarded-For: 198.51.100.1"))
        assert (await client.answer()).status == 200
    assert origin.received[0].all(b"X-Forwarded-For") == [b"198.51.100.1, 203.0.113.7"]


REFUSED = {
    "HTTP": get(b"/"),
    "a header that says nothing": b"PROXY TCP4 nobody\r\n",
    "TLS": b"\x16\x03\x01\x00\x05hello",
    "half a header": LINE[:20],
    "nothing": b"",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
async def test_who_is_not_introduced_is_not_heard(serving: Serving, data: bytes) -> None:
    server = await serving(rulebook(), at=AFTER, listen=(INTRODUCED,))
    async with await Client.to(server) as client:
        client.send(data)
        client.writer.write_eof()
        assert await _rest(client) == b""
    assert server.counts.refused == {"not-introduced": 1}
    async with await Client.to(server) as client:
        client.send(LINE + get(b"/x"))
        assert (await client.answer()).status == 301


async def test_who_takes_too_long_is_not_waited_for(serving: Serving) -> None:
    server = await serving(rulebook(), at=AFTER, listen=(INTRODUCED,), timeouts=Timeouts(introduction=0.05))
    async with await Client.to(server) as client:
        client.send(LINE[:-1])
        assert await _rest(client) == b""
    assert server.counts.refused == {"not-introduced": 1}


async def _rest(client: Client) -> bytes:
    """What comes until the end, be it a reset: bytes that nobody has read are lost with the connection."""
    try:
        return await client.rest()
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
async def test_on_any_other_listener_such_a_header_is_malformed(serving: Serving, header: bytes) -> None:
    server = await serving(rulebook(), at=AFTER)
    answer = await ask(server, header + get(b"/x"))
    assert (answer.status, answer.one(b"Connection")) == (400, b"close")


async def test_a_listener_that_others_reach_wants_to_know_its_balancers(serving: Serving) -> None:
    with pytest.raises(SettingsError, match="trusted_proxies"):
        await serving(rulebook(), listen=(Endpoint("", 0, introduced=True),))
    await serving(rulebook(), listen=(Endpoint("", 0, introduced=True),), trusted_proxies=(ip_network("10.0.0.0/8"),))


async def accepted(server: Server) -> Client:
    """A client that has been accepted, since one behind it has been answered."""
    client = await Client.to(server)
    async with await Client.to(server) as other:
        other.send(LINE + get(b"/x"))
        await other.answer()
    return client


async def test_who_has_come_is_still_let_in_once_it_is_closed() -> None:
    let_in: list[Introduction | None] = []
    settings = Settings()
    entered = asyncio.Event()

    def enter(introduction: Introduction | None) -> asyncio.Protocol:
        let_in.append(introduction)
        entered.set()
        return asyncio.Protocol()

    sampled = Sampled(Clock().steady, every=1.0)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        members = Clients(settings, Clock(), Counts(rulebook()), sampled)
        vestibule = Vestibule(listening, enter, settings, members, sampled)
        vestibule.start()
        clients = [await Client.connect(*listening.getsockname()) for _ in range(2)]
        clients[1].send(LINE)
        async with asyncio.timeout(PATIENCE):
            await entered.wait()
            vestibule.close()
            clients[0].send(BINARY)
            await vestibule.wait_closed()
        late = await Client.connect(*listening.getsockname())
    assert [introduction and introduction.peer for introduction in let_in] == ["203.0.113.7"] * 2
    for client in (*clients, late):
        client.writer.close()


async def test_who_says_nothing_does_not_hold_a_server_up() -> None:
    settings = Settings(listen=(INTRODUCED,), admin=None, at=AFTER, timeouts=Timeouts(introduction=0.05))
    async with Server(rulebook(), settings) as server:
        client = await accepted(server)
    async with client:
        assert await _rest(client) == b""
    assert server.counts.refused == {"not-introduced": 1}
