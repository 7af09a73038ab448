"""T14: a host is written otherwise than the rule file has it, or twice, to get another answer than its own.

Case, a dot at the end and a port make no difference, whether the rules name one host or ten thousand.
"""

from itertools import product
from pathlib import Path

import pytest

from tests.threats.conftest import Figure
from tests.threats.running import Running, Start

SITE = "site: many\nhosts: [{hosts}]\ntimezone: UTC\nmoves_to: https://www.mi.com/new\n"
OTHERS = ["new.example", "po.co", "po.com", "xpo.co", "po.co.example"]
"""Hosts that look a little like those of the rules."""


def spellings(host: str) -> list[str]:
    cases = (host, host.upper(), host.title(), host.swapcase())
    return ["".join(parts) for parts in product(cases, ("", "."), ("", ":80", ":8443", ":"))]


def ask(server: Running, host: str) -> bytes:
    """The answer without its date."""
    answer = server.tell(f"GET /a%2fb HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    return b"\r\n".join(line for line in answer.split(b"\r\n") if not line.startswith(b"Date: "))


@pytest.mark.parametrize("number", [1, 101, 10_000])
def test_however_a_host_is_written_it_gets_the_same(start: Start, tmp_path: Path, figure: Figure, number: int) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "rulebook.yaml").write_text("targets: [www.mi.com]\n", "utf-8")
    hosts = [f"host-{each}.old.example" for each in range(number)]
    (rules / "many.yaml").write_text(SITE.format(hosts=", ".join(hosts)), "utf-8")
    server = start(rules=rules)
    tried = 0
    for host in {hosts[0], hosts[number // 2], hosts[-1]}:
        answers = {ask(server, spelling) for spelling in spellings(host)}
        tried += len(spellings(host))
        assert len(answers) == 1
        assert b"\r\nLocation: https://www.mi.com/new/a%2fb\r\n" in answers.pop()
    for host in (*OTHERS, f"host-{number}.old.example", "old.example", f"{hosts[0]}.example"):
        assert ask(server, host)[9:12] == b"421", host
    two = f"Host: {hosts[0]}\r\n"
    for second in (two, two.lower(), "Host: other.example\r\n"):
        assert server.tell(f"GET / HTTP/1.1\r\n{two}{second}\r\n".encode())[9:12] == b"400"
    figure("T14", f"ways to write one of {number:,} hosts, and different answers to each", f"{tried}, 1")
