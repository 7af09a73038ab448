"""The certificates that were asked for here, as files in certbot's layout, each swapped whole.

A certificate and its key are two files, and who reads them between two writes, or after a crash there, has no pair. So
every version has a folder of its own, and `acme-HOST` is a link to the one in use: one rename swaps both. The name says
whose it is: what others have put into the folder is never touched.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

PREFIX: Final = "acme-"
VERSIONS: Final = ".acme"
"""Where all versions are; what begins with a dot is no certificate to present."""
KEPT: Final = 2
"""Versions of each certificate: the one in use, and the one before."""


class Archive:
    """Certificates of one authority in the folder of certificates."""

    def __init__(self, folder: Path, authority: str) -> None:
        self._folder = folder
        self._authority = authority

    def is_ours(self, file: str) -> bool:
        """Whether the file of a certificate is one that was written here, be it of another authority."""
        return file.startswith(f"{self._folder}/{PREFIX}")

    def has(self, host: str) -> bool:
        """Whether the certificate in use for a host is of this authority."""
        link = self._link(host)
        return link.is_symlink() and link.readlink().parts[:2] == (VERSIONS, self._authority)

    def file(self, host: str) -> str:
        """Where the certificate in use for a host is read."""
        return f"{self._link(host)}/fullchain.pem"

    def put(self, host: str, chain: bytes, key: bytes) -> None:
        """Put a new version in use."""
        versions = self._folder / VERSIONS / self._authority / host
        versions.mkdir(parents=True, exist_ok=True)
        number = max((int(old.name) for old in versions.iterdir() if old.name.isdigit()), default=0) + 1
        version = versions / f"{number:06}"
        version.mkdir(mode=0o755)
        _write(version / "privkey.pem", key, mode=0o600)
        _write(version / "fullchain.pem", chain, mode=0o644)
        new = self._folder / f".{PREFIX}{host}.new"
        new.unlink(missing_ok=True)
        new.symlink_to(version.relative_to(self._folder))
        new.replace(self._link(host))
        for old in sorted(versions.iterdir())[:-KEPT]:
            shutil.rmtree(old)

    def _link(self, host: str) -> Path:
        return self._folder / f"{PREFIX}{host}"


def _write(file: Path, contents: bytes, *, mode: int) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
        opened.write(contents)
        opened.flush()
        os.fsync(opened.fileno())
