"""Where rules are found: by segments, by literal prefix, and, among rules of one pattern, by their conditions.

The cost of a look-up depends on the depth of the path and on how many rules share one pattern, never on how many rules
a site has.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from proxy.core.pattern import Capture
from proxy.core.query import encode, parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.core.answer import Candidate
    from proxy.core.pattern import Regex, RegexPattern
    from proxy.core.query import Condition

T = TypeVar("T")


class Asked:
    """What conditions are judged by. The query is only taken apart once a rule asks for a parameter."""

    __slots__ = ("_parameters", "method", "query", "slash")

    def __init__(self, query: bytes | None, method: bytes, *, slash: bool) -> None:
        self.query = query
        self.method = method
        self.slash = slash
        self._parameters: dict[bytes, bytes] | None = None

    def under(self, *, inside: bool) -> Asked:
        """The same for a tail: whether the path goes on below it takes the place of the trailing slash."""
        return self if inside is self.slash else Asked(self.query, self.method, slash=inside)

    @property
    def parameters(self) -> dict[bytes, bytes]:
        """Names and values of the query, decoded."""
        if self._parameters is None:
            self._parameters = parameters(self.query)
        return self._parameters


class Choices:
    """The rules of one pattern, best first.

    More query conditions win, then more of them with a value, then a named method, then the order in the file. Rules
    that ask for a value are found by hash, so that ten thousand `index.php?id=…` cost what one costs.
    """

    __slots__ = ("_only", "_tiers")

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._only = candidates[0] if len(candidates) == 1 and candidates[0].unconditional else None
        tiers: dict[tuple[int, int, bool, bool], _Tier] = {}
        for candidate in candidates:
            tiers.setdefault(_specificity(candidate), _Tier()).add(candidate)
        self._tiers = [tiers[key] for key in sorted(tiers)]

    def select(self, asked: Asked) -> Candidate | None:
        """The best rule whose conditions hold."""
        if self._only is not None:
            return self._only
        for tier in self._tiers:
            if (candidate := tier.select(asked)) is not None:
                return candidate
        return None


class _Tier:
    """Candidates between which only the order in the file decides."""

    __slots__ = ("by_values", "scanned")

    def __init__(self) -> None:
        self.by_values: dict[tuple[bytes, ...], dict[tuple[bytes | None, ...], list[Candidate]]] = {}
        self.scanned: list[Candidate] = []

    def add(self, candidate: Candidate) -> None:
        pairs = sorted((cond.name, cond.value) for cond in candidate.conditions if cond.value is not None)
        if pairs:
            values = self.by_values.setdefault(tuple(name for name, _ in pairs), {})
            values.setdefault(tuple(value for _, value in pairs), []).append(candidate)
        else:
            self.scanned.append(candidate)

    def select(self, asked: Asked) -> Candidate | None:
        holding = next((candidate for candidate in self.scanned if _holds(candidate, asked)), None)
        for names, values in self.by_values.items():
            for candidate in values.get(tuple(asked.parameters.get(name) for name in names), ()):
                if (holding is None or candidate.order < holding.order) and _holds(candidate, asked):
                    holding = candidate
                    break
        return holding


def _specificity(candidate: Candidate) -> tuple[int, int, bool, bool]:
    valued = sum(condition.value is not None for condition in candidate.conditions)
    return (-len(candidate.conditions), -valued, candidate.methods is None, candidate.slash is None)


def _holds(candidate: Candidate, asked: Asked) -> bool:
    if candidate.methods is not None and asked.method not in candidate.methods:
        return False
    if candidate.slash is not None and candidate.slash is not asked.slash:
        return False
    return all(_is_met(condition, asked.parameters) for condition in candidate.conditions)


def _is_met(condition: Condition, found: dict[bytes, bytes]) -> bool:
    value = found.get(condition.name)
    return value is not None and (condition.value is None or value == condition.value)


def query_captures(candidate: Candidate, asked: Asked) -> dict[str, bytes]:
    """The values that a candidate's conditions name, encoded again for any place in a URL."""
    return {
        condition.capture: encode(asked.parameters[condition.name])
        for condition in candidate.conditions
        if condition.capture
    }


class Tree(Generic[T]):
    """Patterns by their segments. Of two that match, the first segment in which they differ decides.

    A literal goes before a capture, and what is longer before a tail that is shorter. A search visits a node at most
    once, so it is bounded by the rules that share the path's beginning.
    """

    __slots__ = ("below", "capture", "literals", "whole")

    def __init__(self) -> None:
        self.literals: dict[bytes, Tree[T]] = {}
        self.capture: Tree[T] | None = None
        self.whole: T | None = None
        """What ends here."""
        self.below: T | None = None
        """What has its tail here."""

    def node(self, segments: Sequence[bytes | Capture]) -> Tree[T]:
        """The node of a pattern, made where it is not there yet."""
        node = self
        for segment in segments:
            if isinstance(segment, Capture):
                if node.capture is None:
                    node.capture = Tree()
                node = node.capture
            else:
                node = node.literals.setdefault(segment, Tree())
        return node

    def matches(self, segments: list[bytes]) -> tuple[list[T], list[tuple[T, int]]]:
        """What ends just here, and what has its tail here or above, with the tail's depth; each best first."""
        wholes: list[T] = []
        tails: list[tuple[T, int]] = []
        self.gather(segments, 0, wholes, tails)
        return wholes, tails

    def gather(self, segments: list[bytes], at: int, wholes: list[T], tails: list[tuple[T, int]]) -> None:
        """What is found from this node on, `at` segments deep: a walk that splits only where two ways go on."""
        passed: list[tuple[T, int]] = []
        node = self
        while True:
            if node.below is not None:
                passed.append((node.below, at))
            if at == len(segments):
                if node.whole is not None:
                    wholes.append(node.whole)
                break
            segment = segments[at]
            at += 1
            literal = node.literals.get(segment)
            capture = node.capture if segment else None
            if literal is not None and capture is not None:
                literal.gather(segments, at, wholes, tails)
                capture.gather(segments, at, wholes, tails)
                break
            following = literal or capture
            if following is None:
                break
            node = following
        passed.reverse()
        tails += passed


class RegexIndex:
    """Regular expressions by the literal that they begin with; among those that could match, file order decides.

    Literals are kept in order. All that a path begins with are at or before the place where the path itself would
    stand, and each of them is a beginning of the next longer one: so one bisection finds the longest that is possible,
    and a chain leads on to the shorter ones. Neither their number nor their lengths make a difference.
    """

    __slots__ = ("_families", "_fold", "_prefixes", "_shorter")

    def __init__(self, rules: Sequence[tuple[RegexPattern, Candidate]], *, fold: bool) -> None:
        self._fold = fold
        by_prefix: dict[bytes, dict[Regex | None, Family]] = {}
        for pattern, candidate in rules:
            families = by_prefix.setdefault(pattern.prefix, {})
            families.setdefault(pattern.family, Family(pattern.family, [])).members.append((pattern, candidate))
        self._prefixes = sorted(by_prefix)
        self._families = [list(by_prefix[prefix].values()) for prefix in self._prefixes]
        self._shorter: list[int] = []
        """For each literal the longest other that it begins with; -1 where there is none."""
        for at, prefix in enumerate(self._prefixes):
            shorter = at - 1
            while shorter >= 0 and not prefix.startswith(self._prefixes[shorter]):
                shorter = self._shorter[shorter]
            self._shorter.append(shorter)

    def possible(self, path: bytes) -> list[Family]:
        """The rules whose literal `path` begins with."""
        compared = path.lower() if self._fold else path
        found: list[Family] = []
        at = bisect_right(self._prefixes, compared) - 1
        while at >= 0:
            if compared.startswith(self._prefixes[at]):
                found += self._families[at]
            at = self._shorter[at]
        return found


class Family(NamedTuple):
    """Rules with expressions that begin with the same literal: where `any_of` does not match, none of them does."""

    any_of: Regex | None
    members: list[tuple[RegexPattern, Candidate]]


def first_match(possible: list[Family], path: bytes, asked: Asked) -> tuple[Candidate, dict[str, bytes]] | None:
    """The first rule, in the order of the file, whose expression matches the whole path and whose conditions hold."""
    members = [
        member
        for family in possible
        if family.any_of is None or family.any_of.fullmatch(path) is not None
        for member in family.members
    ]
    if len(possible) > 1:
        members.sort(key=_order)
    for pattern, candidate in members:
        match = pattern.regex.fullmatch(path)
        if match is not None and _holds(candidate, asked):
            return candidate, pattern.captures_of(match)
    return None


def _order(member: tuple[RegexPattern, Candidate]) -> int:
    return member[1].order
