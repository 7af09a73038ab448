"""Connections to origins: a request's head goes out, the answer's head comes back, bodies are left to `relay`.

aiohttp's connector keeps the connections (pool, name lookup, TLS, IPv4 beside IPv6) and its parser reads the answers;
its session is not used, because it would rewrite what has to be relayed: paths, header names and values, their order.
Foreign exceptions are translated here into one `UpstreamError` that says what the origin did wrong.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, cast

from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientPayloadError,
    ClientRequest,
    ClientSSLError,
    ClientTimeout,
    ServerTimeoutError,
    TCPConnector,
)
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError, StreamWriter
from aiohttp.http_exceptions import BadHttpMessage
from yarl import URL

from proxy.edge.inflow import Inflow
from proxy.edge.resolver import AddressRefusedError, OriginResolver
from proxy.errors import SunsetError
from proxy.wire.head import has_controls

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import StreamReader
    from aiohttp.connector import Connection
    from aiohttp.http import RawResponseMessage

    from proxy.core.model import Origin, OriginTls, Site
    from proxy.edge.clock import Clock
    from proxy.edge.resolver import Networks
    from proxy.edge.settings import Settings
    from proxy.wire.head import Header

_NO_TIMEOUT = ClientTimeout()  # our own surround the calls
_CONTINUE = 100
_SWITCHING = 101
_LOWEST_STATUS = 200
_HIGHEST_STATUS = 999
_INTERIM_ANSWERS = 32
"""Answers to one request, the last one included: nobody waits for ever while hints trickle in."""


class Reason(StrEnum):
    """What an origin did not do. These are label values of a metric: few, and fixed."""

    NO_ORIGIN = "no-origin"
    DNS = "dns"
    ADDRESS_REFUSED = "address-refused"
    CONNECT = "connect"
    CONNECT_TIMEOUT = "connect-timeout"
    TLS = "tls"
    DISCONNECTED = "disconnected"
    ANSWER_TIMEOUT = "answer-timeout"
    MALFORMED = "malformed"
    BROKEN_OFF = "broken-off"

    @property
    def is_timeout(self) -> bool:
        """Whether the origin may still be at it: 504 and not 502."""
        return self in {Reason.CONNECT_TIMEOUT, Reason.ANSWER_TIMEOUT}


class UpstreamError(SunsetError):
    """The origin is at fault."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason


_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_END_OF_HEAD = b"\r\n\r\n"
_INTERIM = re.compile(rb"HTTP/1\.[01] 1(?!01)")  # behind 101 comes no head any more


class _Protocol(ResponseHandler):
    """aiohttp's protocol, made stricter in two ways.

    By itself it lets whoever reads a body wait for ever when the rest cannot be parsed, and takes a line that ends in a
    bare line feed, where another hop may see no end (RFC 9112 section 2.2).
    """

    used = False
    """Whether a request was sent on this connection already."""
    inflow: Inflow | None = None
    """Where the bytes of a connection go that has switched protocols."""

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The origin sends no more. True keeps a tunnel's other direction open; TLS has no such state."""
        if self.inflow is None or self.transport is None:
            super().eof_received()
            return None
        self.inflow.feed_eof()
        return True if self.transport.get_extra_info("sslcontext") is None else None

    def connection_lost(self, exc: BaseException | None) -> None:
        """The origin is gone."""
        if exc is not None and self.inflow is not None:
            self.inflow.break_off(exc)
        super().connection_lost(exc)

    unchecked: bytes | None = None
    """While the head of an answer is awaited: what came last of it, as far as its end may begin in there."""

    def data_received(self, data: bytes) -> None:
        """Bytes of the origin."""
        if self.unchecked is not None and self._has_bare_line_feed(data):
            self.set_exception(BadHttpMessage("bare line feed"))
            self.close()
            return
        super().data_received(data)
        if self.exception() is not None and self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(ClientPayloadError("malformed"))

    def _has_bare_line_feed(self, data: bytes) -> bool:
        """Whether the head that `data` goes on with has one."""
        seen = (self.unchecked or b"") + data
        end = seen.find(_END_OF_HEAD)
        if _BARE_LINE_FEED.search(seen, 0, len(seen) if end < 0 else end + len(_END_OF_HEAD)) is not None:
            return True
        if end < 0:
            self.unchecked = seen[-len(_END_OF_HEAD) + 1 :]
            return False
        self.unchecked = None
        rest = seen[end + len(_END_OF_HEAD) :]
        if _INTERIM.match(seen) is None:
            return False
        self.unchecked = b""
        return bool(rest) and self._has_bare_line_feed(rest)


class Exchange:
    """One request on one connection. Whoever opened it closes it, or the connection is lost to the pool."""

    def __init__(
        self, connection: Connection, protocol: _Protocol, settings: Settings, origin: Origin, *, reused: bool
    ) -> None:
        self.origin = origin
        self._connection = connection
        self._protocol = protocol
        self._settings = settings
        self.reused = reused
        self.writer = StreamWriter(protocol, asyncio.get_running_loop())
        """For the request's body."""

    def send_head(self, head: bytes, method: bytes) -> None:
        """Send the head of the request; `method` decides whether the answer has a body."""
        limits = self._settings.limits
        self._protocol.set_response_params(
            skip_payload=method == b"HEAD",
            read_until_eof=True,
            auto_decompress=False,
            read_bufsize=limits.buffer,
            max_line_size=limits.origin_field,
            max_field_size=limits.origin_field,
            max_headers=limits.origin_fields,
        )
        self._protocol.unchecked = b""
        transport = self._protocol.transport
        if transport is None:
            raise UpstreamError(Reason.DISCONNECTED, "before the request was sent")
        transport.write(head)

    def await_answer(self) -> None:
        """The request is with the origin: from now on its answer is waited for, and not for ever."""
        self._protocol.read_timeout = self._settings.timeouts.answer
        self._protocol.start_timeout()

    async def answer(self, interim: Callable[[OriginAnswer], None], *, may_switch: bool = False) -> OriginAnswer:
        """The head of the answer; each of the interim ones (1xx) before it goes to `interim`. Raises `UpstreamError`.

        101 is an answer where the origin `may_switch` protocols.
        """
        for _ in range(_INTERIM_ANSWERS):
            try:
                message, body = await self._protocol.read()
            except ServerTimeoutError as error:
                raise UpstreamError(Reason.ANSWER_TIMEOUT) from error
            except HttpProcessingError as error:
                raise UpstreamError(Reason.MALFORMED) from error
            except (ClientError, OSError) as error:
                raise UpstreamError(Reason.DISCONNECTED) from error
            answer = OriginAnswer(message, body)
            if answer.status >= _LOWEST_STATUS:
                self._protocol.read_timeout = self._settings.timeouts.silence
                return answer
            if answer.status == _SWITCHING:
                if may_switch and self._protocol.upgraded:
                    return answer
                raise UpstreamError(Reason.MALFORMED, "switched protocols unasked")
            if answer.status != _CONTINUE:  # that one is between neighbours, and was never asked for
                interim(answer)
            self._protocol.start_timeout()
        raise UpstreamError(Reason.MALFORMED, "nothing but interim answers")

    def switch(self) -> StreamReader:
        """Leave HTTP behind. Gives what the origin says from now on, and what it said already behind its 101."""
        protocol = self._protocol
        protocol.read_timeout = None
        protocol.inflow = inflow = Inflow(protocol, self._settings.limits.buffer)
        protocol.set_parser(inflow, inflow.stream)
        if protocol.transport is None:
            inflow.feed_eof()
        return inflow.stream

    def close(self, *, clean: bool) -> None:
        """Give the connection back where both messages are complete (`clean`), else close it."""
        if clean:
            self._connection.release()
        else:
            self._connection.close()


class OriginAnswer:
    """An origin's answer: its head, checked, and its body as a stream that `raises` what `broken_off` translates.

    `length` is what Content-Length says, `None` where there is none. Raises `UpstreamError` for a head that must not be
    relayed.
    """

    def __init__(self, message: RawResponseMessage, body: StreamReader) -> None:
        self.status: int = message.code
        self.reason = message.reason.encode("utf-8", "surrogateescape")
        self.headers: tuple[Header, ...] = message.raw_headers
        self.version = b"%d.%d" % message.version
        self.body = body
        if self.status > _HIGHEST_STATUS or has_controls(self.headers, self.reason):
            raise UpstreamError(Reason.MALFORMED, "control characters")
        codings = [value.strip().lower() for name, value in self.headers if name.lower() == b"transfer-encoding"]
        lengths = [value for name, value in self.headers if name.lower() == b"content-length"]
        if codings not in ([], [b"chunked"]) or len(lengths) > 1 or (codings and lengths):
            raise UpstreamError(Reason.MALFORMED, "framing")
        self.length = int(lengths[0]) if lengths and lengths[0].isdigit() else None
        if lengths and self.length is None:
            raise UpstreamError(Reason.MALFORMED, "Content-Length")


class Upstream:
    """The connections to all origins. Close it when it is no longer needed."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._connectors: dict[tuple[Networks, OriginTls], TCPConnector] = {}
        self._doors: dict[tuple[Origin, str], ClientRequest] = {}

    async def open(self, origin: Origin, site: Site, *, fresh: bool = False) -> Exchange:
        """A connection to `origin`, as the site allows and asks; a `fresh` one has no request before it.

        Raises `UpstreamError`.
        """
        connector = self._connector(site.origin_networks, site.origin_tls)
        door = self._door(origin, site.origin_tls.name)
        try:
            async with asyncio.timeout(self._settings.timeouts.connect):
                while True:
                    connection = await connector.connect(door, [], _NO_TIMEOUT)
                    protocol = cast("_Protocol", connection.protocol)
                    reused = protocol.used
                    # Bytes that nobody asked for came while it was idle: they must not become the next answer.
                    spoilt = reused and protocol.should_close
                    if not spoilt and not (reused and fresh):
                        break
                    connection.close()
        except TimeoutError as error:
            raise UpstreamError(Reason.CONNECT_TIMEOUT, str(origin)) from error
        except ClientConnectorDNSError as error:
            reason = Reason.ADDRESS_REFUSED if isinstance(error.os_error, AddressRefusedError) else Reason.DNS
            raise UpstreamError(reason, str(origin)) from error
        except ClientSSLError as error:
            raise UpstreamError(Reason.TLS, str(origin)) from error
        except (ClientConnectorError, ClientError, OSError) as error:
            raise UpstreamError(Reason.CONNECT, str(origin)) from error
        protocol.used = True
        return Exchange(connection, protocol, self._settings, origin, reused=reused)

    async def close(self) -> None:
        """Close every connection."""
        for connector in self._connectors.values():
            with suppress(OSError):
                await connector.close()
        self._connectors.clear()

    def _connector(self, networks: Networks, tls: OriginTls) -> TCPConnector:
        """One pool for each way to connect: what one site may reach or trust, another may not."""
        if (connector := self._connectors.get((networks, tls))) is None:
            timeouts = self._settings.timeouts
            connector = self._connectors[networks, tls] = TCPConnector(
                resolver=OriginResolver(networks, timeouts, steady=self._clock.steady),
                ttl_dns_cache=cast("int", timeouts.dns),  # any number will do
                ssl=_trust(tls),
                limit=0,
                limit_per_host=self._settings.limits.origin_connections,
                keepalive_timeout=timeouts.origin_keep_alive,
            )
            # There is no other way to have it make a protocol of ours.
            connector._factory = partial(cast("type[ResponseHandler]", _Protocol), loop=connector._loop)  # noqa: SLF001
        return connector

    def _door(self, origin: Origin, tls_name: str) -> ClientRequest:
        """What the connector wants to be shown before it connects; nothing of it goes over the wire but `tls_name`."""
        if (door := self._doors.get((origin, tls_name))) is None:
            loop = asyncio.get_running_loop()
            url = URL.build(scheme=origin.scheme, host=origin.host, port=origin.port)
            door = ClientRequest("GET", url, loop=loop, server_hostname=tls_name or None)
            self._doors[origin, tls_name] = door
        return door


def _trust(tls: OriginTls) -> ssl.SSLContext | bool:
    """How an origin's certificate is looked at, as the connector takes it: by the machine's authorities, or not at all.

    Authorities that a site names are trusted alone.
    """
    if not tls.verify or not tls.ca:
        return tls.verify
    context = ssl.create_default_context(cadata=tls.ca)
    context.set_alpn_protocols(["http/1.1"])
    return context
