"""A client's body on its way to the origin (RFC 9112 sections 6 and 7), while the origin may already answer.

A small body that has come with its head goes along with the head (`whole_body`). Any other goes as fast as the slower
side takes it (`Upload`). What the body is framed by was decided with the head: a length as it was given, or chunks made
anew. Trailers that the client sent go along behind the last chunk, if they may be there at all.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp.web_protocol import RequestPayloadError

from proxy.core.decision import BadRequest
from proxy.edge.origins.faults import Reason, UpstreamError
from proxy.wire.chunks import chunk, last_chunk
from proxy.wire.trailers import trailers_to_origin

if TYPE_CHECKING:
    from proxy.edge.configuration.settings import Settings
    from proxy.edge.origins.exchange import Exchange
    from proxy.edge.request import Request

BODY_TOO_SLOW = BadRequest(408, "request body too slow")
MALFORMED_BODY = BadRequest(400, "malformed request body")


def whole_body(request: Request) -> bytes | None:
    """The body as the origin is sent it, if all of it is here, which is never more than is held of one; else `None`."""
    if not request.has_body:
        return b""
    if not request.body.is_eof() or request.body.exception() is not None:
        return None
    content = request.body.read_nowait()
    if not request.is_chunked:
        return content
    return (chunk(content) if content else b"") + _end_of_chunks(request)


def _end_of_chunks(request: Request) -> bytes:
    return last_chunk(trailers_to_origin(request.trailers))


class Upload:
    """One body. `refusal` is set where the client is at fault, `failure` where the origin does not take the body."""

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
        try:
            while piece := await self._read():
                await self._send(chunk(piece) if request.is_chunked else piece)
            if request.is_chunked:
                await self._send(_end_of_chunks(request))
            self.complete = True
        except TimeoutError:
            self.failure = UpstreamError(Reason.ANSWER_TIMEOUT, "takes no more of the request's body")
            exchange.close(clean=False)
        except _BodyError as error:
            self.refusal = error.refusal
            exchange.close(clean=False)
        except OSError:
            pass  # the origin does not want the rest; its answer may be there all the same
        exchange.await_answer()

    async def _send(self, data: bytes) -> None:
        async with asyncio.timeout(self._timeouts.answer):
            await self._exchange.write(data)

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
