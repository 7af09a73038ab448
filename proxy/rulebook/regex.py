"""Regular expressions of rule files: compiled by RE2, whose time is linear in the path, whatever is asked.

The prefix that every match begins with comes from RE2 itself, which knows between which two texts all matches lie: what
those two have in common is certain.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import re2

from proxy.core.pattern import RegexPattern
from proxy.core.url import normal_form
from proxy.rulebook.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PREFIX_BYTES = 128
_FAMILY = 32
_FEW = 3
_GROUP_NAME = re.compile(r"\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


class Expression:
    """A compiled expression as `proxy.core.pattern.Regex` asks for it."""

    __slots__ = ("fullmatch", "groupindex", "groups")

    def __init__(self, compiled: Any) -> None:  # noqa: ANN401 - re2 has no types
        self.fullmatch: Any = compiled.fullmatch
        self.groups: int = compiled.groups
        names: Mapping[bytes, int] = compiled.groupindex
        self.groupindex = {name.decode(): number for name, number in names.items()}


def parse_regex(text: str, *, match_case: bool) -> RegexPattern:
    """The compiled pattern. Raises `Refusal`."""
    for position, char in enumerate(text):
        if not " " < char < "\x7f":
            raise Refusal("regex-refused", _escape_advice(char), position)
    names: set[str] = set()
    for match in _GROUP_NAME.finditer(text):
        if match[1] in names:
            raise Refusal("capture-repeated", f'two groups have the name "{match[1]}"', match.start(1))
        names.add(match[1])
    try:
        compiled = re2.compile(text.encode(), _options(match_case=match_case))
        prefix = literal_prefix(re2.compile(b"^(?:%b)$" % text.encode(), _options(match_case=True)))
    except re2.error as error:
        reason = error.args[0] if error.args else error
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        raise Refusal("regex-refused", f"RE2 does not take this expression: {reason}") from None
    return RegexPattern(text, Expression(compiled), prefix if match_case else prefix.lower())


def with_families(patterns: Sequence[RegexPattern], *, match_case: bool) -> Iterator[RegexPattern]:
    """The same patterns; where more than a few begin with the same literal, each knows the alternation of its family.

    A path that many could match is compared once for each family, and then with the members of those that match.
    """
    by_prefix: dict[bytes, list[RegexPattern]] = {}
    for pattern in patterns:
        by_prefix.setdefault(pattern.prefix, []).append(pattern)
    families: dict[str, Expression | None] = {}
    for members in by_prefix.values():
        for start in range(0, len(members), _FAMILY):
            some = members[start : start + _FAMILY]
            texts = [pattern.text for pattern in some]
            family = _alternation(texts, match_case=match_case) if len(some) > _FEW else None
            families.update(dict.fromkeys(texts, family))
    return (replace(pattern, family=families[pattern.text]) for pattern in patterns)


def _options(*, match_case: bool) -> Any:  # noqa: ANN401 - re2 has no types
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = match_case
    return options


def _alternation(texts: Sequence[str], *, match_case: bool) -> Expression | None:
    """What matches whatever one of these matches; `None` where that is too large for RE2."""
    options = _options(match_case=match_case)
    options.never_capture = True
    try:
        return Expression(re2.compile("|".join(f"(?:{text})" for text in texts).encode(), options))
    except re2.error:
        return None


def literal_prefix(anchored: Any) -> bytes:  # noqa: ANN401 - re2 has no types
    """What every match of an expression between `^` and `$` begins with; empty where nothing is certain."""
    try:
        lowest, highest = anchored.possiblematchrange(_PREFIX_BYTES)
    except re2.error:
        return b""
    length = next((at for at, (low, high) in enumerate(zip(lowest, highest, strict=False)) if low != high), None)
    prefix: bytes = lowest[: min(len(lowest), len(highest)) if length is None else length]
    return prefix


def unusual_escape(text: str) -> tuple[str, int] | None:
    """A percent-escape that no compared path has, and where it stands."""
    for match in _ESCAPE.finditer(text):
        if normal_form(match[0].encode()) != match[0].encode():
            return match[0], match.start()
    return None


def _escape_advice(char: str) -> str:
    if char <= " " or char == "\x7f":
        return "a path has no blanks and no control characters; write them as percent-escapes, as in %20"
    escaped = "".join(f"%{byte:02X}" for byte in char.encode())
    return f'write "{char}" as browsers send it: {escaped}'
