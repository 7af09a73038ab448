"""What tables of all sizes cost: `python -m bench.tables [--full] [NAME…]`.

For each size of each kind of table, in a process of its own: CPU seconds to load and compile, memory while it loads and
once it serves, and nanoseconds of a decision over addresses that differ (hits at random, then misses), as the best of
several rounds. Beside the mappings stand nginx's `map` and HAProxy's `map_str` with the same million rows, where they
are installed: seconds until they answer, and their memory.
"""

from __future__ import annotations

import argparse
import gc
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from proxy.rulebook.load import load

AFTER = datetime(2025, 6, 1, tzinfo=UTC)
ASKED = 20_000
"""How many addresses are asked in a round."""

ROUNDS = 15
MILLION = 1_000_000
HEAD = "site: shop\nhosts: [old.example, www.old.example]\nmoves_to: https://www.new.example/uk\n"
FRAME = "targets: [www.new.example]\n"

Asked = tuple[bytes, bytes]
"""A host and a target."""


class Kind(NamedTuple):
    """A kind of table: how its rule files are written, which addresses hit, which miss, and its sizes."""

    write: Callable[[Path, int], None]
    hit: Callable[[int], Asked]
    miss: Callable[[int], Asked]
    sizes: Sequence[int]


def old(number: int) -> str:
    """An old path of some forty bytes."""
    return f"/shop/{_WORDS[number % 97]}/{number:07d}-{_WORDS[number % 89]}-edition.html"


def new(number: int) -> str:
    """A new address of some sixty bytes."""
    return f"https://www.new.example/uk/products/{_WORDS[number % 89]}/{number:07d}-{_WORDS[number % 97]}/"


def write_mappings(folder: Path, count: int) -> None:
    """One site with so many rows."""
    (folder / "shop.yaml").write_text(HEAD + "mappings: [all.csv]\n")
    with (folder / "all.csv").open("w") as rows:
        rows.write("old,new\n")
        rows.writelines(f"{old(number)},{new(number)}\n" for number in range(count))


def write_rules(rule: Callable[[int], str]) -> Callable[[Path, int], None]:
    """One site with so many rules."""

    def write(folder: Path, count: int) -> None:
        lines = "".join(f"  - {{{rule(number)}}}\n" for number in range(count))
        (folder / "shop.yaml").write_text(f"{HEAD}rules:\n{lines}")

    return write


def write_bases(folder: Path, count: int) -> None:
    """So many sites of one host, each below a base of its own."""
    for number in range(count):
        (folder / f"s{number}.yaml").write_text(HEAD.replace("shop", f"s{number}") + f"base: /region-{number}\n")


def write_hosts(folder: Path, count: int) -> None:
    """So many sites, each with a wildcard."""
    for number in range(count):
        (folder / f"s{number}.yaml").write_text(
            f"site: s{number}\nhosts: ['*.region-{number}.old.example']\nmoves_to: https://www.new.example/{number}\n"
        )


KINDS = {
    "mappings": Kind(
        write_mappings,
        lambda number: (b"old.example", old(number).encode()),
        lambda number: (b"old.example", old(number).encode() + b"x"),
        (10, 1_000, 100_000, MILLION),
    ),
    "exact rules": Kind(
        write_rules(lambda number: f"path: {old(number)}, to: /p/{number}"),
        lambda number: (b"old.example", old(number).encode()),
        lambda number: (b"old.example", old(number).encode() + b"x"),
        (10, 1_000, 10_000),
    ),
    "captures": Kind(
        write_rules(lambda number: f"path: '/shop-{number}/{{page}}', to: '/s/{number}/{{page}}'"),
        lambda number: (b"old.example", b"/shop-%d/page-%d" % (number, number)),
        lambda number: (b"old.example", b"/shop-x%d/page-%d" % (number, number)),
        (10, 1_000, 10_000),
    ),
    "tails": Kind(
        write_rules(lambda number: f"path: '/shop-{number}/*', to: '/s/{number}/{{*}}'"),
        lambda number: (b"old.example", b"/shop-%d/page-%d/more" % (number, number)),
        lambda number: (b"old.example", b"/shop-x%d/page-%d/more" % (number, number)),
        (10, 1_000, 10_000),
    ),
    "regexes": Kind(
        write_rules(lambda number: f"regex: '^{old(number)[:-5]}-(\\d+)$', to: '/p/{number}/{{1}}'"),
        lambda number: (b"old.example", old(number)[:-5].encode() + b"-7"),
        lambda number: (b"old.example", b"/x" + old(number).encode()),
        (10, 100, 1_000, 10_000),
    ),
    "regexes, prefixes of many lengths": Kind(
        write_rules(lambda number: f"regex: '^/{'a' * (number % 60)}/{number}-(\\d+)$', to: '/p/{number}/{{1}}'"),
        lambda number: (b"old.example", b"/%b/%d-7" % (b"a" * (number % 60), number)),
        lambda number: (b"old.example", b"/%b/x-%d" % (b"a" * (number % 60), number)),
        (10, 100, 1_000, 10_000),
    ),
    "regexes, one prefix": Kind(
        write_rules(lambda number: f"regex: '^/p/[a-z]+-{number}-(\\d+)$', to: '/p/{number}/{{1}}'"),
        lambda number: (b"old.example", b"/p/name-%d-7" % number),
        lambda number: (b"old.example", b"/p/name-%d-x" % number),
        (10, 100, 1_000),
    ),
    "sites by base": Kind(
        write_bases,
        lambda number: (b"old.example", b"/region-%d/page-%d" % (number, number)),
        lambda number: (b"old.example", b"/region-x%d/page-%d" % (number, number)),
        (10, 1_000, 10_000),
    ),
    "wildcard hosts": Kind(
        write_hosts,
        lambda number: (b"www.region-%d.old.example" % number, b"/page-%d" % number),
        lambda number: (b"www.region-x%d.old.example" % number, b"/page-%d" % number),
        (10, 1_000, 10_000),
    ),
}

_WORDS = [
    f"{first}{last}"
    for first in ("alpha", "brass", "cedar", "delta", "ember", "flint", "grove", "hazel", "ivory", "jade")
    for last in ("bird", "field", "fox", "gate", "hill", "lake", "moor", "stone", "wood", "yard")
]


def main() -> None:
    """Prints one line a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="NAME", help=f"which kinds: {', '.join(KINDS)} (all)")
    parser.add_argument("--full", action="store_true", help="also a million mappings")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        kind, count, folder = options.measure
        measure(KINDS[kind], int(count), Path(folder))
        return
    print(f"{'':<34} {'rows':>9} {'load':>7} {'compile':>9} {'peak':>9} {'serving':>9} {'hit':>9} {'miss':>9}")
    for name in options.kinds or KINDS:
        for count in KINDS[name].sizes:
            if count < MILLION or options.full:
                with tempfile.TemporaryDirectory() as folder:
                    (Path(folder) / "rulebook.yaml").write_text(FRAME)
                    KINDS[name].write(Path(folder), count)
                    figures = run("--measure", name, str(count), folder)
                print(f"{name:<34} {count:>9,} {figures}")


def run(*arguments: str) -> str:
    """What this file prints, run again with other arguments."""
    return subprocess.run(
        [sys.executable, "-m", "bench.tables", *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def measure(kind: Kind, count: int, folder: Path) -> None:
    """One table, in this process."""
    start = time.process_time()
    rulebook = load(folder)
    loaded = time.process_time()
    table = rulebook.at(AFTER)
    compiled = time.process_time()
    gc.collect()
    peak, serving = memory("VmHWM"), memory("VmRSS")
    chance = random.Random(count)
    numbers = [chance.randrange(count) for _ in range(ASKED)]
    costs = [nanoseconds(table.decide, [ask(number) for number in numbers]) for ask in (kind.hit, kind.miss)]
    print(
        f"{loaded - start:>5.2f} s {compiled - loaded:>7.2f} s {peak:>5.0f} MiB {serving:>5.0f} MiB "
        f"{costs[0]:>6.0f} ns {costs[1]:>6.0f} ns"
    )


def nanoseconds(decide: Callable[[bytes, bytes, bytes, bool], object], asked: list[Asked]) -> float:
    """CPU time of one decision, loop and all, as the best round has it."""
    best = float("inf")
    for _ in range(ROUNDS):
        fresh = [(bytes(bytearray(host)), bytes(bytearray(target))) for host, target in asked]  # no hash is known yet
        start = time.thread_time_ns()
        for host, target in fresh:
            decide(host, target, b"GET", True)
        best = min(best, (time.thread_time_ns() - start) / len(fresh))
    return best


def memory(key: str) -> float:
    """MiB of this process."""
    found = re.search(rf"^{key}:\s+(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0


if __name__ == "__main__":
    main()
