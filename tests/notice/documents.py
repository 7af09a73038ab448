"""Documents as hypothesis makes them: heads and bodies, whole, broken and odd, of the pieces that steer a parser."""

from hypothesis import strategies as st

_HEAD = ["html", "head", "title", "script", "style", "meta", "link", "base", "noscript", "body", "noframes"]
_ODD = [
    *("p", "div", "a", "b", "table", "td", "select", "option", "textarea", "form", "pre", "li", "br", "img", "input"),
    *("svg", "math", "path", "foreignObject", "desc", "iframe", "xmp", "noembed", "plaintext", "object", "button"),
    *("frameset", "frame", "template", "image", "x-y", "unknown", "col", "caption", "hr", "aside", "nobr", "center"),
]
_RAW = ["script", "script", "script", "style", "title", "noframes", "textarea", "iframe", "noembed"]


def _one_of(*pieces: str) -> st.SearchStrategy[str]:
    """One of what stands between bars."""
    return st.sampled_from("|".join(pieces).split("|"))


_BLANKS = st.sampled_from(["", " ", "\n", "\t", "\r\n", "\f", "\r", "  \n"])
_TEXTS = _one_of(
    "a|é|\u3000|\v|&#32;|&#x20;|&#10|&#13;|&Tab;|&NewLine;|&nbsp;|&amp;|&|&#320;|&#0;|&#032;|<|<3|< |>|]]>|--|-->",
    "\"|'|=|/>|\0|\x1b$B|<!|</|<!-",
)
_ATTRIBUTES = _one_of(
    "a|a=b|a='>'|a=\">\"|a= b|a =\"<body>\"|/|a=b/|\"|'|=|a==|a=\"|b='|type=hidden|<|a=>|a\n=\n'x'|a='x'b=\"y\"",
    '=">"|a"b=">c"|amp|é|class=\'a b\'',
)
_COMMENTS = _one_of(
    "<!---->|<!-- a -->|<!-->|<!--->|<!--a--!>|<!-- <body> -->|<!x>|<?php a>|</ x>|</>|<!>|<?>|<!-->-->|<!--a|<!-x>",
    "<!--!>-->|<!---!>-->|<!-- -- > -->|<![CDATA[x]]>|<!--<!-->|<!doctype html>|<!DOCTYPE html PUBLIC 'a>b'>|<!doctype",
    "<?xml version='1.0'?>",
)
_RAW_PIECES = _one_of(
    "a|<|</|<!--|-->|<script>|</script|</script>|<script |--|-|</scrip|<body>|>|</title>|<!-->|</style>|'</body>'|x<y",
    "</noscript|\n",
)
_CONTENTS = _one_of(
    "<img>|<link>|<p>x</p>|x| |<style>a</style>|<meta>|<!-- c -->|<b>|</b>|<body>|<div><b>a</b></div>",
    "<iframe></iframe>|<table>|<frameset>|<!--|<p>|</p>",
)


def _cased(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name] * 4 + [name.upper(), name.title()])


@st.composite
def _start_tags(draw: st.DrawFn, names: list[str]) -> str:
    name = draw(st.sampled_from(names).flatmap(_cased))
    attributes = "".join(draw(st.lists(st.builds(str.__add__, _BLANKS, _ATTRIBUTES), max_size=2)))
    if attributes and attributes[0] not in " \n\t\r\f/":
        attributes = " " + attributes
    return f"<{name}{attributes}" + draw(st.sampled_from([">"] * 9 + ["/>", " >", ""]))


@st.composite
def _end_tags(draw: st.DrawFn, names: list[str]) -> str:
    name = draw(st.sampled_from(names).flatmap(_cased))
    return f"</{name}" + draw(st.sampled_from([">"] * 9 + [" >", " a='>'>", "/>", ""]))


@st.composite
def _raw_text(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(_RAW))
    content = "".join(draw(st.lists(_RAW_PIECES, max_size=5)))
    return f"<{name}>{content}" + draw(st.sampled_from([f"</{name}>"] * 8 + [f"</{name} >", f"</{name}/>", ""]))


def _wrapped(name: str) -> st.SearchStrategy[str]:
    return st.lists(_CONTENTS, max_size=3).map(lambda pieces: f"<{name}>{''.join(pieces)}</{name}>")


_OPENINGS = _one_of(
    "||<!doctype html>|\ufeff<!doctype html>| \n<!DOCTYPE html>\n|<html>|<head>",
    "<!doctype html>\n<html lang=en>\n<head>|<!DOCTYPE html><HTML class='a b'>|<!doctype html><html lang='>' amp>",
)
_IN_HEAD = st.one_of(_BLANKS, _COMMENTS, _start_tags(_HEAD), _end_tags(_HEAD), _raw_text(), _wrapped("noscript"))
_ANYWHERE = st.one_of(_IN_HEAD, _TEXTS, _start_tags(_ODD), _end_tags(_ODD), _wrapped("template"))

documents = st.builds(
    lambda opening, head, rest: "".join([opening, *head, *rest]),
    _OPENINGS,
    st.lists(_IN_HEAD, max_size=5),
    st.lists(_ANYWHERE, max_size=7),
)
"""Documents as text."""
