"""A worker: a server that is given its sockets and its rules, on an event loop that is made after the fork.

It ends in one of three ways. Its generation is over: it accepts no more, lets clients finish what they are at, and has
all the time for that. It is told to stop (SIGTERM), or the supervisor is gone: answers under way have `timeouts.stop`.
Once a second it tells the desk what it has counted; whether anybody listens is all the same to it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proxy.edge.log import Sampled
from proxy.edge.processes.lifeline import is_cut, is_retired
from proxy.edge.processes.report import Reporter
from proxy.edge.server import Server, loop_factory
from proxy.edge.tls.handshake import hush_undecodable_names

if TYPE_CHECKING:
    import socket

    from proxy.core.rulebook import Rulebook
    from proxy.edge.clock import Clock
    from proxy.edge.configuration.settings import Settings
    from proxy.edge.processes.presence import Presence
    from proxy.edge.sockets import Places
    from proxy.edge.tls.certificates import Certificates
    from proxy.edge.vestibule import Vestibule

ACCEPTS = b"+"
ACCEPTS_NO_MORE = b"-"
REPORT = signal.SIGUSR1
"""Asks a worker to tell the desk now what it has counted."""


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker is given beside the rules.

    `place` is its number among the workers of its generation, `lifesign` a pipe for saying whether it accepts.
    """

    settings: Settings
    places: Places
    presence: Presence
    certificates: Certificates | None
    clock: Clock
    reports: socket.socket
    place: int
    lifesign: int
    lifeline: int


def work(rulebook: Rulebook, post: Post) -> int:
    """The work of a worker's process."""
    hush_undecodable_names()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(Worker(rulebook, post).run())
    return 0


class Worker:
    """One of the processes that answer clients."""

    def __init__(self, rulebook: Rulebook, post: Post) -> None:
        self._post = post
        settings, timeouts = post.settings, post.settings.timeouts
        # As many lines of the log as one process would write, however many there are.
        timeouts = replace(timeouts, log_line=timeouts.log_line * settings.worker_count)
        self._server = Server(
            rulebook,
            replace(settings, timeouts=timeouts),
            clock=post.clock,
            sockets=post.places.of(post.place).duplicates(),
            certificates=post.certificates,
            tells=False,
        )
        self._stands_in: dict[int, list[asyncio.Server | Vestibule]] = {}
        """For which other places, if their sockets are not its own as well."""
        self._was_left: set[int] = set()
        self._sampled = Sampled(post.clock.steady, timeouts.log_line)
        self._reporter = Reporter(post.reports, self._server.counts, rulebook.generation, post.place)
        self._leaves = asyncio.Event()
        self._hurries = asyncio.Event()

    async def run(self) -> None:
        """Answer until this process is no longer wanted."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_reader(self._post.lifeline, self._heed)
        loop.add_signal_handler(REPORT, self._report)
        await self._server.start()
        self._say(ACCEPTS)
        async with asyncio.TaskGroup() as tasks:
            ticking = tasks.create_task(self._tick())
            await self._leaves.wait()
            self._post.places.close_public()
            self._server.accept_no_more()
            self._server.clients.conclude()  # before anybody is told that no client stays with the old rules
            self._say(ACCEPTS_NO_MORE)
            retiring = tasks.create_task(self._server.retire())
            hurrying = tasks.create_task(self._hurries.wait())
            await asyncio.wait((retiring, hurrying), return_when=asyncio.FIRST_COMPLETED)
            retiring.cancel()
            hurrying.cancel()
            await self._server.stop()
            ticking.cancel()
        self._report()

    def _report(self) -> None:
        self._reporter.send(len(self._server.clients))

    async def _tick(self) -> None:
        """Once a second."""
        while True:
            self._report()
            self._say(ACCEPTS_NO_MORE if self._leaves.is_set() else ACCEPTS)
            if not self._leaves.is_set():
                await self._stand_in()
            elif is_cut(self._post.lifeline):  # nobody is left who could say so
                self._stop()
            await asyncio.sleep(self._post.settings.processes.report_every)

    async def _stand_in(self) -> None:
        """Accept for places that are empty, from the second time on that they are seen to be; no longer than that."""
        post = self._post
        left = set(post.presence.left_to(post.place)) if len(post.places.workers) > 1 else set()
        for place in self._stands_in.keys() - left:
            for accepting in self._stands_in.pop(place):
                accepting.close()
        for place in (left & self._was_left) - self._stands_in.keys():
            try:
                self._stands_in[place] = await self._server.accept_from(post.places.of(place).duplicates())
            except OSError as error:  # out of descriptors, most likely: its own clients are not to pay for that
                self._sampled.warning("cannot stand in for another worker:", error.strerror or "")
        self._was_left = left
        if self._leaves.is_set():  # meanwhile
            self._server.accept_no_more()

    def _say(self, sign: bytes) -> None:
        """Tell the nursery, which may have died."""
        with suppress(OSError):
            os.write(self._post.lifesign, sign)

    def _heed(self) -> None:
        """The lifeline says something."""
        asyncio.get_running_loop().remove_reader(self._post.lifeline)
        if is_retired(self._post.lifeline):
            self._leaves.set()
        else:
            self._stop()

    def _stop(self) -> None:
        self._hurries.set()
        self._leaves.set()
