"""Bad clients, which send what is no request, and slow ones, which hold on to what they have."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from tests.edge.peers import Client, get, read_answer
from tests.edge.test_malformed import CASES
from tests.soak.faults import KILLED
from tests.soak.stage import Stage
from tests.soak.tally import Tally
from tests.soak.visits import OLD

PAUSE: Final = 0.05
DRIP: Final = 0.2
"""Seconds between two bytes of a client that is slow to send."""
SIP: Final = 16 * 1024
"""Bytes that a slow reader takes every `DRIP` seconds."""
PATIENCE: Final = 240.0
"""Seconds after which every slow client should have been dealt with."""
HANDSHAKES: Final = {
    "a handshake that is none": b"\x16\x03\x01\x00\xff" + b"\xff" * 255,
    "a plain request to a TLS port": get(b"/"),
    "an old version of SSL": b"\x80\x2e\x01\x00\x02" + bytes(44),
    "half a hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "nothing": b"",
}
DRIPPING: Final = {
    "a head that drips": b"GET /uk/x HTTP/1.1\r\nHost: po.co\r\nX: ",
    "a body that drips": get(b"/form", OLD, b"Content-Length: 100000", method=b"POST"),
}


class Nuisance:
    """Clients who do their worst, again and again until they are cancelled."""

    def __init__(self, stage: Stage, tally: Tally) -> None:
        self._stage = stage
        self._tally = tally

    async def send_malformed_requests(self) -> None:
        """Every request of the table, and each has to be refused as the table says."""
        cases = list(CASES.items())
        while True:
            random.shuffle(cases)
            for name, (status, request) in cases:
                began = self._tally.now()
                async with self._connected(self._stage.program.port) as client:
                    client.send(request)
                    answer = await read_answer(client.reader)
                    self._tally.nuisances["malformed, refused"] += 1
                    if answer.status != status:
                        self._tally.fail(f"{name}: {answer.status} instead of {status}")
                if self._tally.since(began, KILLED):
                    self._tally.nuisances["malformed, while a worker was killed"] += 1
                await asyncio.sleep(PAUSE)

    async def shake_hands_badly(self) -> None:
        """What is no TLS, in every way."""
        while True:
            for hello in HANDSHAKES.values():
                async with self._connected(self._stage.tls_port) as client:
                    client.send(hello)
                    client.writer.write_eof()
                    await client.reader.read()
                self._tally.nuisances["bad handshakes"] += 1
                await asyncio.sleep(PAUSE)

    async def drip(self, name: str) -> None:
        """Send a byte now and then, until the server ends it."""
        while True:
            async with self._connected(self._stage.program.port) as client:
                client.send(DRIPPING[name])
                while not client.reader.at_eof():
                    client.send(b"x")
                    with suppress(TimeoutError):
                        async with asyncio.timeout(DRIP):
                            await client.reader.read(SIP)
            self._tally.nuisances[f"{name}, ended"] += 1

    async def sip(self) -> None:
        """Ask for something large, and take it at leisure."""
        while True:
            async with self._connected(self._stage.program.port) as client:
                client.send(get(b"/large", OLD))
                while await client.reader.read(SIP):  # noqa: ASYNC110 - what it waits for is nothing but time
                    await asyncio.sleep(DRIP)
            self._tally.nuisances["slow readers, done or ended"] += 1

    @asynccontextmanager
    async def _connected(self, port: int) -> AsyncIterator[Client]:
        """A connection with small buffers, which may be lost at any time; that it lasts for ever is a failure."""
        try:
            async with asyncio.timeout(PATIENCE):
                sock = socket.socket()
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * SIP)
                sock.setblocking(False)
                await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
                async with Client(*await asyncio.open_connection(sock=sock, limit=SIP)) as client:
                    yield client
        except TimeoutError:
            self._tally.fail(f"a nuisance was let alone for {PATIENCE:g} s")
        except (ConnectionError, asyncio.IncompleteReadError):
            self._tally.nuisances["connections lost"] += 1
