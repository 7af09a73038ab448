"""Reader of sitemaps (sitemaps.org protocol 0.9): `urlset` with addresses, `sitemapindex` with further sitemaps.

Strategy: the parser pushes events into a small target that keeps nothing but the `loc` it is in, so no tree is built
and every address has its exact line. A document type is refused outright; without one there are no entities to expand
and nothing external to load. Only `urlset/url/loc` counts: the `loc` of an image or video extension lies deeper and in
another namespace.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from proxy.audit.old_address import OldAddress
from proxy.audit.source import MAX_LINE, Source

URLSET: Final = "urlset"
INDEX: Final = "sitemapindex"
_LOC_DEPTH = 3


class Part(NamedTuple):
    """A further sitemap that an index names. `loc` is its address; nothing is fetched from there."""

    loc: str
    line: int


def read_sitemap(source: Source) -> Iterator[OldAddress | Part]:
    """The addresses of a sitemap, or the parts of an index, in file order.

    Raises `SunsetError` for what is no well-formed sitemap.
    """
    target = _Locs(source)
    parser: Any = DefusedXMLParser(target=target, forbid_dtd=True)
    target.parser = parser.parser
    try:
        for chunk in source.chunks():
            parser.feed(chunk)
            yield from target.taken()
        parser.close()
    except ParseError as error:
        line, column = error.position
        reason = str(error).partition(": line")[0]
        message = f"this is no well-formed XML ({reason}): fetch the sitemap again"
        raise source.error(message, line, column + 1) from error
    except DefusedXmlException as error:
        message = "declares a document type, which no sitemap has and which may hide a bomb: is this an HTML page?"
        raise source.error(message, target.line) from error
    yield from target.taken()


class _Locs:
    """What the parser tells its events to. `start`, `end`, `data` and `close` are ElementTree's names."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.parser: Any = None
        self._depth = 0
        self._root = ""
        self._loc = ""
        self._text: list[str] | None = None
        self._length = 0
        self._line = 0
        self._found: list[OldAddress | Part] = []

    @property
    def line(self) -> int:
        """The line that the parser is at."""
        return int(self.parser.CurrentLineNumber)

    def taken(self) -> list[OldAddress | Part]:
        """What was found since the last time."""
        found, self._found = self._found, []
        return found

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        """An element begins."""
        self._depth += 1
        if self._depth == 1:
            namespace, brace, self._root = tag.rpartition("}")
            self._loc = f"{namespace}{brace}loc"
            if self._root not in {URLSET, INDEX}:
                raise self.source.error(f"this is XML, but its root is <{self._root}> and not <{URLSET}>", self.line)
        elif self._depth == _LOC_DEPTH and tag == self._loc:
            self._text, self._length, self._line = [], 0, self.line

    def data(self, text: str) -> None:
        """Text, perhaps a part of it."""
        if self._text is not None:
            self._text.append(text)
            self._length += len(text)
            if self._length > MAX_LINE:
                raise self.source.error(f"an address of more than {MAX_LINE >> 10} KiB", self._line)

    def end(self, _tag: str) -> None:
        """An element ends."""
        if self._depth == _LOC_DEPTH and self._text is not None:
            text = "".join(self._text).strip()
            self._text = None
            if self._root == URLSET:
                self._found.append(OldAddress(text, 0, self.source.name, self._line))
            else:
                self._found.append(Part(text, self._line))
        self._depth -= 1

    def close(self) -> None:
        """The document ends."""
