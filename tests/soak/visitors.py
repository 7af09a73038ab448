"""Good clients: what they ask for must be answered rightly, whatever is done to the server."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from time import perf_counter
from typing import Final

from tests.edge.peers import Answer, Client, read_answer
from tests.soak.faults import KILLED
from tests.soak.stage import Stage
from tests.soak.tally import Tally
from tests.soak.visits import Visit
from tests.tls.authority import trusting

PAUSE: Final = 0.02
"""Seconds that a visitor looks at an answer."""
IDLE: Final = 1.0
"""Seconds after which a connection that nothing was asked on is left for a new one. A worker whose rules are over
closes it after two, and what is sent just then is lost."""
PATIENCE: Final = 30.0
"""Seconds after which an answer comes too late."""
LOST: Final = (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError)

_numbers = count()


@dataclass
class Visitor:
    """Asks for one thing after the other."""

    stage: Stage
    tally: Tally
    visits: tuple[Visit, ...]
    tls: bool
    """Whether it comes over TLS."""
    fresh: bool
    """Whether each request comes on a connection of its own, or on one for as long as that lasts."""
    _client: Client | None = None
    _connected: float = 0.0
    _answered: float = 0.0

    async def stay(self, until: float) -> None:
        """Visit until that second."""
        while self.tally.now() < until:
            for visit in self.visits:
                await self._visit(visit, next(_numbers))
                await asyncio.sleep(PAUSE)
        self._leave()

    async def _visit(self, visit: Visit, number: int) -> None:
        """Ask, and once more where a worker was killed that may have had the connection."""
        began = perf_counter()
        what = f"{visit.name} over {'TLS' if self.tls else 'TCP'}"
        try:
            try:
                answer = await self._ask(visit, number)
            except LOST:
                self._leave()
                if not self.tally.since(self._connected, KILLED):
                    raise
                self.tally.retried[visit.name] += 1
                answer = await self._ask(visit, number)
        except (*LOST, OSError, TimeoutError) as error:
            self._leave()
            self.tally.fail(f"{what}: {error!r}")
            return
        if not visit.is_right(number, answer):
            self.tally.fail(f"{what}: {answer.status} {answer.headers} {answer.body[:100]!r}")
            return
        self.tally.good[visit.name] += 1
        self.tally.latencies.append(perf_counter() - began)

    async def _ask(self, visit: Visit, number: int) -> Answer:
        if self._client is not None and (self._client.reader.at_eof() or self.tally.now() - self._answered > IDLE):
            self._leave()
        async with asyncio.timeout(PATIENCE):
            if self._client is None:
                self._connected = self.tally.now()
                self._client = await self._connect()
            self._client.send(visit.ask(number))
            answer = await read_answer(self._client.reader)
        self._answered = self.tally.now()
        if self.fresh or answer.all(b"Connection") == [b"close"]:
            self._leave()
        return answer

    async def _connect(self) -> Client:
        if not self.tls:
            return await Client.connect("127.0.0.1", self.stage.program.port)
        client = await Client.connect("127.0.0.1", self.stage.tls_port, ssl=trusting(), server_hostname="po.co")
        shown = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if not self.stage.certificates.allows(shown):
            self.tally.fail("a certificate that should not be in use any more")
        return client

    def _leave(self) -> None:
        if self._client is not None:
            with suppress(RuntimeError):
                self._client.writer.close()
            self._client = None
