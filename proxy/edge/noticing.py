"""The notice on its way into forwarded answers: what is asked of the origin, what is told to the client, and the page.

`Noticing.visit` makes a `Visit` of every request that is forwarded in the phase `notice`. The visit changes the fields
of the request so that the origin answers with what a notice can go into, then the fields of the answer, and then lets
the page run through decoder, injector and encoder as it streams by. What takes no notice goes on as it came, but for
its freshness, which never reaches past the cutover.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.core.schedule import Phase
from proxy.wire.banner import Banners
from proxy.wire.banner_style import STYLE_SOURCE
from proxy.wire.coding import Caps, Coding, Decoder, Encoder, coding_for, coding_of, encoder
from proxy.wire.csp import with_style
from proxy.wire.dismissal import dismissal_of
from proxy.wire.exclusion import Exclusion, excluded_answer, excluded_request
from proxy.wire.freshness import capped
from proxy.wire.head import values_of
from proxy.wire.notice import Injector
from proxy.wire.noticed import asking_for_page, noticed, varying

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxy.core.decision import Forward
    from proxy.core.model import Site
    from proxy.core.rulebook import Rulebook
    from proxy.edge.clock import Clock
    from proxy.edge.configuration.settings import Limits
    from proxy.edge.request import Request
    from proxy.wire.banner import Banner
    from proxy.wire.dismissal import Dismissal
    from proxy.wire.head import Header

SKIPPED = "skipped"
"""The outcome where the rule file says that pages below a path take no notice (key `skip`)."""

UNANSWERED = "unanswered"
"""The outcome where the origin gave no answer, or broke it off before a notice was in it."""


class Noticing:
    """The banners and dismissals of all sites of a rulebook."""

    def __init__(self, rulebook: Rulebook, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._caps = Caps(limits.inflated, limits.inflation)
        self._banners = Banners(rulebook.sites, clock.now(), rulebook.generation)
        self._dismissals = {site.name: dismissal_of(site) for site in rulebook.sites}

    def dismissal(self, site: Site) -> Dismissal | None:
        """How visitors hide the site's notice; `None` where they cannot."""
        return self._dismissals[site.name]

    def visit(self, decision: Forward, request: Request, authority: bytes, target: bytes) -> Visit | None:
        """One forwarded request, `None` outside the phase `notice`. `target` is in origin-form."""
        site = decision.cause.site
        if decision.cause.phase is not Phase.NOTICE:
            return None
        visit = Visit(decision, request, self._clock, authority, target, self._caps)
        if decision.notice:
            visit.prepare(self._banners.of(site, self._clock.now()), self.dismissal(site))
        return visit


class Visit:
    """One request that is forwarded in the phase `notice`, from its head to the end of its answer.

    `headers` are the fields to ask the origin with. Once the answer's head is there, `answered` gives its fields, and
    says in `rewrites` whether the body goes through `feed` and `finish`. In the end `outcome` tells what became of the
    notice.
    """

    __slots__ = (
        "_authority",
        "_banner",
        "_caps",
        "_clock",
        "_decision",
        "_dismissal",
        "_excluded",
        "_injector",
        "_recoding",
        "_request",
        "_target",
        "headers",
    )

    def __init__(
        self, decision: Forward, request: Request, clock: Clock, authority: bytes, target: bytes, caps: Caps
    ) -> None:
        self._decision = decision
        self._request = request
        self._clock = clock
        self._authority = authority
        self._target = target
        self._caps = caps
        self._banner: Banner | None = None
        self._dismissal: Dismissal | None = None
        self._excluded: Exclusion | str | None = SKIPPED
        self._injector: Injector | None = None
        self._recoding: _Recoding | None = None
        self.headers: Sequence[Header] = request.headers

    def prepare(self, banner: Banner, dismissal: Dismissal | None) -> None:
        """This banner is to go in, if the request allows."""
        self._banner = banner
        self._dismissal = dismissal
        self._excluded = excluded_request(self._request.method, self.headers, dismissal)
        if self._may_take_notice:
            self.headers = asking_for_page(self.headers, banner.edition)

    @property
    def rewrites(self) -> bool:
        """Whether the body does not go through as it comes, so that its length is not known."""
        return self._injector is not None

    @property
    def outcome(self) -> str:
        """What became of the notice: a label value of a metric."""
        if self._injector is not None and self._injector.outcome is not None:
            return self._injector.outcome.value
        return str(self._excluded or UNANSWERED)

    @property
    def _may_take_notice(self) -> bool:
        # To HEAD belong the fields that GET would have.
        return self._excluded is None or self._excluded is Exclusion.HEAD

    def answered(self, status: int, headers: Sequence[Header]) -> list[Header]:
        """The fields of the origin's answer as the client gets them."""
        until = self._decision.cause.site.schedule.cutover
        now = self._clock.now()
        fields = list(headers)
        if self._banner is not None:
            excluded = excluded_answer(status, headers)
            # What has not changed is a page with this banner: nothing else was asked for by its tag.
            is_noticed = self._may_take_notice and (excluded is None or status == 304)
            if is_noticed or excluded is None:
                fields += varying(headers, dismissible=self._dismissal is not None)
            if is_noticed:
                until = self._banner.until if until is None else min(until, self._banner.until)
                fields = self._noticed(fields, self._banner, into_page=excluded is None)
            if excluded is not None:
                self._excluded = excluded
        return fields if until is None else capped(fields, self._request.method, status, now, until)

    def trailing(self, trailers: Sequence[Header]) -> Sequence[Header]:
        """The trailers of the origin's answer that hold for what the client gets."""
        if not trailers or self._banner is None or self._injector is None:
            return trailers
        return noticed(trailers, self._banner.edition)

    def _noticed(self, headers: list[Header], banner: Banner, *, into_page: bool) -> list[Header]:
        """The fields of a page with a notice; with an injector for it, if there is one to come."""
        fields = noticed(headers, banner.edition)
        styled = with_style(fields, STYLE_SOURCE)
        if styled is not None:
            fields = styled
        if not into_page:
            return fields
        content_type = b",".join(values_of(b"content-type", headers))
        content_encoding = b",".join(values_of(b"content-encoding", headers))
        if self._excluded is None:
            notice = banner.render(self._authority, self._target, self._decision.successor, styled=styled is not None)
            self._injector = Injector(notice, content_type)
        return self._recoded(fields, content_encoding) if content_encoding else fields

    def _recoded(self, headers: list[Header], written: bytes) -> list[Header]:
        """A page that comes in a coding all the same is answered in one that the client accepts."""
        coding = coding_of(written)
        if coding is None or coding is Coding.IDENTITY:
            return headers
        answered_in = coding_for(b",".join(values_of(b"accept-encoding", self._request.headers)) or None)
        self._recoding = _Recoding(Decoder(coding, self._caps), encoder(answered_in))
        fields = [header for header in headers if header[0].lower() != b"content-encoding"]
        if answered_in is not Coding.IDENTITY:
            fields.append((b"Content-Encoding", answered_in.encode()))
        return [*fields, (b"Vary", b"Accept-Encoding")]

    def feed(self, chunk: bytes) -> Iterable[bytes]:
        """What can go on of the body, in pieces that may be empty. Taking them may raise `CodingError`."""
        if self._injector is None:
            return (chunk,)
        if self._recoding is None:
            return (self._injector.feed(chunk),)
        return _recoded(chunk, self._injector, self._recoding)

    def finish(self) -> bytes:
        """The rest of the body, which has ended. Raises `CodingError`."""
        if self._injector is None:
            return b""
        if self._recoding is None:
            return self._injector.finish()
        self._recoding.decoder.finish()
        return self._recoding.encoder.feed(self._injector.finish()) + self._recoding.encoder.finish()


class _Recoding(NamedTuple):
    """How a page that came in a coding goes on in one, or in none."""

    decoder: Decoder
    encoder: Encoder


def _recoded(chunk: bytes, injector: Injector, recoding: _Recoding) -> Iterator[bytes]:
    """What can go on of a page that is undone, noticed and done again, piece by piece."""
    for piece in recoding.decoder.feed(chunk):
        yield recoding.encoder.feed(injector.feed(piece))
    yield recoding.encoder.flush()
