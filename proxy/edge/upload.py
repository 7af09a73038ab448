"""A client's body on its way to the origin (RFC 9112 sections 6 and 7), while the origin may already answer.

It goes as fast as the slower side takes it. What the body is framed by was decided with the head: a length as it was
given, or chunks made anew. Trailers do not go along: the parser drops them, and so does the `Trailer` field that
announces them, as RFC 9110 section 6.5.1 lets whoever forwards a message.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import ClientError
from aiohttp.web_protocol import RequestPayloadError

from proxy.core.decision import BadRequest
from proxy.edge.upstream import Reason, UpstreamError

if TYPE_CHECKING:
    from proxy.edge.request import Request
    from proxy.edge.settings import Settings
    from proxy.edge.upstream import Exchange

BODY_TOO_SLOW = BadRequest(408, "request body too slow")
MALFORMED_BODY = BadRequest(400, "malformed request body")


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
