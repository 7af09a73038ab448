"""Where the old site runs (rule-file keys `origin`, `origin_networks` and `origin_tls`)."""

from __future__ import annotations

import re
import ssl
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network

from proxy.core.model import Origin
from proxy.core.url import parse_host
from proxy.rulebook.refusal import Refusal

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::([0-9]{1,5}))?")
_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65535

ORIGIN_PATTERN = r"^https?://[^/?#@\s]+/?$"


def parse_origin(text: str) -> Origin:
    """Scheme, host and port. Raises `Refusal`."""
    url = _URL.fullmatch(text)
    if url is None:
        raise Refusal("bad-origin", 'an origin is written as "https://legacy.example:8443"')
    scheme, authority, rest = url.groups()
    if scheme not in _PORTS:
        raise Refusal("bad-origin", f'the scheme is "{scheme}"; an origin is asked by "https" or "http"')
    if "@" in authority:
        raise Refusal(
            "bad-origin", "an origin has no user; a password does not belong into a rule file", len(scheme) + 3
        )
    if rest not in {"", "/"}:
        message = "an origin has no path: every path is sent on as it came"
        raise Refusal("bad-origin", message, len(scheme) + 3 + len(authority))
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise Refusal("bad-origin", f'"{authority}" is not a host, nor a host and a port', len(scheme) + 3)
    port = int(match[2]) if match[2] else _PORTS[scheme]
    if not 0 < port <= _MAX_PORT:
        raise Refusal("bad-origin", f"{port} is not a port", len(scheme) + 4 + len(match[1]))
    return Origin(scheme, _parse_name(match[1], len(scheme) + 3), port)


def parse_network(text: str) -> IPv4Network | IPv6Network:
    """A network. Raises `Refusal`."""
    try:
        return ip_network(text)
    except ValueError as error:
        raise Refusal("bad-network", f"{error}; write a network as 10.0.0.0/8 or fd00::/8") from None


def parse_authorities(content: bytes) -> str:
    """The certificates of a PEM file. Raises `Refusal`."""
    try:
        text = content.decode("ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (UnicodeDecodeError, ValueError, ssl.SSLError):
        raise Refusal("bad-ca", "this file holds no certificate in PEM, or one that is damaged") from None
    return text


def _parse_name(text: str, offset: int) -> str:
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError:
            raise Refusal("bad-origin", f'"{text}" is not an IPv6 address', offset) from None
    name = parse_host(text.encode()) if text.isascii() else None
    if name is None:
        raise Refusal("bad-origin", f'"{text}" is not a host name in ASCII', offset)
    return name.decode()
