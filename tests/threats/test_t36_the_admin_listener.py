"""T36: somebody from elsewhere reads what the admin listener has to say, or reaches it through the public one.

On loopback it is read without more, but not by a page whose own name leads there. Where it can be reached from
elsewhere it does not start without a token, and asks for it.
"""

from http.client import HTTPConnection

import pytest

from tests.threats.conftest import Figure
from tests.threats.running import PATIENCE, Start

TOKEN = "correct-horse-battery-staple"
AUTHORIZATIONS = ("", TOKEN, f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", "Bearer \xff\xfe")
HOSTS = ("rebound.example", "127.0.0.1.nip.io", "localhost.evil.example", "127.1", "")


def asked(port: int, **headers: str) -> int:
    """The status of /metrics there."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/metrics", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_page_whose_name_leads_to_loopback_reads_nothing(start: Start) -> None:
    server = start("--at", "2025-01-01")
    assert {host: asked(server.admin, Host=host) for host in HOSTS} == dict.fromkeys(HOSTS, 401)


def test_from_elsewhere_only_who_has_the_token_reads(start: Start, figure: Figure) -> None:
    server = start("--at", "2025-01-01", "--admin", "0.0.0.0:0", SUNSET_ADMIN_TOKEN=TOKEN)
    statuses = {given: asked(server.admin, Authorization=given) for given in AUTHORIZATIONS}
    assert statuses == dict.fromkeys(AUTHORIZATIONS, 401)
    assert asked(server.admin, Authorization=f"Bearer {TOKEN}") == 200
    assert not any(TOKEN in line for line in server.lines)
    figure("T36", "attempts to read metrics, and how many of them did", f"{len(statuses) + len(HOSTS)}, 0")


@pytest.mark.parametrize("token", ["", "short"])
def test_without_a_good_token_it_does_not_start_where_others_reach_it(start: Start, token: str) -> None:
    with pytest.raises(AssertionError, match="SUNSET_ADMIN_TOKEN"):
        start("--admin", "0.0.0.0:0", SUNSET_ADMIN_TOKEN=token)


def test_it_is_not_reached_through_the_public_listener(start: Start) -> None:
    server = start("--at", "2025-01-01")
    for host in ("127.0.0.1", "localhost", f"127.0.0.1:{server.admin}", f"localhost:{server.port}"):
        assert asked(server.port, Host=host) == 421
    request = b"GET http://127.0.0.1:%d/metrics HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n" % server.admin
    assert server.tell(request).startswith(b"HTTP/1.1 421 ")
