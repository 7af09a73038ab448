"""Text of strangers, made fit to be shown: an address may hold anything, and a terminal obeys what it is sent.

Control characters, among them those that turn the direction of writing, are shown as escapes; long text is cut.
"""

from __future__ import annotations

from typing import Final

MAX_SHOWN: Final = 200


def printable(text: str, longest: int = MAX_SHOWN) -> str:
    """`text` without anything that acts, at most `longest` characters of it."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def percent(share: float | None) -> str:
    """A share in per cent with two decimals, rounded down: 100.00% is said only where nothing is missing."""
    return "" if share is None else f"{int(share * 100) / 100:.2f}%"


def addresses(count: int) -> str:
    """`1 address`, `2,000 addresses`."""
    return f"{count:,} address{'' if count == 1 else 'es'}"


def addresses_are(count: int) -> str:
    """`1 address is`, `2,000 addresses are`."""
    return f"{addresses(count)} {'is' if count == 1 else 'are'}"
