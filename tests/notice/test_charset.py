"""Which pages a notice in ASCII can be put into, by what they and their headers say of their charset."""

import pytest
from html5lib._inputstream import HTMLBinaryInputStream
from hypothesis import given, settings
from hypothesis import strategies as st
from webencodings.labels import LABELS

from proxy.wire.charset import OPENING_BYTES, is_ascii_based
from proxy.wire.notice import Outcome
from tests.notice.judges import NOTICE, injected

OTHER = {"utf-16le", "utf-16be", "iso-2022-jp", "replacement"}

BY_FIELD = [
    (b"text/html; charset=utf-8", True),
    (b"text/html;charset=UTF-8", True),
    (b'text/html; charset="utf-8"', True),
    (b"text/html; a=b; charset=windows-1252", True),
    (b"text/html; charset=shift_jis", True),
    (b"text/html; charset=gb18030; charset=utf-16", True),
    (b"text/html; charset=iso-2022-jp", False),
    (b"text/html; charset=ISO-2022-JP", False),
    (b"text/html; charset=hz-gb-2312", False),
    (b"text/html; charset=utf-16", False),
    (b"text/html; charset=UTF-16LE", False),
    (b"text/html; charset=ucs-2", False),
    (b"text/html; charset=utf-32", False),
    (b"text/html; charset=utf-7", False),
    (b"text/html; charset=ebcdic-cp-us", False),
    (b"text/html; charset=nonsense", False),
    (b"text/html; charset=", True),
    (b'text/html; charset=""', True),
    (b"text/html; xcharset=utf-16", True),
    (b"text/html", True),
    (b"", True),
]

BY_PAGE = [
    (b"<meta charset=utf-8>", True),
    (b"<meta charset=iso-2022-jp>", False),
    (b"<META CHARSET=ISO-2022-JP>", False),
    (b"<meta charset='iso-2022-jp'>", False),
    (b'<meta charset=" iso-2022-jp ">', False),
    (b"<meta/charset=iso-2022-jp>", False),
    (b"<meta\ncharset\n=\niso-2022-jp\n>", False),
    (b"<meta name=a charset=iso-2022-jp>", False),
    (b"<meta name='>' charset=iso-2022-jp>", False),
    (b"<meta charset=hz-gb-2312>", False),
    (b"<meta charset=utf-16>", True),
    (b"<meta charset=utf-16be>", True),
    (b"<meta charset=x-user-defined>", True),
    (b"<meta charset=nonsense>", True),
    (b"<meta charset=nonsense><meta charset=iso-2022-jp>", False),
    (b"<meta charset=utf-8><meta charset=iso-2022-jp>", True),
    (b"<meta charset=utf-8 charset=iso-2022-jp>", True),
    (b"<meta charset=nonsense http-equiv=content-type content='text/html; charset=iso-2022-jp'>", True),
    (b"<meta http-equiv=content-type content='text/html; charset=iso-2022-jp'>", False),
    (b"<meta content='text/html; charset=iso-2022-jp' http-equiv=Content-Type>", False),
    (b"<meta http-equiv=content-type content='text/html; charset = \"iso-2022-jp\"'>", False),
    (b"<meta http-equiv=content-type content='charset=iso-2022-jp;x'>", False),
    (b"<meta http-equiv=content-type content='charset charset=iso-2022-jp'>", False),
    (b"<meta http-equiv=content-type content='charset=\"iso-2022-jp'>", True),
    (b"<meta http-equiv=content-type content='text/html; iso-2022-jp'>", True),
    (b"<meta http-equiv=refresh content='charset=iso-2022-jp'>", True),
    (b"<meta content='charset=iso-2022-jp'>", True),
    (b"<metax charset=iso-2022-jp>", True),
    (b"<!-- <meta charset=iso-2022-jp> -->", True),
    (b"<!--><meta charset=iso-2022-jp>", False),
    (b"<!-- <meta charset=iso-2022-jp>", True),
    (b"<!x '><meta charset=iso-2022-jp>", False),
    (b"<?x <meta charset=iso-2022-jp>", True),
    (b"</x a='<meta charset=iso-2022-jp>'>", True),
    (b"<x a='<meta charset=iso-2022-jp>'>", True),
    (b'<x a="<meta charset=iso-2022-jp>', True),
    (b"<script>'<meta charset=iso-2022-jp>'</script>", False),
    (b"<title><meta charset=iso-2022-jp></title>", False),
    (b"<body><p>x<meta charset=iso-2022-jp>", False),
    (b"<meta charset=iso-2022-jp", True),
    (b"<meta charset='iso-2022-jp>", True),
    (b" " * (OPENING_BYTES - 26) + b"<meta charset=iso-2022-jp>", False),
    (b" " * (OPENING_BYTES - 25) + b"<meta charset=iso-2022-jp>", True),
    (b'<?xml version="1.0" encoding="iso-2022-jp"?>', False),
    (b"<?xml version='1.0' encoding = 'iso-2022-jp'?>", False),
    (b'<?xml version="1.0" encoding="utf-8"?>', True),
    (b'<?xml version="1.0" encoding="utf-16"?>', True),
    (b'<?xml version="1.0" encoding="iso-2022-jp"?><meta charset=utf-8>', True),
    (b' <?xml version="1.0" encoding="iso-2022-jp"?>', True),
    (b"\xef\xbb\xbf<meta charset=iso-2022-jp>", True),
    ("\ufeff<meta charset=utf-8>".encode("utf-16-le"), False),
    ("\ufeff<meta charset=utf-8>".encode("utf-16-be"), False),
    ('<?xml version="1.0"?>'.encode("utf-16-le"), False),
    ('<?xml version="1.0"?>'.encode("utf-16-be"), False),
    (b"", True),
]


@pytest.mark.parametrize(("content_type", "expected"), BY_FIELD)
def test_the_field_says(content_type: bytes, expected: bool) -> None:
    assert is_ascii_based(content_type, b"<!doctype html>", whole=True) is expected


def test_the_field_goes_before_the_page_and_a_mark_before_both() -> None:
    page = b"<meta charset=iso-2022-jp>"
    assert is_ascii_based(b"text/html; charset=utf-8", page, whole=False) is True
    assert is_ascii_based(b"text/html; charset=utf-16", b"<meta charset=utf-8>", whole=False) is False
    assert is_ascii_based(b"text/html; charset=utf-16", b"\xef\xbb\xbf<p>", whole=False) is True
    assert is_ascii_based(b"text/html; charset=utf-8", b"\xfe\xff\0<", whole=False) is False


@pytest.mark.parametrize(
    ("content_type", "opening"),
    [
        (b"text/html; charset=utf-8", b""),
        (b"text/html; charset=utf-8", b"\xef\xbb"),
        (b"text/html; charset=utf-8", b"\xff"),
        (b"text/html", b"<!doctype html><title>x</title>"),
        (b"text/html", b"<meta charset=utf-8"),
        (b"text/html", b"<p>" * (OPENING_BYTES // 3)),
    ],
)
def test_it_takes_more_of_the_page(content_type: bytes, opening: bytes) -> None:
    assert is_ascii_based(content_type, opening, whole=False) is None
    assert is_ascii_based(content_type, opening, whole=True) is not None


def test_it_takes_no_more_than_the_standard_says() -> None:
    assert is_ascii_based(b"text/html", b"<p>" * (OPENING_BYTES // 3 + 1), whole=False) is True


@pytest.mark.parametrize(("page", "expected"), BY_PAGE)
def test_the_page_says(page: bytes, expected: bool) -> None:
    assert is_ascii_based(b"text/html", page, whole=True) is expected
    for length in range(len(page)):
        assert is_ascii_based(b"text/html", page[:length], whole=False) in {None, expected}, page[:length]


@pytest.mark.parametrize("label", sorted(LABELS))
def test_every_label_of_the_standard_is_known(label: str) -> None:
    name = LABELS[label]
    assert is_ascii_based(f"text/html; charset={label}".encode(), b"<p>", whole=True) is (name not in OTHER)


@pytest.mark.parametrize("label", sorted(LABELS))
def test_every_label_is_known_in_a_page_too(label: str) -> None:
    """But for those of UTF-16, which stand for UTF-8 there."""
    expected = LABELS[label] not in OTHER or LABELS[label].startswith("utf-16")
    page = f"<!doctype html><meta charset={label.upper()}><p>".encode()
    assert is_ascii_based(b"text/html", page, whole=True) is expected
    assert is_ascii_based(b"text/html", page.ljust(2 * OPENING_BYTES), whole=False) is expected


charset_attributes = st.sampled_from(
    [b"charset=utf-8", b"charset='iso-2022-jp'", b"charset = utf-16", b'CHARSET="ISO-2022-JP"', b"charset=nonsense"],
)
content_attributes = st.tuples(
    st.sampled_from([b"http-equiv=content-type", b'HTTP-EQUIV="Content-Type"', b"http-equiv=refresh", b"a"]),
    st.sampled_from([b"content='text/html; charset=iso-2022-jp'", b"content=charset=utf-8", b'content="charset"']),
)
attributes = st.tuples(
    st.sampled_from([b"name='>'", b'b="<meta charset=iso-2022-jp>"', b"c", b"d="]),
    st.one_of(charset_attributes.map(lambda one: (one,)), content_attributes),
).map(lambda both: [both[0], *both[1]])
tags = st.builds(
    lambda name, items: b"<" + b" ".join([name, *items, b">"]),
    st.sampled_from([b"meta", b"META", b"meta", b"p"]),
    attributes.flatmap(st.permutations),
)
others = st.sampled_from(
    [b"<!-- <meta charset=iso-2022-jp> -->", b"<!x <meta charset=iso-2022-jp>", b"a > b", b"<?x a='>'?>"]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.one_of(tags, tags, others), max_size=6).map(b"".join))
def test_html5lib_finds_the_same_in_whole_tags(page: bytes) -> None:
    """With others it leaves the standard: it ends a value at `<`, for one, and takes the last of two attributes."""
    found = HTMLBinaryInputStream(page, useChardet=False).charEncoding[0].name
    assert is_ascii_based(b"", page, whole=True) is (found not in OTHER)


@pytest.mark.parametrize(
    "charset", ["utf-8", "windows-1252", "shift_jis", "euc-jp", "gb18030", "big5", "euc-kr", "koi8-r", "cp866"]
)
def test_text_around_the_notice_stays_what_it_was(charset: str) -> None:
    codec = {"koi8-r": "привет", "cp866": "привет", "windows-1252": "é", "euc-kr": "한국"}.get(charset, "日本表")
    page = f"<!doctype html><title>{codec}</title><body>{codec}".encode(charset)
    outcome, out = injected(page, content_type=f"text/html; charset={charset}".encode())
    assert outcome is Outcome.INJECTED
    assert out.decode(charset) == f"<!doctype html><title>{codec}</title><body>{NOTICE.decode()}{codec}"


@pytest.mark.parametrize(
    ("content_type", "page"),
    [
        (b"text/html", "\ufeff<!doctype html><body>x".encode("utf-16-le")),
        (b"text/html", "\ufeff<!doctype html><body>x".encode("utf-16-be")),
        (b"text/html; charset=utf-16le", "<!doctype html><body>x".encode("utf-16-le")),
        (b"text/html; charset=iso-2022-jp", "<!doctype html><title>日本</title><body>x".encode("iso-2022-jp")),
        (b"text/html", "<!doctype html><meta charset=iso-2022-jp><title>日本</title><body>x".encode("iso-2022-jp")),
        (b"text/html; charset=hz-gb-2312", b"<!doctype html><body>~{<:~}"),
        (b"text/html; charset=cp037", "<!doctype html><body>x".encode("cp037")),
        (b"text/html; charset=utf-32", "<!doctype html><body>x".encode("utf-32")),
        (b"text/html; charset=utf-7", b"<!doctype html><body>+AGE-"),
    ],
)
def test_other_charsets_go_through_as_they_are(content_type: bytes, page: bytes) -> None:
    for cuts in ((), range(1, len(page)), (1,), (2,), (3,)):
        assert injected(page, *cuts, content_type=content_type) == (Outcome.CHARSET, page)


def test_undeclared_utf16_and_iso_2022_jp_go_through_as_they_are() -> None:
    for codec in ("utf-16-le", "utf-16-be", "iso-2022-jp"):
        page = "<!doctype html><title>日本</title><body>x".encode(codec)
        assert injected(page, content_type=b"text/html") == (Outcome.DOUBTFUL, page)


def test_the_notice_goes_behind_the_byte_order_mark() -> None:
    page = b"\xef\xbb\xbf<p>x"
    assert injected(page, content_type=b"text/html") == (Outcome.INJECTED, b"\xef\xbb\xbf" + NOTICE + b"<p>x")
    assert injected(page, *range(1, len(page))) == (Outcome.INJECTED, b"\xef\xbb\xbf" + NOTICE + b"<p>x")


@pytest.mark.parametrize("length", [0, 500, OPENING_BYTES - 20, OPENING_BYTES, 3 * OPENING_BYTES])
def test_an_opening_without_a_charset_comes_out_the_same_wherever_it_is_cut(length: int) -> None:
    page = b"<!doctype html><!--" + b"x" * length + b"--><meta charset=utf-8><body>x"
    whole = injected(page, content_type=b"text/html")
    assert whole[0] is Outcome.INJECTED
    for cut in (1, 100, OPENING_BYTES - 1, OPENING_BYTES, OPENING_BYTES + 1, len(page) - 1):
        assert injected(page, min(cut, len(page)), content_type=b"text/html") == whole
