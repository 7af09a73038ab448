"""What the front door takes for plain. Whole servers are compared in `tests/edge/test_front_door.py`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proxy.wire.plain_head import PLAIN_FIELDS

SOURCES = Path(__file__).parent.parent.parent / "proxy"


@pytest.mark.parametrize(
    "fields",
    [
        b"Host: a\r\nConnection:\r\n\r\n",
        b"Host: a\r\nConnection: \r\n\r\n",
        b"Host: a\r\nConnection: close, keep-alive\r\n\r\n",
        b"Host: a:\r\n\r\n",
        b"Host: a:123456\r\n\r\n",
        b"Host: a\r\nHost: a\r\n\r\n",
        b"Host: a\r\nT\r\n\r\n",
        b"Host: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"Host: a\r\nContent-Length: 0\r\n\r\n",
        b"User-Agent: b\r\n\r\n",
        b"\r\n",
    ],
)
def test_fields_that_are_not_plain_are_not_plain_in_part_either(fields: bytes) -> None:
    assert PLAIN_FIELDS.match(fields) is None


def test_no_group_is_repeated_possessively() -> None:
    # Until Python 3.11.5 such a repeat keeps what its last attempt has only begun to match. `(?>(?:…)*)` does not.
    found = [
        f"{path.name}: {line.strip()}"
        for path in SOURCES.rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"\)(?:[*+?]|\{[0-9%d,]+\})\+", line)
    ]
    assert found == []
