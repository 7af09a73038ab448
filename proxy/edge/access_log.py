"""The access log: a line for each request, or for one in so many, as JSON or in the combined format.

On the way of a request there is only an append to a list. Once a second, or when many have gathered, they go to a
thread of their own, which makes lines of them and writes many at once, so that several processes can write to one file.
Where the disk is full, or does not keep up, lines are dropped and counted, and requests do not wait. What a client has
sent is escaped: no line can be made to look like two, or to steer a terminal.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from queue import Full, Queue, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from proxy.edge.configuration.settings import AccessFormat, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.edge.clock import Clock
    from proxy.edge.configuration.settings import Settings
    from proxy.edge.counts import Counts, Subject, Tally
    from proxy.edge.request import Request

GATHERED: Final = 512
"""Requests that are handed to the thread at the latest."""
_WAITING: Final = 64
"""Batches that wait for the thread; above it they are dropped."""
_AT_ONCE: Final = 4096
"""Bytes that a pipe takes from several writers without mixing them (POSIX PIPE_BUF on Linux)."""

_ADDING: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND
_UNSAFE = re.compile(r'[\x00-\x1f"\\\x7f-\x9f]')
_FIELD = re.compile(rb"(?i)\n(host|referer|user-agent):[\t ]*([^\r]*)")


class _Entry(NamedTuple):
    """One answered request. `head` is as it came, less what nobody reads in it."""

    at: float
    peer: str
    secure: bool
    head: bytes
    subject: Subject


def demand_access_log(settings: Settings) -> None:
    """See to it that the access log can be written, before anything starts. Raises `SettingsError`."""
    # A pipe is left alone: opening it waits for a reader, and closing it would be the end for that one.
    if settings.access_log not in {"", "-"} and (not (path := Path(settings.access_log)).exists() or path.is_file()):
        os.close(_open(settings.access_log))


def _open(path: str) -> int:
    try:
        return os.dup(sys.stdout.fileno()) if path == "-" else os.open(path, _ADDING, 0o640)
    except OSError as error:
        raise SettingsError(f"the access log {path} cannot be written: {error.strerror}") from error


class AccessLog:
    """Writes where the settings say. Raises `SettingsError` where it cannot. To be closed at the end."""

    def __init__(self, settings: Settings, clock: Clock, counts: Counts) -> None:
        self._file = _open(settings.access_log)
        self._line = _json if settings.access_log_format is AccessFormat.JSON else _combined
        self._clock = clock
        self._counts = counts
        self._every = settings.access_log_every
        self._until_next = 1
        self._gathered: list[_Entry] = []
        self._batches: Queue[list[_Entry] | None] = Queue(_WAITING)
        self._unwritten: SimpleQueue[int] = SimpleQueue()
        """How many lines the thread could not write, each time."""
        self._torn = b""
        """What ends a line that was written in part."""
        self._timer: asyncio.TimerHandle | None = None
        self._thread = Thread(target=self._work, name="access log", daemon=True)
        self._thread.start()

    def start(self) -> None:
        """Begin to write once a second. Needs a running loop."""
        self.flush()
        self._count_unwritten()
        self._timer = asyncio.get_running_loop().call_later(1.0, self.start)

    def plain(self, head: bytes, tally: Tally, peer: str, *, secure: bool) -> None:
        """A request was answered at the front door."""
        self._until_next -= 1
        if self._until_next:
            return
        self._until_next = self._every
        self._gathered.append(_Entry(self._clock.timestamp(), peer, secure, head, tally.subject))
        if len(self._gathered) >= GATHERED:
            self.flush()

    def full(self, request: Request, tally: Tally) -> None:
        """A request was answered on the full path."""
        line = b"%b %b HTTP/%d.%d" % (request.method, request.raw_target, *request.version)
        head = line + b"".join(b"\r\n%b: %b" % header for header in request.headers) + b"\r\n"
        self.plain(head, tally, request.peer, secure=request.secure)

    def flush(self) -> None:
        """Hand what has gathered to the thread."""
        if not self._gathered:
            return
        batch, self._gathered = self._gathered, []
        try:
            self._batches.put_nowait(batch)
        except Full:
            self._counts.lose_lines("behind", len(batch))

    def close(self) -> None:
        """Write what is left, and end."""
        if self._timer is not None:
            self._timer.cancel()
        self.flush()
        self._batches.put(None)
        self._thread.join()
        self._count_unwritten()
        os.close(self._file)

    def _count_unwritten(self) -> None:
        """In the thread of the loop, as everything else is counted."""
        while not self._unwritten.empty():
            self._counts.lose_lines("disk", self._unwritten.get_nowait())

    def _work(self) -> None:
        while (batch := self._batches.get()) is not None:
            if lost := self._write([self._line(entry) for entry in batch]):
                self._unwritten.put(lost)  # the disk is full, perhaps: the next batch tries again

    def _write(self, lines: list[bytes]) -> int:
        """Write as many whole lines at once as no other writer can come between. Gives how many were lost."""
        return sum(len(portion) for portion in _portions(lines) if not self._append(b"".join(portion)))

    def _append(self, chunk: bytes) -> bool:
        """Whether all of it was written. Where it broke off, what is written next begins with a new line."""
        chunk = self._torn + chunk
        try:
            written = os.write(self._file, chunk)
        except OSError:
            return False
        self._torn = b"" if written == len(chunk) else b"\n"
        return not self._torn


def _portions(lines: list[bytes]) -> Iterator[list[bytes]]:
    """Lines that go together into one write."""
    portion: list[bytes] = []
    size = 0
    for line in lines:
        if portion and size + len(line) > _AT_ONCE:
            yield portion
            portion, size = [], 0
        portion.append(line)
        size += len(line)
    if portion:
        yield portion


def _json(entry: _Entry) -> bytes:
    subject, (line, fields) = entry.subject, _read(entry.head)
    method, _, target = line.partition(" ")
    return orjson.dumps(
        {
            "time": datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds"),
            "client": entry.peer,
            "scheme": "https" if entry.secure else "http",
            "host": fields.get("host", ""),
            "method": method,
            "target": target.rpartition(" ")[0],
            "status": subject.status,
            "outcome": subject.outcome,
            "site": subject.site,
            "rule": subject.rule,
            "referer": fields.get("referer", ""),
            "agent": fields.get("user-agent", ""),
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def _combined(entry: _Entry) -> bytes:
    line, fields = _read(entry.head)
    at = datetime.fromtimestamp(entry.at, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    said = [_UNSAFE.sub(_escape, text) for text in (line, fields.get("referer", "-"), fields.get("user-agent", "-"))]
    request, referer, agent = said
    written = f'{entry.peer or "-"} - - [{at}] "{request}" {entry.subject.status} - "{referer}" "{agent}"\n'
    return written.encode()


def _read(head: bytes) -> tuple[str, dict[str, str]]:
    """The request line, and the fields that are written down."""
    line = head[: head.find(b"\r")]
    fields = {name.lower().decode(): value.decode("latin-1") for name, value in _FIELD.findall(head)}
    return line.decode("latin-1"), fields


def _escape(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"
