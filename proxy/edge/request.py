"""A client's request as the handler sees it: bytes as they were received, and the way back.

It stands in for aiohttp's own request object, which reads an address out of the Host header and the target, and fails
where those are hostile. Nothing is interpreted here; `core` does that.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Protocol

from aiohttp import hdrs
from aiohttp.http import HttpVersion11
from aiohttp.streams import EMPTY_PAYLOAD

from proxy.wire.head import values_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from aiohttp import StreamReader
    from aiohttp.http import RawRequestMessage, StreamWriter

    from proxy.edge.tls.certificate import Certificate
    from proxy.wire.forwarded import Provenance
    from proxy.wire.head import Header

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # linger, for no time


class Line(Protocol):
    """The connection that a request came on."""

    transport: asyncio.Transport | None
    peer: str
    certificate: Certificate | None

    def provenance(self, headers: tuple[Header, ...]) -> Provenance:
        """Where a request with those fields comes from."""
        ...

    @property
    def is_retired(self) -> bool:
        """Whether the answer that is under way is the last one."""
        ...

    @property
    def trailers(self) -> Sequence[Header]:
        """The trailers of the request that is answered now, once its body is complete."""
        ...

    @property
    def can_switch(self) -> bool:
        """Whether nothing but another protocol can come behind the request that is answered now."""
        ...

    def switch(self) -> StreamReader:
        """What comes from now on, as it comes."""
        ...


class Request:
    """One request. `method` and `raw_target` are as received, `headers` too, in their order."""

    __slots__ = (
        "_message",
        "_protocol",
        "_task",
        "began",
        "body",
        "closes",
        "headers",
        "hosts",
        "method",
        "provenance",
        "raw_target",
        "writer",
    )

    def __init__(
        self,
        message: RawRequestMessage,
        body: StreamReader,
        protocol: Line,
        writer: StreamWriter,
        task: asyncio.Task[None],
    ) -> None:
        self._message = message
        self._protocol = protocol
        self._task = task  # aiohttp sets it to None when the request is over
        self.method = message.method.encode()
        self.raw_target = message.path.encode("utf-8", "surrogateescape")
        self.headers: tuple[Header, ...] = message.raw_headers
        self.hosts = values_of(b"host", self.headers)
        """The values of all Host fields."""
        self.provenance = protocol.provenance(self.headers)
        """Where it comes from: from the other end of the connection, unless that is a proxy which is believed."""
        self.body = body
        self.writer = writer
        """What aiohttp would write an answer with; here it only knows how far the client has got."""
        self.began = False
        """Whether some of the final answer is on its way."""
        self.closes = False
        """Whether the client was told that the connection ends with the answer."""

    @property
    def version(self) -> tuple[int, int]:
        """The protocol version of the request line."""
        return self._message.version

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return bool(self._message.chunked)

    @property
    def transfer_codings(self) -> list[str]:
        """The values of all Transfer-Encoding fields."""
        return self._message.headers.getall(hdrs.TRANSFER_ENCODING, [])

    @property
    def has_body(self) -> bool:
        """Whether a body follows the head, be it empty."""
        return self.body is not EMPTY_PAYLOAD

    @property
    def trailers(self) -> Sequence[Header]:
        """The fields behind a body in chunks, once all of it has come."""
        return self._protocol.trailers

    @property
    def awaits_continue(self) -> bool:
        """Whether the client holds its body back until it is asked for it (RFC 9110 section 10.1.1)."""
        return (
            self.version == HttpVersion11
            and self._message.headers.get(hdrs.EXPECT, "").lower() == "100-continue"
            and not self.body.is_eof()
        )

    @property
    def must_close(self) -> bool:
        """Whether the connection has to end with an answer that is given now.

        It does where the client wants so, where it speaks HTTP/1.0, where the server stops, and where the body has not
        arrived yet: nobody can tell where the next request begins if the body was never read.
        """
        return (
            bool(self._message.should_close)
            or self.version != HttpVersion11
            or self._protocol.is_retired
            or not self.body.is_eof()
        )

    @property
    def peer(self) -> str:
        """The client's IP address; empty where there is none, as on a Unix socket."""
        return self.provenance.client

    @property
    def neighbour(self) -> str:
        """The IP address at the other end of the connection."""
        return self._protocol.peer

    @property
    def secure(self) -> bool:
        """Whether the client speaks TLS."""
        return self.provenance.secure

    @property
    def certificate(self) -> Certificate | None:
        """The certificate that the client was shown; `None` without TLS."""
        return self._protocol.certificate

    @property
    def can_switch(self) -> bool:
        """Whether the connection can leave HTTP behind this request."""
        return self._protocol.can_switch

    def switch(self) -> StreamReader:
        """Leave HTTP. Gives what the client says from now on; `writer` is for what it is told."""
        return self._protocol.switch()

    def ask_for_body(self) -> None:
        """Tell a client that holds its body back to send it."""
        self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def send_interim(self, head: bytes) -> None:
        """Send the head of an interim answer (1xx), to a client that knows of such ones."""
        if self.version == HttpVersion11 and not self.began:
            self._write(head)

    def send(self, data: bytes) -> None:
        """Send a final answer, or its head. Raises `ConnectionResetError` where the client is gone."""
        self.began = True
        self._write(data)

    async def write(self, data: bytes) -> None:
        """Send more of the answer, or in another protocol, at the client's pace. Raises `ConnectionResetError`."""
        self.began = True
        self._write(data)
        if self.writer.protocol.writing_paused:
            await self.writer.drain()

    def end(self) -> bool:
        """Say that there is no more. Tells whether the client, which hears that, can go on."""
        transport = self._protocol.transport
        if transport is None or transport.is_closing() or not transport.can_write_eof():
            return False
        transport.write_eof()
        return True

    def abort(self) -> None:
        """End the connection in a way that no client takes for the end of an answer."""
        transport = self._protocol.transport
        if transport is None:
            return
        if (sock := transport.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()

    def _write(self, data: bytes) -> None:
        transport = self._protocol.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client is gone")
        transport.write(data)

    # What aiohttp asks of a request

    def _finish(self) -> None:
        """The answer is complete."""

    def _cancel(self, error: BaseException) -> None:
        """The connection is lost."""
        self.body.set_exception(error)
