"""Answers to challenges, as the server gives them: no rule and no origin comes before them (threat T20)."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.core.model import Https
from proxy.core.schedule import ALWAYS
from proxy.edge.tls.challenges import Challenges
from tests.edge.conftest import ANY_PORT
from tests.edge.peers import OK, Client, Originating, Serving, ask, get
from tests.edge.sites import AFTER, BEFORE, NOTICE, forwarding, passing_through, rule, rulebook, site
from tests.tls.authority import connect, issue, trusting

TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"
ANSWER = f"{TOKEN}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
ASKED = f"/.well-known/acme-challenge/{TOKEN}".encode()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder in which a challenge is open."""
    Challenges(tmp_path).put(TOKEN, ANSWER)
    return tmp_path


def redirecting_all(**keys: Any) -> Any:
    everything = rule("/*", "https://www.mi.com/", window=ALWAYS)
    return site(rules=(everything,), https=Https.REDIRECT, **keys)


@pytest.mark.parametrize("at", [BEFORE, NOTICE, AFTER])
async def test_our_own_answer_comes_before_everything(
    serving: Serving, originating: Originating, data: Path, at: Any
) -> None:
    origin = await originating(OK)
    for served in (
        redirecting_all(origins=(origin.origin,)),
        redirecting_all(origins=(origin.origin,), base=b"/uk"),
        passing_through(origin.origin),
    ):
        server = await serving(rulebook(served), at=at, data=data)
        answer = await ask(server, get(ASKED, b"po.co:80"))
        assert (answer.status, answer.body.decode()) == (200, ANSWER)
        assert answer.one(b"Content-Type") == b"application/octet-stream"
        assert answer.one(b"Cache-Control") == b"no-store"
        head = await ask(server, get(ASKED, method=b"HEAD"), b"HEAD")
        assert (head.status, head.one(b"Content-Length")) == (200, b"%d" % len(ANSWER))
    assert origin.received == []


async def test_over_tls_as_well(serving: Serving, data: Path) -> None:
    (data / "certs").mkdir()
    issue("po.co").plain(data / "certs", "po.co")
    server = await serving(rulebook(), listen_tls=(ANY_PORT,), certs=data / "certs", data=data, at=AFTER)
    async with await connect(server, "po.co", trusting()) as client:
        client.send(get(ASKED))
        assert (await client.answer()).body.decode() == ANSWER


@pytest.mark.parametrize("host", [b"unknown.example", b"10.0.0.1", b"po.co.evil.example"])
async def test_a_host_of_no_site_gets_none(serving: Serving, data: Path, host: bytes) -> None:
    server = await serving(rulebook(), data=data, at=AFTER)
    assert (await ask(server, get(ASKED, host))).status == 421


@pytest.mark.parametrize(
    "path",
    [
        b"/.well-known/acme-challenge/",
        b"/.well-known/acme-challenge/" + b"x" * 43,
        ASKED + b"/",
        ASKED + b"%00",
        ASKED[:-1],
        b"/.well-known/acme-challenge/../" + TOKEN.encode(),
        b"/.well-known/acme-challenge/..%2f..%2fsecret",
        b"/.well-known/acme-challenge/../../../secret-file-of-some-length",
    ],
)
async def test_any_other_challenge_is_not_found_and_never_redirected(serving: Serving, data: Path, path: bytes) -> None:
    (data / "secret-file-of-some-length").write_text("secret")
    (data / "secret").write_text("secret")
    server = await serving(rulebook(redirecting_all()), data=data, at=AFTER)
    assert (await ask(server, get(path))).status == 404


async def test_a_challenge_of_the_old_site_goes_to_its_origin(
    serving: Serving, originating: Originating, data: Path
) -> None:
    origin = await originating(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nyours")
    other = b"/.well-known/acme-challenge/" + b"x" * 43
    for served in (forwarding(origin.origin, https=Https.REDIRECT), passing_through(origin.origin)):
        server = await serving(rulebook(served), data=data, at=BEFORE)
        answer = await ask(server, get(other))
        assert (answer.status, answer.body) == (200, b"yours")
    assert [received.target for received in origin.received] == [other, other]


async def test_answers_come_and_go_while_it_runs(serving: Serving, tmp_path: Path) -> None:
    server = await serving(rulebook(), data=tmp_path / "data", at=AFTER)
    challenges = Challenges(tmp_path / "data")
    acts: list[tuple[Callable[[], object], int]] = [
        (lambda: None, 404),
        (lambda: challenges.put(TOKEN, ANSWER), 200),
        (lambda: challenges.put(TOKEN, ANSWER), 200),
        (lambda: challenges.remove(TOKEN), 404),
        (lambda: challenges.put(TOKEN, ANSWER), 200),
        (challenges.clear, 404),
        (lambda: shutil.rmtree(tmp_path / "data"), 404),
    ]
    async with await Client.to(server) as client:
        for act, status in acts:
            act()
            client.send(get(ASKED))
            assert (await client.answer()).status == status
