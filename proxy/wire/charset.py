"""Whether the bytes below 128 of a page are ASCII, in the encoding that a browser will read it in.

The order is that of the HTML Standard, section 13.2.3.2: a byte order mark, the Content-Type field, then what a
`<meta>` or an XML declaration says in the first 1024 bytes. The labels are those of the Encoding Standard, section 4.2.
All its encodings are ASCII-based but UTF-16 (which a `<meta>` cannot mean: its label stands for UTF-8 there),
ISO-2022-JP, and `replacement`, in which nothing of the page is shown.

A label in the field that nobody knows says that nobody knows: browsers go on to guess, Sunset does not. In a `<meta>`
it is passed over, as browsers do: it could be read, so ASCII is what it is written in.
"""

from __future__ import annotations

import re

from proxy.wire.html import ATTRIBUTE

OPENING_BYTES = 1024
"""How much of a page is looked through for what it says of itself: the figure that the standard names."""

_UTF16 = frozenset(
    b"csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff unicodefffe utf-16 utf-16be utf-16le".split(),
)
_OTHER = frozenset(
    b"csiso2022jp csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-jp iso-2022-kr replacement".split(),
)
_ASCII_BASED = frozenset(
    b"""
    unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8
    866 cp866 csibm866 ibm866 csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2
    csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3
    csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4
    csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988
    arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i iso-ir-127
    iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987
    csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987
    sun_eu_greek
    csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8
    iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical
    csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6 iso-8859-13 iso8859-13 iso885913
    iso-8859-14 iso8859-14 iso885914 csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9 iso-8859-16
    cskoi8r koi koi8 koi8-r koi8_r koi8-ru koi8-u csmacintosh mac macintosh x-mac-roman x-mac-cyrillic x-mac-ukrainian
    dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874
    cp1250 windows-1250 x-cp1250 cp1251 windows-1251 x-cp1251
    ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1
    iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252 cp1253 windows-1253 x-cp1253
    cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 windows-1254
    x-cp1254 cp1255 windows-1255 x-cp1255 cp1256 windows-1256 x-cp1256 cp1257 windows-1257 x-cp1257
    cp1258 windows-1258 x-cp1258 chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk gb18030
    big5 big5-hkscs cn-big5 csbig5 x-x-big5 cseucpkdfmtjapanese euc-jp x-euc-jp
    csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis
    cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949
    x-user-defined
    """.split(),
)

_KNOWN = _ASCII_BASED | _UTF16 | _OTHER
_MARKS = ((b"\xef\xbb\xbf", True), (b"\xfe\xff", False), (b"\xff\xfe", False))
_MARKS_BEGIN = b"\xef\xfe\xff"
_XML_IN_UTF16 = (b"<\x00?\x00x\x00", b"\x00<\x00?\x00x")
_VALUE_FOLLOWS = re.compile(rb"[\t\n\f\r ]*+=")
_BLANKS = b"\t\n\f\r "

_PARAMETER = re.compile(rb";[\t ]*+charset=(?:\"([^\"]*+)\"|([^;\t ]*+))", re.IGNORECASE)
_CONSTRUCT = re.compile(
    rb"(?P<comment><!--)|(?P<meta><meta(?=[\t\n\f\r /]))|(?P<tag></?[A-Za-z][^\t\n\f\r >]*+)|(?P<other><[!/?])",
    re.IGNORECASE,
)
_CHARSET_IN_CONTENT = re.compile(rb"charset[\t\n\f\r ]*+=[\t\n\f\r ]*+", re.IGNORECASE)
_LABEL_IN_CONTENT = re.compile(
    rb"""(?P<quote>["'])(?P<quoted>.*?)(?P=quote)|(?P<bare>[^\t\n\f\r ;"'][^\t\n\f\r ;]*+)""",
    re.DOTALL,
)
_XML_DECLARATION = re.compile(rb"""<\?xml[^>]*?encoding[\x00-\x20]*+=[\x00-\x20]*+(["'])([^\x00-\x20>"']++)\1[^>]*>""")


def is_ascii_based(content_type: bytes, opening: bytes, *, whole: bool) -> bool | None:
    """Whether an ASCII byte in the page is that letter. `None`: that takes more than this `opening` of the page.

    `content_type` is the field's value, and may be empty; `whole` says that the page has no more than `opening`. An
    answer stays the same when the opening grows, and there is one when it has `OPENING_BYTES`.
    """
    if opening[:1] in _MARKS_BEGIN:
        for mark, is_ascii in _MARKS:
            if opening.startswith(mark):
                return is_ascii
            if mark.startswith(opening) and not whole:
                return None
    if in_field := _label_in_field(content_type):
        return in_field in _ASCII_BASED
    opening = opening[:OPENING_BYTES]
    is_enough = whole or len(opening) == OPENING_BYTES
    if is_enough and not _names_other(opening):
        return not opening.startswith(_XML_IN_UTF16)
    label = _label_in_meta(opening)
    if label is None:
        if not is_enough:
            return None
        declaration = _XML_DECLARATION.match(opening)
        label = declaration[2].lower() if declaration else b""
    return label not in _OTHER and not opening.startswith(_XML_IN_UTF16)


def _label_in_field(content_type: bytes) -> bytes:
    parameter = _PARAMETER.search(content_type)
    return (parameter[1] or parameter[2] or b"").strip(_BLANKS).lower() if parameter else b""


def _names_other(opening: bytes) -> bool:
    """Whether a label of `_OTHER` may be declared there; in few pages one is."""
    lowered = opening.lower()
    if b"charset" not in lowered and not lowered.startswith(b"<?xml"):
        return False
    return b"2022" in lowered or b"hz-gb" in lowered or b"replacement" in lowered


def _label_in_meta(opening: bytes) -> bytes | None:
    """The label that the standard's prescan finds; `None` where it comes to the end of the bytes."""
    if b"charset" not in opening.lower():  # both forms of a label have the word; most pages without it have many tags
        return None
    position = 0
    while construct := _CONSTRUCT.search(opening, position):
        match construct.lastgroup:
            case "comment":  # the dashes of "<!--" may be those of "-->" too
                position = opening.find(b"-->", construct.end() - 2) + 3
                if position < 3:
                    return None
            case "other":
                position = opening.find(b">", construct.end()) + 1
                if position < 1:
                    return None
            case _:
                attributes, position = _attributes(opening, construct.end())
                if position == len(opening):
                    return None
                label = _label_in_attributes(attributes) if construct["meta"] else b""
                if label in _KNOWN:
                    return label
    return None


def _attributes(opening: bytes, position: int) -> tuple[dict[bytes, bytes], int]:
    """The attributes of a tag, in lower case, and its end; that of the opening where it ends in the middle of them."""
    attributes: dict[bytes, bytes] = {}
    while attribute := ATTRIBUTE.match(opening, position):
        position = attribute.end()
        value = attribute["value"]
        if value is None and _VALUE_FOLLOWS.match(opening, position):
            return attributes, len(opening)
        if value and value[:1] in {b'"', b"'"}:
            value = value[1:-1]
        attributes.setdefault(attribute["name"].lower(), (value or b"").lower())
    end = opening.find(b">", position)
    return attributes, len(opening) if end < 0 else end


def _label_in_attributes(attributes: dict[bytes, bytes]) -> bytes:
    if b"charset" in attributes:
        return attributes[b"charset"].strip(_BLANKS)
    content = attributes.get(b"content", b"")
    begin = _CHARSET_IN_CONTENT.search(content)
    if attributes.get(b"http-equiv") != b"content-type" or begin is None:
        return b""
    label = _LABEL_IN_CONTENT.match(content, begin.end())
    return (label["quoted"] or label["bare"] or b"").strip(_BLANKS) if label else b""
