"""A forwarded request: to the origin and back, byte for byte (RFC 9110 section 7.6, RFC 9112 sections 6 and 7).

Both bodies are streams: neither is held in memory, and each goes at the pace of the slower side. What is said about the
message (fields, status, reason) goes on as it came, less what is between two neighbours; how it is framed is decided
anew. An answer that the origin breaks off is broken off here too, so that no client takes half of it for the whole.

What has arrived goes out at once, so events that a server sends arrive as they happen. Interim answers go on, and so do
trailers, where the answer goes on in chunks (RFC 9110 sections 6.5 and 15.2).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from proxy.core.model import HostSent
from proxy.core.schedule import Phase
from proxy.core.url import split_absolute, split_fragment
from proxy.edge.origins.faults import Reason, UpstreamError
from proxy.edge.tunnel import SWITCHED, Tunnel, asks_for_websocket, is_to_websocket
from proxy.edge.upload import Upload, whole_body
from proxy.wire.answer import headers_of
from proxy.wire.chunks import chunk, last_chunk
from proxy.wire.coding import CodingError
from proxy.wire.head import request_head, response_head, values_of
from proxy.wire.hop import end_to_end, forwarded, to_client, to_origin, via
from proxy.wire.origin_answer import SWITCHING, WITHOUT_BODY
from proxy.wire.trailers import (
    ACCEPTED,
    accepts_trailers,
    announced,
    announcement,
    trailers_to_client,
    trailers_to_origin,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.core.decision import BadRequest, Forward
    from proxy.core.model import Origin
    from proxy.edge.clock import Clock
    from proxy.edge.configuration.settings import Settings
    from proxy.edge.counts import Counts
    from proxy.edge.noticing import Noticing, Visit
    from proxy.edge.origins.exchange import Exchange
    from proxy.edge.origins.turns import Origins
    from proxy.edge.request import Request
    from proxy.wire.head import Header
    from proxy.wire.origin_answer import AnswerHead

_CHUNKED: Header = (b"Transfer-Encoding", b"chunked")
_CLOSE: Header = (b"Connection", b"close")
_SAFE = frozenset({b"GET", b"HEAD"})


class Relay:
    """Forwards requests."""

    def __init__(
        self, origins: Origins, noticing: Noticing, *, settings: Settings, clock: Clock, counts: Counts
    ) -> None:
        self._origins = origins
        self._noticing = noticing
        self._settings = settings
        self._preview_suffix = settings.preview_suffix.encode()
        self._clock = clock
        self._counts = counts

    async def forward(self, request: Request, decision: Forward, authority: bytes) -> int | Tunnel | BadRequest:
        """Forward a request, and send the answer back.

        Gives the status; a tunnel, to be run, where it is 101; or what is wrong with the client's body. `authority` is
        the host that was asked, with its port. Raises `UpstreamError`, `request.began` or not, and
        `ConnectionResetError` where the client is gone.
        """
        target = origin_form(request.raw_target)
        visit = self._noticing.visit(decision, request, authority, target)
        passage = Passage(request, decision, authority, target, visit, asks_for_websocket(request))
        try:
            exchange = await self._origins.open(decision.cause.site)
            body = whole_body(request)
            if body is None:
                return await self._with_upload(passage, exchange)
            return await self._at_once(passage, exchange, body)
        finally:
            if visit is not None:
                self._counts.noticed(decision.cause.site.name, visit.outcome)

    def _head(self, passage: Passage, origin: Origin) -> bytes:
        """The head of the request to the origin."""
        request, visit = passage.request, passage.visit
        host = passage.authority
        suffix = self._preview_suffix
        if passage.decision.cause.site.host is HostSent.ORIGIN:
            host = origin.authority
        elif suffix:
            name, mark, port = host.partition(b":")
            host = name.removesuffix(suffix) if name.lower().endswith(suffix) else name + mark + port
        version = b"%d.%d" % request.version
        hops = request.provenance.hops
        asked_by = forwarded(request.neighbour, passage.authority, secure=request.secure, before=hops)
        fields = to_origin(request.headers if visit is None else visit.headers, host, asked_by, version=version)
        if request.is_chunked:
            fields += (_CHUNKED, *announcement(trailers_to_origin(announced(request.headers))))
        if passage.switches:
            fields += SWITCHED
        elif request.version > (1, 0) and accepts_trailers(request.headers):
            fields += ACCEPTED
        return request_head(request.method, passage.target, fields)

    async def _at_once(self, passage: Passage, exchange: Exchange, body: bytes) -> int | Tunnel:
        """A request all of which is there: nothing has to be waited for but its answer."""
        request = passage.request
        clean = False
        tunnel: Tunnel | None = None
        try:
            try:
                answer = await self._ask(passage, exchange, body)
            except UpstreamError as error:
                if error.reason is not Reason.DISCONNECTED or request.method not in _SAFE or request.began:
                    raise
                exchange.close(clean=False)
                again = await self._origins.open_again(passage.decision.cause.site, exchange)
                if again is None:
                    raise
                exchange = again
                answer = await self._ask(passage, exchange, body)
            if answer.status == SWITCHING:
                tunnel = self._switch(passage, exchange, answer)
            else:
                await self._send_back(passage, exchange, answer)
                clean = True
        finally:
            if tunnel is None:
                exchange.close(clean=clean)
        return answer.status if tunnel is None else tunnel

    async def _ask(self, passage: Passage, exchange: Exchange, body: bytes) -> AnswerHead:
        exchange.send_head(self._head(passage, exchange.origin) + body, passage.request.method)
        exchange.await_answer()
        return await self._answer(passage, exchange)

    async def _answer(self, passage: Passage, exchange: Exchange) -> AnswerHead:
        """The head of the final answer, or of 101; interim ones are sent on."""
        request = passage.request

        def interim(answer: AnswerHead) -> None:
            fields = [*end_to_end(answer.headers), via(answer.version)]
            request.send_interim(response_head(answer.status, fields, answer.reason))

        try:
            return await exchange.answer(interim, may_switch=passage.switches)
        except UpstreamError as error:
            if error.reason is Reason.ANSWER_TIMEOUT:
                self._origins.answered_too_late(exchange.origin)
            raise

    def _switch(self, passage: Passage, exchange: Exchange, answer: AnswerHead) -> Tunnel:
        """Tell the client that the origin speaks WebSocket with it from now on."""
        request, decision = passage.request, passage.decision
        if not is_to_websocket(answer.headers):
            raise UpstreamError(Reason.MALFORMED, "switched to another protocol than was asked for")
        fields = to_client(answer.headers, headers_of(decision, secure=request.secure), version=answer.version)
        request.send(response_head(answer.status, [*fields, *SWITCHED], answer.reason))
        return Tunnel(request, exchange, self._settings.timeouts.tunnel)

    async def _with_upload(self, passage: Passage, exchange: Exchange) -> int | BadRequest:
        """A request whose body is still to come, while the origin may already answer."""
        request = passage.request
        upload = Upload(request, exchange, self._settings)
        clean = False
        try:
            exchange.send_head(self._head(passage, exchange.origin), request.method)
            outcome: int | Exception
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(upload.run())
                try:
                    answer = await self._answer(passage, exchange)
                    await self._send_back(passage, exchange, answer)
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

    async def _send_back(self, passage: Passage, exchange: Exchange, answer: AnswerHead) -> None:
        """The origin's answer to the client."""
        request, decision, visit = passage.request, passage.decision, passage.visit
        headers: Sequence[Header] = answer.headers
        if visit is not None:
            headers = visit.answered(answer.status, headers)
        fields = to_client(headers, headers_of(decision, secure=request.secure), version=answer.version)
        has_body = request.method != b"HEAD" and answer.status not in WITHOUT_BODY
        length_known = answer.length is not None and not (visit is not None and visit.rewrites)
        chunked = has_body and not length_known and request.version > (1, 0)
        if chunked:
            fields += (_CHUNKED, *announcement(_trailing(visit, announced(headers))))
        elif answer.status == 204:
            fields = [header for header in fields if header[0].lower() != b"content-length"]
        if decision.cause.phase is not Phase.PASS_THROUGH and not values_of(b"date", fields):
            fields.append((b"Date", self._clock.date()))
        request.closes = request.must_close
        if request.closes:
            fields.append(_CLOSE)
        head = response_head(answer.status, fields, answer.reason)
        if has_body:
            await self._send_body(passage, exchange, head, chunked=chunked)
        else:
            request.send(head)

    async def _send_body(self, passage: Passage, exchange: Exchange, head: bytes, *, chunked: bool) -> None:
        """Head and body to the client: what is there in one write, and nothing waits for what is not."""
        request, visit = passage.request, passage.visit
        rewriting = visit if visit is not None and visit.rewrites else None
        ready = head
        while True:
            if ready and not exchange.has_arrived:
                await request.write(ready)
                ready = b""
            arrived = await exchange.read()
            if not arrived:
                break
            for piece in (arrived,) if rewriting is None else _fed(rewriting, arrived):
                if len(ready) > self._settings.limits.buffer:
                    await request.write(ready)
                    ready = b""
                if piece:
                    ready += chunk(piece) if chunked else piece
        rest = b"" if rewriting is None else _finished(rewriting)
        if chunked:
            rest = (chunk(rest) if rest else b"") + last_chunk(_trailing(visit, exchange.trailers))
        await request.write(ready + rest)


class Passage(NamedTuple):
    """A request on its way to the origin and back.

    `authority` is the host that was asked, with its port, and `target` what is asked of it, in origin-form; `visit` is
    there in the phase `notice`; `switches` where the client wants to speak WebSocket.
    """

    request: Request
    decision: Forward
    authority: bytes
    target: bytes
    visit: Visit | None
    switches: bool


def _trailing(visit: Visit | None, trailers: Sequence[Header]) -> list[Header]:
    """Which of an origin's trailers go on to the client."""
    return trailers_to_client(trailers if visit is None else visit.trailing(trailers))


def _fed(visit: Visit, arrived: bytes) -> Iterator[bytes]:
    try:
        yield from visit.feed(arrived)
    except CodingError as error:
        raise UpstreamError(Reason.MALFORMED, str(error)) from error


def _finished(visit: Visit) -> bytes:
    try:
        return visit.finish()
    except CodingError as error:
        raise UpstreamError(Reason.BROKEN_OFF, str(error)) from error


def origin_form(raw_target: bytes) -> bytes:
    """The target as an origin is asked for it: path and query as received, without scheme, authority and fragment."""
    absolute = split_absolute(raw_target) if raw_target[:1] != b"/" else None
    return split_fragment(raw_target if absolute is None else absolute[2])
