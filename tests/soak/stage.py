"""Everything that a run needs before it begins: rules, certificates, the old site, and the server."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.processes.program import TOP, Program
from tests.soak.old_site import OldSite
from tests.soak.succession import CERTIFICATE_GRACE, RULES_GRACE, Succession
from tests.tls.authority import issue

WORKERS: Final = 2
AT: Final = "2025-01-01"
"""After the cutover of the shipped sites, and before that of the one that is still forwarded."""
OLD_SITE: Final = """\
site: old
hosts: [old.example]
origin: http://127.0.0.1:{port}
origin_networks: [127.0.0.0/8]
moves_to: https://www.mi.com/old
schedule: {{notice: 2024-10-09, cutover: 2025-12-31}}
notice: {{message: "This site closes on {{cutover}}."}}
"""
CHANGING: Final = """\
site: changing
hosts: [changing.example]
origin: https://legacy.example   # long past its cutover
moves_to: {home}
"""


class Stage:
    """A server that answers, and what of it changes. It is killed at the end, unless it has ended before."""

    program: Program
    tls_port: int

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.versions: Succession[bytes] = Succession(RULES_GRACE)
        """Where the changing site leads."""
        self.certificates: Succession[bytes] = Succession(CERTIFICATE_GRACE)
        """In DER."""

    @asynccontextmanager
    async def set(self) -> AsyncIterator[Self]:
        """From the first file to the last process."""
        async with OldSite() as old:
            shutil.copytree(TOP / "rules", self.folder / "rules")
            (self.folder / "certs").mkdir()
            (self.folder / "rules" / "old.yaml").write_text(OLD_SITE.format(port=old.port), "utf-8")
            self.change_rules(0)
            self.swap_certificate()
            tls = ("--listen-tls", "127.0.0.1:0", "--certs", str(self.folder / "certs"))
            arguments = ("--workers", str(WORKERS), "--at", AT, *tls)
            self.program = Program.start(self.folder / "rules", self.folder / "log", *arguments, cwd=self.folder)
            try:
                await self.program.ready()
                self.tls_port = int(self.program.found(r"listening on https://[^ ]+:(\d+)")[0])
                yield self
            finally:
                self.program.process.kill()
                self.program.process.wait()

    def change_rules(self, number: int) -> None:
        """As an editor saves: a new file in the place of the old one."""
        home = f"https://www.mi.com/version-{number}"
        self._put("rules/changing.yaml", CHANGING.format(home=home).encode())
        self.versions.follow(home.encode())

    def swap_certificate(self) -> None:
        """Another one for the same names."""
        files = issue("po.co", "old.example", "changing.example", "evil.example")
        self._put("certs/po.co.key", files.key)
        self._put("certs/po.co.pem", files.chain)
        self.certificates.follow(x509.load_pem_x509_certificate(files.chain).public_bytes(Encoding.DER))

    def _put(self, name: str, content: bytes) -> None:
        (self.folder / "new").write_bytes(content)
        (self.folder / "new").replace(self.folder / name)
