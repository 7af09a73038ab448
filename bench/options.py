"""What `make bench` can be told."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

from bench.results import Form
from bench.scenario import PEERS, SCENARIOS

QUICK: Final = Form(rounds=2, seconds=1)
FULL: Final = Form(rounds=5, seconds=4)
EXAMPLES: Final = """
examples:
  make bench                                       the quick form, about two minutes
  make bench ARGS=--full                           the full form, about half an hour, and what it measures is kept
  make bench ARGS="--only keep-alive,tls --rounds 7"
  make bench ARGS="--only mappings --servers Sunset,nginx --full"
  make bench ARGS="--rounds 0"                     starts and asks every server, and measures nothing
  make bench ARGS="--show latest --check"          whether the figures that are kept show what they must
  make bench ARGS="--show latest --documents"      writes the tables of README.md and docs/performance.md anew
"""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """What is wanted."""
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Measure Sunset beside nginx, HAProxy, Caddy and aiohttp: CPU time for a request, in turn.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--quick", action="store_true", help=f"{QUICK}; the default")
    form.add_argument("--full", action="store_true", help=f"{FULL}, and all sizes of tables")
    add("--only", metavar="NAMES", help=f"of the scenarios: {', '.join(scenario.name for scenario in SCENARIOS)}")
    add("--servers", metavar="NAMES", help=f"of the servers: {', '.join(peer.name for peer in PEERS)}")
    add("--rounds", type=int, metavar="N", help="0 starts and asks every server, and measures nothing")
    add("--seconds", type=int, metavar="N", help="for each candidate in each round")
    add("--json", action="store_true", help="print the figures for programs")
    add("--check", action="store_true", help="exit with 1 if a figure is not what it must be")
    add("--show", metavar="RUN", help="measure nothing; take the figures of bench/results/RUN.json")
    add("--documents", action="store_true", help="write the figures into README.md and docs/performance.md")
    options = parser.parse_args(argv)
    for given, known in (
        (options.only, [scenario.name for scenario in SCENARIOS]),
        (options.servers, [peer.name for peer in PEERS]),
    ):
        unknown = set(given.split(",")) - set(known) if given else set()
        if unknown:
            parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(known)}")
    if (options.rounds or 0) < 0 or (options.seconds is not None and options.seconds < 1):
        parser.error("rounds are 0 or more, seconds 1 or more")
    options.quick = not (options.full or options.show)
    return options
