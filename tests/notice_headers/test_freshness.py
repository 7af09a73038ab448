"""How long a forwarded answer may be kept before the cutover, judged by another reading of RFC 9111 and RFC 5861."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.wire.freshness import LONGEST_GUESS, capped
from proxy.wire.head import Header

NOW = datetime(2024, 12, 30, 23, tzinfo=UTC)
CUTOVER = NOW + timedelta(hours=1)


def date(seconds: float) -> bytes:
    """An HTTP-date so long after now."""
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True).encode()


def cut(*headers: Header, method: bytes = b"GET", status: int = 200, left: int = 3600) -> list[Header]:
    return capped(headers, method, status, NOW, NOW + timedelta(seconds=left))


@pytest.mark.parametrize(
    ("said", "left", "expected"),
    [
        (b"max-age=60", 3600, b"max-age=60"),
        (b"max-age=3600", 3600, b"max-age=3600"),
        (b"max-age=3601", 3600, b"max-age=3600"),
        (b"max-age=31536000, immutable", 3600, b"max-age=3600, immutable"),
        (b"public,max-age=86400,s-maxage=600", 3600, b"public,max-age=3600,s-maxage=600"),
        (b"private, Max-Age = 86400", 3600, b"private, Max-Age = 3600"),
        (b'max-age="86400"', 3600, b'max-age="3600"'),
        (b"max-age=" + b"9" * 5000, 3600, b"max-age=3600"),
        (b"max-age=+86400", 3600, b"max-age=+3600"),
        (b"max-age=86400, max-age=60", 3600, b"max-age=3600, max-age=60"),
        (b"max-age=60", 0, b"max-age=0"),
        (b"max-age=60", -5, b"max-age=0"),
        (b"max-age=-1", 3600, b"max-age=-1"),
        (b"max-age=", 3600, b"max-age="),
        (b"no-store", 3600, b"no-store"),
        (b"no-cache, max-age=0", 3600, b"no-cache, max-age=0"),
        (b"no-store, max-age=86400", 3600, b"no-store, max-age=3600"),
        (b'private="x, max-age=86400", max-age=60', 3600, b'private="x, max-age=86400", max-age=60'),
        (b"x-max-age=86400, max-age=60", 3600, b"x-max-age=86400, max-age=60"),
        (b"max-age=600, stale-while-revalidate=60", 3600, b"max-age=600, stale-while-revalidate=60"),
        (b"max-age=600, stale-while-revalidate=86400", 3600, b"max-age=600, stale-while-revalidate=3000"),
        (b"stale-if-error=86400, max-age=86400", 3600, b"stale-if-error=0, max-age=3600"),
        (b"no-cache, stale-if-error=86400", 3600, b"no-cache, stale-if-error=3600"),
        (b"max-age=60, s-maxage=3000, stale-if-error=86400", 3600, b"max-age=60, s-maxage=3000, stale-if-error=600"),
    ],
)
def test_lifetimes_end_at_the_cutover(said: bytes, left: int, expected: bytes) -> None:
    assert cut((b"Cache-Control", said), left=left) == [(b"Cache-Control", expected)]


@pytest.mark.parametrize("name", [b"CDN-Cache-Control", b"cloudflare-cdn-cache-control", b"Surrogate-Control"])
def test_lifetimes_for_one_kind_of_caches_end_there_too(name: bytes) -> None:
    headers = ((name, b"max-age=86400"), (b"Cache-Control", b"max-age=60, stale-if-error=60"))
    assert cut(*headers) == [(name, b"max-age=3600"), (b"Cache-Control", b"max-age=60, stale-if-error=0")]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (date(60), date(60)),
        (date(3600), date(3600)),
        (date(3601), date(3600)),
        (date(10**8), date(3600)),
        (b"Friday, 31-Dec-27 23:59:59 GMT", date(3600)),
        (b"Fri Dec 31 23:59:59 2027", date(3600)),
        (date(-60), date(-60)),
        (b"0", b"0"),
        (b"-1", b"-1"),
        (b"never", b"never"),
        (b"", b""),
        (b"\xe4", b"\xe4"),
    ],
)
def test_an_answer_expires_at_the_cutover(said: bytes, expected: bytes) -> None:
    assert cut((b"Expires", said)) == [(b"Expires", expected)]


def test_a_cutover_within_a_second_is_not_rounded_up() -> None:
    until = NOW + timedelta(seconds=59, microseconds=999_999)
    headers = [(b"Cache-Control", b"max-age=3600"), (b"Expires", date(3600))]
    assert capped(headers, b"GET", 200, NOW, until) == [(b"Cache-Control", b"max-age=59"), (b"Expires", date(59))]


OLD = (b"Last-Modified", date(-365 * 86400))
GUESS = (b"Cache-Control", b"max-age=3600")


@pytest.mark.parametrize(
    ("headers", "status", "left", "added"),
    [
        ((OLD,), 200, 3600, GUESS),
        ((OLD,), 404, 3600, GUESS),
        ((OLD,), 200, 30 * 86400, (b"Cache-Control", b"max-age=%d" % LONGEST_GUESS)),
        ((OLD,), 200, 40 * 86400, None),  # nobody guesses that long
        (((b"Last-Modified", date(-3600)),), 200, 3600, None),
        ((), 200, 3600, None),
        ((OLD,), 302, 3600, None),
        ((OLD, (b"Cache-Control", b"public")), 302, 3600, GUESS),
        ((OLD,), 500, 3600, None),
        ((), 301, 3600, GUESS),
        ((), 308, 30 * 86400, (b"Cache-Control", b"max-age=%d" % LONGEST_GUESS)),
        ((), 410, 3600, GUESS),
        (((b"Set-Cookie", b"a=b"),), 301, 3600, (b"Cache-Control", b"private, max-age=3600")),
        (((b"Cache-Control", b"private"),), 301, 3600, GUESS),
        (((b"Cache-Control", b"s-maxage=60"),), 301, 3600, GUESS),
        (((b"Cache-Control", b'no-cache="Set-Cookie"'),), 301, 3600, GUESS),
        (((b"Cache-Control", b'x="a, max-age=60"'),), 301, 3600, GUESS),
        (((b"Cache-Control", b"max-age=60"), OLD), 301, 3600, None),
        (((b"Cache-Control", b'max-age="60"'), OLD), 301, 3600, None),
        (((b"Cache-Control", b"no-store"), OLD), 301, 3600, None),
        (((b"Cache-Control", b"private"), (b"Cache-Control", b"no-cache"), OLD), 301, 3600, None),
        (((b"Expires", date(60)), OLD), 301, 3600, None),
        (((b"Expires", b"0"), OLD), 301, 3600, None),
        (((b"Pragma", b"no-cache"), OLD), 301, 3600, None),
    ],
)
def test_a_lifetime_is_named_only_where_caches_would_guess_too_long_a_one(
    headers: tuple[Header, ...], status: int, left: int, added: Header | None
) -> None:
    assert cut(*headers, status=status, left=left) == [*headers, *([added] if added else [])]


def test_what_no_cache_keeps_unasked_is_not_made_to_keep() -> None:
    assert cut(OLD, method=b"POST") == [OLD]


def test_other_fields_stay_as_they_are() -> None:
    headers = [
        (b"Age", b"99999"),
        (b"X-Max", b"max-age=99999"),
        (b"Set-Cookie", b"a=b; max-age=99999"),
        (b"Cache-Control", b"no-store"),
    ]
    assert cut(*headers) == headers


# How long a cache may use an answer, as the standards say it

KINDS = {"browser": ["max-age"], "shared": ["s-maxage", "max-age"]}


def times(headers: list[Header]) -> dict[str, int]:
    directives: dict[str, int] = {}
    for name, value in headers:
        if name == b"Cache-Control":
            for one in value.decode().split(","):
                key, _, number = one.strip().partition("=")
                directives.setdefault(key, int(number or 0))
    return directives


def fresh_for(headers: list[Header], status: int, kind: str) -> float:
    """Seconds from now."""
    directives = times(headers)
    if {"no-store", "no-cache"} & set(directives):
        return 0
    if kind == "shared" and "private" in directives:
        return 0
    for name in KINDS[kind]:
        if name in directives:
            return directives[name]
    fields = dict(headers)
    if b"Expires" in fields:
        return (parsedate_to_datetime(fields[b"Expires"].decode()) - NOW).total_seconds()
    if status == 301:
        return inf
    modified = fields.get(b"Last-Modified")
    if modified is None or status == 302:
        return 0
    return (NOW - parsedate_to_datetime(modified.decode())).total_seconds() / 10


def used_for(headers: list[Header], status: int, kind: str) -> float:
    """Seconds from now, with what a stale answer may stand in for."""
    directives = times(headers)
    if "no-store" in directives:
        return 0
    stands_in = max(directives.get("stale-while-revalidate", 0), directives.get("stale-if-error", 0))
    return max(0, fresh_for(headers, status, kind)) + stands_in


SECONDS = st.integers(0, 10_000)
DIRECTIVES = st.one_of(
    st.sampled_from([b"private", b"no-cache", b"no-store", b"must-revalidate", b"immutable"]),
    st.builds(
        lambda name, seconds: b"%b=%d" % (name, seconds),
        st.sampled_from([b"max-age", b"s-maxage", b"stale-while-revalidate", b"stale-if-error"]),
        SECONDS,
    ),
)
ANSWERS = st.builds(
    lambda directives, expires, modified: [
        *([(b"Cache-Control", b", ".join(directives))] if directives else []),
        *([(b"Expires", date(expires - 5000))] if expires else []),
        *([(b"Last-Modified", date(-modified * 20))] if modified else []),
    ],
    st.lists(DIRECTIVES, max_size=4, unique_by=lambda one: one.partition(b"=")[0]),
    st.none() | SECONDS,
    st.none() | SECONDS,
)


@settings(deadline=None, max_examples=500)
@given(ANSWERS, st.sampled_from([200, 301, 302]), st.integers(-10, 9_000), st.sampled_from(sorted(KINDS)))
def test_no_cache_uses_an_answer_past_the_cutover_or_for_longer_than_it_would_have(
    headers: list[Header], status: int, left: int, kind: str
) -> None:
    after = cut(*headers, status=status, left=left)
    assert used_for(after, status, kind) <= max(0, left)
    assert fresh_for(after, status, kind) <= max(0, fresh_for(headers, status, kind))
    assert used_for(after, status, kind) <= used_for(headers, status, kind)
    assert capped(after, b"GET", status, NOW, NOW + timedelta(seconds=left)) == after


@settings(deadline=None)
@given(st.sampled_from([b"Cache-Control", b"Expires", b"Last-Modified", b"CDN-Cache-Control"]), st.binary(max_size=40))
def test_no_field_raises(name: bytes, value: bytes) -> None:
    cut((name, value), (b"Cache-Control", b"max-age=" + value))
