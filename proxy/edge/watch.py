"""Watching the rule folder for changes of any kind: an edit, a checkout, a Kubernetes ConfigMap that is swapped.

The machine tells of changes within the folder; where it does not (network file systems, some containers), the folder is
looked through from time to time, if settings say so. What nobody tells of is looked for besides: a name that leads to
another folder today, and what changes before the watch stands. What a change means is for the loading to find out; it
names the contents, and the same contents are not taken twice.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from watchfiles import awatch

from proxy.edge.configuration.settings import Watching

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from watchfiles.main import FileChange

    from proxy.edge.configuration.settings import Settings

Look = dict[Path, tuple[int, int, int, int]]
"""How a folder looks from outside: what is in it, and of each its device, inode, size and time of change."""

log = logging.getLogger("sunset")


def look_at(folder: Path) -> Look:
    """How a folder looks now; empty where there is none."""
    seen: Look = {}

    paths = [folder]
    for parent, folders, files in os.walk(folder):
        paths += [Path(parent, name) for name in (*folders, *files)]
    for path in paths:
        with suppress(OSError):
            status = path.stat()
            seen[path] = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    return seen


class Watch:
    """`async for _ in Watch(...)`: once for each burst of changes, from how the folder looked in `seen` on."""

    def __init__(self, folder: Path, settings: Settings, seen: Look) -> None:
        self._folder = folder
        self._settings = settings.reloads
        self._off = settings.watch is Watching.OFF
        self._seen = seen
        self._polls = settings.watch is Watching.POLL

    async def __aiter__(self) -> AsyncIterator[None]:
        """Watch, and go on watching whatever becomes of the folder."""
        while not self._off:
            if self._looks_different():
                yield
            try:
                async with aclosing(self._changes()) as changes:
                    async for changed in changes:
                        different = self._looks_different()
                        if changed or different:
                            yield
                        if different and not changed:
                            break  # nobody told of it: perhaps it is another folder that is to be watched
            except FileNotFoundError:
                await asyncio.sleep(self._settings.look_every)
            except OSError as error:
                await self._fall_back(error)

    def _changes(self) -> AsyncGenerator[set[FileChange], None]:
        """What changes within the folder, and nothing from time to time."""
        settings = self._settings
        return awatch(
            self._folder,
            step=int(settings.settle * 1000),
            debounce=int(settings.settle * 10_000),
            rust_timeout=int(settings.look_every * 1000),
            yield_on_timeout=True,
            force_polling=self._polls,
            poll_delay_ms=int(settings.look_every * 1000),
            ignore_permission_denied=True,
        )

    async def _fall_back(self, error: OSError) -> None:
        """Most likely the machine is out of inotify watches: then it is looked, which always works."""
        if not self._polls:
            log.warning("the rule folder cannot be watched (%s); it is looked through instead", error)
            self._polls = True
        await asyncio.sleep(self._settings.look_every)

    def _looks_different(self) -> bool:
        """Whether something has changed since the last time."""
        before, self._seen = self._seen, look_at(self._folder)
        return self._seen != before
