"""The process of one generation: it loads the rules, starts workers that inherit them, and replaces those that die.

Loading a million mappings takes seconds and leaves a large heap behind, so neither the supervisor nor a running worker
does it. Each reload gets a process of its own, forked from a supervisor that has stayed small: it loads at a low
priority, checks, and only then becomes the parent of the new workers, which share its memory page by page. When its
generation is over it ends, and takes all of that with it.

The channel to the supervisor is a lifeline too, for the workers as well: they hold the same end of it, and look at what
stands there without taking it away. A byte means that their generation is over; its end, that the supervisor is gone.
A nursery that is killed therefore takes no worker along.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.edge.outline import Outline
from proxy.edge.processes.backoff import Backoff
from proxy.edge.processes.channel import Channel
from proxy.edge.processes.child import Child, fork, reap, told
from proxy.edge.processes.lifeline import is_cut, is_retired
from proxy.edge.processes.messages import (
    FROM_NURSERY,
    TO_NURSERY,
    FromNursery,
    Loaded,
    Nothing,
    Refused,
    Staff,
    Unchanged,
)
from proxy.edge.processes.niceness import Done, gently
from proxy.edge.processes.presence import Presence
from proxy.edge.processes.waiting import Waiting, pause_until
from proxy.edge.processes.worker import ACCEPTS, Post, work
from proxy.edge.server import Server, loop_factory
from proxy.edge.status import Age, WorkerStatus
from proxy.errors import RulebookErrors, SunsetError
from proxy.rulebook.load import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from proxy.core.rulebook import Rulebook
    from proxy.edge.clock import Clock
    from proxy.edge.configuration.settings import Processes, Settings
    from proxy.edge.sockets import Places
    from proxy.edge.tls.certificates import Certificates

log = logging.getLogger("sunset")


class StillbornError(SunsetError):
    """Workers of new rules that end before they answer anything, or cannot begin."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a nursery is started with. `serving` is what is in use now, and None where nothing is yet."""

    rules: Path
    settings: Settings
    places: Places
    certificates: Certificates | None
    clock: Clock
    reports: socket.socket
    serving: Outline | None = None
    replaces: bool = False
    """Whether workers are needed although the rules have not changed."""
    allow_shrink: bool = False


@dataclass(slots=True)
class Place:
    """One of the workers of a generation, whichever process is it now."""

    number: int
    backoff: Backoff
    child: Child | None = None
    since: datetime | None = None
    lifesign: int = -1
    """The pipe that says when it accepts."""
    accepts: bool = False
    heard: float = 0.0
    """When it has last given a sign of life, on the steady clock."""
    restarts: int = 0
    due: float | None = None
    """When, on the steady clock, another process is to take it."""


def rear(order: Order, lifeline: socket.socket) -> int:
    """The work of a nursery's process."""
    channel: Channel[FromNursery, Nothing] = Channel(lifeline, FROM_NURSERY, TO_NURSERY)
    try:
        rulebook = _beside_others(order, lambda: load(order.rules))
    except RulebookErrors as refused:
        return _end(channel, Refused("the rules cannot be used", refused.problems))
    except (SunsetError, OSError, MemoryError) as error:
        return _end(channel, Refused(str(error) or type(error).__name__))
    outline = Outline.of(rulebook)
    if order.serving is not None:
        if outline.generation == order.serving.generation and not order.replaces:
            return _end(channel, Unchanged(rulebook.warnings))
        loss = None if order.allow_shrink else lost(order.serving, outline, order.settings.reloads.largest_loss)
        if loss is not None:
            return _end(channel, Refused(loss, rulebook.warnings))
    channel.send(Loaded(outline, rulebook.warnings))
    _beside_others(order, lambda: _warm(rulebook, order))
    gc.freeze()  # the collector is to touch none of it, so that all of it stays shared
    nursery = Nursery(order, rulebook, channel)
    try:
        nursery.run()
    except StillbornError as error:
        return _end(channel, Refused(str(error)))
    return 0


def _beside_others(order: Order, work: Callable[[], Done]) -> Done:
    """Work that is done gently where others serve."""
    return work() if order.serving is None else gently(order.settings.reloads.niceness, work)


def lost(before: Outline, after: Outline, largest: float) -> str | None:
    """Why rules that have become so few are not taken without a word of confirmation, or None."""
    for noun, had, has in (
        ("rules and mappings", before.rules, after.rules),
        ("sites", len(before.sites), len(after.sites)),
    ):
        if had - has > had * largest:
            return (
                f"of {had:,} {noun} only {has:,} would be left, as if files had been cut short or forgotten; "
                "if that is meant: sunset reload --allow-shrink"
            )
    return None


def _warm(rulebook: Rulebook, order: Order) -> None:
    """Do for all workers what each would do: compile what holds now and next, look up languages, read certificates.

    A server that nobody starts does most of it. Of a worker's start it leaves a tenth.
    """
    settings, clock = order.settings, order.clock
    if order.certificates is not None:
        order.certificates.refresh()
    table = Server(rulebook, settings, clock=clock, certificates=order.certificates).live.table
    if table.until is not None:
        rulebook.at(table.until, preview_suffix=settings.preview_suffix)
    loop_factory()


def _end(channel: Channel[FromNursery, Nothing], message: FromNursery) -> int:
    """Say a last word, and wait until it is said."""
    channel.send(message)
    with Waiting() as waiting:
        while channel.waits and not channel.ended:
            waiting.watch(channel.fileno(), lambda: None, channel.flush)
            waiting.wait()
    return 0


class Nursery:
    """Keeps the workers of a generation."""

    def __init__(self, order: Order, rulebook: Rulebook, channel: Channel[FromNursery, Nothing]) -> None:
        self._order = order
        self._processes: Processes = order.settings.processes
        self._clock = order.clock
        self._rulebook = rulebook
        self._channel = channel
        self._places = [Place(number, Backoff(self._processes)) for number in range(order.settings.worker_count)]
        self._presence = Presence(len(self._places))
        self._settled = False
        """Whether every place has had a worker that accepted."""
        self._over = False
        """Whether nobody is started any more."""
        self._deadline: float | None = None
        self._turned = self._clock.steady()
        self._waiting = Waiting(signal.SIGTERM, signal.SIGCHLD)

    def run(self) -> None:
        """Until the generation is over and its last worker has ended. Raises `StillbornError`."""
        with self._waiting as waiting:
            self._listen()
            for place in self._places:
                self._start(place)
            self._tell()
            while not self._over or any(place.child is not None for place in self._places):
                for number in waiting.wait(self._pause()):
                    if number == signal.SIGTERM:
                        self._stop()
                if self._over and self._deadline is None and is_cut(self._channel.fileno()):
                    self._stop()
                self._bury()
                self._start_due()
                self._listen_for_silence()
                self._clock.now()  # whoever is started later must not come back from a cutover either

    def _listen(self) -> None:
        """Watch the lifeline; for writing too while something waits to be said."""
        self._waiting.watch(self._channel.fileno(), self._heed, self._flush if self._channel.waits else None)

    def _flush(self) -> None:
        self._channel.flush()
        self._listen()

    def _tell(self) -> None:
        """Tell the supervisor about the workers."""
        self._channel.send(
            Staff(
                tuple(
                    WorkerStatus(
                        pid=place.child.pid,
                        place=place.number,
                        generation=self._rulebook.generation,
                        age=Age.COMING,  # the supervisor knows better
                        since=place.since,
                        accepts=place.accepts,
                        restarts=place.restarts,
                    )
                    for place in self._places
                    if place.child is not None and place.since is not None
                )
            )
        )
        if not self._over:
            self._listen()

    def _heed(self) -> None:
        """The lifeline says something: the generation is over, or the supervisor is gone."""
        self._waiting.forget(self._channel.fileno())
        self._over = True
        self._order.places.close_public()  # or the addresses would be taken for as long as somebody finishes
        if not is_retired(self._channel.fileno()):
            self._stop()

    def _stop(self) -> None:
        """Start nobody any more, hold no socket open, and let workers end what is under way."""
        self._over = True
        self._order.places.close_public()
        if self._deadline is None:
            self._deadline = self._clock.steady() + self._order.settings.timeouts.stop + self._processes.last_words
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        for place in self._places:
            if place.child is not None:
                place.child.signal(number)

    def _start(self, place: Place) -> None:
        order = self._order
        reader, writer = os.pipe()
        place.since = self._clock.now()
        place.due = None
        place.heard = self._clock.steady()
        place.lifesign = reader

        def begin() -> int:
            os.close(reader)
            self._let_go()
            return work(
                self._rulebook,
                Post(
                    settings=order.settings,
                    places=order.places,
                    presence=self._presence,
                    certificates=order.certificates,
                    clock=order.clock,
                    reports=order.reports,
                    place=place.number,
                    lifesign=writer,
                    lifeline=self._channel.fileno(),
                ),
            )

        try:
            place.child = fork(f"worker {place.number}", begin, self._clock.steady())
        except OSError as error:
            log.error("worker %d cannot be started: %s", place.number, error.strerror)  # noqa: TRY400 - all there is
            os.close(reader)
            place.lifesign = -1
            place.restarts += 1
            if not self._settled and place.restarts >= self._processes.stillborn:
                self._signal(signal.SIGTERM)
                raise StillbornError(f"no process can be started for a worker: {error.strerror}") from error
            place.due = self._clock.steady() + max(place.backoff.pause(0.0), self._processes.restart_pause)
            return
        finally:
            os.close(writer)
        self._waiting.watch(reader, lambda: self._hear(place))

    def _let_go(self) -> None:
        """In a worker: close what is the nursery's alone."""
        for place in self._places:
            if place.child is not None and place.lifesign >= 0:
                os.close(place.lifesign)
        self._waiting.abandon()

    def _hear(self, place: Place) -> None:
        """A worker says whether it accepts, or says nothing more."""
        said = os.read(place.lifesign, 64)
        if not said:
            self._waiting.forget(place.lifesign)
            os.close(place.lifesign)
            place.lifesign = -1
            return
        place.heard = self._clock.steady()
        accepts = said[-1:] == ACCEPTS
        if place.accepts == accepts:
            return
        place.accepts = accepts
        self._presence.note(place.number, there=accepts)
        self._settled = self._settled or all(place.accepts for place in self._places)
        self._tell()

    def _bury(self) -> None:
        """Look who has ended, and when somebody else is to take the place."""
        codes = dict(reap())
        changed = False
        for place in self._places:
            child = place.child
            if child is None or child.pid not in codes:
                continue
            changed = True
            accepted, place.child, place.accepts = place.accepts, None, False
            self._presence.note(place.number, there=False)
            if place.lifesign >= 0:
                self._waiting.forget(place.lifesign)
                os.close(place.lifesign)
                place.lifesign = -1
            if self._over:
                continue
            place.restarts += 1
            lived = self._clock.steady() - child.born
            if not accepted and not self._settled and place.restarts >= self._processes.stillborn:
                self._signal(signal.SIGTERM)
                raise StillbornError(f"workers end before they answer ({told(codes[child.pid])}); the log says why")
            pause = place.backoff.pause(lived)
            place.due = self._clock.steady() + pause
            log.error(
                "worker %d (process %d) died after %.1f s: %s; started again %s",
                place.number,
                child.pid,
                lived,
                told(codes[child.pid]),
                f"in {pause:g} s" if pause else "at once",
            )
        if changed:
            self._tell()
        if self._deadline is not None and self._clock.steady() >= self._deadline:
            self._signal(signal.SIGKILL)

    def _listen_for_silence(self) -> None:
        """Kill workers that give no sign of life, unless this process itself was asleep, as with its machine."""
        now, before = self._clock.steady(), self._turned
        self._turned = now
        for place in self._places:
            if now - before > self._processes.report_every + 1.0:
                place.heard = now
            if place.child is not None and now - place.heard > self._processes.silence:
                log.error("worker %d (process %d) gives no sign of life", place.number, place.child.pid)
                place.child.signal(signal.SIGKILL)
                place.heard = now

    def _start_due(self) -> None:
        due = [place for place in self._places if place.due is not None and place.due <= self._clock.steady()]
        for place in due:
            if not self._over:
                self._start(place)
        if due and not self._over:
            self._tell()

    def _pause(self) -> float:
        """How long to wait for events."""
        return pause_until((place.due for place in self._places), self._clock.steady())
