"""Pieces of HTML as regular expressions, as far as it takes to find where a body starts (HTML Standard, 13.2.5).

They take what stands whole in the bytes at hand, many constructs at once, at the speed of C; what a chunk cuts in two
is for `proxy.wire.passage`. They read the bytes of any encoding whose lower half is ASCII: what steers HTML, which is
white space and `< > " ' = / ! - &`, is never a part of a longer character there.

Possessive repeats stand behind single sets of bytes only: behind groups, Python 3.11.2 gets them wrong. Alternatives
exclude each other, so that nothing is tried twice where a construct is not whole.
"""

from __future__ import annotations

import re

# White space is tab, line feed, form feed, carriage return and space; `\s` would have the vertical tab too.
NAME_ENDS = rb"(?=[\t\n\f\r />])"
"""A pattern: the name of a tag ends here."""

_VALUE = rb"""(?:"[^"]*+"|'[^']*+'|[^\t\n\f\r >"'][^\t\n\f\r >]*+|(?=>))"""
_ATTRIBUTE = (
    rb"[\t\n\f\r /]*+[^\t\n\f\r />][^\t\n\f\r />=]*+"  # a name; "=" may be its first byte
    rb"""(?:="[^"]*+"|(?!=")[\t\n\f\r ]*+=[\t\n\f\r ]*+""" + _VALUE + rb"|(?![\t\n\f\r ]*+=))"
)
_REST_OF_TAG = rb"(?:" + _ATTRIBUTE + rb")*[\t\n\f\r /]*+>"
_COMMENT = rb"<!--(?!-?>)[^-]*+(?:-(?!-!?>)[^-]*+)*--!?>"


def _tag(names: bytes) -> bytes:
    return rb"<" + names + NAME_ENDS + _REST_OF_TAG


def _raw_text(group: bytes, stop: bytes = rb"") -> bytes:
    """What follows the start tag of a raw text element whose name is in `group`, to its end; not over a `stop`."""
    return (
        rb"[^<]*+(?:<(?!" + stop + rb"/(?P=" + group + rb")[\t\n\f\r />])[^<]*+)*</(?P=" + group + rb")[\t\n\f\r ]*+>"
    )


WHOLE_TAG = re.compile(rb"[^\t\n\f\r />]*+" + _REST_OF_TAG)
"""A tag from somewhere in its name on, up to and with its `>`."""

HTML_TAG = re.compile(rb"<html" + NAME_ENDS + rb"(?P<attributes>" + _REST_OF_TAG + rb")", re.IGNORECASE)
"""A whole start tag of `html`."""

OPENING = re.compile(
    rb"(?:\xef\xbb\xbf)?[\t\n\f\r ]*+<!doctype[^>]*+>[\t\n\f\r ]*+<html" + NAME_ENDS
    + rb"(?P<attributes>" + _REST_OF_TAG + rb")",
    re.IGNORECASE,
)  # fmt: skip
"""How most pages open: with a doctype and a whole start tag of `html`."""

BODY_TAG = re.compile(_tag(rb"body"), re.IGNORECASE)
"""A whole start tag of `body`."""

ATTRIBUTE = re.compile(
    rb"[\t\n\f\r /]*+(?P<name>[^\t\n\f\r />][^\t\n\f\r />=]*+)"
    rb"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?P<value>" + _VALUE + rb"))?",
)
"""One attribute, from behind the name of a whole tag on; the value with its quotes."""

AMP = re.compile("(?:amp|⚡(?:\ufe0f)?)(?:4ads|4email)?".encode(), re.IGNORECASE)
"""The name of an attribute of `html` that makes a page an AMP page."""

RUN_OF_HEAD = re.compile(
    rb"(?:[\t\n\f\r ]++"
    rb"|" + _tag(rb"(?:meta|link|base)") +
    # Only behind "<!--" can a script hide its end tag, and that is left to a passage.
    rb"|" + _tag(rb"(?P<raw>script|style|title)") + _raw_text(rb"raw", stop=rb"!--|") +
    rb"|" + _COMMENT +
    rb"|<!doctype[^>]*+>"
    rb"|<head[\t\n\f\r ]*+>"
    rb"|(?P<end><)/head[\t\n\f\r ]*+>"
    rb")*",
    re.IGNORECASE,
)  # fmt: skip
"""What never implies a body, as much of it as stands here whole; `end` is set if the head's end tag is in it."""

TOKEN = re.compile(
    rb"(?P<blank>[\t\n\f\r ]++|</>|<!---?>"
    rb"|&(?:#(?:9|1[023]|32)(?:;|(?=[^0-9;]))|#[xX](?:9|[aAcCdD]|20)(?:;|(?=[^0-9A-Fa-f;]))|Tab;|NewLine;))"
    rb"|<(?P<end>/)?(?P<name>[A-Za-z](?:[^\t\n\f\r />]{15}|[^\t\n\f\r />]{0,14}" + NAME_ENDS + rb"))"
    rb"|(?P<comment><!--(?=[^->]|-[^>]))"
    rb"|(?P<bogus><(?:!(?=[^-])|!-(?=[^-])|\?|/(?=[^A-Za-z>])))"
    rb"|(?P<doubt>\x00|<\x00|&#[xX]?0)"
    rb"|(?P<text>[^<&\t\n\f\r \x00]++|<(?=[^A-Za-z!?/\x00])"
    rb"|&(?!(?:#[xX]?[0-9A-Fa-f]{0,2}|T(?:ab?)?|N(?:e(?:w(?:L(?:i(?:ne?)?)?)?)?)?)?\Z))",
    re.DOTALL,
)
"""What stands at a place in the data state, told as early as can be; no match means that more bytes are needed.

`blank` is white space, be it written as a character reference, and what leaves nothing behind. `name` is that of a tag,
cut off at 16 bytes, which is longer than any that matters. `bogus` begins a doctype or a bogus comment. `text` is any
other text, or a part of it. `doubt` is NUL, and references with leading zeros, of which there may be any number.
"""

RAW_TEXT = frozenset({b"title", b"textarea", b"style", b"xmp", b"iframe", b"noembed", b"noframes", b"script"})
"""Elements whose content, up to their end tag, is no markup. (`noscript` is one too where scripts run.)"""

NOSCRIPT = re.compile(
    _tag(rb"noscript") + rb"(?P<content>[^<]*+(?:<(?!/noscript[\t\n\f\r />])[^<]*+)*)" + _tag(rb"/noscript"),
    re.IGNORECASE,
)
"""A whole `noscript`, as a browser that runs scripts reads it."""

_PIECE_OF_NOSCRIPT = re.compile(
    rb"[^<\x00]++"
    rb"|" + _COMMENT +
    rb"|" + _tag(rb"(?:meta|link|img|br|hr|wbr)") +
    rb"|" + _tag(rb"(?P<raw>style|iframe)") + _raw_text(rb"raw") +
    rb"|" + _tag(rb"(?P<end>/)?(?P<name>a|b|big|center|code|div|em|font|h[1-6]|i|p|section|small|span|strong|u)"),
    re.IGNORECASE,
)  # fmt: skip


def is_self_contained(content: bytes) -> bool:
    """Whether the content of a `noscript`, read as markup where scripts do not run, leaves nothing open behind it.

    Only what is plainly so is taken for it: void elements, comments, text, and simple elements closed in order.
    """
    opened: list[bytes] = []
    position = 0
    while position < len(content):
        piece = _PIECE_OF_NOSCRIPT.match(content, position)
        if piece is None:
            return False
        position = piece.end()
        name = (piece["name"] or b"").lower()
        if piece["end"]:
            if not opened or opened.pop() != name:
                return False
        elif name in opened:  # an `a` in an `a`, a `p` in a `p`: the one closes the other, in ways of its own
            return False
        elif name:
            opened.append(name)
    return not opened
