"""A server that answers otherwise than the others is not measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.answers import compare
from bench.ask import NUMBER_OF_ASKS, Ask, asks
from bench.load import Load
from bench.peers.aiohttp import Application, Floor
from bench.peers.peer import Peer, Place
from bench.rules import NEW, Mappings, Prefixes, Regexes, Rules
from bench.run import Cores
from bench.server import ServerError, free_port, running

RULES: tuple[Rules, ...] = (Prefixes(), Mappings(1_000_000), Regexes(1_000))


def asked(peer: Peer, rules: Prefixes, requests: tuple[Ask, ...], folder: Path) -> int:
    """How many requests a server answers rightly."""
    port = free_port()
    command = peer.command(rules, Place(folder, port))
    with running(peer.name, command, port=port, cores=[Cores.of_this_process().server], folder=folder) as server:
        return compare(server, rules, requests, Load())


def test_right_answers_are_counted(tmp_path: Path) -> None:
    assert asked(Application(), Prefixes(), asks(Prefixes()), tmp_path) == 100


def test_another_location_is_found(tmp_path: Path) -> None:
    other = Prefixes((("/uk", NEW), ("/id", NEW)))
    with pytest.raises(ServerError, match=r"aiohttp answers /id/.* with 301 and \['https://www\.new\.example/id/"):
        asked(Application(), other, asks(Prefixes()), tmp_path)


def test_an_answer_without_a_look_at_the_request_is_found(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="Python's floor answers /"):
        asked(Floor(), Prefixes(), asks(Prefixes()), tmp_path)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match=r"does not start:\n(?s:.*)zip\(\) argument"):
        asked(Application(), Prefixes(((NEW,),)), asks(Prefixes()), tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize("rules", RULES)
def test_requests_are_as_browsers_send_them(rules: Rules) -> None:
    requests = asks(rules)
    sizes = [len(request.head(close=False)) for request in requests]
    assert min(sizes) > 300
    assert 380 < sum(sizes) / len(sizes) < 480
    assert len({request.head(close=False) for request in requests}) > 0.95 * NUMBER_OF_ASKS


def test_every_run_asks_the_same() -> None:
    assert asks.__wrapped__(Mappings(1000)) == asks(Mappings(1000))
