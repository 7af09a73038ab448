"""What Prometheus is told about certificates: names from files alone (threats T18 and T32)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from proxy.edge.metrics import Metrics
from proxy.edge.server import Server
from tests.edge.peers import Serving
from tests.edge.sites import rulebook
from tests.tls.authority import Files, connect, issue, serve, trusting

BEGINS, ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2096, 1, 1, tzinfo=UTC)


def exposed(server: Server) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """All that is told of certificates, by name and labels."""
    document, _ = Metrics(server.counts, server).document()
    samples = [sample for family in text_string_to_metric_families(document.decode()) for sample in family.samples]
    return {(found.name, tuple(found.labels.items())): found.value for found in samples if "certificate" in found.name}


async def test_expiries_problems_and_hosts_without_certificate_are_told(serving: Serving, certs: Path) -> None:
    issue("po.co", "*.mi.example", begins=BEGINS, ends=ENDS).certbot(certs, "one")
    issue("po.co", begins=BEGINS, ends=ENDS - timedelta(days=9)).certbot(certs, "two")
    Files(b"nothing", b"").certbot(certs, "broken")
    server = await serve(serving, rulebook(), certs)
    expiry = "sunset_certificate_expiry_timestamp_seconds"
    expected = {
        (expiry, (("name", "po.co"),)): ENDS.timestamp(),
        (expiry, (("name", "*.mi.example"),)): ENDS.timestamp(),
        ("sunset_certificate_problems", (("severity", "error"),)): 1,
        ("sunset_certificate_problems", (("severity", "warning"),)): 0,
        ("sunset_hosts_without_certificate", ()): 1,
    }
    assert exposed(server) == expected
    for number in range(50):
        with pytest.raises(OSError, match="UNRECOGNIZED_NAME"):
            await connect(server, f"n{number}.example", trusting())
    assert exposed(server) == expected


async def test_without_tls_nothing_is_told(serving: Serving) -> None:
    assert exposed(await serving(rulebook())) == {}
