"""What is fuzzed. A target takes any bytes, and raises where something does not hold that must hold for all of them.

To add one, write the function, give it a line in `TARGETS`, and put a few typical inputs into `fuzz/corpus/NAME/`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import ada_url

from fuzz.answers import answers, chunks
from fuzz.head import end, head
from fuzz.injector import injector
from fuzz.proxies import forwarded, introduction
from fuzz.sites import INSTANTS, LISTED, RULES
from proxy.core.decision import Forward, Redirect, cause_of, outcome_of
from proxy.core.kind import Kind
from proxy.core.table import Table
from proxy.core.target import is_listed
from proxy.core.url import MAX_TARGET_BYTES, parse_host
from proxy.errors import RulebookErrors
from proxy.rulebook.load import load


def host(data: bytes) -> None:
    """A host is malformed, or in a form that is its own, whatever port and case it came with."""
    name = parse_host(data)
    if name is None:
        return
    assert name == name.lower()
    assert 0 < len(name) <= 254
    assert not name.translate(None, b"abcdefghijklmnopqrstuvwxyz0123456789-_.:[]")
    if name.startswith(b"["):
        assert name.endswith(b"]")
        assert not name[1:-1].translate(None, b"abcdef0123456789:.")
    else:
        for label in name.split(b"."):
            assert 0 < len(label) < 64
            assert not label.startswith(b"-")
            assert not any(byte in label for byte in b":[]")
    assert parse_host(name) == parse_host(name.upper() + b":443") == name


def decide(data: bytes) -> None:
    """Lines of host, target and method: a decision leads to a listed host only, and is the same when asked again."""
    asked, target, method, *_ = [*data.split(b"\n", 2), b"", b""]
    method = method or b"GET"
    for table in _tables():
        for secure in (True, False):
            decision = table.decide(asked, target, method, secure)
            assert decision == table.decide(bytes(bytearray(asked)), bytes(bytearray(target)), method, secure)
            outcome_of(decision)
            if isinstance(decision, Redirect):
                upgrade = decision.cause.kind is Kind.HTTPS
                _check_location(decision.location, decision.cause.site.hosts if upgrade else LISTED)
            elif isinstance(decision, Forward) and decision.successor is not None:
                _check_location(decision.successor, LISTED)
        absolute = b"https://" + asked + target
        if target.startswith(b"/") and parse_host(asked) is not None and len(absolute) <= MAX_TARGET_BYTES:
            assert table.decide(b"ignored.example", absolute, method) == table.decide(asked, target, method)


def rules(data: bytes) -> None:
    """A rule file loads, or is refused with places that are in it."""
    _load({"rulebook.yaml": b"targets: [new.example, '*.new.example']\n", "site.yaml": data})


def mappings(data: bytes) -> None:
    """A list of addresses loads, or is refused with places that are in it; what was loaded redirects as it says."""
    site = b"site: s\nhosts: [old.example]\nmoves_to: https://new.example/en\nmappings: [rows.csv]\n"
    table = _load({"rulebook.yaml": b"targets: [new.example]\n", "site.yaml": site, "rows.csv": data})
    if table is not None:
        for row in table.sites[0].site.mappings or ():
            # It is kept without its last slash: what ends in one had two of them.
            decision = table.decide(b"old.example", row.old + b"/" if row.old[-1:] in {b"", b"/"} else row.old)
            assert isinstance(decision, Redirect)
            assert (decision.location, decision.row) == (row.location, row.at)
            assert decision.place.line > 1
            _check_location(row.location, LISTED)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "answers": answers,
    "chunks": chunks,
    "decide": decide,
    "end": end,
    "forwarded": forwarded,
    "head": head,
    "host": host,
    "injector": injector,
    "introduction": introduction,
    "mappings": mappings,
    "rules": rules,
}


@cache
def _tables() -> tuple[Table, ...]:
    rulebook = load(RULES)
    return tuple(rulebook.at(instant) for instant in INSTANTS)


def _check_location(location: bytes, hosts: Sequence[str]) -> None:
    """As a browser reads it, it leads to one of these hosts."""
    assert not any(byte <= 0x20 or byte >= 0x7F for byte in location)
    read = ada_url.URL(location.decode("ascii"))
    assert is_listed(read.hostname, hosts), location
    assert (read.username, read.password) == ("", "")


def _load(files: dict[str, bytes]) -> Table | None:
    """The table of some rule files after every date, `None` where they are refused."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        try:
            rulebook = load(Path(folder))
        except RulebookErrors as refused:
            for problem in refused.problems:
                text = files.get(Path(problem.place.file).name, b"").decode("utf-8", "replace")
                assert problem.place.line <= len(f"{text}.".splitlines()), problem
                assert problem.with_caret()
            return None
        table = rulebook.at(datetime(2999, 1, 1, tzinfo=UTC))
        for site in table.sites:
            cause_of(table.decide(site.site.hosts[0].replace("*", "www").encode(), site.site.base + b"/a/b?c=d"))
        return table
