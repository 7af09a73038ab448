"""The socket by which the processes of one generation know whether they are still wanted.

The supervisor has one end, the nursery and all of its workers share the other. They look at what stands there without
taking it away, so each of them sees it: a byte says that the generation is over and may finish in peace, the end of
the line says that the supervisor is gone.

The byte stays there, so whoever has seen it is not told of the end any more, and looks for it from time to time.
"""

from __future__ import annotations

import select
import socket

RETIRED = b"\x00"


def is_retired(lifeline: int) -> bool:
    """Whether something that can be read there says that the generation is over; if not, the supervisor is gone."""
    with socket.fromfd(lifeline, socket.AF_UNIX, socket.SOCK_STREAM) as line:
        try:
            return line.recv(len(RETIRED), socket.MSG_PEEK | socket.MSG_DONTWAIT) == RETIRED
        except OSError:
            return False


def is_cut(lifeline: int) -> bool:
    """Whether the supervisor is gone, whatever can still be read there."""
    poll = select.poll()
    poll.register(lifeline, 0)  # nothing to wait for but its end, which is always told
    return bool(poll.poll(0))
