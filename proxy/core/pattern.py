"""What a rule's `path` and `regex` mean.

A path pattern is a list of segments in normal form, each a literal or a capture, and perhaps a tail (`/*`). It is
parsed once, at load; the tables of `compile` are built from the segments. Regular expressions are compiled by the
rulebook and handed in: the core only calls `fullmatch`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Protocol

from proxy.core.kind import Kind
from proxy.core.url import escape_written, normal_form, segments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TAIL = "*"
"""The name under which a target refers to what follows the slash of `/*`."""

_CAPTURE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


class PatternError(ValueError):
    """A pattern that means nothing; `offset` counts characters from its beginning."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Capture:
    """A segment that may be anything but empty, by the name that a target uses."""

    name: str


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A path: exact, with captures, or with a tail. `text` is what was written."""

    text: str
    segments: tuple[bytes | Capture, ...]
    tail: bool = False
    trailing_slash: bool = False

    @property
    def kind(self) -> Kind:
        """Which of the three it is."""
        if self.tail:
            return Kind.TAIL
        return Kind.CAPTURES if self.captures else Kind.EXACT

    @property
    def captures(self) -> tuple[tuple[int, str], ...]:
        """Position and name of each capture."""
        return tuple((index, part.name) for index, part in enumerate(self.segments) if isinstance(part, Capture))

    @property
    def names(self) -> frozenset[str]:
        """Every name that a target may refer to."""
        return frozenset(name for _, name in self.captures) | ({TAIL} if self.tail else frozenset())

    @property
    def literal_prefix(self) -> bytes:
        """The path up to the first capture or the tail, in normal form, without a trailing slash."""
        literals: list[bytes] = []
        for part in self.segments:
            if isinstance(part, Capture):
                break
            literals.append(part)
        return b"".join(b"/" + part for part in literals)

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for two patterns that match the same paths, whatever their captures are called."""
        return (self.tail, tuple(None if isinstance(part, Capture) else part for part in self.segments))


class Match(Protocol):
    """What a regular expression's match answers."""

    def groups(self) -> Sequence[bytes | None]:
        """The groups in order, `None` for one that took no part."""


class Regex(Protocol):
    """A compiled regular expression over bytes, linear in time (RE2)."""

    def fullmatch(self, text: bytes, /) -> Match | None:
        """The match of the whole text."""

    @property
    def groups(self) -> int:
        """How many groups it has."""

    @property
    def groupindex(self) -> Mapping[str, int]:
        """The numbers of the named groups, from 1."""


@dataclass(frozen=True, slots=True)
class RegexPattern:
    """A regular expression over the whole path in normal form, with its trailing slash.

    `prefix` is a literal that every match begins with (empty where none is known); the table is indexed by it. `family`
    matches whatever this one or one of its neighbours with the same prefix matches: where it does not, none is asked.
    """

    text: str
    regex: Regex
    prefix: bytes = b""
    family: Regex | None = None

    @property
    def kind(self) -> Kind:
        """Always `Kind.REGEX`."""
        return Kind.REGEX

    @property
    def names(self) -> frozenset[str]:
        """Every name that a target may refer to: numbers and named groups."""
        return frozenset(map(str, range(1, self.regex.groups + 1))) | frozenset(self.regex.groupindex)

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for two expressions that are written alike."""
        return (self.text,)

    def captures_of(self, match: Match) -> dict[str, bytes]:
        """The groups of a match by number and name; one that took no part is empty."""
        groups = [group or b"" for group in match.groups()]
        found = dict(zip(map(str, count(1)), groups, strict=False))
        for name, number in self.regex.groupindex.items():
            found[name] = groups[number - 1]
        return found


def parse_path(text: str) -> PathPattern:
    """A path pattern from what a human wrote: `/exact`, `/with/{capture}`, `/all/below/*`.

    Raises `PatternError`.
    """
    _refuse_misplaced(text)
    body, tail = (text[:-1], True) if text.endswith("/*") else (text, False)
    if (position := body.find("*")) >= 0:
        message = (
            '"*" stands for a path\'s end only, as in "/a/*"; for one segment write a capture, as in "/a/{name}/b"'
        )
        raise PatternError(message, position)
    trailing_slash = body.endswith("/")
    parts: list[bytes | Capture] = []
    seen: set[str] = set()
    offset = 1
    for written in body.removesuffix("/").split("/")[1:]:
        part = _parse_segment(written, offset)
        if isinstance(part, Capture):
            if part.name in seen:
                message = f'the capture "{{{part.name}}}" stands here twice; give the second another name'
                raise PatternError(message, offset)
            seen.add(part.name)
        parts.append(part)
        offset += len(written) + 1
    return PathPattern(text, tuple(parts), tail=tail, trailing_slash=trailing_slash and not tail)


def exact_path(path: bytes) -> PathPattern:
    """The pattern that matches one path, which is already percent-escaped."""
    parts = segments(normal_form(path).removesuffix(b"/"))
    return PathPattern(path.decode("ascii"), tuple(parts), trailing_slash=path.endswith(b"/"))


def _refuse_misplaced(text: str) -> None:
    if not text.startswith("/"):
        raise PatternError('a path begins with "/"')
    for char, advice in (
        ("?", 'a path ends before its "?"; ask for parameters with the key "query"'),
        ("#", "a fragment is never sent by a browser, so no rule can ask for one"),
    ):
        if (position := text.find(char)) >= 0:
            raise PatternError(advice, position)
    for position, char in enumerate(text):
        if ord(char) < 0x20 or ord(char) == 0x7F:
            raise PatternError("a control character cannot stand in a path", position)


def _parse_segment(text: str, offset: int) -> bytes | Capture:
    if match := _CAPTURE.fullmatch(text):
        return Capture(match[1])
    for position, char in enumerate(text):
        if char in "{}":
            message = 'a capture takes a whole segment, as in "/{name}/"; for a part of one use "regex"'
            raise PatternError(message, offset + position)
    return normal_form(escape_written(text))
