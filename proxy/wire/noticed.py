"""The fields of pages with a notice in them, and of the requests for such pages (RFC 9110 sections 8.8, 12.5.5 and 13).

What describes the bytes that the origin sent does not hold for a page with a notice: its length, its digests, that it
can be had in ranges. Its entity tag becomes one of our own, and Last-Modified goes: it would let a copy without the
notice, or with yesterday's, pass as the page of today. For the same reason If-Modified-Since is not asked of the
origin, and If-None-Match only as far as it names a page with this very banner. A request for a range goes on as it
came, and its answer has no notice: since no page with one has a strong validator, nobody puts the two together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.wire.entity_tag import noticed_tag, origin_condition
from proxy.wire.head import values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.wire.head import Header

_OF_OTHER_BYTES: Final = frozenset(
    {
        b"accept-ranges",
        b"content-digest",
        b"content-length",
        b"content-md5",
        b"digest",
        b"last-modified",
        b"repr-digest",
    }
)
_SELECTING: Final = (b"Accept", b"Sec-Fetch-Dest", b"X-Requested-With")
"""The request fields by which a page comes with a notice or without (see `proxy.wire.exclusion`)."""


def asking_for_page(headers: Sequence[Header], edition: bytes) -> list[Header]:
    """The fields of a request whose answer may take the banner of that edition: conditions mapped, no coding wanted."""
    fields: list[Header] = []
    for name, value in headers:
        match name.lower():
            case b"accept-encoding" | b"if-modified-since":
                continue
            case b"if-none-match":
                condition = origin_condition(value, edition)
                if condition is not None:
                    fields.append((name, condition))
            case _:
                fields.append((name, value))
    fields.append((b"Accept-Encoding", b"identity"))
    return fields


def noticed(headers: Sequence[Header], edition: bytes) -> list[Header]:
    """The fields, or trailers, of an answer with the banner of that edition; of a 304 or a HEAD that stands for one."""
    fields: list[Header] = []
    for header in headers:
        name = header[0].lower()
        if name == b"etag":
            tag = noticed_tag(header[1], edition)
            if tag is not None:
                fields.append((header[0], tag))
        elif name not in _OF_OTHER_BYTES:
            fields.append(header)
    return fields


def varying(headers: Sequence[Header], *, dismissible: bool) -> tuple[Header, ...]:
    """The field that a page needs, with a notice in it or without; none where the origin has said as much."""
    names = [*_SELECTING, b"Cookie"] if dismissible else list(_SELECTING)
    if vary := values_of(b"vary", headers):
        said = {one.strip().lower() for one in b",".join(vary).split(b",")}
        if b"*" in said:
            return ()
        names = [name for name in names if name.lower() not in said]
    return ((b"Vary", b", ".join(names)),) if names else ()
