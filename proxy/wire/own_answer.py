"""Answers of Sunset's own as bytes: the head, framed, and a page or nothing (RFC 9110 section 15, RFC 9112 section 6).

`own_answer` puts one together. Of an answer that is given over and over only the date, the Location and the end of the
connection differ: `Prepared` cuts one that `own_answer` has made at just those places, so what is prepared cannot say
anything else than what is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.wire.head import response_head

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.wire.document import Page
    from proxy.wire.head import Header

LOCATION: Final = b"\0location"
"""Stands for the Location of a `Prepared` answer: no field has such a value."""

_DATE: Final = b"\0date"


def own_answer(
    status: int,
    headers: Iterable[Header],
    page: Page | None,
    *,
    date: bytes,
    closes: bool,
    with_body: bool = True,
) -> bytes:
    """A whole answer; `closes` where it is the last one on its connection, not `with_body` where HEAD was asked."""
    fields = [(b"Date", date), *headers]
    body = b""
    if page is not None:
        fields += page.headers
        body = page.body
    if status != 204:
        fields.append((b"Content-Length", b"%d" % len(body)))
    if closes:
        fields.append((b"Connection", b"close"))
    head = response_head(status, fields)
    return head + body if with_body else head


class Prepared:
    """An answer without its date and Location.

    Its bytes are `start + location + rest`, once it was renewed for the date of now; those of the last one on a
    connection end in `last_rest` instead.
    """

    __slots__ = ("_before", "_between", "date", "last_rest", "rest", "start")

    def __init__(
        self, status: int, headers: Iterable[Header], page: Page | None = None, *, with_body: bool = True
    ) -> None:
        fields = tuple(headers)
        halves = []
        for closes in (False, True):
            whole = own_answer(status, fields, page, date=_DATE, closes=closes, with_body=with_body)
            before, _, behind_date = whole.partition(_DATE)
            between, found, rest = behind_date.partition(LOCATION)
            halves.append((before, between, rest) if found else (before, b"", behind_date))
        (self._before, self._between, self.rest), (_, _, self.last_rest) = halves
        self.date = b""
        self.start = b""

    def renew(self, date: bytes) -> None:
        """Carry another date."""
        self.date = date
        self.start = self._before + date + self._between
