"""When to renew: as the authority says (ARI, RFC 9773), and without its word when two thirds of the time are over."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from email.utils import formatdate
from pathlib import Path

import pytest
from aiohttp import web

from proxy.acme.archive import Archive
from proxy.acme.attempts import FIRST_PAUSE, Attempts
from proxy.acme.authority import LONGEST_WAIT, Authority
from proxy.acme.renewals import THE_AUTHORITY, Renewals
from proxy.edge.clock import Clock
from proxy.edge.tls.certificates import Certificates
from proxy.edge.tls.challenges import Challenges
from tests.tls.authority import issue

DAY = timedelta(days=1)


class Informer:
    """An authority that knows an account, says when to renew, and gives no certificate."""

    def __init__(self) -> None:
        self.window: tuple[datetime, datetime] | None = None
        self.asked: list[str] = []
        self.orders: list[str] = []
        """Hosts, in the order in which they were asked for."""
        self.fails_at = ""
        """The host at which it is the authority that fails."""
        self.wait = ""
        """What it says of when to ask for a host again: Retry-After."""

    async def start(self) -> web.AppRunner:
        application = web.Application()
        application.router.add_get("/dir", self._directory)
        application.router.add_head("/nonce", self._nonce)
        application.router.add_post("/account", self._account)
        application.router.add_post("/order", self._order)
        application.router.add_get("/renewal/{certificate}", self._renewal)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.home = "http://{}:{}".format(*runner.addresses[0][:2])
        return runner

    async def _directory(self, _: web.Request) -> web.Response:
        names = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order"}
        if self.window is not None:
            names["renewalInfo"] = "renewal"
        return web.json_response({name: f"{self.home}/{path}" for name, path in names.items()} | {"meta": {}})

    async def _nonce(self, _: web.Request) -> web.Response:
        return web.Response(headers={"Replay-Nonce": "abc"})

    async def _account(self, _: web.Request) -> web.Response:
        headers = {"Replay-Nonce": "abc", "Location": f"{self.home}/account/1"}
        return web.json_response({"status": "valid"}, status=201, headers=headers)

    async def _order(self, request: web.Request) -> web.Response:
        signed = json.loads(await request.text())["payload"]
        host = json.loads(base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4)))["identifiers"][0]["value"]
        self.orders.append(host)
        headers = {"Replay-Nonce": "abc"}
        kind, status = ("serverInternal", 500) if host == self.fails_at else ("rejectedIdentifier", 403)
        if self.wait:
            kind, status = "rateLimited", 429
            headers |= {"Date": formatdate(DAY.total_seconds(), usegmt=True), "Retry-After": self.wait}
        problem = {"type": f"urn:ietf:params:acme:error:{kind}", "detail": "not today"}
        return web.json_response(problem, status=status, content_type="application/problem+json", headers=headers)

    async def _renewal(self, request: web.Request) -> web.Response:
        self.asked.append(request.match_info["certificate"])
        assert self.window is not None
        start, end = (f"{instant:%Y-%m-%dT%H:%M:%SZ}" for instant in self.window)
        return web.json_response({"suggestedWindow": {"start": start, "end": end}}, headers={"Retry-After": "21600"})


@pytest.fixture
async def informer() -> AsyncIterator[Informer]:
    started = Informer()
    runner = await started.start()
    yield started
    await runner.cleanup()


def renewals(
    folder: Path,
    informer: Informer,
    ahead: timedelta = timedelta(),
    *,
    age: timedelta = 10 * DAY,
    life: timedelta = 90 * DAY,
) -> Renewals:
    """A process that finds a certificate for 90 days of which 10 are over, or for another `life`."""
    real = Clock()
    clock = Clock(wall=lambda: real.timestamp() + ahead.total_seconds())
    archive = Archive(folder / "certs", "test")
    if not archive.has("po.co"):
        (folder / "certs").mkdir()
        files = issue("po.co", begins=real.now() - age, ends=real.now() - age + life)
        archive.put("po.co", files.chain, files.key)
    return Renewals(
        certificates=Certificates(folder / "certs", now=clock.timestamp),
        archive=archive,
        attempts=Attempts.read(folder / "attempts.json"),
        challenges=Challenges(folder),
        connect=lambda: Authority(f"{informer.home}/dir", folder / "account.key", agrees=True),
        clock=clock,
    )


async def test_the_authority_says_when_and_is_asked_no_more_often_than_it_wants(
    tmp_path: Path, informer: Informer
) -> None:
    now = Clock().now()
    informer.window = (now + 30 * DAY, now + 32 * DAY)
    rounds = [await asyncio.to_thread(renewals(tmp_path, informer).round, ["po.co"]) for _ in range(3)]
    assert [(done.issued, done.failed) for done in rounds] == [((), ())] * 3
    assert len(informer.asked) == 1
    renew_at = Attempts.read(tmp_path / "attempts.json").of("po.co").renew_at
    assert (now + 30 * DAY).timestamp() - 1 <= renew_at <= (now + 32 * DAY).timestamp()
    assert rounds[-1].next_at < (now + DAY).timestamp()


async def test_a_window_that_is_over_means_now(tmp_path: Path, informer: Informer) -> None:
    now = Clock().now()
    informer.window = (now - 2 * DAY, now - DAY)
    done = await asyncio.to_thread(renewals(tmp_path, informer).round, ["po.co"])
    assert (done.failed, informer.orders) == (("po.co",), ["po.co"])
    assert done.lacking == ()
    assert Attempts.read(tmp_path / "attempts.json").of("po.co").error == "not today"


@pytest.mark.parametrize(("ahead", "orders"), [(49 * DAY, 0), (51 * DAY, 1)])
async def test_an_authority_that_does_not_say_is_asked_after_two_thirds(
    tmp_path: Path, informer: Informer, ahead: timedelta, orders: int
) -> None:
    await asyncio.to_thread(renewals(tmp_path, informer, ahead).round, ["po.co"])
    assert len(informer.orders) == orders


async def test_a_certificate_for_a_day_is_not_renewed_before_its_window(tmp_path: Path, informer: Informer) -> None:
    now = Clock().now()
    informer.window = (now + DAY / 2, now + DAY * 0.6)
    one = renewals(tmp_path, informer, age=DAY / 24, life=DAY)
    await asyncio.to_thread(one.round, ["po.co"])
    assert informer.orders == []
    assert one.attempts.of("po.co").renew_at >= (now + DAY / 2).timestamp() - 1


async def test_a_host_at_which_the_authority_fails_holds_up_no_other(tmp_path: Path, informer: Informer) -> None:
    """Its own turn comes last the next time; or it alone would be asked for, and fail, for ever."""
    informer.fails_at = "a.example"
    for ahead in (timedelta(), DAY, 3 * DAY):
        await asyncio.to_thread(renewals(tmp_path, informer, ahead).round, ["a.example", "b.example", "c.example"])
    assert informer.orders == [
        "a.example",
        "b.example",
        "c.example",
        "a.example",
        "b.example",
        "c.example",
        "a.example",
    ]
    assert Attempts.read(tmp_path / "attempts.json").of(THE_AUTHORITY).failures == 1


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7200", 7200),
        ("0", FIRST_PAUSE),
        ("soon", FIRST_PAUSE),
        (formatdate(2 * DAY.total_seconds(), usegmt=True), DAY.total_seconds()),
        (formatdate(0, usegmt=True), FIRST_PAUSE),
        ("9" * 30, LONGEST_WAIT),
    ],
)
async def test_an_authority_that_wants_to_be_left_alone_for_a_while_is(
    tmp_path: Path, informer: Informer, said: str, seconds: float
) -> None:
    informer.wait = said
    one = renewals(tmp_path, informer)
    now = Clock().timestamp()
    done = await asyncio.to_thread(one.round, ["a.example", "b.example"])
    assert (done.failed, informer.orders) == (("a.example", "b.example"), ["a.example", "b.example"])
    assert 0 <= one.attempts.of("a.example").not_before - now - seconds < 60
