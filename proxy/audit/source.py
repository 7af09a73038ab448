"""A file of addresses as bytes and lines: unpacked, decoded, and bounded in all directions.

Strategy: everything is a stream of chunks, so a file of any size costs the same memory. Compression is recognised by
its first bytes (RFC 1952 section 2.3.1) and not by the file's name; a file that unpacks to far more than any list of
addresses would is refused while it is being unpacked. Text is UTF-8, or UTF-16 with a byte order mark, as spreadsheet
programs export it; errors name the line.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

from proxy.errors import Place, SunsetError

CHUNK: Final = 1 << 16
MAX_LINE: Final = 1 << 16
"""The longest line, in bytes. A request target ends at 8 KiB; a row of a table has other columns too."""
MAX_UNPACKED: Final = 2 << 30
MAX_RATIO: Final = 200
"""How many times its packed size a file may have. Sitemaps pack to a fortieth at best; a bomb to a thousandth."""
_RATIO_COUNTS_FROM: Final = 16 << 20

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_HEAD = 512


class Source:
    """One input: `name` is how the user wrote it, `folder` where files that it names are looked for."""

    def __init__(self, name: str, folder: Path, file: BinaryIO, count: Callable[[int], None]) -> None:
        self.name = name
        self.folder = folder
        feed = _Feed(file, count)
        chunks = self._unpacked(feed) if feed.first == _GZIP else feed.chunks()
        head = b""
        for chunk in chunks:
            head += chunk
            if len(head) >= _HEAD:
                break
        self.head = head
        self._chunks = chunks
        if head.startswith(_ZIP):
            raise self.error("this is a ZIP archive (an .xlsx file is one too): unpack it, or save the table as CSV")

    def error(self, message: str, line: int = 0, column: int = 0) -> SunsetError:
        """What is wrong with this input, with its place."""
        return SunsetError(f"{Place(self.name, line, column)}: {message}")

    @property
    def looks_like_xml(self) -> bool:
        """Whether the first thing in it is a tag."""
        text = self.head
        if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = text.replace(b"\0", b"")[2:]
        return text.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"<"

    def chunks(self) -> Iterator[bytes]:
        """The whole of it, unpacked. Can be read once."""
        return chain((self.head,), self._chunks)

    def lines(self) -> Iterator[str]:
        """Its lines with their ends, decoded. Can be read once; raises `SunsetError` for what is no text."""
        for number, line in enumerate(self._byte_lines(), 1):
            try:
                yield line.decode()
            except UnicodeDecodeError as error:
                message = "this is not UTF-8: save the file as UTF-8 (or as Unicode text, UTF-16)"
                raise self.error(message, number, error.start + 1) from error

    def _byte_lines(self) -> Iterator[bytes]:
        rest = b""
        number = 0
        for chunk in self._in_utf8():
            lines = (rest + chunk).splitlines(keepends=True)
            # What ends in a carriage return may go on with the line feed that belongs to it.
            rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
            number += len(lines)
            if len(rest) > MAX_LINE:
                raise self.error(f"a line of more than {MAX_LINE >> 10} KiB: is this a list of addresses?", number + 1)
            yield from lines
        if rest:
            yield rest

    def _in_utf8(self) -> Iterator[bytes]:
        chunks = self.chunks()
        if self.head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return self._from_utf16(chunks)
        if b"\0" in self.head:
            raise self.error("this is no text: old addresses come as a sitemap, a CSV or a plain list")
        if self.head.startswith(codecs.BOM_UTF8):
            return chain((self.head.removeprefix(codecs.BOM_UTF8),), self._chunks)
        return chunks

    def _from_utf16(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        try:
            for text in codecs.iterdecode(chunks, "utf-16"):
                yield text.encode()
        except UnicodeError as error:
            raise self.error("this begins as UTF-16 and does not go on so: export it again, as UTF-8") from error

    def _unpacked(self, feed: _Feed) -> Iterator[bytes]:
        size = 0
        try:
            with gzip.GzipFile(fileobj=feed) as packed:  # type: ignore[call-overload]  # all it needs is `read`
                while chunk := packed.read(CHUNK):
                    size += len(chunk)
                    if size > MAX_UNPACKED or (size > _RATIO_COUNTS_FROM and size > MAX_RATIO * feed.taken):
                        raise self.error(
                            f"unpacks to over {size >> 20} MiB, which no list of addresses does: "
                            "if it is one nevertheless, unpack it and audit the parts"
                        )
                    yield chunk
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise self.error(f"is damaged ({error}): fetch it again, or unpack it first") from error


class _Feed:
    """A file as it is read from disk: its first two bytes are known in advance, all others are counted."""

    def __init__(self, file: BinaryIO, count: Callable[[int], None]) -> None:
        self.first = self._ahead = file.read(len(_GZIP))
        self.taken = 0
        self._file = file
        self._count = count

    def read(self, size: int = CHUNK) -> bytes:
        """The next bytes, at most `size` of them; none at the end."""
        ahead, self._ahead = self._ahead[:size], self._ahead[size:]
        data = ahead + self._file.read(size - len(ahead))
        self.taken += len(data)
        self._count(len(data))
        return data

    def chunks(self) -> Iterator[bytes]:
        """All of it."""
        while chunk := self.read(CHUNK):
            yield chunk
