"""Answers: rules compiled to what is done once they have matched.

An `Answer` holds what `compile` could know (cause, statuses, the fixed part of a Location) and is asked with what only
the request knows. Its conditions are judged by `index.Choices` before it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from proxy.core.decision import Forward, Redirect
from proxy.core.mapping import FIRST_OF_LOCATION
from proxy.core.query import KEEP_ALL, append
from proxy.core.target import HOST_CAPTURE, Template
from proxy.core.url import rest_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.core.decision import Cause, Decision
    from proxy.core.mapping import MappingTable
    from proxy.core.query import Condition, KeepQuery
    from proxy.core.target import Target

READING = frozenset({b"GET", b"HEAD"})
"""The methods for which 301 and 302 stay what they are; any other would be turned into GET by a browser."""

_METHOD_KEEPING = {301: 308, 302: 307}

_new = tuple.__new__
"""Makes a named tuple in half the time that its own constructor takes."""


class Answer(Protocol):
    """What is done once a rule has matched."""

    def answer(
        self, host: bytes, raw: bytes, path: bytes, query: bytes | None, method: bytes, captures: Mapping[str, bytes]
    ) -> Decision:
        """The decision for a request: `raw` is the path as received, `path` its normal form."""
        ...


class Constant:
    """The same decision for every request."""

    __slots__ = ("decision",)

    def __init__(self, decision: Decision) -> None:
        self.decision = decision

    def answer(
        self, host: bytes, raw: bytes, path: bytes, query: bytes | None, method: bytes, captures: Mapping[str, bytes]
    ) -> Decision:
        """That decision."""
        return self.decision


class _Redirecting:
    """What all redirects share: the status by method, and what is kept of the query."""

    __slots__ = ("cause", "keep", "keep_all", "other_status", "status", "used")

    def __init__(self, cause: Cause, status: int, keep: KeepQuery, used: frozenset[bytes] = frozenset()) -> None:
        self.cause = cause
        self.status = status
        self.other_status = _METHOD_KEEPING.get(status, status)
        self.keep = keep
        self.used = used
        self.keep_all = keep.everything and not used


class FixedRedirect(_Redirecting):
    """To a target without captures."""

    __slots__ = ("before_fragment", "fragment", "location")

    def __init__(
        self,
        cause: Cause,
        status: int,
        location: bytes,
        keep: KeepQuery = KEEP_ALL,
        used: frozenset[bytes] = frozenset(),
    ) -> None:
        super().__init__(cause, status, keep, used)
        self.location = location
        self.before_fragment, mark, rest = location.partition(b"#")
        self.fragment = mark + rest

    def answer(
        self, host: bytes, raw: bytes, path: bytes, query: bytes | None, method: bytes, captures: Mapping[str, bytes]
    ) -> Redirect:
        """The target, with what is kept of the query."""
        status = self.status if method in READING else self.other_status
        if query is None:
            return _new(Redirect, (self.cause, status, self.location, -1))
        kept = query if self.keep_all else self.keep.apply(query, self.used)
        return _new(Redirect, (self.cause, status, append(self.before_fragment, kept) + self.fragment, -1))


class CapturingRedirect(_Redirecting):
    """To a target with captures in it."""

    __slots__ = ("before_fragment", "fragment")

    def __init__(
        self,
        cause: Cause,
        status: int,
        target: Target,
        keep: KeepQuery = KEEP_ALL,
        used: frozenset[bytes] = frozenset(),
    ) -> None:
        super().__init__(cause, status, keep, used)
        self.before_fragment = Template(target.authority + target.parts)
        self.fragment = Template(target.fragment)

    def answer(
        self, host: bytes, raw: bytes, path: bytes, query: bytes | None, method: bytes, captures: Mapping[str, bytes]
    ) -> Redirect:
        """The target with the captures put in, and what is kept of the query."""
        location = self.before_fragment.fill(captures)
        if query is not None:
            location = append(location, query if self.keep_all else self.keep.apply(query, self.used))
        if self.fragment.text:
            location += self.fragment.fill(captures)
        return _new(Redirect, (self.cause, self.status if method in READING else self.other_status, location, -1))


class KeptPath(_Redirecting):
    """To `moves_to`, with what follows the site's base put behind it byte for byte."""

    __slots__ = ("base_length", "base_segments", "end", "moves_to", "prefix")

    def __init__(self, cause: Cause, status: int, moves_to: Target, keep: KeepQuery, base: bytes) -> None:
        super().__init__(cause, status, keep)
        self.moves_to = moves_to
        self.prefix = b"" if moves_to.names else moves_to.base({})
        self.end = b"" if moves_to.base(dict.fromkeys(moves_to.names, b"")).count(b"/") > 2 else b"/"
        """What follows the prefix where nothing else does: an authority is followed by a slash."""
        self.base_length = len(base)
        self.base_segments = base.count(b"/")

    def answer(
        self, host: bytes, raw: bytes, path: bytes, query: bytes | None, method: bytes, captures: Mapping[str, bytes]
    ) -> Redirect:
        """Prefix, rest of the raw path, query."""
        # A path that is its own normal form can be sliced; in another, the base's segments may be of any length.
        rest = raw[self.base_length :] if raw is path else rest_after(raw, self.base_segments)
        location = (self.prefix or self.moves_to.base(captures)) + (rest or self.end)
        if query is not None:
            kept = query if self.keep_all else self.keep.apply(query)
            if kept is not None:
                location += b"?" + kept
        return _new(Redirect, (self.cause, self.status if method in READING else self.other_status, location, -1))


class MappingAnswer(_Redirecting):
    """To the target of a row of the mappings."""

    __slots__ = ("find", "mappings", "text")

    def __init__(self, cause: Cause, status: int, mappings: MappingTable, keep: KeepQuery) -> None:
        super().__init__(cause, status, keep)
        self.mappings = mappings
        self.find = mappings.find
        self.text = mappings.text

    def answer_row(self, row: int, query: bytes | None, method: bytes) -> Redirect:
        """The row's target, with what is kept of the query."""
        location = self.text[row : self.text.find(b"\n", row)]
        status, other_status = self.status, self.other_status
        if location[0] != FIRST_OF_LOCATION:
            own, _, location = location.partition(b" ")
            status = int(own)
            other_status = _METHOD_KEEPING.get(status, status)
        if query is not None:
            before, mark, fragment = location.partition(b"#")
            location = append(before, query if self.keep_all else self.keep.apply(query)) + mark + fragment
        return _new(Redirect, (self.cause, status if method in READING else other_status, location, row))


class HttpsUpgrade(_Redirecting):
    """From plain HTTP to https on the same host."""

    __slots__ = ()

    def answer(
        self, host: bytes, raw: bytes, path: bytes, query: bytes | None, method: bytes, captures: Mapping[str, bytes]
    ) -> Redirect:
        """The same address with the other scheme."""
        location = b"https://" + host + raw
        if query is not None:
            location += b"?" + query
        return _new(Redirect, (self.cause, self.status if method in READING else self.other_status, location, -1))


class ForwardWithNotice:
    """To the origin, with the notice, and with the Location that the page will get."""

    __slots__ = ("after", "cause", "shows_notice")

    def __init__(self, cause: Cause, after: Decider | None, shows_notice: NoticePaths) -> None:
        self.cause = cause
        self.after = after
        self.shows_notice = shows_notice

    def answer(
        self, host: bytes, raw: bytes, path: bytes, query: bytes | None, method: bytes, captures: Mapping[str, bytes]
    ) -> Forward:
        """Notice or not by the path; the successor by asking the table that holds at the cutover."""
        successor = None
        if self.after is not None:
            future = self.after.decide(host, raw, path, query, b"GET", captures.get(HOST_CAPTURE, b""), True)
            if isinstance(future, Redirect):
                successor = future.location
        return Forward(self.cause, self.shows_notice(path), successor)


class Decider(Protocol):
    """The table of the same site at its cutover."""

    def decide(
        self, host: bytes, raw: bytes, path: bytes, query: bytes | None, method: bytes, stood: bytes, secure: bool, /
    ) -> Decision:
        """What will be done with the request then."""
        ...


class NoticePaths(Protocol):
    """Where a site shows its notice."""

    def __call__(self, path: bytes, /) -> bool:
        """Whether a page at that path (normal form) carries the notice."""
        ...


class Candidate:
    """An answer with what must hold for it: the key by which it is compared with others of the same pattern.

    `slash` is how the path must end where a trailing slash makes a difference, else `None`; `captures` are the
    positions and names of path segments that the answer needs.
    """

    __slots__ = ("answer", "captures", "conditions", "methods", "order", "slash", "tail_after")

    def __init__(
        self,
        answer: Answer,
        order: int,
        *,
        conditions: tuple[Condition, ...] = (),
        methods: frozenset[bytes] | None = None,
        slash: bool | None = None,
        captures: tuple[tuple[int, str], ...] = (),
        tail_after: int | None = None,
    ) -> None:
        self.answer = answer
        self.order = order
        self.conditions = conditions
        self.methods = methods
        self.slash = slash
        self.captures = captures
        self.tail_after = tail_after

    @property
    def unconditional(self) -> bool:
        """Whether it holds for every request to its path."""
        return not self.conditions and self.methods is None and self.slash is None
