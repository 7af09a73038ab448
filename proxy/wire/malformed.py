"""The one thing that goes wrong with bytes that are read here: they are no message, or more than one at a time.

What one reader forgives is read as something else by the next, and in the space between the two requests and answers
are smuggled (RFC 9112 section 11). So nothing is guessed at, and nothing put right.
"""

from __future__ import annotations

from proxy.errors import SunsetError


class MalformedError(SunsetError):
    """Bytes that are no message of HTTP/1.1, or a larger one than may be. The text is fixed, and holds none of them."""
