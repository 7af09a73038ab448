"""Readers of old addresses: a sitemap or an index of sitemaps, a table, a plain list; packed or not.

Strategy: what a file is, its contents say. Nothing is ever fetched: the sitemaps that an index names are looked for
beside it, by the last part of their address; one that is not there is `Skipped`, and the report says so. A file is
read once, however often it is named.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import unquote, urlsplit

from proxy.audit.old_address import OldAddress, Progress, Skipped
from proxy.audit.readers_sitemap import Part, read_sitemap
from proxy.audit.readers_text import read_text
from proxy.audit.source import Source
from proxy.errors import Place, SunsetError

STDIN: Final = "-"
_TELL_EVERY = 5000
_NEVER_IN_NAMES = frozenset("/\\\0")
_LONGEST_NAME = 200


def read_addresses(
    paths: Iterable[str | Path], *, stdin: BinaryIO | None = None, progress: Progress | None = None
) -> Iterator[OldAddress | Skipped]:
    """The addresses of all files, in order, as they are read; `-` is standard input.

    `progress` is told addresses, bytes and the size of all files now and then, and at the end. Raises `SunsetError`,
    with file and line and what to do, for a file that is not there, is no text, or is laid out as nothing known.
    """
    return _Reading(stdin, progress).read(list(paths))


class _Reading:
    """One run over all inputs."""

    def __init__(self, stdin: BinaryIO | None, progress: Progress | None) -> None:
        self._stdin = stdin
        self._progress = progress
        self._seen: set[Path] = set()
        self._addresses = 0
        self._bytes = 0
        self._total: int | None = 0

    def read(self, paths: list[str | Path]) -> Iterator[OldAddress | Skipped]:
        """Everything; a file that is missing is found out before the first one is read."""
        for path in paths:
            self._expect(path)
        for path in paths:
            for found in self._read_one(path):
                if self._addresses % _TELL_EVERY == 0:
                    self._tell()
                if type(found) is OldAddress:
                    self._addresses += 1
                yield found
        self._tell()

    def _expect(self, path: str | Path) -> None:
        if str(path) == STDIN:
            self._total = None
            return
        try:
            status = Path(path).stat()
        except OSError as error:
            raise _translated(path, error) from error
        if not stat.S_ISREG(status.st_mode):
            self._total = None  # a pipe
        elif self._total is not None:
            self._total += status.st_size

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._addresses, self._bytes, self._total)

    def _count(self, size: int) -> None:
        self._bytes += size

    def _read_one(self, path: str | Path) -> Iterator[OldAddress | Skipped]:
        with self._opened(path) as source:
            if source is None:
                return
            empty = True
            for found in read_sitemap(source) if source.looks_like_xml else read_text(source):
                empty = False
                if isinstance(found, Part):
                    yield from self._read_part(source, found)
                else:
                    yield found
            if empty:
                yield Skipped(Place(source.name), "holds no address: is it the right file?")

    def _read_part(self, index: Source, part: Part) -> Iterator[OldAddress | Skipped]:
        place = Place(index.name, part.line)
        names = _file_names(part.loc)
        if not names:
            yield Skipped(place, f'"{part.loc[:200]}" names no file: download that sitemap, and audit it too')
            return
        path = next((path for name in names if (path := index.folder / name).is_file()), None)
        if path is None:
            message = f'"{names[0]}" is not in {index.folder}: download {part.loc[:200]} to there; nothing is fetched'
            yield Skipped(place, message)
        elif path.resolve() not in self._seen:
            self._expect(path)
            yield from self._read_one(path)

    @contextmanager
    def _opened(self, path: str | Path) -> Iterator[Source | None]:
        """The input, or None where it was read before."""
        if str(path) == STDIN:
            yield Source("(standard input)", Path(), self._stdin or sys.stdin.buffer, self._count)
            return
        resolved = Path(path).resolve()
        if resolved in self._seen:
            yield None
            return
        self._seen.add(resolved)
        with _open(path) as file:
            yield Source(_shown(path), Path(path).parent, file, self._count)


def _file_names(loc: str) -> list[str]:
    """Under which names a sitemap may lie on disk: as tools save it, packed, or unpacked by a browser."""
    try:
        url = urlsplit(loc)
    except ValueError:
        return []
    name = unquote(url.path.rpartition("/")[2]) + (f"?{url.query}" if url.query else "")
    if not name or name.startswith((".", "?")) or set(name) & _NEVER_IN_NAMES or len(name) > _LONGEST_NAME:
        return []
    return [name, name.removesuffix(".gz") if name.endswith(".gz") else name + ".gz"]


def _shown(path: str | Path) -> str:
    """The name of a file as text; on disk it may be any bytes."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _open(path: str | Path) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise _translated(path, error) from error


def _translated(path: str | Path, error: OSError) -> SunsetError:
    match error:
        case FileNotFoundError():
            return SunsetError(f"{_shown(path)}: there is no such file")
        case IsADirectoryError():
            return SunsetError(f"{_shown(path)}: this is a folder; name the files in it")
        case _:
            return SunsetError(f"{_shown(path)}: cannot be read ({error.strerror})")
