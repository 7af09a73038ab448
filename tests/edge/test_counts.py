"""Counts are plain numbers, and one process hands them on to another without losing or repeating any."""

import orjson

from proxy.core.decision import Outcome
from proxy.edge.counts import ADDRESSES, LONGEST_ADDRESS, Counts, Tally
from proxy.edge.visited import Address, Visited
from tests.edge.sites import AFTER, rule, rulebook, site


def counted() -> tuple[Counts, Tally]:
    book = rulebook(site(rules=(rule("/exact", "/uk/e"),)))
    counts = Counts(book)
    decision = book.at(AFTER).decide(b"po.co", b"/exact")
    return counts, counts.tally(decision.cause, Outcome.REDIRECT, 301)  # type: ignore[union-attr]


def test_one_subject_has_one_tally() -> None:
    counts, tally = counted()
    other = rulebook(site(rules=(rule("/exact", "/uk/e"),))).at(AFTER).decide(b"po.co", b"/exact")
    assert counts.tally(other.cause, Outcome.REDIRECT, 301) is tally  # type: ignore[union-attr]
    assert counts.tally(other.cause, Outcome.REDIRECT, 308) is not tally  # type: ignore[union-attr]


def test_what_is_taken_from_several_processes_adds_up() -> None:
    desk = Counts(rulebook(site(rules=(rule("/exact", "/uk/e"),))))
    for _ in range(2):
        worker, tally = counted()
        for seconds in (0.1, 0.2, 0.3):
            worker.hit(tally, b"/exact")
            worker.lasted(Outcome.REDIRECT, seconds)
            worker.upstream_failed("uk", "dns")
            worker.noticed("uk", "injected")
            worker.refuse("crowded")
            desk.add(orjson.loads(orjson.dumps(worker.take())))
    assert desk.requests == {("uk", Outcome.REDIRECT, 301): 6}
    assert desk.hits == {("uk", "/exact"): 6}
    assert desk.upstream_errors == {("uk", "dns"): 6}
    assert desk.notices == {("uk", "injected"): 6}
    assert desk.refused == {"crowded": 6}
    assert sum(desk.durations.values()) == 6
    assert round(desk.seconds[Outcome.REDIRECT], 6) == 1.2


def test_nothing_is_taken_twice() -> None:
    counts, tally = counted()
    counts.hit(tally, b"/exact")
    assert counts.take()
    assert counts.take() == []


def test_hits_by_address_are_bounded_and_none_is_lost_unseen() -> None:
    counts, tally = counted()
    for number in range(ADDRESSES + 10):
        counts.hit(tally, b"/%d" % number)
    counts.hit(tally, b"/0")
    taken = counts.take_addresses()
    assert counts.addresses_lost == 10
    assert len(taken) == ADDRESSES
    assert sum(hits for _, hits in taken) == ADDRESSES + 1
    assert {hits for address, hits in taken if address.path == "/0"} == {2}


def test_after_a_take_there_is_room_again() -> None:
    counts, tally = counted()
    for _ in range(2):
        for number in range(ADDRESSES):
            counts.hit(tally, b"/%d" % number)
        assert len(counts.take_addresses()) == ADDRESSES
    assert counts.addresses_lost == 0
    assert counts.take_addresses() == []


def test_an_address_that_is_too_long_is_not_kept() -> None:
    counts, tally = counted()
    counts.hit(tally, b"/" + b"a" * LONGEST_ADDRESS)
    assert counts.take_addresses() == []
    assert counts.addresses_lost == 1


def test_the_addresses_of_several_processes_add_up() -> None:
    desk = Counts()
    for _ in range(2):
        worker, tally = counted()
        for path in (b"/exact", b"/exact", b"/caf\xe9", b"/" + b"a" * LONGEST_ADDRESS):
            worker.hit(tally, path)
        desk.add(orjson.loads(orjson.dumps(worker.take())))
    asked = {address.path: (address.site, address.status, address.rule, hits) for address, hits in desk.visited.top(9)}
    assert asked == {"/exact": ("uk", 301, "/exact", 4), "/caf\xe9": ("uk", 301, "/exact", 2)}
    assert desk.visited.others == 2


def test_what_many_ask_for_stays_when_there_is_no_room_for_more() -> None:
    visited = Visited(most=10)
    asked = [Address("uk", "redirect", 301, "", f"/{number}") for number in range(30)]
    for address in asked:
        visited.add(asked[0], 1)
        visited.add(address, 1)
        assert len(visited) <= 10
    assert visited.top(1) == [(asked[0], 31)]
    assert visited.others + sum(hits for _, hits in visited.top(10)) == 60
