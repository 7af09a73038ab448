"""T20: a challenge of a certificate's authority is redirected, and the host's certificate cannot be renewed any more.

Whatever the phase, the rules and `https` say: it is answered here, or by the old site as long as that is forwarded to.
"""

from pathlib import Path
from textwrap import dedent

import pytest

from proxy.edge.tls.challenges import Challenges
from tests.threats.conftest import Figure
from tests.threats.running import Start

TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"
HOSTS = ("a.example", "sub.a.example")
RULES = {
    "rulebook.yaml": "targets: [new.example]\n",
    "a.yaml": """
        site: a
        hosts: [a.example, "*.a.example"]
        timezone: UTC
        origin: http://127.0.0.1:9
        origin_networks: [127.0.0.0/8]
        moves_to: https://new.example
        schedule: {notice: 2024-10-01, cutover: 2024-12-31, end: 2026-01-01}
        https: redirect
        rules:
          - {path: /*, from: always, to: /}
    """,
}


@pytest.mark.parametrize(
    ("at", "of_others"),
    [("2024-09-01", b"502"), ("2024-11-01", b"502"), ("2025-01-01", b"404"), ("2026-06-01", b"404")],
)
def test_a_challenge_is_never_redirected(
    start: Start, tmp_path: Path, figure: Figure, at: str, of_others: bytes
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    for name, text in RULES.items():
        (rules / name).write_text(dedent(text), "utf-8")
    server = start("--at", at, rules=rules, SUNSET_DATA=str(tmp_path))
    Challenges(tmp_path).put(TOKEN, f"{TOKEN}.x")

    def ask(host: str, path: str) -> bytes:
        return server.tell(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())

    for host in HOSTS:
        folder = "/.well-known/acme-challenge/"
        assert ask(host, "/elsewhere")[9:12] in {b"301", b"302", b"410"}
        assert ask(host, folder + TOKEN).endswith(f"\r\n\r\n{TOKEN}.x".encode())
        assert ask(host, folder + "x" * 43)[9:12] == of_others
    figure("T20", f"challenges at {at}: ours, and one that the old site has to know", f"200, {of_others.decode()}")
