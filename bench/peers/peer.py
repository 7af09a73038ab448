"""What every server is to the benchmark."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.load import Load
from bench.rules import Rules
from bench.server import Command, Server


@dataclass(frozen=True, slots=True)
class Certificate:
    """A chain and its key, in files."""

    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is to answer, with TLS if there is a certificate, and a folder that is its own."""

    folder: Path
    port: int
    certificate: Certificate | None = None


class Peer:
    """A server that can be told rules."""

    name: ClassVar[str]
    product: ClassVar[str] = ""
    """What it is a version of, where that is not its name."""
    program: ClassVar[str] = ""
    """What has to be on the path for it; the empty string for what Python alone can start."""
    package: ClassVar[str] = ""
    """The Debian package that has it."""
    cores: ClassVar[int] = 1
    """How many it is given; a second one it shares with the load."""

    @classmethod
    def path(cls) -> str | None:
        """Where its program is. Debian keeps servers where only root looks."""
        return shutil.which(cls.program) or shutil.which(cls.program, path="/usr/sbin:/sbin")

    def version(self) -> str:
        """As it says itself."""
        raise NotImplementedError

    def lacks(self, load: Load) -> str:
        """What it would have to be able to do, and is not; nothing where it can be asked like that."""
        del load
        return ""

    def command(self, rules: Rules, place: Place) -> Command:
        """Writes its configuration, and says how to start it."""
        raise NotImplementedError

    def has_counted(self, server: Server, requests: int) -> bool:
        """Whether it counted so many requests itself, for one that counts."""
        del server, requests
        return True


def said_by(*command: str) -> str:
    """What a program prints when it is asked something."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip()
