"""T40: a rule folder is cut short on its way to a server that runs, or most of its rules are gone all at once.

Each time it is loaded: the rules before stay in use, or the very same answers come, and nothing else. A large loss
needs a word of confirmation.
"""

from pathlib import Path

from tests.threats.conftest import Figure
from tests.threats.running import Running, Start

FILES = {
    "rulebook.yaml": "defaults: {timezone: UTC}\ntargets: [www.mi.com]\n",
    "uk.yaml": """\
site: uk
base: /uk
moves_to: https://www.mi.com/uk
rules:
  - {path: /uk/cart/*, to: /uk/basket}
  - {path: /uk/app/*, gone: true}
mappings: [uk.csv]
tests:
  - {url: "https://po.co/uk/last", at: 2025-01-01, expect: "301 https://www.mi.com/uk/end"}
hosts: [po.co]
""",
    "uk.csv": "old,new\n/uk/first,/uk/begin\n/uk/last,/uk/end\n",
}
PROBES = ["/uk/x", "/uk/cart/1", "/uk/app/1", "/uk/first", "/uk/last", "/", "/fr"]
STEP = 6
"""Bytes from one cut to the next; tests of the loading cut at every one."""


def answers(server: Running) -> list[bytes]:
    """Status and Location of each probe."""
    requests = [f"GET {path} HTTP/1.1\r\nHost: po.co\r\n" for path in PROBES]
    said = server.tell(("\r\n".join(requests) + "Connection: close\r\n\r\n").encode())
    return [line for line in said.split(b"\r\n") if line.startswith((b"HTTP/1.1 ", b"Location: "))]


def test_a_folder_that_is_cut_anywhere_changes_no_answer(start: Start, tmp_path: Path, figure: Figure) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    for name, text in FILES.items():
        (rules / name).write_text(text, "utf-8")
    server = start("--workers", "1", "--watch", "off", rules=rules)
    whole = answers(server)
    assert len(whole) > len(PROBES)
    refused = cuts = 0
    for name, text in FILES.items():
        for length in range(0, len(text), STEP):
            (rules / name).write_text(text[:length], "utf-8")
            status, told = server.reload()
            assert (status, told["ok"]) in {(200, True), (409, False)}
            assert answers(server) == whole, f"{name} cut at {length}"
            refused += status == 409
            cuts += 1
        (rules / name).write_text(text, "utf-8")
    assert server.reload()[0] == 200
    assert refused == cuts
    figure("T40", "cuts that a running server was told to load, and how many it refused", f"{cuts}, {refused}")


def test_a_large_loss_needs_a_word_of_confirmation(start: Start, tmp_path: Path, figure: Figure) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "rulebook.yaml").write_text("targets: [www.mi.com]\n", "utf-8")

    def write(number: int) -> None:
        lines = "".join(f"  - {{path: /{each}, to: /new/{each}}}\n" for each in range(number))
        (rules / "uk.yaml").write_text(
            f"site: uk\nhosts: [po.co]\nmoves_to: https://www.mi.com\nrules:\n{lines}", "utf-8"
        )

    write(100)
    server = start("--workers", "1", "--watch", "off", rules=rules)
    for number, shrinks, status in ((85, False, 200), (60, False, 409), (60, True, 200)):
        write(number)
        assert server.reload(allow_shrink=shrinks)[0] == status, number
    figure("T40", "of 100 rules, 85 stay; of 85, 60 stay; and again with --allow-shrink", "200, 409, 200")
