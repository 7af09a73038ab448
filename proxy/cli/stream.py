"""A line in, a line out: how a program asks `sunset explain -` as long as it likes.

Whatever has arrived is answered at once and written in one go. So a stream that never pauses is read and written in
large blocks, and of one that does pause no line is left without its answer. Every line has its answer, in order, and
an empty line too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK: Final = 1 << 16


def answer_lines(
    read: Callable[[int], bytes], write: Callable[[bytes], object], answer: Callable[[bytes], bytes]
) -> None:
    """Asks `answer` for each line that `read` brings, and hands what it says to `write`.

    `read(size)` waits until there is something, and returns it without waiting for more; no bytes at all end the
    stream. A last line needs no newline.
    """
    begun: list[bytes] = []
    while block := read(BLOCK):
        whole, newline, rest = block.rpartition(b"\n")
        if newline:
            lines = b"".join((*begun, whole)).split(b"\n")
            begun = []
            write(b"".join(map(answer, lines)))
        if rest:
            begun.append(rest)
    if begun:
        write(answer(b"".join(begun)))
