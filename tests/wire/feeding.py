"""One way to try a parser: every case is fed whole, byte by byte, and cut in two at every place."""

from collections.abc import Iterator


def cuts(data: bytes) -> Iterator[list[bytes]]:
    """The same bytes in all the ways in which they may come; none of the pieces is empty."""
    yield [data] if data else []
    yield [data[place : place + 1] for place in range(len(data))]
    if len(data) < 2000:
        yield from ([data[:place], data[place:]] for place in range(1, len(data)))
