"""aiohttp as it comes, on uvloop: what Sunset would cost if it were an application like any other.

`stock_aiohttp.py` is the program. Beside it the same with aiohttp's low-level server, and a floor: the event loop
alone, which reads no request and always answers the same. Nothing in Python can cost less.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

from bench.peers.peer import Peer, Place
from bench.rules import Prefixes, Rules
from bench.server import Command

PROGRAM = Path(__file__).with_name("stock_aiohttp.py")


class Application(Peer):
    """`web.Application` with a route for each prefix."""

    name = product = "aiohttp"
    kind: ClassVar[str] = "application"

    def version(self) -> str:
        """As it is installed."""
        return version("aiohttp")

    def command(self, rules: Rules, place: Place) -> Command:
        """In the Python that runs this."""
        if not isinstance(rules, Prefixes):
            raise ValueError(f"aiohttp is not asked for {rules}")  # noqa: TRY004 - the type is right, the wish is not
        arguments = [sys.executable, "-P", str(PROGRAM), self.kind, str(place.port)]
        arguments += [word for pair in rules.targets for word in pair]
        certificate = place.certificate
        files = {"CHAIN": str(certificate.chain), "KEY": str(certificate.key)} if certificate else {}
        return Command(arguments, files)


class LowLevel(Application):
    """`web.Server`, without routes and middlewares."""

    name = "aiohttp low-level"
    kind = "server"


class Floor(Application):
    """A fixed answer, which is the wrong one."""

    name = "Python's floor"
    kind = "floor"
