"""The design's words, read out rule by rule: slow, plain, and written apart from the tables that it judges."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from proxy.core.mapping import Row
from proxy.core.model import AnswerGone, AnswerNotFound, KeepPath, PassOn, RedirectTo, Rule, Site
from proxy.core.pattern import Capture, RegexPattern, parse_path
from proxy.core.schedule import Phase
from proxy.core.target import parse_target

UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


@dataclass(frozen=True)
class Expected:
    outcome: str
    status: int | None = None
    location: bytes | None = None


def decide(sites: list[Site], instant: datetime, host: str, target: bytes, method: bytes) -> Expected:
    """What the design says is done with a well-formed origin-form request to a well-formed host."""
    raw, mark, query_bytes = target.partition(b"?")
    query = query_bytes if mark else None
    path = normal(raw)
    covering = [(rank(name, host), site) for site in sites for name in site.hosts if covers(name, host)]
    if not covering:
        return Expected("misdirected", 421)
    for wanted in sorted({place for place, _ in covering}):
        owners = [site for place, site in covering if place == wanted and below(site, path)]
        if owners:
            return by_site(max(owners, key=lambda site: len(site.base)), instant, raw, path, query, method)
    return Expected("not-found", 404)


def covers(name: str, host: str) -> bool:
    return host.endswith(name[1:]) and host != name[2:] if name.startswith("*.") else host == name


def rank(name: str, host: str) -> int:
    """A name before a wildcard, a longer wildcard before a shorter."""
    return 0 if name == host else 1000 - len(name)


def below(site: Site, path: bytes) -> bool:
    base, path = fold(site, site.base), fold(site, path)
    return path == base or path.startswith(base + b"/")


def fold(site: Site, path: bytes) -> bytes:
    return path if site.match_case else path.lower()


def normal(raw: bytes) -> bytes:
    def decoded(match: re.Match[bytes]) -> bytes:
        byte = unquote_to_bytes(match[0])
        return byte if byte in UNRESERVED else match[0].upper()

    return re.sub(rb"%[0-9a-fA-F]{2}", decoded, raw)


def by_site(site: Site, instant: datetime, raw: bytes, path: bytes, query: bytes | None, method: bytes) -> Expected:
    phase = site.schedule.phase_at(instant)
    if site.pass_through:
        return Expected("forward")
    if phase is Phase.GONE:
        return Expected("gone", 410)
    found = [
        (precedence, rule, captures)
        for rule in site.rules
        if instant in rule.window and (rule.methods is None or method in rule.methods)
        for precedence, captures in [match(site, rule, raw, path, query)]
        if captures is not None
    ]
    best = min((precedence for precedence, _, _ in found), default=(1,))
    if phase is Phase.REDIRECT and best[0] != 0 and (row := mapped(site, path)) is not None:
        target = parse_target(row.location.decode())
        rule = Rule(parse_path("/"), RedirectTo(target, row.status), "row", site.place, 0)
        return act(site, rule, instant, raw, query, method, {})
    if found:
        _, rule, captures = min(found, key=lambda one: one[0])
        return act(site, rule, instant, raw, query, method, captures)
    if phase.forwards:
        return Expected("forward")
    return act(site, None, instant, raw, query, method, {})


def mapped(site: Site, path: bytes) -> Row | None:
    wanted = fold(site, path if site.match_slash else path.removesuffix(b"/"))
    return next((row for row in site.mappings or () if row.old == wanted), None)


def match(  # noqa: C901 - one thing after the other, as the design says it
    site: Site, rule: Rule, raw: bytes, path: bytes, query: bytes | None
) -> tuple[tuple[object, ...], dict[str, bytes] | None]:
    """How the rule ranks, and its captures; None where it does not match."""
    pattern = rule.pattern
    asked = dict(reversed(parse_qsl((query or b"").decode("latin-1"), keep_blank_values=True, encoding="latin-1")))
    captures: dict[str, bytes] = {}
    for condition in rule.conditions:
        value = asked.get(condition.name.decode())
        if value is None or (condition.value is not None and value.encode("latin-1") != condition.value):
            return (), None
        if condition.capture:
            captures[condition.capture] = quote(value, safe="", encoding="latin-1").encode()
    specific = (
        -len(rule.conditions),
        -sum(condition.value is not None for condition in rule.conditions),
        rule.methods is None,
        not rule.match_slash,
        rule.order,
    )
    if isinstance(pattern, RegexPattern):
        matched = pattern.regex.fullmatch(path)
        if matched is None:
            return (), None
        captures.update({str(number): group or b"" for number, group in enumerate(matched.groups(), start=1)})
        return (2, rule.order), captures
    slash = path.endswith(b"/")
    parts = path.removesuffix(b"/").split(b"/")[1:]
    raw_parts = raw.split(b"/")[1:]
    if len(parts) < len(pattern.segments) or (len(parts) > len(pattern.segments) and not pattern.tail):
        return (), None
    if rule.match_slash:
        wanted = pattern.trailing_slash or not pattern.segments
        if pattern.tail and not slash and len(parts) == len(pattern.segments):
            return (), None
        if not pattern.tail and slash is not wanted:
            return (), None
    shape = []
    for part, raw_part, segment in zip(parts, raw_parts, pattern.segments, strict=False):
        if isinstance(segment, Capture):
            if not part:
                return (), None
            captures[segment.name] = raw_part
            shape.append(1)
        elif fold(site, part) == fold(site, segment):
            shape.append(0)
        else:
            return (), None
    if pattern.tail:
        captures["*"] = b"/".join(raw_parts[len(pattern.segments) :])
        return (3, (*shape, 2), *specific), captures
    return (1 if 1 in shape else 0, tuple(shape), *specific), captures


def act(  # what the rule, or the lack of one, says
    site: Site,
    rule: Rule | None,
    instant: datetime,
    raw: bytes,
    query: bytes | None,
    method: bytes,
    captures: dict[str, bytes],
) -> Expected:
    action = site.unmapped if rule is None else rule.action
    named: int | None = None
    match action:
        case AnswerGone():
            return Expected("gone", 410)
        case AnswerNotFound():
            return Expected("not-found", 404)
        case PassOn():
            return Expected("forward")
        case KeepPath():
            assert site.moves_to is not None
            rest = b"".join(b"/" + part for part in raw.split(b"/")[1 + site.base.count(b"/") :])
            location = (site.moves_to.fixed or b"").removesuffix(b"/") + rest
            location += b"/" if location.count(b"/") == 2 else b""
        case RedirectTo(target, named):
            location = target.render(captures, None)
        case _:
            assert_never(action)
    used = [condition.name for condition in rule.conditions] if rule is not None else []
    if query is not None:
        kept = [
            part for part in query.split(b"&") if unquote_to_bytes(part.split(b"=")[0].replace(b"+", b" ")) not in used
        ]
        left = b"&".join(kept)
        if left or (not used and b"?" not in location):
            location += (b"&" if b"?" in location else b"?") + left
    temporary = site.schedule.is_temporary(instant)
    status = named or (302 if temporary else site.status)
    if method not in {b"GET", b"HEAD"}:
        status = {301: 308, 302: 307}.get(status, status)
    return Expected("redirect", status, location)
