"""How an input comes: its first two bytes say where it is cut, and the rest of it is what comes.

A stream may be cut anywhere, and nothing that is read from it may depend on where.
"""

from __future__ import annotations

_PLACE_BYTES = 2
_FEW = 400
"""Up to so many bytes may come one by one: more of them would take too long."""


def pieces(data: bytes) -> tuple[bytes, list[bytes]]:
    """What comes, whole and in two pieces, of which none is empty."""
    place, whole = int.from_bytes(data[:_PLACE_BYTES], "big"), data[_PLACE_BYTES:]
    place %= len(whole) + 1
    return whole, [piece for piece in (whole[:place], whole[place:]) if piece]


def ways(data: bytes) -> tuple[bytes, list[list[bytes]]]:
    """What comes, whole, and the other ways in which it may come: in two pieces, and, if it is short, byte by byte."""
    whole, in_two = pieces(data)
    others = [in_two]
    if len(whole) <= _FEW:
        others.append([whole[at : at + 1] for at in range(len(whole))])
    return whole, others
