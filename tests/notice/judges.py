"""Parsers that say what a page is to a browser, before and after the notice is put in.

html5lib is the judge, for browsers that run scripts and those that do not. Where it is known to leave the standard it
is not asked:

- it does not know `<template>` and takes it for content of a body;
- it takes `<command>` for an element of the head, as a draft once did;
- assertions of its own fail on a `<frameset>` in a `noscript`.

Lexbor is asked about all pages, as one without scripts.
"""

import re
from itertools import pairwise
from xml.dom.minidom import Comment, DocumentType, Element, Node, Text

import html5lib
from selectolax.lexbor import LexborHTMLParser

from proxy.wire.notice import Injector, Outcome

NOTICE = (
    b'<aside data-notice lang=en dir=ltr><p>This site <b>moves</b> &#8212; <a href="/x?a=1&amp;b">more</a></p></aside>'
)
_NOTICE_AS_SERIALIZED = re.compile(r"<aside data-notice.*?</aside>", re.DOTALL)
_BEYOND_HTML5LIB = re.compile(r"<(?:template|command)", re.IGNORECASE)

Tree = str | tuple[object, ...]


def injected(
    page: bytes, *cuts: int, notice: bytes = NOTICE, content_type: bytes = b"text/html; charset=utf-8"
) -> tuple[Outcome, bytes]:
    """What becomes of a page that comes in chunks, cut at these places."""
    injector = Injector(notice, content_type)
    places = [0, *sorted(cuts), len(page)]
    out = [injector.feed(page[start:end]) for start, end in pairwise(places)]
    out.append(injector.finish())
    assert injector.outcome is not None
    return injector.outcome, b"".join(out)


def difference(before: str, after: str) -> str:
    """What the judges find different but for one notice, first in the body. Empty where they find nothing."""
    return "\n".join(
        complaint
        for complaint in (
            _says_html5lib(before, after, scripting=True),
            _says_html5lib(before, after, scripting=False),
            _says_lexbor(before, after),
        )
        if complaint
    )


def _says_html5lib(before: str, after: str, *, scripting: bool) -> str:
    if _BEYOND_HTML5LIB.search(before):
        return ""
    try:
        trees = [_parsed(page, scripting) for page in (before, after)]
    except AssertionError:
        return ""
    notices: list[str] = []
    expected, got = _tree(trees[0], []), _tree(trees[1], notices)
    # Without scripts, what a `noscript` in the head holds can be content that comes before the notice.
    places = {"html/body/0"} if scripting else {f"html/body/{number}" for number in range(100)}
    if len(notices) != 1 or notices[0] not in places:
        return f"html5lib, {scripting=}: notices at {notices}"
    return "" if got == expected else f"html5lib, {scripting=}: not\n{expected}\nbut\n{got}"


def _parsed(page: str, scripting: bool) -> Node:
    parser = html5lib.HTMLParser(html5lib.getTreeBuilder("dom"))
    document: Node = parser.parse(page, scripting=scripting)
    return document


def _tree(node: Node, notices: list[str], path: str = "") -> Tree:
    """A node and what is in it, less the notices, whose places are added to `notices`."""
    match node:
        case Text():
            return node.data
        case Comment():
            return ("comment", node.data)
        case DocumentType():
            return ("doctype", node.name, node.publicId, node.systemId)
    children: list[Tree] = []
    for number, child in enumerate(node.childNodes):
        if isinstance(child, Element) and child.hasAttribute("data-notice"):
            notices.append(f"{path}/{number}".removeprefix("/"))
            continue
        tree = _tree(child, notices, f"{path}/{child.nodeName}")
        if isinstance(tree, str) and children and isinstance(children[-1], str):
            children[-1] += tree
        else:
            children.append(tree)
    attributes = tuple(sorted(node.attributes.items())) if isinstance(node, Element) else ()
    return (node.namespaceURI, node.nodeName, attributes, tuple(children))


def _says_lexbor(before: str, after: str) -> str:
    expected, got = LexborHTMLParser(before).html or "", LexborHTMLParser(after).html or ""
    count = len(_NOTICE_AS_SERIALIZED.findall(got))
    if count != 1:
        return f"Lexbor: {count} notices"
    got = _NOTICE_AS_SERIALIZED.sub("", got)
    return "" if got == expected else f"Lexbor: not\n{expected}\nbut\n{got}"
