"""The query of a request and of a target: conditions on it, and what of it is kept.

A query that is kept whole goes on byte for byte. Parameters are only taken apart where a rule asks for one or drops
some: split at `&` and the first `=`, compared decoded (`+` is a space). Of a repeated parameter the first counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import quote_from_bytes, unquote_to_bytes

ANY = "*"


@dataclass(frozen=True, slots=True)
class Condition:
    """A parameter that must be there. `value` is decoded; with `None` any value will do, and `capture` may name it."""

    name: bytes
    value: bytes | None = None
    capture: str = ""


@dataclass(frozen=True, slots=True)
class KeepQuery:
    """What of a request's query is kept (rule-file key `keep_query`).

    `keep` names what stays (`None`: everything), `drop` what goes; both are names with `*` as a wildcard.
    """

    keep: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether a query is kept as it is."""
        return self.keep is None and not self.drop

    def apply(self, query: bytes | None, used: frozenset[bytes] = frozenset()) -> bytes | None:
        """What is left of `query`, without the parameters that were `used` up; `None` where nothing is."""
        if query is None or (self.everything and not used):
            return query
        kept = b"&".join(part for part in query.split(b"&") if self._keeps(_name(part), used))
        return kept or None

    def _keeps(self, name: bytes, used: frozenset[bytes]) -> bool:
        if name in used:
            return False
        if self.everything:
            return True
        text = name.decode("utf-8", "surrogateescape")
        if self.keep is not None:
            return any(fnmatchcase(text, pattern) for pattern in self.keep)
        return not any(fnmatchcase(text, pattern) for pattern in self.drop)


KEEP_ALL = KeepQuery()
KEEP_NONE = KeepQuery(keep=())


def parameters(query: bytes | None) -> dict[bytes, bytes]:
    """Names and values, decoded; of a repeated name the first."""
    found: dict[bytes, bytes] = {}
    if query:
        for part in query.split(b"&"):
            name, _, value = part.partition(b"=")
            found.setdefault(decode(name), decode(value))
    return found


def decode(text: bytes) -> bytes:
    """A name or value as it is compared: `+` is a space, escapes are bytes."""
    return unquote_to_bytes(text.replace(b"+", b" "))


def encode(value: bytes) -> bytes:
    """A decoded value as it is written again, safe in a path segment and in a query alike."""
    return quote_from_bytes(value, safe="").encode()


def append(target: bytes, query: bytes | None) -> bytes:
    """`query` put behind `target`, which may have a query of its own already."""
    if query is None:
        return target
    if b"?" not in target:
        return target + b"?" + query
    return target + b"&" + query if query else target


def _name(part: bytes) -> bytes:
    return decode(part.partition(b"=")[0])
