"""Pages on their way through the injector: the notice is all that is put in, once at most, wherever they are cut."""

from __future__ import annotations

from zlib import crc32

from fuzz.cutting import ways
from proxy.wire.body import MAX_CONSTRUCT_BYTES, MAX_HELD_BYTES
from proxy.wire.notice import Injector, Outcome
from tests.notice.judges import NOTICE, difference

_HTML, *_OTHERS = (b"text/html; charset=utf-8", b"text/html", b"application/xhtml+xml")
_MOST_HELD = MAX_HELD_BYTES + MAX_CONSTRUCT_BYTES
_STRETCHED = b"*"
"""What begins with it comes once, and then again and again, until a bound on what is held back must show."""
_CHUNK = 4096
_JUDGED_EVERY = 64
"""Parsers of browsers take their time: of so many pages they judge one."""


def injector(data: bytes) -> None:
    """A page comes out as it went in, with a notice or without, the same however it is cut."""
    page, others = ways(data)
    if NOTICE in page:  # then nobody could tell which is ours
        return
    for content_type in (_HTML, *_OTHERS):
        outcome, out = _injected([page], content_type)
        if outcome is Outcome.INJECTED:
            assert out.count(NOTICE) == 1
            assert out.replace(NOTICE, b"") == page
            if content_type == _HTML and crc32(page) % _JUDGED_EVERY == 0:
                _judge(page, out)
        else:
            assert out == page
        for cut in others:
            assert _injected(cut, content_type) == (outcome, out)
    if page.startswith(_STRETCHED) and len(others[0]) == 2:
        before, again = others[0]
        again *= 1 + _CHUNK // len(again)
        _injected([before[1:], *[again] * (2 * _MOST_HELD // len(again))], _HTML)


def _injected(cut: list[bytes], content_type: bytes) -> tuple[Outcome, bytes]:
    """What became of a page. Whatever it is, only so much of it is held back."""
    injecting = Injector(NOTICE, content_type)
    out: list[bytes] = []
    held = 0
    for piece in cut:
        out.append(injecting.feed(piece))
        held += len(piece) - len(out[-1])
        assert held <= _MOST_HELD + len(piece)
    out.append(injecting.finish())
    assert injecting.outcome is not None
    return injecting.outcome, b"".join(out)


def _judge(page: bytes, out: bytes) -> None:
    try:
        before = page.decode("utf-8-sig")
    except UnicodeDecodeError:
        return
    assert not (said := difference(before, out.decode("utf-8-sig"))), said
