"""What is set in the kernel for the time of a run, and set back after it.

A server that closes a connection keeps its address in TIME_WAIT for a minute (RFC 9293, 3.6.1). A run with a new
connection a request would fill the kernel's table with them, and later candidates would pay for earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

TIME_WAITS: Final = Path("/proc/sys/net/ipv4/tcp_max_tw_buckets")
FEW: Final = 512


@contextmanager
def few_time_waits(setting: Path = TIME_WAITS) -> Iterator[str]:
    """Gives what the reader of the figures should know of it."""
    said = f"tcp_max_tw_buckets {FEW}"
    try:
        before = setting.read_text()
        if int(before) <= FEW:  # somebody has set it, and will set it back
            yield said
            return
        setting.write_text(str(FEW))
    except OSError as error:
        yield f"tcp_max_tw_buckets stayed as it was ({error.strerror}): new connections cost more than they should"
        return
    try:
        yield said
    finally:
        setting.write_text(before)
