"""ACME challenges of the kind HTTP-01 (RFC 8555 section 8.3): where an authority looks whether a host is ours.

The folder belongs to whoever answers for the host: to Sunset, or to the old site as long as it is forwarded to. No rule
ever redirects what is in it.
"""

from __future__ import annotations

import re
from typing import Final

FOLDER: Final = b"/.well-known/acme-challenge/"

_TOKEN: Final = re.compile(rb"[A-Za-z0-9_-]{22,128}")


def token_of(target: bytes) -> str | None:
    """The token that a request target (in origin form) asks for; `None` for every other target."""
    if not target.startswith(FOLDER):
        return None
    match = _TOKEN.fullmatch(target, len(FOLDER))
    return None if match is None else match[0].decode()
