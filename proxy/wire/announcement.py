"""The announcement behind the banner, served at `{base}/.sunset/notice`: the site's Markdown as a page, in the language
of its reader, with a timeline of the milestones and with where the page is that the reader came from.

HTML within the Markdown is shown as text, not obeyed: what writes to a page of the old domain is the frame alone.
Milestones in braces are written as dates after the Markdown is read, as a date may look like Markdown itself (a German
one at the beginning of a line is an item of a list).

All that does not depend on the request is made once a day for each language. The asked page is a client's word: it
stands in the page as text and as a path on this host, and a link to its new address only has what the rules say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Final, assert_never
from urllib.parse import unquote_to_bytes

from markdown_it import MarkdownIt

from proxy.core.decision import BadRequest, Forward, Gone, Local, Misdirected, NotFound, Redirect
from proxy.core.url import escape_non_ascii
from proxy.wire.asked import PARAMETER, as_parameter
from proxy.wire.banner import shown
from proxy.wire.banner_style import DARK, LIGHT
from proxy.wire.dates import Dates
from proxy.wire.document import Page, document
from proxy.wire.language import accepted, lookup, own_name, primary_subtag
from proxy.wire.timeline import STYLE, Timeline, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from markdown_it.token import Token

    from proxy.core.decision import Decision
    from proxy.core.model import Site
    from proxy.wire.head import Header

MAX_AGE: Final = 300
"""For how many seconds the page may be kept: a correction has to reach its readers."""

LANGUAGE_PARAMETER: Final = b"lang"

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_STYLE: Final = (
    f":root{{--accent:{LIGHT.badge};--paper:{LIGHT.badge_ink};--line:#8886;--halo:#8883}}"
    f"@media(prefers-color-scheme:dark){{:root{{--accent:{DARK.badge};--paper:{DARK.badge_ink}}}}}"
    "body{padding-block-start:clamp(1.25rem,5vh,3rem)}"
    ".languages{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:0 0 2rem;padding:0;"
    "font-size:.9375rem}"
    ".languages a,.languages b{display:inline-block;padding:.125rem 0}"
    ".asked{margin:1.25rem 0;padding:.75rem 1rem;border:1px solid var(--line);"
    "border-inline-start:4px solid var(--accent);border-radius:.375rem;overflow-wrap:anywhere}" + STYLE
)
_LINKS, _ASKED = "\0links\0", "\0asked\0"
"""Where something is put in for a request. Markdown cannot hold the character around it."""
_GAP = re.compile(f"({_LINKS}|{_ASKED})".encode())

_VARY: Header = (b"Vary", b"Accept-Language")


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where an asked page is: `asked` as `asked_page` read it, `successor` its address, if it has one.

    `moved` says whether the page is there by now.
    """

    asked: bytes
    successor: bytes | None
    moved: bool = False


def whereabouts(asked: bytes, decision: Decision) -> Whereabouts:
    """Where the page is that was `asked`; `decision` is what the table says to it, over TLS."""
    match decision:
        case Forward():
            return Whereabouts(asked, decision.successor)
        case Redirect():
            return Whereabouts(asked, decision.location, moved=True)
        case Gone() | NotFound() | Local() | Misdirected() | BadRequest():
            return Whereabouts(asked, None)
        case _:
            assert_never(decision)


class Announcements:
    """The announcements of all sites, each made when it is first asked for, and anew on every day of its site."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], Announcement] = {}

    def page(
        self, site: Site, now: datetime, query: bytes | None, accept_language: bytes, asked: Whereabouts | None
    ) -> Page | None:
        """The page for one request at `now`; `None` where the site has none.

        `query` is the request's, `accept_language` its field (empty where it has none; several are joined by commas).
        """
        pages = site.notice.pages if site.notice is not None else {}
        if not pages:
            return None
        language = lookup(_wanted(query), pages)
        by_field = language is None
        if language is None:
            language = accepted(accept_language, pages) or next(iter(pages))
        headers: tuple[Header, ...] = ((b"Cache-Control", b"public, max-age=%d" % _max_age(site, now)),)
        if by_field and len(pages) > 1:
            headers += (_VARY,)
        page = self._announcement(site, language, now).page(asked)
        return Page(page.headers + headers, page.body)

    def _announcement(self, site: Site, language: str, now: datetime) -> Announcement:
        key = (site.name, language)
        announcement = self._made.get(key)
        if announcement is None or not announcement.holds(site, now):
            announcement = self._made[key] = Announcement(site, language, now)
        return announcement


class Announcement:
    """The announcement of a site in one of its languages, on the day of `now`.

    Raises `KeyError` for a language that the site has none in.
    """

    __slots__ = ("_asked", "_day", "_headers", "_pieces", "_site", "_timeline")

    def __init__(self, site: Site, language: str, now: datetime) -> None:
        notice = site.notice
        if notice is None:
            raise KeyError(language)
        self._site = site
        self._day = now.astimezone(site.timezone).date()
        self._timeline = Timeline(site, language)
        self._asked = f'<p class="asked"{spoken(self._timeline.language, language)}>{{}}</p>\n'
        tokens = _MARKDOWN.parse(notice.pages[language])
        dates, milestones = Dates(language, site.timezone), site.schedule.milestones
        _fill(tokens, dates, milestones)
        title = _first_heading(tokens) or dates.filled(notice.message, milestones)
        main = self._main(language, notice.pages, tokens, now)
        page = document(language, title, main, style=_STYLE, images=True)
        self._headers = page.headers
        self._pieces = _GAP.split(page.body)

    def holds(self, site: Site, now: datetime) -> bool:
        """Whether this is the announcement of that very site, as its rules are, on the day of `now`."""
        return self._site is site and self._day == now.astimezone(site.timezone).date()

    def page(self, asked: Whereabouts | None) -> Page:
        """The page for one who came from the page `asked`."""
        parameter = b"" if asked is None else as_parameter(asked.asked)
        values = {
            _LINKS.encode(): b"&amp;%b=%b" % (PARAMETER, parameter) if parameter else b"",
            _ASKED.encode(): b"" if asked is None else self._where(asked),
        }
        filled = [values[piece] if at % 2 else piece for at, piece in enumerate(self._pieces)]
        return Page(self._headers, b"".join(filled))

    def _main(self, language: str, languages: Iterable[str], tokens: list[Token], now: datetime) -> str:
        """The links to other languages, the heading, what is said of the asked page, the first words, the timeline,
        and all the rest.
        """
        begins = [at for at, token in enumerate(tokens) if token.type == "heading_open" and token.level == 0]
        head = begins.pop(0) + 3 if begins and begins[0] == 0 else 0  # it opens, has its words, and closes
        first = begins[0] if begins else len(tokens)
        return "".join(
            (
                self._languages(language, tuple(languages)),
                _rendered(tokens[:head]),
                _ASKED,
                _rendered(tokens[head:first]),
                self._timeline.section(now),
                _rendered(tokens[first:]),
            )
        )

    def _languages(self, language: str, languages: Sequence[str]) -> str:
        if len(languages) < 2:
            return ""
        primary = [primary_subtag(one) for one in languages]
        links = []
        for other, subtag in zip(languages, primary, strict=True):
            name = escape(own_name(other, whole=primary.count(subtag) > 1))
            if other == language:
                links.append(f'<li><b aria-current="true">{name}</b></li>\n')
                continue
            address = f"?{LANGUAGE_PARAMETER.decode()}={escape(other)}{_LINKS}"
            direction = spoken(other, language) or f' lang="{escape(other)}"'
            links.append(f'<li><a href="{address}" hreflang="{escape(other)}"{direction}>{name}</a></li>\n')
        label = f'aria-label="{escape(self._timeline.texts.languages)}"{spoken(self._timeline.language, language)}'
        return f'<nav {label}>\n<ul class="languages">\n{"".join(links)}</ul>\n</nav>\n'

    def _where(self, asked: Whereabouts) -> bytes:
        if asked.successor is None:
            return b""
        texts = self._timeline.texts
        sentence = texts.is_now if asked.moved else texts.will_be
        return self._asked.format(
            escape(sentence, quote=False).format(page=_link(asked.asked), address=_link(asked.successor))
        ).encode()


def _link(address: bytes) -> str:
    address = escape_non_ascii(address)
    return f'<a href="{escape(address.decode("ascii"))}" dir="ltr">{shown(address).decode("ascii")}</a>'


def _wanted(query: bytes | None) -> str:
    """The language that the address asks for; empty where it asks for none."""
    for pair in (query or b"").split(b"&"):
        name, _, value = pair.partition(b"=")
        if name == LANGUAGE_PARAMETER:
            return unquote_to_bytes(value).decode("latin-1")
    return ""


def _max_age(site: Site, now: datetime) -> int:
    """For how many seconds the page stays as it is: not past a milestone nor into the next day of the site."""
    changes = (Dates("en", site.timezone).next_day(now), *site.schedule.milestones.values())
    return min(MAX_AGE, *((change - now) // timedelta(seconds=1) for change in changes if change > now))


def _fill(tokens: Iterable[Token], dates: Dates, milestones: Mapping[str, datetime]) -> None:
    """Write milestones in braces as dates, in all that is text."""
    for token in tokens:
        if token.type in {"text", "code_inline"}:
            token.content = dates.filled(token.content, milestones)
        _fill(token.children or (), dates, milestones)


def _rendered(tokens: Sequence[Token]) -> str:
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return html


def _first_heading(tokens: Sequence[Token]) -> str:
    """Its text without markup; empty where there is no heading."""
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            return "".join(part.content for part in token.children or () if part.type in {"text", "code_inline"})
    return ""
