"""Certificates are swapped under load, and no handshake fails (threat T18)."""

import asyncio
import logging
from pathlib import Path

import pytest

from proxy.edge.configuration.settings import Timeouts
from proxy.edge.server import Server
from tests.edge.peers import PATIENCE, Serving, get
from tests.edge.sites import AFTER, rulebook
from tests.tls.authority import Files, connect, issue, serve

OFTEN = Timeouts(certificates=0.02)


async def shown(server: Server) -> bytes:
    """The certificate that a new connection is shown, once it has answered."""
    async with await connect(server, "po.co") as client:
        client.send(get(b"/x"))
        assert (await client.answer()).status == 301
        certificate = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(certificate, bytes)
        return certificate


async def until_shown_other_than(server: Server, before: bytes) -> bytes:
    async with asyncio.timeout(6 * PATIENCE):
        while (now := await shown(server)) == before:
            pass
        return now


async def test_new_files_are_presented_without_a_restart(serving: Serving, certs: Path) -> None:
    issue("po.co", "www.po.co").certbot(certs, "po.co")
    server = await serve(serving, rulebook(), certs, at=AFTER, timeouts=OFTEN)
    before = await shown(server)
    async with await connect(server, "po.co") as old:
        issue("po.co", "www.po.co").certbot(certs, "po.co")
        await until_shown_other_than(server, before)
        old.send(get(b"/x"))
        assert (await old.answer()).status == 301


async def test_under_load_no_handshake_fails_while_good_and_bad_files_come_and_go(
    serving: Serving, certs: Path
) -> None:
    pairs = [issue("po.co", "www.po.co") for _ in range(3)]
    bad = [Files(pairs[0].chain, pairs[1].key), Files(pairs[0].chain[:500], pairs[0].key), Files(pairs[2].chain, b"")]
    pairs[0].certbot(certs, "po.co")
    server = await serve(serving, rulebook(), certs, at=AFTER, timeouts=OFTEN)
    seen: set[bytes] = set()
    ends = False

    async def load() -> None:
        while not ends:
            seen.add(await shown(server))

    async with asyncio.timeout(24 * PATIENCE), asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(load())
        for good, wrong in zip([*pairs[1:], pairs[0]] * 2, bad * 2, strict=True):
            before = await shown(server)
            wrong.certbot(certs, "po.co")
            await shown(server)
            good.certbot(certs, "po.co")
            await until_shown_other_than(server, before)
        ends = True
    assert len(seen) == len(pairs)


async def test_what_is_wrong_is_told_once(serving: Serving, certs: Path, caplog: pytest.LogCaptureFixture) -> None:
    good = issue("po.co", "www.po.co")
    good.certbot(certs, "po.co")
    server = await serve(serving, rulebook(), certs, at=AFTER, timeouts=OFTEN)
    before = await shown(server)
    with caplog.at_level(logging.INFO, "sunset"):
        Files(good.chain, issue("po.co").key).certbot(certs, "po.co")
        await until_told(caplog, "is not the key of fullchain.pem; ")
        for _ in range(5):
            assert await shown(server) == before
        issue("po.co", "www.po.co").certbot(certs, "po.co")
        await until_shown_other_than(server, before)
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len([line for line in lines if "is not the key of" in line]) == 1


async def until_told(caplog: pytest.LogCaptureFixture, words: str) -> None:
    told = asyncio.Event()
    handler = logging.Handler()
    handler.emit = lambda record: told.set() if words in record.getMessage() else None  # type: ignore[method-assign]
    log = logging.getLogger("sunset")
    log.addHandler(handler)
    try:
        if words not in caplog.text:
            async with asyncio.timeout(6 * PATIENCE):
                await told.wait()
    finally:
        log.removeHandler(handler)


async def test_hosts_without_certificate_are_told_at_the_start(
    serving: Serving, certs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    issue("po.co").certbot(certs, "po.co")
    await serve(serving, rulebook(), certs)
    assert [record.getMessage() for record in caplog.records if record.name == "sunset"] == [
        "certificate: there is none for www.po.co"
    ]
