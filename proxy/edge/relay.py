"""A forwarded request: to the origin and back, byte for byte (RFC 9110 section 7.6, RFC 9112 sections 6 and 7).

Both bodies are streams: neither is held in memory, and each goes at the pace of the slower side. What is said about the
message (fields, status, reason) goes on as it came, less what is between two neighbours; how it is framed is decided
anew. An answer that the origin breaks off is broken off here too, so that no client takes half of it for the whole.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import ClientError
from aiohttp.web_protocol import RequestPayloadError

from proxy.core.decision import BadRequest
from proxy.core.schedule import Phase
from proxy.core.url import split_absolute, split_fragment
from proxy.edge.upstream import Reason, UpstreamError
from proxy.wire.answer import headers_of
from proxy.wire.coding import CodingError
from proxy.wire.head import request_head, response_head
from proxy.wire.hop import forwarded, to_client, to_origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import StreamReader
    from aiohttp.http import StreamWriter

    from proxy.core.decision import Forward
    from proxy.core.model import Origin
    from proxy.edge.clock import Clock
    from proxy.edge.metrics import Counts
    from proxy.edge.noticing import Noticing, Visit
    from proxy.edge.request import Request
    from proxy.edge.settings import Settings
    from proxy.edge.upstream import Exchange, OriginAnswer, Upstream
    from proxy.wire.head import Header

_CHUNKED: Header = (b"Transfer-Encoding", b"chunked")
_CLOSE: Header = (b"Connection", b"close")
_SAFE = frozenset({b"GET", b"HEAD"})
_WITHOUT_BODY = frozenset({204, 304})

BODY_TOO_SLOW = BadRequest(408, "request body too slow")
MALFORMED_BODY = BadRequest(400, "malformed request body")


class Relay:
    """Forwards requests."""

    def __init__(
        self, upstream: Upstream, noticing: Noticing, *, settings: Settings, clock: Clock, counts: Counts
    ) -> None:
        self._upstream = upstream
        self._noticing = noticing
        self._settings = settings
        self._clock = clock
        self._counts = counts

    async def forward(self, request: Request, decision: Forward, authority: bytes) -> int | BadRequest:
        """Forward a request, and send the answer back. Gives the status, or what is wrong with the client's body.

        `authority` is the host that was asked, with its port. Raises `UpstreamError`, `request.began` or not, and
        `ConnectionResetError` where the client is gone.
        """
        site = decision.cause.site
        if not site.origins:
            raise UpstreamError(Reason.NO_ORIGIN)
        target = origin_form(request.raw_target)
        visit = self._noticing.visit(decision, request, authority, target)
        head = self._head(request, authority, target, request.headers if visit is None else visit.headers)
        passage = Passage(request, decision, visit)
        origin = site.origins[0]
        try:
            if request.has_body:
                exchange = await self._upstream.open(origin, site.origin_networks)
                return await self._with_body(passage, head, exchange)
            return await self._without_body(passage, head, origin)
        finally:
            if visit is not None:
                self._counts.noticed(site.name, visit.outcome)

    def _head(self, request: Request, authority: bytes, target: bytes, headers: Sequence[Header]) -> bytes:
        """The head of the request to the origin."""
        host = authority
        suffix = self._settings.preview_suffix.encode()
        if suffix:
            name, mark, port = authority.partition(b":")
            host = name.removesuffix(suffix) if name.lower().endswith(suffix) else name + mark + port
        version = b"%d.%d" % request.version
        asked_by = forwarded(request.peer, authority, secure=request.secure)
        fields = to_origin(headers, host, asked_by, version=version)
        if request.is_chunked:
            fields.append(_CHUNKED)
        return request_head(request.method, target, fields)

    async def _without_body(self, passage: Passage, head: bytes, origin: Origin) -> int:
        request = passage.request
        networks = passage.decision.cause.site.origin_networks
        exchange = await self._upstream.open(origin, networks)
        clean = False
        try:
            try:
                answer = await self._ask(exchange, head, request.method)
            except UpstreamError as error:
                # An origin may close an idle connection at the moment that it is used. What only reads is asked again.
                if not (exchange.reused and error.reason is Reason.DISCONNECTED and request.method in _SAFE):
                    raise
                exchange.close(clean=False)
                exchange = await self._upstream.open(origin, networks, fresh=True)
                answer = await self._ask(exchange, head, request.method)
            await self._send_back(passage, answer)
            clean = True
        finally:
            exchange.close(clean=clean)
        return answer.status

    async def _ask(self, exchange: Exchange, head: bytes, method: bytes) -> OriginAnswer:
        exchange.send_head(head, method)
        exchange.await_answer()
        return await exchange.answer()

    async def _with_body(self, passage: Passage, head: bytes, exchange: Exchange) -> int | BadRequest:
        request = passage.request
        upload = _Upload(request, exchange, self._settings)
        clean = False
        try:
            exchange.send_head(head, request.method)
            outcome: int | Exception
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(upload.run())
                try:
                    answer = await exchange.answer()
                    await self._send_back(passage, answer)
                    outcome = answer.status
                    clean = upload.complete
                except (UpstreamError, ConnectionError) as error:
                    outcome = error  # raised outside of the group, which would wrap it
                sending.cancel()
        finally:
            exchange.close(clean=clean)
        if upload.refusal is not None:
            if request.began:
                request.abort()
                raise ConnectionResetError("the client's body broke off within the answer")
            return upload.refusal
        if isinstance(outcome, Exception):
            raise upload.failure or outcome
        return outcome

    async def _send_back(self, passage: Passage, answer: OriginAnswer) -> None:
        """The origin's answer to the client."""
        request, decision, visit = passage.request, passage.decision, passage.visit
        headers: Sequence[Header] = answer.headers
        if visit is not None:
            headers = visit.answered(answer.status, headers)
        fields = to_client(headers, headers_of(decision, secure=request.secure), version=answer.version)
        has_body = request.method != b"HEAD" and answer.status not in _WITHOUT_BODY
        length_known = answer.length is not None and not (visit is not None and visit.rewrites)
        chunked = has_body and not length_known and request.version > (1, 0)
        if chunked:
            fields.append(_CHUNKED)
        elif answer.status == 204:
            fields = [header for header in fields if header[0].lower() != b"content-length"]
        if decision.cause.phase is not Phase.PASS_THROUGH and not any(name.lower() == b"date" for name, _ in fields):
            fields.append((b"Date", self._clock.date()))
        request.closes = request.must_close
        if request.closes:
            fields.append(_CLOSE)
        request.send(response_head(answer.status, fields, answer.reason))
        if not has_body:
            return
        writer = request.writer
        if chunked:
            writer.enable_chunking()
        while chunk := await _read(answer.body):
            if visit is None:
                await writer.write(chunk)
            else:
                await _write_through(visit, chunk, writer)
        if visit is not None and (rest := _finish(visit)):
            await writer.write(rest)
        await writer.write_eof()


class Passage(NamedTuple):
    """A request on its way to the origin and back; `visit` is there in the phase `notice`."""

    request: Request
    decision: Forward
    visit: Visit | None


async def _write_through(visit: Visit, chunk: bytes, writer: StreamWriter) -> None:
    try:
        for piece in visit.feed(chunk):
            if piece:
                await writer.write(piece)
    except CodingError as error:
        raise UpstreamError(Reason.MALFORMED, str(error)) from error


def _finish(visit: Visit) -> bytes:
    try:
        return visit.finish()
    except CodingError as error:
        raise UpstreamError(Reason.BROKEN_OFF, str(error)) from error


async def _read(body: StreamReader) -> bytes:
    """What has arrived of the origin's body; empty at its end. Raises `UpstreamError`."""
    try:
        return await body.readany()
    except (ClientError, OSError) as error:
        raise UpstreamError(Reason.BROKEN_OFF) from error


def origin_form(raw_target: bytes) -> bytes:
    """The target as an origin is asked for it: path and query as received, without scheme, authority and fragment."""
    absolute = split_absolute(raw_target) if raw_target[:1] != b"/" else None
    return split_fragment(raw_target if absolute is None else absolute[2])


class _Upload:
    """A client's body on its way to the origin, while the origin may already answer.

    `refusal` is set where the client is at fault, `failure` where the origin does not take the body.
    """

    def __init__(self, request: Request, exchange: Exchange, settings: Settings) -> None:
        self._request = request
        self._exchange = exchange
        self._timeouts = settings.timeouts
        self.complete = False
        self.refusal: BadRequest | None = None
        self.failure: UpstreamError | None = None

    async def run(self) -> None:
        """Send the body. Raises nothing: whoever waits for the answer learns of a failure by its absence."""
        request, exchange = self._request, self._exchange
        if request.awaits_continue and not request.began:
            request.ask_for_body()
        if request.is_chunked:
            exchange.writer.enable_chunking()
        try:
            while chunk := await self._read():
                async with asyncio.timeout(self._timeouts.answer):
                    await exchange.writer.write(chunk)
            await exchange.writer.write_eof()
            self.complete = True
        except TimeoutError:
            self.failure = UpstreamError(Reason.ANSWER_TIMEOUT, "takes no more of the request's body")
            exchange.close(clean=False)
        except _BodyError as error:
            self.refusal = error.refusal
            exchange.close(clean=False)
        except (ClientError, OSError):
            pass  # the origin does not want the rest; its answer may be there all the same
        exchange.await_answer()

    async def _read(self) -> bytes:
        try:
            async with asyncio.timeout(self._timeouts.body):
                return await self._request.body.readany()
        except TimeoutError as error:
            raise _BodyError(BODY_TOO_SLOW) from error
        except RequestPayloadError as error:
            raise _BodyError(MALFORMED_BODY) from error


class _BodyError(Exception):
    """The client is at fault."""

    def __init__(self, refusal: BadRequest) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal
