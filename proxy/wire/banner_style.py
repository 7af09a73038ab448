"""How the banner looks: one style sheet, made at load, that a policy can name by its hash (CSP Level 3 section 2.3.1).

It stands in pages whose own style nobody knows here. So the banner starts from nothing (`all: initial`, below it
`unset`), every declaration is important, and every selector names the banner's class twice to outweigh what the page
says. Nothing leaves the banner: each rule begins at its class. Sizes follow the reader's own font size, sides the
direction of the text. The sheet holds no `<` and no `&`, so that it is the same in HTML and in XHTML, and has one hash.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

CLASS: Final = "sunset-notice"
"""The class of the banner; those within it begin so."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as `#rrggbb`: text and links on `paper`, `badge_ink` on `badge`."""

    paper: str
    edge: str
    ink: str
    link: str
    badge: str
    badge_ink: str


LIGHT: Final = Palette("#fff6e0", "#e8cd93", "#2a1e10", "#853400", "#853400", "#ffffff")
DARK: Final = Palette("#2b2018", "#5c4530", "#f8ecdc", "#ffbe7a", "#ffbe7a", "#2b1600")

_SHAPE: Final = """
& { all: initial; display: block; box-sizing: border-box; clear: both; flex: 0 1 auto; align-self: stretch;
    grid-column: 1 / -1; padding: .875em 1.25em; border-style: solid; border-width: 0 0 1px; text-align: start;
    overflow-wrap: anywhere; font: medium/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif }
&[dir=ltr] { direction: ltr }
&[dir=rtl] { direction: rtl }
& * { all: unset }
&::before, &::after, & ::before, & ::after { content: none }
& style, & br { display: none }
& [dir=ltr] { direction: ltr; unicode-bidi: isolate }
& [dir=rtl] { direction: rtl; unicode-bidi: isolate }
& .-row { display: flex; align-items: center; gap: .5em 2em; max-width: 70em; margin: 0 auto }
& .-text { display: block; flex: 1 1 auto; min-width: 0 }
& .-says { display: flex; flex-wrap: wrap; align-items: baseline; gap: .125em .625em; font-weight: 600 }
& .-left { display: inline-block; padding: .125em .75em; border-radius: 1em; font-size: .8125em; white-space: nowrap }
& .-links { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1.5em; font-size: .9375em }
& a { cursor: pointer; text-decoration: underline; text-underline-offset: .2em; border-radius: .125em;
    outline-offset: 2px }
& .-more a { display: inline-block; padding: .25em 0 }
& a:hover { text-decoration-thickness: 2px }
& a:focus { outline-style: solid; outline-width: 2px }
& a:focus:not(:focus-visible) { outline-style: none }
& .-hide { display: block; flex: none; padding: .25em 1em; border: 1px solid; border-radius: 1.25em;
    font-size: .875em; text-decoration: none }
& .-hide:hover { text-decoration: underline }
"""
_NARROW: Final = """
@media (max-width: 40em) {
    & { padding: .625em 1em; line-height: 1.4 }
    & .-row { flex-wrap: wrap; justify-content: space-between; gap: .375em .75em }
    & .-text, & .-links { display: contents }
    & .-says, & .-moves { flex: 0 0 100% }
    & .-says { display: block; font-size: .9375em }
    & .-left { padding: 0 .625em }
    & .-links { font-size: 1em }
    & .-moves { font-size: .875em }
    & .-more, & .-hide { font-size: .8125em }
    & .-hide { padding: .1875em .75em }
}
"""
_PRINT: Final = "@media print { & { display: none } }"


def _coloured(palette: Palette) -> str:
    return (
        f"& {{ background-color: {palette.paper}; border-color: {palette.edge}; color: {palette.ink} }}"
        f"& a {{ color: {palette.link}; outline-color: {palette.link} }}"
        f"& .-left {{ background-color: {palette.badge}; color: {palette.badge_ink} }}"
    )


def _sheet(rules: str) -> str:
    """Rules in short, all of them important. `&` is the banner, `.-row` a part of it."""
    short = re.sub(r" ?([{};,]) ?|: ", lambda match: match[1] or ":", " ".join(rules.split()))
    important = re.sub(r"([^{};]+:[^{};]+)(?=[;}])", r"\1!important", short)
    return important.replace("&", f".{CLASS}.{CLASS}").replace(".-", f".{CLASS}-")


_STYLE: Final = _sheet(
    f"{_SHAPE}{_coloured(LIGHT)} @media (prefers-color-scheme: dark) {{ {_coloured(DARK)} }} {_NARROW}{_PRINT}"
)

STYLE_ELEMENT: Final = f"<style>{_STYLE}</style>"
STYLE_SOURCE: Final = b"'sha256-%b'" % base64.b64encode(hashlib.sha256(_STYLE.encode("ascii")).digest())
"""The source expression by which a policy allows this style sheet, and no other."""
