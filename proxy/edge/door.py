"""The front door: answers the request that most clients send, and shows every other one in (RFC 9112).

Once the old site is gone nearly all that comes is a plain request for an address that leads somewhere else. Such a
request never becomes an object: regular expressions take what matters out of its head, the table decides as it always
does, and the answer is put together from bytes that were made before. There is no task, timer or log call, and what is
counted is an addition to an int. Most of a head says who asks, and crawlers, which ask most, say it in the same words
every time: fields that were found to be plain are remembered, as many as are worth it, and not read again.

All else is not judged here. The connection is handed to aiohttp's own protocol (`connection`), which reads it from the
first byte that was not answered, and keeps it. What is answered here is, but for the date, byte for byte what is
answered there.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from proxy.core.challenge import FOLDER as CHALLENGES
from proxy.core.decision import Gone, Misdirected, NotFound, Outcome, Redirect, cause_of, outcome_of
from proxy.core.url import PLAIN_TARGET, parse_host
from proxy.edge.clients import peer_of
from proxy.edge.tls.certificate import presented
from proxy.wire.answer import headers_of, status_of
from proxy.wire.forwarded import plain_scheme
from proxy.wire.own_answer import LOCATION, Prepared
from proxy.wire.plain_head import BEHIND_TARGET, PLAIN_FIELDS
from proxy.wire.request_head import END_OF_HEAD, HeadError, end_of_head
from proxy.wire.texts import Subject

if TYPE_CHECKING:
    from proxy.core.decision import Cause, Decision
    from proxy.core.table import Table
    from proxy.edge.access_log import AccessLog
    from proxy.edge.connection import Connection, Hall
    from proxy.edge.counts import Tally
    from proxy.edge.tls.certificate import Certificate
    from proxy.edge.tls.certificates import Certificates
    from proxy.wire.head import Header
    from proxy.wire.pages import Pages
    from proxy.wire.proxy_protocol import Introduction

_KNOWN: Final = 2048
"""Heads whose fields are remembered, before all are forgotten again."""
_LONGEST_KNOWN: Final = 1024
"""Bytes of fields that are worth remembering: those of crawlers and of most browsers. The two bound what all take."""

_match_fields = PLAIN_FIELDS.match

_PAGES = {Gone: Subject.GONE, NotFound: Subject.NOT_FOUND, Misdirected: Subject.MISDIRECTED}
"""Decisions with a page that depends on nothing else."""

_NOT_YET: tuple[int, Any, Any] = (0, None, None)
"""Where no answer was prepared for a cause."""


class Front:
    """What all doors of one scheme share: the table, and the answers that were prepared for it.

    `hall` is where a connection goes on that does not end at its door.
    """

    def __init__(
        self,
        hall: Hall,
        pages: Pages,
        access_log: AccessLog | None,
        certificates: Certificates | None,
        *,
        secure: bool,
    ) -> None:
        self.hall = hall
        self.secure = secure
        self.trust = hall.trust
        self.clients = hall.clients
        self.counts = hall.counts
        self.limits = hall.settings.limits
        self.timeouts = hall.settings.timeouts
        self.longest = min(self.limits.target, self.limits.field, self.limits.head // 2)
        """Bytes of a head that the hall would take in any case."""
        self.access_log = access_log
        self.certificates = certificates
        self.steady = hall.clock.steady
        self.timed_every = hall.settings.timed_every
        self.until_timed = 1
        """How many more answers until one is timed."""
        self.known: dict[bytes, tuple[bytes, bool]] = {}
        """Fields that are plain, with the Host in them, and whether the connection is to be closed."""
        self.other_scheme = self
        """The front for requests that came by the other scheme to whoever passes them on here."""
        self._pages = pages
        self._others: dict[tuple[Outcome, Cause | None, bool], tuple[Prepared, Tally]] = {}
        self.redirects: dict[Cause, tuple[int, Prepared, Tally]] = {}
        """By cause: the last status that it led to, and the answer."""
        self._alike: dict[tuple[int, tuple[Header, ...]], Prepared] = {}
        """Answers by status and fields, which nearly all rules share: so it stays in a cache, and is renewed once."""

    def use(self, table: Table) -> None:
        """Answer by `table` from now on."""
        self.decide = table.decide_parts
        self.redirects = {}
        self._alike = {}
        self._others = {}

    def __call__(self, introduction: Introduction | None = None) -> Door:
        """The protocol of a connection that was just accepted, perhaps with what a balancer has said of the client."""
        return Door(self, introduction)

    def read_fields(self, data: bytes) -> tuple[bytes, bool, int] | None:
        """Host, whether the connection is to be closed, and length of the plain fields that `data` begins with."""
        fields = data[: data.find(END_OF_HEAD) + len(END_OF_HEAD)]
        if (known := self.known.get(fields)) is None:
            match = _match_fields(fields)
            if match is None or match.end() < len(fields) or fields.count(b"\r\n") > self.limits.fields:
                return None
            known = match[2], match[3] is not None
            if len(fields) <= _LONGEST_KNOWN:
                if len(self.known) >= _KNOWN:
                    self.known.clear()
                self.known[fields] = known
        return *known, len(fields)

    def prepare(self, decision: Redirect) -> tuple[Prepared, Tally]:
        """The answer of a redirect's cause and status, kept for the next one.

        A row of a mapping may have a status of its own.
        """
        cause, status, _, row = decision
        fields = headers_of(Redirect(cause, status, LOCATION, row), secure=self.secure)
        if (answer := self._alike.get((status, fields))) is None:
            answer = self._alike[status, fields] = Prepared(status, fields)
        tally = self.counts.tally(cause, outcome_of(decision), status)
        self.redirects[cause] = (status, answer, tally)
        return answer, tally

    def other(self, decision: Decision, path: bytes, *, head: bool) -> tuple[Prepared, Tally] | None:
        """The answer to what is no redirect; `None` where it takes more than bytes that are there already."""
        subject = _PAGES.get(type(decision))
        if subject is None or path.startswith(CHALLENGES):  # to which the hall may have an answer
            return None
        cause, outcome = cause_of(decision), outcome_of(decision)
        if (found := self._others.get((outcome, cause, head))) is None:
            status = status_of(decision) or 0
            page = self._pages.page(subject, cause)
            prepared = Prepared(status, headers_of(decision, secure=self.secure), page, with_body=not head)
            found = self._others[outcome, cause, head] = (prepared, self.counts.tally(cause, outcome, status))
        return found


class Door(asyncio.Protocol):
    """One client's connection, as long as all that it says is plain."""

    __slots__ = (
        "_certificate",
        "_front",
        "_introduction",
        "_is_trusted",
        "_left",
        "_looks_closer",
        "_paused",
        "_peer",
        "_rest",
        "_seen",
        "_suiting",
        "_transport",
    )

    def __init__(self, front: Front, introduction: Introduction | None = None) -> None:
        self._front = front if introduction is None or not introduction.secure or front.secure else front.other_scheme
        self._introduction = introduction
        self._is_trusted = False
        """Whether whoever is connected is believed in what its fields say of the client."""
        self._looks_closer = self._front.certificates is not None
        """Whether it depends on more than the connection how a request is answered."""
        self._left = front.limits.requests
        """Requests until the connection is closed."""
        self._paused = False
        """Whether the client is slow to take its answers."""
        self._peer: str | None = None
        self._rest = b""
        """What has come of a head that is not whole yet."""
        self._seen = 0
        """When the client last said something, or began the head that is not whole yet."""
        self._certificate: Certificate | None = None
        self._suiting = b""
        """The host, as it was last asked for, that the certificate of the connection is right for."""
        self._transport: asyncio.Transport

    @property
    def peer(self) -> str:
        """The client's IP address; it is asked for when somebody wants to know."""
        if self._peer is None:
            said = self._introduction
            self._peer = (said and said.peer) or peer_of(self._transport)
        return self._peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = transport  # type: ignore[assignment]
        front = self._front
        self._seen = front.clients.tick
        if front.certificates is not None:
            self._certificate = presented(transport)
        if not front.clients.admit(self):
            self._transport.abort()
        elif front.trust and front.trust.believes(self.peer, self._introduction):
            self._is_trusted = self._looks_closer = True
            if front.access_log is not None or not front.trust.is_plain:
                self._hand_over(b"")

    def data_received(self, data: bytes) -> None:
        """Answer all plain requests at the beginning of `data`; keep or hand on the rest."""
        if self._rest:
            self._gather(data)
            return
        front = self._front
        self._seen = front.clients.tick
        front.until_timed -= 1
        try:
            left = self._answer(data) if front.until_timed else self._answer_timed(data)
        except Exception as error:  # noqa: BLE001 - a fault of our own: nothing was sent yet, and the hall can say so
            front.hall.sampled.warning("internal error:", error=error)
            left = data
        if left:
            self._gather(left)

    def _answer(self, data: bytes) -> bytes:
        """What is left of `data` once it is answered as far as it is plain: nothing where the connection is closed."""
        front = self._front
        date = front.clients.date
        answers = b""
        position, end = 0, len(data)
        told: Front | None
        rest = data if end <= front.longest else _first_head(data, 0, front.longest)
        closes = False
        while True:
            asked, _, fields = rest.partition(BEHIND_TARGET)
            if asked[:5] == b"GET /":
                method, target = b"GET", asked[4:]
            elif asked[:6] == b"HEAD /":
                method, target = b"HEAD", asked[5:]
            else:
                break
            if target.translate(PLAIN_TARGET) != target:
                break
            if (known := front.known.get(fields)) is not None:
                host, wants_end = known
                length = len(rest)
            elif (read := front.read_fields(fields)) is not None:
                host, wants_end, length = read
                fields = fields[:length]
                length += len(asked) + len(BEHIND_TARGET)
            else:
                break
            told = front
            if self._looks_closer and (told := self._told(host, fields)) is None:
                break
            path, mark, query = target.partition(b"?")
            decide = told.decide
            decision = decide(host, path, query if mark else None, method, told.secure)
            if type(decision) is Redirect:
                cause, status, location, _ = decision
                prepared_status, answer, tally = told.redirects.get(cause, _NOT_YET)
                if prepared_status != status:
                    answer, tally = told.prepare(decision)
            elif (other := told.other(decision, path, head=method == b"HEAD")) is not None:
                location = b""
                answer, tally = other
            else:
                break
            self._left -= 1
            closes = wants_end or self._left <= 0
            if answer.date is not date:
                answer.renew(date)
            whole = answer.start + location + (answer.last_rest if closes else answer.rest)
            answers = answers + whole if answers else whole
            tally.count += 1  # as `Counts.hit` does
            if path in tally.addresses:
                tally.addresses[path] += 1
            elif front.counts.addresses_left:
                front.counts.tell_apart(tally, path)
            if front.access_log is not None:
                front.access_log.plain(rest[:length], tally, self.peer, secure=front.secure)
            position = end if closes else position + length
            if position == end:
                break
            rest = _first_head(data, position, front.longest)
        if answers:
            self._transport.write(answers)
            if closes:
                self._transport.close()
        return data[position:]

    def _answer_timed(self, data: bytes) -> bytes:
        """The same, for the histogram."""
        front = self._front
        front.until_timed = front.timed_every
        began = front.steady()
        left = self._answer(data)
        if len(left) < len(data):
            front.counts.lasted(Outcome.REDIRECT, front.steady() - began, front.timed_every)
        return left

    def _told(self, host: bytes, fields: bytes) -> Front | None:
        """The front for a request with that host and those fields; `None` where the hall has to look at it."""
        front = self._front
        if front.certificates is not None and host != self._suiting and not self._suits(host):
            return None
        if not self._is_trusted:
            return front
        secure = plain_scheme(fields, secure=front.secure)
        if secure is None:
            return None
        return front if secure is front.secure else front.other_scheme

    def _suits(self, host: bytes) -> bool:
        """Whether the certificate of the connection is the one for `host` (RFC 9110 section 15.5.20)."""
        name, certificates, certificate = parse_host(host), self._front.certificates, self._certificate
        if name is None or certificates is None or certificate is None:
            return False
        if certificates.is_misdirected(name, certificate):
            return False
        self._suiting = host
        return True

    def _gather(self, data: bytes) -> None:
        """Wait until a head that is not plain, or not whole, can be handed on."""
        front, rest = self._front, self._rest
        gathered = rest + data
        try:
            end = end_of_head(gathered, len(rest), longest=front.limits.head, longest_target=front.limits.target)
        except HeadError:
            end = -1  # it will be refused in the hall, as any other
        self._rest = b""
        if not end or self._paused:
            self._rest = gathered
            if not rest:
                self._seen = front.clients.tick
        elif rest and end > 0:
            self.data_received(gathered)
        else:
            self._hand_over(gathered)

    def _hand_over(self, data: bytes) -> Connection:
        """From here on the connection is in the hall."""
        connection = self._front.hall(self._introduction)
        connection.enter(self._transport, self.peer, self._left, self._seen if data else 0)
        self._front.clients.exchange(self, connection)
        self._transport.set_protocol(connection)
        if data:
            connection.data_received(data)
        return connection

    def eof_received(self) -> None:
        """The client sends no more: what it has asked for is answered already, and is sent before the end."""

    def pause_writing(self) -> None:
        """The client is slow to read: let it ask for no more."""
        self._paused = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._paused = False
        self._transport.resume_reading()
        if self._rest:
            rest, self._rest = self._rest, b""
            self._gather(rest)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as asyncio has it
        """The client is gone."""
        self._front.clients.left(self)

    # What `Clients` asks

    def look(self, tick: int) -> None:
        """Close where nothing was said for too long, a head does not come to its end, or answers are not taken."""
        quiet = tick - self._seen
        timeouts = self._front.timeouts
        if self._rest and not self._paused:
            if quiet > timeouts.head:
                self._hand_over(self._rest).look(tick)
        elif quiet > (timeouts.taking if self._paused else timeouts.keep_alive):
            self._transport.abort() if self._paused else self._transport.close()

    def conclude(self) -> None:
        """Let one more answer be the last."""
        self._left = min(self._left, 1)

    def retire(self) -> None:
        """Close: every complete request was answered when it came."""
        self._transport.close()

    def cut_off(self) -> None:
        """Close now."""
        self._transport.abort()


def _first_head(data: bytes, position: int, longest: int) -> bytes:
    """The head that begins there; nothing where it has not come to its end, or is too long to be answered here."""
    end = data.find(END_OF_HEAD, position, position + longest)
    return data[position : end + len(END_OF_HEAD)] if end >= 0 else b""
