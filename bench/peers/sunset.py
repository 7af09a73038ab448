"""Sunset as its users start it: `sunset serve` with rule files, counters counting, metrics to be had."""

from __future__ import annotations

import http.client
import re
import shutil
import sys
import time
from functools import cache
from pathlib import Path
from typing import Final, assert_never

import proxy
from bench.ask import MESSAGE
from bench.load import Load
from bench.peers.peer import Peer, Place, said_by
from bench.rules import HOST, Forward, Mappings, Prefixes, Regexes, Rules
from bench.server import Command, Server, free_port

RULEBOOK: Final = "defaults: {timezone: UTC}\ntargets: [www.new.example, www.new-id.example]\n"
COUNTING: Final = 3.0
"""Seconds within which the last request must be counted: workers send their counts once a second."""


class Sunset(Peer):
    """One worker, and whatever other processes come with it: all of them count."""

    name = "Sunset"

    def __init__(self) -> None:
        self.admin: dict[int, int] = {}
        """Ports of metrics, by the port that redirects."""

    def version(self) -> str:
        """As `sunset --version` has it."""
        return proxy.__version__

    def lacks(self, load: Load) -> str:
        """What an older Sunset cannot do, which this may be run with, to compare."""
        wanted = {"--listen-tls": load.tls, "--workers": self.cores > 1}
        return ", ".join(option for option, needed in wanted.items() if needed and option not in options())

    def command(self, rules: Rules, place: Place) -> Command:
        """`python -m proxy` is `sunset`."""
        folder = place.folder / "rules"
        folder.mkdir()
        for name, text in written(rules, folder).items():
            (folder / name).write_text(text)
        self.admin[place.port] = free_port()
        arguments = [sys.executable, "-m", "proxy", "serve", "--rules", str(folder)]
        arguments += ["--admin", f"127.0.0.1:{self.admin[place.port]}"]
        if place.certificate:
            certificates = place.folder / "certs" / HOST
            certificates.mkdir(parents=True)
            shutil.copy(place.certificate.chain, certificates / "fullchain.pem")
            shutil.copy(place.certificate.key, certificates / "privkey.pem")
            arguments += ["--listen-tls", f"127.0.0.1:{place.port}", "--certs", str(certificates.parent)]
        plain = free_port() if place.certificate else place.port
        arguments += ["--listen", f"127.0.0.1:{plain}"]
        if "--workers" in options():
            arguments += ["--workers", str(self.cores)]
        if "--data" in options():
            arguments += ["--data", str(place.folder / "data")]
        return Command(arguments)

    def counted(self, server: Server) -> int:
        """As its metrics say."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin[server.port], timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return sum(
            int(float(count)) for count in re.findall(r"^sunset_requests_total\{.*\} (\S+)$", text, re.MULTILINE)
        )

    def has_counted(self, server: Server, requests: int) -> bool:
        """Whether so many requests show up in time."""
        until = time.monotonic() + COUNTING
        while self.counted(server) < requests:
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        return True


class TwoWorkers(Sunset):
    """Two processes that answer; the second core is the load's. What a request costs is to stay the same."""

    name = "Sunset on 2 cores"
    product = "Sunset"
    cores = 2


@cache
def options() -> str:
    """What `sunset serve --help` says."""
    return said_by(sys.executable, "-m", "proxy", "serve", "--help")


def written(rules: Rules, folder: Path) -> dict[str, str]:
    """The rules, as files by name."""
    match rules:
        case Prefixes(targets):
            sites = {f"site-{old[1:]}": f"base: {old}\nmoves_to: {new}{old}\n" for old, new in targets}
        case Mappings():
            with (folder / "mappings.csv").open("w") as lines:
                lines.write("old,new\n")
                lines.writelines(f"{old},{new}\n" for old, new in rules.rows())
            sites = {"site": "unmapped: not-found\nmappings: [mappings.csv]\n"}
        case Regexes():
            rows = "".join(f"  - {{regex: '{old}', to: '{new}'}}\n" for old, new in rules.rows("{1}"))
            sites = {"site": f"unmapped: not-found\nrules:\n{rows}"}
        case Forward(origin, notice):
            dates = "schedule: {notice: 2020-01-01, cutover: 2099-12-31}\n"
            if notice:
                dates += f"notice: {{message: '{MESSAGE}', link: More, dismissible: true}}\n"
            else:
                dates = "schedule: {cutover: 2099-12-31}\n"
            sites = {"site": f"origin: http://127.0.0.1:{origin}\nmoves_to: https://www.new.example\n{dates}"}
        case _:
            assert_never(rules)
    files = {f"{name}.yaml": f"site: {name}\n{text}hosts: [{HOST}]\n" for name, text in sites.items()}
    return {"rulebook.yaml": RULEBOOK, **files}
