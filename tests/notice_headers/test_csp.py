"""A page's policy with the banner's style allowed in it, judged by another reading of CSP Level 3."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.wire.banner_style import STYLE_SOURCE
from proxy.wire.csp import with_style

OURS = b"'sha256-T3Vycw=='"
OTHER = "'sha256-T3RoZXI='"


def allowing(policy: str) -> str:
    headers = with_style([(b"Content-Security-Policy", policy.encode())], OURS)
    assert headers is not None
    return headers[0][1].decode()


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("style-src 'self'", "style-src 'self' HASH"),
        ("style-src 'self'; img-src *", "style-src 'self' HASH; img-src *"),
        ("style-src-elem 'self'; style-src 'none'", "style-src-elem 'self' HASH; style-src 'none'"),
        ("default-src 'self'; style-src cdn.example", "default-src 'self'; style-src cdn.example HASH"),
        ("default-src 'self' https:", "default-src 'self' https:; style-src 'self' https: HASH"),
        ("default-src 'self';", "default-src 'self'; style-src 'self' HASH"),
        ("default-src 'none'; script-src x", "default-src 'none'; script-src x; style-src HASH"),
        ("style-src 'none'", "style-src HASH"),
        ("style-src 'NONE'", "style-src HASH"),
        ("style-src", "style-src HASH"),
        ("style-src;img-src x", "style-src HASH;img-src x"),
        ("STYLE-SRC 'self'", "STYLE-SRC 'self' HASH"),
        ("style-src 'self'; style-src *", "style-src 'self' HASH; style-src *"),
        ("style-src 'nonce-abc' 'unsafe-inline'", "style-src 'nonce-abc' 'unsafe-inline' HASH"),
        ("style-src 'sha512-abc=' 'unsafe-inline'", "style-src 'sha512-abc=' 'unsafe-inline' HASH"),
        ("default-src 'unsafe-hashes'", "default-src 'unsafe-hashes'; style-src 'unsafe-hashes' HASH"),
        (" ;; style-src  a ; ", " ;; style-src a HASH; "),
        ("style-src a, style-src b", "style-src a HASH, style-src b HASH"),
        ("default-src a,img-src b", "default-src a; style-src a HASH,img-src b"),
    ],
)
def test_the_hash_is_added_to_what_governs_style_elements(policy: str, expected: str) -> None:
    assert allowing(policy) == expected.replace("HASH", OURS.decode())


@pytest.mark.parametrize(
    "policy",
    [
        "",
        "img-src 'self'",
        "script-src 'none'; frame-ancestors 'none'; sandbox",
        "style-src 'unsafe-inline'",
        "style-src 'self' 'Unsafe-Inline'",
        "style-src 'unsafe-inline' 'nonce-'",  # no nonce, so it does not switch the other off
        "default-src * 'unsafe-inline'",
        "style-src-elem 'unsafe-inline'; style-src 'none'",
        f"style-src {OURS.decode()}",
        "style-src-attr 'none'",
        "upgrade-insecure-requests",
    ],
)
def test_a_policy_that_allows_it_anyhow_stays_as_it_is(policy: str) -> None:
    assert allowing(policy) == policy


def test_every_policy_has_to_agree_and_all_else_stays() -> None:
    headers = [
        (b"Content-Type", b"text/html"),
        (b"content-security-policy", b"style-src 'self'"),
        (b"Content-Security-Policy-Report-Only", b"style-src 'self'"),
        (b"Content-Security-Policy", b"default-src 'none'"),
    ]
    assert with_style(headers, OURS) == [
        headers[0],
        (b"content-security-policy", b"style-src 'self' " + OURS),
        headers[2],
        (b"Content-Security-Policy", b"default-src 'none'; style-src " + OURS),
    ]


def test_an_answer_without_a_policy_stays_as_it_is() -> None:
    assert with_style([(b"Content-Type", b"text/html")], OURS) == [(b"Content-Type", b"text/html")]


@pytest.mark.parametrize("policy", [b"style-src 'self' \xe4.example", b"style-src\x0b'self'", b"style-src \x7f"])
def test_a_policy_that_is_no_ascii_is_left_and_no_style_used(policy: bytes) -> None:
    assert with_style([(b"Content-Security-Policy", policy)], OURS) is None


def test_allowing_twice_is_allowing_once() -> None:
    once = with_style([(b"Content-Security-Policy", b"default-src 'self'")], STYLE_SOURCE)
    assert once is not None
    assert with_style(once, STYLE_SOURCE) == once


# What a policy allows, as the standard says it


@dataclass(frozen=True)
class Wanted:
    """Something that a page wants to use: `directives` are asked in their order."""

    directives: tuple[str, ...]
    kind: str
    value: str = ""
    nonce: str = ""


ELEMENT = ("style-src-elem", "style-src", "default-src")
ATTRIBUTE = ("style-src-attr", "style-src", "default-src")
OUR_STYLE = Wanted(ELEMENT, "inline", OURS.decode())
EVERYTHING_ELSE = [
    *(Wanted(ELEMENT, "inline", OTHER, nonce) for nonce in ("", "'nonce-abc'", "'nonce-xyz'")),
    Wanted(ATTRIBUTE, "attribute", OTHER),
    *(Wanted(ELEMENT, "url", url) for url in ("'self'", "cdn.example", "elsewhere.example")),
    *(
        Wanted(("script-src-elem", "script-src", "default-src"), "inline", OTHER, nonce)
        for nonce in ("", "'nonce-abc'")
    ),
    Wanted(("script-src-elem", "script-src", "default-src"), "inline", OURS.decode()),
    *(Wanted(("img-src", "default-src"), "url", url) for url in ("'self'", "cdn.example", "elsewhere.example")),
]


def directives_of(policy: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in policy.split(";"):
        name, *sources = text.split() or [""]
        if name:
            found.setdefault(name.lower(), sources)
    return found


def allows_one(policy: str, wanted: Wanted) -> bool:
    directives = directives_of(policy)
    sources = next((directives[name] for name in wanted.directives if name in directives), None)
    if sources is None:
        return True
    listed = {source.lower() if not source.startswith(("'nonce", "'sha")) else source for source in sources}
    if wanted.kind == "url":
        return bool(listed & {wanted.value, "*"})
    limited = any(source.startswith(("'nonce-", "'sha")) for source in listed)
    if "'unsafe-inline'" in listed and not limited:
        return True
    if wanted.kind == "attribute" and "'unsafe-hashes'" not in listed:
        return False
    return wanted.value in listed or (wanted.kind == "inline" and wanted.nonce in listed)


def allows(policies: str, wanted: Wanted) -> bool:
    return all(allows_one(policy, wanted) for policy in policies.split(","))


KEYWORDS = ["'self'", "'none'", "'unsafe-inline'", "'UNSAFE-INLINE'", "'unsafe-hashes'", "'strict-dynamic'"]
SOURCES = st.lists(
    st.sampled_from([*KEYWORDS, "*", "cdn.example", "'report-sample'", "'nonce-abc'", OTHER, OURS.decode()]),
    max_size=4,
)
NAMES = st.sampled_from(
    [
        "default-src",
        "Default-Src",
        "style-src",
        "style-src",
        "style-src-elem",
        "style-src-attr",
        "script-src",
        "img-src",
        "sandbox",
    ]
)


@st.composite
def policy_lists(draw: st.DrawFn) -> str:
    def written() -> Iterator[str]:
        for _ in range(draw(st.integers(0, 4))):
            yield draw(st.sampled_from(["", " ", "  "])) + " ".join([draw(NAMES), *draw(SOURCES)])

    return ",".join(draw(st.sampled_from([";", "; ", " ;;"])).join(written()) for _ in range(draw(st.integers(1, 3))))


@settings(deadline=None, max_examples=500)
@given(policy_lists())
def test_the_style_is_allowed_and_of_all_else_what_was_allowed_before(policies: str) -> None:
    after = allowing(policies)
    assert allows(after, OUR_STYLE)
    for wanted in EVERYTHING_ELSE:
        assert allows(after, wanted) == allows(policies, wanted), wanted
    assert len(after.split(",")) == len(policies.split(","))


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_no_policy_raises(value: bytes) -> None:
    with_style([(b"Content-Security-Policy", value)], OURS)
