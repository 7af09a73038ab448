"""The desk: what it shows, who may ask it for what, and that nobody misses it (T36, T42)."""

import ctypes
import os
import signal
import socket
import struct
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest

from tests.edge.peers import get
from tests.processes.program import Load, Starting, eventually, lives, until

PIDFD_GETFD = 438
TOKEN = "0123456789abcdef-token"
REDIRECTS = 'sunset_requests_total{code="301",outcome="redirect",site="uk"}'


async def test_what_workers_count_is_summed_up(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "3")
    async with Load(program.port, clients=12) as load:
        await load.some()

    async def all_counted() -> bool:
        return (await program.metrics()).get(REDIRECTS) == load.answered

    await eventually(all_counted)
    found = await program.metrics()
    assert found['sunset_workers{state="accepting"}'] == 3
    assert found['sunset_rule_hits_total{rule="/old-1",site="uk"}'] == 0
    assert found["sunset_rulebook_last_reload_successful"] == 1


async def test_the_addresses_that_were_asked_for_most_are_shown(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "2")
    for path in (b"/old-1?a=1", b"/old-1?a=2", b"/old-1", b"/other"):
        assert (await program.ask(get(path))).status == 301

    async def all_told() -> bool:
        told = orjson.loads((await program.ask_desk("/hits?most=2")).body)
        asked = [(one["path"], one["rule"], one["status"], one["hits"]) for one in told["addresses"]]
        return asked == [("/old-1", "/old-1", 301, 3), ("/other", "", 301, 1)] and told["others"] == 0

    await eventually(all_told)
    for most in ("0", "-1", "x", "10001", "\xb2"):
        assert (await program.ask_desk(f"/hits?most={quote(most)}")).status == 400


async def test_clients_that_are_connected_are_counted_over_all_workers(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "2")
    async with Load(program.port, clients=12):

        async def all_seen() -> bool:
            return (await program.metrics())["sunset_connections"] == 12

        await eventually(all_seen)


async def test_redirects_go_on_without_the_desk_and_no_count_is_lost(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "2")
    desk = (await program.status())["pid"]
    async with Load(program.port) as load:
        os.kill(desk, signal.SIGSTOP)  # so that nothing is read any more, and is lost with it
        read = load.answered
        os.kill(desk, signal.SIGKILL)
        await until(lambda: not lives(desk))
        await load.some(500)
        await program.logs("the desk died: SIGKILL; started again at once")
        await load.some(500)
    assert load.failures == []

    async def all_counted() -> float:
        counted = (await program.metrics()).get(REDIRECTS, 0)
        return counted if counted >= load.answered - read else 0

    assert await eventually(all_counted) <= load.answered


async def test_a_desk_that_says_what_it_must_not_say_is_replaced(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "1")
    desk = (await program.status())["pid"]
    body = b'{"kind": "ask", "number": "one"}'
    with line_of(desk, program.process.pid) as line:
        line.send(len(body).to_bytes(8, "big") + body)
    await program.logs("the desk says what it must not say")
    await program.logs("the desk died: SIGKILL; started again at once")

    async def is_another() -> bool:
        return bool((await program.status())["pid"] != desk)

    await eventually(is_another)
    assert (await program.reload())[0] == 200


def line_of(desk: int, supervisor: int) -> socket.socket:
    """The end that a desk has of its line to the supervisor, which has made both ends: as if we were the desk."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(desk)
    try:
        for descriptor in Path(f"/proc/{desk}/fd").iterdir():
            if not str(descriptor.readlink()).startswith("socket:"):
                continue
            ours = libc.syscall(PIDFD_GETFD, process, int(descriptor.name), 0)
            if ours < 0:
                assert os.environ.get("CI") != "true", "this kernel hands no descriptors over"
                pytest.skip("this kernel hands no descriptors over")
            sock = socket.socket(fileno=ours)
            if (sock.family, sock.type) == (socket.AF_UNIX, socket.SOCK_STREAM):
                made_by, _, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                if made_by == supervisor:
                    return sock
            sock.close()
    finally:
        os.close(process)
    raise AssertionError("the desk has no line")


async def test_status_tells_what_there_is_to_know(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "1", "--at", "2025-01-01")
    told = await program.status()
    assert (told["stage"], told["ready"], told["rules"], told["reload"]) == ("serving", True, 10, None)
    assert told["now"].startswith("2025-01-01T00:0")
    here = [f"127.0.0.1:{port}" for port in (program.port, program.admin)]
    assert told["listeners"] == {"http": here[:1], "https": [], "admin": here[1:]}
    (site,) = told["sites"]
    assert (site["site"], site["phase"], site["next"], site["rules"]) == ("uk", "redirect", None, 10)
    (worker,) = told["workers"]
    assert (worker["generation"], worker["restarts"], worker["age"]) == (told["generation"], 0, "current")
    assert lives(worker["pid"])


async def test_the_public_listener_knows_nothing_of_it(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "1")
    for path in (b"/status", b"/metrics", b"/reload", b"/readyz"):
        answer = await program.ask(get(path))
        assert answer.one(b"Location") == b"https://www.mi.com/uk" + path
        assert (await program.ask(get(path, b"127.0.0.1"))).status == 421


JSON = b"Content-Type: application/json"
FORM = b"Content-Type: application/x-www-form-urlencoded"
ASKED = [
    (b"127.0.0.1", JSON, b"", 200),
    (b"127.0.0.1", JSON, b'{"allow_shrink": true}', 200),
    (b"127.0.0.1", JSON, b'{"rules": "/etc"}', 400),
    (b"127.0.0.1", JSON, b'"', 400),
    (b"127.0.0.1", JSON, b" " * 2000, 413),
    (b"127.0.0.1", b"Content-Type: text/plain", b"{}", 415),
    (b"127.0.0.1", FORM, b"allow_shrink=true", 415),
    (b"rebound.example", JSON, b"{}", 401),
]


async def test_a_reload_cannot_be_asked_for_by_a_page_in_somebodys_browser(rules: Path, starting: Starting) -> None:
    program = await starting(rules, "--workers", "1")
    for host, kind, body, status in ASKED:
        request = get(b"/reload", host, kind, b"Content-Length: %d" % len(body), method=b"POST") + body
        assert (await program.ask(request, program.admin)).status == status, (host, kind, body)
    assert (await program.ask(get(b"/reload", b"127.0.0.1"), program.admin)).status == 405


async def test_elsewhere_than_on_loopback_a_token_is_asked_for(rules: Path, starting: Starting) -> None:
    everywhere = ("--admin", "0.0.0.0:0")  # with a token
    program = await starting(rules, "--workers", "1", *everywhere, variables={"SUNSET_ADMIN_TOKEN": TOKEN})
    for path in ("/status", "/metrics"):
        assert (await program.ask_desk(path)).status == 401
        assert (await program.ask_desk(path, None, b"Authorization: Bearer " + TOKEN.encode())).status == 200
    assert (await program.ask_desk("/reload", b"{}")).status == 401
    assert (await program.ask_desk("/reload", b"{}", b"Authorization: Bearer " + TOKEN.encode())).status == 200
    assert (await program.ask_desk("/readyz")).status == 200
    refused = await starting(rules, *everywhere, ready=False)
    assert await refused.ended() == 1
    assert "SUNSET_ADMIN_TOKEN" in refused.said()
