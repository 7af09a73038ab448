"""The desk: the one process that people and Prometheus talk to.

It sums up what workers report, answers on the admin listener, and watches the rule folder. It is where threads, scrapes
and whatever comes next may stall or fall over: it holds nothing that a visitor waits for. A desk that dies is replaced;
what workers had not sent yet comes to the next one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from proxy.edge.admin import Admin
from proxy.edge.counts import Counts
from proxy.edge.metrics import Metrics
from proxy.edge.processes.channel import Channel
from proxy.edge.processes.messages import FROM_DESK, TO_DESK, Answer, Ask, InUse, Standing, ToDesk
from proxy.edge.processes.report import read
from proxy.edge.processes.worker import REPORT
from proxy.edge.server import loop_factory
from proxy.edge.tls.watch import CertificateWatch
from proxy.edge.watch import Watch

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from proxy.edge.clock import Clock
    from proxy.edge.configuration.settings import Settings
    from proxy.edge.outline import Outline
    from proxy.edge.sockets import Places
    from proxy.edge.status import Status
    from proxy.edge.tls.certificates import Certificates
    from proxy.edge.verdict import Verdict
    from proxy.edge.visited import Visited
    from proxy.edge.watch import Look

AT_ONCE: Final = 64
"""Reports that are read before anything else gets its turn."""

log = logging.getLogger("sunset")


@dataclass(frozen=True, slots=True)
class DeskPost:
    """What a desk is given. `lifeline` is its end of the channel to the supervisor."""

    rules: Path
    settings: Settings
    places: Places
    clock: Clock
    reports: socket.socket
    lifeline: socket.socket
    status: Status
    outline: Outline | None
    certificates: Certificates | None
    seen: Look
    """How the rule folder looked before it was loaded for the first time."""


def attend(post: DeskPost) -> int:
    """The work of the desk's process."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(Desk(post).run())
    return 0


class Desk:
    """Knows how the server stands, by what it is told."""

    def __init__(self, post: DeskPost) -> None:
        self._post = post
        self.clock = post.clock
        self.status = post.status
        self.outline = post.outline
        self.listeners = post.places.endpoints
        post.places.close_public()  # what clients are answered on is none of the desk's business
        self.certificates = post.certificates
        self._certificate_watch = self._watch_of(post.certificates)
        self.connections: dict[int, int] = {}
        """Of each worker, by its process."""
        self.counts = Counts()
        if self.outline is not None:
            self._expect(self.outline)
        self._channel: Channel[Ask, ToDesk] = Channel(post.lifeline, FROM_DESK, TO_DESK)
        self._asked: dict[int, asyncio.Future[Verdict]] = {}
        self._numbers = 0
        self._ends = asyncio.Event()
        self._unheard: set[int] = set()
        """Workers that were asked for a report and have not given one yet."""
        self._all_heard = asyncio.Event()

    async def run(self) -> None:
        """Until it is told to stop, or the supervisor is gone."""
        post = self._post
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._ends.set)
        loop.add_reader(self._channel.fileno(), self._hear)
        loop.add_reader(post.reports.fileno(), self._read_reports)
        runner = web.AppRunner(
            Admin(Metrics(self.counts, self), self, post.settings.admin_token).application(),
            access_log=None,
            handle_signals=False,
            shutdown_timeout=1.0,
        )
        await runner.setup()
        if self._certificate_watch is not None:
            self._certificate_watch.start()
        try:
            if post.places.admin.admin is not None:
                await web.SockSite(runner, post.places.admin.admin).start()
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch())
                await self._ends.wait()
                watching.cancel()
            self._read_reports()
        finally:
            for future in self._asked.values():
                future.cancel()
            if self._certificate_watch is not None:
                self._certificate_watch.stop()
            await runner.cleanup()

    @property
    def visited(self) -> Visited:
        """The addresses that were asked for most, as the workers have told."""
        return self.counts.visited

    async def reload(self, *, allow_shrink: bool) -> Verdict:
        """Ask for a reload, and wait for what becomes of it."""
        self._numbers += 1
        number = self._numbers
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._asked[number] = future
        try:
            self._channel.send(Ask(number, allow_shrink))
            return await future
        finally:
            del self._asked[number]

    def _hear(self) -> None:
        """What the supervisor has to say."""
        for message in self._channel.receive():
            match message:
                case Standing(status):
                    self._stand(status)
                case InUse(outline):
                    self.outline = outline
                    self._expect(outline)
                case Answer(number, verdict):
                    if (future := self._asked.get(number)) is not None and not future.done():
                        future.set_result(verdict)
        if self._channel.ended:
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            self._ends.set()

    def _watch_of(self, certificates: Certificates | None) -> CertificateWatch | None:
        if certificates is None:
            return None
        return CertificateWatch(certificates, every=self._post.settings.timeouts.certificates)

    def _expect(self, outline: Outline) -> None:
        """These are the rules in use."""
        self.counts.expect(outline)
        if self._certificate_watch is not None:
            self._certificate_watch.expect(host for site in outline.sites for host in site.hosts)

    async def catch_up(self) -> None:
        """Let every worker report what it has counted up to now, and wait for that, but not for long."""
        self._unheard = {worker.pid for worker in self.status.workers if worker.accepts}
        self._all_heard.clear()
        for pid in self._unheard:
            with suppress(ProcessLookupError):
                os.kill(pid, REPORT)
        if self._unheard:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._post.settings.timeouts.report):
                    await self._all_heard.wait()

    def _stand(self, status: Status) -> None:
        self.status = status
        known = {worker.pid for worker in status.workers}
        self.connections = {pid: number for pid, number in self.connections.items() if pid in known}

    def _read_reports(self) -> None:
        for report in read(self._post.reports, AT_ONCE):
            self.counts.add(report.rows)
            self.connections[report.pid] = report.connections
            if report.ends:
                self._unheard.discard(report.pid)
                if not self._unheard:
                    self._all_heard.set()

    async def _watch(self) -> None:
        """Ask for a reload whenever something in the rule folder has changed."""
        async for _ in Watch(self._post.rules, self._post.settings, self._post.seen):
            self._channel.send(Ask(0))
