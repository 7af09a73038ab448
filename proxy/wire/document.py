"""The frame of every HTML page that Sunset makes itself: readable anywhere, no script, nothing loaded from elsewhere.

The style stands in the page, because a page about a site that is gone cannot count on any other file; the content
security policy names it by its hash and allows nothing else (CSP Level 3).
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from proxy.wire.texts import is_right_to_left

if TYPE_CHECKING:
    from proxy.wire.head import Header

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:0;padding:12vh 1.5rem 4rem;font:1.0625rem/1.6 system-ui,sans-serif;background:Canvas;color:CanvasText}"
    "main{max-width:38rem;margin:0 auto;overflow-wrap:break-word}"
    "h1{font-size:1.75rem;line-height:1.25;margin:0 0 .75rem}"
    "h2{font-size:1.25rem;line-height:1.3;margin:2rem 0 .5rem}"
    "p,ul,ol{margin:0 0 1rem}"
    "a{color:LinkText;text-underline-offset:.15em}"
    ".home{font-size:1.25rem;font-weight:600}"
    "img{max-width:100%;height:auto}"
)
_POLICY = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it goes over the wire: the fields that describe it, and its bytes."""

    headers: tuple[Header, ...]
    body: bytes


def document(language: str, title: str, main: str, *, style: str = "", images: bool = False) -> Page:
    """A page. `title` is text, `main` is HTML, `style` is added to that of all pages.

    With `images` those of the page are shown, from https addresses.
    """
    sheet = _STYLE + style
    direction = ' dir="rtl"' if is_right_to_left(language) else ""
    body = (
        "<!doctype html>\n"
        f'<html lang="{escape(language)}"{direction}>\n'
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>{sheet}</style>\n"
        f"<main>\n{main}</main>\n"
        "</html>\n"
    ).encode()
    policy = _POLICY.format(base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode())
    if images:
        policy += "; img-src https:"
    headers = (
        (b"Content-Type", b"text/html; charset=utf-8"),
        (b"Content-Language", language.encode("ascii", "ignore")),
        (b"Content-Security-Policy", policy.encode()),
        (b"X-Content-Type-Options", b"nosniff"),
    )
    return Page(headers, body)
