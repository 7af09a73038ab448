"""From a request to its decision, and from the decision to its answer.

`Handler.answer` is the whole of it: one line an outcome, as the table in the documentation has them. Every answer that
is Sunset's own is put together as bytes and written at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from aiohttp.http import HttpVersion10, HttpVersion11

from proxy.core.challenge import FOLDER as CHALLENGES
from proxy.core.challenge import token_of
from proxy.core.decision import (
    BadRequest,
    Forward,
    Gone,
    Local,
    Misdirected,
    NotFound,
    Redirect,
    Resource,
    cause_of,
    outcome_of,
)
from proxy.core.model import OriginFailure
from proxy.core.table import MALFORMED_HOST
from proxy.core.url import parse_host, split_absolute, split_query
from proxy.edge.connection import CLOSE, KEEP, LINGER, Sent, bad_request_bytes
from proxy.edge.origins.faults import UpstreamError
from proxy.edge.relay import origin_form
from proxy.edge.resources import Resources
from proxy.edge.tls.challenges import Challenges
from proxy.edge.tunnel import Tunnel
from proxy.wire.announcement import Announcements
from proxy.wire.answer import headers_of, status_of
from proxy.wire.origin_answer import SWITCHING
from proxy.wire.own_answer import own_answer
from proxy.wire.pages import Pages
from proxy.wire.texts import Subject

if TYPE_CHECKING:
    from proxy.core.decision import Decision
    from proxy.core.table import Table
    from proxy.edge.access_log import AccessLog
    from proxy.edge.clock import Clock
    from proxy.edge.configuration.settings import Settings
    from proxy.edge.counts import Counts
    from proxy.edge.log import Sampled
    from proxy.edge.noticing import Noticing
    from proxy.edge.relay import Relay
    from proxy.edge.request import Request
    from proxy.edge.tls.certificates import Certificates
    from proxy.wire.document import Page
    from proxy.wire.head import Header

UNKNOWN_VERSION: Final = BadRequest(400, "unknown protocol version")
MALFORMED_FRAMING: Final = BadRequest(400, "malformed framing")
CLIENT_GONE = 499
"""The status that is counted where a client did not wait for its answer; it is never sent."""

_VERSIONS: Final = frozenset({HttpVersion10, HttpVersion11})
_NO_STORE: Header = (b"Cache-Control", b"no-store")


class Switched(Sent):
    """The answer was 101; what follows is the tunnel's."""

    def __init__(self, tunnel: Tunnel) -> None:
        super().__init__(keep_alive=False)
        self.tunnel = tunnel


class Handler:
    """Answers requests by the table that it is given."""

    def __init__(
        self,
        relay: Relay,
        noticing: Noticing,
        *,
        settings: Settings,
        clock: Clock,
        counts: Counts,
        sampled: Sampled,
        certificates: Certificates | None = None,
    ) -> None:
        self._challenges = Challenges(settings.data)
        self._certificates = certificates
        self._relay = relay
        self._noticing = noticing
        self._settings = settings
        self._clock = clock
        self._counts = counts
        self._sampled = sampled
        self.access_log: AccessLog | None = None
        self.pages = Pages()
        """The pages of Sunset's own, each made when it is first needed."""
        self._announcements = Announcements()
        self._table: Table
        self._resources: Resources

    def use(self, table: Table) -> None:
        """Answer by `table` from now on; answers under way end by the one that they began with."""
        self._table = table
        self._resources = Resources(table, self._announcements, self._challenges, self._clock)

    async def __call__(self, request: Request) -> Sent:
        """Answer one request."""
        began = self._clock.steady()
        decision = self._decide(request)
        cause, outcome, status = cause_of(decision), outcome_of(decision), CLIENT_GONE
        try:
            sent, status = await self.answer(request, decision)
        except ConnectionError:
            sent = CLOSE
        except Exception:
            status = 500  # the connection answers, and logs it
            raise
        finally:
            tally = self._counts.tally(cause, outcome, status)
            self._counts.hit(tally, split_query(origin_form(request.raw_target))[0])
            self._counts.lasted(outcome, self._clock.steady() - began)
            if self.access_log is not None:
                self.access_log.full(request, tally)
        if isinstance(sent, Switched):
            await sent.tunnel.run()
        elif request.writer.protocol.writing_paused:
            await request.writer.drain()
        return sent

    def _decide(self, request: Request) -> Decision:
        """The table's decision, once the head is known to be one that only can be read in one way."""
        if request.version not in _VERSIONS:
            return UNKNOWN_VERSION
        hosts = request.hosts
        if len(hosts) != 1 or (request.raw_target[:1] != b"/" and parse_host(hosts[0]) is None):
            return MALFORMED_HOST
        codings = request.transfer_codings
        if codings and (
            [coding.lower() for coding in codings] != ["chunked"]
            or not request.is_chunked
            or request.version == HttpVersion10
        ):
            return MALFORMED_FRAMING
        decision = self._table.decide(hosts[0], request.raw_target, request.method, request.secure)
        return self._misdirected(request, decision) or self._challenged(request, decision) or decision

    def _challenged(self, request: Request, decision: Decision) -> Local | None:
        """What an authority gets that looks for an answer of ours: no rule, and no origin, comes before it."""
        if isinstance(decision, (BadRequest, Misdirected)) or CHALLENGES not in request.raw_target:
            return None
        token = token_of(origin_form(request.raw_target))
        if token is None or not self._challenges.has(token):
            return None
        return Local(None, Resource.ACME_CHALLENGE, token.encode())

    def _misdirected(self, request: Request, decision: Decision) -> Misdirected | None:
        """What a request gets that came over a connection on which another host's certificate was shown."""
        if self._certificates is None or request.certificate is None or isinstance(decision, BadRequest):
            return None
        host = parse_host(_authority(request))
        if host is None or not self._certificates.is_misdirected(host, request.certificate):
            return None
        return Misdirected(host)

    async def answer(self, request: Request, decision: Decision) -> tuple[Sent, int]:
        """Do what was decided. Gives the connection's fate and the status that was sent."""
        match decision:
            case Redirect():
                return self._send(request, decision, decision.status)
            case Forward():
                return await self._forward(request, decision)
            case Gone(cause):
                return self._send(request, decision, 410, self.pages.page(Subject.GONE, cause))
            case NotFound(cause):
                return self._send(request, decision, 404, self.pages.page(Subject.NOT_FOUND, cause))
            case Local():
                return self._local(request, decision)
            case Misdirected():
                return self._send(request, decision, 421, self.pages.page(Subject.MISDIRECTED, None))
            case BadRequest():
                return self._refuse(request, decision)
            case _:
                assert_never(decision)

    def _send(self, request: Request, decision: Decision, status: int, page: Page | None = None) -> tuple[Sent, int]:
        """An answer of Sunset's own: the decision's fields, and a page or nothing."""
        return self._write(request, status, headers_of(decision, secure=request.secure), page)

    def _write(self, request: Request, status: int, headers: tuple[Header, ...], page: Page | None) -> tuple[Sent, int]:
        request.closes = request.must_close
        request.send(
            own_answer(
                status,
                headers,
                page,
                date=self._clock.date(),
                closes=request.closes,
                with_body=request.method != b"HEAD",
            )
        )
        return CLOSE if request.closes else KEEP, status

    def _local(self, request: Request, decision: Local) -> tuple[Sent, int]:
        if decision.resource is Resource.DISMISS:
            return self._dismiss(request, decision)
        page = self._resources.page(decision, request, _authority(request))
        status = status_of(decision)
        if page is None or status is None:
            return self._send(request, decision, 404, self.pages.page(Subject.NOT_FOUND, decision.cause))
        return self._send(request, decision, status, page)

    def _dismiss(self, request: Request, decision: Local) -> tuple[Sent, int]:
        """Hide the notice from this visitor, and send them back to the page that they came from."""
        dismissal = None if decision.cause is None else self._noticing.dismissal(decision.cause.site)
        if dismissal is None:
            return self._send(request, decision, 404, self.pages.page(Subject.NOT_FOUND, decision.cause))
        _, query = split_query(origin_form(request.raw_target))
        fields = dismissal.answer(_authority(request), query, request.headers, secure=request.secure)
        return self._write(request, 303, (*headers_of(decision, secure=request.secure), *fields), None)

    def _refuse(self, request: Request, decision: BadRequest) -> tuple[Sent, int]:
        self._sampled.warning("malformed request:", f"{decision.status} {decision.reason} from {request.peer}")
        with_body = request.method != b"HEAD"
        request.send(bad_request_bytes(decision, self._clock.date(), with_body=with_body))
        return LINGER, decision.status

    async def _forward(self, request: Request, decision: Forward) -> tuple[Sent, int]:
        try:
            forwarded = await self._relay.forward(request, decision, _authority(request))
        except UpstreamError as error:
            return self._upstream_failed(request, decision, error)
        match forwarded:
            case BadRequest():
                return self._refuse(request, forwarded)
            case Tunnel():
                return Switched(forwarded), SWITCHING
            case _:
                return CLOSE if request.closes else KEEP, forwarded

    def _upstream_failed(self, request: Request, decision: Forward, error: UpstreamError) -> tuple[Sent, int]:
        """502 or 504, or on to the new home; where the origin's own answer has begun, the connection is cut instead."""
        cause = decision.cause
        site = cause.site
        self._counts.upstream_failed(site.name, error.reason)
        self._sampled.warning("origin failed:", f"{site.name}: {error}")
        status = 504 if error.reason.is_timeout else 502
        if request.began:
            request.abort()
            return CLOSE, status
        if (
            site.when_origin_fails is OriginFailure.REDIRECT
            and decision.successor is not None
            and request.method in {b"GET", b"HEAD"}
        ):
            return self._write(request, 302, (_NO_STORE, (b"Location", decision.successor)), None)
        subject = Subject.GATEWAY_TIMEOUT if status == 504 else Subject.BAD_GATEWAY
        headers = (_NO_STORE, (b"Retry-After", b"%d" % self._settings.timeouts.retry_after))
        return self._write(request, status, headers, self.pages.page(subject, cause))


def _authority(request: Request) -> bytes:
    """The host that was asked, as it was written: an absolute target goes before Host (RFC 9112 section 3.2.2)."""
    if request.raw_target[:1] != b"/" and (absolute := split_absolute(request.raw_target)) is not None:
        return absolute[1]
    return request.hosts[0]
