"""Finds where the body of a page starts, as the tree construction of the HTML Standard does it, less the tree.

Until something implies a body there is a head at most, and what may stand there is known by its name (13.2.6.4.1 to
13.2.6.4.6). So no stack of elements is kept, and nothing is remembered but a few flags.

A body that is only implied can still be taken away: while nothing visible has been read, a `<frameset>` throws it out
(the standard's "frameset-ok", 13.2.6.4.7), and an element put in there would prevent that. So behind such a place it is
read on until the page has made up its mind.

Browsers that run scripts and those that do not read a `noscript` in two ways, and may see the body start at two places.
The place found is that of the former; it serves the latter as well, as long as the `noscript` leaves nothing open.
"""

from __future__ import annotations

import re
from enum import StrEnum

from proxy.wire.html import (
    AMP,
    ATTRIBUTE,
    BODY_TAG,
    HTML_TAG,
    NOSCRIPT,
    OPENING,
    RAW_TEXT,
    RUN_OF_HEAD,
    TOKEN,
    is_self_contained,
)
from proxy.wire.passage import Passage

MAX_HELD_BYTES = 64 * 1024
"""How far behind a place is read for it to be sure; a page that wants more is given up."""

MAX_CONSTRUCT_BYTES = 8 * 1024
"""How long an `<html>` tag or a `noscript` may be, which have to be seen whole."""


class Finding(StrEnum):
    """What was found out about a page."""

    PLACE = "place"
    FRAMESET = "frameset"
    AMP = "amp"
    DOUBTFUL = "doubtful"  # not plainly a page, or cut off, or its body starts in a way too odd


_UTF8_MARK = b"\xef\xbb\xbf"
_ESCAPE = b"\x1b"  # shifts ISO-2022-JP, which browsers detect also where nobody declared it
_LEADING = re.compile(
    rb"[\t\n\f\r ]*+(?:(?P<markup><[A-Za-z!/])|(?P<instruction><\?)|(?P<other>[^<\t\n\f\r ]|<[^A-Za-z!/?]))?",
    re.DOTALL,
)

_IN_HEAD = frozenset(b"head base basefont bgsound link meta title style noframes script".split())
_ENDS_THAT_IMPLY_A_BODY = frozenset({b"body", b"html", b"br"})
_FOREIGN = frozenset({b"svg", b"math"})
_RAW_IN_HTML_ALONE = RAW_TEXT | {b"noscript", b"plaintext"}
_OBSCURE_IN_TEMPLATES = _FOREIGN | frozenset(b"select col colgroup noscript plaintext".split())
"""Behind these it takes a tree to know what is raw text."""

_NO_FRAMESET_AFTER = frozenset(
    b"applet area body br button dd dt embed hr iframe image img li listing marquee object plaintext pre select table "
    b"textarea wbr xmp".split(),
)
_NO_FRAMESET_AFTER_IN_FOREIGN = frozenset(b"body br dd dt embed hr img li listing pre table".split())
"""Those of them that end SVG and MathML, and so are there what they are elsewhere."""


class BodyFinder:
    """Reads a page, and has a `finding` at last.

    `place` is where in the page, counted in bytes from its start, an element is to be put that becomes the first of the
    body. It may be known long before the finding says that it holds.
    """

    def __init__(self) -> None:
        self.finding: Finding | None = None
        self.place: int | None = None
        self._offset = 0  # of the bytes at hand, in the page
        self._began = False
        self._is_html = True
        self._head_is_over = False
        self._in_body_tag = False
        self._in_foreign = False
        self._templates = 0
        self._passage = Passage()

    def read(self, data: bytes) -> int:
        """How far `data` is read: up to the finding, or until more is needed. What is behind that comes again then."""
        position = 0 if self._began else self._begin(data)
        if self._began and self.finding is None:
            position = self._read(data, position)
        sure = position if self.place is None else self.place - self._offset
        if sure > 0 and data.find(_ESCAPE, 0, sure) >= 0:
            self.finding = Finding.DOUBTFUL
        self._offset += position
        return position

    def finish(self, rest: bytes) -> None:
        """The page ends, and `rest` is what `read` has left of it."""
        if self.finding is not None:
            return
        if self.place is not None:  # nothing can follow that undoes it, but in a `noscript` that was never closed
            self.finding = Finding.DOUBTFUL if rest[:9].lower() == b"<noscript" else Finding.PLACE
        elif not self._began or self._passage.under_way or self._templates or rest not in {b"", b"<", b"</"}:
            self.finding = Finding.DOUBTFUL
        else:
            self._imply_body(0)
            self._end_with(Finding.PLACE)

    def _begin(self, data: bytes) -> int:
        """A page begins with markup. What begins with text is likelier made for programs: JSON, "OK", UTF-16."""
        if self._offset == 0 and (position := self._begin_plainly(data)):
            return position
        position = len(_UTF8_MARK) if self._offset == 0 and data.startswith(_UTF8_MARK) else 0
        leading = _LEADING.match(data, position)
        assert leading is not None  # noqa: S101  # it matches nothing at least
        if leading.lastgroup is None:
            return leading.end()
        if leading.lastgroup == "other":
            self.finding = Finding.DOUBTFUL
        self._is_html = leading.lastgroup != "instruction"  # XML of any kind, unless an <html> follows
        self._began = True
        return leading.start(leading.lastgroup)

    def _begin_plainly(self, data: bytes) -> int:
        """As nearly all pages begin, told by a few patterns: a doctype, `<html>`, a head, a body tag. Else it is 0."""
        opening = OPENING.match(data)
        if opening is None or opening.end() > MAX_CONSTRUCT_BYTES or _is_amp(data, opening):
            return 0
        self._began = True
        position = opening.end()
        if run := RUN_OF_HEAD.match(data, position):
            position = run.end()
            self._head_is_over = run["end"] is not None
        if body := BODY_TAG.match(data, position):
            self.place = position = body.end()
            self.finding = Finding.PLACE
        return position

    def _read(self, data: bytes, position: int) -> int:
        while self.finding is None:
            if self._passage.under_way:
                position = self._passage.go_on(data, position)
            if self._is_too_far(position):
                self.finding = Finding.DOUBTFUL
                break
            if self._passage.under_way:
                break
            if self._in_body_tag:
                self.place = self._offset + position
                self.finding = Finding.PLACE
                break
            if self.place is None and not self._templates and (run := RUN_OF_HEAD.match(data, position)):
                position = run.end()
                self._head_is_over |= run["end"] is not None
            token = TOKEN.match(data, position)
            after = None if token is None else self._take(data, token)
            if after is None:
                break
            position = after
        return position

    def _take(self, data: bytes, token: re.Match[bytes]) -> int | None:
        """The place behind what is taken of a token; `None` where it needs more bytes or brought the finding."""
        match token.lastgroup:
            case "name" if token["end"]:
                return self._take_end_tag(token)
            case "name" if self._templates:
                return self._take_start_tag_in_template(token)
            case "name":
                return self._take_start_tag(data, token)
            case "comment":
                self._passage.enter_comment()
            case "bogus" if not self._in_foreign:  # there it might be CDATA
                self._passage.enter_bogus_comment()
            case "text" if not self._templates:
                self._imply_body(token.start())
                self._end_with(Finding.PLACE)
                return None
            case "bogus" | "doubt":
                self._end_with(Finding.DOUBTFUL)
                return None
        return token.end()

    def _take_end_tag(self, token: re.Match[bytes]) -> int:
        name = token["name"].lower()
        if self._templates:
            self._templates -= name == b"template"
        elif name == b"head":
            self._head_is_over = True
        elif name in _ENDS_THAT_IMPLY_A_BODY:
            self._imply_body(token.start())
        self._passage.enter_tag()
        return token.end()

    def _take_start_tag_in_template(self, token: re.Match[bytes]) -> int | None:
        name = token["name"].lower()
        if name in _OBSCURE_IN_TEMPLATES:
            self._end_with(Finding.DOUBTFUL)
            return None
        self._templates += name == b"template"
        return self._enter_start_tag(token, name)

    def _take_start_tag(self, data: bytes, token: re.Match[bytes]) -> int | None:
        name = token["name"].lower()
        if name == b"frameset":
            self._end_with(Finding.FRAMESET)
            return None
        if self.place is not None:
            return self._take_start_tag_in_body(data, token, name)
        match name:
            case b"html":
                return self._take_html(data, token)
            case b"noscript" if not self._head_is_over:
                return self._take_noscript(data, token)
            case b"template":
                self._templates = 1
            case b"body":
                self._in_body_tag = True
            case _ if name not in _IN_HEAD:
                self._imply_body(token.start())
                return self._take_start_tag_in_body(data, token, name)
        return self._enter_start_tag(token, name)

    def _take_start_tag_in_body(self, data: bytes, token: re.Match[bytes], name: bytes) -> int | None:
        if name in (_NO_FRAMESET_AFTER_IN_FOREIGN if self._in_foreign else _NO_FRAMESET_AFTER):
            self._end_with(Finding.PLACE)
            return None
        if name == b"template" or (self._in_foreign and name in _RAW_IN_HTML_ALONE):
            self._end_with(Finding.DOUBTFUL)
            return None
        if name == b"noscript":
            return self._take_noscript(data, token)
        self._in_foreign |= name in _FOREIGN
        return self._enter_start_tag(token, name)

    def _take_html(self, data: bytes, token: re.Match[bytes]) -> int | None:
        tag = self._whole(HTML_TAG, data, token.start())
        if tag is None:
            return None
        if _is_amp(data, tag):
            self._end_with(Finding.AMP)
            return None
        self._is_html = True
        return tag.end()

    def _take_noscript(self, data: bytes, token: re.Match[bytes]) -> int | None:
        element = self._whole(NOSCRIPT, data, token.start())
        if element is None:
            return None
        if not is_self_contained(element["content"]):
            self._end_with(Finding.DOUBTFUL)
            return None
        return element.end()

    def _whole(self, pattern: re.Pattern[bytes], data: bytes, start: int) -> re.Match[bytes] | None:
        """What has to be seen whole; `None` where it is not there yet, or too long."""
        whole = pattern.match(data, start)
        if (whole.end() if whole else len(data)) - start > MAX_CONSTRUCT_BYTES:
            self._end_with(Finding.DOUBTFUL)
            return None
        return whole

    def _enter_start_tag(self, token: re.Match[bytes], name: bytes) -> int:
        self._passage.enter_tag(name if name in RAW_TEXT else None)
        return token.end()

    def _imply_body(self, position: int) -> None:
        if self.place is None:
            self.place = self._offset + position
            if not self._is_html:
                self.finding = Finding.DOUBTFUL

    def _end_with(self, finding: Finding) -> None:
        self.finding = self.finding or finding

    def _is_too_far(self, position: int) -> bool:
        return self.place is not None and self._offset + position - self.place > MAX_HELD_BYTES


def _is_amp(data: bytes, tag: re.Match[bytes]) -> bool:
    """Whether the attributes of an `<html>` tag say so."""
    if AMP.search(tag["attributes"]) is None:
        return False
    return any(AMP.fullmatch(attribute["name"]) for attribute in ATTRIBUTE.finditer(data, *tag.span("attributes")))
