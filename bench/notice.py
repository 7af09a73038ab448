"""What the notice costs in a page of 20 KB, without sockets: `python -m bench.notice`.

CPU time of one page in microseconds, as the best of many runs (other programs on the machine only ever add). The
injector alone, over pages that make it easy and hard; and all that is done for one forwarded page: request fields,
answer fields, banner, injection.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import timeit
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from proxy.core.decision import Forward
from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import Limits
from proxy.edge.noticing import Noticing, Visit
from proxy.rulebook.load import load
from proxy.wire.notice import Injector, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.edge.request import Request
    from proxy.wire.head import Header

SIZE = 20_000
CHUNK = 8 * 1024
DURING = datetime(2024, 12, 1, tzinfo=UTC)
HOST, TARGET = b"old.example", b"/shop/product/poco-f6/?c=red"
RULES = {
    "rulebook.yaml": "targets: [new.example]\ndefaults: {timezone: UTC}\n",
    "old.yaml": "site: old\nhosts: [old.example]\norigin: http://127.0.0.1:9\nmoves_to: https://new.example\n"
    "schedule: {notice: 2024-10-09, cutover: 2024-12-31}\n"
    "notice: {message: 'This site closes on {cutover}.', link: More, page: old.md, dismissible: true}\n",
    "old.md": "# Moving\n",
}
ASKED: tuple[Header, ...] = (
    (b"Host", HOST),
    (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0"),
    (b"Accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    (b"Accept-Encoding", b"gzip, deflate, br, zstd"),
    (b"Accept-Language", b"en-GB,en;q=0.5"),
    (b"Cookie", b"session=0123456789abcdef0123456789abcdef; theme=dark"),
    (b"Sec-Fetch-Dest", b"document"),
    (b"Sec-Fetch-Mode", b"navigate"),
    (b"Sec-Fetch-Site", b"same-origin"),
)
ANSWERED: tuple[Header, ...] = (
    (b"Server", b"nginx"),
    (b"Date", b"Sun, 01 Dec 2024 00:00:00 GMT"),
    (b"Content-Type", b"text/html; charset=utf-8"),
    (b"Content-Length", b"%d" % SIZE),
    (b"Last-Modified", b"Fri, 29 Nov 2024 12:00:00 GMT"),
    (b"ETag", b'"65f1-4e20"'),
    (b"Cache-Control", b"max-age=600"),
    (b"Content-Security-Policy", b"default-src 'self'; img-src 'self' https:; style-src 'self'"),
)
PARAGRAPH = b"<p>Some text of an old page, with <a href='/x'>a link</a> and <em>a word</em> in it.</p>\n"
SMALL = b"<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<title>Old</title>\n</head>\n"
LARGE = (
    SMALL.removesuffix(b"</head>\n")
    + b"".join(b'<link rel="stylesheet" href="/static/css/%d.css" media="all">\n' % number for number in range(12))
    + b"".join(b'<meta property="og:%d" content="Some words about the page">\n' % number for number in range(12))
    + b"<style>body { margin: 0 } ul > li { list-style: none }</style>\n"
    + b"".join(b'<script src="/static/js/%d.js" async></script>\n' % number for number in range(6))
    + b"<script>if (1 < 2) window.layer = (window.layer || []).concat('<p>')</script>\n</head>\n"
)
BODY = b'<body class="shop">\n'


def page(opening: bytes) -> bytes:
    """A page of that opening, of `SIZE` bytes."""
    return (opening + PARAGRAPH * (SIZE // len(PARAGRAPH) + 1))[:SIZE]


PAGES = {
    "a small head": (page(SMALL + BODY), CHUNK),
    "a large head": (page(LARGE + BODY), CHUNK),
    "no body tag": (page(SMALL), CHUNK),
    "in chunks of 100 bytes": (page(LARGE + BODY), 100),
}


def main() -> None:
    """Prints one line a figure."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for name, once in {**injecting(), **visiting()}.items():
        timer = timeit.Timer(once, timer=time.process_time)
        print(f"{name:<42} {min(timer.repeat(repeat=100, number=100)) / 100 * 1e6:7.2f} µs")


def injecting() -> dict[str, Callable[[], None]]:
    """The injector alone, by what it goes into."""
    notice = b"<aside>" + b"x" * 5000 + b"</aside>"

    def inject(whole: bytes, size: int) -> None:
        injector = Injector(notice, b"text/html; charset=utf-8")
        for start in range(0, SIZE, size):
            injector.feed(whole[start : start + size])
        injector.finish()
        assert injector.outcome is Outcome.INJECTED  # noqa: S101 - else it is not the cost of that

    return {f"inject, {name}": (lambda it=it: inject(*it)) for name, it in PAGES.items()}  # type: ignore[misc]


def visiting() -> dict[str, Callable[[], None]]:
    """All that is done for a forwarded page; and without its body, as for a HEAD or a page that has changed."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in RULES.items():
            (Path(folder) / name).write_text(text)
        rulebook = load(Path(folder))
    noticing = Noticing(rulebook, Clock(DURING), Limits())
    decision = rulebook.at(DURING).decide(HOST, TARGET, b"GET", True)
    assert isinstance(decision, Forward)  # noqa: S101
    request = cast("Request", Asked())

    def fields() -> Visit:
        visit = noticing.visit(decision, request, HOST, TARGET)
        assert visit is not None  # noqa: S101
        visit.answered(200, ANSWERED)
        return visit

    def whole(body: bytes) -> None:
        visit = fields()
        for start in range(0, SIZE, CHUNK):
            for _ in visit.feed(body[start : start + CHUNK]):
                pass
        visit.finish()
        assert visit.outcome == "injected"  # noqa: S101

    return {
        "fields and banner": lambda: void(fields()),
        "fields, banner and page, a small head": lambda: whole(PAGES["a small head"][0]),
        "fields, banner and page, a large head": lambda: whole(PAGES["a large head"][0]),
    }


class Asked:
    """What a visit wants to know of a request."""

    method = b"GET"
    headers = ASKED


def void(_: object) -> None:
    """Nothing."""


if __name__ == "__main__":
    main()
