"""What is counted, under which labels, and that Prometheus' own checker likes it."""

import os
import random
import re
import shutil
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from proxy import __version__
from proxy.core.decision import Outcome
from proxy.core.mapping import MappingTable
from proxy.core.model import AnswerGone, Origin, Rule, Site
from proxy.core.pattern import RegexPattern, parse_path
from proxy.core.rulebook import Rulebook
from proxy.core.schedule import Window
from proxy.edge.configuration.settings import Limits, Settings
from proxy.edge.counts import BUCKETS, Counts
from proxy.edge.metrics import Metrics
from proxy.edge.server import Server
from tests.edge.peers import Client, Originating, Serving, ask, get
from tests.edge.sites import AFTER, BEFORE, CUTOVER, PLACE, forwarding, passing_through, rule, rulebook, site

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def uk() -> Site:
    mapping = MappingTable.of("uk.csv", [(b"/old", b"https://www.mi.com/new"), (b"/older", b"https://www.mi.com/new")])
    rules = (
        rule("/exact", "/uk/e"),
        rule("/s/{topic}", "/uk/s", 1),
        rule("/cart/*", "/uk/cart", 2),
        rule("/never", "/uk/never", 3),
        rule("/row", "/uk/row", 4, mapped=True),
        Rule(parse_path("/gone"), AnswerGone(), "/gone", PLACE, 5, window=Window(CUTOVER)),
    )
    return site(rules=rules, mappings=mapping)


def scrape(server: Server) -> Series:
    return series(Metrics(server.counts, server).document()[0])


def series(document: bytes) -> Series:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(document.decode())
        for sample in family.samples
    }


def value(found: Series, name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


def ours(found: Series) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    return {key for key in found if key[0].startswith("sunset_")}


async def test_requests_are_counted_by_site_outcome_and_code(serving: Serving, originating: Originating) -> None:
    origin = await originating(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
    book = Rulebook([uk(), passing_through(origin.origin, hosts=("poco.in",))], ["www.mi.com"])
    server = await serving(book, at=AFTER)
    for request in (
        get(b"/x"),
        get(b"/x"),
        get(b"/x", method=b"POST"),
        get(b"/gone"),
        get(b"/", b"poco.in"),
        get(b"/", b"unknown.example"),
        get(b"/", b"a b"),
        b"nonsense\r\n\r\n",
    ):
        await ask(server, request)
    found = scrape(server)
    requests = {key[1]: count for key, count in found.items() if key[0] == "sunset_requests_total"}
    assert {tuple(dict(labels)[name] for name in ("site", "outcome", "code")): n for labels, n in requests.items()} == {
        ("uk", "redirect", "301"): 2,
        ("uk", "redirect", "308"): 1,
        ("uk", "gone", "410"): 1,
        ("in", "forward", "503"): 1,
        ("other", "misdirected", "421"): 1,
        ("other", "bad-request", "400"): 2,
    }


async def test_hits_are_counted_by_rule_and_all_rows_of_mappings_together(serving: Serving) -> None:
    server = await serving(rulebook(uk()), at=AFTER)
    for path in (b"/exact", b"/exact/?x", b"/s/1", b"/s/2", b"/cart/a/b", b"/old", b"/older", b"/row", b"/gone", b"/x"):
        await ask(server, get(path))
    found = scrape(server)
    hits = {dict(key[1])["rule"]: count for key, count in found.items() if key[0] == "sunset_rule_hits_total"}
    assert hits == {"/exact": 2, "/s/{topic}": 2, "/cart/*": 1, "mappings": 3, "/gone": 1, "/never": 0}
    assert value(found, "sunset_unmapped_requests_total", site="uk") == 1


def test_every_rule_has_its_series_before_it_is_hit() -> None:
    counts = Counts(rulebook(uk()))
    assert set(counts.hits) == {
        ("uk", name) for name in ("/exact", "/s/{topic}", "/cart/*", "/never", "mappings", "/gone")
    }
    assert set(counts.hits.values()) == {0}
    assert counts.unmapped == {"uk": 0}


async def test_what_is_forwarded_is_no_hit_and_not_unmapped(serving: Serving, originating: Originating) -> None:
    origin = await originating()
    server = await serving(rulebook(forwarding(origin.origin)), at=BEFORE)
    await ask(server, get(b"/x"))
    assert server.counts.hits == {}
    assert server.counts.unmapped == {"uk": 0}


async def test_durations_are_a_histogram_by_outcome(serving: Serving) -> None:
    server = await serving(rulebook(), at=AFTER, timed_every=1)
    for _ in range(5):
        await ask(server, get(b"/x"))
    found = scrape(server)
    name = "sunset_request_duration_seconds"
    bounds = [*map(str, BUCKETS), "+Inf"]
    buckets = [value(found, f"{name}_bucket", outcome="redirect", le=bound) for bound in bounds]
    assert buckets == sorted(buckets)
    assert buckets[-1] == value(found, f"{name}_count", outcome="redirect") == 5
    assert 0 < value(found, f"{name}_sum", outcome="redirect") < 1


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, 0), (0.0001, 0), (0.00011, 1), (30.0, len(BUCKETS) - 1), (31.0, len(BUCKETS))]
)
def test_a_bound_belongs_to_its_bucket(seconds: float, bucket: int) -> None:
    counts = Counts(rulebook())
    counts.lasted(Outcome.REDIRECT, seconds)
    assert counts.durations[Outcome.REDIRECT, bucket] == 1


async def test_faults_of_origins_are_counted_by_reason(serving: Serving) -> None:
    server = await serving(rulebook(forwarding(Origin("http", "nowhere.invalid", 80))), at=BEFORE)
    await ask(server, get(b"/x"))
    found = scrape(server)
    assert value(found, "sunset_upstream_errors_total", site="uk", reason="dns") == 1
    assert value(found, "sunset_requests_total", site="uk", outcome="forward", code="502") == 1


@pytest.mark.parametrize(
    ("instant", "phase"), [(BEFORE, "before"), (CUTOVER - timedelta(days=1), "notice"), (AFTER, "redirect")]
)
def test_the_phase_is_the_one_of_now(instant: datetime, phase: str) -> None:
    book = rulebook(uk(), generation="abc")
    found = series(Metrics(Counts(book), Server(book, Settings(at=instant))).document()[0])
    phases = {dict(key[1])["phase"]: shown for key, shown in found.items() if key[0] == "sunset_phase"}
    assert [name for name, shown in phases.items() if shown == 1] == [phase]
    assert len(phases) == 5
    assert value(found, "sunset_cutover_timestamp_seconds", site="uk") == CUTOVER.timestamp()
    assert value(found, "sunset_rulebook_info", generation="abc") == 1
    python = ".".join(map(str, sys.version_info[:3]))
    assert value(found, "sunset_build_info", version=__version__, python=python) == 1


async def test_nothing_that_strangers_send_adds_a_series(serving: Serving) -> None:
    server = await serving(rulebook(uk()), at=AFTER, limits=Limits(requests=20_000))
    chance = random.Random(1)
    methods = (b"GET", b"POST", b"PUT", b"DELETE", b"PROPFIND")

    def request(number: int) -> bytes:
        name = b"%x" % chance.getrandbits(64)
        host = (b"po.co", name + b".example", b"www.po.co", name)[number % 4]
        return get(b"/" + name + b"?" + name, host, b"X-%b: 1" % name, method=methods[number % 5])

    async def send(numbers: range) -> None:
        async with await Client.to(server) as client:
            for start in range(numbers.start, numbers.stop, 50):
                client.send(b"".join(request(number) for number in range(start, start + 50)))
                for _ in range(50):
                    await client.answer()

    await send(range(100))
    before = ours(scrape(server))
    await send(range(10_000))
    assert ours(scrape(server)) == before


def test_a_label_is_escaped() -> None:
    odd = Rule(
        RegexPattern('^/a"b\\.c$', None),  # type: ignore[arg-type]
        AnswerGone(),
        '^/a"b\\.c\n$',
        PLACE,
        0,
        window=Window(AFTER + timedelta(days=1)),
    )
    book = rulebook(site(rules=(odd,)))
    document, _ = Metrics(Counts(book), Server(book, Settings(at=AFTER))).document()
    assert b'rule="^/a\\"b\\\\.c\\n$"' in document


async def test_promtool_has_nothing_to_say(serving: Serving) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        assert os.environ.get("CI") != "true", "promtool is not installed"
        pytest.skip("promtool is not installed")
    server = await serving(rulebook(uk()), at=AFTER)
    await ask(server, get(b"/x"))
    server.counts.upstream_failed("uk", "dns")
    document, content_type = Metrics(server.counts, server).document()
    assert content_type.startswith("text/plain")
    checked = subprocess.run([promtool, "check", "metrics"], input=document, capture_output=True, check=False)  # noqa: ASYNC221 - it reads a few KB
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_a_scraper_gets_the_format_that_it_asks_for() -> None:
    book = rulebook()
    metrics = Metrics(Counts(book), Server(book, Settings(at=AFTER)))
    document, content_type = metrics.document("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert document.endswith(b"# EOF\n")
    assert re.search(rb"^# HELP sunset_requests .", document, re.MULTILINE)
