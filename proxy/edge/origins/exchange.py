"""One request to an origin and its answer, on a connection that others use before and after it (RFC 9112 section 9).

The head of the request goes out by `send_head`, its body by `write`. What comes back is parsed as it arrives, and held
until it is asked for: the head by `answer`, the body by `read`. While more is held than `Limits.buffer`, the connection
is not read from. An origin that breaks off, or says what cannot be parsed, makes itself known as an `UpstreamError`
once all that came before is taken.

Until `await_answer` says that the request is sent, the origin may take its time. From then on every wait has an end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from proxy.edge.origins.faults import Reason, UpstreamError
from proxy.wire.malformed import MalformedError
from proxy.wire.origin_answer import SWITCHING, AnswerHead, AnswerParser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.core.model import Origin
    from proxy.edge.configuration.settings import Settings
    from proxy.edge.origins.connection import OriginConnection
    from proxy.wire.fields import FieldLimits
    from proxy.wire.head import Header

_CONTINUE: Final = 100


class Exchange:
    """One request on one connection. Whoever opened it closes it, or the connection is lost to the pool.

    `release` takes the connection back, and is told whether it is good for another request.
    """

    __slots__ = (
        "_connection",
        "_ended",
        "_fault",
        "_heads",
        "_held",
        "_limits",
        "_parser",
        "_patience",
        "_paused",
        "_pieces",
        "_release",
        "_settings",
        "_waiter",
        "origin",
        "reused",
    )

    def __init__(
        self,
        connection: OriginConnection,
        origin: Origin,
        settings: Settings,
        limits: FieldLimits,
        release: Callable[[OriginConnection, bool], None],
    ) -> None:
        self.origin = origin
        self.reused = connection.used
        """Whether there were requests before on the connection, so that the origin may just be closing it."""
        self._connection = connection
        self._settings = settings
        self._limits = limits
        self._release: Callable[[OriginConnection, bool], None] | None = release
        self._parser: AnswerParser
        self._heads: deque[AnswerHead] = deque()
        self._pieces: list[bytes] = []
        self._held = 0
        """Bytes in `_pieces`."""
        self._paused = False
        """Whether nothing is read from the connection, since too much is held."""
        self._patience: float | None = None
        """How long a wait for the origin may last."""
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        """Whether the origin has said all, having switched protocols."""
        self._fault: UpstreamError | None = None

    # The request

    def send_head(self, head: bytes, method: bytes) -> None:
        """Send the head, and what is there of the body; `method` decides whether the answer has one.

        Raises `UpstreamError`.
        """
        connection = self._connection
        self._parser = AnswerParser(self._limits, method=method)
        connection.hearer = self
        connection.used = True
        try:
            connection.write(head)
        except ConnectionResetError as error:
            raise UpstreamError(Reason.DISCONNECTED, "before the request was sent") from error

    async def write(self, data: bytes) -> None:
        """Send more behind the head, at the origin's pace. Raises `ConnectionResetError`."""
        self._connection.write(data)
        if self._connection.is_slow:
            await self._connection.drained()

    def end(self) -> bool:
        """Say that there is no more. Tells whether the origin, which hears that, can go on."""
        transport = self._connection.transport
        if transport.is_closing() or not transport.can_write_eof():
            return False
        transport.write_eof()
        return True

    # The answer

    def await_answer(self) -> None:
        """The request is with the origin: from now on its answer is waited for, and not for ever."""
        if self._patience is not None:
            return  # the answer came before the request was complete
        self._patience = self._settings.timeouts.answer
        if self._waiter is not None and not self._waiter.done():
            self._connection.deadline.set(self._patience)

    async def answer(self, interim: Callable[[AnswerHead], None], *, may_switch: bool = False) -> AnswerHead:
        """The head of the answer; each of the interim ones (1xx) before it goes to `interim`. Raises `UpstreamError`.

        101 is an answer where the origin `may_switch` protocols.
        """
        while True:
            while not self._heads:
                if self._fault is not None:
                    raise self._fault
                await self._hear()
            head = self._heads.popleft()
            if not head.is_interim:
                break
            if head.status != _CONTINUE:  # that one is between neighbours, and was never asked for
                interim(head)
        if head.status == SWITCHING:
            if not may_switch:
                raise UpstreamError(Reason.MALFORMED, "switched protocols unasked")
            self._patience = None
        else:
            self._patience = self._settings.timeouts.silence
        return head

    @property
    def has_arrived(self) -> bool:
        """Whether `read` has something to give at once, be it the end."""
        return bool(self._pieces) or self._parser.complete

    async def read(self) -> bytes:
        """What has arrived of the body, or in another protocol; empty at its end. Raises `UpstreamError`."""
        pieces = self._pieces
        while not pieces:
            if self._parser.complete or self._ended:
                return b""
            if self._fault is not None:
                raise UpstreamError(Reason.BROKEN_OFF, str(self._fault)) from self._fault
            await self._hear()
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._held = 0
        if self._paused and self._connection.is_open:
            self._paused = False
            self._connection.transport.resume_reading()
        return data

    @property
    def trailers(self) -> Sequence[Header]:
        """The fields behind the body, once it is read to its end."""
        return self._parser.trailers

    def close(self, *, clean: bool) -> None:
        """Give the connection back where both messages are complete (`clean`), else close it."""
        release, self._release = self._release, None
        if release is None:
            return
        connection = self._connection
        connection.hearer = None
        connection.deadline.clear()
        self._wake()
        release(connection, clean and not self._pieces and self._parser.is_reusable)

    async def _hear(self) -> None:
        """Wait for something new."""
        if self._release is None:
            raise UpstreamError(Reason.DISCONNECTED, "closed")
        self._waiter = asyncio.get_running_loop().create_future()
        if self._patience is not None:
            self._connection.deadline.set(self._patience)
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._connection.deadline.clear()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What the connection tells

    def heard(self, data: bytes) -> None:
        """The origin says something."""
        try:
            events = self._parser.feed(data)
        except MalformedError as error:
            self._fail(UpstreamError(Reason.MALFORMED, str(error)))
            self._connection.abort()
            return
        for event in events:
            if isinstance(event, AnswerHead):
                self._heads.append(event)
            else:
                self._pieces.append(event)
                self._held += len(event)
        if self._held > self._settings.limits.buffer and not self._paused:
            self._paused = True
            self._connection.transport.pause_reading()
        if events or self._parser.complete:
            self._wake()

    def heard_all(self) -> bool:
        """The origin says no more. Tells whether there is more to be said to it."""
        self._parser.end()
        self._ended = self._parser.has_switched
        if not self._parser.complete and not self._ended:
            self._fail(UpstreamError(Reason.DISCONNECTED, "hung up"))
        self._wake()
        return self._ended

    def heard_nothing(self) -> None:
        """The origin has not said anything in time."""
        self._fail(UpstreamError(Reason.ANSWER_TIMEOUT))

    def lost(self) -> None:
        """The connection is gone."""
        if not self._parser.complete and not self._ended:
            self._fail(UpstreamError(Reason.DISCONNECTED, "lost"))

    def _fail(self, fault: UpstreamError) -> None:
        if self._fault is None:
            self._fault = fault
        self._wake()
