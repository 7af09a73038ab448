"""Where redirects may lead, and what captures may do there."""

import pytest

from proxy.core.target import TargetError, is_listed, parse_target

HOME = parse_target("https://www.mi.com/uk")


@pytest.mark.parametrize(
    ("written", "captures", "query", "location"),
    [
        ("https://www.mi.com", {}, None, b"https://www.mi.com/"),
        ("https://www.mi.com/uk", {}, b"a=1", b"https://www.mi.com/uk?a=1"),
        ("https://www.mi.com?x=1", {}, b"a=1", b"https://www.mi.com/?x=1&a=1"),
        ("https://www.mi.com/x#top", {}, b"a=1", b"https://www.mi.com/x?a=1#top"),
        ("https://www.mi.com:443/x", {}, None, b"https://www.mi.com/x"),
        ("https://www.mi.com:8443/x", {}, None, b"https://www.mi.com:8443/x"),
        ("/uk/a b/é", {}, None, b"https://www.mi.com/uk/a%20b/%C3%A9"),
        ("/s/{topic}/", {"topic": b"faq%2Fx"}, None, b"https://www.mi.com/s/faq%2Fx/"),
        ("/s/{*}", {"*": b"/evil.example"}, None, b"https://www.mi.com/s//evil.example"),
        ("/{*}", {"*": b"/evil.example"}, None, b"https://www.mi.com//evil.example"),
        ("/?q={1}", {"1": b"a&b=c+d%26"}, None, b"https://www.mi.com/?q=a%26b%3Dc%2Bd%26"),
        ("/?q={1}", {"1": b"a"}, b"", b"https://www.mi.com/?q=a"),
        ("https://{*host}.mi.com/x", {"*host": b"a.b"}, None, b"https://a.b.mi.com/x"),
    ],
)
def test_a_target_becomes_a_location(
    written: str, captures: dict[str, bytes], query: bytes | None, location: bytes
) -> None:
    assert parse_target(written, HOME).render(captures, query) == location


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("www.mi.com/x", "whole URL"),
        ("//www.mi.com/x", "would name a host"),
        ("ftp://www.mi.com/", "scheme"),
        ("javascript:alert(1)", "whole URL"),
        ("https:///x", "needs a host"),
        ("https://user@www.mi.com/", "user"),
        ("https://www.mi.com@evil.example/", "user"),
        ("https://WWW.mi.com/", "lower case"),
        ("https://mí.com/", "punycode"),
        ("https://www.mi.com\\.evil.example/", "not a host"),
        ("https://www.mi.com:99999/", "not a host"),
        ("https://www.mi.com./", "not a host"),
        ("https://{region}.mi.com/", "fixed"),
        ("https://www.mi.com{*host}/", "fixed"),
        ("/a{b", "brace"),
        ("/a\nb", "control"),
        ("/a\x7f", "control"),
    ],
)
def test_what_cannot_be_a_target_is_refused(written: str, complaint: str) -> None:
    with pytest.raises(TargetError, match=complaint):
        parse_target(written, HOME)


def test_a_path_alone_needs_a_home() -> None:
    with pytest.raises(TargetError, match="moves_to"):
        parse_target("/x")


@pytest.mark.parametrize(
    ("host", "listed"),
    [
        ("www.mi.com", True),
        ("mi.com", False),
        ("evilmi.co.id", False),
        ("www.mi.co.id", True),
        ("a.b.mi.co.id", True),
        ("mi.co.id", False),
        ("{*host}.mi.co.id", True),
        ("{*host}.mi.com", False),
        ("www.mi.com.evil.example", False),
    ],
)
def test_only_listed_hosts_are_targets(host: str, *, listed: bool) -> None:
    assert is_listed(host, ["www.mi.com", "*.mi.co.id"]) is listed
