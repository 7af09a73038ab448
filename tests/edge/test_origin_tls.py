"""TLS to the origin: whose certificate is taken."""

import asyncio
import ssl

import pytest
import trustme

from proxy.core.model import Origin, OriginTls
from tests.edge.peers import OK, Serving, ask, get
from tests.edge.sites import BEFORE, forwarding, rulebook

AUTHORITY = trustme.CA()
CA = AUTHORITY.cert_pem.bytes().decode()
OTHER = trustme.CA().cert_pem.bytes().decode()


@pytest.mark.parametrize(
    ("tls", "status"),
    [
        (OriginTls("legacy.internal", CA), 200),
        (OriginTls("other.internal", CA), 502),
        (OriginTls("", CA), 502),
        (OriginTls("legacy.internal", OTHER), 502),
        (OriginTls("legacy.internal"), 502),
        (OriginTls(verify=False), 200),
    ],
)
async def test_an_origin_has_the_certificate_that_the_rule_file_asks_for(
    serving: Serving, tls: OriginTls, status: int
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("legacy.internal").configure_cert(context)
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as listening:
        origin = Origin("https", *listening.sockets[0].getsockname())
        server = await serving(rulebook(forwarding(origin, origin_tls=tls)), at=BEFORE)
        assert (await ask(server, get(b"/"))).status == status
        await server.stop()
    assert server.counts.upstream_errors == ({} if status == 200 else {("uk", "tls"): 1})
