"""TLS as clients meet it, judged by sslscan and by clients that do not play by the rules (threats T19, T27 and I2)."""

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from proxy.edge.configuration.settings import Timeouts
from proxy.edge.server import Server
from proxy.edge.tls.handshake import hush_undecodable_names
from tests.edge.peers import PATIENCE, Client, Serving, get
from tests.edge.sites import AFTER, rulebook
from tests.tls.authority import connect, issue, serve, trusting


@pytest.fixture
async def server(serving: Serving, certs: Path) -> Server:
    issue("po.co").certbot(certs, "po.co")
    return await serve(serving, rulebook(), certs, at=AFTER)


async def plainly(server: Server) -> Client:
    """A connection without TLS to where TLS is spoken."""
    address = server.tls_addresses[0]
    return await Client.connect(address.host, address.port)


async def test_sslscan_finds_two_versions_good_ciphers_and_no_renegotiation(server: Server) -> None:
    if shutil.which("sslscan") is None:
        assert os.environ.get("CI") != "true", "sslscan is not installed"
        pytest.skip("sslscan is not installed")
    command = ["sslscan", "--xml=-", "--no-colour", "--sni-name=po.co", str(server.tls_addresses[0])]
    ran = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, text=True)
    scan = ET.fromstring(ran.stdout)  # noqa: S314 - our own tool's
    versions = {
        (found.get("type"), found.get("version")) for found in scan.iter("protocol") if found.get("enabled") == "1"
    }
    assert versions == {("tls", "1.2"), ("tls", "1.3")}
    ciphers = {str(found.get("cipher")) for found in scan.iter("cipher")}
    assert ciphers == {
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_GCM_SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
    }
    assert [found.get("supported") for found in scan.iter("renegotiation")] == ["0"]
    assert {found.get("vulnerable") for found in scan.iter("heartbleed")} == {"0"}


async def test_a_client_that_wants_to_renegotiate_is_refused(server: Server) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    process = await asyncio.create_subprocess_exec(
        *(openssl, "s_client", "-connect", str(server.tls_addresses[0]), "-servername", "po.co", "-tls1_2"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(b"R\n"), 6 * PATIENCE)
    assert b"RENEGOTIATING" in said
    assert b"no renegotiation" in said


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_http_1_1_is_agreed_on_by_name_and_nothing_is_compressed(server: Server, version: ssl.TLSVersion) -> None:
    context = trusting()
    context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    async with await connect(server, "po.co", context) as client:
        assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        assert client.writer.get_extra_info("compression") is None


async def test_old_versions_get_an_alert(server: Server) -> None:
    context = trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError) as refused:
        await connect(server, "po.co", context)
    assert refused.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_session_is_resumed_also_behind_a_swapped_certificate(
    server: Server, certs: Path, version: ssl.TLSVersion
) -> None:
    context = trusting()
    context.maximum_version = version
    address = server.tls_addresses[0]
    session = await asyncio.to_thread(resume, context, address.port, None)
    assert server.certificates is not None
    issue("po.co").certbot(certs, "po.co")
    assert server.certificates.refresh()
    assert await asyncio.to_thread(resume, context, address.port, session) is None


def resume(context: ssl.SSLContext, port: int, session: ssl.SSLSession | None) -> ssl.SSLSession | None:
    """Ask for a page; gives the session where it was a new one."""
    with (
        socket.create_connection(("127.0.0.1", port), 6 * PATIENCE) as sock,
        context.wrap_socket(sock, server_hostname="po.co", session=session) as tls,
    ):
        tls.sendall(get(b"/x"))
        assert tls.recv(12) == b"HTTP/1.1 301"
        return None if tls.session_reused else tls.session


@pytest.mark.parametrize("garbage", [get(b"/"), b"\x16\x03\x01\xff\xff" + b"x" * 99, b"\x00" * 600])
async def test_what_is_no_handshake_ends_the_connection_and_logs_nothing(
    server: Server, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with await plainly(server) as client:
        client.send(garbage)
        client.writer.write_eof()
        assert len(await client.rest()) <= 7  # an alert, at the most
    assert [record for record in caplog.records if record.levelname != "INFO"] == []
    async with await connect(server, "po.co") as client:
        client.send(get(b"/x"))
        assert (await client.answer()).status == 301


async def test_a_name_outside_ascii_ends_the_handshake_and_logs_nothing(
    server: Server, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)  # to be put back
    hush_undecodable_names()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    handshake = trusting().wrap_bio(incoming, outgoing, server_hostname="aaaa.example")
    with pytest.raises(ssl.SSLWantReadError):
        handshake.do_handshake()
    async with await plainly(server) as client:
        client.send(outgoing.read().replace(b"aaaa.example", b"\xff\xfe\xfda.example"))
        client.writer.write_eof()
        assert (await client.rest())[:1] == b"\x15"
    assert capfd.readouterr() == ("", "")


async def test_a_handshake_that_takes_too_long_is_cut_off(serving: Serving, certs: Path) -> None:
    issue("po.co").certbot(certs, "po.co")
    server = await serve(serving, rulebook(), certs, timeouts=Timeouts(handshake=0.3))
    async with await plainly(server) as client:
        client.send(b"\x16")
        assert await client.rest() == b""
