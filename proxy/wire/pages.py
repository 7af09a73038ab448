"""The pages behind 404, 410, 421, 502 and 504: a title, a sentence, and where there is one the new home of the site.

A page depends on the site and the subject alone, so it is made when it is first needed and kept; nothing that a client
sends is in it.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from proxy.core.schedule import Phase
from proxy.wire.document import Page, document
from proxy.wire.texts import ENGLISH, Subject, texts_for

if TYPE_CHECKING:
    from proxy.core.decision import Cause
    from proxy.core.model import Site

_HOME_IS_A_SECRET = frozenset({Phase.BEFORE, Phase.PASS_THROUGH})
"""Phases in which nobody has announced yet that there is a new home."""


class Pages:
    """The pages of the sites of one rulebook."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, Subject, bool], Page] = {}

    def page(self, subject: Subject, cause: Cause | None) -> Page:
        """The page of the cause's site in that site's language; without a cause one in English."""
        name, with_home = "", False
        if cause is not None:
            name, with_home = cause.site.name, cause.phase not in _HOME_IS_A_SECRET
        key = (name, subject, with_home)
        if (page := self._made.get(key)) is None:
            page = self._made[key] = make_page(subject, None if cause is None else cause.site, with_home=with_home)
        return page


def make_page(subject: Subject, site: Site | None, *, with_home: bool) -> Page:
    """A page about `subject`, with a link to the site's new home where `with_home` and there is a fixed one."""
    texts = ENGLISH if site is None else texts_for(site.language)
    title, sentence = texts.pages[subject]
    main = f"<h1>{escape(title)}</h1>\n<p>{escape(sentence)}</p>\n"
    home = new_home(site) if with_home and site is not None else None
    if home is not None:
        shown = escape(home.partition("://")[2].removesuffix("/"))
        main += f'<p>{escape(texts.home)}<br>\n<a class="home" href="{escape(home)}">{shown}</a></p>\n'
    return document(texts.language, title, main)


def new_home(site: Site) -> str | None:
    """The address that the site moves to; `None` where it moves nowhere, or where each host has another."""
    if site.moves_to is None or (fixed := site.moves_to.fixed) is None:
        return None
    return fixed.decode("ascii")
