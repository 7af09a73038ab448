"""A run: servers are started, asked, and then measured in turn, A B C A B C, so that what drifts drifts for all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

from bench.answers import compare
from bench.ask import PAGE, asks, heads
from bench.load import Load
from bench.peers.peer import Certificate, Place
from bench.process import NONE, cpu_times, memory_kib, tree
from bench.results import Form, Measured, Round, Row
from bench.rules import HOST, Forward
from bench.scenario import FLOOR, NGINX, ORIGIN, Candidate, Scenario
from bench.server import Server, ServerError, free_port, running


@dataclass
class Started:
    """A candidate that runs, and what was measured of it so far."""

    candidate: Candidate
    server: Server
    heads: Path
    asked: int = 0
    rounds: list[Round] = field(default_factory=list)


Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cores:
    """One for the server, one for the load and what else there is."""

    server: int
    load: int

    @classmethod
    def of_this_process(cls) -> Cores:
        """The first two that it may use. Raises `ServerError` if there is only one."""
        allowed = sorted(os.sched_getaffinity(0))
        if len(allowed) < 2:
            raise ServerError("the server and its load need a core each, and there is only one")
        return cls(*allowed[:2])


@dataclass(frozen=True, slots=True)
class Run:
    """Where, how long, and whom to tell what is going on."""

    cores: Cores
    form: Form
    tell: Tell

    def measure(self, scenario: Scenario, candidates: list[Candidate]) -> Measured:
        """All rounds of a scenario. With a form of no rounds, servers are only asked whether they answer rightly."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="sunset-bench-")))
            certificate = self_made(folder) if scenario.load.tls else None
            if any(isinstance(candidate.rules, Forward) for candidate in candidates):
                stack.enter_context(self.old_site(folder))
            started = []
            for number, candidate in enumerate(candidates):
                self.tell(f"{scenario.name}: starting {candidate.peer.name}")
                own = folder / str(number)
                started.append(stack.enter_context(self.start(candidate, scenario.load, own, certificate)))
            for number in range(self.form.rounds):
                for each in started:
                    self.tell(f"{scenario.name}: round {number + 1}, {each.candidate.peer.name}")
                    each.rounds.append(self.round(each, scenario.load))
            rows = [row(each) for each in started]
            for each in started:
                if not each.candidate.peer.has_counted(each.server, each.asked):
                    raise ServerError(f"{each.server.name} answered {each.asked} requests, but counted fewer")
        return Measured(name=scenario.name, title=scenario.title, rows=rows)

    @contextmanager
    def start(
        self, candidate: Candidate, load: Load, folder: Path, certificate: Certificate | None
    ) -> Iterator[Started]:
        """A server that follows the rules, as it was asked about."""
        folder.mkdir()
        peer, rules = candidate.peer, candidate.rules
        place = Place(folder, free_port(), certificate)
        command = peer.command(rules, place)
        cores = (self.cores.server, self.cores.load)[: peer.cores]
        with running(peer.name, command, port=place.port, cores=cores, folder=folder) as server:
            file = folder / "heads"
            file.write_bytes(heads(rules, close=load.close))
            asked = 0 if peer is FLOOR else compare(server, rules, asks(rules), load)
            yield Started(candidate, server, file, asked)

    @contextmanager
    def old_site(self, folder: Path) -> Iterator[None]:
        """What is forwarded to: nginx, beside the load."""
        own = folder / "origin"
        own.mkdir()
        (own / "page.html").write_text(PAGE)
        command = NGINX.serving_files(Place(own, ORIGIN))
        with running("the old site", command, port=ORIGIN, cores=[self.cores.load], folder=own):
            yield

    def round(self, each: Started, load: Load) -> Round:
        """One turn."""
        server = each.server
        before = cpu_times(server.pid)
        answered = load.put_on(server, each.heads, seconds=self.form.seconds, core=self.cores.load)
        after = cpu_times(server.pid)
        if before.keys() - after.keys():
            raise ServerError(f"a process of {server.name} ended under load")
        each.asked += answered.requests
        spent = [after[process].since(before.get(process, NONE)) for process in after]
        share = 1e6 / answered.requests
        return Round(
            requests=answered.requests,
            seconds=answered.seconds,
            microseconds=sum(each.both for each in spent) * share,
            system_microseconds=sum(each.system for each in spent) * share,
            worker_microseconds=max(each.both for each in spent) * share,
            p50_ms=answered.p50_ms,
            p99_ms=answered.p99_ms,
        )


def row(each: Started) -> Row:
    """All that is kept of a candidate."""
    return Row(
        server=each.candidate.peer.name,
        size=each.candidate.size,
        note=each.candidate.note,
        processes=len(tree(each.server.pid)),
        loading_seconds=each.server.loading,
        memory_kib=memory_kib(each.server.pid),
        rounds=each.rounds,
    )


def self_made(folder: Path) -> Certificate:
    """A certificate for the old host with a P-256 key, which nobody vouches for."""
    issued = trustme.CA(key_type=trustme.KeyType.ECDSA).issue_cert(HOST, key_type=trustme.KeyType.ECDSA)
    certificate = Certificate(folder / "chain.pem", folder / "key.pem")
    issued.private_key_pem.write_to_path(str(certificate.key))
    for number, piece in enumerate(issued.cert_chain_pems):
        piece.write_to_path(str(certificate.chain), append=number > 0)
    return certificate
