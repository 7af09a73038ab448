"""What holds for every rulebook, every request and every instant."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from urllib.parse import quote
from zoneinfo import ZoneInfo

import ada_url
from hypothesis import assume, given
from hypothesis import strategies as st

from proxy.core.decision import BadRequest, Forward, Redirect, outcome_of
from proxy.core.mapping import MappingTable
from proxy.core.model import Action, AnswerGone, AnswerNotFound, KeepPath, PassOn, RedirectTo, Rule, Site
from proxy.core.pattern import Capture, PathPattern, RegexPattern, parse_path
from proxy.core.query import Condition
from proxy.core.rulebook import Rulebook
from proxy.core.schedule import PHASE_MILESTONES, Phase, Schedule, Timeline, Window
from proxy.core.target import is_listed, parse_target
from proxy.errors import Place
from proxy.wire.answer import status_of
from tests.core.naive import decide as naive_decide

TARGETS = ("new.example", "shop.example")
CUTOVER = datetime(2024, 12, 31, tzinfo=UTC)
INSTANTS = [CUTOVER + timedelta(days=days) for days in (-400, -30, -1, 0, 1, 400)]

instants = st.sampled_from(INSTANTS)
literals = st.sampled_from(["a", "b", "A", "ab", "x.html", "%C3%A9", "a%2Fb"])
segments = st.lists(literals, max_size=3)
captured = st.lists(st.one_of(literals, st.sampled_from(["{one}", "{two}"])), max_size=3)
methods = st.sampled_from([b"GET", b"HEAD", b"POST", b"DELETE"])
windows = st.builds(Window, st.one_of(st.none(), instants), st.one_of(st.none(), instants))
conditions = st.lists(
    st.one_of(
        st.builds(Condition, st.sampled_from([b"p", b"q"]), st.sampled_from([b"1", b"a b", b"\xc3\xa9"])),
        st.builds(Condition, st.sampled_from([b"p", b"q"]), st.none(), st.sampled_from(["", "value"])),
    ),
    max_size=2,
    unique_by=lambda condition: condition.name,
)


@st.composite
def patterns(draw: st.DrawFn, base: str) -> PathPattern | RegexPattern:
    if draw(st.integers(0, 5)) == 0:
        prefix = base + draw(st.sampled_from(["", "/a", "/ab"]))
        rest = draw(st.sampled_from(["/(.*)", r"/(\w+)/?", "(/?)"]))
        return RegexPattern(prefix + rest, re.compile((prefix + rest).encode()), prefix.encode())
    parts = draw(captured)
    assume(len({part for part in parts if part[0] == "{"}) == sum(part[0] == "{" for part in parts))
    text = base + "".join("/" + part for part in parts)
    return parse_path((text or "/") if text and draw(st.booleans()) else text + draw(st.sampled_from(["/", "/*"])))


@st.composite
def rules(draw: st.DrawFn, base: str, order: int, *, fold: bool, strict: bool) -> Rule:
    pattern = draw(patterns(base))
    if fold and isinstance(pattern, RegexPattern):
        pattern = RegexPattern(pattern.text, re.compile(pattern.text.encode(), re.IGNORECASE), pattern.prefix.lower())
    asked = tuple(draw(conditions))
    if len({condition.capture for condition in asked if condition.capture}) < sum(bool(c.capture) for c in asked):
        asked = asked[:1]
    names = sorted(pattern.names | {condition.capture for condition in asked if condition.capture})
    text = "https://" + draw(st.sampled_from(TARGETS)) + "/t"
    if names:
        text += "/{" + draw(st.sampled_from(names)) + "}"
    text += draw(st.sampled_from(["", "/", "?own=1"]))
    to = RedirectTo(parse_target(text), draw(st.sampled_from([None, None, 303, 307])))
    actions: list[Action] = [to, to, to, AnswerGone(), AnswerNotFound(), PassOn()]
    action = draw(st.sampled_from(actions))
    return Rule(
        pattern,
        action,
        pattern.text,
        Place("site.yaml", order + 1, 1),
        order,
        window=draw(windows),
        conditions=asked,
        methods=draw(st.sampled_from([None, None, frozenset({b"GET", b"HEAD"}), frozenset({b"POST"})])),
        match_slash=strict or draw(st.booleans()),
    )


@st.composite
def mappings(draw: st.DrawFn, base: str, *, fold: bool, strict: bool) -> MappingTable | None:
    """Rows as the loader writes them: each old path in normal form, as its site compares it."""
    olds = draw(st.lists(segments.map(lambda parts: base + "".join("/" + part for part in parts)), max_size=4))
    keys = {(old.lower() if fold else old) + ("/" if strict and draw(st.booleans()) else "") for old in olds}
    new = st.sampled_from(["https://new.example/row", "https://shop.example/?own=1", "302 https://shop.example/row"])
    rows = [(key.encode(), draw(new).encode()) for key in sorted(keys)]
    return MappingTable.of("rows.csv", rows) if rows else None


@st.composite
def sites(draw: st.DrawFn, name: str, base: str) -> Site:
    fold = draw(st.booleans())
    strict = draw(st.booleans())
    count = draw(st.integers(0, 6))
    milestones = {"cutover": CUTOVER}
    if draw(st.booleans()):
        milestones["notice"] = INSTANTS[1]
    if draw(st.booleans()):
        milestones["end"] = INSTANTS[5]
    schedule = draw(
        st.sampled_from(
            [
                Schedule(),
                Schedule(MappingProxyType(milestones), draw(st.sampled_from([timedelta(0), timedelta(days=9)]))),
            ]
        )
    )
    moves_to = parse_target(
        draw(st.sampled_from(["https://new.example", "https://shop.example/x", "https://new.example/y/"]))
    )
    fallback = RedirectTo(parse_target("https://shop.example/?from=old"))
    unmapped: list[Action] = [KeepPath(), KeepPath(), AnswerGone(), AnswerNotFound(), fallback]
    return Site(
        name,
        tuple(
            draw(
                st.lists(
                    st.sampled_from(["old.example", "www.old.example", "*.old.example", "*.a.old.example"]),
                    min_size=1,
                    max_size=3,
                    unique=True,
                )
            )
        ),
        Place(f"{name}.yaml", 1, 1),
        base=base.encode(),
        schedule=schedule,
        moves_to=moves_to,
        unmapped=draw(st.sampled_from(unmapped)),
        status=draw(st.sampled_from([301, 308])),
        match_case=not fold,
        match_slash=strict,
        mappings=draw(mappings(base, fold=fold, strict=strict)),
        rules=tuple(draw(rules(base, order, fold=fold, strict=strict)) for order in range(count)),
    )


@st.composite
def rulebooks(draw: st.DrawFn) -> Rulebook:
    bases = ["", *draw(st.lists(st.sampled_from(["/a", "/a/b", "/b"]), max_size=2, unique=True))]
    return Rulebook([draw(sites(f"site{number}", base)) for number, base in enumerate(bases)], TARGETS)


paths = st.one_of(
    st.lists(st.one_of(literals, st.sampled_from(["%61", "%c3%a9", "B", ""])), max_size=5).map(
        lambda parts: "/" + "/".join(parts)
    ),
    st.text(alphabet=string.ascii_letters + string.digits + "/%.~-_;\\@:&=+,!'()[]{}|^`<>\"*$", max_size=30).map(
        "/".__add__
    ),
)
queries = st.one_of(
    st.just(""),
    st.just("?"),
    st.lists(st.sampled_from(["p=1", "q=a+b", "p=%C3%A9", "q", "utm=x&y", "p=2"]), max_size=3).map(
        lambda parts: "?" + "&".join(parts)
    ),
)
targets = st.tuples(paths, queries).map(lambda pair: "".join(pair).encode())
hosts = st.sampled_from(["old.example", "www.old.example", "x.a.old.example", "a.old.example", "other.example"])


@st.composite
def requests(draw: st.DrawFn) -> tuple[Rulebook, str, bytes]:
    """A rulebook, and a host and target that its rules are likely to be about."""
    rulebook = draw(rulebooks())
    mapped = [(site, row.old.decode()) for site in rulebook.sites for row in site.mappings or ()]
    if mapped and draw(st.integers(0, 3)) == 0:
        site, old = draw(st.sampled_from(mapped))
        host = site.hosts[0].replace("*", "x")
        return rulebook, host, ((old or "/") + draw(st.sampled_from(["", "/", "x", "?p=1"]))).encode()
    known = [(site, rule) for site in rulebook.sites for rule in site.rules]
    if not known or draw(st.integers(0, 3)) == 0:
        return rulebook, draw(hosts), draw(targets)
    site, rule = draw(st.sampled_from(known))
    if isinstance(rule.pattern, RegexPattern):
        path = rule.pattern.prefix.decode() + draw(st.sampled_from(["", "/", "/a", "/b/"]))
    else:
        parts = [draw(literals) if isinstance(part, Capture) else part.decode() for part in rule.pattern.segments]
        parts += draw(segments) if rule.pattern.tail else []
        path = "".join("/" + part for part in parts) + draw(st.sampled_from(["", "/"]))
    path = draw(st.sampled_from([path, path, path, path.replace("a", "%61"), path.upper()])) or "/"
    asked = "&".join(
        condition.name.decode() + "=" + quote(draw(st.just(condition.value or b"v"))) for condition in rule.conditions
    )
    query = draw(st.sampled_from([asked, asked, asked + "&utm=1", ""]))
    host = site.hosts[0].replace("*", draw(st.sampled_from(["x", "x.y"])))
    return rulebook, host, (path + ("?" + query if query else draw(st.sampled_from(["", "?"])))).encode()


@given(requests(), instants, methods)
def test_the_table_answers_as_a_rule_by_rule_scan_does(
    asked: tuple[Rulebook, str, bytes], instant: datetime, method: bytes
) -> None:
    rulebook, host, target = asked
    decision = rulebook.at(instant).decide(host.encode(), target, method)
    if b"/.sunset/" in target or b"/.well-known/acme-challenge/" in target:
        return
    expected = naive_decide(list(rulebook.sites), instant, host, target, method)
    location = decision.location if isinstance(decision, Redirect) else None
    assert (outcome_of(decision), status_of(decision), location) == (
        expected.outcome,
        expected.status,
        expected.location,
    )


@given(rulebooks(), instants, st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=8), st.booleans())
def test_no_input_raises(
    rulebook: Rulebook, instant: datetime, host: bytes, target: bytes, method: bytes, secure: bool
) -> None:
    table = rulebook.at(instant)
    table.decide(host, target, method, secure)
    table.decide(b"old.example", b"/" + target, method, secure)
    table.decide(b"", b"http://old.example/" + target, method, secure)


@given(rulebooks(), instants, hosts, st.one_of(targets, st.binary(max_size=60).map(b"/".__add__)), methods)
def test_a_location_always_has_a_listed_host_as_a_browser_reads_it(
    rulebook: Rulebook, instant: datetime, host: str, target: bytes, method: bytes
) -> None:
    decision = rulebook.at(instant).decide(host.encode(), target, method)
    if isinstance(decision, Forward):
        location = decision.successor
    elif isinstance(decision, Redirect):
        location = decision.location
    else:
        return
    if location is not None:
        read = ada_url.URL(location.decode("ascii"))
        assert read.protocol == "https:"
        assert is_listed(read.hostname, TARGETS)
        assert not read.username
        assert not read.port


@given(st.one_of(targets, st.text(max_size=40).map(lambda text: ("/" + text).encode())), hosts)
def test_taking_the_prefix_away_gives_the_bytes_of_the_request(target: bytes, host: str) -> None:
    site = Site(
        "all",
        ("*.example",),
        Place("all.yaml", 1, 1),
        moves_to=parse_target("https://new.example/home/"),
        unmapped=KeepPath(),
    )
    decision = Rulebook([site], TARGETS).at(CUTOVER).decide(host.encode(), target)
    if any(byte <= 0x20 or byte >= 0x7F for byte in target):
        assert isinstance(decision, BadRequest)
    elif b"/.well-known/acme-challenge/" not in target and b"/.sunset/" not in target:
        assert isinstance(decision, Redirect)
        sent = target.partition(b"#")[0]
        assert decision.location == b"https://new.example/home" + sent


@given(
    st.datetimes(datetime(1995, 1, 1), datetime(2045, 1, 1)),  # noqa: DTZ001 - local times, the zone comes later
    st.sampled_from(
        ["UTC", "Europe/London", "America/Sao_Paulo", "Asia/Jakarta", "Australia/Lord_Howe", "Asia/Beirut"]
    ),
    st.lists(st.sampled_from(["notice", "cutover", "end"]), unique=True),
    st.integers(0, 400),
    st.timedeltas(timedelta(days=-800), timedelta(days=800)),
)
def test_at_any_instant_a_site_is_in_exactly_one_phase(
    start: datetime, zone: str, named: list[str], soak: int, distance: timedelta
) -> None:
    order = [name for name in PHASE_MILESTONES if name in named]
    milestones: dict[str, datetime] = {
        name: (start + timedelta(days=30 * step)).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for step, name in enumerate(order)
    }
    schedule = Schedule(MappingProxyType(milestones), timedelta(days=soak))
    instant = start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) + distance
    notice, cutover, end = (milestones.get(name) for name in ("notice", "cutover", "end"))
    over = end is not None and instant >= end
    closed = not milestones or (cutover is not None and instant >= cutover)
    announced = notice is not None and instant >= notice
    holds = {
        Phase.GONE: over,
        Phase.REDIRECT: closed and not over,
        Phase.NOTICE: announced and not closed and not over,
        Phase.BEFORE: not announced and not closed and not over,
    }
    assert [phase for phase, held in holds.items() if held] == [schedule.phase_at(instant)]


@given(rulebooks(), st.lists(instants, min_size=1, max_size=3))
def test_between_two_edges_nothing_changes(rulebook: Rulebook, asked: list[datetime]) -> None:
    for instant in asked:
        table = rulebook.at(instant)
        assert instant in Window(table.since, table.until)
        if table.until is not None:
            last = table.until - timedelta(microseconds=1)
            before, after = rulebook.at(last), rulebook.at(table.until)
            assert (before.since, before.until) == (table.since, table.until)
            assert after.since == table.until
            assert [site.phase for site in before.sites] == [site.phase for site in table.sites]


@given(st.sets(instants), instants)
def test_stretches_of_a_timeline_cover_time_without_overlap(edges: set[datetime], instant: datetime) -> None:
    timeline = Timeline.of(edges)
    holding = [index for index in range(len(edges) + 1) if instant in timeline.stretch(index)]
    assert holding == [timeline.index(instant)]
