"""The supervisor: binds the sockets, and sees to it that there are workers, by good rules, and a desk.

    supervisor ─┬─ nursery ─┬─ worker
                │           └─ worker
                └─ desk

It is a plain process without threads and without an event loop, so that it may fork for years, and it stays small: a
nursery (see there) loads rules and forks the workers of one generation, the desk talks to people. It never waits for
anybody. What its children say comes over channels, what becomes of them by SIGCHLD.

A reload is a second nursery beside the first. Until each of its workers accepts, nothing has happened; then the old
generation is told that it is over. All of them accept from the same sockets, so no connection is lost between them.
Rules that are wrong, or suddenly few, or whose workers do not live, change nothing either.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pydantic import ValidationError

from proxy.edge.access_log import demand_access_log
from proxy.edge.admin import demand_token
from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import SettingsError
from proxy.edge.descriptors import demand_descriptors
from proxy.edge.processes.activation import handed_over
from proxy.edge.processes.backoff import Backoff
from proxy.edge.processes.channel import Channel
from proxy.edge.processes.child import Child, adopt_orphans, fork, reap, told
from proxy.edge.processes.desk import DeskPost, attend
from proxy.edge.processes.lifeline import RETIRED
from proxy.edge.processes.messages import (
    FROM_DESK,
    FROM_NURSERY,
    TO_DESK,
    TO_NURSERY,
    Answer,
    Ask,
    FromNursery,
    InUse,
    Loaded,
    Nothing,
    Refused,
    Staff,
    Standing,
    ToDesk,
    Unchanged,
)
from proxy.edge.processes.notify import Notifier
from proxy.edge.processes.nursery import Order, rear
from proxy.edge.processes.report import report_sockets
from proxy.edge.processes.waiting import Waiting, pause_until
from proxy.edge.sockets import Places, endpoint_of
from proxy.edge.status import Age, Stage, Status, WorkerStatus
from proxy.edge.tls.certificates import Certificates, demand_certificate
from proxy.edge.verdict import Verdict
from proxy.edge.vestibule import demand_introducers
from proxy.edge.watch import look_at
from proxy.errors import RulebookErrors, Severity, SunsetError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from proxy.edge.configuration.settings import Settings
    from proxy.edge.outline import Outline
    from proxy.errors import Problem

NOT_ORDERLY = 1
"""The exit code of a server that had to leave clients in the middle of an answer."""

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_OTHERS = (signal.SIGUSR1, signal.SIGUSR2)
"""Signals that mean something to other servers, and must not end this one."""

log = logging.getLogger("sunset")


@dataclass(slots=True, eq=False)
class Generation:
    """Workers that have the same rules, and the nursery that keeps them: None once it has died before them."""

    nursery: Child | None
    line: socket.socket
    channel: Channel[Nothing, FromNursery]
    outline: Outline | None = None
    warnings: tuple[Problem, ...] = ()
    workers: tuple[WorkerStatus, ...] = ()
    restarts: dict[int, int] = field(default_factory=dict)
    """How often each place had to be taken again."""

    def kill(self) -> None:
        """End the nursery and the workers, now."""
        for child in (self.nursery, *(Child(worker.pid, 0.0) for worker in self.workers)):
            if child is not None:
                child.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the nursery, which knows what it means for the workers; to these where it has died."""
        if self.nursery is not None:
            self.nursery.signal(number)
            return
        for worker in self.workers:
            Child(worker.pid, 0.0).signal(number)


@dataclass(slots=True)
class Reload:
    """A reload that was asked for, however often: who waits for it, and what is allowed to it."""

    numbers: list[int] = field(default_factory=list)
    allow_shrink: bool = False
    due: float = 0.0


def supervise(rules: Path, settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, and give the exit code. Raises `SunsetError` where there is nothing to serve."""
    demand_descriptors(settings.limits)
    demand_access_log(settings)
    handed = handed_over(os.environ)
    endpoints = (*settings.listen, *settings.listen_tls, *handed.endpoints["http"], *handed.endpoints["https"])
    if not endpoints:
        raise SettingsError("there is no address to answer clients on: name one with --listen or --listen-tls")
    demand_introducers(endpoints, settings)
    demand_token(settings.admin if handed.admin is None else endpoint_of(handed.admin), settings.admin_token)
    places = Places.bind(settings, handed)
    certificates = Certificates(settings.certs) if places.speaks_tls else None
    if certificates is not None:
        demand_certificate(certificates)
    clock = Clock(settings.at)
    with closing(Notifier(os.environ, clock.steady)) as notifier:
        return Supervisor(rules, settings, clock, places, certificates, notifier).run()


class Supervisor:
    """Parent of all."""

    def __init__(
        self,
        rules: Path,
        settings: Settings,
        clock: Clock,
        places: Places,
        certificates: Certificates | None,
        notifier: Notifier,
    ) -> None:
        self._rules = rules
        self._settings = settings
        self._places = places
        self._certificates = certificates
        """Their tickets are good with every worker that is ever forked."""
        self._clock = clock
        self._notifier = notifier
        self._reports = report_sockets()
        self._since = self._clock.now()
        self._seen = look_at(rules)
        self._stage = Stage.STARTING
        self._generations: list[Generation] = []
        self._current: Generation | None = None
        self._coming: Generation | None = None
        self._leaving: Generation | None = None
        """The generation that is being replaced, while it may still accept clients."""
        self._left_at_last = 0.0
        self._began = 0.0
        self._asked: Reload | None = None
        """The next reload, while one is under way."""
        self._answers: Reload | None = None
        """The one that is under way."""
        self._verdict: Verdict | None = None
        self._loaded: datetime | None = None
        self._desk: Child | None = None
        self._desk_channel: Channel[ToDesk, Ask] | None = None
        self._desk_due: float | None = None
        self._desk_backoff = Backoff(settings.processes)
        self._nursery_backoff = Backoff(settings.processes)
        self._restarts = {"worker": 0, "desk": 0, "nursery": 0}
        self._told: Status | None = None
        self._deadline: float | None = None
        self._failure: SunsetError | None = None
        self._code = 0
        self._waiting = Waiting(*_STOPPING, signal.SIGHUP, signal.SIGCHLD, *_OTHERS)

    def run(self) -> int:
        """Until there is nothing left to do. Gives the exit code. Raises `SunsetError` where the start failed."""
        adopt_orphans()
        gc.freeze()
        with self._waiting as waiting:
            self._start_desk()
            self._rear(Reload())
            while self._generations or self._desk is not None or self._desk_due is not None:
                for number in waiting.wait(self._pause()):
                    self._heed(number)
                self._bury()
                self._look()
                self._tell()
        if self._failure is not None:
            raise self._failure
        log.info("stopped")
        return self._code

    # What happens

    def _heed(self, number: int) -> None:
        """A signal came."""
        if number == signal.SIGHUP:
            self._ask()
        elif number in _STOPPING:
            if self._stage is Stage.STOPPING:
                self._cut_off()
            else:
                log.info("stopping: answers under way have %g s", self._settings.timeouts.stop)
                self._stop()

    def _bury(self) -> None:
        """Look who has ended, and what that means."""
        for pid, code in reap():
            if self._desk is not None and pid == self._desk.pid:
                self._bury_desk(self._desk, code)
                continue
            for generation in self._generations:
                if generation.nursery is not None and generation.nursery.pid == pid:
                    self._bury_nursery(generation, code)
                    break
        for generation in [one for one in self._generations if one.nursery is None]:
            generation.workers = tuple(worker for worker in generation.workers if Child(worker.pid, 0.0).lives)
            if not generation.workers:
                self._generations.remove(generation)
                generation.channel.close()

    def _bury_desk(self, desk: Child, code: int) -> None:
        self._desk = None
        if self._desk_channel is not None:
            self._waiting.forget(self._desk_channel.fileno())
            self._desk_channel.close()
            self._desk_channel = None
        for reload in (self._asked, self._answers):
            if reload is not None:
                reload.numbers.clear()  # whoever asked went with it, and the next desk counts from the beginning
        if self._stage is Stage.STOPPING:
            return
        self._restarts["desk"] += 1
        pause = self._desk_backoff.pause(self._clock.steady() - desk.born)
        self._desk_due = self._clock.steady() + pause
        log.error("the desk died: %s; started again %s", told(code), f"in {pause:g} s" if pause else "at once")

    def _bury_nursery(self, generation: Generation, code: int) -> None:
        self._hear(generation)  # its last words
        nursery, generation.nursery = generation.nursery, None
        if generation is self._coming:
            generation.workers = ()  # they see the end of their line, and end
            self._conclude(ok=False, message=f"the process that loads the rules died: {told(code)}")
        elif generation is self._current and self._stage is not Stage.STOPPING:
            self._restarts["nursery"] += 1
            lived = 0.0 if nursery is None else self._clock.steady() - nursery.born
            log.error(
                "the process that keeps the workers died: %s; its workers go on, and others are started", told(code)
            )
            self._ask(due=self._clock.steady() + self._nursery_backoff.pause(lived))
        elif generation.workers and code:
            log.error("the process that keeps finishing workers died: %s; they finish all the same", told(code))
        self._waiting.forget(generation.channel.fileno())

    def _hear(self, generation: Generation) -> None:
        """A nursery has something to say."""
        try:
            for message in generation.channel.receive():
                match message:
                    case Loaded(outline, warnings):
                        generation.outline, generation.warnings = outline, warnings
                    case Unchanged() | Refused() if generation is not self._coming:
                        pass  # the last words of rules that were given up
                    case Unchanged(warnings):
                        self._conclude(ok=True, problems=warnings)
                    case Refused(text, problems):
                        self._conclude(ok=False, message=text, problems=problems)
                    case Staff(workers):
                        self._staff(generation, workers)
        except ValidationError as error:
            log.error("a nursery says what it must not say: %s", error)  # noqa: TRY400 - that is all there is to know
            generation.signal(signal.SIGKILL)
        if generation.channel.ended:
            self._waiting.forget(generation.channel.fileno())

    def _staff(self, generation: Generation, workers: tuple[WorkerStatus, ...]) -> None:
        """There is something new of the workers of a generation."""
        for worker in workers:
            self._restarts["worker"] += worker.restarts - generation.restarts.get(worker.place, 0)
            generation.restarts[worker.place] = worker.restarts
        generation.workers = workers
        accepting = sum(worker.accepts for worker in workers)
        if (
            generation is self._coming
            and accepting == self._settings.worker_count
            and self._stage is not Stage.STOPPING
        ):
            self._take_over(generation)

    def _take_over(self, generation: Generation) -> None:
        """The workers of a new generation accept: the old one is over."""
        old, self._current, self._coming = self._current, generation, None
        if generation.outline is not None:
            self._send(InUse(generation.outline))
        if old is None:
            self._begin()
            return
        with suppress(OSError):
            old.line.send(RETIRED)
        self._leaving = old
        self._left_at_last = self._clock.steady() + self._settings.processes.last_words
        self._thin_out()

    def _see_off(self) -> None:
        """Once the old generation accepts nobody any more, every client gets the new rules: the reload is over."""
        old = self._leaving
        if old is None or self._current is None:
            return
        accepts = old.nursery is not None and any(worker.accepts for worker in old.workers)
        if not accepts or self._clock.steady() >= self._left_at_last:
            self._leaving = None
            self._conclude(ok=True, changed=True, problems=self._current.warnings)

    def _begin(self) -> None:
        """The start is over: clients are answered."""
        self._stage = Stage.SERVING
        self._answers = None
        self._loaded = self._clock.now()
        self._tell()
        listeners = self._places.endpoints
        for scheme in ("http", "https"):
            for endpoint in listeners[scheme]:
                log.info("listening on %s://%s", scheme, endpoint)
        for endpoint in listeners["admin"]:
            log.info("metrics on http://%s/metrics", endpoint)
        if self._clock.is_rehearsal:
            log.info("rehearsing: the clock shows %s", self._clock.now().isoformat(timespec="seconds"))
        self._notifier.ready(f"generation {self._in_use}")

    def _thin_out(self) -> None:
        """Hurry the oldest generations that are finishing, where there are too many."""
        finishing = [one for one in self._generations if one is not self._current and one is not self._coming]
        for generation in finishing[: -self._settings.reloads.generations]:
            generation.signal(signal.SIGTERM)

    def _conclude(
        self, *, ok: bool, changed: bool = False, message: str = "", problems: tuple[Problem, ...] = ()
    ) -> None:
        """A reload is over, or a start has failed."""
        self._coming = None
        if self._stage is Stage.STARTING:
            errors = [problem for problem in problems if problem.severity is Severity.ERROR]
            self._failure = RulebookErrors(problems) if errors else SunsetError(message)
            self._stop()
            return
        reload, self._answers = self._answers, None
        now = self._clock.now()
        generation = self._in_use
        if ok:
            self._loaded = now
        seconds = self._clock.steady() - self._began
        self._verdict = verdict = Verdict(ok, generation, now, seconds, changed, message, problems)
        if self._stage is not Stage.STOPPING:
            _log_verdict(verdict)
            stays = "" if ok else f"; the last reload was refused: {message}"
            self._notifier.ready(f"generation {generation}{stays}")
        if self._current is not None and self._current.nursery is None:
            self._ask(due=self._clock.steady() + self._nursery_backoff.pause(0.0))  # nobody replaces its workers
        self._tell()  # before the answer, so that whoever asks for the status then is told of it
        for number in () if reload is None else reload.numbers:
            self._send(Answer(number, verdict))

    @property
    def _in_use(self) -> str:
        """The name of the rules in use; empty where there are none yet."""
        return "" if self._current is None or self._current.outline is None else self._current.outline.generation

    # What is done

    def _ask(self, ask: Ask | None = None, *, due: float = 0.0) -> None:
        """A reload is wanted. One that has not begun yet does for everybody who wants one."""
        if self._asked is None:
            self._asked = Reload(due=due)
        reload = self._asked
        reload.due = min(reload.due, due)
        if ask is not None:
            reload.allow_shrink |= ask.allow_shrink
            if ask.number:
                reload.numbers.append(ask.number)

    def _look(self) -> None:
        """Do what is due."""
        self._notifier.live()
        now = self._clock.steady()
        self._clock.now()  # whoever is started later must not come back from a cutover either
        if self._stage is Stage.STOPPING:
            if not self._generations and self._desk is not None:
                self._desk.signal(signal.SIGTERM)
            if self._deadline is not None and now >= self._deadline:
                self._deadline = now + self._settings.processes.last_words  # until it is done once more
                log.error("processes that do not end are killed")
                self._cut_off()
            return
        if self._desk_due is not None and self._desk_due <= now:
            self._start_desk()
        if self._coming is not None and now >= self._given_up_at:
            self._give_up(self._coming)
        self._see_off()
        if self._rests and self._asked is not None and self._asked.due <= now:
            reload, self._asked = self._asked, None
            self._rear(reload)

    @property
    def _given_up_at(self) -> float:
        """When, on the steady clock, rules that are being loaded have taken too long."""
        return self._began + self._settings.reloads.patience

    def _give_up(self, coming: Generation) -> None:
        """Wait no longer for new rules: their files may be on a disk that does not answer."""
        coming.kill()
        coming.workers = ()
        self._conclude(ok=False, message=f"the new rules were not ready after {self._settings.reloads.patience:g} s")

    @property
    def _rests(self) -> bool:
        """Whether no reload is under way."""
        return self._coming is None and self._leaving is None

    def _pause(self) -> float:
        """How long to wait for events."""
        asked = self._asked.due if self._rests and self._asked is not None else None
        given_up = self._given_up_at if self._coming is not None else None
        return pause_until((self._desk_due, self._deadline, self._notifier.due, asked, given_up), self._clock.steady())

    def _rear(self, reload: Reload) -> None:
        """Start a nursery."""
        self._answers = reload
        self._began = self._clock.steady()
        if self._stage is Stage.SERVING:
            self._notifier.reloading()
        line, lifeline = socket.socketpair()
        current = self._current
        order = Order(
            rules=self._rules,
            settings=self._settings,
            places=self._places,
            certificates=self._certificates,
            clock=self._clock,
            reports=self._reports[1],
            serving=None if current is None else current.outline,
            replaces=current is not None and current.nursery is None,
            allow_shrink=reload.allow_shrink,
        )

        def begin() -> int:
            self._let_go()
            line.close()
            self._reports[0].close()
            self._places.admin.close()
            return rear(order, lifeline)

        try:
            nursery = fork("the nursery", begin, self._clock.steady())
        except OSError as error:
            line.close()
            self._conclude(ok=False, message=f"no process can be started to load the rules: {error.strerror}")
            return
        finally:
            lifeline.close()
        channel: Channel[Nothing, FromNursery] = Channel(line, TO_NURSERY, FROM_NURSERY)
        self._coming = generation = Generation(nursery, line, channel)
        self._generations.append(generation)
        self._waiting.watch(channel.fileno(), lambda: self._hear(generation))

    def _start_desk(self) -> None:
        self._desk_due = None
        line, lifeline = socket.socketpair()
        post = DeskPost(
            rules=self._rules,
            settings=self._settings,
            places=self._places,
            clock=self._clock,
            reports=self._reports[0],
            lifeline=lifeline,
            status=self._status(),
            outline=None if self._current is None else self._current.outline,
            certificates=self._certificates,
            seen=self._seen,
        )

        def begin() -> int:
            self._let_go()
            line.close()
            self._reports[1].close()
            return attend(post)

        try:
            self._desk = fork("the desk", begin, self._clock.steady())
        except OSError as error:
            log.error("the desk cannot be started: %s", error.strerror)  # noqa: TRY400 - all there is
            line.close()
            self._desk_due = self._clock.steady() + self._settings.processes.longest_restart_pause
            return
        finally:
            lifeline.close()
        self._desk_channel = channel = Channel(line, TO_DESK, FROM_DESK)
        self._waiting.watch(channel.fileno(), self._hear_desk)
        self._told = None

    def _let_go(self) -> None:
        """In a child: close what is the supervisor's alone, above all its ends of other children's lifelines."""
        self._waiting.abandon()
        for generation in self._generations:
            generation.line.close()
        if self._desk_channel is not None:
            self._desk_channel.close()

    def _hear_desk(self) -> None:
        """The desk asks for something."""
        channel = self._desk_channel
        if channel is None:
            return
        try:
            for ask in channel.receive():
                self._ask(ask)
        except ValidationError as error:
            log.error("the desk says what it must not say: %s", error)  # noqa: TRY400 - that is all there is to know
            channel.ended = True
            if self._desk is not None:
                self._desk.signal(signal.SIGKILL)
        if channel.ended:
            self._waiting.forget(channel.fileno())

    def _send(self, message: ToDesk) -> None:
        """Tell the desk, if there is one."""
        channel = self._desk_channel
        if channel is None or channel.ended:
            return
        channel.send(message)
        if channel.waits > self._settings.processes.unread and self._desk is not None:
            log.error("the desk does not listen")
            self._desk.signal(signal.SIGKILL)
        self._watch_desk()

    def _watch_desk(self) -> None:
        channel = self._desk_channel
        if channel is not None and not channel.ended:
            self._waiting.watch(channel.fileno(), self._hear_desk, self._flush_desk if channel.waits else None)

    def _flush_desk(self) -> None:
        if self._desk_channel is not None:
            self._desk_channel.flush()
            self._watch_desk()

    def _tell(self) -> None:
        """Tell the desk how the server stands, where that has changed."""
        status = self._status()
        if status != self._told:
            self._told = status
            self._send(Standing(status))

    def _status(self) -> Status:
        outline = None if self._current is None else self._current.outline
        return Status(
            stage=self._stage,
            generation=self._in_use,
            since=self._since,
            loaded=self._loaded,
            rules=0 if outline is None else outline.rules,
            workers=tuple(
                replace(worker, age=self._age(generation))
                for generation in self._generations
                for worker in generation.workers
            ),
            restarts=dict(self._restarts),
            reload=self._verdict,
        )

    def _age(self, generation: Generation) -> Age:
        if generation is self._current:
            return Age.CURRENT
        return Age.COMING if generation is self._coming else Age.RETIRED

    def _stop(self) -> None:
        """Be no longer ready, accept no more, let answers under way end; the desk comes last."""
        self._stage = Stage.STOPPING
        self._notifier.stopping()
        self._asked = None
        self._desk_due = None
        processes, timeouts = self._settings.processes, self._settings.timeouts
        self._deadline = self._clock.steady() + timeouts.stop + 2 * processes.last_words
        self._tell()
        self._places.close_public()
        for generation in self._generations:
            generation.signal(signal.SIGTERM)

    def _cut_off(self) -> None:
        """Stop at once."""
        self._code = NOT_ORDERLY
        for generation in self._generations:
            generation.kill()
        if self._desk is not None:
            self._desk.signal(signal.SIGKILL)


def _log_verdict(verdict: Verdict) -> None:
    """What became of a reload, with every mistake on a line of its own."""
    if not verdict.ok:
        for problem in verdict.problems:
            log.error("%s", problem)
        log.error("reload refused, generation %s stays: %s", verdict.generation, verdict.message)
    elif verdict.changed:
        log.info("reloaded: generation %s is in use, after %.1f s", verdict.generation, verdict.seconds)
    else:
        log.info("reloaded: nothing has changed, generation %s stays", verdict.generation)
