"""Hiding the notice: a plain link, a cookie of the site's base path (RFC 6265 section 4.1), and back to the asked page.

A link and not a form: a form would be the first of `document.forms` in pages of which nobody knows what their scripts
count, and policies and sandboxes may forbid to send it. So the request is a GET, and those that a person did not ask
for (prefetches, scripts, other sites) are sent back without the cookie. The cookie's name is the site's, because one
for `/` also reaches the sites below it; its value is the message's, so that a new message is shown again.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from proxy.wire.asked import asked_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.core.model import Notice, Site
    from proxy.wire.head import Header

SECONDS: Final = 30 * 24 * 3600
"""For how long a notice stays hidden."""

_SPECULATIVE: Final = frozenset({b"purpose", b"sec-purpose", b"x-moz", b"x-purpose", b"x-sec-purpose"})
_UNFIT_FOR_COOKIE_PATH = re.compile(rb"[^!-:<-~]")


def dismiss_path(site: Site) -> bytes:
    """Where the link that hides the notice of a site leads."""
    return site.base + b"/.sunset/dismiss"


def dismissal_of(site: Site) -> Dismissal | None:
    """How visitors hide the site's notice; `None` where they cannot."""
    return Dismissal(site, site.notice) if site.notice is not None and site.notice.dismissible else None


class Dismissal:
    """How visitors hide the notice of one site. Make it once."""

    __slots__ = ("_base", "_cookie", "_path", "_pattern")

    def __init__(self, site: Site, notice: Notice) -> None:
        value = hashlib.sha256(notice.message.encode()).hexdigest()[:12]
        self._base = site.base
        self._path = b"/" if _UNFIT_FOR_COOKIE_PATH.search(site.base) else site.base or b"/"
        self._cookie = f"sunset-notice-{site.name}={value}".encode()
        self._pattern = re.compile(rb"(?:^|;)[ \t]*" + re.escape(self._cookie) + rb"[ \t]*(?:;|$)")

    def is_in(self, cookies: bytes) -> bool:
        """Whether whoever sends these cookies, the value of a Cookie field, has hidden the notice."""
        return self._cookie in cookies and self._pattern.search(cookies) is not None

    def answer(
        self, authority: bytes, query: bytes | None, headers: Iterable[Header], *, secure: bool
    ) -> tuple[Header, ...]:
        """The fields of the 303 that answers the link: back to the asked page, else to the site's base.

        `authority` is the checked host of the request with its port, `query` that of its target, `headers` its fields.
        """
        scheme = b"https" if secure else b"http"
        target = asked_page(query, self._base) or self._base or b"/"
        location = b"%b://%b%b" % (scheme, authority, target)
        fields = ((b"Location", location), (b"Cache-Control", b"no-store"), (b"X-Robots-Tag", b"noindex"))
        if not _by_a_person(headers):
            return fields
        cookie = b"%b; Path=%b; Max-Age=%d; HttpOnly; SameSite=Lax" % (self._cookie, self._path, SECONDS)
        return (*fields, (b"Set-Cookie", cookie + b"; Secure" if secure else cookie))


def _by_a_person(headers: Iterable[Header]) -> bool:
    """Whether the request is a navigation within the site. Old browsers, which do not say, are believed."""
    for name, value in headers:
        match name.lower(), value.strip().lower():
            case field, _ if field in _SPECULATIVE:
                return False
            case b"sec-fetch-mode", mode if mode != b"navigate":
                return False
            case b"sec-fetch-site", b"cross-site":
                return False
    return True
