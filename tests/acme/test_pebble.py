"""Certificates from a real ACME server: issued, renewed, refused, and what is remembered of that."""

import asyncio
import ssl
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from proxy.acme.archive import Archive
from proxy.acme.attempts import FIRST_PAUSE, Attempts
from proxy.acme.authority import Authority
from proxy.acme.renewals import THE_AUTHORITY, Renewals, Round
from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import Endpoint
from proxy.edge.tls.certificates import Certificates
from proxy.edge.tls.challenges import Challenges
from tests.acme.conftest import Pebble
from tests.edge.peers import OK, Originating, Serving
from tests.edge.sites import AFTER, BEFORE, passing_through, rulebook, site
from tests.tls.authority import connect, issue

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[Any]]

HOSTS = ("po.co", "www.po.co")


class Workshop:
    """All that a process which asks for certificates is made of, with a clock that can be moved."""

    def __init__(self, folder: Path, directory: str) -> None:
        self.certs, self.data = folder / "certs", folder / "data"
        self.certs.mkdir(exist_ok=True)
        self.directory = directory
        self.ahead = 0.0
        self.restart()

    def restart(self) -> None:
        """Be another process that finds what this one has left."""
        real = Clock()
        self.clock = Clock(wall=lambda: real.timestamp() + self.ahead)
        self.attempts = Attempts.read(self.data / "acme/test/attempts.json")
        self.renewals = Renewals(
            certificates=Certificates(self.certs, now=self.clock.timestamp),
            archive=Archive(self.certs, "test"),
            attempts=self.attempts,
            challenges=Challenges(self.data),
            connect=lambda: Authority(self.directory, self.data / "acme/test/account.key", agrees=True),
            clock=self.clock,
        )

    async def round(self, *hosts: str) -> Round:
        return await asyncio.to_thread(self.renewals.round, hosts or HOSTS)

    def chain(self, host: str) -> bytes:
        return (self.certs / f"acme-{host}" / "fullchain.pem").read_bytes()


@pytest.fixture
def workshop(tmp_path: Path, trusted: Pebble) -> Workshop:
    return Workshop(tmp_path, trusted.directory)


async def serve(serving: Serving, pebble: Pebble, workshop: Workshop, *sites: Any, **settings: Any) -> Any:
    """A server where Pebble looks for it."""
    settings = {"at": AFTER, "data": workshop.data, **settings}
    return await serving(rulebook(*sites), listen=(Endpoint("127.0.0.1", pebble.http_port),), **settings)


async def test_every_host_gets_a_certificate_in_certbots_layout(
    serving: Serving, trusted: Pebble, workshop: Workshop
) -> None:
    await serve(serving, trusted, workshop)
    done = await workshop.round()
    assert (done.issued, done.failed, done.lacking) == (HOSTS, (), ())
    certificates = Certificates(workshop.certs)
    certificates.refresh()
    assert certificates.faults == ()
    assert certificates.lacking(HOSTS) == []
    for host in HOSTS:
        key = workshop.certs / f"acme-{host}" / "privkey.pem"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((workshop.data / "acme/test/account.key").stat().st_mode) == 0o600
    assert list((workshop.data / "acme/challenges").iterdir()) == []
    assert (await workshop.round()).issued == ()


async def test_a_host_that_is_still_forwarded_gets_one_too(
    serving: Serving, originating: Originating, trusted: Pebble, workshop: Workshop
) -> None:
    origin = await originating(OK)
    await serve(serving, trusted, workshop, passing_through(origin.origin), at=BEFORE)
    assert (await workshop.round()).issued == HOSTS
    assert origin.received == []


async def test_a_running_server_takes_what_was_issued(serving: Serving, trusted: Pebble, workshop: Workshop) -> None:
    issue("other.example").plain(workshop.certs, "other")
    server = await serve(
        serving, trusted, workshop, site(), listen_tls=(Endpoint("127.0.0.1", 0),), certs=workshop.certs
    )
    assert server.certificates is not None
    await workshop.round()
    server.certificates.refresh()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with await connect(server, "www.po.co", context) as client:
        shown = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    assert ssl.DER_cert_to_PEM_cert(shown).encode() in workshop.chain("www.po.co")


async def test_it_is_renewed_when_two_thirds_of_its_time_are_over(
    serving: Serving, trusted: Pebble, workshop: Workshop
) -> None:
    await serve(serving, trusted, workshop)
    await workshop.round()
    [own] = [found for found in workshop.renewals.certificates.all if found.names == ("po.co",)]
    first = workshop.chain("po.co")
    done = await workshop.round()
    lifetime = own.ends - own.begins
    assert done.next_at <= own.begins + lifetime * 2 / 3
    workshop.ahead = lifetime * 0.66
    assert (await workshop.round()).issued == ()
    workshop.ahead = lifetime * 0.67
    assert set((await workshop.round()).issued) == set(HOSTS)
    assert workshop.chain("po.co") != first
    workshop.ahead = 0.0
    workshop.restart()
    assert (await workshop.round()).issued == ()


async def test_who_cannot_be_proved_pauses_ever_longer_also_after_a_restart(
    serving: Serving, trusted: Pebble, workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    done = await workshop.round("po.co")  # nobody answers the challenge
    assert (done.issued, done.failed, done.lacking) == ((), ("po.co",), ("po.co",))
    assert "acme: no certificate for po.co: " in caplog.text
    first = workshop.attempts.of("po.co")
    assert first.failures == 1
    assert "refused" in first.error
    assert list((workshop.data / "acme/challenges").iterdir()) == []

    for _ in range(2):
        workshop.restart()
        done = await workshop.round("po.co")
        assert (done.failed, done.lacking) == ((), ("po.co",))
        assert done.next_at == first.not_before
    workshop.ahead += FIRST_PAUSE + 1
    assert (await workshop.round("po.co")).failed == ("po.co",)
    second = workshop.attempts.of("po.co")
    assert second.failures == 2
    assert second.not_before - workshop.clock.timestamp() > FIRST_PAUSE

    await serve(serving, trusted, workshop)
    workshop.restart()
    assert (await workshop.round("po.co")).issued == ()
    workshop.ahead += 2 * FIRST_PAUSE + 1
    assert (await workshop.round("po.co")).issued == ("po.co",)
    assert workshop.attempts.of("po.co").failures == 0


async def test_one_that_fails_keeps_no_other_from_getting_one(
    serving: Serving, trusted: Pebble, workshop: Workshop
) -> None:
    await serve(serving, trusted, workshop)
    done = await workshop.round("unknown.example", "po.co")  # Sunset answers 421 to the first
    assert (done.issued, done.failed) == (("po.co",), ("unknown.example",))


async def test_an_authority_that_cannot_be_reached_is_nobodys_fault(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, "https://127.0.0.1:1/dir")
    done = await workshop.round()
    assert (done.issued, done.failed, done.lacking) == ((), (), HOSTS)
    assert [workshop.attempts.of(host).failures for host in (*HOSTS, THE_AUTHORITY)] == [0, 0, 1]
    workshop.restart()
    paused = workshop.attempts.of(THE_AUTHORITY).not_before
    assert (await workshop.round()).next_at == paused > workshop.clock.timestamp()
    assert workshop.attempts.of(THE_AUTHORITY).failures == 1


async def test_certificates_of_others_are_left_alone_and_wildcards_too(
    serving: Serving, trusted: Pebble, workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    issue("www.po.co", ends=datetime(2099, 1, 1, tzinfo=UTC)).certbot(workshop.certs, "www.po.co")
    issue("po.co", begins=datetime(2020, 1, 1, tzinfo=UTC), ends=datetime(2021, 1, 1, tzinfo=UTC)).plain(
        workshop.certs, "po.co"
    )
    await serve(serving, trusted, workshop)
    assert (await workshop.round(*HOSTS, "*.po.co")).issued == ("po.co",)
    assert "*.po.co has no certificate" in caplog.text
    assert sorted(path.name for path in workshop.certs.iterdir()) == [
        ".acme",
        "acme-po.co",
        "po.co.key",
        "po.co.pem",
        "www.po.co",
    ]


def test_the_command_gets_certificates_for_a_running_server(sunset: Run, start: Start, trusted: Pebble) -> None:
    listen = ("--listen", f"127.0.0.1:{trusted.http_port}", "--admin", "127.0.0.1:0", "--at", "2024-11-01")
    process = start("serve", *listen)
    assert process.stderr is not None
    while "metrics on" not in (line := process.stderr.readline()):
        assert line
    variables = {"REQUESTS_CA_BUNDLE": str(trusted.trust)}
    refused = sunset("acme", "--directory", trusted.directory, "--once", **variables)
    assert refused.returncode == 1
    assert "--agree-terms" in refused.stderr
    ran = sunset("acme", "--directory", trusted.directory, "--agree-terms", "--once", **variables)
    assert ran.returncode == 0, ran.stderr
    assert "www.poco.in has a new certificate" in ran.stderr
    listed = sunset("certs")
    assert listed.returncode == 0
    assert "6 certificates; 6 hosts, 0 without one" in listed.stdout
    again = sunset("acme", "--directory", trusted.directory, "--once", **variables)
    assert (again.returncode, again.stderr) == (0, "")


def test_it_goes_on_until_it_is_told_to_end(start: Start, trusted: Pebble) -> None:
    variables = {"REQUESTS_CA_BUNDLE": str(trusted.trust)}
    process = start("acme", "--directory", trusted.directory, "--agree-terms", variables=variables)
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "acme: no certificate for po.co" in line
    process.terminate()
    assert process.wait(60) == 0
