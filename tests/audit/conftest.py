"""A small rulebook made by hand: it tests this floor alone, without the loader."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from proxy.audit import OldAddress, Report, audit, read_addresses
from proxy.core.mapping import MappingTable
from proxy.core.model import Action, AnswerGone, AnswerNotFound, Https, KeepPath, Origin, PassOn, RedirectTo, Rule, Site
from proxy.core.pattern import parse_path
from proxy.core.rulebook import Rulebook
from proxy.core.schedule import Schedule
from proxy.core.table import Table
from proxy.core.target import parse_target
from proxy.errors import Place

CUTOVER = datetime(2024, 12, 31, tzinfo=UTC)
ORIGIN = Origin("https", "legacy.example", 443)


def rules(file: str, home: str, *lines: tuple[str, str | Action]) -> tuple[Rule, ...]:
    """Rules that always hold: a pattern and a target, or another action."""
    moves_to = parse_target(home)
    return tuple(
        Rule(
            parse_path(path),
            RedirectTo(parse_target(action, moves_to)) if isinstance(action, str) else action,
            path,
            Place(file, order + 10, 5),
            order,
        )
        for order, (path, action) in enumerate(lines)
    )


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    uk = "https://new.example/uk"
    mappings = MappingTable.of(
        "mappings/uk.csv",
        [(b"/uk/p/1", b"https://new.example/uk/one/"), (b"/uk/p/2", b"https://new.example/uk/two/")],
    )
    return Rulebook(
        [
            Site(
                "uk",
                ("old.example", "www.old.example"),
                Place("uk.yaml", 1, 1),
                base=b"/uk",
                schedule=Schedule({"notice": CUTOVER - timedelta(90), "cutover": CUTOVER}),
                origins=(ORIGIN,),
                moves_to=parse_target(uk),
                unmapped=KeepPath(),
                mappings=mappings,
                rules=rules(
                    "uk.yaml",
                    uk,
                    ("/uk/a", "/uk/b"),
                    ("/uk/s/{topic}", "/uk/t/{topic}"),
                    ("/uk/cart/*", "/uk/cart"),
                    ("/uk/api/*", AnswerGone()),
                    ("/uk/nothing", AnswerNotFound()),
                    ("/uk/live/*", PassOn()),
                    ("/uk/chain", "https://old.example/uk/a"),
                    ("/uk/kept-chain", "https://www.old.example/uk/x"),
                    ("/uk/round", "https://old.example/uk/about"),
                    ("/uk/about", "https://old.example/uk/round"),
                    ("/uk/self", "https://old.example/uk/self"),
                    ("/uk/grows/*", "https://old.example/uk/grows/{*}/x"),
                    ("/uk/dead", "https://old.example/uk/api/v1"),
                    ("/uk/swept", "https://closed.example/x"),
                    ("/uk/live-on", "https://alive.example/x"),
                ),
            ),
            Site(
                "closed",
                ("closed.example",),
                Place("closed.yaml", 1, 1),
                moves_to=parse_target("https://new.example/"),
                unmapped=RedirectTo(parse_target("https://new.example/")),
                rules=rules("closed.yaml", "https://new.example/", ("/to-lost", "https://lost.example/x")),
            ),
            Site("lost", ("lost.example",), Place("lost.yaml", 1, 1), unmapped=AnswerGone()),
            Site(
                "secure",
                ("secure.example",),
                Place("secure.yaml", 1, 1),
                https=Https.REDIRECT,
                moves_to=parse_target("https://new.example/s"),
                unmapped=KeepPath(),
                rules=rules("secure.yaml", "https://new.example/s", ("/a", "/s/b")),
                robots=True,
            ),
            Site(
                "later",
                ("later.example",),
                Place("later.yaml", 1, 1),
                schedule=Schedule({"cutover": CUTOVER + timedelta(365)}),
                origins=(ORIGIN,),
                moves_to=parse_target("https://new.example/"),
                unmapped=KeepPath(),
            ),
            Site("alive", ("alive.example",), Place("alive.yaml", 1, 1), origins=(ORIGIN,), pass_through=True),
            Site("part", ("part.example",), Place("part.yaml", 1, 1), base=b"/only", unmapped=AnswerGone()),
        ],
        ["new.example"],
    )


@pytest.fixture(scope="session")
def table(rulebook: Rulebook) -> Table:
    return rulebook.at(CUTOVER + timedelta(1))


Audited = Callable[..., Report]


@pytest.fixture
def audited(table: Table) -> Audited:
    """An audit of addresses, given as text or as text and clicks."""

    def run(*addresses: str | tuple[str, int], many: int = 3) -> Report:
        pairs = [(one, 0) if isinstance(one, str) else one for one in addresses]
        return audit(
            table,
            [OldAddress(text, clicks, "list.txt", line) for line, (text, clicks) in enumerate(pairs, 1)],
            many=many,
        )

    return run


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str, bytes | str], list[tuple[str, int]]]:
    """What the readers make of a file: addresses with their clicks."""

    def run(name: str, content: bytes | str) -> list[tuple[str, int]]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        found = list(read_addresses([path]))
        assert all(isinstance(one, OldAddress) for one in found), found
        return [(one.text, one.clicks) for one in found if isinstance(one, OldAddress)]

    return run
