"""Mapping files: CSVs of old and new addresses."""

import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.core.decision import Redirect
from proxy.core.kind import Kind
from proxy.core.mapping import MappingTable
from proxy.core.rulebook import Rulebook
from proxy.errors import Place, RulebookErrors
from proxy.rulebook.address import parse_address
from proxy.rulebook.excerpt import Excerpts
from proxy.rulebook.load import load
from proxy.rulebook.mapping import MAX_PROBLEMS

SITE = "site: s\nhosts: [old.example, '*.old.example']\nmoves_to: https://new.example/en\nmappings: [m.csv]\n"

Load = Callable[..., Rulebook]
Refused = Callable[..., list[str]]


def table_of(load_files: Load, csv: str | bytes, site: str = SITE) -> MappingTable:
    table = load_files({"s.yaml": site, "m.csv": csv}).sites[0].mappings
    assert table is not None
    return table


def pairs(table: MappingTable) -> dict[bytes, bytes]:
    return {row.old: row.location for row in table}


ONE = {b"/a": b"https://new.example/b"}


@pytest.mark.parametrize(
    "csv",
    [
        "old,new\n/a,/b\n",
        "old;new\n/a;/b\n",
        "old\tnew\n/a\t/b\n",
        "new,old\n/b,/a\n",
        "Old , NEW\n /a , /b \n",
        '"old","new"\r\n"/a","/b"\r\n',
        "clicks,old,note,new\n3,/a,renamed,/b\n",
        "old,new,status\n/a,/b,\n",
        "old,new,status\n/a,/b\n",
        "old,new\n\n/a,/b\n\n  \n",
        "\ufeffold,new\n/a,/b\n",
        "old,new\nhttps://old.example/a,https://new.example/b\n",
        "old,new\nhttp://www.old.example:80/a/,/b\n",
        "old,new\nHTTPS://OLD.EXAMPLE/a,/b\n",
        "old,new\n/%61/,/b\n",
    ],
)
def test_a_row_is_read_however_it_was_exported(load_files: Load, csv: str) -> None:
    assert pairs(table_of(load_files, csv)) == ONE


@pytest.mark.parametrize(
    ("old", "key"),
    [
        ("/a/b/", b"/a/b"),
        ("/a//", b"/a/"),
        ("/", b""),
        ("https://old.example", b""),
        ("/caf%c3%a9", b"/caf%C3%A9"),
        ("/café", b"/caf%C3%A9"),
        ("/a b", b"/a%20b"),
        ('"/a,b"', b"/a,b"),
        ("/%7Ea/%2fb", b"/~a/%2Fb"),
        ("/a/../b", b"/a/../b"),
        ("/A", b"/A"),
        ("/a;b=c", b"/a;b=c"),
        ("/a?", b"/a"),
    ],
)
def test_an_old_address_is_kept_as_it_is_compared(load_files: Load, old: str, key: bytes) -> None:
    assert list(pairs(table_of(load_files, f"old,new\n{old},/x\n"))) == [key]


@pytest.mark.parametrize(
    ("new", "location"),
    [
        ("/b/", b"https://new.example/b/"),
        ("https://new.example", b"https://new.example/"),
        ("https://new.example:443/b", b"https://new.example/b"),
        ("https://new.example:8443/b", b"https://new.example:8443/b"),
        ("http://new.example/b", b"http://new.example/b"),
        ("/café au lait", b"https://new.example/caf%C3%A9%20au%20lait"),
        ("/b?x=1&y=2#z", b"https://new.example/b?x=1&y=2#z"),
        ("/%zz/%C3%a9", b"https://new.example/%zz/%C3%a9"),
    ],
)
def test_a_new_address_is_a_finished_location(load_files: Load, new: str, location: bytes) -> None:
    assert list(pairs(table_of(load_files, f"old,new\n/a,{new}\n")).values()) == [location]


def test_case_and_slashes_count_as_the_site_says(load_files: Load) -> None:
    csv = "old,new\n/A/,/1\n/b,/2\n/b/,/3\n/,/4\n"
    assert list(pairs(table_of(load_files, csv, SITE + "match_slash: true\n"))) == [b"/A/", b"/b", b"/b/", b"/"]
    assert list(pairs(table_of(load_files, "old,new\n/A/,/1\n", SITE + "match_case: false\n"))) == [b"/a"]


def test_a_row_knows_its_line(load_files: Load) -> None:
    table = table_of(load_files, "old,new\n/a,/1\n\n/b,/2\n")
    assert [str(table.place(row.at)) for row in table] == ["rules/m.csv:2:1", "rules/m.csv:4:1"]
    assert table_of(load_files, "old,new\n/a,/1\n/b,/2\n").files[0].lines == range(2, 4)


def test_a_row_may_have_a_status_of_its_own(load_files: Load) -> None:
    table = table_of(load_files, "old,new,status\n/a,/1,\n/b,/2, 302 \n")
    assert [row.status for row in table] == [None, 302]


def test_an_old_address_with_a_query_is_a_rule(load_files: Load) -> None:
    rulebook = load_files({"s.yaml": SITE, "m.csv": "old,new\n/a?id=7&x=%C3%A9+b,/b?y=1\n/a?id=8,/c\n/a,/d\n"})
    excerpts = Excerpts(rulebook.sites)

    def ask(target: bytes) -> Any:
        return excerpts.ask(datetime(2030, 1, 1, tzinfo=UTC), b"old.example", target)

    decision = ask(b"/a/?x=%c3%a9%20b&id=7&z=1")
    assert isinstance(decision, Redirect)
    assert decision.location == b"https://new.example/b?y=1&z=1"
    assert (decision.cause.kind, decision.cause.rule, decision.place) == (
        Kind.MAPPING,
        "mappings",
        Place("rules/m.csv", 2, 1),
    )
    assert ask(b"/a?id=8").location == b"https://new.example/c"
    assert ask(b"/a?id=9").location == b"https://new.example/d?id=9"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.text("aB/%2f~.;,=:@!$'()+é ", max_size=12).map(lambda text: "/" + text.lstrip("/")),
    case=st.booleans(),
    slash=st.booleans(),
)
def test_every_row_answers_its_own_address(load_files: Load, path: str, case: bool, slash: bool) -> None:
    quoted = path.strip().replace('"', '""')
    site = f"{SITE}match_case: {str(case).lower()}\nmatch_slash: {str(slash).lower()}\n"
    rulebook = load_files({"s.yaml": site, "m.csv": f'old,new\n"{quoted}",/found\n'})
    host, target, _ = parse_address(f"https://old.example{quoted}")
    decision = rulebook.at(datetime(2030, 1, 1, tzinfo=UTC)).decide(host, target)
    assert isinstance(decision, Redirect)
    assert decision.location == b"https://new.example/found"


def test_a_mapping_holds_from_the_cutover_on(load_files: Load) -> None:
    schedule = "origin: https://legacy.example\ntimezone: UTC\nschedule: {cutover: 2030-01-01}\n"
    tests = (
        "tests:\n"
        "  - {url: https://old.example/a/, at: '2029-12-31T23:59:59', expect: forward}\n"
        "  - {url: https://old.example/a/?x, at: cutover, expect: '301 https://new.example/b?x'}\n"
    )
    load_files({"s.yaml": SITE + schedule + tests, "m.csv": "old,new\n/a,/b\n"})


def test_a_mapping_may_be_in_a_subfolder_and_two_are_one_list(load_files: Load) -> None:
    site = SITE.replace("[m.csv]", "[mappings/a.csv, mappings/b.csv]")
    (one,) = load_files(
        {"s.yaml": site, "mappings/a.csv": "old,new\n/a,/1\n", "mappings/b.csv": "old,new\n/b,/2\n"}
    ).sites
    assert one.mappings is not None
    assert [str(one.mappings.place(row.at)) for row in one.mappings] == [
        "rules/mappings/a.csv:2:1",
        "rules/mappings/b.csv:2:1",
    ]


def test_so_many_mistakes_are_counted(load_files: Load) -> None:
    csv = "old,new\n" + "x,/y\n" * (MAX_PROBLEMS + 500)
    with pytest.raises(RulebookErrors) as caught:
        load_files({"s.yaml": SITE, "m.csv": csv})
    assert len(caught.value.problems) == MAX_PROBLEMS + 1
    assert "500 more problems" in str(caught.value.problems[0])


@pytest.mark.parametrize(
    ("csv", "problem"),
    [
        ('old,new\n"/a",https://evil.example/\n', "m.csv:2:6: target-not-listed"),
        ("old;new\n/a;/b\n/a/b;x\n", "m.csv:3:6: bad-target"),
        ("note,old,new\nx,a,/b\n", "m.csv:2:3: mapping-old"),
        ('old,new\n"/a\nb",/c\n', "m.csv:3:1: mapping-old"),
        ("old,new\n/a,/{*host}\n", "m.csv:2:5: host-capture"),
        ("\n", "m.csv:1:1: mapping-header"),
        ("old,new\n/a,/b\n/c,\n", "m.csv:3:4: bad-target"),
    ],
)
def test_a_mistake_has_row_and_column(refused: Refused, csv: str, problem: str) -> None:
    assert refused({"s.yaml": SITE, "m.csv": csv}) == [problem]


def test_an_empty_file_is_no_mapping(refused: Refused) -> None:
    assert refused({"s.yaml": SITE, "m.csv": ""}) == ["m.csv:1:1: mapping-header"]


def test_a_target_with_the_hosts_capture_is_no_single_address(refused: Refused) -> None:
    site = "site: s\nhosts: ['*.old.example']\nmoves_to: https://{*host}.new.example\nmappings: [m.csv]\n"
    frame = "targets: ['*.new.example']\n"
    assert refused({"rulebook.yaml": frame, "s.yaml": site, "m.csv": "old,new\n/a,/b\n"}) == [
        "m.csv:2:4: unknown-capture"
    ]


def test_a_file_is_read_as_a_stream(rule_folder: Callable[..., Path]) -> None:
    note = "x" * 1000
    csv = "old,note,new\n" + "".join(f"/a/{number},{note},/b/{number}\n" for number in range(20_000))
    folder = rule_folder({"s.yaml": SITE, "m.csv": csv})
    tracemalloc.start()
    try:
        mappings = load(folder).sites[0].mappings
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(mappings or ()) == 20_000
    assert peak < len(csv) / 2


def test_a_byte_that_is_no_text_is_told_with_its_line(refused: Refused) -> None:
    csv = "old,new\n" + "/a,/b\n" * 3
    assert refused({"s.yaml": SITE, "m.csv": csv.encode() + b"/caf\xe9,/c\n"})[:1] == ["m.csv: not-utf8"]
