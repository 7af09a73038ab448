"""An authority for tests, the certificates that it issues as files, and clients that trust it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from proxy.core.rulebook import Rulebook
from proxy.edge.server import Server
from tests.edge.conftest import ANY_PORT
from tests.edge.peers import Client, Serving

ROOT = trustme.CA(organization_name="Test Authority")
AUTHORITY = ROOT.create_child_ca()


@dataclass(frozen=True)
class Files:
    """A certificate with its chain, and its key, in PEM."""

    chain: bytes
    key: bytes

    def certbot(self, folder: Path, name: str) -> None:
        """Write them as certbot does."""
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "fullchain.pem").write_bytes(self.chain)
        (folder / name / "privkey.pem").write_bytes(self.key)

    def plain(self, folder: Path, name: str) -> None:
        (folder / f"{name}.pem").write_bytes(self.chain)
        (folder / f"{name}.key").write_bytes(self.key)

    def kubernetes(self, folder: Path, name: str) -> None:
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "tls.crt").write_bytes(self.chain)
        (folder / name / "tls.key").write_bytes(self.key)


def issue(
    *names: str,
    key_type: trustme.KeyType = trustme.KeyType.ECDSA,
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> Files:
    issued = AUTHORITY.issue_cert(*names, key_type=key_type, not_before=begins, not_after=ends)
    return Files(b"".join(blob.bytes() for blob in issued.cert_chain_pems), issued.private_key_pem.bytes())


def weak(*names: str) -> Files:
    """One that can be read, and that OpenSSL refuses for the short key of its authority."""
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    ends = begins + timedelta(days=3650)
    above = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is what is wrong with it
    own = ec.generate_private_key(ec.SECP256R1())
    authority, leaf = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("weak", "leaf"))
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    chain = (
        x509.CertificateBuilder(authority, leaf, own.public_key(), 1, begins, ends).add_extension(alternatives, False),
        x509.CertificateBuilder(authority, authority, above.public_key(), 2, begins, ends),
    )
    key = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Files(b"".join(made.sign(above, SHA256()).public_bytes(Encoding.PEM) for made in chain), key)


def signed_by_itself(name: str) -> Files:
    """One that somebody has made with a tool of their own."""
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), 1, begins, begins + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, SHA256())
    )
    return Files(made.public_bytes(Encoding.PEM), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def trusting(*, checks_name: bool = True) -> ssl.SSLContext:
    """A client's side of TLS."""
    context = ssl.create_default_context()
    ROOT.configure_trust(context)
    context.check_hostname = checks_name
    return context


async def serve(serving: Serving, rulebook: Rulebook, certs: Path, **settings: Any) -> Server:
    """A server that speaks TLS alone."""
    return await serving(rulebook, listen=(), listen_tls=(ANY_PORT,), certs=certs, **settings)


async def connect(server: Server, name: str | None, context: ssl.SSLContext | None = None) -> Client:
    """A connection that asks for `name`."""
    address = server.tls_addresses[0]
    if context is None:
        context = trusting(checks_name=name is not None)
    return await Client.connect(address.host, address.port, ssl=context, server_hostname=name or "")


def names_shown(client: Client) -> set[str]:
    """The names in the certificate that a client was shown."""
    certificate = client.writer.get_extra_info("peercert")
    return {value for kind, value in certificate["subjectAltName"] if kind == "DNS"}
