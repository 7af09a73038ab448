"""Which answers take no notice, and why: whatever is not a whole page that a person opens in a window.

Asked twice. Of the request, before it goes to the origin, because what may take a notice is asked for in another way
(see `proxy.wire.noticed`). Of the answer, when its head is there. What speaks against it in the page itself, such as a
frameset, is for the injector to see.

Browsers say for what a resource is meant (Fetch Metadata section 2.1); where one does not, Accept tells pages from the
rest: it names HTML for a page, and is a bare `*/*` from programs that a person may well look through.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.wire.dismissal import Dismissal
    from proxy.wire.head import Header


class Exclusion(StrEnum):
    """Why an answer takes no notice. These are label values of a metric: few, and fixed."""

    METHOD = "method"
    HEAD = "head"  # no body to put it in; the fields are those that GET would have
    RANGE = "range"
    SUBREQUEST = "subrequest"  # by a script, into a frame, or for a part of a page
    DISMISSED = "dismissed"
    STATUS = "status"
    NOT_HTML = "not-html"
    ATTACHMENT = "attachment"
    NO_TRANSFORM = "no-transform"
    ENCODED = "encoded"


CODINGS: Final = frozenset({b"br", b"deflate", b"gzip", b"identity", b"x-gzip", b"zstd"})
"""The codings (RFC 9110 section 8.4.1) that a notice can be put into, one at a time."""

_HTML: Final = frozenset({b"application/xhtml+xml", b"text/html"})
_TELLING_OF_REQUEST: Final = frozenset(
    {b"accept", b"cache-control", b"cookie", b"range", b"sec-fetch-dest", b"upgrade", b"x-requested-with"}
)
_TELLING_OF_ANSWER: Final = frozenset(
    {b"cache-control", b"content-disposition", b"content-encoding", b"content-range", b"content-type"}
)
_ASKS_FOR_PAGES = re.compile(rb"text/html|application/xhtml\+xml|^[ \t]*\*/\*[ \t]*(?:;[^,]*)?$", re.IGNORECASE)
_NO_TRANSFORM = re.compile(rb"(?<![^\s,])no-transform(?![^\s,])", re.IGNORECASE)


def excluded_request(method: bytes, headers: Sequence[Header], dismissal: Dismissal | None) -> Exclusion | None:
    """Why no answer to this request takes a notice; `None` where one may. `dismissal` is the site's, if it has one."""
    if method not in {b"GET", b"HEAD"}:
        return Exclusion.METHOD
    is_dismissed = False
    for name, value in headers:
        field = name.lower()
        if field not in _TELLING_OF_REQUEST:
            continue
        match field:
            case b"cookie":
                is_dismissed = is_dismissed or (dismissal is not None and dismissal.is_in(value))
            case b"range":
                return Exclusion.RANGE
            case b"sec-fetch-dest" if value.strip().lower() != b"document":
                return Exclusion.SUBREQUEST
            case b"x-requested-with" if value.strip().lower() == b"xmlhttprequest":  # a web view names its app there
                return Exclusion.SUBREQUEST
            case b"upgrade" if value.strip().lower() == b"websocket":
                return Exclusion.SUBREQUEST
            case b"accept" if _ASKS_FOR_PAGES.search(value) is None:
                return Exclusion.SUBREQUEST
            case b"cache-control" if _NO_TRANSFORM.search(value) is not None:
                return Exclusion.NO_TRANSFORM
    if is_dismissed:
        return Exclusion.DISMISSED
    return Exclusion.HEAD if method == b"HEAD" else None


def excluded_answer(status: int, headers: Sequence[Header]) -> Exclusion | None:
    """Why the origin's answer takes no notice, whoever asked for it; `None` where it is a page."""
    if status != 200:
        return Exclusion.STATUS
    types: list[bytes] = []
    codings: list[bytes] = []
    for name, value in headers:
        field = name.lower()
        if field not in _TELLING_OF_ANSWER:
            continue
        match field:
            case b"content-type":
                types.append(value.partition(b";")[0].strip().lower())
            case b"content-encoding":
                codings += [coding.strip().lower() for coding in value.split(b",")]
            case b"content-disposition" if value.partition(b";")[0].strip().lower() not in {b"", b"inline"}:
                return Exclusion.ATTACHMENT
            case b"cache-control" if _NO_TRANSFORM.search(value) is not None:
                return Exclusion.NO_TRANSFORM
            case b"content-range":
                return Exclusion.RANGE
    if len(types) != 1 or types[0] not in _HTML:
        return Exclusion.NOT_HTML
    if codings and (len(codings) > 1 or codings[0] not in CODINGS):
        return Exclusion.ENCODED
    return None
