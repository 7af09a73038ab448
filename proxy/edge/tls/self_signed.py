"""Certificates for trying out, which nobody but oneself has signed (RFC 5280; ECDSA with P-256).

They go into the folder of the others as `self-signed.pem` and `self-signed.key`, where there are many names as
`self-signed-2.pem` and so on. They take no other certificate's place: neither its files nor its names.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from proxy.edge.tls.certificate import Unusable
from proxy.edge.tls.certificates import Certificates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from proxy.edge.tls.certificate import Certificate

NAME: Final = "self-signed"
MAKER: Final = "Sunset, self-signed"
MOST_NAMES: Final = 100
"""In one certificate, as with public authorities: a client reads all of them."""

_FILE: Final = re.compile(rf"{NAME}(?:-\d+)?\.(?:pem|key)")
_A_LITTLE: Final = timedelta(hours=1)
"""Before now, for clocks that are slow."""


def lacking(folder: Path, hosts: Iterable[str]) -> list[str]:
    """Those hosts for which there is no certificate but perhaps one that was made here.

    Raises `Unusable` where another certificate has the name of those.
    """
    certificates = Certificates(folder)
    certificates.refresh()
    others = [certificate for certificate in certificates.all if not _is_ours(certificate)]
    return [host for host in hosts if not any(other.covers(host.replace("*", "any").encode()) for other in others)]


def _is_ours(certificate: Certificate) -> bool:
    file = Path(certificate.file)
    if _FILE.fullmatch(file.name) is None:
        return False
    if certificate.issuer != MAKER:
        raise Unusable(file, f"was issued by {certificate.issuer}; give it another name, {NAME} is for those made here")
    return True


def write(folder: Path, names: Sequence[str], *, now: datetime, days: int) -> list[Path]:
    """Write certificates for names, valid from now on, in place of those written before. Gives their files."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in [file for file in folder.iterdir() if _FILE.fullmatch(file.name)]:
        old.unlink()
    written = []
    for begin in range(0, len(names), MOST_NAMES):
        stem = NAME if not begin else f"{NAME}-{begin // MOST_NAMES + 1}"
        certificate, key = make(names[begin : begin + MOST_NAMES], now=now, days=days)
        _write(folder / f"{stem}.key", key, mode=0o600)
        _write(folder / f"{stem}.pem", certificate, mode=0o644)
        written.append(folder / f"{stem}.pem")
    return written


def make(names: Sequence[str], *, now: datetime, days: int) -> tuple[bytes, bytes]:
    """A certificate and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, MAKER)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _A_LITTLE)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), private


def _write(file: Path, contents: bytes, *, mode: int) -> None:
    """Put a file in place whole: nobody sees half of it, or a key that more may read than should."""
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
        opened.write(contents)
    new.replace(file)
