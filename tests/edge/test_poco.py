"""The case that Sunset is built on, over real sockets: the shipped rules, the clock at the asked instant."""

import pytest

from proxy.edge.clock import Clock
from proxy.rulebook.load import load
from tests.cases.poco import RULES, Case, cases
from tests.edge.peers import Originating, Serving, ask

ZONES = {"po.co/uk": "Europe/London", "po.co/fr": "Europe/Paris", "po.co.id": "Asia/Jakarta"}
FROM_ORIGIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Origin: yes\r\nContent-Length: 8\r\n\r\nold site"


def zone_of(case: Case) -> str:
    """The time zone of the asked site."""
    where = (case.host + case.target).removeprefix("www.")
    return next((zone for prefix, zone in ZONES.items() if where.startswith(prefix)), "UTC")


@pytest.mark.parametrize("case", cases(), ids=str)
async def test_the_shipped_rules_answer_over_real_sockets(
    case: Case, serving: Serving, originating: Originating
) -> None:
    origin = await originating(FROM_ORIGIN)
    rulebook = load(RULES).with_origin(origin.origin)
    server = await serving(rulebook, clock=Clock(case.instant(zone_of(case))))

    request = f"{case.method} {case.target} HTTP/1.1\r\nHost: {case.host}\r\n\r\n"
    answer = await ask(server, request.encode(), case.method.encode())

    status, _, location = case.expect.partition(" ")
    if status.isdigit():
        assert (answer.status, answer.all(b"X-Origin")) == (int(status), [])
        assert answer.all(b"Location") == ([location.encode()] if location else [])
    else:
        assert (answer.status, answer.body, answer.all(b"Location")) == (200, b"old site", [])
        links = b" ".join(answer.all(b"Link"))
        assert (b'rel="successor-version"' in links) is (status == "forward+notice")
