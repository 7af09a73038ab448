"""T31: somebody sends paths that keep a regular expression of the rules busy for hours.

Expressions run on RE2, whose time grows with the path and no faster. What RE2 cannot do is an error of the rule file.
"""

import time
from pathlib import Path
from statistics import median

from tests.threats.conftest import Figure
from tests.threats.running import Running, Start

REGEXES = [r"^/(a+)+$", r"^/(a|aa)+$", r"^/(a|a?)+$", r"^/(.*a){20}$", r"^/([a-z]+)*[0-9]$", r"^/(\w+\s?)*$"]
"""Each takes others than RE2 exponential time on a path that almost matches."""
LONG = 7000
ROUNDS = 15
MOST = 0.5
"""Seconds for an answer to the worst path, on a machine that is busy: engines that go back would take years."""


def rules(folder: Path, *regexes: str) -> Path:
    made = folder / "rules"
    made.mkdir()
    (made / "rulebook.yaml").write_text("targets: [www.mi.com]\n", "utf-8")
    lines = "".join(f"  - regex: '{regex}'\n    to: /x\n" for regex in regexes)
    (made / "old.yaml").write_text(f"site: old\nhosts: [po.co]\nmoves_to: https://www.mi.com\nrules:\n{lines}", "utf-8")
    return made


def seconds(server: Running, path: str) -> float:
    """How long an answer takes, in the middle of several."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = server.tell(f"GET {path} HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n".encode())
        taken.append(time.perf_counter() - began)
        assert answer.startswith(b"HTTP/1.1 301 ")
    return median(taken)


def test_the_worst_path_takes_no_time(start: Start, tmp_path: Path, figure: Figure) -> None:
    server = start(rules=rules(tmp_path, *REGEXES))
    short, worst = seconds(server, "/b"), seconds(server, "/" + "a" * LONG + "!")
    assert worst < MOST
    what = f"{len(REGEXES)} expressions, an answer in ms: to a short path, to {LONG} letters that almost match"
    figure("T31", what, f"{short * 1000:.1f}, {worst * 1000:.1f}")
