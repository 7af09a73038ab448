"""Puts the notice into a page as it streams by: at the start of its body, once; and where in doubt, not at all.

What a finder has read goes on at once. Held back are the opening, until the charset is known, and what a chunk cuts in
two; and behind a body that nothing but its content implies, that content until the place is sure. What comes out parses
to what it would have been without the notice, and one element more; or else it is the page as it came, to the byte.
"""

from __future__ import annotations

from enum import StrEnum
from xml.parsers import expat

from proxy.wire.body import BodyFinder, Finding
from proxy.wire.charset import is_ascii_based
from proxy.wire.xhtml import XmlBodyFinder

_XHTML = b"application/xhtml+xml"
PAGE_TYPES = frozenset({b"text/html", _XHTML})
"""The media types of what a notice can be put into."""


class Outcome(StrEnum):
    """What became of a page: where the notice is not in it, why."""

    INJECTED = "injected"
    AMP = "amp"  # it is for caches that check it
    CHARSET = "charset"  # the bytes of the notice may not be its letters in it
    FRAMESET = "frameset"  # it has no body
    DOUBTFUL = "doubtful"  # not plainly a page, or cut off, or its body starts in a way too odd


_OUTCOMES = {
    Finding.PLACE: Outcome.INJECTED,
    Finding.AMP: Outcome.AMP,
    Finding.FRAMESET: Outcome.FRAMESET,
    Finding.DOUBTFUL: Outcome.DOUBTFUL,
}


def media_type(content_type: bytes) -> bytes:
    """The type that a Content-Type field names, in lower case, without its parameters."""
    return content_type.partition(b";")[0].strip(b"\t ").lower()


class Injector:
    """One page on its way: `feed` it chunk by chunk, then `finish`; what they return is to be sent on.

    `notice` is an element that may stand in a body, in ASCII; it goes into XHTML only if it is well-formed XML as well.
    `content_type` is the page's field of that name. What comes out does not depend on where the chunks are cut. Once
    there is an `outcome`, chunks go through as they are.
    """

    def __init__(self, notice: bytes, content_type: bytes = b"text/html") -> None:
        if not notice.isascii():
            raise ValueError("a notice is ASCII, with character references for all else")
        self.outcome: Outcome | None = None
        self._notice = notice
        self._content_type = content_type
        self._finder: BodyFinder | XmlBodyFinder | None = None  # until the charset is known
        self._rest = b""
        self._offset = 0  # of the rest, in the page
        self._held: list[bytes] = []  # what stands between the place and the rest

    def feed(self, chunk: bytes) -> bytes:
        """Takes some more of the page; returns what can go on of it."""
        if self.outcome is not None:
            return chunk
        return self._take(self._rest + chunk if self._rest else chunk, whole=False)

    def finish(self) -> bytes:
        """The page is complete; returns what was held back of it. There is an outcome now."""
        return self._take(self._rest, whole=True) if self.outcome is None else b""

    def _take(self, data: bytes, *, whole: bool) -> bytes:
        if self._finder is None:
            known = is_ascii_based(self._content_type, data, whole=whole)
            if known is None:
                self._rest = data
                return b""
            if not known:
                return self._end_with(Outcome.CHARSET, data, 0)
            if media_type(self._content_type) != _XHTML:
                self._finder = BodyFinder()
            elif is_well_formed(self._notice):
                self._finder = XmlBodyFinder()
            else:
                return self._end_with(Outcome.DOUBTFUL, data, 0)
        read = self._finder.read(data)
        if whole:
            self._finder.finish(data[read:])
        place = None if self._finder.place is None else max(self._finder.place - self._offset, 0)
        if self._finder.finding is not None:
            return self._end_with(_OUTCOMES[self._finder.finding], data, place or 0)
        self._rest = data[read:]
        self._offset += read
        if place is None:
            return data[:read]
        self._held.append(data[place:read])
        return data[:place]

    def _end_with(self, outcome: Outcome, data: bytes, place: int) -> bytes:
        self.outcome = outcome
        self._rest = b""
        notice = self._notice if outcome is Outcome.INJECTED else b""
        return b"".join((data[:place], notice, *self._held, data[place:]))


def is_well_formed(notice: bytes) -> bool:
    """Whether a notice can go into XML: one element, with no other references than XML itself knows."""
    try:
        expat.ParserCreate().Parse(notice, True)
    except expat.ExpatError:
        return False
    return True
