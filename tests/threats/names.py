"""Names that lead where a test says: a server that is started so has a file of hosts of its own, and no DNS.

It runs in a mount namespace, where that file and a resolver that nobody answers for lie over the machine's. What is
written to the file holds from the next lookup on.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.threats.running import PATIENCE

_OVER: Final = 'mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'


class Names:
    """The file of hosts, and what is put in front of a program's command."""

    def __init__(self, folder: Path) -> None:
        self._hosts = folder / "hosts"
        resolver = folder / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", "ascii")
        self.lead()
        self.launch = ("unshare", "--mount", "sh", "-c", _OVER, str(self._hosts), str(resolver))
        tried = subprocess.run([*self.launch, "true"], capture_output=True, text=True, timeout=PATIENCE, check=False)
        if tried.returncode:
            pytest.skip(f"only root can lay files over the machine's: {tried.stderr.strip()}")

    def lead(self, **names: str) -> None:
        """These names, with `_` for a dot, lead to these addresses, and all others nowhere."""
        lines = [f"{address} {name.replace('_', '.')}\n" for name, address in names.items()]
        self._hosts.write_text("".join(lines), "ascii")
