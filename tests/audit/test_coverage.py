"""What becomes of an old address, whether it is covered, and what is found."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.audit import (
    COLUMNS,
    FindingKind,
    OldAddress,
    Report,
    Skipped,
    Standing,
    audit,
    is_covered,
    table_at_cutover,
)
from proxy.core.decision import Outcome
from proxy.core.rulebook import Rulebook
from proxy.core.table import Table
from proxy.errors import Place

Audited = Callable[..., Report]
NEW = "https://new.example"


def cells(report: Report, *names: str) -> list[tuple[object, ...]]:
    return [tuple(report.cells(row)[COLUMNS.index(name)] for name in names) for row in report.rows]


ADDRESSES = {
    # address: outcome, status, kind, rule, place, target, standing, findings
    "https://old.example/uk/a": ("redirect", 301, "exact", "/uk/a", "uk.yaml:10:5", f"{NEW}/uk/b", "rule", ""),
    "http://OLD.example/uk/a/": ("redirect", 301, "exact", "/uk/a", "uk.yaml:10:5", f"{NEW}/uk/b", "rule", ""),
    "www.old.example/uk/s/x": (
        "redirect", 301, "captures", "/uk/s/{topic}", "uk.yaml:11:5", f"{NEW}/uk/t/x", "rule", "",
    ),
    "https://old.example/uk/cart/1": (
        "redirect", 301, "tail", "/uk/cart/*", "uk.yaml:12:5", f"{NEW}/uk/cart", "rule", "",
    ),
    "https://old.example/uk/p/2": (
        "redirect", 301, "mapping", "mappings", "mappings/uk.csv:3:1", f"{NEW}/uk/two/", "rule", "",
    ),
    "https://old.example/uk/x?y=1": (
        "redirect", 301, "keep-path", "unmapped", "uk.yaml:1:1", f"{NEW}/uk/x?y=1", "kept path", "unmapped",
    ),
    "https://old.example/uk/api/v1": ("gone", 410, "tail", "/uk/api/*", "uk.yaml:13:5", None, "ended", ""),
    "https://old.example/uk/nothing": ("not-found", 404, "exact", "/uk/nothing", "uk.yaml:14:5", None, "ended", ""),
    "https://old.example/uk/live/x": ("forward", None, "tail", "/uk/live/*", "uk.yaml:15:5", None, "served", ""),
    "https://closed.example/x": (
        "redirect", 301, "fallback", "unmapped", "closed.yaml:1:1", f"{NEW}/", "fallback", "unmapped",
    ),
    "https://lost.example/x": ("gone", 410, "fallback", "unmapped", "lost.yaml:1:1", None, "lost", "unmapped"),
    "https://part.example/x": ("not-found", 404, None, None, None, None, "lost", "unmapped"),
    "https://alive.example/x": ("forward", None, "phase", "pass-through", "alive.yaml:1:1", None, "served", ""),
    "https://later.example/x": ("forward", None, "phase", "before", "later.yaml:1:1", None, "not yet", "not-yet"),
    "https://secure.example/robots.txt": ("local", 200, "local", "robots", "secure.yaml:1:1", None, "served", ""),
    "https://secure.example/.well-known/acme-challenge/x": (
        "local", 404, "local", "acme-challenge", "secure.yaml:1:1", None, "lost", "unmapped",
    ),
    "https://stranger.example/": ("misdirected", 421, None, None, None, None, "misdirected", "misdirected"),
    "/uk/a": ("bad-request", 400, None, None, None, None, "malformed", "bad-request"),
    "https://old.example/" + "x" * 9000: ("bad-request", 414, None, None, None, None, "malformed", "bad-request"),
}  # fmt: skip


@pytest.mark.parametrize(("address", "expected"), ADDRESSES.items(), ids=[address[:60] for address in ADDRESSES])
def test_an_address_is_told_with_all_that_becomes_of_it(
    audited: Audited, address: str, expected: tuple[object, ...]
) -> None:
    names = ("outcome", "status", "kind", "rule", "place", "target", "standing", "findings")
    assert cells(audited(address), *names) == [expected]


COVERED = {Standing.RULE, Standing.KEPT_PATH, Standing.SERVED, Standing.ENDED}


@pytest.mark.parametrize("standing", Standing)
def test_what_a_rule_names_keeps_its_path_or_lives_on_is_covered(standing: Standing) -> None:
    assert is_covered(standing) == (standing in COVERED)


WAYS = {
    # address: standing, findings, where it ends, redirects on its way
    "https://old.example/uk/chain": ("rule", "chain", f"{NEW}/uk/b", 2),
    "https://old.example/uk/kept-chain": ("rule", "chain", f"{NEW}/uk/x", 2),
    "https://old.example/uk/self": ("loop", "loop", "https://old.example/uk/self", 2),
    "https://old.example/uk/round": ("loop", "loop", "https://old.example/uk/about", 3),
    "https://old.example/uk/grows/x": ("loop", "loop", "https://old.example/uk/grows/x" + "/x" * 11, 11),
    "https://old.example/uk/dead": ("dead end", "dead-end", "https://old.example/uk/api/v1", 1),
    "https://old.example/uk/swept": ("fallback", "unmapped chain", f"{NEW}/", 2),
    "https://old.example/uk/live-on": ("rule", "", "https://alive.example/x", 1),
    "https://closed.example/to-lost": ("dead end", "dead-end", "https://lost.example/x", 1),
    # from http to https is no redirect that a rule could spare
    "http://secure.example/a": ("rule", "", f"{NEW}/s/b", 1),
    "http://secure.example/x": ("kept path", "unmapped", f"{NEW}/s/x", 1),
}


@pytest.mark.parametrize(("address", "expected"), WAYS.items(), ids=WAYS)
def test_a_redirect_within_the_rulebook_is_followed(
    audited: Audited, address: str, expected: tuple[str, str, str, int]
) -> None:
    report = audited(address)
    standing, findings, ends_at, hops = expected
    assert cells(report, "standing", "findings", "ends_at") == [(standing, findings, ends_at)]
    assert report.rows[0].hops == hops


def test_a_long_address_can_be_followed_to_https(audited: Audited) -> None:
    report = audited("http://secure.example/" + "x" * 8190)
    assert cells(report, "standing") == [("kept path",)]


def test_an_address_that_comes_twice_is_told_once_with_all_its_clicks(audited: Audited) -> None:
    address = "https://old.example/uk/a"
    report = audited((address, 3), ("https://old.example/uk/x", 1), (address, 0), (address, 4), (f"{address}#top", 2))
    assert [(row.address.text, row.address.clicks, row.address.line) for row in report.rows] == [
        (address, 9, 1),
        ("https://old.example/uk/x", 1, 2),
    ]
    assert report.total == (2, 2, 10, 10)


def test_many_to_one_is_found_from_the_named_number_on(audited: Audited) -> None:
    carts = [f"https://old.example/uk/cart/{number}" for number in range(4)]
    assert FindingKind.MANY_TO_ONE not in {finding.kind for finding in audited(*carts, many=5).findings}
    report = audited(*((cart, 2) for cart in carts), "https://old.example/uk/a", many=4)
    (finding,) = report.findings
    assert (finding.kind, finding.addresses, finding.clicks) == (FindingKind.MANY_TO_ONE, 4, 8)
    assert finding.examples == ((f"{NEW}/uk/cart", 4, 8, "4 old pages"),)
    assert finding.meaning.startswith("4 or more old pages share a target")
    assert cells(report, "findings") == [("many-to-one",)] * 4 + [("",)]


def test_ways_of_writing_one_page_are_not_many(audited: Audited) -> None:
    ways = ("https://old.example/uk/a", "http://old.example/uk/a", "www.old.example/uk/a/", "old.example/uk/a")
    assert audited(*ways).findings == ()


def test_many_to_one_counts_where_a_chain_ends(audited: Audited) -> None:
    old = "https://old.example/uk/"
    report = audited(f"{old}a", f"{old}chain", many=2)
    assert cells(report, "findings") == [("many-to-one",), ("chain many-to-one",)]


def test_examples_are_the_uncovered_and_then_those_with_most_clicks(audited: Audited) -> None:
    kept = [(f"https://old.example/uk/k{number}", number) for number in range(30)]
    report = audited(*kept, ("https://lost.example/x", 1), many=99)
    (finding,) = report.findings
    assert (finding.kind, finding.addresses) == (FindingKind.UNMAPPED, 31)
    assert [example.clicks for example in finding.examples] == [1, *range(29, 20, -1)]
    assert finding.examples[0].note == "lost"
    assert finding.examples[1].note == f"kept path → {NEW}/uk/k29"


def test_summaries_by_site_and_kind_count_addresses_and_clicks(audited: Audited) -> None:
    report = audited(
        ("https://old.example/uk/a", 10),
        ("https://old.example/uk/x", 20),
        ("https://closed.example/x", 30),
        ("https://stranger.example/x", 40),
    )
    assert report.total == (4, 2, 100, 30)
    assert (report.coverage, report.total.coverage_by_clicks) == (50, 30)
    assert report.by_site == {"uk": (2, 2, 30, 30), "closed": (1, 0, 30, 0), None: (1, 0, 40, 0)}
    assert report.by_kind == {
        "exact": (1, 1, 10, 10),
        "keep-path": (1, 1, 20, 20),
        "fallback": (1, 0, 30, 0),
        None: (1, 0, 40, 0),
    }


def test_of_no_address_nothing_is_covered(audited: Audited) -> None:
    report = audited()
    assert (report.coverage, report.total.coverage_by_clicks, report.findings) == (0, None, ())


def test_what_was_not_read_is_in_the_report(table: Table) -> None:
    skipped = Skipped(Place("index.xml", 3), "is not there")
    report = audit(table, [skipped, OldAddress("https://old.example/uk/a", 0, "x", 1)])
    assert report.skipped == (skipped,)
    assert report.total.addresses == 1


def test_without_an_instant_every_site_is_past_its_own_cutover(rulebook: Rulebook) -> None:
    addresses = ("https://old.example/uk/x", "https://later.example/x", "https://alive.example/x")
    report = audit(table_at_cutover(rulebook), [OldAddress(text, 0, "x", 1) for text in addresses])
    assert [row.standing for row in report.rows] == [Standing.KEPT_PATH, Standing.KEPT_PATH, Standing.SERVED]


PATHS = st.sampled_from(
    ["/", "/a", "/uk", "/uk/a", "/uk/s/x", "/uk/cart/1", "/uk/dead", "/uk/round", "/only/x", "/x#y"]
)
HOSTS = st.sampled_from(
    ["old.example", "www.old.example", "closed.example", "lost.example", "secure.example", "part.example", "no.example"]
)
SCHEMES = st.sampled_from(["https://", "http://", "", "ftp://"])
WELL_MADE = st.builds("".join, st.tuples(SCHEMES, HOSTS, PATHS))


@given(st.lists(st.tuples(st.one_of(WELL_MADE, st.text(max_size=40)), st.integers(0, 10**9))))
def test_no_address_raises_and_all_sums_add_up(table: Table, addresses: list[tuple[str, int]]) -> None:
    report = audit(table, [OldAddress(text, clicks, "x", 1) for text, clicks in addresses])
    assert report.total.clicks == sum(clicks for _, clicks in addresses)
    assert report.total.addresses == len(report.rows) == len({text.partition("#")[0] for text, _ in addresses})
    for tallies in (report.by_site, report.by_kind, report.by_standing):
        assert tuple(map(sum, zip((0, 0, 0, 0), *tallies.values(), strict=True))) == report.total
        assert all(0 <= tally.coverage <= 100 for tally in tallies.values())
    assert 0 <= report.coverage <= 100
    for row in report.rows:
        redirected = report.cells(row)[COLUMNS.index("outcome")] is Outcome.REDIRECT
        assert redirected == (row.end is not None)
    for finding in report.findings:
        assert 0 < finding.addresses <= report.total.addresses
        assert finding.clicks <= report.total.clicks
