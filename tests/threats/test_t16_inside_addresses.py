"""T16: whoever answers for an origin's name in DNS has it lead to a machine inside, or changes his mind in between.

Where a request goes stands in rule files alone; a name leads to public addresses, or to those that the rule file lists,
and the address that was looked at is the one that is connected to.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from tests.threats.conftest import Figure, Originating
from tests.threats.names import Names
from tests.threats.running import Running, Start

RULES = """\
site: old
hosts: [po.co]
timezone: UTC
origin: http://old.site.example:{port}
origin_networks: [{networks}]
moves_to: https://www.mi.com/uk
schedule: {{notice: 2024-10-09, cutover: 2024-12-31}}
"""
INSIDE = ["127.0.0.1", "127.0.0.2", "10.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1"]


def ok(_head: bytes, _body: BinaryIO) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def rules(folder: Path, port: int, networks: str) -> Path:
    made = folder / "rules"
    made.mkdir()
    (made / "rulebook.yaml").write_text("targets: [www.mi.com]\n", "utf-8")
    (made / "old.yaml").write_text(RULES.format(port=port, networks=networks), "utf-8")
    return made


def ask(server: Running) -> int:
    return int(server.tell(b"GET /x HTTP/1.1\r\nHost: po.co\r\nConnection: close\r\n\r\n")[9:12])


def test_a_name_that_leads_inside_leads_nowhere(
    start: Start, origin: Originating, tmp_path: Path, figure: Figure
) -> None:
    names, old = Names(tmp_path), origin(ok)
    here = rules(tmp_path, old.port, "198.51.100.0/24")
    server = start("--at", "2024-10-01", rules=here, launch=names.launch, SUNSET_TIMEOUTS_DNS="0.001")
    for address in INSIDE:
        names.lead(old_site_example=address)
        assert ask(server) == 502, address
    assert old.heads == []
    refused = server.series()["sunset_upstream_errors_total", (("reason", "address-refused"), ("site", "old"))]
    assert refused == len(INSIDE)
    figure("T16", "addresses inside that an origin's name led to: refused, connected to", f"{refused:.0f}, 0")


def test_a_name_that_changes_its_mind_is_looked_at_anew(start: Start, origin: Originating, tmp_path: Path) -> None:
    names, old = Names(tmp_path), origin(ok)
    here = rules(tmp_path, old.port, "127.0.0.1/32")
    server = start("--at", "2024-10-01", rules=here, launch=names.launch, SUNSET_TIMEOUTS_DNS="0.001")
    for address, status in (("127.0.0.1", 200), ("127.0.0.2", 502), ("127.0.0.1", 200), ("::1", 502)):
        names.lead(old_site_example=address)
        assert ask(server) == status, address
    assert len(old.heads) == 2
