"""One certificate with its key: read, checked, and ready to be presented (RFC 5280, names as in RFC 9525 section 6).

What is in the files is kept, so what was checked is what is used, whatever becomes of the files meanwhile. The names
that count are the DNS names inside the certificate; a common name, and what a file is called, are for people. An
OpenSSL context takes a hundred times as long to make as a certificate takes to read, so it is made when the certificate
is first presented. It is never changed again: a wrong key, once loaded, would leave it unusable.
"""

from __future__ import annotations

import os
import ssl
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from proxy.edge.tls.handshake import Context
from proxy.errors import Severity, SunsetError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

MAX_FILE_BYTES: Final = 256 * 1024
"""A chain has some 6 KB."""
SMALLEST_RSA_KEY: Final = 2048
"""In bits; OpenSSL, as systems set it up, refuses smaller ones, and so do browsers."""
SOON: Final = 14 * 86400
"""Seconds before its end from which on a certificate should have been renewed."""

_NOT_UNDERSTOOD = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the library says of bytes that are no certificate, or none that it knows."""
_END = b"-----END CERTIFICATE-----"
_ANY_KEY = b"PRIVATE KEY-----"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong with a file of certificates, and what to do. Of an error nothing is used, of a warning all is."""

    file: str
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.file}: {self.message}"


class Unusable(SunsetError):
    """A certificate that cannot be presented."""

    def __init__(self, file: Path, message: str) -> None:
        self.fault = Fault(str(file), message)
        super().__init__(str(self.fault))


@dataclass(frozen=True, eq=False)
class Certificate:
    """A certificate that may be presented. `begins` and `ends` are when it is valid, in seconds since 1970."""

    file: str
    """Where its chain was read."""
    names: tuple[str, ...]
    """The DNS names in it, lower case, as they stand there: `*.po.co` stands for one label."""
    issuer: str
    serial: str
    begins: float
    ends: float
    is_self_signed: bool
    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)
    _exact: frozenset[bytes] = field(repr=False)
    _below: frozenset[bytes] = field(repr=False)

    def covers(self, host: bytes) -> bool:
        """Whether a host (lower case, no port, no trailing dot) is one of its names."""
        if host in self._exact:
            return True
        if not self._below:
            return False
        dot = host.find(b".")
        return dot > 0 and host[dot:] in self._below

    def is_valid(self, now: float) -> bool:
        """Whether it is neither too early nor too late for it."""
        return self.begins <= now < self.ends

    @cached_property
    def context(self) -> Presenting:
        """What handshakes use. Raises `Unusable` where OpenSSL refuses what `read` took."""
        context = Presenting()
        context.certificate = self
        try:
            with _as_file(self.key + b"\n" + self.chain) as file:
                context.load_cert_chain(file)
        except ssl.SSLError as error:
            raise Unusable(Path(self.file), f"is refused by OpenSSL: {error.reason}; have it issued anew") from None
        return context

    def concern(self, now: float) -> Fault | None:
        """What is the matter with its dates."""
        if now >= self.ends:
            return Fault(self.file, f"expired on {_day(self.ends)}; renew it", Severity.WARNING)
        if now < self.begins:
            message = f"is valid only from {_day(self.begins)} on; is this machine's clock right?"
            return Fault(self.file, message, Severity.WARNING)
        if now >= self.ends - min(SOON, (self.ends - self.begins) / 4):
            return Fault(self.file, f"expires on {_day(self.ends)}; renew it", Severity.WARNING)
        return None


class Presenting(Context):
    """The context that presents a certificate."""

    certificate: Certificate


def presented(transport: asyncio.BaseTransport) -> Certificate | None:
    """The certificate that the client of a connection was shown; `None` where it does not use TLS."""
    handshake = transport.get_extra_info("ssl_object")
    context = None if handshake is None else handshake.context
    return context.certificate if isinstance(context, Presenting) else None


def read(chain_file: Path, key_file: Path) -> Certificate:
    """The certificate in two files. Raises `Unusable` with what to do about it."""
    chain = _contents(chain_file, "the certificate and its chain")
    key = _contents(key_file, f"the key of {chain_file.name}")
    try:
        certificates = x509.load_pem_x509_certificates(chain)
        _check_chain(certificates, chain, chain_file, key_file)
        _check_key(key, key_file, certificates, chain_file)
        return _certificate(certificates[0], chain_file, chain, key)
    except _NOT_UNDERSTOOD:  # much is parsed only when it is looked at
        message = "holds no certificate that can be read; put it there in PEM, its chain behind it"
        raise Unusable(chain_file, message) from None


def _certificate(leaf: x509.Certificate, file: Path, chain: bytes, key: bytes) -> Certificate:
    names = tuple(dict.fromkeys(_names(leaf)))
    return Certificate(
        file=str(file),
        names=names,
        issuer=_readable(leaf.issuer),
        serial=f"{leaf.serial_number:x}",
        begins=leaf.not_valid_before_utc.timestamp(),
        ends=leaf.not_valid_after_utc.timestamp(),
        is_self_signed=leaf.issuer == leaf.subject,
        chain=chain,
        key=key,
        _exact=frozenset(name.encode() for name in names if not name.startswith("*.")),
        _below=frozenset(name[1:].encode() for name in names if name.startswith("*.")),
    )


def _contents(file: Path, what: str) -> bytes:
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise Unusable(file, f"is no file; it has to be {what}, in PEM")
        with file.open("rb") as opened:
            contents = opened.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise Unusable(file, f"is missing; put {what} there") from None
    except PermissionError:
        raise Unusable(file, "may not be read by the user that Sunset runs as; chown or chmod it") from None
    except OSError as error:
        raise Unusable(file, f"cannot be read: {error.strerror}") from None
    if len(contents) > MAX_FILE_BYTES:
        raise Unusable(file, f"is larger than {MAX_FILE_BYTES // 1024} KiB; it has to be {what}, in PEM")
    return contents


def _check_chain(certificates: list[x509.Certificate], chain: bytes, file: Path, key_file: Path) -> None:
    """Whether a chain is whole, and in its order."""
    rest = chain.rpartition(_END)[2].strip()
    if _ANY_KEY in rest:
        raise Unusable(file, f"has a key behind the chain; put that into {key_file.name}, and take it out here")
    if rest:
        raise Unusable(file, "breaks off; was it copied whole?")
    for certificate, issuer in pairwise(certificates):
        if certificate.issuer != issuer.subject:
            raise Unusable(
                file,
                f"is out of order: {_readable(issuer.subject)} did not issue {_readable(certificate.subject)}; "
                "put the certificate first, then who issued it, and so on",
            )


def _check_key(key: bytes, key_file: Path, certificates: list[x509.Certificate], chain_file: Path) -> None:
    """Whether a key is one of the certificate that stands first, and of a kind that is presented."""
    try:
        # Whether an RSA key's numbers are primes takes a tenth of a second, and OpenSSL asks once more when it signs.
        private = load_pem_private_key(key, None, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        raise Unusable(key_file, "wants a passphrase, which nobody is there to type; store it without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Unusable(key_file, f"holds no key that can be read; put the key of {chain_file.name} there") from None
    public = private.public_key()
    if public != certificates[0].public_key():
        if any(public == certificate.public_key() for certificate in certificates[1:]):
            raise Unusable(
                chain_file, f"begins with another certificate than that of {key_file.name}; put its own first"
            )
        raise Unusable(key_file, f"is not the key of {chain_file.name}; put both there as they were issued")
    match private:
        case rsa.RSAPrivateKey() if private.key_size < SMALLEST_RSA_KEY:
            raise Unusable(
                key_file, f"is an RSA key of {private.key_size} bits, which browsers refuse; make an ECDSA key"
            )
        case rsa.RSAPrivateKey() | ec.EllipticCurvePrivateKey():
            pass
        case _:
            raise Unusable(key_file, "is a key of a kind that browsers refuse; make an ECDSA key (P-256)")


def _day(instant: float) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%d}"


def _names(leaf: x509.Certificate) -> Iterator[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    for name in names.get_values_for_type(x509.DNSName):
        lower = name.lower().removesuffix(".")
        if lower and lower.isascii() and "*" not in lower.removeprefix("*."):
            yield lower


def _readable(name: x509.Name) -> str:
    """A name for people: `Let's Encrypt, R11`."""
    parts = [
        str(attribute.value)
        for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        for attribute in name.get_attributes_for_oid(oid)
    ]
    return ", ".join(parts) or name.rfc4514_string() or "nobody"


@contextmanager
def _as_file(contents: bytes) -> Iterator[str]:
    """A path under which OpenSSL finds `contents`. Where the system can, they never reach a disk."""
    if not hasattr(os, "memfd_create"):
        with NamedTemporaryFile() as file:
            file.write(contents)
            file.flush()
            yield file.name
        return
    descriptor = os.memfd_create("certificate")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(contents)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
