"""A rule folder whose files are cut short, at every byte.

A copy that breaks off inside a line never loads: a file has to end with a line end. At a line's end a cut file can be
whole YAML again, and only the rules can tell. So the shipped files put a key that they cannot do without last (`hosts`,
`targets`), and a test on the last row of each CSV: cut anywhere, such a folder gives errors or the very same answers.

A folder that takes no such care loses whole lines at its end without notice. What is claimed for it is less: a visitor
who is redirected at all comes where the whole rules send him, or, his rule being lost, where his path is kept: never to
a host or a path that nobody wrote. For that each rule stands on one line here, and `base` before `moves_to`.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proxy.core.decision import Redirect
from proxy.core.rulebook import Rulebook
from proxy.errors import RulebookErrors
from proxy.rulebook.expectation import describe
from proxy.rulebook.load import load

RULES = """\
rules:
  - {path: /uk/cart/*, from: shop, to: /en/basket}
  - path: /uk/help/{topic}
    to: /en/service/{topic}
    example: /uk/help/faq -> https://new.example.com/en/service/faq
  - {regex: '^/uk/p-(\\d+)\\.html$', to: '/en/item/{1}'}
  - {path: /uk/search, query: {q: '{q}'}, to: 'https://find.new.example.com/{q}'}
  - {path: /uk/app/*, gone: true}
"""

CAREFUL = {
    "rulebook.yaml": """\
defaults:
  timezone: UTC
  schedule: {shop: 2030-01-01, cutover: 2030-02-01}
targets: [new.example.com, find.new.example.com]
""",
    "uk.yaml": f"""\
site: uk
base: /uk
origin: https://legacy.example
moves_to: https://new.example.com/en
notice: {{message: 'Closes {{cutover}}', page: uk.md}}
{RULES}mappings: [uk.csv]
keep_query: {{drop: ['utm_*']}}
tests:
  - {{url: 'https://old.example.com/uk/last', at: cutover, expect: '301 https://new.example.com/en/end'}}
hosts: [old.example.com]
""",
    "uk.csv": "old,new\n/uk/first,/en/begin\n/uk/second,https://find.new.example.com/2\n/uk/last,/en/end\n",
    "uk.md": "# Moving\n\nOn {cutover}.\n",
}

PROBES = [
    *("/uk", "/uk/", "/uk/x?y=1&utm_source=z", "/uk/cart", "/uk/cart/1", "/uk/help/faq", "/uk/p-12.html", "/uk/search"),
    *("/uk/search?q=a&r=b", "/uk/app/api", "/uk/first", "/uk/second", "/uk/last", "/uk/p-x", "/", "/fr", "/ukraine"),
]
HOSTS = [b"old.example.com", b"old.example", b"old.example.co"]
INSTANTS = [datetime(2029, 12, 1, tzinfo=UTC), datetime(2030, 1, 15, tzinfo=UTC), datetime(2030, 3, 1, tzinfo=UTC)]

LINE_END = ord("\n")

Folder = Callable[..., Path]


def answers(rulebook: Rulebook) -> Iterator[tuple[str, str, bytes | None]]:
    for instant in INSTANTS:
        table = rulebook.at(instant)
        for host in HOSTS:
            for probe in PROBES:
                decision = table.decide(host, probe.encode())
                yield probe, describe(decision), decision.location if isinstance(decision, Redirect) else None


def cuts(files: dict[str, str], folder: Path) -> Iterator[tuple[str, int, Rulebook]]:
    """The rulebook of each cut file that loads."""
    for name, text in files.items():
        whole = text.encode()
        for length in range(len(whole)):
            (folder / name).write_bytes(whole[:length])
            with suppress(RulebookErrors):
                yield name, length, load(folder)
        (folder / name).write_bytes(whole)


def test_a_careful_folder_gives_errors_or_the_same_answers(rule_folder: Folder) -> None:
    folder = rule_folder(CAREFUL)
    whole = list(answers(load(folder)))
    assert len({location for _, _, location in whole}) > 10
    for name, length, rulebook in cuts(CAREFUL, folder):
        assert name == "uk.md", f"{name} cut at {length} loads"
        assert list(answers(rulebook)) == whole


def test_a_careless_folder_leads_nowhere_that_nobody_wrote(rule_folder: Folder) -> None:
    careless = CAREFUL | {
        "rulebook.yaml": """\
targets: [new.example.com, find.new.example.com]
defaults:
  timezone: UTC
  schedule: {shop: 2030-01-01, cutover: 2030-02-01}
""",
        "uk.yaml": f"""\
site: uk
hosts: [old.example.com]
base: /uk
origin: https://legacy.example
moves_to: https://new.example.com/en
keep_query: {{drop: ['utm_*']}}
mappings: [uk.csv]
{RULES}""",
    }
    folder = rule_folder(careless)
    kept = {probe: probe.replace("/uk", "https://new.example.com/en", 1).encode() for probe in PROBES}
    kept["/uk/x?y=1&utm_source=z"] = b"https://new.example.com/en/x?y=1"
    written: dict[str, set[bytes | None]] = {}
    for probe, _, location in answers(load(folder)):
        written.setdefault(probe, {None, kept[probe]}).add(location)
    # A cut may leave no cutover, so that a rule that was to come holds already; it leads where it was to lead.
    written["/uk/x?y=1&utm_source=z"].add(b"https://new.example.com/en/x?y=1&utm_source=z")
    loaded = 0
    for name, length, rulebook in cuts(careless, folder):
        loaded += 1
        for probe, answer, location in answers(rulebook):
            assert location in written[probe], f"{name} cut at {length}: {probe} gives {answer}"
    assert loaded


SHIPPED = Path(__file__).parent.parent.parent / "rules"


@pytest.mark.parametrize("name", ["rulebook.yaml", *(path.name for path in sorted(SHIPPED.glob("*-*.yaml")))])
def test_the_shipped_folder_is_a_careful_one(rule_folder: Folder, name: str) -> None:
    """Each site by itself, cut at the ends of its lines and of those of its mapping."""
    names = {"rulebook.yaml", name} if name != "rulebook.yaml" else {name, "poco-uk.yaml"}
    regions = {part.removeprefix("poco-").removesuffix(".yaml") for part in names}
    below = [path for path in SHIPPED.glob("*/*") if path.name.partition(".")[0] in regions]
    paths = [SHIPPED / part for part in names] + below
    folder = rule_folder({str(path.relative_to(SHIPPED)): path.read_text("utf-8") for path in paths})
    load(folder)
    for path in [SHIPPED / name, *(path for path in below if path.suffix == ".csv")]:
        content = path.read_bytes()
        copy = folder / path.relative_to(SHIPPED)
        for length in [0, *(at + 1 for at, byte in enumerate(content[:-1]) if byte == LINE_END)]:
            copy.write_bytes(content[:length])
            with pytest.raises(RulebookErrors):
                load(folder)
        copy.write_bytes(content)
    load(folder)
