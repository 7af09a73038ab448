"""Host names as rule files write them: DNS names in ASCII, `*.` in front for every name below one."""

from __future__ import annotations

import idna

from proxy.core.url import parse_host
from proxy.rulebook.refusal import Refusal

WILDCARD = "*."


def parse_host_name(text: str) -> str:
    """The host in lower case, perhaps with `*.` in front. Raises `Refusal`."""
    if "://" in text:
        raise Refusal("bad-host", f'a host has no scheme: write "{text.split("://", 1)[1].strip("/")}"')
    for mark, what in (("/", "path"), ("?", "query"), ("#", "fragment"), ("@", "user")):
        if mark in text:
            raise Refusal("bad-host", f"a host has no {what}", text.index(mark))
    if text.startswith("[") or text.count(":") > 1:
        raise Refusal("bad-host", "a host is a DNS name here, not an IPv6 address")
    if ":" in text:
        raise Refusal(
            "bad-host",
            f'hosts are compared without their port: write "{text.split(":", maxsplit=1)[0]}"',
            text.index(":"),
        )
    name = text.removeprefix(WILDCARD)
    if "*" in name:
        raise Refusal("bad-host", '"*." stands in front only, for every name below a domain', text.rindex("*"))
    if not name.isascii():
        raise Refusal("bad-host", f"a host is written in ASCII{_punycode(name)}")
    folded = parse_host(name.encode())
    if folded is None or name.endswith("."):
        raise Refusal("bad-host", f'"{text}" is not a host name, as "www.example.com" is')
    return text[: len(text) - len(name)] + folded.decode()


def _punycode(name: str) -> str:
    try:
        return f': write "{idna.encode(name, uts46=True).decode()}"'
    except (idna.IDNAError, UnicodeError):
        return ", in its punycode form (xn--…)"
