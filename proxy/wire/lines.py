"""Whole lines, out of bytes that come cut anywhere (RFC 9112 section 2.2).

A line ends in CR LF. One that ends in a bare line feed is malformed, and known to be so as soon as that is there: the
next reader may see no end in it, and none of those who wait for an end should have to.
"""

from __future__ import annotations

from proxy.wire.malformed import MalformedError

_EMPTY = b"\r\n"


class Lines:
    """Keeps what has come of a line, and of lines that belong together."""

    __slots__ = ("_begun", "_section")

    def __init__(self) -> None:
        self._begun = bytearray()
        """The beginning of a line."""
        self._section = bytearray()
        """Whole lines of a section."""

    def line(self, data: bytes, position: int, limit: int) -> tuple[bytes, int]:
        """The next line with its end, and the place in `data` behind it; an empty one while its end has not come.

        `limit` is in bytes. Raises `MalformedError`.
        """
        end = data.find(b"\n", position) + 1
        if len(self._begun) + (end or len(data)) - position > limit:
            raise MalformedError("a line that is too long")
        if not end:
            self._begun += data[position:]
            return b"", len(data)
        line = data[position:end]
        if self._begun:
            line = bytes(self._begun + line)
            self._begun.clear()
        if not line.endswith(_EMPTY):
            raise MalformedError("a bare line feed")
        return line, end

    def section(self, data: bytes, position: int, limit: int) -> tuple[bytes, int]:
        """All lines up to an empty one, that one included, likewise."""
        while position < len(data):
            line, position = self.line(data, position, limit - len(self._section))
            self._section += line
            if line == _EMPTY:
                section = bytes(self._section)
                self._section.clear()
                return section, position
        return b"", position
