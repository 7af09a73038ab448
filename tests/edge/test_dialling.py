"""How a connection to an origin comes about, and what is said where it does not."""

import asyncio
import socket
from ipaddress import ip_network

import pytest

from proxy.core.model import Origin, OriginTls
from proxy.edge.configuration.settings import Timeouts
from proxy.edge.origins.connection import OriginConnection
from proxy.edge.origins.dialling import Dialler
from proxy.edge.origins.faults import Reason, UpstreamError
from proxy.edge.origins.resolver import Address
from tests.edge.peers import PATIENCE, Originating

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def dialler(*hosts: str, timeouts: Timeouts | None = None) -> Dialler:
    """One for which every name leads to these addresses."""

    async def look_up(_host: str, port: int) -> list[Address]:
        if not hosts:
            raise OSError(None, "no answer")
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 0, "", (host, port, 0, 0))
            if ":" in host
            else (socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port))
            for host in hosts
        ]

    return Dialler(LOOPBACK, OriginTls(), timeouts or Timeouts(), steady=lambda: 0.0, lookup=look_up)


async def dial(dialler: Dialler, port: int) -> OriginConnection:
    async with asyncio.timeout(PATIENCE):
        return await dialler.dial(Origin("http", "old.example", port), lambda _: None)


@pytest.mark.parametrize("others", [("127.0.0.2",), ("::1",), ("127.0.0.2", "::1", "127.0.0.3")], ids=" ".join)
async def test_of_several_addresses_one_that_answers_is_taken(
    originating: Originating, others: tuple[str, ...]
) -> None:
    origin = await originating()  # on 127.0.0.1 alone
    connection = await dial(dialler(*others, "127.0.0.1"), origin.origin.port)
    assert connection.transport.get_extra_info("peername")[0] == "127.0.0.1"
    connection.abort()


async def test_an_address_that_does_not_answer_is_not_waited_for(originating: Originating) -> None:
    origin = await originating()
    with socket.socket() as full:
        full.bind(("127.0.0.2", origin.origin.port))
        full.listen(0)
        waiting = [socket.socket() for _ in range(8)]  # fill the backlog, so that a handshake waits
        for other in waiting:
            other.setblocking(False)
            other.connect_ex(full.getsockname())
        connection = await dial(dialler("127.0.0.2", "127.0.0.1"), origin.origin.port)
        for other in waiting:
            other.close()
    assert connection.transport.get_extra_info("peername")[0] == "127.0.0.1"
    connection.abort()


@pytest.mark.parametrize(
    ("hosts", "reason"),
    [
        ((), Reason.DNS),
        (("10.0.0.1", "fd00::1"), Reason.ADDRESS_REFUSED),
        (("127.0.0.2", "127.0.0.3"), Reason.CONNECT),
    ],
)
async def test_what_went_wrong_is_one_of_a_few_reasons(hosts: tuple[str, ...], reason: Reason) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    with pytest.raises(UpstreamError) as caught:
        await dial(dialler(*hosts), port)
    assert caught.value.reason is reason
