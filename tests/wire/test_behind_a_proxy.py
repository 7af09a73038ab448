"""The tables of docs/behind-a-proxy.md, row by row."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from proxy.wire.forwarded import Kind, provenance
from proxy.wire.hop import forwarded

PAGE = (Path(__file__).parent.parent.parent / "docs" / "behind-a-proxy.md").read_text("utf-8")
PEER = "10.0.0.9"
TRUSTED = ip_network("10.0.0.0/8")


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading."""
    rows = PAGE.partition(f"\n| `{heading}` |")[2].partition("\n\n")[0].splitlines()[2:]
    assert rows
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def is_trusted(address: str) -> bool:
    return ip_address(address) in TRUSTED


@pytest.mark.parametrize(("told", "client", "passed_on"), table("X-Forwarded-For"))
def test_the_chain_is_read_and_goes_on_as_the_page_says(told: str, client: str, passed_on: str) -> None:
    headers = [(b"X-Forwarded-For", told.encode())] if told else []
    said = provenance(PEER, headers, secure=False, kind=Kind.X_FORWARDED, is_trusted=is_trusted)
    assert said.client == client
    fields = dict(forwarded(PEER, b"po.co", secure=said.secure, before=said.hops))
    assert fields[b"X-Forwarded-For"].decode() == passed_on


@pytest.mark.parametrize(("told", "client", "scheme"), table("Forwarded"))
def test_forwarded_is_read_as_the_page_says(told: str, client: str, scheme: str) -> None:
    said = provenance(PEER, [(b"Forwarded", told.encode())], secure=False, kind=Kind.FORWARDED, is_trusted=is_trusted)
    assert (said.client, "https" if said.secure else "http") == (client, scheme)
