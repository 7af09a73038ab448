"""Finds where the body starts in a page that browsers read as XML (application/xhtml+xml; XML 1.0, HTML Standard 14).

Nothing is implied there: the body is what a `<body>` tag right below the root says. Markup in a script, a style or a
title is markup. What XML forbids makes a browser show an error and no page, so nothing of it is mended: what does not
match is in doubt, and so is a document type with declarations of its own, which may make any text mean anything.
"""

from __future__ import annotations

import re

from proxy.wire.body import MAX_CONSTRUCT_BYTES, Finding
from proxy.wire.html import AMP

_NAMESPACE = b"http://www.w3.org/1999/xhtml"

_SPACE = rb"[\t\n\r ]*+"
_ATTRIBUTE = rb"""[\t\n\r ]++([^\t\n\r />="'<]++)""" + _SPACE + rb"=" + _SPACE + rb"""("[^"<]*+"|'[^'<]*+')"""
_CONSTRUCT = re.compile(
    rb"(?P<text>[^<]++)"
    rb"|(?P<passed><\?[^?]*+(?:\?(?!>)[^?]*+)*\?>"
    rb"|<!--[^-]*+(?:-(?!-)[^-]*+)*-->"
    rb"|<!\[CDATA\[[^]]*+(?:\](?!\]>)[^]]*+)*\]\]>"
    rb"""|<!DOCTYPE[^[\]<>"']*+(?:(?:"[^"]*+"|'[^']*+')[^[\]<>"']*+)*>)"""
    rb"|</(?P<end>[^\t\n\r />]++)" + _SPACE + rb">"
    rb"|<(?P<start>[^\t\n\r />!?]++)(?P<attributes>(?:" + _ATTRIBUTE + rb")*)" + _SPACE + rb"(?P<empty>/)?>",
)
_ATTRIBUTES = re.compile(_ATTRIBUTE)


class XmlBodyFinder:
    """Reads a page, and has a `finding` at last: as `BodyFinder` does it for HTML."""

    def __init__(self) -> None:
        self.finding: Finding | None = None
        self.place: int | None = None
        self._offset = 0
        self._depth = 0

    def read(self, data: bytes) -> int:
        """How far `data` is read; see `BodyFinder.read`."""
        position = 0
        while self.finding is None:
            construct = _CONSTRUCT.match(data, position)
            is_text = construct is not None and construct.lastgroup == "text"
            if not is_text and (construct.end() if construct else len(data)) - position > MAX_CONSTRUCT_BYTES:
                self.finding = Finding.DOUBTFUL
            if construct is None:
                break
            position = construct.end()
            if construct["end"]:
                self._depth -= 1
            elif construct["start"]:
                self._take_start_tag(construct)
        self._offset += position
        return position

    def finish(self, _rest: bytes) -> None:
        """The page ends; nothing implies a body here."""
        self.finding = self.finding or Finding.DOUBTFUL

    def _take_start_tag(self, tag: re.Match[bytes]) -> None:
        attributes = {name: value[1:-1] for name, value in _ATTRIBUTES.findall(tag["attributes"])}
        is_html = attributes.get(b"xmlns", _NAMESPACE if self._depth else b"") == _NAMESPACE
        match self._depth, tag["start"]:
            case 0, b"html" if is_html:
                if any(AMP.fullmatch(name) for name in attributes):
                    self.finding = Finding.AMP
            case 1, b"body" if is_html and not tag["empty"]:
                self.place = self._offset + tag.end()
                self.finding = Finding.PLACE
            case 1, b"frameset":
                self.finding = Finding.FRAMESET
            case (0, _) | (1, b"body"):
                self.finding = Finding.DOUBTFUL
        self._depth += not tag["empty"]
