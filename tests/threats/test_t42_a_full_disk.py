"""T42: the disk is full, and a server that only wants to log does not answer any more.

Visitors notice nothing; lines that are lost are counted; once there is room again they are written, without a restart.
"""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from proxy.edge.tls.challenges import Challenges
from tests.threats.conftest import Figure
from tests.threats.running import PATIENCE, Running, Start, wait_until

SIZE = 256 * 1024
MANY = 1000
"""Lines of the log that are to be lost."""
LOST = ("sunset_access_log_lines_lost_total", (("reason", "disk"),))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small one of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    tried = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if tried.returncode:
        pytest.skip(f"only root can mount a disk: {tried.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=PATIENCE)


def fill(folder: Path) -> Path:
    """Write until nothing can be written any more."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert ballast.stat().st_size
    return ballast


def visit(server: Running, number: int) -> int:
    """How many of so many requests are redirected."""
    request = b"GET /uk/x HTTP/1.1\r\nHost: po.co\r\n"
    together = 100
    visits = b"\r\n".join([request] * together) + b"Connection: close\r\n\r\n"
    return sum(server.tell(visits).count(b"HTTP/1.1 301 ") for _ in range(number // together))


def test_redirects_go_on_and_the_log_is_written_again_once_there_is_room(
    start: Start, disk: Path, figure: Figure
) -> None:
    log = disk / "access.log"
    server = start("--at", "2025-01-01", "--access-log", str(log), SUNSET_DATA=str(disk))
    assert visit(server, 100) == 100
    wait_until(log.stat, lambda status: status.st_size > 0)
    ballast = fill(disk)
    asked = answered = 0

    def keep_visiting() -> float:
        nonlocal asked, answered
        asked += 100
        answered += visit(server, 100)
        return server.series().get(LOST, 0.0)

    lost = wait_until(keep_visiting, lambda lines: lines >= MANY)
    assert answered == asked
    assert lost <= asked
    assert server.process.poll() is None
    Challenges(disk)  # what ACME writes has no room either, and nobody waits for it
    ballast.unlink()
    before = log.stat().st_size
    assert visit(server, 100) == 100
    wait_until(log.read_bytes, lambda written: written.count(b"\n", before) >= 100)
    wait_until(log.read_bytes, lambda written: written.endswith(b"\n"))
    assert orjson.loads(log.read_bytes().splitlines()[-1])["status"] == 301
    figure("T42", f"{asked:,} requests with a full disk: answered, lines of the log lost", f"{answered:,}, {lost:,.0f}")


def test_a_server_starts_and_loads_rules_on_a_full_disk(start: Start, disk: Path, figure: Figure) -> None:
    (disk / "access.log").touch()
    fill(disk)
    server = start("--at", "2025-01-01", "--access-log", str(disk / "access.log"), SUNSET_DATA=str(disk))
    assert server.reload()[0] == 200
    assert visit(server, 100) == 100
    figure("T42", "a start and a reload with a full disk, redirects afterwards", 100)
