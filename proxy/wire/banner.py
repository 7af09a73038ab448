"""The banner: one `aside` that says where the site goes, when, and where this page will be.

It has no script and loads nothing, takes no focus and covers nothing: it stands above the page, which begins below it
from the first paint on. Without its style (where a policy forbids one) it reads as two paragraphs and a link. All of
it is ASCII with character references, and well-formed as HTML and as XML, so it fits every page whose charset knows
ASCII.

A banner is made once a day, because of the time left; only the asked page and its future Location are put in for each
request. Links begin with the asked host, as a page's `<base>` may point anywhere, and name the whole window as their
target, as routers in a page's scripts then let go of them.
"""

from __future__ import annotations

import hashlib
import re
from html import escape
from typing import TYPE_CHECKING, Final

from proxy.core.causes import notice_path
from proxy.core.url import escape_non_ascii
from proxy.wire.asked import PARAMETER, as_parameter
from proxy.wire.banner_style import CLASS, STYLE_ELEMENT
from proxy.wire.banner_texts import banner_texts_for
from proxy.wire.dates import Dates
from proxy.wire.dismissal import dismiss_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from proxy.core.model import Notice, Site
    from proxy.wire.banner_texts import BannerTexts

_BLANKS = re.compile(r"[\t\n\f\r ]+")
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]|["
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]"
)
"""What has no character reference: controls, surrogates and noncharacters."""

_SHOWN: Final = 72
"""How many characters of an address are shown."""


class Banner:
    """The banner of a site on one day.

    `until` is when the next is due; `edition` names all that it shows, with the rulebook whose `generation` is given.
    Raises `ValueError` for a site without a notice.
    """

    __slots__ = ("_plain", "_styled", "edition", "until")

    def __init__(self, site: Site, now: datetime, generation: str = "") -> None:
        if site.notice is None:
            raise ValueError(f"{site.name} has no notice")
        dates = Dates(site.language, site.timezone)
        self.until = dates.next_day(now)
        self._styled = _Form(_Writer(site, site.notice, dates, styled=True), now)
        self._plain = _Form(_Writer(site, site.notice, dates, styled=False), now)
        named = b"%b %b" % (generation.encode(), self._styled.with_successor)
        self.edition = hashlib.sha256(named).hexdigest()[:12].encode()

    def render(self, authority: bytes, target: bytes, successor: bytes | None, *, styled: bool = True) -> bytes:
        """The banner in the page at `target`, the request target in origin-form, on `authority`, its host and port.

        `successor` is the Location that the page will get. Without style it is for pages whose policy forbids any.
        """
        form = self._styled if styled else self._plain
        asked = (_text(authority), as_parameter(target)) * form.own_links
        if successor is None:
            return form.alone % asked
        address = escape_non_ascii(successor)
        return form.with_successor % (_text(address), shown(address), *asked)


class Banners:
    """The banners of all sites that have a notice, each of its day."""

    def __init__(self, sites: Iterable[Site], now: datetime, generation: str = "") -> None:
        self._generation = generation
        self._banners = {site.name: Banner(site, now, generation) for site in sites if site.notice is not None}

    def of(self, site: Site, now: datetime) -> Banner:
        """The site's banner at `now`. Raises `KeyError` for a site without a notice."""
        banner = self._banners[site.name]
        if now >= banner.until:
            banner = self._banners[site.name] = Banner(site, now, self._generation)
        return banner


class _Form:
    """A banner as two templates, with the address of the new page and without.

    In them are the new page's address, twice, and then the asked host and page, for each of so many links of its own.
    """

    __slots__ = ("alone", "own_links", "with_successor")

    def __init__(self, writer: _Writer, now: datetime) -> None:
        self.alone = writer.banner(now, moves=False)
        self.with_successor = writer.banner(now, moves=True)
        self.own_links = writer.own_links


class _Writer:
    """Writes the templates of one site."""

    def __init__(self, site: Site, notice: Notice, dates: Dates, *, styled: bool) -> None:
        self._site = site
        self._notice = notice
        self._dates = dates
        self._styled = styled
        self._texts: BannerTexts = banner_texts_for(dates.language)
        self.own_links = bool(notice.pages) + notice.dismissible

    def banner(self, now: datetime, *, moves: bool) -> bytes:
        """Everything, with a `%b` for what is put in for each request; see `_Form`."""
        links = [*(self._successor() if moves else ()), *self._announcement()]
        paragraphs = self._paragraph("says", self._message(now))
        if links:
            paragraphs += self._paragraph("links", "<br />".join(links))
        language = f'lang="{_ascii(self._site.language)}" dir="{self._dates.direction}"'
        whole = (
            f'<aside{self._class("")} {language} aria-label="{_ascii(self._texts.region)}">'
            f"{STYLE_ELEMENT.replace('%', '%%') if self._styled else ''}"
            f'<div{self._class("row")} data-nosnippet=""><div{self._class("text")}>{paragraphs}</div>'
            f"{self._dismissal()}</div></aside>"
        )
        return whole.encode("ascii")

    def _message(self, now: datetime) -> str:
        milestones = self._site.schedule.milestones
        message = _ascii(self._dates.filled(self._notice.message, milestones))
        cutover = self._site.schedule.cutover
        left = None if cutover is None else self._dates.left(now, cutover)
        if left is None:
            return message
        if self._texts.language == self._dates.language:
            left = self._texts.closes.format(left)
        return f"{message} <strong{self._class('left')}{self._spoken(self._dates.language)}>{_ascii(left)}</strong>"

    def _announcement(self) -> Iterable[str]:
        if self._notice.pages:
            own = self._notice.link
            spoken = "" if own else self._spoken(self._texts.language)
            link = self._link(notice_path(self._site), own or self._texts.more)
            yield f"<span{self._class('more')}{spoken}>{link}</span>"

    def _successor(self) -> Iterable[str]:
        moves = _ascii(self._texts.moves)
        address = '<a href="%b" target="_top" dir="ltr">%b</a>'
        yield f"<span{self._class('moves')}{self._spoken(self._texts.language)}>{moves} {address}</span>"

    def _dismissal(self) -> str:
        if not self._notice.dismissible:
            return ""
        spoken = self._class("hide") + self._spoken(self._texts.language)
        return self._link(dismiss_path(self._site), self._texts.hide, spoken)

    def _link(self, path: bytes, text: str, attributes: str = "") -> str:
        address = f"//%b{_ascii(path.decode('latin-1'))}?{PARAMETER.decode()}=%b"
        return f'<a{attributes} href="{address}" rel="nofollow" target="_top">{_ascii(text)}</a>'

    def _paragraph(self, name: str, content: str) -> str:
        return f"<p{self._class(name)}>{content}</p>"

    def _class(self, name: str) -> str:
        if not self._styled:
            return ""
        return f' class="{CLASS}-{name}"' if name else f' class="{CLASS}"'

    def _spoken(self, language: str) -> str:
        """Says so where a part is not in the language of the site."""
        if self._site.language.lower().partition("-")[0] == language:
            return ""
        direction = self._texts.direction if language == self._texts.language else self._dates.direction
        return f' lang="{language}" dir="{direction}"'


def _ascii(text: str) -> str:
    """Text as it stands in HTML and in a template: escaped, ASCII, blanks joined, without what HTML cannot hold."""
    printable = _BLANKS.sub(" ", _UNPRINTABLE.sub("", _BLANKS.sub(" ", text)))
    return escape(printable).encode("ascii", "xmlcharrefreplace").decode("ascii").replace("%", "%%")


def _text(raw: bytes) -> bytes:
    """ASCII bytes of a request as they stand in HTML."""
    if not raw.translate(None, _HARMLESS):
        return raw
    return escape(raw.decode("ascii")).encode("ascii")


_BEHIND_PATH = re.compile(rb"[?#]")
_HARMLESS: Final = bytes(byte for byte in range(0x21, 0x7F) if byte not in b"&<>\"'")


def shown(address: bytes) -> bytes:
    """An address, or a request target, as people write it: host and path as HTML, a long one short in its middle."""
    whole = _BEHIND_PATH.split(address if address[:1] == b"/" else address.partition(b"://")[2], maxsplit=1)[0]
    if len(whole) <= _SHOWN:
        return _text(whole)
    return _text(whole[: _SHOWN - 24]) + b"&#8230;" + _text(whole[-22:])
