"""The small parts that processes are held together with, each by itself."""

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from proxy.core.decision import Outcome
from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import Endpoint, Processes, Settings, SettingsError
from proxy.edge.counts import Counts
from proxy.edge.outline import Outline
from proxy.edge.processes.backoff import Backoff
from proxy.edge.processes.channel import Channel
from proxy.edge.processes.child import Child, fork, reap, told
from proxy.edge.processes.lifeline import RETIRED, is_cut, is_retired
from proxy.edge.processes.messages import FROM_NURSERY, TO_NURSERY, Loaded, Refused, Unchanged
from proxy.edge.processes.niceness import gently
from proxy.edge.processes.nursery import Nursery, Order, StillbornError, lost
from proxy.edge.processes.presence import Presence
from proxy.edge.processes.report import DATAGRAM, Reporter, read, report_sockets
from proxy.edge.processes.waiting import Waiting, pause_until
from proxy.edge.sockets import Places
from proxy.errors import Place, Problem, Severity
from tests.edge.sites import rulebook, site

NUMBERS: TypeAdapter[list[int]] = TypeAdapter(list[int])
MESSAGES = [[1], [], list(range(1000)), [-1, 2]]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    yield one, other
    one.close()
    other.close()


def test_messages_arrive_whole_byte_by_byte_and_with_a_tail(pair: tuple[socket.socket, socket.socket]) -> None:
    sender: Channel[list[int], list[int]] = Channel(pair[0], NUMBERS, NUMBERS)
    for message in MESSAGES:
        sender.send(message)
    sent = pair[1].recv(1 << 16)
    for cut in (len(sent), 1, 7, len(sent) - 1):
        here, there = socket.socketpair()
        with here, there:
            receiver: Channel[list[int], list[int]] = Channel(there, NUMBERS, NUMBERS)
            came: list[list[int]] = []
            for start in range(0, len(sent), cut):
                here.sendall(sent[start : start + cut])
                came += receiver.receive()
            assert came == MESSAGES
            assert not receiver.ended
            here.close()
            assert list(receiver.receive()) == []
            assert receiver.ended


def test_what_cannot_be_sent_yet_is_sent_later(pair: tuple[socket.socket, socket.socket]) -> None:
    sender: Channel[list[int], list[int]] = Channel(pair[0], NUMBERS, NUMBERS)
    receiver: Channel[list[int], list[int]] = Channel(pair[1], NUMBERS, NUMBERS)
    long = list(range(1_000_000))
    sender.send(long)
    assert sender.waits
    came: list[list[int]] = []
    while not came:
        came += receiver.receive()
        sender.flush()
    assert came == [long]
    assert not sender.waits
    pair[1].close()
    sender.send(long)
    assert (sender.ended, sender.waits) == (True, 0)


def test_a_message_of_another_kind_is_refused(pair: tuple[socket.socket, socket.socket]) -> None:
    receiver: Channel[list[int], list[int]] = Channel(pair[1], NUMBERS, NUMBERS)
    body = b'{"os": "system"}'
    pair[0].sendall(len(body).to_bytes(8, "big") + body)
    with pytest.raises(ValidationError):
        list(receiver.receive())


def test_a_nursery_is_understood() -> None:
    problem = Problem(Place("uk.yaml", 3, 1), "unknown-key", 'what is "wher"?', Severity.WARNING, "wher: 1")
    for message in (Loaded(Outline.of(rulebook()), (problem,)), Unchanged(()), Refused("no", (problem,))):
        assert FROM_NURSERY.validate_json(FROM_NURSERY.dump_json(message)) == message


@pytest.mark.parametrize(
    ("lives", "pauses"),
    [
        ([0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0.5, 1, 2, 4, 8, 16, 30, 30]),
        ([0, 0, 9.9, 10, 0, 0], [0, 0.5, 1, 0, 0.5, 1]),
        ([3600, 3600], [0, 0]),
    ],
)
def test_pauses_grow_until_a_process_has_lived_a_while(lives: list[float], pauses: list[float]) -> None:
    backoff = Backoff(Processes())
    assert [backoff.pause(lived) for lived in lives] == pauses


@pytest.mark.parametrize(
    ("there", "left"),
    [
        ("111", {0: [], 1: [], 2: []}),
        ("101", {0: [], 2: [1]}),
        ("011", {1: [0], 2: []}),
        ("100", {0: [2, 1]}),
        ("1", {0: []}),
        ("10010", {0: [4], 3: [2, 1]}),
    ],
)
def test_the_next_worker_stands_in_for_those_that_are_missing(there: str, left: dict[int, list[int]]) -> None:
    presence = Presence(len(there))
    for place, present in enumerate(there):
        presence.note(place, there=present == "1")
    assert {place: list(presence.left_to(place)) for place in left} == left


@pytest.mark.parametrize(
    ("before", "after", "largest", "taken"),
    [
        ((100, 5), (80, 4), 0.2, True),
        ((100, 5), (79, 5), 0.2, False),
        ((100, 5), (100, 3), 0.2, False),
        ((100, 5), (0, 0), 1.0, True),
        ((100, 5), (99, 5), 0.0, False),
        ((0, 1), (0, 1), 0.2, True),
        ((5, 1), (500, 9), 0.2, True),
    ],
)
def test_a_loss_is_a_share_of_what_there_was(
    before: tuple[int, int], after: tuple[int, int], largest: float, taken: bool
) -> None:
    def outline(rules: int, sites: int) -> Outline:
        return Outline(
            "x", rules, 0, Outline.of(rulebook(*[site(f"site-{number}") for number in range(9)])).sites[:sites]
        )

    assert (lost(outline(*before), outline(*after), largest) is None) is taken


def test_counts_reach_the_desk_whoever_reads_them_and_when() -> None:
    reader, writer = report_sockets()
    with reader, writer:
        counted, summed = Counts(), Counts()
        reporter = Reporter(writer, counted, "abc", 3)
        tallies = [counted.tally(None, Outcome.BAD_REQUEST, status) for status in range(400, 440)]
        for rounds in range(1, 2000):
            for tally in tallies:
                tally.count += rounds
            reporter.send(rounds)  # nobody reads: what is too much for the kernel is kept
        for _ in range(1000):
            for report in read(reader, 64):
                assert (report.pid, report.generation, report.place) == (os.getpid(), "abc", 3)
                summed.add(report.rows)
            reporter.send(0)
        assert summed.requests == counted.requests


def test_a_report_is_as_many_datagrams_as_it_takes() -> None:
    reader, writer = report_sockets()
    with reader, writer:
        counted, summed = Counts(), Counts()
        for number in range(5000):
            counted.upstream_failed(f"site-with-a-name-of-some-length-{number}", "refused")
        Reporter(writer, counted, "abc", 0).send(1)
        assert len(reader.recv(1 << 20, socket.MSG_PEEK)) <= DATAGRAM + 200
        reports = list(read(reader, 100))
        assert len(reports) > 1
        assert [report.ends for report in reports] == [False] * (len(reports) - 1) + [True]
        for report in reports:
            summed.add(report.rows)
        assert summed.upstream_errors == counted.upstream_errors


def test_sockets_that_cannot_be_had_are_told_of_where_all_speak_tls() -> None:
    settings = Settings(listen=(), listen_tls=(Endpoint("127.0.0.1", 0),), admin=None, workers=1024)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        with pytest.raises(SettingsError, match="no file descriptors are left"):
            Places.bind(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_workers_that_cannot_be_started_are_not_tried_for_ever(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_process(*_: object) -> Child:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr("proxy.edge.processes.nursery.fork", no_process)
    reader, writer = report_sockets()
    settings = Settings(
        listen=(Endpoint("127.0.0.1", 0),), admin=None, workers=1, processes=Processes(restart_pause=0.01)
    )
    order = Order(Path(), settings, Places.bind(settings), None, Clock(), writer)
    with reader, writer:
        nursery = Nursery(order, rulebook(site()), Channel(pair[0], FROM_NURSERY, TO_NURSERY))
        with pytest.raises(StillbornError, match="no process can be started for a worker: Resource temporarily"):
            nursery.run()
    order.places.close_public()


def test_a_lifeline_tells_the_end_of_a_generation_from_that_of_the_supervisor(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    assert not is_retired(theirs.fileno())
    assert not is_cut(theirs.fileno())
    ours.send(RETIRED)
    assert is_retired(theirs.fileno())
    assert is_retired(theirs.fileno())  # everybody who looks sees it
    assert not is_cut(theirs.fileno())
    ours.close()
    assert is_retired(theirs.fileno())
    assert is_cut(theirs.fileno())


def test_signals_and_descriptors_are_waited_for_in_one_place() -> None:
    reader, writer = os.pipe()
    heard: list[bytes] = []
    with Waiting(signal.SIGUSR2) as waiting:
        waiting.watch(reader, lambda: heard.append(os.read(reader, 10)))
        assert waiting.wait(0) == []
        os.write(writer, b"x")
        assert (waiting.wait(5), heard) == ([], [b"x"])
        signal.raise_signal(signal.SIGUSR2)
        assert waiting.wait(5) == [signal.SIGUSR2]
        waiting.forget(reader)
        os.write(writer, b"y")
        assert (waiting.wait(0), heard) == ([], [b"x"])
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(
    ("times", "pause"), [((), 1.0), ((None,), 1.0), ((10.5, None), 0.5), ((9.0,), 0.0), ((12.0, 10.25), 0.25)]
)
def test_nobody_waits_longer_than_a_second(times: tuple[float | None, ...], pause: float) -> None:
    assert pause_until(times, 10.0) == pause


def test_what_is_done_gently_leaves_the_process_as_it_was() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert gently(3, lambda: os.getpriority(os.PRIO_PROCESS, 0)) == min(before + 3, 19)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
    with pytest.raises(RuntimeError, match="a fault of our own"):
        gently(3, fail)


def fail() -> int:
    raise RuntimeError("a fault of our own")


def end_by(number: signal.Signals) -> int:
    os.kill(os.getpid(), number)
    return 1


WORK: dict[str, tuple[Any, str]] = {
    "well": (lambda: 0, "exit code 0"),
    "not well": (lambda: 3, "exit code 3"),
    "with a fault": (fail, "exit code 70"),
    "killed": (lambda: end_by(signal.SIGKILL), "SIGKILL"),
    "unheeding": (lambda: end_by(signal.SIGINT), "exit code 1"),
}


@pytest.mark.parametrize(("work", "says"), WORK.values(), ids=WORK)
def test_a_child_is_heard_of_as_it_ended(work: Any, says: str) -> None:
    child = fork("a child", work, 0.0)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert child.lives  # until it is reaped
    assert {pid: told(code) for pid, code in reap()}[child.pid] == says
    assert reap() == []
    assert not child.lives
    child.signal(signal.SIGTERM)  # which is nobody any more
