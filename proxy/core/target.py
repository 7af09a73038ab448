"""Where a redirect leads: an authority that only the rule file decides, and a path, query and fragment with captures.

A target is parsed once into parts that are either fixed bytes or references to captures, and is never pasted together
as text: scheme and authority are the first fixed part, which ends before the path's slash, so nothing from a request
can reach into them. The one exception, `{*host}`, takes what stood for the `*` of a wildcard host, which is a checked
host name, and puts it in front of a dot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.core.query import append
from proxy.core.url import escape_written, parse_host

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HOST_CAPTURE = "*host"
"""The name of what stood for the `*` of the site's wildcard host."""

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL)
_REFERENCE = re.compile(r"\{(\*host|\*|[A-Za-z_][A-Za-z0-9_]*|[0-9]+)\}")
_IN_QUERY = {0x26: b"%26", 0x2B: b"%2B", 0x3D: b"%3D", 0x23: b"%23"}  # & + = #
_DEFAULT_PORTS = {"http": 80, "https": 443}


class TargetError(ValueError):
    """A target that cannot be one; `offset` counts characters from its beginning."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Reference:
    """A capture in a target. In its query the delimiters of a query are escaped."""

    name: str
    in_query: bool = False


Part = bytes | Reference


class Template:
    """Parts in a row, made ready to be filled again and again."""

    __slots__ = ("references", "text")

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.text = b"".join(part.replace(b"%", b"%%") if isinstance(part, bytes) else b"%b" for part in parts)
        self.references = tuple(part for part in parts if isinstance(part, Reference))

    def fill(self, captures: Mapping[str, bytes]) -> bytes:
        """The whole of it."""
        return self.text % tuple([_value(reference, captures) for reference in self.references])


@dataclass(frozen=True, slots=True)
class Target:
    """A whole URL with references to captures.

    `host` is as written (`{*host}.mi.com` where the host's front is a capture), `authority` is scheme and authority,
    `parts` everything from the path to the fragment, `fragment` the fragment with its `#`.
    """

    scheme: str
    host: str
    authority: tuple[Part, ...]
    parts: tuple[Part, ...]
    fragment: tuple[Part, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The captures that it needs."""
        everything = self.authority + self.parts + self.fragment
        return frozenset(part.name for part in everything if isinstance(part, Reference))

    @property
    def fixed(self) -> bytes | None:
        """The whole of it where no capture is needed, else `None`."""
        return self.render({}, None) if not self.names else None

    def render(self, captures: Mapping[str, bytes], query: bytes | None) -> bytes:
        """The Location, with `query` appended before the fragment."""
        whole = Template(self.authority + self.parts).fill(captures)
        return append(whole, query) + Template(self.fragment).fill(captures)

    def base(self, captures: Mapping[str, bytes]) -> bytes:
        """Authority and path without a trailing slash: what a kept path is put behind."""
        return Template(self.authority + self.parts).fill(captures).removesuffix(b"/")

    def at_path(self, text: str) -> Target:
        """The target on this one's host that `text` describes, a path written by a human.

        Raises `TargetError`.
        """
        if text.startswith("//"):
            raise TargetError('a target that begins with "//" would name a host; write one slash, or "https://…"')
        parts, fragment = _parse_rest(text, 0)
        return Target(self.scheme, self.host, self.authority, parts, fragment)


def parse_target(text: str, home: Target | None = None) -> Target:
    """A target from what a human wrote: a whole URL, or a path on the host of `home` (the site's `moves_to`).

    Raises `TargetError`.
    """
    for position, char in enumerate(text):
        if ord(char) < 0x20 or ord(char) == 0x7F:
            raise TargetError("a control character cannot stand in a target", position)
    if text.startswith("/"):
        if home is None:
            raise TargetError('a path needs a "moves_to" whose host it is on; write a whole URL')
        return home.at_path(text)
    match = _URL.fullmatch(text)
    if match is None:
        raise TargetError('a target is a path that begins with "/", or a whole URL such as "https://www.example.com/"')
    scheme = match["scheme"]
    if scheme not in _DEFAULT_PORTS:
        raise TargetError(f'the scheme is "{scheme}"; a redirect leads to "https" or "http"')
    start = match.start("authority")
    host, authority = _parse_authority(scheme, match["authority"], start)
    parts, fragment = _parse_rest(match["rest"], match.start("rest"))
    return Target(scheme, host, authority, parts, fragment)


def is_listed(host: str, targets: Iterable[str]) -> bool:
    """Whether `targets` lists `host`, as a target names it (`*.mi.com` lists every name below `mi.com`)."""
    front_is_captured = host.startswith("{")
    for listed in targets:
        if listed == host and not front_is_captured:
            return True
        if listed.startswith("*.") and host.endswith(listed[1:]):
            return True
    return False


def _parse_authority(scheme: str, text: str, offset: int) -> tuple[str, tuple[Part, ...]]:
    if "@" in text:
        raise TargetError("a target names no user: what stands before the @ would go to every visitor", offset)
    captured = text.startswith(f"{{{HOST_CAPTURE}}}.")
    rest = text.removeprefix(f"{{{HOST_CAPTURE}}}.") if captured else text
    if "{" in rest or "}" in rest:
        raise TargetError('the host of a target is fixed; only "{*host}." may stand before it', offset)
    if not rest:
        raise TargetError("a target needs a host", offset)
    if not rest.isascii():
        raise TargetError("a host is written in ASCII; write its punycode form (xn--…)", offset)
    if rest != rest.lower():
        raise TargetError(f'a host is written in lower case: "{rest.lower()}"', offset)
    name = parse_host(rest.encode())
    if name is None or rest.endswith((".", ":")):
        raise TargetError(f'"{rest}" is not a host', offset)
    host_and_port = rest.encode().removesuffix(b":%d" % _DEFAULT_PORTS[scheme])
    prefix = f"{scheme}://".encode()
    if captured:
        return f"{{{HOST_CAPTURE}}}.{name.decode()}", (prefix, Reference(HOST_CAPTURE), b"." + host_and_port)
    return name.decode(), (prefix + host_and_port,)


def _parse_rest(text: str, offset: int) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    before, mark, fragment = text.partition("#")
    path, question, query = before.partition("?")
    parts = _parse_parts(path if path.startswith("/") else "/" + path, offset, in_query=False)
    if question:
        parts += (b"?", *_parse_parts(query, offset + len(path) + 1, in_query=True))
    if not mark:
        return _merged(parts), ()
    return _merged(parts), _merged((b"#", *_parse_parts(fragment, offset + len(before) + 1, in_query=True)))


def _parse_parts(text: str, offset: int, *, in_query: bool) -> tuple[Part, ...]:
    parts: list[Part] = []
    position = 0
    for match in _REFERENCE.finditer(text):
        parts.append(_literal(text[position : match.start()], offset + position))
        parts.append(Reference(match[1], in_query))
        position = match.end()
    parts.append(_literal(text[position:], offset + position))
    return tuple(part for part in parts if part != b"")


def _literal(text: str, offset: int) -> bytes:
    for position, char in enumerate(text):
        if char in "{}":
            raise TargetError('a brace begins or ends no capture here; write it as "%7B" or "%7D"', offset + position)
    return escape_written(text)


def _merged(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    merged: list[Part] = []
    for part in parts:
        if merged and isinstance(part, bytes) and isinstance(merged[-1], bytes):
            merged[-1] += part
        else:
            merged.append(part)
    return tuple(merged)


def _value(reference: Reference, captures: Mapping[str, bytes]) -> bytes:
    value = captures[reference.name]
    if not reference.in_query:
        return value
    return b"".join(_IN_QUERY.get(byte) or bytes((byte,)) for byte in value)
