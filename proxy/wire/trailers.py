"""Trailer fields on their way through: which of them go on, and how they are announced (RFC 9110 section 6.5).

A recipient may merge trailers into the head, long after it has decided by the head what to do. So what decides that
never goes on in them: what frames or routes a message, who sends it, under which conditions, what its content is, and
for how long it holds. Fields between two neighbours end here as they do in a head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.wire.head import values_of
from proxy.wire.hop import end_to_end, without_claims

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.wire.head import Header

ACCEPTED: Final[tuple[Header, ...]] = ((b"Connection", b"TE"), (b"TE", b"trailers"))
"""What tells the next server that trailers are taken; `TE` is between neighbours, and so is named (section 10.1.4)."""

_FOR_THE_HEAD: Final = frozenset(
    {
        # framing
        b"content-length",
        # routing, and what goes on from hop to hop
        b"forwarded",
        b"host",
        b"max-forwards",
        b"via",
        # what is asked for, and on which conditions
        b"expect",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
        b"range",
        # who sends it
        b"authentication-info",
        b"authorization",
        b"cookie",
        b"set-cookie",
        b"www-authenticate",
        # what is to be done with an answer
        b"age",
        b"cache-control",
        b"date",
        b"expires",
        b"location",
        b"pragma",
        b"retry-after",
        b"vary",
        b"warning",
        # what the content is
        b"content-encoding",
        b"content-range",
        b"content-type",
    }
)


def trailers_to_client(trailers: Sequence[Header]) -> list[Header]:
    """The trailers of an origin's answer that go on."""
    return [header for header in end_to_end(trailers) if header[0].lower() not in _FOR_THE_HEAD]


def trailers_to_origin(trailers: Sequence[Header]) -> list[Header]:
    """The trailers of a client's request that go on."""
    return without_claims(trailers_to_client(trailers))


def announced(headers: Sequence[Header]) -> list[Header]:
    """The trailers that a head announces in `Trailer`, as fields that have no value yet."""
    written = b",".join(values_of(b"trailer", headers))
    return [(name, b"") for part in written.split(b",") if (name := part.strip(b"\t "))]


def announcement(trailers: Sequence[Header]) -> list[Header]:
    """The field that announces those trailers; none where there are none."""
    return [(b"Trailer", b", ".join([name for name, _ in trailers]))] if trailers else []


def accepts_trailers(headers: Sequence[Header]) -> bool:
    """Whether a client says that it takes trailers (section 10.1.4)."""
    said = b",".join(values_of(b"te", headers))
    return b"trailers" in [part.strip(b"\t ") for part in said.lower().split(b",")]
