"""One process at a time asks for certificates: a lock on a file, which ends with the process that has it."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from proxy.errors import SunsetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Be the only one. Raises `SunsetError` where another process is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="ascii") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SunsetError(f"{file}: another process asks for certificates already; one is enough") from None
        yield
