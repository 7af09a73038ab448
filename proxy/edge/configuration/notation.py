"""Notations: how a setting is written whose value is more than a number, a text or a truth value.

A notation stands in the type of a setting, as in `Annotated[float, SECONDS]`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Final

from proxy.rulebook.moment import parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import GetCoreSchemaHandler
    from pydantic_core.core_schema import CoreSchema

_MAPPED = 96
"""Bits before an IPv4 address that is written as an IPv6 one (RFC 4291 section 2.5.5.2)."""
_SUFFIX = re.compile(r"(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_WITH_UNIT = re.compile(r"(\d{1,15}(?:\.\d{1,9})?) ?([A-Za-z]+)")


@dataclass(frozen=True)
class Notation:
    """`read` makes the value of a text, and raises `ValueError` where it cannot."""

    read: Callable[[str], object]

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema  # noqa: PLC0415 - only who reads settings needs it

        return core_schema.no_info_after_validator_function(self.read, core_schema.str_schema())


class Unit(Notation):
    """What a number counts: `30s`, `64KiB`. Such a number is shown as it could be written.

    What it makes of a text, and whatever is none, is judged further by the type of the number.
    """

    def __init__(self, **factors: int) -> None:
        super().__init__(self._number)
        self._factors = factors
        """By symbol, the one that a number alone has first."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema  # noqa: PLC0415

        def of_text(written: object) -> object:
            return self.read(written) if isinstance(written, str) else written

        return core_schema.no_info_before_validator_function(of_text, handler(source))

    def _number(self, text: str) -> object:
        match = _WITH_UNIT.fullmatch(text)
        if match is None or match[2] not in self._factors:
            return text
        return (float(match[1]) if "." in match[1] else int(match[1])) * self._factors[match[2]]

    @property
    def symbols(self) -> str:
        """`s, m, h or d`."""
        *others, last = self._factors
        return f"{', '.join(others)} or {last}"

    def show(self, number: float) -> str:
        """The number in the largest unit that leaves it whole."""
        symbol, factor = next(
            (pair for pair in reversed(self._factors.items()) if number and number % pair[1] == 0),
            next(iter(self._factors.items())),
        )
        return f"{number / factor:.15g}{symbol}"


def _instant(text: str) -> datetime:
    moment = parse_moment(text)
    return moment.wall.replace(tzinfo=moment.offset or UTC)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text)
    except ValueError:
        advice = "write it as 10.0.0.0/8, with nothing but zeros behind the prefix, or as an address"
        raise ValueError(f'"{text}" is no network; {advice}') from None
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    # Clients that have an IPv4 address are always known by that.
    return network if mapped is None else IPv4Network((mapped, network.prefixlen - _MAPPED))


def _suffix(text: str) -> str:
    suffix = text.lower()
    if _SUFFIX.fullmatch(suffix) is None:
        raise ValueError(f'"{text}" is nothing that may stand behind a host; write it with its dot, as in .localhost')
    return suffix


BYTES: Final = Unit(B=1, KiB=1024, MiB=1024**2, GiB=1024**3)
SECONDS: Final = Unit(s=1, m=60, h=3600, d=86_400)
INSTANT: Final = Notation(_instant)
"""A date or time as in rule files; UTC where it names no offset."""
NETWORK: Final = Notation(_network)
"""`10.0.0.0/8`, or an address alone."""
SUFFIX: Final = Notation(_suffix)
"""`.localhost`: what may stand behind a host, in lower case, or nothing."""
